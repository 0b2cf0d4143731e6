//! Where a piece of syntax starts and ends, without printing its tokens: `Spanned` would walk all of a large expression each time.

use crate::facts::Statement;
use crate::text::Span;
use proc_macro2::Span as Tokens;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Stmt, Visibility};

/// The byte span of a token or of tokens. Offsets are relative to the text given to the parser, which is the whole file.
pub fn bytes(tokens: Tokens) -> Span {
    let range = tokens.byte_range();
    Span::new(range.start, range.end)
}

/// From the start of one to the end of another.
pub fn across(first: Tokens, last: Tokens) -> Span {
    join(bytes(first), bytes(last))
}

pub fn join(first: Span, last: Span) -> Span {
    Span { start: first.start, end: last.end.max(first.start) }
}

pub fn expr(expr: &Expr) -> Span {
    Span { start: first(expr), end: last(expr).max(first(expr)) }
}

/// A path, its generics included.
pub fn across_path(path: &syn::Path) -> Span {
    bytes(path.span())
}

pub fn attribute(attr: &Attribute) -> Span {
    across(attr.pound_token.span, attr.bracket_token.span.close())
}

/// The start of an item: its first outer attribute, else its visibility, else `keyword`.
pub fn item_start(attrs: &[Attribute], vis: Option<&Visibility>, keyword: Tokens) -> u32 {
    let attr = attrs.iter().find(|attr| matches!(attr.style, syn::AttrStyle::Outer)).map(|attr| attr.pound_token.span);
    let vis = vis.filter(|vis| !matches!(vis, Visibility::Inherited)).map(Spanned::span);
    bytes(attr.or(vis).unwrap_or(keyword)).start
}

/// A statement of a block, its semicolon included.
pub fn statement(stmt: &Stmt) -> Statement {
    let mut blocks = Vec::new();
    let span = match stmt {
        Stmt::Local(local) => across(local.let_token.span, local.semi_token.span),
        Stmt::Item(item) => bytes(item.span()),
        Stmt::Expr(e, semi) => {
            let mut at = Some(e);
            while let Some(Expr::If(e)) = at {
                blocks.push(braces(&e.then_branch));
                at = e.else_branch.as_ref().map(|(_, other)| &**other);
            }
            if let Some(Expr::Block(e)) = at {
                blocks.push(braces(&e.block));
            }
            let whole = expr(e);
            Span { start: whole.start, end: semi.as_ref().map_or(whole.end, |semi| bytes(semi.span).end) }
        }
        Stmt::Macro(stmt) => {
            let whole = join(bytes(stmt.mac.path.span()), bytes(stmt.mac.delimiter.span().close()));
            Span { start: whole.start, end: stmt.semi_token.as_ref().map_or(whole.end, |semi| bytes(semi.span).end) }
        }
    };
    Statement { span, blocks }
}

fn braces(block: &syn::Block) -> Span {
    across(block.brace_token.span.open(), block.brace_token.span.close())
}

