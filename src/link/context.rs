//! `with` blocks, redirections and flags: what surrounds an operation and changes what it means.

use super::eval::Eval;
use super::place::{Place, Root};
use super::summary::{Effect, Frame, Where};
use super::term::{Lock, Term};
use crate::calls::{Reach, Redirected};
use crate::facts::run::HOMES;
use crate::facts::{Arg, Block, Comparison, OpId, V, Value, What, WithItem};
use crate::text::Span;
use std::sync::Arc;

/// What is left to do when context managers are left.
#[derive(Default)]
pub(super) struct Left {
    expected: usize,
    /// The context managers, as they stand in the `with`.
    contexts: Vec<Term>,
    leave: Vec<Effect>,
    exits: Vec<(OpId, Term)>,
}

/// Words of conditions that hold when somebody asks for it.
const FLAGS: &[&str] = &[
    "update",
    "regen",
    "bless",
    "overwrite",
    "golden",
    "rewrite",
    "record_mode",
    "__main__",
    "getoption",
    "log_enabled",
    "isenabledfor",
    "is_enabled_for",
];

impl Eval<'_, '_> {
    /// `Some(true)`: what follows when the condition holds is only done when asked for; `Some(false)`: when it does not hold.
    pub(super) fn flag(&self, cond: V, term: &Term) -> Option<bool> {
        if let Some(alone) = self.alone(cond, 0) {
            return Some(alone);
        }
        if self.asks_version(cond) {
            return Some(true);
        }
        if let Some(asked) = self.asks_setting(cond) {
            return Some(asked);
        }
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

    /// What a question to a setting answers where the setting is missing, the other way round: `env::var("CLEAN").map(…).unwrap_or(false)`
    /// asks for what it leads to.
    fn asks_setting(&self, cond: V) -> Option<bool> {
        if let Value::Not(inner) = self.facts.value(cond) {
            return self.asks_setting(*inner).map(|asked| !asked);
        }
        let Value::Result(op) = self.facts.value(cond) else { return None };
        let What::Call { callee, args } = &self.facts.op(*op).what else { return None };
        let Value::Attr(base, name) = self.facts.value(*callee) else { return None };
        let mut base = *base;
        let without = match self.facts.name(*name) {
            "is_ok_and" | "is_some_and" => false,
            "is_none_or" => true,
            "unwrap_or" | "map_or" => match self.facts.value(args.first()?.value) {
                Value::Bool(answer) => *answer,
                _ => return None,
            },
            _ => return None,
        };
        // What was asked for, behind the calls that only look at it.
        for _ in 0..8 {
            let Value::Result(op) = self.facts.value(base) else { return None };
            if let Some(Term::Setting(_)) = self.results.get(op).map(Term::plain) {
                return Some(!without);
            }
            let What::Call { callee, .. } = &self.facts.op(*op).what else { return None };
            let Value::Attr(inner, _) = self.facts.value(*callee) else { return None };
            base = *inner;
        }
        None
    }

    /// Whether a condition asks for the version of a library: which one the project is installed with is not known.
    fn asks_version(&self, cond: V) -> bool {
        match self.facts.value(cond) {
            Value::Not(inner) => self.asks_version(*inner),
            Value::And(all) => all.iter().any(|one| self.asks_version(*one)),
            Value::Compare(Comparison::Less | Comparison::Greater, a, b) => {
                let (mut version, mut own) = (false, false);
                for side in [*a, *b] {
                    self.names(side, 0, &mut |name| {
                        version |= matches!(name, "__version__" | "version_info" | "VERSION");
                        own |= name == "sys";
                    });
                }
                version && !own
            }
            _ => false,
        }
    }

    fn flag_of_term(&self, term: &Term) -> Option<bool> {
        match term.plain() {
            Term::Setting(_) => Some(true),
            Term::Not(inner) => self.flag_of_term(inner).map(|flag| !flag),
            Term::Item(base, _) | Term::Field(base, _) | Term::Method(base, _) => self.flag_of_term(base),
            _ => None,
        }
    }

    /// A name that speaks of an update on demand, in the words that golden files use, or of a level of the log that is not on.
    fn flag_of_name(&self, cond: V) -> Option<bool> {
        let mut found = false;
        self.names(cond, 0, &mut |name| {
            let name = name.to_ascii_lowercase();
            found |= FLAGS.iter().any(|word| name.contains(word));
        });
        found.then_some(true)
    }

    /// `Some(true)`: a condition that holds in one process of a run only, in the words of pytest-xdist; `Some(false)`: one that does not
    /// hold there (pytest-xdist documentation, "How-tos", "Identifying the worker process during a test").
    fn alone(&self, cond: V, depth: usize) -> Option<bool> {
        if depth > 6 {
            return None;
        }
        match self.facts.value(cond) {
            Value::Not(inner) => self.alone(*inner, depth + 1).map(|alone| !alone),
            Value::And(all) | Value::Or(all) => all.iter().find_map(|one| self.alone(*one, depth + 1)),
            Value::Compare(comparison, a, b) => {
                let nothing = matches!(self.facts.value(*b), Value::Nil | Value::Bool(false));
                match (comparison, self.alone(*a, depth + 1)) {
                    // `x is None` of what only a worker has.
                    (Comparison::Is | Comparison::Equal, Some(alone)) if nothing => return Some(!alone),
                    (Comparison::IsNot | Comparison::NotEqual, Some(alone)) if nothing => return Some(alone),
                    _ => {}
                }
                let (mut left, mut right) = (false, false);
                self.names(*a, depth + 1, &mut |name| left |= names_worker(name));
                self.names(*b, depth + 1, &mut |name| right |= names_worker(name));
                match comparison {
                    // `"PYTEST_XDIST_WORKER" in os.environ`.
                    Comparison::In | Comparison::NotIn if left && matches!(self.facts.value(*a), Value::Text(_)) => {
                        Some(*comparison == Comparison::NotIn)
                    }
                    Comparison::Equal | Comparison::In if left || right => Some(true),
                    Comparison::NotEqual | Comparison::NotIn if left || right => Some(false),
                    _ => None,
                }
            }
            Value::Name(name) if self.state.stored.contains_key(name) => match &self.facts.op(self.state.stored[name]).what {
                What::Store { value, .. } => self.alone(*value, depth + 1),
                _ => None,
            },
            _ => {
                let mut found = None;
                self.names(cond, depth + 1, &mut |name| {
                    let name = name.to_ascii_lowercase();
                    if ["workerinput", "slaveinput", "xdist_worker", "is_worker"].iter().any(|word| name.contains(word)) {
                        found = Some(false);
                    } else if ["is_master", "is_controller", "xdist_master", "xdist_controller"]
                        .iter()
                        .any(|word| name.contains(word))
                    {
                        found = Some(true);
                    }
                });
                found
            }
        }
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
        let tries = self.tries.len();
        let mut left = Left::default();
        for item in items {
            let bound = self.enter(item.context, &mut left);
            if let Some((errors, span)) = self.suppresses(item.context) {
                self.caught.push("*".into());
                let around = self.suppressed(&errors, span);
                self.tries.push(around);
            }
            // The target's store is the first operation of the body.
            if let Some(target) = item.target {
                self.elements.insert(target, bound);
            }
        }
        let swallows = left.expected > 0 || self.caught.len() > caught;
        let entered = self.state.ambience.clone();
        // What the block raises is taken for success, so whatever follows may be reached from anywhere in it.
        let before = swallows.then(|| self.state.clone());
        let first = self.effects.len();
        self.expected += left.expected;
        self.block(body);
        self.expected -= left.expected;
        items.iter().for_each(|item| self.put_back(item.context, first));
        // What the block itself redirects outlives it.
        let ambience = if self.state.ambience == entered { ambience } else { self.state.ambience.clone() };
        if let Some(before) = before {
            self.merge(before);
        }
        self.caught.truncate(caught);
        self.tries.truncate(tries);
        for context in std::mem::take(&mut left.contexts) {
            self.leave_with(&context);
        }
        let dead = self.state.dead;
        self.state.dead = false;
        self.exit(left);
        self.state.dead = dead;
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
        self.assured += 1;
        for (op, object) in left.exits.into_iter().rev() {
            self.call_method(op, &object, "__exit__", &[]);
        }
        self.assured -= 1;
        self.effects.extend(left.leave);
    }

    /// Something is replaced, or a variable is set, that may decide where files of the user are: `patch("app.CACHE_DIR", …)`,
    /// `patch.dict(os.environ, …)`, `env::set_var("HOME", …)`.
    pub(super) fn replaced(&mut self, callee: V, args: &[Arg]) {
        // Most calls are told by their last name; the whole is put together for those that are not.
        let last = match self.facts.value(callee) {
            Value::Name(last) | Value::Attr(_, last) => self.facts.name(*last),
            Value::Path(path) => path.last().map_or("", |last| self.facts.name(*last)),
            _ => return,
        };
        let whole = || self.facts.dotted(callee).unwrap_or_default();
        let replaces = match last {
            "object" | "dict" | "multiple" => whole().contains("patch"),
            "update" | "setdefault" => whole().contains("environ"),
            "patch" | "setitem" | "delenv" | "set_env" => true,
            other => other.starts_with("with_var") || other.starts_with("async_with_var") || other.starts_with("set_var"),
        };
        // A helper of the project's own: `environ_patcher("HOME", …)`.
        let asks = ["get", "getenv", "var", "var_os", "pop"].contains(&last);
        let is_home = |text: &str| HOMES.iter().any(|(home, _)| *home == text);
        let named = |arg: &Arg| matches!(self.facts.value(arg.value), Value::Text(text) if is_home(self.facts.name(*text)));
        let mut leads = !asks && args.iter().any(named);
        if !(replaces || leads) || whole().is_empty() {
            return;
        }
        for arg in args.iter().filter(|_| replaces) {
            leads |= arg.name.is_some_and(|name| leads_to_files(self.facts.name(name)));
            let mut note = |name: &str| leads |= leads_to_files(name);
            match self.facts.value(arg.value) {
                Value::Dict(pairs) => pairs.iter().for_each(|(key, _)| self.names(*key, 0, &mut note)),
                _ => self.names(arg.value, 0, &mut note),
            }
        }
        if leads {
            self.state.ambience.home = Some(Where::Unknown);
        }
    }

    /// Enters a context manager: what `as` binds, and what is left for the end.
    fn enter(&mut self, context: V, left: &mut Left) -> Term {
        let term = self.value(context);
        left.contexts.push(term.clone());
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
        } else if let Some(lock) = term.plain().alternatives().iter().find_map(|one| self.lock_of(one)) {
            // `FileLock(path) if shared else nullcontext()`: it is held where it is needed.
            self.state.guards.push(lock);
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
            self.locked_by_name(context, &term);
            // What leaving it does becomes known where this unit is called, as its class does.
            if let Some(op) = op.filter(|_| term.plain().is_open()) {
                left.exits.push((op, term));
            }
        }
        bound
    }

