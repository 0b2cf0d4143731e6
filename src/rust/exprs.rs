//! Expressions: their calls become operations in evaluation order, what is left is a value.

use super::edges;
use super::lower::{Dest, Lower, NewUnit};
use crate::facts::{Arg, Comparison, Operator, Param, ParamKind, Shape, Step, V, Value, What, Why};
use crate::text::Span;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, Lit, Pat, RangeLimits, Type, UnOp};

impl Lower {
    /// Lowers an expression; its value.
    pub fn expr(&mut self, expr: &Expr) -> V {
        let value = self.lower(expr);
        // `&x`, `x?` and `(x)` are written where `x` is.
        if !matches!(expr, Expr::Await(_) | Expr::Cast(_) | Expr::Group(_) | Expr::Paren(_) | Expr::Reference(_) | Expr::Try(_)) {
            self.builder.place(value, edges::expr(expr));
        }
        value
    }

    fn lower(&mut self, expr: &Expr) -> V {
        match expr {
            Expr::Await(e) => match &*e.base {
                // Run where it stands.
                Expr::Async(base) => self.block_value(&base.block),
                base @ (Expr::Path(_) | Expr::Field(_) | Expr::Index(_) | Expr::Reference(_)) => {
                    // What was made elsewhere is waited for here.
                    let value = self.expr(base);
                    let awaiting = self.builder.sym("__await__");
                    let callee = self.value(Value::Attr(value, awaiting));
                    self.call(callee, Vec::new(), edges::expr(expr));
                    value
                }
                base => {
                    let value = self.expr(base);
                    self.push(What::Await(value), edges::expr(expr));
                    value
                }
            },
            Expr::Cast(e) => self.expr(&e.expr),
            Expr::Group(e) => self.expr(&e.expr),
            Expr::Paren(e) => self.expr(&e.expr),
            Expr::RawAddr(e) => self.expr(&e.expr),
            Expr::Reference(e) => self.expr(&e.expr),
            Expr::Try(e) => self.expr(&e.expr),
            Expr::Lit(e) => self.literal(&e.lit),
            Expr::Path(e) if e.path.is_ident("None") => self.value(Value::Nil),
            Expr::Path(e) => {
                let value = self.path(e.qself.as_ref(), &e.path);
                if let Value::Name(name) = *self.builder.facts().value(value) {
                    self.builder.facts_mut().uses.push((name, edges::expr(expr)));
                }
                value
            }
            Expr::Field(e) => {
                let base = self.expr(&e.base);
                let name = self.member(&e.member);
                self.value(Value::Attr(base, name))
            }
            Expr::Index(e) => {
                let base = self.expr(&e.expr);
                let index = self.expr(&e.index);
                self.value(Value::Item(base, index))
            }
            Expr::Call(e) => self.path_call(e),
            Expr::MethodCall(e) => self.method_call(e),
            Expr::Macro(e) => self.macro_call(&e.mac),
            Expr::Array(e) => {
                let elems = e.elems.iter().map(|elem| self.expr(elem)).collect();
                self.value(Value::List(elems))
            }
            Expr::Repeat(e) => {
                self.expr(&e.expr);
                self.expr(&e.len);
                self.buffer()
            }
            Expr::Tuple(e) if e.elems.is_empty() => self.value(Value::Nil),
            Expr::Tuple(e) => {
                let elems = e.elems.iter().map(|elem| self.expr(elem)).collect();
                self.value(Value::Tuple(elems))
            }
            Expr::Struct(e) => self.record(e),
            Expr::Range(e) => self.range(e),
            Expr::Unary(e) => self.unary(e),
            Expr::Binary(e) => self.binary(e, expr),
            Expr::Assign(e) => {
                let value = self.expr(&e.right);
                let to = self.place(&e.left);
                self.push(What::Store { to, value, ty: None }, edges::expr(expr));
                self.value(Value::Nil)
            }
            Expr::Closure(e) => self.closure(e),
            Expr::Async(e) => {
                let span = edges::expr(expr);
                self.lambda(span, true, |lower| lower.block(&e.block, Dest::Return))
            }
            Expr::Return(e) => {
                let span = edges::expr(expr);
                match &e.expr {
                    Some(value) if self.control(value, Dest::Return) => {}
                    Some(value) => {
                        let value = self.expr(value);
                        self.push(What::Return(Some(value)), span);
                    }
                    None => {
                        self.push(What::Return(None), span);
                    }
                }
                self.unknown()
            }
            Expr::Yield(e) => {
                let value = e.expr.as_ref().map(|value| self.expr(value));
                let op = self.push(What::Yield(value), edges::expr(expr));
                self.change(self.unit, |unit| unit.yields = true);
                self.value(Value::Result(op))
            }
            Expr::Break(e) => {
                self.leave(e, edges::expr(expr));
                self.unknown()
            }
            Expr::Continue(_) => {
                self.push(What::Continue, edges::expr(expr));
                self.unknown()
            }
            Expr::Let(e) => {
                // Only chains of conditions hold these, and `flow` reads them; elsewhere the match is all that is known.
                let subject = self.expr(&e.expr);
                self.bind(&e.pat, subject);
                self.unknown()
            }
            Expr::Block(e) if e.label.is_none() => self.block_value(&e.block),
            Expr::Unsafe(e) => self.block_value(&e.block),
            Expr::Const(e) => self.block_value(&e.block),
            Expr::TryBlock(e) => self.block_value(&e.block),
            Expr::Block(_) | Expr::If(_) | Expr::Match(_) | Expr::Loop(_) => {
                let name = self.fresh();
                self.control(expr, Dest::Store(name));
                self.name(name)
            }
            Expr::ForLoop(_) | Expr::While(_) => {
                self.control(expr, Dest::Drop);
                self.value(Value::Nil)
            }
            Expr::Infer(_) => {
                let name = self.sym("_");
                self.name(name)
            }
            _ => {
                self.builder.gap(edges::expr(expr), Why::Syntax);
                self.unknown()
            }
        }
    }

