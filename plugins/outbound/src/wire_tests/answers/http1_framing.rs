//! How an HTTP/1.1 answer is told from the next (RFC 9112, section 6), where it can be told in two ways or in none.

use super::super::UNAVAILABLE;
use super::super::upstream::{Protocol, Reply, Then, good};
use super::{Case, Next, PROTOCOL};

pub(super) fn cases() -> Vec<Case> {
    use Next::{New, Same};
    use Then::{Close, Keep};
    let keep = |bytes| Reply(bytes, Keep);
    vec![
        (
            "the same length twice",
            keep(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
            Ok(200),
            Same,
        ),
        (
            "a length of two numbers",
            keep(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 2, 3\r\n\r\n{}".to_vec()),
            Err(PROTOCOL),
            New,
        ),
        (
            "a length below nothing",
            keep(|_| b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n{}".to_vec()),
            Err(PROTOCOL),
            New,
        ),
        (
            "a length with a sign",
            keep(|_| b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\n{}".to_vec()),
            Err(PROTOCOL),
            New,
        ),
        (
            "a length and chunks",
            keep(|_| {
                b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
                    .to_vec()
            }),
            Ok(200),
            Same,
        ),
        (
            "chunks",
            keep(|_| chunked(b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")),
            Ok(200),
            Same,
        ),
        (
            "chunks with extensions",
            keep(|_| chunked(b"2;a=\"b\";c\r\n{}\r\n0;d\r\n\r\n")),
            Ok(200),
            Same,
        ),
        (
            "trailers",
            keep(|_| chunked(b"2\r\n{}\r\n0\r\na: b\r\n\r\n")),
            Ok(200),
            Same,
        ),
        (
            "a chunk of no number",
            keep(|_| chunked(b"zz\r\n{}\r\n0\r\n\r\n")),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "a chunk longer than said",
            keep(|_| chunked(b"1\r\n{}\r\n0\r\n\r\n")),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "a chunk of 2^64 and two",
            keep(|_| chunked(b"10000000000000002\r\n{}\r\n0\r\n\r\n")),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "chunks without the last",
            Reply(|_| chunked(b"2\r\n{}\r\n"), Close),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "chunks without the end of the last",
            Reply(|_| chunked(b"2\r\n{}\r\n0\r\n"), Close),
            Err(UNAVAILABLE),
            New,
        ),
        (
            "a coding that isn't chunks",
            Reply(
                |_| b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n{}".to_vec(),
                Close,
            ),
            Ok(200),
            New,
        ),
        (
            "a NUL in a header",
            keep(|_| b"HTTP/1.1 200 OK\r\na: b\0c\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
            Err(PROTOCOL),
            New,
        ),
        (
            "a CR in a header",
            keep(|_| b"HTTP/1.1 200 OK\r\na: b\rc\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
            Err(PROTOCOL),
            New,
        ),
        (
            "a folded header",
            keep(|_| b"HTTP/1.1 200 OK\r\na: b\r\n c\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
            Err(PROTOCOL),
            New,
        ),
        (
            "100 and the answer",
            keep(|_| [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), good(Protocol::Http1, 0)].concat()),
            Ok(200),
            Same,
        ),
        (
            "100 and no answer",
            Reply(|_| b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), Close),
            Err(UNAVAILABLE),
            New,
        ),
    ]
}

fn chunked(body: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", body].concat()
}
