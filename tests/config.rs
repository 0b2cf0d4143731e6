//! Configuration, end to end: which files count where, what each setting does to a report, the schema, the manual and `init`.

mod world;

use isolint::config::{Home, Settings, keys, manual, rule_names, schema};
use std::fs;
use std::path::Path;
use world::{Ran, World};

/// A test that writes a fixed name into the system's temporary directory, which `fixed-temp-path` reports.
const WRITES: &str = "import tempfile, os\n\ndef test_a():\n    with open(os.path.join(tempfile.gettempdir(), \"app.port\"), \"w\") as f:\n        f.write(\"0\")\n";

/// A project with that test in three folders.
fn project() -> World {
    let world = World::project();
    for name in ["test_top.py", "tests/test_a.py", "tests/legacy/test_b.py"] {
        world.file(name, WRITES.replace("app.port", &name.replace('/', "-")));
    }
    world
}

fn check(world: &World, more: &[&str]) -> Ran {
    world.run(&[&["check", "--output-format", "concise"], more].concat())
}

/// The places of findings of one rule: `path severity`.
fn places(ran: &Ran, rule: &str) -> Vec<String> {
    let of = |line: &str| {
        let (place, rest) = line.split_once(": ")?;
        let (severity, name) = rest.split_once('[')?;
        name.starts_with(&format!("{rule}]")).then(|| format!("{} {severity}", place.split(':').next().unwrap()))
    };
    ran.out.lines().filter_map(of).collect()
}

/// The places of `fixed-temp-path` under a configuration of the root.
fn under(config: &str) -> Vec<String> {
    let world = project();
    world.file("isolint.toml", config);
    let ran = check(&world, &[]);
    assert_eq!(ran.err, "", "{config}");
    places(&ran, "fixed-temp-path")
}

/// What a run says that could not do its work.
fn refused(world: &World, more: &[&str]) -> String {
    let ran = check(world, more);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{}", ran.err);
    ran.err
}

const ALL: [&str; 3] = ["test_top.py warning", "tests/legacy/test_b.py warning", "tests/test_a.py warning"];

#[test]
fn without_configuration() {
    assert_eq!(under(""), ALL);
}

#[test]
fn levels_change_and_silence() {
    assert_eq!(under("[levels]\nfixed-temp-path = 'error'\n"), ALL.map(|place| place.replace("warning", "error")));
    assert!(under("[levels]\nfixed-temp-path = 'off'\n").is_empty());
    let world = project();
    world.file("isolint.toml", "select = ['fixed-temp-path']\n[levels]\nfixed-temp-path = 'note'\n");
    assert_eq!(check(&world, &[]).status, 0);
    assert!(places(&check(&world, &["--min-severity", "warning"]), "fixed-temp-path").is_empty());
    world.file("isolint.toml", "[levels]\nfixed-temp-path = 'off'\n");
    assert_eq!(places(&check(&world, &["--select", "fixed-temp-path"]), "fixed-temp-path"), ALL);
}

#[test]
fn settings_for_paths() {
    let config = "[per-path]\n'tests/legacy/**' = { ignore = ['fixed-temp-path'] }\n'tests' = { levels = { fixed-temp-path = 'error' } }\n";
    assert_eq!(under(config), ["test_top.py warning", "tests/test_a.py error"]);
    assert_eq!(under("[per-path]\ntests = { min-severity = 'error' }\n"), ["test_top.py warning"]);
    assert_eq!(
        under("[per-path]\n'test_*.py' = { select = ['mktemp'] }\n'legacy' = { select = ['fixed-temp-path'] }\n"),
        [ALL[1]]
    );
}

#[test]
fn the_own_place_of_a_finding_decides() {
    let world = World::project();
    world.file("pyproject.toml", "[tool.pytest.ini_options]\naddopts = \"-n 4\"\n");
    let one =
        "import os, tempfile\nP = os.path.join(tempfile.gettempdir(), 'x.json')\ndef test_a():\n    open(P, 'w').write('1')\n";
    let two = "import os, tempfile\nP = os.path.join(tempfile.gettempdir(), 'x.json')\ndef test_b():\n    open(P).read()\n";
    world.file("a/test_one.py", one);
    world.file("b/test_two.py", two);
    let shown = |config: &str| {
        world.file("isolint.toml", format!("select = ['shared-path']\n[per-path]\n{config}\n"));
        let ran = check(&world, &[]);
        (places(&ran, "shared-path"), ran.out)
    };
    let (places, out) = shown("");
    assert_eq!(places.len(), 1, "{out}");
    let (own, other) = if places[0].starts_with("a/") { ("a", "b") } else { ("b", "a") };
    assert!(shown(&format!("{own} = {{ ignore = ['shared-path'] }}")).0.is_empty());
    assert_eq!(shown(&format!("{other} = {{ ignore = ['shared-path'] }}")).0, places);
}

