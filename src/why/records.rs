//! The last audit records of a log file. It is read from its end, piece by piece, so that its size doesn't matter.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::telemetry::audit::TARGET;

/// How many records are told.
pub const RECORDS: usize = 20;
/// How much is read at once.
const PIECE: usize = 256 * 1024;
/// A longer line isn't ours: the fields of a record are short.
const LINE: usize = 64 * 1024;
/// How far back it goes: support has somebody on the phone.
const REACH: u64 = 1024 * 1024 * 1024;

/// A file that is there and can be read.
#[derive(Debug)]
pub struct AuditFile {
    file: File,
    bytes: u64,
}

/// What was found, the newest first.
#[derive(Debug, Default, Serialize)]
pub struct Found {
    pub records: Vec<Record>,
    /// Lines that are no record of ours: no JSON, or too long.
    pub unreadable_lines: u64,
    /// There may be older ones that nobody looked for.
    pub looked_at_all: bool,
    pub bytes_read: u64,
}

/// One attempt.
#[derive(Debug, Deserialize, Serialize)]
pub struct Record {
    pub timestamp: Option<String>,
    pub request_id: Option<String>,
    pub caller: Option<String>,
    pub operation: Option<String>,
    pub source: Option<String>,
    pub outcome: Option<String>,
    pub duration_ms: Option<f64>,
    #[serde(skip_serializing)]
    identifier: Option<String>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    target: Option<Cow<'a, str>>,
}

/// Whose records are wanted: either of them is enough.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub identifier_hash: Option<String>,
    pub request_id: Option<String>,
}

impl AuditFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        // Asked before it is opened: a pipe would be waited for, for ever.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no file"));
        }
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { file, bytes })
    }

    /// The last records of this person or this call.
    pub fn last(&self, wanted: &Wanted) -> io::Result<Found> {
        self.last_within(wanted, PIECE, REACH)
    }

    fn last_within(&self, wanted: &Wanted, piece: usize, reach: u64) -> io::Result<Found> {
        let mut found = Found::default();
        let first = self.bytes.saturating_sub(reach);
        let (mut at, mut is_last) = (self.bytes, true);
        // The end of a line whose beginning was not read yet. `None`: the line is too long to keep.
        let mut tail: Option<Vec<u8>> = Some(Vec::new());
        while at > first && found.records.len() < RECORDS {
            let size = usize::try_from(at - first).map_or(piece, |left| left.min(piece));
            at -= size as u64;
            let mut bytes = vec![0; size];
            self.file.read_exact_at(&mut bytes, at)?;
            found.bytes_read += size as u64;
            while let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
                let begun = bytes.split_off(end + 1);
                bytes.pop();
                let line = whole(begun, tail.take());
                tail = Some(Vec::new());
                found.take(line.as_deref(), wanted, std::mem::take(&mut is_last));
                if found.records.len() == RECORDS {
                    return Ok(found);
                }
            }
            tail = whole(bytes, tail);
        }
        found.looked_at_all = at == 0;
        if found.looked_at_all {
            found.take(tail.as_deref(), wanted, is_last);
        }
        Ok(found)
    }
}

/// A line of its beginning and its end; `None` if that is more than a line may have.
fn whole(mut begin: Vec<u8>, end: Option<Vec<u8>>) -> Option<Vec<u8>> {
    begin.extend(end?);
    (begin.len() <= LINE).then_some(begin)
}

impl Found {
    /// `is_last`: it may be half written.
    fn take(&mut self, line: Option<&[u8]>, wanted: &Wanted, is_last: bool) {
        match line.map(parse) {
            Some(Ok(Some(record))) if wanted.is(&record) && self.records.len() < RECORDS => self.records.push(record),
            Some(Ok(_)) => {}
            Some(Err(())) if is_last => {}
            Some(Err(())) | None => self.unreadable_lines += 1,
        }
    }
}

/// `Ok(None)`: another record of the log, or an empty line.
fn parse(line: &[u8]) -> Result<Option<Record>, ()> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    // An array would do for a struct, too.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(());
    }
    let Line { target } = serde_json::from_slice(line).map_err(drop)?;
    if target.as_deref() != Some(TARGET) {
        return Ok(None);
    }
    serde_json::from_slice(line).map(Some).map_err(drop)
}

impl Wanted {
    fn is(&self, record: &Record) -> bool {
        let is = |wanted: &Option<String>, has: &Option<String>| wanted.is_some() && wanted == has;
        is(&self.identifier_hash, &record.identifier) || is(&self.request_id, &record.request_id)
    }
}

#[cfg(test)]
mod tests;