    /// A block as a value; one that is a lone expression is that expression.
    fn block_value(&mut self, block: &syn::Block) -> V {
        match block.stmts.as_slice() {
            [] => self.value(Value::Nil),
            [syn::Stmt::Expr(only, None)] if edges::attributes(only).is_empty() => self.expr(only),
            _ => {
                let name = self.fresh();
                let body = self.within(|lower| lower.block(block, Dest::Store(name)));
                self.steps.push(Step::Scope(body));
                self.name(name)
            }
        }
    }

    /// `[0; 16]`: room for what is put there later, and that is not known.
    pub fn buffer(&mut self) -> V {
        let filled = self.value(Value::Unknown);
        self.value(Value::List(vec![filled]))
    }

    pub fn arg(&mut self, expr: &Expr) -> Arg {
        let value = self.expr(expr);
        Arg { name: None, value, span: edges::expr(expr) }
    }

    fn path_call(&mut self, e: &syn::ExprCall) -> V {
        let callee = self.expr(&e.func);
        let args = e.args.iter().map(|arg| self.arg(arg)).collect();
        let start = edges::expr(&e.func);
        let span = edges::join(start, edges::bytes(e.paren_token.span.close()));
        self.call(callee, args, span)
    }

    fn method_call(&mut self, e: &syn::ExprMethodCall) -> V {
        let receiver = self.expr(&e.receiver);
        let args = e.args.iter().map(|arg| self.arg(arg)).collect();
        let method = self.ident(&e.method);
        let callee = self.value(Value::Attr(receiver, method));
        self.call(callee, args, edges::across(e.method.span(), e.paren_token.span.close()))
    }

    fn record(&mut self, e: &syn::ExprStruct) -> V {
        let ty = self.path(e.qself.as_ref(), &e.path);
        let mut fields = Vec::new();
        for field in &e.fields {
            let name = self.member(&field.member);
            let value = self.expr(&field.expr);
            fields.push((name, value));
        }
        if let Some(rest) = &e.rest {
            let value = self.expr(rest);
            fields.push((self.sym(".."), value));
        }
        self.value(Value::Record { ty, fields })
    }

    fn range(&mut self, e: &syn::ExprRange) -> V {
        let mut fields = Vec::new();
        for (name, end) in [("start", &e.start), ("end", &e.end)] {
            if let Some(end) = end {
                let value = self.expr(end);
                fields.push((self.sym(name), value));
            }
        }
        let name = match (&e.start, &e.limits, &e.end) {
            (Some(_), RangeLimits::HalfOpen(_), Some(_)) => "Range",
            (Some(_), RangeLimits::Closed(_), _) => "RangeInclusive",
            (Some(_), RangeLimits::HalfOpen(_), None) => "RangeFrom",
            (None, RangeLimits::HalfOpen(_), Some(_)) => "RangeTo",
            (None, RangeLimits::Closed(_), _) => "RangeToInclusive",
            (None, RangeLimits::HalfOpen(_), None) => "RangeFull",
        };
        let path = ["std", "ops", name].map(|segment| self.sym(segment)).to_vec();
        let ty = self.value(Value::Path(path));
        self.value(Value::Record { ty, fields })
    }

