//! GitLab's own ways to share parts of a job: `extends`, `!reference`, `default` and what stands at the top.
//!
//! GitLab documentation, "CI/CD YAML syntax reference" and "Optimize GitLab CI/CD configuration files".

use super::yaml::{Node, Value};
use std::collections::BTreeMap;

/// Levels of `extends` that GitLab follows.
const DEEPEST: u32 = 11;
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
    Node { span: document.span, value: Value::Map(pairs) }
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
                        Node { span: copy.span, value: Value::Scalar { text: key.to_owned(), style: super::yaml::Style::Plain } },
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
        let span = job.span;
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
        job.span = span;
        job
    }

    /// `!reference [job, key, …]` replaced by what it names.
    fn referenced(&mut self, node: Node, depth: u32) -> Node {
        if depth > 16 {
            return node;
        }
        let span = node.span;
        let value = match node.value {
            Value::Reference(path) => {
                let mut found = path
                    .split_first()
                    .and_then(|(first, rest)| rest.iter().try_fold(self.top.get(first)?, |node, key| node.get(key)));
                let copy = found.take().and_then(|node| self.copy(node));
                return match copy {
                    Some(node) => self.referenced(node, depth + 4),
                    None => Node { span, value: Value::Alias },
                };
            }
            Value::Map(pairs) => {
                Value::Map(pairs.into_iter().map(|(key, value)| (key, self.referenced(value, depth + 1))).collect())
            }
            Value::List(items) => Value::List(items.into_iter().map(|item| self.referenced(item, depth + 1)).collect()),
            other => other,
        };
        Node { span, value }
    }
}

/// A job over the one that it extends: maps are joined, everything else is replaced.
fn over(base: Node, job: Node) -> Node {
    let span = job.span;
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
            Node { span, value: Value::Map(below) }
        }
        (_, value) => Node { span, value },
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

    #[test]
    fn jobs_are_written_out() {
        let text = "default: {tags: [big]}\nimage: python\n.base:\n  variables: {A: 1, B: 1}\n  script: [pip]\n.more:\n  extends: .base\n  variables: {B: 2}\nunit:\n  extends: [.more]\n  script:\n    - !reference [.base, script]\n    - pytest\n";
        let root = resolve(parse(text).remove(0));
        let at = |path: &[&str]| root.at(path).and_then(Node::text);
        assert_eq!((at(&["unit", "variables", "A"]), at(&["unit", "variables", "B"])), (Some("1"), Some("2")));
        assert_eq!(at(&["unit", "image"]), Some("python"));
        assert_eq!(root.at(&["unit", "tags"]).unwrap().items().len(), 1);
        let script = root.at(&["unit", "script"]).unwrap().items();
        assert_eq!((script[0].items()[0].text(), script[1].text()), (Some("pip"), Some("pytest")));
    }

    #[test]
    fn circles_and_bombs_end() {
        resolve(parse("a: {extends: b, script: x}\nb: {extends: a}\n").remove(0));
        resolve(parse("a: {script: !reference [a, script]}\n").remove(0));
        let mut bomb = "j0: {script: [x, x, x, x]}\n".to_owned();
        for n in 1..40 {
            let part = format!("!reference [j{}, script]", n - 1);
            bomb.push_str(&format!("j{n}: {{script: [{part}, {part}, {part}, {part}]}}\n"));
        }
        resolve(parse(&bomb).remove(0));
    }
}
