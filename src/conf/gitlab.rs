//! GitLab's own ways to share parts of a job: `extends`, `!reference`, `default` and what stands at the top.
//!
//! GitLab documentation, "CI/CD YAML syntax reference" and "Optimize GitLab CI/CD configuration files".

use super::tree::{self, Tree};
use super::yaml::{self, Node, Value};
use crate::facts::run::fnmatch;
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};

/// Levels of `extends` that GitLab follows.
const DEEPEST: u32 = 11;
/// Files that one pipeline includes, as many as GitLab takes.
const FILES: usize = 150;
/// Nodes copied for one file.
const BUDGET: usize = 100_000;

/// Keys at the top that are no jobs.
pub const RESERVED: [&str; 13] = [
    "variables",
    "stages",
    "default",
    "include",
    "workflow",
    "image",
    "services",
    "before_script",
    "after_script",
    "cache",
    "spec",
    "pages:deploy",
    "types",
];

/// What jobs take from `default`, and from the top of the file.
const INHERITED: [&str; 8] = ["image", "tags", "timeout", "before_script", "after_script", "services", "retry", "cache"];

/// The pipeline of a file and those that its jobs start, each with the files that it includes put into it; these files are added
/// to `included`.
pub fn read(tree: &Tree, root: FileId, included: &mut BTreeSet<FileId>) -> Vec<(FileId, Node)> {
    let mut all = Vec::new();
    let mut open = vec![root];
    let base = super::ci::base(tree.path(root));
    while let Some(file) = open.pop() {
        let mut seen = BTreeSet::from([file]);
        for document in yaml::parse(file, tree.text(file)) {
            let document = whole(tree, base, document, &mut seen);
            // A job may start another pipeline of the same project.
            let started = document.pairs().iter().filter_map(|(_, job)| job.at(&["trigger", "include"]));
            for file in started.flat_map(|include| locals(tree, base, include)) {
                if file != root && included.insert(file) {
                    open.push(file);
                }
            }
            all.push((file, resolve(document)));
        }
        seen.remove(&root);
        included.extend(seen);
    }
    all
}

/// A document over those that it includes; the later of two goes before the earlier.
fn whole(tree: &Tree, base: &str, document: Node, seen: &mut BTreeSet<FileId>) -> Node {
    let files = document.get("include").map(|include| locals(tree, base, include)).unwrap_or_default();
    let mut below: Option<Node> = None;
    for file in files {
        if seen.len() >= FILES || !seen.insert(file) {
            continue;
        }
        for inner in yaml::parse(file, tree.text(file)) {
            let inner = whole(tree, base, inner, seen);
            below = Some(match below {
                Some(before) => over(before, inner),
                None => inner,
            });
        }
    }
    match below {
        Some(below) => over(below, document),
        None => document,
    }
}

/// The files of this project that `include` names: a text, `local:`, or a list of both; `*` and `**` as GitLab has them.
fn locals(tree: &Tree, base: &str, include: &Node) -> Vec<FileId> {
    let single = std::slice::from_ref(include);
    let entries = if include.items().is_empty() { single } else { include.items() };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry.text().filter(|text| !text.contains("://")).or_else(|| entry.get("local")?.text());
        let Some(path) = path.and_then(|path| tree::join(base, path.trim_start_matches('/'))) else { continue };
        if path.contains('*') {
            let deep = path.contains("**");
            let level = |path: &str| path.matches('/').count();
            let fits = |name: &str| fnmatch(&path.replace("**", "*"), name) && (deep || level(name) == level(&path));
            all.extend(tree.files().filter(|(name, _)| fits(name)).map(|(_, file)| file));
        } else {
            all.extend(tree.file(&path));
        }
    }
    all
}

