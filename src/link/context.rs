//! `with` blocks, redirections and flags: what surrounds an operation and changes what it means.

use super::eval::Eval;
use super::place::{Place, Root};
use super::summary::{Effect, Frame, Where};
use super::term::Term;
use crate::calls::Redirected;
use crate::facts::{Block, OpId, V, Value, What, WithItem};

/// What is left to do when context managers are left.
#[derive(Default)]
pub(super) struct Left {
    expected: usize,
    leave: Vec<Effect>,
    exits: Vec<(OpId, Term)>,
}

impl Eval<'_, '_> {
    /// `Some(true)`: what follows when the condition holds is only done when asked for; `Some(false)`: when it does not hold.
    pub(super) fn flag(&self, cond: V, term: &Term) -> Option<bool> {
        match term.plain() {
            Term::Not(inner) => {
                return self.flag_of_term(inner).map(|flag| !flag).or_else(|| self.flag_of_name(cond).map(|flag| !flag));
            }
            Term::All(terms) => {
                return terms
                    .iter()
                    .any(|term| self.flag_of_term(term) == Some(true))
                    .then_some(true)
                    .or_else(|| self.flag_of_name(cond));
            }
            _ => {}
        }
        self.flag_of_term(term).or_else(|| self.flag_of_name(cond))
    }

    fn flag_of_term(&self, term: &Term) -> Option<bool> {
        match term.plain() {
            Term::Setting(_) => Some(true),
            Term::Not(inner) => self.flag_of_term(inner).map(|flag| !flag),
            Term::Item(base, _) | Term::Field(base, _) | Term::Method(base, _) => self.flag_of_term(base),
            _ => None,
        }
    }

    /// A name that speaks of an update on demand, in the words that golden files use.
    fn flag_of_name(&self, cond: V) -> Option<bool> {
        let mut found = false;
        self.names(cond, 0, &mut |name| {
            let name = name.to_ascii_lowercase();
            found |= [
                "update",
                "regen",
                "bless",
                "overwrite",
                "golden",
                "rewrite",
                "record_mode",
                "__main__",
                "worker_id",
                "workerinput",
            ]
            .iter()
            .any(|word| name.contains(word));
        });
        found.then_some(true)
    }

    /// All names and texts in an expression.
    pub fn names(&self, value: V, depth: usize, f: &mut dyn FnMut(&str)) {
        if depth > 8 {
            return;
        }
        match self.facts.value(value) {
            Value::Name(name) | Value::Text(name) => f(self.facts.name(*name)),
            Value::Path(path) => path.iter().for_each(|name| f(self.facts.name(*name))),
            Value::Attr(base, name) => {
                f(self.facts.name(*name));
                self.names(*base, depth + 1, f);
            }
            Value::Not(a) | Value::Star(a) => self.names(*a, depth + 1, f),
            Value::Compare(_, a, b) | Value::Binary(_, a, b) | Value::Item(a, b) => {
                self.names(*a, depth + 1, f);
                self.names(*b, depth + 1, f);
            }
            Value::And(all) | Value::Or(all) | Value::Tuple(all) | Value::List(all) => {
                all.iter().for_each(|value| self.names(*value, depth + 1, f));
            }
            Value::Result(op) => {
                if let What::Call { callee, args } = &self.facts.op(*op).what {
                    self.names(*callee, depth + 1, f);
                    args.iter().for_each(|arg| self.names(arg.value, depth + 1, f));
                }
            }
            _ => {}
        }
    }

    pub(super) fn with(&mut self, items: &[WithItem], body: &Block) {
        let guards = self.state.guards.len();
        let ambience = self.state.ambience.clone();
        let caught = self.caught.len();
        let mut left = Left::default();
        for item in items {
            let bound = self.enter(item.context, &mut left);
            if self.suppresses(item.context) {
                self.caught.push("*".into());
            }
            // The target's store is the first operation of the body.
            if let Some(target) = item.target {
                self.elements.insert(target, bound);
            }
        }
        let swallows = left.expected > 0 || self.caught.len() > caught;
        let entered = self.state.ambience.clone();
        self.expected += left.expected;
        self.block(body);
        self.expected -= left.expected;
        // What the block itself redirects outlives it.
        let ambience = if self.state.ambience == entered { ambience } else { self.state.ambience.clone() };
        self.caught.truncate(caught);
        let dead = self.state.dead;
        self.state.dead = false;
        self.exit(left);
        self.state.dead = dead && !swallows;
        self.state.guards.truncate(guards);
        self.state.ambience = ambience;
    }

    /// `stack.enter_context(cm)`, `self.enterContext(cm)`: entered here, left at the end.
    pub(super) fn enter_for_good(&mut self, context: V) -> Term {
        let mut left = Left::default();
        let bound = self.enter(context, &mut left);
        let first = self.effects.len();
        let (ambience, guards) = (self.state.ambience.clone(), self.state.guards.clone());
        self.exit(left);
        (self.state.ambience, self.state.guards) = (ambience, guards);
        self.effects[first..].iter_mut().for_each(|effect| effect.leave = true);
        bound
    }

