//! Bytes that are no text, text that is no code, and sizes and depths that no hand writes: a run ends, says what it left out, and
//! looks at the rest.

mod world;

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};
use world::World;

/// What was skipped, as `path: why`.
fn skipped(report: &serde_json::Value) -> Vec<String> {
    let entries = report["skipped"].as_array().unwrap();
    entries.iter().map(|entry| format!("{}: {}", entry["path"].as_str().unwrap(), entry["why"].as_str().unwrap())).collect()
}

/// A project with one sound file besides what the test adds.
fn project() -> World {
    let world = World::project();
    world.file("tests/test_sound.py", "def test_sound():\n    assert True\n");
    world
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(bytes).collect()
}

const CODE: &str = "import os\n\n\ndef test_é():\n\tos.environ['MODE'] = '😀'\n";

#[test]
fn every_encoding_that_declares_itself_is_read() {
    let world = project();
    world.file("bom.py", format!("\u{FEFF}{CODE}"));
    world.file("only_bom.py", "\u{FEFF}");
    world.file("bom.rs", "\u{FEFF}#!/usr/bin/env run\nfn main() {}\n");
    world.file("little.py", utf16(CODE, false));
    world.file("big.py", utf16(CODE, true));
    world.file("latin1.py", b"# -*- coding: latin-1 -*-\ndef test_a():\n    assert '\xE9'\n");
    world.file("second_line.py", b"#!/usr/bin/python\n# vim: fileencoding=cp1252\nx = '\x80'\n");
    world.file("tox.ini", "\u{FEFF}[tox]\r\nenvlist = py\r\n");
    let report = world.json(&[]);
    assert_eq!(skipped(&report), [""; 0]);
    assert_eq!(report["summary"]["files"], 9);
}

#[test]
fn bytes_that_are_no_text_are_named_with_a_reason() {
    let world = project();
    world.file("binary.py", b"\x7FELF\x02\x01\x01\0\0\0");
    world.file("declared.py", b"# coding: latin-1\n# coding: utf-8\nx = '\xE9'\n");
    world.file("latin1.py", b"x = 1\ny = '\xE9'\n");
    world.file("latin1.rs", b"// coding: latin-1\nconst X: &str = \"\xE9\";\n");
    world.file("nul.py", b"x = 1\n\0\n");
    world.file("odd.py", b"\xFF\xFEx\0 ");
    world.file("setup.cfg", b"[metadata]\nauthor = Andr\xE9\n");
    world.file("surrogate.py", b"\xFF\xFE\x00\xD8x\0");
    world.file("truncated.py", b"x = '\xF0\x9F\x98");
    world.file("unknown.py", b"# coding: klingon\n");
    world.file("utf32.py", b"\xFF\xFE\0\0x\0\0\0");
    let report = world.json(&[]);
    let expected = [
        "binary.py: not text: a zero byte in line 1",
        "latin1.py: not valid UTF-8: line 2",
        "latin1.rs: not valid UTF-8: line 2",
        "nul.py: not text: a zero byte in line 2",
        "odd.py: not valid UTF-16LE",
        "setup.cfg: not valid UTF-8: line 2",
        "surrogate.py: not valid UTF-16LE",
        "truncated.py: not valid UTF-8: line 1",
        "unknown.py: its coding comment names `klingon`, which is not known",
        "utf32.py: not text: a zero byte in line 1",
    ];
    assert_eq!(skipped(&report), expected);
    assert_eq!(report["summary"]["files"], 2);
    assert_eq!(world.run(&["check", "--strict"]).status, 2);
    // Machines read standard output; people must hear of it all the same.
    let ran = world.run(&["check", "--output-format", "sarif"]);
    assert!(ran.err.contains("warning: binary.py: skipped: not text"), "{ran:?}");
}

