//! A plugin is taken through the behaviour suite by the binary, and the plugin is the binary too: a broker in front of
//! the suite's people, and a broker behind which there is another.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use idbridge_okta_simulator::Org;
use tempfile::TempDir;
use toml::{Table, Value};

use super::process::{Process, bounded};
use super::secrecy::Secrets;
use super::settings::{self, ANY_ATTEMPT};

/// Settings of brokers, in a folder of their own.
struct Brokers {
    folder: TempDir,
    secrets: Arc<Secrets>,
}

impl Brokers {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            secrets: Arc::new(Secrets::of(&Org::demo())),
        }
    }

    /// Starts one with this source alone, and tells where it listens for gRPC.
    async fn start(&self, name: &str, source: Table) -> (Process, String) {
        let mut all = settings::broker("http://127.0.0.1:1");
        all["sources"] = Value::Table([(name.to_owned(), Value::Table(source))].into_iter().collect());
        let path = self.folder.path().join(format!("{name}.toml"));
        fs::write(&path, all.to_string()).expect("written");
        let process = Process::start(&["serve"], &path, &self.secrets);
        let address = process.listening().await.grpc.expect("a gRPC listener");
        (process, format!("http://{address}"))
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("text").to_owned()
    }
}

async fn idbridge(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idbridge"));
    command.args(arguments).env_clear().env("IDBRIDGE_KEY", settings::KEY);
    let output = tokio::task::spawn_blocking(move || command.output().expect("the binary runs"));
    bounded("the command", output).await.expect("no panic")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// The people of the suite, as the memory source has them.
fn memory(people: &str, more: &str) -> Table {
    let mut source = settings::parse(&format!(
        "kind = \"memory\"\nlookup_ttl = \"0s\"\n{ANY_ATTEMPT}\n[settings]\n{more}"
    ));
    let people = settings::parse(people);
    let settings = source["settings"].as_table_mut().expect("settings");
    settings.insert("people".to_owned(), people["people"].clone());
    source
}

/// People as a company has them, in their system and in the file that its author writes.
const OWN: &str = r#"
[[people]]
id = "e-1001"
login = "jdoe"
email = "John.Doe@corp.example"
email_verified = true
given_name = "John"
family_name = "Doe"
password = "Winter is coming 7"

[[people]]
id = "e-1002"
login = "mroe"
email = "mary.roe@corp.example"
email_verified = true
given_name = "Mary"
password = "Mary's own"

[[people]]
id = "e-1003"
login = "left"
email = "left@corp.example"
password = "left in May"
status = "disabled"

[[people]]
id = "e-1004"
login = "shut"
email = "shut@corp.example"
password = "shut out 3"
status = "locked"

[[people]]
id = "e-1005"
login = "factor"
email = "factor@corp.example"
password = "owes a factor"
second_factor = true

[[people]]
id = "e-1006"
login = "stale"
email = "stale@corp.example"
password = "stale since June"
password_expired = true

[[people]]
id = "e-1007"
login = "office.one"
email = "office@corp.example"
password = "one of two"

[[people]]
id = "e-1008"
login = "office.two"
email = "office@corp.example"
password = "two of two"
"#;

/// The last line's numbers: how many held, were broken, were not run.
fn counted(output: &Output) -> [usize; 3] {
    let last = text(&output.stdout).lines().last().expect("a summary");
    let numbers = last
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty());
    let numbers: Vec<usize> = numbers.map(|number| number.parse().expect("a number")).collect();
    numbers.try_into().unwrap_or_else(|_| panic!("{last}"))
}

