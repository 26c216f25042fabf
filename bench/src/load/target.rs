//! What is asked, where, and which answer is right.

use std::net::SocketAddr;

use idbridge::pb;
use pb::authenticate_response::Outcome as Proved;
use pb::get_user_by_email_response::Outcome as Found;
use serde_json::{Value, json};

use super::grpc::Channel;
use super::http::Connection;
use crate::Error;

/// Taken for right by the source.
pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Question {
    /// gRPC `Authenticate`
    Authenticate,
    /// `POST /auth0/v1/login`
    Login,
    /// gRPC `GetUserByEmail`, of users whose login isn't their address
    LookUp,
    /// gRPC `Authenticate`, of so many users
    OneOf(usize),
    /// The source's own `POST /api/v1/authn`
    Source,
}

impl Question {
    pub(crate) fn is_grpc(self) -> bool {
        matches!(self, Self::Authenticate | Self::LookUp | Self::OneOf(_))
    }

    /// The login of this call: of this call alone, unless there are only so many.
    pub(crate) fn login(self, number: usize) -> String {
        match self {
            Self::LookUp => format!("elsewhere-{number:07}@bench.test"),
            Self::OneOf(users) => format!("user-{:07}@bench.test", number % users),
            _ => format!("user-{number:07}@bench.test"),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) question: Question,
    pub(crate) key: Option<String>,
}

/// A connection to the target.
pub(crate) enum Line {
    Grpc(Channel),
    Http(Connection),
}

impl Target {
    pub(crate) async fn open(&self) -> Result<Line, Error> {
        let key = self.key.as_deref();
        Ok(match self.question {
            Question::Authenticate | Question::OneOf(_) => {
                Line::Grpc(Channel::open(self.address, "Authenticate", key).await?)
            }
            Question::LookUp => Line::Grpc(Channel::open(self.address, "GetUserByEmail", key).await?),
            Question::Login | Question::Source => Line::Http(Connection::open(self.address).await?),
        })
    }

    /// Asks, and checks that the answer is the user of the login.
    pub(crate) async fn ask(&self, line: &mut Line, number: usize) -> Result<(), Error> {
        let login = self.question.login(number);
        let is_right = match (line, self.question) {
            (Line::Grpc(channel), Question::LookUp) => look_up(channel, &login).await?,
            (Line::Grpc(channel), _) => authenticate(channel, &login).await?,
            (Line::Http(connection), Question::Source) => at_source(connection, &login).await?,
            (Line::Http(connection), _) => log_in(connection, self.key.as_deref(), &login).await?,
        };
        if is_right {
            Ok(())
        } else {
            Err(format!("the answer for {login} isn't that user").into())
        }
    }
}

async fn authenticate(channel: &Channel, login: &str) -> Result<bool, Error> {
    let question = pb::AuthenticateRequest {
        login: login.to_owned(),
        password: PASSWORD.to_owned(),
        source: None,
    };
    let answer: pb::AuthenticateResponse = channel.call(&question).await?;
    Ok(matches!(answer.outcome, Some(Proved::User(user)) if user.login == login && user.email == login))
}

async fn look_up(channel: &Channel, email: &str) -> Result<bool, Error> {
    let question = pb::GetUserByEmailRequest {
        email: email.to_owned(),
        source: None,
    };
    let answer: pb::GetUserByEmailResponse = channel.call(&question).await?;
    Ok(matches!(answer.outcome, Some(Found::User(user)) if user.email == email && user.login != email))
}

async fn log_in(connection: &mut Connection, key: Option<&str>, login: &str) -> Result<bool, Error> {
    let question = json!({"identifier": login, "password": PASSWORD}).to_string();
    let (status, body) = connection.post("/auth0/v1/login", key, question.into_bytes()).await?;
    let answer: Value = serde_json::from_slice(&body)?;
    Ok(status == 200 && answer["outcome"] == "authenticated" && answer["profile"]["email"] == login)
}

async fn at_source(connection: &mut Connection, login: &str) -> Result<bool, Error> {
    let question = json!({"username": login, "password": PASSWORD}).to_string();
    let (status, body) = connection.post("/api/v1/authn", None, question.into_bytes()).await?;
    let answer: Value = serde_json::from_slice(&body)?;
    Ok(status == 200 && answer["_embedded"]["user"]["profile"]["login"] == login)
}