#[test]
fn a_folder_has_a_configuration_of_its_own() {
    let world = project();
    world.file("isolint.toml", "min-severity = 'error'\n");
    world.file("tests/.isolint.toml", "min-severity = 'note'\n");
    world.file("tests/legacy/pyproject.toml", "[tool.isolint]\nlevels = { fixed-temp-path = 'note' }\n");
    let run = |more: &[&str]| places(&check(&world, more), "fixed-temp-path");
    assert_eq!(run(&["--min-severity", "note"]).len(), 3, "flags go over all of them");
    assert_eq!(run(&[]), ["tests/legacy/test_b.py note", "tests/test_a.py warning"]);
    assert_eq!(run(&["--isolated"]), ALL);
    assert_eq!(run(&["--config", "tests/.isolint.toml"]), ALL);
    // From below, the whole of the project's configuration counts.
    assert_eq!(run(&["tests/legacy"]), ["tests/legacy/test_b.py note"]);
}

#[test]
fn what_concerns_the_whole_project_stands_at_its_root() {
    for whole in keys::WHOLE {
        let world = project();
        world.file("tests/isolint.toml", whole.example);
        let said = refused(&world, &[]);
        let want =
            format!("`{}` concerns the whole project: write it into the configuration of the project's root\n", whole.name);
        assert!(said.starts_with("error: tests/isolint.toml:") && said.ends_with(&want), "{said}");
    }
}

#[test]
fn a_nested_file_may_not_bring_it_in_by_another() {
    let world = project();
    world.file("conf/base.toml", "\nexclude = ['x']\n");
    world.file("isolint.toml", "extend = 'conf/base.toml'\n");
    assert_eq!(check(&world, &[]).err, "");
    world.file("tests/isolint.toml", "extend = '../conf/base.toml'\n");
    let want = "error: conf/base.toml:2: `exclude` concerns the whole project: write it into the configuration of the project's root; \
                tests/isolint.toml extends this file\n";
    assert_eq!(refused(&world, &[]), want);
}

#[test]
fn files_extend_one_another() {
    let world = project();
    world.file("conf/all.toml", "[levels]\nfixed-temp-path = 'error'\n");
    world.file("conf/base.toml", "extend = 'all.toml'\nexclude = ['legacy']\n");
    world.file(
        "isolint.toml",
        "extend = 'conf/base.toml'\n[per-path]\n'test_top.py' = { levels = { fixed-temp-path = 'note' } }\n",
    );
    assert_eq!(places(&check(&world, &[]), "fixed-temp-path"), ["test_top.py note", "tests/test_a.py error"]);
    // A nested one, too, and a table in another kind of file.
    world.file("conf/pyproject.toml", "[tool.isolint]\nlevels = { fixed-temp-path = 'off' }\n");
    world.file("tests/isolint.toml", "extend = '../conf/pyproject.toml'\n");
    assert_eq!(places(&check(&world, &[]), "fixed-temp-path"), ["test_top.py note"]);
}

#[test]
fn chains_that_cannot_be_followed() {
    let world = project();
    world.file("isolint.toml", "\nextend = 'conf/a.toml'\n");
    assert_eq!(
        refused(&world, &[]),
        "error: isolint.toml:2: `extend` names conf/a.toml, which cannot be read: there is no such file; the path is relative to isolint.toml\n"
    );
    world.file("conf/a.toml", "extend = 'b.toml'\n");
    world.file("conf/b.toml", "# a\n# b\nextend = '../isolint.toml'\n");
    let circle = "isolint.toml → conf/a.toml → conf/b.toml → isolint.toml";
    let want = format!("error: conf/b.toml:3: `extend` goes round in a circle: {circle}; take one of them out\n");
    assert_eq!(refused(&world, &[]), want);
    world.file("conf/b.toml", "selct = []\n");
    assert_eq!(refused(&world, &[]), "error: conf/b.toml:1: unknown key `selct`; did you mean `select`?\n");
    world.file("conf/pyproject.toml", "[tool.black]\n");
    world.file("isolint.toml", "extend = 'conf/pyproject.toml'\n");
    let want = "error: isolint.toml:1: `extend` names conf/pyproject.toml, which has no table for isolint; add one, or name another file\n";
    assert_eq!(refused(&world, &[]), want);
    world.file("isolint.toml", "extend = 'isolint.toml'\n");
    assert!(refused(&world, &[]).contains("in a circle: isolint.toml → isolint.toml;"));
}

