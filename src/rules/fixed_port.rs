//! Tests that bind a port by its number, and compose files for tests that publish one on the host.

use super::caps;
use super::held::{self, Speech};
use super::words;
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Role, Severity};
use crate::link::{Effect, Realm, Suite};
use std::collections::BTreeMap;

const SPEECH: Speech = Speech {
    rule: "fixed-port",
    is: |realm| *realm == Realm::Port,
    does: |_| ("binds", "bind"),
    done: |_| "bound",
    help,
    alone: "a second session on the same machine, or any program that has the port, makes it fail with `Address already in use`",
};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    held::check(suite, &SPEECH, found);
    published(suite, found);
    configured(suite, found);
}

/// Ports that a server of the tests gets in its configuration. Where the number is seen to be bound, that is told already.
fn configured(suite: &Suite, found: &mut Vec<Finding>) {
    for one in suite.served() {
        let binds = |effect: &Effect| effect.on.realm() == Some(&Realm::Port) && effect.on.show().contains(&one.port.to_string());
        if suite.tests.iter().any(|test| test.state.iter().any(|one| binds(&one.effect))) {
            continue;
        }
        let labels = vec![
            words::label(suite, one.constant, format!("port {} is written down here", one.port), Role::Primary),
            words::label(suite, one.given, "a server gets it in its configuration here", Role::OtherEnd),
            words::label(suite, one.asked, "and a client asks there", Role::OtherEnd),
        ];
        let file = one.constant.file;
        let tests = suite.tests.iter().filter(|test| test.unit.0 == file);
        found.push(Finding {
            rule: "fixed-port",
            severity: Severity::Note,
            confidence: Confidence::Medium,
            message: format!("tests of `{}` start a server on port {}", suite.path(file), one.port),
            labels,
            help: "give the server port 0, and ask it which port it got; or look for a free one in a fixture, and try again where it is \
                   taken"
                .to_owned(),
            notes: vec![SPEECH.alone.to_owned()],
            tests: words::names(tests),
            reproduce: None,
            key: format!("{} {}", suite.path(file), one.port),
            remedy: None,
            fix: None,
        });
    }
}

fn help(suite: &Suite, effect: &Effect) -> String {
    match suite.language(effect.site.file) {
        Language::Python => {
            "bind port 0, and read the number back from the open socket: `server.server_address[1]`, `sock.getsockname()[1]`"
        }
        Language::Rust => "bind `127.0.0.1:0`, and read the number back from the open listener: `listener.local_addr()?.port()`",
    }
    .to_owned()
}

/// Ports of the host that compose files in folders of tests take.
fn published(suite: &Suite, found: &mut Vec<Finding>) {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for one in suite.setup.published.iter().filter(|one| one.for_tests && !suite.is_only_built(one.place.0)) {
        all.entry((one.place.0, &*one.port)).or_default().push(one);
    }
    for ((_, port), services) in all {
        let Some(first) = services.first() else { continue };
        let labels = services.iter().enumerate().map(|(i, one)| {
            let role = if i == 0 { Role::Primary } else { Role::OtherEnd };
            caps::at(one.place, format!("published here by `{}`", one.service), role)
        });
        let message = match services.len() {
            1 => format!("`{}` publishes port {port} of the host for tests", first.service),
            n => format!("{n} services publish port {port} of the host for tests: only one of them can run at a time"),
        };
        let help =
            "publish the port of the container alone, so that Docker takes a free one, and ask `docker compose port` for it";
        let mut finding = caps::finding("fixed-port", labels.collect(), message, help.to_owned(), format!("port {port}"));
        finding.severity = Severity::Note;
        finding
            .notes
            .push("a second run on the same machine, or a server that listens there already, keeps it from starting".to_owned());
        found.push(finding);
    }
}