/// A document whose jobs have all that they share written out, with the places it comes from.
pub fn resolve(document: Node) -> Node {
    let top: BTreeMap<String, Node> =
        document.pairs().iter().filter_map(|(key, value)| Some((key.text()?.to_owned(), value.clone()))).collect();
    let mut all = All { top: &top, left: BUDGET };
    let Value::Map(pairs) = document.value else { return document };
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| {
            let job = key.text().is_some_and(|name| !RESERVED.contains(&name)) && matches!(value.value, Value::Map(_));
            let value = if job { all.job(value) } else { value };
            (key, value)
        })
        .collect();
    Node { file: document.file, span: document.span, value: Value::Map(pairs) }
}

struct All<'a> {
    top: &'a BTreeMap<String, Node>,
    left: usize,
}

impl All<'_> {
    fn job(&mut self, job: Node) -> Node {
        let mut job = self.extended(job, 0);
        if let Value::Map(pairs) = &mut job.value {
            for key in INHERITED {
                let given = self.top.get("default").and_then(|default| default.get(key)).or_else(|| self.top.get(key));
                if let Some(node) = given
                    && !pairs.iter().any(|(name, _)| name.text() == Some(key))
                    && let Some(copy) = self.copy(node)
                {
                    pairs.push((
                        Node {
                            file: copy.file,
                            span: copy.span,
                            value: Value::Scalar { text: key.to_owned(), style: super::yaml::Style::Plain },
                        },
                        copy,
                    ));
                }
            }
        }
        self.referenced(job, 0)
    }

    fn copy(&mut self, node: &Node) -> Option<Node> {
        let size = size(node);
        (size <= self.left).then(|| {
            self.left -= size;
            node.clone()
        })
    }

    fn extended(&mut self, job: Node, depth: u32) -> Node {
        let Some(extends) = job.get("extends").filter(|_| depth < DEEPEST) else { return job };
        let names: Vec<String> = match extends.text() {
            Some(name) => vec![name.to_owned()],
            None => extends.items().iter().filter_map(|item| item.text().map(str::to_owned)).collect(),
        };
        let place = job.place();
        let mut whole: Option<Node> = None;
        for name in names {
            let Some(base) = self.top.get(&name).and_then(|base| self.copy(base)) else { continue };
            let base = self.extended(base, depth + 1);
            whole = Some(match whole {
                Some(before) => over(before, base),
                None => base,
            });
        }
        let mut job = match whole {
            Some(base) => over(base, job),
            None => job,
        };
        (job.file, job.span) = place;
        job
    }

    /// `!reference [job, key, …]` replaced by what it names.
    fn referenced(&mut self, node: Node, depth: u32) -> Node {
        if depth > 16 {
            return node;
        }
        let (file, span) = node.place();
        let value = match node.value {
            Value::Reference(path) => {
                let mut found = path
                    .split_first()
                    .and_then(|(first, rest)| rest.iter().try_fold(self.top.get(first)?, |node, key| node.get(key)));
                let copy = found.take().and_then(|node| self.copy(node));
                return match copy {
                    Some(node) => self.referenced(node, depth + 4),
                    None => Node { file, span, value: Value::Alias },
                };
            }
            Value::Map(pairs) => {
                Value::Map(pairs.into_iter().map(|(key, value)| (key, self.referenced(value, depth + 1))).collect())
            }
            Value::List(items) => Value::List(items.into_iter().map(|item| self.referenced(item, depth + 1)).collect()),
            other => other,
        };
        Node { file, span, value }
    }
}

