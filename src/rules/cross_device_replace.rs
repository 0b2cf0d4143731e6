//! A temporary in the system's temp directory that is renamed onto a target in another place.

use super::words;
use crate::facts::Language;
use crate::finding::{Act, Confidence, Finding, Remedy, Role, Severity};
use crate::link::{Effect, FreshKind, Move, Place, Root, Suite, UnitRef, is_shared, moves};
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    // Where the function itself renames; then its callers, where only they can see where the temporary was made.
    for calls in [0, 1] {
        for (unit, summary) in suite.units() {
            for one in moves(&summary.effects).filter(|one| one.from.via.len() == calls && is_across(one)) {
                let anchor = one.from.via.first().copied().unwrap_or(one.from.site);
                if suite.is_test_code(unit) && !is_others(suite, one) || seen.contains(&one.from.site) {
                    continue;
                }
                if suite.stands_in(anchor, unit) && seen.insert(one.from.site) {
                    found.push(finding(suite, unit, one));
                }
            }
        }
    }
}

/// Whether the rename leaves the temp directory, and nothing is ready for its failure.
fn is_across(one: &Move) -> bool {
    let (from, to) = (&one.from.on, &one.to.on);
    let elsewhere = match &to.root {
        Root::Temp | Root::Fresh(_) | Root::Run | Root::State(_) => false,
        Root::Of(_) | Root::Setting(_) => !is_scratch(to),
        Root::Abs | Root::Cwd | Root::Start | Root::Home | Root::Project => true,
    };
    // A folder of work in which the result is one of several files is copied out on purpose.
    let copied = is_copied(one.from) && !from.segments.is_empty();
    // A name that is only chosen is `mktemp`'s matter.
    let made = !matches!(&from.root, Root::Fresh(fresh) if fresh.kind == FreshKind::Name);
    from.is_in_temp() && made && elsewhere && !copied && !is_left_alone(one.from) && !one.from.one_of && !one.to.one_of
}

/// `shutil.move` copies where it cannot rename.
fn is_copied(effect: &Effect) -> bool {
    ["shutil.", "distutils.", "path.Path.move", "pathlib.Path.move", "py.path.local.move"]
        .iter()
        .any(|call| effect.call.starts_with(call))
}

fn is_left_alone(effect: &Effect) -> bool {
    effect.flagged || effect.expected || effect.catches(&["OSError", "IOError", "EnvironmentError", "Exception", "BaseException"])
}

/// A parameter or setting that is itself called temporary.
fn is_scratch(place: &Place) -> bool {
    let text = place.show().to_ascii_lowercase();
    ["tmp", "temp", "scratch"].iter().any(|word| text.contains(word))
}

/// In test code the tests say which path it is, and whether it is anybody else's.
fn is_others(suite: &Suite, one: Move) -> bool {
    suite.in_tests(one.to.site).any(|(test, effect)| !test.skipped && effect.verb == one.to.verb && is_shared(&effect.on))
}

fn finding(suite: &Suite, unit: UnitRef, one: Move) -> Finding {
    let name = suite.unit_name(suite.owner(unit));
    let target = suite.show(&one.to.on, unit);
    let anchor = one.from.via.first().copied().unwrap_or(one.from.site);
    let mut labels = vec![words::label(suite, anchor, "moved out of the temp directory here", Role::Primary)];
    if let Root::Fresh(fresh) = &one.from.on.root
        && let Some(made) = fresh.site
    {
        labels.push(words::label(suite, made, "made in the temp directory here", Role::Evidence));
    }
    let more = words::derivation(suite, one.from, &labels);
    labels.extend(more);
    let python = suite.language(unit.0) == Language::Python;
    let symptom = match (is_copied(one.from), python) {
        (true, _) => "where the two are different file systems it is copied, and who reads in between sees half of it",
        (false, true) => "where the two are different file systems it fails: `OSError: [Errno 18] Invalid cross-device link`",
        (false, false) => "where the two are different file systems it fails: `CrossesDevices`",
    };
    let help = if python {
        "make the temporary beside the target (`dir=os.path.dirname(target)`), then `os.replace` it"
    } else {
        "make the temporary beside the target with `tempfile::NamedTempFile::new_in(parent)`, then `persist` it"
    };
    Finding {
        rule: "cross-device-replace",
        severity: Severity::Warning,
        confidence: match &one.to.on.root {
            _ if suite.is_beside(unit.0) => Confidence::Low,
            Root::Of(_) | Root::Setting(_) => Confidence::Medium,
            _ => Confidence::High,
        },
        message: format!("`{name}` makes a temporary in the system's temp directory and moves it onto `{target}`"),
        labels,
        help: help.to_owned(),
        notes: vec![symptom.to_owned()],
        tests: Vec::new(),
        reproduce: None,
        key: format!("{name} {target}"),
        remedy: remedy(one),
        fix: None,
    }
}

/// In the function itself, where both ends are in sight.
fn remedy(one: Move) -> Option<Remedy> {
    let Root::Fresh(fresh) = &one.from.on.root else { return None };
    let made = fresh.site.filter(|made| one.from.via.is_empty() && made.file == one.to.site.file)?;
    Some(Remedy::MakeBeside { made, moved: Act { site: one.to.site, call: one.to.call.clone() } })
}
