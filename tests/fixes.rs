//! Fixes from end to end: the program is run on files, and what it writes is looked at byte by byte.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Tabs, CRLF, characters outside of the first plane before the edit, single quotes.
const AWKWARD: &str = "# 😀 é\r\nimport os\r\n\r\n\r\ndef prepare(cache_dir):\r\n\tname = '😀é'; \r\n\tif not os.path.isdir(cache_dir):\r\n\t\tos.makedirs(cache_dir, 0o755)\r\n\treturn name\r\n";

const AWKWARD_FIXED: &str = "# 😀 é\r\nimport os\r\n\r\n\r\ndef prepare(cache_dir):\r\n\tname = '😀é'; \r\n\tos.makedirs(cache_dir, 0o755, exist_ok=True)\r\n\treturn name\r\n";

const SHARED: &str = "def test_save():\n    with open(\"/tmp/é😀.json\", \"w\") as out:\n        out.write(\"é\")\n";

const REMOVAL: &str =
    "import os\n\nSTATE = '/var/lib/app/state'\n\n\ndef forget():\n    if os.path.exists(STATE):\n        os.remove(STATE)\n";

fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn run(folder: &Path, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isolint"));
    command.arg("check").arg(folder).args(["--preview", "--isolated"]).args(flags).env_remove("ISOLINT_OUTPUT_FORMAT");
    command.output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// All files below a folder, by path, with their bytes.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
            (path, fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn a_call_that_a_test_puts_a_mock_in_the_place_of_is_left_alone() {
    let product =
        "import os\n\n\ndef prepare(cache_dir):\n    if not os.path.isdir(cache_dir):\n        os.makedirs(cache_dir)\n";
    let test = "from unittest.mock import patch\n\n\n@patch(\"app.files.os.makedirs\")\ndef test_prepare(makedirs):\n    \
                makedirs.assert_called_with(\"/srv/out\")\n";
    let folder = project(&[("src/app/files.py", product), ("src/app/other.py", product), ("tests/test_files.py", test)]);
    let done = run(folder.path(), &["--fix", "--unsafe-fixes"]);
    assert!(out(&done).contains("Fixed 1 finding."), "{}", out(&done));
    assert_eq!(fs::read_to_string(folder.path().join("src/app/files.py")).unwrap(), product);
    assert!(fs::read_to_string(folder.path().join("src/app/other.py")).unwrap().contains("exist_ok=True"));
}

#[test]
fn a_folder_stays_where_a_text_says_what_is_below_it() {
    let test = "import os\nimport shutil\n\n\ndef test_pages():\n    page = \"site/index.html\"\n    os.makedirs(\"site\")\n    \
                shutil.copy(\"index.html\", page)\n    shutil.rmtree(\"site\")\n";
    let folder = project(&[("tests/test_site.py", test)]);
    run(folder.path(), &["--fix", "--unsafe-fixes", "--select", "cwd-relative-write,shared-path"]);
    let fixed = fs::read_to_string(folder.path().join("tests/test_site.py")).unwrap();
    assert!(!fixed.contains("tmp_path / \"site\""), "{fixed}");
}

#[test]
fn a_file_stays_in_the_directory_that_its_class_knows() {
    let test = "import os\nimport shutil\nimport unittest\n\n\nclass TestTree(unittest.TestCase):\n    path = \"/tmp/page-tree\"\n\n    \
                def tearDown(self):\n        shutil.rmtree(self.path)\n\n    def test_list(self):\n        os.mkdir(self.path)\n        \
                with open(self.path + \"/file\", \"w\") as f:\n            f.write(\"\")\n        \
                self.assertEqual(os.listdir(self.path), [\"file\"])\n";
    let folder = project(&[("tests/test_tree.py", test)]);
    run(folder.path(), &["--fix", "--unsafe-fixes"]);
    let fixed = fs::read_to_string(folder.path().join("tests/test_tree.py")).unwrap();
    assert!(fixed.contains("with open(self.path + \"/file\""), "{fixed}");
}

#[test]
fn line_ends_tabs_and_quotes_stay_as_they_are() {
    let folder = project(&[("src/a.py", AWKWARD)]);
    let done = run(folder.path(), &["--fix"]);
    assert_eq!(fs::read_to_string(folder.path().join("src/a.py")).unwrap(), AWKWARD_FIXED);
    assert!(out(&done).contains("Fixed 1 finding."), "{}", out(&done));
    assert_eq!(done.status.code(), Some(0));
    // Nothing is left beside it.
    assert_eq!(tree(folder.path()).len(), 1);
}

#[test]
fn twice_is_once() {
    let folder = project(&[("src/a.py", AWKWARD), ("src/b.py", REMOVAL), ("test_c.py", SHARED)]);
    run(folder.path(), &["--fix", "--unsafe-fixes"]);
    let once = tree(folder.path());
    let again = run(folder.path(), &["--fix", "--unsafe-fixes"]);
    assert!(out(&again).contains("Fixed nothing."), "{}", out(&again));
    assert_eq!(tree(folder.path()), once);
    assert!(String::from_utf8_lossy(&once["test_c.py"]).contains("tmp_path / \"é😀.json\""));
}

#[test]
fn what_needs_a_look_waits_to_be_asked_for() {
    let folder = project(&[("src/b.py", REMOVAL), ("test_c.py", SHARED)]);
    let report = run(folder.path(), &[]);
    assert!(out(&report).contains("1 finding can be fixed with --fix, 1 more with --unsafe-fixes."), "{}", out(&report));
    assert!(out(&report).contains("put the file into a directory of its own (`--fix --unsafe-fixes`)"));
    let before = tree(folder.path());
    let done = run(folder.path(), &["--fix"]);
    assert!(out(&done).contains("Fixed 1 finding; 1 more with --unsafe-fixes."), "{}", out(&done));
    assert_eq!(done.status.code(), Some(1));
    let after = tree(folder.path());
    assert_eq!(after["test_c.py"], before["test_c.py"]);
    assert!(String::from_utf8_lossy(&after["src/b.py"]).contains("with contextlib.suppress(FileNotFoundError):"));
}

#[test]
fn a_diff_writes_nothing() {
    let folder = project(&[("src/a.py", AWKWARD), ("test_c.py", SHARED)]);
    let before = tree(folder.path());
    let done = run(folder.path(), &["--diff", "--unsafe-fixes"]);
    assert_eq!(tree(folder.path()), before);
    assert_eq!(done.status.code(), Some(1));
    let text = out(&done);
    assert!(text.starts_with("--- a/src/a.py\n+++ b/src/a.py\n@@ "), "{text}");
    assert!(text.contains("+\tos.makedirs(cache_dir, 0o755, exist_ok=True)\r\n"));
    assert!(err(&done).contains("Would fix 2 findings."));
    let clean = project(&[("src/a.py", "x = 1\n")]);
    let none = run(clean.path(), &["--diff"]);
    assert_eq!((none.status.code(), out(&none)), (Some(0), String::new()));
}

#[test]
fn a_notebook_is_left_alone() {
    let cell = |code: &str| serde_json::json!({ "cell_type": "code", "metadata": {}, "source": code });
    let book =
        |code: &str| serde_json::json!({ "cells": [cell("import os"), cell(code)], "metadata": {}, "nbformat": 4 }).to_string();
    let a = book("if os.path.exists('/tmp/x.json'):\n    os.remove('/tmp/x.json')");
    let b = book("open('/tmp/x.json', 'w').write('{}')");
    let folder = project(&[("settings.ini", "[DEFAULT]\nnbs_path = nbs\n"), ("nbs/a.ipynb", &a), ("nbs/b.ipynb", &b)]);
    let report = run(folder.path(), &[]);
    assert!(out(&report).contains("nbs/a.ipynb: cell 2, line 2") && !out(&report).contains("can be fixed"), "{}", out(&report));
    let before = tree(folder.path());
    let done = run(folder.path(), &["--fix", "--unsafe-fixes"]);
    assert!(out(&done).contains("Fixed nothing."), "{}", out(&done));
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn a_text_that_is_not_its_bytes_is_left_alone() {
    let folder = project(&[]);
    let marked = [b"\xEF\xBB\xBF", REMOVAL.as_bytes()].concat();
    let latin = [b"# coding: latin-1\n# \xE9\n", REMOVAL.as_bytes()].concat();
    fs::write(folder.path().join("marked.py"), &marked).unwrap();
    fs::write(folder.path().join("latin.py"), &latin).unwrap();
    let before = tree(folder.path());
    let done = run(folder.path(), &["--fix", "--unsafe-fixes"]);
    assert!(out(&done).contains("Fixed nothing."), "{}", out(&done));
    assert!(out(&done).contains("check-then-act"));
    assert_eq!(tree(folder.path()), before);
}

#[cfg(unix)]
#[test]
fn mode_bits_stay_and_links_stay_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = project(&[("src/a.py", AWKWARD)]);
    let path = folder.path().join("src/a.py");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
    symlink("src/a.py", folder.path().join("link.py")).unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("b.py"), REMOVAL).unwrap();
    symlink(outside.path().join("b.py"), folder.path().join("b.py")).unwrap();
    run(folder.path(), &["--fix"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!(fs::read_to_string(&path).unwrap(), AWKWARD_FIXED);
    assert!(fs::symlink_metadata(folder.path().join("link.py")).unwrap().is_symlink());
    // What lies outside of the project is not ours to change.
    assert_eq!(fs::read_to_string(outside.path().join("b.py")).unwrap(), REMOVAL);
}

/// Byte offset of a 1-based line and a 1-based column in UTF-16 code units, by another way than the program's.
fn offset_of(text: &str, line: u64, column: u64) -> usize {
    let mut at = 0;
    for _ in 1..line {
        at += text[at..].find('\n').unwrap() + 1;
    }
    let mut units = 1;
    for c in text[at..].chars() {
        if units == column {
            break;
        }
        units += c.len_utf16() as u64;
        at += c.len_utf8();
    }
    at
}

/// Makes replacements, the last in the text first.
fn replaced(text: &str, mut edits: Vec<(usize, usize, String)>) -> String {
    edits.sort();
    edits.dedup();
    let mut text = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, &new);
    }
    text
}

/// Each edit adds a name, and no two the same one.
const NAMES: &str = "import tempfile\nfrom pathlib import Path\n\n\ndef test_copies():\n    source = Path(tempfile.TemporaryDirectory().name)\n    target = Path(tempfile.TemporaryDirectory().name)\n    first = tempfile.mktemp()\n    second = tempfile.mktemp()\n    for path in (source / \"a\", target / \"a\", Path(first), Path(second)):\n        path.write_text(\"x\")\n";

#[test]
fn edits_of_one_function_choose_names_of_their_own() {
    let folder = project(&[("test_d.py", NAMES)]);
    run(folder.path(), &["--fix", "--unsafe-fixes"]);
    let text = fs::read_to_string(folder.path().join("test_d.py")).unwrap();
    for line in [
        "tmp = tempfile.TemporaryDirectory()",
        "source = Path(tmp.name)",
        "temporary = tempfile.TemporaryDirectory()",
        "target = Path(temporary.name)",
        "handle, first = tempfile.mkstemp()",
        "os.close(handle)",
        "fd, second = tempfile.mkstemp()",
        "os.close(fd)",
    ] {
        assert!(text.contains(&format!("    {line}\n")), "{line}: {text}");
    }
}

#[test]
fn json_and_sarif_say_the_bytes_that_fix_writes() {
    let folder = project(&[("src/a.py", AWKWARD), ("src/é b.py", REMOVAL), ("test_c.py", SHARED), ("test_d.py", NAMES)]);
    let before = tree(folder.path());
    let text = |path: &str| String::from_utf8(before[path].clone()).unwrap();
    let json: Value = serde_json::from_slice(&run(folder.path(), &["--output-format", "json"]).stdout).unwrap();
    let sarif: Value = serde_json::from_slice(&run(folder.path(), &["--output-format", "sarif"]).stdout).unwrap();
    run(folder.path(), &["--fix", "--unsafe-fixes"]);
    let after = tree(folder.path());
    assert_ne!(before, after);

    let mut edits: BTreeMap<String, Vec<(usize, usize, String)>> = BTreeMap::new();
    for finding in json["findings"].as_array().unwrap() {
        for edit in finding["fix"]["edits"].as_array().unwrap() {
            let number = |key: &str| edit[key].as_u64().unwrap() as usize;
            let one = (number("start"), number("end"), edit["text"].as_str().unwrap().to_owned());
            edits.entry(edit["path"].as_str().unwrap().to_owned()).or_default().push(one);
        }
    }
    let by_json: BTreeMap<String, Vec<u8>> = before
        .keys()
        .map(|path| (path.clone(), replaced(&text(path), edits.remove(path).unwrap_or_default()).into_bytes()))
        .collect();
    assert_eq!(by_json, after);

    let mut edits: BTreeMap<String, Vec<(usize, usize, String)>> = BTreeMap::new();
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        for change in result["fixes"][0]["artifactChanges"].as_array().unwrap() {
            let path = change["artifactLocation"]["uri"].as_str().unwrap().replace("%C3%A9", "é").replace("%20", " ");
            for one in change["replacements"].as_array().unwrap() {
                let region = |key: &str| one["deletedRegion"][key].as_u64().unwrap();
                let start = offset_of(&text(&path), region("startLine"), region("startColumn"));
                let end = offset_of(&text(&path), region("endLine"), region("endColumn"));
                let new = one["insertedContent"]["text"].as_str().unwrap().to_owned();
                edits.entry(path.clone()).or_default().push((start, end, new));
            }
        }
    }
    let by_sarif: BTreeMap<String, Vec<u8>> = before
        .keys()
        .map(|path| (path.clone(), replaced(&text(path), edits.remove(path).unwrap_or_default()).into_bytes()))
        .collect();
    assert_eq!(by_sarif, after);
}

