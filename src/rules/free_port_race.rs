//! A free port is looked up and let go, and its number is bound later.

use super::words;
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{Probe, Site, Suite};

/// Words of functions and tests that want a port on which nobody listens.
const WORDS: &[&str] = &[
    "refus",
    "closed",
    "unreach",
    "no_server",
    "not_listening",
    "nobody",
    "dead",
    "down",
    "unavailable",
    "disconnect",
    "conn_fail",
];

/// Callers that are shown.
const TAKERS: usize = 16;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for probe in suite.probes.iter().filter(|probe| !suite.is_beside(probe.unit.0)) {
        let takers: Vec<Site> = probe.takers.iter().copied().filter(|site| !is_meant(&name_at(suite, *site))).collect();
        let wanted_closed = is_meant(&suite.unit_name(suite.owner(probe.unit))) || takers.is_empty() && !probe.takers.is_empty();
        if !wanted_closed {
            found.push(finding(suite, probe, &takers));
        }
    }
}

fn name_at(suite: &Suite, site: Site) -> String {
    suite.unit_name(suite.owner(suite.unit_at(site)))
}

fn is_meant(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

fn finding(suite: &Suite, probe: &Probe, takers: &[Site]) -> Finding {
    let name = suite.unit_name(suite.owner(probe.unit));
    let mut labels = vec![words::label(suite, probe.read, "the number of a free port is read here", Role::Primary)];
    match probe.closed {
        Some(closed) => labels.push(words::label(suite, closed, "the socket that held it is closed here", Role::Evidence)),
        None => labels[0].text.push_str(", and the socket that held it is closed with its block"),
    }
    let handed = if probe.leaves { "the number is handed on here" } else { "the number is used here" };
    if probe.handed != probe.read {
        labels.push(words::label(suite, probe.handed, handed, Role::OtherEnd));
    }
    for taker in takers.iter().take(TAKERS) {
        labels.push(words::label(suite, *taker, "and taken for later here", Role::OtherEnd));
    }
    let mut notes = vec![
        "between the two, the system may give the port to anybody: another test, another worker, an outgoing connection"
            .to_owned(),
    ];
    if takers.len() > TAKERS {
        notes.push(format!("{} more calls take such a number", takers.len() - TAKERS));
    }
    let help = match suite.language(probe.unit.0) {
        Language::Python => {
            "hand on the bound socket (`sock=…`, `fileno`), or let the server bind port 0 itself and ask it for the number"
        }
        Language::Rust => "hand on the listener itself, or let the server bind port 0 and ask it for the number",
    };
    Finding {
        rule: "free-port-race",
        severity: Severity::Warning,
        confidence: if probe.leaves { Confidence::High } else { Confidence::Medium },
        message: format!("`{name}` looks up a free port and lets it go before the number is used"),
        labels,
        help: help.to_owned(),
        notes,
        tests: Vec::new(),
        reproduce: None,
        key: name,
        remedy: None,
        fix: None,
    }
}
