use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use idbridge_source::ExposeSecret as _;

use super::test_kinds::{project, registry};
use super::*;

/// Every value that a broken file holds has this in it.
const CANARY: &str = "hunter2canary";

const CALLER: &str = "[callers.auth0]\n\
                      key_sha256 = '1111111111111111111111111111111111111111111111111111111111111111'\n\
                      allow = ['authenticate']\n";
const SOURCE: &str = "[sources.staff]\nkind = 'memory'\n";

fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn read_text(text: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<Mistake>> {
    parse(
        Path::new("s.toml"),
        text,
        variables(environment),
        &registry(),
        SecretFiles::Read,
    )
}

#[track_caller]
fn good(text: &str, environment: &[(&str, &str)]) -> Config {
    read_text(&format!("{text}\n{CALLER}{SOURCE}"), environment).expect("good settings")
}

/// `tests/config/*.toml`: broken files. At the end of each stand, as comments, the variables that come with it
/// (`# env: NAME=VALUE`) and every mistake (`# expect: LINE: KEY: PROBLEM`, or `# expect: VARIABLE: KEY: PROBLEM`).
#[test]
fn broken_files_are_told_whole_and_without_their_values() {
    let folder = project().join("tests/config");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of broken files")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 40, "{}", paths.len());
    let mut wrong = String::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("text");
        let said = |what: &str| {
            text.lines()
                .filter_map(|line| line.strip_prefix(what))
                .collect::<Vec<_>>()
        };
        let environment: Vec<_> = said("# env: ").iter().filter_map(|pair| pair.split_once('=')).collect();
        let mistakes = load(&path, variables(&environment), &registry(), SecretFiles::Read)
            .expect_err(&format!("{} is broken", path.display()));
        let prefix = format!("{}:", path.display());
        let found: Vec<String> = mistakes
            .iter()
            .map(ToString::to_string)
            .map(|line| line.strip_prefix(&prefix).unwrap_or(&line).to_owned())
            .collect();
        if found.is_empty() || found != said("# expect: ") {
            wrong.push_str(&format!(
                "{}\n# expect: {}\n",
                path.display(),
                found.join("\n# expect: ")
            ));
        }
        assert!(!format!("{mistakes:?}").contains(CANARY), "{}", path.display());
    }
    assert_eq!(wrong, "", "these files have these mistakes:\n{wrong}");
}

/// `examples/*.toml`
#[test]
fn examples_are_good_settings() {
    let mut count = 0;
    for entry in std::fs::read_dir(project().join("examples")).expect("the examples") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            continue; // examples of something else
        }
        if let Err(mistakes) = load(&path, [], &crate::sources::registry(), SecretFiles::Skip) {
            panic!("{mistakes:#?}");
        }
        count += 1;
    }
    assert!(count >= 2);
}

/// `plugins/*/README.md`, with a caller put before what each shows.
#[test]
fn examples_of_plugins_are_good_settings() {
    let mut count = 0;
    for entry in std::fs::read_dir(project().join("plugins")).expect("the plugins") {
        let path = entry.expect("a folder").path().join("README.md");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for example in text.split("```toml\n").skip(1) {
            let (example, _) = example.split_once("```").expect("its end");
            let caller = format!(
                "[callers.a]\nkey_sha256 = \"{}\"\nallow = [\"authenticate\"]\n",
                "1".repeat(64)
            );
            let (registry, text) = (crate::sources::registry(), caller + example);
            if let Err(mistakes) = parse(&path, &text, [], &registry, SecretFiles::Skip) {
                panic!("{mistakes:#?}");
            }
            count += 1;
        }
    }
    assert!(count >= 2);
}

