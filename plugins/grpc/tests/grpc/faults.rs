//! A plugin that hangs, breaks off, floods, or is gone. No password goes out twice.

use std::time::Duration;

use h2::Reason;
use idbridge_source::{Authentication, ErrorKind};
use idbridge_testkit::upstreams::grpc::Upstream;
use tokio::time::Instant;

use crate::reply::{End, Reply, Said as _, ada, found};

use crate::{PATIENCE, UNAVAILABLE, by_email, by_login, kind, log_in, log_in_within, source_at};

#[tokio::test]
async fn a_plugin_that_hangs_costs_its_deadline() {
    let upstream = Upstream::start(|_| std::future::pending()).await;
    let source = source_at(&upstream.url);
    let began = Instant::now();
    let answer = log_in_within(&source, Duration::from_millis(300)).await;
    assert_eq!(kind(&answer), Some(ErrorKind::TimedOut));
    assert!(began.elapsed() < PATIENCE / 4);
    assert_eq!(upstream.seen().passwords.len(), 1);
}

/// gRPC's own clients send a refused stream again. Here it is an error like another.
#[tokio::test]
async fn what_is_broken_off_is_not_sent_again() {
    for end in [
        End::Cut,
        End::Reset(Reason::CANCEL),
        End::Reset(Reason::ENHANCE_YOUR_CALM),
        End::Reset(Reason::INTERNAL_ERROR),
        End::Reset(Reason::REFUSED_STREAM),
    ] {
        // Before the message, in the middle of it, and before its status.
        let whole = Reply::message(&found(ada()));
        let half = whole.body[0].slice(..7);
        for body in [vec![], vec![half], whole.body.clone()] {
            let reply = Reply { body, ..whole.clone() };
            let upstream = Upstream::saying(reply.ending(end.clone())).await;
            let source = source_at(&upstream.url);
            assert_eq!(kind(&log_in(&source).await), Some(UNAVAILABLE));
            assert_eq!(upstream.seen().passwords.len(), 1);
            assert_eq!(kind(&by_email(&source).await), Some(UNAVAILABLE));
            assert_eq!(kind(&by_login(&source).await), Some(UNAVAILABLE));
            assert_eq!(upstream.seen().heads.len(), 3);
        }
    }
}

/// Whether it is one message of a gigabyte or many small ones: what isn't wanted isn't read.
#[tokio::test]
async fn a_flood_is_not_drunk() {
    let gigabyte = [&[0, 0x40, 0, 0, 0][..], &vec![0; 64 * 1024]].concat();
    let many = [0; 5];
    for body in [gigabyte, many.repeat(4096)] {
        let reply = Reply::bytes(body).ending(End::Flood);
        let upstream = Upstream::saying(reply).await;
        let source = source_at(&upstream.url);
        assert_eq!(kind(&log_in(&source).await), Some(ErrorKind::Protocol));
        assert_eq!(kind(&by_email(&source).await), Some(ErrorKind::Protocol));
        assert_eq!(upstream.seen().passwords.len(), 1);
        // As much as the connection's window holds, and not the gigabyte.
        assert!(upstream.seen().sent < 8 << 20, "{}", upstream.seen().sent);
    }
}

#[tokio::test]
async fn a_plugin_that_is_gone_is_found_again() {
    let reply = Reply::message(&found(ada()));
    let upstream = Upstream::saying(reply.clone()).await;
    let address = upstream.url.strip_prefix("http://").expect("a URL").to_owned();
    let source = source_at(&upstream.url);
    assert!(matches!(log_in(&source).await, Ok(Authentication::Accept(_))));
    drop(upstream);
    assert_eq!(kind(&log_in(&source).await), Some(UNAVAILABLE));
    assert_eq!(kind(&log_in(&source).await), Some(UNAVAILABLE));
    let _again = Upstream::start_at(&address, None, move |_| std::future::ready(reply.clone())).await;
    assert!(matches!(log_in(&source).await, Ok(Authentication::Accept(_))));
}
