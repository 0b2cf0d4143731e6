//! Who owns a new file or directory, and when it goes with its owner.
//!
//! A value of a type like `tempfile::TempDir` removes what it stands for when it dies. Who may have taken it along (as an argument, a
//! field, a return value, in a closure) is an owner that we do not see: then nothing is known to go.

use super::eval::Eval;
use super::place::{Fresh, Place, Root};
use super::summary::{Gone, When};
use super::term::{Site, Term};
use crate::calls::Flag;
use crate::facts::{Block, Language, OpId, Shape, Step, Sym, UnitId, V, Value, What};
use std::collections::BTreeSet;

/// A new file or directory whose owner was made here.
pub(super) struct Owned {
    on: Fresh,
    /// The call that gave the owner.
    made: OpId,
    /// The unit in whose body it stands; a closure that is called in place is one of its own.
    unit: UnitId,
    /// The variable that holds the owner; none for a temporary.
    by: Option<(Sym, OpId)>,
    /// How many blocks were open around the variable.
    depth: usize,
    /// It has gone, or somebody else has it.
    settled: bool,
}

/// The owner as its body writes it.
enum Holder {
    /// Results of these calls: the one that made it, and those that hand it on (`unwrap`).
    Results(BTreeSet<OpId>),
    Variable(Sym),
}

/// Macros that take their arguments by reference (The Rust Standard Library, "Macros").
const BORROWING: &[&str] = &[
    "assert!",
    "assert_eq!",
    "assert_ne!",
    "debug_assert!",
    "debug_assert_eq!",
    "debug_assert_ne!",
    "eprint!",
    "eprintln!",
    "format!",
    "panic!",
    "print!",
    "println!",
    "write!",
    "writeln!",
];

impl Eval<'_, '_> {
    /// What a term owns: it is of a type that removes its file or directory when it is dropped.
    fn owned_by(&self, term: &Term) -> Option<Fresh> {
        let Term::Typed(ty, inner) = term else { return None };
        let Term::Path(place) = inner.plain() else { return None };
        match &place.root {
            Root::Fresh(fresh) if place.segments.is_empty() && self.world.calls(self.file).owns(ty) => Some(fresh.clone()),
            _ => None,
        }
    }

    fn owned_within(&self, term: &Term) -> Vec<Fresh> {
        match term {
            Term::List(terms) => terms.iter().filter_map(|term| self.owned_by(term)).collect(),
            one => self.owned_by(one).into_iter().collect(),
        }
    }

    fn body_unit(&self) -> UnitId {
        self.inside.last().copied().unwrap_or(self.unit)
    }

    /// A call has given a value: a new owner, where it is one that we have not seen.
    pub fn own(&mut self, made: OpId, term: &Term) {
        for on in self.owned_within(term) {
            if let Some(owned) = self.owned.iter_mut().find(|owned| owned.on == on) {
                // A function that is evaluated in place again makes another one.
                if owned.made == made {
                    owned.by = None;
                    owned.settled = false;
                    self.state.gone.retain(|gone| gone.on != on);
                }
                continue;
            }
            if self.stays(made) || self.lends(made, &on) {
                continue;
            }
            let unit = self.body_unit();
            self.owned.push(Owned { on, made, unit, by: None, depth: 0, settled: false });
            // Python drops what nobody refers to as soon as the attribute was read.
            let last = self.owned.len() - 1;
            if self.facts.language == Language::Python && !self.is_kept(last, None) {
                self.go(last, When::Statement);
            }
        }
        self.drop_by_name(made);
    }

    /// The receiver had it before: a method that gives a borrow of a field makes no owner.
    fn lends(&mut self, made: OpId, on: &Fresh) -> bool {
        let What::Call { callee, .. } = &self.facts.op(made).what else { return false };
        let Value::Attr(base, _) = self.facts.value(*callee) else { return false };
        let mut held = false;
        self.value(*base).visit(&mut |part| {
            held |= matches!(part, Term::Path(place) if place.root == Root::Fresh(on.clone()));
        });
        held && self.facts.language == Language::Rust
    }

