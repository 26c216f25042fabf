//! The ways to a plugin that need no certificate.

use idbridge_source::{Authentication, ErrorKind, UserName};
use idbridge_testkit::upstreams::grpc::Upstream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::reply::{Reply, Said as _, ada, found};

use crate::{PATIENCE, UNAVAILABLE, call_within, kind, log_in, source_at};

#[tokio::test]
async fn a_unix_socket_is_a_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plugin.sock");
    let source = source_at(&format!("unix://{}", path.display()));
    assert_eq!(kind(&log_in(&source).await), Some(UNAVAILABLE), "nobody there yet");
    let reply = Reply::message(&found(ada()));
    let upstream = Upstream::start_on_socket(&path, move |_| std::future::ready(reply.clone()));
    for _ in 0..2 {
        assert!(matches!(log_in(&source).await, Ok(Authentication::Accept(_))));
    }
    assert_eq!(upstream.seen().connections, 1);
    assert_eq!(upstream.url, format!("unix://{}", path.display()));
}

#[tokio::test]
async fn calls_at_once_share_a_connection() {
    let upstream = Upstream::saying(Reply::message(&found(ada()))).await;
    let source = source_at(&upstream.url);
    let calls = (0..50).map(|_| {
        let source = source.clone();
        tokio::spawn(async move { log_in(&source).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(matches!(call.await.expect("no panic"), Ok(Authentication::Accept(_))));
    }
    assert_eq!(upstream.seen().passwords.len(), 50);
    assert_eq!(upstream.seen().connections, 1);
}

#[tokio::test]
async fn a_web_server_is_no_plugin() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answered = tokio::spawn(async move {
        let (mut io, _) = listener.accept().await.expect("a client");
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        io.write_all(answer).await.expect("written");
        io.shutdown().await.expect("closed");
        let _left = io.read_to_end(&mut Vec::new()).await;
    });
    assert_eq!(kind(&log_in(&source_at(&url)).await), Some(UNAVAILABLE));
    answered.await.expect("no panic");
}

/// The call has one text for both: what reads as an address is looked up as one.
#[tokio::test]
async fn a_login_that_reads_as_an_address_is_not_asked() {
    let upstream = Upstream::saying(Reply::message(&found(ada()))).await;
    let source = source_at(&upstream.url);
    let login = UserName::parse("ada@example.com").expect("a login");
    let answer = source.user_by_login(&call_within(PATIENCE), &login).await;
    assert_eq!(kind(&answer), Some(ErrorKind::Unsupported));
    assert_eq!(upstream.seen().heads.len(), 0);
}
