//! Handlers: which errors of an operation they catch, and whether they go on without it.

use super::eval::Eval;
use super::index::walk_ops;
use super::place::Place;
use super::summary::{Handling, Try};
use super::term::{Site, Term};
use crate::facts::{Arm, Block, Comparison, FileFacts, Handler, Language, Step, V, Value, What};
use crate::text::Span;
use std::sync::Arc;

/// Modules that every Python 3 has, on all platforms (Python documentation, "The Python Standard Library").
const ALWAYS: &[&str] = &[
    "abc",
    "argparse",
    "ast",
    "base64",
    "collections",
    "contextlib",
    "copy",
    "datetime",
    "functools",
    "hashlib",
    "inspect",
    "io",
    "itertools",
    "json",
    "logging",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "queue",
    "random",
    "re",
    "shutil",
    "socket",
    "string",
    "struct",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "traceback",
    "types",
    "typing",
    "unittest",
    "urllib",
    "uuid",
    "warnings",
    "weakref",
];

/// Whether a handler is for the import of a module that is always there.
pub(super) fn is_never_raised(facts: &FileFacts, body: &Block, handler: &Handler) -> bool {
    let of_imports =
        |value: &V| facts.last_name(*value).is_some_and(|name| matches!(name, "ImportError" | "ModuleNotFoundError"));
    let is_there = |step: &Step| match step {
        Step::Op(op) => match facts.op(*op).what {
            What::Import(import) => {
                let import = &facts.imports[import as usize];
                let whole = import.name.is_none() && import.up == 0;
                whole && matches!(import.module.as_slice(), [module] if ALWAYS.contains(&facts.name(*module)))
            }
            _ => false,
        },
        _ => false,
    };
    facts.language == Language::Python
        && !body.is_empty()
        && !handler.catches.is_empty()
        && handler.catches.iter().all(of_imports)
        && body.iter().all(is_there)
}

impl Eval<'_, '_> {
    /// A `try` statement as it stands around its body.
    pub fn handlers_of(&mut self, handlers: &[Handler]) -> Arc<Try> {
        let handlers = handlers
            .iter()
            .map(|handler| Handling {
                catches: if handler.catches.is_empty() { Some(vec!["*".into()]) } else { self.errors(&handler.catches) },
                recovers: self.goes_on(&handler.body),
                span: handler.span,
            })
            .collect();
        Arc::new(Try { file: self.file, handlers })
    }

    /// `with suppress(A, B):` as a `try` whose handler does nothing.
    pub fn suppressed(&mut self, errors: &[V], span: Span) -> Arc<Try> {
        let handler = Handling { catches: self.errors(errors), recovers: true, span };
        Arc::new(Try { file: self.file, handlers: vec![handler] })
    }

    fn errors(&mut self, values: &[V]) -> Option<Vec<Arc<str>>> {
        let mut out = Vec::new();
        for value in values {
            match self.facts.value(*value).clone() {
                Value::Tuple(all) => out.extend(self.errors(&all)?),
                _ => out.push(self.error(*value)?),
            }
        }
        Some(out)
    }

