//! The house holds itself to its walls: who may use whom, who may touch the world, what a file looks like, and that rules and
//! pages belong together. `docs/architecture.md` says why.
//!
//! Code under `#[cfg(test)]` is exempt from the walls: a room's tests may stand on the rooms that feed it.

mod walls;

use isolint::page;
use isolint::rules::TABLE;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use walls::{ROOMS, breaches, crates, is_tests};

/// The longest a file of `src/` may be, in lines.
const LONGEST: usize = 1_200;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `dir` that end with `ending`, sorted; paths relative to the project, with `/`.
fn files(dir: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut todo = vec![PathBuf::from(dir)];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(root().join(&next)).unwrap() {
            let entry = entry.unwrap();
            let path = next.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                todo.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let text = fs::read_to_string(root().join(&path)).unwrap();
                found.push((path.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no {ending} files below {dir}: this test looks in the wrong place");
    found
}

fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

#[test]
fn rooms_use_only_what_their_row_allows() {
    none(breaches(&files("src", ".rs")));
}

#[test]
fn every_dependency_has_an_owner() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let owned = crates();
    let declared: BTreeSet<String> =
        manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect();
    none(
        declared
            .iter()
            .filter(|name| !owned.contains(name.as_str()))
            .map(|name| format!("`{name}` is a dependency without an owner: say in tests/walls/mod.rs which room may use it"))
            .chain(
                owned
                    .iter()
                    .filter(|name| !declared.contains(**name))
                    .map(|name| format!("tests/walls/mod.rs names `{name}`, which is no dependency")),
            )
            .collect(),
    );
}

#[test]
fn the_table_of_rooms_is_the_map_in_the_architecture_page() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    none(
        ROOMS
            .iter()
            .filter(|room| root().join("src").join(room.name).exists() || root().join(format!("src/{}.rs", room.name)).exists())
            .filter(|room| room.name != "lib" && !page.contains(&format!("| `{}` |", room.name)))
            .map(|room| format!("docs/architecture.md has no row for the room `{}`", room.name))
            .collect(),
    );
}

#[test]
fn every_file_says_what_it_is() {
    none(
        files("src", ".rs")
            .into_iter()
            .filter(|(path, text)| path != "src/main.rs" && !is_tests(path) && !text.starts_with("//! "))
            .map(|(path, _)| format!("{path}: starts without a line `//! …` that says what it is"))
            .collect(),
    );
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    none(
        files("src", ".rs")
            .into_iter()
            .map(|(path, text)| (path, text.lines().count()))
            .filter(|(_, lines)| *lines > LONGEST)
            .map(|(path, lines)| format!("{path}: {lines} lines; split it by meaning, {LONGEST} is the most"))
            .collect(),
    );
}

#[test]
fn no_module_is_a_drawer_for_odd_things() {
    const DRAWERS: [&str; 8] = ["utils", "util", "helpers", "helper", "common", "misc", "shared", "stuff"];
    let drawer = |path: &str| path.trim_end_matches(".rs").split('/').any(|part| DRAWERS.contains(&part));
    assert!(drawer("src/link/utils.rs") && drawer("src/common/mod.rs") && !drawer("src/link/terms.rs"));
    none(
        ["src", "tests", "benches"]
            .into_iter()
            .filter(|dir| root().join(dir).exists())
            .flat_map(|dir| files(dir, ".rs"))
            .filter(|(path, _)| drawer(path))
            .map(|(path, _)| format!("{path}: name the module for what is in it"))
            .collect(),
    );
}

fn kebab(name: &str) -> bool {
    !name.is_empty()
        && name.split('-').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

#[test]
fn names_are_kebab_case() {
    assert!(kebab("fixed-temp-path") && !kebab("Fixed-Temp") && !kebab("a--b") && !kebab("a_b") && !kebab(""));
    none(TABLE.iter().filter(|rule| !kebab(rule.name)).map(|rule| format!("`{}` is not kebab-case", rule.name)).collect());
}

#[test]
fn the_table_is_sorted_and_names_are_used_once() {
    for two in TABLE.windows(2) {
        assert!(two[0].name < two[1].name, "src/rules/mod.rs: `{}` stands before `{}`", two[0].name, two[1].name);
    }
    let mut seen = BTreeSet::new();
    for page in page::all() {
        for name in page.front.was.iter().map(String::as_str).chain([page.name]) {
            assert!(kebab(name), "rules/{}.md: `{name}` is not kebab-case", page.name);
            assert!(seen.insert(name), "`{name}` is the name of two rules, now or formerly");
        }
    }
}

#[test]
fn every_rule_has_its_page_and_its_file() {
    let mut complaints = Vec::new();
    for rule in TABLE {
        let is_function = rule.check.is_some();
        let path = format!("rules/{}.md", rule.name);
        match fs::read_to_string(root().join(&path)) {
            Ok(text) if text == rule.page => {}
            Ok(_) => complaints.push(format!("`{}` embeds another text than {path}", rule.name)),
            Err(_) => complaints.push(format!("`{}` has no page {path}", rule.name)),
        }
        let module = rule.name.replace('-', "_");
        if is_function
            && ![format!("src/rules/{module}.rs"), format!("src/rules/{module}/mod.rs")]
                .iter()
                .any(|file| root().join(file).exists())
        {
            complaints.push(format!("`{}` has no function in src/rules/{module}.rs", rule.name));
        }
    }
    none(complaints);
}

#[test]
fn every_page_has_its_rule() {
    let pages: BTreeSet<String> = fs::read_dir(root().join("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
        .collect();
    let known = |name: &str| TABLE.iter().any(|rule| rule.name == name);
    none(pages.iter().filter(|name| !known(name)).map(|name| format!("rules/{name}.md is the page of no rule")).collect());
}
