//! A relative path written or deleted while the working directory is the one that the runner was started in.

use super::single::{self, Single};
use crate::facts::Language;
use crate::finding::{Finding, Remedy, Severity};
use crate::link::{Place, Root, Suite, changes};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for one in single::of_tests(suite, &Root::Cwd) {
        let message = format!(
            "{} {} {} in the working directory that the tests were started in",
            single::subject(suite, &one),
            single::predicate(&one),
            single::what(&one)
        );
        let notes = vec!["every test and every session that is started there reaches the same file".to_owned()];
        let help = if one.effect.via.is_empty() || suite.language(one.effect.site.file) == Language::Rust {
            single::help(suite, &one)
        } else {
            "go to a directory of its own first: `monkeypatch.chdir(tmp_path)`".to_owned()
        };
        let mut finding = single::finding(suite, &one, "cwd-relative-write", Severity::Warning, message, notes, help);
        if !one.effect.via.is_empty() {
            finding.remedy = enter(suite, &one);
        }
        found.push(finding);
    }
}

/// Tests may work elsewhere where they look for nothing in the directory that they were started in.
fn enter(suite: &Suite, one: &Single) -> Option<Remedy> {
    let tests: Vec<_> = one.tests.iter().map(|test| &suite.tests[*test]).collect();
    let relies = tests.iter().any(|test| {
        let mut written: Vec<&Place> = Vec::new();
        test.effects.iter().map(|one| &one.effect).any(|effect| {
            if changes(effect.verb) {
                written.push(&effect.on);
            }
            effect.on.root == Root::Cwd && !written.contains(&&*effect.on)
        })
    });
    (!relies).then(|| Remedy::EnterDirectory { tests: tests.iter().map(|test| test.unit).collect() })
}
