//! Expressions to terms.

use super::condition::{equal, equality};
use super::eval::{Eval, truth};
use super::place::{Place, Root};
use super::term::{ALTERNATIVES, Piece, Term};
use crate::facts::{Comparison, Operator, V, Value};
use std::sync::Arc;

impl Eval<'_, '_> {
    pub fn value(&mut self, v: V) -> Term {
        match self.facts.value(v).clone() {
            Value::Text(text) => Term::text(self.facts.name(text)),
            Value::Int(n) => Term::Int(n),
            Value::Bool(b) => Term::Bool(b),
            Value::Nil => Term::Nil,
            Value::Name(name) => self.name(name),
            Value::Path(path) => self.path(&path),
            Value::Attr(base, name) => self.attribute(base, name),
            Value::Item(base, key) => self.item(base, key),
            Value::Result(op) => self.results.get(&op).cloned().unwrap_or(Term::Unknown),
            Value::Format(parts) => {
                let parts: Vec<Term> = parts.iter().map(|part| self.value(*part)).collect();
                super::term::pieces(parts.into_iter().map(textual))
            }
            Value::Binary(operator, a, b) => self.binary(operator, a, b),
            Value::Not(inner) => match self.value(inner) {
                Term::Bool(b) => Term::Bool(!b),
                Term::Not(inner) => (*inner).clone(),
                other => Term::Not(Arc::new(other)),
            },
            Value::And(all) => {
                let terms: Vec<Term> = all.iter().map(|value| self.value(*value)).collect();
                if terms.iter().any(|term| truth(term) == Some(false)) { Term::Bool(false) } else { Term::All(terms.into()) }
            }
            Value::Or(all) => {
                let terms: Vec<Term> = all.iter().map(|value| self.value(*value)).collect();
                if terms.iter().any(|term| matches!(term, Term::Check(..) | Term::Not(_) | Term::Bool(_))) {
                    return Term::Any(terms.into());
                }
                // `a or b` as a value: the first that is something.
                match truth(&terms[0]) {
                    Some(true) => terms[0].clone(),
                    Some(false) if terms.len() == 2 => terms[1].clone(),
                    _ => terms.into_iter().reduce(Term::either).unwrap_or(Term::Unknown),
                }
            }
            Value::Compare(comparison, a, b) => self.compare(comparison, a, b),
            Value::List(all) | Value::Tuple(all) | Value::Set(all) => {
                if all.len() > 16 {
                    return Term::Unknown;
                }
                Term::List(all.iter().map(|value| self.value(*value)).collect())
            }
            Value::Choice { cond, then, other } => {
                let cond = self.value(cond);
                match truth(&cond) {
                    Some(true) => self.value(then),
                    Some(false) => self.value(other),
                    None => Term::either(self.value(then), self.value(other)),
                }
            }
            Value::Closure(unit) => Term::Function((self.file, unit)),
            Value::Star(_) | Value::Dict(_) | Value::Float(_) | Value::Unknown => Term::Unknown,
            Value::Record { ty, fields } => {
                let class = match self.world.index.resolve_value(self.file, self.unit, ty) {
                    Some(super::index::Binding::Class(class)) => self.world.index.class_of_impl(class),
                    _ => match self.own_class(ty) {
                        Some(class) => class,
                        None => return Term::Unknown,
                    },
                };
                let fields = fields.iter().map(|(name, value)| (Arc::from(self.facts.name(*name)), self.value(*value))).collect();
                Term::Object(Arc::new(super::term::Object { class, args: Vec::new(), fields, site: None, via: 0 }))
            }
        }
    }

