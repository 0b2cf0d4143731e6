//! Symbolic terms: what a value is, as far as it is known. Equal terms mean the same thing within one evaluation.

use super::place::{Place, Root};
use crate::calls::{Discriminator, Reach};
use crate::facts::{ClassId, UnitId};
use crate::text::FileId;
use std::sync::Arc;

/// A unit of a file.
pub type UnitRef = (FileId, UnitId);
/// A class, struct or `impl` of a file.
pub type ClassRef = (FileId, ClassId);

/// An operation is a place in the source, and the identity of what was made there.
pub use crate::facts::Site;

/// A set of discriminators: what makes the names of two instances differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Mix(pub u32);

impl Mix {
    pub const EMPTY: Mix = Mix(0);

    pub fn of(one: Discriminator) -> Mix {
        Mix(1 << one as u32)
    }

    pub fn has(self, one: Discriminator) -> bool {
        self.0 & Mix::of(one).0 != 0
    }

    pub fn and(self, other: Mix) -> Mix {
        Mix(self.0 & other.0)
    }

    pub fn or(self, other: Mix) -> Mix {
        Mix(self.0 | other.0)
    }

    pub fn without(self, one: Discriminator) -> Mix {
        Mix(self.0 & !Mix::of(one).0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A value whose content is not known, but whose identity is: made by one operation, reached through one chain of calls.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Opaque {
    pub site: Site,
    /// A digest of the chain of call sites through which it was reached: two calls of one function give two values.
    pub via: u64,
    pub mix: Mix,
    /// A type known from outside the project, or the class of an instance.
    pub ty: Option<Arc<str>>,
}

/// Fields of an instance, or variables that a closure holds, by name.
pub type Fields = Vec<(Arc<str>, Term)>;

/// An instance of a class of this project.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Object {
    pub class: ClassRef,
    /// What the constructor was called with, the receiver left out; fields that it stores are read through them.
    pub args: Vec<Term>,
    /// For a Rust struct literal: the fields as written.
    pub fields: Fields,
    pub site: Option<Site>,
    pub via: u64,
}

/// A call whose callee is not known before the parameters of the unit that makes it are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pending {
    pub callee: Term,
    pub args: Vec<Argument>,
    pub site: Site,
    /// Of the deepest part: asked for each time that the call is put into another term.
    depth: usize,
}

impl Pending {
    pub fn new(callee: Term, args: Vec<Argument>, site: Site) -> Pending {
        let depth = args.iter().map(|arg| arg.term.depth()).fold(callee.depth(), usize::max);
        Pending { callee, args, site, depth }
    }
}

/// An argument of a call.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Argument {
    pub name: Option<Arc<str>>,
    pub term: Term,
    /// `*args` or `**kwargs`.
    pub star: bool,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lock {
    pub reach: Reach,
    /// Held beside others who hold it so: `#[parallel]`, the readers of a lock.
    pub shared: bool,
    /// The path or key of the lock; what is not known keeps its own identity.
    pub on: Term,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Term {
    Unknown,
    /// A parameter that a call left out: it has its default.
    Missing,
    Nil,
    Int(i64),
    Bool(bool),
    /// The number of CPUs, as this library call counts them.
    Cpus(Arc<str>),
    /// Text that is not (yet) used as a path.
    Text(Arc<[Piece]>),
    Path(Arc<Place>),
    /// A value of a type from outside the project, and what it stands for: a `pathlib.Path` and its path.
    Typed(Arc<str>, Arc<Term>),
    /// An open file on a path.
    Handle(Arc<Term>),
    /// In memory: a buffer, a null device, a virtual file system.
    Virtual,
    /// The answer to "does this path exist?", asked at the site.
    Check(Arc<Term>, Site),
    Not(Arc<Term>),
    /// Whether two values are equal, where a parameter tells.
    Equal(Arc<Term>, Arc<Term>),
    /// All, or one, of these conditions.
    All(Arc<[Term]>),
    Any(Arc<[Term]>),
    List(Arc<[Term]>),
    /// A parameter of the unit whose summary this stands in; the receiver of a method is parameter 0.
    Param(u16),
    /// A variable of the function around a nested one: what it holds is known where the nested one was made.
    Captured(Arc<str>),
    /// What a call gives whose callee is not known yet.
    Call(Arc<Pending>),
    /// A callable with its first arguments: `functools.partial`.
    Partial(Arc<Pending>),
    /// A value some of whose fields were changed after it was made.
    Changed(Arc<Term>, Arc<Fields>),
    /// `base.name` of a base that is not known yet.
    Field(Arc<Term>, Arc<str>),
    /// `base[key]`.
    Item(Arc<Term>, Arc<Term>),
    /// A text or number that depends on these alone: a digest, a slug, arithmetic.
    Derived(Arc<[Term]>),
    /// An environment variable, a command line option or another setting from outside.
    Setting(Arc<str>),
    Opaque(Arc<Opaque>),
    Object(Arc<Object>),
    Lock(Arc<Lock>),
    Function(UnitRef),
    /// A closure with the variables it captured.
    Closure(UnitRef, Arc<Fields>),
    Bound(UnitRef, Arc<Term>),
    Class(ClassRef),
    /// A module of the project: the file and the module unit.
    Module(UnitRef),
    /// A dotted name from outside the project.
    External(Arc<str>),
    /// `receiver.method` of a receiver that is no class of ours: the receiver and the name.
    Method(Arc<Term>, Arc<str>),
    /// One of these.
    Either(Arc<[Term]>),
}

/// A part of a text or of a path segment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Piece {
    Lit(Arc<str>),
    Hole(Term),
}

/// Alternatives kept of one value; more are unknown.
pub const ALTERNATIVES: usize = 4;

/// Nesting kept of one term; deeper is unknown.
pub const DEPTH: usize = 10;

impl Term {
    pub fn text(text: &str) -> Term {
        Term::Text(Arc::from([Piece::Lit(text.into())]))
    }

