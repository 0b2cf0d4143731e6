//! Applying an entry of the call tables: what the call does to its arguments, and what it gives.

use super::call::Passed;
use super::eval::Eval;
use super::place::{Fresh, FreshKind, Place, Root};
use super::summary::{Spread, Where};
use super::term::{Lock, Mix, Opaque, Piece, Site, Term, pieces};
use super::values::textual;
use super::world::{of_place, typed};
use crate::calls::{Call, Discriminator, Flag, Gives, How, Lifetime, Reach, Verb};
use crate::facts::{Language, OpId, V, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The arguments of one call by parameter name, as a table entry names them.
pub(super) struct Given {
    pub recv: Option<Term>,
    pub named: HashMap<String, (Term, Option<V>)>,
    pub positional: Vec<Term>,
    /// More arguments than we see: `f(*args)`, `f(**options)`.
    pub is_open: bool,
}

impl Given {
    pub(super) fn get(&self, name: &str) -> Option<&Term> {
        match name {
            "self" => self.recv.as_ref(),
            name => self.named.get(name).map(|(term, _)| term),
        }
    }

    fn value(&self, name: &str) -> Option<V> {
        self.named.get(name).and_then(|(_, value)| *value)
    }
}

impl<'a> Eval<'a, '_> {
    /// Applies a table entry.
    pub(super) fn apply(&mut self, op: OpId, entry: &'a Call, key: &str, recv: Option<Term>, args: &[Passed]) -> Term {
        let given = give_arguments(entry, recv, args);
        let site = self.site(op);
        if self.at.is_none() {
            self.entries.insert(op, entry);
        }
        self.calling = key.into();
        // `GzipFile(fileobj=f, filename="x")`: the name is only a label.
        let through = given.get("fileobj").is_some_and(|term| *term != Term::Nil);
        let tolerant = match &entry.tolerant {
            None => false,
            Some(Flag::Always(always)) => *always,
            Some(Flag::Param(name)) => !matches!(given.get(name), None | Some(Term::Bool(false) | Term::Nil)),
        };
        // A lock that is held for what the call runs is taken first.
        let held = self.state.guards.len();
        let around = entry.guard.filter(|_| entry.runs.is_some()).map(|reach| self.lock_given(entry, reach, &given, site).1);
        self.state.guards.extend(around.clone());
        self.act_on_state(op, entry, &given, tolerant);
        for (verb, of) in entry.does.iter().filter(|_| !through && entry.state.is_none()) {
            for name in of.iter() {
                let Some(term) = given.get(name).cloned() else { continue };
                self.act(op, entry, *verb, &term, &given, name, tolerant);
            }
        }
        if let (Some(text), Some(format)) = (&entry.decodes, &entry.format)
            && let Some(value) = given.value(text)
        {
            let reads = self.reads_in(value);
            self.decode(format, &reads);
        }
        if let Some(runs) = &entry.runs {
            if let Some(term) = given.get(&runs.arg).cloned() {
                self.run(op, &term, runs.how, args);
            }
        } else if self.facts.language == Language::Rust {
            self.run_closures(op, args);
        }
        if let Some(pool) = &entry.pool {
            self.start_pool(site, pool, &given);
        }
        if entry.ends {
            self.state.dead = true;
        }
        if let Some(redirected) = entry.redirects
            && entry.lifetime == Some(Lifetime::Rest)
        {
            let to = self.place_given(entry, &given, site);
            self.redirect(redirected, to);
        }
        if key.ends_with("MonkeyPatch.setattr") {
            self.set_attribute(args);
        }
        if (key.ends_with("MonkeyPatch.setenv") || key == "fixture:monkeypatch.setenv")
            && let (Some(name), Some(value)) = (given.get("name").and_then(Term::as_literal), given.get("value").cloned())
        {
            self.set_variable(&name, &value);
        }
        if around.is_some() {
            self.state.guards.truncate(held);
            return self.gives(entry, key, &given, site);
        }
        if let Some(reach) = entry.guard {
            let (on, lock) = self.lock_given(entry, reach, &given, site);
            if let Some(on) = &on {
                self.lock_opened(on, &lock);
            }
            if entry.lifetime == Some(Lifetime::Rest) || self.facts.language == Language::Rust {
                self.state.guards.push(lock.clone());
            }
            return Term::Lock(Arc::new(lock));
        }
        self.gives(entry, key, &given, site)
    }

    /// The lock that an entry takes, and the value that tells which one it is.
    fn lock_given(&self, entry: &Call, reach: Reach, given: &Given, site: Site) -> (Option<Term>, Lock) {
        let named = |on: &String| match on.strip_prefix('=') {
            Some(name) => Some(Term::text(name)),
            None => given.get(on).cloned(),
        };
        let on = entry.on.as_ref().and_then(named).or_else(|| given.recv.clone());
        let what = match &on {
            Some(Term::Unknown) | None => Term::opaque(site, Mix::EMPTY),
            Some(term) => Place::of(term)
                .filter(|place| !matches!(place.root, Root::Of(_)))
                .map_or_else(|| term.clone(), |place| Term::Path(Arc::new(place))),
        };
        (on, Lock { reach, shared: false, on: what })
    }

    /// One verb of an entry on one argument.
    #[allow(clippy::too_many_arguments)]
    fn act(&mut self, op: OpId, entry: &Call, verb: Verb, term: &Term, given: &Given, name: &str, tolerant: bool) {
        let argument = given.value(name);
        if let Term::Handle(path) = term.plain() {
            // Through an open handle: the effect is the open's; what is written or read through it is now known.
            if let Some(format) = &entry.format {
                self.decode_handle(format, path);
            }
            return;
        }
        // `folder.glob("x*")` lists what the pattern names.
        let pattern =
            given.get("pattern").filter(|pattern| verb == Verb::List && name == "self" && **pattern != Term::Nil).cloned();
        if let Some(pattern) = pattern {
            let within = self.join(term, &pattern);
            self.effect(op, verb, &within, tolerant, None, argument);
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
    pub(super) fn run(&mut self, op: OpId, callable: &Term, how: How, args: &[Passed]) {
        let callable = match callable.plain() {
            // `addCleanup(os.environ.pop, "NAME", None)`.
            Term::Field(recv, name) if super::names::is_environ(recv) => &Term::Method(recv.clone(), name.clone()),
            other => other,
        };
        if !super::call::is_callable(callable) {
            return;
        }
        let spread = match how {
            How::Thread | How::Task => Some(Spread::Threads),
            How::Process => Some(Spread::Processes),
            How::Inline | How::Once | How::AtExit | How::Cleanup => None,
        };
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
        self.spread.extend(spread);
        self.once += usize::from(how == How::Once);
        let first = self.effects.len();
        let ambience = self.state.ambience.clone();
        self.call_term(op, callable, &rest);
        if matches!(how, How::Cleanup | How::AtExit) {
            self.effects[first..].iter_mut().for_each(|effect| (effect.leave, effect.assured) = (true, true));
        }
        let moved = std::mem::replace(&mut self.state.ambience, ambience);
        // Who comes later finds the directory that the first one moved to.
        if how == How::Once {
            self.state.ambience.cwd = moved.cwd;
        }
        self.once -= usize::from(how == How::Once);
        if spread.is_some() {
            self.spread.pop();
        }
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
    pub fn redirected_to(&mut self, entry: &'a Call, op: OpId) -> Option<Where> {
        let given = self.given_at(entry, op);
        let site = self.site(op);
        self.place_given(entry, &given, site)
    }

    /// What `with` binds for a table entry.
    pub fn entered(&mut self, entry: &'a Call, op: OpId, term: &Term, bound: Term) -> Term {
        let Some(enter) = entry.enter.clone() else { return bound };
        let mut given = self.given_at(entry, op);
        given.recv = Some(term.clone());
        let site = self.site(op);
        let inner = self.value_given(&enter, &given, site, "");
        if inner == Term::Unknown { bound } else { inner }
    }

    pub(super) fn given_at(&mut self, entry: &'a Call, op: OpId) -> Given {
        let crate::facts::What::Call { callee, args } = &self.facts.op(op).what else {
            return Given { recv: None, named: HashMap::new(), positional: Vec::new(), is_open: true };
        };
        let recv = match self.facts.value(*callee) {
            Value::Attr(base, _) => Some(self.value(*base)),
            _ => None,
        };
        let passed = self.passed(args);
        give_arguments(entry, recv, &passed)
    }

    /// The entry of the constructor of a value's type: for a context manager that was kept in a variable.
    pub fn entry_of_type(&self, term: &Term) -> Option<&'a Call> {
        let calls = self.world.calls(self.file);
        self.world.types_of(term).iter().find_map(|ty| match term {
            Term::Typed(..) | Term::Opaque(_) => calls.get(ty),
            _ => None,
        })
    }

    pub(super) fn gives(&mut self, entry: &Call, key: &str, given: &Given, site: Site) -> Term {
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
            // Each of several values has the type.
            (Some(ty), Term::Either(terms)) => {
                let typed = |term: &Term| Term::Typed(ty.clone(), Arc::new(term.plain().clone()));
                terms.iter().map(typed).reduce(Term::either).unwrap_or(Term::Unknown)
            }
            (Some(ty), inner) => Term::Typed(ty, Arc::new(inner)),
            (None, inner) => inner,
        }
    }

    fn value_given(&mut self, gives: &Gives, given: &Given, site: Site, key: &str) -> Term {
        let get = |name: &String| given.get(name).cloned();
        let made = |kind: FreshKind, in_temp: bool| {
            Term::Path(Arc::new(Place::root(Root::Fresh(Fresh { site: Some(site), via: 0, kind, in_temp }))))
        };
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
                None => Term::Path(Arc::new(Place::root(Root::Start))),
                Some(Where::At(place)) => Term::Path(place.clone()),
                Some(Where::Unknown) => Term::Unknown,
            },
            Gives::Home(folder, args) => {
                let args: Vec<Term> = args.iter().filter_map(get).collect();
                home(folder, &args)
            }
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
            Gives::FreshDir(dir) | Gives::FreshFile(dir) => made(FreshKind::Object, self.is_in_temp(dir.as_deref(), given)),
            Gives::FreshName(dir) => {
                let private = dir.as_ref().and_then(get).and_then(|dir| Place::of(&dir));
                match private {
                    // A name in a folder of one's own needs no reservation, but it is still only a name.
                    Some(place) if matches!(place.root, Root::Fresh(_) | Root::Of(_)) => {
                        Term::Path(Arc::new(place.child(Piece::Hole(Term::opaque(site, Mix::of(Discriminator::Rand))))))
                    }
                    _ => made(FreshKind::Name, self.is_in_temp(dir.as_deref(), given)),
                }
            }
            Gives::TestDir => Term::Path(Arc::new(Place::root(Root::Fresh(Fresh::of_test())))),
            Gives::SessionDir => made(FreshKind::Session, false),
            Gives::RunDir(name) => {
                let run = Term::Path(Arc::new(Place::root(Root::Run)));
                match name.as_ref().and_then(get) {
                    Some(name) => self.join(&run, &name),
                    None => run,
                }
            }
            Gives::Handle(name) => get(name).map_or(Term::Unknown, |term| match term.plain() {
                Term::Virtual => Term::Virtual,
                _ => Term::Handle(Arc::new(term)),
            }),
            Gives::Child(name) => match get(name).and_then(|term| Place::of(&term)) {
                Some(place) => Term::Path(Arc::new(place.child(Piece::Hole(Term::opaque(site, Mix::EMPTY))))),
                None => Term::Unknown,
            },
            Gives::Entry(name) => entry(get(name)),
            Gives::Walk(name) => {
                let Some(top) = get(name).and_then(|term| Place::of(&term)) else { return Term::Unknown };
                let folder = Term::Path(Arc::new(top.child(Piece::Hole(Term::opaque(site, Mix::EMPTY)))));
                let name = entry(Some(folder.clone()));
                Term::List(Arc::from([Term::List(Arc::from([folder, name.clone(), name]))]))
            }
            Gives::Virtual => Term::Virtual,
            Gives::Env(name) => get(name).map_or(Term::Unknown, |key| self.setting(&key)),
            Gives::Derived(name) => match get(name) {
                Some(Term::Unknown) | None => Term::Unknown,
                Some(term) => Term::Derived(Arc::from([Term::text(key), term])),
            },
            Gives::Unique(one) => Term::opaque(site, Mix::of(*one)),
            Gives::Coarse(name, unit) => match get(name) {
                Some(term) if term.mix().has(Discriminator::Ns) && !is_whole(&term) => {
                    // `int(time.time() * 1000)`: a time that was multiplied has its thousandths.
                    let scaled = matches!(term.plain(), Term::Derived(_)) && *unit == Discriminator::Sec;
                    let unit = if scaled { Discriminator::Ms } else { *unit };
                    Term::opaque(site, term.mix().without(Discriminator::Ns).or(Mix::of(unit)))
                }
                Some(term) => term,
                None => Term::Unknown,
            },
            Gives::ClockText(name) => match (get(name).and_then(|format| format.as_literal()), &given.recv) {
                // Another time than now: the same for the same.
                (_, Some(recv)) if !recv.mix().has(Discriminator::Ns) => match recv {
                    Term::Unknown => Term::Unknown,
                    recv => Term::Derived(Arc::from([Term::text(key), recv.clone()])),
                },
                (Some(format), _) => Term::opaque(site, Mix::of(finest(&format))),
                (None, _) => Term::Unknown,
            },
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
            Gives::Cpus(_) if !self.state.ambience.replaces(&self.calling) => Term::Cpus(self.calling.clone()),
            Gives::Cpus(_) | Gives::Unknown => Term::Opaque(Arc::new(Opaque { site, via: 0, mix: Mix::EMPTY, ty: None })),
            Gives::Port => super::ports::chosen(site),
            Gives::Address => Term::List(Arc::from([Term::Unknown, super::ports::chosen(site)])),
            Gives::Text(text) => Term::text(text),
            Gives::Nothing => Term::Nil,
        }
    }

    /// Whether what is made in this directory is in the system's one for temporary files: as far as we see, nothing else was asked for.
    fn is_in_temp(&self, dir: Option<&str>, given: &Given) -> bool {
        if self.state.ambience.temp.is_some() || given.is_open {
            return false;
        }
        // A prefix that is a path itself takes the place of the directory.
        let plain = |prefix: &Term| match prefix.plain() {
            Term::Nil => true,
            Term::Text(parts) => {
                matches!(parts.first(), None | Some(Piece::Lit(_))) && !prefix.as_literal().is_some_and(|text| text.contains('/'))
            }
            _ => false,
        };
        if !given.get("prefix").is_none_or(plain) {
            return false;
        }
        match dir.and_then(|dir| given.get(dir)) {
            None | Some(Term::Nil) => true,
            Some(dir) => Place::of(dir).is_some_and(|place| place.root == Root::Temp),
        }
    }

    /// The value of a fixture that pytest or a plugin provides, and what it redirects.
    pub fn fixture(entry: &Call) -> Option<Term> {
        let inner = match entry.gives.as_ref()? {
            Gives::TestDir => Term::Path(Arc::new(Place::root(Root::Fresh(Fresh::of_test())))),
            Gives::SessionDir => {
                Term::Path(Arc::new(Place::root(Root::Fresh(Fresh { kind: FreshKind::Session, ..Fresh::of_test() }))))
            }
            Gives::Unique(one) => Term::opaque(Site { file: crate::text::FileId(u32::MAX), op: OpId(0) }, Mix::of(*one)),
            Gives::Virtual => Term::Virtual,
            _ => return None,
        };
        Some(typed(entry, inner))
    }
}

