//! Calls: who is called, and what a unit of the project does when it is. Library knowledge comes from the tables (`give.rs`); what
//! stands here are the few calls whose meaning depends on more than their own arguments.

use super::eval::{Context, Eval};
use super::give::entry_takes_self;
use super::index::Binding;
use super::overlap::is_shared;
use super::place::{Fresh, FreshKind, Place, Root};
use super::summary::{Frame, Where};
use super::term::{ClassRef, Lock, Mix, Object, Opaque, Piece, Term, UnitRef, pieces};
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

/// Names of functions that write the file they are given, by how names begin.
const SAVES: &[&str] =
    &["save", "dump_to", "export", "store", "persist", "savefig", "imsave", "imwrite", "to_file", "write_to", "write_file"];

/// Names of functions that read it.
const LOADS: &[&str] = &["load", "from_file", "imread", "restore", "parse_file", "read_from", "read_file"];

/// Nested functions evaluated in place inside one another.
const INSIDE: usize = 4;

impl Eval<'_, '_> {
    /// Evaluates a call operation.
    pub fn call(&mut self, op: OpId, callee: V, args: &[Arg]) -> Term {
        let passed: Vec<Passed> = args
            .iter()
            .map(|arg| {
                let (value, star) = match self.facts.value(arg.value) {
                    Value::Star(inner) => (*inner, true),
                    _ => (arg.value, false),
                };
                let term = if star { Term::Unknown } else { self.value(value) };
                Passed { name: arg.name.map(|name| self.facts.name(name).into()), term, value: Some(value), star }
            })
            .collect();
        for arg in &passed {
            self.named_as_value(op, &arg.term);
        }
        self.replaced(callee, args);
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
                }
                if name == "getfixturevalue" {
                    // Which fixture it is may be a parameter, and it may go anywhere.
                    self.state.ambience.cwd = Some(Where::Unknown);
                }
                if matches!(
                    name.as_str(),
                    "ok" | "unwrap_or" | "unwrap_or_default" | "unwrap_or_else" | "is_ok" | "is_err" | "or_else"
                ) {
                    self.forgive(base);
                }
                self.call_method(op, &base_term, &name, &passed)
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
        if !matches!(path.plain(), Term::Path(_)) {
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
            // An instance that is called.
            Term::Object(_) => self.call_method(op, callee, "__call__", args),
            Term::Either(terms) => {
                let terms = terms.clone();
                self.maybe += 1;
                let results: Vec<Term> = terms.iter().map(|term| self.call_term(op, term, args)).collect();
                self.maybe -= 1;
                results.into_iter().reduce(Term::either).unwrap_or(Term::Unknown)
            }
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
                    Some(unit) => self.call_unit(op, unit, None, args),
                    None => self.unknown(op, args),
                };
            }
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
                self.state.guards.push(Lock { reach: crate::calls::Reach::Host, on: (**path).clone() });
                return recv.clone();
            }
            Term::Lock(lock) if matches!(name, "release" | "unlock" | "__exit__") => {
                self.state.guards.retain(|held| *held != **lock);
                return Term::Nil;
            }
            _ => {}
        }
        if let Some(class) = self.class_of(recv)
            && let Some(unit) = self.world.index.method(class, name)
        {
            let shape = self.world.index.file(unit.0).unit(unit.1).shape;
            let recv = (shape != Shape::StaticMethod).then(|| recv.clone());
            return self.call_unit(op, unit, recv, args);
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
                    self.told_by_name(op, name, args);
                    self.unknown(op, args)
                }
            },
        }
    }

    /// The class of this project that a receiver is an instance of.
    fn class_of(&self, recv: &Term) -> Option<ClassRef> {
        match recv {
            Term::Object(object) => Some(object.class),
            Term::Param(0) => {
                let unit = self.facts.unit(self.unit);
                let class = unit.class.filter(|_| matches!(unit.shape, Shape::Method | Shape::ClassMethod | Shape::Property))?;
                Some(self.world.index.class_of_impl((self.file, class)))
            }
            Term::Param(n) => {
                let ty = self.facts.unit(self.unit).params.get(*n as usize)?.ty?;
                match self.world.index.resolve_value(self.file, self.unit, ty)? {
                    Binding::Class(class) => Some(self.world.index.class_of_impl(class)),
                    _ => None,
                }
            }
            _ => None,
        }
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
            "setattr" | "builtins.setattr" => self.set_attribute(args),
            "super" => return Term::External("super".into()),
            "Ok" | "Some" => return args.first().map_or(Term::Nil, |arg| arg.term.clone()),
            "Err" => return Term::Unknown,
            "functools.partial" => {
                return args.first().map_or(Term::Unknown, |arg| arg.term.clone());
            }
            "os.getenv" | "os.environ.get" | "std::env::var" | "std::env::var_os" | "std::env!" | "std::option_env!" | "env!"
            | "option_env!" => {
                let Some(key) = args.first() else { return Term::Unknown };
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
                let term = self.unknown(op, args);
                // A class from outside that we have no entry for.
                let class_like =
                    name.rsplit(['.', ':']).next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_uppercase()));
                if class_like { Term::typed(site, name) } else { term }
            }
        }
    }

    /// Rust's `OpenOptions`: the flags are gathered along the chain, and decide at `open`.
    fn open_options(&mut self, op: OpId, recv: &Term, name: &str, args: &[Passed]) -> Option<Term> {
        let Term::Typed(ty, inner) = recv else { return None };
        if &**ty != "std::fs::OpenOptions" {
            return None;
        }
        let Term::List(flags) = &**inner else { return None };
        if name != "open" {
            let on = args.first().is_none_or(|arg| arg.term != Term::Bool(false));
            let mut flags = flags.to_vec();
            if on {
                flags.push(Term::text(name));
            }
            return Some(Term::Typed(ty.clone(), Arc::new(Term::List(flags.into()))));
        }
        let has = |flag: &str| flags.contains(&Term::text(flag));
        let verb = if has("create_new") {
            Verb::Create
        } else if has("append") {
            Verb::Append
        } else if has("truncate") || (has("write") && has("create") && !has("read")) {
            Verb::Write
        } else if has("write") {
            Verb::Update
        } else {
            Verb::Read
        };
        let path = args.first()?.clone();
        self.effect(op, verb, &path.term, false, None, path.value);
        Some(Term::Handle(Arc::new(path.term)))
    }

    fn construct(&mut self, op: OpId, class: ClassRef, args: &[Passed]) -> Term {
        let init = self.world.index.method(class, "__init__");
        let params = init.map(|init| self.arguments(init, Some(Term::Unknown), args)).unwrap_or_default();
        let object = Term::Object(Arc::new(Object {
            class,
            args: params.into_iter().skip(1).collect(),
            fields: Vec::new(),
            site: Some(self.site(op)),
            via: 0,
        }));
        if let Some(init) = init {
            self.call_unit(op, init, Some(object.clone()), args);
        }
        object
    }

    /// The terms of a unit's parameters for a call.
    fn arguments(&self, unit: UnitRef, recv: Option<Term>, args: &[Passed]) -> Vec<Term> {
        let params = &self.world.index.file(unit.0).unit(unit.1).params;
        let facts = self.world.index.file(unit.0);
        let mut out: Vec<Term> = vec![Term::Missing; params.len()];
        let mut next = 0;
        if let Some(recv) = recv {
            if let Some(first) = out.first_mut() {
                *first = recv;
            }
            next = 1;
        }
        let mut open = false;
        for arg in args {
            if arg.star {
                open = true;
                continue;
            }
            match &arg.name {
                Some(name) => {
                    if let Some(at) = params.iter().position(|param| facts.name(param.name) == &**name) {
                        out[at] = arg.term.clone();
                    }
                }
                None => {
                    if let (Some(slot), false) = (out.get_mut(next), open) {
                        *slot = arg.term.clone();
                    }
                    next += 1;
                }
            }
        }
        for (param, term) in params.iter().zip(&mut out) {
            if open && *term == Term::Missing {
                *term = Term::Unknown;
            }
            if matches!(param.kind, crate::facts::ParamKind::Rest | crate::facts::ParamKind::Keywords) {
                *term = Term::Unknown;
            }
        }
        out
    }

    /// Calls a unit of the project: its summary, seen from here.
    fn call_unit(&mut self, op: OpId, unit: UnitRef, recv: Option<Term>, args: &[Passed]) -> Term {
        let data = self.world.index.file(unit.0).unit(unit.1);
        let nested = unit.0 == self.file
            && data.parent.is_some_and(|parent| parent == self.unit || self.inside.contains(&parent))
            && !matches!(self.facts.unit(self.unit).shape, Shape::Module | Shape::ClassBody);
        if (nested && data.class.is_none()) || data.shape == Shape::Closure {
            if unit.0 != self.file {
                return Term::Unknown;
            }
            return self.call_in_place(op, unit, args, &[]);
        }
        let takes_self = matches!(data.shape, Shape::Method | Shape::ClassMethod | Shape::Property);
        let recv = if takes_self { recv } else { None };
        let mut params = self.arguments(unit, recv, args);
        self.world.fill_defaults(&mut params, unit);
        // What is not known of an argument is still one thing for the whole call.
        for (n, param) in params.iter_mut().enumerate().filter(|(_, param)| **param == Term::Unknown) {
            *param = Term::Opaque(Arc::new(Opaque { site: self.site(op), via: n as u64 + 1, mix: Mix::EMPTY, ty: None }));
        }
        let summary = self.world.summary(unit);
        let site = Some(self.site(op));
        let ambience = self.state.ambience.clone();
        let frame = Frame { world: self.world, params, ambience: &ambience, site };
        let is_context = data.yields && is_context_manager(self.world.index.file(unit.0), data);
        let is_generator = data.yields && !is_context;
        let mut leave = Vec::new();
        for effect in &summary.effects {
            let Some(mut effect) = frame.effect(effect) else { continue };
            let mut guards = self.state.guards.clone();
            guards.extend(effect.guards);
            effect.guards = guards;
            let mut known = self.state.known.clone();
            known.extend(effect.known);
            effect.known = known;
            effect.caught.extend(self.caught.iter().cloned());
            effect.maybe |= self.maybe > 0;
            // Inside the callee its own ways count; seen from here, ours come first.
            effect.ways.splice(0..0, self.ways.iter().copied());
            effect.expected |= self.expected > 0;
            effect.flagged |= self.is_flagged();
            effect.spread = effect.spread.max(self.spread());
            effect.once |= self.once > 0;
            let after_yield = effect.leave && is_context;
            effect.leave = self.at_yield.is_some();
            match after_yield {
                true => leave.push(effect),
                // What a unit gathers is bounded; what it has already stays, since callers hold places in it.
                false if self.effects.len() < GATHERED => self.effects.push(effect),
                false => {}
            }
        }
        let after = frame.ambience(&summary.after);
        let held: Vec<Lock> = summary.held.iter().map(|lock| frame.lock(lock)).collect();
        let gives = summary.gives.as_ref().map_or(Term::Nil, |gives| frame.term(gives, 0));
        if is_context {
            self.contexts.insert(op, Context { leave, ambience: Some(after), held });
        } else if !is_generator && !data.is_async {
            self.state.ambience = after;
            self.state.guards.extend(held);
        }
        match gives {
            Term::Unknown => Term::opaque(self.site(op), Mix::EMPTY),
            // A generator's elements are not known one by one.
            _ if is_generator => Term::opaque(self.site(op), Mix::EMPTY),
            gives => gives,
        }
    }

    fn call_closure(&mut self, op: OpId, unit: UnitRef, captured: &[(Arc<str>, Term)], args: &[Passed]) -> Term {
        if unit.0 == self.file {
            let captured = captured.to_vec();
            return self.call_in_place(op, unit, args, &captured);
        }
        Term::Unknown
    }

    /// Evaluates a nested function or closure where it is called, with the variables of its surroundings.
    fn call_in_place(&mut self, op: OpId, unit: UnitRef, args: &[Passed], captured: &[(Arc<str>, Term)]) -> Term {
        if self.inside.len() >= INSIDE || self.inside.contains(&unit.1) {
            return Term::Unknown;
        }
        let data = self.facts.unit(unit.1);
        let mut params = self.arguments(unit, None, args);
        for (param, term) in data.params.iter().zip(&mut params) {
            if *term == Term::Missing {
                *term = param.default.map_or(Term::Unknown, |default| self.value(default));
            }
        }
        let before = self.state.clone();
        let (gives, at_yield) = (self.gives.take(), self.at_yield.take());
        for (name, term) in captured {
            if let Some(sym) = self.world.index.sym(self.file, name) {
                self.state.vars.insert(sym, term.clone());
            }
        }
        for (param, term) in data.params.iter().zip(params) {
            self.state.vars.insert(param.name, term);
        }
        self.inside.push(unit.1);
        let first = self.effects.len();
        self.block(&data.body);
        self.inside.pop();
        let site = self.site(op);
        for effect in &mut self.effects[first..] {
            effect.via.insert(0, site);
        }
        let result = std::mem::replace(&mut self.gives, gives).unwrap_or(Term::Nil);
        let inner = std::mem::replace(&mut self.at_yield, at_yield);
        let ambience = self.state.ambience.clone();
        let vars = std::mem::take(&mut self.state.vars);
        self.state = before;
        if data.yields {
            let (ambience, held) = inner.unwrap_or((ambience, Vec::new()));
            self.contexts.insert(op, Context { leave: Vec::new(), ambience: Some(ambience), held });
        } else {
            self.state.ambience = ambience;
            // `nonlocal` and Rust's captured variables.
            for name in &data.globals {
                if let Some(term) = vars.get(name) {
                    self.state.vars.insert(*name, term.clone());
                }
            }
        }
        result
    }
}

/// Effects that one unit gathers from calls before the most harmful are kept.
const GATHERED: usize = 512;

/// Whether a method of a receiver that is not known can be the one that its name says: `fs.exists(path)` is no `Path.exists()`.
fn fits(entry: &crate::calls::Call, args: &[Passed]) -> bool {
    let of_self = entry.does.iter().any(|(verb, of)| {
        matches!(verb, Verb::Stat | Verb::MakeDir | Verb::Delete | Verb::DeleteTree | Verb::List)
            && of.iter().any(|name| name == "self")
    });
    !of_self || args.iter().all(|arg| arg.name.is_some() || matches!(arg.term, Term::Int(_) | Term::Bool(_) | Term::Nil))
}

/// A generator that `contextlib` makes a context manager of.
pub(super) fn is_context_manager(facts: &crate::facts::FileFacts, unit: &crate::facts::Unit) -> bool {
    unit.marks.iter().any(|mark| {
        facts.dotted(mark.callee).is_some_and(|name| {
            let last = name.rsplit('.').next().unwrap_or(&name);
            matches!(last, "contextmanager" | "asynccontextmanager")
        })
    })
}
