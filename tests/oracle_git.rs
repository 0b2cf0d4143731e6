//! `--changed-since` against git itself: what it calls changed is what is reported.
//!
//! `cargo test --test oracle_git -- --ignored`

mod world;

use std::fs;
use std::process::Command;
use world::{Ran, World};

const WRITES: &str =
    "import json\n\n\ndef test_write():\n    with open(\"/tmp/report.json\", \"w\") as out:\n        json.dump({}, out)\n";
const READS: &str =
    "def test_read():\n    assert open(\"/tmp/report.json\").read()\n\n\ndef test_other():\n    assert 1 + 1 == 2\n";

fn git(world: &World, words: &[&str]) {
    let mut command = Command::new("git");
    command
        .current_dir(world.root())
        .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"])
        .args(words);
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
        command.env_remove(name);
    }
    let output = command.output().expect("git");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository with a collision of two tests in two files, committed as `main`.
fn repository() -> World {
    let world = World::bare();
    world.file("tests/test_write.py", WRITES);
    world.file("tests/test_read.py", READS);
    git(&world, &["init", "-q", "-b", "main"]);
    commit(&world);
    world
}

fn commit(world: &World) {
    git(world, &["add", "-A"]);
    git(world, &["commit", "-q", "-m", "x"]);
}

fn since(world: &World, revision: &str) -> Ran {
    world.run(&["check", "--preview", "--output-format", "concise", "--changed-since", revision])
}

/// The rules of what is shown.
fn rules(ran: &Ran) -> Vec<String> {
    assert!(ran.status < 2, "{ran:?}");
    let names = ran.out.lines().filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned()));
    names.collect()
}

#[test]
#[ignore = "needs git"]
fn nothing_changed() {
    let ran = since(&repository(), "HEAD");
    assert_eq!((rules(&ran), ran.status), (vec![], 0));
    assert!(ran.out.contains("1 that the change does not touch"), "{}", ran.out);
}

#[test]
#[ignore = "needs git"]
fn either_end_of_a_collision_counts() {
    let world = repository();
    world.file("tests/test_read.py", READS.replace("    assert open", "    # changed\n    assert open"));
    assert_eq!(rules(&since(&world, "main")), ["shared-path"], "not staged");
    git(&world, &["add", "-A"]);
    assert_eq!(rules(&since(&world, "main")), ["shared-path"], "staged");
    git(&world, &["checkout", "-q", "-b", "topic"]);
    commit(&world);
    assert_eq!(rules(&since(&world, "main")), ["shared-path"], "committed");
    assert!(rules(&since(&world, "HEAD")).is_empty());
}

#[test]
#[ignore = "needs git"]
fn another_function_of_the_file_does_not_count() {
    let world = repository();
    world.file("tests/test_read.py", READS.replace("1 + 1", "2 + 0"));
    assert!(rules(&since(&world, "main")).is_empty());
}

#[test]
#[ignore = "needs git"]
fn the_run_that_makes_tests_overlap_counts() {
    let world = repository();
    world.file("pytest.ini", "[pytest]\naddopts = -n 4\n");
    assert_eq!(rules(&since(&world, "main")), ["shared-path"]);
}

#[test]
#[ignore = "needs git"]
fn a_line_that_is_taken_away_counts() {
    let world = World::bare();
    world.file("tests/test_write.py", WRITES.replace("    with open", "    assert True\n    with open"));
    git(&world, &["init", "-q", "-b", "main"]);
    commit(&world);
    world.file("tests/test_write.py", WRITES);
    assert_eq!(rules(&since(&world, "main")), ["fixed-temp-path"]);
}

#[test]
#[ignore = "needs git"]
fn new_files_count_and_new_names_do_not() {
    let world = repository();
    git(&world, &["mv", "tests/test_write.py", "tests/test_moved é.py"]);
    assert!(rules(&since(&world, "main")).is_empty(), "only renamed");
    fs::rename(world.path("tests/test_read.py"), world.path("tests/test_\"new\".py")).unwrap();
    assert_eq!(rules(&since(&world, "main")), ["shared-path"], "git does not know it yet");
    let moved = fs::read_to_string(world.path("tests/test_moved é.py")).unwrap();
    world.file("tests/test_moved é.py", moved.replace("json.dump", "# changed\n        json.dump"));
    assert_eq!(rules(&since(&world, "main")), ["shared-path"]);
}

#[test]
#[ignore = "needs git"]
fn what_the_other_branch_did_meanwhile_is_not_ours() {
    let world = repository();
    git(&world, &["checkout", "-q", "-b", "topic"]);
    world.file("tests/test_new.py", "def test_new():\n    pass\n");
    commit(&world);
    git(&world, &["checkout", "-q", "main"]);
    world.file("tests/test_write.py", WRITES.replace("{}", "{1: 2}"));
    commit(&world);
    git(&world, &["checkout", "-q", "topic"]);
    assert!(rules(&since(&world, "main")).is_empty());
}

#[test]
#[ignore = "needs git"]
fn a_cell_of_a_notebook_counts() {
    let book = "{\"cells\": [\n{\"cell_type\": \"code\", \"source\": [\n\"import tempfile\\n\",\n\"open(tempfile.mktemp())\"\n]},\n{\"cell_type\": \"code\", \"source\": [\n\"x = 1\"\n]}\n], \"metadata\": {}, \"nbformat\": 4}\n";
    let world = World::bare();
    world.file("a.ipynb", book);
    git(&world, &["init", "-q", "-b", "main"]);
    commit(&world);
    world.file("a.ipynb", book.replace("x = 1", "x = 2"));
    assert!(rules(&since(&world, "main")).is_empty());
    world.file("a.ipynb", book.replace("mktemp()", "mktemp( )"));
    assert_eq!(rules(&since(&world, "main")), ["mktemp"]);
}

#[test]
#[ignore = "needs git"]
fn what_cannot_be_asked_has_a_reason() {
    let world = repository();
    let ran = since(&world, "no-such-branch");
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("git knows no revision `no-such-branch` here"), "{}", ran.err);
    assert_eq!(world.run(&["check", "--changed-since=--all"]).status, 2);
    git(&world, &["checkout", "-q", "--orphan", "other"]);
    world.file("tests/test_more.py", READS);
    commit(&world);
    assert!(since(&world, "main").err.contains("have no common past here"));
    let bare = World::bare();
    bare.file("tests/test_a.py", READS);
    assert!(since(&bare, "main").err.contains("the project is in no git repository"));
    let mut alone = world.command(&["check", "--changed-since", "main"]);
    let ran = world::finish(alone.env("PATH", "").spawn().unwrap());
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("there is no program `git`"), "{}", ran.err);
}
