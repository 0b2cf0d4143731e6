//! Patterns: what they name, and what they store.
//!
//! A constructor with one payload (`Ok(x)`, `Some(x)`) stores what was matched, so that where a value comes from survives its
//! wrapping; `Err(e)` and constructors with several payloads store an unknown.

use super::edges;
use super::lower::Lower;
use crate::facts::{Comparison, Sym, V, Value, What};
use crate::text::Span;
use syn::spanned::Spanned;
use syn::{Member, Pat, PatIdent};

impl Lower {
    /// The constructor that a pattern names, if it names one.
    pub fn constructor(&mut self, pat: &Pat) -> Option<Vec<Sym>> {
        match pat {
            Pat::TupleStruct(p) => Some(self.segments(p.qself.as_ref(), &p.path)),
            Pat::Struct(p) => Some(self.segments(p.qself.as_ref(), &p.path)),
            Pat::Path(p) => Some(self.segments(p.qself.as_ref(), &p.path)),
            Pat::Ident(p) => match &p.subpat {
                Some((_, sub)) => self.constructor(sub),
                None => constant(p).then(|| vec![self.ident(&p.ident)]),
            },
            Pat::Guard(p) => self.constructor(&p.pat),
            Pat::Paren(p) => self.constructor(&p.pat),
            Pat::Reference(p) => self.constructor(&p.pat),
            Pat::Type(p) => self.constructor(&p.pat),
            Pat::Or(p) => {
                let mut cases = p.cases.iter().map(|case| self.constructor(case));
                let first = cases.next()??;
                let same = cases.all(|case| case.as_ref() == Some(&first));
                same.then_some(first)
            }
            _ => None,
        }
    }

    /// What a literal pattern asks of the subject.
    pub fn literal_guard(&mut self, pat: &Pat, subject: V) -> Option<V> {
        match pat {
            Pat::Lit(p) => {
                let literal = self.literal(&p.lit);
                Some(self.value(Value::Compare(Comparison::Equal, subject, literal)))
            }
            Pat::Guard(p) => self.literal_guard(&p.pat, subject),
            Pat::Paren(p) => self.literal_guard(&p.pat, subject),
            Pat::Reference(p) => self.literal_guard(&p.pat, subject),
            Pat::Or(p) => {
                let cases: Option<Vec<V>> = p.cases.iter().map(|case| self.literal_guard(case, subject)).collect();
                cases.map(|cases| self.value(Value::Or(cases)))
            }
            _ => None,
        }
    }

    pub fn pattern_span(&self, pat: &Pat) -> Span {
        edges::bytes(pat.span())
    }

    /// `let pat = subject;`: the stores of a pattern that always matches.
    pub fn bind_let(&mut self, pat: &Pat, subject: V, span: Span) {
        match pat {
            Pat::Type(p) => {
                let ty = self.ty(&p.ty);
                match self.plain(&p.pat) {
                    Some(to) => {
                        self.push(What::Store { to, value: subject, ty: Some(ty) }, span);
                    }
                    None => self.bind_with(&p.pat, subject, true),
                }
            }
            Pat::Paren(p) => self.bind_let(&p.pat, subject, span),
            _ => match self.plain(pat) {
                Some(to) => {
                    self.push(What::Store { to, value: subject, ty: None }, span);
                }
                None => self.bind_with(pat, subject, true),
            },
        }
    }

    /// The stores of a pattern of an arm.
    pub fn bind(&mut self, pat: &Pat, subject: V) {
        self.bind_with(pat, subject, false);
    }

    /// The target of a pattern that only names: `x`, `_`, `(a, _)`.
    pub fn plain(&mut self, pat: &Pat) -> Option<V> {
        match pat {
            Pat::Ident(p) if p.subpat.is_none() => {
                let name = self.ident(&p.ident);
                Some(self.name(name))
            }
            Pat::Wild(_) => {
                let name = self.sym("_");
                Some(self.name(name))
            }
            Pat::Reference(p) => self.plain(&p.pat),
            Pat::Paren(p) => self.plain(&p.pat),
            Pat::Tuple(p) if !p.elems.is_empty() => {
                let elems: Option<Vec<V>> = p.elems.iter().map(|elem| self.plain(elem)).collect();
                elems.map(|elems| self.value(Value::Tuple(elems)))
            }
            _ => None,
        }
    }

