//! Code to measure on, made here: the same for every run, and of the mix that test suites have (fixtures, helpers, classes,
//! parametrised tests, paths by several steps).

use isolint::text::{Kind, Source};
use std::fmt::Write as _;

/// A source at `path`.
pub fn source(path: &str, text: String) -> Source {
    let kind = match path.rsplit('.').next() {
        Some("py") => Kind::Python,
        Some("rs") => Kind::Rust,
        _ => Kind::Config,
    };
    Source::of(path, kind, text)
}

/// A Python test module with `units` groups of a helper, a fixture, two tests and a class. `seed` varies names and paths.
///
/// The project has `modules` modules under test.
pub fn python_tests(seed: usize, units: usize, modules: usize) -> String {
    let mut text = format!(
        "import json\nimport os\nimport tempfile\nimport unittest\nfrom pathlib import Path\n\nimport pytest\n\n\
         from app.module_{} import load, save\n\nHERE = Path(__file__).parent\nDATA = HERE / \"data\" / \"table_{seed}.csv\"\n",
        seed % modules
    );
    for n in 0..units {
        let id = seed * 1_000 + n;
        let _ = write!(
            text,
            r#"

def write_{n}(root, rows, name="out_{n}.json"):
    """Writes rows below root."""
    target = os.path.join(root, name)
    with open(target, "w", encoding="utf-8") as f:
        json.dump([row for row in rows if row["id"] != {id}], f)
    return target


@pytest.fixture
def store_{n}(tmp_path, monkeypatch):
    monkeypatch.setenv("APP_HOME", str(tmp_path))
    path = tmp_path / f"store-{{os.getpid()}}" / "{id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    yield path
    if path.exists():
        path.unlink()


@pytest.mark.parametrize("kind, size", [("csv", 1), ("json", {n}), ("npy", 100)])
def test_round_trip_{n}(store_{n}, kind, size):
    rows = [{{"id": i, "kind": kind, "text": f"row {{i}} of {{size}}"}} for i in range(size)]
    target = write_{n}(store_{n}.parent, rows)
    assert len(load(target)) <= size, "too many rows"
    try:
        save(rows, store_{n})
    except (OSError, ValueError) as error:
        pytest.fail(f"cannot save: {{error}}")


class Test{n}(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="app-{id}-")
        self.table = DATA.with_suffix(".pkl")
        self.counts = {{"a": 1, "b": [1, 2, 3], "c": None}}

    def test_rows(self):
        with self.subTest(n={n}):
            self.assertEqual(load(DATA).rows, {id})
        for name, count in sorted(self.counts.items()):
            if count is None or not name.isalpha():
                continue
            self.assertGreaterEqual(len(str(count)), 1, msg=name)

    def test_report(self):
        path = Path(self.root) / "reports" / "{id}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<p>" + "".join(str(x * 2) for x in range({n} + 3)) + "</p>")
        self.assertTrue(path.exists())
"#
        );
    }
    text
}

/// A Python module under test, which calls the next one of `modules`.
pub fn python_module(seed: usize, modules: usize) -> String {
    format!(
        r#"import json
import os
import pickle
from pathlib import Path

from app import module_{next}

CACHE = Path.home() / ".cache" / "app-{seed}"


class Table:
    def __init__(self, rows, source=None):
        self.rows = rows
        self.source = source

    @classmethod
    def from_file(cls, path):
        side_car = Path(path).with_suffix(".pkl")
        if side_car.exists():
            with side_car.open("rb") as f:
                return pickle.load(f)
        table = cls(Path(path).read_text().splitlines(), path)
        with side_car.open("wb") as f:
            pickle.dump(table, f)
        return table

    def export(self, target, *, indent=None, **options):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w") as f:
            json.dump(self.rows, f, indent=indent, **options)


def load(path):
    return Table.from_file(path)


def save(rows, path):
    Table(rows).export(os.fspath(path), indent={seed} % 4)
    return module_{next}.touch(path) if rows else None


def touch(path):
    Path(path).touch(exist_ok=True)
    return path
"#,
        next = (seed + 1) % modules
    )
}

