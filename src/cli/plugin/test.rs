//! `plugin test`: the behaviour suite against a source that runs elsewhere. `plugin people`: with whom.

mod junit;
mod people;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use idbridge_source::{
    Blueprint, ErrorKind, Node, Origin, Reader, SecretFiles, SourceContext, SourceError, SystemClock, Value,
};
use idbridge_testkit::cast::Cast;
use idbridge_testkit::{CASES, Case, Ended, check_alone};

use crate::app::probe;
use crate::cli::{Environment, Exit, output, runtime};
use crate::sources;

/// The key that the plugin wants, as `try --grpc` takes it.
const KEY: &str = "IDBRIDGE_KEY";

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge plugin people > people.toml\n  \
                        idbridge plugin test --url unix:///run/plugin.sock --people people.toml --junit report.xml\n\n\
                        A key is taken from $IDBRIDGE_KEY.")]
pub(crate) struct TestArgs {
    /// Where the plugin listens: https://…, unix:///…, or http://… on loopback
    #[arg(long)]
    url: String,
    /// Whom the plugin knows: what `plugin people` prints, or people whom its system has
    #[arg(long, value_name = "FILE")]
    people: PathBuf,
    /// Write the verdicts to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// The authority of the plugin's certificate, in PEM
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,
    /// The plugin checks passwords only
    #[arg(long)]
    no_look_ups: bool,
    /// NOT_FOUND without ErrorInfo says that there is no such user
    #[arg(long)]
    plain_not_found: bool,
}

/// Why a case isn't judged of a source that says when to come back.
const PATIENCE: &str = "the plugin asked for patience; ask again later";

/// A case, and what became of it.
struct Verdict {
    case: &'static Case,
    ended: Ended,
}

pub(crate) fn people() -> Exit {
    output::line(people::written().trim_end());
    Exit::Fine
}

pub(crate) fn test(test: &TestArgs, environment: &Environment) -> Exit {
    let told = test
        .cast()
        .and_then(|cast| Ok((test.blueprint(&cast, environment)?, cast)));
    let (blueprint, cast) = match told {
        Ok(told) => told,
        Err(problem) => {
            output::error(&problem);
            return Exit::Usage;
        }
    };
    if let Err(error) = reach(&*blueprint) {
        output::error(&format!("the plugin can't be tested: {}", error.chain()));
        return Exit::Unknown;
    }
    for (part, person) in cast.played() {
        output::line(&format!("plays    {}: {}", part.name, person.login));
    }
    for part in cast.unplayed() {
        output::line(&format!("nobody   {}, who {}", part.name, part.takes));
    }
    let verdicts: Vec<Verdict> = CASES
        .iter()
        .map(|case| Verdict::of(case, &cast, &*blueprint))
        .inspect(|verdict| output::line(&verdict.to_text()))
        .collect();
    output::line(&summary(&verdicts));
    if let Some(path) = &test.junit
        && let Err(error) = std::fs::write(path, junit::report(&verdicts))
    {
        output::error(&format!("{} can't be written: {}", path.display(), error.kind()));
        return Exit::Usage;
    }
    let has = |fits: fn(&Ended) -> bool| verdicts.iter().any(|verdict| fits(&verdict.ended));
    match (
        has(|ended| matches!(ended, Ended::Broken(_))),
        has(|ended| *ended == Ended::Throttled),
    ) {
        (true, _) => Exit::No,
        (false, true) => Exit::Unknown,
        (false, false) => Exit::Fine,
    }
}

/// Whether there is anything to test: else each case would blame the plugin for an address.
fn reach(blueprint: &dyn Blueprint) -> Result<(), SourceError> {
    let probed = runtime::block_on(async {
        let source = blueprint.build().map_err(|error| {
            SourceError::new(ErrorKind::Unavailable { retry_after: None }, "build the client").with_source(error)
        })?;
        source.probe(&probe::call()).await
    });
    match probed {
        // What it answers is for the cases to judge.
        Some(Err(error)) if error.kind() == ErrorKind::Protocol => Ok(()),
        Some(probed) => probed,
        None => Err(SourceError::new(
            ErrorKind::Unavailable { retry_after: None },
            "start a runtime",
        )),
    }
}

impl TestArgs {
    /// The settings of a source of the kind `grpc`.
    fn blueprint(&self, cast: &Cast, environment: &Environment) -> Result<Arc<dyn Blueprint>, String> {
        let text = |text: &str| Value::Text(text.to_owned());
        let mut settings = vec![("url", text(&self.url))];
        if self.no_look_ups {
            settings.push(("look_ups", Value::Bool(false)));
        } else {
            settings.push(("canary", text(cast.ada.email)));
        }
        if self.plain_not_found {
            settings.push(("plain_not_found", Value::Bool(true)));
        }
        settings.extend(self.ca_file.as_deref().map(|path| ("ca_file", text(path))));
        let key = environment.iter().find(|(name, _)| name == KEY);
        settings.extend(key.and_then(|(_, key)| Some(("key", text(key.to_str()?)))));
        let node = |value| Node {
            origin: Origin::Variable("the command line".to_owned()),
            value,
        };
        let settings = settings.into_iter().map(|(key, value)| (key.to_owned(), node(value)));
        let tree = Node::table(Path::new("the command line"), settings);
        let reader = Reader::new(SecretFiles::Read);
        let context = SourceContext {
            name: "plugin".into(),
            clock: Arc::new(SystemClock),
        };
        let blueprint = sources::registry().plan("grpc", &reader.root(&tree), &context);
        let mistakes = reader.into_mistakes();
        let told = mistakes
            .iter()
            .map(|mistake| format!("{} {}", mistake.key, mistake.problem));
        match blueprint {
            Some(blueprint) if mistakes.is_empty() => Ok(blueprint),
            _ => Err(told.collect::<Vec<_>>().join("\n")),
        }
    }

    fn cast(&self) -> Result<Cast, String> {
        let path = self.people.display();
        let text =
            std::fs::read_to_string(&self.people).map_err(|error| format!("{path} can't be read: {}", error.kind()))?;
        people::read(&text).map_err(|problem| format!("{path}: {problem}"))
    }
}

impl Verdict {
    fn of(case: &'static Case, cast: &Cast, blueprint: &dyn Blueprint) -> Self {
        let ended = check_alone(case, cast, || blueprint.build());
        Self {
            case,
            ended: ended.unwrap_or_else(|error| Ended::NotRun(error.to_string())),
        }
    }

    fn to_text(&self) -> String {
        let name = self.case.name;
        match &self.ended {
            Ended::Broken(violation) => format!("BROKEN   {name}{}: {violation}", laws(self.case)),
            Ended::Held => format!("held     {name}"),
            Ended::NotRun(because) => format!("not run  {name}: {because}"),
            Ended::Throttled => format!("not run  {name}: {PATIENCE}"),
        }
    }
}

fn laws(case: &Case) -> String {
    let laws: Vec<String> = case.laws.iter().map(u8::to_string).collect();
    match &*laws {
        [] => String::new(),
        [law] => format!(" (law {law})"),
        laws => format!(" (laws {})", laws.join(", ")),
    }
}

fn summary(verdicts: &[Verdict]) -> String {
    let count = |fits: fn(&Ended) -> bool| verdicts.iter().filter(|verdict| fits(&verdict.ended)).count();
    format!(
        "{} held, {} broken, {} not run",
        count(|ended| *ended == Ended::Held),
        count(|ended| matches!(ended, Ended::Broken(_))),
        count(|ended| matches!(ended, Ended::NotRun(_) | Ended::Throttled)),
    )
}

#[cfg(test)]
mod tests;
