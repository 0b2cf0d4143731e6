//! Tests that need what another test left: a variable of a test class or module that only one test sets and another reads.

use super::index::{Index, walk};
use super::spots::{Look, Mention, Spot, each_value, mentions, spots};
use super::suite::{Test, last, mark_name};
use super::term::{ClassRef, Site, UnitRef};
use crate::facts::{Block, FileFacts, Language, OpId, Shape, Step, Sym, UnitId, V, Value, What};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What holds the value between the tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shelf {
    Class,
    Module,
}

/// A variable that one test sets for others.
#[derive(Clone, PartialEq, Debug)]
pub struct Chain {
    pub shelf: Shelf,
    pub name: Arc<str>,
    /// The test that sets it, by index, and where.
    pub giver: (usize, Site),
    /// Tests that read it, by index, and where each of them does first.
    pub takers: Vec<(usize, Site)>,
}

/// Marks by which a project asks for the order of its tests.
const ORDERED: &[&str] = &["dependency", "depends", "incremental", "order", "run", "xdist_group"];

/// All chains, in the order of the tests that begin them.
pub(super) fn chains(index: &Index, tests: &[Test]) -> Vec<Chain> {
    let mut groups: BTreeMap<(crate::text::FileId, Option<ClassRef>), Vec<usize>> = BTreeMap::new();
    for (t, test) in tests.iter().enumerate() {
        let python = index.file(test.unit.0).language == Language::Python;
        if python && !test.skipped && !test.unmet && !test.is_notebook() {
            groups.entry((test.unit.0, None)).or_default().push(t);
            if let Some(class) = test.class {
                groups.entry((test.unit.0, Some(class))).or_default().push(t);
            }
        }
    }
    let mut out = Vec::new();
    for ((file, class), group) in groups {
        let look = match class {
            Some(class) => Looker { index, file, shelf: Shelf::Class, class: Some(class) },
            None => Looker { index, file, shelf: Shelf::Module, class: None },
        };
        out.extend(look.chains(tests, &group));
    }
    out
}

/// Looks at the tests of one class, or of one module.
struct Looker<'a> {
    index: &'a Index<'a>,
    file: crate::text::FileId,
    shelf: Shelf,
    class: Option<ClassRef>,
}

