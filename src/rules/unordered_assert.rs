//! An assertion that holds for one order of what has none.

use super::doubtful::{self, Said};
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Remedy, Severity};
use crate::link::{Chance, Doubt, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for (unit, one) in doubtful::all(suite) {
        let Doubt::Order { sure, sorted } = one.doubt else { continue };
        let rust = suite.language(unit.0) == Language::Rust;
        let chance = doubtful::chance(one.of.chance, rust);
        let why = match one.of.chance {
            Chance::Listing => "the file system gives the names in an order of its own, another one on another machine",
            Chance::Completion => "what is done first comes first, and on a busy machine that is another one",
            _ if rust => "every map and every process has its own order",
            _ => "the hashes of strings are other ones in every process, and with them the order",
        };
        let said = Said {
            rule: "unordered-assert",
            severity: Severity::Warning,
            confidence: if sure { Confidence::High } else { Confidence::Low },
            message: format!("`{}` asserts the order of {chance}", suite.unit_name(suite.owner(unit))),
            here: "this holds for one order only".to_owned(),
            there: format!("the order comes from {chance}"),
            help: match rust {
                true => "sort before the comparison, compare as sets, or keep a `BTreeMap`",
                false => "compare `sorted(...)` with a sorted list, or two sets; `assertCountEqual` in unittest",
            },
            notes: vec![why.to_owned()],
            remedy: sorted.then_some(Remedy::GiveOrder { file: unit.0, value: one.value, display: false, safe: true }),
        };
        found.push(said.finding(suite, unit, one));
    }
}
