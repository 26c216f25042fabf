use idbridge_source::{Admission, Authentication, Cursor, ErrorKind, Listed, Lookup, Page, Rejection};
use tokio::time::Instant;

use super::{is, none_of};
use crate::trial::{Trial, call_until, ensure, parsed_login};
use crate::world::{NAMELESS, PEOPLE, Person, UNSAID};
use crate::{Fault, Verdict, Violation};

/// A list of the world's people that isn't over by then never ends.
const PAGES: usize = 100;
/// What a caller grants where the upstream says nothing.
const DEADLINE: std::time::Duration = std::time::Duration::from_millis(200);

pub(crate) async fn everybody_is_listed_once(trial: &Trial) -> Verdict {
    let listed = everybody(trial).await?;
    for person in trial.people(PEOPLE) {
        is(&only(&listed, &person)?.user, &person)?;
    }
    for (index, one) in listed.iter().enumerate() {
        let twice = listed.iter().skip(index + 1).any(|other| other.id() == one.id());
        ensure!(!twice, "{:?} is listed twice", one.id());
    }
    Ok(())
}

pub(crate) async fn admission_is_what_a_call_answers(trial: &Trial) -> Verdict {
    let listed = everybody(trial).await?;
    for person in trial.people(PEOPLE) {
        let listed = only(&listed, &person)?;
        let factors = match &listed.factors {
            Some(factors) => factors.admission,
            None => factors(trial, listed).await?,
        };
        let can = trial.source.capabilities();
        if can.authenticate {
            let wanted = first_no(listed.log_in, factors);
            let answer = trial.log_in(&person).await;
            let same = match &answer {
                Ok(Authentication::Accept(_)) => wanted == Admission::Admitted,
                // Upstreams hide behind one answer what a list names.
                Ok(Authentication::Reject(Rejection::InvalidCredentials)) => matches!(wanted, Admission::Rejected(_)),
                Ok(Authentication::Reject(given)) => wanted == Admission::Rejected(*given),
                Err(_) => wanted == Admission::Unknown,
            };
            ensure!(
                same,
                "{}: listed as {wanted:?}, and a log-in is {answer:?}",
                person.login
            );
        }
        if can.user_by_email && trial.cast().has_email_alone(&person) {
            let wanted = first_no(listed.look_up, factors);
            let answer = trial.by_email(person.email).await;
            let same = match &answer {
                Ok(Lookup::Found(user)) => wanted == Admission::Admitted && user.id == *listed.id(),
                Ok(Lookup::Ineligible(given)) => wanted == Admission::Rejected(*given),
                Ok(Lookup::Absent) => false,
                Err(_) => wanted == Admission::Unknown,
            };
            ensure!(
                same,
                "{}: listed as {wanted:?}, and a look-up is {answer:?}",
                person.login
            );
        }
    }
    Ok(())
}

pub(crate) async fn nothing_is_invented(trial: &Trial) -> Verdict {
    let listed = everybody(trial).await?;
    for person in trial.people([NAMELESS]) {
        let nameless = only(&listed, &person)?;
        let names = [
            &nameless.user.name,
            &nameless.user.given_name,
            &nameless.user.family_name,
        ];
        ensure!(
            names.iter().all(|name| name.is_none()),
            "somebody without a name was given one"
        );
    }
    for person in trial.people([NAMELESS, UNSAID]) {
        let verified = only(&listed, &person)?.address_verified;
        ensure!(
            verified != Some(true),
            "{}: the source doesn't call the address verified",
            person.login
        );
    }
    Ok(())
}

pub(crate) async fn a_cursor_is_all_that_it_takes_to_go_on(trial: &Trial) -> Verdict {
    let mut page = answered(trial.page(None).await)?;
    for _ in 0..PAGES {
        let Some(cursor) = page.next.take() else { return Ok(()) };
        let kept = Cursor::parse(cursor.as_str()).ok_or_else(|| Violation::new("a cursor doesn't parse"))?;
        page = answered(trial.page(Some(&cursor)).await)?;
        let again = answered(trial.page(Some(&kept)).await)?;
        ensure!(page == again, "the same cursor lists other people the second time");
    }
    Err(Violation::new("the list never ends"))
}

pub(crate) async fn a_foreign_cursor_is_an_error(trial: &Trial) -> Verdict {
    for text in ["nonsense", "0x7f", "../1"] {
        let cursor = Cursor::parse(text).ok_or_else(|| Violation::new("the suite's own cursor must parse"))?;
        match trial.page(Some(&cursor)).await {
            Err(error) if error.kind() == ErrorKind::Protocol => {}
            other => return Err(Violation::new(format!("cursor {text}: {other:?}, not Protocol"))),
        }
    }
    Ok(())
}