#[test]
fn every_home_of_the_table() {
    for (file, text) in [
        ("isolint.toml", "ignore = ['fixed-temp-path']\n"),
        (".isolint.toml", "ignore = ['fixed-temp-path']\n"),
        ("pyproject.toml", "[tool.isolint]\nignore = ['fixed-temp-path']\n"),
        ("Cargo.toml", "[workspace.metadata.isolint]\nignore = ['fixed-temp-path']\n"),
        ("Cargo.toml", "[package]\nname = 'x'\n[package.metadata.isolint]\nignore = ['fixed-temp-path']\n"),
    ] {
        let world = project();
        world.file("pytest.ini", "[pytest]\n");
        world.file(file, text);
        assert!(places(&check(&world, &[]), "fixed-temp-path").is_empty(), "{file}");
        assert_eq!(places(&check(&world, &["--isolated"]), "fixed-temp-path"), ALL, "{file}");
    }
    let world = project();
    world.file("pyproject.toml", "[tool]\nisolint = 3\n");
    assert_eq!(refused(&world, &[]), "error: pyproject.toml:2: `tool.isolint` is a table: `[tool.isolint]`\n");
}

#[test]
fn a_declared_run_is_evidence() {
    let world = World::project();
    let text = |name: &str| {
        format!(
            "import os, tempfile\nP = os.path.join(tempfile.gettempdir(), 'x.json')\n\ndef {name}():\n    open(P, 'w').write('1')\n"
        )
    };
    world.file("tests/test_one.py", text("test_one"));
    world.file("tests/test_two.py", text("test_two"));
    let shared = || {
        let ran = world.run(&["check", "--select", "shared-path"]);
        (ran.out.lines().next().unwrap_or_default().to_owned(), ran.out)
    };
    assert!(shared().0.starts_with("warning[shared-path]"), "nothing says that they run in parallel");
    world.file("isolint.toml", "# ours\n[run]\nrunner = 'pytest-xdist'\nworkers = 4\n");
    let (first, out) = shared();
    assert!(first.starts_with("error[shared-path]"), "{out}");
    assert!(out.contains("isolint.toml:3:10") && out.contains("this run lets them overlap"), "{out}");
    assert!(out.contains("1 runner: runner = pytest-xdist, workers = 4 (isolint.toml:3)"), "{out}");
    // It goes over what is read.
    world.file("pytest.ini", "[pytest]\naddopts = -n 4\n");
    world.file("isolint.toml", "[run]\nrunner = 'pytest-xdist'\ndist = 'loadscope'\npath = 'tests'\n");
    assert!(shared().0.starts_with("error[shared-path]"));
    world.file("isolint.toml", "[run]\nrunner = 'pytest'\npath = 'tests'\n");
    let (first, out) = shared();
    assert!(first.starts_with("warning[shared-path]"), "{out}");
    // From any other file, too.
    world.file("pytest.ini", "[pytest]\n");
    world.file("conf/ci.toml", "[run]\nrunner = 'pytest-xdist'\n");
    let ran = world.run(&["check", "--select", "shared-path", "--config", "conf/ci.toml"]);
    assert!(
        ran.out.contains("conf/ci.toml:2:10") && ran.out.contains("`runner = pytest-xdist` lets them overlap"),
        "{}",
        ran.out
    );
    let outside = World::bare();
    outside.file("ci.toml", "[run]\nrunner = 'pytest-xdist'\n");
    let file = outside.path("ci.toml");
    let ran = world.run(&["check", "--select", "shared-path", "--config", file.to_str().unwrap()]);
    assert!(ran.out.contains("ci.toml:2)` lets them overlap"), "{}", ran.out);
}

