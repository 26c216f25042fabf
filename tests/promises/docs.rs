//! docs/errors.md says what the code says: every reason, with its code, and none besides.

use std::collections::BTreeMap;

use idbridge::grpc::status::Reason;
use idbridge_source::{ErrorKind, Rejection, SourceError};

/// The first two columns of every row that stands under this heading, up to the next.
fn rows(heading: &str) -> BTreeMap<String, String> {
    let document = include_str!("../../docs/errors.md");
    let (_, section) = document.split_once(heading).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.trim_end_matches('`').to_owned();
        Some((name, cells.next()?.trim_matches('`').to_owned()))
    };
    section.lines().filter_map(row).collect()
}

#[test]
fn every_rejection_has_its_row_and_is_ok_on_grpc() {
    let mut wanted: BTreeMap<String, String> = Rejection::ALL
        .iter()
        .map(|rejection| (rejection.name().to_uppercase(), "OK".to_owned()))
        .collect();
    // The gateway's own stand in a table of their own, under the same heading.
    for own in ["identifier_not_portable", "password_not_accepted_by_target"] {
        wanted.insert(own.to_owned(), "200".to_owned());
    }
    assert_eq!(rows("## No: rejections"), wanted);
}

#[test]
fn every_reason_has_its_row_with_its_grpc_code() {
    let wanted: BTreeMap<String, String> = Reason::ALL
        .iter()
        .map(|reason| (reason.name().to_owned(), code_name(*reason)))
        .collect();
    assert_eq!(rows("## Nobody found out: statuses"), wanted);
}

#[test]
fn every_problem_has_its_row_with_its_http_status() {
    let said_by_the_gateway = [
        ("body_too_large", 413),
        ("method_not_allowed", 405),
        ("not_found", 404),
        ("unsupported_media_type", 415),
    ];
    // USER_NOT_FOUND is an outcome there, and ENCODING_UNSUPPORTED and UNKNOWN_METHOD never come of a gateway's call.
    let of_the_broker = super::wanted::STATUSES.iter().filter(|row| row.2 >= 400);
    let wanted: BTreeMap<String, String> = of_the_broker
        .map(|row| (row.0.to_lowercase(), row.2.to_string()))
        .chain(said_by_the_gateway.map(|(code, status)| (code.to_owned(), status.to_string())))
        .collect();
    assert_eq!(rows("## Problems: the gateway's codes"), wanted);
}

/// The table in the sdk's documentation, which sources in other processes are written by.
#[test]
fn the_sdk_names_the_reason_of_each_error_kind() {
    let wait = None;
    let kinds = [
        ("Ambiguous", ErrorKind::Ambiguous),
        ("CredentialRefused", ErrorKind::CredentialRefused),
        ("Protocol", ErrorKind::Protocol),
        ("Throttled", ErrorKind::Throttled { retry_after: wait }),
        ("TimedOut", ErrorKind::TimedOut),
        ("Unavailable", ErrorKind::Unavailable { retry_after: wait }),
        ("Unsupported", ErrorKind::Unsupported),
    ];
    let row = |(name, kind)| {
        let reason = idbridge::disclosure::error(&SourceError::new(kind, "a call"));
        format!("/// | `{name}` | `{}` |", reason.name())
    };
    let table = include_str!("../../plugins/sdk/src/error.rs").lines();
    let rows: Vec<&str> = table.filter(|line| line.starts_with("/// | `")).collect();
    assert_eq!(rows, kinds.map(row));
}

/// `FailedPrecondition` is `FAILED_PRECONDITION` in documents.
fn code_name(reason: Reason) -> String {
    let camel = format!("{:?}", reason.code());
    let mut name = String::new();
    for (index, letter) in camel.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}
