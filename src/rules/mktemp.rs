//! A name for a temporary file, chosen and not reserved.

use super::words;
use crate::calls::Verb;
use crate::finding::{Act, Confidence, Finding, Remedy, Role, Severity};
use crate::link::{Effect, Suite, UnitRef};
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (unit, summary) in suite.units() {
        for effect in summary.effects.iter().filter(|effect| effect.verb == Verb::Name && effect.via.is_empty()) {
            if seen.insert(effect.site) && is_relied_on(suite, effect, &summary.effects) {
                found.push(finding(suite, unit, effect, &summary.effects));
            }
        }
    }
}

/// Whether it matters that the name may be taken: not where the test is skipped or expects a missing file, not where the file is created
/// exclusively, not where it is only looked for.
fn is_relied_on(suite: &Suite, effect: &Effect, all: &[Effect]) -> bool {
    let mut tests = suite.in_tests(effect.site).peekable();
    if effect.expected || effect.flagged || tests.peek().is_some() && tests.all(|(test, _)| test.skipped) {
        return false;
    }
    let mut uses = all.iter().filter(|other| other.on == effect.on && other.verb != Verb::Name).peekable();
    uses.peek().is_none() || !uses.all(|other| matches!(other.verb, Verb::Stat | Verb::Create))
}

fn finding(suite: &Suite, unit: UnitRef, effect: &Effect, all: &[Effect]) -> Finding {
    let owner = suite.owner(unit);
    let name = suite.unit_name(owner);
    // The first use that relies on the name still being free.
    let uses = all.iter().find(|other| {
        other.on == effect.on && matches!(other.verb, Verb::Write | Verb::Create | Verb::Update | Verb::MakeDir | Verb::Database)
    });
    // Only the temporary of an atomic publish, or in a folder of one's own.
    let moved = all.iter().find(|other| other.on == effect.on && other.verb == Verb::Delete);
    let published = moved.is_some_and(|moved| all.iter().any(|other| other.verb == Verb::Publish && other.site == moved.site));
    let mut tests = suite.in_tests(effect.site).peekable();
    let private = effect.on.is_private() || tests.peek().is_some() && tests.all(|(_, effect)| effect.on.is_private());
    let hot = ["setUp", "setup_method", "before_scenario", "before_step", "before_each"]
        .iter()
        .any(|hot| name.rsplit('.').next() == Some(hot))
        || suite.has_mark(owner, "fixture");
    let (severity, why) = if published || private {
        (Severity::Note, "chooses a temporary name without reserving it")
    } else if hot {
        (Severity::Error, "chooses a temporary name without reserving it, for every test")
    } else {
        (Severity::Warning, "chooses a temporary name without reserving it")
    };
    let mut labels =
        vec![words::label(suite, effect.site, "the name is free when it is chosen, not when it is used", Role::Primary)];
    if let Some(used) = uses.filter(|used| used.site != effect.site) {
        labels.push(words::label(suite, used.site, "created only here", Role::Evidence));
    }
    let help = if published {
        "make the temporary in the target's directory with `tempfile.NamedTemporaryFile(dir=…, delete=False)`, then `os.replace` it"
    } else if uses.is_some_and(|used| used.verb == Verb::MakeDir) {
        "use `tempfile.mkdtemp()`, which creates the directory"
    } else {
        "use `tempfile.NamedTemporaryFile(delete=False)` or `tempfile.mkstemp()`, which create the file; in a test, `tmp_path / name`"
    };
    Finding {
        rule: "mktemp",
        severity,
        confidence: Confidence::High,
        message: format!("`{name}` {why}"),
        labels,
        help: help.to_owned(),
        notes: vec!["between the choice and the first write another process can take the name".to_owned()],
        tests: Vec::new(),
        reproduce: None,
        key: name,
        remedy: Some(Remedy::ReserveName {
            name: effect.site,
            first: uses.map(|used| Act { site: used.site, call: used.call.clone() }),
            directory: uses.is_some_and(|used| used.verb == Verb::MakeDir),
        }),
        fix: None,
    }
}
