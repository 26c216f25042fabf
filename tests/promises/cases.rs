//! Runs the cases of `tests/cases`: each over gRPC, over REST in the broker's process, and over a gateway of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use idbridge::pb;
use idbridge_okta_simulator::PASSWORD;
use prost::Message as _;
use serde_json::{Value, json};

use super::case::{Case, File, endpoint_name};
use super::chain::Chain;
use super::clients::{AUTHENTICATE, GET_USER_BY_EMAIL, Grpc, Headers, Rest, reason, request_id, with_id};
use super::wanted::{self, Differences};

macro_rules! folders {
    ($($name:ident),* $(,)?) => {
        const FOLDERS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[tokio::test]
            async fn $name() {
                run(stringify!($name)).await;
            }
        )*
    };
}
folders!(authenticate, callers, faults, input, routing, settings, user_by_email);

/// A folder without a test, or a file that isn't one of cases, would be cases that nobody runs.
#[test]
fn every_case_is_run() {
    let mut found = BTreeSet::new();
    for folder in list(&cases()) {
        assert!(folder.is_dir(), "{} is in no folder", folder.display());
        found.insert(folder.file_name().expect("a name").to_str().expect("text").to_owned());
        for file in list(&folder) {
            assert!(
                file.extension().is_some_and(|kind| kind == "toml"),
                "{}",
                file.display()
            );
        }
    }
    assert_eq!(found, FOLDERS.iter().map(|&name| name.to_owned()).collect());
}

/// Reasons that no case can have, and who has them.
const ELSEWHERE: [(&str, &str); 4] = [
    ("CALLER_THROTTLED", "limits.rs"),
    ("INTERNAL", "nobody: it takes a bug"),
    ("OVERLOADED", "limits.rs"),
    ("SHUTTING_DOWN", "lifecycle.rs"),
];

#[test]
fn every_status_and_every_rejection_has_a_case() {
    let (mut errors, mut rejections) = (BTreeSet::new(), BTreeSet::new());
    for case in list(&cases())
        .iter()
        .flat_map(|folder| list(folder))
        .flat_map(|path| parse(&path).cases)
    {
        errors.extend(case.want.error);
        errors.extend(case.want.absent.then(|| "USER_NOT_FOUND".to_owned()));
        rejections.extend(case.want.rejected);
    }
    errors.extend(ELSEWHERE.map(|(reason, _)| reason.to_owned()));
    assert_eq!(errors, wanted::STATUSES.map(|row| row.0.to_owned()).into());
    // Okta tells neither of these two at a log-in.
    rejections.extend(["unknown_user", "wrong_password"].map(str::to_owned));
    assert_eq!(rejections, (1..=10).map(reason).collect());
}

/// README.md lists, for each defect of hand-written Auth0 scripts, the case files that keep it out.
#[test]
fn every_defect_is_held_where_the_readme_says() {
    let mut held: BTreeMap<u8, BTreeSet<String>> = BTreeMap::new();
    for folder in list(&cases()) {
        for path in list(&folder) {
            let name = path
                .strip_prefix(cases())
                .expect("below")
                .to_str()
                .expect("text")
                .to_owned();
            for number in parse(&path).cases.iter().flat_map(|case| &case.defects) {
                held.entry(*number).or_default().insert(name.clone());
            }
        }
    }
    let readme = fs::read_to_string(cases().with_file_name("README.md")).expect("a README");
    let mut numbers = BTreeSet::new();
    for row in readme.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let Ok(number) = cells[1].parse::<u8>() else { continue };
        numbers.insert(number);
        let quoted: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!quoted.is_empty(), "{row} names no test");
        let files: BTreeSet<String> = quoted
            .iter()
            .filter(|name| name.ends_with(".toml"))
            .map(|&name| name.into())
            .collect();
        assert_eq!(files, held.remove(&number).unwrap_or_default(), "{row}");
        for other in quoted.iter().filter(|name| !name.ends_with(".toml")) {
            let text = fs::read_to_string(cases().with_file_name(other)).unwrap_or_default();
            let script = other.ends_with(".mjs");
            assert!(
                if script { tells(&text, number) } else { !text.is_empty() },
                "{row}: {other}"
            );
        }
    }
    assert!(held.is_empty(), "not in the README: {held:?}");
    assert_eq!(numbers, (1..=18).chain([21, 23]).collect());
}