#[test]
fn defaults() {
    let config = good("", &[]);
    assert_eq!(config.grpc.listen.address.to_string(), "127.0.0.1:50051");
    assert_eq!(config.grpc.max_deadline, Duration::from_secs(30));
    assert!(!config.grpc.reflection);
    assert!(config.rest.is_none() && config.admin.is_none() && config.routes.is_empty());
    assert_eq!(
        config.log,
        Log {
            level: tracing::Level::INFO,
            format: LogFormat::Auto
        }
    );
    assert!(config.audit.hash_key.is_none());

    let [caller] = &config.callers[..] else {
        panic!("one caller")
    };
    assert_eq!(caller.key_hashes, [[0x11; 32]]);
    assert!(caller.allow.authenticate && !caller.allow.get_user_by_email);
    assert_eq!((caller.max_in_flight, &caller.sources), (100, &None));

    let [source] = &config.sources[..] else {
        panic!("one source")
    };
    assert_eq!(
        (&*source.name, source.kind.as_str(), source.id_prefix.as_str()),
        ("staff", "memory", "staff")
    );
    assert_eq!((source.max_in_flight, source.forward_client_address), (70, false));
    assert_eq!(source.lookup_ttl, Duration::from_secs(3));
    assert_eq!(source.guard, crate::sources::guard::Settings::default());
    assert!(source.rules.are_open());

    let config = good("[rest]\n[admin]", &[]);
    let rest = config.rest.expect("the section is there");
    assert_eq!(rest.listen.address.to_string(), "127.0.0.1:8080");
    assert_eq!(rest.deadline, Duration::from_secs(5));
    assert_eq!(
        rest.auth0,
        Auth0 {
            email_from: EmailFrom::Email,
            send_username: false,
            username_length: (1, 128),
            password: crate::rest::PasswordPolicy::ANY,
        }
    );
    assert_eq!(
        config.admin.expect("the section is there").listen.address.to_string(),
        "127.0.0.1:9090"
    );
}

#[test]
fn the_environment_is_typed_by_its_keys_and_goes_before_the_file() {
    let text = "[grpc]\nlisten = '127.0.0.1:1'\nmax_deadline = '9s'\n[log]\nformat = 'json'";
    let config = good(
        text,
        &[
            ("IDBRIDGE_CALLERS__AUTH0__ALLOW", "authenticate, get_user_by_email"),
            ("IDBRIDGE_CALLERS__AUTH0__MAX_IN_FLIGHT", "7"),
            ("IDBRIDGE_CALLERS__AUTH0__SOURCES", "staff"),
            ("IDBRIDGE_GRPC__LISTEN", "127.0.0.1:2"),
            ("IDBRIDGE_GRPC__REFLECTION", "true"),
            ("IDBRIDGE_KEY", "not a setting"),
            ("IDBRIDGE_REST__AUTH0__EMAIL_FROM", "login"),
            ("IDBRIDGE_REST__DEADLINE", "250ms"),
            ("IDBRIDGE_SOURCES__STAFF__LOOKUP_TTL", "0s"),
            // A text of digits stays a text.
            ("IDBRIDGE_SOURCES__STAFF__ID_PREFIX", "0123"),
            ("IDBRIDGE_AUDIT__HASH_KEY", "12345678901234567890123456789012"),
        ],
    );
    assert_eq!(config.grpc.listen.address.to_string(), "127.0.0.1:2");
    assert_eq!(config.grpc.max_deadline, Duration::from_secs(9));
    assert!(config.grpc.reflection);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(
        config.callers[0].allow,
        Allow {
            authenticate: true,
            get_user_by_email: true
        }
    );
    assert_eq!(config.callers[0].max_in_flight, 7);
    assert_eq!(config.callers[0].sources.as_deref(), Some(&["staff".to_owned()][..]));
    let rest = config.rest.expect("a variable switches the section on");
    assert_eq!(
        (rest.auth0.email_from, rest.deadline),
        (EmailFrom::Login, Duration::from_millis(250))
    );
    assert_eq!(config.sources[0].id_prefix, "0123");
    assert_eq!(config.sources[0].lookup_ttl, Duration::ZERO);
    assert_eq!(config.audit.hash_key.expect("a key").expose_secret().len(), 32);
}

#[test]
fn the_environment_alone_can_make_a_source_and_a_caller() {
    let hashes = format!("{}, {}", "2".repeat(64), "3".repeat(64));
    let config = read_text(
        "",
        &[
            ("IDBRIDGE_CALLERS__BILLING__ALLOW", "get_user_by_email"),
            ("IDBRIDGE_CALLERS__BILLING__KEY_SHA256", &hashes),
            ("IDBRIDGE_SOURCES__MY_OKTA__KIND", "okta"),
            ("IDBRIDGE_SOURCES__MY_OKTA__SETTINGS__API_TOKEN", "00abc"),
            ("IDBRIDGE_SOURCES__MY_OKTA__SETTINGS__ORG_URL", "https://acme.okta.com"),
        ],
    )
    .expect("good settings");
    assert_eq!(config.callers[0].key_hashes, [[0x22; 32], [0x33; 32]]);
    assert_eq!(&*config.sources[0].name, "my_okta");
    assert!(config.sources[0].blueprint.capabilities().user_by_email);
}

