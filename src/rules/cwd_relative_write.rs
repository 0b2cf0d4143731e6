//! A relative path written or deleted while the working directory is the one that the runner was started in.

use super::single;
use crate::facts::Language;
use crate::finding::{Finding, Severity};
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
        found.push(single::finding(suite, &one, "cwd-relative-write", Severity::Warning, message, notes, help));
    }
}
