//! A bound on random numbers that nobody seeds.

use super::doubtful::{self, Said};
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Severity};
use crate::link::{Doubt, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for (unit, one) in doubtful::all(suite) {
        // A plug-in that seeds every test: pytest-randomly and its like are found by the word, too.
        if one.doubt != Doubt::Bounds
            || doubtful::speaks_of(suite, unit, &|name| name.contains("seed") || name.contains("hypothesis"))
        {
            continue;
        }
        let said = Said {
            rule: "unseeded-random",
            severity: Severity::Warning,
            confidence: Confidence::Medium,
            message: format!("`{}` asserts a bound on random numbers that nobody seeds", suite.unit_name(suite.owner(unit))),
            here: "this holds for most draws only".to_owned(),
            there: "drawn from a generator with no seed".to_owned(),
            help: match suite.language(unit.0) {
                Language::Python => "give the generator a seed: `rng = np.random.default_rng(0)`, `random.Random(0)`",
                Language::Rust => "give the generator a seed: `StdRng::seed_from_u64(0)`",
            },
            notes: vec!["a failure cannot be repeated: the next run draws other numbers".to_owned()],
            remedy: None,
        };
        found.push(said.finding(suite, unit, one));
    }
}
