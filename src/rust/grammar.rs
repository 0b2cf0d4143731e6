//! The small grammars inside macros and attributes, over syn's parser. Nothing here lowers.

use super::edges;
use crate::text::Span;
use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Block, Expr, FnArg, Ident, Pat, ReturnType, Stmt, Token, Type, Visibility, braced, parenthesized, token};

/// One of the comma-separated pieces in the parentheses of a macro or attribute.
pub struct Piece {
    /// `name = value` and `name: value`; `a.b = value` of tracing has the name `a.b`.
    pub name: Option<String>,
    /// None where it is something else than an expression (a type, a keyword).
    pub value: Option<Expr>,
    /// `value => to`.
    pub to: Option<Expr>,
    pub span: Span,
}

/// The comma-separated pieces of a macro's or attribute's tokens; none where they are something else.
pub fn pieces(tokens: TokenStream) -> Option<Vec<Piece>> {
    let parser = Punctuated::<Piece, Token![,]>::parse_terminated;
    parser.parse2(tokens).ok().map(|pieces| pieces.into_iter().collect())
}

impl Parse for Piece {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let start = edges::bytes(input.span());
        let mut name = piece_name(input)?;
        // The sigils of tracing (`%display`, `?debug`), and insta's mark of an inline snapshot.
        if input.peek(Token![%]) {
            input.parse::<Token![%]>()?;
        } else if input.peek(Token![?]) {
            input.parse::<Token![?]>()?;
        } else if input.peek(Token![@]) {
            input.parse::<Token![@]>()?;
        }
        let ahead = input.fork();
        let mut value = match ahead.parse::<Expr>() {
            Ok(value) if ahead.is_empty() || ahead.peek(Token![,]) || ahead.peek(Token![=>]) || ahead.peek(Token![;]) => {
                input.advance_to(&ahead);
                Some(value)
            }
            _ => None,
        };
        let mut end = value.as_ref().map(edges::expr);
        if value.is_none() {
            end = Some(other_piece(input)?);
        }
        let mut to = None;
        if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?;
            let expr: Expr = input.parse()?;
            end = Some(edges::expr(&expr));
            to = Some(expr);
        }
        // `#[test_case(1, 2 => 3; "its name")]`.
        if input.peek(Token![;]) && input.peek2(syn::LitStr) {
            input.parse::<Token![;]>()?;
            end = Some(edges::bytes(input.parse::<syn::LitStr>()?.span()));
        }
        if name.is_none()
            && let Some(Expr::Assign(assign)) = &value
            && let Some(dotted) = dotted(&assign.left)
        {
            name = Some(dotted);
            value = match value {
                Some(Expr::Assign(assign)) => Some(*assign.right),
                other => other,
            };
        }
        Ok(Piece { name, value, to, span: edges::join(start, end.unwrap_or(start)) })
    }
}

fn piece_name(input: ParseStream) -> syn::Result<Option<String>> {
    if !input.peek(Ident::peek_any) {
        return Ok(None);
    }
    let named = input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>]);
    let typed = input.peek2(Token![:]) && !input.peek2(Token![::]);
    if !named && !typed {
        return Ok(None);
    }
    let name = input.call(Ident::parse_any)?.unraw().to_string();
    if named {
        input.parse::<Token![=]>()?;
    } else {
        input.parse::<Token![:]>()?;
    }
    Ok(Some(name))
}

fn dotted(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(e) => Some(e.path.get_ident()?.to_string()),
        Expr::Field(e) => match &e.member {
            syn::Member::Named(name) => Some(format!("{}.{name}", dotted(&e.base)?)),
            syn::Member::Unnamed(_) => None,
        },
        _ => None,
    }
}

/// A type or a keyword in the place of an expression.
fn other_piece(input: ParseStream) -> syn::Result<Span> {
    let ahead = input.fork();
    if let Ok(ty) = ahead.parse::<Type>()
        && (ahead.is_empty() || ahead.peek(Token![,]))
    {
        input.advance_to(&ahead);
        return Ok(edges::bytes(ty.span()));
    }
    Ok(edges::bytes(input.call(Ident::parse_any)?.span()))
}

/// The statements or items of a macro's braces.
pub fn statements(tokens: TokenStream) -> Option<Vec<Stmt>> {
    Block::parse_within.parse2(tokens).ok()
}

