//! A thread, process, task, pool or server outlives the unit that started it, or is ended on the success path only.

use super::words;
use crate::calls::Kind;
use crate::facts::{Language, What};
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{End, Heard, Site, Suite, Suspends, Work};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for work in &suite.works {
        if let Some(confidence) = confidence(suite, work) {
            found.push(finding(suite, work, confidence));
        }
    }
}

/// Words of tests that leave something over to see what then happens.
const WORDS: &[&str] =
    &["leak", "orphan", "zombie", "detach", "dangling", "doesnt_exit", "unawaited", "not_awaited", "never_awaited"];

fn is_meant(suite: &Suite, work: &Work) -> bool {
    let name = suite.unit_name(suite.owner(work.unit)).to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// How sure it is that somebody minds; none where nobody does.
fn confidence(suite: &Suite, work: &Work) -> Option<Confidence> {
    let file = work.unit.0;
    let rust = suite.language(file) == Language::Rust;
    let tested = suite.is_test_code(work.unit);
    // Code below `tests/` that no runner collects is data, or is started by hand.
    let runs = !tested || rust || suite.holds_tests(file) || suite.path(file).ends_with("conftest.py");
    if suite.is_beside(file) || !runs || tested && is_meant(suite, work) {
        return None;
    }
    let dropped = work.held.as_deref().is_none_or(|held| held.starts_with('_'));
    match (work.kind, work.end) {
        (Kind::Queue | Kind::Socket, _) => None,
        (Kind::Thread | Kind::Task, End::Never) if rust && work.heard == Heard::Perhaps => {
            (tested && dropped && work.asserts.is_some()).then_some(Confidence::Low)
        }
        // What is lost in Rust is the panic of an assertion.
        (Kind::Thread | Kind::Task, End::Never) if rust => {
            (tested && dropped && work.asserts.is_some()).then_some(Confidence::High)
        }
        (_, End::OnSuccess { .. }) if rust && work.kind != Kind::Child => None,
        (Kind::Coroutine, _) => Some(Confidence::High),
        // What is ready to go on, or waits for a time, the loop holds itself. A test knows what its functions are given.
        (Kind::Task, End::Never) if work.held.is_none() && work.suspends <= held_by_loop(tested) => Some(Confidence::Low),
        // All other tasks the event loop holds weakly.
        (Kind::Task, End::Never) if work.held.is_none() => Some(Confidence::High),
        // The block of a context manager may raise, whoever wrote it.
        (_, End::OnSuccess { fails, .. }) if !tested => is_yield(suite, fails).then_some(Confidence::Medium),
        _ if !tested => None,
        // A loop cancels what is left of its tasks when the test ends.
        (Kind::Task, End::Never) => Some(Confidence::Low),
        (_, End::Never) if work.daemon || work.heard == Heard::Perhaps => Some(Confidence::Low),
        (Kind::Loop, End::OnSuccess { .. }) => None,
        (_, End::Never) => Some(Confidence::Medium),
        (_, End::OnSuccess { told: Some(_), .. }) => Some(Confidence::Medium),
        (_, End::OnSuccess { told: None, .. }) => Some(Confidence::Low),
    }
}

/// The most that a task waits for which the loop does not forget.
fn held_by_loop(tested: bool) -> Suspends {
    if tested { Suspends::Given } else { Suspends::Timer }
}

fn finding(suite: &Suite, work: &Work, confidence: Confidence) -> Finding {
    let name = suite.unit_name(suite.owner(work.unit));
    let rust = suite.language(work.unit.0) == Language::Rust;
    let what = noun(work.kind);
    let first = match work.kind {
        Kind::Coroutine => "the coroutine is dropped here".to_owned(),
        Kind::Loop => "made here".to_owned(),
        _ => format!("the {what} starts here"),
    };
    let mut labels = vec![words::label(suite, work.started, first, Role::Primary)];
    let (message, help) = match work.end {
        End::Never => {
            if work.made != work.started {
                labels.push(words::label(suite, work.made, "made here", Role::Derivation));
            }
            if let Some(asserts) = work.asserts {
                labels.push(words::label(suite, asserts, "fails unheard here", Role::OtherEnd));
            }
            (never(work, &name, rust), cure(work.kind, rust))
        }
        End::OnSuccess { end, fails, .. } => {
            labels.push(words::label(suite, fails, "a failure here leaves it running", Role::OtherEnd));
            labels.push(words::label(suite, end, "ended here, on the success path only", Role::Evidence));
            (format!("`{name}` ends the {what} that it starts only where nothing fails before"), secured(work.kind, rust))
        }
    };
    Finding {
        rule: "unjoined-work",
        severity: if work.daemon { Severity::Note } else { Severity::Warning },
        confidence,
        message,
        labels,
        help: help.to_owned(),
        notes: vec![note(work, rust).to_owned()],
        tests: Vec::new(),
        reproduce: None,
        key: name,
        remedy: None,
        fix: None,
    }
}

fn is_yield(suite: &Suite, site: Site) -> bool {
    matches!(suite.file(site.file).op(site.op).what, What::Yield(_))
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Thread => "thread",
        Kind::Timer => "timer",
        Kind::Process => "process",
        Kind::Child => "child process",
        Kind::Task => "task",
        Kind::Threads => "thread pool",
        Kind::Processes => "process pool",
        Kind::Loop => "event loop",
        Kind::Server => "server",
        Kind::Queue => "queue",
        Kind::Socket => "socket",
        Kind::Coroutine => "coroutine",
    }
}

