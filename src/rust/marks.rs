//! Attributes as marks. Their arguments are values without operations: nothing in them runs.

use super::edges;
use super::grammar::{Piece, pieces};
use super::lower::Lower;
use crate::facts::{Arg, Comparison, Mark, V, Value};
use syn::{Attribute, Expr, Meta};

impl Lower {
    /// All attributes but doc comments, with the conditions that a macro around puts on its items.
    pub fn marks(&mut self, attrs: &[Attribute]) -> Vec<Mark> {
        let mut marks = self.around.clone();
        for attr in attrs.iter().filter(|attr| !attr.path().is_ident("doc")) {
            let mark = self.mark(attr);
            marks.push(mark);
        }
        marks
    }

    pub fn mark(&mut self, attr: &Attribute) -> Mark {
        let callee = self.path(None, attr.path());
        let args = self.mark_args(&attr.meta);
        Mark { callee, args, span: edges::attribute(attr) }
    }

    /// What stands in the parentheses of an attribute, or behind its `=`.
    pub fn mark_args(&mut self, meta: &Meta) -> Vec<Arg> {
        match meta {
            Meta::Path(_) => Vec::new(),
            Meta::NameValue(pair) => {
                let value = self.mark_value(&pair.value);
                vec![Arg { name: None, value, span: edges::expr(&pair.value) }]
            }
            Meta::List(list) => match pieces(list.tokens.clone()) {
                Some(pieces) => pieces.iter().map(|piece| self.mark_arg(piece)).collect(),
                None => {
                    let span = edges::across(list.delimiter.span().open(), list.delimiter.span().close());
                    vec![Arg { name: None, value: self.unknown(), span }]
                }
            },
        }
    }

    pub fn mark_arg(&mut self, piece: &Piece) -> Arg {
        let name = piece.name.as_ref().map(|name| self.sym(name));
        let value = match &piece.value {
            Some(value) => self.mark_value(value),
            None => self.unknown(),
        };
        Arg { name, value, span: piece.span }
    }

    fn mark_values<'a>(&mut self, values: impl Iterator<Item = &'a Expr>) -> Vec<V> {
        values.map(|value| self.mark_value(value)).collect()
    }

    /// A call or nested list is the tuple of what is called and its arguments.
    fn mark_value(&mut self, expr: &Expr) -> V {
        match expr {
            Expr::Lit(e) => self.literal(&e.lit),
            Expr::Path(e) => self.path(e.qself.as_ref(), &e.path),
            Expr::Paren(e) => self.mark_value(&e.expr),
            Expr::Group(e) => self.mark_value(&e.expr),
            Expr::Reference(e) => self.mark_value(&e.expr),
            Expr::Array(e) => {
                let values = self.mark_values(e.elems.iter());
                self.value(Value::List(values))
            }
            Expr::Tuple(e) if e.elems.is_empty() => self.value(Value::Nil),
            Expr::Tuple(e) => {
                let values = self.mark_values(e.elems.iter());
                self.value(Value::Tuple(values))
            }
            Expr::Call(e) => {
                let values = self.mark_values(std::iter::once(&*e.func).chain(&e.args));
                self.value(Value::Tuple(values))
            }
            Expr::MethodCall(e) => {
                let base = self.mark_value(&e.receiver);
                let method = self.ident(&e.method);
                let mut values = vec![self.value(Value::Attr(base, method))];
                values.extend(self.mark_values(e.args.iter()));
                self.value(Value::Tuple(values))
            }
            Expr::Assign(e) => {
                let (left, right) = (self.mark_value(&e.left), self.mark_value(&e.right));
                self.value(Value::Compare(Comparison::Equal, left, right))
            }
            Expr::Unary(syn::ExprUnary { op: syn::UnOp::Not(_), expr, .. }) => {
                let value = self.mark_value(expr);
                self.value(Value::Not(value))
            }
            _ => self.unknown(),
        }
    }
}
