//! The paths of the project, and sums over them.

use crate::text::{FileId, Source};
use std::collections::BTreeMap;

/// All sources by path.
pub struct Tree<'a> {
    pub sources: &'a [Source],
    paths: BTreeMap<&'a str, FileId>,
}

impl<'a> Tree<'a> {
    pub fn new(sources: &'a [Source]) -> Tree<'a> {
        let paths = sources.iter().enumerate().map(|(n, source)| (&*source.path, FileId(n as u32))).collect();
        Tree { sources, paths }
    }

    pub fn file(&self, path: &str) -> Option<FileId> {
        self.paths.get(path).copied()
    }

    pub fn source(&self, file: FileId) -> Option<&'a Source> {
        self.sources.get(file.0 as usize)
    }

    pub fn path(&self, file: FileId) -> &'a str {
        self.source(file).map_or("", |source| &source.path)
    }

    pub fn text(&self, file: FileId) -> &'a str {
        self.source(file).map_or("", |source| &source.text)
    }

    /// All files with their paths, sorted.
    pub fn files(&self) -> impl Iterator<Item = (&'a str, FileId)> + '_ {
        self.paths.iter().map(|(path, file)| (*path, *file))
    }

    /// The files below a folder, sorted, with their paths relative to it.
    pub fn below<'b>(&'b self, dir: &str) -> impl Iterator<Item = (&'a str, FileId)> + 'b {
        let prefix = if dir.is_empty() { String::new() } else { format!("{dir}/") };
        let length = prefix.len();
        self.paths
            .range::<str, _>((std::ops::Bound::Included(prefix.as_str()), std::ops::Bound::Unbounded))
            .take_while({
                let prefix = prefix.clone();
                move |(path, _)| path.starts_with(&prefix)
            })
            .map(move |(path, file)| (&path[length..], *file))
    }

    /// There is such a file, or a file below such a folder.
    pub fn exists(&self, path: &str) -> bool {
        self.paths.contains_key(path) || self.below(path).next().is_some()
    }
}

/// The folder that holds a file; `""` for the root.
pub fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |n| &path[..n])
}

/// The last part of a path.
pub fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `path` seen from `dir`, without `.` and `..`. None where it is absolute or leaves the project.
pub fn join(dir: &str, path: &str) -> Option<String> {
    if path.starts_with(['/', '~']) || path.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Kind;

    #[test]
    fn paths_add_up() {
        assert_eq!(join("a/b", "../c/./d"), Some("a/c/d".into()));
        assert_eq!(join("", "."), Some(String::new()));
        assert_eq!(join("a", "../.."), None);
        assert_eq!(join("a", "/x"), None);
        assert_eq!(join("", "C:\\x"), None);
        assert_eq!((folder("a/b.py"), folder("b.py"), name("a/b.py")), ("a", "", "b.py"));
    }

    #[test]
    fn folders_are_whole_names() {
        let sources: Vec<Source> =
            ["ab/c.py", "a/b/c.py", "a/d.py", "a.py"].iter().map(|path| Source::of(*path, Kind::Python, "")).collect();
        let tree = Tree::new(&sources);
        assert_eq!(tree.below("a").collect::<Vec<_>>(), [("b/c.py", FileId(1)), ("d.py", FileId(2))]);
        assert!(tree.exists("a/b") && tree.exists("a.py") && !tree.exists("a/b/c"));
        assert_eq!(tree.below("").count(), 4);
    }
}
