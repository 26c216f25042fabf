//! Every hash of `tests/vectors` was made by somebody else's program: the head of each script there says by which. Its
//! password is right, and another is wrong.

use idbridge_passwords::{Declared, Encoding, Function, Hash, Layout, LongPasswords, Reading, SaltedBy, Unreadable};
use serde_json::Value;

struct Vector<'a> {
    maker: &'a str,
    password: String,
    text: &'a str,
    reading: Reading,
    salt: Option<&'a str>,
}

fn vectors(file: &'static str) -> Vec<Vector<'static>> {
    file.lines().map(vector).collect()
}

fn vector(line: &'static str) -> Vector<'static> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [maker, password, text, rest @ ..] = &fields[..] else {
        panic!("{line}")
    };
    let password: Value = serde_json::from_str(password).expect("JSON");
    Vector {
        maker,
        password: password.as_str().expect("a text").to_owned(),
        text,
        reading: Reading {
            declared: rest.first().map(|declared| self::declared(declared)),
            long_passwords: LongPasswords::Truncate,
            salted_by: match *maker {
                "django" => Some(SaltedBy::Django),
                "werkzeug" => Some(SaltedBy::Werkzeug),
                _ => None,
            },
        },
        salt: rest.get(1).copied(),
    }
}

fn declared(text: &str) -> Declared {
    let words: Vec<&str> = text.split(' ').collect();
    let [function, layout, encoding] = words[..] else {
        panic!("{text}")
    };
    Declared {
        function: match function {
            "md5" => Function::Md5,
            "sha1" => Function::Sha1,
            "sha256" => Function::Sha256,
            "sha384" => Function::Sha384,
            "sha512" => Function::Sha512,
            other => panic!("{other}"),
        },
        layout: match layout {
            "hmac_keyed_by_salt" => Layout::HmacKeyedBySalt,
            "password" => Layout::Password,
            "password_salt" => Layout::PasswordSalt,
            "salt_password" => Layout::SaltPassword,
            other => panic!("{other}"),
        },
        encoding: match encoding {
            "base64" => Encoding::Base64,
            "hex" => Encoding::Hex,
            other => panic!("{other}"),
        },
    }
}

fn agree(file: &'static str, count: usize) {
    let vectors = vectors(file);
    assert_eq!(vectors.len(), count);
    for vector in vectors {
        let (maker, text) = (vector.maker, vector.text);
        let hash =
            Hash::parse(text, vector.salt, &vector.reading).unwrap_or_else(|error| panic!("{maker}: {text}: {error}"));
        assert_eq!(hash.is_of(&vector.password), Ok(true), "{maker}: {text}");
        // Before the password: some read no more than 72 bytes of it.
        let others = [
            format!("x{}", vector.password),
            vector.password.to_uppercase(),
            String::new(),
        ];
        for other in others {
            assert_eq!(hash.is_of(&other), Ok(false), "{maker}: {text}");
        }
        assert!(!format!("{hash:?}").contains(text), "{hash:?}");
    }
}

#[test]
fn django_werkzeug_and_passlib() {
    agree(include_str!("../vectors/python.tsv"), 182);
}

/// Two libraries wrote the same letters for two computations: read as the other's, the password would be wrong.
#[test]
fn django_and_werkzeug_of_old_and_openldap() {
    let file = include_str!("../vectors/old.tsv");
    agree(file, 24);
    let mut marked = 0;
    for vector in vectors(file).iter().filter(|vector| !vector.text.starts_with('{')) {
        let reading = Reading::default();
        let refused = Hash::parse(vector.text, None, &reading).err();
        assert_eq!(refused, Some(Unreadable::Unknown), "{}", vector.text);
        marked += 1;
    }
    assert!(marked > 10, "{marked}");
}

#[test]
fn php_and_what_is_written_in_it() {
    agree(include_str!("../vectors/php.tsv"), 58);
}

#[test]
fn openssl() {
    agree(include_str!("../vectors/openssl.tsv"), 16);
}

#[test]
fn node() {
    agree(include_str!("../vectors/node.tsv"), 96);
}

/// Beyond bcrypt's 72 bytes: as the source has them.
#[test]
fn a_long_password_is_cut_or_refused_as_the_source_does() {
    let vectors = vectors(include_str!("../vectors/php.tsv"));
    let long: Vec<&Vector<'_>> = vectors
        .iter()
        .filter(|vector| vector.password.len() > 72 && vector.text.starts_with("$2"))
        .collect();
    assert!(long.len() >= 8, "{}", long.len());
    for vector in long {
        let cut = Hash::parse(vector.text, None, &vector.reading).expect("good");
        assert_eq!(
            cut.is_of(&format!("{}x", vector.password)),
            Ok(true),
            "beyond the 72 bytes"
        );
        let reading = Reading {
            long_passwords: LongPasswords::Reject,
            ..vector.reading
        };
        let refused = Hash::parse(vector.text, None, &reading).expect("good");
        assert_eq!(refused.is_of(&vector.password), Ok(false), "{}", vector.text);
    }
}

/// No other format is cut: a longer password is another one.
#[test]
fn no_other_format_is_cut() {
    let files = [
        include_str!("../vectors/python.tsv"),
        include_str!("../vectors/php.tsv"),
        include_str!("../vectors/node.tsv"),
    ];
    let vectors = files.into_iter().flat_map(self::vectors);
    let bare_bcrypt = |text: &str| ["$2", "bcrypt$"].iter().any(|mark| text.starts_with(mark));
    let mut count = 0;
    for vector in vectors.filter(|vector| vector.password.len() > 72 && !bare_bcrypt(vector.text)) {
        let hash = Hash::parse(vector.text, vector.salt, &vector.reading).expect("good");
        assert_eq!(
            hash.is_of(&format!("{}x", vector.password)),
            Ok(false),
            "{}",
            vector.text
        );
        count += 1;
    }
    assert!(count > 50, "{count}");
}
