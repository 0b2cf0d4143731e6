//! Cargo packages and their targets, from the manifests and the paths that are there.
//!
//! The Cargo Book: "Cargo Targets" (names, paths, auto-discovery), "Workspaces" (members, exclude, inherited fields), "Specifying
//! Dependencies" (renames, platform tables).

use super::toml::{Item, Toml};
use super::tree::{self, Tree};
use crate::facts::run::{Crate, Target, below};
use globset::{GlobBuilder, GlobMatcher};

/// All packages of the project, sorted by folder.
pub fn read(tree: &Tree) -> Vec<Crate> {
    let manifests: Vec<(&str, Toml)> = tree
        .files()
        .filter(|(path, _)| tree::name(path) == "Cargo.toml")
        .map(|(path, file)| (tree::folder(path), Toml::parse(file, tree.text(file))))
        .collect();
    let workspaces: Vec<Workspace> =
        manifests.iter().filter_map(|(dir, toml)| toml.at(&["workspace"]).map(|table| Workspace::new(dir, table))).collect();
    let mut crates: Vec<Crate> = manifests
        .iter()
        .filter_map(|(dir, toml)| {
            let package = toml.at(&["package"]).or_else(|| toml.at(&["project"]))?;
            let workspace = match package.at(&["workspace"]).and_then(Item::str) {
                Some(path) => tree::join(dir, path).and_then(|root| workspaces.iter().find(|workspace| workspace.dir == root)),
                None => home(&workspaces, dir),
            };
            Some(package_crate(tree, dir, toml, package, workspace))
        })
        .collect();
    crates.sort_by(|a, b| a.dir.cmp(&b.dir));
    crates
}

/// The `[workspace]` table of a manifest.
struct Workspace<'a> {
    dir: &'a str,
    table: Item<'a>,
    members: Vec<GlobMatcher>,
    exclude: Vec<String>,
}

impl<'a> Workspace<'a> {
    fn new(dir: &'a str, table: Item<'a>) -> Workspace<'a> {
        // A thousand is more than any workspace has, and a glob is dear.
        let list = |key: &str| -> Vec<&str> {
            table.at(&[key]).map(Item::list).unwrap_or_default().into_iter().filter_map(Item::str).take(1000).collect()
        };
        let members = list("members")
            .iter()
            .filter_map(|member| tree::join(dir, member))
            .filter_map(|member| GlobBuilder::new(&member).literal_separator(true).build().ok())
            .map(|glob| glob.compile_matcher())
            .collect();
        let exclude = list("exclude").iter().filter_map(|path| tree::join(dir, path)).collect();
        Workspace { dir, table, members, exclude }
    }

    /// The folder's package belongs to it: named in `members`, or below it and not excluded (path dependencies join unnamed).
    fn holds(&self, dir: &str) -> bool {
        let named = self.members.iter().any(|member| member.is_match(dir));
        named || (below(dir, self.dir).is_some() && !self.exclude.iter().any(|path| below(dir, path).is_some()))
    }
}

/// The workspace a package belongs to: the nearest above it that does not exclude it, else one that names it.
fn home<'a, 'b>(workspaces: &'b [Workspace<'a>], dir: &str) -> Option<&'b Workspace<'a>> {
    workspaces
        .iter()
        .filter(|workspace| workspace.holds(dir))
        .max_by_key(|workspace| (below(dir, workspace.dir).is_some(), workspace.dir.len()))
}

fn package_crate(tree: &Tree, dir: &str, toml: &Toml, package: Item, workspace: Option<&Workspace>) -> Crate {
    let name = package.at(&["name"]).and_then(Item::str).unwrap_or("");
    let edition = match package.at(&["edition"]) {
        Some(item) if item.is_table() => {
            workspace.and_then(|workspace| workspace.table.at(&["package", "edition"])).and_then(Item::int)
        }
        Some(item) => item.int(),
        None => None,
    };
    // "If not specified, the 2015 edition is used" (The Cargo Book, "The edition field").
    let edition = edition.and_then(|year| u16::try_from(year).ok()).unwrap_or(2015);
    let library = toml.at(&["lib"]);
    let code_name = library.and_then(|lib| lib.at(&["name"])).and_then(Item::str).unwrap_or(name);
    Crate {
        name: code_name.replace('-', "_"),
        dir: dir.to_owned(),
        targets: targets(tree, dir, toml, package, edition, name),
        dependencies: dependencies(toml, &["dependencies", "dev-dependencies", "dev_dependencies"]),
        own_dependencies: dependencies(toml, &["dependencies"]),
        edition,
    }
}

