//! `assess`: everybody in a source, counted, before a migration begins.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use idbridge_source::{Clock as _, SecretFiles, SystemClock};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Environment, Exit, output, runtime};
use crate::app::broker::Broker;
use crate::assess::{self, AskFactors, Key, Options, Report, Subject, Work};
use crate::config::{self, Config};
use crate::{app, sources};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  idbridge assess --config idbridge.toml\n  \
                  idbridge assess --config idbridge.toml --factors-sample 500 --peak 12000\n\n\
                  Writes report.txt, report.json, report.html and last-login.json. A run that is broken off goes on when \
                  it is started again.")]
pub(crate) struct Args {
    /// The settings file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The source, if there are several
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The folder for the report and for the work until there is one; by default assessment-SOURCE
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Ask for everybody's second factors: one more request each, where the source doesn't list them
    #[arg(long, conflicts_with = "factors_sample")]
    factors: bool,
    /// Ask for the second factors of so many, drawn by lot
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    factors_sample: Option<u32>,
    /// Log-ins in your busiest hour, if you know them; otherwise they are guessed from the last log-ins
    #[arg(long, value_name = "N")]
    peak: Option<u64>,
    /// Show logins and addresses; otherwise keyed hashes stand for them
    #[arg(long)]
    show: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, environment: Environment) -> Exit {
    let config = match super::settings(config::load(
        &args.config,
        environment,
        &sources::registry(),
        SecretFiles::Read,
    )) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let name = match chosen(&config, args.source.as_deref()) {
        Ok(name) => name,
        Err(problem) => {
            output::error(&problem);
            return Exit::Usage;
        }
    };
    match runtime::block_on(assess(args, config, &name)) {
        Some(Ok(())) => Exit::Fine,
        Some(Err(problem)) => {
            output::error(&problem.0);
            problem.1
        }
        None => Exit::Unknown,
    }
}

/// What to say, and how the command ends.
struct Problem(String, Exit);

async fn assess(args: &Args, config: Config, name: &str) -> Result<(), Problem> {
    let key = config.audit.hash_key.clone().map_or(Key::Random, Key::Audit);
    let rest = app::rest_settings(config.rest.as_ref());
    let settings = config.sources.iter().find(|source| &*source.name == name);
    let settings = settings.map(|source| (source.id_prefix.clone(), source.fingerprint));
    let (id_prefix, fingerprint) = settings.unwrap_or_default();
    let unbuilt = |error: String| Problem(error, Exit::Unknown);
    let broker = Broker::new(config).await.map_err(|error| unbuilt(error.to_string()))?;
    let built = broker.sources().iter().find(|source| &*source.name == name);
    let source = built.ok_or_else(|| unbuilt("no such source".to_owned()))?;
    let source = broker
        .build_source(source)
        .map_err(|error| unbuilt(error.to_string()))?;
    let subject = Subject {
        source,
        name: name.into(),
        id_prefix,
        fingerprint,
        rest,
        peak: args.peak,
    };
    let options = Options {
        factors: match args.factors_sample {
            _ if args.factors => AskFactors::Everybody,
            Some(size) => AskFactors::Sample(usize::try_from(size).unwrap_or(usize::MAX)),
            None => AskFactors::Nobody,
        },
        show: args.show,
    };
    announce(&subject, options);
    let out = args.out.clone().unwrap_or_else(|| format!("assessment-{name}").into());
    let mut work = Work::in_folder(&out).map_err(refused)?;
    if let Some(people) = work.goes_on().map_err(refused)? {
        output::error(&format!("Goes on after {people} people."));
    }
    let bar = progress();
    let report = assess::run(&subject, options, key, now(), &mut work, |people| {
        bar.set_position(people)
    })
    .await;
    bar.finish_and_clear();
    let report = report.map_err(refused)?;
    publish(&report, &work).map_err(refused)?;
    work.end().map_err(refused)?;
    if args.json {
        output::json(&report);
    } else {
        output::line(assess::text(&report).trim_end());
    }
    output::error(&format!("The report is in {}; open report.html.", out.display()));
    Ok(())
}

fn publish(report: &Report, work: &Work) -> Result<(), assess::Error> {
    work.write("report.txt", &assess::text(report))?;
    work.write("report.html", &assess::html(report))?;
    let json = serde_json::to_string_pretty(report).unwrap_or_default();
    work.write("report.json", &format!("{json}\n"))?;
    Ok(())
}

/// What asking for factors takes, before it begins.
fn announce(subject: &Subject, options: Options) {
    let rate = subject.source.budget().factors_per_minute();
    let rate = |takes: &dyn Fn(u64) -> String| {
        rate.map_or_else(String::new, |rate| {
            format!(", {rate} a minute at the most: {}", takes(rate.max(1)))
        })
    };
    let (asks, rate) = match options.factors {
        AskFactors::Everybody => {
            let hours = |rate| format!("about {} h for 100,000", 100_000_u64.div_ceil(rate).div_ceil(60));
            ("One request for each person".to_owned(), rate(&hours))
        }
        AskFactors::Nobody => return,
        AskFactors::Sample(size) => {
            let minutes = |rate| format!("{} min", u64::try_from(size).unwrap_or(u64::MAX).div_ceil(rate));
            (format!("{size} requests"), rate(&minutes))
        }
    };
    output::error(&format!("{asks} for second factors{rate}."));
}

fn refused(error: assess::Error) -> Problem {
    let exit = match &error {
        assess::Error::Foreign(_) => Exit::Usage,
        assess::Error::Io(..) | assess::Error::Source(_) => Exit::Unknown,
    };
    let hint = match &error {
        assess::Error::Source(_) => {
            "\nWhat was read is kept: start it again to go on. If the source no longer knows where, remove the folder \
             `unfinished`."
        }
        assess::Error::Foreign(_) | assess::Error::Io(..) => "",
    };
    Problem(format!("{error}{hint}"), exit)
}

fn chosen(config: &Config, asked: Option<&str>) -> Result<String, String> {
    let names: Vec<&str> = config.sources.iter().map(|source| &*source.name).collect();
    let name = match (asked, names.as_slice()) {
        (Some(asked), names) if names.contains(&asked) => asked,
        (None, [only]) => only,
        (Some(_), names) => return Err(format!("--source: no such source; there are: {}", names.join(", "))),
        (None, names) => return Err(format!("--source: name one of: {}", names.join(", "))),
    };
    let source = config.sources.iter().find(|source| &*source.name == name);
    if !source.is_some_and(|source| source.blueprint.capabilities().list) {
        return Err(format!(
            "the source {name} can't list people with these settings; an API token is missing, perhaps"
        ));
    }
    Ok(name.to_owned())
}

/// On a terminal only; in a log it would be noise. How many there are nobody knows before the end.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} {human_pos} people, {per_sec}, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn now() -> i64 {
    let since = SystemClock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}
