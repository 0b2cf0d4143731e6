//! Code of the editions before 2021: `&mut FnMut(u8) -> bool` names a trait object without `dyn` (Rust Reference, "Trait objects"),
//! which syn no longer reads.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// The tokens with `dyn` put before each bare trait object of a function trait. All tokens keep their places.
pub fn with_dyn(tokens: TokenStream) -> TokenStream {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    let mut out: Vec<TokenTree> = Vec::with_capacity(all.len());
    for (n, token) in all.iter().enumerate() {
        match token {
            TokenTree::Ident(name) if is_function_trait(name) && is_bare(&all[..n]) && takes_arguments(all.get(n + 1)) => {
                out.push(Ident::new("dyn", name.span()).into());
                out.push(token.clone());
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), with_dyn(group.stream()));
                inner.set_span(group.span());
                out.push(inner.into());
            }
            _ => out.push(token.clone()),
        }
    }
    out.into_iter().collect()
}

fn is_function_trait(name: &Ident) -> bool {
    name == "Fn" || name == "FnMut" || name == "FnOnce"
}

/// Where a type begins and no bound: after `&`, `&mut`, `&'a`, or the `<` of `Box<`.
fn is_bare(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Punct(sign)] => matches!(sign.as_char(), '&' | '<'),
        [.., TokenTree::Punct(sign), TokenTree::Ident(word)] => sign.as_char() == '&' && word == "mut" || sign.as_char() == '\'',
        [.., TokenTree::Punct(sign), TokenTree::Ident(_), TokenTree::Ident(word)] => sign.as_char() == '\'' && word == "mut",
        _ => false,
    }
}

fn takes_arguments(after: Option<&TokenTree>) -> bool {
    matches!(after, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}
