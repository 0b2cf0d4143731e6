//! What names, paths, attributes and items mean inside a unit.

use super::eval::Eval;
use super::index::Binding;
use super::place::{Place, Root};
use super::summary::Frame;
use super::term::{ClassRef, Lock, Mix, Piece, Site, Term};
use super::world::of_place;
use crate::calls::Discriminator;
use crate::facts::run::HOMES;
use crate::facts::{Language, OpId, Shape, Sym, V, Value};
use std::collections::HashMap;
use std::sync::Arc;

impl Eval<'_, '_> {
    pub fn name(&mut self, name: Sym) -> Term {
        if let Some(term) = self.state.vars.get(&name) {
            return term.clone();
        }
        let text = self.facts.name(name);
        if self.world.index.is_captured(self.file, self.unit, name) {
            return Term::Captured(text.into());
        }
        match self.world.index.resolve(self.file, self.unit, name) {
            Some(binding) => self.bound(binding),
            None => match (self.facts.language, text) {
                (Language::Python, "__file__") => Term::Typed("builtins.str".into(), Arc::new(self.this_file())),
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
    pub(super) fn this_file(&self) -> Term {
        let path = self.world.index.path(self.file);
        let mut place = Place::root(Root::Project);
        place.segments.extend(path.split('/').map(|part| vec![Piece::Lit(part.into())]));
        Term::Path(Arc::new(place))
    }

    /// The folder of the crate that this file belongs to.
    pub(super) fn crate_folder(&self) -> Term {
        let path = self.world.index.path(self.file);
        let dir = self.world.setup.crate_of(path).map_or("", |package| package.dir.as_str());
        let mut place = Place::root(Root::Project);
        place.segments.extend(dir.split('/').filter(|part| !part.is_empty()).map(|part| vec![Piece::Lit(part.into())]));
        Term::Path(Arc::new(place))
    }

    pub(super) fn bound(&mut self, binding: Binding) -> Term {
        match binding {
            Binding::Function(unit) => Term::Function(unit),
            Binding::Class(class) => Term::Class(self.world.index.class_of_impl(class)),
            Binding::Module(module) => Term::Module(module),
            Binding::Variable(module, name) => {
                if module == (self.file, self.unit) {
                    return Term::Unknown;
                }
                self.read_global(module, &name);
                match self.world.variable(module, &name) {
                    // A variable whose content is not known is still the same variable.
                    Term::Unknown => Term::Field(Arc::new(Term::Module(module)), name),
                    term => term,
                }
            }
            Binding::External(name) => self.external(&name),
        }
    }

    pub(super) fn external(&mut self, name: &str) -> Term {
        let calls = self.world.calls(self.file);
        if let Some(entry) = calls.get(name).filter(|entry| entry.attr) {
            let given = super::give::Given { recv: None, named: HashMap::new(), positional: Vec::new(), is_open: false };
            let site = Site { file: self.file, op: OpId(u32::MAX) };
            return self.gives(entry, name, &given, site);
        }
        Term::External(name.into())
    }

    pub fn path(&mut self, path: &[Sym]) -> Term {
        let parts: Vec<&str> = path.iter().map(|part| self.facts.name(*part)).collect();
        if parts.first() == Some(&"Self")
            && let Some(class) = self.facts.unit(self.unit).class
        {
            let class = self.world.index.class_of_impl((self.file, class));
            return match parts.as_slice() {
                [_, method] => self.member(class, method),
                _ => Term::Unknown,
            };
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
                    "Optional" | "Option" | "Annotated" | "Box" | "Rc" | "Arc" | "Cow" | "Final" | "ClassVar" => {
                        self.type_name(inner)
                    }
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
                Some(term) => self.world.got(term),
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
                let frame = Frame {
                    world: self.world,
                    params: vec![base.clone()],
                    captured: &[],
                    ambience: &self.state.ambience,
                    site: None,
                };
                return frame.term(&gives, 0);
            }
        }
        // `self` of a class that is a temp directory itself.
        for base in self.world.index.outside_bases(class) {
            if base.starts_with("tempfile.") && &*name == "name" {
                return Term::Field(Arc::new(Term::Param(0)), name);
            }
        }
        // A lock that the constructor keeps: which one it is, the object tells.
        if let Some(Term::Lock(kept)) = self.world.stored(class, &name) {
            let on = Term::Field(Arc::new(base.clone()), name);
            return Term::Lock(Arc::new(Lock { reach: kept.reach, shared: kept.shared, on }));
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
        let named = |fields: &[(Sym, Option<V>)], name: &str| {
            fields.iter().find(|(field, _)| self.facts.name(*field) == name).map(|(_, ty)| *ty)
        };
        let ty = match named(fields, name) {
            Some(ty) => ty?,
            // `struct Config(Arc<Inner>)`: what it does not have itself, it has through `Deref`.
            None => {
                let inner = self.pointed_to(named(fields, "0")??)?;
                named(&self.facts.class(inner.1).fields, name)??
            }
        };
        self.type_name(ty)
    }

    /// The class of this file that a smart pointer points to.
    fn pointed_to(&mut self, ty: V) -> Option<ClassRef> {
        let Value::Item(pointer, inner) = *self.facts.value(ty) else { return None };
        let pointer = self.facts.dotted(pointer)?;
        if !matches!(pointer.rsplit([':', '.']).next(), Some("Arc" | "Box" | "Rc")) {
            return None;
        }
        match self.value(inner) {
            Term::Class(class) if class.0 == self.file => Some(class),
            _ => None,
        }
    }

    pub fn item(&mut self, base: V, key: V) -> Term {
        // `path.parents[n]`.
        if let (Value::Attr(path, name), Value::Int(n)) = (self.facts.value(base), self.facts.value(key))
            && self.facts.name(*name) == "parents"
        {
            let (path, n) = (*path, *n);
            let path = self.value(path);
            return of_place(&path, |place| (0..=n.clamp(0, 32)).try_fold(place.clone(), |place, _| place.parent()));
        }
        let base = self.value(base);
        let key = self.value(key);
        match (base.plain(), &key) {
            _ if is_environ(&base) => {
                self.read_variable(&key);
                self.setting(&key)
            }
            (Term::List(terms), Term::Int(n)) => {
                let n = if *n < 0 { terms.len() as i64 + n } else { *n };
                usize::try_from(n).ok().and_then(|n| terms.get(n).cloned()).unwrap_or(Term::Unknown)
            }
            // `mkstemp()[1]`.
            (Term::Path(_), Term::Int(1)) => base,
            (Term::Unknown, _) | (_, Term::Unknown) => Term::Unknown,
            _ => Term::Item(Arc::new(base), Arc::new(key)),
        }
    }

    /// An environment variable: those that name a worker or a run are discriminators.
    pub(super) fn setting(&self, key: &Term) -> Term {
        let Some(key) = key.as_literal() else { return Term::Unknown };
        let site = Site { file: self.file, op: OpId(u32::MAX) };
        let mix = match key.as_str() {
            "PYTEST_XDIST_WORKER" => Discriminator::Worker,
            "PYTEST_XDIST_TESTRUNUID" | "NEXTEST_RUN_ID" => Discriminator::Run,
            "NEXTEST_TEST_GLOBAL_SLOT" => Discriminator::Slot,
            "PYTEST_CURRENT_TEST" => Discriminator::Test,
            "CARGO_MANIFEST_DIR" => return self.crate_folder(),
            // What these name where nothing moves them.
            _ => match HOMES.iter().find(|(name, _)| *name == key) {
                Some((_, folder)) => return super::give::home(folder, &[]),
                None => return Term::Setting(key.into()),
            },
        };
        Term::opaque(site, Mix::of(mix))
    }
}

/// Python's mapping of environment variables.
pub(super) fn is_environ(term: &Term) -> bool {
    match term {
        Term::External(name) => &**name == "os.environ",
        Term::Opaque(opaque) => opaque.ty.as_deref() == Some("os.environ"),
        _ => false,
    }
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
