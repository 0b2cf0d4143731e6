//! `match`: what an arm tests and what it binds.

use super::Lower;
use super::syntax::{Field, Kind, N};
use crate::facts::{Arm, Comparison, Step, Sym, V, Value};

/// What a pattern asks of its subject.
#[derive(Default)]
struct Test {
    /// The class or constant that it names.
    names: Option<Vec<Sym>>,
    /// A comparison with a literal or constant.
    cond: Option<V>,
}

impl Lower<'_> {
    pub(super) fn matching(&mut self, n: N) {
        let syntax = self.syntax;
        let subjects: Vec<N> = syntax.fields(n, Field::Subject).filter(|subject| !syntax.kind(*subject).is_token()).collect();
        let subjects: Vec<V> = subjects.into_iter().map(|subject| self.expression(subject)).collect();
        let subject = match subjects.as_slice() {
            [one] => *one,
            _ => self.value(Value::Tuple(subjects)),
        };
        let mut arms = Vec::new();
        if let Some(body) = syntax.field(n, Field::Body) {
            for clause in syntax.children(body).filter(|clause| syntax.kind(*clause) == Kind::CaseClause) {
                arms.push(self.arm_of(clause, subject));
            }
        }
        self.block.push(Step::Match { subject, arms });
    }

    fn arm_of(&mut self, n: N, subject: V) -> Arm {
        let syntax = self.syntax;
        let (body, (test, guard)) = self.gather(|lower| {
            let patterns: Vec<N> = syntax.children(n).filter(|child| syntax.kind(*child) == Kind::CasePattern).collect();
            let test = match patterns.as_slice() {
                [one] => lower.pattern(*one, subject),
                many => {
                    lower.sequence(many, subject);
                    Test::default()
                }
            };
            let guard = syntax.field(n, Field::Guard).and_then(|guard| syntax.first(guard)).map(|guard| lower.expression(guard));
            if let Some(body) = syntax.field(n, Field::Consequence) {
                lower.statements(body);
            }
            (test, guard)
        });
        let guard = match (test.cond, guard) {
            (Some(cond), Some(guard)) => Some(self.value(Value::And(vec![cond, guard]))),
            (cond, guard) => cond.or(guard),
        };
        Arm { pattern: test.names, guard, body, span: self.span(n) }
    }

    fn pattern(&mut self, n: N, subject: V) -> Test {
        self.descend(n, |lower| lower.one_pattern(n, subject)).unwrap_or_default()
    }

    fn one_pattern(&mut self, n: N, subject: V) -> Test {
        let syntax = self.syntax;
        match self.kind(n) {
            Kind::CasePattern => match syntax.first(n) {
                // `-1` is two nodes.
                Some(inner) if syntax.child(n, Kind::MinusToken).is_some() => self.negative(inner, subject),
                Some(inner) => self.pattern(inner, subject),
                None => Test::default(),
            },
            Kind::DottedName => self.constant_or_capture(n, subject),
            Kind::Identifier => {
                self.capture(n, subject);
                Test::default()
            }
            Kind::ClassPattern => self.class_pattern(n, subject),
            Kind::AsPattern => {
                let parts: Vec<N> = syntax.children(n).collect();
                let test = parts.first().map(|part| self.pattern(*part, subject)).unwrap_or_default();
                if let [_, .., name] = parts.as_slice() {
                    self.capture(*name, subject);
                }
                test
            }
            Kind::UnionPattern => self.union(n, subject),
            Kind::ListPattern | Kind::TuplePattern => {
                let parts: Vec<N> = syntax.children(n).collect();
                match parts.as_slice() {
                    [one] if self.kind(n) == Kind::TuplePattern && self.is_group(n) => self.pattern(*one, subject),
                    many => {
                        self.sequence(many, subject);
                        Test::default()
                    }
                }
            }
            Kind::DictPattern => {
                self.mapping(n, subject);
                Test::default()
            }
            Kind::SplatPattern => {
                self.rest(n);
                Test::default()
            }
            Kind::True | Kind::False | Kind::None => {
                let value = self.expression(n);
                let mut test = self.compare(Comparison::Is, subject, value);
                test.names = Some(vec![self.sym(n)]);
                test
            }
            Kind::String | Kind::Concatenated | Kind::Integer | Kind::Float | Kind::ComplexPattern => {
                let value = self.expression(n);
                self.compare(Comparison::Equal, subject, value)
            }
            _ => Test::default(),
        }
    }

    /// A number after a minus sign.
    fn negative(&mut self, n: N, subject: V) -> Test {
        let value = self.expression(n);
        let value = match self.facts.facts().value(value) {
            Value::Int(number) => Value::Int(number.wrapping_neg()),
            _ => Value::Unknown,
        };
        let value = self.value(value);
        self.compare(Comparison::Equal, subject, value)
    }

    fn compare(&mut self, how: Comparison, subject: V, value: V) -> Test {
        Test { names: None, cond: Some(self.value(Value::Compare(how, subject, value))) }
    }

    fn capture(&mut self, n: N, value: V) {
        let name = self.sym(n);
        if self.quiet || self.facts.facts().name(name) == "_" {
            return;
        }
        let to = self.name(name);
        self.store(to, value, self.span(n));
    }

    /// `name` captures, `a.b` is compared with.
    fn constant_or_capture(&mut self, n: N, subject: V) -> Test {
        let syntax = self.syntax;
        let names: Vec<Sym> = syntax.children(n).map(|part| self.sym(part)).collect();
        let Some((first, rest)) = names.split_first() else { return Test::default() };
        if rest.is_empty() {
            self.capture(n, subject);
            return Test::default();
        }
        let mut value = self.name(*first);
        for name in rest {
            value = self.value(Value::Attr(value, *name));
        }
        let mut test = self.compare(Comparison::Equal, subject, value);
        test.names = Some(names);
        test
    }

    /// `Point(0, y=b)`.
    fn class_pattern(&mut self, n: N, subject: V) -> Test {
        let syntax = self.syntax;
        let mut test = Test::default();
        for child in syntax.children(n) {
            let inner = match self.kind(child) {
                Kind::DottedName => {
                    test.names = Some(syntax.children(child).map(|part| self.sym(part)).collect());
                    continue;
                }
                Kind::CasePattern => syntax.first(child),
                _ => Some(child),
            };
            match inner {
                Some(inner) if self.kind(inner) == Kind::KeywordPattern => {
                    let parts: Vec<N> = syntax.children(inner).collect();
                    if let [name, .., pattern] = parts.as_slice() {
                        let name = self.sym(*name);
                        let field = self.value(Value::Attr(subject, name));
                        self.pattern(*pattern, field);
                    }
                }
                _ => {
                    let unknown = self.unknown();
                    self.pattern(child, unknown);
                }
            }
        }
        test
    }

    /// `a | b`: all alternatives bind the same names, so the first one's stores are enough.
    fn union(&mut self, n: N, subject: V) -> Test {
        let syntax = self.syntax;
        let mut conds = Vec::new();
        let mut plain = true;
        let was_quiet = self.quiet;
        let mut minus = false;
        for child in syntax.all(n) {
            if self.kind(child).is_token() {
                minus = self.kind(child) == Kind::MinusToken;
                continue;
            }
            let negative = std::mem::take(&mut minus);
            let test = if negative { self.negative(child, subject) } else { self.pattern(child, subject) };
            self.quiet = true;
            plain &= test.cond.is_some();
            conds.extend(test.cond);
        }
        self.quiet = was_quiet;
        let cond = if plain && !conds.is_empty() { Some(self.value(Value::Or(conds))) } else { None };
        Test { names: None, cond }
    }

    fn sequence(&mut self, parts: &[N], subject: V) {
        let mut exact = true;
        for (at, part) in parts.iter().enumerate() {
            let inner = if self.kind(*part) == Kind::CasePattern { self.syntax.first(*part) } else { Some(*part) };
            let Some(inner) = inner else { continue };
            if self.kind(inner) == Kind::SplatPattern {
                exact = false;
                self.rest(inner);
                continue;
            }
            let key = if exact { Value::Int(at as i64) } else { Value::Unknown };
            let key = self.value(key);
            let item = self.value(Value::Item(subject, key));
            self.pattern(*part, item);
        }
    }

    fn mapping(&mut self, n: N, subject: V) {
        let syntax = self.syntax;
        let mut key = None;
        for child in syntax.children(n) {
            if syntax.in_role(child, Field::Key) {
                key = Some(self.key(child));
            } else if syntax.in_role(child, Field::Value) {
                let at = match key.take() {
                    Some(key) => key,
                    None => self.unknown(),
                };
                let item = self.value(Value::Item(subject, at));
                self.pattern(child, item);
            } else if self.kind(child) == Kind::SplatPattern {
                self.rest(child);
            }
        }
    }

    /// The key of a mapping pattern: a literal or a dotted constant.
    fn key(&mut self, n: N) -> V {
        if self.kind(n) != Kind::DottedName {
            return self.expression(n);
        }
        let syntax = self.syntax;
        let mut value = None;
        for part in syntax.children(n) {
            let name = self.sym(part);
            value = Some(match value {
                Some(base) => self.value(Value::Attr(base, name)),
                None => self.name(name),
            });
        }
        match value {
            Some(value) => value,
            None => self.unknown(),
        }
    }

    /// `*rest`, `**rest`.
    fn rest(&mut self, n: N) {
        if let Some(name) = self.syntax.child(n, Kind::Identifier) {
            let unknown = self.unknown();
            self.capture(name, unknown);
        }
    }
}
