//! The rounds that compute all summaries.
//!
//! A unit is evaluated after those it reads, as far as the calls between them have an order, so that most are evaluated once or twice.
//! What stands on one level is evaluated in parallel, against the summaries as they were before; so cycles need no special case, and the
//! result does not depend on threads.

use super::eval::evaluate;
use super::fault::caught;
use super::index::{Binding, Index, walk_ops};
use super::pace::unfold_all;
use super::summary::{Summary, TRAIL};
use super::term::UnitRef;
use super::world::World;
use crate::facts::run::Setup;
use crate::facts::{Shape, UnitId, V, Value, What};
use crate::text::FileId;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Asked between steps: does anybody still want to know?
pub type Wanted<'a> = &'a (dyn Fn() -> bool + Sync);

/// Times that the units are gone through, callees first. In a cycle effects come one call further each time, and a trail ends.
const SWEEPS: usize = TRAIL + 3;

/// By unit, dense: files in their order, the units of each in theirs.
struct Table<T> {
    starts: Vec<usize>,
    cells: Vec<T>,
}

impl<T: Clone + Default> Table<T> {
    fn new(index: &Index) -> Self {
        let mut starts = Vec::with_capacity(index.facts.len());
        let mut count = 0;
        for file in index.facts {
            starts.push(count);
            count += file.units.len();
        }
        Table { starts, cells: vec![T::default(); count] }
    }

    fn at(&mut self, unit: UnitRef) -> &mut T {
        &mut self.cells[self.starts[unit.0.0 as usize] + unit.1.0 as usize]
    }

    fn get(&self, unit: UnitRef) -> &T {
        &self.cells[self.starts[unit.0.0 as usize] + unit.1.0 as usize]
    }
}

struct Rounds<'a> {
    index: &'a Index<'a>,
    setup: &'a Setup,
    wanted: Wanted<'a>,
    all: Vec<Vec<Arc<Summary>>>,
    /// What each unit reads: as its text says until it is evaluated, then as it did.
    needs: Table<Vec<UnitRef>>,
    readers: Table<BTreeSet<UnitRef>>,
    /// Units whose evaluation broke down: nothing is known of what they do.
    faults: BTreeSet<String>,
}

/// By file and unit.
type Summaries = Vec<Vec<Arc<Summary>>>;

/// Evaluates all units until nothing changes, or effects have come as far as a trail may be long. None where it is not `wanted` to its
/// end: this is where most of an analysis goes. Gives what broke down, too.
pub fn summaries(index: &Index, setup: &Setup, wanted: Wanted) -> Option<(Summaries, BTreeSet<String>)> {
    let empty = Arc::new(Summary::default());
    let all = index.facts.iter().map(|file| vec![empty.clone(); file.units.len()]).collect();
    let mut rounds =
        Rounds { index, setup, wanted, all, needs: Table::new(index), readers: Table::new(index), faults: BTreeSet::new() };
    let units = index.facts.iter().enumerate().flat_map(|(file, facts)| {
        let of_file = move |(unit, data): (usize, &crate::facts::Unit)| ((FileId(file as u32), UnitId(unit as u32)), data.shape);
        facts.units.iter().enumerate().map(of_file)
    });
    let (bodies, functions): (Vec<_>, Vec<_>) = units.partition(|(_, shape)| matches!(shape, Shape::Module | Shape::ClassBody));
    let called: Vec<(UnitRef, Vec<UnitRef>)> = functions.par_iter().map(|(unit, _)| (*unit, called_by(index, *unit))).collect();
    for (unit, called) in called {
        *rounds.needs.at(unit) = called;
    }
    // Constants first, so that most functions are evaluated with the values they read.
    let mut stale = rounds.evaluate(&bodies.into_iter().map(|(unit, _)| unit).collect())?;
    stale.extend(functions.into_iter().map(|(unit, _)| unit));
    for _ in 0..SWEEPS {
        stale = rounds.sweep(stale)?;
        if stale.is_empty() {
            break;
        }
    }
    let Rounds { mut all, needs, faults, .. } = rounds;
    for (summary, needs) in all.iter_mut().flatten().zip(needs.cells) {
        Arc::make_mut(summary).needs = needs;
    }
    unfold_all(&mut all);
    Some((all, faults))
}