#[tokio::test]
async fn a_sound_plugin_breaks_no_law_behind_any_number_of_brokers() {
    let brokers = Brokers::new();
    let printed = idbridge(&["plugin", "people"]).await;
    let people = text(&printed.stdout);
    let file = brokers.path("whom.toml");
    fs::write(&file, people).expect("written");

    let (inner, url) = brokers.start("people", memory(people, "")).await;
    let behind = format!(
        "kind = \"grpc\"\nid_prefix = \"\"\nlookup_ttl = \"0s\"\n{ANY_ATTEMPT}\n[settings]\nurl = \"{url}\"\nkey = \"{}\"\n\
         canary = \"ada@example.com\"",
        settings::KEY
    );
    let (outer, outer_url) = brokers.start("inner", settings::parse(&behind)).await;
    for url in [&url, &outer_url] {
        let report = brokers.path("report.xml");
        let tested = idbridge(&["plugin", "test", "--url", url, "--people", &file, "--junit", &report]).await;
        assert_eq!(
            tested.status.code(),
            Some(0),
            "{}{}",
            text(&tested.stdout),
            text(&tested.stderr)
        );
        let [held, broken, not_run] = counted(&tested);
        assert!(held >= 20 && broken == 0 && not_run >= 15, "{}", text(&tested.stdout));
        let report = fs::read_to_string(&report).expect("a report");
        let report = roxmltree::Document::parse(&report).expect("XML");
        let suite = report.root_element().first_element_child().expect("a suite");
        let counts = ["tests", "failures", "skipped"].map(|name| suite.attribute(name).expect("a count").to_owned());
        assert_eq!(counts, [held + not_run, 0, not_run].map(|count| count.to_string()));
    }
    outer.stop().await;
    inner.stop().await;
}

#[tokio::test]
async fn a_broken_law_and_a_missing_plugin_are_told_apart() {
    let brokers = Brokers::new();
    let printed = idbridge(&["plugin", "people"]).await;
    let people = text(&printed.stdout);
    let file = brokers.path("whom.toml");
    fs::write(&file, people).expect("written");
    // It lets people in who owe a second factor.
    let (plugin, url) = brokers
        .start("people", memory(people, "on_second_factor = \"accept\""))
        .await;
    let tested = idbridge(&["plugin", "test", "--url", &url, "--people", &file]).await;
    assert_eq!(tested.status.code(), Some(1), "{}", text(&tested.stdout));
    let broken: Vec<&str> = text(&tested.stdout)
        .lines()
        .filter(|line| line.starts_with("BROKEN"))
        .collect();
    assert!(
        broken[0].contains("authenticate::second_factor_is_rejected (laws 2, 10): "),
        "{broken:?}"
    );

    // Whom it can't hold, it isn't tested with.
    let without = people
        .split("\n[[people]]\n")
        .filter(|entry| !entry.contains("factor@example.com"));
    fs::write(&file, without.collect::<Vec<_>>().join("\n[[people]]\n")).expect("written");
    let tested = idbridge(&["plugin", "test", "--url", &url, "--people", &file]).await;
    assert_eq!(tested.status.code(), Some(0), "{}", text(&tested.stdout));
    let why = "not run  authenticate::second_factor_is_rejected: nobody plays second_factor";
    assert!(
        text(&tested.stdout).lines().any(|line| line == why),
        "{}",
        text(&tested.stdout)
    );

    plugin.stop().await;
    let gone = idbridge(&["plugin", "test", "--url", &url, "--people", &file]).await;
    assert_eq!(gone.status.code(), Some(3), "{}", text(&gone.stdout));
    assert!(text(&gone.stdout).is_empty() && text(&gone.stderr).contains("can't be tested"));
    for (url, people) in [("ftp://127.0.0.1", &*file), (&*url, "nowhere.toml")] {
        let mistaken = idbridge(&["plugin", "test", "--url", url, "--people", people]).await;
        assert_eq!(mistaken.status.code(), Some(2), "{}", text(&mistaken.stderr));
    }
    assert!(Path::new(&file).exists());
}

