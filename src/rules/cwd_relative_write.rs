//! A relative path written or deleted while the working directory is the one that the runner was started in.

use super::{single, words};
use crate::facts::Language;
use crate::finding::{Finding, Remedy, Severity};
use crate::link::{Root, Suite, has_fixed_name};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for one in single::of_tests(suite, &Root::Cwd, has_fixed_name) {
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
        let tests: Vec<usize> = one.tests.iter().copied().collect();
        let enter = words::own_working_directory(suite, &tests);
        let own = finding.remedy.take().filter(|_| one.effect.via.is_empty());
        finding.remedy = Some(Remedy::FirstOf(own.into_iter().chain(enter).collect()));
        found.push(finding);
    }
}
