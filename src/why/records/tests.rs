use std::io::Write as _;

use super::*;

fn line(hash: &str, id: usize) -> String {
    format!(
        "{{\"timestamp\":\"t{id}\",\"level\":\"INFO\",\"message\":\"attempt\",\"request_id\":\"r{id}\",\
         \"identifier\":\"{hash}\",\"outcome\":\"found\",\"duration_ms\":1.5,\"target\":\"idbridge::audit\"}}\n"
    )
}

fn wanted(hash: &str) -> Wanted {
    Wanted {
        identifier_hash: Some(hash.to_owned()),
        request_id: None,
    }
}

fn file(content: &[u8]) -> (tempfile::TempDir, AuditFile) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    std::fs::write(&path, content).expect("it is written");
    let file = AuditFile::open(&path).expect("it opens");
    (folder, file)
}

fn ids(found: &Found) -> Vec<&str> {
    let id = |record: &'_ Record| record.request_id.as_deref().map(str::len);
    assert!(found.records.iter().all(|record| id(record).is_some()));
    found
        .records
        .iter()
        .filter_map(|record| record.request_id.as_deref())
        .collect()
}

#[test]
fn the_newest_come_first_whatever_the_pieces() {
    let text: String = (0..30)
        .map(|id| line(if id % 2 == 0 { "ada" } else { "bob" }, id))
        .collect();
    let (_folder, file) = file(text.as_bytes());
    let expected: Vec<String> = (0..15).rev().map(|half| format!("r{}", half * 2)).collect();
    for piece in [1, 2, 7, 100, 1000, 100_000] {
        let found = file.last_within(&wanted("ada"), piece, REACH).expect("read");
        assert_eq!(ids(&found), expected, "{piece}");
        assert_eq!((found.unreadable_lines, found.looked_at_all), (0, true));
    }
}

#[test]
fn twenty_are_enough() {
    let text: String = (0..1000).map(|id| line("ada", id)).collect();
    let (_folder, file) = file(text.as_bytes());
    let found = file.last_within(&wanted("ada"), 500, REACH).expect("read");
    assert_eq!((found.records.len(), ids(&found)[0]), (RECORDS, "r999"));
    assert!(
        !found.looked_at_all && found.bytes_read < 10_000,
        "{}",
        found.bytes_read
    );
}

#[test]
fn what_is_no_record_is_counted_and_stops_nothing() {
    let mut bytes = line("ada", 1).into_bytes();
    bytes.extend(
        b"\n\xff\xfe garbage\n{\"half\":\n[\"idbridge::audit\"]\n{\"level\":\"INFO\",\"target\":\"x\",\"source\":5}\n",
    );
    bytes.extend(vec![b'x'; 3 * LINE]);
    bytes.push(b'\n');
    bytes.extend(b"{\"target\":\"idbridge::audit\",\"request_id\":7}\n");
    bytes.extend(line("ada", 2).into_bytes());
    bytes.extend(b"{\"timestamp\":\"half wri");
    let (_folder, file) = file(&bytes);
    for piece in [3, 1000, PIECE] {
        let found = file.last_within(&wanted("ada"), piece, REACH).expect("read");
        assert_eq!(ids(&found), ["r2", "r1"]);
        assert_eq!(found.unreadable_lines, 5, "{piece}");
    }
}

#[test]
fn a_last_line_without_an_end_counts_if_it_is_whole() {
    let (_folder, file) = file(line("ada", 1).trim_end().as_bytes());
    assert_eq!(ids(&file.last(&wanted("ada")).expect("read")), ["r1"]);
}

/// Ten gigabytes that aren't there, and a record behind them.
#[test]
fn a_huge_file_is_not_read_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let mut log = File::create(&path).expect("a file");
    log.set_len(10 * 1024 * 1024 * 1024).expect("a sparse file");
    std::io::Seek::seek(&mut log, io::SeekFrom::End(0)).expect("its end");
    write!(log, "\n{}", line("ada", 1)).expect("written");
    let file = AuditFile::open(&path).expect("it opens");
    let found = file.last_within(&wanted("ada"), PIECE, 16 * 1024 * 1024).expect("read");
    assert_eq!(ids(&found), ["r1"]);
    assert!(!found.looked_at_all);
    assert_eq!(found.bytes_read, 16 * 1024 * 1024);
}

#[test]
fn a_request_id_is_another_way_in() {
    let text = line("ada", 1) + &line("bob", 2);
    let (_folder, file) = file(text.as_bytes());
    let by_id = Wanted {
        identifier_hash: None,
        request_id: Some("r2".to_owned()),
    };
    assert_eq!(ids(&file.last(&by_id).expect("read")), ["r2"]);
    let nothing = Wanted {
        identifier_hash: None,
        request_id: None,
    };
    assert!(file.last(&nothing).expect("read").records.is_empty());
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(AuditFile::open(folder.path()).is_err());
    assert!(AuditFile::open(&folder.path().join("nowhere")).is_err());
}
