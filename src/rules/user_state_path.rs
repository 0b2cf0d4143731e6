//! Tests that change what the user who runs them keeps at home: settings, caches, data.

use super::single;
use crate::facts::Language;
use crate::finding::{Finding, Severity};
use crate::link::{Root, Suite, has_fixed_name};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for one in single::of_tests(suite, &Root::Home, has_fixed_name) {
        if one.tests.iter().any(|test| suite.has_own_home(*test)) {
            continue;
        }
        let message = format!(
            "{} {} {} in the home directory of whoever runs the tests",
            single::subject(suite, &one),
            single::predicate(&one),
            single::what(&one)
        );
        let notes = vec![
            "every test, worker and session of this user reaches the same file, and so does the program that the user works with"
                .to_owned(),
        ];
        let help = match suite.language(one.effect.site.file) {
            Language::Python => {
                "point the home directory elsewhere in an autouse fixture: `monkeypatch.setenv(\"HOME\", str(tmp_path))`, and \
                 `XDG_CACHE_HOME` and `XDG_CONFIG_HOME` where they are asked; or hand the directory in"
            }
            Language::Rust => {
                "hand the directory in, and give it a `tempfile::tempdir()` in tests; for a child process set `HOME` with `Command::env`"
            }
        };
        let mut finding = single::finding(suite, &one, "user-state-path", Severity::Warning, message, notes, help.to_owned());
        // Where product code chooses the path, it is that choice that a test has to redirect.
        finding.remedy = finding.remedy.filter(|_| one.effect.via.is_empty());
        found.push(finding);
    }
}