/// Keys are what code says, even where `package = "…"` renames.
fn dependencies(toml: &Toml, tables: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |item: Option<Item>| {
        for (key, ..) in item.map(Item::entries).unwrap_or_default() {
            names.push(key.replace('-', "_"));
        }
    };
    for table in tables {
        add(toml.at(&[table]));
    }
    for (.., target) in toml.at(&["target"]).map(Item::entries).unwrap_or_default() {
        for table in tables {
            add(target.at(&[table]));
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Kind, table in the manifest, folder, and the switch of auto-discovery.
const KINDS: [(Target, &str, &str, &str); 4] = [
    (Target::Bin, "bin", "src/bin", "autobins"),
    (Target::Test, "test", "tests", "autotests"),
    (Target::Bench, "bench", "benches", "autobenches"),
    (Target::Example, "example", "examples", "autoexamples"),
];

fn targets(tree: &Tree, dir: &str, toml: &Toml, package: Item, edition: u16, name: &str) -> Vec<(String, Target)> {
    let mut all: Vec<(String, Target)> = Vec::new();
    let here = |path: &str| tree::join(dir, path);
    let there = |path: &str| here(path).filter(|path| tree.file(path).is_some());
    let library = toml.at(&["lib"]);
    let library_path = match library.and_then(|lib| lib.at(&["path"])).and_then(Item::str) {
        Some(path) => here(path),
        None => there("src/lib.rs"),
    };
    all.extend(library_path.map(|path| (path, Target::Lib)));
    for (kind, table, folder, switch) in KINDS {
        let explicit = toml.at(&[table]).map(Item::list).unwrap_or_default();
        for item in &explicit {
            let custom = kind == Target::Test && item.at(&["harness"]).and_then(Item::bool) == Some(false);
            let kind = if custom { Target::CustomTest } else { kind };
            let own = item.at(&["name"]).and_then(Item::str);
            let path = match (item.at(&["path"]).and_then(Item::str), own) {
                (Some(path), _) => here(path),
                (None, Some(own)) => there(&format!("{folder}/{own}.rs"))
                    .or_else(|| there(&format!("{folder}/{own}/main.rs")))
                    .or_else(|| there("src/main.rs").filter(|_| kind == Target::Bin && own == name)),
                (None, None) => None,
            };
            all.extend(path.map(|path| (path, kind)));
        }
        // In the 2015 edition one target named by hand switches the search for others off.
        let search = package.at(&[switch]).and_then(Item::bool).unwrap_or(edition != 2015 || explicit.is_empty());
        if search {
            if kind == Target::Bin {
                all.extend(there("src/main.rs").map(|path| (path, kind)));
            }
            let folder = here(folder).unwrap_or_default();
            for (rest, _) in tree.below(&folder) {
                let direct = rest.ends_with(".rs") && !rest.contains('/');
                if direct || rest.split_once('/').is_some_and(|(_, file)| file == "main.rs") {
                    all.push((format!("{folder}/{rest}"), kind));
                }
            }
        }
    }
    let build = match package.at(&["build"]) {
        Some(item) if item.bool() == Some(false) => None,
        Some(item) if item.str().is_some() => item.str().and_then(here),
        _ => there("build.rs"),
    };
    all.extend(build.map(|path| (path, Target::BuildScript)));
    // The first word stands: what the manifest says comes before what is found. One file can be the root of several targets; a test
    // target says most about its tests.
    let mut kept: Vec<(String, Target)> = Vec::with_capacity(all.len());
    let mut seen = std::collections::BTreeSet::new();
    for (path, target) in all {
        if seen.insert(path.clone()) {
            kept.push((path, target));
        }
    }
    kept.sort();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Kind, Source};

    fn crates(files: &[(&str, &str)]) -> Vec<Crate> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(path, text)| Source::of(*path, if path.ends_with(".rs") { Kind::Rust } else { Kind::Config }, *text))
            .collect();
        read(&Tree::new(&sources))
    }

    fn targets(package: &Crate) -> Vec<(&str, Target)> {
        package.targets.iter().map(|(path, target)| (path.as_str(), *target)).collect()
    }

    #[test]
    fn targets_by_convention() {
        let all = crates(&[
            ("Cargo.toml", "[package]\nname = \"my-app\"\nedition = \"2021\"\n"),
            ("build.rs", ""),
            ("src/lib.rs", ""),
            ("src/main.rs", ""),
            ("src/other.rs", ""),
            ("src/bin/tool.rs", ""),
            ("src/bin/multi/main.rs", ""),
            ("src/bin/multi/part.rs", ""),
            ("tests/a.rs", ""),
            ("tests/b/main.rs", ""),
            ("tests/common/mod.rs", ""),
            ("tests/c/d/main.rs", ""),
            ("benches/x.rs", ""),
            ("examples/y.rs", ""),
        ]);
        assert_eq!((all[0].name.as_str(), all[0].dir.as_str(), all[0].edition), ("my_app", "", 2021));
        assert_eq!(
            targets(&all[0]),
            [
                ("benches/x.rs", Target::Bench),
                ("build.rs", Target::BuildScript),
                ("examples/y.rs", Target::Example),
                ("src/bin/multi/main.rs", Target::Bin),
                ("src/bin/tool.rs", Target::Bin),
                ("src/lib.rs", Target::Lib),
                ("src/main.rs", Target::Bin),
                ("tests/a.rs", Target::Test),
                ("tests/b/main.rs", Target::Test),
            ]
        );
    }

    #[test]
    fn what_the_manifest_says_comes_first() {
        let all = crates(&[
            (
                "c/Cargo.toml",
                "[package]\nname = \"c\"\nedition = \"2018\"\nautobins = false\nbuild = \"make.rs\"\n[lib]\nname = \"core_c\"\npath = \"lib.rs\"\n\
                 [[test]]\nname = \"ui\"\nharness = false\n[[test]]\nname = \"far\"\npath = \"../shared/far.rs\"\n[[bin]]\nname = \"c\"\n[[bench]]\nname = \"b\"\nharness = false\n",
            ),
            ("c/lib.rs", ""),
            ("c/src/lib.rs", ""),
            ("c/src/main.rs", ""),
            ("c/src/bin/x.rs", ""),
            ("c/tests/ui.rs", ""),
            ("c/tests/plain.rs", ""),
            ("c/benches/b.rs", ""),
        ]);
        assert_eq!(all[0].name, "core_c");
        assert_eq!(
            targets(&all[0]),
            [
                ("c/benches/b.rs", Target::Bench),
                ("c/lib.rs", Target::Lib),
                ("c/make.rs", Target::BuildScript),
                ("c/src/main.rs", Target::Bin),
                ("c/tests/plain.rs", Target::Test),
                ("c/tests/ui.rs", Target::CustomTest),
                ("shared/far.rs", Target::Test),
            ]
        );
    }

    #[test]
    fn the_first_edition_searches_less() {
        let files = |manifest| [("Cargo.toml", manifest), ("tests/a.rs", ""), ("tests/b.rs", "")];
        let old = crates(&files("[package]\nname = \"x\"\n[[test]]\nname = \"a\"\n"));
        assert_eq!((old[0].edition, targets(&old[0])), (2015, vec![("tests/a.rs", Target::Test)]));
        let off = crates(&files("[package]\nname = \"x\"\nedition = \"2021\"\nautotests = false\n"));
        assert_eq!(targets(&off[0]), []);
    }

    #[test]
    fn workspaces_hand_down() {
        let all = crates(&[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"old\"]\n[workspace.package]\nedition = \"2024\"\n",
            ),
            (
                "crates/a/Cargo.toml",
                "[package]\nname = \"a\"\nedition.workspace = true\n[dependencies]\nserde.workspace = true\nrenamed-one = { package = \"x\", version = \"1\" }\n\
                 [dev-dependencies]\ntemp-file = \"1\"\n[build-dependencies]\ncc = \"1\"\n[target.'cfg(unix)'.dev-dependencies]\nnix = \"1\"\n",
            ),
            ("old/Cargo.toml", "[package]\nname = \"o\"\nedition.workspace = true\n"),
        ]);
        assert_eq!(
            all.iter().map(|package| (package.dir.as_str(), package.edition)).collect::<Vec<_>>(),
            [("crates/a", 2024), ("old", 2015)]
        );
        assert_eq!(all[0].dependencies, ["nix", "renamed_one", "serde", "temp_file"]);
    }

    #[test]
    fn broken_manifests_are_survived() {
        for text in [
            "",
            "[package",
            "[package]\nname = 1\n",
            "[package]\nedition = {}\n",
            "package = 1\nlib = []\nbin = {}\n",
            "[workspace]\nmembers = [\"[\", \"../..\"]\n",
        ] {
            crates(&[("Cargo.toml", text)]);
        }
    }
}
