//! Tests that make or drop a database, container or another thing of a service under a name that is always the same.

use super::held::{self, Speech};
use crate::calls::Verb;
use crate::finding::Finding;
use crate::link::{Effect, Realm, Suite};

const SPEECH: Speech = Speech {
    rule: "fixed-external-name",
    is: |realm| matches!(realm, Realm::Named(_)),
    does: |verb| match verb {
        Verb::Delete | Verb::DeleteTree => ("drops", "drop"),
        _ => ("makes", "make"),
    },
    done: |verb| match verb {
        Verb::Delete | Verb::DeleteTree => "dropped",
        _ => "made",
    },
    help,
    alone: "a second session that uses the same service, or the same machine, finds it there, or takes it away",
};

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    held::check(suite, &SPEECH, found);
}

fn help(_: &Suite, effect: &Effect) -> String {
    let own = match effect.on.realm() {
        Some(Realm::Named(kind)) if &**kind == "container" => "leave the name out, and keep the id that the call gives",
        Some(Realm::Named(kind)) if &**kind == "shared memory" => "leave the name out, and hand on the `name` that it is given",
        Some(Realm::Named(kind)) if &**kind == "resource" => {
            "hold one lock around every use, or keep the tests one after the other: an `xdist_group`, a nextest group, `#[serial]`"
        }
        _ => "put something into the name that nobody else has: a random part, or the worker and the process id",
    };
    own.to_owned()
}