    fn error(&mut self, value: V) -> Option<Arc<str>> {
        let last = |name: &str| Arc::from(name.rsplit(['.', ':']).next().unwrap_or(name));
        match self.value(value) {
            Term::External(name) => Some(last(&name)),
            Term::Class((file, class)) => {
                let facts = self.world.index.file(file);
                Some(facts.name(facts.class(class).name).into())
            }
            // A builtin has no entry of its own.
            Term::Unknown => match self.facts.value(value) {
                Value::Name(name) if self.world.index.resolve(self.file, self.unit, *name).is_none() => {
                    Some(self.facts.name(*name).into())
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn goes_on(&self, block: &Block) -> bool {
        let mut goes_on = true;
        walk_ops(block, &mut |op| {
            goes_on &= match &self.facts.op(op).what {
                What::Raise(_) => false,
                What::Call { callee, .. } => {
                    let name = self.facts.dotted(*callee).unwrap_or_default();
                    !matches!(
                        name.rsplit(['.', ':']).next(),
                        Some("exit" | "_exit" | "abort" | "fail" | "bail!" | "panic!" | "Err")
                    )
                }
                _ => true,
            };
        });
        goes_on
    }

    /// `match` on a result: the arms of its errors, told apart by `error.kind()`.
    pub fn handled_by_kind(&mut self, subject: V, arms: &[Arm]) {
        let errors = arms
            .iter()
            .filter(|arm| arm.pattern.as_ref().and_then(|path| path.last()).is_some_and(|name| self.facts.name(*name) == "Err"));
        let handlers: Vec<Handling> = errors
            .map(|arm| Handling {
                catches: match arm.guard {
                    None => Some(vec!["*".into()]),
                    Some(guard) => self.kind(guard).map(|kind| vec![kind]),
                },
                recovers: self.goes_on(&arm.body),
                span: arm.span,
            })
            // `Err(error) => return Err(error)` hands it on, as no handler at all does.
            .filter(|handling: &Handling| {
                handling.recovers || handling.catches.as_ref().is_none_or(|all| !all.contains(&"*".into()))
            })
            .collect();
        if !handlers.is_empty() {
            let around = Arc::new(Try { file: self.file, handlers });
            self.handle(subject, &around);
        }
    }

    /// The kind that a guard like `error.kind() == ErrorKind::NotFound` asks for.
    fn kind(&self, guard: V) -> Option<Arc<str>> {
        let Value::Compare(Comparison::Equal, asked, kind) = self.facts.value(guard) else { return None };
        let Value::Result(op) = self.facts.value(*asked) else { return None };
        let What::Call { callee, .. } = &self.facts.op(*op).what else { return None };
        let of_kind = matches!(self.facts.value(*callee), Value::Attr(_, name) if self.facts.name(*name) == "kind");
        let path = self.facts.dotted(*kind).filter(|_| of_kind)?;
        path.rsplit_once("ErrorKind::").map(|(_, kind)| kind.into())
    }

    fn handle(&mut self, value: V, around: &Arc<Try>) {
        // `let opened = File::open(p); match opened { … }`.
        let value = match self.facts.value(value) {
            Value::Name(name) => match self.state.stored.get(name).map(|op| &self.facts.op(*op).what) {
                Some(What::Store { value, .. }) => *value,
                _ => return,
            },
            _ => value,
        };
        let Value::Result(op) = self.facts.value(value) else { return };
        let site = self.site(*op);
        for effect in self.effects.iter_mut().rev().take(8) {
            if effect.site == site || effect.via.first() == Some(&site) {
                effect.tries.push(around.clone());
            }
        }
    }

    /// The `try` statements around, the innermost first.
    pub fn tries_here(&self) -> Vec<Arc<Try>> {
        self.tries.iter().rev().cloned().collect()
    }

    /// What was read is taken for something of a format, here: faults of it show here.
    pub fn decode(&mut self, format: &str, reads: &[Site]) {
        let tries = self.tries_here();
        let read = self.effects.iter_mut().rev().find(|effect| {
            let site = effect.via.first().unwrap_or(&effect.site);
            effect.verb == crate::calls::Verb::Read && effect.format.is_none() && reads.contains(site)
        });
        if let Some(read) = read {
            read.format = Some(format.into());
            read.tries = tries;
        }
    }

    /// The same through an open file.
    pub fn decode_handle(&mut self, format: &str, path: &Term) {
        let Some(place) = Place::of(path) else { return };
        let tries = self.tries_here();
        if let Some(effect) = self.effects.iter_mut().rev().find(|effect| *effect.on == place && effect.format.is_none()) {
            effect.format = Some(format.into());
            effect.tries = tries;
        }
    }
}