/// A project whose own helper writes a file, through code that nobody can follow.
fn with_helper(config: &str) -> World {
    let world = World::project();
    world.file("pytest.ini", "[pytest]\naddopts = -n 4\n");
    world.file("shop/__init__.py", "");
    world.file("shop/store.py", "import ctypes\n\ndef save(path, data):\n    ctypes.CDLL('libshop.so').save(path, data)\n");
    let test = |name: &str| {
        format!(
            "import os, tempfile\nfrom shop.store import save\n\ndef {name}():\n    save(os.path.join(tempfile.gettempdir(), 'x.db'), 1)\n"
        )
    };
    world.file("tests/test_one.py", test("test_one"));
    world.file("tests/test_two.py", test("test_two"));
    world.file("isolint.toml", config);
    world
}

#[test]
fn the_projects_own_helpers() {
    let found = |config: &str| places(&check(&with_helper(config), &[]), "shared-path").len();
    assert_eq!(found(""), 0);
    let entry = "'shop.store.save' = { params = ['path', 'data'], does = { write = 'path' } }\n";
    assert_eq!(found(&format!("[calls.python.calls]\n{entry}")), 1);
    let world = with_helper("[calls.python]\nfiles = ['tools/calls.toml']\n");
    world.file("tools/calls.toml", format!("[calls]\n{entry}"));
    assert_eq!(places(&check(&world, &[]), "shared-path").len(), 1);
    world.file("tools/calls.toml", "[calls]\n\n'shop.store.save' = { does = { wirte = 'path' } }\n");
    let want = "error: tools/calls.toml:3: calls.\"shop.store.save\".does.wirte: unknown word `wirte`; did you mean `write`? \
                (the words are in rules/calls/README.md)\n";
    assert_eq!(refused(&world, &[]), want);
    world.file("isolint.toml", "[calls.python]\nfiles = ['tools/cals.toml']\n");
    let want = "error: isolint.toml:2: `files` names tools/cals.toml, which cannot be read: there is no such file; \
                the path is relative to isolint.toml\n";
    assert_eq!(refused(&world, &[]), want);
}

#[test]
fn an_own_entry_goes_before_ours() {
    let world = project();
    world.file("isolint.toml", "[calls.python.calls]\n'tempfile.gettempdir' = { gives = 'test-dir' }\n");
    assert!(places(&check(&world, &[]), "fixed-temp-path").is_empty());
}

#[test]
fn a_rust_helper() {
    let world = World::project();
    world.file("Cargo.toml", "[package]\nname = \"shop\"\nedition = \"2021\"\n");
    world.file("src/lib.rs", "pub mod store;\n");
    world.file("src/store.rs", "extern \"C\" { fn c_save(p: *const u8); }\npub fn save(path: &std::path::Path) { unsafe { c_save(path.as_os_str().as_encoded_bytes().as_ptr()) } }\n");
    let tests = "use shop::store::save;\n#[test]\nfn one() { save(&std::env::temp_dir().join(\"x.db\")); }\n#[test]\nfn two() { save(&std::env::temp_dir().join(\"x.db\")); }\n";
    world.file("tests/all.rs", tests);
    let found = || places(&check(&world, &[]), "shared-path").len();
    assert_eq!(found(), 0);
    world.file("isolint.toml", "[calls.rust.calls]\n'shop::store::save' = { params = ['path'], does = { write = 'path' } }\n");
    assert_eq!(found(), 1);
}

/// Two tests in the crate itself, which reach the helper by `crate::` and through a glob.
#[test]
fn a_rust_method_by_any_path() {
    let world = World::project();
    world.file("Cargo.toml", "[package]\nname = \"shop-core\"\nedition = \"2021\"\n");
    let store = "pub struct Store(u64);\nimpl Store {\n    pub fn new() -> Store { Store(c::handle()) }\n    pub fn put(&self, path: &std::path::Path) { c::put(self.0, path) }\n}\n";
    world.file("src/store.rs", store);
    let tests = "pub mod store;\n#[cfg(test)]\nmod tests {\n    use crate::store::Store;\n    use super::*;\n    #[test]\n    fn one() { Store::new().put(&std::env::temp_dir().join(\"x.db\")); }\n    #[test]\n    fn two() { let s = store::Store::new(); s.put(&std::env::temp_dir().join(\"x.db\")); }\n}\n";
    world.file("src/lib.rs", tests);
    let found = || places(&check(&world, &[]), "shared-path").len();
    assert_eq!(found(), 0);
    let entries = "'shop_core::store::Store::new' = { type = 'shop_core::store::Store' }\n'shop_core::store::Store::put' = { params = ['path'], does = { write = 'path' } }\n";
    world.file("isolint.toml", format!("[calls.rust.calls]\n{entries}"));
    assert_eq!(found(), 1);
}

