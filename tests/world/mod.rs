//! A project made at run time in a folder of its own, and runs of the program in it.

#![allow(dead_code, reason = "each test file that includes it uses a part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No run on the small projects of these tests comes near it, in a debug build on a busy machine; one that does is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that goes away with it.
pub struct World {
    folder: TempDir,
}

impl World {
    /// An empty project: its root has `.git`, so that nothing above it matters.
    pub fn project() -> World {
        let world = World::bare();
        world.make(".git");
        world
    }

    /// An empty folder, in no project.
    pub fn bare() -> World {
        World { folder: tempfile::tempdir().unwrap() }
    }

    pub fn root(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn make(&self, folder: &str) {
        fs::create_dir_all(self.path(folder)).unwrap();
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn files(&self, names: &[&str]) {
        for name in names {
            self.file(name, "");
        }
    }

    /// The program, to be run in the root, with an environment that says nothing.
    pub fn command(&self, words: &[&str]) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_isolint")), words)
    }

    fn program(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).current_dir(self.root()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "ISOLINT_OUTPUT_FORMAT", "RUST_BACKTRACE", "CI"] {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        finish(self.command(words).spawn().unwrap())
    }

    /// Runs as a user for whom file modes count: another one where we are root. None where that cannot be done here.
    #[cfg(unix)]
    pub fn run_as_ordinary(&self, words: &[&str]) -> Option<Ran> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        if fs::metadata(self.root()).unwrap().uid() != 0 {
            return Some(self.run(words));
        }
        // Where this test was built, another user may not be let in.
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(self.root(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = place.path().join("isolint");
        fs::copy(env!("CARGO_BIN_EXE_isolint"), &program).unwrap();
        let mut all = vec!["--reuid=65534", "--regid=65534", "--clear-groups", program.to_str().unwrap()];
        all.extend(words);
        match self.program(Path::new("setpriv"), &all).spawn() {
            Ok(child) => Some(finish(child)),
            Err(error) => {
                eprintln!("not tested: root, and no setpriv: {error}");
                None
            }
        }
    }

    /// The report as JSON, of a run that is to do its work, whatever it finds.
    pub fn json(&self, words: &[&str]) -> serde_json::Value {
        let mut all = vec!["check", "--output-format", "json", "--exit-zero"];
        all.extend(words);
        let ran = self.run(&all);
        assert_eq!(ran.status, 0, "{ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    }
}

/// What became of a run.
#[derive(PartialEq, Eq, Debug)]
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

/// Waits for a run; ends one that hangs.
pub fn finish(mut child: Child) -> Ran {
    // Read beside the wait: a full pipe would stop the program.
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let read = |from: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut from) = from {
                from.read_to_end(&mut bytes).unwrap();
            }
            bytes
        })
    };
    let out = read(out.map(|out| Box::new(out) as _));
    let err = read(err.map(|err| Box::new(err) as _));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the run did not end");
        }
        sleep(Duration::from_millis(5));
    };
    let output = Output { status, stdout: out.join().unwrap(), stderr: err.join().unwrap() };
    Ran {
        // A signal (an abort, a stack overflow) has no code.
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
