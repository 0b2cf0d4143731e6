//! A cache, state or index file is written in place where others may read it.

use super::in_place::{End, anchor, is_exposed, is_field, is_named, is_of_others, is_temporary};
use super::words;
use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Act, Confidence, Finding, Label, Remedy, Role, Severity};
use crate::link::{Effect, Piece, Site, Suite, UnitRef};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};

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
    /// Looked for, loaded, and otherwise made: what runs leave for each other. One method that loads a field's file and another one that
    /// saves it are one owner's state, as a rule.
    fn is_cache(&self) -> bool {
        (self.missing || self.check.is_some()) && (self.read.is_some() || self.elsewhere.is_some())
    }

    fn suffices(&self) -> bool {
        // To look, to read and to write without a format in common is how files are brought up to date.
        if !(self.missing || self.paired || self.named || self.elsewhere.is_some()) {
            return false;
        }
        let seen = usize::from(self.check.is_some()) + usize::from(self.read.is_some()) + usize::from(self.elsewhere.is_some());
        seen + usize::from(self.named) + usize::from(self.asked) >= 2 && seen >= 1
    }
}

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut readers: BTreeMap<FileId, Vec<End>> = BTreeMap::new();
    for (unit, summary) in suite.units() {
        for effect in &summary.effects {
            if effect.verb == Verb::Read && effect.via.len() <= 1 {
                let end = End::new(suite, unit, effect);
                let list = readers.entry(unit.0).or_default();
                list.extend(end.as_fields(suite));
                list.push(end);
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
                let apart = suite.is_locked_by_callers(effect.site) || suite.is_of_object(anchor(effect));
                if apart || calls == 1 && reported.contains(&effect.site) {
                    continue;
                }
                let evidence = evidence(suite, unit, effect, all, readers.get(&unit.0).unwrap_or(&none));
                if !evidence.suffices() {
                    continue;
                }
                reported.insert(effect.site);
                if seen.insert((suite.owner(unit), effect.on.key())) && sites.insert(anchor(effect)) {
                    found.push(finding(suite, unit, effect, &evidence));
                }
            }
        }
    }
}

/// Every place where the function writes the path, this one first.
fn writes(suite: &Suite, unit: UnitRef, effect: &Effect) -> Vec<Act> {
    let all = suite.summary(unit).effects.iter();
    let same = all.filter(|other| other.verb == Verb::Write && other.on == effect.on && other.via.is_empty());
    let mut writes: Vec<Act> = Vec::new();
    for one in std::iter::once(effect).chain(same) {
        if one.site.file == effect.site.file && !writes.iter().any(|known| known.site == one.site) {
            writes.push(Act { site: one.site, call: one.call.clone() });
        }
    }
    writes
}

/// The literal end of a file's name, from its last dot.
fn suffix(effect: &Effect) -> Option<String> {
    match effect.on.segments.last()?.last()? {
        Piece::Lit(text) => text.rfind('.').map(|at| text[at..].to_owned()),
        Piece::Hole(_) => None,
    }
}

fn evidence(suite: &Suite, unit: UnitRef, effect: &Effect, all: &[Effect], readers: &[End]) -> Evidence {
    let missing = effect.known.iter().rev().find(|known| {
        known.on == effect.on
            && !known.exists
            && !known.refused
            && known.site.file == unit.0
            && (effect.via.is_empty() || suite.stands_in(known.site, unit))
    });
    // Who writes over what was just seen to be there changes a file, and fills no cache.
    let there = effect.known.iter().any(|known| known.on == effect.on && (known.exists || known.refused));
    let asked = all.iter().find(|other| {
        // What is asked behind the write is asked of one's own file.
        other.verb == Verb::Stat && other.on == effect.on && other.via.is_empty() && other.site < anchor(effect) && !there
    });
    // A read inside the very call that writes is the callee's own matter.
    let inside = |other: &Effect| all.iter().any(|one| one.site == other.site && anchor(one) == anchor(effect));
    let apart = |other: &Effect| other.via.is_empty() || !inside(other);
    // A read on the same way is the first half of a change, or the second of a hand-over.
    let read = all.iter().find(|other| {
        other.verb == Verb::Read
            && other.on == effect.on
            && apart(other)
            && (!other.dominates(effect) || !other.caught.is_empty() || other.goes_on_without())
            // What is read and written back changed is a change, whose rule is another one.
            && !effect.made_of.contains(&other.site)
            && !there
    });
    let own = End::new(suite, unit, effect);
    let elsewhere = readers.iter().find(|reader| reader.matches(&own));
    Evidence {
        missing: missing.is_some(),
        paired: effect.format.is_some() && read.is_some_and(|read| read.format == effect.format),
        // To go on without a file that cannot be opened is to ask for it.
        check: missing
            .map(|known| known.site)
            .or(asked.map(|effect| effect.site))
            .or(read.filter(|read| read.goes_on_without()).map(anchor)),
        read: read.map(anchor),
        elsewhere: elsewhere.map(|reader| reader.site),
        asked: elsewhere.is_some_and(|reader| reader.asked && is_field(&effect.on) && reader.place == effect.on),
        named: is_named(suite, unit, effect),
    }
}

fn finding(suite: &Suite, unit: UnitRef, effect: &Effect, evidence: &Evidence) -> Finding {
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
        severity: if suite.is_spread(effect.site) { Severity::Error } else { Severity::Warning },
        confidence: if suite.is_beside(unit.0) || !evidence.is_cache() && !is_of_others(suite, unit, effect) {
            Confidence::Low
        } else {
            Confidence::Medium
        },
        message: format!("`{name}` writes `{path}` in place, where another process may be reading it"),
        labels,
        help: help.to_owned(),
        notes: vec![format!("a reader that comes in between sees {symptom}; to wait and to try again only makes it rarer")],
        tests: Vec::new(),
        reproduce: None,
        key: format!("{name} {path}"),
        remedy: effect
            .via
            .is_empty()
            .then(|| Remedy::PublishAtomically { writes: writes(suite, unit, effect), suffix: suffix(effect) }),
        fix: None,
    }
}