    /// The errors that `suppress(…)` takes for success.
    fn suppresses(&self, context: V) -> Option<(Vec<V>, Span)> {
        let Value::Result(op) = self.facts.value(context) else { return None };
        let op = self.facts.op(*op);
        let What::Call { callee, args } = &op.what else { return None };
        let name = self.facts.dotted(*callee)?;
        (name == "suppress" || name.ends_with(".suppress")).then(|| (args.iter().map(|arg| arg.value).collect(), op.span))
    }

    /// A context manager or fixture that we do not know, whose name says that it may move the working directory.
    pub fn doubt(&mut self, context: V) {
        let mut doubtful = false;
        self.names(context, 0, &mut |name| {
            doubtful |= moves_directory(name) && !matches!(name, "TemporaryDirectory" | "NamedTemporaryFile" | "TemporaryFile")
        });
        if doubtful {
            self.state.ambience.cwd = Some(Where::Unknown);
            self.state.ambience.home = Some(Where::Unknown);
        }
    }

    /// The lock that a value is: of a library's class, or of a class of the project that is made from one.
    fn lock_of(&self, term: &Term) -> Option<Lock> {
        match term.plain() {
            Term::Lock(lock) => Some((**lock).clone()),
            Term::Object(object) => {
                let calls = self.world.calls(self.file);
                let mut bases = self.world.index.outside_bases(object.class);
                let reach = bases.find_map(|base| calls.get(base).and_then(|entry| entry.guard))?;
                let on =
                    object.args.first().and_then(Place::of).map_or_else(|| term.clone(), |place| Term::Path(Arc::new(place)));
                Some(Lock { reach, shared: false, on })
            }
            _ => None,
        }
    }

