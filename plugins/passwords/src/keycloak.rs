//! Keycloak's credentials: `{"secretData": …, "credentialData": …}`, each an object or the text of one, as its tables and
//! its exports have them (keycloak/keycloak, `PasswordCredentialModel`).

use serde_json::Value;

use crate::argon2::Argon2;
use crate::encoding::base64;
use crate::pbkdf2::Pbkdf2;
use crate::{Scheme, Unreadable};

pub(crate) fn read(text: &str) -> Result<Scheme, Unreadable> {
    let whole: Value = serde_json::from_str(text).map_err(|_| Unreadable::Malformed)?;
    let secret = part(&whole, "secretData", "secret_data")?;
    let credential = part(&whole, "credentialData", "credential_data")?;
    let digest = base64(text_of(&secret, "value")?)?;
    let salt = base64(text_of(&secret, "salt")?)?;
    let iterations = credential["hashIterations"].as_u64().ok_or(Unreadable::Malformed)?;
    match text_of(&credential, "algorithm")? {
        "pbkdf2" => Pbkdf2::new("sha1", iterations, salt, digest).map(Scheme::Pbkdf2),
        "pbkdf2-sha256" => Pbkdf2::new("sha256", iterations, salt, digest).map(Scheme::Pbkdf2),
        "pbkdf2-sha512" => Pbkdf2::new("sha512", iterations, salt, digest).map(Scheme::Pbkdf2),
        "argon2" => {
            let parameters = &credential["additionalParameters"];
            let first = |name: &str| parameters[name][0].as_str().ok_or(Unreadable::Malformed);
            let count = |name: &str| first(name).and_then(|text| crate::number(text, u64::from(u32::MAX)));
            let time = u32::try_from(iterations).map_err(|_| Unreadable::Absurd)?;
            let (memory, lanes) = (count("memory")?, count("parallelism")?);
            Argon2::new(first("type")?, first("version")?, memory, time, lanes, salt, digest).map(Scheme::Argon2)
        }
        _ => Err(Unreadable::Unknown),
    }
}

fn part(whole: &Value, name: &str, column: &str) -> Result<Value, Unreadable> {
    match whole.get(name).or_else(|| whole.get(column)) {
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| Unreadable::Malformed),
        Some(part @ Value::Object(_)) => Ok(part.clone()),
        _ => Err(Unreadable::Malformed),
    }
}

fn text_of<'a>(part: &'a Value, name: &str) -> Result<&'a str, Unreadable> {
    part.get(name).and_then(Value::as_str).ok_or(Unreadable::Malformed)
}