#[tokio::test]
async fn with_people_of_its_own_a_plugin_is_held_to_each_law_that_they_can_show() {
    let brokers = Brokers::new();
    let file = brokers.path("people.toml");
    fs::write(&file, format!("nobody = \"no.one@corp.example\"\n{OWN}")).expect("written");
    // What the system does otherwise than the file says, and the laws that break by it.
    let lies = [
        (
            "status = \"disabled\"",
            "status = \"active\"",
            "authenticate::ineligible_user_is_rejected (laws 2, 3): left",
        ),
        (
            "status = \"locked\"",
            "status = \"active\"",
            "user_by_email::ineligible_is_neither_found_nor_absent (law 3): shut",
        ),
        (
            "second_factor = true",
            "second_factor = false",
            "authenticate::second_factor_is_rejected (laws 2, 10): factor",
        ),
        (
            "password_expired = true",
            "password_expired = false",
            "authenticate::expired_password_is_rejected (law 2): stale",
        ),
        (
            "office.two\"\nemail = \"office@",
            "office.two\"\nemail = \"other@",
            "user_by_email::ambiguous_address_is_an_error (law 2): an address",
        ),
        (
            "\"stale@corp",
            "\"no.one@corp",
            "user_by_email::unknown_address_is_absent (law 1): look-up of no.one",
        ),
        (
            "\"John.Doe@corp",
            "\"john.doe@corp",
            "authenticate::user_is_the_sources_own_never_the_login_echoed (law 7): jdoe",
        ),
        (
            "e-1002",
            "e-2002",
            "user_by_email::known_address_is_found: mroe: the id",
        ),
        ("Mary's own", "Mary's", "authenticate::right_password_is_accepted: mroe"),
    ];
    let mut secrets = Vec::new();
    for (truth, lie, broken) in [("", "", "")].into_iter().chain(lies) {
        let people = if truth.is_empty() {
            OWN.to_owned()
        } else {
            OWN.replacen(truth, lie, 1)
        };
        assert!(truth.is_empty() || people != OWN, "{truth}");
        let (plugin, url) = brokers.start("corp", memory(&people, "")).await;
        let report = brokers.path("report.xml");
        let tested = idbridge(&["plugin", "test", "--url", &url, "--people", &file, "--junit", &report]).await;
        let told = text(&tested.stdout);
        let found = told.lines().filter_map(|line| line.strip_prefix("BROKEN   "));
        if broken.is_empty() {
            assert_eq!(
                (tested.status.code(), found.count()),
                (Some(0), 0),
                "{told}{}",
                text(&tested.stderr)
            );
            let [held, _, not_run] = counted(&tested);
            assert!(held >= 10 && not_run >= 30, "{told}");
            for line in [
                "plays    ada: mroe",
                "plays    mixed_case: jdoe",
                "plays    deactivated: left",
                "nobody   suspended, who is disabled as well",
                "nobody   accented, who has an accent in both login and e-mail",
                "not run  user_by_email::address_is_compared_after_nfc: nobody plays accented",
            ] {
                assert!(told.lines().any(|told| told == line), "{line}\n{told}");
            }
        } else {
            assert_eq!(tested.status.code(), Some(1), "{broken}: {told}");
            assert!(found.clone().any(|line| line.starts_with(broken)), "{broken}\n{told}");
        }
        secrets.push(fs::read_to_string(&report).expect("a report"));
        secrets.push(told.to_owned());
        plugin.stop().await;
    }
    for password in OWN.lines().filter_map(|line| line.strip_prefix("password = ")) {
        let password = password.trim_matches('"');
        assert!(
            secrets.iter().all(|text| !text.contains(password)),
            "a password is shown"
        );
    }
}

/// The block of docs/plugins.md that is marked so.
fn documented(mark: &str) -> String {
    let document = super::architecture::read("docs/plugins.md");
    let marked = document.split_once(&format!("<!-- {mark} -->\n```text\n"));
    let (_, block) = marked.unwrap_or_else(|| panic!("there is no {mark}"));
    block.split("```").next().expect("a block").to_owned()
}

#[tokio::test]
async fn the_guides_people_are_told_of_as_it_says() {
    let brokers = Brokers::new();
    let file = brokers.path("people.toml");
    let people = documented("people");
    fs::write(&file, &people).expect("written");
    let (_, entries) = people.split_once("\n\n").expect("nobody, and people");
    let (plugin, url) = brokers.start("corp", memory(entries, "")).await;
    let tested = idbridge(&["plugin", "test", "--url", &url, "--people", &file]).await;
    let told = text(&tested.stdout);
    assert_eq!(tested.status.code(), Some(0), "{told}{}", text(&tested.stderr));
    for line in documented("told").lines() {
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
    plugin.stop().await;
}
