//! The report for a terminal.

use std::fmt::Write as _;

use super::super::last_login::Bar;
use super::{Alike, Report, meaning, number};

/// Months that are told one by one.
const MONTHS: usize = 12;

pub fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = write(&mut text, report);
    text
}

fn write(text: &mut String, report: &Report) -> std::fmt::Result {
    let Report {
        people,
        can_move,
        cannot_move,
        addresses,
        logins,
        verified,
        factors,
        storm,
        ..
    } = report;
    writeln!(text, "{}, {}", report.source, report.taken_at)?;
    writeln!(
        text,
        "{} people: {} can move by logging in, {} can't",
        number(*people),
        number(*can_move),
        number(cannot_move.people)
    )?;
    heading(text, "Who can't move by logging in, and why")?;
    for reason in &cannot_move.reasons {
        row(
            text,
            reason.people,
            &format!("{}: {}", reason.reason, meaning(&reason.reason)),
        )?;
        examples(text, &reason.examples)?;
    }
    row(
        text,
        cannot_move.come_by_reset,
        "of these could come by a password reset",
    )?;
    row(
        text,
        cannot_move.contested,
        "who can share an address: the first of each moves, and keeps the others out",
    )?;
    heading(text, "Status, provider, second factors")?;
    for one in &report.rows {
        row(
            text,
            one.people,
            &format!("{}, {}, {}", one.status, or_dash(&one.provider), one.factors),
        )?;
    }
    heading(text, "Second factors")?;
    match factors.asked {
        "nobody" if factors.count.known_of == 0 => writeln!(
            text,
            "  Nobody was asked for them: --factors, --factors-sample N. {}",
            factors.price()
        )?,
        _ => {
            row(
                text,
                factors.count.known_of,
                &format!("known of (asked: {})", factors.asked),
            )?;
            row(text, factors.count.with_one, "hold one")?;
            row(text, factors.count.refused, "are refused for it, by the settings")?;
            for (kind, people) in &factors.count.kinds {
                row(text, *people, kind)?;
            }
            if factors.asked == "sample" {
                writeln!(text, "  {}", factors.price())?;
            }
        }
    }
    heading(text, "What they type to log in")?;
    row(text, logins.email, "their e-mail address")?;
    row(text, logins.other_address, "another address")?;
    row(text, logins.user_name, "a user name that Auth0 takes")?;
    row(
        text,
        logins.user_name_long,
        "a user name of more than 15 characters: raise the connection's limit",
    )?;
    row(text, logins.user_name_refused, "a user name that Auth0 refuses")?;
    heading(text, "E-mail addresses")?;
    row(text, addresses.missing, "missing")?;
    row(text, addresses.malformed, "malformed")?;
    for (alike, name) in [
        (&addresses.duplicates, "with the same address as another"),
        (&addresses.case_twins, "with addresses that differ in case alone"),
        (&addresses.accent_twins, "with addresses that differ in accents alone"),
    ] {
        twins(text, alike, name)?;
    }
    row(text, verified.verified, "verified, says the source")?;
    row(text, verified.unverified, "unverified, says the source")?;
    row(text, verified.unsaid, "of which it says nothing")?;
    row(
        text,
        verified.told_verified,
        "that Auth0 would be told are verified, by the settings",
    )?;
    row(
        text,
        report.lose_a_field,
        "people with a name, picture or phone number beyond Auth0's limits, which is left out",
    )?;
    heading(text, "Last log-in")?;
    let months = &report.last_login.months;
    let (old, recent) = months.split_at(months.len().saturating_sub(MONTHS));
    row(text, report.last_login.never, "never")?;
    row(text, old.iter().map(|bar| bar.people).sum(), "earlier")?;
    for Bar { at, people } in recent {
        row(text, *people, at)?;
    }
    heading(text, "First log-ins")?;
    writeln!(text, "  {}", storm.sentence())?;
    for limit in &storm.limits {
        let from = if limit.from == "answer" {
            "said by the source"
        } else {
            "published default"
        };
        let (name, each) = (&limit.name, limit.with_look_up);
        row(
            text,
            limit.per_minute.into(),
            &format!("a minute of {name} ({from}), of which a log-in with its look-up takes {each}"),
        )?;
    }
    if let Some(hours) = storm.hours_for_all {
        row(
            text,
            hours,
            "hours until everybody who can could have moved, if they came evenly",
        )?;
    }
    Ok(())
}

fn heading(text: &mut String, heading: &str) -> std::fmt::Result {
    writeln!(text, "\n{heading}")
}

fn row(text: &mut String, people: u64, what: &str) -> std::fmt::Result {
    writeln!(text, "{:>12}  {}", number(people), printable(what))
}

fn twins(text: &mut String, alike: &Alike, what: &str) -> std::fmt::Result {
    row(
        text,
        alike.people,
        &format!("{what} ({} addresses)", number(alike.addresses)),
    )?;
    examples(text, &alike.examples)
}

fn examples(text: &mut String, examples: &[String]) -> std::fmt::Result {
    for example in examples.iter().take(3) {
        writeln!(text, "{:>12}    {}", "", printable(example))?;
    }
    Ok(())
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// The upstream's words may hold anything, and a terminal obeys control characters.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
        .collect()
}
