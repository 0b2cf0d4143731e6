//! Ignore comments, end to end: `--add-ignores` silences a project in every format that we read, and a second run does nothing.

mod world;

use std::collections::BTreeMap;
use std::fs;
use world::{Ran, World};

/// What stands in the project, and what stands in it afterwards.
type Case = (&'static str, &'static str, &'static str);

const PYTHON: Case = (
    "tests/test_a.py",
    "import tempfile\r\n\r\n\r\ndef test_a():\r\n\tpath = tempfile.mktemp()  # noqa: S306\r\n\topen(path, 'w').close()\r\n",
    "import tempfile\r\n\r\n\r\ndef test_a():\r\n\tpath = tempfile.mktemp()  # noqa: S306  # isolint: ignore[mktemp] as it was\r\n\topen(path, 'w').close()\r\n",
);

/// The end of the first line is inside a text, so the comment stands above.
const LONG: Case = (
    "tests/test_long.py",
    "import tempfile\n\n\ndef test_long():\n    path = tempfile.mktemp(\"\"\"é\n😀\"\"\")\n    open(path)\n",
    "import tempfile\n\n\ndef test_long():\n    # isolint: ignore[mktemp] as it was\n    path = tempfile.mktemp(\"\"\"é\n😀\"\"\")\n    open(path)\n",
);

/// Two names in one comment, which was there before.
const JOINED: Case = (
    "tests/test_joined.py",
    "import tempfile\n\n\ndef test_joined():\n    # isolint: ignore[mktemp] by hand\n    open(\"/tmp/fixed.json\", \"w\").write(tempfile.mktemp())\n",
    "import tempfile\n\n\ndef test_joined():\n    # isolint: ignore[mktemp, fixed-temp-path] by hand\n    open(\"/tmp/fixed.json\", \"w\").write(tempfile.mktemp())\n",
);

const RUST: Case = (
    "src/lib.rs",
    "#[test]\nfn writes() {\n    std::fs::write(\"/tmp/fixed.txt\", \"//\").unwrap();\n}\n",
    "#[test]\nfn writes() {\n    // isolint: ignore[fixed-temp-path] as it was\n    std::fs::write(\"/tmp/fixed.txt\", \"//\").unwrap();\n}\n",
);

/// Cells as lists of lines, and as one text; a magic in the first line of a cell stays there.
const NOTEBOOK: Case = (
    "tests/a.ipynb",
    "{\n \"cells\": [\n  {\n   \"cell_type\": \"code\",\n   \"source\": [\n    \"%%time\\n\",\n    \"import tempfile\\n\",\n    \"path = tempfile.mktemp()\"\n   ]\n  },\n  {\n   \"cell_type\": \"code\",\n   \"source\": [\n    \"import tempfile\\n\",\n    \"path = tempfile.mktemp('''\\n\",\n    \"''')\"\n   ]\n  },\n  {\"cell_type\": \"code\", \"source\": \"import tempfile\\npath = tempfile.mktemp('''\\\"\\n''')\"}\n ],\n \"metadata\": {},\n \"nbformat\": 4\n}\n",
    "{\n \"cells\": [\n  {\n   \"cell_type\": \"code\",\n   \"source\": [\n    \"%%time\\n\",\n    \"import tempfile\\n\",\n    \"path = tempfile.mktemp()  # isolint: ignore[mktemp] as it was\"\n   ]\n  },\n  {\n   \"cell_type\": \"code\",\n   \"source\": [\n    \"import tempfile\\n\",\n    \"# isolint: ignore[mktemp] as it was\\n\",\n    \"path = tempfile.mktemp('''\\n\",\n    \"''')\"\n   ]\n  },\n  {\"cell_type\": \"code\", \"source\": \"import tempfile\\n# isolint: ignore[mktemp] as it was\\npath = tempfile.mktemp('''\\\"\\n''')\"}\n ],\n \"metadata\": {},\n \"nbformat\": 4\n}\n",
);

const YAML: Case = (
    ".github/workflows/test.yml",
    "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    timeout-minutes: 9\n    steps:\n      - run: |\n          pytest \\\n            --reruns 5 \\\n            tests\n",
    "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    timeout-minutes: 9\n    steps:\n      - run: |\n          # isolint: ignore[blanket-retries] as it was\n          pytest \\\n            --reruns 5 \\\n            tests\n",
);

const INI: Case = (
    "tox.ini",
    "[testenv]\ncommands =\n    pytest --reruns 4\n",
    "[testenv]\ncommands =\n    # isolint: ignore[blanket-retries] as it was\n    pytest --reruns 4\n",
);

const TOML: Case = (
    "pyproject.toml",
    "[tool.pytest.ini_options]\naddopts = [\n    \"--reruns\",\n    \"3\",\n]\n",
    "[tool.pytest.ini_options]\naddopts = [\n    \"--reruns\",  # isolint: ignore[blanket-retries] as it was\n    \"3\",\n]\n",
);

const MAKE: Case = (
    "Makefile",
    "test:\n\tpytest tests \\\n\t\t--reruns 2\n",
    "test:\n# isolint: ignore[blanket-retries] as it was\n\tpytest tests \\\n\t\t--reruns 2\n",
);

const SHELL: Case = (
    "run.sh",
    "#!/bin/sh\npytest --reruns 6 'a\nb'\n",
    "#!/bin/sh\n# isolint: ignore[blanket-retries] as it was\npytest --reruns 6 'a\nb'\n",
);

const ALL: [Case; 10] = [PYTHON, LONG, JOINED, RUST, NOTEBOOK, YAML, INI, TOML, MAKE, SHELL];

/// Runs what the other files configure.
const CI: &str = "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    timeout-minutes: 9\n    steps:\n      - run: tox\n      - run: make test\n      - run: ./run.sh\n      - run: pytest tests\n";

const FLAGS: [&str; 5] = ["check", "--preview", "--isolated", "--output-format", "concise"];

fn run(world: &World, more: &[&str]) -> Ran {
    world.run(&[&FLAGS[..], more].concat())
}

fn texts(world: &World) -> BTreeMap<&'static str, String> {
    ALL.iter().filter_map(|(path, ..)| Some((*path, fs::read_to_string(world.path(path)).ok()?))).collect()
}

