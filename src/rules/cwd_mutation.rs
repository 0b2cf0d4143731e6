//! A test changes the working directory, which belongs to its whole process.

use super::left::{self, by_unit};
use super::words;
use crate::facts::Language;
use crate::finding::Finding;
use crate::link::{Realm, Restored, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for races in left::races(suite, &Realm::WorkingDirectory) {
        let meeting = races[0];
        let (a, b) = (&suite.tests[meeting.first.0], &suite.tests[meeting.second.0]);
        let changes = crate::link::changes(b.state[meeting.second.1].effect.verb);
        let second = if changes { "changes it too" } else { "uses a relative path" };
        let message = if meeting.with_itself {
            format!("each instance of `{}` changes the working directory, and they run at the same time", words::short(a))
        } else {
            format!("`{}` changes the working directory while `{}` {second} in another thread", words::short(a), words::short(b))
        };
        let help = "build absolute paths from the directory and leave the working directory alone; for a child process use \
                    `Command::current_dir`; or mark all of these tests `#[serial]`";
        found.push(left::race(suite, &races, "cwd-mutation", message, help));
    }
    for left in by_unit(suite, |leak, effect| {
        let rust = suite.language(effect.site.file) == Language::Rust;
        let told = rust && (leak.victims.is_empty() || left::is_raced(suite, effect));
        leak.restored == Restored::Never
            && *leak.place.realm().unwrap_or(&Realm::Port) == Realm::WorkingDirectory
            && suite.is_test_code(suite.unit_at(effect.site))
            && !told
    }) {
        let message = format!("{} changes the working directory and does not go back", left.subject(suite));
        let help = match suite.language(left.unit.0) {
            Language::Python => {
                "use `monkeypatch.chdir`, or `with contextlib.chdir(…)`: both go back when the test or block ends"
            }
            Language::Rust => {
                "go back in a guard whose `Drop` does it, or build absolute paths and leave the working directory alone"
            }
        };
        found.push(left.finding(suite, "cwd-mutation", message, help));
    }
}
