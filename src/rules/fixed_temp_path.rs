//! A fixed name under the system's directory for temporary files, which all users and checkouts of a host share.

use super::single::{self, Single};
use crate::calls::Verb;
use crate::finding::{Finding, Severity};
use crate::link::{Root, Suite, has_fixed_name};
use std::collections::BTreeSet;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let tests = single::of_tests(suite, &Root::Temp, has_fixed_name);
    let cited: BTreeSet<_> =
        tests.iter().flat_map(|one| one.others.iter().chain([&one.effect])).map(|effect| effect.site).collect();
    let met = suite.met();
    let product = single::of_product(suite, &Root::Temp, has_fixed_name);
    let product = product.iter().filter(|one| !cited.contains(&one.effect.site) && !met.contains(&one.effect.site));
    for one in tests.iter().chain(product) {
        found.push(report(suite, one));
    }
}

fn report(suite: &Suite, one: &Single) -> Finding {
    let wiped = one.others.iter().chain([&one.effect]).any(|effect| matches!(effect.verb, Verb::DeleteTree));
    let severity = if wiped || one.tests.len() > 1 { Severity::Error } else { Severity::Warning };
    let message = format!(
        "{} {} {}, a fixed name in the temp directory that everyone on this host shares",
        single::subject(suite, one),
        single::predicate(one),
        single::what(one)
    );
    let notes = vec!["a second checkout, a second user or a second process uses the same file".to_owned()];
    single::finding(suite, one, "fixed-temp-path", severity, message, notes, single::help(suite, one))
}
