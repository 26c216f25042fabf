//! Runs the cases of `tests/cases`: each over gRPC, over REST in the broker's process, and over a gateway of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::asking::ask_file;
use super::case::File;
use super::clients::reason;
use super::wanted;

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
folders!(
    authenticate,
    callers,
    faults,
    gate,
    input,
    routing,
    settings,
    user_by_email
);

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
    // Okta doesn't tell it at a log-in.
    rejections.insert("wrong_password".to_owned());
    assert_eq!(rejections, (1..=11).map(reason).collect());
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
    let (mut count, mut failed): (usize, Vec<String>) = (0, Vec::new());
    for path in files {
        let file = parse(&path);
        let name = format!("{folder}/{}", path.file_name().expect("a name").display());
        assert!(
            !file.description.is_empty() && !file.cases.is_empty(),
            "{name} is empty"
        );
        count += file.cases.len();
        for (description, differences) in ask_file(&file).await {
            if !differences.is_empty() {
                failed.push(format!("{name}: {description}{differences}"));
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {count} cases:\n{}",
        failed.len(),
        failed.join("\n")
    );
}
