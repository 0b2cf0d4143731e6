//! Calls: who is called, and what a unit of the project does when it is. Library knowledge comes from the tables (`give.rs`); what
//! stands here are the few calls whose meaning depends on more than their own arguments.

use super::condition::hangs_on_call;
use super::eval::{Eval, is_injected};
use super::give::entry_takes_self;
use super::index::Binding;
use super::names::is_environ;
use super::overlap::is_shared;
use super::place::{Fresh, FreshKind, Place, Root};
use super::summary::Where;
use super::term::{Argument, ClassRef, Lock, Mix, Object, Pending, Piece, Term, pieces};
use super::values::textual;
use super::world::of_place;
use crate::calls::{Gives, Verb};
use crate::facts::{Arg, Language, OpId, Shape, V, Value};
use std::sync::Arc;

/// An argument, evaluated.
#[derive(Clone)]
pub(super) struct Passed {
    pub name: Option<Arc<str>>,
    pub term: Term,
    pub value: Option<V>,
    pub star: bool,
}

impl Passed {
    pub fn argument(&self) -> Argument {
        Argument { name: self.name.clone(), term: self.term.clone(), star: self.star }
    }

    /// An argument that stands in another unit.
    pub fn from(arg: &Argument) -> Passed {
        Passed { name: arg.name.clone(), term: arg.term.clone(), value: None, star: arg.star }
    }
}

/// Names of functions that write the file they are given, by how names begin.
const SAVES: &[&str] = &[
    "save",
    "dump_to",
    "export",
    "store",
    "persist",
    "record",
    "savefig",
    "imsave",
    "imwrite",
    "to_file",
    "write_to",
    "write_file",
];

/// Methods of unittest and `contextlib.ExitStack` that enter a context manager until the test, class or stack ends.
const ENTERS: &[&str] = &["enterContext", "enterClassContext", "enterAsyncContext", "enter_context", "enter_async_context"];

/// Names of functions that read it.
const LOADS: &[&str] = &["load", "from_file", "imread", "restore", "parse_file", "read_from", "read_file"];

impl Eval<'_, '_> {
    /// The arguments of a call.
    pub(super) fn passed(&mut self, args: &[Arg]) -> Vec<Passed> {
        args.iter().map(|arg| self.one_passed(arg.name.map(|name| self.facts.name(name)), arg.value)).collect()
    }

    /// One argument of a call or decorator. What a starred one holds is not known.
    pub(super) fn one_passed(&mut self, name: Option<&str>, value: V) -> Passed {
        let (value, star) = match self.facts.value(value) {
            Value::Star(inner) => (*inner, true),
            _ => (value, false),
        };
        let term = if star { Term::Unknown } else { self.value(value) };
        Passed { name: name.map(Into::into), term, value: Some(value), star }
    }

