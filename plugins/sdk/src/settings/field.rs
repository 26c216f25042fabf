/// What a table said under one key. A mistake has been reported by the time this exists, so a reader goes on with a
/// default and finds the others.
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

    /// The value; that there is none is a mistake.
    pub fn required(self) -> Option<T> {
        if matches!(self.read, Read::Absent) {
            self.table.mistake(self.key, "is required");
        }
        self.optional()
    }

    /// Whether the key was said at all, well or badly.
    pub fn is_present(&self) -> bool {
        !matches!(self.read, Read::Absent)
    }

    /// Parses further. An `Err` is the problem to report, without the value.
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
