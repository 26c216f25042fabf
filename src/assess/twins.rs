//! Addresses that several people have, or that differ in case or accents alone.
//!
//! Each address is a record of four numbers in a file. Here the file is sorted in chunks, each chunk is a file again, and
//! the chunks are merged: memory holds one chunk, whatever the number of people.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};

use super::keys::Address;
use super::person::Judged;
use super::work::{Saved, Work};
use super::{Error, Options};

/// Records in memory at a time: 1 MiB.
const CHUNK: usize = 32 * 1024;
const BYTES: usize = 32;
/// Groups of each sort that are named in the report.
const EXAMPLES: usize = 10;
/// The marks of somebody who can move, and of somebody whom a password reset could bring, beside the place where the
/// address stands.
const CAN_MOVE: u64 = 1 << 63;
const COMES_BY_RESET: u64 = 1 << 62;
const PLACE: u64 = COMES_BY_RESET - 1;

/// One address: by its three readings, and whose it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Record {
    address: Address,
    /// The marks, and 1 + where the address stands among the shown ones, or 0.
    tag: u64,
}

#[derive(Debug, Default)]
pub(super) struct Twins {
    /// The same spelling.
    pub(super) duplicates: Group,
    /// The same identifier in several spellings.
    pub(super) case: Group,
    /// Several identifiers that differ in accents alone.
    pub(super) accent: Group,
    /// People who can move and whose address another who can move has too.
    pub(super) contested: u64,
    /// People whom a reset could bring, if their address didn't name another too: a look-up of two is an error.
    pub(super) ambiguous: u64,
}

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) addresses: u64,
    pub(super) people: u64,
    pub(super) examples: Vec<String>,
}

impl Record {
    pub(super) fn new(address: Address, judged: &Judged, place: Option<u64>) -> Self {
        let mark = |is: bool, mark| if is { mark } else { 0 };
        let place = place.map_or(0, |place| (place + 1) & PLACE);
        Self {
            address,
            tag: mark(judged.can_move(), CAN_MOVE) | mark(judged.comes_by_reset, COMES_BY_RESET) | place,
        }
    }

    pub(super) fn bytes(&self) -> [u8; BYTES] {
        let Address {
            skeleton,
            identifier,
            spelling,
        } = self.address;
        let mut bytes = [0; BYTES];
        for (part, number) in bytes
            .chunks_exact_mut(8)
            .zip([skeleton, identifier, spelling, self.tag])
        {
            part.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut bytes = [0; BYTES];
        match from.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut numbers = bytes.chunks_exact(8).map(|part| {
            let mut number = [0; 8];
            number.copy_from_slice(part);
            u64::from_be_bytes(number)
        });
        let mut next = || numbers.next().unwrap_or_default();
        let address = Address {
            skeleton: next(),
            identifier: next(),
            spelling: next(),
        };
        Ok(Some(Self { address, tag: next() }))
    }

    fn can_move(&self) -> bool {
        self.tag & CAN_MOVE != 0
    }

    fn comes_by_reset(&self) -> bool {
        self.tag & COMES_BY_RESET != 0
    }

    fn place(&self) -> Option<u64> {
        (self.tag & PLACE).checked_sub(1)
    }
}

/// Sorts all records, and looks at those that lie together.
pub(super) fn find(work: &Work, saved: &Saved) -> Result<Twins, Error> {
    let io = |error| Error::Io("sorting addresses", error);
    let mut runs = sorted_runs(work).map_err(io)?;
    let mut heap = BinaryHeap::new();
    for (index, run) in runs.iter_mut().enumerate() {
        heap.extend(Record::read(run).map_err(io)?.map(|record| Reverse((record, index))));
    }
    let mut finder = Finder::default();
    while let Some(Reverse((record, index))) = heap.pop() {
        if let Some(run) = runs.get_mut(index) {
            heap.extend(Record::read(run).map_err(io)?.map(|record| Reverse((record, index))));
        }
        finder.next(record);
    }
    finder.end();
    let mut twins = finder.twins;
    for (group, records) in [
        (&mut twins.duplicates, finder.duplicates),
        (&mut twins.case, finder.case),
        (&mut twins.accent, finder.accent),
    ] {
        for record in records {
            group.examples.push(label(work, saved.options, record).map_err(io)?);
        }
    }
    Ok(twins)
}

/// Without the address its hash stands there, which is equal for case twins.
fn label(work: &Work, options: Options, record: Record) -> io::Result<String> {
    match record.place().filter(|_| options.show) {
        Some(place) => work.shown(place),
        None => Ok(format!("{:016x}", record.address.identifier)),
    }
}

fn sorted_runs(work: &Work) -> io::Result<Vec<BufReader<File>>> {
    let mut all = BufReader::new(work.records()?);
    let mut runs = Vec::new();
    loop {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK {
            let Some(record) = Record::read(&mut all)? else { break };
            chunk.push(record);
        }
        if chunk.is_empty() {
            return Ok(runs);
        }
        chunk.sort_unstable();
        let mut run = BufWriter::new(work.run(runs.len())?);
        for record in &chunk {
            run.write_all(&record.bytes())?;
        }
        let mut file = run.into_inner().map_err(io::IntoInnerError::into_error)?;
        io::Seek::rewind(&mut file)?;
        runs.push(BufReader::new(file));
    }
}

/// Sees the records in order: one skeleton after the other, in it one identifier after the other, in it the spellings.
#[derive(Default)]
struct Finder {
    twins: Twins,
    duplicates: Vec<Record>,
    case: Vec<Record>,
    accent: Vec<Record>,
    last: Option<Record>,
    of_skeleton: Seen,
    of_identifier: Seen,
    of_spelling: Seen,
}

/// Those alike so far.
#[derive(Default)]
struct Seen {
    people: u64,
    can_move: u64,
    come_by_reset: u64,
    /// Different ones one level below.
    parts: u64,
}

impl Finder {
    fn next(&mut self, record: Record) {
        let last = self.last.map(|last| last.address);
        let new_skeleton = last.is_none_or(|last| last.skeleton != record.address.skeleton);
        let new_identifier = new_skeleton || last.is_none_or(|last| last.identifier != record.address.identifier);
        let new_spelling = new_identifier || last.is_none_or(|last| last.spelling != record.address.spelling);
        if new_spelling {
            self.end_spelling();
        }
        if new_identifier {
            self.end_identifier();
        }
        if new_skeleton {
            self.end_skeleton();
        }
        self.of_identifier.parts += u64::from(new_spelling);
        self.of_skeleton.parts += u64::from(new_identifier);
        for seen in [&mut self.of_spelling, &mut self.of_identifier, &mut self.of_skeleton] {
            seen.people += 1;
            seen.can_move += u64::from(record.can_move());
            seen.come_by_reset += u64::from(record.comes_by_reset());
        }
        self.last = Some(record);
    }

