use super::*;

fn id(text: &str) -> UserId {
    UserId::parse(text).expect("an id")
}

/// A file, the list that was read from it, and what it tells.
struct World {
    folder: tempfile::TempDir,
    list: Tombstones,
    metrics: Metrics,
}

impl World {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("gone"), text).expect("it is written");
        let list = Tombstones::read("okta", &folder.path().join("gone"), "okta").expect("a good list");
        let metrics = Metrics::new();
        Self { folder, list, metrics }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("gone")
    }

    /// As people should: written beside it, and renamed.
    fn replace(&self, text: &str) {
        let beside = self.folder.path().join("new");
        fs::write(&beside, text).expect("it is written");
        fs::rename(beside, self.path()).expect("it is renamed");
    }

    /// So many looks, and whom of two the list has then.
    fn after(&self, looks: usize) -> [bool; 2] {
        for _ in 0..looks {
            self.list.look(&self.metrics);
        }
        [self.list.hold(&id("a")), self.list.hold(&id("b"))]
    }

    fn told(&self, sample: &str) -> bool {
        self.metrics.render().expect("text").contains(sample)
    }
}

#[test]
fn ids_stand_on_lines_of_their_own() {
    let ids = |text| parse(text, "okta");
    let list = |texts: &[&str]| Ok(texts.iter().map(|text| id(text)).collect());
    assert_eq!(ids(""), list(&[]));
    assert_eq!(ids("a"), list(&["a"]));
    assert_eq!(ids("# who has gone\n\n a \r\nb\t# moved\na\n#c\n"), list(&["a", "b"]));
    assert_eq!(ids("a#b\nc|d"), list(&["a#b", "c|d"]), "an id may have one inside");
    assert_eq!(ids("A"), list(&["A"]));
    let prefixed = "has an id with its prefix; the id in the source is wanted";
    assert_eq!(ids("a\nokta|b"), Err(Unreadable::Line(2, prefixed)));
    assert_eq!(ids("auth0|okta|b"), Err(Unreadable::Line(1, prefixed)));
    assert_eq!(ids("a\u{7}b"), Err(Unreadable::Line(1, "is no id")));
    assert_eq!(ids("auth0|a\nOKTA|b"), Err(Unreadable::Line(1, prefixed)));
    assert_eq!(ids("OKTA|b"), Err(Unreadable::Line(1, prefixed)));
    assert_eq!(ids(&"x".repeat(256)), Err(Unreadable::Line(1, "is no id")));
}

/// What editors, spreadsheets and exports make of a list. Taken for ids they would match nobody.
#[test]
fn a_row_of_another_list_is_no_id() {
    let ids = |text| parse(text, "okta");
    let list = |texts: &[&str]| Ok(texts.iter().map(|text| id(text)).collect());
    assert_eq!(ids("\u{feff}a\r\nb\r\n"), list(&["a", "b"]), "the mark of an encoding");
    assert_eq!(ids("\u{feff}# nobody"), list(&[]));
    for row in [
        "\"a\"",
        "a,ada@example.com",
        "a;1",
        "a,",
        "[\"a\",",
        "a b",
        "a\tb",
        "\"auth0|okta|a\"",
        "a\u{a0}b",
    ] {
        let refused = ids(row);
        assert!(
            matches!(refused, Err(Unreadable::Line(1, problem)) if problem.starts_with("has more")),
            "{row}"
        );
    }
}

#[test]
fn a_file_that_is_none_is_no_list() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = |path: &Path| Tombstones::read("okta", path, "okta").map(|_| ());
    assert_eq!(read(folder.path()), Err(Unreadable::NoFile));
    let missing = folder.path().join("missing");
    assert_eq!(read(&missing), Err(Unreadable::Io(io::ErrorKind::NotFound)));
    let binary = folder.path().join("binary");
    fs::write(&binary, [0xff]).expect("it is written");
    assert_eq!(read(&binary), Err(Unreadable::Io(io::ErrorKind::InvalidData)));
    fs::write(&binary, "").expect("it is written");
    assert_eq!(read(&binary), Err(Unreadable::Empty));
    File::create(&binary)
        .and_then(|file| file.set_len(FILE_BYTES + 1))
        .expect("it grows");
    assert_eq!(read(&binary), Err(Unreadable::TooLarge));
}

#[test]
fn a_change_is_read_once_nobody_writes_any_more() {
    let world = World::new("a\n");
    assert_eq!(world.after(2), [true, false]);
    world.replace("b\n");
    assert_eq!(world.after(1), [true, false], "it may be half of it");
    assert_eq!(world.after(1), [false, true]);
    assert!(world.told("idbridge_tombstones{source=\"okta\"} 1"));
    fs::write(world.path(), "# nobody\n").expect("it is written");
    assert_eq!(world.after(2), [false, false], "a list of nobody is one");
    assert!(world.told("idbridge_tombstones{source=\"okta\"} 0"));
    assert!(world.told("idbridge_tombstones_current{source=\"okta\"} 1"));
}

/// As Kubernetes mounts a list: the name is a link to a folder's link, which is replaced as a whole.
#[test]
fn a_link_that_points_elsewhere_is_a_change() {
    let world = World::new("a\n");
    let folder = world.folder.path();
    for (name, text) in [("one", "a\n"), ("other", "b\n")] {
        fs::create_dir(folder.join(name)).expect("a folder");
        fs::write(folder.join(name).join("gone"), text).expect("it is written");
    }
    let point = |to: &str| {
        std::os::unix::fs::symlink(to, folder.join("..new")).expect("a link");
        fs::rename(folder.join("..new"), folder.join("..data")).expect("it is renamed");
    };
    point("one");
    fs::remove_file(world.path()).expect("it is removed");
    std::os::unix::fs::symlink("..data/gone", world.path()).expect("a link");
    assert_eq!(world.after(2), [true, false]);
    point("other");
    assert_eq!(world.after(2), [false, true]);
}

#[test]
fn the_last_good_list_stands() {
    let world = World::new("a\n");
    let current = |is: bool| {
        world.told(&format!(
            "idbridge_tombstones_current{{source=\"okta\"}} {}",
            u8::from(is)
        ))
    };
    assert_eq!(world.after(1), [true, false]);
    assert!(current(true));
    fs::remove_file(world.path()).expect("it is removed");
    assert_eq!(world.after(3), [true, false]);
    assert!(current(false));
    world.replace("b\nokta|c\n");
    assert_eq!(world.after(3), [true, false], "nothing of a list with a mistake");
    assert!(current(false));
    fs::write(world.path(), "").expect("it is written");
    assert_eq!(world.after(3), [true, false], "somebody has begun to write it");
    assert!(current(false));
    world.replace("b\n");
    assert_eq!(world.after(2), [false, true]);
    assert!(current(true));
}
