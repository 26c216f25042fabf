//! What an HTTP/1.1 upstream may say.

use idbridge_source::ErrorKind;

use super::super::UNAVAILABLE;
use super::super::upstream::{Protocol, Reply, Then, good};
use super::{Case, Next, PROTOCOL};

pub(super) fn cases() -> Vec<Case> {
    use Next::{New, Same};
    use Then::{Close, Cut, Keep};
    let keep = |bytes| Reply(bytes, Keep);
    vec![
        ("good", keep(|_| good(Protocol::Http1, 0)), Ok(200), Same),
        ("closed at once", Reply(|_| Vec::new(), Close), Err(UNAVAILABLE), New),
        ("cut at once", Reply(|_| Vec::new(), Cut), Err(UNAVAILABLE), New),
        (
            "a head that is cut",
            Reply(|_| b"HTTP/1.1 200 OK\r\ncont".to_vec(), Close),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "a body that is cut",
            Reply(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}".to_vec(), Close),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "1xx",
            keep(|_| [b"HTTP/1.1 103 Hm\r\na: b\r\n\r\n".repeat(3), good(Protocol::Http1, 0)].concat()),
            Ok(200),
            Same,
        ),
        (
            "204",
            keep(|_| b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
            Ok(204),
            Same,
        ),
        (
            "304",
            keep(|_| b"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n".to_vec()),
            Err(PROTOCOL),
            Same,
        ),
        (
            "connection: close",
            keep(|_| b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
            Ok(200),
            New,
        ),
        (
            "two answers",
            keep(|_| {
                [
                    good(Protocol::Http1, 0),
                    b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n".to_vec(),
                ]
                .concat()
            }),
            Ok(200),
            New,
        ),
        (
            "a body longer than said",
            keep(|_| [good(Protocol::Http1, 0), b"}".to_vec()].concat()),
            Ok(200),
            New,
        ),
        (
            "a 204 with a body",
            keep(|_| b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n".to_vec()),
            Ok(204),
            New,
        ),
        (
            "two lengths",
            keep(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}".to_vec()),
            Err(PROTOCOL),
            New,
        ),
        (
            "endless headers",
            keep(|_| [b"HTTP/1.1 200 OK\r\n".to_vec(), b"a: b\r\n".repeat(200_000)].concat()),
            Err(PROTOCOL),
            New,
        ),
        (
            "an endless header",
            keep(|_| [b"HTTP/1.1 200 OK\r\na: ".to_vec(), vec![b'x'; 2_000_000]].concat()),
            Err(PROTOCOL),
            New,
        ),
        (
            "a body over the cap",
            keep(|_| {
                [
                    b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".to_vec(),
                    vec![b'x'; 100_000],
                ]
                .concat()
            }),
            Err(PROTOCOL),
            New,
        ),
        (
            "101",
            keep(|_| b"HTTP/1.1 101 Hm\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_vec()),
            Ok(101),
            New,
        ),
        ("silence", keep(|_| Vec::new()), Err(ErrorKind::TimedOut), New),
    ]
}