    /// Evaluates a call operation.
    pub fn call(&mut self, op: OpId, callee: V, args: &[Arg]) -> Term {
        let passed = self.passed(args);
        for arg in &passed {
            self.named_as_value(op, &arg.term);
        }
        if !self.entered.contains(&op) {
            // `patcher.start()`, `mocker.patch(…)`, `stack.enter_context(patch(…))`: until the test ends.
            let patched = self.patches(op);
            self.state.ambience.patch(patched);
        }
        self.replaced(callee, args);
        self.patch_state(op, callee, args);
        self.call_whole(op, callee, &passed);
        match self.facts.value(callee).clone() {
            Value::Attr(base, name) => {
                let base_term = self.value(base);
                let name = self.facts.name(name).to_owned();
                // A callable kept in an attribute.
                if let Some(term) = self.state.attrs.get(&(base_term.clone(), Arc::from(name.as_str()))).cloned() {
                    return self.call_term(op, &term, &passed);
                }
                if let Some(changed) = self.changed_path(&base_term, &name, &passed) {
                    self.store(base, changed, op);
                    return Term::Nil;
                }
                if matches!(name.as_str(), "is_err" | "unwrap_err" | "expect_err") {
                    self.expect_failure(base);
                }
                if name.starts_with("assert") {
                    self.asserted_by_call(&name, args);
                    self.asserted_whole_by_call(op, &name, args);
                }
                if name == "getfixturevalue" {
                    let fixture = passed.first().and_then(|arg| arg.term.as_literal());
                    if let Some(fixture) = fixture.filter(|_| is_injected(self.facts, self.facts.unit(self.unit))) {
                        return self.world.field(&base_term, &super::fixtures::asked(&fixture), 0);
                    }
                    // Which fixture it is may be a parameter, and it may go anywhere.
                    self.state.ambience.cwd = Some(Where::Unknown);
                }
                if ENTERS.contains(&name.as_str())
                    && let Some(context) = passed.first().and_then(|arg| arg.value)
                {
                    return self.enter_for_good(context);
                }
                if matches!(
                    name.as_str(),
                    "ok" | "unwrap_or" | "unwrap_or_default" | "unwrap_or_else" | "is_ok" | "is_err" | "or_else"
                ) {
                    self.forgive(base);
                }
                // Whether a setting is there at all.
                if let setting @ Term::Setting(_) = base_term.plain() {
                    match name.as_str() {
                        "is_ok" | "is_some" => return setting.clone(),
                        "is_err" | "is_none" => return Term::Not(Arc::new(setting.clone())),
                        _ => {}
                    }
                }
                self.mutate(op, base, &base_term, &name, &passed);
                self.changed = None;
                let gives = self.call_method(op, &base_term, &name, &passed);
                if let Some(changed) = self.changed.take() {
                    self.assign(base, &base_term, changed);
                }
                gives
            }
            _ => {
                let callee = self.value(callee);
                self.call_term(op, &callee, &passed)
            }
        }
    }

    /// A Rust `PathBuf` or `OsString` changed in place.
    fn changed_path(&mut self, path: &Term, method: &str, args: &[Passed]) -> Option<Term> {
        if self.facts.language != Language::Rust || !matches!(method, "push" | "pop" | "set_extension" | "set_file_name") {
            return None;
        }
        // Text goes on where it ends, a path goes below.
        if let (Term::Typed(ty, inner), "push", Some(arg)) = (path, method, args.first())
            && ty.starts_with("std::ffi::OsStr")
        {
            let longer = pieces([(**inner).clone(), textual(arg.term.clone())]);
            return Some(if longer == Term::Unknown { longer } else { Term::Typed(ty.clone(), Arc::new(longer)) });
        }
        let declared = matches!(path, Term::Typed(ty, _) if ty.ends_with("::PathBuf"));
        if !declared && !matches!(path.plain(), Term::Path(_)) {
            return None;
        }
        let arg = args.first().map(|arg| arg.term.clone());
        Some(match (method, arg) {
            ("push", Some(arg)) => self.join(path, &arg),
            ("pop", None) => of_place(path, |place| place.parent()),
            ("set_extension", Some(arg)) => of_place(path, |place| place.with_suffix(&arg)),
            ("set_file_name", Some(arg)) => of_place(path, |place| place.with_name(&arg)),
            _ => return None,
        })
    }

    /// A function that chooses a name without reserving it, handed on as a value.
    pub fn named_as_value(&mut self, op: OpId, term: &Term) {
        let Term::External(name) = term else { return };
        let entry = self.world.calls(self.file).get(name);
        if entry.is_some_and(|entry| matches!(entry.gives, Some(Gives::FreshName(_)))) {
            let fresh = Fresh { site: Some(self.site(op)), via: 0, kind: FreshKind::Name, in_temp: true };
            self.effect(op, Verb::Name, &Term::Path(Arc::new(Place::root(Root::Fresh(fresh)))), false, None, None);
        }
    }

