//! What puts the process's state back by itself, whatever is done to it meanwhile: `patch.dict`, `catch_warnings`.

use super::eval::Eval;
use super::index::Binding;
use super::names::is_environ;
use super::overlap::changes;
use super::place::{Place, Realm};
use super::state::realm;
use super::summary::Effect;
use super::term::Term;
use crate::calls::Verb;
use crate::facts::{Arg, Language, OpId, V, Value, What};

/// Words in the names of functions that bring something back.
const RESETS: &[&str] = &["defaults", "rcdefaults", "reset", "restore", "undo", "unpatch"];

impl Eval<'_, '_> {
    /// A context manager is left that puts back all of what it is about; what its block did stands behind `first`.
    pub(super) fn put_back(&mut self, context: V, first: usize) {
        let Value::Result(op) = self.facts.value(context) else { return };
        let op = *op;
        let What::Call { callee, args } = &self.facts.op(op).what else { return };
        let entry = self.entries.get(&op).copied();
        let kept = entry.and_then(|entry| Some((realm(entry.state.as_ref()?), entry)));
        match kept {
            Some((realm, entry)) if entry.undone => return self.is_as_before(op, Place::state(realm, None)),
            // What only sets where it is called takes it back where it is a context manager: `with torch.set_grad_enabled(False)`.
            Some((realm, entry)) if realm.is_of_process() && entry.does.keys().copied().any(changes) => {
                return self.is_undone(&realm, op, first);
            }
            _ => {}
        }
        match self.patched_dict(*callee, args) {
            Some(place) => self.is_as_before(op, place),
            None if entry.is_none() => self.may_be_undone(op, *callee, first),
            None => {}
        }
    }

    /// A context manager that nobody here defines, and whose name says that it keeps the environment or the working directory.
    fn may_be_undone(&mut self, op: OpId, callee: V, first: usize) {
        if matches!(self.value(callee).plain(), Term::Function(_) | Term::Bound(..) | Term::Closure(..) | Term::Class(_)) {
            return;
        }
        let (mut environment, mut directory) = (false, false);
        self.names(callee, 0, &mut |name| {
            let name = name.to_ascii_lowercase();
            let both = ["isolat", "sandbox"].iter().any(|word| name.contains(word));
            environment |= both || name.contains("env");
            directory |= both || name.contains("cwd") || name.contains("chdir") || name.contains("filesystem");
        });
        if environment {
            self.is_undone(&Realm::Environment, op, first);
        }
        if directory {
            self.is_undone(&Realm::WorkingDirectory, op, first);
        }
    }

    /// What a call did, and a block below it, is put back where the block ends.
    fn is_undone(&mut self, realm: &Realm, op: OpId, first: usize) {
        let site = self.site(op);
        let inside = |at: usize, effect: &Effect| at >= first || effect.site == site && effect.via.is_empty();
        for (at, effect) in self.effects.iter_mut().enumerate() {
            effect.undone |= effect.on.realm() == Some(realm) && inside(at, effect);
        }
    }

    /// A function of a library that says by its name that it brings back what the library keeps: how much of it is not known.
    pub(super) fn resets(&mut self, op: OpId, name: &str) {
        let Some((package, _)) = name.split_once('.').filter(|_| self.facts.language == Language::Python) else { return };
        let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
        if last.split('_').any(|word| RESETS.contains(&word)) {
            let effect = self.new_effect(op, Verb::Write, Place::state(Realm::Library(package.into()), None));
            self.effects.push(Effect { undone: true, assured: true, ..effect });
        }
    }

    /// The same for `@patch.dict(…)` around the unit at hand.
    pub(super) fn put_back_by_marks(&mut self) {
        for mark in &self.facts.unit(self.unit).marks {
            if let Some(place) = self.patched_dict(mark.callee, &mark.args) {
                self.is_as_before(OpId::reading(mark.callee), place);
            }
        }
    }

    fn is_as_before(&mut self, op: OpId, place: Place) {
        let effect = self.new_effect(op, Verb::Write, place);
        self.effects.push(Effect { assured: true, undone: true, ..effect });
    }

    /// The table that `patch.dict(table, …)` puts back; it may be named by a text.
    fn patched_dict(&mut self, callee: V, args: &[Arg]) -> Option<Place> {
        let Value::Attr(base, name) = self.facts.value(callee) else { return None };
        let is_patch = self.facts.name(*name) == "dict" && self.facts.dotted(*base).is_some_and(|base| base.ends_with("patch"));
        let table = args.first().filter(|_| is_patch)?.value;
        if let Value::Text(text) = self.facts.value(table) {
            let text = self.facts.name(*text);
            return Some(match self.world.index.dotted(text, self.file) {
                _ if text == "os.environ" => Place::state(Realm::Environment, None),
                Some(Binding::Variable(module, name)) => self.variable_of_unit(module, &name),
                _ => Place::state(Realm::Library(text.into()), None),
            });
        }
        if is_environ(&self.value(table)) {
            return Some(Place::state(Realm::Environment, None));
        }
        self.shared_thing(table)
    }
}