fn never(work: &Work, name: &str, rust: bool) -> String {
    let what = noun(work.kind);
    match work.kind {
        _ if rust && work.asserts.is_some() => format!("`{name}` asserts in a {what} that nobody waits for"),
        Kind::Task if work.held.is_none() => format!("`{name}` starts a task and keeps no reference to it"),
        Kind::Coroutine => format!("`{name}` calls an `async` function and does not await it"),
        Kind::Loop => format!("`{name}` makes an event loop that nobody closes"),
        _ if work.daemon => {
            format!("`{name}` starts a daemon {what} that may be in the middle of its work when the process ends")
        }
        _ => format!("`{name}` starts a {what} that nobody waits for or ends"),
    }
}

fn cure(kind: Kind, rust: bool) -> &'static str {
    match (kind, rust) {
        (Kind::Child, true) => "keep it in a guard that kills it and waits for it when it is dropped",
        (Kind::Task, true) => "await the handle and unwrap it, so that a panic fails the test",
        (_, true) => "join the handle and unwrap it, so that a panic fails the test",
        (Kind::Task, _) => "keep the task in a variable and await it, or start it in an `asyncio.TaskGroup`",
        (Kind::Coroutine, _) => "await the call",
        (Kind::Loop, _) => "use `asyncio.run`, or close the loop in `finally`",
        (Kind::Threads | Kind::Processes, _) => "use it in a `with` block",
        (Kind::Timer, _) => "`cancel()` it in `finally`, then `join()` it",
        (Kind::Server, _) => "call `shutdown()` and `server_close()` in `finally`, or use a fixture that does",
        (Kind::Child, _) => "use it in a `with` block, or `kill()` it in `finally` and `wait()` for it",
        _ => "`join()` it in `finally`, or register the end with `addCleanup` when it starts",
    }
}

fn secured(kind: Kind, rust: bool) -> &'static str {
    match (kind, rust) {
        (_, true) => "keep it in a guard that kills it and waits for it when it is dropped",
        (Kind::Task, _) => {
            "end it in `finally`, or let a fixture own it; a longer time-out only waits longer for what is left over"
        }
        _ => "end it in `finally`, or register the end with `addCleanup` when it starts",
    }
}

fn note(work: &Work, rust: bool) -> &'static str {
    match (work.kind, work.end) {
        (Kind::Task, End::Never) if work.held.is_none() && !rust => {
            "the event loop holds tasks weakly: one that nobody refers to may be collected while it waits, and its error is lost"
        }
        (Kind::Coroutine, _) => "nothing of the function runs; Python says \"coroutine was never awaited\" when it is collected",
        (Kind::Task, End::Never) if rust => {
            "a task goes on when its handle is dropped: its panic is lost with the handle, and it ends wherever it is when the runtime does"
        }
        (_, End::Never) if work.asserts.is_some() => {
            "the test passes whether the assertion holds or not, and it may end before it runs"
        }
        _ => "what is left over runs into the next test: it changes what that one sees, and holds its ports, files and memory",
    }
}