    pub(super) fn call_term(&mut self, op: OpId, callee: &Term, args: &[Passed]) -> Term {
        match callee {
            Term::External(name) => self.call_outside(op, name, None, args),
            Term::Function(unit) => self.call_unit(op, *unit, None, args),
            Term::Bound(unit, recv) => self.call_unit(op, *unit, Some((**recv).clone()), args),
            Term::Closure(unit, captured) => self.call_closure(op, *unit, captured, args),
            Term::Class(class) => self.construct(op, *class, args),
            Term::Method(recv, name) => self.call_method(op, recv, name, args),
            Term::Partial(first) => {
                let args: Vec<Passed> = first.args.iter().map(Passed::from).chain(args.iter().cloned()).collect();
                self.call_term(op, &first.callee, &args)
            }
            // An instance that is called.
            Term::Object(_) => self.call_method(op, callee, "__call__", args),
            Term::Either(terms) => {
                let terms = terms.clone();
                self.maybe += 1;
                let results: Vec<Term> = terms.iter().map(|term| self.call_term(op, term, args)).collect();
                self.maybe -= 1;
                results.into_iter().reduce(Term::either).unwrap_or(Term::Unknown)
            }
            _ if callee.plain().is_open() => self.defer(op, callee.plain().clone(), args),
            _ => self.unknown(op, args),
        }
    }

    /// A call that we cannot resolve, by a name that says that it saves to or loads from the file it is given.
    fn told_by_name(&mut self, op: OpId, name: &str, args: &[Passed]) {
        let name = name.rsplit(['.', ':']).next().unwrap_or(name);
        let verb = if SAVES.iter().any(|save| name == *save || name.strip_prefix(save).is_some_and(|rest| rest.starts_with('_')))
        {
            Verb::Write
        } else if LOADS.iter().any(|load| name == *load || name.strip_prefix(load).is_some_and(|rest| rest.starts_with('_'))) {
            Verb::Read
        } else {
            return;
        };
        for arg in args.iter().take(3) {
            // A relative name may be relative to the receiver, or be none; a name in the temp directory is what it says.
            let Some(place) = Place::of(&arg.term) else { continue };
            if place.root == Root::Temp && is_shared(&place) && matches!(arg.term.plain(), Term::Text(_) | Term::Path(_)) {
                self.calling = name.into();
                self.maybe += 1;
                self.effect(op, verb, &arg.term, false, None, arg.value);
                self.maybe -= 1;
                return;
            }
        }
    }

    /// A call of something that we do not know.
    fn unknown(&mut self, op: OpId, args: &[Passed]) -> Term {
        if self.facts.language == Language::Rust {
            // Closures handed to a function are run by it, as a rule.
            self.run_closures(op, args);
        }
        if args.iter().any(|arg| arg.term == Term::Unknown && arg.star) {
            return Term::opaque(self.site(op), Mix::EMPTY);
        }
        Term::opaque(self.site(op), Mix::EMPTY)
    }

    pub(super) fn run_closures(&mut self, op: OpId, args: &[Passed]) {
        for arg in args {
            if let Term::Function((file, unit)) = &arg.term
                && *file == self.file
                && self.facts.unit(*unit).shape == Shape::Closure
            {
                self.maybe += 1;
                self.call_unit(op, (*file, *unit), None, &[]);
                self.maybe -= 1;
            }
        }
    }

