//! The report as one page: no script, nothing from anywhere else, and well-formed as XML too.

use std::fmt::Write as _;

use super::super::last_login::Bar;
use super::{Alike, Report, meaning, number};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;\
background:#fff}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d8dee4;vertical-align:top}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}code{font-size:.85em;overflow-wrap:anywhere}\
svg{width:100%;height:auto;margin:1rem 0}.big{font-size:1.2rem}.wide{overflow-x:auto}.wide table{min-width:44rem}";

pub fn html(report: &Report) -> String {
    let mut page = String::new();
    // Writing to a String can't fail.
    let _ = write(&mut page, report);
    page
}

fn write(page: &mut String, report: &Report) -> std::fmt::Result {
    let (source, at) = (escape(&report.source), escape(&report.taken_at));
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width\"/><meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\"/><title>{source}: who can move</title>\
         <style>{STYLE}</style></head>\n<body><h1>{source}: who can move</h1><p>Read on {at}.</p>"
    )?;
    let (cannot, storm, logins, verified) = (&report.cannot_move, &report.storm, &report.logins, &report.verified);
    write!(
        page,
        "<p class=\"big\">{} people: {} can move by logging in, {} can't.</p><p class=\"big\">{}</p>",
        number(report.people),
        number(report.can_move),
        number(cannot.people),
        escape(&storm.sentence())
    )?;
    heading(page, "Who can't move by logging in, and why")?;
    let reasons: Vec<(String, u64)> = cannot
        .reasons
        .iter()
        .map(|reason| (reason.reason.clone(), reason.people))
        .collect();
    bars(page, "People who can't move, by reason", &reasons)?;
    let rows = cannot.reasons.iter().map(|reason| {
        let examples = list(&reason.examples);
        [
            escape(&reason.reason),
            number(reason.people),
            escape(meaning(&reason.reason)),
            examples,
        ]
    });
    table(page, ["reason", "people", "what it means", "some of them"], rows)?;
    write!(
        page,
        "<p>{} of these could come by a password reset. {} who can move share an address with another who can: the first \
         of each moves, and keeps the others out.</p>",
        number(cannot.come_by_reset),
        number(cannot.contested)
    )?;
    heading(page, "Status, provider, second factors")?;
    let rows = report.rows.iter();
    table(
        page,
        ["status", "people", "provider", "second factors"],
        rows.map(|row| {
            [
                escape(&row.status),
                number(row.people),
                escape(&row.provider),
                escape(&row.factors),
            ]
        }),
    )?;
    heading(page, "Second factors")?;
    let factors = &report.factors;
    write!(
        page,
        "<p>Known of {} people (asked: {}): {} hold one, {} are refused for it by the settings. {}</p>",
        number(factors.count.known_of),
        factors.asked,
        number(factors.count.with_one),
        number(factors.count.refused),
        escape(&factors.price())
    )?;
    let kinds: Vec<(String, u64)> = factors
        .count
        .kinds
        .iter()
        .map(|(kind, people)| (kind.clone(), *people))
        .collect();
    bars(page, "People by kind of second factor", &kinds)?;
    heading(page, "What they type to log in")?;
    let named = |rows: &[(&str, u64)]| {
        rows.iter()
            .map(|(name, people)| ((*name).to_owned(), *people))
            .collect::<Vec<_>>()
    };
    bars(
        page,
        "People by what they type to log in",
        &named(&[
            ("e-mail address", logins.email),
            ("another address", logins.other_address),
            ("user name", logins.user_name),
            ("user name, over 15", logins.user_name_long),
            ("user name, refused", logins.user_name_refused),
        ]),
    )?;
    heading(page, "E-mail addresses")?;
    let addresses = &report.addresses;
    let alike = |name: &str, alike: &Alike| {
        [
            name.to_owned(),
            number(alike.people),
            number(alike.addresses),
            list(&alike.examples),
        ]
    };
    let none = |name: &str, people| [name.to_owned(), number(people), String::new(), String::new()];
    let rows = [
        none("missing", addresses.missing),
        none("malformed", addresses.malformed),
        alike("the same as another's", &addresses.duplicates),
        alike("differ in case alone", &addresses.case_twins),
        alike("differ in accents alone", &addresses.accent_twins),
    ];
    table(
        page,
        ["address", "people", "addresses", "some of them"],
        rows.into_iter(),
    )?;
    bars(
        page,
        "People by what the source says of their address",
        &named(&[
            ("verified", verified.verified),
            ("unverified", verified.unverified),
            ("nothing said", verified.unsaid),
        ]),
    )?;
    write!(
        page,
        "<p>By the settings Auth0 would be told of {} that they are verified. {} people have a name, a picture or a phone \
         number beyond Auth0's limits, which is left out.</p>",
        number(verified.told_verified),
        number(report.lose_a_field)
    )?;
    heading(page, "Last log-in")?;
    let months = report.last_login.months.iter();
    let never = [("never".to_owned(), report.last_login.never)];
    let months: Vec<(String, u64)> = never
        .into_iter()
        .chain(months.map(|Bar { at, people }| (at.clone(), *people)))
        .collect();
    bars(page, "People by the month of their last log-in", &months)?;
    heading(page, "First log-ins")?;
    let rows = storm.limits.iter().map(|limit| {
        let from = if limit.from == "answer" {
            "said by the source"
        } else {
            "published default"
        };
        [
            escape(&limit.name),
            number(limit.per_minute.into()),
            number(limit.with_look_up.into()),
            from.to_owned(),
        ]
    });
    table(
        page,
        [
            "limit",
            "a minute",
            "taken by a log-in with its look-up",
            "whose figure",
        ],
        rows,
    )?;
    page.write_str("</body></html>\n")
}

