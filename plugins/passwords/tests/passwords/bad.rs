//! Hashes that nobody computes: each is refused before anything is computed, and none makes the program stop.

use std::time::{Duration, Instant};

use idbridge_passwords::Unreadable::{Absurd, Malformed, Unknown};
use idbridge_passwords::{Declared, Encoding, Function, Hash, Layout, Reading, SaltedBy, Unreadable};

const SALT22: &str = "abcdefghijklmnopqrstuu";
const DIGEST31: &str = "FiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS";

fn refusal(text: &str) -> Option<Unreadable> {
    Hash::parse(text, None, &Reading::default()).err()
}

#[test]
fn absurd_costs_are_refused_at_once() {
    let b43 = "A".repeat(43);
    let keycloak = |algorithm: &str, iterations: &str, memory: &str| {
        format!(
            r#"{{"secretData":{{"value":"{b43}","salt":"AAAAAAAAAAAAAAAAAAAAAA=="}},"credentialData":{{"hashIterations":{iterations},
            "algorithm":"{algorithm}","additionalParameters":{{"memory":["{memory}"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}}}}}"#
        )
    };
    let table = [
        format!("$2b$31${SALT22}{DIGEST31}"),
        format!("$2y$16${SALT22}{DIGEST31}"),
        format!("$2b$99${SALT22}{DIGEST31}"),
        format!("$wp$2y$31${SALT22}{DIGEST31}"),
        format!("bcrypt_sha256$$2b$31${SALT22}{DIGEST31}"),
        format!("$bcrypt-sha256$v=2,t=2b,r=31${SALT22}${DIGEST31}"),
        format!("$argon2id$v=19$m=4194304,t=3,p=1$c2FsdHNhbHQ${b43}"),
        format!("$argon2id$v=19$m=262145,t=3,p=1$c2FsdHNhbHQ${b43}"),
        format!("$argon2id$v=19$m=65536,t=11,p=1$c2FsdHNhbHQ${b43}"),
        format!("$argon2id$v=19$m=65536,t=4294967296,p=1$c2FsdHNhbHQ${b43}"),
        format!("$argon2id$v=19$m=65536,t=3,p=17$c2FsdHNhbHQ${b43}"),
        format!("argon2$argon2i$v=19$m=99999999999999999999,t=3,p=1$c2FsdHNhbHQ${b43}"),
        format!("$argon2id$v=19$m=64,t=3,p=1$c2FsdHNhbHQ${}", "A".repeat(400)),
        format!("scrypt:1073741824:8:1$salt${}", "ab".repeat(32)),
        format!("scrypt:262144:8:1$salt${}", "ab".repeat(32)),
        format!("scrypt:1024:9:1$salt${}", "ab".repeat(32)),
        format!("scrypt$1024$salt$8$11${b43}"),
        format!("$scrypt$ln=18,r=8,p=1$c2FsdA${b43}"),
        format!("$scrypt$ln=63,r=8,p=1$c2FsdA${b43}"),
        format!("pbkdf2_sha256$999999999$salt${b43}="),
        format!("pbkdf2:sha256:10000001$salt${}", "ab".repeat(32)),
        format!("$pbkdf2-sha512$4294967296$c2FsdA${b43}"),
        "$6$rounds=999999999$saltstring$".to_owned() + &"a".repeat(86),
        "$5$rounds=1000001$saltstring$".to_owned() + &"a".repeat(43),
        "{CRYPT}$6$rounds=999999999$saltstring$".to_owned() + &"a".repeat(86),
        "$P$z".to_owned() + &"a".repeat(30),
        "$S$J".to_owned() + &"a".repeat(51),
        "AQAAAAL/////AAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        keycloak("pbkdf2-sha256", "18446744073709551615", "64"),
        keycloak("argon2", "5", "4194304"),
        keycloak("argon2", "99", "64"),
        format!("pbkdf2_sha256$1000${}${b43}=", "s".repeat(600)),
        "x".repeat(1 << 20),
        format!("{{SSHA}}{}", "A".repeat(1 << 20)),
    ];
    for text in &table {
        // The best of three: another process may take the processor away.
        let times = [(); 3].map(|()| {
            let began = Instant::now();
            assert_eq!(refusal(text), Some(Absurd), "{:.80}", text);
            began.elapsed()
        });
        let best = times.into_iter().min().expect("three");
        assert!(best < Duration::from_millis(1), "{best:?}: {text:.80}");
    }
}