    pub fn call_method(&mut self, op: OpId, recv: &Term, name: &str, args: &[Passed]) -> Term {
        let separator = match self.facts.language {
            Language::Python => ".",
            Language::Rust => "::",
        };
        if is_environ(recv) {
            self.change_environment(op, name, args);
        }
        match recv {
            Term::External(module) if &**module == "super" => return self.call_super(op, name, args),
            Term::External(module) => {
                let full = format!("{module}{separator}{name}");
                return self.call_outside(op, &full, None, args);
            }
            Term::Module(module) => {
                return match self.world.index.in_module(*module, name, 0) {
                    Some(binding) => {
                        let term = self.bound(binding);
                        self.call_term(op, &term, args)
                    }
                    None => self.unknown(op, args),
                };
            }
            Term::Class(class) => {
                let class = *class;
                return match self.world.index.method(class, name) {
                    Some(unit) if self.world.index.file(unit.0).unit(unit.1).shape == Shape::ClassMethod => {
                        self.call_unit(op, unit, Some(recv.clone()), args)
                    }
                    // The only value of a unit struct.
                    Some(unit) if self.facts.language == Language::Rust => {
                        let object = Object { class, args: Vec::new(), fields: Vec::new(), site: None, via: 0 };
                        self.call_unit(op, unit, Some(Term::Object(Arc::new(object))), args)
                    }
                    Some(unit) => self.call_unit(op, unit, None, args),
                    None => self.unknown(op, args),
                };
            }
            Term::Int(number) if name == "to_string" => return Term::text(&number.to_string()),
            Term::Either(terms) => {
                let terms = terms.clone();
                self.maybe += 1;
                let first = self.effects.len();
                let results: Vec<Term> = terms.iter().map(|term| self.call_method(op, term, name, args)).collect();
                self.maybe -= 1;
                // As where the alternatives are an argument.
                if terms.iter().all(|term| matches!(term.plain(), Term::Path(_) | Term::Text(_))) {
                    self.effects.iter_mut().skip(first).for_each(|effect| effect.one_of = true);
                }
                return results.into_iter().reduce(Term::either).unwrap_or(Term::Unknown);
            }
            Term::Lock(lock)
                if matches!(
                    name,
                    "acquire" | "lock" | "__enter__" | "lock_exclusive" | "try_lock_exclusive" | "write" | "read"
                ) =>
            {
                self.state.guards.push((**lock).clone());
                return recv.clone();
            }
            // `File::lock` (The Rust Standard Library) and its like in `fs4` and `fd-lock`: held as long as the file is open.
            Term::Handle(path) if matches!(name, "lock" | "lock_exclusive" | "try_lock" | "try_lock_exclusive") => {
                self.state.guards.push(Lock { reach: crate::calls::Reach::Host, shared: false, on: (**path).clone() });
                return recv.clone();
            }
            Term::Lock(lock) if matches!(name, "release" | "unlock" | "__exit__") => {
                self.state.guards.retain(|held| *held != **lock);
                return Term::Nil;
            }
            _ => {}
        }
        if let Some(callable) = kept_field(recv, name) {
            let callable = callable.clone();
            return self.call_term(op, &callable, args);
        }
        if let Some(class) = self.class_of(recv)
            && let Some(unit) = self.world.index.method(class, name)
        {
            self.take_own_lock(class, recv, name);
            let shape = self.world.index.file(unit.0).unit(unit.1).shape;
            let recv = (shape != Shape::StaticMethod).then(|| recv.clone());
            let gives = self.call_unit(op, unit, recv, args);
            self.registered(op, name, args);
            return gives;
        }
        if let Some(gives) = self.open_options(op, recv, name, args) {
            return gives;
        }
        let calls = self.world.calls(self.file);
        let types = self.world.types_of(recv);
        // `text.replace(a, b)` of what may be a path or a text.
        let types: Vec<Arc<str>> = if name == "replace" && args.len() >= 2 { vec!["builtins.str".into()] } else { types };
        let found = types.iter().find_map(|ty| Some((calls.method(ty, separator, name)?, format!("{ty}{separator}{name}"))));
        let found = found.or_else(|| {
            let known = matches!(recv.plain(), Term::Virtual | Term::Nil | Term::Int(_) | Term::Bool(_) | Term::Check(..));
            if known {
                None
            } else {
                Some((calls.get(&format!(".{name}")).filter(|entry| fits(entry, args))?, format!(".{name}")))
            }
        });
        match found {
            Some((entry, key)) => self.apply(op, entry, &key, Some(recv.clone()), args),
            None => match recv.plain() {
                Term::Virtual => Term::Virtual,
                // A method of a text or number that we do not know depends on it and on its arguments.
                Term::Opaque(opaque) if !opaque.mix.is_empty() => Term::Derived(Arc::from([recv.clone()])),
                Term::Text(_) | Term::Derived(_) => {
                    if args.iter().any(|arg| arg.term == Term::Unknown) {
                        Term::Unknown
                    } else {
                        let mut parts = vec![recv.clone()];
                        parts.extend(args.iter().map(|arg| arg.term.clone()));
                        Term::Derived(parts.into())
                    }
                }
                _ => {
                    if let Some(callable) = self.callable_field(recv, name) {
                        return self.call_term(op, &callable, args);
                    }
                    self.told_by_name(op, name, args);
                    // What it is called on becomes known where this unit is called.
                    let ours = *recv == Term::Param(0) || self.world.index.has_method(name);
                    if recv.is_open() && ours {
                        return self.defer(op, Term::Method(Arc::new(recv.clone()), name.into()), args);
                    }
                    self.unknown(op, args)
                }
            },
        }
    }

