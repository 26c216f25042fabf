//! What is sent to Okta, and what Okta sends, exactly as far as it is used. A doubled or missing key is an error, and so
//! is an array where Okta sends an object; `null` is absence where Okta may leave a key out.

mod object;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use object::Object;

/// `profile` of a user: base and custom attributes side by side.
pub(crate) type Profile = Map<String, Value>;

/// The body of `POST /api/v1/authn`, with the password in the clear.
#[derive(Serialize)]
pub(crate) struct LogIn<'a> {
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
}

/// An answer of `POST /api/v1/authn`.
#[derive(Deserialize)]
pub(crate) struct Transaction {
    pub(crate) status: String,
    #[serde(rename = "_embedded", default, deserialize_with = "object::optional")]
    pub(crate) embedded: Option<Embedded>,
}

#[derive(Default, Deserialize)]
pub(crate) struct Embedded {
    #[serde(default, deserialize_with = "object::optional")]
    pub(crate) user: Option<AuthnUser>,
    #[serde(default)]
    factors: Option<OneOrMore<Object<OpenFactor>>>,
    /// Okta's documents print an array under this name too.
    #[serde(default)]
    factor: Option<OneOrMore<Object<OpenFactor>>>,
}

#[derive(Deserialize)]
pub(crate) struct AuthnUser {
    pub(crate) id: Id,
    #[serde(default, deserialize_with = "object::optional_map")]
    pub(crate) profile: Option<Profile>,
}

/// A factor that a transaction offers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenFactor {
    factor_type: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    More(Vec<T>),
    One(T),
}

/// `GET /api/v1/users/{id}`, and an element of a search.
#[derive(Deserialize)]
pub(crate) struct UserRecord {
    pub(crate) id: Id,
    pub(crate) status: String,
    #[serde(deserialize_with = "object::map")]
    pub(crate) profile: Profile,
    #[serde(default, deserialize_with = "object::optional")]
    pub(crate) credentials: Option<Credentials>,
}

/// What a list tells beside [`UserRecord`]. Nothing here decides who gets in, so whatever can't be read is not known.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    #[serde(default)]
    pub(crate) created: Option<Value>,
    #[serde(default)]
    pub(crate) last_login: Option<Value>,
    #[serde(default)]
    credentials: Option<Value>,
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    #[serde(default, deserialize_with = "object::optional")]
    pub(crate) provider: Option<Provider>,
    /// Undocumented, and absent in many orgs.
    #[serde(default, deserialize_with = "object::optional_list")]
    pub(crate) emails: Option<Vec<EmailClaim>>,
}

#[derive(Deserialize)]
pub(crate) struct Provider {
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

#[derive(Deserialize)]
pub(crate) struct EmailClaim {
    #[serde(rename = "type", default)]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) value: Option<String>,
}

/// An element of `GET /api/v1/users/{id}/factors`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Factor {
    pub(crate) factor_type: String,
    pub(crate) status: String,
}

/// An element of `GET /api/v1/users/{id}/groups`.
#[derive(Deserialize)]
pub(crate) struct Group {
    #[serde(deserialize_with = "object::required")]
    pub(crate) profile: GroupProfile,
}

#[derive(Deserialize)]
pub(crate) struct GroupProfile {
    pub(crate) name: String,
}

/// `GET /.well-known/okta-organization`.
#[derive(Deserialize)]
pub(crate) struct Organization {
    #[serde(rename = "id")]
    pub(crate) _id: String,
    #[serde(default)]
    pipeline: Option<Value>,
}

/// Any error. The code is the only part that programs may go by.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorBody {
    pub(crate) error_code: String,
    /// Required, so that only an error of Okta's reads as one.
    #[serde(rename = "errorSummary")]
    _summary: String,
}

/// A user's id: letters and digits, so that it is one segment of a path, and never the token's own user.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub(crate) struct Id(String);

impl Organization {
    /// Which engine the org runs on.
    pub(crate) fn pipeline(&self) -> Option<&str> {
        self.pipeline.as_ref()?.as_str()
    }
}

