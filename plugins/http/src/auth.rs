//! How idbridge shows the upstream who it is: `auth` of the settings.

use std::fmt;
use std::time::UNIX_EPOCH;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, header};
use idbridge_outbound::Request;
use idbridge_source::{Clock, ExposeSecret as _, Field, Secret, Table};

use crate::request::Built;
use crate::token::Client;

pub(crate) enum Auth {
    ClientCredentials(Box<Client>),
    /// The same header for all.
    Fixed(HeaderName, HeaderValue),
    Hmac(Box<Hmac>),
    None,
}

/// A signature over what is sent.
pub(crate) struct Hmac {
    key: hmac::Key,
    name: HeaderName,
    signed: Vec<Part>,
    separator: String,
    prefix: String,
    encoding: Encoding,
    timestamp: Option<HeaderName>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Body,
    Method,
    Path,
    Timestamp,
}

#[derive(Clone, Copy)]
enum Encoding {
    Base64,
    Hex,
}

#[derive(Clone, Copy)]
enum Kind {
    Basic,
    Bearer,
    Header,
    Hmac,
    OAuth,
}

const KINDS: [(&str, Kind); 5] = [
    ("basic", Kind::Basic),
    ("bearer", Kind::Bearer),
    ("header", Kind::Header),
    ("hmac", Kind::Hmac),
    ("oauth", Kind::OAuth),
];

const ENCODINGS: [(&str, Encoding); 2] = [("base64", Encoding::Base64), ("hex", Encoding::Hex)];

const PARTS: [(&str, Part); 4] = [
    ("body", Part::Body),
    ("method", Part::Method),
    ("path", Part::Path),
    ("timestamp", Part::Timestamp),
];

/// Set by the client, or decided by HTTP itself.
const NOT_OURS: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

impl Auth {
    /// `None` if there is a mistake.
    pub(crate) fn read(settings: &Table<'_>) -> Option<Self> {
        let Some(table) = settings.table("auth") else {
            return Some(Self::None);
        };
        let auth = Self::read_kind(&table);
        table.finish();
        auth
    }

    pub(crate) fn read_kind(table: &Table<'_>) -> Option<Self> {
        match table.choice("kind", &KINDS).required()? {
            Kind::Basic => basic_of(table),
            Kind::Bearer => {
                let token = table.secret("token", "token_file").required();
                token.and_then(|token| authorization(&format!("Bearer {}", token.expose_secret())))
            }
            Kind::Header => {
                let name = header_name(table, "name").or(header::AUTHORIZATION);
                let value = table.secret("value", "value_file").required();
                value
                    .and_then(|value| sensitive(value.expose_secret()))
                    .map(|value| Self::Fixed(name, value))
            }
            Kind::Hmac => Hmac::read(table).map(|hmac| Self::Hmac(Box::new(hmac))),
            Kind::OAuth => Client::read(table).map(|client| Self::ClientCredentials(Box::new(client))),
        }
    }
}

impl Hmac {
    fn read(table: &Table<'_>) -> Option<Self> {
        let key = table.secret("key", "key_file").required();
        let name = header_name(table, "name").required();
        let signed = table.list("signed").parse(parts).or(vec![Part::Body]);
        let separator = table.text("separator").or(".".to_owned());
        let prefix = table.text("prefix").parse(visible).or(String::new());
        let encoding = table.choice("encoding", &ENCODINGS).or(Encoding::Hex);
        let timestamp = header_name(table, "timestamp_header");
        if signed.contains(&Part::Timestamp) && !timestamp.is_present() {
            table.mistake("timestamp_header", "is required, since the timestamp is signed");
        }
        Some(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key?.expose_secret().as_bytes()),
            name: name?,
            signed,
            separator,
            prefix,
            encoding,
            timestamp: timestamp.optional(),
        })
    }

    /// The header with the signature, and the one with the time.
    pub(crate) fn sign(&self, request: Request, built: &Built, clock: &dyn Clock) -> Request {
        let now = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = now.as_secs().to_string();
        let mut context = hmac::Context::with_key(&self.key);
        for (number, part) in self.signed.iter().enumerate() {
            if number > 0 {
                context.update(self.separator.as_bytes());
            }
            match part {
                Part::Body => context.update(built.body.as_ref().map_or(&[][..], |(_, body)| body)),
                Part::Method => context.update(built.method.as_str().as_bytes()),
                Part::Path => context.update(built.path_and_query.as_bytes()),
                Part::Timestamp => context.update(timestamp.as_bytes()),
            }
        }
        let tag = context.sign();
        let text = match self.encoding {
            Encoding::Base64 => STANDARD.encode(tag.as_ref()),
            Encoding::Hex => tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let headers = [
            (Some(&self.name), format!("{}{text}", self.prefix)),
            (self.timestamp.as_ref(), timestamp),
        ];
        headers.into_iter().fold(request, |request, (name, value)| {
            match (name, HeaderValue::try_from(value)) {
                (Some(name), Ok(value)) => request.header(name.clone(), value),
                _ => request,
            }
        })
    }
}