/// Whether a test's name says `defect N`, or `defects N, …`.
fn tells(text: &str, number: u8) -> bool {
    text.split("defect").skip(1).any(|after| {
        let numbers = after
            .trim_start_matches('s')
            .split(|c: char| !c.is_ascii_digit() && !" ,and".contains(c))
            .next();
        let mut words = numbers.unwrap_or("").split(|c: char| !c.is_ascii_digit());
        words.any(|word| word.parse() == Ok(number))
    })
}

fn parse(path: &Path) -> File {
    let text = fs::read_to_string(path).expect("a readable file");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

/// All cases of all files, then all that failed.
async fn run(folder: &str) {
    let files = list(&cases().join(folder));
    assert!(!files.is_empty(), "no file in {folder}");
    let (mut count, mut failed) = (0, Vec::new());
    for path in files {
        let file = parse(&path);
        let name = format!("{folder}/{}", path.file_name().expect("a name").display());
        assert!(
            !file.description.is_empty() && !file.cases.is_empty(),
            "{name} is empty"
        );
        let chain = Chain::start_with(&file.settings, &file.without).await;
        let grpc = chain.grpc().await;
        for case in &file.cases {
            count += 1;
            let differences = ask_all(&chain, &grpc, case).await;
            if !differences.is_empty() {
                failed.push(format!("{name}: {}{differences}", case.description));
            }
        }
        drop(grpc);
        chain.stop().await;
    }
    assert!(
        failed.is_empty(),
        "{} of {count} cases:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

async fn ask_all(chain: &Chain, grpc: &Grpc, case: &Case) -> String {
    check(case);
    let mut all = String::new();
    let raw = |rest: bool| {
        case.raw
            .as_ref()
            .is_none_or(|raw| if rest { raw.rest.is_some() } else { raw.grpc.is_some() })
    };
    let mut transports = vec![("gRPC", None)];
    transports.extend(chain.own_gateway().map(|rest| ("REST", Some(rest))));
    transports.push(("lone gateway", Some(chain.lone_gateway())));
    for (name, rest) in transports {
        if !raw(rest.is_some()) || case.source.is_some() && rest.is_some() {
            continue;
        }
        let differences = ask(chain, grpc, rest.as_ref(), case).await.0;
        if !differences.is_empty() {
            all.push_str(&format!("\n  {name}{differences}"));
        }
    }
    all
}

/// A case says what it asks once, and what it wants once.
fn check(case: &Case) {
    let asks = [case.login.is_some(), case.email.is_some(), case.raw.is_some()];
    let asks = asks.iter().filter(|asks| **asks).count();
    assert_eq!(asks, 1, "{}: one of login, email and raw", case.description);
    let want = &case.want;
    let own = want.rest.as_ref().is_some_and(|rest| rest.error.is_some());
    let wants = [
        want.user.is_some(),
        want.rejected.is_some(),
        want.absent,
        want.error.is_some(),
    ];
    let wants = wants.iter().filter(|wants| **wants).count();
    assert!(
        wants == 1 || wants == 0 && own,
        "{}: one of user, rejected, absent, error",
        case.description
    );
}

/// Over gRPC, or over this gateway.
async fn ask(chain: &Chain, grpc: &Grpc, rest: Option<&Rest>, case: &Case) -> Differences {
    chain.reset();
    case.arrange(&chain.okta.control());
    let id = request_id();
    let mut headers = with_id(&id);
    for (name, value) in &case.headers {
        headers.retain(|(known, _)| known != name);
        headers.push((name.clone(), value.clone()));
    }
    let wanted = wanted(chain, case);
    let before = chain.okta.received().passwords();
    let mut differences = Differences::default();
    match rest {
        None => {
            headers.retain(|(_, value)| !value.is_empty());
            let said = ask_grpc(chain, grpc, case, &headers).await;
            wanted::grpc(case, &wanted, &said, &id, &mut differences);
        }
        Some(rest) => {
            let answer = ask_rest(chain, rest, case, &headers).await;
            wanted::rest(case, &wanted, &answer, &id, &mut differences);
        }
    }
    let mut asked: Vec<&str> = chain.asked(&id).into_iter().map(endpoint_name).collect();
    asked.sort_unstable();
    if let Some(wanted) = &case.want.asked {
        differences.same("asked", wanted.iter().map(String::as_str).collect(), asked.clone());
    }
    let nothing = case.want.asked.as_ref().is_some_and(Vec::is_empty) || case.raw.is_some();
    let usual = u64::from(case.login.is_some() && !nothing);
    let passwords = chain.okta.received().passwords() - before;
    differences.same("password submissions", case.want.passwords.unwrap_or(usual), passwords);
    if case.raw.is_some() {
        differences.same("asked", Vec::new(), asked);
    }
    differences
}

/// The gRPC answer as JSON, where there is one.
fn wanted(chain: &Chain, case: &Case) -> Value {
    if let Some(reason) = &case.want.rejected {
        return json!({"rejected": reason});
    }
    let Some(user) = &case.want.user else {
        return Value::Null;
    };
    let mut user = serde_json::to_value(user).expect("TOML fits JSON");
    if user.get("id").is_none() {
        let login = user["login"].as_str().expect("a wanted user has a login");
        let id = chain
            .okta
            .control()
            .change(|org| org.find(login).map(|person| person.id.clone()));
        user["id"] = json!(format!("okta|{}", id.expect("somebody in the org")));
    }
    user
}

async fn ask_grpc(chain: &Chain, grpc: &Grpc, case: &Case, headers: &Headers) -> super::clients::Said {
    if let Some(raw) = case.raw.as_ref().and_then(|raw| raw.grpc.as_ref()) {
        return match &raw.body_hex {
            Some(hex) => grpc.post(&raw.path, headers, Bytes::from(bytes(hex))).await,
            None => {
                let message = raw.hex.iter().flat_map(|(hex, times)| bytes(hex).repeat(*times));
                grpc.unary(&raw.path, headers, message.collect()).await
            }
        };
    }
    let source = case.source.clone();
    if let Some(email) = case.email.clone() {
        chain.secrets.keep(&email);
        let question = pb::GetUserByEmailRequest { email, source };
        return grpc.unary(GET_USER_BY_EMAIL, headers, question.encode_to_vec()).await;
    }
    let (login, password) = credentials(chain, case);
    let question = pb::AuthenticateRequest {
        login,
        password,
        source,
    };
    grpc.unary(AUTHENTICATE, headers, question.encode_to_vec()).await
}

async fn ask_rest(chain: &Chain, rest: &Rest, case: &Case, headers: &Headers) -> super::clients::Answer {
    if let Some(raw) = case.raw.as_ref().and_then(|raw| raw.rest.as_ref()) {
        let body = match &raw.body_hex {
            Some(hex) => bytes(hex),
            None => raw
                .body
                .iter()
                .flat_map(|(text, times)| text.repeat(*times).into_bytes())
                .collect(),
        };
        return rest.ask(&raw.method, &raw.path, headers, &body).await;
    }
    if let Some(email) = &case.email {
        return rest.get_user(headers, email).await;
    }
    let (login, password) = credentials(chain, case);
    rest.login(headers, &login, &password).await
}

fn credentials(chain: &Chain, case: &Case) -> (String, String) {
    let login = case.login.clone().expect("a log-in");
    let password = case.password.clone().unwrap_or_else(|| PASSWORD.to_owned());
    chain.secrets.keep(&login);
    chain.secrets.keep(&password);
    (login, password)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).expect("hex digits"))
        .collect()
}
