//! What Okta's answers say of its rate limits.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

const LIMIT: &str = "x-rate-limit-limit";
const REMAINING: &str = "x-rate-limit-remaining";
const RESET: &str = "x-rate-limit-reset";

/// Windows last a minute. A reset further away than this is nonsense, not patience.
const CREDIBLE: i64 = 3600;

/// What an answer says about the limit that it was counted against.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Notice {
    /// Too much at once. There is no window whose end could be waited for.
    Concurrency,
    /// Nothing, or nothing that can be believed.
    Nothing,
    Window(Gauge),
}

/// The three headers, and the answer's own clock, in seconds since the epoch.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Gauge {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset: i64,
    pub(crate) date: i64,
}

/// Reads an answer's headers. Of doubled ones the least room counts.
pub(crate) fn notice(status: StatusCode, headers: &HeaderMap) -> Notice {
    let Some(limit) = numbers(headers, LIMIT) else {
        return Notice::Nothing;
    };
    if limit.least == 0 {
        let refused = status == StatusCode::TOO_MANY_REQUESTS;
        return if refused { Notice::Concurrency } else { Notice::Nothing };
    }
    match (numbers(headers, REMAINING), window(headers)) {
        (Some(remaining), Some((date, reset))) => Notice::Window(Gauge {
            limit: limit.least,
            remaining: remaining.least,
            reset,
            date,
        }),
        _ => Notice::Nothing,
    }
}

/// How long a 429 asks to wait, if that can be believed: the reset, measured with the answer's own clock.
///
/// A limit of 0 is the concurrency limit, whose reset is "only an estimate" of minutes while the wait is a moment.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    if numbers(headers, LIMIT)?.least == 0 {
        return None;
    }
    let (date, reset) = window(headers)?;
    u64::try_from((reset - date).clamp(1, 60)).ok().map(Duration::from_secs)
}

/// The answer's own time and the reset after it, if that can be believed.
fn window(headers: &HeaderMap) -> Option<(i64, i64)> {
    let reset = i64::from(numbers(headers, RESET)?.greatest);
    let date = date(headers)?;
    let wait = reset.checked_sub(date)?;
    (0..=CREDIBLE).contains(&wait).then_some((date, reset))
}

/// The answer's own time, in seconds since the epoch.
pub(crate) fn date(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let date: Timestamp = DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(date.as_second())
}

/// The values of a header, which may come doubled or joined.
struct Numbers {
    least: u32,
    greatest: u32,
}

/// `None` if there are none, or one is no number.
fn numbers(headers: &HeaderMap, name: &str) -> Option<Numbers> {
    let mut numbers: Option<Numbers> = None;
    for value in headers.get_all(name) {
        for part in value.to_str().ok()?.split(',') {
            let number = part.trim().parse::<u32>().ok()?;
            let (least, greatest) = numbers.map_or((number, number), |seen| (seen.least, seen.greatest));
            numbers = Some(Numbers {
                least: least.min(number),
                greatest: greatest.max(number),
            });
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    /// 1,768,467,600 seconds after the epoch.
    const DATE: &str = "Thu, 15 Jan 2026 09:00:00 GMT";

    fn hint(pairs: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_hint_is_the_reset_by_the_answers_own_clock() {
        let at = |reset| hint(&[("date", DATE), (LIMIT, "600"), (RESET, reset)]);
        assert_eq!(at("1768467648"), Some(48));
        assert_eq!(at("1768467600"), Some(1), "now");
        assert_eq!(at("1768467601"), Some(1));
        assert_eq!(at("1768467720"), Some(60), "at most a minute");
    }

    #[test]
    fn nonsense_is_no_hint() {
        for reset in [
            "1768467599",
            "0",
            "-1",
            "",
            "soon",
            "1768467648.5",
            "1768471201",
            "1000000000000",
            "18446744073709551616",
        ] {
            assert_eq!(hint(&[("date", DATE), (LIMIT, "600"), (RESET, reset)]), None, "{reset}");
        }
        assert_eq!(hint(&[("date", DATE), (RESET, "1768467648")]), None, "no limit");
        assert_eq!(hint(&[("date", DATE), (LIMIT, "600")]), None, "no reset");
        assert_eq!(hint(&[(LIMIT, "600"), (RESET, "1768467648")]), None, "no date");
        assert_eq!(
            hint(&[("date", "today"), (LIMIT, "600"), (RESET, "1768467648")]),
            None,
            "no time"
        );
    }

    #[test]
    fn the_concurrency_limit_is_not_believed() {
        assert_eq!(hint(&[("date", DATE), (LIMIT, "0"), (RESET, "1768467648")]), None);
        assert_eq!(
            hint(&[("date", DATE), (LIMIT, "600"), (LIMIT, "0"), (RESET, "1768467648")]),
            None
        );
        assert_eq!(hint(&[("date", DATE), (LIMIT, "600, 0"), (RESET, "1768467648")]), None);
    }

    #[test]
    fn of_doubled_headers_the_longest_wait_counts() {
        assert_eq!(
            hint(&[
                ("date", DATE),
                (LIMIT, "600"),
                (RESET, "1768467610"),
                (RESET, "1768467620")
            ]),
            Some(20)
        );
        assert_eq!(
            hint(&[("date", DATE), (LIMIT, "600,300"), (RESET, "1768467620, 1768467610")]),
            Some(20)
        );
    }

    #[test]
    fn every_answer_tells_what_is_left() {
        let told = |status: u16, pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            notice(StatusCode::from_u16(status).expect("a status"), &headers)
        };
        let window = |limit, remaining| {
            Notice::Window(Gauge {
                limit,
                remaining,
                reset: 1_768_467_648,
                date: 1_768_467_600,
            })
        };
        let (date, reset) = (("date", DATE), (RESET, "1768467648"));
        for status in [200, 401, 404, 429, 500] {
            assert_eq!(
                told(status, &[date, reset, (LIMIT, "600"), (REMAINING, "7")]),
                window(600, 7)
            );
        }
        let doubled = [date, reset, (LIMIT, "600"), (LIMIT, "300"), (REMAINING, "9, 7")];
        assert_eq!(told(200, &doubled), window(300, 7), "the least room counts");
        assert_eq!(told(429, &[(LIMIT, "0"), (REMAINING, "0")]), Notice::Concurrency);
        for nothing in [
            &[][..],
            &[date, reset, (LIMIT, "0"), (REMAINING, "0")],
            &[date, reset, (LIMIT, "600")],
            &[date, reset, (LIMIT, "600"), (REMAINING, "-1")],
            &[reset, (LIMIT, "600"), (REMAINING, "7")],
            &[date, (RESET, "1868467648"), (LIMIT, "600"), (REMAINING, "7")],
        ] {
            assert_eq!(told(200, nothing), Notice::Nothing, "{nothing:?}");
        }
    }
}