    /// The call says that what it makes outlives its owner: `delete=False`, `Builder::keep(true)`.
    fn stays(&self, made: OpId) -> bool {
        let What::Call { callee, args } = &self.facts.op(made).what else { return true };
        let entry = self.entries.get(&made);
        if self.facts.language == Language::Python {
            // What a function of the project gives may have been told to stay.
            let Some(owns) = entry.and_then(|entry| entry.owns.as_ref()) else { return true };
            let Flag::Param(name) = owns else { return false };
            return args.iter().any(|arg| match arg.name {
                Some(given) => self.facts.name(given) == name && *self.facts.value(arg.value) != Value::Bool(true),
                None => matches!(self.facts.value(arg.value), Value::Star(_)),
            });
        }
        if entry.is_none() {
            return false;
        }
        let mut at = *callee;
        while let Value::Attr(base, _) = self.facts.value(at) {
            // A builder that is kept in a variable may have been told anything.
            let Value::Result(op) = self.facts.value(*base) else { return true };
            let What::Call { callee, .. } = &self.facts.op(*op).what else { return true };
            if self.entries.get(op).is_some_and(|entry| entry.keeps) {
                return true;
            }
            at = *callee;
        }
        false
    }

    /// A value is bound: a variable takes an owner over, and what the statement made for itself is dropped at its end.
    pub fn bind_owner(&mut self, to: V, term: &Term, store: OpId) {
        if let Value::Name(name) = self.facts.value(to) {
            self.declared.entry(*name).or_insert(self.depth);
        }
        if self.owned.is_empty() {
            return;
        }
        let targets: Vec<(V, Option<Fresh>)> = match (self.facts.value(to), term) {
            (Value::Tuple(targets), Term::List(terms)) if targets.len() == terms.len() => {
                targets.iter().zip(terms.iter()).map(|(target, term)| (*target, self.owned_by(term))).collect()
            }
            _ => vec![(to, self.owned_by(term))],
        };
        let python = self.facts.language == Language::Python;
        for (target, on) in targets {
            let Value::Name(name) = *self.facts.value(target) else {
                self.settle_all(|owned| on.as_ref() == Some(&owned.on));
                continue;
            };
            // Python lets the old value go when its name is bound again.
            if python {
                for i in 0..self.owned.len() {
                    let owned = &self.owned[i];
                    let again = owned.by.is_some_and(|(by, _)| by == name) && on.as_ref() != Some(&owned.on);
                    if again && !owned.settled && owned.unit == self.body_unit() {
                        self.drop_unless_kept(i, When::Rebound(self.site(store)), Some(store));
                    }
                }
            }
            let Some(on) = on else { continue };
            let depth = self.depth;
            let nameless = self.facts.name(name) == "_" && !python;
            if let Some(owned) = self.owned.iter_mut().find(|owned| owned.on == on && !owned.settled && !nameless) {
                // A variable from an outer block that is only filled here lives as long as that block.
                owned.by = Some((name, store));
                owned.depth = depth.min(self.declared.get(&name).copied().unwrap_or(depth));
            }
        }
        if !python {
            let span = self.facts.op(store).span;
            for i in 0..self.owned.len() {
                let owned = &self.owned[i];
                if owned.by.is_none() && !owned.settled && span.contains(self.facts.op(owned.made).span) {
                    self.drop_unless_kept(i, When::Statement, None);
                }
            }
        }
    }

    fn settle_all(&mut self, which: impl Fn(&Owned) -> bool) {
        self.owned.iter_mut().filter(|owned| which(owned)).for_each(|owned| owned.settled = true);
    }