impl Looker<'_> {
    fn facts(&self) -> &FileFacts {
        self.index.file(self.file)
    }

    fn chains(&self, tests: &[Test], group: &[usize]) -> Vec<Chain> {
        let facts = self.facts();
        let mut givers: BTreeMap<Sym, Vec<(usize, OpId)>> = BTreeMap::new();
        for &t in group.iter().filter(|t| tests[**t].unit.0 == self.file) {
            for op in body(facts, tests[t].unit.1) {
                if let What::Store { to, value, .. } = &facts.op(op).what
                    && let Some(name) = self.kept(tests[t].unit.1, *to)
                    && !matches!(facts.value(*value), Value::Nil)
                {
                    givers.entry(name).or_default().push((t, op));
                }
            }
        }
        let units: BTreeSet<UnitId> = group.iter().map(|t| tests[*t].unit.1).collect();
        let mut out = Vec::new();
        for (name, all) in givers {
            let (giver, op) = all[0];
            if all.iter().any(|(t, _)| *t != giver) || self.is_given_otherwise(name, &units) {
                continue;
            }
            let ordered = |t: &usize| self.is_ordered(tests[*t].unit);
            let takers: Vec<(usize, Site)> = group
                .iter()
                .filter(|t| **t != giver && !ordered(t))
                .filter_map(|&t| Some((t, Site { file: self.file, op: self.needs(tests[t].unit.1, name)? })))
                .collect();
            if !takers.is_empty() && !ordered(&giver) {
                let giver = (giver, Site { file: self.file, op });
                out.push(Chain { shelf: self.shelf, name: facts.name(name).into(), giver, takers });
            }
        }
        out
    }

    /// The variable that a store binds for later tests: `cls.x`, `type(self).x`, `TestA.x`, or a global.
    fn kept(&self, unit: UnitId, to: V) -> Option<Sym> {
        let facts = self.facts();
        match (self.shelf, facts.value(to)) {
            (Shelf::Module, Value::Name(name)) => facts.unit(unit).globals.contains(name).then_some(*name),
            (Shelf::Class, Value::Attr(base, name)) => self.is_class(unit, *base).then_some(*name),
            _ => None,
        }
    }

    /// Whether a value is the class of the tests.
    fn is_class(&self, unit: UnitId, v: V) -> bool {
        let facts = self.facts();
        match facts.value(v) {
            Value::Name(name) => {
                let name = facts.name(*name);
                name == "cls" || self.class.is_some_and(|class| self.index.class_name(class) == name)
            }
            Value::Attr(base, name) => facts.name(*name) == "__class__" && self.is_self(unit, *base),
            Value::Result(op) => match &facts.op(*op).what {
                What::Call { callee, args } => {
                    let of_type = matches!(facts.value(*callee), Value::Name(name) if facts.name(*name) == "type");
                    of_type && args.first().is_some_and(|arg| self.is_self(unit, arg.value))
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn is_self(&self, unit: UnitId, v: V) -> bool {
        let first = self.facts().unit(unit).params.first().map(|param| param.name);
        matches!(self.facts().value(v), Value::Name(name) if Some(*name) == first)
    }

    /// Whether anybody but the tests sets it: a set-up, a fixture, the class body or a base, another module; `None` there stands for
    /// what is still to come.
    fn is_given_otherwise(&self, name: Sym, tests: &BTreeSet<UnitId>) -> bool {
        let facts = self.facts();
        let text = facts.name(name);
        let of_bases = self.class.is_some_and(|class| {
            let index = self.index;
            let outside = index.outside_bases(class).any(|base| !base.starts_with("unittest."));
            let binds =
                |base: &ClassRef| index.file(base.0).class(base.1).body.is_some_and(|body| index.binds((base.0, body), text));
            outside
                || index
                    .order(class)
                    .iter()
                    .filter(|one| **one != class || one.0 != self.file)
                    .any(|base| binds(base) || index.method(*base, text).is_some())
        });
        if of_bases {
            return true;
        }
        // The tests may be those of a base in this file, and the class stand in another one.
        let own_body = self.class.filter(|class| class.0 == self.file).and_then(|class| facts.class(class.1).body);
        let elsewhere = facts.units.iter().enumerate().any(|(u, unit)| {
            let unit_id = UnitId(u as u32);
            let names = |v: V| match facts.value(v) {
                Value::Name(one) => *one == name && (self.shelf == Shelf::Module || own_body == Some(unit_id)),
                Value::Attr(_, one) => *one == name,
                _ => false,
            };
            if tests.contains(&unit_id) || self.shelf == Shelf::Module && is_local(unit, name) {
                return false;
            }
            let mut found = false;
            walk(&unit.body, &mut |step| {
                if let Step::Op(op) = step {
                    found |= match &facts.op(*op).what {
                        What::Store { to, value, .. } => stores(facts, *to, &names) && *facts.value(*value) != Value::Nil,
                        What::Import(import) => facts.imports[*import as usize].bound == Some(name),
                        What::Define(inner) => facts.unit(*inner).name == name,
                        What::DefineClass(inner) => facts.class(*inner).name == name,
                        _ => false,
                    };
                }
            });
            found
        });
        elsewhere || self.is_set_by_name(text)
    }

    /// `setattr(request.cls, "x", …)`, `patch("module.x")`: somebody speaks of it in words.
    fn is_set_by_name(&self, name: &str) -> bool {
        let facts = self.facts();
        let spoken = |value: &Value| matches!(value, Value::Text(text) if facts.name(*text).rsplit('.').next() == Some(name));
        facts.values.iter().any(spoken)
    }

    /// Where a test reads it as something that is there. Who asks first whether it is, or sets it, needs nobody.
    fn needs(&self, unit: UnitId, name: Sym) -> Option<OpId> {
        let facts = self.facts();
        let data = facts.unit(unit);
        let own = || self.index.binds((self.file, unit), facts.name(name)) || data.params.iter().any(|param| param.name == name);
        if self.shelf == Shelf::Module && (data.globals.contains(&name) || own()) {
            return None;
        }
        let is = |v: V| match facts.value(v) {
            Value::Name(one) => self.shelf == Shelf::Module && *one == name,
            Value::Attr(base, one) => {
                self.shelf == Shelf::Class && *one == name && (self.is_self(unit, *base) || self.is_class(unit, *base))
            }
            _ => false,
        };
        let mut first = None;
        for spot in spots(&data.body) {
            match spot.look {
                Look::Ask(v) | Look::Enter(v) => {
                    let mut asked = false;
                    mentions(facts, v, &is, &mut |_| asked = true);
                    if asked {
                        return None;
                    }
                }
                Look::Op(op) => {
                    if let What::Store { to, .. } = &facts.op(op).what
                        && stores(facts, *to, &is)
                    {
                        return None;
                    }
                    // `hasattr(self, "x")` speaks of it in words; an assertion on it alone is the whole point of the test.
                    let mut read = false;
                    each_value(&facts.op(op).what, &mut |v| {
                        mentions(facts, v, &is, &mut |mention| read |= mention != Mention::Inner);
                    });
                    if read {
                        first.get_or_insert(op);
                    }
                }
            }
        }
        first
    }

    fn is_ordered(&self, unit: UnitRef) -> bool {
        let facts = self.index.file(unit.0);
        let named = |name: Option<String>| name.is_some_and(|name| ORDERED.contains(&last(&name)));
        let on_class = self.class.is_some_and(|class| {
            let facts = self.index.file(class.0);
            facts.class(class.1).marks.iter().any(|mark| named(mark_name(facts, mark)))
        });
        on_class || facts.unit(unit.1).marks.iter().any(|mark| named(mark_name(facts, mark)))
    }
}

/// Whether what a unit binds under a name is its own.
fn is_local(unit: &crate::facts::Unit, name: Sym) -> bool {
    unit.shape != Shape::Module && !unit.globals.contains(&name)
}

/// Whether a store binds what `is` tells, in a tuple too.
fn stores(facts: &FileFacts, to: V, is: &dyn Fn(V) -> bool) -> bool {
    match facts.value(to) {
        Value::Tuple(all) | Value::List(all) => all.iter().any(|one| stores(facts, *one, is)),
        _ => is(to),
    }
}

/// The operations of a body that stand on every way.
fn body(facts: &FileFacts, unit: UnitId) -> Vec<OpId> {
    let block: &Block = &facts.unit(unit).body;
    spots(block).iter().filter_map(Spot::op).collect()
}
