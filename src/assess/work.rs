//! What is kept on disk until there is a report, so that a run that was broken off goes on.
//!
//! `state.json` is replaced as a whole, after the records that it counts are written: a run that is killed at any moment
//! leaves a state and at least its records. Records beyond it are cut off when the work goes on. Only the owner may read
//! any of it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use idbridge_source::{Budget, Cursor};
use serde::{Deserialize, Serialize};

use super::keys::{Address, Key, Keys};
use super::person::Judged;
use super::tally::Tally;
use super::twins::Record;
use super::{Error, Options, Subject};
use crate::hex::hex;

const VERSION: u32 = 2;
const LAST_LOG_INS: &str = "last-login.json";

/// The folder of a run that isn't finished.
#[derive(Debug)]
pub struct Work {
    out: PathBuf,
    folder: PathBuf,
    /// Held while this process works here.
    _lock: File,
    records: Option<Appended>,
    /// The addresses themselves, if they are to be shown.
    shown: Option<Appended>,
}

/// `state.json`
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Saved {
    version: u32,
    pub(super) source: String,
    pub(super) options: Options,
    pub(super) began: i64,
    /// The random key; none if the settings have one.
    key: Option<String>,
    key_check: String,
    /// Tells the settings by which people were judged from any others.
    settings: String,
    /// Where the list goes on.
    pub(super) after: Option<String>,
    pub(super) is_listed: bool,
    pub(super) tally: Tally,
    /// The limits that the source has met so far, by name: another process may have met others.
    limits: BTreeMap<String, u32>,
    /// Bytes of the two files that count.
    records: u64,
    shown: u64,
}

#[derive(Debug)]
struct Appended {
    file: BufWriter<File>,
    length: u64,
}

impl Work {
    /// The work below this folder, which is made if it isn't there.
    pub fn in_folder(out: &Path) -> Result<Self, Error> {
        let folder = out.join("unfinished");
        let made = fs::create_dir_all(&folder).and_then(|()| private(&folder.join("lock")));
        let lock = made.map_err(|error| Error::Io("making the folder", error))?;
        lock.try_lock()
            .map_err(|_| Error::Foreign("another assessment is at work in this folder"))?;
        Ok(Self {
            out: out.to_owned(),
            folder,
            _lock: lock,
            records: None,
            shown: None,
        })
    }

    /// Whether a run was broken off here, and how many people it had read.
    pub fn goes_on(&self) -> Result<Option<u64>, Error> {
        Ok(self.saved()?.map(|saved| saved.tally.people))
    }