#[test]
fn what_a_shared_table_lacks_is_missed_in_the_file() {
    let text = format!("{CALLER}{SOURCE}\n[rest.upstream]\n");
    let mistakes = read_text(&text, &[("IDBRIDGE_REST__UPSTREAM__CAFILE", CANARY)]).expect_err("two mistakes");
    let found: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "s.toml:7: rest.upstream.ca_file: is required",
            "IDBRIDGE_REST__UPSTREAM__CAFILE: rest.upstream.cafile: is unknown; did you mean `ca_file`?",
        ]
    );
}

#[test]
fn routes_are_read_in_order_and_in_lower_case() {
    let text = format!(
        "{CALLER}{SOURCE}[sources.okta]\nkind = 'memory'\n\
         [[routes]]\ndomains = ['Example.COM', 'ÉCOLE.example']\nsource = 'okta'\n\
         [[routes]]\ndomains = '.Example.org'\nsource = 'okta'\n[[routes]]\nsource = 'staff'\n"
    );
    let config = read_text(&text, &[]).expect("good settings");
    let routes: Vec<_> = config
        .routes
        .iter()
        .map(|route| {
            let domains: Vec<String> = route.domains.iter().map(ToString::to_string).collect();
            (domains.join(","), route.to.sources().join(","))
        })
        .collect();
    let expected = [
        ("example.com,école.example", "okta"),
        (".example.org", "okta"),
        ("", "staff"),
    ];
    assert_eq!(
        routes,
        expected.map(|(domains, source)| (domains.to_owned(), source.to_owned()))
    );
}

#[test]
fn listeners_beyond_loopback_need_a_decision() {
    for (listen, fine) in [
        ("'127.9.9.9:1'", true),
        ("'[::1]:1'", true),
        ("'[::ffff:127.0.0.1]:1'", true),
        ("'0.0.0.0:1'", false),
        ("'[::]:1'", false),
        ("'192.168.0.1:1'", false),
        ("'0.0.0.0:1'\nplaintext = true", true),
    ] {
        let text = format!("{CALLER}{SOURCE}[grpc]\nlisten = {listen}\n");
        assert_eq!(read_text(&text, &[]).is_ok(), fine, "{listen}");
    }
}

#[test]
fn the_gateway_needs_its_own_sections_only() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("s.toml");
    let read = |text: &str| {
        std::fs::write(&path, text).expect("written");
        load_gateway(&path, [])
    };
    let config = read("[rest]\n[callers.Bad]\n[log]\nlevel = 'debug'").expect("good settings");
    assert_eq!(
        (config.log.level, config.admin.is_none()),
        (tracing::Level::DEBUG, true)
    );
    assert_eq!(config.rest.listen.address.port(), 8080);

    let mistakes = read("[restt]\n[grpc]\n").expect_err("two mistakes");
    let keys: Vec<_> = mistakes
        .iter()
        .map(|mistake| (mistake.key.as_str(), mistake.problem.as_str()))
        .collect();
    assert_eq!(
        keys,
        [
            ("rest", "is required: the gateway listens there"),
            ("restt", "is unknown; did you mean `rest`?"),
        ]
    );
}

#[test]
fn a_plugin_that_refuses_in_silence_starts_nothing() {
    struct Silent;
    impl idbridge_source::Plugin for Silent {
        const KIND: &'static str = "memory";
        fn plan(
            _: &idbridge_source::Table<'_>,
            _: &idbridge_source::SourceContext,
        ) -> Option<std::sync::Arc<dyn idbridge_source::Blueprint>> {
            None
        }
    }
    let registry = Registry::default().with::<Silent>();
    let text = format!("{CALLER}{SOURCE}");
    let mistakes = parse(Path::new("s.toml"), &text, [], &registry, SecretFiles::Read).expect_err("no source");
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
}

#[test]
fn debug_shows_no_secret() {
    let config = good(&format!("[audit]\nhash_key = '{}'", CANARY.repeat(3)), &[]);
    let shown = format!("{config:?}");
    assert!(
        !shown.contains(CANARY) && !shown.contains("1111") && !shown.contains("17, 17"),
        "{shown}"
    );
}