impl Account {
    /// `credentials.password` is an empty object if there is one.
    pub(crate) fn has_password(&self) -> bool {
        let password = self
            .credentials
            .as_ref()
            .and_then(|credentials| credentials.get("password"));
        password.is_some_and(Value::is_object)
    }
}

impl Embedded {
    /// Whether the password is among the factors that are still to be shown.
    pub(crate) fn owes_password(&self) -> bool {
        self.open_factors()
            .any(|factor| factor.factor_type.trim().eq_ignore_ascii_case("password"))
    }

    /// Whether any factor is named: Okta always lists those that it asks for.
    pub(crate) fn names_factors(&self) -> bool {
        self.open_factors().next().is_some()
    }

    fn open_factors(&self) -> impl Iterator<Item = &OpenFactor> {
        let lists = [&self.factors, &self.factor];
        lists
            .into_iter()
            .flatten()
            .flat_map(OneOrMore::as_slice)
            .map(|factor| &factor.0)
    }
}

impl<T> OneOrMore<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::More(items) => items,
            Self::One(item) => std::slice::from_ref(item),
        }
    }
}

impl Id {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits && !text.eq_ignore_ascii_case("me") {
            Ok(Self(text))
        } else {
            Err("a user's id is 1 to 64 letters and digits")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> bool {
        serde_json::from_str::<Object<UserRecord>>(text).is_ok()
    }

    #[test]
    fn records_may_be_poor_but_not_ambiguous() {
        assert!(record(r#"{"id": "00u1", "status": "ACTIVE", "profile": {}}"#));
        assert!(record(
            r#"{"id": "00u1", "status": "ACTIVE", "profile": {}, "credentials": null, "more": [1]}"#
        ));
        assert!(record(
            r#"{"id": "00u1", "status": "X", "profile": {"login": null},
                "credentials": {"provider": null, "emails": [{"value": null}]}}"#
        ));
        for bad in [
            r#"{"status": "ACTIVE", "profile": {}}"#,
            r#"{"id": "00u1", "profile": {}}"#,
            r#"{"id": "00u1", "status": "ACTIVE"}"#,
            r#"{"id": "00u1", "id": "00u2", "status": "ACTIVE", "profile": {}}"#,
            r#"{"id": "00u1", "status": "ACTIVE", "status": "ACTIVE", "profile": {}}"#,
            r#"{"id": "00u1", "status": null, "profile": {}}"#,
            r#"{"id": 1, "status": "ACTIVE", "profile": {}}"#,
            r#"{"id": "00u1", "status": "ACTIVE", "profile": []}"#,
            r#"{"id": "00u1", "status": "ACTIVE", "profile": {"email": "a@b.c", "email": "d@b.c"}}"#,
            r#"{"id": "00u1", "status": "ACTIVE", "profile": {}, "credentials": [{"type": "OKTA"}, null]}"#,
            r#"["00u1", "ACTIVE", {}, null]"#,
            r#"[]"#,
            r#"null"#,
        ] {
            assert!(!record(bad), "{bad}");
        }
    }

    #[test]
    fn an_id_is_a_plain_segment() {
        for bad in ["", "me", "ME", ".", "..", "a/b", "%2e", "a b", "é", &"x".repeat(65)] {
            assert!(Id::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(Id::try_from("00u1a2B3".to_owned()).is_ok());
    }

    #[test]
    fn an_open_password_is_seen_in_every_shape() {
        let owes = |text: &str| {
            serde_json::from_str::<Embedded>(text)
                .expect("an embedded object")
                .owes_password()
        };
        assert!(owes(
            r#"{"factors": [{"factorType": "sms"}, {"factorType": "password"}]}"#
        ));
        assert!(owes(r#"{"factor": {"factorType": "password"}}"#));
        assert!(owes(r#"{"factor": [{"factorType": "password"}], "factors": []}"#));
        assert!(!owes(r#"{"factors": [{"factorType": "push"}], "factor": null}"#));
        assert!(!owes("{}"));
        assert!(
            serde_json::from_str::<Embedded>(r#"{"factors": [{"provider": "OKTA"}]}"#).is_err(),
            "a factor without a type may be the password"
        );
    }
}
