//! An assertion that holds on a fast machine, or at most times of the day.

use super::doubtful::{self, Said};
use crate::finding::{Confidence, Finding, Severity};
use crate::link::{Chance, Doubt, Suite};

/// A bound up to the first is missed on a busy machine, one below the second now and then; a longer one is a time-out.
const TIGHT: f64 = 2.0;
const WIDE: f64 = 5.0;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for (unit, one) in doubtful::all(suite) {
        let who = suite.unit_name(suite.owner(unit));
        let (message, here, severity, confidence) = match one.doubt {
            Doubt::Within(within) => {
                let (severity, confidence) = match within {
                    Some(seconds) if seconds <= TIGHT => (Severity::Warning, Confidence::High),
                    Some(seconds) if seconds < WIDE => (Severity::Note, Confidence::Medium),
                    Some(_) => (Severity::Note, Confidence::Low),
                    None if one.of.chance == Chance::Clock => (Severity::Note, Confidence::Low),
                    None => (Severity::Note, Confidence::Medium),
                };
                let how = within.map_or_else(String::new, |seconds| format!(" of {seconds} s"));
                let bound = format!("`{who}` asserts an upper bound{how} on elapsed time");
                (bound, "this fails when the machine is busy", severity, confidence)
            }
            Doubt::SameTime => {
                // It fails at midnight, however busy the machine is.
                let (severity, limit, confidence) = match one.of.day {
                    true => (Severity::Note, "day", Confidence::Low),
                    false => (Severity::Warning, "second", Confidence::Medium),
                };
                let same = format!("`{who}` asserts that two clock reads give the same {limit}");
                (same, "the other side is read at another moment", severity, confidence)
            }
            _ => continue,
        };
        if doubtful::speaks_of(suite, unit, &is_frozen) {
            continue;
        }
        let said = Said {
            rule: "wall-clock-assert",
            severity,
            confidence,
            message,
            here: here.to_owned(),
            there: "the clock is read here".to_owned(),
            help: match one.doubt {
                Doubt::SameTime => "read the clock before and after, and assert that the value lies between; or freeze the clock",
                _ => "assert what happened and not how fast; where time is the subject, take a fake clock",
            },
            notes: vec!["beside other workers, a test gets a part of a CPU only, and can stand still for seconds".to_owned()],
            remedy: None,
        };
        found.push(said.finding(suite, unit, one));
    }
}

/// Names by which tests bring in a clock of their own.
fn is_frozen(name: &str) -> bool {
    const FAKES: &[&str] = &[
        "freez",
        "time_machine",
        "frozen",
        "fake_clock",
        "fake_time",
        "mock_time",
        "MockClock",
        "FakeClock",
        "FakeTime",
        "start_paused",
    ];
    const CLOCKS: &[&str] = &[".time", ".monotonic", ".perf_counter", ".datetime", ".now", ".timezone"];
    FAKES.iter().any(|fake| name.contains(fake)) || CLOCKS.iter().any(|clock| name.len() > clock.len() && name.ends_with(clock))
}
