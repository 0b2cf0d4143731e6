//! The words and labels that findings share.

use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Confidence, Label, Remedy, Role, Use};
use crate::link::{Effect, Piece, Place, Site, Suite, Test};
use std::collections::BTreeSet;

/// A verb as a person says it: "writes", "deletes".
pub fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Open | Verb::Read => "reads",
        Verb::Stat => "looks at",
        Verb::List => "lists",
        Verb::Write | Verb::WriteTree => "writes",
        Verb::Append => "appends to",
        Verb::Update => "changes",
        Verb::Publish => "replaces",
        Verb::Create => "creates",
        Verb::Delete => "deletes",
        Verb::DeleteTree => "deletes all of",
        Verb::MakeDir => "makes",
        Verb::Name => "names",
        Verb::Database => "opens",
    }
}

/// The verb for two who do it: "write", "delete".
pub fn plural(one: Verb) -> String {
    match one {
        Verb::Open | Verb::Read => "read".to_owned(),
        other => match verb(other).split_once(' ') {
            Some((first, rest)) => format!("{} {rest}", first.trim_end_matches('s')),
            None => verb(other).trim_end_matches('s').to_owned(),
        },
    }
}

/// The same as a past participle: "written", "deleted".
pub fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Open | Verb::Read => "read",
        Verb::Stat => "looked at",
        Verb::List => "listed",
        Verb::Write | Verb::WriteTree => "written",
        Verb::Append => "appended to",
        Verb::Update => "changed",
        Verb::Publish => "replaced",
        Verb::Create => "created",
        Verb::Delete => "deleted",
        Verb::DeleteTree => "deleted with all below it",
        Verb::MakeDir => "made",
        Verb::Name => "named",
        Verb::Database => "opened as a database",
    }
}

pub fn label(suite: &Suite, site: Site, text: impl Into<String>, role: Role) -> Label {
    Label { file: site.file, span: suite.span(site), text: text.into(), role }
}

/// The steps by which a path came to be and the calls on the way, as labels; those that are cited already are left out.
pub fn derivation(suite: &Suite, effect: &Effect, cited: &[Label]) -> Vec<Label> {
    let mut seen: BTreeSet<_> = cited.iter().map(|label| (label.file, label.span)).collect();
    let mut out = Vec::new();
    for site in &effect.via {
        if seen.insert((site.file, suite.span(*site))) {
            out.push(label(suite, *site, "reached through this call", Role::Derivation));
        }
    }
    for site in effect.steps.iter().rev() {
        if seen.insert((site.file, suite.span(*site))) {
            let text = if out.iter().any(|old: &Label| old.text.starts_with("the path")) {
                "and goes on here"
            } else {
                "the path begins here"
            };
            out.push(label(suite, *site, text, Role::Derivation));
        }
    }
    out
}

/// High for what is on every way, medium for what a branch or one of several values decides.
pub fn confidence(effects: &[&Effect]) -> Confidence {
    if effects.iter().any(|effect| effect.maybe || !effect.via.is_empty()) { Confidence::Medium } else { Confidence::High }
}

/// Names of tests, sorted, without doubles.
pub fn names<'t>(tests: impl Iterator<Item = &'t Test>) -> Vec<String> {
    let names: BTreeSet<&str> = tests.map(|test| test.name.as_str()).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// A command that runs two tests (or one that meets itself) side by side.
pub fn reproduce(suite: &Suite, a: &Test, b: &Test) -> String {
    match suite.language(a.unit.0) {
        Language::Python if a.name == b.name => format!("pytest -n 4 {}", a.name),
        Language::Python => format!("pytest -n 2 {} {}", a.name, b.name),
        Language::Rust => {
            let short = |test: &Test| test.name.split_once("::").map_or(test.name.clone(), |(_, rest)| rest.to_owned());
            if a.name == b.name {
                format!("cargo test {} -- --test-threads 8", short(a))
            } else {
                format!("cargo test -- --test-threads 8 {} {}", short(a), short(b))
            }
        }
    }
}

/// What lets the paths of some tests begin in a directory of their own: every place where one of them is handed to a call in test code.
/// None where a test relies on what it did not write.
pub fn own_directory(suite: &Suite, tests: &[usize], places: &[&Place]) -> Option<Remedy> {
    let mut uses: Vec<Use> = Vec::new();
    let mut copy = false;
    for test in tests.iter().map(|test| &suite.tests[*test]) {
        let here = test.effects.iter().filter(|one| places.iter().any(|place| **place == *one.effect.on));
        let mut written = false;
        for one in here {
            let effect = &one.effect;
            let anchor = effect.via.first().copied().unwrap_or(effect.site);
            // An input that the same call reads lies beside what it writes.
            let input = test.effects.iter().map(|other| &other.effect).find(|other| {
                other.verb == Verb::Read
                    && other.via.first() == Some(&anchor)
                    && other.on != effect.on
                    && other.on.root == effect.on.root
                    && other.on.parent() == effect.on.parent()
                    && crate::link::changes(effect.verb)
            });
            copy |= input.is_some();
            let reads = matches!(effect.verb, Verb::Read | Verb::Open);
            let removes = matches!(effect.verb, Verb::Delete | Verb::DeleteTree) && !effect.accepts_missing();
            if (reads || removes) && !written && effect.via.is_empty() && !effect.maybe {
                return None;
            }
            written |= crate::link::changes(effect.verb);
            let parts = parts(&effect.on).chain(input.into_iter().flat_map(|input| parts(&input.on))).collect();
            if !uses.iter().any(|known| known.site == anchor) {
                uses.push(Use { site: anchor, parts });
            }
        }
    }
    (!uses.is_empty()).then_some(Remedy::OwnDirectory { uses, copy })
}

/// The literal ends of a path's segments.
fn parts(place: &Place) -> impl Iterator<Item = String> + '_ {
    place.segments.iter().filter_map(|segment| match segment.last()? {
        Piece::Lit(text) => Some(text.to_string()),
        Piece::Hole(_) => None,
    })
}

/// The last part of a test's name.
pub fn short(test: &Test) -> &str {
    test.name.rsplit("::").next().unwrap_or(&test.name)
}