/// A Rust module with `units` groups of a function, a type and tests.
pub fn rust_module(seed: usize, units: usize) -> String {
    let mut text = String::from(
        "//! A module.\n\nuse std::collections::BTreeMap;\nuse std::fs::{self, File};\nuse std::io::{self, Write};\nuse std::path::{Path, PathBuf};\n",
    );
    for n in 0..units {
        let id = seed * 1_000 + n;
        let _ = write!(
            text,
            r#"
/// A store of entries.
pub struct Store{n} {{
    root: PathBuf,
    entries: BTreeMap<String, u64>,
}}

impl Store{n} {{
    pub fn open(root: &Path) -> io::Result<Self> {{
        let file = root.join("index-{id}.json");
        if !file.exists() {{
            fs::create_dir_all(root)?;
        }}
        let text = fs::read_to_string(&file).unwrap_or_default();
        let entries = text.lines().enumerate().map(|(n, line)| (line.to_owned(), n as u64)).collect();
        Ok(Self {{ root: root.to_path_buf(), entries }})
    }}

    pub fn save(&self, name: &str) -> io::Result<PathBuf> {{
        let target = self.root.join(format!("{{name}}-{id}.txt"));
        let mut file = File::create(&target)?;
        for (key, value) in &self.entries {{
            match value {{
                0 => continue,
                1..=9 => writeln!(file, "{{key}}")?,
                _ => writeln!(file, "{{key}} {{value}}")?,
            }}
        }}
        Ok(target)
    }}
}}

#[cfg(test)]
mod tests_{n} {{
    use super::*;

    fn dir() -> PathBuf {{
        std::env::temp_dir().join(format!("store-{id}-{{}}", std::process::id()))
    }}

    #[test]
    fn saves() {{
        let store = Store{n}::open(&dir()).unwrap();
        let path = store.save("saves").unwrap();
        assert!(path.exists(), "{{}} is missing", path.display());
    }}

    #[test]
    fn loads() {{
        let tmp = tempfile::tempdir().unwrap();
        let store = Store{n}::open(tmp.path()).unwrap();
        assert_eq!(store.entries.len(), 0);
        fs::write(tmp.path().join("index-{id}.json"), "a\nb\n").unwrap();
        assert_eq!(Store{n}::open(tmp.path()).unwrap().entries.len(), 2);
    }}
}}
"#
        );
    }
    text
}

/// A project of 500 files: Python tests and modules, a Rust crate, and how they are run.
pub fn project() -> Vec<Source> {
    let mut sources = vec![
        source("pyproject.toml", "[project]\nname = \"app\"\nversion = \"1\"\n\n[tool.pytest.ini_options]\naddopts = \"-n auto\"\n".into()),
        source("Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\n[dev-dependencies]\ntempfile = \"3\"\n".into()),
        source(".github/workflows/test.yml", "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: pytest -n 4\n      - run: cargo test\n".into()),
        source("tox.ini", "[testenv]\ncommands = pytest {posargs}\n".into()),
        source("src/app/__init__.py", String::new()),
    ];
    sources.extend((0..100).map(|n| source(&format!("src/app/module_{n}.py"), python_module(n, 100))));
    sources.extend((0..195).map(|n| source(&format!("tests/test_{n}.py"), python_tests(n, 1 + n % 5, 100))));
    let modules: String = (0..199).map(|n| format!("pub mod store_{n};\n")).collect();
    sources.push(source("src/lib.rs", format!("//! The crate.\n\n{modules}")));
    sources.extend((0..199).map(|n| source(&format!("src/store_{n}.rs"), rust_module(n, 1 + n % 3))));
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(sources.len(), 500);
    sources
}

/// A Python project of `files` files, half of them tests, half of them modules that call one another in a ring, with a `conftest.py`
/// for each fifty test modules.
pub fn python_project(files: usize) -> Vec<Source> {
    let modules = files / 2;
    let tests = files - modules;
    let mut sources = vec![
        source("pyproject.toml", "[tool.pytest.ini_options]\naddopts = \"-n auto\"\n".into()),
        source("src/app/__init__.py", String::new()),
    ];
    sources.extend((0..modules).map(|n| source(&format!("src/app/module_{n}.py"), python_module(n, modules))));
    sources
        .extend((0..tests).map(|n| source(&format!("tests/part_{}/test_{n}.py", n / 50), python_tests(n, 1 + n % 3, modules))));
    sources.extend((0..tests.div_ceil(50)).map(|n| {
        let fixture = "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef home(tmp_path, monkeypatch):\n    monkeypatch.setenv(\"HOME\", str(tmp_path))\n";
        source(&format!("tests/part_{n}/conftest.py"), fixture.into())
    }));
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}