#[test]
fn every_format_carries_a_comment_and_a_second_run_does_nothing() {
    for (path, before, after) in ALL {
        let world = World::project();
        world.file(path, before);
        world.file(".github/workflows/ci.yml", CI);
        assert!(!run(&world, &[]).out.starts_with("No findings"), "{path}: nothing is found");
        let diff = run(&world, &["--add-ignores=as it was", "--diff"]);
        assert_eq!((diff.status, fs::read_to_string(world.path(path)).unwrap().as_str()), (1, before), "{path}: {diff:?}");
        assert!(diff.out.starts_with("--- a/"), "{path}: {}", diff.out);
        let first = run(&world, &["--add-ignores=as it was"]);
        assert_eq!(fs::read_to_string(world.path(path)).unwrap(), after, "{path}: {first:?}");
        assert_eq!((first.status, first.err.as_str()), (0, ""), "{path}: {}", first.out);
        let second = run(&world, &["--add-ignores=again"]);
        assert!(second.out.starts_with("No findings"), "{path}: {}", second.out);
        assert!(second.out.contains("No ignore comment to write."), "{path}: {}", second.out);
        assert_eq!(fs::read_to_string(world.path(path)).unwrap(), after, "{path}");
    }
}

#[test]
fn a_project_with_all_of_them_is_silent_afterwards() {
    let world = World::project();
    world.file(".github/workflows/ci.yml", CI);
    for (path, before, _) in ALL {
        world.file(path, before);
    }
    run(&world, &["--add-ignores"]);
    let once = texts(&world);
    let second = run(&world, &["--add-ignores"]);
    assert!(second.out.starts_with("No findings"), "{}", second.out);
    assert_eq!(once, texts(&world));
}

#[test]
fn what_cannot_carry_a_comment_is_named() {
    let world = World::project();
    let folded = "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    timeout-minutes: 9\n    steps:\n      - run: >\n          pytest\n          --reruns 5\n          tests\n";
    world.file(".github/workflows/test.yml", folded);
    world.file("tests/test_mark.py", "\u{feff}import tempfile\n\n\ndef test_a():\n    open(tempfile.mktemp(), 'w').close()\n");
    let ran = run(&world, &["--add-ignores=why"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(
        ran.err.contains("test.yml:9: blanket-retries: no ignore comment was written: no comment can stand there"),
        "{ran:?}"
    );
    assert!(ran.err.contains("test_mark.py:5: mktemp: no ignore comment was written: the file is not in UTF-8"), "{ran:?}");
    assert_eq!(fs::read_to_string(world.path(".github/workflows/test.yml")).unwrap(), folded);
}

#[test]
fn comments_that_cover_nothing_are_mended_in_every_format() {
    for (path, before, after) in [
        ("tox.ini", "[testenv]\n# isolint: ignore[mktemp]\ncommands = pytest\n", "[testenv]\ncommands = pytest\n"),
        ("Makefile", "test:\n\tpytest  # isolint: ignore[mktemp] why\n", "test:\n\tpytest\n"),
        ("tests/test_a.py", "x = 1  # noqa: A  # isolint: ignore[mktemp]  # b\n", "x = 1  # noqa: A  # b\n"),
        (
            "a.ipynb",
            "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\n \"# isolint: ignore[env-mutation]\\n\",\n \"import tempfile\\n\",\n \"open(tempfile.mktemp())  # isolint: ignore[mktmep]\"\n]}]}",
            "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\n \"import tempfile\\n\",\n \"open(tempfile.mktemp())  # isolint: ignore[mktemp]\"\n]}]}",
        ),
    ] {
        for flag in ["--fix", "--add-ignores"] {
            let world = World::project();
            world.file(path, before);
            let ran = run(&world, &[flag]);
            assert_eq!(fs::read_to_string(world.path(path)).unwrap(), after, "{path}: {ran:?}");
        }
    }
}

#[test]
fn a_reason_is_one_line() {
    let ran = run(&World::project(), &["--add-ignores=a\nb"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("a reason is one line of text"), "{}", ran.err);
}