const CACHE: &str = "import os\r\nimport pickle as p\r\n\r\n\r\nclass Cache:\r\n\tdef __init__(self, path):\r\n\t\tself.path = path\r\n\r\n\tdef load(self):\r\n\t\ttry:\r\n\t\t\twith open(self.path, 'rb') as f:\r\n\t\t\t\treturn p.load(f)\r\n\t\texcept (\r\n\t\t\tFileNotFoundError,\r\n\t\t\tEOFError,\r\n\t\t):\r\n\t\t\treturn {}\r\n\r\n\tdef load_and_ask(self):\r\n\t\ttry:\r\n\t\t\twith open(self.path, 'rb') as f:\r\n\t\t\t\treturn p.load(f)\r\n\t\texcept EOFError as error:\r\n\t\t\tprint(error.place)\r\n\t\t\treturn {}\r\n\r\n\tdef save(self, values):\r\n\t\twith open(self.path, 'wb') as f:\r\n\t\t\tp.dump(values, f)\r\n";

#[test]
fn a_handler_is_widened_where_its_errors_are_written_out() {
    let folder = project(&[("src/cache.py", CACHE)]);
    let done = run(folder.path(), &["--fix", "--unsafe-fixes", "--select", "narrow-corruption-handler"]);
    let text = fs::read_to_string(folder.path().join("src/cache.py")).unwrap();
    assert_eq!(text, CACHE.replace("\t\t\tEOFError,\r\n", "\t\t\tEOFError, p.UnpicklingError,\r\n"));
    assert!(out(&done).contains("Fixed 1 finding."), "{}", out(&done));
    assert_eq!(out(&done).matches("goes on after a damaged").count(), 1, "{}", out(&done));
}

#[test]
fn a_cache_is_published_whole_and_its_handler_widened_at_once() {
    let cache = CACHE
        .replace("import pickle as p", "import joblib as p")
        .replace("(\r\n\t\t\tFileNotFoundError,\r\n\t\t\tEOFError,\r\n\t\t)", "ValueError");
    let folder = project(&[("src/cache.py", &cache)]);
    run(folder.path(), &["--fix", "--unsafe-fixes"]);
    let text = fs::read_to_string(folder.path().join("src/cache.py")).unwrap();
    assert!(text.contains("import os\r\nimport pickle\r\nimport tempfile\r\nimport joblib as p\r\n"), "{text}");
    assert!(text.contains("\t\texcept (ValueError, EOFError, pickle.UnpicklingError):\r\n"), "{text}");
    assert!(
        text.contains("\t\twith tempfile.NamedTemporaryFile('wb', dir=os.path.dirname(self.path), delete=False) as f:\r\n"),
        "{text}"
    );
}