/// The first byte of an expression, its attributes left out.
fn first(expr: &Expr) -> u32 {
    let mut expr = expr;
    loop {
        let token = match expr {
            Expr::Assign(e) => {
                expr = &e.left;
                continue;
            }
            Expr::Await(e) => {
                expr = &e.base;
                continue;
            }
            Expr::Binary(e) => {
                expr = &e.left;
                continue;
            }
            Expr::Call(e) => {
                expr = &e.func;
                continue;
            }
            Expr::Cast(e) => {
                expr = &e.expr;
                continue;
            }
            Expr::Field(e) => {
                expr = &e.base;
                continue;
            }
            Expr::Group(e) => {
                expr = &e.expr;
                continue;
            }
            Expr::Index(e) => {
                expr = &e.expr;
                continue;
            }
            Expr::MethodCall(e) => {
                expr = &e.receiver;
                continue;
            }
            Expr::Try(e) => {
                expr = &e.expr;
                continue;
            }
            Expr::Range(e) => match &e.start {
                Some(start) => {
                    expr = start;
                    continue;
                }
                None => e.limits.span(),
            },
            Expr::Array(e) => e.bracket_token.span.open(),
            Expr::Async(e) => e.async_token.span,
            Expr::Block(e) => e.label.as_ref().map_or(e.block.brace_token.span.open(), |label| label.name.apostrophe),
            Expr::Break(e) => e.break_token.span,
            Expr::Closure(e) => {
                let lifetimes = e.lifetimes.as_ref().map(|l| l.for_token.span);
                let constness = e.constness.as_ref().map(|t| t.span);
                let asyncness = e.asyncness.as_ref().map(|t| t.span);
                let capture = e.capture.as_ref().map(|t| t.span);
                lifetimes.or(constness).or(asyncness).or(capture).unwrap_or(e.inputs_begin.span)
            }
            Expr::Const(e) => e.const_token.span,
            Expr::Continue(e) => e.continue_token.span,
            Expr::ForLoop(e) => e.label.as_ref().map_or(e.for_token.span, |label| label.name.apostrophe),
            Expr::If(e) => e.if_token.span,
            Expr::Infer(e) => e.underscore_token.span,
            Expr::Let(e) => e.let_token.span,
            Expr::Lit(e) => e.lit.span(),
            Expr::Loop(e) => e.label.as_ref().map_or(e.loop_token.span, |label| label.name.apostrophe),
            Expr::Macro(e) => e.mac.path.span(),
            Expr::Match(e) => e.match_token.span,
            Expr::Paren(e) => e.paren_token.span.open(),
            Expr::Path(e) => e.qself.as_ref().map_or_else(|| e.path.span(), |qself| qself.lt_token.span),
            Expr::RawAddr(e) => e.and_token.span,
            Expr::Reference(e) => e.and_token.span,
            Expr::Repeat(e) => e.bracket_token.span.open(),
            Expr::Return(e) => e.return_token.span,
            Expr::Struct(e) => e.qself.as_ref().map_or_else(|| e.path.span(), |qself| qself.lt_token.span),
            Expr::TryBlock(e) => e.try_token.span,
            Expr::Tuple(e) => e.paren_token.span.open(),
            Expr::Unary(e) => e.op.span(),
            Expr::Unsafe(e) => e.unsafe_token.span,
            Expr::While(e) => e.label.as_ref().map_or(e.while_token.span, |label| label.name.apostrophe),
            Expr::Yield(e) => e.yield_token.span,
            other => other.span(),
        };
        return bytes(token).start;
    }
}