    fn unary(&mut self, e: &syn::ExprUnary) -> V {
        let value = self.expr(&e.expr);
        match e.op {
            UnOp::Not(_) => self.value(Value::Not(value)),
            UnOp::Neg(_) => match self.builder.facts().value(value) {
                Value::Int(int) => {
                    let negative = int.checked_neg();
                    self.value(negative.map_or(Value::Unknown, Value::Int))
                }
                _ => {
                    let zero = self.value(Value::Int(0));
                    self.value(Value::Binary(Operator::Subtract, zero, value))
                }
            },
            _ => value,
        }
    }

    fn binary(&mut self, e: &syn::ExprBinary, whole: &Expr) -> V {
        if let BinOp::And(_) | BinOp::Or(_) = e.op {
            return self.logic(whole, matches!(e.op, BinOp::And(_)));
        }
        let comparison = match e.op {
            BinOp::Eq(_) => Some(Comparison::Equal),
            BinOp::Ne(_) => Some(Comparison::NotEqual),
            BinOp::Lt(_) | BinOp::Le(_) => Some(Comparison::Less),
            BinOp::Gt(_) | BinOp::Ge(_) => Some(Comparison::Greater),
            _ => None,
        };
        let (operator, assigns) = match e.op {
            BinOp::Add(_) => (Operator::Add, false),
            BinOp::Sub(_) => (Operator::Subtract, false),
            BinOp::Mul(_) => (Operator::Multiply, false),
            BinOp::Div(_) => (Operator::Divide, false),
            BinOp::Rem(_) => (Operator::Modulo, false),
            BinOp::AddAssign(_) => (Operator::Add, true),
            BinOp::SubAssign(_) => (Operator::Subtract, true),
            BinOp::MulAssign(_) => (Operator::Multiply, true),
            BinOp::DivAssign(_) => (Operator::Divide, true),
            BinOp::RemAssign(_) => (Operator::Modulo, true),
            BinOp::BitXorAssign(_) | BinOp::BitAndAssign(_) | BinOp::BitOrAssign(_) => (Operator::Other, true),
            BinOp::ShlAssign(_) | BinOp::ShrAssign(_) => (Operator::Other, true),
            _ => (Operator::Other, false),
        };
        if assigns {
            let right = self.expr(&e.right);
            let to = self.place(&e.left);
            let value = self.value(Value::Binary(operator, to, right));
            self.push(What::Store { to, value, ty: None }, edges::expr(whole));
            return self.value(Value::Nil);
        }
        let left = self.expr(&e.left);
        let right = self.expr(&e.right);
        self.value(match comparison {
            Some(comparison) => Value::Compare(comparison, left, right),
            None => Value::Binary(operator, left, right),
        })
    }

    /// `a && b && …` or `a || b || …`: what an operand does happens only where those before it let it.
    fn logic(&mut self, whole: &Expr, and: bool) -> V {
        let mut operands = Vec::new();
        flatten(whole, and, &mut operands);
        let mut values = Vec::new();
        for operand in operands {
            if values.is_empty() {
                values.push(self.expr(operand));
                continue;
            }
            let mut value = None;
            let then = self.within(|lower| value = Some(lower.expr(operand)));
            if !then.is_empty() {
                let before = self.joined(values.clone(), and);
                let cond = if and { before } else { self.value(Value::Not(before)) };
                self.steps.push(Step::If { cond, then, other: Vec::new(), span: edges::expr(operand) });
            }
            values.extend(value);
        }
        self.joined(values, and)
    }

    fn joined(&mut self, values: Vec<V>, and: bool) -> V {
        match values.as_slice() {
            [one] => *one,
            _ => self.value(if and { Value::And(values) } else { Value::Or(values) }),
        }
    }