    /// What leaving a context manager does.
    fn exit(&mut self, left: Left) {
        for (op, object) in left.exits.into_iter().rev() {
            self.call_method(op, &object, "__exit__", &[]);
        }
        self.effects.extend(left.leave);
    }

    /// Enters a context manager: what `as` binds, and what is left for the end.
    fn enter(&mut self, context: V, left: &mut Left) -> Term {
        let term = self.value(context);
        let op = match self.facts.value(context) {
            Value::Result(op) => Some(*op),
            _ => None,
        };
        let entry = op.and_then(|op| self.entries.get(&op).copied()).or_else(|| self.entry_of_type(&term));
        let mut bound = term.clone();
        if let Some(op) = op {
            let patched = self.patches(op);
            self.state.ambience.patch(patched);
        }
        if let Some(context) = op.and_then(|op| self.contexts.remove(&op)) {
            left.leave.extend(context.leave);
            if let Some(ambience) = context.ambience {
                self.state.ambience = ambience;
            }
            self.state.guards.extend(context.held);
        } else if let Term::Lock(lock) = term.plain() {
            self.state.guards.push((**lock).clone());
        } else if let Some(entry) = entry {
            left.expected += usize::from(entry.expects_failure);
            if let Some(redirected) = entry.redirects {
                let to = op.and_then(|op| self.redirected_to(entry, op));
                self.redirect(redirected, to.clone());
                if entry.enter.is_none()
                    && let Some(Where::At(place)) = to
                {
                    bound = Term::Path(place);
                }
            }
            if let Some(op) = op {
                bound = self.entered(entry, op, &term, bound);
            }
        } else if let Some(class) = self.world.class_of(term.plain()) {
            let op = op.unwrap_or(OpId(0));
            if self.world.index.method(class, "__enter__").is_some() || self.world.index.outside_bases(class).next().is_some() {
                bound = self.call_method(op, &term, "__enter__", &[]);
                if matches!(bound, Term::Unknown | Term::Opaque(_) | Term::Call(_)) {
                    bound = term.clone();
                }
                left.exits.push((op, term));
            } else {
                self.doubt(context);
            }
        } else if !matches!(term.plain(), Term::Handle(_) | Term::Path(_) | Term::Virtual) {
            self.doubt(context);
        }
        bound
    }

    fn suppresses(&self, context: V) -> bool {
        let Value::Result(op) = self.facts.value(context) else { return false };
        let What::Call { callee, .. } = &self.facts.op(*op).what else { return false };
        self.facts.dotted(*callee).is_some_and(|name| name == "suppress" || name.ends_with(".suppress"))
    }

    /// A context manager or fixture that we do not know, whose name says that it may move the working directory.
    pub fn doubt(&mut self, context: V) {
        let mut doubtful = false;
        self.names(context, 0, &mut |name| {
            doubtful |= moves_directory(name) && !matches!(name, "TemporaryDirectory" | "NamedTemporaryFile" | "TemporaryFile")
        });
        if doubtful {
            self.state.ambience.cwd = Some(Where::Unknown);
        }
    }

    pub fn redirect(&mut self, what: Redirected, to: Option<Where>) {
        // Back to where it began.
        let to = match to {
            Some(Where::At(place)) if place.root == Root::Start && place.segments.is_empty() => None,
            to => Some(to.unwrap_or(Where::Unknown)),
        };
        match what {
            Redirected::Cwd => self.state.ambience.cwd = to,
            Redirected::Home => self.state.ambience.home = to,
            Redirected::Temp => self.state.ambience.temp = to,
            Redirected::Files => self.state.ambience.in_memory = true,
            Redirected::Unknown => {
                self.state.ambience.cwd = Some(Where::Unknown);
                self.state.ambience.home = Some(Where::Unknown);
                self.state.ambience.temp = Some(Where::Unknown);
            }
        }
    }

    /// A place as it is seen from here: under the redirections in force.
    pub fn reach(&self, place: &Place) -> Option<Place> {
        let frame = Frame { world: self.world, params: Vec::new(), captured: &[], ambience: &self.state.ambience, site: None };
        let root = frame.place(
            &Place::root(match &place.root {
                root @ (Root::Cwd | Root::Home | Root::Temp) => root.clone(),
                _ => return Some(place.clone()),
            }),
            0,
        )?;
        let mut out = root;
        out.segments.extend(place.segments.iter().cloned());
        Some(out)
    }
}

/// A name that says that what it names may move the working directory or the files below it.
pub(super) fn moves_directory(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "chdir",
        "cwd",
        "dir",
        "isolat",
        "sandbox",
        "tmp",
        "temp",
        "workspace",
        "project",
        "repo",
        "pushd",
        "fs",
        "path",
        "home",
        "environ",
    ]
    .iter()
    .any(|word| name.contains(word))
}