#[test]
fn what_is_no_notebook_is_named_with_a_reason() {
    let world = project();
    world.file("settings.ini", "[DEFAULT]\nnbs_path = .\n");
    world.file("empty.ipynb", "");
    world.file("binary.ipynb", b"\x89PNG\0");
    world.file("list.ipynb", "[1, 2]");
    world.file("twice.ipynb", "{\"cells\": [], \"cells\": []}");
    world.file("deep.ipynb", format!("{{\"cells\": {}", "[".repeat(100_000)));
    world.file("conflict.ipynb", "{\n<<<<<<< HEAD\n \"cells\": []\n}");
    world.file(
        "outputs.ipynb",
        format!(
            "{{\"cells\": [{{\"cell_type\": \"code\", \"source\": 3, \"outputs\": {}1{}}}]}}",
            "[".repeat(100),
            "]".repeat(100)
        ),
    );
    world.file("syntax.ipynb", "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\"def (:\\n\", \"x\\ud800\"]}]}");
    world.file(
        "r.ipynb",
        "{\"cells\": [{\"cell_type\": \"code\", \"source\": \"x <- 1\"}], \"metadata\": {\"kernelspec\": {\"language\": \"R\"}}}",
    );
    let report = world.json(&[]);
    let names: Vec<String> =
        skipped(&report).iter().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(": ")).collect();
    let expected = [
        "binary.ipynb: not text",
        "conflict.ipynb: not a notebook",
        "deep.ipynb: not a notebook",
        "empty.ipynb: not a notebook",
        "list.ipynb: not a notebook",
        "twice.ipynb: not a notebook",
    ];
    assert_eq!(names, expected, "{report}");
    let gap = &report["gaps"][0];
    assert_eq!((&gap["path"], &gap["cell"]["number"]), (&"syntax.ipynb".into(), &1.into()));
    assert_eq!(report["summary"]["tests"], 4);
    assert_eq!(world.run(&["check", "--strict"]).status, 2);
}

#[test]
fn any_line_ends_tabs_and_page_breaks() {
    let world = project();
    for (name, end) in [("lf", "\n"), ("crlf", "\r\n"), ("cr", "\r")] {
        world.file(&format!("{name}.py"), CODE.replace('\n', end));
        world.file(&format!("{name}.rs"), "#[test]\nfn a() {\n\tassert!(true);\n}\n".replace('\n', end));
        world.file(&format!("{name}/tox.ini"), "[pytest]\naddopts =\n\t-n 2\n".replace('\n', end));
    }
    world.file("mixed.py", "x = 1\r\ny = 2\rz = 3\n\n\r\r\n");
    world.file("odd.py", "x = 1\x0C\n\x0Cdef f():\n\x0C    return '\x0B\u{85}\u{2028}'\n");
    world.file("no_end.py", "x = 1");
    let report = world.json(&[]);
    assert_eq!(skipped(&report), [""; 0]);
    assert_eq!(report["summary"]["files"], 13);
}

#[test]
fn columns_are_those_of_the_editor() {
    let code = "import tempfile\n\n\ndef test_é():\n\tx = '😀'; tempfile.mktemp()\n";
    let variants = [
        ("plain", code.as_bytes().to_vec()),
        ("marked", format!("\u{FEFF}{code}").into_bytes()),
        ("crlf", code.replace('\n', "\r\n").into_bytes()),
        ("cr", code.replace('\n', "\r").into_bytes()),
        ("wide", utf16(code, true)),
    ];
    for (name, bytes) in variants {
        let world = World::project();
        world.file(&format!("test_{name}.py"), bytes);
        let finding = &world.json(&["--select", "mktemp"])["findings"][0];
        assert_eq!((&finding["line"], &finding["column"], &finding["endColumn"]), (&5.into(), &11.into(), &28.into()), "{name}");
        let ran = world.run(&["check", "--select", "mktemp", "--output-format", "sarif"]);
        let log: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let region = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
        // The emoji is two units of UTF-16.
        assert_eq!(
            (&region["startLine"], &region["startColumn"], &region["endColumn"]),
            (&5.into(), &12.into(), &29.into()),
            "{name}"
        );
    }
}

#[test]
fn empty_files_of_every_kind() {
    let world = World::project();
    let names = ["a.py", "a.rs", "tox.ini", "setup.cfg", "pytest.ini", "pyproject.toml", "Cargo.toml", ".config/nextest.toml"];
    let more = [".cargo/config.toml", "Makefile", "justfile", ".github/workflows/a.yml", ".gitlab-ci.yml", "scripts/a.sh"];
    for name in names.iter().chain(&more) {
        world.file(name, "");
    }
    world.file("blank.py", "\n\n   \n\t\n");
    world.file("comment.py", "# nothing else");
    let report = world.json(&[]);
    assert_eq!(report["summary"]["files"], 16);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0);
    assert_eq!(report["gaps"].as_array().unwrap().len(), 0, "{report}");
}

