//! Tests that write or delete beside the source, in the crate or the repository.

use super::single::{self, Single};
use crate::finding::{Finding, Severity};
use crate::link::{Root, Suite, has_fixed_name};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for one in single::of_tests(suite, &Root::Project, has_fixed_name) {
        if is_generated(suite, &one) {
            continue;
        }
        let message =
            format!("{} {} {} in the source tree", single::subject(suite, &one), single::predicate(&one), single::what(&one));
        let notes = vec!["two sessions on one checkout (`tox -p`, an editor and a terminal) reach the same file, and it stays behind in the tree".to_owned()];
        // Where two tests meet there, `shared-path` says so; one alone is for those who run several sessions.
        let severity = if one.tests.len() > 1 { Severity::Warning } else { Severity::Note };
        found.push(single::finding(suite, &one, "source-tree-write", severity, message, notes, single::help(suite, &one)));
    }
}

/// Words of tests that keep generated files up to date: they write into the tree on purpose, where what is there is out of date.
const WORDS: &[&str] = &["generate", "codegen", "up_to_date", "uptodate", "bless", "golden", "snapshot", "schema"];

fn is_generated(suite: &Suite, one: &Single) -> bool {
    let units = one.effect.via.iter().chain([&one.effect.site]).map(|site| suite.unit_name(suite.unit_at(*site)));
    let tests = one.tests.iter().map(|test| suite.tests[*test].name.clone());
    let files = one.effect.via.iter().chain([&one.effect.site]).map(|site| suite.path(site.file).to_owned());
    units.chain(tests).chain(files).chain([one.path.clone()]).any(|text| {
        let text = text.to_ascii_lowercase();
        WORDS.iter().any(|word| text.contains(word))
    })
}
