//! When Okta asks for patience.

use std::time::Duration;

use http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

const LIMIT: &str = "x-rate-limit-limit";
const RESET: &str = "x-rate-limit-reset";

/// Windows last a minute. A reset further away than this is nonsense, not patience.
const CREDIBLE: i64 = 3600;

/// How long a 429 asks to wait, if that can be believed: the reset, measured with the answer's own clock.
///
/// A limit of 0 is the concurrency limit, whose reset is "only an estimate" of minutes while the wait is a moment.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    if numbers(headers, LIMIT)?.contains(&0) {
        return None;
    }
    let reset = numbers(headers, RESET)?.into_iter().max()?;
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let now: Timestamp = DateTimeParser::new().parse_timestamp(date).ok()?;
    let wait = reset.checked_sub(now.as_second())?;
    if !(0..=CREDIBLE).contains(&wait) {
        return None;
    }
    u64::try_from(wait.clamp(1, 60)).ok().map(Duration::from_secs)
}

/// All values of a header, which may come doubled or joined. `None` if there are none, or one is no number.
fn numbers(headers: &HeaderMap, name: &str) -> Option<Vec<i64>> {
    let mut numbers = Vec::new();
    for value in headers.get_all(name) {
        for part in value.to_str().ok()?.split(',') {
            numbers.push(i64::from(part.trim().parse::<u32>().ok()?));
        }
    }
    (!numbers.is_empty()).then_some(numbers)
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
}
