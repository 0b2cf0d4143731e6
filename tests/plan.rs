//! The plan of test files, end to end: verdicts, what to repair first, groups, JSON and DOT.

mod world;

use serde_json::Value;
use world::World;

const CARGO: &str = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
const STORE: &str = "fn path() -> std::path::PathBuf {\n    std::env::temp_dir().join(\"store.json\")\n}\n\n#[test]\nfn writes() {\n    \
                     std::fs::write(path(), \"{}\").unwrap();\n}\n\n#[test]\nfn removes() {\n    std::fs::remove_file(path()).unwrap();\n}\n";

fn python(settings: &str) -> World {
    let world = World::project();
    world.file("pyproject.toml", format!("[project]\nname = \"x\"\n\n[tool.pytest.ini_options]\n{settings}"));
    world.file(
        "tests/test_write.py",
        "def test_write():\n    with open(\"/tmp/report.json\", \"w\") as out:\n        out.write(\"{}\")\n",
    );
    world.file("tests/test_read.py", "def test_read():\n    assert open(\"/tmp/report.json\").read()\n");
    world.file("tests/test_own.py", "def test_own(tmp_path):\n    (tmp_path / \"x\").write_text(\"x\")\n");
    world.file(
        "tests/test_far.py",
        "import shutil\n\nimport settings\n\n\ndef test_far():\n    shutil.rmtree(settings.load()[\"out\"])\n",
    );
    world.file("tests/test_redis.py", "import redis\n\n\ndef test_flush():\n    redis.Redis().flushdb()\n");
    world
}

fn json(world: &World) -> Value {
    let ran = world.run(&["plan", "--output-format", "json"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    serde_json::from_str(&ran.out).unwrap()
}

fn advice(plan: &Value) -> &str {
    plan["groups"][0]["advice"].as_str().unwrap()
}

#[test]
fn each_test_file_has_a_verdict() {
    let plan = json(&python("addopts = \"-n 4\"\n"));
    let verdicts: Vec<(&str, &str)> = plan["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["path"].as_str().unwrap(), file["verdict"].as_str().unwrap()))
        .collect();
    let want = [
        ("tests/test_far.py", "unknown"),
        ("tests/test_own.py", "safe"),
        ("tests/test_read.py", "blocked"),
        ("tests/test_redis.py", "unknown"),
        ("tests/test_write.py", "blocked"),
    ];
    assert_eq!(verdicts, want);
    assert_eq!(plan["counts"], serde_json::json!({ "safe": 1, "blocked": 2, "unknown": 2 }));
    assert_eq!(plan["blockers"][0]["frees"], 2);
    assert_eq!(plan["files"][0]["doubts"][0]["place"], serde_json::json!({ "path": "tests/test_far.py", "line": 7 }));
}

#[test]
fn a_mark_is_given_with_what_makes_it_heeded() {
    let plain = json(&python("addopts = \"-n 4\"\n"));
    assert!(advice(&plain).contains("xdist_group(\"report-json\")") && advice(&plain).contains("--dist loadgroup"), "{plain}");
    let grouped = json(&python("addopts = \"-n 4 --dist loadgroup\"\n"));
    assert!(!advice(&grouped).contains("--dist"), "{grouped}");
    let world = World::project();
    world.file("Cargo.toml", CARGO);
    world.file("tests/store.rs", STORE);
    assert!(advice(&json(&world)).contains("`#[serial(store_json)]`"));
    world.file("Makefile", "test:\n\tcargo nextest run\n");
    world.file(
        ".github/workflows/ci.yml",
        "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: cargo nextest run\n",
    );
    let nextest = json(&world);
    assert!(!advice(&nextest).contains("#[serial("), "dead under nextest: {nextest}");
}

#[test]
fn a_path_chooses_files_and_what_is_said_of_them() {
    let world = python("addopts = \"-n 4\"\n");
    let ran = world.run(&["plan", "tests/test_own.py"]);
    assert_eq!(ran.out, "tests/test_own.py     1 test  safe beside any other\n\n1 test file: 1 safe, 0 blocked, 0 unknown\n");
    let one = world.run(&["plan", "tests/test_read.py"]);
    assert!(one.out.contains("tests/test_read.py     1 test  blocked by 1\n"), "{}", one.out);
    assert!(one.out.contains("frees 2 tests, holds back 2 tests in 2 test files: tests/test_write.py:2"), "{}", one.out);
}

#[test]
fn the_graph_is_dot() {
    let ran = python("addopts = \"-n 4\"\n").run(&["plan", "--output-format", "dot"]);
    assert!(ran.out.starts_with("graph isolint {\n") && ran.out.ends_with("}\n"), "{}", ran.out);
    for line in [
        "  \"tests/test_own.py\" [fillcolor=palegreen, tooltip=\"safe\"];",
        "  blocker0 [shape=ellipse, fillcolor=white, label=\"1. shared-path\\ntests/test_write.py:2\"];",
        "  \"tests/test_read.py\" -- blocker0;",
        "  \"tests/test_write.py\" -- blocker0;",
    ] {
        assert!(ran.out.lines().any(|other| other == line), "{line}: {}", ran.out);
    }
}

#[test]
fn the_old_question_has_its_own_flag() {
    let world = python("addopts = \"-n 4\"\n");
    let workers = world.run(&["plan", "--workers"]);
    assert!(workers.out.ends_with("0 test jobs, 0 test commands, 0 with an unknown number of workers\n"), "{}", workers.out);
    assert_eq!(world.run(&["plan", "--workers", "--output-format", "json"]).status, 2);
}