    /// The class of this project that a receiver is an instance of.
    pub(super) fn class_of(&self, recv: &Term) -> Option<ClassRef> {
        match recv {
            Term::Changed(base, _) => self.class_of(base),
            Term::Param(0) => {
                let unit = self.facts.unit(self.unit);
                let class = unit.class.filter(|_| matches!(unit.shape, Shape::Method | Shape::ClassMethod | Shape::Property))?;
                // In a trait, the receiver is of a type that implements it.
                Some(self.world.index.class_of_impl((self.file, class))).filter(|class| !self.world.index.is_trait(*class))
            }
            Term::Param(n) => {
                let ty = self.facts.unit(self.unit).params.get(*n as usize)?.ty?;
                match self.world.index.resolve_value(self.file, self.unit, ty)? {
                    Binding::Class(class) => Some(self.world.index.class_of_impl(class)),
                    _ => None,
                }
            }
            _ => self.world.class_of(recv),
        }
    }

    /// A callable that a constructor or set-up stored in a field.
    fn callable_field(&self, recv: &Term, name: &str) -> Option<Term> {
        self.world.class_of(recv)?;
        Some(self.world.field(recv, &name.into(), 0)).filter(is_callable)
    }

    fn call_super(&mut self, op: OpId, name: &str, args: &[Passed]) -> Term {
        let Some(class) = self.facts.unit(self.unit).class else { return Term::Unknown };
        let this = Term::Param(0);
        if let Some(unit) = self.world.index.inherited_method((self.file, class), name) {
            return self.call_unit(op, unit, Some(this), args);
        }
        let outside: Vec<Arc<str>> = self.world.index.outside_bases((self.file, class)).cloned().collect();
        let calls = self.world.calls(self.file);
        for base in outside {
            if let Some(entry) = calls.method(&base, ".", name) {
                return self.apply(op, entry, &format!("{base}.{name}"), Some(this), args);
            }
        }
        Term::Unknown
    }