#[test]
fn what_is_not_written_as_its_format_is_malformed() {
    let b43 = "A".repeat(43);
    let table = [
        "$2b$10$".to_owned(),
        format!("$2b$3${SALT22}{DIGEST31}"),
        format!("$2b$03${SALT22}{DIGEST31}"),
        format!("$2b$+9${SALT22}{DIGEST31}"),
        format!("$2b$10${SALT22}{}", &DIGEST31[1..]),
        format!("$2b$10${SALT22}{DIGEST31}$"),
        format!("$2b$10$\u{e9}{}{DIGEST31}", &SALT22[2..]),
        format!("$2b$10${}\u{e9}{}{DIGEST31}", &SALT22[..21], &DIGEST31[1..]),
        format!("$2b$10${SALT22}{}!", &DIGEST31[..30]),
        "$wp$2y$10$short".to_owned(),
        format!("$wp$argon2id$v=19$m=64,t=3,p=1$c2FsdHNhbHQ${b43}"),
        "bcrypt$".to_owned(),
        "bcrypt_sha256$".to_owned(),
        format!("$argon2id$v=19$m=64,t=3,p=1$c2Fs${b43}"),
        format!("$argon2id$v=19$m=1,t=3,p=1$c2FsdHNhbHQ${b43}"),
        format!("$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ${b43}"),
        format!("$argon2id$v=19$m=64,t=3,p=0$c2FsdHNhbHQ${b43}"),
        format!("$argon2id$v=19$t=3,m=64,p=1$c2FsdHNhbHQ${b43}"),
        "$argon2id$v=19$m=64,t=3,p=1$c2FsdHNhbHQ$".to_owned(),
        "$argon2id$".to_owned(),
        format!("scrypt:1000:8:1$salt${}", "ab".repeat(32)),
        format!("scrypt:0:8:1$salt${}", "ab".repeat(32)),
        format!("scrypt:1024:0:1$salt${}", "ab".repeat(32)),
        format!("scrypt:1024:8:1$salt${}", "ag".repeat(32)),
        "scrypt:1024:8:1$salt$".to_owned(),
        format!("pbkdf2_sha256$0$salt${b43}="),
        format!("pbkdf2_sha256$-1$salt${b43}="),
        format!("pbkdf2_sha256$1000$salt${b43}=="),
        format!("pbkdf2_sha256$1000${b43}="),
        "pbkdf2_sha256$1000$salt$".to_owned(),
        format!("pbkdf2:sha256$salt${}", "ab".repeat(32)),
        "$6$salt".to_owned(),
        "$6$rounds=999$saltstring$".to_owned() + &"a".repeat(86),
        "$6$saltstringsaltstring$".to_owned() + &"a".repeat(86),
        "$6$salt$".to_owned() + &"!".repeat(86),
        "$5$salt$".to_owned() + &"a".repeat(86),
        "$P$B".to_owned() + &"a".repeat(29),
        "$P$.".to_owned() + &"a".repeat(30),
        "{SSHA}".to_owned(),
        "{SSHA}q/eq1kOINtvlJqojGr3i0O73TUI=".to_owned(),
        "{SHA}AAAA".to_owned(),
        "{\"secretData\":1}".to_owned(),
        "{}".to_owned(),
        "{\"secretData".to_owned(),
    ];
    for text in &table {
        assert_eq!(refusal(text), Some(Malformed), "{text}");
    }
}

