//! Where output goes: standard output, or a file that is never half written.

use super::Failure;
use isolint::discover::MAX_NOTEBOOK_BYTES;
use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Writes to standard output. A reader that went away (`isolint rules | head -1`) is no error of ours.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    sent(out.write_all(bytes).and_then(|()| out.flush()))
}

/// All of standard input, up to a byte more than a file may hold.
pub fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_NOTEBOOK_BYTES + 1).read_to_end(&mut bytes).map_err(Failure::Input)?;
    Ok(bytes)
}

/// What became of writing to standard output.
pub fn sent(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::NoReader),
        Err(error) => Err(Failure::Write { to: "standard output".into(), error }),
    }
}

/// Writes a file whole or not at all: into a new file beside it, which then takes its name. Folders above it are made, and what an
/// earlier run left there when it was ended goes.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    // The folder of a bare name is the current one.
    sweep(&path.parent().map(|folder| Path::new(".").join(folder)).into_iter().collect());
    publish(path, bytes).map_err(|error| Failure::Write { to: path.display().to_string(), error })
}

/// Replaces a file whose bytes are known, whole or not at all: one that changed meanwhile is left alone, and so is one that a link
/// brings from outside the project.
pub fn replace_file(root: &Path, path: &Path, known: &[u8], new: &[u8]) -> Result<(), String> {
    let target = fs::canonicalize(path).map_err(|error| error.to_string())?;
    let inside = fs::canonicalize(root).is_ok_and(|root| target.starts_with(root));
    if !inside {
        return Err("it is a link to a file outside the project".to_owned());
    }
    if fs::read(&target).map_err(|error| error.to_string())? != known {
        return Err("it was changed by somebody else; run again".to_owned());
    }
    publish(&target, new).map_err(|error| error.to_string())
}

fn publish(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // The file that a symbolic link means, so that the link stays one.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        // A pipe, a terminal, `/dev/stdout`: nothing there to replace.
        return OpenOptions::new().write(true).open(&target)?.write_all(bytes);
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    let (mut file, temporary) = create_beside(&target)?;
    let written = (|| {
        file.write_all(bytes)?;
        if let Some(old) = old {
            keep_owner(&file, &old);
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        // Its lock is held until it has its name: who sweeps would take it for a dead one.
        fs::rename(&temporary, &target)
    })();
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Gives a new file the owner of the old one, where that may be done: a fix by root leaves the file to its user.
#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if file.metadata().is_ok_and(|new| (new.uid(), new.gid()) != (old.uid(), old.gid())) {
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) {}

/// What the names of our temporary files end with.
const TEMPORARY: &str = ".isolint";

/// A new file in the folder of `target`, locked. No other run can have its name: creation fails where it is taken.
fn create_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
    for attempt in 0..100 {
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}-{attempt}{TEMPORARY}", std::process::id()));
        let path = target.with_file_name(temporary);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => {
                // File systems without locks have nobody who sweeps either.
                let _ = file.try_lock();
                return Ok((file, path));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "a hundred temporary files stand in the way"))
}

/// Removes the temporary files that runs left in these folders when they were ended. A run that lives holds the lock of its own.
pub fn sweep(folders: &BTreeSet<PathBuf>) {
    for entry in folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && entry.file_name().to_str().is_some_and(is_temporary) {
            let dead = OpenOptions::new().write(true).open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
            if dead {
                // What cannot be removed stays: it hurts nobody.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Whether a name is one that [`create_beside`] gives: `.NAME.PROCESS-ATTEMPT.isolint`.
fn is_temporary(name: &str) -> bool {
    let middle = name.strip_prefix('.').and_then(|name| name.strip_suffix(TEMPORARY));
    let numbers = middle.and_then(|middle| middle.rsplit_once('.')).and_then(|(_, numbers)| numbers.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(process, attempt)| is_number(process) && is_number(attempt))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/report.json");
        write_file(&path, b"one").unwrap();
        write_file(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(path.parent().unwrap()), ["report.json"]);
    }

    #[test]
    fn a_temporary_of_the_same_name_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r");
        let taken = folder.path().join(format!(".r.{}-0.isolint", std::process::id()));
        fs::write(&taken, "theirs").unwrap();
        publish(&path, b"new").unwrap();
        assert_eq!((fs::read(&path).unwrap(), fs::read(&taken).unwrap()), (b"new".to_vec(), b"theirs".to_vec()));
        write_file(&path, b"newer").unwrap();
        assert_eq!(names(folder.path()), ["r"]);
    }

    #[test]
    fn what_a_dead_run_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".a.py.12-0.isolint", ".a.py.12-0.tmp", ".a.py.x-0.isolint", "a.py.12-0.isolint", ".isolint.toml"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join(".d.12-0.isolint")).unwrap();
        let (alive, living) = create_beside(&folder.path().join("b.py")).unwrap();
        let folders = BTreeSet::from([folder.path().to_owned(), folder.path().join("not there")]);
        sweep(&folders);
        let living_name = living.file_name().unwrap().to_str().unwrap().to_owned();
        let mut left =
            [".a.py.12-0.tmp", ".a.py.x-0.isolint", &living_name, ".d.12-0.isolint", ".isolint.toml", "a.py.12-0.isolint"];
        left.sort_unstable();
        assert_eq!(names(folder.path()), left);
        drop(alive);
        sweep(&folders);
        assert!(!living.exists());
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(write_file(folder.path(), b"x"), Err(Failure::Write { .. })));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_file_that_changed_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        fs::write(&path, "theirs").unwrap();
        let why = replace_file(folder.path(), &path, b"ours", b"new").unwrap_err();
        assert!(why.contains("changed by somebody else"), "{why}");
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        replace_file(folder.path(), &path, b"theirs", b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a.py"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_project_is_not_followed() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("a.py"), "theirs").unwrap();
        let link = folder.path().join("a.py");
        std::os::unix::fs::symlink(outside.path().join("a.py"), &link).unwrap();
        assert!(replace_file(folder.path(), &link, b"theirs", b"new").unwrap_err().contains("outside"));
        assert_eq!(fs::read(outside.path().join("a.py")).unwrap(), b"theirs");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_modes_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_file(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
