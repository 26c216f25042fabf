use std::fmt;

use idbridge_source::{Email, ExposeSecret as _, Login, Password, Secret, Table, User, UserId};

/// One of `[[people]]`.
pub(crate) struct Person {
    /// As it is returned, apart from the two flags, which the rules decide.
    pub(crate) user: User,
    /// `None` with `status = "no_password"`.
    pub(crate) password: Option<Secret>,
    pub(crate) status: Status,
    pub(crate) second_factor: bool,
    pub(crate) password_expired: bool,
}

/// What became of the account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    Active,
    Denied,
    Disabled,
    Inactive,
    Locked,
    NoPassword,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        let row = Self::WORDS.into_iter().find(|(_, status)| *status == self);
        row.map_or("", |(word, _)| word)
    }

    pub(crate) const WORDS: [(&'static str, Self); 6] = [
        ("active", Self::Active),
        ("denied", Self::Denied),
        ("disabled", Self::Disabled),
        ("inactive", Self::Inactive),
        ("locked", Self::Locked),
        ("no_password", Self::NoPassword),
    ];
}

impl Person {
    /// Asks for every key before it gives up on any, so that all mistakes are seen at once.
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let id = table
            .text("id")
            .parse(|text| UserId::parse(&text).map_err(problem))
            .required();
        let login = table
            .text("login")
            .parse(|text| Login::parse(&text).map_err(problem))
            .required();
        let email = table
            .text("email")
            .parse(|text| Email::parse(&text).map_err(problem))
            .required();
        let status = table.choice("status", &Status::WORDS).or(Status::Active);
        let password = read_password(table, status);
        let second_factor = table.bool("second_factor").or(false);
        let password_expired = table.bool("password_expired").or(false);
        let optional = |key| table.text(key).optional();
        let user = User {
            email_verified: table.bool("email_verified").optional(),
            name: optional("name"),
            given_name: optional("given_name"),
            family_name: optional("family_name"),
            nickname: optional("nickname"),
            picture: optional("picture"),
            phone_number: optional("phone_number"),
            locale: optional("locale"),
            groups: table.list("groups").or(Vec::new()),
            ..User::new(id?, login?.as_str(), email?.as_str())
        };
        Some(Self {
            user,
            password: password?,
            status,
            second_factor,
            password_expired,
        })
    }

    /// Whether this is the password. How long it takes doesn't tell how much of it was right.
    pub(crate) fn has_password(&self, typed: &Password) -> bool {
        let Some(password) = &self.password else { return false };
        let (held, typed) = (password.expose_secret().as_bytes(), typed.expose().as_bytes());
        aws_lc_rs::constant_time::verify_slices_are_equal(held, typed).is_ok()
    }
}

/// `None` after a mistake; `Some(None)` for someone who has no password.
fn read_password(table: &Table<'_>, status: Status) -> Option<Option<Secret>> {
    if status == Status::NoPassword {
        if table.has("password") || table.has("password_file") {
            table.mistake("status", "is \"no_password\", and a password is given");
            return None;
        }
        return Some(None);
    }
    let file = table.has("password_file");
    let read = if file {
        table.secret("password", "password_file").optional()
    } else {
        // A secret has to fit a header; a password may be any text.
        let check = |text: String| Password::parse(text).map(|password| Secret::from(password.expose()));
        table
            .text("password")
            .parse(|text| check(text).map_err(problem))
            .required()
    };
    read.map(Some)
}

fn problem(error: impl fmt::Display) -> String {
    error.to_string()
}

impl fmt::Debug for Person {
    /// The id alone: the rest is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("id", &self.user.id)
            .finish_non_exhaustive()
    }
}
