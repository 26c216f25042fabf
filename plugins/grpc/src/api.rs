//! Requests, and what their answers are before anybody asks what they mean.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use idbridge_outbound::{Client, Limits, Origin, Request, Response, Way};
use idbridge_source::{BuildError, Call, ExposeSecret as _, Login, Password, SourceError};
use prost::Message;
use tokio::time::Instant;

use crate::config::{Address, Settings};
use crate::map::{self, Asked, Operation, Reason, Refusal, Unfit};
use crate::wire::{self, AuthenticateRequest, Details, ErrorInfo, GetUserByEmailRequest, RetryInfo};

const AUTHENTICATE: &str = "/idbridge.v1.IdentityService/Authenticate";
const GET_USER_BY_EMAIL: &str = "/idbridge.v1.IdentityService/GetUserByEmail";

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub(crate) const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("x-idbridge-client-address");

/// The domain of an `ErrorInfo` whose reason is one of docs/errors.md.
const DOMAIN: &str = "idbridge";

/// What a socket's requests call the other end, as gRPC's own clients do.
const BEHIND_A_SOCKET: &str = "http://localhost";

/// `idbridge.v1.IdentityService`, elsewhere.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    authorization: Option<HeaderValue>,
}

/// A whole answer.
pub(crate) enum Answer<T> {
    Message(T),
    Refused(Refusal),
}

impl Api {
    pub(crate) fn new(settings: &Settings) -> Result<Self, BuildError> {
        let mut way = Way {
            authorities: settings.authorities.clone(),
            http2_only: true,
            identity: settings.identity.clone(),
            ..Way::default()
        };
        let origin = match &settings.address {
            Address::Network(origin) => origin.clone(),
            Address::Socket(path) => {
                way.socket = Some(path.clone());
                Origin::parse(BEHIND_A_SOCKET).map_err(BuildError::new)?
            }
        };
        let authorization = settings.key.as_ref().map(|key| {
            let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()))?;
            value.set_sensitive(true);
            Ok::<_, http::header::InvalidHeaderValue>(value)
        });
        Ok(Self {
            client: Client::by_way_of(way, origin, Limits::default())?,
            authorization: authorization.transpose().map_err(BuildError::new)?,
        })
    }

    pub(crate) fn log_in(&self, call: &Call, login: &Login, password: &Password) -> Request {
        let question = AuthenticateRequest {
            login: login.as_str().to_owned(),
            password: password.expose().to_owned(),
            source: None,
        };
        self.request(call, AUTHENTICATE, &question)
    }

    pub(crate) fn look_up(&self, call: &Call, asked: Asked<'_>) -> Request {
        let question = GetUserByEmailRequest {
            email: asked.text().to_owned(),
            source: None,
        };
        self.request(call, GET_USER_BY_EMAIL, &question)
    }

    /// Sends once.
    pub(crate) async fn send<T: Message + Default>(
        &self,
        call: &Call,
        request: Request,
        operation: Operation,
    ) -> Result<Answer<T>, SourceError> {
        let response = self.client.send(call, request).await?;
        if response.status() != StatusCode::OK {
            return Err(map::http_error(response.status(), operation));
        }
        read(&response).map_err(|unfit| unfit.error(operation))
    }

    fn request(&self, call: &Call, method: &'static str, question: &impl Message) -> Request {
        // Login and password are short: there is no length that doesn't fit.
        let body = wire::frame(question).unwrap_or_default();
        let mut request = Request::post(method)
            .body(GRPC, body)
            .header(header::TE, HeaderValue::from_static("trailers"))
            .header(GRPC_TIMEOUT, timeout(call.deadline));
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization.clone());
        }
        if let Some(address) = call.client_address
            && let Ok(value) = HeaderValue::try_from(address.to_string())
        {
            request = request.header(CLIENT_ADDRESS, value);
        }
        request
    }
}

