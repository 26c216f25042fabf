//! One JSON object a line.
//!
//! The same members as tracing-subscriber's own format, which makes a map of every record and parses the span's members
//! back from text first. Each attempt writes a record, so that is a part of what an attempt costs.

use std::fmt::{self, Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes `timestamp`, `level`, the record's own members, `target`, and `span` with the members of the current span.
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        line.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut line)?;
        write!(line, "\",\"level\":\"{}\"", event.metadata().level())?;
        let mut members = Members {
            line: &mut line,
            result: Ok(()),
        };
        event.record(&mut members);
        members.result?;
        line.write_str(",\"target\":")?;
        text(&mut line, event.metadata().target())?;
        if let Some(span) = context.lookup_current() {
            write!(line, ",\"span\":{{\"name\":\"{}\"", span.name())?;
            if let Some(members) = span.extensions().get::<FormattedFields<N>>() {
                line.write_str(members)?;
            }
            line.write_char('}')?;
        }
        line.write_str("}\n")
    }
}

/// Writes a span's members as they stand within an object, each with its comma.
pub(super) struct JsonFields;

impl<'a> FormatFields<'a> for JsonFields {
    fn format_fields<R: tracing_subscriber::field::RecordFields>(
        &self,
        mut line: Writer<'a>,
        fields: R,
    ) -> fmt::Result {
        let mut members = Members {
            line: &mut line,
            result: Ok(()),
        };
        fields.record(&mut members);
        members.result
    }
}

struct Members<'a, W> {
    line: &'a mut W,
    result: fmt::Result,
}

impl<W: fmt::Write> Members<'_, W> {
    fn member(&mut self, field: &Field, value: impl FnOnce(&mut W) -> fmt::Result) {
        if self.result.is_ok() {
            self.result = name(self.line, field.name()).and_then(|()| value(self.line));
        }
    }
}

impl<W: fmt::Write> Visit for Members<'_, W> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |line| write!(line, "{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field, |line| {
            line.write_char('"')?;
            write!(Escaped(line), "{value:?}")?;
            line.write_char('"')
        });
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON knows no infinity.
        self.member(field, |line| {
            if value.is_finite() {
                write!(line, "{value}")
            } else {
                line.write_str("null")
            }
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |line| write!(line, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, |line| text(line, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |line| write!(line, "{value}"));
    }
}

/// A field's name is an identifier of this program's.
fn name(line: &mut impl fmt::Write, name: &str) -> fmt::Result {
    line.write_str(",\"")?;
    line.write_str(name)?;
    line.write_str("\":")
}

fn text(line: &mut impl fmt::Write, value: &str) -> fmt::Result {
    line.write_char('"')?;
    Escaped(line).write_str(value)?;
    line.write_char('"')
}

/// Escapes what may not stand within a string (RFC 8259 §7), so that no value can end its line or begin a member.
struct Escaped<'a, W>(&'a mut W);

impl<W: fmt::Write> fmt::Write for Escaped<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        // Bytes of ASCII stand for themselves in UTF-8, so a text may be cut before and after them.
        while let Some(at) = rest
            .bytes()
            .position(|byte| byte < b' ' || byte == b'"' || byte == b'\\')
        {
            self.0.write_str(&rest[..at])?;
            match rest.as_bytes()[at] {
                byte @ (b'"' | b'\\') => write!(self.0, "\\{}", char::from(byte))?,
                byte => write!(self.0, "\\u{byte:04x}")?,
            }
            rest = &rest[at + 1..];
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn record(log: impl FnOnce()) -> serde_json::Value {
        let lines = Lines::default();
        let written = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(Json)
            .fmt_fields(JsonFields)
            .with_writer(move || lines.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let written = written.0.lock().unwrap();
        assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
        serde_json::from_slice(&written).unwrap()
    }

    #[test]
    fn every_kind_of_value_is_json() {
        let nasty = "a\"b\\c\nd\re\u{1}f\u{e9}\",\"level\":\"x";
        let record = record(|| {
            tracing::warn!(
                target: "idbridge::x",
                text = nasty,
                display = %nasty,
                debug = ?Some(nasty),
                number = -3,
                large = u64::MAX,
                share = 0.5,
                whole = 2.0,
                none = f64::NAN,
                yes = true,
                absent = None::<&str>,
                "said {}", 1
            );
        });
        assert_eq!(record["level"], "WARN");
        assert_eq!(record["target"], "idbridge::x");
        assert_eq!(record["message"], "said 1");
        assert_eq!(record["text"], nasty);
        assert_eq!(record["display"], nasty);
        assert_eq!(record["debug"], format!("{:?}", Some(nasty)));
        assert_eq!(record["number"], -3);
        assert_eq!(record["large"], u64::MAX);
        assert_eq!(record["share"], 0.5);
        assert_eq!(record["whole"], 2.0);
        assert_eq!(record["none"], serde_json::Value::Null);
        assert_eq!(record["yes"], true);
        assert_eq!(record.get("absent"), None);
        assert!(record["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(record.get("span"), None);
    }

    #[test]
    fn the_current_span_goes_with_its_record() {
        let record = record(|| {
            let span = tracing::info_span!("call", request_id = "r-\"1", method = %"M");
            span.in_scope(|| tracing::info!("said"));
        });
        assert_eq!(
            record["span"],
            serde_json::json!({"name": "call", "request_id": "r-\"1", "method": "M"})
        );
    }
}
