//! Which folder's configuration speaks for which tests: pytest's root directories and what they say.
//!
//! pytest documentation, "Initialization: determining rootdir and configfile" and "Configuration options".

use super::ini::Ini;
use super::script::Script;
use super::shell::{self, Word};
use super::toml::{Item, Toml};
use super::tree::{self, Tree};
use crate::facts::run::{Discovery, below};
use crate::text::{FileId, Span};

/// Files that may hold pytest's configuration, in the order in which pytest looks into a folder.
const FILES: [&str; 7] = ["pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"];

/// A folder with a pytest configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Root {
    pub discovery: Discovery,
    /// The header of the section, or the start of a file that is a configuration by its name alone.
    pub place: (FileId, Span),
    /// Words of `addopts`.
    pub addopts: Vec<Word>,
    /// Where the key `addopts` stands.
    pub addopts_key: Option<(FileId, Span)>,
    /// A test that hangs is ended by what is set here: pytest-timeout's limit, or that of pytest's own fault handler where it exits.
    pub timeout: Option<(FileId, Span)>,
}

/// All roots, the deepest first.
pub fn roots(tree: &Tree) -> Vec<Root> {
    let mut roots: Vec<Root> = Vec::new();
    let mut last: Option<&str> = None;
    let mut folders: Vec<&str> =
        tree.files().filter(|(path, _)| FILES.contains(&tree::name(path))).map(|(path, _)| tree::folder(path)).collect();
    folders.sort_unstable();
    for dir in folders {
        if last == Some(dir) {
            continue;
        }
        last = Some(dir);
        let found = FILES.iter().find_map(|name| {
            let path = if dir.is_empty() { (*name).to_owned() } else { format!("{dir}/{name}") };
            read(tree, tree.file(&path)?)
        });
        roots.extend(found);
    }
    roots.sort_by(|a, b| {
        let depth = |root: &Root| root.discovery.root.split('/').filter(|part| !part.is_empty()).count();
        depth(b).cmp(&depth(a)).then_with(|| a.discovery.root.cmp(&b.discovery.root))
    });
    roots
}

/// The root that speaks for a folder or file.
pub fn root_of<'a>(roots: &'a [Root], path: &str) -> Option<&'a Root> {
    roots.iter().find(|root| below(path, &root.discovery.root).is_some())
}

/// The configuration in one file, if it holds one.
pub fn read(tree: &Tree, file: FileId) -> Option<Root> {
    let (path, text) = (tree.path(file), tree.text(file));
    let dir = tree::folder(path);
    let start = (file, Span::new(0, 0));
    match tree::name(path) {
        "pyproject.toml" => {
            let toml = Toml::parse(file, text);
            // pytest 9 reads `[tool.pytest]` too, and does not allow both.
            let table = toml.at(&["tool", "pytest", "ini_options"]).or_else(|| toml.at(&["tool", "pytest"]))?;
            Some(from_toml(dir, table.place(), table))
        }
        name if name.ends_with(".toml") => {
            let toml = Toml::parse(file, text);
            match toml.at(&["pytest"]) {
                Some(table) => Some(from_toml(dir, table.place(), table)),
                None if name == "pytest.toml" || name == ".pytest.toml" => Some(empty(dir, start)),
                None => None,
            }
        }
        name => {
            let ini = Ini::parse(file, text);
            let section = match name {
                "setup.cfg" => ini.section("tool:pytest"),
                _ => ini.section("pytest").or_else(|| ini.section("tool:pytest")),
            };
            match section {
                Some(section) => {
                    let list = |key: &str| section.get(key).map(|setting| shell::words(&setting.value));
                    Some(root(dir, section.place, list, section.get("addopts").map(|setting| setting.place)))
                }
                // "pytest.ini files always take precedence, even when empty"
                None if name == "pytest.ini" || name == ".pytest.ini" => Some(empty(dir, start)),
                None => None,
            }
        }
    }
}

fn empty(dir: &str, place: (FileId, Span)) -> Root {
    root(dir, place, |_| None, None)
}

fn from_toml(dir: &str, place: (FileId, Span), table: Item) -> Root {
    let list = |key: &str| {
        let item = table.at(&[key])?;
        Some(if item.is_list() {
            item.scripts().into_iter().map(Word::plain).collect()
        } else {
            item.script().map(|script: Script| shell::words(&script)).unwrap_or_default()
        })
    };
    let key = table.entries().into_iter().find(|(key, ..)| *key == "addopts").map(|(_, place, _)| place);
    root(dir, place, list, key)
}

