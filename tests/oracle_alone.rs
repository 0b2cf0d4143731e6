//! What the program asks of the system, as strace sees it: no connection and no other program, and nothing is written that was not asked
//! for. Only `--changed-since` starts one: git.

mod world;

use std::fs;
use std::process::Command;
use world::World;

/// System calls of a run that reach out, one a line.
fn calls(world: &World, words: &[&str]) -> Vec<String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let done = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=network,execve,execveat,fork,vfork,openat,creat,unlink,rename,mkdir", "-o"])
        .arg(log.path())
        .arg(env!("CARGO_BIN_EXE_isolint"))
        .args(words)
        .current_dir(world.root())
        .output()
        .expect("strace");
    assert!(done.status.code().is_some_and(|code| code < 2), "{done:?}");
    let text = fs::read_to_string(log.path()).unwrap();
    // `1234 openat(…`; what is said of a call that another one interrupts, of a thread that ends and of signals begins otherwise.
    let is_call =
        |line: &&str| line.split_whitespace().nth(1).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    // Reading is what it is there for.
    text.lines().filter(is_call).filter(|line| !line.contains("O_RDONLY")).map(str::to_owned).collect()
}

#[test]
#[ignore = "needs strace"]
fn it_is_alone_with_the_files_that_it_reads() {
    let world = World::project();
    world.file("tests/test_a.py", "import tempfile\n\n\ndef test_a():\n    open(tempfile.mktemp(), 'w').close()\n");
    world.file("src/lib.rs", "#[test]\nfn a() {}\n");
    world.file(".github/workflows/test.yml", "jobs: {a: {steps: [{run: curl example.com && pytest -n 4}]}}\n");
    for words in [&["check", "--preview"][..], &["check", "--output-format", "sarif"], &["plan"], &["rules"]] {
        let calls = calls(&world, words);
        // The start of the program itself.
        let others: Vec<_> = calls.iter().filter(|line| !line.contains("execve(") || !line.contains("isolint")).collect();
        assert!(others.is_empty() && calls.len() == 1, "{words:?}: {others:#?}");
    }
}
