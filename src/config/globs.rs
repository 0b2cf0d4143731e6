//! Globs over paths of the project, as `.gitignore` reads them.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Globs that belong together: a path fits where one of them fits it, or a folder above it.
#[derive(Clone, Debug)]
pub struct Globs {
    texts: Vec<String>,
    set: GlobSet,
}

/// Globs are the same where they are written the same.
impl PartialEq for Globs {
    fn eq(&self, other: &Globs) -> bool {
        self.texts == other.texts
    }
}

impl Eq for Globs {}

impl Globs {
    /// One without a slash fits at any depth, one with a slash is counted from the root.
    ///
    /// # Errors
    /// The first that does not parse, and why.
    pub fn new(texts: &[String]) -> Result<Globs, (String, String)> {
        let mut set = GlobSetBuilder::new();
        for text in texts {
            set.add(glob(text).map_err(|why| (text.clone(), why))?);
        }
        let set = set.build().map_err(|error| (texts.join(","), error.to_string()))?;
        Ok(Globs { texts: texts.to_vec(), set })
    }

    /// The path itself fits.
    pub fn fits(&self, path: &str) -> bool {
        self.set.is_match(path)
    }

    /// The path or a folder above it fits.
    pub fn covers(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        !path.is_empty() && ends.into_iter().any(|end| self.fits(&path[..end]))
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

impl Default for Globs {
    fn default() -> Globs {
        Globs { texts: Vec::new(), set: GlobSet::empty() }
    }
}

/// Reads one glob.
///
/// # Errors
/// Why it does not parse.
pub(super) fn glob(text: &str) -> Result<globset::Glob, String> {
    let bare = text.strip_suffix('/').unwrap_or(text);
    let anchored = bare.contains('/');
    let bare = bare.strip_prefix("./").or_else(|| bare.strip_prefix('/')).unwrap_or(bare);
    // `a/**` means all of `a`; without the folder itself, it would be walked in vain.
    let bare = bare.strip_suffix("/**").unwrap_or(bare);
    let pattern = if anchored { bare.to_owned() } else { format!("**/{bare}") };
    GlobBuilder::new(&pattern).literal_separator(true).build().map_err(|error| error.kind().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_folders_above_them() {
        let covers = |text: &str, path: &str| Globs::new(&[text.to_owned()]).unwrap().covers(path);
        for (text, path) in [
            ("gen", "a/gen/b.py"),
            ("gen/", "gen/b.py"),
            ("*_pb2.py", "a/b/c_pb2.py"),
            ("a/gen/**", "a/gen/b.py"),
            ("a/gen/", "a/gen/sub/b.py"),
            ("./a/*.py", "a/b.py"),
            ("/a", "a/b.py"),
            ("**/gen/*.py", "a/gen/b.py"),
        ] {
            assert!(covers(text, path), "{text} {path}");
        }
        for (text, path) in
            [("/gen", "a/gen/b.py"), ("a/gen", "b/a/gen/b.py"), ("a/*.py", "a/b/c.py"), ("gen", "general.py"), ("x", "")]
        {
            assert!(!covers(text, path), "{text} {path}");
        }
        assert!(Globs::new(&["a[".to_owned()]).unwrap_err().1.contains("unclosed"));
        assert!(!Globs::default().covers("a"));
    }
}