    /// A Rust block ends: what its variables own goes.
    pub fn leave_block(&mut self) {
        for i in 0..self.owned.len() {
            let owned = &self.owned[i];
            if owned.by.is_some() && owned.depth == self.depth && !owned.settled && owned.unit == self.body_unit() {
                self.drop_unless_kept(i, When::Block, None);
            }
        }
        let depth = self.depth;
        self.declared.retain(|_, declared| *declared < depth);
    }

    /// A `with` block ends: its context manager removes what it stands for, whoever else has it.
    pub fn leave_with(&mut self, context: &Term) {
        let Some(on) = self.owned_by(context) else { return };
        if let Some(i) = self.owned.iter().position(|owned| owned.on == on && !owned.settled) {
            self.go(i, When::Block);
        }
    }

    /// The body of a unit ends, and its variables with it.
    pub fn release_owned(&mut self) {
        let unit = self.body_unit();
        let data = self.facts.unit(unit);
        if data.yields || matches!(data.shape, Shape::Module | Shape::ClassBody) {
            return;
        }
        for i in 0..self.owned.len() {
            if !self.owned[i].settled && self.owned[i].unit == unit {
                let when = if self.owned[i].by.is_some() { When::Return } else { When::Statement };
                self.drop_unless_kept(i, when, None);
            }
        }
    }

    /// `drop(owner)`.
    fn drop_by_name(&mut self, op: OpId) {
        if !self.is_drop(op) {
            return;
        }
        let What::Call { args, .. } = &self.facts.op(op).what else { return };
        let [arg] = args.as_slice() else { return };
        let Value::Name(name) = *self.facts.value(arg.value) else { return };
        let held = |owned: &Owned| owned.by.is_some_and(|(by, _)| by == name) && !owned.settled;
        if let Some(i) = self.owned.iter().rposition(held) {
            self.drop_unless_kept(i, When::Asked(self.site(op)), Some(op));
        }
    }

    fn is_drop(&self, op: OpId) -> bool {
        let What::Call { callee, .. } = &self.facts.op(op).what else { return false };
        self.facts.language == Language::Rust
            && matches!(self.facts.dotted(*callee).as_deref(), Some("drop" | "mem::drop" | "std::mem::drop"))
    }

    fn drop_unless_kept(&mut self, i: usize, when: When, until: Option<OpId>) {
        if self.is_kept(i, until) {
            self.owned[i].settled = true;
        } else {
            self.go(i, when);
        }
    }

    fn go(&mut self, i: usize, when: When) {
        let owned = &mut self.owned[i];
        owned.settled = true;
        let gone = Gone { on: owned.on.clone(), made: Site { file: self.file, op: owned.made }, when, returned: None };
        self.state.gone.push(gone.clone());
        // What goes after the yield of a fixture is there for whoever it was yielded to.
        if self.at_yield.is_none() {
            self.gone.push(gone);
        }
    }

    /// The owner that a place was made with, where it has gone before.
    pub fn gone_from(&self, place: &Place) -> Option<&Gone> {
        let Root::Fresh(fresh) = &place.root else { return None };
        self.state.gone.iter().find(|gone| gone.on == *fresh)
    }

    /// What is handed out, for the owners that die here.
    pub fn hand_out(&mut self, op: OpId, term: &Term) {
        if !self.owned.is_empty() && self.inside.is_empty() {
            self.returns.push((self.site(op), term.clone()));
        }
    }

    /// What the unit took away at its end or before, with the place where it is handed out all the same.
    pub fn gone_at_end(&mut self) -> Vec<Gone> {
        let mut all = std::mem::take(&mut self.gone);
        for gone in &mut all {
            let returned = self.returns.iter().find(|(_, term)| hands_out(term, &gone.on));
            gone.returned = returned.map(|(site, _)| *site);
        }
        all
    }

