//! A cache, state or index file is written in place where others may read it.

use super::words;
use crate::calls::{Reach, Verb};
use crate::facts::ClassId;
use crate::facts::Language;
use crate::finding::{Act, Confidence, Finding, Label, Remedy, Role, Severity};
use crate::link::{Effect, Piece, Place, Root, Site, Suite, Term, UnitRef};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What speaks for a file that others read while it is written. Two of these are needed, and a check or a read among them.
#[derive(Default)]
struct Evidence {
    /// The function looks whether the file is there.
    check: Option<Site>,
    /// It was seen to be missing.
    missing: bool,
    /// The function loads and dumps it in one format.
    paired: bool,
    /// The same path is read by the same function.
    read: Option<Site>,
    /// The same field, or a path with the same last part, is read elsewhere in the file.
    elsewhere: Option<Site>,
    /// That reader looks first whether it is there.
    asked: bool,
    /// The words of a cache, in the path or in the names around.
    named: bool,
}

impl Evidence {
    fn suffices(&self) -> bool {
        // To look, to read and to write without a format in common is how files are brought up to date.
        if !(self.missing || self.paired || self.named || self.elsewhere.is_some()) {
            return false;
        }
        let seen = usize::from(self.check.is_some()) + usize::from(self.read.is_some()) + usize::from(self.elsewhere.is_some());
        seen + usize::from(self.named) + usize::from(self.asked) >= 2 && seen >= 1
    }
}

/// A read that may see a write: where, in which class, of which path.
struct Reader {
    unit: UnitRef,
    class: Option<ClassId>,
    site: Site,
    tail: Option<String>,
    place: Arc<Place>,
    /// The reader looked first whether it is there.
    asked: bool,
    /// It reads by itself, and not through a call.
    direct: bool,
}

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut readers: BTreeMap<FileId, Vec<Reader>> = BTreeMap::new();
    let mut spread: BTreeSet<Site> = BTreeSet::new();
    for (unit, summary) in suite.units() {
        let class = suite.file(unit.0).unit(unit.1).class;
        for effect in &summary.effects {
            if effect.spread && effect.verb == Verb::Write {
                spread.insert(effect.site);
            }
            if effect.verb == Verb::Read && effect.via.len() <= 1 {
                readers.entry(unit.0).or_default().push(Reader {
                    unit,
                    class,
                    site: anchor(effect),
                    tail: tail(effect),
                    place: effect.on.clone(),
                    asked: effect.known.iter().any(|known| known.on == effect.on),
                    direct: effect.via.is_empty(),
                });
            }
        }
    }
    let none = Vec::new();
    let mut seen = BTreeSet::new();
    let mut sites = BTreeSet::new();
    let mut reported: BTreeSet<Site> = BTreeSet::new();
    // First where the write stands; then its callers, where only they can see that it is a cache.
    for calls in [0, 1] {
        for (unit, summary) in suite.units() {
            if suite.is_test_code(unit) {
                continue;
            }
            let all = &summary.effects;
            let writes = all.iter().filter(|effect| effect.verb == Verb::Write && effect.via.len() == calls);
            for effect in writes
                .filter(|effect| suite.stands_in(anchor(effect), unit) && is_exposed(effect, all) && !is_temporary(effect, all))
            {
                if calls == 1 && reported.contains(&effect.site) {
                    continue;
                }
                let evidence = evidence(suite, unit, effect, all, readers.get(&unit.0).unwrap_or(&none));
                if !evidence.suffices() {
                    continue;
                }
                reported.insert(effect.site);
                if seen.insert((suite.owner(unit), effect.on.key())) && sites.insert(anchor(effect)) {
                    found.push(finding(suite, unit, effect, &evidence, spread.contains(&effect.site)));
                }
            }
        }
    }
}

/// Where the function itself writes: at the write, or at the call that does it.
fn anchor(effect: &Effect) -> Site {
    effect.via.first().copied().unwrap_or(effect.site)
}

