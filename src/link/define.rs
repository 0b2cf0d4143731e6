//! What a module runs when it is imported, beyond its own statements: decorators, class bodies, `__init_subclass__`, metaclasses.
//!
//! Of these only what they do to the process's state is taken: a decorator that opens files is a matter of its own.

use super::call::{Passed, is_callable};
use super::eval::Eval;
use super::index::Binding;
use super::term::{ClassRef, Term};
use crate::calls::How;
use crate::facts::{ClassId, Language, Mark, OpId, Shape, UnitId, Value};

impl Eval<'_, '_> {
    /// A function is bound to its name at import: its decorators run.
    pub(super) fn defined(&mut self, op: OpId, unit: UnitId) {
        if self.is_imported() {
            let target = Term::Function((self.file, unit));
            self.decorate(op, &self.facts.unit(unit).marks, &target);
        }
    }

    /// A function that a decorator hands on to be called at the end: `@self.addCleanup`.
    pub(super) fn registered_by_marks(&mut self, op: OpId, unit: UnitId) {
        if self.is_imported() {
            return;
        }
        let facts = self.facts;
        for mark in facts.unit(unit).marks.iter().filter(|mark| mark.args.is_empty()) {
            if let Value::Attr(_, name) = facts.value(mark.callee) {
                let term = Term::Function((self.file, unit));
                let given = Passed { name: None, term, value: None, star: false };
                self.registered(op, facts.name(*name), &[given]);
            }
        }
    }

    /// A method whose name says that what it is handed runs at the end of the test, where the project has one of its own: one that
    /// stands for `unittest.TestCase.addCleanup` keeps its promise.
    pub(super) fn registered(&mut self, op: OpId, name: &str, args: &[Passed]) {
        let entry = self.world.calls(self.file).get(&format!(".{name}"));
        let ends = entry.and_then(|entry| entry.runs.as_ref()).is_some_and(|runs| runs.how == How::Cleanup);
        if let Some(callable) = args.first().filter(|_| ends).map(|arg| arg.term.clone()) {
            self.run(op, &callable, How::Cleanup, args);
        }
    }

    /// A class is made at import: its body runs, then what bases and metaclass do with every new class, then its decorators.
    pub(super) fn class_defined(&mut self, op: OpId, class: ClassId) {
        if !self.is_imported() {
            return;
        }
        let data = self.facts.class(class);
        let id = (self.file, class);
        let index = self.world.index;
        if let Some(body) = data.body {
            let site = self.site(op);
            self.only_state(|eval| drop(eval.instantiate(Some(site), (eval.file, body), Vec::new(), &[])));
        }
        let made = Term::Class(id);
        if let Some(init) = index.inherited_method(id, "__init_subclass__") {
            self.only_state(|eval| drop(eval.call_unit(op, init, Some(made.clone()), &[])));
        }
        if let Some(meta) = self.metaclass(id) {
            let unknown = || Passed { name: None, term: Term::Unknown, value: None, star: false };
            let name = Passed { term: Term::text(self.facts.name(data.name)), ..unknown() };
            let args = [name, unknown(), unknown()];
            for (method, recv) in [("__new__", Term::Class(meta)), ("__init__", made.clone())] {
                if let Some(unit) = index.method(meta, method) {
                    self.only_state(|eval| drop(eval.call_unit(op, unit, Some(recv), &args)));
                }
            }
        }
        self.decorate(op, &data.marks, &made);
    }

    /// Whether the unit at hand runs when its module is imported.
    fn is_imported(&self) -> bool {
        self.facts.language == Language::Python && matches!(self.facts.unit(self.unit).shape, Shape::Module | Shape::ClassBody)
    }

    /// The metaclass of a class, its own or that of a base, where it is one of the project.
    fn metaclass(&self, class: ClassRef) -> Option<ClassRef> {
        let index = self.world.index;
        index.order(class).iter().find_map(|class| {
            let data = index.file(class.0).class(class.1);
            match index.resolve_value(class.0, data.parent, data.metaclass?)? {
                Binding::Class(meta) => Some(meta),
                _ => None,
            }
        })
    }

    /// Calls decorators, the innermost first.
    fn decorate(&mut self, op: OpId, marks: &[Mark], target: &Term) {
        for mark in marks.iter().rev() {
            let callee = self.value(mark.callee);
            if !self.is_of_interest(&callee) || self.is_kept_for_later(&callee) {
                continue;
            }
            let args: Vec<Passed> =
                mark.args.iter().map(|arg| self.one_passed(arg.name.map(|n| self.facts.name(n)), arg.value)).collect();
            let given = Passed { name: None, term: target.clone(), value: None, star: false };
            let called = !args.is_empty() || self.takes_nothing(&callee);
            self.only_state(|eval| {
                let decorator = if called { eval.call_term(op, &callee, &args) } else { callee };
                if !called || is_callable(&decorator) && !eval.is_kept_for_later(&decorator) {
                    eval.call_term(op, &decorator, &[given]);
                }
            });
        }
    }

    /// A decorator of the project, or a library's function that changes something of the process.
    fn is_of_interest(&self, callee: &Term) -> bool {
        match callee {
            Term::External(name) => self.world.calls(self.file).get(name).is_some_and(|entry| entry.state.is_some()),
            callee => is_callable(callee),
        }
    }

    /// Whether what is called is a function that a decorator from elsewhere made something of: its body may run only when what it
    /// decorates is called (wrapt documentation, "Universal Decorators"). Decorators that the tables know give the function itself.
    fn is_kept_for_later(&self, callee: &Term) -> bool {
        let (Term::Function(unit) | Term::Bound(unit, _) | Term::Closure(unit, _)) = callee else { return false };
        let index = self.world.index;
        let data = index.file(unit.0).unit(unit.1);
        data.marks.iter().any(|mark| match index.resolve_value(unit.0, data.parent.unwrap_or(unit.1), mark.callee) {
            Some(Binding::External(name)) => {
                !name.starts_with("builtins.") && self.world.calls(unit.0).get(&format!("mark:{name}")).is_none()
            }
            _ => false,
        })
    }

    /// Whether a decorator has no parameter for what it decorates: it is written with empty parentheses.
    fn takes_nothing(&self, callee: &Term) -> bool {
        let params = |unit: &(crate::text::FileId, UnitId)| self.world.index.file(unit.0).unit(unit.1).params.len();
        match callee {
            Term::Function(unit) => params(unit) == 0,
            Term::Bound(unit, _) => params(unit) == 1,
            _ => false,
        }
    }

    /// Does something, and keeps nothing of it but what it does to the process's state.
    fn only_state(&mut self, f: impl FnOnce(&mut Self)) {
        let (first, calls, pools) = (self.effects.len(), self.calls.len(), self.pools.len());
        let (ambience, guards) = (self.state.ambience.clone(), self.state.guards.len());
        let dead = self.state.dead;
        f(self);
        let mut made = self.effects.split_off(first.min(self.effects.len()));
        made.retain(|effect| effect.on.is_state());
        self.effects.extend(made);
        self.calls.truncate(calls);
        self.pools.truncate(pools);
        self.state.ambience = ambience;
        self.state.guards.truncate(guards);
        self.state.dead = dead;
        self.changed = None;
    }
}
