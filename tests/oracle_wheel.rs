//! The Python package: built by maturin, installed by pip into an empty environment, and used from there.
//!
//! `cargo test --test oracle_wheel -- --ignored`, with `maturin` and `pre-commit` on the PATH (`.ci/run` puts them there).

mod hooks;
mod world;

use hooks::{Project, Runner};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use world::World;

const HAZARD: &str = "import tempfile\n\n\ndef test_name():\n    open(tempfile.mktemp(), \"w\").close()\n";

/// Runs a program that is to do its work.
fn done(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}\n{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// The one file of a folder with this ending.
fn only(folder: &Path, ending: &str) -> PathBuf {
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut fitting = files.iter().filter(|path| path.to_string_lossy().ends_with(ending));
    fitting.next().cloned().unwrap_or_else(|| panic!("no {ending} in {files:?}"))
}

/// An environment with nothing in it but pip.
fn environment(world: &World) -> PathBuf {
    done(Command::new("python3").args(["-m", "venv"]).arg(world.path("env")));
    world.path("env").join(if cfg!(windows) { "Scripts" } else { "bin" })
}

fn maturin(words: &[&str], out: &Path) {
    let mut command = Command::new("maturin");
    // As these tests are built, so that little has to be built anew.
    command.args(words).arg("--out").arg(out).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("RUSTFLAGS");
    done(&mut command);
}

/// What is installed works: the program, its report for code scanning, its hook.
fn works(world: &World, bin: &Path) {
    let isolint = bin.join("isolint");
    assert_eq!(done(Command::new(&isolint).arg("--version")), format!("isolint {}\n", env!("CARGO_PKG_VERSION")));
    world.file("project/tests/test_name.py", HAZARD);
    world.make("project/.git");
    let report = world.path("out/report.sarif");
    let check = Command::new(&isolint)
        .args(["check", "--output-format", "sarif", "--output-file"])
        .arg(&report)
        .current_dir(world.path("project"))
        .output()
        .unwrap();
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    let sarif: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "mktemp");
    assert!(done(Command::new(&isolint).args(["explain", "mktemp"])).starts_with("mktemp:"));
    hooks::finds_a_staged_half(&Project::new(Runner::of("pre-commit", bin)));
}

/// The manual pages and completions stand where systems look for them, and their programs can read them.
fn is_documented(world: &World) {
    let share = world.path("env/share");
    let page = share.join("man/man1/isolint-check.1");
    let written = done(Command::new(world.path("env/bin/isolint")).args(["man", "check"]));
    assert_eq!(fs::read_to_string(&page).unwrap(), written);
    // Found by its name, as in an environment that is active.
    let mut man = Command::new("man");
    man.args(["-M"]).arg(share.join("man")).args(["--warnings", "isolint-check"]).env("MANWIDTH", "100").env("LC_ALL", "C.UTF-8");
    let shown = done(&mut man).split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["The project that holds the paths is analysed whole", "--unsafe-fixes"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    // What bash would offer behind `isolint check --un`.
    let script = share.join("bash-completion/completions/isolint");
    let offers =
        "source \"$1\"; COMP_WORDS=(isolint check --un); COMP_CWORD=2; _isolint isolint --un check; echo \"${COMPREPLY[@]}\"";
    assert_eq!(done(Command::new("bash").args(["-c", offers, "bash"]).arg(script)), "--unsafe-fixes\n");
    for path in ["fish/vendor_completions.d/isolint.fish", "zsh/site-functions/_isolint"] {
        assert!(fs::read_to_string(share.join(path)).unwrap().contains("unsafe-fixes"), "{path}");
    }
}

#[test]
#[ignore = "needs maturin, pre-commit and git"]
fn the_wheel_installs_and_works() {
    let world = World::bare();
    maturin(&["build"], &world.path("wheels"));
    let wheel = only(&world.path("wheels"), ".whl");
    let bin = environment(&world);
    done(Command::new(bin.join("pip")).args(["install", "--no-index", "--quiet"]).arg(&wheel));
    works(&world, &bin);
    is_documented(&world);
    let mut files = walkdir::WalkDir::new(world.path("env")).into_iter().map(|entry| entry.unwrap().into_path());
    let metadata = files.find(|path| path.ends_with(format!("isolint-{}.dist-info/METADATA", env!("CARGO_PKG_VERSION"))));
    let metadata = fs::read_to_string(metadata.unwrap()).unwrap();
    for line in
        ["Name: isolint", "License-Expression: MIT OR Apache-2.0", "License-File: LICENSE-MIT", "License-File: LICENSE-APACHE"]
    {
        assert!(metadata.lines().any(|other| other == line), "{line}: {metadata}");
    }
    assert!(metadata.contains("\n# isolint\n"), "the readme is what people see first: {metadata}");
}

#[test]
#[ignore = "needs maturin"]
fn the_source_package_holds_what_a_build_needs() {
    let world = World::bare();
    maturin(&["sdist"], &world.path("sdist"));
    let package = only(&world.path("sdist"), ".tar.gz");
    let listed = done(Command::new("tar").arg("-tzf").arg(&package));
    let root = format!("isolint-{}/", env!("CARGO_PKG_VERSION"));
    let files: Vec<&str> = listed.lines().filter_map(|line| line.strip_prefix(&root)).collect();
    for file in [
        "Cargo.lock",
        "Cargo.toml",
        "PKG-INFO",
        "README.md",
        "LICENSE-MIT",
        "pyproject.toml",
        "src/main.rs",
        "rules/mktemp.md",
        "packaging/data/share/man/man1/isolint.1",
    ] {
        assert!(files.contains(&file), "{file} is missing: {files:?}");
    }
    assert!(files.iter().all(|file| !file.starts_with("tests/") && !file.starts_with("testdata/")), "{files:?}");
    // At the same place each time, so that what cargo keeps of it is replaced.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdist");
    fs::create_dir_all(&folder).unwrap();
    done(Command::new("tar").arg("-xzf").arg(package).arg("-C").arg(&folder));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args(["check", "--locked", "--bin", "isolint"]).current_dir(folder.join(&root)).env("CARGO_TARGET_DIR", target);
    done(&mut build);
}