/// Whether others may look at the path while it is written: not private, not locked, not asked for by a flag.
fn is_exposed(effect: &Effect, all: &[Effect]) -> bool {
    let private = effect.on.is_private();
    let host = |effect: &Effect| effect.guards.iter().any(|lock| lock.reach == Reach::Host);
    // A lock that a reader of the same function does not take keeps nobody out.
    let locked = host(effect) && !all.iter().any(|other| other.verb == Verb::Read && other.on == effect.on && !host(other));
    let vague = effect.one_of && effect.on.segments.is_empty();
    let asked_for = effect.flagged || effect.expected;
    !(private || locked || asked_for || vague || is_marker(effect))
}

/// Files that say what a folder is: whoever writes them writes the same.
fn is_marker(effect: &Effect) -> bool {
    let name = effect.on.name().as_literal().unwrap_or_default();
    // A log is written for people, and rotated.
    name.ends_with(".log")
        || name.starts_with("README")
        || matches!(name.as_str(), "CACHEDIR.TAG" | ".gitignore" | "__init__.py" | "py.typed" | ".gitkeep")
}

/// The path is renamed onto another one: it is the temporary of an atomic publish.
fn is_temporary(effect: &Effect, all: &[Effect]) -> bool {
    all.iter().any(|moved| {
        moved.verb == Verb::Delete
            && moved.on == effect.on
            && all.iter().any(|other| other.verb == Verb::Publish && other.site == moved.site && other.on != moved.on)
    })
}

/// The literal end of a path, where it says enough to be recognised.
fn tail(effect: &Effect) -> Option<String> {
    let last = effect.on.segments.last()?;
    let mut text = String::new();
    for piece in last {
        match piece {
            Piece::Lit(part) => text.push_str(part),
            Piece::Hole(term) => text.push_str(term.as_literal().as_deref().unwrap_or("{}")),
        }
    }
    (text.replace("{}", "").len() >= 4).then_some(text)
}

/// The literal end of a file's name, from its last dot.
fn suffix(effect: &Effect) -> Option<String> {
    match effect.on.segments.last()?.last()? {
        Piece::Lit(text) => text.rfind('.').map(|at| text[at..].to_owned()),
        Piece::Hole(_) => None,
    }
}

fn evidence(suite: &Suite, unit: UnitRef, effect: &Effect, all: &[Effect], readers: &[Reader]) -> Evidence {
    let missing = effect.known.iter().rev().find(|known| {
        known.on == effect.on
            && !known.exists
            && !known.refused
            && known.site.file == unit.0
            && (effect.via.is_empty() || suite.stands_in(known.site, unit))
    });
    // Who writes over what was just seen to be there changes a file, and fills no cache.
    let there = effect.known.iter().any(|known| known.on == effect.on && (known.exists || known.refused));
    let asked = all.iter().find(|other| other.verb == Verb::Stat && other.on == effect.on && other.via.is_empty() && !there);
    // A read inside the very call that writes is the callee's own matter.
    let apart = |other: &Effect| other.via.is_empty() || anchor(other) != anchor(effect);
    // A read on the same way is the first half of a change, or the second of a hand-over.
    let read = all.iter().find(|other| {
        other.verb == Verb::Read
            && other.on == effect.on
            && apart(other)
            && (!other.dominates(effect) || !other.caught.is_empty())
            && !there
    });
    let class = suite.file(unit.0).unit(unit.1).class;
    let tail = tail(effect);
    // The same field of the same class, or a path with the same last part.
    let same = |reader: &&Reader| {
        let field =
            class.is_some() && reader.direct && reader.class == class && is_field(&effect.on) && reader.place == effect.on;
        reader.unit != unit && reader.site != anchor(effect) && (field || tail.is_some() && reader.tail == tail)
    };
    let elsewhere = readers.iter().find(same);
    Evidence {
        missing: missing.is_some(),
        paired: effect.format.is_some() && read.is_some_and(|read| read.format == effect.format),
        check: missing.map(|known| known.site).or(asked.map(|effect| effect.site)),
        read: read.map(anchor),
        elsewhere: elsewhere.map(|reader| reader.site),
        asked: elsewhere.is_some_and(|reader| reader.asked && is_field(&effect.on) && reader.place == effect.on),
        named: is_named(suite, unit, effect),
    }
}