/// Literal headers of every request.
pub(crate) fn headers(table: &Table<'_>) -> Vec<(HeaderName, HeaderValue)> {
    table
        .list("headers")
        .parse(|items| {
            let parse = |(index, item): (usize, &String)| {
                let number = index + 1;
                let (name, value) = item
                    .split_once(':')
                    .ok_or_else(|| format!("item {number} isn't \"Name: value\""))?;
                let name = parse_name(name).map_err(|problem| format!("item {number} {problem}"))?;
                if name == header::AUTHORIZATION {
                    return Err(format!("item {number} holds a credential, which stands in `auth`"));
                }
                let value = HeaderValue::from_str(value.trim())
                    .ok()
                    .filter(|value| value.to_str().is_ok());
                Ok((
                    name,
                    value.ok_or_else(|| format!("item {number} has a character that a header can't carry"))?,
                ))
            };
            items.iter().enumerate().map(parse).collect::<Result<Vec<_>, String>>()
        })
        .or(Vec::new())
}

/// HTTP Basic credentials (RFC 7617); a user name has no colon there.
pub(crate) fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    if user.contains(':') {
        return None;
    }
    sensitive(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

fn basic_of(table: &Table<'_>) -> Option<Auth> {
    let user = table.text("user").parse(|user| {
        if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
            Err("is empty, or has a colon or a control character")
        } else {
            Ok(user)
        }
    });
    let (user, password) = (user.required(), table.secret("password", "password_file").required());
    let value = basic(&user?, password?.expose_secret())?;
    Some(Auth::Fixed(header::AUTHORIZATION, value))
}

fn authorization(text: &str) -> Option<Auth> {
    sensitive(text).map(|value| Auth::Fixed(header::AUTHORIZATION, value))
}

/// Not shown by `Debug`, and not kept in HTTP/2's tables.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn header_name<'a>(table: &'a Table<'a>, key: &'static str) -> Field<'a, HeaderName> {
    table.text(key).parse(|text| parse_name(&text))
}

fn parse_name(text: &str) -> Result<HeaderName, &'static str> {
    let name: HeaderName = text.parse().map_err(|_| "is no header's name")?;
    if NOT_OURS.contains(&name) {
        return Err("is a header that can't be set");
    }
    Ok(name)
}

fn parts(items: Vec<String>) -> Result<Vec<Part>, String> {
    let parse = |item: &String| PARTS.iter().find(|(word, _)| word == item).map(|(_, part)| *part);
    let parts: Option<Vec<Part>> = items.iter().map(parse).collect();
    parts
        .filter(|parts| !parts.is_empty())
        .ok_or_else(|| "may list \"body\", \"method\", \"path\" and \"timestamp\", and at least one".to_owned())
}

fn visible(text: String) -> Result<String, &'static str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        Ok(text)
    } else {
        Err("has a character that a header can't carry")
    }
}

/// A secret as the value of a form's item.
pub(crate) fn exposed(secret: &Secret) -> String {
    crate::template::percent_encoded(secret.expose_secret())
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fixed(..) => "Fixed(…)",
            Self::Hmac(_) => "Hmac(…)",
            Self::None => "None",
            Self::ClientCredentials(_) => "ClientCredentials(…)",
        })
    }
}