#[test]
fn methods_of_a_class_and_names_that_are_handed_on() {
    let world = World::project();
    world.file("pytest.ini", "[pytest]\naddopts = -n 4\n");
    world.file("src/shop/__init__.py", "from .store import Store as Shelf\n");
    world.file(
        "src/shop/store.py",
        "import ctypes\n\nclass Store:\n    def put(self, path):\n        ctypes.CDLL('x.so').put(path)\n",
    );
    let test = |import: &str, make: &str, name: &str| {
        format!(
            "import os, tempfile\n{import}\n\ndef {name}():\n    store = {make}()\n    store.put(os.path.join(tempfile.gettempdir(), 'x.db'))\n"
        )
    };
    world.file("tests/test_one.py", test("from shop import Shelf", "Shelf", "test_one"));
    world.file("tests/test_two.py", test("import shop.store", "shop.store.Store", "test_two"));
    let found = || places(&check(&world, &[]), "shared-path").len();
    assert_eq!(found(), 0);
    world.file("isolint.toml", "[calls.python.calls]\n'shop.store.Store' = {}\n'shop.store.Store.put' = { params = ['path'], does = { write = 'path' } }\n");
    assert_eq!(found(), 1);
}

#[test]
fn a_declared_name_that_nothing_has_is_told() {
    let world = with_helper(
        "safe-stores = ['shop.store.Stor', 'shop._native.Store', 'redis.Redis']\n[guards]\n'shop.store.save' = 'run'\n",
    );
    world.file("Cargo.toml", "[package]\nname = \"shop\"\nedition = \"2021\"\n");
    world.file("src/main.rs", "mod store { pub fn save() {} }\nfn main() { store::save() }\n");
    let said = |name: &str| {
        format!("warning: the configuration speaks of `{name}`, which its module does not define; check the spelling\n")
    };
    assert_eq!(check(&world, &[]).err, said("shop.store.Stor"));
    world.file("isolint.toml", "safe-stores = ['shop::store::save', 'shop::store::Store', 'sled::Db']\n");
    assert_eq!(check(&world, &[]).err, said("shop::store::Store"));
}

#[test]
fn private_paths_are_nobodys_business() {
    assert!(under("private-paths = ['<temp>/**']\n").is_empty());
    assert_eq!(under("private-paths = ['<temp>/tests-*']\n"), [ALL[0]]);
    let entry = "[calls.python.calls]\n'shop.store.save' = { params = ['path', 'data'], does = { write = 'path' } }\n";
    let ran = check(&with_helper(&format!("private-paths = ['<temp>/x.db']\n{entry}")), &[]);
    assert_eq!((ran.status, places(&ran, "shared-path").len()), (0, 0), "{}", ran.out);
}

#[test]
fn a_safe_store() {
    let world = World::project();
    world.file("pytest.ini", "[pytest]\naddopts = -n 4\n");
    world.file("shop/__init__.py", "");
    let store = "class Store:\n    def __init__(self, path):\n        self.path = path\n\n    def put(self, text):\n        with open(self.path, 'w') as f:\n            f.write(text)\n";
    world.file("shop/cache.py", store);
    let test = |name: &str| {
        format!(
            "import os, tempfile\nfrom shop.cache import Store\n\ndef {name}():\n    Store(os.path.join(tempfile.gettempdir(), 'x.db')).put('1')\n"
        )
    };
    world.file("tests/test_one.py", test("test_one"));
    world.file("tests/test_two.py", test("test_two"));
    let found = || places(&check(&world, &[]), "shared-path").len();
    assert_eq!(found(), 1);
    world.file("isolint.toml", "safe-stores = ['shop.cache.Store']\n");
    assert_eq!(found(), 0);
}

