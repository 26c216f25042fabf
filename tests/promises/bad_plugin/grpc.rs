//! `kind = "grpc"`.

use std::future::pending;

use idbridge::pb;
use idbridge_okta_simulator::PASSWORD;
use idbridge_testkit::upstreams::grpc::{End, Question, Reply, Upstream, framed, headers};
use idbridge_testkit::upstreams::raw::{Ill, Protocol, Server};
use prost::Message as _;
use tokio::sync::watch;

use super::super::clients::{request_id, with_id};
use super::super::process::bounded;
use super::{Asked, BOTH, Beside, source};

fn plugin(url: &str) -> String {
    source("grpc", &format!("url = \"{url}\"\ncanary = \"canary@bad.example\""))
}

/// Field 1 of both answers is the user: one message is good for both questions.
fn says(user: pb::User) -> Reply {
    let answer = pb::GetUserByEmailResponse {
        outcome: Some(pb::get_user_by_email_response::Outcome::User(user)),
        source: "plugin".to_owned(),
    };
    Reply::bytes(framed(&answer.encode_to_vec()))
}

/// Whoever is asked for: the identifier is field 1 of both questions.
fn well(question: &Question) -> Reply {
    let (Question::Authenticate(asked) | Question::LookUp(asked)) = question;
    let asked = pb::GetUserByEmailRequest::decode(asked.slice(..usize::from(asked[1]) + 2)).expect("a question");
    says(user("1", &asked.email))
}

fn user(id: &str, email: &str) -> pb::User {
    pb::User {
        id: id.to_owned(),
        login: email.to_owned(),
        email: email.to_owned(),
        ..pb::User::default()
    }
}

fn rejects(reason: pb::RejectionReason) -> Reply {
    let answer = pb::AuthenticateResponse {
        outcome: Some(pb::authenticate_response::Outcome::Rejection(pb::Rejection {
            reason: reason.into(),
        })),
        source: "plugin".to_owned(),
    };
    Reply::bytes(framed(&answer.encode_to_vec()))
}

/// What a plugin lies with, to whom, and what that is.
fn lies() -> Vec<(&'static str, Reply, &'static [Asked], &'static str)> {
    let ended = |code: &str| Reply::bytes("").ending(End::Trailers(headers(&[("grpc-status", code)])));
    let protocol = "SOURCE_PROTOCOL";
    vec![
        ("no outcome", Reply::bytes(framed(b"")), &BOTH, protocol),
        ("no protobuf", Reply::bytes(framed(b"all is well")), &BOTH, protocol),
        ("no id", says(user("", "user-0a@bad.example")), &BOTH, protocol),
        ("another's", says(user("7", "mallory@bad.example")), &BOTH, protocol),
        ("no reason", rejects(pb::RejectionReason::Unspecified), &BOTH, protocol),
        (
            "unknown by a look-up",
            rejects(pb::RejectionReason::UnknownUser),
            &[Asked::LookUp],
            protocol,
        ),
        (
            "wrong by a look-up",
            rejects(pb::RejectionReason::WrongPassword),
            &[Asked::LookUp],
            protocol,
        ),
        ("a bare NOT_FOUND", ended("5"), &BOTH, protocol),
        (
            "a bare UNAUTHENTICATED",
            ended("16"),
            &BOTH,
            "SOURCE_CREDENTIAL_REFUSED",
        ),
        ("a page", Reply::bytes("<html>").http(404), &BOTH, protocol),
        ("an illness", ended("14"), &BOTH, "SOURCE_UNAVAILABLE"),
    ]
}

#[tokio::test]
async fn a_plugin_that_lies_hangs_breaks_off_or_floods() {
    // `None` is good.
    let reply = watch::Sender::new(None::<Reply>);
    let hangs = watch::Sender::new(false);
    let (replies, hanging) = (reply.clone(), hangs.clone());
    let upstream = Upstream::start(move |question| {
        let reply = replies.borrow().clone().unwrap_or_else(|| well(&question));
        let mut hanging = hanging.subscribe();
        async move {
            let _never = hanging.wait_for(|hangs| !hangs).await;
            reply
        }
    })
    .await;
    let beside = Beside::start(&plugin(&upstream.url)).await;
    beside.is_well("user@bad.example").await;
    let passwords = || upstream.seen().passwords.len();
    let fails = async |case: &str, asked: &[Asked], reason: &str| {
        let before = passwords();
        let log_ins = beside.fails(case, asked, reason).await;
        // What shares a connection that breaks off may not have been read.
        let sent = passwords() - before;
        assert!(
            (log_ins.min(1)..=log_ins).contains(&sent),
            "{case}: {sent} passwords of {log_ins} log-ins"
        );
    };

    for (case, said, asked, reason) in lies() {
        reply.send_replace(Some(said));
        fails(case, asked, reason).await;
    }
    let half = Reply::bytes(framed(&[0; 100]).slice(..50));
    for (case, end) in [
        ("cut", End::Cut),
        ("reset", End::Reset(h2::Reason::INTERNAL_ERROR)),
        ("refused", End::Reset(h2::Reason::REFUSED_STREAM)),
    ] {
        reply.send_replace(Some(half.clone().ending(end)));
        fails(case, &BOTH, "SOURCE_UNAVAILABLE").await;
    }
    let gigabyte = [&[0, 0x40, 0, 0, 0][..], &vec![0; 64 * 1024]].concat();
    reply.send_replace(Some(Reply::bytes(gigabyte).ending(End::Flood)));
    fails("one message of a gigabyte", &BOTH, "SOURCE_PROTOCOL").await;
    reply.send_replace(Some(Reply::bytes([0; 5].repeat(4096)).ending(End::Flood)));
    fails("messages without end", &BOTH, "SOURCE_PROTOCOL").await;
    hangs.send_replace(true);
    fails("hangs", &BOTH, "DEADLINE_EXCEEDED").await;

    hangs.send_replace(false);
    reply.send_replace(None);
    beside.is_well("user@bad.example").await;
    drop(upstream);
    beside.stop().await;
}

