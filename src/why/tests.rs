use idbridge_source::{
    Admission, Authentication, Capabilities, ErrorKind, Listed, Login, Lookup, Rejection, SourceError, User, UserId,
};

use super::facts::Facts;

const CAN: Capabilities = Capabilities {
    authenticate: true,
    list: true,
    user_by_email: true,
    user_by_login: false,
};

fn user(id: &str, login: &str, email: &str) -> User {
    User::new(UserId::parse(id).expect("an id"), login, email)
}

fn listed(id: &str, login: &str, log_in: Admission) -> Listed {
    Listed {
        log_in,
        ..Listed::new(user(id, login, "ada@x.org"), "ACTIVE", "OKTA")
    }
}

fn facts(look_up: Result<Lookup, SourceError>, claimants: Result<Vec<Listed>, SourceError>) -> Facts {
    let typed = Login::parse("ada@x.org").expect("a login");
    Facts::new(CAN, Some(look_up), None, claimants, &typed)
}

fn error(kind: ErrorKind) -> SourceError {
    SourceError::new(kind, "ask")
}

#[test]
fn a_log_in_is_judged_by_whose_login_it_is() {
    let (ada, hugo) = (
        listed("1", "Ada@x.org", Admission::Admitted),
        listed("2", "hugo", Admission::Rejected(Rejection::AccountLocked)),
    );
    let found = Lookup::Found(user("2", "hugo", "ada@x.org"));
    let known = facts(Ok(found.clone()), Ok(vec![hugo.clone(), ada]));
    let Ok(Authentication::Accept(one)) = &known.told.log_in else {
        panic!("{known:?}")
    };
    assert_eq!(one.id.as_str(), "1");
    assert!(known.log_in.lacks_groups, "the look-up found somebody else");

    let known = facts(Ok(found), Ok(vec![hugo]));
    assert_eq!(
        known.told.log_in.ok(),
        Some(Authentication::Reject(Rejection::InvalidCredentials))
    );
    assert!(known.log_in.is_nobodys_login);
}

#[test]
fn the_user_of_a_look_up_has_more_than_that_of_a_list() {
    let mut whole = user("1", "ada@x.org", "ada@x.org");
    whole.groups = vec!["Pilot".to_owned()];
    let known = facts(
        Ok(Lookup::Found(whole.clone())),
        Ok(vec![listed("1", "ada@x.org", Admission::Admitted)]),
    );
    assert_eq!(known.told.log_in.ok(), Some(Authentication::Accept(whole)));
    assert!(!known.log_in.lacks_groups);
}

/// An outage anywhere on the way is no answer, whatever else is known.
#[test]
fn what_could_not_be_found_out_is_no_answer() {
    let down = ErrorKind::Unavailable { retry_after: None };
    let known = facts(Ok(Lookup::Absent), Err(error(down)));
    assert_eq!(known.told.log_in.map_err(|error| error.kind()), Err(down));
    let known = facts(Err(error(down)), Err(error(ErrorKind::Unsupported)));
    assert_eq!(known.told.log_in.map_err(|error| error.kind()), Err(down));
    let known = facts(
        Ok(Lookup::Absent),
        Ok(vec![listed("1", "ada@x.org", Admission::Unknown)]),
    );
    assert_eq!(
        known.told.log_in.map_err(|error| error.kind()),
        Err(ErrorKind::Protocol)
    );
    let two = vec![
        listed("1", "ada@x.org", Admission::Admitted),
        listed("2", "ada@x.org", Admission::Admitted),
    ];
    let known = facts(Ok(Lookup::Absent), Ok(two));
    assert_eq!(
        known.told.log_in.map_err(|error| error.kind()),
        Err(ErrorKind::Ambiguous)
    );
}

#[test]
fn without_claimants_it_rests_on_the_look_up() {
    let unsupported = || Err(error(ErrorKind::Unsupported));
    let known = facts(Ok(Lookup::Ineligible(Rejection::NoPassword)), unsupported());
    assert_eq!(
        known.told.log_in.ok(),
        Some(Authentication::Reject(Rejection::NoPassword))
    );
    assert!(known.log_in.rests_on_look_up && !known.log_in.is_unknown);
    let found = Lookup::Found(user("1", "another", "ada@x.org"));
    assert!(
        facts(Ok(found), unsupported()).log_in.is_unknown,
        "one's login is another's address"
    );
    let typed = Login::parse("ada").expect("a login");
    let known = Facts::new(CAN, None, None, unsupported(), &typed);
    assert!(known.log_in.is_unknown && known.told.log_in.is_err());
}
