//! The README shows what the program prints: its example is a run on `testdata/example`. `BLESS=1` writes it anew.

mod world;

use std::fs;
use std::path::Path;
use world::World;

const FILES: [&str; 6] = [
    "pyproject.toml",
    "weather/__init__.py",
    "weather/cache.py",
    "weather/report.py",
    "tests/test_cache.py",
    "tests/test_report.py",
];

/// What stands around the example in the README.
const MARKS: [&str; 2] = ["<!-- example -->\n", "<!-- /example -->\n"];

#[test]
fn the_example_is_what_the_program_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let world = World::project();
    for name in FILES {
        world.file(name, fs::read(root.join("testdata/example").join(name)).unwrap());
    }
    let words = ["check", "--select", "shared-path"];
    let ran = world.run(&words);
    assert_eq!((ran.status, ran.err.as_str()), (1, ""), "{}", ran.out);
    let want = format!("```console\n$ isolint {}\n{}```\n", words.join(" "), ran.out);

    let path = root.join("README.md");
    let readme = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (before, rest) = readme.split_once(MARKS[0]).unwrap();
    let (have, after) = rest.split_once(MARKS[1]).unwrap();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, format!("{before}{}{want}{}{after}", MARKS[0], MARKS[1])).unwrap();
    } else {
        assert!(have == want, "README.md shows another output: run `BLESS=1 cargo test --test readme`\n\n{want}");
    }
}