fn root(dir: &str, place: (FileId, Span), list: impl Fn(&str) -> Option<Vec<Word>>, addopts_key: Option<(FileId, Span)>) -> Root {
    let strings = |key: &str| list(key).map(|words| words.iter().map(|word| word.str().to_owned()).collect::<Vec<_>>());
    let default = Discovery::default();
    let addopts = list("addopts").unwrap_or_default();
    let discovery = Discovery {
        root: dir.to_owned(),
        python_files: strings("python_files").unwrap_or(default.python_files),
        python_classes: strings("python_classes").unwrap_or(default.python_classes),
        python_functions: strings("python_functions").unwrap_or(default.python_functions),
        testpaths: strings("testpaths").unwrap_or_default(),
        norecursedirs: strings("norecursedirs").unwrap_or(default.norecursedirs),
        usefixtures: strings("usefixtures").unwrap_or_default(),
        left_out: super::pytest::read(&addopts).left_out.iter().filter_map(|path| tree::join("", path)).collect(),
        doctest_modules: addopts.iter().any(|word| word.str() == "--doctest-modules"),
    };
    let set = |key: &str, off: &[&str]| {
        list(key).is_some_and(|words| words.first().is_none_or(|word| !off.contains(&word.str().to_ascii_lowercase().as_str())))
    };
    // pytest documentation, "Configuration Options", `faulthandler_exit_on_timeout`.
    let exits = set("faulthandler_exit_on_timeout", &["false", "no", "off", "0"]) && set("faulthandler_timeout", &["0", "0.0"]);
    let timeout = (exits || set("timeout", &["0"])).then_some(place);
    Root { discovery, place, addopts, addopts_key, timeout }
}

/// Files by which a project sets Python up, or its tests.
const PYTHON: [&str; 13] = [
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "tox.ini",
    "noxfile.py",
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "Pipfile",
    "manage.py",
    "uv.lock",
];

/// Whether anything in the tree sets Python up.
pub fn has_python(tree: &Tree) -> bool {
    tree.files().any(|(path, _)| PYTHON.contains(&tree::name(path)))
}

/// Modules that pytest loads as plugins: entry points that a distribution of the project announces (pytest documentation, "Writing
/// plugins"), and what `-p` names.
pub fn plugins(tree: &Tree, roots: &[Root]) -> Vec<String> {
    let mut all = Vec::new();
    for (path, file) in tree.files() {
        match tree::name(path) {
            "pyproject.toml" => {
                let toml = Toml::parse(file, tree.text(file));
                for at in [&["project", "entry-points", "pytest11"][..], &["tool", "poetry", "plugins", "pytest11"]] {
                    let entries = toml.at(at).map(Item::entries).unwrap_or_default();
                    all.extend(entries.iter().filter_map(|(_, _, item)| Some(item.str()?.to_owned())));
                }
            }
            "setup.cfg" => {
                let ini = Ini::parse(file, tree.text(file));
                if let Some(setting) = ini.section("options.entry_points").and_then(|section| section.get("pytest11")) {
                    let words = shell::words(&setting.value);
                    all.extend(
                        words.iter().map(|word| word.str().trim_start_matches('=').to_owned()).filter(|word| word.contains('.')),
                    );
                }
            }
            _ => {}
        }
    }
    for root in roots {
        for pair in root.addopts.windows(2).filter(|pair| pair[0].str() == "-p") {
            all.push(pair[1].str().to_owned());
        }
    }
    // `module:object` is the module's.
    all.iter_mut().for_each(|name| name.truncate(name.find(':').unwrap_or(name.len())));
    all
}