    /// The target of an assignment.
    fn place(&mut self, expr: &Expr) -> V {
        match expr {
            Expr::Tuple(e) => {
                let elems = e.elems.iter().map(|elem| self.place(elem)).collect();
                self.value(Value::Tuple(elems))
            }
            Expr::Array(e) => {
                let elems = e.elems.iter().map(|elem| self.place(elem)).collect();
                self.value(Value::List(elems))
            }
            _ => self.expr(expr),
        }
    }

    pub fn literal(&mut self, lit: &Lit) -> V {
        match lit {
            Lit::Str(lit) => self.text(&lit.value()),
            Lit::ByteStr(lit) => self.text(&String::from_utf8_lossy(&lit.value())),
            Lit::CStr(lit) => self.text(&lit.value().to_string_lossy()),
            Lit::Byte(lit) => self.text(&char::from(lit.value()).to_string()),
            Lit::Char(lit) => self.text(&lit.value().to_string()),
            Lit::Int(lit) => {
                let int = lit.base10_parse().map_or(Value::Unknown, Value::Int);
                self.value(int)
            }
            Lit::Float(lit) => {
                let number = self.sym(lit.base10_digits());
                self.value(Value::Float(number))
            }
            Lit::Bool(lit) => self.value(Value::Bool(lit.value())),
            _ => self.unknown(),
        }
    }

    fn closure(&mut self, e: &syn::ExprClosure) -> V {
        let whole = edges::bytes(e.inputs_begin.span);
        let start = e.capture.as_ref().map_or(whole, |token| edges::bytes(token.span));
        let start = e.asyncness.as_ref().map_or(start, |token| edges::bytes(token.span));
        let span = edges::join(start, edges::expr(&e.body));
        let closure = self.lambda(span, e.asyncness.is_some(), |lower| {
            lower.params(e.inputs.iter().map(|pat| match pat {
                Pat::Type(typed) => (&*typed.pat, Some(&*typed.ty), edges::bytes(pat.span())),
                _ => (pat, None, edges::bytes(pat.span())),
            }));
            match &*e.body {
                Expr::Block(body) if body.label.is_none() => lower.block(&body.block, Dest::Return),
                body => lower.tail(body, Dest::Return),
            }
        });
        if let Value::Closure(id) = *self.builder.facts().value(closure) {
            let returns = self.returned(&e.output);
            self.change(id, |unit| unit.returns = returns);
        }
        closure
    }

    /// A unit without a name, as a value.
    pub fn lambda(&mut self, span: Span, is_async: bool, fill: impl FnOnce(&mut Self)) -> V {
        let name = self.sym("");
        let head = Span { start: span.start, end: span.start };
        let new = NewUnit { name, shape: Shape::Closure, class: None, marks: Vec::new(), is_async, span, head };
        let unit = self.enter(new, fill);
        self.value(Value::Closure(unit))
    }

    /// The parameters of the unit that is being filled. A pattern gets a fresh name, and is taken apart at the start of the body.
    pub fn params<'a>(&mut self, params: impl Iterator<Item = (&'a Pat, Option<&'a Type>, Span)>) {
        for (pat, ty, span) in params {
            let ty = ty.map(|ty| self.ty(ty));
            let name = match self.plain(pat).map(|to| self.builder.facts().value(to)) {
                Some(Value::Name(name)) => *name,
                _ => {
                    let name = self.fresh();
                    let value = self.name(name);
                    self.bind_let(pat, value, span);
                    name
                }
            };
            let param = Param { name, ty, default: None, kind: ParamKind::Plain, marks: Vec::new(), span };
            self.change(self.unit, |unit| unit.params.push(param));
        }
    }
}

/// The operands of a chain of one logical operator.
pub fn flatten<'a>(expr: &'a Expr, and: bool, operands: &mut Vec<&'a Expr>) {
    match chained(expr, and) {
        Some(e) => {
            flatten(&e.left, and, operands);
            flatten(&e.right, and, operands);
        }
        None => operands.push(expr),
    }
}

/// The expression as a link of such a chain, parentheses taken off.
fn chained(expr: &Expr, and: bool) -> Option<&syn::ExprBinary> {
    match expr {
        Expr::Binary(e) => matches!((&e.op, and), (BinOp::And(_), true) | (BinOp::Or(_), false)).then_some(e),
        Expr::Paren(e) => chained(&e.expr, and),
        Expr::Group(e) => chained(&e.expr, and),
        _ => None,
    }
}