    fn binary(&mut self, operator: Operator, a: V, b: V) -> Term {
        let left = self.value(a);
        let right = self.value(b);
        match operator {
            Operator::Divide => match (left.plain(), right.plain()) {
                (
                    Term::Path(_)
                    | Term::Param(_)
                    | Term::Captured(_)
                    | Term::Call(_)
                    | Term::Field(..)
                    | Term::Opaque(_)
                    | Term::Item(..),
                    _,
                )
                | (_, Term::Path(_)) => self.join(&left, &right),
                (Term::Either(terms), _) => {
                    let terms = terms.to_vec();
                    terms.iter().map(|term| self.join(term, &right)).reduce(Term::either).unwrap_or(Term::Unknown)
                }
                (Term::Unknown, _) => Term::Unknown,
                _ => Term::Derived(Arc::from([left, right])),
            },
            Operator::Add => match (left.plain(), right.plain()) {
                (Term::Int(a), Term::Int(b)) => Term::Int(a.wrapping_add(*b)),
                (Term::List(a), Term::List(b)) => Term::List(a.iter().chain(b.iter()).cloned().collect()),
                (Term::Unknown, _) | (_, Term::Unknown) => Term::Unknown,
                // One of several texts goes on in the same way.
                (Term::Either(all), Term::Text(_)) => {
                    let longer = |one: &Term| super::term::pieces([textual(one.clone()), textual(right.clone())]);
                    all.iter().map(longer).reduce(Term::either).unwrap_or(Term::Unknown)
                }
                (Term::Text(_) | Term::Path(_), _) | (_, Term::Text(_)) => super::term::pieces([textual(left), textual(right)]),
                (Term::Param(_) | Term::Field(..) | Term::Opaque(_), Term::Param(_) | Term::Field(..) | Term::Opaque(_)) => {
                    Term::Derived(Arc::from([left, right]))
                }
                _ => Term::Derived(Arc::from([left, right])),
            },
            Operator::Modulo => match left.as_literal() {
                Some(format) => {
                    let values = match right.plain() {
                        Term::List(terms) => terms.to_vec(),
                        _ => vec![right],
                    };
                    percent(&format, &values)
                }
                None => Term::Derived(Arc::from([left, right])),
            },
            Operator::Subtract | Operator::Multiply | Operator::FloorDivide | Operator::Other => {
                if left == Term::Unknown || right == Term::Unknown {
                    Term::Unknown
                } else {
                    Term::Derived(Arc::from([left, right]))
                }
            }
        }
    }

    pub fn join(&mut self, left: &Term, right: &Term) -> Term {
        if *right == Term::Unknown {
            return Term::Unknown;
        }
        let joined = |left: &Term, right: &Term| match Place::of(left).and_then(|place| place.join(right)) {
            Some(place) => Term::Path(Arc::new(place)),
            None => Term::Unknown,
        };
        let ty = match left {
            Term::Typed(ty, _) => Some(ty.clone()),
            _ => None,
        };
        let (lefts, mut rights) = (left.plain().alternatives(), right.plain().alternatives());
        // One of too many names is still one name below each of the folders.
        let names = |one: &Term| Place::of(one).is_none_or(|place| matches!(place.root, Root::Cwd | Root::Of(_)));
        let many = lefts.len() * rights.len() > ALTERNATIVES && rights.iter().all(names);
        let below = |left: &Term| Place::of(left).map(|place| place.child(Piece::Hole(right.plain().clone())));
        if many {
            rights = &rights[..1];
        }
        let mut out: Option<Term> = None;
        for a in lefts {
            for b in rights {
                let one = if many { below(a).map_or(Term::Unknown, |place| Term::Path(Arc::new(place))) } else { joined(a, b) };
                out = Some(match out {
                    Some(old) => Term::either(old, one),
                    None => one,
                });
            }
        }
        match (out.unwrap_or(Term::Unknown), ty) {
            (Term::Unknown, _) => Term::Unknown,
            (term, Some(ty)) => Term::Typed(ty, Arc::new(term)),
            (term, None) => term,
        }
    }