/// `expression; length` of `vec!`.
pub fn repeat(tokens: TokenStream) -> Option<(Expr, Expr)> {
    let parser = |input: ParseStream| {
        let value = input.parse()?;
        input.parse::<Token![;]>()?;
        Ok((value, input.parse()?))
    };
    parser.parse2(tokens).ok()
}

/// The expression before the first comma, and the pattern behind it (`matches!`, `assert_matches!`).
pub fn matched(tokens: TokenStream) -> Option<Expr> {
    let parser = |input: ParseStream| {
        let value = input.parse()?;
        input.parse::<Token![,]>()?;
        Pat::parse_multi_with_leading_vert(input)?;
        // A guard, a message or an arm may follow.
        input.parse::<TokenStream>()?;
        Ok(value)
    };
    parser.parse2(tokens).ok()
}

/// One `static` of `thread_local!` or `lazy_static!`.
pub struct Static {
    pub ident: Ident,
    pub ty: Type,
    pub init: Expr,
    pub span: Span,
}

impl Parse for Static {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        input.call(Attribute::parse_outer)?;
        let start = edges::bytes(input.span());
        input.parse::<Visibility>()?;
        input.parse::<Token![static]>()?;
        input.parse::<Option<Token![ref]>>()?;
        input.parse::<Option<Token![mut]>>()?;
        let ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        input.parse::<Token![=]>()?;
        let init: Expr = input.parse()?;
        input.parse::<Option<Token![;]>>()?;
        let span = edges::join(start, edges::expr(&init));
        Ok(Static { ident, ty, init, span })
    }
}

pub fn statics(tokens: TokenStream) -> Option<Vec<Static>> {
    many.parse2(tokens).ok()
}

fn many<T: Parse>(input: ParseStream) -> syn::Result<Vec<T>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        found.push(input.parse()?);
    }
    Ok(found)
}

/// One branch of `cfg_if!`; the last may have no condition.
pub struct Branch {
    pub cfg: Option<Attribute>,
    pub body: TokenStream,
}

pub fn branches(tokens: TokenStream) -> Option<Vec<Branch>> {
    let parser = |input: ParseStream| {
        let mut branches = Vec::new();
        loop {
            let mut cfg = None;
            if input.peek(Token![if]) {
                input.parse::<Token![if]>()?;
                cfg = input.call(Attribute::parse_outer)?.into_iter().next();
            }
            let body;
            braced!(body in input);
            branches.push(Branch { cfg, body: body.parse()? });
            if input.is_empty() {
                return Ok(branches);
            }
            input.parse::<Token![else]>()?;
        }
    };
    parser.parse2(tokens).ok()
}

/// One arm of `tokio::select!`.
pub struct Race {
    /// The pattern and the future; none for `else`.
    pub ready: Option<(Pat, Expr)>,
    pub guard: Option<Expr>,
    pub body: Expr,
    pub span: Span,
}

impl Parse for Race {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let start = edges::bytes(input.span());
        let mut ready = None;
        let mut guard = None;
        if input.peek(Token![else]) {
            input.parse::<Token![else]>()?;
        } else {
            let pat = Pat::parse_multi_with_leading_vert(input)?;
            input.parse::<Token![=]>()?;
            ready = Some((pat, input.parse()?));
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
                input.parse::<Token![if]>()?;
                guard = Some(input.parse()?);
            }
        }
        input.parse::<Token![=>]>()?;
        // A block ends its arm, whatever follows.
        let body = if input.peek(token::Brace) { Expr::Block(input.parse()?) } else { input.parse()? };
        input.parse::<Option<Token![,]>>()?;
        let span = edges::join(start, edges::expr(&body));
        Ok(Race { ready, guard, body, span })
    }
}

pub fn races(tokens: TokenStream) -> Option<Vec<Race>> {
    let parser = |input: ParseStream| {
        if input.peek(Ident) && input.peek2(Token![;]) {
            // `biased;`
            input.parse::<Ident>()?;
            input.parse::<Token![;]>()?;
        }
        many(input)
    };
    parser.parse2(tokens).ok()
}

/// A parameter of a property, with its type unless it is drawn.
pub type Drawn = (Pat, Option<Type>);

/// One function of `proptest!`: parameters are drawn (`x in 0..9`) or typed.
pub struct Property {
    pub attrs: Vec<Attribute>,
    pub asyncness: bool,
    pub ident: Ident,
    pub params: Vec<Drawn>,
    pub output: ReturnType,
    pub block: Block,
    pub span: Span,
}