#[test]
fn a_guard_of_the_project() {
    let world = World::project();
    world.file("pytest.ini", "[pytest]\naddopts = -n 4\n");
    world.file("shop/__init__.py", "");
    world.file("shop/turns.py", "import contextlib, zookeeper\n\n@contextlib.contextmanager\ndef mine():\n    turn = zookeeper.take('shop')\n    yield\n    turn.give()\n");
    let test = |name: &str| {
        format!(
            "import os, tempfile\nfrom shop.turns import mine\n\ndef {name}():\n    with mine():\n        open(os.path.join(tempfile.gettempdir(), 'x.db'), 'w').write('1')\n"
        )
    };
    world.file("tests/test_one.py", test("test_one"));
    world.file("tests/test_two.py", test("test_two"));
    let found = || places(&check(&world, &[]), "shared-path").len();
    assert_eq!(found(), 1);
    world.file("isolint.toml", "[guards]\n'shop.turns.mine' = 'host'\n");
    assert_eq!(found(), 0);
    world.file("isolint.toml", "[guards]\n'shop.turns.mine' = 'process'\n");
    assert_eq!(found(), 1, "xdist's workers are processes");
}

#[test]
fn a_resource_that_one_test_uses_at_a_time() {
    let world = World::project();
    world.file("pytest.ini", "[pytest]\naddopts = -n 4\n");
    world.file("shop/__init__.py", "");
    world.file("shop/device.py", "import usb\n\ndef claim():\n    return usb.open(0x1234)\n");
    let test = |name: &str| format!("from shop.device import claim\n\ndef {name}():\n    claim()\n");
    world.file("tests/test_one.py", test("test_one"));
    world.file("tests/test_two.py", test("test_two"));
    let found = || check(&world, &["--select", "fixed-external-name"]);
    assert_eq!(found().status, 0);
    world.file("isolint.toml", "[resources]\nscanner = ['shop.device.claim']\n");
    let ran = found();
    assert!(
        ran.out.contains("`test_one` and `test_two` can run at the same time, and both make resource scanner"),
        "{}",
        ran.out
    );
}

/// Configurations that the reader takes, so the schema has to.
const GOOD: [&str; 9] = [
    "",
    "select = []\nexclude = ['a[!b]*']\n",
    "run = [{ runner = 'pytest' }, { runner = 'cargo-test', workers = 'cpus', path = './crates/x/' }]\n",
    "[run]\nrunner = 'pytest-xdist'\nworkers = 16\ndist = 'worksteal'\n",
    "[per-path]\n'a' = {}\n'b/**' = { select = ['mktemp'], ignore = [], preview = false, levels = { mktemp = 'off' } }\n",
    "extend = '../../x/base.toml'\n[calls.rust]\nfiles = ['a.toml', 'b/c.toml']\n",
    "[calls.python.types]\n'shop.P' = 'pathlib.Path'\n[[calls.python.star]]\nmodules = ['shop.all']\nnames = ['shop.store.save']\n",
    "safe-stores = ['a.b', 'a::b::C']\n[guards]\n'a.b.c' = 'run'\n[resources]\n'the printer' = []\n",
    "ignore = ['mktemp', 'mktemp']\nmin-severity = 'note'\nmin-confidence = 'low'\nbaseline = 'x'\nprivate-paths = ['~/.x']\n",
];

/// Configurations that neither takes.
const BAD: [&str; 24] = [
    "selct = []",
    "select = 'mktemp'",
    "select = ['mktmp']",
    "exclude = ['']",
    "min-severity = 'high'",
    "min-confidence = 1",
    "preview = 'yes'",
    "baseline = ''",
    "extend = 'base.yaml'",
    "extend = '/base.toml'",
    "levels = { mktmp = 'off' }",
    "levels = { mktemp = 'on' }",
    "[per-path]\na = { exclude = [] }",
    "[per-path]\na = []",
    "[run]\nworkers = 2",
    "[run]\nrunner = 'make'",
    "[run]\nrunner = 'stestr'\nworkers = 0",
    "[run]\nrunner = 'stestr'\ndist = 'load'",
    "[run]\nrunner = 'pytest'\nworkers = 2",
    "[run]\nrunner = 'pytest'\npath = 'a/../b'",
    "[calls.go]",
    "[calls.python]\nfile = ['a.toml']",
    "[guards]\n'a.b' = 'world'",
    "safe-stores = ['Store']",
];

