//! Who lives in the org. Nobody is stored: an address or an id says it all.

/// What those put before their address to log in whose login is not their address.
const LOGIN: &str = "login.";

/// A user of the org: an e-mail address of up to 30 letters, digits, `.`, `_`, `-` and one `@`.
///
/// The address is the login, and the id is made of it. `elsewhere-…` logs in as `login.elsewhere-…`; `unknown-…` and
/// `login.…` are nobody's addresses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Person {
    email: String,
}

impl Person {
    /// Whom a path names: an id or a login.
    pub(super) fn named(key: &str) -> Option<Self> {
        Self::by_login(key).or_else(|| Self::by_id(key))
    }

    pub(super) fn by_login(login: &str) -> Option<Self> {
        match login.strip_prefix(LOGIN) {
            Some(email) => Self::by_email(email).filter(Self::is_elsewhere),
            None => Self::by_email(login).filter(|person| !person.is_elsewhere()),
        }
    }

    pub(super) fn by_email(email: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'@');
        let is_address = email.split('@').filter(|part| !part.is_empty()).count() == 2;
        let nobody = email.starts_with("unknown-") || email.starts_with(LOGIN);
        let exists = is_address && !nobody && email.len() <= 30 && email.bytes().all(plain);
        exists.then(|| Self {
            email: email.to_owned(),
        })
    }

    pub(super) fn by_id(id: &str) -> Option<Self> {
        let digits = id.strip_prefix("00u")?.as_bytes();
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        Self::by_email(&String::from_utf8(bytes?).ok()?)
    }

    /// `00u` and up to 60 hexadecimal digits: an id has up to 64 letters and digits.
    pub(super) fn id(&self) -> String {
        let mut id = String::with_capacity(3 + 2 * self.email.len());
        id.push_str("00u");
        for byte in self.email.bytes() {
            for digit in [byte >> 4, byte & 15] {
                id.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        id
    }

    pub(super) fn login(&self) -> String {
        let prefix = if self.is_elsewhere() { LOGIN } else { "" };
        [prefix, &self.email].concat()
    }

    pub(super) fn email(&self) -> &str {
        &self.email
    }

    fn is_elsewhere(&self) -> bool {
        self.email.starts_with("elsewhere-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_person() {
        let ada = Person::by_login("ada-000042@bench.test").unwrap();
        assert_eq!(Person::by_id(&ada.id()).unwrap(), ada);
        assert_eq!(Person::named(&ada.id()).unwrap().email(), "ada-000042@bench.test");
        let longest = Person::by_login(&format!("{}@bench.test", "z".repeat(19))).unwrap();
        assert!(longest.id().len() <= 64 && longest.id().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        for nobody in ["00uzz", "00u", "00u61", ""] {
            assert_eq!(Person::by_id(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn an_address_elsewhere_is_no_login() {
        let person = Person::by_email("elsewhere-7@bench.test").unwrap();
        assert_eq!(Person::by_login("elsewhere-7@bench.test"), None);
        assert_eq!(person.login(), "login.elsewhere-7@bench.test");
        assert_eq!(Person::by_login(&person.login()).unwrap(), person);
        assert_eq!(Person::by_login("login.ada@bench.test"), None);
    }

    #[test]
    fn the_unknown_are_nobody() {
        for nobody in [
            "unknown-1@bench.test",
            "a\"b@bench.test",
            "@bench.test",
            "ada",
            "a@b@c",
            "ada@",
        ] {
            assert_eq!(Person::by_login(nobody), None, "{nobody}");
            assert_eq!(Person::by_email(nobody), None, "{nobody}");
        }
    }
}
