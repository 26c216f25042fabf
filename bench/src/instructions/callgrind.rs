//! A program under callgrind.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::Error;

/// All instructions that a program ran from its start to its end. An error if it fails.
///
/// It is started from its own folder, by its name alone, and without an environment: both lie in its memory and move what
/// comes after, and what copies bytes takes other steps where they lie otherwise.
pub(super) fn total(program: &Path, args: &[&str]) -> Result<u64, Error> {
    let (Some(home), Some(name)) = (program.parent(), program.file_name()) else {
        return Err("the program lies in no folder".into());
    };
    let folder = TempDir::with_prefix("idbridge-bench-")?;
    let file = folder.path().join("callgrind.out");
    let ended = Command::new(valgrind()?)
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(Path::new(".").join(name))
        .args(args)
        .current_dir(home)
        .env_clear()
        .stdin(Stdio::null())
        .output()?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr);
        return Err(format!("{}: {}: {}", args.join(" "), ended.status, said.trim()).into());
    }
    sum(&fs::read_to_string(file)?)
}

/// Where it is: without an environment nobody would look for it in `PATH`.
fn valgrind() -> Result<String, Error> {
    let found = Command::new("/bin/sh").args(["-c", "command -v valgrind"]).output()?;
    if !found.status.success() {
        return Err("valgrind is missing: apt-get install valgrind".into());
    }
    Ok(String::from_utf8(found.stdout)?.trim().to_owned())
}

/// The file's line `totals: N`, if instructions are all that was counted.
fn sum(file: &str) -> Result<u64, Error> {
    let of = |key: &str| file.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    match (of("events:"), of("totals:")) {
        (Some("Ir"), Some(total)) => Ok(total.parse()?),
        _ => Err("callgrind wrote no total of instructions".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_files_total() {
        let file = "version: 1\npositions: line\nevents: Ir\n\nfn=(1)\n0 7\n\ntotals: 1234567\n";
        assert_eq!(sum(file).expect("a total"), 1_234_567);
        assert!(sum(&file.replace("totals", "total")).is_err());
        assert!(sum(&file.replace("Ir\n", "Ir Dr\n")).is_err());
    }
}
