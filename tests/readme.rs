//! The README and the book show what the program prints, and no command in them is wrong.
//!
//! A `console` block below a line `<!-- run in FOLDER -->` is a run on a copy of that folder; `BLESS=1` writes it anew. Each line of a
//! `sh` block that starts `isolint` runs in a small project of its own; what else stands there is named in [`ELSEWHERE`].

mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use world::{World, finish};

const RUN: &str = "<!-- run in ";

/// How commands begin that no test here runs, and what does.
const ELSEWHERE: [(&str, &str); 16] = [
    (".ci/run", "it runs this test"),
    ("BLESS=1 cargo test", "writes what other tests compare"),
    ("cargo bench", "takes minutes"),
    ("cargo build", "the wheel's test builds from the source package"),
    ("cargo install --path .", "the wheel's test builds from the source package"),
    ("cargo package", "making a release"),
    ("cargo publish", "making a release"),
    ("cargo run --release -- check", "a build with optimization takes minutes"),
    ("cargo test", "it runs this test"),
    ("maturin ", "tests/oracle_wheel.rs"),
    ("pip install", "tests/oracle_wheel.rs installs the wheel"),
    ("pre-commit ", "tests/oracle_hook.rs"),
    ("python3 -m venv", "tests/oracle_wheel.rs"),
    ("scripts/", "scripts are run by hand"),
    ("twine ", "making a release"),
    ("git ", "not ours"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README, and what is written for people in `docs/`; samples and decisions are records of their day.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.extend(["README.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
    pages.sort();
    pages
}

/// Copies a folder of ours, but for the note on where a case comes from.
fn copy(folder: &str) -> World {
    let (world, from) = (World::project(), root().join(folder));
    let files = walkdir::WalkDir::new(&from).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    for entry in files.filter(|entry| entry.file_name() != "origin.toml") {
        let name = entry.path().strip_prefix(&from).unwrap().to_string_lossy().replace('\\', "/");
        world.file(&name, fs::read(entry.path()).unwrap());
    }
    world
}

/// The text of a page with what its runs print now.
fn shown(text: &str) -> String {
    let mut new = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(RUN) {
        let (folder, after) = after.split_once(" -->\n```console\n$ isolint ").expect("a `console` block below the mark");
        let (line, after) = after.split_once('\n').unwrap();
        let end = after.find("```\n").unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let ran = copy(folder).run(&words);
        assert!(ran.status < 2, "isolint {line}: {ran:?}");
        new += &format!("{before}{RUN}{folder} -->\n```console\n$ isolint {line}\n{}", ran.out);
        rest = &after[end..];
    }
    new + rest
}

#[test]
fn examples_are_what_the_program_prints() {
    let mut runs = 0;
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        let want = shown(&text);
        runs += text.matches(RUN).count();
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, want).unwrap();
        } else {
            assert!(text == want, "{} shows another output: run `BLESS=1 cargo test --test readme`\n\n{want}", path.display());
        }
    }
    assert!(runs >= 6, "the README and the stories show runs");
}

/// The commands of a page's `sh` blocks, without comments; a line that ends in `\` goes on.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        match (inside, line) {
            (false, "```sh") => inside = true,
            (true, "```") => inside = false,
            (true, line) if !line.is_empty() && !line.starts_with('#') => {
                commands.push(line.split("  #").next().unwrap_or(line).trim().to_owned());
            }
            _ => {}
        }
    }
    commands
}

#[cfg(unix)]
#[test]
fn every_command_runs() {
    let bin = Path::new(env!("CARGO_BIN_EXE_isolint")).parent().unwrap();
    let old = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(bin.to_owned()).chain(std::env::split_paths(&old))).unwrap();
    let run = |world: &World, line: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(world.root()).env("PATH", &path).env("HOME", world.root());
        for name in ["CI", "ISOLINT_OUTPUT_FORMAT", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
            command.env_remove(name);
        }
        finish(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    };
    let mut tried = 0;
    for page in pages() {
        for line in commands(&fs::read_to_string(&page).unwrap()) {
            let place = format!("{}: `{line}`", page.display());
            if !line.starts_with("isolint ") {
                let known = ELSEWHERE.iter().any(|(start, _)| line.starts_with(start));
                assert!(known, "{place}: no test runs it; name it in tests/readme.rs with what does");
                continue;
            }
            let world = World::bare();
            for name in ["pyproject.toml", "weather/cache.py", "weather/report.py", "tests/test_cache.py", "tests/test_report.py"]
            {
                world.file(name, fs::read(root().join("testdata/example").join(name)).unwrap());
            }
            let git = "git init -q -b main && git add -A && git -c user.name=a -c user.email=a@b -c commit.gpgsign=false commit -q -m x \
                       && git update-ref refs/remotes/origin/main HEAD";
            assert_eq!(run(&world, git).status, 0, "git");
            if line.contains("baseline") && !line.contains("--write-baseline") {
                let write = "isolint check --write-baseline --baseline isolint-baseline.json";
                assert_eq!(run(&world, write).status, 0, "{write}");
            }
            let ran = run(&world, &line.replace(" PATH", " tests").replace(" NAME", " shared-path"));
            assert!(ran.status < 2 && !ran.err.contains("error:"), "{place}: {ran:?}");
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried} commands: this test looks in the wrong place");
}
