//! nbdev's configuration: where a project keeps its notebooks, and which of their cells its tests leave out (nbdev documentation,
//! "Configuring nbdev" and "test").

use super::ini::Ini;
use super::toml::{Item, Toml};
use super::tree::{self, Tree};
use crate::facts::run::below;
use crate::facts::trace::Place;
use crate::text::Source;

/// One nbdev project.
pub struct Nbdev {
    /// The folder of its configuration.
    pub root: String,
    /// The folder of its notebooks.
    pub scope: String,
    pub place: Place,
    /// A cell with one of these directives is not run by its tests.
    flags: Vec<String>,
}

/// What nbdev takes where the configuration does not say it.
const FOLDER: &str = "nbs";
const FLAGS: &str = "notest";

/// Exports the notebooks, which the tests themselves must not do.
const EXPORT: &str = "nbdev_export(";

/// All nbdev projects, sorted by the path of their configuration.
pub fn nbdev(tree: &Tree) -> Vec<Nbdev> {
    tree.files().filter_map(|(path, _)| read(tree, path)).collect()
}

fn read(tree: &Tree, path: &str) -> Option<Nbdev> {
    let file = tree.file(path)?;
    let (folder, flags, place) = match tree::name(path) {
        "settings.ini" => {
            let ini = Ini::parse(file, tree.text(file));
            let section = ini.section("DEFAULT")?;
            let setting = section.get("nbs_path")?;
            let flags = section.get("tst_flags").map(|flags| flags.value.text.clone());
            (setting.value.text.clone(), flags, setting.place)
        }
        "pyproject.toml" => {
            let toml = Toml::parse(file, tree.text(file));
            let table = toml.at(&["tool", "nbdev"])?;
            let text = |key: &str| table.at(&[key]).and_then(Item::str).map(str::to_owned);
            (text("nbs_path").unwrap_or_else(|| FOLDER.to_owned()), text("tst_flags"), table.place())
        }
        _ => return None,
    };
    let root = tree::folder(path);
    let flags = flags.as_deref().unwrap_or(FLAGS).split_whitespace().map(str::to_owned).collect();
    Some(Nbdev { root: root.to_owned(), scope: tree::join(root, &folder)?, place, flags })
}

/// Takes out of each notebook the cells that the tests of its project leave out.
pub fn leave_out(sources: &mut [Source]) {
    if sources.iter().all(|source| source.cells.is_none()) {
        return;
    }
    let projects = nbdev(&Tree::new(sources));
    for source in sources {
        let around = projects.iter().filter(|project| below(&source.path, &project.root).is_some());
        let Some(project) = around.max_by_key(|project| project.root.len()) else { continue };
        source.leave_out(|cell, text| {
            text.contains(EXPORT) || cell.directives.iter().any(|(name, _)| project.flags.iter().any(|flag| **flag == **name))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Kind;

    #[test]
    fn folders_and_flags() {
        let sources = [
            Source::of("a/settings.ini", Kind::Config, "[DEFAULT]\nnbs_path = nbs\ntst_flags = slow cuda\n"),
            Source::of("pyproject.toml", Kind::Config, "[tool.nbdev]\nlib_path = \"x\"\n"),
            Source::of("settings.ini", Kind::Config, "[other]\nnbs_path = nbs\n"),
        ];
        let found = nbdev(&Tree::new(&sources));
        let found: Vec<_> = found.iter().map(|one| (one.root.as_str(), one.scope.as_str(), one.flags.join(","))).collect();
        assert_eq!(found, [("a", "a/nbs", "slow,cuda".to_owned()), ("", "nbs", "notest".to_owned())]);
    }
}
