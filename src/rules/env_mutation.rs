//! A test changes a variable of the environment, which belongs to its whole process.

use super::left::{self, by_unit, does};
use super::words;
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{Realm, Restored, Suite};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for races in left::races(suite, &Realm::Environment) {
        let meeting = races[0];
        let (a, b) = (&suite.tests[meeting.first.0], &suite.tests[meeting.second.0]);
        let (one, two) = (&a.state[meeting.first.1].effect, &b.state[meeting.second.1].effect);
        let second = if crate::link::changes(two.verb) { does(two.verb) } else { "reads" };
        let (first, thing) = (does(one.verb), &meeting.path);
        let message = if meeting.with_itself {
            format!("each instance of `{}` {first} `{thing}`, and they run at the same time", words::short(a))
        } else {
            format!("`{}` {first} `{thing}` while `{}` {second} it in another thread", words::short(a), words::short(b))
        };
        let help = "hand the value in as an argument; or hold it with `temp_env::with_var` in every test that sets or reads it; or mark all \
                    of them `#[serial]`";
        found.push(left::race(suite, &races, "env-mutation", message, help));
    }
    for left in by_unit(suite, |leak, effect| {
        let rust = suite.language(effect.site.file) == Language::Rust;
        let told = rust && (leak.victims.is_empty() || left::is_raced(suite, effect));
        leak.restored == Restored::Never
            && *leak.place.realm().unwrap_or(&Realm::Port) == Realm::Environment
            && suite.is_test_code(suite.unit_at(effect.site))
            && !told
    }) {
        let effect = left.first(suite);
        let message = format!("{} {} {} and does not put it back", left.subject(suite), does(effect.verb), left.things());
        let help = match suite.language(effect.site.file) {
            Language::Python => {
                "set it with `monkeypatch.setenv` or below `with patch.dict(os.environ, …)`: both put it back when the test ends"
            }
            Language::Rust => "set it with `temp_env::with_var`, or in a guard whose `Drop` puts it back",
        };
        found.push(left.finding(suite, "env-mutation", message, help));
    }
    found.extend(not_removed(suite));
}

/// `os.unsetenv` leaves `os.environ` as it is (Python documentation, "os.unsetenv").
fn not_removed<'s>(suite: &'s Suite) -> impl Iterator<Item = Finding> + 's {
    suite.units().filter(|(unit, _)| suite.is_test_code(*unit)).filter_map(|(unit, summary)| {
        let own = || summary.state.iter().filter(|effect| effect.via.is_empty());
        let unset = own().find(|effect| &*effect.call == "os.unsetenv")?;
        let set = own().find(|effect| effect.on.realm() == Some(&Realm::Environment) && crate::link::changes(effect.verb))?;
        let name = suite.unit_name(unit);
        Some(Finding {
            rule: "env-mutation",
            severity: Severity::Warning,
            confidence: Confidence::High,
            message: format!(
                "`{name}` sets a variable in `os.environ` and takes it back with `os.unsetenv`, which leaves it there"
            ),
            labels: vec![
                words::label(suite, unset.site, "`os.environ` still has it after this", Role::Primary),
                words::label(suite, set.site, "set here", Role::OtherEnd),
            ],
            help: "delete it from `os.environ`: that calls `unsetenv` too".to_owned(),
            notes: vec!["Python code that runs later in the same process still reads the value".to_owned()],
            tests: Vec::new(),
            reproduce: None,
            key: name,
            remedy: None,
            fix: None,
        })
    })
}
