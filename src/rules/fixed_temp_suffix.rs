//! A temporary that is renamed onto its target, and has one name for all who write that target.

use super::in_place::is_of_others;
use super::words;
use crate::calls::Verb;
use crate::facts::Language;
use crate::finding::{Act, Confidence, Finding, Remedy, Role, Severity};
use crate::link::{Effect, Move, Place, Root, Suite, UnitRef, discriminators, is_shared, moves};
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let met = suite.met();
    let mut seen = BTreeSet::new();
    for (unit, summary) in suite.units() {
        for one in moves(&summary.effects).filter(|one| one.from.via.is_empty()) {
            let Some(temporary) = Temporary::of(one, &summary.effects) else { continue };
            let sites = [temporary.written.site, one.from.site];
            let silent =
                sites.iter().any(|site| met.contains(site) || suite.is_locked_by_callers(*site) || suite.is_of_object(*site));
            if silent || suite.is_test_code(unit) && !is_others(suite, one) {
                continue;
            }
            // A second rename, for when the first fails, is the same matter.
            if seen.insert(temporary.written.site) {
                found.push(finding(suite, unit, &temporary, sites.iter().any(|site| suite.is_spread(*site))));
            }
        }
    }
}

/// In test code the tests say which path it is, and whether it is anybody else's.
fn is_others(suite: &Suite, one: Move) -> bool {
    suite.in_tests(one.from.site).any(|(test, effect)| !test.skipped && is_shared(&effect.on))
}

struct Temporary<'s> {
    moved: Move<'s>,
    /// The first write to it in this unit.
    written: &'s Effect,
}

impl<'s> Temporary<'s> {
    fn of(moved: Move<'s>, all: &'s [Effect]) -> Option<Self> {
        let (from, to) = (&moved.from.on, &moved.to.on);
        // Who moves the old file out of the way first leaves a gap, and means to be alone.
        let cleared = moves(all).any(|other| other.from.on == *to && other.from.site < moved.to.site);
        let named_apart = cleared || from.is_private() || discriminators(from).next().is_some() || !from.follows(to);
        if named_apart || is_left_alone(moved.from) || has_choice(moved, all) {
            return None;
        }
        let mut on_it = all.iter().filter(|effect| effect.on == *from && effect.site != moved.from.site);
        let gone_before = |made: &Effect| on_it.clone().any(|other| other.verb == Verb::Delete && other.site < made.site);
        let apart = on_it.clone().any(|effect| match effect.verb {
            // Created where it must be missing, it is a lock as well; not where it was deleted first.
            Verb::Create => !gone_before(effect),
            // What was renamed or read before has another story.
            Verb::Publish | Verb::Read => true,
            _ => is_left_alone(effect),
        });
        if apart {
            return None;
        }
        let written = on_it.find(|effect| match effect.verb {
            Verb::Write | Verb::WriteTree | Verb::Update | Verb::Append | Verb::Database | Verb::Create => true,
            Verb::MakeDir => effect.accepts_existing(),
            _ => false,
        })?;
        // Without a word for it, a write and then the bare name say so: `INSTALLER.pip`, then `INSTALLER`.
        let added = || from.beyond(to).is_some_and(|suffix| !is_kept(&suffix)) && !is_copy(written);
        (is_named_so(from) && !is_named_so(to) || added()).then_some(Temporary { moved, written })
    }
}

/// Whether the temporary has more names than its target: it was chosen among several.
fn has_choice(moved: Move, all: &[Effect]) -> bool {
    let names = |verb: Verb| -> BTreeSet<String> {
        let here = all.iter().filter(|effect| effect.verb == verb && effect.site == moved.from.site);
        here.map(|effect| effect.on.key()).collect()
    };
    names(Verb::Delete).len() > names(Verb::Publish).len()
}

/// Held under a lock, asked for by a flag, or meant to fail.
fn is_left_alone(effect: &Effect) -> bool {
    !effect.guards.is_empty() || effect.flagged || effect.expected
}

/// Words that temporaries go by.
const WORDS: &[&str] = &[
    "tmp",
    "temp",
    "temporary",
    "tmpfile",
    "tempfile",
    "tmpdir",
    "tempdir",
    "part",
    "partial",
    "new",
    "incomplete",
    "download",
    "downloading",
    "staging",
    "pending",
    "writing",
    "wip",
    "unfinished",
    "swp",
    "swap",
];

/// Words for what is kept to go back to.
const KEPT: &[&str] = &["bak", "backup", "old", "orig", "original", "save", "saved", "prev", "previous", "back"];

fn has_word(text: &str, words: &[&str]) -> bool {
    text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| words.contains(&word.to_ascii_lowercase().as_str()))
}

fn is_named_so(place: &Place) -> bool {
    place.words().any(|text| has_word(text, WORDS))
}

fn is_kept(suffix: &str) -> bool {
    has_word(suffix, KEPT) || suffix.ends_with(|c: char| c.is_ascii_digit() || c == '~')
}

fn is_copy(effect: &Effect) -> bool {
    effect.call.to_ascii_lowercase().contains("copy")
}

fn finding(suite: &Suite, unit: UnitRef, temporary: &Temporary, several: bool) -> Finding {
    let name = suite.unit_name(suite.owner(unit));
    let Move { from, to } = temporary.moved;
    let (path, target) = (suite.show(&from.on, unit), suite.show(&to.on, unit));
    let act = temporary.written;
    let text = format!("{} here, under the name that every writer uses", words::done(act.verb));
    let mut labels = vec![
        words::label(suite, act.site, text, Role::Primary),
        words::label(suite, from.site, "renamed onto its target here", Role::Evidence),
    ];
    let more = words::derivation(suite, act, &labels);
    labels.extend(more);
    let (help, symptom) = match suite.language(unit.0) {
        Language::Python => (
            "make the temporary with `tempfile.NamedTemporaryFile(dir=os.path.dirname(target), delete=False)`, then `os.replace` it",
            "`FileNotFoundError`",
        ),
        Language::Rust => ("make the temporary with `tempfile::NamedTempFile::new_in(parent)`, then `persist` it", "`NotFound`"),
    };
    Finding {
        rule: "fixed-temp-suffix",
        severity: if several { Severity::Error } else { Severity::Warning },
        // A target that a field or a caller names may have one writer only, and often has.
        confidence: if suite.is_beside(unit.0) || matches!(from.on.root, Root::Of(_)) && !is_of_others(suite, unit, act) {
            Confidence::Low
        } else {
            Confidence::Medium
        },
        message: format!("`{name}` replaces `{target}` through `{path}`, a name that every writer uses"),
        labels,
        help: help.to_owned(),
        notes: vec![format!(
            "of two writers at once, one publishes a mixture of both, and the other gets {symptom} from its rename"
        )],
        tests: Vec::new(),
        reproduce: None,
        key: format!("{name} {path}"),
        // Who appends goes on with what another run left there, and has to find it.
        remedy: (act.verb != Verb::Append).then(|| Remedy::UniqueName {
            written: act.via.first().copied().unwrap_or(act.site),
            moved: Act { site: from.site, call: from.call.clone() },
        }),
        fix: None,
    }
}