    pub fn opaque(site: Site, mix: Mix) -> Term {
        Term::Opaque(Arc::new(Opaque { site, via: 0, mix, ty: None }))
    }

    pub fn typed(site: Site, ty: &str) -> Term {
        Term::Opaque(Arc::new(Opaque { site, via: 0, mix: Mix::EMPTY, ty: Some(ty.into()) }))
    }

    pub fn field(base: Term, name: &str) -> Term {
        Term::Field(Arc::new(base), name.into())
    }

    /// Either of two values; the order of the alternatives is that of the terms, so it does not depend on who came first.
    pub fn either(a: Term, b: Term) -> Term {
        if a == b {
            return a;
        }
        let mut all: Vec<Term> = Vec::new();
        for term in [a, b] {
            match term {
                Term::Either(terms) => all.extend(terms.iter().cloned()),
                one => all.push(one),
            }
        }
        all.sort();
        all.dedup();
        if all.len() > ALTERNATIVES { Term::Unknown } else { Term::Either(all.into()) }
    }

    /// The alternatives, one for a plain term.
    pub fn alternatives(&self) -> &[Term] {
        match self {
            Term::Either(terms) => terms,
            // A path of known type may still be one of several.
            Term::Typed(_, inner) if matches!(**inner, Term::Either(_)) => inner.alternatives(),
            one => std::slice::from_ref(one),
        }
    }

    /// The literal text, where all of it is known.
    pub fn as_literal(&self) -> Option<String> {
        match self {
            Term::Typed(_, inner) => inner.as_literal(),
            Term::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces.iter() {
                    match piece {
                        Piece::Lit(lit) => text.push_str(lit),
                        Piece::Hole(_) => return None,
                    }
                }
                Some(text)
            }
            _ => None,
        }
    }

    /// Whether it is the same whenever it is asked for: a literal, or what is made of literals alone.
    pub fn is_constant(&self) -> bool {
        match self.plain() {
            Term::Int(_) | Term::Bool(_) | Term::Nil => true,
            Term::Derived(parts) => parts.iter().all(Term::is_constant),
            one => one.as_literal().is_some(),
        }
    }

