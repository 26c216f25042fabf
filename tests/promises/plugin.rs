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
use super::settings;

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
    let mut source = settings::parse(&format!("kind = \"memory\"\nlookup_ttl = \"0s\"\n[settings]\n{more}"));
    let people = settings::parse(people);
    let settings = source["settings"].as_table_mut().expect("settings");
    settings.insert("people".to_owned(), people["people"].clone());
    source
}

/// The second line's numbers: how many held, were broken, were not run.
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
        "kind = \"grpc\"\nid_prefix = \"\"\nlookup_ttl = \"0s\"\n[settings]\nurl = \"{url}\"\nkey = \"{}\"\n\
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
    let why = "not run  authenticate::second_factor_is_rejected: the plugin doesn't hold factor@example.com";
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