/// A path that begins at a field of the receiver.
fn is_field(place: &Place) -> bool {
    matches!(&place.root, Root::Of(term) if matches!(term, Term::Field(base, _) if **base == Term::Param(0)))
}

/// Words that a cache, memo or state file goes by.
const WORDS: &[&str] = &["cache", "memo", "registry", "statefile", "state_file", "state file"];

fn is_named(suite: &Suite, unit: UnitRef, effect: &Effect) -> bool {
    let mut texts = vec![effect.on.show(), suite.unit_name(suite.owner(unit))];
    texts.extend(suite.path(unit.0).rsplit('/').next().map(str::to_owned));
    let facts = suite.file(unit.0);
    for site in effect.steps.iter().chain([&anchor(effect)]).filter(|site| site.file == unit.0) {
        if let Some(op) = facts.ops.get(site.op.0 as usize) {
            let source = &suite.sources[unit.0.0 as usize].text;
            texts.extend(source.get(op.span.start as usize..op.span.end as usize).map(str::to_owned));
        }
    }
    texts.iter().any(|text| {
        let text = text.to_ascii_lowercase();
        WORDS.iter().any(|word| text.contains(word))
    })
}

fn finding(suite: &Suite, unit: UnitRef, effect: &Effect, evidence: &Evidence, spread: bool) -> Finding {
    let name = suite.unit_name(suite.owner(unit));
    let path = suite.show(&effect.on, unit);
    let mut labels = vec![words::label(suite, anchor(effect), "written in place here", Role::Primary)];
    let cite = |site: Option<Site>, text: &str, role: Role, labels: &mut Vec<Label>| {
        if let Some(site) = site {
            let label = words::label(suite, site, text, role);
            if !labels.iter().any(|other| other.file == label.file && other.span == label.span) {
                labels.push(label);
            }
        }
    };
    cite(evidence.read, "read here", Role::OtherEnd, &mut labels);
    cite(evidence.elsewhere.filter(|_| evidence.read.is_none()), "a path of this name is read here", Role::OtherEnd, &mut labels);
    cite(evidence.check, "looked for here", Role::Evidence, &mut labels);
    let more = words::derivation(suite, effect, &labels);
    labels.extend(more);
    let symptom = match effect.format.as_deref() {
        Some("pickle") => "`EOFError: Ran out of input` or `UnpicklingError`",
        Some("json") => "`json.decoder.JSONDecodeError`",
        Some("npy" | "npz") => "`EOFError: No data left in file`, `ValueError` or wrong numbers",
        Some("torch") => "`EOFError` or `RuntimeError`",
        _ => "an empty or half-written file",
    };
    let help = match suite.language(unit.0) {
        Language::Python => {
            "write to a temporary file of its own in the same directory (`tempfile.NamedTemporaryFile(dir=…, delete=False)`), then `os.replace` it onto the path; or use a store such as `diskcache`"
        }
        Language::Rust => "write to `tempfile::NamedTempFile::new_in(dir)`, then `persist` it onto the path",
    };
    Finding {
        rule: "non-atomic-write",
        severity: if spread || effect.spread { Severity::Error } else { Severity::Warning },
        confidence: if suite.is_beside(unit.0) { Confidence::Low } else { Confidence::Medium },
        message: format!("`{name}` writes `{path}` in place, where another process may be reading it"),
        labels,
        help: help.to_owned(),
        notes: vec![format!("a reader that comes in between sees {symptom}; to wait and to try again only makes it rarer")],
        tests: Vec::new(),
        reproduce: None,
        key: format!("{name} {path}"),
        remedy: effect.via.is_empty().then(|| Remedy::PublishAtomically {
            write: Act { site: effect.site, call: effect.call.clone() },
            suffix: suffix(effect),
        }),
        fix: None,
    }
}
