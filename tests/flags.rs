//! Flags of the command line that no other file asks about.

mod world;

use std::io::Write;
use std::process::Stdio;
use world::{Ran, World, finish};

const WRITES: &str =
    "import json\n\n\ndef test_write():\n    with open(\"/tmp/report.json\", \"w\") as out:\n        json.dump({}, out)\n";
const READS: &str = "def test_read():\n    assert open(\"/tmp/report.json\").read()\n";
const IGNORED: &str = "import tempfile\n\n\ndef test_name():\n    # isolint: ignore[mktemp] the loader wants \"none\"\n    open(tempfile.mktemp(), \"w\").close()\n";

fn given(world: &World, text: &str, words: &[&str]) -> Ran {
    let mut child = world.command(words).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    finish(child)
}

#[test]
fn standard_input_takes_the_place_of_a_file() {
    let world = World::project();
    world.file("tests/test_write.py", WRITES);
    world.file("tests/test_read.py", "def test_read():\n    pass\n");
    world.file("tests/test_temp.py", "import tempfile\n\n\ndef test_name():\n    open(tempfile.mktemp(), \"w\").close()\n");
    let concise = ["check", "--output-format", "concise", "--stdin-filename"];
    for name in ["tests/test_read.py", "tests/test_new.py"] {
        let ran = given(&world, READS, &[&concise[..], &[name]].concat());
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.out.contains("[shared-path]") && !ran.out.contains("[mktemp]"), "{name}: {}", ran.out);
    }
    let ran = given(&world, "key: value\n", &[&concise[..], &["docs/x.yml"]].concat());
    assert_eq!(ran.status, 2, "its folder is not there: {ran:?}");
    let ran = given(&world, "key: value\n", &[&concise[..], &["x.yml"]].concat());
    assert_eq!(ran.status, 0);
    assert!(ran.err.contains("x.yml: not looked at"), "{}", ran.err);
    let ran = given(&world, "a\0b", &[&concise[..], &["x.py"]].concat());
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("x.py: cannot be read: not text"), "{}", ran.err);
    let ran = given(&world, READS, &[&concise[..], &["tests/test_read.py", "--exclude", "test_read.py"]].concat());
    assert_eq!((ran.status, ran.err.contains("excluded, though named")), (0, true), "{ran:?}");
}

#[test]
fn what_is_ignored_is_shown_where_it_is_asked_for() {
    let world = World::project();
    world.file("tests/test_name.py", IGNORED);
    let shown = world.run(&["check", "--show-suppressed", "--output-format", "concise"]);
    assert_eq!(shown.status, 0);
    let line = "tests/test_name.py:6:10: ignored[mktemp] `test_name` chooses a temporary name without reserving it (ignored at \
                tests/test_name.py:5:5: the loader wants \"none\")";
    assert!(shown.out.contains(line), "{}", shown.out);
    assert!(!world.run(&["check"]).out.contains("ignored[mktemp]"));

    let json = world.json(&["--show-suppressed"]);
    assert_eq!(json["findings"].as_array().unwrap().len(), 0);
    assert_eq!(json["suppressed"][0]["rule"], "mktemp");
    assert_eq!(json["suppressed"][0]["comment"]["line"], 5);
    assert_eq!(json["suppressed"][0]["reason"], "the loader wants \"none\"");
    assert!(world.json(&[]).get("suppressed").is_none());

    let sarif = |words: &[&str]| -> serde_json::Value {
        let ran = world.run(&[&["check", "--output-format", "sarif"], words].concat());
        assert_eq!(ran.status, 0);
        serde_json::from_str(&ran.out).unwrap()
    };
    assert_eq!(sarif(&[])["runs"][0]["results"].as_array().unwrap().len(), 0);
    let suppression = &sarif(&["--show-suppressed"])["runs"][0]["results"][0]["suppressions"][0];
    assert_eq!(suppression["kind"], "inSource");
    assert_eq!(suppression["justification"], "the loader wants \"none\"");
    assert_eq!(suppression["location"]["physicalLocation"]["region"]["startLine"], 5);
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let world = World::project();
    world.file("tests/test_write.py", WRITES);
    let coloured = |words: &[&str], variables: &[(&str, &str)]| {
        let mut command = world.command(&[&["check", "--output-format", "concise"], words].concat());
        let ran = finish(command.envs(variables.iter().copied()).spawn().unwrap());
        assert_eq!(ran.status, 1, "{ran:?}");
        ran.out.contains('\u{1b}')
    };
    assert!(!coloured(&[], &[]), "a pipe");
    assert!(coloured(&["--color", "always"], &[]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]), "a flag comes before a variable");
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("NO_COLOR", "1")]));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    let ran = world.run(&["check", "--color", "always", "--output-format", "json"]);
    assert!(!ran.out.contains('\u{1b}'), "a format for programs");
}

#[test]
fn every_command_has_help_and_a_page() {
    let world = World::bare();
    let help = world.run(&["--help"]);
    assert_eq!(help.status, 0);
    let names = help.out.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line that goes on stands deeper.
    let names = names.filter(|line| !line.starts_with("   "));
    let names: Vec<&str> = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(names.contains(&"check"), "{names:?}");
    for name in names {
        for flag in ["-h", "--help"] {
            let help = world.run(&[name, flag]);
            assert_eq!((help.status, help.err.as_str()), (0, ""), "{name}");
            assert!(help.out.lines().all(|line| line.chars().count() <= 100), "{name}: {}", help.out);
        }
        let page = world.run(&["man", name]);
        assert_eq!(page.status, 0);
        assert!(page.out.contains(".TH isolint-"), "{name}: {}", page.out);
    }
    assert!(world.run(&["man"]).out.contains(".TH isolint 1"));
    let wrong = world.run(&["man", "chekc"]);
    assert_eq!((wrong.status, wrong.err.as_str()), (2, "error: there is no command `chekc`; `isolint --help` lists all\n"));
}