#[test]
fn an_empty_settings_file_sets_nothing() {
    let world = project();
    world.file("isolint.toml", "");
    assert_eq!(world.json(&[])["summary"]["files"], 2);
}

#[test]
fn large_files_are_skipped_and_named_at_once() {
    let world = project();
    const MOST: usize = 2 * 1024 * 1024;
    world.file("line.py", format!("x = '{}'\n", "y".repeat(10_000_000)));
    world.file("just_fits.py", "#".repeat(MOST));
    world.file("just_not.py", "#".repeat(MOST + 1));
    // Holes only: a hundred megabytes that take no place.
    File::create(world.path("holes.rs")).unwrap().set_len(100_000_000).unwrap();
    let start = Instant::now();
    let report = world.json(&[]);
    assert_eq!(skipped(&report), ["holes.rs: over 2 MiB", "just_not.py: over 2 MiB", "line.py: over 2 MiB"]);
    assert_eq!(report["summary"]["files"], 2);
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    let ran = world.run(&["check", "line.py"]);
    assert!(ran.status == 0 && ran.out.len() < 4096, "{ran:?}");
    let ran = world.run(&["facts", "line.py"]);
    assert_eq!((ran.status, ran.err.as_str()), (2, "error: line.py: cannot be read: over 2 MiB\n"));
}

