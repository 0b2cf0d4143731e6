//! Context managers that start something before they yield and end it behind, with no `finally`: the block may raise, whoever wrote it.

use super::index::{Binding, Index};
use super::instance::is_context_manager;
use super::life::{End, Heard, Work};
use super::spots::{Region, Spot, spots};
use super::summary::Summary;
use super::suspend::Suspends;
use super::term::{ClassRef, Site, UnitRef};
use crate::calls::Kind;
use crate::facts::{FileFacts, Language, OpId, Sym, Value, What};
use std::sync::Arc;

/// Names of methods that end what `start` of the same object has started.
const ENDS: &[&str] = &["cancel", "close", "end", "join", "kill", "shutdown", "stop", "terminate"];

/// Objects of the project that start a thread, process or server of their own, and that a context manager ends only where its block
/// raises nothing. What is such a thing itself is followed in `life.rs`.
pub(super) fn halves(index: &Index, summaries: &[Vec<Arc<Summary>>], unit: UnitRef) -> Vec<Work> {
    let facts = index.file(unit.0);
    let data = facts.unit(unit.1);
    if facts.language != Language::Python || !data.yields || !is_context_manager(facts, data) {
        return Vec::new();
    }
    let row = spots(&data.body);
    let is_yield = |spot: &Spot| spot.op().is_some_and(|op| matches!(facts.op(op).what, What::Yield(_)));
    let yields: Vec<usize> = (0..row.len()).filter(|at| is_yield(&row[*at])).collect();
    let mut out = Vec::new();
    for at in yields {
        // A `try` around the yield may end it however the block ends; so may a `with`.
        let plain = |region: &Region| matches!(region, Region::Arm(..));
        if !row[at].around.iter().all(plain) {
            continue;
        }
        for started in 0..at {
            let Some((name, "start")) = called_on(facts, &row[started]) else { continue };
            let on_the_way = row[started].around.iter().all(|region| row[at].around.contains(region));
            let Some((made, class)) = maker(index, unit, &row[..started], name).filter(|_| on_the_way) else { continue };
            let behind = (at + 1..row.len()).find(|end| {
                let ends = called_on(facts, &row[*end]).is_some_and(|(of, method)| of == name && ENDS.contains(&method));
                ends && row[*end].around.iter().all(|region| row[at].around.contains(region))
            });
            let (Some(end), Some(kind)) = (behind, starts(index, summaries, class)) else { continue };
            let site = |at: usize| row[at].op().map(|op| Site { file: unit.0, op });
            let (Some(started), Some(fails), Some(end)) = (site(started), site(at), site(end)) else { continue };
            out.push(Work {
                unit,
                kind,
                made: Site { file: unit.0, op: made },
                started,
                daemon: false,
                held: Some(facts.name(name).into()),
                end: End::OnSuccess { end, fails, told: Some(end) },
                asserts: None,
                heard: Heard::Not,
                suspends: Suspends::Perhaps,
            });
        }
    }
    out
}

/// A call of a method of a variable: the variable and the method's name.
fn called_on<'f>(facts: &'f FileFacts, spot: &Spot) -> Option<(Sym, &'f str)> {
    let What::Call { callee, .. } = &facts.op(spot.op()?).what else { return None };
    let Value::Attr(base, method) = facts.value(*callee) else { return None };
    match facts.value(*base) {
        Value::Name(name) => Some((*name, facts.name(*method))),
        _ => None,
    }
}

/// The one call that makes what a variable holds, and the class of the project that it is of.
fn maker(index: &Index, unit: UnitRef, row: &[Spot], name: Sym) -> Option<(OpId, ClassRef)> {
    let facts = index.file(unit.0);
    let mut stores = row.iter().filter_map(Spot::op).filter_map(|op| match &facts.op(op).what {
        What::Store { to, value, .. } if *facts.value(*to) == Value::Name(name) => Some(*value),
        _ => None,
    });
    let (Value::Result(made), None) = (facts.value(stores.next()?), stores.next()) else { return None };
    let What::Call { callee, .. } = &facts.op(*made).what else { return None };
    match index.resolve_value(unit.0, unit.1, *callee)? {
        Binding::Class(class) => Some((*made, class)),
        _ => None,
    }
}

/// What the `start` of a class makes that runs beside its caller.
fn starts(index: &Index, summaries: &[Vec<Arc<Summary>>], class: ClassRef) -> Option<Kind> {
    let (file, unit) = index.method(class, "start")?;
    let calls = index.calls(index.file(file).language);
    let born = &summaries[file.0 as usize][unit.0 as usize].born;
    let mut kinds = born.iter().filter(|born| born.made).filter_map(|born| Some(calls.thing(&born.ty)?.kind));
    kinds.find(|kind| matches!(kind, Kind::Thread | Kind::Timer | Kind::Process | Kind::Child | Kind::Server))
}