    fn bind_with(&mut self, pat: &Pat, subject: V, always: bool) {
        match pat {
            Pat::Ident(p) => {
                if !always && constant(p) {
                    return;
                }
                let name = self.ident(&p.ident);
                let value = match &p.subpat {
                    Some((_, sub)) if matches!(**sub, Pat::Rest(_)) => self.unknown(),
                    _ => subject,
                };
                self.store(name, value, edges::bytes(p.ident.span()));
                if let Some((_, sub)) = &p.subpat {
                    self.bind_with(sub, subject, always);
                }
            }
            Pat::Guard(p) => self.bind_with(&p.pat, subject, always),
            Pat::Paren(p) => self.bind_with(&p.pat, subject, always),
            Pat::Reference(p) => self.bind_with(&p.pat, subject, always),
            Pat::Type(p) => self.bind_with(&p.pat, subject, always),
            // Each case binds the same names.
            Pat::Or(p) => {
                if let Some(first) = p.cases.first() {
                    self.bind_with(first, subject, always);
                }
            }
            Pat::Tuple(p) => self.bind_elements(p.elems.iter(), subject, always, Self::element),
            Pat::Slice(p) => self.bind_elements(p.elems.iter(), subject, always, |lower, subject, n| {
                let index = lower.value(Value::Int(n as i64));
                lower.value(Value::Item(subject, index))
            }),
            Pat::TupleStruct(p) => {
                let fails = p.path.segments.last().is_some_and(|last| last.ident == "Err");
                let value = if p.elems.len() == 1 && !fails { subject } else { self.unknown() };
                for elem in &p.elems {
                    self.bind_with(elem, value, always);
                }
            }
            Pat::Struct(p) => {
                // A longer path may be a variant, whose payload is no field.
                let fields = always || p.path.segments.len() == 1;
                for field in &p.fields {
                    let value = if fields {
                        let name = self.member(&field.member);
                        self.value(Value::Attr(subject, name))
                    } else {
                        self.unknown()
                    };
                    self.bind_with(&field.pat, value, always);
                }
            }
            _ => {}
        }
    }

    /// Binds elements in order; behind a `..` their places are not known.
    fn bind_elements<'a>(
        &mut self,
        elems: impl Iterator<Item = &'a Pat>,
        subject: V,
        always: bool,
        element: impl Fn(&mut Self, V, usize) -> V,
    ) {
        let mut rest = false;
        for (n, elem) in elems.enumerate() {
            rest |= matches!(elem, Pat::Rest(_))
                || matches!(elem, Pat::Ident(p) if p.subpat.as_ref().is_some_and(|(_, sub)| matches!(**sub, Pat::Rest(_))));
            if matches!(elem, Pat::Wild(_) | Pat::Rest(_)) {
                continue;
            }
            let value = if rest { self.unknown() } else { element(self, subject, n) };
            self.bind_with(elem, value, always);
        }
    }

    /// Element `n` of a tuple.
    fn element(&mut self, subject: V, n: usize) -> V {
        if let Value::Tuple(elems) = self.builder.facts().value(subject)
            && let Some(elem) = elems.get(n)
        {
            return *elem;
        }
        let name = self.sym(&n.to_string());
        self.value(Value::Attr(subject, name))
    }

    pub fn member(&mut self, member: &Member) -> Sym {
        match member {
            Member::Named(name) => self.ident(name),
            Member::Unnamed(index) => self.sym(&index.index.to_string()),
        }
    }
}

/// `None` and `MAX` look like bindings; by convention they are constants (Rust API Guidelines, C-CASE).
fn constant(p: &PatIdent) -> bool {
    p.by_ref.is_none() && p.mutability.is_none() && p.subpat.is_none() && p.ident.to_string().starts_with(char::is_uppercase)
}