impl Rounds<'_> {
    /// Evaluates what is stale and what becomes so on the way, callees first. Gives what became stale when its turn was over.
    fn sweep(&mut self, stale: BTreeSet<UnitRef>) -> Option<BTreeSet<UnitRef>> {
        let levels = self.levels();
        let mut ahead: BTreeMap<u32, BTreeSet<UnitRef>> = BTreeMap::new();
        for unit in stale {
            ahead.entry(*levels.get(unit)).or_default().insert(unit);
        }
        let mut left = BTreeSet::new();
        while let Some((level, work)) = ahead.pop_first() {
            for unit in self.evaluate(&work)? {
                match *levels.get(unit) {
                    above if above > level => ahead.entry(above).or_default().insert(unit),
                    _ => left.insert(unit),
                };
            }
        }
        Some(left)
    }

    /// Evaluates some units. Gives those whose needs have changed by that.
    fn evaluate(&mut self, work: &BTreeSet<UnitRef>) -> Option<BTreeSet<UnitRef>> {
        let (index, setup, wanted, all) = (self.index, self.setup, self.wanted, &self.all);
        let evaluated = |unit: &UnitRef| {
            let world = World::new(index, setup, all);
            wanted().then(|| {
                let summary = caught(&index.sources[unit.0.0 as usize].path, || {
                    #[cfg(test)]
                    super::fault::trip([index.file(unit.0).name(index.file(unit.0).unit(unit.1).name)].into_iter(), "unit");
                    evaluate(&world, *unit)
                });
                (*unit, summary, world.take_needs())
            })
        };
        let work: Vec<UnitRef> = work.iter().copied().collect();
        let fresh: Vec<(UnitRef, Result<Summary, String>, Vec<UnitRef>)> =
            work.par_iter().map(evaluated).collect::<Option<_>>()?;
        // Who reads whom must be known for all before it is asked who is stale.
        for (unit, _, needs) in &fresh {
            for need in needs {
                self.readers.at(*need).insert(*unit);
            }
        }
        let mut stale = BTreeSet::new();
        for (unit, summary, needs) in fresh {
            *self.needs.at(unit) = needs;
            let summary = summary.unwrap_or_else(|fault| {
                self.faults.insert(fault);
                Summary::default()
            });
            let old = &mut self.all[unit.0.0 as usize][unit.1.0 as usize];
            if **old != summary {
                *old = Arc::new(summary);
                stale.extend(self.readers.get(unit));
            }
        }
        Some(stale)
    }

    /// A unit stands above all that it reads, but for what reads it in turn and was come to first.
    fn levels(&self) -> Table<u32> {
        let mut levels: Table<u32> = Table::new(self.index);
        let mut seen: Table<bool> = Table::new(self.index);
        for (file, facts) in self.index.facts.iter().enumerate() {
            for unit in 0..facts.units.len() {
                let mut stack: Vec<(UnitRef, usize)> = Vec::new();
                let root = (FileId(file as u32), UnitId(unit as u32));
                if !std::mem::replace(seen.at(root), true) {
                    stack.push((root, 0));
                }
                while let Some((unit, at)) = stack.last_mut() {
                    let unit = *unit;
                    match self.needs.get(unit).get(*at) {
                        Some(need) => {
                            *at += 1;
                            if !std::mem::replace(seen.at(*need), true) {
                                stack.push((*need, 0));
                            }
                        }
                        None => {
                            // What is still on the way up has no level yet.
                            let below = self.needs.get(unit).iter().map(|need| *levels.get(*need)).max();
                            *levels.at(unit) = below.unwrap_or(0) + 1;
                            stack.pop();
                        }
                    }
                }
            }
        }
        levels
    }
}

/// What a unit calls, as far as its text says.
fn called_by(index: &Index, unit: UnitRef) -> Vec<UnitRef> {
    let facts = index.file(unit.0);
    let class = facts.unit(unit.1).class.map(|class| index.class_of_impl((unit.0, class)));
    let meant = |callee: V| match facts.own_field(callee) {
        Some(name) => index.method(class?, name),
        None => match index.resolve_value(unit.0, unit.1, callee)? {
            Binding::Function(unit) => Some(unit),
            Binding::Class(class) => index.method(class, "__init__"),
            _ => None,
        },
    };
    let mut called = BTreeSet::new();
    walk_ops(&facts.unit(unit.1).body, &mut |op| {
        if let What::Call { callee, .. } = &facts.op(op).what
            && matches!(facts.value(*callee), Value::Name(_) | Value::Attr(..) | Value::Path(_))
        {
            called.extend(meant(*callee));
        }
    });
    called.into_iter().collect()
}
