//! Tests that write or delete beside the source, in the crate or the repository.

use super::single;
use crate::finding::{Finding, Severity};
use crate::link::{Root, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for one in single::of_tests(suite, &Root::Project) {
        let message =
            format!("{} {} {} in the source tree", single::subject(suite, &one), single::predicate(&one), single::what(&one));
        let notes = vec!["two sessions on one checkout (`tox -p`, an editor and a terminal) reach the same file, and it stays behind in the tree".to_owned()];
        // Where two tests meet there, `shared-path` says so; one alone is for those who run several sessions.
        let severity = if one.tests.len() > 1 { Severity::Warning } else { Severity::Note };
        found.push(single::finding(suite, &one, "source-tree-write", severity, message, notes, single::help(suite, &one)));
    }
}
