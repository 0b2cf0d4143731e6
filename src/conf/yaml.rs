//! YAML with byte spans: the one place that knows granit-parser.
//!
//! A small tree of what stands in the file. An alias is what its anchor holds, and `<<` brings in the keys of a mapping, with the
//! places of the anchor; a budget bounds the size of the tree, so no bomb can go off. Duplicate keys are kept, several documents
//! become several trees, and what stands before a syntax error is kept.

use super::script::{Escapes, Script};
use crate::facts::trace::Place;
use crate::text::{FileId, Span};
use granit_parser::{Event, Options, Parser, ScalarStyle};
use std::collections::{BTreeSet, HashMap};

/// Nodes read of one file; the rest is left out. Real CI files stay below a few thousand.
const BUDGET: usize = 200_000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    pub file: FileId,
    /// Of a scalar: with its quotes or block header. Of a collection: from its first entry on.
    pub span: Span,
    pub value: Value,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Scalar {
        text: String,
        style: Style,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// `*name` of an anchor that is not there, not closed yet, or too large.
    Alias,
    /// GitLab's `!reference [job, key]`.
    Reference(Vec<String>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    Plain,
    Single,
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// The documents of a file with this text.
pub fn parse(file: FileId, text: &str) -> Vec<Node> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut tree = Tree { file, documents: Vec::new(), open: Vec::new(), anchors: HashMap::new(), nodes: 0, copied: 0 };
    loop {
        let (event, span) = match parser.next_event() {
            None => break,
            Some(Ok((event, span))) => {
                (event, span.byte_range().map_or(Span::default(), |range| Span::new(range.start, range.end)))
            }
            Some(Err(_)) => {
                tree.close_all();
                match parser.proceed_next_document() {
                    Ok(true) => continue,
                    _ => break,
                }
            }
        };
        tree.nodes += 1;
        if tree.nodes > BUDGET {
            break;
        }
        match event {
            Event::Scalar(value, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                tree.add(Node { file, span, value: Value::Scalar { text: value.into_owned(), style } }, anchor, 1);
            }
            Event::Alias(anchor) => tree.alias(anchor, span),
            Event::UnresolvedAlias(_) => tree.add(Node { file, span, value: Value::Alias }, 0, 1),
            Event::SequenceStart(_, anchor, tag) => {
                let reference = tag.is_some_and(|tag| tag.suffix() == "reference");
                let shape = if reference { Shape::Reference } else { Shape::List };
                tree.open.push(Open { start: span.start, shape, anchor, size: 1, nodes: Vec::new() });
            }
            Event::MappingStart(_, anchor, _) => {
                tree.open.push(Open { start: span.start, shape: Shape::Map, anchor, size: 1, nodes: Vec::new() });
            }
            Event::SequenceEnd | Event::MappingEnd => tree.close(span.end),
            Event::DocumentEnd => tree.close_all(),
            Event::StreamEnd => break,
            _ => {}
        }
    }
    tree.close_all();
    tree.documents
}

/// What was read so far.
struct Tree {
    file: FileId,
    documents: Vec<Node>,
    open: Vec<Open>,
    /// Nodes with an anchor, and their sizes.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    /// Nodes that anchors and aliases have copied.
    copied: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    List,
    Map,
    Reference,
}

/// A collection whose end has not come yet. A mapping holds keys and values in turn.
struct Open {
    start: u32,
    shape: Shape,
    anchor: usize,
    size: usize,
    nodes: Vec<Node>,
}

impl Tree {
    fn add(&mut self, node: Node, anchor: usize, size: usize) {
        // 0 stands for no anchor.
        if anchor > 0 && self.copied + size <= BUDGET {
            self.copied += size;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            Some(last) => {
                last.size += size;
                last.nodes.push(node);
            }
            None => self.documents.push(node),
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) {
        let known = self.anchors.get(&anchor).filter(|(_, size)| self.copied + size <= BUDGET);
        match known.cloned() {
            Some((node, size)) => {
                self.copied += size;
                self.add(node, 0, size);
            }
            None => self.add(Node { file: self.file, span, value: Value::Alias }, 0, 1),
        }
    }

    fn close(&mut self, end: u32) {
        let Some(last) = self.open.pop() else { return };
        // What an alias brings in stands elsewhere.
        let inside = |node: &&Node| node.span.start >= last.start;
        let end = last.nodes.iter().rev().find(inside).map_or(end, |node| node.span.end.max(last.start));
        let span = Span { start: last.start.min(end), end };
        let value = match last.shape {
            Shape::List => Value::List(last.nodes),
            Shape::Reference => Value::Reference(last.nodes.iter().filter_map(Node::text).map(str::to_owned).collect()),
            Shape::Map => {
                let mut pairs = Vec::with_capacity(last.nodes.len() / 2);
                let mut nodes = last.nodes.into_iter();
                while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
                    pairs.push((key, value));
                }
                Value::Map(merged(pairs))
            }
        };
        self.add(Node { file: self.file, span, value }, last.anchor, last.size);
    }

    fn close_all(&mut self) {
        while !self.open.is_empty() {
            self.close(0);
        }
    }
}

/// The pairs of a mapping, with those that `<<` brings in behind its own (YAML, "Merge Key Language-Independent Type").
fn merged(pairs: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let is_merge = |pair: &(Node, Node)| pair.0.text() == Some("<<") && !matches!(pair.1.value, Value::Alias);
    if !pairs.iter().any(is_merge) {
        return pairs;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = pairs.into_iter().partition(is_merge);
    let mut known: BTreeSet<String> = own.iter().filter_map(|(key, _)| key.text().map(str::to_owned)).collect();
    for (_, value) in merges {
        let maps = match value.value {
            Value::List(items) => items,
            _ => vec![value],
        };
        for map in maps {
            if let Value::Map(more) = map.value {
                own.extend(more.into_iter().filter(|(key, _)| key.text().is_none_or(|key| known.insert(key.to_owned()))));
            }
        }
    }
    own
}

impl Node {
    pub fn pairs(&self) -> &[(Node, Node)] {
        match &self.value {
            Value::Map(pairs) => pairs,
            _ => &[],
        }
    }

    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The value of a key; of the last where it stands twice, as loaders do.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.pairs().iter().rev().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub fn place(&self) -> Place {
        (self.file, self.span)
    }

    /// A scalar's text with places; `source` is the text of its file.
    pub fn script(&self, source: &str) -> Option<Script> {
        let Value::Scalar { text, style } = &self.value else { return None };
        let (start, end) = (self.span.start as usize, self.span.end as usize);
        let raw = source.get(start..end)?;
        let (skip, cut, escapes) = match style {
            Style::Plain => (0, 0, Escapes::None),
            Style::Single => (1, 1, Escapes::Doubled),
            Style::Double => (1, 1, Escapes::Backslash),
            Style::Literal | Style::Folded => {
                (raw.find('\n').filter(|_| raw.starts_with(['|', '>'])).map_or(0, |n| n + 1), 0, Escapes::None)
            }
        };
        let inner = raw.get(skip..raw.len().checked_sub(cut)?)?;
        Some(Script::align(self.file, start + skip, inner, text, escapes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice<'a>(text: &'a str, node: &Node, word: &str) -> &'a str {
        let script = node.script(text).unwrap();
        let at = script.text.find(word).unwrap();
        let (_, span) = script.place(at..at + word.len()).unwrap();
        &text[span.start as usize..span.end as usize]
    }

    #[test]
    fn every_style_maps_to_bytes() {
        let text = "a: plain -n 1\nb: 'single ''-n 2'' x'\nc: \"double \\t-n 3 \\\n   y\"\nd: |  # note\n   l1 \\\n     -n 4\n\n   l2\ne: >-\n   f1\n   -n 5\nz: é -n 6\n";
        let root = &parse(FileId(0), text)[0];
        for (key, word) in
            [("a", "-n 1"), ("b", "-n 2"), ("c", "-n 3"), ("c", "y"), ("d", "-n 4"), ("d", "l2"), ("e", "-n 5"), ("z", "-n 6")]
        {
            assert_eq!(slice(text, root.get(key).unwrap(), word), word, "{key}");
            let node = root.get(key).unwrap();
            let script = node.script(text).unwrap();
            let at = script.text.find(word).unwrap();
            assert_eq!(script.place(at..at + word.len()).unwrap().1.start as usize, text.find(word).unwrap(), "{key}");
        }
        assert_eq!(root.get("d").unwrap().text(), Some("l1 \\\n  -n 4\n\nl2\n"));
        assert_eq!(root.get("e").unwrap().text(), Some("f1 -n 5"));
    }

    #[test]
    fn crlf_and_tabs_in_blocks() {
        let text = "run: |\r\n  cd x\r\n  pytest\t-n 4\r\n";
        let root = &parse(FileId(0), text)[0];
        assert_eq!(slice(text, root.get("run").unwrap(), "-n 4"), "-n 4");
    }

    #[test]
    fn a_block_ends_with_the_file() {
        let text = "run: |\n  pytest -n 4";
        assert_eq!(slice(text, parse(FileId(0), text)[0].get("run").unwrap(), "-n 4"), "-n 4");
    }

    #[test]
    fn trees_keep_duplicates_documents_and_aliases() {
        let text = "a: &x 1\na: 2\nb: [*x, *nope, {c: d}]\n---\n- e\n";
        let documents = parse(FileId(0), text);
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[0].pairs().len(), 3);
        assert_eq!(documents[0].get("a").and_then(Node::text), Some("2"));
        let items = documents[0].get("b").unwrap().items();
        assert_eq!(items[0].text(), Some("1"));
        assert_eq!(items[1].value, Value::Alias);
        assert_eq!(items[2].get("c").and_then(Node::text), Some("d"));
        assert_eq!(documents[0].at(&["b", "c"]), None);
        assert_eq!(documents[1].items().len(), 1);
    }

    #[test]
    fn what_stands_before_an_error_is_kept() {
        let documents = parse(FileId(0), "a: 1\nb:\n  c: 2\n  d: [1, 2\ne: }\n");
        assert_eq!(documents[0].at(&["a"]).and_then(Node::text), Some("1"));
        assert_eq!(documents[0].at(&["b", "c"]).and_then(Node::text), Some("2"));
    }

    #[test]
    fn merge_keys_and_references() {
        let text = "a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\nc: {<<: [*x, {m: 4}]}\nd: !reference [a, k]\n";
        let root = &parse(FileId(0), text)[0];
        let at = |path: &[&str]| root.at(path).and_then(Node::text);
        assert_eq!(
            (at(&["b", "k"]), at(&["b", "l"]), at(&["c", "k"]), at(&["c", "m"])),
            (Some("1"), Some("3"), Some("1"), Some("4"))
        );
        assert_eq!(root.get("d").unwrap().value, Value::Reference(vec!["a".into(), "k".into()]));
        // The place is the anchor's.
        assert_eq!(slice(text, root.at(&["b", "k"]).unwrap(), "1"), "1");
        assert!(root.at(&["b", "k"]).unwrap().span.start < 15);
    }

    #[test]
    fn bombs_and_depth_are_harmless() {
        let mut bomb = "a0: &a0 [x]\n".to_owned();
        for n in 1..60 {
            bomb.push_str(&format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1));
        }
        assert_eq!(parse(FileId(0), &bomb)[0].pairs().len(), 60);
        parse(FileId(0), &"[".repeat(100_000));
        parse(FileId(0), &"{a: ".repeat(100_000));
        let deep: String = (0..3000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        parse(FileId(0), &deep);
        parse(FileId(0), &"- ".repeat(100_000));
    }
}
