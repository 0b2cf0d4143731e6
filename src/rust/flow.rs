//! Control flow: branches, matches, loops and what leaves them.

use super::edges;
use super::exprs::flatten;
use super::lower::{Dest, Lower, Target};
use crate::facts::{Arm, Block, Step, Sym, V, Value, What};
use crate::text::Span;
use syn::{Expr, Label, Pat};

/// One side of a branch.
#[derive(Clone, Copy)]
enum Side<'a> {
    Nothing,
    Block(&'a syn::Block, Dest),
    /// The expression behind `else`.
    Else(&'a Expr, Dest),
    /// The end of a `while let`.
    Leave(Span),
}

impl Lower {
    /// Lowers control flow into steps; false where `expr` is none.
    pub fn control(&mut self, expr: &Expr, dest: Dest) -> bool {
        match expr {
            Expr::Paren(e) => return self.control(&e.expr, dest),
            Expr::Group(e) => return self.control(&e.expr, dest),
            Expr::Block(e) => match &e.label {
                Some(label) => self.labelled(label, &e.block, dest, edges::expr(expr)),
                None => self.scope(&e.block, dest),
            },
            Expr::Unsafe(e) => self.scope(&e.block, dest),
            Expr::Const(e) => self.scope(&e.block, dest),
            Expr::TryBlock(e) => self.scope(&e.block, dest),
            Expr::If(e) => {
                let other = match &e.else_branch {
                    Some((_, other)) => Side::Else(other, dest),
                    None => Side::Nothing,
                };
                self.branch(&e.cond, Side::Block(&e.then_branch, dest), other, edges::expr(expr));
            }
            Expr::Match(e) => self.matches(e, dest),
            Expr::Loop(e) => self.forever(e, dest, edges::expr(expr)),
            Expr::ForLoop(e) => self.each(e),
            Expr::While(e) => self.repeat(e),
            _ => return false,
        }
        true
    }

    fn scope(&mut self, block: &syn::Block, dest: Dest) {
        let body = self.within(|lower| lower.block(block, dest));
        if !body.is_empty() {
            self.steps.push(Step::Scope(body));
        }
    }

    fn side(&mut self, side: Side) -> Block {
        self.within(|lower| match side {
            Side::Nothing => {}
            Side::Block(block, dest) => lower.block(block, dest),
            Side::Else(Expr::Block(e), dest) if e.label.is_none() => lower.block(&e.block, dest),
            Side::Else(expr, dest) => lower.tail(expr, dest),
            Side::Leave(span) => {
                lower.push(What::Break, span);
            }
        })
    }

    /// A condition with its two sides. `let` conditions become matches; the other side of a chain with several of them stands
    /// once, behind a flag.
    fn branch(&mut self, cond: &Expr, then: Side, other: Side, span: Span) {
        let mut links = Vec::new();
        flatten(cond, true, &mut links);
        if !links.iter().any(|link| matches!(link, Expr::Let(_))) {
            let cond = self.expr(cond);
            let then = self.side(then);
            let mut rest = self.side(other);
            // What follows a very long chain of `else if` is told as if it came after it.
            let other = if self.is_full() { Vec::new() } else { std::mem::take(&mut rest) };
            self.steps.push(Step::If { cond, then, other, span });
            self.steps.extend(rest);
            return;
        }
        let flag = (links.len() > 1 && !matches!(other, Side::Nothing)).then(|| self.fresh());
        if let Some(flag) = flag {
            let no = self.value(Value::Bool(false));
            self.store(flag, no, span);
        }
        self.chain(&links, then, other, flag, span);
        if let Some(flag) = flag {
            let flag = self.name(flag);
            let cond = self.value(Value::Not(flag));
            let then = self.side(other);
            self.steps.push(Step::If { cond, then, other: Vec::new(), span });
        }
    }

    fn chain(&mut self, links: &[&Expr], then: Side, other: Side, flag: Option<Sym>, span: Span) {
        let Some((link, rest)) = links.split_first() else {
            if let Some(flag) = flag {
                let yes = self.value(Value::Bool(true));
                self.store(flag, yes, span);
            }
            let body = self.side(then);
            self.steps.extend(body);
            return;
        };
        if self.is_full() {
            self.expr(link);
            return self.chain(rest, then, other, flag, span);
        }
        let otherwise = if flag.is_some() { Side::Nothing } else { other };
        if let Expr::Let(e) = link {
            let subject = self.expr(&e.expr);
            let mut arm = self.arm(&e.pat, subject, edges::expr(link));
            let body = self.within(|lower| {
                lower.bind(&e.pat, subject);
                lower.chain(rest, then, other, flag, span);
            });
            arm.body = body;
            let body = self.side(otherwise);
            let refused = Arm { pattern: None, guard: None, body, span };
            self.steps.push(Step::Match { subject, arms: vec![arm, refused] });
        } else {
            let cond = self.expr(link);
            let then = self.within(|lower| lower.chain(rest, then, other, flag, span));
            let other = self.side(otherwise);
            self.steps.push(Step::If { cond, then, other, span });
        }
    }

    /// An arm without its body.
    fn arm(&mut self, pat: &Pat, subject: V, span: Span) -> Arm {
        let pattern = self.constructor(pat);
        let guard = self.literal_guard(pat, subject);
        Arm { pattern, guard, body: Vec::new(), span }
    }

    fn matches(&mut self, e: &syn::ExprMatch, dest: Dest) {
        let subject = self.expr(&e.expr);
        let mut arms = Vec::new();
        for each in &e.arms {
            let span = edges::join(self.pattern_span(&each.pat), edges::expr(&each.body));
            let mut arm = self.arm(&each.pat, subject, span);
            let mut asked = None;
            arm.body = self.within(|lower| {
                lower.bind(&each.pat, subject);
                if let Pat::Guard(guarded) = &each.pat {
                    asked = Some(lower.expr(&guarded.guard));
                }
                match &*each.body {
                    Expr::Block(body) if body.label.is_none() => lower.block(&body.block, dest),
                    body => lower.tail(body, dest),
                }
            });
            arm.guard = match (arm.guard, asked) {
                (Some(literal), Some(asked)) => Some(self.value(Value::And(vec![literal, asked]))),
                (literal, asked) => literal.or(asked),
            };
            arms.push(arm);
        }
        self.steps.push(Step::Match { subject, arms });
    }

    /// Fills the body of something that `break` leaves; the body, and whether a `break` made itself felt.
    fn left(&mut self, label: Option<&Label>, value: Option<Sym>, block: bool, fill: impl FnOnce(&mut Self)) -> (Block, bool) {
        let label = label.map(|label| label.name.ident.to_string());
        self.targets.push(Target { label, value, block, left: false });
        let body = self.within(fill);
        let left = self.targets.pop().is_some_and(|target| target.left);
        (body, left)
    }

    /// Where `break` puts the value of a loop or labelled block.
    fn result(&mut self, dest: Dest) -> Option<Sym> {
        match dest {
            Dest::Drop => None,
            Dest::Store(name) => Some(name),
            Dest::Return => Some(self.fresh()),
        }
    }

    /// A block that may be left early is a loop that runs once.
    fn labelled(&mut self, label: &Label, block: &syn::Block, dest: Dest, span: Span) {
        let value = self.result(dest);
        let inner = value.map_or(Dest::Drop, Dest::Store);
        let (mut body, left) = self.left(Some(label), value, true, |lower| lower.block(block, inner));
        if left {
            let op = self.builder.op(What::Break, span);
            body.push(Step::Op(op));
            self.steps.push(Step::Loop { over: None, cond: None, body, other: Vec::new() });
        } else {
            self.steps.push(Step::Scope(body));
        }
        if let (Dest::Return, Some(value)) = (dest, value) {
            let value = self.name(value);
            self.deliver(value, dest, span);
        }
    }

    fn forever(&mut self, e: &syn::ExprLoop, dest: Dest, span: Span) {
        let value = self.result(dest);
        let (body, left) = self.left(e.label.as_ref(), value, false, |lower| lower.block(&e.body, Dest::Drop));
        self.steps.push(Step::Loop { over: None, cond: None, body, other: Vec::new() });
        if let (Dest::Return, Some(value), true) = (dest, value, left) {
            let value = self.name(value);
            self.deliver(value, dest, span);
        }
    }

    fn each(&mut self, e: &syn::ExprForLoop) {
        let over = self.expr(&e.expr);
        let span = self.pattern_span(&e.pat);
        let (target, apart) = match self.plain(&e.pat) {
            Some(target) => (target, false),
            None => {
                let name = self.fresh();
                (self.name(name), true)
            }
        };
        let (body, _) = self.left(e.label.as_ref(), None, false, |lower| {
            let unknown = lower.unknown();
            let value = lower.value(Value::Item(over, unknown));
            lower.push(What::Store { to: target, value, ty: None }, span);
            if apart {
                lower.bind_let(&e.pat, target, span);
            }
            lower.block(&e.body, Dest::Drop);
        });
        self.steps.push(Step::Loop { over: Some((target, over)), cond: None, body, other: Vec::new() });
    }

    /// The operations of a `while` condition stand before the loop, where it is asked first; with `let`, at the start of the body.
    fn repeat(&mut self, e: &syn::ExprWhile) {
        let mut links = Vec::new();
        flatten(&e.cond, true, &mut links);
        let chained = links.iter().any(|link| matches!(link, Expr::Let(_)));
        let cond = (!chained).then(|| self.expr(&e.cond));
        let (body, _) = self.left(e.label.as_ref(), None, false, |lower| {
            if chained {
                let span = edges::bytes(e.while_token.span);
                lower.branch(&e.cond, Side::Block(&e.body, Dest::Drop), Side::Leave(span), span);
            } else {
                lower.block(&e.body, Dest::Drop);
            }
        });
        self.steps.push(Step::Loop { over: None, cond, body, other: Vec::new() });
    }

    /// `break`, with its label and its value.
    pub fn leave(&mut self, e: &syn::ExprBreak, span: Span) {
        let value = e.expr.as_ref().map(|value| self.expr(value));
        let target = self.targets.iter_mut().rev().find(|target| match &e.label {
            Some(label) => target.label.as_ref().is_some_and(|name| label.ident == name),
            None => !target.block,
        });
        let mut to = None;
        if let Some(target) = target {
            target.left |= target.block || value.is_some();
            to = target.value;
        }
        if let (Some(to), Some(value)) = (to, value) {
            self.store(to, value, span);
        }
        self.push(What::Break, span);
    }
}
