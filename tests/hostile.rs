//! A project whose author means harm: what it puts in names, texts and settings neither hangs a run, nor leads it out of the project,
//! nor steers the terminal or the log that shows the report.
//!
//! `tests/outputs.rs` holds each format to it with made-up reports, `tests/broken.rs` has sizes and depths.

#[expect(dead_code, reason = "only what must not get through is asked here")]
mod rooms;
mod world;

use std::fs;
use std::path::Path;
use std::process::Command;
use world::{Ran, World};

const FORMATS: [&str; 9] = ["terminal", "concise", "json", "sarif", "github", "gitlab", "junit", "checkstyle", "rdjson"];

/// What moves a cursor, sets a title, turns the direction of text, ends a line, or is a command to a service.
const POISON: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\u{2066}\u{9b}31m\r::error file=a.py,line=1::forged\u{85}##[error]forged";

#[test]
fn names_and_texts_cannot_steer_a_terminal_or_a_log() {
    let world = World::project();
    let name = format!("tests/test_{}.py", POISON.replace('/', ""));
    let text =
        format!("import os\n\n\ndef test_a():\n    os.environ['{POISON}'] = '1'\n    open('/tmp/{POISON}', 'w').write('x')\n");
    world.file(&name, text);
    world.file("tests/test_b.py", format!("def test_b():\n    assert open('/tmp/{POISON}').read()\n"));
    world.file("tests/broken.py", format!("def (\n{POISON}"));
    world.file(&format!("bad{POISON}.py"), b"\xFF");
    world.file("tox.ini", format!("[testenv]\ncommands = pytest -n 4 {POISON}\n"));
    for format in FORMATS {
        let words = ["check", "--preview", "--gaps", "--exit-zero", "--min-confidence", "low", "--output-format", format];
        let ran = world.run(&words);
        assert_eq!(ran.status, 0, "{ran:?}");
        rooms::harmless(format, &ran.out, false);
        rooms::harmless("standard error", &ran.err, false);
        let forged = |line: &&str| line.starts_with("::error file=a.py,line=1::") || line.starts_with("##[error]");
        assert_eq!(ran.out.lines().chain(ran.err.lines()).find(forged), None, "{format}");
    }
    for words in [&["check", "--fix", "--unsafe-fixes", "--diff"][..], &["plan"], &["check", "nowhere\u{1b}[31m"]] {
        rooms::harmless("standard error", &world.run(words).err, false);
    }
}