#[test]
fn what_has_no_known_mark_is_unknown_unless_it_was_declared() {
    let table = [
        "",
        "secret",
        "$1$salt$digest",
        "$y$j9T$salt$digest",
        "$7$salt",
        "$",
        "{PKCS5S2}AAAA",
        "{CRYPT}ab12345678901",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "sha1$salt$abababababababababababababababababababab",
        "pbkdf2:md5:1000$salt$abababababababababababababababab",
        "$argon2id$v=19$m=64,t=3,p=1,keyid=AAAA$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=20$m=64,t=3,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
    ];
    for text in table {
        assert_eq!(refusal(text), Some(Unknown), "{text}");
    }
    let declared = |function, layout| Reading {
        declared: Some(Declared {
            function,
            layout,
            encoding: Encoding::Hex,
        }),
        ..Reading::default()
    };
    let md5 = declared(Function::Md5, Layout::Password);
    let hash = Hash::parse("5f4dcc3b5aa765d61d8327deb882cf99", None, &md5).expect("declared");
    assert_eq!(hash.is_of("password"), Ok(true));
    for text in [
        "",
        "5f4dcc3b5aa765d61d8327deb882cf",
        "5f4dcc3b5aa765d61d8327deb882cf9g",
        "secret",
    ] {
        assert_eq!(Hash::parse(text, None, &md5).err(), Some(Malformed), "{text}");
    }
    assert_eq!(
        Hash::parse("$1$salt$digest", None, &md5).err(),
        Some(Unknown),
        "another mark stays what it is"
    );
    let salted = declared(Function::Md5, Layout::SaltPassword);
    for salt in [None, Some("")] {
        let hash = Hash::parse("5f4dcc3b5aa765d61d8327deb882cf99", salt, &salted);
        assert_eq!(hash.err(), Some(Malformed), "a salt that isn't there");
    }
}

/// Each good hash, cut and changed at every place: an answer or an error, and no panic.
#[test]
fn no_text_makes_it_panic() {
    let files = [
        include_str!("../vectors/python.tsv"),
        include_str!("../vectors/php.tsv"),
        include_str!("../vectors/openssl.tsv"),
    ];
    let mut seen = 0;
    for line in files.into_iter().flat_map(str::lines).step_by(3) {
        let text = line.split('\t').nth(2).expect("a hash");
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let (before, after) = text.split_at(at);
            for other in [
                before.to_owned(),
                format!("{before}\u{e9}{after}"),
                format!("{before}$"),
                after.to_owned(),
            ] {
                let _ = Hash::parse(&other, None, &Reading::default());
                seen += 1;
            }
        }
    }
    assert!(seen > 10_000, "{seen}");
}

/// Nobody but the operator knows who wrote it.
#[test]
fn a_mark_of_two_libraries_is_read_as_the_one_that_is_named() {
    let digest = "ab".repeat(20);
    let refusal = |text: &str, by| {
        let reading = Reading {
            salted_by: Some(by),
            ..Reading::default()
        };
        Hash::parse(text, None, &reading).err()
    };
    for by in [SaltedBy::Django, SaltedBy::Werkzeug] {
        assert_eq!(refusal(&format!("sha1$salt${digest}"), by), None);
        assert_eq!(refusal("sha1$salt$abcd", by), Some(Malformed));
        assert_eq!(refusal(&format!("sha1${digest}"), by), Some(Malformed));
    }
    assert_eq!(refusal(&format!("sha1$${digest}"), SaltedBy::Django), None);
    assert_eq!(refusal(&format!("sha1$${digest}"), SaltedBy::Werkzeug), Some(Malformed));
    let long = "ab".repeat(32);
    assert_eq!(refusal(&format!("sha256$salt${long}"), SaltedBy::Werkzeug), None);
    assert_eq!(refusal(&format!("sha256$salt${long}"), SaltedBy::Django), Some(Unknown));
    let short = "ab".repeat(16);
    assert_eq!(refusal(&format!("md5$salt${short}"), SaltedBy::Django), None);
    assert_eq!(refusal(&format!("md5$salt${short}"), SaltedBy::Werkzeug), Some(Unknown));
}