    /// A context manager that we do not know and whose name says that it holds a lock: it orders threads at least.
    fn locked_by_name(&mut self, context: V, term: &Term) {
        let name = match self.facts.value(context) {
            Value::Result(op) => match &self.facts.op(*op).what {
                What::Call { callee, .. } => self.facts.dotted(*callee),
                _ => None,
            },
            _ => self.facts.dotted(context),
        };
        let Some(name) = name else { return };
        if names_lock(&name) {
            let on = match self.facts.value(context) {
                Value::Result(op) => match &self.facts.op(*op).what {
                    What::Call { args, .. } => args.first().map(|arg| arg.value).map(|value| self.value(value)),
                    _ => None,
                },
                _ => None,
            };
            let on = on.unwrap_or_else(|| term.clone());
            let lock = Lock { reach: Reach::Process, shared: false, on: on.clone() };
            self.lock_opened(&on, &lock);
            self.state.guards.push(lock);
        }
    }

    /// A lock on an open file is one on what was opened, too.
    pub fn lock_opened(&mut self, on: &Term, lock: &Lock) {
        if let Term::Handle(path) = on.plain()
            && let Some(place) = Place::of(path)
        {
            for effect in self.effects.iter_mut().filter(|effect| *effect.on == place) {
                effect.guards.push(lock.clone());
            }
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

/// A dotted name whose last part says that what it names holds a lock.
pub(super) fn names_lock(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    last.split('_')
        .any(|word| matches!(word, "lock" | "locked" | "locking" | "mutex" | "flock" | "filelock" | "rwlock" | "lockfile"))
}

/// A name that says that what it names may decide where files of the user are.
pub(super) fn leads_to_files(name: &str) -> bool {
    moves_directory(name) || {
        let name = name.to_ascii_lowercase();
        ["conf", "cache", "store", "storage", "root", "file", "data", "user", "xdg", "expand", "setting"]
            .iter()
            .any(|word| name.contains(word))
    }
}

/// A name under which pytest-xdist gives the worker that a test runs in.
fn names_worker(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["worker_id", "workerid", "workerinput", "xdist_worker"].iter().any(|word| name.contains(word))
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
