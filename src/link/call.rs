//! Names and calls: what a callee is, and what calling it does and gives. Library knowledge comes from the tables; what stands here are
//! the few calls whose meaning depends on more than their own arguments.

use super::eval::{Context, Eval, moves_directory, textual};
use super::index::Binding;
use super::place::{Fresh, FreshKind, Place, Root};
use super::summary::{Frame, Where};
use super::term::{ClassRef, Lock, Mix, Object, Opaque, Piece, Site, Term, UnitRef, pieces};
use super::world::{of_place, typed};
use crate::calls::{Call, Discriminator, Flag, Gives, How, Lifetime, Verb};
use crate::facts::{Arg, Language, OpId, Shape, Sym, V, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The arguments of one call by parameter name, as a table entry names them.
struct Given {
    recv: Option<Term>,
    named: HashMap<String, (Term, Option<V>)>,
    positional: Vec<Term>,
}

impl Given {
    fn get(&self, name: &str) -> Option<&Term> {
        match name {
            "self" => self.recv.as_ref(),
            name => self.named.get(name).map(|(term, _)| term),
        }
    }

    fn value(&self, name: &str) -> Option<V> {
        self.named.get(name).and_then(|(_, value)| *value)
    }
}

/// An argument, evaluated.
#[derive(Clone)]
pub(super) struct Passed {
    pub name: Option<Arc<str>>,
    pub term: Term,
    pub value: Option<V>,
    pub star: bool,
}

/// Nested functions evaluated in place inside one another.
const INSIDE: usize = 4;

impl Eval<'_, '_> {
    pub fn name(&mut self, name: Sym) -> Term {
        if let Some(term) = self.state.vars.get(&name) {
            return term.clone();
        }
        let text = self.facts.name(name);
        match self.world.index.resolve(self.file, self.unit, name) {
            Some(binding) => self.bound(binding),
            None => match (self.facts.language, text) {
                (Language::Python, "__file__") => self.this_file(),
                (Language::Python, "__name__") => Term::Setting("__name__".into()),
                (Language::Python, "super") => Term::External("super".into()),
                (Language::Python, _) => match self.world.calls(self.file).get(&format!("builtins.{text}")) {
                    Some(_) => Term::External(format!("builtins.{text}").into()),
                    // A name that a star import brings, or a builtin without effects.
                    None => Term::Unknown,
                },
                (Language::Rust, "Self") => match self.facts.unit(self.unit).class {
                    Some(class) => Term::Class(self.world.index.class_of_impl((self.file, class))),
                    None => Term::Unknown,
                },
                (Language::Rust, _) => Term::External(prelude(text).into()),
            },
        }
    }

    /// The path of this file.
    fn this_file(&self) -> Term {
        let path = self.world.index.path(self.file);
        let mut place = Place::root(Root::Project);
        place.segments.extend(path.split('/').map(|part| vec![Piece::Lit(part.into())]));
        Term::Path(Arc::new(place))
    }

    /// The folder of the crate that this file belongs to.
    fn crate_folder(&self) -> Term {
        let path = self.world.index.path(self.file);
        let dir = self.world.setup.crate_of(path).map_or("", |package| package.dir.as_str());
        let mut place = Place::root(Root::Project);
        place.segments.extend(dir.split('/').filter(|part| !part.is_empty()).map(|part| vec![Piece::Lit(part.into())]));
        Term::Path(Arc::new(place))
    }

    fn bound(&mut self, binding: Binding) -> Term {
        match binding {
            Binding::Function(unit) => Term::Function(unit),
            Binding::Class(class) => Term::Class(self.world.index.class_of_impl(class)),
            Binding::Module(module) => Term::Module(module),
            Binding::Variable(module, name) => {
                if module == (self.file, self.unit) {
                    return Term::Unknown;
                }
                match self.world.variable(module, &name) {
                    // A variable whose content is not known is still the same variable.
                    Term::Unknown => Term::Field(Arc::new(Term::Module(module)), name),
                    term => term,
                }
            }
            Binding::External(name) => self.external(&name),
        }
    }

    fn external(&mut self, name: &str) -> Term {
        let calls = self.world.calls(self.file);
        if let Some(entry) = calls.get(name).filter(|entry| entry.attr) {
            let given = Given { recv: None, named: HashMap::new(), positional: Vec::new() };
            let site = Site { file: self.file, op: OpId(u32::MAX) };
            return self.gives(entry, name, &given, site);
        }
        Term::External(name.into())
    }

    pub fn path(&mut self, path: &[Sym]) -> Term {
        let parts: Vec<&str> = path.iter().map(|part| self.facts.name(*part)).collect();
        if parts.first() == Some(&"Self") {
            if let Some(class) = self.facts.unit(self.unit).class {
                let class = self.world.index.class_of_impl((self.file, class));
                return match parts.as_slice() {
                    [_, method] => self.member(class, method),
                    _ => Term::Unknown,
                };
            }
        }
        // A name bound in this unit's own `use` lines, else the module's.
        let first = path[0];
        let start = self.world.index.resolve(self.file, self.unit, first);
        let binding = match start {
            Some(Binding::Class(class)) if parts.len() == 2 => {
                return self.member(self.world.index.class_of_impl(class), parts[1]);
            }
            Some(Binding::External(name)) => {
                let mut full = name.to_string();
                for part in &parts[1..] {
                    full.push_str("::");
                    full.push_str(part);
                }
                return self.external(&full);
            }
            _ => self.world.index.rust_path(self.file, self.world.index.module_of(self.file, self.unit), &parts, 0),
        };
        match binding {
            Some(Binding::External(name)) => {
                let (first, rest) = name.split_once("::").unwrap_or((&name, ""));
                let full = if rest.is_empty() { prelude(first).to_owned() } else { format!("{}::{rest}", prelude(first)) };
                self.external(&full)
            }
            Some(binding) => self.bound(binding),
            None => Term::Unknown,
        }
    }

    fn member(&mut self, class: ClassRef, name: &str) -> Term {
        match self.world.index.method(class, name) {
            Some(unit) => Term::Function(unit),
            None => Term::Field(Arc::new(Term::Class(class)), name.into()),
        }
    }

    /// The class that `Self` or a plain name means inside an `impl`.
    pub fn own_class(&self, ty: V) -> Option<ClassRef> {
        match self.facts.value(ty) {
            Value::Name(name) if self.facts.name(*name) == "Self" => {
                let class = self.facts.unit(self.unit).class?;
                Some(self.world.index.class_of_impl((self.file, class)))
            }
            _ => None,
        }
    }

    /// The outside name of a declared type: `Path`, `Optional[Path]`, `&TempDir`, `tmp_path: pathlib.Path`.
    pub fn type_name(&mut self, ty: V) -> Option<Arc<str>> {
        match self.facts.value(ty).clone() {
            Value::Name(_) | Value::Attr(..) | Value::Path(_) => match self.value(ty) {
                Term::External(name) if self.facts.language == Language::Rust || name.contains('.') => Some(name),
                _ => None,
            },
            Value::Item(base, inner) => {
                let base = self.facts.dotted(base)?;
                let base = base.rsplit(['.', ':']).next().unwrap_or(&base).to_owned();
                match base.as_str() {
                    "Optional" | "Annotated" | "Box" | "Rc" | "Arc" | "Cow" | "Final" | "ClassVar" => self.type_name(inner),
                    "Union" => match self.facts.value(inner).clone() {
                        Value::Tuple(all) => all.iter().find_map(|one| self.type_name(*one)),
                        _ => self.type_name(inner),
                    },
                    _ => None,
                }
            }
            // `Path | None`, `str | Path`.
            Value::Binary(_, a, b) => self.type_name(a).or_else(|| self.type_name(b)),
            // An annotation in quotes.
            Value::Text(text) => {
                let text = self.facts.name(text);
                text.contains("Path").then(|| "pathlib.Path".into())
            }
            _ => None,
        }
    }

    pub fn attribute(&mut self, base: V, name: Sym) -> Term {
        let text: Arc<str> = self.facts.name(name).into();
        let base = self.value(base);
        if let Some(term) = self.state.attrs.get(&(base.clone(), text.clone())) {
            return term.clone();
        }
        match &base {
            Term::External(module) => {
                let full = format!("{module}.{text}");
                self.external(&full)
            }
            Term::Module(module) => match self.world.index.in_module(*module, &text, 0) {
                Some(binding) => self.bound(binding),
                None => Term::Field(Arc::new(base), text),
            },
            Term::Class(class) => match self.world.class_variable(*class, &text) {
                Some(term) => term,
                None => match self.world.index.method(*class, &text) {
                    Some(unit) => Term::Bound(unit, Arc::new(base)),
                    None => Term::Field(Arc::new(base), text),
                },
            },
            Term::Param(0) if self.facts.unit(self.unit).class.is_some() => self.own_attribute(&base, text),
            Term::Unknown => Term::Unknown,
            _ => self.world.field(&base, &text, 0),
        }
    }

    /// `self.name` inside a method: a method or property is the class's own; a field keeps its identity until the receiver is known.
    fn own_attribute(&mut self, base: &Term, name: Arc<str>) -> Term {
        let Some(class) = self.facts.unit(self.unit).class else { return Term::Unknown };
        let class = self.world.index.class_of_impl((self.file, class));
        if let Some(method) = self.world.index.method(class, &name) {
            if self.world.index.file(method.0).unit(method.1).shape != Shape::Property {
                return Term::Bound(method, Arc::new(base.clone()));
            }
            if let Some(gives) = self.world.summary(method).gives.clone() {
                let frame = Frame { world: self.world, params: vec![base.clone()], ambience: &self.state.ambience, site: None };
                return frame.term(&gives, 0);
            }
        }
        // `self` of a class that is a temp directory itself.
        for base in self.world.index.outside_bases(class) {
            if base.starts_with("tempfile.") && &*name == "name" {
                return Term::Field(Arc::new(Term::Param(0)), name);
            }
        }
        let ty = self.field_type(class, &name);
        let field = Term::Field(Arc::new(base.clone()), name);
        match ty {
            Some(ty) => Term::Typed(ty, Arc::new(field)),
            None => field,
        }
    }

    /// The declared type of a field of a class of this file.
    fn field_type(&mut self, class: ClassRef, name: &str) -> Option<Arc<str>> {
        if class.0 != self.file {
            return None;
        }
        let fields = &self.facts.class(class.1).fields;
        let ty = fields.iter().find(|(field, _)| self.facts.name(*field) == name).and_then(|(_, ty)| *ty)?;
        self.type_name(ty)
    }

    pub fn item(&mut self, base: V, key: V) -> Term {
        let base = self.value(base);
        let key = self.value(key);
        match (base.plain(), &key) {
            (Term::External(name), _) if &**name == "os.environ" => self.setting(&key),
            (Term::List(terms), Term::Int(n)) => {
                let n = if *n < 0 { terms.len() as i64 + n } else { *n };
                usize::try_from(n).ok().and_then(|n| terms.get(n).cloned()).unwrap_or(Term::Unknown)
            }
            // `mkstemp()[1]`.
            (Term::Path(_), Term::Int(1)) => base,
            // `path.parents[n]`.
            (Term::Field(inner, name), Term::Int(n)) if &**name == "parents" => {
                let mut place = Place::of(inner);
                for _ in 0..=*n {
                    place = place.and_then(|place| place.parent());
                }
                place.map_or(Term::Unknown, |place| Term::Typed("pathlib.Path".into(), Arc::new(Term::Path(Arc::new(place)))))
            }
            (Term::Unknown, _) | (_, Term::Unknown) => Term::Unknown,
            _ => Term::Item(Arc::new(base), Arc::new(key)),
        }
    }

    /// An environment variable: those that name a worker or a run are discriminators.
    fn setting(&self, key: &Term) -> Term {
        let Some(key) = key.as_literal() else { return Term::Unknown };
        let site = Site { file: self.file, op: OpId(u32::MAX) };
        let mix = match key.as_str() {
            "PYTEST_XDIST_WORKER" => Discriminator::Worker,
            "PYTEST_XDIST_TESTRUNUID" | "NEXTEST_RUN_ID" => Discriminator::Run,
            "NEXTEST_TEST_GLOBAL_SLOT" => Discriminator::Slot,
            "PYTEST_CURRENT_TEST" => Discriminator::Test,
            "CARGO_MANIFEST_DIR" => return self.crate_folder(),
            _ => return Term::Setting(key.into()),
        };
        Term::opaque(site, Mix::of(mix))
    }

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
        match self.facts.value(callee).clone() {
            Value::Attr(base, name) => {
                let base_term = self.value(base);
                let name = self.facts.name(name).to_owned();
                // A callable kept in an attribute.
                if let Some(term) = self.state.attrs.get(&(base_term.clone(), Arc::from(name.as_str()))).cloned() {
                    return self.call_term(op, &term, &passed);
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

    /// A function that chooses a name without reserving it, handed on as a value.
    pub fn named_as_value(&mut self, op: OpId, term: &Term) {
        let Term::External(name) = term else { return };
        let entry = self.world.calls(self.file).get(name);
        if entry.is_some_and(|entry| matches!(entry.gives, Some(Gives::FreshName(_)))) {
            let fresh = Fresh { site: Some(self.site(op)), via: 0, kind: FreshKind::Name };
            self.effect(op, Verb::Name, &Term::Path(Arc::new(Place::root(Root::Fresh(fresh)))), false, None, None);
        }
    }

    fn call_term(&mut self, op: OpId, callee: &Term, args: &[Passed]) -> Term {
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

    fn run_closures(&mut self, op: OpId, args: &[Passed]) {
        for arg in args {
            if let Term::Function((file, unit)) = &arg.term {
                if *file == self.file && self.facts.unit(*unit).shape == Shape::Closure {
                    self.maybe += 1;
                    self.call_unit(op, (*file, *unit), None, &[]);
                    self.maybe -= 1;
                }
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
                let results: Vec<Term> = terms.iter().map(|term| self.call_method(op, term, name, args)).collect();
                self.maybe -= 1;
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
            Term::Lock(lock) if matches!(name, "release" | "unlock" | "__exit__") => {
                self.state.guards.retain(|held| *held != **lock);
                return Term::Nil;
            }
            _ => {}
        }
        if let Some(class) = self.class_of(recv) {
            if let Some(unit) = self.world.index.method(class, name) {
                let shape = self.world.index.file(unit.0).unit(unit.1).shape;
                let recv = (shape != Shape::StaticMethod).then(|| recv.clone());
                return self.call_unit(op, unit, recv, args);
            }
        }
        if let Some(gives) = self.open_options(op, recv, name, args) {
            return gives;
        }
        let calls = self.world.calls(self.file);
        let types = self.world.types_of(recv);
        let found = types.iter().find_map(|ty| Some((calls.method(ty, separator, name)?, format!("{ty}{separator}{name}"))));
        let found = found.or_else(|| {
            let known = matches!(recv.plain(), Term::Virtual | Term::Nil | Term::Int(_) | Term::Bool(_) | Term::Check(..));
            if known { None } else { Some((calls.get(&format!(".{name}"))?, format!(".{name}"))) }
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
                _ => self.unknown(op, args),
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
            "super" => return Term::External("super".into()),
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
            "open" => {}
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
            effect.expected |= self.expected > 0;
            effect.flagged |= self.flagged > 0;
            effect.spread |= self.spread > 0;
            let after_yield = effect.leave && is_context;
            effect.leave = self.at_yield.is_some();
            if after_yield { leave.push(effect) } else { self.effects.push(effect) }
        }
        self.effects.truncate(512);
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

    /// Applies a table entry.
    fn apply(&mut self, op: OpId, entry: &'static Call, key: &str, recv: Option<Term>, args: &[Passed]) -> Term {
        let given = give_arguments(entry, recv, args);
        let site = self.site(op);
        self.entries.insert(op, entry);
        let tolerant = match &entry.tolerant {
            None => false,
            Some(Flag::Always(always)) => *always,
            Some(Flag::Param(name)) => !matches!(given.get(name), None | Some(Term::Bool(false) | Term::Nil)),
        };
        for (verb, of) in &entry.does {
            for name in of.iter() {
                let Some(term) = given.get(name).cloned() else { continue };
                self.act(op, entry, *verb, &term, &given, name, tolerant);
            }
        }
        if let Some(runs) = &entry.runs {
            if let Some(term) = given.get(&runs.arg).cloned() {
                self.run(op, &term, runs.how, args);
            }
        } else if self.facts.language == Language::Rust {
            self.run_closures(op, args);
        }
        if let Some(redirected) = entry.redirects {
            if entry.lifetime == Some(Lifetime::Rest) {
                let to = self.place_given(entry, &given, site);
                self.redirect(redirected, to);
            }
        }
        if key.ends_with("MonkeyPatch.setenv") || key == "fixture:monkeypatch.setenv" {
            if let (Some(name), Some(value)) = (given.get("name").and_then(Term::as_literal), given.get("value").cloned()) {
                self.set_variable(&name, &value);
            }
        }
        if let Some(reach) = entry.guard {
            let on = entry.on.as_ref().and_then(|on| given.get(on).cloned()).or_else(|| given.recv.clone());
            let on = match on {
                Some(Term::Unknown) | None => Term::opaque(site, Mix::EMPTY),
                Some(term) => Place::of(&term)
                    .filter(|place| !matches!(place.root, Root::Of(_)))
                    .map_or(term, |place| Term::Path(Arc::new(place))),
            };
            let lock = Lock { reach, on };
            if entry.lifetime == Some(Lifetime::Rest) || self.facts.language == Language::Rust {
                self.state.guards.push(lock.clone());
            }
            return Term::Lock(Arc::new(lock));
        }
        self.gives(entry, key, &given, site)
    }

    /// One verb of an entry on one argument.
    #[allow(clippy::too_many_arguments)]
    fn act(&mut self, op: OpId, entry: &Call, verb: Verb, term: &Term, given: &Given, name: &str, tolerant: bool) {
        let argument = given.value(name);
        if let Term::Handle(path) = term.plain() {
            // Through an open handle: the effect is the open's; what is written or read through it is now known.
            if let (Some(format), Some(place)) = (&entry.format, Place::of(path)) {
                let format: Arc<str> = format.as_str().into();
                for effect in self.effects.iter_mut().rev() {
                    if *effect.on == place && effect.format.is_none() {
                        effect.format = Some(format);
                        break;
                    }
                }
            }
            return;
        }
        let verb = match verb {
            Verb::Open => {
                let mode = match entry.mode.as_ref().and_then(|mode| given.get(mode)) {
                    Some(term) => match term.as_literal() {
                        Some(mode) => mode,
                        None => match term
                            .alternatives()
                            .iter()
                            .filter_map(Term::as_literal)
                            .find(|mode| mode.contains(['w', 'a', 'x']))
                        {
                            Some(mode) => mode,
                            None => return,
                        },
                    },
                    None => entry.mode_default.clone().unwrap_or_else(|| "r".to_owned()),
                };
                open_verb(&mode)
            }
            verb => verb,
        };
        self.effect(op, verb, term, tolerant, entry.format.as_deref(), argument);
    }

    /// Runs a callable argument.
    fn run(&mut self, op: OpId, callable: &Term, how: How, args: &[Passed]) {
        if !matches!(callable, Term::Function(_) | Term::Bound(..) | Term::Closure(..)) {
            return;
        }
        let spread = matches!(how, How::Thread | How::Process | How::Task);
        let rest: Vec<Passed> = match how {
            How::Cleanup | How::AtExit => args.iter().skip(1).cloned().collect(),
            _ => {
                // `Thread(target=f, args=(a, b))`.
                match args.iter().find(|arg| arg.name.as_deref() == Some("args")).map(|arg| arg.term.plain().clone()) {
                    Some(Term::List(terms)) => {
                        terms.iter().map(|term| Passed { name: None, term: term.clone(), value: None, star: false }).collect()
                    }
                    _ => Vec::new(),
                }
            }
        };
        self.spread += usize::from(spread);
        let first = self.effects.len();
        let ambience = self.state.ambience.clone();
        self.call_term(op, callable, &rest);
        if matches!(how, How::Cleanup | How::AtExit) {
            self.effects[first..].iter_mut().for_each(|effect| effect.leave = true);
        }
        self.state.ambience = ambience;
        self.spread -= usize::from(spread);
    }

    fn place_given(&mut self, entry: &Call, given: &Given, site: Site) -> Option<Where> {
        let to = entry.to.clone()?;
        let term = self.value_given(&to, given, site, "");
        Some(match Place::of(&term).and_then(|place| self.reach(&place)) {
            Some(place) => Where::At(Arc::new(place)),
            None => Where::Unknown,
        })
    }

    /// Where an entry that redirects points to, for the call at an operation.
    pub fn redirected_to(&mut self, entry: &'static Call, op: OpId) -> Option<Where> {
        let given = self.given_at(entry, op);
        let site = self.site(op);
        self.place_given(entry, &given, site)
    }

    /// What `with` binds for a table entry.
    pub fn entered(&mut self, entry: &'static Call, op: OpId, term: &Term, bound: Term) -> Term {
        let Some(enter) = entry.enter.clone() else { return bound };
        let mut given = self.given_at(entry, op);
        given.recv = Some(term.clone());
        let site = self.site(op);
        let inner = self.value_given(&enter, &given, site, "");
        if inner == Term::Unknown { bound } else { inner }
    }

    fn given_at(&mut self, entry: &'static Call, op: OpId) -> Given {
        let crate::facts::What::Call { callee, args } = &self.facts.op(op).what else {
            return Given { recv: None, named: HashMap::new(), positional: Vec::new() };
        };
        let recv = match self.facts.value(*callee) {
            Value::Attr(base, _) => Some(self.value(*base)),
            _ => None,
        };
        let passed: Vec<Passed> = args
            .iter()
            .map(|arg| Passed {
                name: arg.name.map(|name| self.facts.name(name).into()),
                term: self.value(arg.value),
                value: Some(arg.value),
                star: false,
            })
            .collect();
        give_arguments(entry, recv, &passed)
    }

    /// The entry of the constructor of a value's type: for a context manager that was kept in a variable.
    pub fn entry_of_type(&self, term: &Term) -> Option<&'static Call> {
        let calls = self.world.calls(self.file);
        self.world.types_of(term).iter().find_map(|ty| match term {
            Term::Typed(..) | Term::Opaque(_) => calls.get(ty),
            _ => None,
        })
    }

    fn gives(&mut self, entry: &Call, key: &str, given: &Given, site: Site) -> Term {
        let separator = if self.facts.language == Language::Rust { "::" } else { "." };
        let class_like = key.rsplit(separator).next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_uppercase()));
        let ty: Option<Arc<str>> = match &entry.ty {
            Some(ty) => Some(ty.as_str().into()),
            None if class_like && !entry.attr => Some(key.into()),
            None => None,
        };
        let inner = match &entry.gives {
            Some(gives) => {
                let term = self.value_given(gives, given, site, key);
                if matches!(gives, Gives::FreshName(_)) {
                    self.effect(site.op, Verb::Name, &term, false, None, None);
                }
                // A conversion keeps the type that the argument had, unless it has one of its own.
                match (&ty, term) {
                    (Some(_), Term::Typed(_, inner)) => (*inner).clone(),
                    (_, term) => term,
                }
            }
            None => match entry.does.get(&Verb::Stat).and_then(|of| of.iter().next()).and_then(|name| given.get(name)) {
                Some(on) => Term::Check(Arc::new(on.clone()), site),
                None => Term::Opaque(Arc::new(Opaque { site, via: 0, mix: Mix::EMPTY, ty: ty.clone() })),
            },
        };
        match (ty, inner) {
            (_, Term::Unknown) => Term::Unknown,
            (Some(ty), Term::Opaque(opaque)) => Term::Opaque(Arc::new(Opaque { ty: Some(ty), ..(*opaque).clone() })),
            (Some(_), inner @ (Term::Virtual | Term::Nil | Term::Check(..) | Term::Handle(_))) => inner,
            (Some(ty), inner) => Term::Typed(ty, Arc::new(inner)),
            (None, inner) => inner,
        }
    }

    fn value_given(&mut self, gives: &Gives, given: &Given, site: Site, key: &str) -> Term {
        let get = |name: &String| given.get(name).cloned();
        let fresh = |kind: FreshKind| Term::Path(Arc::new(Place::root(Root::Fresh(Fresh { site: Some(site), via: 0, kind }))));
        // In a folder of the caller's choice, a new object is still below that folder: what counts is that its name is new.
        match gives {
            Gives::Same(name) => get(name).unwrap_or(Term::Unknown),
            Gives::Join(names) => {
                let mut terms: Vec<Term> = if names.is_empty() {
                    given.recv.iter().cloned().chain(given.positional.iter().cloned()).collect()
                } else {
                    names.iter().filter_map(get).collect()
                };
                if terms.is_empty() {
                    return Term::Path(Arc::new(Place::root(Root::Cwd)));
                }
                let first = terms.remove(0);
                let mut out = match first.plain() {
                    // `Path(x)`: a path from here on.
                    Term::Text(_) => of_place(&first, |place| Some(place.clone())),
                    Term::Either(all) => all
                        .iter()
                        .map(|one| of_place(one, |place| Some(place.clone())))
                        .reduce(Term::either)
                        .unwrap_or(Term::Unknown),
                    _ => first.clone(),
                };
                for term in terms {
                    out = self.join(&out, &term);
                }
                out
            }
            Gives::Parent(name) => match get(name) {
                Some(term) => map_alternatives(&term, |term| of_place(term, |place| place.parent())),
                None => Term::Unknown,
            },
            Gives::Name(name) => match get(name) {
                Some(term) => map_alternatives(&term, |term| Place::of(term).map_or(Term::Unknown, |place| place.name())),
                None => Term::Unknown,
            },
            Gives::Stem(name) => match get(name) {
                Some(term) => map_alternatives(&term, |term| Place::of(term).map_or(Term::Unknown, |place| place.stem())),
                None => Term::Unknown,
            },
            Gives::WithSuffix(path, suffix) => match (get(path), get(suffix)) {
                (Some(path), Some(suffix)) if suffix != Term::Unknown => {
                    map_alternatives(&path, |path| of_place(path, |place| place.with_suffix(&textual(suffix.clone()))))
                }
                _ => Term::Unknown,
            },
            Gives::WithName(path, name) | Gives::WithStem(path, name) => match (get(path), get(name)) {
                (Some(path), Some(name)) if name != Term::Unknown => {
                    map_alternatives(&path, |path| of_place(path, |place| place.with_name(&name)))
                }
                _ => Term::Unknown,
            },
            Gives::ExpandHome(name) => match get(name) {
                Some(term) => of_place(&term, |place| Some(place.clone())),
                None => Term::Unknown,
            },
            Gives::Cwd => match &self.state.ambience.cwd {
                None => Term::Path(Arc::new(Place::root(Root::Cwd))),
                Some(Where::At(place)) => Term::Path(place.clone()),
                Some(Where::Unknown) => Term::Unknown,
            },
            Gives::Home => Term::Path(Arc::new(Place::root(Root::Home))),
            Gives::Temp => Term::Path(Arc::new(Place::root(Root::Temp))),
            Gives::Crate => self.crate_folder(),
            Gives::Source(name) => match get(name) {
                Some(
                    Term::Class((file, _)) | Term::Function((file, _)) | Term::Module((file, _)) | Term::Bound((file, _), _),
                ) => {
                    let mut place = Place::root(Root::Project);
                    place.segments.extend(self.world.index.path(file).split('/').map(|part| vec![Piece::Lit(part.into())]));
                    Term::Path(Arc::new(place))
                }
                // `inspect.getfile(self.__class__)`: this file, or a subclass's.
                Some(Term::Field(_, field)) if &*field == "__class__" => self.this_file(),
                Some(Term::Object(object)) => {
                    let mut place = Place::root(Root::Project);
                    place
                        .segments
                        .extend(self.world.index.path(object.class.0).split('/').map(|part| vec![Piece::Lit(part.into())]));
                    Term::Path(Arc::new(place))
                }
                _ => Term::Unknown,
            },
            Gives::FreshDir(_) | Gives::FreshFile(_) => fresh(FreshKind::Object),
            Gives::FreshName(dir) => {
                let private = dir.as_ref().and_then(get).and_then(|dir| Place::of(&dir));
                match private {
                    // A name in a folder of one's own needs no reservation, but it is still only a name.
                    Some(place) if matches!(place.root, Root::Fresh(_)) => {
                        Term::Path(Arc::new(place.child(Piece::Hole(Term::opaque(site, Mix::of(Discriminator::Rand))))))
                    }
                    _ => fresh(FreshKind::Name),
                }
            }
            Gives::TestDir => Term::Path(Arc::new(Place::root(Root::Fresh(Fresh { site: None, via: 0, kind: FreshKind::Test })))),
            Gives::SessionDir => fresh(FreshKind::Session),
            Gives::RunDir => Term::Path(Arc::new(Place::root(Root::Run))),
            Gives::Handle(name) => get(name).map_or(Term::Unknown, |term| match term.plain() {
                Term::Virtual => Term::Virtual,
                _ => Term::Handle(Arc::new(term)),
            }),
            Gives::Child(name) => match get(name).and_then(|term| Place::of(&term)) {
                Some(place) => Term::Path(Arc::new(place.child(Piece::Hole(Term::opaque(site, Mix::EMPTY))))),
                None => Term::Unknown,
            },
            Gives::Virtual => Term::Virtual,
            Gives::Env(name) => get(name).map_or(Term::Unknown, |key| self.setting(&key)),
            Gives::Derived(name) => match get(name) {
                Some(Term::Unknown) | None => Term::Unknown,
                Some(term) => Term::Derived(Arc::from([Term::text(key), term])),
            },
            Gives::Unique(one) => Term::opaque(site, Mix::of(*one)),
            Gives::Format => {
                let mut positional = given.positional.iter();
                let format = match &given.recv {
                    Some(recv) => recv.clone(),
                    None => positional.next().cloned().unwrap_or(Term::Unknown),
                };
                let positional: Vec<Term> = positional.cloned().collect();
                match format.as_literal() {
                    Some(text) => braces(&text, &positional, given),
                    // A macro that formats gets its text ready made.
                    None => format,
                }
            }
            Gives::TextJoin => {
                let separator = given.recv.clone().unwrap_or(Term::Unknown);
                match given.positional.first().map(|term| term.plain().clone()) {
                    Some(Term::List(terms)) => {
                        let mut parts = Vec::new();
                        for (i, term) in terms.iter().enumerate() {
                            if i > 0 {
                                parts.push(textual(separator.clone()));
                            }
                            parts.push(textual(term.clone()));
                        }
                        pieces(parts)
                    }
                    Some(Term::Unknown) | None => Term::Unknown,
                    Some(other) => Term::Derived(Arc::from([separator, other])),
                }
            }
            Gives::Cpus | Gives::Unknown => Term::Opaque(Arc::new(Opaque { site, via: 0, mix: Mix::EMPTY, ty: None })),
            Gives::Nothing => Term::Nil,
        }
    }

    /// The value of a fixture that pytest or a plugin provides, and what it redirects.
    pub fn fixture(entry: &Call) -> Option<Term> {
        let inner = match entry.gives.as_ref()? {
            Gives::TestDir => Term::Path(Arc::new(Place::root(Root::Fresh(Fresh { site: None, via: 0, kind: FreshKind::Test })))),
            Gives::SessionDir => {
                Term::Path(Arc::new(Place::root(Root::Fresh(Fresh { site: None, via: 0, kind: FreshKind::Session }))))
            }
            Gives::Unique(one) => Term::opaque(Site { file: crate::text::FileId(u32::MAX), op: OpId(0) }, Mix::of(*one)),
            Gives::Virtual => Term::Virtual,
            _ => return None,
        };
        Some(typed(entry, inner))
    }
}

fn map_alternatives(term: &Term, f: impl Fn(&Term) -> Term) -> Term {
    let ty = match term {
        Term::Typed(ty, _) => Some(ty.clone()),
        _ => None,
    };
    let out = term.plain().alternatives().iter().map(f).reduce(Term::either).unwrap_or(Term::Unknown);
    match (ty, out) {
        (Some(ty), Term::Path(place)) => Term::Typed(ty, Arc::new(Term::Path(place))),
        (_, out) => out,
    }
}

fn give_arguments(entry: &Call, recv: Option<Term>, args: &[Passed]) -> Given {
    let mut named = HashMap::new();
    let mut next = 0;
    let mut open = false;
    let mut positional = Vec::new();
    for arg in args {
        if arg.star {
            open = true;
            // `join(*parts)` is not known.
            positional.push(Term::Unknown);
            continue;
        }
        match &arg.name {
            Some(name) => {
                named.insert(name.to_string(), (arg.term.clone(), arg.value));
            }
            None => {
                positional.push(arg.term.clone());
                if !open {
                    if let Some(param) = entry.params.get(next) {
                        if !param.starts_with('*') {
                            named.insert(param.clone(), (arg.term.clone(), arg.value));
                            next += 1;
                        }
                    }
                }
            }
        }
    }
    Given { recv, named, positional }
}

/// Whether an entry speaks of its receiver.
fn entry_takes_self(entry: &Call) -> bool {
    let of_self = |gives: &Option<Gives>| match gives {
        Some(
            Gives::Same(name)
            | Gives::Parent(name)
            | Gives::Name(name)
            | Gives::Stem(name)
            | Gives::Handle(name)
            | Gives::Child(name)
            | Gives::Derived(name)
            | Gives::WithSuffix(name, _)
            | Gives::WithName(name, _),
        ) => name == "self",
        _ => false,
    };
    entry.does.values().any(|of| of.iter().any(|name| name == "self")) || of_self(&entry.gives)
}

fn open_verb(mode: &str) -> Verb {
    let has = |c: char| mode.contains(c);
    if has('x') {
        Verb::Create
    } else if has('w') {
        Verb::Write
    } else if has('a') {
        Verb::Append
    } else if has('+') {
        Verb::Update
    } else {
        Verb::Read
    }
}

/// Python's `str.format`.
fn braces(format: &str, positional: &[Term], given: &Given) -> Term {
    let mut parts = Vec::new();
    let mut next = 0;
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        parts.push(Term::text(&rest[..at]));
        let tail = &rest[at..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            parts.push(Term::text(&tail[..1]));
            rest = &tail[2..];
            continue;
        }
        if tail.starts_with('}') {
            rest = &tail[1..];
            continue;
        }
        let end = tail.find('}').unwrap_or(tail.len());
        let field = tail[1..end].split([':', '!']).next().unwrap_or("");
        let term = if field.is_empty() {
            next += 1;
            positional.get(next - 1).cloned()
        } else if let Ok(n) = field.parse::<usize>() {
            positional.get(n).cloned()
        } else {
            given.named.get(field).map(|(term, _)| term.clone())
        };
        parts.push(term.map_or(Term::Unknown, textual));
        rest = tail.get(end + 1..).unwrap_or("");
    }
    parts.push(Term::text(rest));
    pieces(parts)
}

/// Names that every Rust module has (The Rust Standard Library, `std::prelude`), by their documented path.
fn prelude(name: &str) -> &str {
    match name {
        "String" => "std::string::String",
        "Vec" => "std::vec::Vec",
        "Option" => "std::option::Option",
        "Box" => "std::boxed::Box",
        "format!" => "std::format!",
        "concat!" => "std::concat!",
        "env!" => "std::env!",
        "option_env!" => "std::option_env!",
        "file!" => "std::file!",
        "drop" => "std::mem::drop",
        other => other,
    }
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

/// Whether a fixture or helper that is not resolved may move directories, by its name.
pub(super) fn is_doubtful(name: &str) -> bool {
    moves_directory(name)
}
