//! The body of a question: JSON of exactly one shape. What isn't is refused, and none of it is quoted.

use axum::body::Body;
use http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::Problem;

const LIMIT: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetUser {
    pub(super) identifier: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    pub(super) identifier: String,
    #[serde(deserialize_with = "zeroizing")]
    pub(super) password: Zeroizing<String>,
}

/// `application/json`, in UTF-8 if it says so, and not compressed.
pub(super) fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let fits = match (types.next(), types.next()) {
        (Some(value), None) => is_json(value) && !headers.contains_key(header::CONTENT_ENCODING),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(Problem::UNSUPPORTED_MEDIA_TYPE)
    }
}

/// The whole body, up to the limit. The announced length is believed only if it is too long.
pub(super) async fn read(headers: &HeaderMap, mut body: Body) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > LIMIT as u64) {
        return Err(Problem::BODY_TOO_LARGE);
    }
    // Room for all of it: a buffer that grows leaves copies of a password behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(announced.map_or(LIMIT, |length| length as usize)));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::INVALID_REQUEST)?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > LIMIT {
            return Err(Problem::BODY_TOO_LARGE);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// serde_json refuses trailing data, invalid UTF-8, lone surrogates and a BOM; serde refuses a key twice.
pub(super) fn parse<T: DeserializeOwned>(bytes: Zeroizing<Vec<u8>>) -> Result<T, Problem> {
    // serde would take `["ada", "…"]` for a struct too.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::INVALID_REQUEST);
    }
    serde_json::from_slice(&bytes).map_err(|_| Problem::INVALID_REQUEST)
}

fn is_json(value: &HeaderValue) -> bool {
    let mut parts = value.to_str().unwrap_or_default().split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.all(|parameter| {
            ["charset=utf-8", "charset=\"utf-8\"", ""]
                .iter()
                .any(|fit| parameter.eq_ignore_ascii_case(fit))
        })
}

fn zeroizing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(json: impl AsRef<[u8]>) -> Option<(String, String)> {
        let Login { identifier, password } = parse(json.as_ref().to_vec().into()).ok()?;
        Some((identifier, password.to_string()))
    }

    #[test]
    fn types() {
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=UTF-8",
            "application/json ; Charset=\"utf-8\"",
            "application/json;",
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(good))]);
            assert_eq!(check_type(&headers), Ok(()), "{good}");
        }
        for bad in [
            "",
            "json",
            "text/json",
            "text/plain",
            "application/json-seq",
            "application/problem+json",
            "application/x-www-form-urlencoded",
            "application/json, application/json",
            "application/json; charset=latin1",
            "application/json; charset=utf-8; charset=utf-16",
            "application/json; charset",
            "application/json; profile=x",
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(bad))]);
            assert_eq!(check_type(&headers), Err(Problem::UNSUPPORTED_MEDIA_TYPE), "{bad}");
        }
        assert!(check_type(&HeaderMap::new()).is_err(), "none");
        let json = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json.clone())]);
        headers.append(header::CONTENT_TYPE, json);
        assert!(check_type(&headers).is_err(), "two");
        headers.remove(header::CONTENT_TYPE);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(check_type(&headers).is_err(), "compressed");
    }

    #[test]
    fn texts_are_taken_as_they_stand() {
        for (json, identifier, password) in [
            (r#"{"identifier":"ada","password":"x"}"#, "ada", "x"),
            ("\r\n\t {\"password\" : \" x \" , \"identifier\":\"\" } \n", "", " x "),
            (
                r#"{"identifi\u0065r":"\u00e9","password":"\ud83e\udd80\"\\\/\u0000"}"#,
                "é",
                "🦀\"\\/\0",
            ),
            (
                "{\"identifier\":\"e\u{301}\",\"password\":\"\u{feff}\"}",
                "e\u{301}",
                "\u{feff}",
            ),
        ] {
            assert_eq!(
                login(json),
                Some((identifier.to_owned(), password.to_owned())),
                "{json}"
            );
        }
    }

    #[test]
    fn a_shape_without_password_is_not_one_with() {
        assert!(parse::<GetUser>(br#"{"identifier":"ada"}"#.to_vec().into()).is_ok());
        assert!(parse::<GetUser>(br#"{"identifier":"ada","password":"x"}"#.to_vec().into()).is_err());
        assert!(login(r#"{"identifier":"ada"}"#).is_none());
    }

    struct Unreadable;

    impl http_body::Body for Unreadable {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
            panic!("it was read")
        }
    }

    #[tokio::test]
    async fn size_is_counted_and_an_announced_one_is_enough_to_refuse() {
        let exact = read(&HeaderMap::new(), Body::from(vec![b' '; LIMIT]))
            .await
            .expect("it fits");
        assert_eq!((exact.len(), exact.capacity()), (LIMIT, LIMIT), "it never grew");
        let over = read(&HeaderMap::new(), Body::from(vec![b' '; LIMIT + 1])).await;
        assert_eq!(over.err(), Some(Problem::BODY_TOO_LARGE));

        let announced =
            |length: &'static str| HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from_static(length))]);
        let unread = Body::new(Unreadable);
        assert_eq!(
            read(&announced("65537"), unread).await.err(),
            Some(Problem::BODY_TOO_LARGE)
        );
        let lie = read(&announced("2"), Body::from(vec![b' '; LIMIT + 1])).await;
        assert_eq!(lie.err(), Some(Problem::BODY_TOO_LARGE));
    }
}