    /// Whether somebody else may have taken the owner along.
    fn is_kept(&self, i: usize, until: Option<OpId>) -> bool {
        let owned = &self.owned[i];
        let holder = match owned.by {
            Some((name, _)) => Holder::Variable(name),
            None => Holder::Results(BTreeSet::from([owned.made])),
        };
        // A variable that is bound again is another one from there on.
        let again = owned.by.and_then(|(name, store)| self.state.stored.get(&name).copied().filter(|last| *last > store));
        let until = until.or(again).map_or(u32::MAX, |op| self.facts.op(op).span.start);
        let mut walk = Walk { eval: self, owned, holder, until, inner: false, kept: false };
        walk.block(&self.facts.unit(owned.unit).body);
        walk.kept
    }
}

/// Looks at every use of an owner in a body.
struct Walk<'e, 'a, 'w> {
    eval: &'e Eval<'a, 'w>,
    owned: &'e Owned,
    holder: Holder,
    /// Uses behind this byte are of something else.
    until: u32,
    /// Inside a closure or nested function, which may take along whatever it names.
    inner: bool,
    kept: bool,
}

impl Walk<'_, '_, '_> {
    fn block(&mut self, block: &Block) {
        for step in block {
            match step {
                Step::Op(op) => self.operation(*op),
                Step::If { cond, then, other, .. } => {
                    self.value(*cond);
                    self.block(then);
                    self.block(other);
                }
                Step::Loop { over, cond, body, other } => {
                    over.iter().for_each(|(_, iter)| self.value(*iter));
                    cond.iter().for_each(|cond| self.value(*cond));
                    self.block(body);
                    self.block(other);
                }
                Step::Try { body, handlers, other, last } => {
                    self.block(body);
                    handlers.iter().for_each(|handler| self.block(&handler.body));
                    self.block(other);
                    self.block(last);
                }
                // The context manager is told apart by `leave_with`.
                Step::With { items, body, .. } => {
                    items.iter().for_each(|item| self.value(item.context));
                    self.block(body);
                }
                Step::Scope(body) => self.block(body),
                Step::Match { subject, arms } => {
                    self.value(*subject);
                    for arm in arms {
                        arm.guard.iter().for_each(|guard| self.value(*guard));
                        self.block(&arm.body);
                    }
                }
            }
        }
    }

    fn inner(&mut self, unit: UnitId) {
        let outer = std::mem::replace(&mut self.inner, true);
        self.block(&self.eval.facts.unit(unit).body);
        self.inner = outer;
    }

    fn operation(&mut self, id: OpId) {
        let op = self.eval.facts.op(id);
        if op.span.start > self.until || self.kept {
            return;
        }
        match &op.what {
            What::Call { callee, args } => {
                match *self.eval.facts.value(*callee) {
                    Value::Attr(base, _) if self.is(base) => self.method(id),
                    _ => self.value(*callee),
                }
                let borrowing = self.eval.is_drop(id)
                    || self
                        .eval
                        .facts
                        .dotted(*callee)
                        .is_some_and(|name| BORROWING.contains(&name.rsplit("::").next().unwrap_or(&name)));
                for arg in args {
                    if !(borrowing && self.is(arg.value)) {
                        self.value(arg.value);
                    }
                }
            }
            What::Store { to, value, .. } => {
                let taken_over = self.owned.by.is_some_and(|(_, store)| store == id);
                // `let (_, path) = …` takes apart what nobody holds.
                let apart = self.owned.by.is_none() && matches!(self.eval.facts.value(*to), Value::Tuple(_) | Value::Name(_));
                let nameless = apart && self.is(*value) && self.drops(*to);
                if !taken_over && !nameless {
                    self.value(*value);
                }
                if !matches!(self.eval.facts.value(*to), Value::Name(_)) {
                    self.value(*to);
                }
            }
            What::Return(Some(value)) | What::Yield(Some(value)) | What::Raise(Some(value)) | What::Assert(value) => {
                self.value(*value)
            }
            What::Delete(value) => self.value(*value),
            What::Define(unit) => self.inner(*unit),
            _ => {}
        }
    }

    /// Whether a binding leaves the owner without a name.
    fn drops(&self, to: V) -> bool {
        let rust = self.eval.facts.language == Language::Rust;
        let nameless =
            |v: &V| rust && matches!(self.eval.facts.value(*v), Value::Name(name) if self.eval.facts.name(*name) == "_");
        match self.eval.facts.value(to) {
            Value::Tuple(all) => match self.eval.results.get(&self.owned.made) {
                Some(Term::List(terms)) => all
                    .iter()
                    .zip(terms.iter())
                    .all(|(target, term)| self.eval.owned_by(term).as_ref() != Some(&self.owned.on) || nameless(target)),
                _ => false,
            },
            _ => nameless(&to),
        }
    }

    /// A method called on the owner: it borrows, hands on, or takes.
    fn method(&mut self, id: OpId) {
        if self.inner {
            self.kept = true;
            return;
        }
        let entry = self.eval.entries.get(&id);
        let hands_on = self.eval.results.get(&id).is_some_and(|term| self.eval.owned_within(term).contains(&self.owned.on));
        let takes = match (self.eval.facts.language, entry) {
            (_, Some(entry)) if entry.keeps => true,
            (Language::Python, _) => false,
            (Language::Rust, None) => true,
            (Language::Rust, Some(_)) => false,
        };
        match &mut self.holder {
            Holder::Results(ops) if hands_on && !takes => {
                ops.insert(id);
            }
            _ => self.kept |= takes || hands_on,
        }
    }

    fn is(&self, v: V) -> bool {
        match (self.eval.facts.value(v), &self.holder) {
            (Value::Result(op), Holder::Results(ops)) => ops.contains(op),
            (Value::Name(name), Holder::Variable(by)) => name == by,
            _ => false,
        }
    }

    fn value(&mut self, v: V) {
        if self.is(v) {
            self.kept = true;
            return;
        }
        match self.eval.facts.value(v) {
            Value::Attr(base, name) if self.is(*base) => self.kept |= self.inner || !self.is_plain(*base, *name),
            Value::Attr(a, _) | Value::Not(a) | Value::Star(a) => self.value(*a),
            Value::Item(a, b) | Value::Binary(_, a, b) | Value::Compare(_, a, b) => {
                self.value(*a);
                self.value(*b);
            }
            Value::Format(all) | Value::And(all) | Value::Or(all) | Value::List(all) | Value::Tuple(all) | Value::Set(all) => {
                all.iter().for_each(|v| self.value(*v));
            }
            Value::Dict(pairs) => pairs.iter().for_each(|(key, value)| {
                self.value(*key);
                self.value(*value);
            }),
            Value::Choice { cond, then, other } => [cond, then, other].into_iter().for_each(|v| self.value(*v)),
            Value::Record { fields, .. } => fields.iter().for_each(|(_, value)| self.value(*value)),
            Value::Closure(unit) => self.inner(*unit),
            _ => {}
        }
    }

    /// An attribute that is only the path, or another part of a tuple.
    fn is_plain(&self, base: V, name: Sym) -> bool {
        let name = self.eval.facts.name(name);
        let term = match self.eval.facts.value(base) {
            Value::Result(op) => self.eval.results.get(op).cloned(),
            _ => None,
        };
        match (self.eval.facts.language, term) {
            (Language::Rust, Some(Term::List(terms))) => {
                name.parse::<usize>().ok().and_then(|n| terms.get(n)).is_some_and(|term| self.eval.owned_by(term).is_none())
            }
            (Language::Rust, _) => false,
            (Language::Python, _) => matches!(name, "name"),
        }
    }
}

/// Whether a value is a path below a new file or directory, or holds one side by side with others.
fn hands_out(term: &Term, on: &Fresh) -> bool {
    match term {
        Term::Handle(_) => false,
        Term::List(terms) | Term::Either(terms) => terms.iter().any(|term| hands_out(term, on)),
        one => matches!(Place::of(one), Some(Place { root: Root::Fresh(fresh), .. }) if fresh == *on),
    }
}
