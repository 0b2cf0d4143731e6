//! SARIF against programs that read it: fixes applied by a script that knows the standard alone, and Microsoft's validator with the
//! rules of code scanning.
//!
//! `cargo test --test oracle_sarif -- --ignored`; the validator stands where `.ci/run` puts it.

#[allow(dead_code, reason = "the tests of pages use the rest")]
mod blocks;
#[allow(dead_code, reason = "the tests of pages use the rest")]
mod project;
mod world;

use blocks::Part;
use project::File;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use world::World;

/// Rounds until nothing overlaps any more.
const ROUNDS: usize = 20;

/// What the validator asks for and does not get, and why.
const BY_DECISION: [(&str, &str); 8] = [
    ("SARIF2002", "messages as arguments of templates: each is a sentence of its own"),
    ("SARIF2003", "the revision: output is a function of the files"),
    ("SARIF2005", "the address of the tool: the package names none yet"),
    ("SARIF2006", "addresses that answer: there is no network here"),
    ("SARIF2009", "codes such as CS2001 for rules: ours have names"),
    ("SARIF2010", "snippets: code scanning ignores them, and they double the size"),
    ("SARIF2011", "more lines around snippets"),
    ("SARIF2012", "the address of a rule's page, and a name where it would be the id again"),
];

/// Tabs, CRLF, characters outside of the first plane, two edits in a line, and a notebook.
const AWKWARD: [(&str, &str); 3] = [
    (
        "src/a.py",
        "# 😀 é\r\nimport os\r\n\r\n\r\ndef prepare(outdir):\r\n\tname = '😀é'; \r\n\tif not os.path.isdir(outdir):\r\n\t\tos.makedirs(outdir, 0o755)\r\n\treturn name\r\n",
    ),
    (
        "tests/test_é 😀.py",
        "import tempfile\n\n\ndef test_a():\n    a = '😀'; path = tempfile.mktemp(); open(path, 'w').close()\n",
    ),
    (
        "a.ipynb",
        "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\n \"# 😀 isolint: ignore\\n\", \"# isolint: ignore[mktemp]\\n\",\n \"x = '\\ud83d\\ude00'  # isolint: ignore[mktemp]\"\n]}]}\n",
    ),
];

/// An example of a page.
struct Example {
    name: String,
    files: Vec<(String, String)>,
    /// The page shows it fixed, too.
    fixed: bool,
}

/// What the pages of all rules show as caught, and the awkward.
fn examples() -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut pages: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut all: Vec<Example> = pages.iter().flat_map(|page| of_page(page)).collect();
    let files = AWKWARD.map(|(path, text)| (path.to_owned(), text.to_owned()));
    all.push(Example { name: "awkward".to_owned(), files: files.into(), fixed: true });
    all
}

fn of_page(page: &Path) -> Vec<Example> {
    let mut section = String::new();
    let mut heading = String::new();
    let mut caught: Vec<Example> = Vec::new();
    let mut new = true;
    for (line, part) in blocks::parts(&fs::read_to_string(page).unwrap()) {
        match part {
            Part::Heading(2, name) => (section, new) = (name, true),
            Part::Heading(_, name) => (heading, new) = (name, true),
            Part::File(File { path, text, .. }) if section == "Caught" => {
                if std::mem::take(&mut new) {
                    caught.push(Example {
                        name: format!("{}:{line} {heading}", page.display()),
                        files: Vec::new(),
                        fixed: false,
                    });
                }
                caught.last_mut().unwrap().files.push((path, text));
            }
            Part::File(_) if section == "Fixed" => {
                let shown = caught.iter_mut().filter(|example| example.name.ends_with(&format!(" {heading}")));
                shown.for_each(|example| example.fixed = true);
            }
            _ => new = true,
        }
    }
    caught
}

fn written(files: &[(String, String)]) -> World {
    let world = World::project();
    for (path, text) in files {
        world.file(&format!("project/{path}"), text);
    }
    world.make("project/.git");
    world
}

fn check(world: &World, more: &[&str]) -> world::Ran {
    let ran = world.run(&[&["check", "project", "--preview", "--isolated"], more].concat());
    assert!(ran.status < 2, "{ran:?}");
    ran
}

/// All files of the project, by path.
fn tree(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(world.path("project")).into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    files.map(|entry| (entry.path().strip_prefix(world.root()).unwrap().to_owned(), fs::read(entry.path()).unwrap())).collect()
}

/// Applies the fixes of a log until there are none; gives their number.
fn applied(world: &World) -> usize {
    let mut made = 0;
    for _ in 0..ROUNDS {
        check(world, &["--output-format", "sarif", "--output-file", "log.sarif"]);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sarif/apply.py");
        let output =
            Command::new("python3").args([script, "log.sarif", "project", "unsafe"]).current_dir(world.root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        match String::from_utf8(output.stdout).unwrap().trim().parse::<usize>().unwrap() {
            0 => break,
            n => made += n,
        }
    }
    made
}

#[test]
#[ignore = "needs python3"]
fn fixes_applied_by_others_give_the_bytes_of_our_own() {
    let (mut made, mut taken_back) = (0, 0);
    for Example { name, files, .. } in examples().into_iter().filter(|example| example.fixed) {
        let (ours, theirs) = (written(&files), written(&files));
        let before = tree(&ours);
        let ran = check(&ours, &["--fix", "--unsafe-fixes"]);
        if ran.err.contains("its fix was taken back") {
            taken_back += 1;
            continue;
        }
        if tree(&ours) != before {
            made += applied(&theirs);
            assert_eq!(tree(&ours), tree(&theirs), "{name}");
        }
    }
    println!("{made} fixes; {taken_back} projects left out, as fixes in them are taken back");
    assert!(made > 50 && taken_back < 5, "{made} fixes, {taken_back} left out");
}

#[test]
#[ignore = "needs the SARIF Multitool"]
fn the_validator_of_code_scanning_has_nothing_to_say() {
    let program = "target/node/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool";
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(program);
    let logs = World::bare();
    let mut number = 0;
    let mut pages = BTreeSet::new();
    for example in examples() {
        // One of each page: the rules, not the places, are what differs for the validator.
        if pages.insert(example.name.split(':').next().unwrap().to_owned()) {
            let ran = check(&written(&example.files), &["--output-format", "sarif", "--show-suppressed"]);
            logs.file(&format!("{number}.sarif"), &ran.out);
            number += 1;
        }
    }
    logs.make("out");
    let output = Command::new(program)
        .args(["validate", "*.sarif", "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning;Note"])
        .args(["--output", "out/report.sarif", "--log", "ForceOverwrite"])
        .current_dir(logs.root())
        .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
        .output()
        .unwrap();
    let report = fs::read_to_string(logs.path("out/report.sarif"));
    let report = report.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)));
    let report: Value = serde_json::from_str(report.trim_start_matches('\u{feff}')).unwrap();
    let scanned = String::from_utf8_lossy(&output.stdout).contains(&format!("{number} files scanned"));
    assert!(scanned, "{}", String::from_utf8_lossy(&output.stdout));
    let results = report["runs"][0]["results"].as_array().unwrap().iter();
    let said: BTreeSet<String> = results
        .filter(|result| !BY_DECISION.iter().any(|(rule, _)| result["ruleId"] == *rule))
        .map(|result| format!("{}: {}", result["ruleId"], result["message"]))
        .collect();
    assert!(said.is_empty(), "{said:#?}");
}
