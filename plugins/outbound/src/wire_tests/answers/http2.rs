//! What an HTTP/2 upstream may say, frame by frame (RFC 9113, section 6).

use idbridge_source::ErrorKind;

use super::super::UNAVAILABLE;
use super::super::upstream::{Protocol, Reply, Then, data, frame, good, headers};
use super::{Case, Next, PROTOCOL};

pub(super) fn cases() -> Vec<Case> {
    use Next::{New, Same};
    use Then::{Close, Cut, Keep};
    let keep = |bytes| Reply(bytes, Keep);
    vec![
        ("good", keep(|stream| good(Protocol::Http2, stream)), Ok(200), Same),
        ("closed at once", Reply(|_| Vec::new(), Close), Err(UNAVAILABLE), New),
        ("cut at once", Reply(|_| Vec::new(), Cut), Err(UNAVAILABLE), New),
        (
            "a head that is cut",
            Reply(|stream| headers(stream, 4, &[0x88; 5])[..11].to_vec(), Close),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "a body that is cut",
            Reply(
                |stream| [headers(stream, 4, &[0x88]), data(stream, 0, b"{}")].concat(),
                Close,
            ),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "1xx",
            keep(|stream| [early_hints(stream).repeat(3), good(Protocol::Http2, stream)].concat()),
            Ok(200),
            Same,
        ),
        (
            "a body after 1xx",
            keep(|stream| [early_hints(stream), data(stream, 1, b"{}")].concat()),
            Err(UNAVAILABLE),
            New,
        ),
        ("204", keep(|stream| headers(stream, 5, &[0x89])), Ok(204), Same),
        ("304", keep(|stream| headers(stream, 5, &[0x8b])), Err(PROTOCOL), Same),
        // content-length: 9, by number 28 of the static table (RFC 7541, appendix A).
        (
            "a body shorter than said",
            keep(|stream| [headers(stream, 4, &[0x88, 0x0f, 0x0d, 1, b'9']), data(stream, 1, b"{}")].concat()),
            Err(UNAVAILABLE),
            Same,
        ),
        (
            "endless headers",
            keep(|stream| {
                [
                    headers(stream, 0, &[0x88]),
                    frame(9, 0, stream, &[0x88; 16_000]).repeat(100),
                ]
                .concat()
            }),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "a body over the cap",
            keep(|stream| [headers(stream, 4, &[0x88]), data(stream, 0, &[b'x'; 16_000]).repeat(6)].concat()),
            Err(PROTOCOL),
            Same,
        ),
        ("not HTTP/2", keep(|_| good(Protocol::Http1, 0)), Err(UNAVAILABLE), New),
        ("no error", keep(|stream| reset(stream, 0)), Err(UNAVAILABLE), Same),
        (
            "internal error",
            keep(|stream| reset(stream, 2)),
            Err(UNAVAILABLE),
            Same,
        ),
        // It says that nothing was worked on. The password was sent all the same.
        (
            "refused stream",
            keep(|stream| reset(stream, 7)),
            Err(UNAVAILABLE),
            Same,
        ),
        ("cancel", keep(|stream| reset(stream, 8)), Err(UNAVAILABLE), Same),
        (
            "HTTP/1.1 required",
            keep(|stream| reset(stream, 13)),
            Err(UNAVAILABLE),
            Same,
        ),
        (
            "a reset after the head",
            keep(|stream| [headers(stream, 4, &[0x88]), reset(stream, 0)].concat()),
            Err(UNAVAILABLE),
            Same,
        ),
        (
            "a reset after half a body",
            keep(|stream| [headers(stream, 4, &[0x88]), data(stream, 0, b"{}"), reset(stream, 8)].concat()),
            Err(UNAVAILABLE),
            Same,
        ),
        // A literal with a name of its own (RFC 7541, section 6.2.2): RFC 9113, section 8.2.1, has no such values.
        (
            "a CR and an LF in a header",
            keep(|stream| [headers(stream, 4, b"\x88\0\x01a\x03b\r\n"), data(stream, 1, b"{}")].concat()),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "a NUL in a header",
            keep(|stream| [headers(stream, 4, b"\x88\0\x01a\x03b\0c"), data(stream, 1, b"{}")].concat()),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "a header of HTTP/1.1",
            keep(|stream| {
                [
                    headers(stream, 4, b"\x88\0\x0aconnection\x05close"),
                    data(stream, 1, b"{}"),
                ]
                .concat()
            }),
            Err(UNAVAILABLE),
            Same,
        ),
        (
            "GOAWAY in the middle of ours",
            keep(|stream| [headers(stream, 4, &[0x88]), go_away(stream, 0), data(stream, 1, b"{}")].concat()),
            Ok(200),
            New,
        ),
        ("GOAWAY without ours", keep(|_| go_away(0, 0)), Err(UNAVAILABLE), New),
        ("GOAWAY, calm down", keep(|_| go_away(0, 11)), Err(UNAVAILABLE), New),
        (
            "GOAWAY with ours",
            keep(|stream| [go_away(stream, 0), good(Protocol::Http2, stream)].concat()),
            Ok(200),
            New,
        ),
        ("silence", keep(|_| Vec::new()), Err(ErrorKind::TimedOut), Same),
    ]
}

fn early_hints(stream: u32) -> Vec<u8> {
    headers(stream, 4, &[0x08, 3, b'1', b'0', b'3'])
}

fn reset(stream: u32, code: u8) -> Vec<u8> {
    frame(3, 0, stream, &[0, 0, 0, code])
}

/// With what a proxy might say for people.
fn go_away(last: u32, code: u8) -> Vec<u8> {
    frame(
        7,
        0,
        0,
        &[&last.to_be_bytes()[..], &[0, 0, 0, code], b"hunter2"].concat(),
    )
}