/// Folders of behave: those with step files, beside `environment.py` or named `features`.
pub fn behave(tree: &Tree) -> Vec<String> {
    let mut all: Vec<String> = tree
        .files()
        .filter(|(path, _)| path.ends_with(".py"))
        .filter_map(|(path, _)| {
            let dir = tree::folder(path);
            (dir == "steps" || dir.ends_with("/steps")).then(|| tree::folder(dir).to_owned())
        })
        .filter(|dir| {
            tree::name(dir) == "features" || tree.file(&tree::join(dir, "environment.py").unwrap_or_default()).is_some()
        })
        .collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Kind, Source};

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        files.iter().map(|(path, text)| Source::of(*path, Kind::Config, *text)).collect()
    }

    fn read_all(files: &[(&str, &str)]) -> Vec<Root> {
        let sources = sources(files);
        roots(&Tree::new(&sources))
    }

    #[test]
    fn every_format_says_the_same() {
        for (path, text) in [
            (
                "pytest.ini",
                "[pytest]\naddopts = -n 4\n  --doctest-modules\npython_files = check_*.py\n  test_*.py\ntestpaths = tests\n",
            ),
            (
                ".pytest.ini",
                "[pytest]\naddopts = -n 4 --doctest-modules\npython_files = check_*.py test_*.py\ntestpaths = tests\n",
            ),
            ("tox.ini", "[pytest]\naddopts: -n 4 --doctest-modules\npython_files = check_*.py test_*.py\ntestpaths = tests\n"),
            (
                "setup.cfg",
                "[tool:pytest]\naddopts = -n 4 --doctest-modules\npython_files = check_*.py test_*.py\ntestpaths = tests\n",
            ),
            (
                "pyproject.toml",
                "[tool.pytest.ini_options]\naddopts = \"-n 4 --doctest-modules\"\npython_files = [\"check_*.py\", \"test_*.py\"]\ntestpaths = \"tests\"\n",
            ),
            (
                "pyproject.toml",
                "[tool.pytest]\naddopts = [\"-n\", \"4\", \"--doctest-modules\"]\npython_files = [\"check_*.py\", \"test_*.py\"]\ntestpaths = [\"tests\"]\n",
            ),
            (
                "pytest.toml",
                "[pytest]\naddopts = [\"-n\", \"4\", \"--doctest-modules\"]\npython_files = [\"check_*.py\", \"test_*.py\"]\ntestpaths = [\"tests\"]\n",
            ),
        ] {
            let roots = read_all(&[(path, text)]);
            assert_eq!(roots.len(), 1, "{path}");
            let root = &roots[0];
            assert_eq!(root.discovery.python_files, ["check_*.py", "test_*.py"], "{path}");
            assert_eq!(root.discovery.testpaths, ["tests"], "{path}");
            assert!(root.discovery.doctest_modules, "{path}");
            let four = text.find('4').unwrap();
            assert_eq!(root.addopts[1].place, Some((FileId(0), Span::new(four, four + 1))), "{path}");
            let key = text.find("addopts").unwrap();
            assert_eq!(root.addopts_key, Some((FileId(0), Span::new(key, key + 7))), "{path}");
        }
    }

    #[test]
    fn the_first_file_of_a_folder_wins_and_the_deepest_folder_comes_first() {
        let roots = read_all(&[
            ("a/b/setup.cfg", "[tool:pytest]\n"),
            ("a/pyproject.toml", "[project]\nname = \"x\"\n"),
            ("a/tox.ini", "[tox]\n[pytest]\naddopts = -q\n"),
            ("a/setup.cfg", "[tool:pytest]\naddopts = -v\n"),
            ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = \"-x\"\n"),
            ("pytest.ini", ""),
            ("c/setup.cfg", "[pytest]\naddopts = -n 3\n"),
        ]);
        let found: Vec<_> = roots
            .iter()
            .map(|root| (root.discovery.root.as_str(), root.addopts.iter().map(Word::str).collect::<Vec<_>>()))
            .collect();
        assert_eq!(found, [("a/b", vec![]), ("a", vec!["-q"]), ("", vec![])]);
        assert_eq!(root_of(&roots, "a/x/test_a.py").unwrap().discovery.root, "a");
        assert_eq!(root_of(&roots, "ab").unwrap().discovery.root, "");
    }

    #[test]
    fn behave_is_known_by_its_steps() {
        let files = sources(&[
            ("e2e/environment.py", ""),
            ("e2e/steps/a.py", ""),
            ("e2e/steps/b.py", ""),
            ("features/steps/c.py", ""),
            ("pipeline/steps/d.py", ""),
        ]);
        assert_eq!(behave(&Tree::new(&files)), ["e2e", "features"]);
    }
}
