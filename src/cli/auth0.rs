//! `auth0 export`: the scripts and their connection, in the layout of auth0-deploy-cli.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Exit, output};

/// A file's name, and its template. `{{CONNECTION}}` stands for the connection's name; the `@@…@@` are auth0-deploy-cli's own.
const TEMPLATES: [(&str, &str); 3] = [
    ("database.json", include_str!("../auth0/database.json")),
    ("get_user.js", include_str!("../auth0/get_user.js")),
    ("login.js", include_str!("../auth0/login.js")),
];

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Auth0 {
    /// Write the custom-database scripts and their connection
    Export(ExportArgs),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  idbridge auth0 export --out tenant --connection legacy-users\n\n\
                        Writes OUT/database-connections/NAME/{database.json,login.js,get_user.js}, for auth0-deploy-cli \
                        or to paste into the dashboard."
)]
pub(crate) struct ExportArgs {
    /// The folder of the tenant's files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The connection's name: letters, digits and hyphens
    #[arg(long, value_name = "NAME", value_parser = parse_connection)]
    connection: String,
    /// Overwrite files that differ
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn export(args: &ExportArgs) -> Exit {
    match write_all(args) {
        Ok(written) if args.json => {
            output::json(&serde_json::json!({ "files": written }));
            Exit::Fine
        }
        Ok(written) => {
            output::line(&next_steps(&args.connection, &written));
            Exit::Fine
        }
        Err(Failure::Different(paths)) => {
            for path in paths {
                output::error(&format!(
                    "{}: exists and differs; --force overwrites it",
                    path.display()
                ));
            }
            Exit::Usage
        }
        Err(Failure::Io(path, error)) => {
            output::error(&format!("{}: can't be written: {error}", path.display()));
            Exit::Unknown
        }
    }
}

#[derive(Debug)]
enum Failure {
    /// These are there and aren't ours to overwrite. Nothing was written.
    Different(Vec<PathBuf>),
    Io(PathBuf, io::Error),
}

fn write_all(args: &ExportArgs) -> Result<Vec<PathBuf>, Failure> {
    let folder = args.out.join("database-connections").join(&args.connection);
    let files = TEMPLATES.map(|(name, template)| {
        let content = template.replace("{{CONNECTION}}", &args.connection);
        (folder.join(name), content)
    });
    if !args.force {
        let mut different = Vec::new();
        for (path, content) in &files {
            match fs::read(path) {
                Ok(found) if found != content.as_bytes() => different.push(path.clone()),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Failure::Io(path.clone(), error)),
                Ok(_) | Err(_) => {}
            }
        }
        if !different.is_empty() {
            return Err(Failure::Different(different));
        }
    }
    fs::create_dir_all(&folder).map_err(|error| Failure::Io(folder.clone(), error))?;
    for (path, content) in &files {
        write_whole(path, content).map_err(|error| Failure::Io(path.clone(), error))?;
    }
    Ok(files.map(|(path, _)| path).to_vec())
}

/// Nobody ever reads half a file: it is written beside and then renamed.
fn write_whole(path: &Path, content: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let written = fs::File::create(&beside)
        .and_then(|mut file| file.write_all(content.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _left_behind = fs::remove_file(&beside);
    }
    written
}

fn next_steps(connection: &str, written: &[PathBuf]) -> String {
    let files: String = written.iter().map(|path| format!("  {}\n", path.display())).collect();
    format!(
        "Written:\n{files}\n\
         Next:\n  \
         1. Make a key with `idbridge key new auth0` and put its lines into the broker's settings.\n  \
         2. Give the connection its two configuration values. auth0-deploy-cli takes them from the environment or from\n     \
         AUTH0_KEYWORD_REPLACE_MAPPINGS; in the dashboard they stand below the scripts, under Settings.\n       \
         IDBRIDGE_URL  the gateway's address, such as https://idbridge.example.com\n       \
         IDBRIDGE_KEY  the key\n  \
         3. Import the folder, enable the connection {connection} for an application, and use its Try buttons.\n\
         Without both values the scripts answer every log-in with an error."
    )
}

/// Auth0's rule for a connection's name.
fn parse_connection(text: &str) -> Result<String, &'static str> {
    let allowed = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if allowed && (1..=35).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-') {
        Ok(text.to_owned())
    } else {
        Err("a connection's name has letters, digits and inner hyphens, and 35 characters at the most")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(out: &Path, force: bool) -> ExportArgs {
        ExportArgs {
            out: out.to_owned(),
            connection: "legacy-users".to_owned(),
            force,
            json: false,
        }
    }

    #[test]
    fn the_three_files_are_written_and_again_without_a_word() {
        let dir = tempfile::tempdir().expect("a folder");
        for _ in 0..2 {
            write_all(&args(dir.path(), false)).expect("written");
        }
        let folder = dir.path().join("database-connections/legacy-users");
        let mut names: Vec<_> = fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| entry.expect("a file").file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["database.json", "get_user.js", "login.js"]);

        let database = fs::read_to_string(folder.join("database.json")).expect("text");
        let database: serde_json::Value = serde_json::from_str(&database).expect("JSON");
        assert_eq!(database["name"], "legacy-users");
        assert_eq!(database["options"]["customScripts"]["login"], "./login.js");
        assert_eq!(
            fs::read_to_string(folder.join("login.js")).expect("text"),
            TEMPLATES[2].1
        );
    }

    #[test]
    fn a_file_that_differs_is_kept_unless_forced_and_then_nothing_is_written() {
        let dir = tempfile::tempdir().expect("a folder");
        let login = dir.path().join("database-connections/legacy-users/login.js");
        fs::create_dir_all(login.parent().expect("a folder")).expect("made");
        fs::write(&login, "// mine").expect("written");

        let Err(Failure::Different(paths)) = write_all(&args(dir.path(), false)) else {
            panic!("overwritten")
        };
        assert_eq!(paths, std::slice::from_ref(&login));
        assert_eq!(fs::read_to_string(&login).expect("text"), "// mine");
        assert!(!login.with_file_name("database.json").exists());

        write_all(&args(dir.path(), true)).expect("written");
        assert_eq!(fs::read_to_string(&login).expect("text"), TEMPLATES[2].1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("file");
        fs::write(&file, "").expect("written");
        assert!(matches!(write_all(&args(&file, false)), Err(Failure::Io(..))));
    }

    #[test]
    fn connection_names() {
        for good in ["a", "A1", "legacy-users", "a--b", &"a".repeat(35)] {
            assert!(parse_connection(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a_b", "a b", "../a", "a/b", "ä", &"a".repeat(36)] {
            assert!(parse_connection(bad).is_err(), "{bad}");
        }
    }
}
