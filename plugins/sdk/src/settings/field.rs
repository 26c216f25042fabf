/// What a table said under one key. A mistake has been reported by the time this exists, so a reader goes on with a
/// default and finds the others.
///
/// | | not said | mistaken | said well |
/// | --- | --- | --- | --- |
/// | [`or`](Self::or) | the default | the default | the value |
/// | [`optional`](Self::optional) | `None` | `None` | `Some` |
/// | [`required`](Self::required) | `None`, and a mistake: `is required` | `None` | `Some` |
/// | [`is_present`](Self::is_present) | `false` | `true` | `true` |
/// | [`parse`](Self::parse) | stays so | stays so | asks the closure |
///
/// So one slip is one mistake: what is mistaken already isn't called missing as well.
#[derive(Debug)]
#[must_use]
pub struct Field<'a, T> {
    pub(super) table: &'a super::Table<'a>,
    pub(super) key: &'static str,
    pub(super) read: Read<T>,
}

#[derive(Debug)]
pub(super) enum Read<T> {
    Absent,
    Mistaken,
    Said(T),
}

impl<'a, T> Field<'a, T> {
    /// The value, or this default.
    pub fn or(self, default: T) -> T {
        self.optional().unwrap_or(default)
    }

    /// The value, if there is one.
    pub fn optional(self) -> Option<T> {
        match self.read {
            Read::Said(value) => Some(value),
            Read::Absent | Read::Mistaken => None,
        }
    }

    /// The value; that there is none is a mistake. It is reported where the table begins.
    pub fn required(self) -> Option<T> {
        if matches!(self.read, Read::Absent) {
            self.table.mistake(self.key, "is required");
        }
        self.optional()
    }

    /// Whether the key was said at all, well or badly: for keys that exclude or need each other.
    pub fn is_present(&self) -> bool {
        !matches!(self.read, Read::Absent)
    }

    /// Parses further. An `Err` is the problem to report, without the value: it may be a secret in the wrong place.
    pub fn parse<U, P: Into<String>>(self, parse: impl FnOnce(T) -> Result<U, P>) -> Field<'a, U> {
        let Self { table, key, read } = self;
        let read = match read {
            Read::Absent => Read::Absent,
            Read::Mistaken => Read::Mistaken,
            Read::Said(value) => match parse(value) {
                Ok(parsed) => Read::Said(parsed),
                Err(problem) => {
                    table.mistake(key, problem);
                    Read::Mistaken
                }
            },
        };
        Field { table, key, read }
    }
}