/// A job over the one that it extends: maps are joined, everything else is replaced.
fn over(base: Node, job: Node) -> Node {
    let (file, span) = job.place();
    match (base.value, job.value) {
        (Value::Map(mut below), Value::Map(above)) => {
            for (key, value) in above {
                let same = key.text().and_then(|name| below.iter().position(|(known, _)| known.text() == Some(name)));
                match same {
                    Some(n) => {
                        let (_, old) = below.swap_remove(n);
                        let joined = over(old, value);
                        below.push((key, joined));
                    }
                    None => below.push((key, value)),
                }
            }
            Node { file, span, value: Value::Map(below) }
        }
        (_, value) => Node { file, span, value },
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::Map(pairs) => 1 + pairs.iter().map(|(key, value)| size(key) + size(value)).sum::<usize>(),
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml::parse;
    use super::*;
    use crate::text::{Kind, Source};

    #[test]
    fn jobs_are_written_out() {
        let text = "default: {tags: [big]}\nimage: python\n.base:\n  variables: {A: 1, B: 1}\n  script: [pip]\n.more:\n  extends: .base\n  variables: {B: 2}\nunit:\n  extends: [.more]\n  script:\n    - !reference [.base, script]\n    - pytest\n";
        let root = resolve(parse(FileId(0), text).remove(0));
        let at = |path: &[&str]| root.at(path).and_then(Node::text);
        assert_eq!((at(&["unit", "variables", "A"]), at(&["unit", "variables", "B"])), (Some("1"), Some("2")));
        assert_eq!(at(&["unit", "image"]), Some("python"));
        assert_eq!(root.at(&["unit", "tags"]).unwrap().items().len(), 1);
        let script = root.at(&["unit", "script"]).unwrap().items();
        assert_eq!((script[0].items()[0].text(), script[1].text()), (Some("pip"), Some("pytest")));
    }

    fn pipelines(files: &[(&str, &str)]) -> Vec<Node> {
        let source = |(path, text): &(&str, &str)| Source::of(*path, Kind::Config, *text);
        let sources: Vec<Source> = files.iter().map(source).collect();
        let tree = Tree::new(&sources);
        read(&tree, FileId(0), &mut BTreeSet::new()).into_iter().map(|(_, node)| node).collect()
    }

    #[test]
    fn files_are_included() {
        let main = "include:\n  - /ci/base.yml\n  - local: ci/jobs/*.yml\n  - project: other/x\n    file: a.yml\nvariables: {A: 2}\n\
             unit:\n  extends: .base\n  script: [!reference [.base, before_script], pytest]\nchild:\n  trigger:\n    include: ci/child.yml\n";
        let base = "default: {tags: [big]}\nvariables: {A: 1, B: 1}\n.base:\n  before_script: [pip]\n";
        let all = pipelines(&[
            (".gitlab-ci.yml", main),
            ("ci/base.yml", base),
            ("ci/jobs/more.yml", "more: {extends: .base, script: tox}\n"),
            ("ci/jobs/deep/none.yml", "none: {script: tox}\n"),
            ("ci/child.yml", "started: {script: pytest}\n"),
        ]);
        assert_eq!(all.len(), 2);
        let at = |path: &[&str]| all[0].at(path).and_then(Node::text);
        assert_eq!((at(&["variables", "A"]), at(&["variables", "B"])), (Some("2"), Some("1")));
        let script = all[0].at(&["unit", "script"]).unwrap().items();
        assert_eq!((script[0].items()[0].text(), script[0].file), (Some("pip"), FileId(1)));
        assert_eq!((script[1].file, all[0].at(&["more", "tags"]).unwrap().file), (FileId(0), FileId(1)));
        assert!(all[0].get("none").is_none() && all[1].get("started").is_some());
    }

    #[test]
    fn circles_and_bombs_end() {
        pipelines(&[
            (".gitlab-ci.yml", "include: [a.yml, '**.yml', .gitlab-ci.yml]\n"),
            ("a.yml", "include: a.yml\na: {trigger: {include: a.yml}}\n"),
        ]);
        resolve(parse(FileId(0), "a: {extends: b, script: x}\nb: {extends: a}\n").remove(0));
        resolve(parse(FileId(0), "a: {script: !reference [a, script]}\n").remove(0));
        let mut bomb = "j0: {script: [x, x, x, x]}\n".to_owned();
        for n in 1..40 {
            let part = format!("!reference [j{}, script]", n - 1);
            bomb.push_str(&format!("j{n}: {{script: [{part}, {part}, {part}, {part}]}}\n"));
        }
        resolve(parse(FileId(0), &bomb).remove(0));
    }
}
