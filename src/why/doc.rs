//! What docs/errors.md says of an answer: support is told the same as whoever reads the document.

const DOCUMENT: &str = include_str!("../../docs/errors.md");

/// The script as it is exported, with the texts that users see.
const SCRIPT: &str = include_str!("../auth0/login.js");

/// What the user reads who is refused for this reason, unless the texts were changed in the tenant.
pub(super) fn text(reason: &str) -> Option<&'static str> {
    let of = |name: &str| {
        SCRIPT
            .lines()
            .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": '")?.strip_suffix("',"))
    };
    of(reason).or_else(|| of("other"))
}

/// A row of the document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) means: &'static str,
    /// What Auth0's script `login` makes of it.
    pub(super) login: &'static str,
    pub(super) get_user: &'static str,
    pub(super) who_does_what: &'static str,
}

/// Of a rejection, the gateway's own included; by its name on REST.
pub(super) fn rejection(name: &str) -> Option<Row> {
    const HEADING: &str = "## No: rejections";
    if let [_grpc, _rest, means, login, get_user, who] = *cells(HEADING, &name.to_ascii_uppercase())? {
        return Some(Row::new(means, login, get_user, who));
    }
    None
}

/// Of a rejection that the broker doesn't know.
pub(super) fn own_rejection(name: &str) -> Option<Row> {
    if let [_rest, means, login, get_user, who] = *cells("## No: rejections", name)? {
        return Some(Row::new(means, login, get_user, who));
    }
    None
}

/// Of a problem, by its code.
pub(super) fn problem(code: &str) -> Option<Row> {
    let [_rest, said_by, login, get_user] = *cells("## Problems: the gateway's codes", code)? else {
        return None;
    };
    let status = cells("## Nobody found out: statuses", &code.to_ascii_uppercase());
    let (means, who) = match status.as_deref() {
        Some([_grpc, _rest, means, _caller, operator]) => (*means, *operator),
        _ => (said_by, "nothing"),
    };
    Some(Row::new(means, login, get_user, who))
}

/// Of nobody there, which is a status and no problem.
pub(super) fn not_found() -> Option<Row> {
    let cells = cells("## Nobody found out: statuses", "USER_NOT_FOUND")?;
    let [_grpc, _rest, means, caller, _operator] = *cells else {
        return None;
    };
    Some(Row::new(means, "callback(null)", "callback(null)", caller))
}

impl Row {
    fn new(means: &'static str, login: &'static str, get_user: &'static str, who_does_what: &'static str) -> Self {
        Self {
            means,
            login,
            get_user,
            who_does_what,
        }
    }
}

/// The cells after the first one, in the row of this name under this heading.
fn cells(heading: &str, name: &str) -> Option<Box<[&'static str]>> {
    let (_, section) = DOCUMENT.split_once(heading)?;
    let section = section.split("\n## ").next()?;
    let row = section
        .lines()
        .find_map(|line| line.strip_prefix("| `")?.strip_prefix(name)?.strip_prefix("` | "))?;
    Some(row.trim_end_matches(" |").split(" | ").collect())
}

#[cfg(test)]
mod tests {
    use idbridge_source::Rejection;

    use super::*;
    use crate::grpc::status::Reason;

    #[test]
    fn every_answer_has_its_row() {
        for one in Rejection::ALL {
            assert!(rejection(one.name()).is_some(), "{one:?}");
        }
        for own in ["identifier_not_portable", "password_not_accepted_by_target"] {
            assert!(own_rejection(own).is_some(), "{own}");
        }
        for reason in Reason::ALL {
            let code = reason.name_in_lower_case();
            let is_a_problem = !["encoding_unsupported", "user_not_found", "unknown_method"].contains(&code);
            assert_eq!(problem(code).is_some(), is_a_problem, "{code}");
        }
        assert!(not_found().is_some());
        assert_eq!(
            text("account_locked"),
            Some("This account is locked. Please contact support.")
        );
        assert_eq!(text("a_new_reason"), text("other"));
    }

    #[test]
    fn a_row_is_read_cell_by_cell() {
        let row = rejection("account_disabled").expect("a row");
        assert_eq!(
            row,
            Row::new(
                "suspended or deactivated",
                "refused with a text",
                "refused with a text",
                "support: is the account meant to be off?"
            )
        );
        assert_eq!(problem("ambiguous_user").expect("a row").login, "`Error`");
    }
}