    /// `super()` and the calls of names from outside the project.
    fn call_outside(&mut self, op: OpId, name: &str, recv: Option<Term>, args: &[Passed]) -> Term {
        let site = self.site(op);
        match name {
            "setattr" | "builtins.setattr" => {
                self.change_attribute(op, Verb::Write, args);
                self.set_attribute(args);
            }
            "delattr" | "builtins.delattr" => self.change_attribute(op, Verb::Delete, args),
            "operator.setitem" => self.change_item(op, Verb::Write, args),
            "operator.delitem" => self.change_item(op, Verb::Delete, args),
            "super" => return Term::External("super".into()),
            "Ok" | "Some" => return args.first().map_or(Term::Nil, |arg| arg.term.clone()),
            "Err" => return Term::Unknown,
            "functools.partial" => {
                let Some((callee, args)) = args.split_first() else { return Term::Unknown };
                let args = args.iter().map(|arg| self.argument(arg)).collect();
                let callee = self.argument(callee).term;
                return Term::Partial(Arc::new(Pending::new(callee, args, site)));
            }
            "os.getenv" | "os.environ.get" | "std::env::var" | "std::env::var_os" | "std::env!" | "std::option_env!" | "env!"
            | "option_env!" => {
                let Some(key) = args.first() else { return Term::Unknown };
                self.read_variable(&key.term);
                let setting = self.setting(&key.term.clone());
                if matches!(key.term.as_literal().as_deref(), Some("CARGO_TARGET_TMPDIR" | "OUT_DIR")) {
                    // Shared by all tests of the package, and often believed private.
                    let mut place = Place::root(Root::Project);
                    place.segments.push(vec![Piece::Lit("target".into())]);
                    place.segments.push(vec![Piece::Lit("tmp".into())]);
                    return Term::Path(Arc::new(place));
                }
                return match (setting, args.get(1)) {
                    (Term::Setting(name), Some(default)) if default.term != Term::Nil => {
                        Term::either(Term::Setting(name), default.term.clone())
                    }
                    (setting, _) => setting,
                };
            }
            "os.open" => {
                if let Some(path) = args.first() {
                    let mut flags = Vec::new();
                    if let Some(value) = args.get(1).and_then(|arg| arg.value) {
                        self.names(value, 0, &mut |name| flags.push(name.to_owned()));
                    }
                    let has = |flag: &str| flags.iter().any(|one| one == flag);
                    let verb = if has("O_EXCL") {
                        Verb::Create
                    } else if has("O_APPEND") {
                        Verb::Append
                    } else if has("O_TRUNC") || (has("O_CREAT") && !has("O_RDWR")) {
                        Verb::Write
                    } else if has("O_WRONLY") || has("O_RDWR") {
                        Verb::Update
                    } else {
                        Verb::Read
                    };
                    let path = path.clone();
                    self.effect(op, verb, &path.term, false, None, path.value);
                    return Term::Handle(Arc::new(path.term));
                }
            }
            "std::fs::OpenOptions::new"
            | "tokio::fs::OpenOptions::new"
            | "fs_err::OpenOptions::new"
            | "std::fs::File::options"
            | "async_std::fs::OpenOptions::new"
            | "fs_err::tokio::OpenOptions::new"
            | "fs_err::File::options" => {
                return Term::Typed("std::fs::OpenOptions".into(), Arc::new(Term::List(Arc::from([]))));
            }
            _ => {}
        }
        let calls = self.world.calls(self.file);
        let found = calls.get(name).map(|entry| (entry, name.to_owned())).or_else(|| {
            // `module.Class.method` or `Type::method` of a type that behaves as another.
            let (ty, method, separator) = match name.rsplit_once("::") {
                Some((ty, method)) => (ty, method, "::"),
                None => name.rsplit_once('.').map(|(ty, method)| (ty, method, "."))?,
            };
            Some((calls.method(ty, separator, method)?, name.to_owned()))
        });
        match found {
            Some((entry, key)) => {
                // `Path::exists(p)`, `Path.write_text(p, x)`: the receiver is the first argument.
                if recv.is_none() && entry_takes_self(entry) && !args.is_empty() {
                    let recv = args[0].term.clone();
                    return self.apply(op, entry, &key, Some(recv), &args[1..]);
                }
                self.apply(op, entry, &key, recv, args)
            }
            None => {
                if name.rsplit(['.', ':']).next().is_some_and(|last| last.ends_with('!')) {
                    // A macro that formats gives its text.
                    return args.first().map_or(Term::Nil, |arg| arg.term.clone());
                }
                self.told_by_name(op, name, args);
                self.resets(op, name);
                let term = self.unknown(op, args);
                // A class from outside that we have no entry for.
                let class_like =
                    name.rsplit(['.', ':']).next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_uppercase()));
                if class_like { Term::typed(site, name) } else { term }
            }
        }
    }

    /// Rust's `OpenOptions`: the flags are gathered along the chain, and decide at `open`. A flag that hangs on what the unit is called
    /// with is decided by its caller.
    fn open_options(&mut self, op: OpId, recv: &Term, name: &str, args: &[Passed]) -> Option<Term> {
        let Term::Typed(ty, inner) = recv else { return None };
        if &**ty != "std::fs::OpenOptions" {
            return None;
        }
        let Term::List(flags) = &**inner else { return None };
        if name != "open" {
            let mut flags = flags.to_vec();
            match args.first().map(|arg| &arg.term) {
                Some(Term::Bool(false)) => {}
                Some(asked) if hangs_on_call(asked) => flags.push(Term::Typed(name.into(), Arc::new(asked.clone()))),
                _ => flags.push(Term::text(name)),
            }
            return Some(Term::Typed(ty.clone(), Arc::new(Term::List(flags.into()))));
        }
        let path = args.first()?.clone();
        let asked = flags.iter().find_map(|flag| match flag {
            Term::Typed(_, asked) => Some((**asked).clone()),
            _ => None,
        });
        match asked {
            None => self.effect(op, verb_of(flags, None), &path.term, false, None, path.value),
            Some(asked) => {
                for answer in [true, false] {
                    let given = self.state.when.len();
                    self.given(&asked, answer);
                    self.effect(op, verb_of(flags, Some((&asked, answer))), &path.term, false, None, path.value);
                    self.state.when.truncate(given);
                }
            }
        }
        Some(Term::Handle(Arc::new(path.term)))
    }
}