impl Parse for Property {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let start = edges::bytes(input.span());
        let attrs = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let asyncness = input.parse::<Option<Token![async]>>()?.is_some();
        input.parse::<Token![fn]>()?;
        let ident = input.parse()?;
        let inner;
        parenthesized!(inner in input);
        let params = draws(&inner)?;
        let output = input.parse()?;
        let block: Block = input.parse()?;
        let span = edges::join(start, edges::bytes(block.brace_token.span.close()));
        Ok(Property { attrs, asyncness, ident, params, output, block, span })
    }
}

fn draws(input: ParseStream) -> syn::Result<Vec<Drawn>> {
    let mut params = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        let drawn = Pat::parse_multi_with_leading_vert(&ahead).is_ok() && ahead.peek(Token![in]);
        if drawn {
            let pat = Pat::parse_multi_with_leading_vert(input)?;
            input.parse::<Token![in]>()?;
            input.parse::<Expr>()?;
            params.push((pat, None));
        } else if let FnArg::Typed(typed) = input.parse()? {
            params.push((*typed.pat, Some(*typed.ty)));
        }
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(params)
}

/// The functions of `proptest!`, its configuration attribute left out.
pub fn properties(tokens: TokenStream) -> Option<Vec<Property>> {
    let parser = |input: ParseStream| {
        input.call(Attribute::parse_inner)?;
        many(input)
    };
    parser.parse2(tokens).ok()
}

/// `proptest!(|(x in 0..9)| { … })`, with a configuration before it or not: parameters and body.
pub fn property_closure(tokens: TokenStream) -> Option<(Vec<Drawn>, Expr)> {
    let parser = |input: ParseStream| {
        if !input.peek(Token![|]) && !input.peek(Token![move]) {
            input.parse::<Expr>()?;
            input.parse::<Token![,]>()?;
        }
        input.parse::<Option<Token![move]>>()?;
        input.parse::<Token![|]>()?;
        let inner;
        parenthesized!(inner in input);
        let params = draws(&inner)?;
        input.parse::<Token![|]>()?;
        Ok((params, input.parse()?))
    };
    parser.parse2(tokens).ok()
}

/// `insta::with_settings!({ … }, { body })`: the body.
pub fn settings(tokens: TokenStream) -> Option<Expr> {
    let parser = |input: ParseStream| {
        let inner;
        braced!(inner in input);
        inner.parse::<TokenStream>()?;
        input.parse::<Token![,]>()?;
        let body = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(body)
    };
    parser.parse2(tokens).ok()
}

/// The members that a macro gives to an `impl` or `trait`.
pub fn members(tokens: TokenStream) -> Option<Vec<syn::ImplItem>> {
    many.parse2(tokens).ok()
}

/// What `json!` holds.
pub enum Json {
    Object(Vec<(Json, Json)>),
    Array(Vec<Json>),
    Null,
    Value(Expr),
}

impl Parse for Json {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if input.peek(token::Brace) {
            let inner;
            braced!(inner in input);
            let mut pairs = Vec::new();
            while !inner.is_empty() {
                let key = if inner.peek(token::Paren) {
                    let key;
                    parenthesized!(key in inner);
                    key.parse()?
                } else {
                    Json::Value(inner.parse()?)
                };
                inner.parse::<Token![:]>()?;
                pairs.push((key, inner.parse()?));
                inner.parse::<Option<Token![,]>>()?;
            }
            return Ok(Json::Object(pairs));
        }
        if input.peek(token::Bracket) {
            let ahead = input.fork();
            if let Ok(values) = json_array(&ahead)
                && (ahead.is_empty() || ahead.peek(Token![,]))
            {
                input.advance_to(&ahead);
                return Ok(Json::Array(values));
            }
        }
        if input.peek(Ident) && input.cursor().ident().is_some_and(|(ident, _)| ident == "null") {
            input.parse::<Ident>()?;
            return Ok(Json::Null);
        }
        Ok(Json::Value(input.parse()?))
    }
}

fn json_array(input: ParseStream) -> syn::Result<Vec<Json>> {
    let inner;
    syn::bracketed!(inner in input);
    let values = Punctuated::<Json, Token![,]>::parse_terminated(&inner)?;
    Ok(values.into_iter().collect())
}

pub fn json(tokens: TokenStream) -> Option<Json> {
    syn::parse2(tokens).ok()
}