    /// Writes a file of the report, whole or not at all.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, Error> {
        let path = self.out.join(name);
        replace(&path, text.as_bytes()).map_err(|error| Error::Io("writing the report", error))?;
        Ok(path)
    }

    /// There is a report: nothing else stays, neither hashes nor a key.
    pub fn end(self) -> Result<(), Error> {
        fs::remove_dir_all(&self.folder).map_err(|error| Error::Io("removing the work", error))
    }

    pub(super) fn saved(&self) -> Result<Option<Saved>, Error> {
        let text = match fs::read(self.folder.join("state.json")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::Io("reading the work", error)),
        };
        let unreadable =
            Error::Foreign("the work in this folder can't be read; remove the folder `unfinished` to begin anew");
        serde_json::from_slice(&text).map(Some).map_err(|_| unreadable)
    }

    /// Opens the files for what comes after the saved work.
    pub(super) fn open(&mut self, saved: &Saved) -> Result<(), Error> {
        let open = |name: &str, length| Appended::open(&self.folder.join(name), length);
        let opened = open("addresses", saved.records).and_then(|records| Ok((records, open("shown", saved.shown)?)));
        let (records, shown) = opened.map_err(|error| Error::Io("opening the work", error))?;
        (self.records, self.shown) = (Some(records), Some(shown));
        Ok(())
    }

    pub(super) fn record(&mut self, address: Address, judged: &Judged, text: Option<&str>) -> Result<(), Error> {
        let written = (|| {
            let place = match (&mut self.shown, text) {
                (Some(shown), Some(text)) => {
                    Some(shown.append(format!("{}\n", serde_json::Value::from(text)).as_bytes())?)
                }
                _ => None,
            };
            if let Some(records) = &mut self.records {
                records.append(&Record::new(address, judged, place).bytes())?;
            }
            Ok(())
        })();
        written.map_err(|error| Error::Io("writing the work", error))
    }

    pub(super) fn save(&mut self, saved: &mut Saved) -> Result<(), Error> {
        let written = (|| {
            for (file, length) in [
                (&mut self.records, &mut saved.records),
                (&mut self.shown, &mut saved.shown),
            ] {
                if let Some(file) = file {
                    *length = file.flush()?;
                }
            }
            replace(&self.folder.join("state.json"), &serde_json::to_vec(saved)?)
        })();
        written.map_err(|error| Error::Io("saving the work", error))
    }

    /// Before everybody is read in vain: an earlier file stays, so it has to be this source's.
    pub(super) fn check_last_log_ins(&self, source: &str) -> Result<(), Error> {
        let text = match fs::read(self.out.join(LAST_LOG_INS)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::Io("reading the last log-ins", error)),
        };
        let told = serde_json::from_slice::<serde_json::Value>(&text).unwrap_or_default();
        (told["source"] == source).then_some(()).ok_or(Error::Foreign(
            "last-login.json in this folder is no list of this source's; choose another folder with --out",
        ))
    }

    /// An earlier file stays: our own calls have moved the times since then.
    pub(super) fn save_last_log_ins(&self, saved: &Saved) -> Result<(), Error> {
        let path = self.out.join(LAST_LOG_INS);
        if path.exists() {
            return Ok(());
        }
        let told = serde_json::json!({
            "source": saved.source,
            "taken_at": super::last_login::stamp(saved.began, "%Y-%m-%dT%H:%M:%SZ"),
            "people": saved.tally.people,
            "last_login": saved.tally.last_login.histogram(),
        });
        let written = replace(&path, format!("{told:#}\n").as_bytes());
        written.map_err(|error| Error::Io("saving the last log-ins", error))
    }

    pub(super) fn records(&self) -> io::Result<File> {
        File::open(self.folder.join("addresses"))
    }

    /// A new file for a sorted part.
    pub(super) fn run(&self, number: usize) -> io::Result<File> {
        let file = private(&self.folder.join(format!("run-{number}")))?;
        file.set_len(0)?;
        Ok(file)
    }

    /// The address that stands at this place.
    pub(super) fn shown(&self, place: u64) -> io::Result<String> {
        let mut file = BufReader::new(File::open(self.folder.join("shown"))?);
        file.seek(SeekFrom::Start(place))?;
        let mut line = String::new();
        file.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Saved {
    pub(super) fn new(subject: &Subject, options: Options, key: &Key, began: i64) -> Result<Self, Error> {
        let random = match key {
            Key::Audit(_) => None,
            Key::Random => {
                let mut bytes = [0; 32];
                aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Foreign("there are no random bytes to be had"))?;
                Some(hex(&bytes))
            }
        };
        let mut saved = Self {
            version: VERSION,
            source: subject.name.to_string(),
            options,
            began,
            key: random,
            key_check: String::new(),
            settings: String::new(),
            after: None,
            is_listed: false,
            tally: Tally::new(began),
            limits: BTreeMap::new(),
            records: 0,
            shown: 0,
        };
        let keys = Keys::new(saved.keys(key)?);
        let (key_check, settings) = (keys.check(), keys.of_settings(subject));
        (saved.key_check, saved.settings) = (key_check, settings);
        Ok(saved)
    }

    /// The key that the work's hashes were made with.
    pub(super) fn keys<'a>(&'a self, key: &'a Key) -> Result<&'a [u8], Error> {
        let key = key.exposed().or(self.key.as_deref().map(str::as_bytes));
        key.ok_or(Error::Foreign(
            "the work in this folder was begun with audit.hash_key, which isn't set any more",
        ))
    }

    pub(super) fn check(&self, subject: &Subject, options: Options, keys: &Keys) -> Result<(), Error> {
        let same = self.version == VERSION
            && self.source == *subject.name
            && self.options == options
            && self.key_check == keys.check()
            && self.settings == keys.of_settings(subject);
        same.then_some(()).ok_or(Error::Foreign(
            "the work in this folder was begun with another source, other settings of it or of [rest], other options or \
             another audit.hash_key; go on with the same, or remove the folder `unfinished` to begin anew",
        ))
    }

    /// Keeps what this process has learnt of the source's limits.
    pub(super) fn learn(&mut self, budget: Budget) {
        let measured = budget.limits.into_iter().filter(|limit| limit.is_measured);
        self.limits.extend(measured.map(|limit| (limit.name, limit.per_minute)));
    }

    /// This budget, with what earlier processes have learnt.
    pub(super) fn budget(&self, mut budget: Budget) -> Budget {
        for limit in budget.limits.iter_mut().filter(|limit| !limit.is_measured) {
            if let Some(measured) = self.limits.get(&limit.name) {
                (limit.per_minute, limit.is_measured) = (*measured, true);
            }
        }
        budget
    }

    pub(super) fn cursor(&self) -> Result<Option<Cursor>, Error> {
        let bad = Error::Foreign("the work in this folder can't be read; remove the folder `unfinished` to begin anew");
        self.after
            .as_deref()
            .map(|text| Cursor::parse(text).ok_or(bad))
            .transpose()
    }
}

impl Appended {
    fn open(path: &Path, length: u64) -> io::Result<Self> {
        let mut file = private(path)?;
        if file.metadata()?.len() < length {
            return Err(io::Error::other("less is there than was written"));
        }
        file.set_len(length)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file: BufWriter::new(file),
            length,
        })
    }

    /// Where it stands.
    fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let place = self.length;
        self.file.write_all(bytes)?;
        self.length += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(place)
    }

    fn flush(&mut self) -> io::Result<u64> {
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        Ok(self.length)
    }
}

/// A file that only its owner reads, as it is or empty.
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = private(&new)?;
    file.set_len(0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(new, path)
}
