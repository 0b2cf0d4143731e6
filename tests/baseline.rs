//! The baseline, end to end: an old project is silent, what is new speaks, and the list can only shrink by itself.

mod world;

use std::fs;
use world::{World, finish};

const OLD: &str = "import tempfile\n\n\ndef test_a():\n    path = tempfile.mktemp()\n    open(path, \"w\").close()\n";

fn project() -> World {
    let world = World::project();
    world.file("pyproject.toml", "[project]\nname = \"x\"\n\n[tool.isolint]\nbaseline = \"known.json\"\n");
    world.file("tests/test_a.py", OLD);
    world
}

#[test]
fn an_old_project_is_silent_and_one_new_hazard_is_one_finding() {
    let world = project();
    assert_eq!(world.run(&["check"]).status, 2, "a baseline that is named and missing is an error");
    let written = world.run(&["check", "--write-baseline"]);
    assert_eq!(written.status, 0, "{}", written.err);
    assert!(written.err.contains("findings known: 1; added: 1, taken out: 0"), "{}", written.err);
    let clean = world.run(&["check"]);
    assert_eq!(clean.status, 0, "{}", clean.out);
    assert!(clean.out.contains("1 in the baseline"), "{}", clean.out);
    // Forty edits above it, in the same file and in others.
    world.file("tests/test_a.py", format!("{}{OLD}", "# moved\n".repeat(40)));
    for n in 0..40 {
        world.file(&format!("tests/test_more_{n}.py"), "def test_more():\n    assert 1 + 1 == 2\n");
    }
    assert_eq!(world.run(&["check"]).status, 0);
    world.file("tests/test_b.py", "import tempfile\n\n\ndef test_b():\n    open(tempfile.mktemp(), \"w\").close()\n");
    let found = world.run(&["check", "--output-format", "concise"]);
    assert_eq!(found.status, 1);
    assert_eq!(found.out.lines().filter(|line| line.contains("[mktemp]")).count(), 1, "{}", found.out);
}

#[test]
fn what_is_mended_is_stale_and_taken_out() {
    let world = project();
    world.run(&["check", "--write-baseline"]);
    world.file("tests/test_a.py", "def test_a(tmp_path):\n    (tmp_path / \"x\").touch()\n");
    let stale = world.run(&["check"]);
    assert_eq!(stale.status, 0);
    assert!(stale.err.contains("in the baseline and not found any more"), "{}", stale.err);
    assert_eq!(world.run(&["check", "--strict"]).status, 1);
    let shrunk = world.run(&["check", "--shrink-baseline"]);
    assert!(shrunk.err.contains("findings known: 0; added: 0, taken out: 1"), "{}", shrunk.err);
    assert_eq!(world.run(&["check", "--strict"]).status, 0);
}

#[test]
fn what_is_not_shown_is_not_stale() {
    let world = project();
    world.run(&["check", "--write-baseline"]);
    let quiet = world.run(&["check", "--strict", "--ignore", "mktemp", "--min-confidence", "high"]);
    assert_eq!((quiet.status, quiet.err.as_str()), (0, ""));
}

#[test]
fn in_ci_it_may_only_shrink() {
    let world = project();
    world.run(&["check", "--write-baseline"]);
    let before = fs::read(world.path("known.json")).unwrap();
    world.file("tests/test_b.py", OLD.replace("test_a", "test_b"));
    let refused = finish(world.command(&["check", "--write-baseline"]).env("CI", "true").spawn().unwrap());
    assert_eq!(refused.status, 2);
    assert!(refused.err.contains("may only shrink in CI"), "{}", refused.err);
    assert_eq!(fs::read(world.path("known.json")).unwrap(), before);
}

#[test]
fn a_broken_baseline_is_named() {
    let world = project();
    world.file("known.json", "{");
    let broken = world.run(&["check"]);
    assert_eq!(broken.status, 2);
    assert!(broken.err.contains("known.json") && broken.err.contains("--write-baseline"), "{}", broken.err);
}