/// A folder in the user's home, and what stands below it: an application's name, where it is given.
pub(super) fn home(folder: &str, args: &[Term]) -> Term {
    let mut place = Place::root(Root::Home);
    place.segments.extend(folder.split('/').filter(|part| !part.is_empty()).map(|part| vec![Piece::Lit(part.into())]));
    for arg in args.iter().filter(|arg| !matches!(arg, Term::Nil | Term::Missing | Term::Bool(_))) {
        let Some(below) = place.join(&textual(arg.clone())) else { return Term::Unknown };
        place = below;
    }
    Term::Path(Arc::new(place))
}

/// Whether a time is a whole number already: `time.time_ns()`.
fn is_whole(term: &Term) -> bool {
    matches!(term, Term::Opaque(opaque) if opaque.ty.as_deref() == Some("builtins.int"))
}

/// The finest part of a time that a `strftime` format names (Python documentation, "strftime() and strptime() Format Codes"; chrono
/// documentation, "format::strftime").
fn finest(format: &str) -> Discriminator {
    let has = |codes: &[&str]| codes.iter().any(|code| format.contains(code));
    if has(&["%f", "%.f", "%6f", "%9f", "%.6f", "%.9f", "%N", "%+"]) {
        Discriminator::Ns
    } else if has(&["%3f", "%.3f"]) {
        Discriminator::Ms
    } else if has(&["%S", "%-S", "%s", "%T", "%X", "%c", "%r"]) {
        Discriminator::Sec
    } else {
        Discriminator::Date
    }
}

/// The name of something inside a folder: which one is not known, and it is the same name as long as it is the same variable.
fn entry(folder: Option<Term>) -> Term {
    match folder.and_then(|term| Place::of(&term)) {
        Some(place) => Term::field(Term::Path(Arc::new(place)), "<entry>"),
        None => Term::Unknown,
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
                if !open
                    && let Some(param) = entry.params.get(next)
                    && !param.starts_with('*')
                {
                    named.insert(param.clone(), (arg.term.clone(), arg.value));
                    next += 1;
                }
            }
        }
    }
    Given { recv, named, positional, is_open: open }
}

/// Whether an entry speaks of its receiver.
pub(super) fn entry_takes_self(entry: &Call) -> bool {
    let of_self = |gives: &Option<Gives>| match gives {
        Some(
            Gives::Same(name)
            | Gives::Parent(name)
            | Gives::Name(name)
            | Gives::Stem(name)
            | Gives::Handle(name)
            | Gives::Child(name)
            | Gives::Entry(name)
            | Gives::Walk(name)
            | Gives::Derived(name)
            | Gives::Coarse(name, _)
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
        if let Some(after) = tail.strip_prefix('}') {
            rest = after;
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
