//! A relative path written or deleted while the working directory is the one that the runner was started in.

use super::{single, words};
use crate::facts::Language;
use crate::finding::{Finding, Remedy, Severity};
use crate::link::{Root, Suite, has_fixed_name};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for one in single::of_tests(suite, &Root::Cwd, has_fixed_name) {
        let in_notebooks = single::is_of_notebooks(suite, &one);
        let (place, note) = if in_notebooks {
            (
                "by a relative path: a notebook runs in the folder that it stands in",
                "another notebook that uses this name and a second session on the checkout reach the same file, and it stays behind",
            )
        } else {
            (
                "in the working directory that the tests were started in",
                "every test and every session that is started there reaches the same file",
            )
        };
        let message = format!("{} {} {} {place}", single::subject(suite, &one), single::predicate(&one), single::what(&one));
        let notes = vec![note.to_owned()];
        let help = if in_notebooks || one.effect.via.is_empty() || suite.language(one.effect.site.file) == Language::Rust {
            single::help(suite, &one)
        } else {
            "go to a directory of its own first: `monkeypatch.chdir(tmp_path)`".to_owned()
        };
        // Where two notebooks meet, `shared-path` says so; one alone is for those who run several sessions.
        let severity = if in_notebooks && one.tests.len() == 1 { Severity::Note } else { Severity::Warning };
        let mut finding = single::finding(suite, &one, "cwd-relative-write", severity, message, notes, help);
        let tests: Vec<usize> = one.tests.iter().copied().collect();
        let enter = words::own_working_directory(suite, &tests);
        let own = finding.remedy.take().filter(|_| one.effect.via.is_empty());
        finding.remedy = Some(Remedy::FirstOf(own.into_iter().chain(enter).collect()));
        found.push(finding);
    }
}
