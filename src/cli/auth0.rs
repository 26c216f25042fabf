//! `auth0 export`: a connection with its scripts and Actions, in the layout of auth0-deploy-cli, and for Terraform.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Exit, output};

pub(super) mod files;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Auth0 {
    /// Write the custom-database connection with its scripts and Actions
    Export(ExportArgs),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  idbridge auth0 export --out tenant --connection legacy-users\n\n\
                        Writes OUT/database-connections/NAME/{README.md,database.json,login.js,get_user.js}, the post-login Actions in \
                        OUT/actions and their bindings in OUT/triggers/triggers.json, for auth0-deploy-cli or to paste into \
                        the dashboard; and OUT/terraform/main.tf. Bindings that are there stay."
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
                let what = if path.ends_with(files::TRIGGERS) {
                    "exists and isn't a list of bindings; nothing overwrites it"
                } else {
                    "exists and differs; --force overwrites it"
                };
                output::error(&format!("{}: {what}", path.display()));
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
    let mut files: Vec<_> = files::templates(&args.connection)
        .map(|(path, content)| (args.out.join(path), content))
        .collect();
    let mut different = Vec::new();
    if !args.force {
        for (path, content) in &files {
            if read(path)?.is_some_and(|found| found != content.as_bytes()) {
                different.push(path.clone());
            }
        }
    }
    // Not ours alone: what is there stays, with and without --force.
    let triggers = args.out.join(files::TRIGGERS);
    let found = read(&triggers)?.map(String::from_utf8).transpose();
    match found
        .ok()
        .and_then(|found| files::with_bindings(found.as_deref(), &args.connection))
    {
        Some(content) => files.push((triggers, content)),
        None => different.push(triggers),
    }
    if !different.is_empty() {
        return Err(Failure::Different(different));
    }
    for (path, content) in &files {
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| write_whole(path, content))
            .map_err(|error| Failure::Io(path.clone(), error))?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// None where there is nothing.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs::read(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Io(path.to_owned(), error)),
    }
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
         2. Say the connection's rules for passwords and user names in [rest.auth0]. README.md beside database.json has the\n     \
         lines; without them Auth0 refuses people whom the source lets in.\n  \
         3. Give the connection its two configuration values. auth0-deploy-cli takes them from the environment or from\n     \
         AUTH0_KEYWORD_REPLACE_MAPPINGS; in the dashboard they stand below the scripts, under Settings.\n       \
         IDBRIDGE_URL  the gateway's address, such as https://idbridge.example.com\n       \
         IDBRIDGE_KEY  the key\n  \
         4. Read triggers/triggers.json: the import makes it the tenant's whole list, and unbinds every Action it doesn't name.\n     \
         Each Action's README, beside its code, says what it needs; without second factors there is nothing to ask for.\n  \
         5. Import the folder: `a0deploy import --input_file OUT`, with AUTH0_ALLOW_DELETE off. Where a file can't be read,\n     \
         the import says no more than a warning and, with it, deletes the connection and its users.\n  \
         6. Enable the connection {connection} for an application, and use its Try buttons.\n\
         Without both values the scripts answer every log-in with an error, and the Actions deny it."
    )
}

/// Auth0's rule for a connection's name.
pub(crate) fn parse_connection(text: &str) -> Result<String, &'static str> {
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
    fn the_files_are_written_and_again_without_a_word() {
        let dir = tempfile::tempdir().expect("a folder");
        let written = write_all(&args(dir.path(), false)).expect("written");
        assert_eq!(write_all(&args(dir.path(), false)).expect("written"), written);
        assert_eq!(written.len(), 19);
        assert!(written.iter().all(|path| path.is_file()));
        let read = |path: &str| fs::read_to_string(dir.path().join(path)).expect("text");

        let database = read("database-connections/legacy-users/database.json");
        let database: serde_json::Value = serde_json::from_str(&database).expect("JSON");
        assert_eq!(database["name"], "legacy-users");
        assert_eq!(database["options"]["customScripts"]["login"], "./login.js");
        assert_eq!(
            read("database-connections/legacy-users/login.js"),
            include_str!("../auth0/login.js")
        );

        let action = read("actions/idbridge-legacy-users-roles.json");
        let action: serde_json::Value = serde_json::from_str(&action).expect("JSON");
        let code = action["code"].as_str().expect("a path");
        assert!(read(code).contains("const CONNECTION = 'legacy-users';"));
        assert!(read("triggers/triggers.json").contains("idbridge-legacy-users-metadata"));
    }

    #[test]
    fn two_connections_stand_in_one_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        write_all(&args(dir.path(), false)).expect("written");
        let second = ExportArgs {
            connection: "others".to_owned(),
            ..args(dir.path(), false)
        };
        write_all(&second).expect("written");
        let triggers = fs::read_to_string(dir.path().join(files::TRIGGERS)).expect("text");
        assert!(triggers.contains("idbridge-legacy-users-roles") && triggers.contains("idbridge-others-roles"));
    }

    #[test]
    fn a_list_of_bindings_that_cannot_be_read_is_kept_even_if_forced() {
        let dir = tempfile::tempdir().expect("a folder");
        let triggers = dir.path().join(files::TRIGGERS);
        fs::create_dir_all(triggers.parent().expect("a folder")).expect("made");
        fs::write(&triggers, "{{").expect("written");
        let Err(Failure::Different(paths)) = write_all(&args(dir.path(), true)) else {
            panic!("overwritten")
        };
        assert_eq!(paths, [triggers]);
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
        assert_eq!(
            fs::read_to_string(&login).expect("text"),
            include_str!("../auth0/login.js")
        );
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
