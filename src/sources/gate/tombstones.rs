//! Who has gone: ids in the source, from a file that is read again whenever it changes.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use idbridge_source::UserId;
use tokio::time::{MissedTickBehavior, interval};

use crate::telemetry::metrics::Metrics;

/// How often the file is looked at. It is read once it is the same at two looks.
const EVERY: Duration = Duration::from_secs(1);

/// A million ids and more. A larger file is a mistaken path.
const FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The list of one source, shared by all workers.
pub struct Tombstones {
    source: Arc<str>,
    path: PathBuf,
    /// What stands before this source's ids elsewhere, and never in this file.
    id_prefix: String,
    ids: RwLock<HashSet<UserId>>,
    file: Mutex<Known>,
}

/// What is known of the file.
#[derive(Debug, Default)]
struct Known {
    /// As it was when it was read.
    read: Option<Stamp>,
    /// As it was at the last look.
    seen: Option<Stamp>,
    /// Why the list is an old one.
    problem: Option<Unreadable>,
}

/// What changes with the file: device, inode, size, times.
type Stamp = [u64; 7];

/// Why there is no list. It quotes nothing of the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unreadable {
    /// Not even a comment: more likely a file that somebody has begun to write than a list of nobody.
    Empty,
    Io(io::ErrorKind),
    /// A line that is no id in the source.
    Line(usize, &'static str),
    NoFile,
    TooLarge,
}

impl Tombstones {
    /// The list in this file.
    pub fn read(source: &str, path: &Path, id_prefix: &str) -> Result<Self, Unreadable> {
        let (stamp, ids) = read(path, id_prefix)?;
        let list = Self::unread(source, path, id_prefix);
        *list.ids.write().unwrap_or_else(PoisonError::into_inner) = ids;
        list.known().read = Some(stamp);
        Ok(list)
    }

    /// An empty list, for settings whose files stay closed.
    pub fn unread(source: &str, path: &Path, id_prefix: &str) -> Self {
        Self {
            source: source.into(),
            path: path.to_owned(),
            id_prefix: id_prefix.to_owned(),
            ids: RwLock::default(),
            file: Mutex::default(),
        }
    }

    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    pub fn hold(&self, id: &UserId) -> bool {
        self.ids.read().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    /// Keeps the list what the file says, for ever, and tells of each new one. While the file can't be read, the last
    /// good list stands.
    pub async fn follow(self: Arc<Self>, metrics: Arc<Metrics>, changed: impl Fn() + Send + Sync + 'static) {
        let changed = Arc::new(changed);
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (list, metrics, changed) = (Arc::clone(&self), Arc::clone(&metrics), Arc::clone(&changed));
            // Files answer when they like, and the runtime has others to serve.
            let looked = tokio::task::spawn_blocking(move || {
                if list.look(&metrics) {
                    changed();
                }
            })
            .await;
            if looked.is_err_and(|ended| ended.is_cancelled()) {
                return;
            }
        }
    }

    /// Whether there is a new list.
    fn look(&self, metrics: &Metrics) -> bool {
        let mut known = self.known();
        let changed = self.changed(&mut known);
        let is_new = matches!(changed, Ok(Some(_)));
        match changed {
            Ok(None) => {}
            Ok(Some(ids)) => {
                known.problem = None;
                tracing::info!(source = %self.source, count = ids.len(), "The tombstones were read.");
                *self.ids.write().unwrap_or_else(PoisonError::into_inner) = ids;
            }
            Err(problem) => {
                known.read = None; // so that it is read as soon as it can be
                if known.problem.replace(problem) != Some(problem) {
                    tracing::error!(
                        source = %self.source, %problem, "The tombstones can't be read; the last good list stands."
                    );
                }
            }
        }
        let count = self.ids.read().unwrap_or_else(PoisonError::into_inner).len();
        metrics.tombstones(&self.source, count, known.problem.is_none());
        is_new
    }

    /// The list of a file that is another than the one that was read, and that nobody writes to any more.
    fn changed(&self, known: &mut Known) -> Result<Option<HashSet<UserId>>, Unreadable> {
        let now = stamp(&fs::metadata(&self.path)?);
        let before = known.seen.replace(now);
        if known.read == Some(now) || before != Some(now) {
            return Ok(None);
        }
        let (stamp, ids) = read(&self.path, &self.id_prefix)?;
        known.read = Some(stamp);
        Ok(Some(ids))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path, id_prefix: &str) -> Result<(Stamp, HashSet<UserId>), Unreadable> {
    // Asked before it is opened: a pipe would be waited for, for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(Unreadable::NoFile);
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.len() > FILE_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let mut text = String::new();
    // What it gains while it is read is read next time.
    file.take(metadata.len()).read_to_string(&mut text)?;
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    Ok((stamp(&metadata), parse(&text, id_prefix)?))
}

fn stamp(metadata: &Metadata) -> Stamp {
    let time = |time: i64| time.cast_unsigned();
    [
        metadata.dev(),
        metadata.ino(),
        metadata.len(),
        time(metadata.mtime()),
        time(metadata.mtime_nsec()),
        time(metadata.ctime()),
        time(metadata.ctime_nsec()),
    ]
}

/// An id a line. `#` begins a comment at a line's start and after white space.
///
/// What is no id alone is a mistake, and so is the whole list: ids that match nobody would let everybody back in.
fn parse(text: &str, id_prefix: &str) -> Result<HashSet<UserId>, Unreadable> {
    const ROW: [char; 3] = ['"', ',', ';'];
    // Some editors begin a file with a mark of its encoding.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut ids = HashSet::new();
    for (line, number) in text.lines().zip(1..) {
        let id = without_comment(line).trim();
        if id.is_empty() {
            continue;
        }
        if id.contains(|c: char| c.is_whitespace() || ROW.contains(&c)) {
            return Err(Unreadable::Line(
                number,
                "has more than an id; a line is an id, without quotation marks, commas and further columns",
            ));
        }
        let is_prefix = |before: &str| {
            [id_prefix, "auth0"]
                .iter()
                .any(|prefix| before.eq_ignore_ascii_case(prefix))
        };
        if id.split_once('|').is_some_and(|(before, _)| is_prefix(before)) {
            return Err(Unreadable::Line(
                number,
                "has an id with its prefix; the id in the source is wanted",
            ));
        }
        ids.insert(UserId::parse(id).map_err(|_| Unreadable::Line(number, "is no id"))?);
    }
    Ok(ids)
}

fn without_comment(line: &str) -> &str {
    let begins = |(at, _): &(usize, &str)| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices('#').find(begins).map_or(line, |(at, _)| &line[..at])
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty; a comment line says that nobody has gone"),
            Self::Io(kind) => write!(f, "can't be read: {kind}"),
            Self::Line(number, problem) => write!(f, "can't be used: line {number} {problem}"),
            Self::NoFile => f.write_str("is no file"),
            Self::TooLarge => f.write_str("is too large: 64 MiB at the most"),
        }
    }
}

impl std::error::Error for Unreadable {}

impl fmt::Debug for Tombstones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tombstones")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
