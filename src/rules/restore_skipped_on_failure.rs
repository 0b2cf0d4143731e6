//! What puts a change back stands after something that may end the test.

use super::left::by_unit;
use super::unrestored_patch::is_patch;
use super::{left, words};
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Remedy, Role, Severity};
use crate::link::{Realm, Restored, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for left in by_unit(suite, |leak, effect| {
        let rust = suite.language(effect.site.file) == Language::Rust;
        let of_process =
            matches!(leak.place.realm(), Some(Realm::Environment | Realm::WorkingDirectory)) || is_patch(leak, effect);
        leak.restored == Restored::IfItPasses
            && leak.risk.is_some()
            && of_process
            && suite.is_test_code(suite.unit_at(effect.site))
            && (!rust || leak.is_used && !left::is_raced(suite, effect))
    }) {
        let leak = left.leaks[0];
        let (Some(at), Some(risk)) = (leak.restore, leak.risk) else { continue };
        let restore = &suite.tests[leak.change.0].state[at].effect;
        let things = left.things();
        let is_block = suite.file(left.unit.0).unit(left.unit.1).yields;
        let message = if is_block {
            format!("`{}` puts {things} back only if its block raises nothing", suite.unit_name(left.unit))
        } else {
            format!("{} puts {things} back only if nothing fails before", left.subject(suite))
        };
        let help = match suite.language(left.unit.0) {
            Language::Python if is_block => "put the `yield` into `try:` and what follows it into `finally:`",
            Language::Python => {
                "let `monkeypatch` make the change, or register what puts it back right after it: `self.addCleanup(…)`, `try:` and `finally:`"
            }
            Language::Rust => "put it back in a guard whose `Drop` does it, or before the first assertion",
        };
        let mut finding = left.finding(suite, "restore-skipped-on-failure", message, help);
        let mut labels = vec![words::label(suite, restore.site, "put back here", Role::Primary)];
        labels.push(words::label(suite, risk.site, "a failure here skips it", Role::Evidence));
        labels.append(&mut finding.labels);
        labels[2].role = Role::OtherEnd;
        finding.labels = labels;
        finding.severity = if risk.asserts { Severity::Warning } else { Severity::Note };
        finding.confidence =
            if risk.asserts { words::confidence(&[restore]).max(Confidence::Medium) } else { Confidence::Medium };
        let restores = left.leaks.iter().filter_map(|leak| Some(suite.tests[leak.change.0].state[leak.restore?].effect.site));
        finding.remedy = Some(Remedy::RestoreLastly {
            changes: left.leaks.iter().map(|leak| left::change(suite, leak).site).collect(),
            restores: restores.collect(),
        });
        found.push(finding);
    }
}
