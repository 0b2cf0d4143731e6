//! The end of a Rust scope: what is held in its variables is dropped (The Rust Reference, "Destructors").

use super::eval::Eval;
use super::rust_tests::is_test_mark;
use super::term::Term;
use crate::facts::{Language, OpId, Shape, Sym};
use std::collections::HashMap;

impl Eval<'_, '_> {
    /// Drops what the variables hold that came up since `before`.
    pub(super) fn leave_scope(&mut self, before: &HashMap<Sym, Term>) {
        if self.facts.language != Language::Rust {
            return;
        }
        // `$1` is the value of the block itself, which goes on.
        let ends = |name: &&Sym| !before.contains_key(name) && !self.facts.name(**name).starts_with('$');
        let mut here: Vec<Sym> = self.state.vars.keys().filter(ends).copied().collect();
        here.sort_unstable();
        for name in here {
            if let Some(term) = self.state.vars.remove(&name) {
                let op = self.state.stored.get(&name).copied().unwrap_or(OpId(0));
                self.drop_value(op, &term, 0);
            }
        }
    }

    /// Drops what the variables of a whole function hold.
    pub(super) fn leave_unit(&mut self) {
        let data = self.facts.unit(self.unit);
        if matches!(data.shape, Shape::Module | Shape::ClassBody) {
            return;
        }
        let dead = std::mem::replace(&mut self.state.dead, false);
        let first = self.effects.len();
        self.leave_scope(&HashMap::new());
        let test = data.marks.iter().filter_map(|mark| self.facts.dotted(mark.callee)).any(|name| is_test_mark(&name));
        self.effects.iter_mut().skip(first).for_each(|effect| effect.leave |= test);
        self.state.dead = dead;
    }

    /// Runs `Drop::drop` of a value and of the fields that are known, unless the value leaves the function.
    fn drop_value(&mut self, op: OpId, term: &Term, depth: usize) {
        let Some(class) = self.world.class_of(term).filter(|_| depth < 3) else { return };
        let mut given = false;
        if let Some(gives) = &self.gives {
            gives.visit(&mut |inner| given |= inner == term);
        }
        if given {
            return;
        }
        if let Some(unit) = self.world.index.drop_method(class) {
            self.assured += 1;
            self.call_unit(op, unit, Some(term.clone()), &[]);
            self.assured -= 1;
        }
        if let Term::Object(object) = term {
            for (_, field) in &object.fields {
                self.drop_value(op, field, depth + 1);
            }
        }
    }
}