    /// What this value adds to the separation of names that hold it.
    pub fn mix(&self) -> Mix {
        match self {
            Term::Opaque(opaque) => opaque.mix,
            Term::Derived(terms) | Term::List(terms) => terms.iter().fold(Mix::EMPTY, |mix, term| mix.or(term.mix())),
            Term::Text(pieces) => pieces.iter().fold(Mix::EMPTY, |mix, piece| mix.or(piece.mix())),
            Term::Path(place) => place.mix(),
            Term::Either(terms) => {
                let mut mixes = terms.iter().map(Term::mix);
                let first = mixes.next().unwrap_or_default();
                mixes.fold(first, Mix::and)
            }
            Term::Field(base, _) | Term::Method(base, _) | Term::Typed(_, base) | Term::Changed(base, _) => base.mix(),
            Term::Item(base, key) => base.mix().or(key.mix()),
            _ => Mix::EMPTY,
        }
    }

    /// What a typed value stands for; any other term itself.
    pub fn plain(&self) -> &Term {
        match self {
            Term::Typed(_, inner) => inner.plain(),
            other => other,
        }
    }

    /// Whether it hangs on a parameter or on a variable of the function around: a call of the unit tells what it is.
    pub fn is_open(&self) -> bool {
        match self {
            Term::Param(_) | Term::Captured(_) => true,
            Term::Field(base, _) | Term::Item(base, _) | Term::Method(base, _) | Term::Changed(base, _) => base.plain().is_open(),
            Term::Call(pending) | Term::Partial(pending) => {
                pending.callee.is_open() || pending.args.iter().any(|arg| arg.term.is_open())
            }
            _ => false,
        }
    }

    /// The value with some fields changed.
    pub fn with_fields(&self, changed: Fields) -> Term {
        let over = |old: &[(Arc<str>, Term)]| {
            let kept = old.iter().filter(|(name, _)| !changed.iter().any(|(new, _)| new == name)).cloned();
            changed.iter().cloned().chain(kept).collect::<Fields>()
        };
        match self {
            _ if changed.is_empty() => self.clone(),
            Term::Object(object) => Term::Object(Arc::new(Object { fields: over(&object.fields), ..(**object).clone() })),
            Term::Changed(base, old) => Term::Changed(base.clone(), Arc::new(over(old))),
            other => Term::Changed(Arc::new(other.clone()), Arc::new(changed)),
        }
    }

    /// Whether all of it is known: no parameter, no field, nothing unknown.
    pub fn is_settled(&self) -> bool {
        match self {
            Term::Nil | Term::Int(_) | Term::Bool(_) | Term::Virtual => true,
            Term::Text(pieces) => pieces.iter().all(Piece::is_settled),
            Term::Path(place) => place.is_settled(),
            Term::Derived(terms) => terms.iter().all(Term::is_settled),
            Term::Typed(_, inner) => inner.is_settled(),
            Term::Opaque(opaque) => !opaque.mix.is_empty(),
            _ => false,
        }
    }

    /// Calls `f` on this term and all it holds, outermost first.
    pub fn visit(&self, f: &mut dyn FnMut(&Term)) {
        f(self);
        match self {
            Term::Text(pieces) => pieces.iter().for_each(|piece| piece.visit(f)),
            Term::Path(place) => {
                if let Root::Of(base) = &place.root {
                    base.visit(f);
                }
                place.segments.iter().flatten().for_each(|piece| piece.visit(f));
            }
            Term::Handle(inner) | Term::Check(inner, _) | Term::Not(inner) | Term::Typed(_, inner) => inner.visit(f),
            Term::Field(inner, _) | Term::Method(inner, _) | Term::Bound(_, inner) => inner.visit(f),
            Term::Item(base, key) | Term::Equal(base, key) => {
                base.visit(f);
                key.visit(f);
            }
            Term::All(terms) | Term::Any(terms) | Term::List(terms) | Term::Derived(terms) | Term::Either(terms) => {
                terms.iter().for_each(|term| term.visit(f));
            }
            Term::Object(object) => {
                object.args.iter().for_each(|term| term.visit(f));
                object.fields.iter().for_each(|(_, term)| term.visit(f));
            }
            Term::Lock(lock) => lock.on.visit(f),
            Term::Call(pending) | Term::Partial(pending) => {
                pending.callee.visit(f);
                pending.args.iter().for_each(|arg| arg.term.visit(f));
            }
            Term::Changed(base, fields) => {
                base.visit(f);
                fields.iter().for_each(|(_, term)| term.visit(f));
            }
            Term::Closure(_, captured) => captured.iter().for_each(|(_, term)| term.visit(f)),
            _ => {}
        }
    }

