//! A test replaces an attribute of another module, or changes a setting of a library, and leaves it so.

use super::left::{by_unit, does_to};
use crate::calls::Verb;
use crate::finding::{Finding, Severity};
use crate::link::{Effect, Leak, Realm, Restored, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for left in by_unit(suite, |leak, effect| {
        leak.restored == Restored::Never && is_patch(leak, effect) && suite.is_test_code(suite.unit_at(effect.site))
    }) {
        let effect = left.first(suite);
        let message = format!("{} {} {} and does not put it back", left.subject(suite), does_to(effect), left.things());
        let help = match effect.on.realm() {
            Some(Realm::Library(name)) if &**name == "sys.path" => {
                "use `monkeypatch.syspath_prepend`, or take the entry out again in a clean-up: `self.addCleanup(sys.path.remove, …)`"
            }
            _ => "replace it with `monkeypatch.setattr` or below `with patch.object(…)`: both put it back when the test ends",
        };
        let mut finding = left.finding(suite, "unrestored-patch", message, help);
        finding.severity = Severity::Warning;
        found.push(finding);
    }
}

/// An attribute of what another module owns, or something that a library keeps. What stands in `sys.modules` is another matter.
pub fn is_patch(leak: &Leak, effect: &Effect) -> bool {
    match leak.place.realm() {
        Some(Realm::Variable(holder)) => holder.unit.0 != effect.site.file && effect.verb == Verb::Write && !leak.place.is_item(),
        // What can be set up only once cannot be put back.
        Some(Realm::Library(name)) => &**name != "sys.modules" && effect.verb != Verb::Create,
        _ => false,
    }
}
