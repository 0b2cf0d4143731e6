//! Which versions of Python a package is for ("Python Packaging User Guide", "Version specifiers").

use super::ini::Ini;
use super::toml::{Item, Toml};
use super::tree::{self, Tree};

/// The oldest Python of each package that names one, by the folder of the package, the deepest first.
pub fn oldest(tree: &Tree) -> Vec<(String, (u8, u8))> {
    let mut all: Vec<(String, (u8, u8))> = Vec::new();
    for (path, file) in tree.files() {
        let text = tree.text(file);
        let said = match tree::name(path) {
            "pyproject.toml" => {
                let toml = Toml::parse(file, text);
                let at = |path: &[&str]| toml.at(path).and_then(Item::str).map(str::to_owned);
                at(&["project", "requires-python"]).or_else(|| at(&["tool", "poetry", "dependencies", "python"]))
            }
            "setup.cfg" => Ini::parse(file, text)
                .section("options")
                .and_then(|section| section.get("python_requires"))
                .map(|setting| setting.value.text.clone()),
            "setup.py" => quoted_after(text, "python_requires").map(str::to_owned),
            _ => None,
        };
        if let Some(version) = said.as_deref().and_then(lowest) {
            all.push((tree::folder(path).to_owned(), version));
        }
    }
    all.sort_by(|a, b| (std::cmp::Reverse(a.0.len()), a).cmp(&(std::cmp::Reverse(b.0.len()), b)));
    all
}

/// The lowest version that a specifier lets in: `>=3.9,<4`, `^3.10`, `~=3.11.2`, `==3.12.*`.
fn lowest(specifier: &str) -> Option<(u8, u8)> {
    specifier.split([',', '|']).map(str::trim).find_map(|part| {
        let rest = [">=", "~=", "===", "==", "^", "~", ">"].iter().find_map(|sign| part.strip_prefix(sign))?;
        let mut numbers = rest.trim().split('.');
        let (major, minor) = (numbers.next()?.parse().ok()?, numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0));
        Some((major, minor))
    })
}

/// The text in quotes after a keyword.
fn quoted_after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = &text[text.find(word)? + word.len()..];
    let rest = rest.trim_start().strip_prefix(['=', ':', '"', '\''])?.trim_start_matches([':', '=', ' ']);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Kind, Source};

    #[test]
    fn the_lowest_version() {
        let cases = [(">=3.9,<4", (3, 9)), ("^3.10", (3, 10)), ("~= 3.11.2", (3, 11)), ("<4,>=3.8", (3, 8)), (">=3", (3, 0))];
        for (specifier, version) in cases {
            assert_eq!(lowest(specifier), Some(version), "{specifier}");
        }
        assert_eq!(lowest("<4"), None);
    }

    #[test]
    fn every_file_says_it_in_its_way() {
        let read = |path: &str, text: &str| {
            let kind = if path.ends_with(".py") { Kind::Python } else { Kind::Config };
            oldest(&Tree::new(&[Source::of(path, kind, text)]))
        };
        let want = |dir: &str| vec![(dir.to_owned(), (3, 11))];
        assert_eq!(read("pyproject.toml", "[project]\nrequires-python = \">=3.11\"\n"), want(""));
        assert_eq!(read("a/pyproject.toml", "[tool.poetry.dependencies]\npython = \"^3.11\"\n"), want("a"));
        assert_eq!(read("setup.cfg", "[options]\npython_requires = >=3.11\n"), want(""));
        assert_eq!(read("setup.py", "setup(\n    python_requires='>=3.11',\n)\n"), want(""));
        assert_eq!(read("setup.py", "setup(**{\"python_requires\": \">=3.11\"})\n"), want(""));
        assert_eq!(read("setup.py", "setup(name='python_requires')\n"), []);
    }
}