/// What opening with these flags does (The Rust Standard Library, "OpenOptions"), where a question that one of them hangs on is answered so.
fn verb_of(flags: &[Term], answer: Option<(&Term, bool)>) -> Verb {
    let holds = |asked: &Term| match (asked, answer) {
        (asked, Some((known, answer))) if asked == known => answer,
        (Term::Not(inner), Some((known, answer))) if **inner == *known => !answer,
        _ => true,
    };
    let has = |name: &str| {
        flags.iter().any(|flag| match flag {
            Term::Typed(flag, asked) => &**flag == name && holds(asked),
            flag => *flag == Term::text(name),
        })
    };
    if has("create_new") {
        Verb::Create
    } else if has("append") {
        Verb::Append
    } else if has("truncate") || (has("write") && has("create") && !has("read")) {
        Verb::Write
    } else if has("write") {
        Verb::Update
    } else {
        Verb::Read
    }
}

/// What was put into a field of an object by hand.
fn kept_field<'t>(recv: &'t Term, name: &str) -> Option<&'t Term> {
    let fields: &[(Arc<str>, Term)] = match recv {
        Term::Object(object) => &object.fields,
        Term::Changed(_, fields) => fields,
        _ => return None,
    };
    fields.iter().find(|(field, _)| &**field == name).map(|(_, term)| term)
}

/// Whether a value can be called, and it is known what then happens.
pub(super) fn is_callable(term: &Term) -> bool {
    matches!(
        term,
        Term::Function(_)
            | Term::Bound(..)
            | Term::Closure(..)
            | Term::Class(_)
            | Term::External(_)
            | Term::Method(..)
            | Term::Partial(_)
    )
}

/// Whether a method of a receiver that is not known can be the one that its name says: `fs.exists(path)` is no `Path.exists()`.
fn fits(entry: &crate::calls::Call, args: &[Passed]) -> bool {
    let of_self = entry.does.iter().any(|(verb, of)| {
        matches!(verb, Verb::Stat | Verb::MakeDir | Verb::Delete | Verb::DeleteTree | Verb::List)
            && of.iter().any(|name| name == "self")
    });
    !of_self || args.iter().all(|arg| arg.name.is_some() || matches!(arg.term, Term::Int(_) | Term::Bool(_) | Term::Nil))
}