/// The byte behind an expression.
fn last(expr: &Expr) -> u32 {
    let mut expr = expr;
    loop {
        let token = match expr {
            Expr::Assign(e) => {
                expr = &e.right;
                continue;
            }
            Expr::Binary(e) => {
                expr = &e.right;
                continue;
            }
            Expr::Break(e) => match &e.expr {
                Some(value) => {
                    expr = value;
                    continue;
                }
                None => e.label.as_ref().map_or(e.break_token.span, |label| label.ident.span()),
            },
            Expr::Closure(e) => {
                expr = &e.body;
                continue;
            }
            Expr::Group(e) => {
                expr = &e.expr;
                continue;
            }
            Expr::If(e) => match &e.else_branch {
                Some((_, other)) => {
                    expr = other;
                    continue;
                }
                None => e.then_branch.brace_token.span.close(),
            },
            Expr::Let(e) => {
                expr = &e.expr;
                continue;
            }
            Expr::Range(e) => match &e.end {
                Some(end) => {
                    expr = end;
                    continue;
                }
                None => e.limits.span(),
            },
            Expr::RawAddr(e) => {
                expr = &e.expr;
                continue;
            }
            Expr::Reference(e) => {
                expr = &e.expr;
                continue;
            }
            Expr::Return(e) => match &e.expr {
                Some(value) => {
                    expr = value;
                    continue;
                }
                None => e.return_token.span,
            },
            Expr::Unary(e) => {
                expr = &e.expr;
                continue;
            }
            Expr::Yield(e) => match &e.expr {
                Some(value) => {
                    expr = value;
                    continue;
                }
                None => e.yield_token.span,
            },
            Expr::Array(e) => e.bracket_token.span.close(),
            Expr::Async(e) => e.block.brace_token.span.close(),
            Expr::Await(e) => e.await_token.span,
            Expr::Block(e) => e.block.brace_token.span.close(),
            Expr::Call(e) => e.paren_token.span.close(),
            Expr::Cast(e) => e.ty.span(),
            Expr::Const(e) => e.block.brace_token.span.close(),
            Expr::Continue(e) => e.label.as_ref().map_or(e.continue_token.span, |label| label.ident.span()),
            Expr::Field(e) => e.member.span(),
            Expr::ForLoop(e) => e.body.brace_token.span.close(),
            Expr::Index(e) => e.bracket_token.span.close(),
            Expr::Lit(e) => e.lit.span(),
            Expr::Loop(e) => e.body.brace_token.span.close(),
            Expr::Macro(e) => e.mac.delimiter.span().close(),
            Expr::Match(e) => e.brace_token.span.close(),
            Expr::MethodCall(e) => e.paren_token.span.close(),
            Expr::Paren(e) => e.paren_token.span.close(),
            Expr::Path(e) => e.path.span(),
            Expr::Repeat(e) => e.bracket_token.span.close(),
            Expr::Struct(e) => e.brace_token.span.close(),
            Expr::Try(e) => e.question_token.span,
            Expr::TryBlock(e) => e.block.brace_token.span.close(),
            Expr::Tuple(e) => e.paren_token.span.close(),
            Expr::Unsafe(e) => e.block.brace_token.span.close(),
            Expr::While(e) => e.body.brace_token.span.close(),
            other => other.span(),
        };
        return bytes(token).end;
    }
}

/// The attributes of an expression.
pub fn attributes(expr: &Expr) -> &[Attribute] {
    match expr {
        Expr::Array(syn::ExprArray { attrs, .. })
        | Expr::Assign(syn::ExprAssign { attrs, .. })
        | Expr::Async(syn::ExprAsync { attrs, .. })
        | Expr::Await(syn::ExprAwait { attrs, .. })
        | Expr::Binary(syn::ExprBinary { attrs, .. })
        | Expr::Block(syn::ExprBlock { attrs, .. })
        | Expr::Break(syn::ExprBreak { attrs, .. })
        | Expr::Call(syn::ExprCall { attrs, .. })
        | Expr::Closure(syn::ExprClosure { attrs, .. })
        | Expr::Const(syn::ExprConst { attrs, .. })
        | Expr::Continue(syn::ExprContinue { attrs, .. })
        | Expr::Field(syn::ExprField { attrs, .. })
        | Expr::ForLoop(syn::ExprForLoop { attrs, .. })
        | Expr::If(syn::ExprIf { attrs, .. })
        | Expr::Loop(syn::ExprLoop { attrs, .. })
        | Expr::Macro(syn::ExprMacro { attrs, .. })
        | Expr::Match(syn::ExprMatch { attrs, .. })
        | Expr::MethodCall(syn::ExprMethodCall { attrs, .. })
        | Expr::Paren(syn::ExprParen { attrs, .. })
        | Expr::Return(syn::ExprReturn { attrs, .. })
        | Expr::Struct(syn::ExprStruct { attrs, .. })
        | Expr::Try(syn::ExprTry { attrs, .. })
        | Expr::TryBlock(syn::ExprTryBlock { attrs, .. })
        | Expr::Tuple(syn::ExprTuple { attrs, .. })
        | Expr::Unsafe(syn::ExprUnsafe { attrs, .. })
        | Expr::While(syn::ExprWhile { attrs, .. }) => attrs,
        _ => &[],
    }
}