    pub fn depth(&self) -> usize {
        match self {
            Term::Text(pieces) => 1 + pieces.iter().map(Piece::depth).max().unwrap_or(0),
            Term::Path(place) => {
                let base = if let Root::Of(base) = &place.root { base.depth() } else { 0 };
                1 + base.max(place.segments.iter().flatten().map(Piece::depth).max().unwrap_or(0))
            }
            Term::Handle(inner) | Term::Check(inner, _) | Term::Not(inner) | Term::Typed(_, inner) => 1 + inner.depth(),
            Term::Field(inner, _) | Term::Method(inner, _) | Term::Bound(_, inner) => 1 + inner.depth(),
            Term::Item(base, key) | Term::Equal(base, key) => 1 + base.depth().max(key.depth()),
            Term::All(terms) | Term::Any(terms) | Term::List(terms) | Term::Derived(terms) | Term::Either(terms) => {
                1 + terms.iter().map(Term::depth).max().unwrap_or(0)
            }
            Term::Object(object) => {
                let fields = object.fields.iter().map(|(_, term)| term.depth());
                1 + object.args.iter().map(Term::depth).chain(fields).max().unwrap_or(0)
            }
            Term::Lock(lock) => 1 + lock.on.depth(),
            Term::Call(pending) | Term::Partial(pending) => 1 + pending.depth,
            Term::Changed(base, fields) => 1 + base.depth().max(fields.iter().map(|(_, term)| term.depth()).max().unwrap_or(0)),
            Term::Closure(_, captured) => 1 + captured.iter().map(|(_, term)| term.depth()).max().unwrap_or(0),
            _ => 1,
        }
    }

    /// The term, or unknown where it is nested too deep to carry on.
    pub fn bounded(self) -> Term {
        if self.depth() > DEPTH { Term::Unknown } else { self }
    }
}

impl Piece {
    pub fn mix(&self) -> Mix {
        match self {
            Piece::Lit(_) => Mix::EMPTY,
            Piece::Hole(term) => term.mix(),
        }
    }

    pub fn is_settled(&self) -> bool {
        match self {
            Piece::Lit(_) => true,
            // No name is made of nothing: what takes its place is not known.
            Piece::Hole(Term::Nil) => false,
            Piece::Hole(term) => term.is_settled(),
        }
    }

    fn depth(&self) -> usize {
        match self {
            Piece::Lit(_) => 0,
            Piece::Hole(term) => term.depth(),
        }
    }

    pub fn visit(&self, f: &mut dyn FnMut(&Term)) {
        if let Piece::Hole(term) = self {
            term.visit(f);
        }
    }
}

/// Joins neighbouring literals and flattens texts in texts.
pub fn pieces(parts: impl IntoIterator<Item = Term>) -> Term {
    let mut out: Vec<Piece> = Vec::new();
    let push = |piece: Piece, out: &mut Vec<Piece>| match (&piece, out.last_mut()) {
        (Piece::Lit(new), Some(Piece::Lit(old))) => *old = format!("{old}{new}").into(),
        (Piece::Lit(new), _) if new.is_empty() => {}
        _ => out.push(piece),
    };
    for part in parts {
        match part {
            Term::Text(inner) => inner.iter().for_each(|piece| push(piece.clone(), &mut out)),
            Term::Int(n) => push(Piece::Lit(n.to_string().into()), &mut out),
            Term::Typed(_, inner) => match &*inner {
                Term::Text(inner) => inner.iter().for_each(|piece| push(piece.clone(), &mut out)),
                other => push(Piece::Hole(other.clone()), &mut out),
            },
            other => push(Piece::Hole(other), &mut out),
        }
        if out.len() > 24 {
            return Term::Unknown;
        }
    }
    Term::Text(out.into())
}
