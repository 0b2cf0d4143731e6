//! Examples in the documentation of Rust libraries, as `cargo test --doc` would run them.
//!
//! The rustdoc book, "Documentation tests".

use super::toml::{Item, Toml};
use super::tree::{self, Tree};
use crate::facts::run::{Crate, Target};
use crate::facts::trace::Place;
use crate::text::{FileId, Kind, Span};

/// The first example of each library: the crate's name and the place.
pub fn read(tree: &Tree, crates: &[Crate]) -> Vec<(String, Place)> {
    let libraries = crates.iter().filter(|package| package.targets.iter().any(|(_, target)| *target == Target::Lib));
    libraries.filter_map(|package| Some((package.name.clone(), first(tree, package)?))).collect()
}

fn first(tree: &Tree, package: &Crate) -> Option<Place> {
    let manifest = if package.dir.is_empty() { "Cargo.toml".to_owned() } else { format!("{}/Cargo.toml", package.dir) };
    let file = tree.file(&manifest)?;
    let off = Toml::parse(file, tree.text(file)).at(&["lib", "doctest"]).and_then(Item::bool) == Some(false);
    let source = package.targets.iter().find(|(_, target)| *target == Target::Lib).map(|(path, _)| tree::folder(path))?;
    if off || source == package.dir {
        return None;
    }
    let of_library =
        |path: &str| !path.starts_with("bin/") && path != "main.rs" && !path.contains("/tests/") && !path.contains("testdata/");
    tree.below(source)
        .filter(|(path, file)| of_library(path) && tree.source(*file).is_some_and(|source| source.kind == Kind::Rust))
        .find_map(|(_, file)| Some((file, example(file, tree.text(file))?.1)))
}

/// The fence of the first example that runs.
fn example(file: FileId, text: &str) -> Option<Place> {
    if !text.contains("```") {
        return None;
    }
    let mut open = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let body = line.trim();
        let Some(comment) = body.strip_prefix("///").or_else(|| body.strip_prefix("//!")) else {
            open = false;
            continue;
        };
        let Some(info) = comment.trim_start().strip_prefix("```") else { continue };
        if open {
            open = false;
            continue;
        }
        open = true;
        // A fence without a word is Rust, and runs.
        let runs = info
            .split([',', ' '])
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .all(|word| word == "rust" || word == "should_panic" || word.starts_with("edition20"));
        if runs && info.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ',' | ' ' | '_')) {
            let from = start + line.len() - line.trim_start().len();
            return Some((file, Span::new(from, from + body.len())));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_runs() {
        let found = |text: &str| example(FileId(0), text).is_some();
        assert!(found("/// ```\n/// assert!(true);\n/// ```\nfn f() {}\n"));
        assert!(found("//! ```rust,should_panic\n//! x\n//! ```\n"));
        assert!(found("/// ```text\n/// x\n/// ```\n/// ```\n/// f();\n/// ```\n"));
        assert!(!found("/// ```text\n/// x\n/// ```\n"));
        assert!(!found("/// ```no_run\n/// x\n/// ```\n/// ```ignore\n/// ```\n"));
        assert!(!found("// ```\n// x\n// ```\n"));
        assert!(!found("fn f() {}"));
    }
}