/// Whole milliseconds, of which gRPC takes eight digits.
fn timeout(deadline: Instant) -> HeaderValue {
    let left = deadline.saturating_duration_since(Instant::now()).as_millis();
    let text = format!("{}m", left.clamp(1, 99_999_999));
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("1m"))
}

fn read<T: Message + Default>(response: &Response) -> Result<Answer<T>, Unfit> {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if !content_type.is_some_and(is_grpc) {
        return Err(Unfit::NotGrpc);
    }
    // The status ends the answer. One that comes first is all there is ("Trailers-Only").
    let end = if response.trailers().is_empty() && response.body().is_empty() {
        response.headers()
    } else {
        response.trailers()
    };
    match code(end).ok_or(Unfit::NotGrpc)? {
        0 => wire::unframe(response.body())
            .map(Answer::Message)
            .ok_or(Unfit::NoMessage),
        code => Ok(Answer::Refused(refusal(code, end))),
    }
}

/// `application/grpc`, with or without what is in it. `application/grpc-web` is something else.
fn is_grpc(value: &HeaderValue) -> bool {
    let rest = value.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// An answer has one status: a second is somebody else's.
fn code(end: &HeaderMap) -> Option<u32> {
    let mut all = end.get_all(GRPC_STATUS).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return None;
    };
    let text = value.to_str().ok()?;
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

pub(crate) fn refusal(code: u32, end: &HeaderMap) -> Refusal {
    let plain = |reason| Refusal {
        code,
        reason,
        retry_after: None,
    };
    let Some(value) = end.get(GRPC_STATUS_DETAILS) else {
        return plain(Reason::None);
    };
    let details = Details::decode_header(value.as_bytes()).filter(|details| u32::try_from(details.code) == Ok(code));
    let Some(details) = details else {
        return plain(Reason::Unreadable);
    };
    let told = details.all::<ErrorInfo>("google.rpc.ErrorInfo");
    let waits = details.all::<RetryInfo>("google.rpc.RetryInfo");
    let (Some(told), Some(waits)) = (told, waits) else {
        return plain(Reason::Unreadable);
    };
    let is_foreign = !told.is_empty();
    let mut ours = told.into_iter().filter(|info| info.domain == DOMAIN);
    let reason = match (ours.next(), ours.next()) {
        (Some(info), None) => Reason::Ours(info.reason),
        (None, _) if is_foreign => Reason::Foreign,
        (None, _) => Reason::None,
        (Some(_), Some(_)) => Reason::Unreadable,
    };
    let wait = waits.into_iter().find_map(|info| info.retry_delay);
    Refusal {
        code,
        reason,
        retry_after: wait.and_then(|wait| Duration::try_from(wait).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_is_told_from_what_looks_like_it() {
        for good in ["application/grpc", "application/grpc+proto", "application/grpc;x=y"] {
            assert!(is_grpc(&HeaderValue::from_static(good)), "{good}");
        }
        for bad in ["application/grpc-web", "application/json", "text/html", ""] {
            assert!(!is_grpc(&HeaderValue::from_static(bad)), "{bad}");
        }
    }

    #[test]
    fn one_status_of_digits() {
        let read = |values: &[&'static str]| {
            let mut end = HeaderMap::new();
            for value in values {
                end.append(GRPC_STATUS, HeaderValue::from_static(value));
            }
            code(&end)
        };
        assert_eq!(read(&["0"]), Some(0));
        assert_eq!(read(&["16"]), Some(16));
        for bad in [
            &[][..],
            &["0", "0"],
            &["0", "14"],
            &[""],
            &["+0"],
            &["-1"],
            &["OK"],
            &["99999999999"],
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_has_eight_digits_at_the_most() {
        let now = Instant::now();
        assert_eq!(timeout(now), "1m");
        assert_eq!(timeout(now + Duration::from_secs(5)), "5000m");
        assert_eq!(timeout(now + Duration::from_secs(1_000_000)), "99999999m");
    }
}
