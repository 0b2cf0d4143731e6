//! What ignore comments cover.

use super::{ends, means};
use crate::facts::{FileFacts, Ignore, IgnoreScope, Language, Shape, joined_lines};
use crate::finding::Finding;
use crate::page::Page;
use crate::text::{FileId, Source, Span};

/// What the ignore comments of all files cover.
pub struct Covers {
    files: Vec<Vec<Cover>>,
}

/// What one comment covers.
pub(super) struct Cover {
    /// The names, with their places.
    pub rules: Vec<(Box<str>, Span)>,
    pub comment: Span,
    reach: Reach,
}

enum Reach {
    File,
    /// The first and last line, from 1, and the definitions that begin there.
    Lines(u32, u32, Vec<Span>),
}

impl Covers {
    /// `facts` are those of `sources`, in the same order.
    pub fn of(sources: &[Source], facts: &[&FileFacts]) -> Covers {
        let files = sources.iter().enumerate().map(|(file, source)| {
            let facts = facts.get(file).copied();
            let ignores = facts.map_or(&[][..], |facts| &facts.ignores).to_vec();
            let definitions =
                if ignores.is_empty() { Vec::new() } else { facts.map_or_else(Vec::new, |facts| definitions(source, facts)) };
            ignores.into_iter().map(|ignore| Cover::of(ignore, source, &definitions)).collect()
        });
        Covers { files: files.collect() }
    }

    /// The comments that cover a finding, at any of its ends: file and place of each, those on the first end first, on a line
    /// before those of a file. Empty brackets cover nothing.
    pub fn covering(&self, finding: &Finding, sources: &[Source], pages: &[Page]) -> Vec<(FileId, Span)> {
        let mut found = Vec::new();
        for label in ends(finding) {
            let file = label.file.0 as usize;
            let (Some(covers), Some(source)) = (self.files.get(file), sources.get(file)) else { continue };
            let mut here: Vec<_> = covers
                .iter()
                .filter(|cover| {
                    cover.rules.iter().any(|(name, _)| means(name, finding.rule, pages)) && cover.reaches(label.span, source)
                })
                .collect();
            here.sort_by_key(|cover| (matches!(cover.reach, Reach::File), cover.comment.start));
            found.extend(here.into_iter().map(|cover| (label.file, cover.comment)));
        }
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|comment| seen.insert(*comment));
        found
    }

    /// The names in these comments that mean a rule: file and place of each.
    pub fn naming<'c>(
        &'c self,
        rule: &'c str,
        comments: &'c [(FileId, Span)],
        pages: &'c [Page],
    ) -> impl Iterator<Item = (FileId, Span)> + 'c {
        let of = |(file, comment): (FileId, Span)| {
            self.comments().filter(move |(other, one)| *other == file && one.comment == comment)
        };
        let named = move |(file, cover): (FileId, &'c Cover)| {
            let names = cover.rules.iter().filter(move |(name, _)| means(name, rule, pages));
            names.map(move |(_, span)| (file, *span))
        };
        comments.iter().copied().flat_map(of).flat_map(named)
    }

    /// All comments, with their files.
    pub(super) fn comments(&self) -> impl Iterator<Item = (FileId, &Cover)> {
        let files = self.files.iter().enumerate();
        files.flat_map(|(file, covers)| covers.iter().map(move |cover| (FileId(file as u32), cover)))
    }
}

impl Cover {
    fn of(ignore: Ignore, source: &Source, definitions: &[Definition]) -> Cover {
        let reach = match ignore.scope {
            IgnoreScope::File => Reach::File,
            IgnoreScope::Line => {
                let line = ignore.line(source);
                let whole = definitions.iter().filter(|definition| definition.first <= line && line <= definition.last);
                let (first, last) = joined_lines(source, line);
                Reach::Lines(first, last, whole.map(|definition| definition.span).collect())
            }
        };
        Cover { rules: ignore.rules, comment: ignore.span, reach }
    }

    /// A label over several lines is met at its first line and at its last: where a long call begins, and where it closes.
    fn reaches(&self, span: Span, source: &Source) -> bool {
        match &self.reach {
            Reach::File => true,
            Reach::Lines(from, to, units) => {
                let (first, last) = (source.line(span.start), source.line(span.end.saturating_sub(1).max(span.start)));
                let ends = [first, last].iter().any(|line| from <= line && line <= to);
                ends || units.iter().any(|unit| unit.contains(span))
            }
        }
    }
}

/// A function, class, `impl` or inline module: the lines of its decorators and signature, and all of it.
struct Definition {
    first: u32,
    last: u32,
    span: Span,
}

fn definitions(source: &Source, facts: &FileFacts) -> Vec<Definition> {
    let units = facts.units.iter().skip(1).filter(|unit| unit.shape != Shape::Closure).map(|unit| {
        let params = unit.params.iter().map(|param| param.span.end).max();
        (unit.span, unit.head, params)
    });
    let classes = facts.classes.iter().map(|class| (class.span, class.head, None));
    let all = units.chain(classes);
    all.map(|(span, head, params)| {
        // From the last parameter on, one bracket is open; the annotation of that parameter may still follow.
        let (from, depth) = match params {
            Some(end) if end >= head.end => (end, 1),
            _ => (head.end, 0),
        };
        let end = signature_end(source.slice(Span { start: from, end: span.end.max(from) }), depth, facts.language);
        Definition { first: source.line(span.start), last: source.line(from + end), span }
    })
    .collect()
}

/// How far a signature goes on: to the colon, brace or semicolon that ends it, `open` brackets deep. 0 where none is near.
fn signature_end(text: &str, open: i32, language: Language) -> u32 {
    let mut depth = open;
    let mut comment = false;
    // Where clauses and default values are long at times, but not this long.
    for (at, byte) in text.bytes().enumerate().take(4096) {
        match (byte, language) {
            (b'\n' | b'\r', _) => comment = false,
            _ if comment => {}
            (b'#', Language::Python) => comment = true,
            (b'/', Language::Rust) if text.as_bytes().get(at + 1) == Some(&b'/') => comment = true,
            (b'{' | b';', Language::Rust) | (b':', Language::Python) if depth <= 0 => return at as u32,
            (b'(' | b'[' | b'{', _) => depth += 1,
            (b')' | b']' | b'}', _) => depth -= 1,
            _ => {}
        }
    }
    0
}