    /// `sys.version_info >= (3, 8)`, where all versions that the file has to run with agree.
    fn of_python(&self, comparison: Comparison, asked: &Term) -> Option<bool> {
        let Term::List(asked) = asked else { return None };
        let mut asked = asked.iter().map(|part| match part.plain() {
            Term::Int(n) => u8::try_from(*n).ok(),
            _ => None,
        });
        let (major, minor) = (asked.next()??, asked.next().unwrap_or(Some(0))?);
        let oldest = self.world.setup.python_of(self.world.index.path(self.file));
        // The oldest has the asked version, or a later one; with a third number it may be an earlier release of it.
        let reached = if asked.next().is_none() { oldest >= (major, minor) } else { oldest > (major, minor) };
        match comparison {
            Comparison::Greater if reached => Some(true),
            Comparison::Less if reached => Some(false),
            _ => None,
        }
    }

    fn compare(&mut self, comparison: Comparison, a: V, b: V) -> Term {
        let left = self.value(a);
        let right = self.value(b);
        match (left.plain(), right.plain()) {
            // Whether it is there at all.
            (setting @ Term::Setting(_), Term::Nil) if matches!(comparison, Comparison::Is | Comparison::Equal) => {
                return Term::Not(Arc::new(setting.clone()));
            }
            (Term::Setting(name), _) | (_, Term::Setting(name)) => return Term::Setting(name.clone()),
            (Term::External(name), asked) if &**name == "sys.version_info" => {
                if let Some(holds) = self.of_python(comparison, asked) {
                    return Term::Bool(holds);
                }
            }
            _ => {}
        }
        match (comparison, equal(&left, &right)) {
            (Comparison::Equal | Comparison::Is, Some(equal)) => Term::Bool(equal),
            (Comparison::NotEqual | Comparison::IsNot, Some(equal)) => Term::Bool(!equal),
            // `exists(p) is False`, `== True`.
            (Comparison::Equal | Comparison::Is, None) => match (left, right) {
                (check @ (Term::Check(..) | Term::Not(_)), Term::Bool(b))
                | (Term::Bool(b), check @ (Term::Check(..) | Term::Not(_))) => {
                    if b {
                        check
                    } else {
                        Term::Not(Arc::new(check))
                    }
                }
                (left, right) => equality(left, right),
            },
            (Comparison::NotEqual | Comparison::IsNot, None) => match equality(left, right) {
                Term::Unknown => Term::Unknown,
                same => Term::Not(Arc::new(same)),
            },
            (Comparison::In | Comparison::NotIn, None) => {
                let Term::List(all) = right.plain() else { return Term::Unknown };
                let any = Term::Any(all.iter().map(|one| equality(left.clone(), one.clone())).collect());
                if comparison == Comparison::In { any } else { Term::Not(Arc::new(any)) }
            }
            _ => Term::Unknown,
        }
    }
}

/// How a term stands in a text: an instance of an outside type by what it stands for.
pub(super) fn textual(term: Term) -> Term {
    match term {
        Term::Typed(_, inner) => (*inner).clone(),
        other => other,
    }
}

/// Python's `%` formatting.
fn percent(format: &str, values: &[Term]) -> Term {
    let mut parts = Vec::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        parts.push(Term::text(&rest[..at]));
        let tail = &rest[at + 1..];
        let end = tail.find(|c: char| c.is_ascii_alphabetic() || c == '%').unwrap_or(tail.len());
        let conversion = tail[end..].chars().next();
        rest = tail.get(end + conversion.map_or(0, char::len_utf8)..).unwrap_or("");
        match conversion {
            Some('%') => parts.push(Term::text("%")),
            Some(_) => parts.push(values.next().cloned().map_or(Term::Unknown, textual)),
            None => {}
        }
    }
    parts.push(Term::text(rest));
    super::term::pieces(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_formatting_keeps_holes() {
        let term = percent("a-%s-%03d%%.txt", &[Term::text("x"), Term::Param(1)]);
        let Term::Text(parts) = term else { panic!("text") };
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0], Piece::Lit("a-x-".into()));
        assert_eq!(parts[2], Piece::Lit("%.txt".into()));
    }
}