#[test]
fn a_line_of_a_megabyte() {
    let world = project();
    world.file("text.py", format!("x = '{}'\nopen('/tmp/x', 'w')\n", "é".repeat(500_000)));
    world.file("text.rs", format!("const X: &str = \"{}\";\n", "é".repeat(500_000)));
    world.file("Makefile", format!("test:\n\techo {}\n", "x ".repeat(500_000)));
    let ran = world.run(&["check", "--exit-zero"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.out.len() < 100_000);
}

/// `open` a number of times, the middle, and `close` as often.
fn nested(open: &str, middle: &str, close: &str, times: usize) -> String {
    format!("{}{middle}{}", open.repeat(times), close.repeat(times))
}

/// More than any recursive reader has stack for.
const DEEP: usize = 100_000;

fn ends_well(world: &World, what: &str) {
    let ran = world.run(&["check", "--output-format", "json", "--exit-zero"]);
    assert_eq!(ran.status, 0, "{what}: {}", ran.err);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(report["summary"]["files"].as_u64().unwrap() >= 2, "{what}: {report}");
    assert_eq!(report["summary"]["faults"], 0, "{what}: {report}");
}

#[test]
fn deep_python() {
    let steps = |n: usize| (0..n).map(|n| format!("{}if x:\n", " ".repeat(n))).collect::<String>();
    let cases = [
        ("parentheses", nested("(", "1", ")", DEEP)),
        ("lists", format!("x = {}", nested("[", "1", "]", DEEP))),
        ("calls", nested("f(", "1", ")", DEEP)),
        ("lambdas", format!("x = {}1", "lambda: ".repeat(DEEP))),
        ("not", format!("x = {}1", "not ".repeat(DEEP))),
        ("a chain of calls", format!("x{}", ".a()".repeat(DEEP))),
        ("a sum", format!("x = 1{}", " + 1".repeat(DEEP))),
        ("blocks", steps(1_000)),
        ("unclosed", "(".repeat(5_000)),
        ("else if", format!("if x:\n  pass\n{}", "elif y:\n  pass\n".repeat(20_000))),
    ];
    for (what, text) in cases {
        let world = project();
        world.file("deep.py", text);
        ends_well(&world, what);
    }
}

#[test]
fn deep_rust() {
    let in_main = |text: String| format!("fn main() {{ {text}; }}");
    let cases = [
        ("parentheses", in_main(nested("(", "1", ")", DEEP))),
        ("blocks", in_main(nested("{", "1", "}", DEEP))),
        ("generics", format!("type T = {};", nested("Vec<", "u8", ">", DEEP))),
        ("references", format!("type T = {}u8;", "&".repeat(DEEP))),
        ("not", in_main(format!("{}1", "!".repeat(DEEP)))),
        ("a chain of calls", in_main(format!("x{}", ".a()".repeat(DEEP)))),
        ("a sum", in_main(format!("1{}", " + 1".repeat(DEEP)))),
        ("a macro", in_main(format!("vec![{}]", nested("[", "1", "]", DEEP)))),
        ("modules", nested("mod a {", "", "}", DEEP)),
        ("unclosed", "(".repeat(DEEP)),
        ("else if", in_main(format!("if x {{}} {}", "else if y {} ".repeat(20_000)))),
    ];
    for (what, text) in cases {
        let world = project();
        world.file("src/lib.rs", text);
        ends_well(&world, what);
    }
}

#[test]
fn deep_configuration() {
    let cases = [
        ("pyproject.toml", format!("x = {}", nested("[", "1", "]", DEEP))),
        ("Cargo.toml", format!("x = {}", nested("{a=", "1", "}", DEEP))),
        ("tox.ini", format!("[a]\nx = {}\n", nested("{", "a", "}", DEEP))),
        (".github/workflows/flow.yml", nested("[", "1", "]", DEEP)),
        (".github/workflows/block.yml", (0..1_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect()),
        (".github/workflows/run.yml", format!("jobs: {{ a: {{ steps: [ {{ run: '{}' }} ] }} }}\n", nested("$(", "a", ")", DEEP))),
        ("Makefile", format!("a:\n\t{}\n", nested("$(", "a", ")", DEEP))),
        ("scripts/a.sh", nested("(", "a", ")", DEEP)),
    ];
    for (name, text) in cases {
        let world = project();
        world.file(name, text);
        ends_well(&world, name);
    }
    let world = project();
    world.file("isolint.toml", format!("select = {}", nested("[", "1", "]", DEEP)));
    let ran = world.run(&["check"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.starts_with("error: isolint.toml:1: ") && ran.err.len() < 1000, "{ran:?}");
}

#[test]
fn a_unit_that_does_more_than_is_kept() {
    let world = project();
    let writes: String = (0..600).map(|n| format!("    open('/tmp/out{n}', 'w').close()\n")).collect();
    let code = format!(
        "def helper(path):\n    open(path, 'w').close()\n\n\ndef test_much():\n{writes}\n    def inner():\n        helper('/tmp/x')\n\n    inner()\n"
    );
    world.file("tests/test_much.py", code);
    ends_well(&world, "six hundred writes before a nested function that calls another one");
}

#[test]
fn aliases_in_yaml_do_not_multiply() {
    let world = project();
    let mut text = "a0: &a0 [x]\n".to_owned();
    for n in 1..=30 {
        let list = vec![format!("*a{}", n - 1); 9].join(", ");
        text += &format!("a{n}: &a{n} [{list}]\n");
    }
    world.file(".github/workflows/bomb.yml", text);
    ends_well(&world, "aliases");
}

#[test]
fn every_case_ends_well_and_the_same_twice() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/broken");
    let mut count = 0;
    for case in fs::read_dir(cases).unwrap() {
        let case = case.unwrap();
        if !case.file_type().unwrap().is_dir() {
            continue;
        }
        let world = project();
        for file in fs::read_dir(case.path()).unwrap() {
            let file = file.unwrap();
            world.file(file.file_name().to_str().unwrap(), fs::read(file.path()).unwrap());
        }
        let run = || world.run(&["check", "--output-format", "json", "--exit-zero", "-j", "2"]);
        let first = run();
        assert_eq!(first.status, 0, "{first:?}");
        let report: serde_json::Value = serde_json::from_str(&first.out).unwrap();
        assert_eq!(report["skipped"].as_array().unwrap().len(), 0, "{report}");
        assert_eq!(report["summary"]["files"], 1 + fs::read_dir(case.path()).unwrap().count(), "{report}");
        assert_eq!(run(), first);
        count += 1;
    }
    assert!(count >= 4);
}