/// HTTP itself is broken, so that no library of the plugin's would do it. Such a connection is given up.
#[tokio::test]
async fn a_plugin_whose_http_has_no_end_or_no_sense() {
    for (ill, reason) in [
        (Ill::Garbage, "SOURCE_UNAVAILABLE"),
        (Ill::Headers, "SOURCE_UNAVAILABLE"),
        (Ill::Silence, "DEADLINE_EXCEEDED"),
        (Ill::Trailers, "SOURCE_UNAVAILABLE"),
    ] {
        let good = says(user("1", "user-0a@bad.example")).body.concat();
        let server = Server::start(Protocol::Http2, ill, good).await;
        let beside = Beside::start(&plugin(&format!("http://{}", server.address))).await;
        let log_ins = beside.fails(&format!("{ill:?}"), &BOTH, reason).await;
        assert!(server.heard(PASSWORD.as_bytes()) <= log_ins, "{ill:?}: passwords");
        // What the sockets hold, and a little more.
        let most = 2 * log_ins * (4 << 20);
        assert!(server.sent() < most, "{ill:?}: {} bytes were taken", server.sent());
        drop(server);
        beside.stop().await;
    }
}

/// It dies of every call, and somebody starts it again.
#[tokio::test]
async fn a_plugin_that_dies_of_every_call() {
    let first = Upstream::start(|_| pending()).await;
    let url = first.url.clone();
    let deaths = watch::Sender::new((0, 0));
    let (address, counting) = (url.trim_start_matches("http://").to_owned(), deaths.clone());
    let dying = tokio::spawn(async move {
        let mut upstream = first;
        loop {
            upstream.until_called().await;
            let passwords = upstream.seen().passwords.len();
            upstream.crash().await;
            counting.send_modify(|(deaths, all)| {
                *deaths += 1;
                *all += passwords;
            });
            upstream = Upstream::start_at(&address, None, |_| pending()).await;
        }
    });
    let beside = Beside::start(&plugin(&url)).await;
    let log_ins = beside.fails("dies", &BOTH, "SOURCE_UNAVAILABLE").await;
    let (died, passwords) = *deaths.borrow();
    assert!(died > 1, "it died {died} times");
    assert!(passwords <= log_ins, "{passwords} passwords of {log_ins} log-ins");
    dying.abort();
    let _aborted = dying.await;
    beside.is_out("gone", "SOURCE_UNAVAILABLE").await;

    let again = Upstream::start_at(url.trim_start_matches("http://"), None, |question| async move {
        well(&question)
    });
    let again = bounded("the port", again).await;
    beside.is_well("user@bad.example").await;
    drop(again);
    beside.stop().await;
}

/// Where people log in by other names than their address, the plugin alone knows who that is. The gateway doesn't move
/// somebody whom the typed identifier wouldn't find the next time.
#[tokio::test]
async fn an_alias_is_believed_where_the_settings_say_so_and_moves_nobody() {
    let upstream = Upstream::saying(says(user("7", "mallory@bad.example"))).await;
    let beside = Beside::start(&format!("{}aliases = true\n", plugin(&upstream.url))).await;
    let headers = with_id(&request_id());
    let answer = beside.rest.login(&headers, "user@bad.example", PASSWORD).await;
    let body = answer.json();
    assert_eq!(
        (&body["outcome"], &body["reason"]),
        (&"rejected".into(), &"identifier_not_portable".into())
    );
    let said = beside
        .grpc
        .authenticate(&with_id(&request_id()), "user@bad.example", PASSWORD)
        .await;
    let answer: pb::AuthenticateResponse = said.decode();
    let Some(pb::authenticate_response::Outcome::User(user)) = answer.outcome else {
        panic!("the plugin said yes");
    };
    assert_eq!(
        (&*user.id, &*user.email),
        ("bad|7", "mallory@bad.example"),
        "as whom it says"
    );
    drop(upstream);
    beside.stop().await;
}
