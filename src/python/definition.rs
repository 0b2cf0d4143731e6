//! Functions, classes, lambdas: units, with their decorators, parameters and annotations.

use super::Lower;
use super::syntax::{Field, Kind, N};
use crate::facts::{Arg, Class, Mark, Param, ParamKind, Shape, Unit, V, Value, What};
use crate::text::Span;

impl Lower<'_> {
    pub(super) fn decorated(&mut self, n: N) {
        let syntax = self.syntax;
        match syntax.field(n, Field::Definition) {
            Some(definition) if self.kind(definition) == Kind::Class => self.class(definition, Some(n)),
            Some(definition) => self.function(definition, Some(n)),
            None => {
                self.marks(n);
            }
        }
    }

    /// The decorators, outermost first. Calls in their arguments run here; calling the decorator is no operation.
    fn marks(&mut self, n: N) -> Vec<Mark> {
        let syntax = self.syntax;
        let mut marks = Vec::new();
        for child in syntax.children(n).filter(|child| syntax.kind(*child) == Kind::Decorator) {
            let Some(mut expression) = syntax.first(child) else { continue };
            while syntax.kind(expression) == Kind::Parenthesized {
                match syntax.first(expression) {
                    Some(inner) => expression = inner,
                    None => break,
                }
            }
            let (callee, args) = if syntax.kind(expression) == Kind::Call {
                let callee = self.role(expression, Field::Function);
                (callee, syntax.field(expression, Field::Arguments).map(|args| self.arguments(args)).unwrap_or_default())
            } else {
                (self.expression(expression), Vec::new())
            };
            marks.push(Mark { callee, args, span: self.span(child) });
        }
        marks
    }

    /// A function or method; `whole` is the node that holds its decorators, too.
    pub(super) fn function(&mut self, n: N, whole: Option<N>) {
        let syntax = self.syntax;
        let marks = whole.map(|whole| self.marks(whole)).unwrap_or_default();
        let span = self.span(whole.unwrap_or(n));
        let (name, head) = self.title(n);
        let params = syntax.field(n, Field::Parameters).map(|params| self.params(params)).unwrap_or_default();
        let returns = syntax.field(n, Field::ReturnType).map(|ty| self.annotation(ty));
        let shape = match self.scope.class {
            Some(_) => self.method_shape(name, &marks),
            None => Shape::Function,
        };
        self.type_parameters(n);
        let unit = self.facts.unit(Unit {
            class: self.scope.class,
            parent: Some(self.scope.unit),
            params,
            returns,
            marks,
            is_async: syntax.child(n, Kind::AsyncToken).is_some(),
            head,
            signature: syntax.field(n, Field::Parameters).map(|params| self.span(params)).unwrap_or_default(),
            inner: syntax.field(n, Field::Body).map(|body| self.span(body)).unwrap_or_default(),
            ..Unit::new(name, shape, span)
        });
        self.emit(What::Define(unit), span);
        self.within(unit, None, |lower| {
            if let Some(body) = syntax.field(n, Field::Body) {
                lower.statements(body);
            }
        });
    }

    fn title(&mut self, n: N) -> (crate::facts::Sym, Span) {
        match self.syntax.field(n, Field::Name) {
            Some(name) => (self.sym(name), self.span(name)),
            None => (self.facts.sym(""), Span { start: self.span(n).start, end: self.span(n).start }),
        }
    }

    /// Source: The Python Language Reference, "Data model", for the methods that are class methods without saying so.
    fn method_shape(&self, name: crate::facts::Sym, marks: &[Mark]) -> Shape {
        let facts = self.facts.facts();
        for mark in marks {
            let last = match facts.value(mark.callee) {
                Value::Name(name) | Value::Attr(_, name) => facts.name(*name),
                _ => continue,
            };
            match last {
                "classmethod" | "abstractclassmethod" => return Shape::ClassMethod,
                "staticmethod" | "abstractstaticmethod" => return Shape::StaticMethod,
                "property" | "cached_property" | "abstractproperty" => return Shape::Property,
                "setter" | "getter" | "deleter" => return Shape::Property,
                _ => {}
            }
        }
        match facts.name(name) {
            "__new__" | "__init_subclass__" | "__class_getitem__" => Shape::ClassMethod,
            _ => Shape::Method,
        }
    }

    /// Bounds and defaults of type parameters are no parameters of ours; calls in them stand.
    fn type_parameters(&mut self, n: N) {
        if let Some(parameters) = self.syntax.field(n, Field::TypeParameters) {
            self.each(parameters);
        }
    }

    fn params(&mut self, n: N) -> Vec<Param> {
        let syntax = self.syntax;
        let mut params = Vec::new();
        let mut kind = ParamKind::Plain;
        for child in syntax.children(n) {
            let span = self.span(child);
            let (mut name, mut ty, mut default) = (child, None, None);
            match self.kind(child) {
                Kind::KeywordSeparator => {
                    kind = ParamKind::KeywordOnly;
                    continue;
                }
                Kind::PositionalSeparator | Kind::Error => continue,
                Kind::TypedParameter => {
                    name = syntax.first(child).unwrap_or(child);
                    ty = syntax.field(child, Field::Type);
                }
                Kind::DefaultParameter | Kind::TypedDefaultParameter => {
                    name = syntax.field(child, Field::Name).unwrap_or(child);
                    ty = syntax.field(child, Field::Type);
                    default = syntax.field(child, Field::Value);
                }
                _ => {}
            }
            let own = match self.kind(name) {
                Kind::ListSplat => ParamKind::Rest,
                Kind::DictionarySplat => ParamKind::Keywords,
                _ => kind,
            };
            if own == ParamKind::Rest {
                kind = ParamKind::KeywordOnly;
            }
            if own == ParamKind::Rest || own == ParamKind::Keywords {
                name = syntax.first(name).unwrap_or(name);
            }
            let name = if self.kind(name) == Kind::Identifier { self.sym(name) } else { self.facts.sym("") };
            let default = default.map(|default| self.expression(default));
            let ty = ty.map(|ty| self.annotation(ty));
            params.push(Param { name, ty, default, kind: own, marks: Vec::new(), span });
        }
        params
    }

    pub(super) fn lambda(&mut self, n: N) -> V {
        let syntax = self.syntax;
        let params = syntax.field(n, Field::Parameters).map(|params| self.params(params)).unwrap_or_default();
        let span = self.span(n);
        let name = self.facts.sym("");
        let unit = self.facts.unit(Unit {
            parent: Some(self.scope.unit),
            params,
            inner: syntax.field(n, Field::Body).map(|body| self.span(body)).unwrap_or_default(),
            ..Unit::new(name, Shape::Closure, span)
        });
        self.within(unit, None, |lower| {
            let value = lower.role(n, Field::Body);
            let span = syntax.field(n, Field::Body).map_or(span, |body| lower.span(body));
            lower.emit(What::Return(Some(value)), span);
        });
        self.value(Value::Closure(unit))
    }

    pub(super) fn class(&mut self, n: N, whole: Option<N>) {
        let syntax = self.syntax;
        let marks = whole.map(|whole| self.marks(whole)).unwrap_or_default();
        let span = self.span(whole.unwrap_or(n));
        let (name, head) = self.title(n);
        self.type_parameters(n);
        let arguments = syntax.field(n, Field::Superclasses).map(|bases| self.arguments(bases)).unwrap_or_default();
        let named = |base: &Arg| base.name.is_some_and(|name| self.facts.facts().name(name) == "metaclass");
        let metaclass = arguments.iter().find(|base| named(base)).map(|base| base.value);
        // Keywords of a class are no bases.
        let bases = arguments.into_iter().filter(|base| base.name.is_none()).map(|base| base.value).collect();
        let parent = self.scope.unit;
        let fields = Vec::new();
        let class =
            self.facts.class(Class { name, bases, metaclass, extends: None, marks, fields, parent, body: None, span, head });
        let unit = self.facts.unit(Unit {
            class: Some(class),
            parent: Some(parent),
            head,
            inner: syntax.field(n, Field::Body).map(|body| self.span(body)).unwrap_or_default(),
            ..Unit::new(name, Shape::ClassBody, span)
        });
        if let Some(class) = self.facts.facts_mut().classes.get_mut(class.0 as usize) {
            class.body = Some(unit);
        }
        self.emit(What::DefineClass(class), span);
        self.within(unit, Some(class), |lower| {
            if let Some(body) = syntax.field(n, Field::Body) {
                lower.statements(body);
            }
        });
    }

    /// An annotation. A quoted one that is a dotted name means that name.
    pub(super) fn annotation(&mut self, n: N) -> V {
        let value = self.expression(n);
        let Value::Text(text) = self.facts.facts().value(value) else { return value };
        let text = self.facts.facts().name(*text).trim().to_owned();
        let is_name = |part: &str| {
            let mut chars = part.chars();
            chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.all(|c| c.is_alphanumeric() || c == '_')
        };
        if !text.split('.').all(is_name) {
            return value;
        }
        if text == "None" {
            return self.value(Value::Nil);
        }
        let mut named = None;
        for part in text.split('.') {
            let part = self.facts.sym(part);
            named = Some(match named {
                Some(base) => self.value(Value::Attr(base, part)),
                None => self.name(part),
            });
        }
        named.unwrap_or(value)
    }
}