/// A run that is refused, or goes on and says what it left out; it ends in any case.
fn ended(world: &World, words: &[&str]) -> Ran {
    let ran = world.run(words);
    assert!([0, 1, 2].contains(&ran.status), "{ran:?}");
    ran
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_in_the_place_of_files_do_not_hang() {
    let pipe = |world: &World, name: &str| {
        fs::create_dir_all(world.path(name).parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(world.path(name)).status().unwrap().success());
    };
    let names = [".gitignore", ".ignore", ".isolintignore", ".git/info/exclude"];
    for name in names {
        for folder in ["", "sub/"] {
            let world = World::project();
            world.file("a.py", "");
            world.file("sub/b.py", "");
            pipe(&world, &format!("{folder}{name}"));
            let ran = ended(&world, &["check", "--output-format", "json"]);
            let at = if folder.is_empty() { "." } else { "sub" };
            assert_eq!(ran.err, format!("warning: {at}: skipped: its {name} is no regular file; remove it\n"));
            assert_eq!(world.run(&["check", "--strict"]).status, 2);
        }
        let world = World::project();
        fs::create_dir_all(world.path(".git/info")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", world.path(name)).unwrap();
        assert!(ended(&world, &["check", "--output-format", "json"]).err.contains("no regular file"));
    }
    for name in
        ["isolint.toml", "pyproject.toml", "tox.ini", "sub/isolint.toml", "sub/CACHEDIR.TAG", "sub/pyvenv.cfg", "conftest.py"]
    {
        let world = World::project();
        world.file("sub/a.py", "");
        pipe(&world, name);
        assert_eq!(ended(&world, &["check"]).status, 0, "{name}");
    }
    for key in ["extend = 'pipe.toml'", "baseline = 'pipe.toml'", "[[calls]]\nfiles = ['pipe.toml']"] {
        let world = World::project();
        world.file("isolint.toml", key);
        pipe(&world, "pipe.toml");
        assert_eq!(ended(&world, &["check"]).status, 2, "{key}");
    }
}

#[test]
fn settings_do_not_lead_out_of_the_project() {
    let outside = World::bare();
    outside.file("secret.toml", "password = 'hunter2'\n");
    let absolute = outside.path("secret.toml").display().to_string();
    let up = "../".repeat(absolute.matches('/').count() + 4) + absolute.trim_start_matches('/');
    for path in [absolute.as_str(), up.as_str(), "link.toml"] {
        for key in ["extend", "baseline"] {
            let world = World::project();
            world.file("a.py", "");
            world.file("isolint.toml", format!("{key} = '{path}'\n"));
            #[cfg(unix)]
            std::os::unix::fs::symlink(&absolute, world.path("link.toml")).unwrap();
            for more in [&[][..], &["--write-baseline"]] {
                let ran = ended(&world, &[&["check"][..], more].concat());
                assert_eq!(ran.status, 2, "{key} = {path}: {ran:?}");
                let relative = ran.err.contains("the path of a TOML file, relative to this one");
                assert!(ran.err.contains("outside the project") || relative, "{ran:?}");
                assert!(!ran.err.contains("password") && !ran.err.contains("hunter2"), "{ran:?}");
            }
        }
    }
    assert_eq!(fs::read_to_string(outside.path("secret.toml")).unwrap(), "password = 'hunter2'\n");
    // What the user names may stand anywhere, and so may what that names beside itself.
    outside.file("ours.toml", "extend = 'base.toml'\n");
    outside.file("base.toml", "preview = true\n");
    let world = World::project();
    let ran = world.run(&["check", "--config", &outside.path("ours.toml").display().to_string()]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn fixes_do_not_write_out_of_the_project() {
    let (world, outside) = (World::project(), World::bare());
    let text = "import tempfile\n\n\ndef test_a():\n    path = tempfile.mktemp()\n    open(path, 'w').close()\n";
    outside.file("test_theirs.py", text);
    world.file("tests/test_ours.py", text);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outside.path("test_theirs.py"), world.path("tests/test_link.py")).unwrap();
        std::os::unix::fs::symlink(outside.root(), world.path("tests/folder")).unwrap();
    }
    let ran = world.run(&["check", "--preview", "--fix", "--unsafe-fixes", "--exit-zero"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_ne!(fs::read_to_string(world.path("tests/test_ours.py")).unwrap(), text);
    assert_eq!(fs::read_to_string(outside.path("test_theirs.py")).unwrap(), text);
}

/// In a folder where nothing may be made, a fix is refused with the file's name, and nothing is lost.
#[cfg(unix)]
#[test]
fn what_cannot_be_written_is_named_and_stays() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::project();
    let text = "import tempfile\n\n\ndef test_a():\n    path = tempfile.mktemp()\n    open(path, 'w').close()\n";
    world.file("closed/test_a.py", text);
    fs::set_permissions(world.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    let ran = world.run_as_ordinary(&["check", "--preview", "--fix", "--unsafe-fixes", "--exit-zero"]);
    fs::set_permissions(world.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    let Some(ran) = ran else { return };
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("error: closed/test_a.py: not written: "), "{ran:?}");
    assert_eq!(fs::read_to_string(world.path("closed/test_a.py")).unwrap(), text);
    assert_eq!(fs::read_dir(world.path("closed")).unwrap().count(), 1);
}

/// Where a write stops in the middle, as on a full disk, the old file stays, and the half of the new one goes.
#[cfg(unix)]
#[test]
fn a_write_that_stops_half_way_loses_nothing() {
    let world = World::project();
    let test = "import tempfile\n\n\ndef test_a():\n    path = tempfile.mktemp()\n    open(path, 'w').close()\n";
    let long = format!("{test}{}", "# long\n".repeat(2_000));
    world.file("tests/test_long.py", &long);
    world.file("tests/test_short.py", test);
    // The limit on what a file may hold; the signal that comes with it is ignored, so that the write fails.
    let ran = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" check --preview --fix --unsafe-fixes --exit-zero"])
        .arg(env!("CARGO_BIN_EXE_isolint"))
        .current_dir(world.root())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{err}");
    assert!(err.contains("error: tests/test_long.py: not written: "), "{err}");
    assert_eq!(fs::read_to_string(world.path("tests/test_long.py")).unwrap(), long);
    assert_ne!(fs::read_to_string(world.path("tests/test_short.py")).unwrap(), test);
    assert_eq!(fs::read_dir(world.path("tests")).unwrap().count(), 2);
}

/// Only these may start a process, and none opens a connection.
#[test]
fn no_network_and_no_process_but_git() {
    let mut found = Vec::new();
    let mut todo = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for word in ["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "std::net", "process::Command", "Command::new("] {
                if code.contains(word) {
                    found.push(path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string());
                }
            }
        }
    }
    found.sort();
    found.dedup();
    assert_eq!(found, ["src/cli/git.rs"]);
}