#[test]
fn the_schema_takes_what_the_reader_takes() {
    let schema: serde_json::Value = serde_json::from_str(&schema::schema()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let valid = jsonschema::validator_for(&schema).unwrap();
    let json = |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    let read = |text: &str| Settings::read("isolint.toml", text, Home::Root, &rule_names());
    let examples = keys::LOCAL.iter().chain(keys::WHOLE).map(|key| key.example);
    let parts = keys::PER_PATH.iter().map(|key| key.example).chain(keys::RUN.iter().map(|key| key.example));
    for text in examples.chain(parts).chain(GOOD) {
        assert!(read(text).is_ok(), "{text}: {:?}", read(text));
        let errors: Vec<String> = valid.iter_errors(&json(text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{text}: {errors:?}");
    }
    for text in BAD {
        assert!(read(text).is_err(), "the reader takes {text}");
        assert!(!valid.is_valid(&json(text)), "the schema takes {text}");
    }
}

/// A file of the project is what the program makes of it. `BLESS=1` writes it anew.
fn held(path: &str, want: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, want).unwrap();
    }
    let have = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(have == want, "{path} is out of date: run `BLESS=1 cargo test --test config`");
}

#[test]
fn the_schema_in_the_documentation() {
    let printed = World::bare().run(&["schema"]);
    assert_eq!((printed.status, printed.err.as_str()), (0, ""));
    assert_eq!(printed.out, schema::schema());
    held("docs/isolint.schema.json", &printed.out);
}

#[test]
fn the_manual_in_the_documentation() {
    const MARKS: [&str; 2] = ["<!-- keys -->\n\n", "<!-- /keys -->\n"];
    let path = "docs/configuration.md";
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap().replace("\r\n", "\n");
    let (before, rest) = page.split_once(MARKS[0]).unwrap();
    let (_, after) = rest.split_once(MARKS[1]).unwrap();
    held(path, &format!("{before}{}{}{}{after}", MARKS[0], manual::manual(), MARKS[1]));
    // The examples between the words are configurations as well.
    for block in before.split("```toml\n").skip(1) {
        let text = block.split("```").next().unwrap();
        let read = Settings::read("isolint.toml", text, Home::Root, &rule_names());
        assert!(read.is_ok(), "{text}: {read:?}");
    }
}

#[test]
fn init_writes_a_configuration_that_changes_nothing() {
    let world = project();
    world.file("pytest.ini", "[pytest]\naddopts = -n 4\n");
    let before = check(&world, &[]).out;
    let ran = world.run(&["init"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.ends_with("isolint.toml: written; every key is in it, commented out\n"), "{}", ran.err);
    let written = fs::read_to_string(world.path("isolint.toml")).unwrap();
    assert!(written.contains("# Found: Python, 3 tests.\n# Tests are run by: addopts = -n 4 (pytest.ini:2)\n"), "{written}");
    assert!(written.contains("# 3 findings now. To begin with a clean run") && written.contains("\n#baseline = \""), "{written}");
    let after = check(&world, &[]).out;
    assert_eq!(after.lines().take(3).collect::<Vec<_>>(), before.lines().take(3).collect::<Vec<_>>());
    let again = world.run(&["init"]);
    assert_eq!(again.status, 2);
    assert!(
        again.err.ends_with("isolint.toml: it configures isolint already; edit it, or take its table out first\n"),
        "{}",
        again.err
    );
    assert_eq!(fs::read_to_string(world.path("isolint.toml")).unwrap(), written);
    // What it says is next works.
    world.file("isolint.toml", written.replace("\n#baseline =", "\nbaseline ="));
    assert_eq!(world.run(&["check", "--write-baseline"]).status, 0);
    assert_eq!(check(&world, &[]).status, 0);
}

#[test]
fn init_into_a_pyproject() {
    let world = World::project();
    let ran = world.run(&["init", "--pyproject"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("pyproject.toml: there is none in plain UTF-8; leave `--pyproject` out"), "{}", ran.err);
    world.file("pyproject.toml", "[project]\r\nname = 'x'\r\n");
    world.file("test_a.py", "def test_a():\n    pass\n");
    world.make("sub");
    let ran = world.run(&["init", "--pyproject", "sub"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let written = fs::read_to_string(world.path("pyproject.toml")).unwrap();
    assert!(written.starts_with("[project]\r\nname = 'x'\r\n\r\n[tool.isolint]\r\n# Take"), "{written}");
    assert!(!written.replace("\r\n", "").contains('\n'), "line ends stay of one kind");
    assert!(written.contains("# Nothing says that tests run in parallel, so collisions are warnings."), "{written}");
    assert_eq!(check(&world, &[]).status, 0);
    let again = world.run(&["init"]);
    assert!(again.status == 2 && again.err.contains("pyproject.toml: it configures isolint already"), "{}", again.err);
}