fn heading(page: &mut String, text: &str) -> std::fmt::Result {
    write!(page, "\n<h2>{}</h2>", escape(text))
}

/// The second column holds numbers. Cells are markup already.
fn table(page: &mut String, heads: [&str; 4], rows: impl Iterator<Item = [String; 4]>) -> std::fmt::Result {
    let line = |page: &mut String, tag: &str, cells: [&str; 4]| {
        page.write_str("<tr>")?;
        for (index, cell) in cells.into_iter().enumerate() {
            let class = if index == 1 { " class=\"n\"" } else { "" };
            write!(page, "<{tag}{class}>{cell}</{tag}>")?;
        }
        page.write_str("</tr>")
    };
    page.write_str("<div class=\"wide\"><table>")?;
    line(page, "th", heads)?;
    for row in rows {
        line(page, "td", row.each_ref().map(String::as_str))?;
    }
    page.write_str("</table></div>")
}

/// Bars that lie, each with its name before and its number behind it.
fn bars(page: &mut String, title: &str, rows: &[(String, u64)]) -> std::fmt::Result {
    const WIDTH: u64 = 460;
    const STEP: usize = 24;
    const NAMES: u64 = 200;
    let most = rows.iter().map(|(_, people)| *people).max().unwrap_or(0);
    if most == 0 {
        return Ok(());
    }
    let (height, title) = (rows.len() * STEP + 8, escape(title));
    write!(
        page,
        "<svg viewBox=\"0 0 760 {height}\" role=\"img\" font-size=\"13\"><title>{title}</title>"
    )?;
    for (index, (name, people)) in rows.iter().enumerate() {
        // Few among many are seen, too.
        let (top, width) = (index * STEP, (people * WIDTH / most).max(u64::from(*people > 0)));
        let (middle, end) = (top + 17, NAMES + width + 6);
        write!(
            page,
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text><rect x=\"{NAMES}\" y=\"{}\" width=\"{width}\" \
             height=\"16\" fill=\"#2f6f9f\"/><text x=\"{end}\" y=\"{middle}\">{}</text>",
            NAMES - 8,
            escape(name),
            top + 4,
            number(*people)
        )?;
    }
    page.write_str("</svg>")
}

fn list(examples: &[String]) -> String {
    let coded = examples
        .iter()
        .map(|example| format!("<code>{}</code>", escape(example)));
    coded.collect::<Vec<_>>().join(" ")
}

/// The upstream's words may hold anything. XML takes no control character, escaped or not.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_upstreams_is_markup() {
        assert_eq!(
            escape("<b title=\"x\">&\u{1}\u{ffff}"),
            "&lt;b title=&quot;x&quot;&gt;&amp;\u{fffd}\u{fffd}"
        );
        let mut page = String::new();
        bars(&mut page, "T", &[("<script>".to_owned(), 1)]).expect("a string");
        assert!(!page.contains("<script"), "{page}");
    }
}