pub(crate) async fn outage_is_never_a_short_list(trial: &Trial) -> Verdict {
    for fault in Fault::ALL {
        trial.subject.inflict(fault).await;
        let answer = trial.source.list(&call_until(Instant::now() + DEADLINE), None).await;
        ensure!(answer.is_err(), "{fault:?}: {answer:?}, not an error");
        trial.subject.heal().await;
    }
    Ok(())
}

pub(crate) async fn listing_submits_no_password(trial: &Trial) -> Verdict {
    let _ = everybody(trial).await?;
    let times = trial.submission_count().await;
    ensure!(times == 0, "listing people submitted {times} passwords");
    Ok(())
}

pub(crate) async fn cursors_show_no_personal_data(trial: &Trial) -> Verdict {
    let needles: Vec<String> = trial
        .people(PEOPLE)
        .into_iter()
        .flat_map(|person| [person.login.to_owned(), person.email.to_owned()])
        .collect();
    let mut next = answered(trial.page(None).await)?.next;
    for _ in 0..PAGES {
        let Some(cursor) = next else { return Ok(()) };
        none_of(cursor.as_str(), &needles, "a cursor")?;
        next = answered(trial.page(Some(&cursor)).await)?.next;
    }
    Err(Violation::new("the list never ends"))
}

pub(crate) async fn claimants_are_as_listed(trial: &Trial) -> Verdict {
    let nobody = trial.nobody();
    let Some(claiming) = claimants(trial, nobody).await? else {
        return Ok(()); // it can't tell, and says so
    };
    ensure!(claiming.is_empty(), "{nobody} is claimed by {claiming:?}");
    let listed = everybody(trial).await?;
    let state = |listed: &Listed| {
        (
            listed.status.clone(),
            listed.provider.clone(),
            listed.log_in,
            listed.look_up,
        )
    };
    for person in trial.people(PEOPLE) {
        let listed = only(&listed, &person)?;
        for typed in [person.login, person.email] {
            let claimants = claimants(trial, typed).await?.unwrap_or_default();
            let one = claimants.iter().find(|one| one.id() == listed.id());
            ensure!(
                one.is_some_and(|one| state(one) == state(listed)),
                "{typed}: listed as {listed:?}, and the claimants are {claimants:?}"
            );
        }
    }
    let times = trial.submission_count().await;
    ensure!(times == 0, "asking for claimants submitted {times} passwords");
    Ok(())
}

pub(crate) async fn outage_is_never_no_claimant(trial: &Trial) -> Verdict {
    for fault in Fault::ALL {
        trial.subject.inflict(fault).await;
        let call = call_until(Instant::now() + DEADLINE);
        let answer = trial.source.claimants(&call, &parsed_login(trial.nobody())).await;
        ensure!(answer.is_err(), "{fault:?}: {answer:?}, not an error");
        trial.subject.heal().await;
    }
    Ok(())
}

/// `None` if the source can't tell.
async fn claimants(trial: &Trial, typed: &str) -> Result<Option<Vec<Listed>>, Violation> {
    match trial.source.claimants(&trial.call(), &parsed_login(typed)).await {
        Ok(people) => Ok(Some(people)),
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(Violation::new(format!("claimants of {typed}: {error:?}"))),
    }
}

async fn everybody(trial: &Trial) -> Result<Vec<Listed>, Violation> {
    let (mut people, mut after) = (Vec::new(), None);
    for _ in 0..PAGES {
        let mut page = answered(trial.page(after.as_ref()).await)?;
        people.append(&mut page.people);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(people),
        }
    }
    Err(Violation::new("the list never ends"))
}

fn answered(page: Result<Page, idbridge_source::SourceError>) -> Result<Page, Violation> {
    page.map_err(|error| Violation::new(format!("a list of a sound upstream: {error:?}")))
}

async fn factors(trial: &Trial, listed: &Listed) -> Result<Admission, Violation> {
    let answer = trial.source.factors(&trial.call(), listed.id()).await;
    let factors = answer.map_err(|error| Violation::new(format!("factors of {:?}: {error:?}", listed.id())))?;
    Ok(factors.admission)
}

fn first_no(one: Admission, other: Admission) -> Admission {
    if one == Admission::Admitted { other } else { one }
}

fn only<'a>(listed: &'a [Listed], person: &Person) -> Result<&'a Listed, Violation> {
    let mut found = listed.iter().filter(|listed| listed.user.login == person.login);
    match (found.next(), found.next()) {
        (Some(listed), None) => Ok(listed),
        (None, _) => Err(Violation::new(format!("{} is not listed", person.login))),
        (Some(_), Some(_)) => Err(Violation::new(format!("{} is listed twice", person.login))),
    }
}