    fn end(&mut self) {
        self.end_spelling();
        self.end_identifier();
        self.end_skeleton();
    }

    fn end_spelling(&mut self) {
        let seen = std::mem::take(&mut self.of_spelling);
        if seen.people > 1 {
            note(&mut self.twins.duplicates, &mut self.duplicates, self.last, &seen);
        }
    }

    fn end_identifier(&mut self) {
        let seen = std::mem::take(&mut self.of_identifier);
        if seen.parts > 1 {
            note(&mut self.twins.case, &mut self.case, self.last, &seen);
        }
        if seen.can_move > 1 {
            self.twins.contested += seen.can_move;
        }
        if seen.people > 1 {
            self.twins.ambiguous += seen.come_by_reset;
        }
    }

    fn end_skeleton(&mut self) {
        let seen = std::mem::take(&mut self.of_skeleton);
        if seen.parts > 1 {
            note(&mut self.twins.accent, &mut self.accent, self.last, &seen);
        }
    }
}

fn note(group: &mut Group, examples: &mut Vec<Record>, record: Option<Record>, seen: &Seen) {
    group.addresses += 1;
    group.people += seen.people;
    if examples.len() < EXAMPLES {
        examples.extend(record);
    }
}

#[cfg(test)]
mod tests {
    use super::super::person::{self, LoginName};
    use super::*;

    fn record(skeleton: u64, identifier: u64, spelling: u64, can_move: bool) -> Record {
        let address = Address {
            skeleton,
            identifier,
            spelling,
        };
        Record::new(address, &judged(can_move), None)
    }

    /// Who can't move could come by a reset.
    fn judged(can_move: bool) -> Judged {
        Judged {
            login: LoginName::Email,
            address: person::Address::Fine,
            reason: (!can_move).then_some("identifier_not_portable"),
            comes_by_reset: !can_move,
            loses_a_field: false,
        }
    }

    #[test]
    fn a_record_survives_its_file() {
        let address = Address {
            skeleton: 1,
            identifier: u64::MAX,
            spelling: 3,
        };
        for record in [
            Record::new(address, &judged(true), Some(0)),
            Record::new(address, &judged(false), Some(77)),
            Record::new(address, &judged(true), None),
        ] {
            let read = Record::read(&mut record.bytes().as_slice())
                .expect("bytes")
                .expect("a record");
            assert_eq!(read, record);
        }
        assert_eq!(Record::new(address, &judged(false), Some(7)).place(), Some(7));
        assert_eq!(Record::new(address, &judged(true), None).place(), None);
    }

    #[test]
    fn the_three_sorts_of_twins() {
        let mut finder = Finder::default();
        let mut records = [
            record(1, 1, 1, true), // alone
            record(2, 2, 2, true), // the same spelling, twice
            record(2, 2, 2, true),
            record(3, 3, 3, true), // two spellings of one identifier; one of them can't move
            record(3, 3, 4, false),
            record(5, 5, 5, true), // two identifiers of one skeleton
            record(5, 6, 6, true),
            record(7, 7, 7, false), // alone, and comes by a reset
        ];
        records.sort_unstable();
        for record in records {
            finder.next(record);
        }
        finder.end();
        let told = |group: &Group| (group.addresses, group.people);
        assert_eq!(told(&finder.twins.duplicates), (1, 2));
        assert_eq!(told(&finder.twins.case), (1, 2));
        assert_eq!(told(&finder.twins.accent), (1, 2));
        assert_eq!(
            finder.twins.contested, 2,
            "only those who can move are in each other's way"
        );
        assert_eq!(finder.twins.ambiguous, 1, "no look-up finds one of two");
    }
}
