//! Rust to facts. The only room that knows syn.
//!
//! What the vocabulary leaves open, this front end settles so:
//!
//! - **Types** keep their type arguments as [`Value::Item`](crate::facts::Value): `Option<PathBuf>` is the item `PathBuf` of
//!   `Option`, several arguments are a tuple. References, pointers, lifetimes, `impl` and `dyn` are dropped.
//! - **Nested attribute lists** have no operations to hold calls: `not(windows)` inside `#[cfg(…)]` is a [`Value::Tuple`](crate::facts::Value) of
//!   its name and arguments, and `feature = "x"` inside such a list is an equality.
//! - **`#[cfg(…)]` on a statement** is a [`Step::If`](crate::facts::Step) on a call of `cfg!`, as if it were written so.
//! - **Control flow with a value** stores it to a fresh name `$1`, `$2` …, or returns it where it ends a body.
//! - **Ranges** are the records that they stand for: `std::ops::Range { start, end }`.
//! - **Items** are visible in all of their block, so their definitions come first in it.
//! - **`panic!` and its like** are a call and a [`What::Raise`](crate::facts::What); `bail!` is a call and a return.

mod edges;
mod exprs;
mod flow;
mod formats;
mod grammar;
mod items;
mod lower;
mod macros;
mod marks;
mod older;
mod patterns;
mod scan;
mod types;

use crate::facts::{Builder, FileFacts, Ignore, Language, Why};
use crate::text::{Source, Span};

/// Lowers one Rust source. Never fails: what cannot be read becomes a gap.
pub fn lower(source: &Source) -> FileFacts {
    let text = scan::blank_head(&source.text);
    let scan = scan::scan(&text);
    let mut lower = lower::Lower::new(Builder::new(Language::Rust), text.len());
    for comment in &scan.comments {
        let written = text.get(comment.start..comment.end).unwrap_or_default();
        if written.contains("isolint:") {
            let ignore = Ignore::parse(written, comment.start as u32, comment.own_line);
            lower.builder.facts_mut().ignores.extend(ignore);
        }
    }
    match scan.too_deep {
        Some(at) => lower.builder.gap(Span::new(at, at + 1), Why::Depth),
        None => match parse(&text) {
            Ok(file) => lower.file(&file),
            Err(error) => {
                let mut span = edges::bytes(error.span());
                // The end of the text has no token to point at.
                if span == Span::default() && error.to_string().contains("unexpected end of input") {
                    span = Span::new(text.len(), text.len());
                }
                lower.builder.gap(span, Why::Syntax);
            }
        },
    }
    // proc-macro2 keeps the text of every parse of a thread for the positions of its tokens; no token is left here.
    proc_macro2::extra::invalidate_current_thread_spans();
    lower.builder.finish()
}

/// Parses a file; in the way of older editions where today's grammar refuses it. The error is that of today's.
fn parse(text: &str) -> syn::Result<syn::File> {
    syn::parse_str(text).or_else(|error| {
        let tokens: proc_macro2::TokenStream = text.parse().map_err(|_| error.clone())?;
        syn::parse2(older::with_dyn(tokens)).map_err(|_| error)
    })
}

#[cfg(test)]
mod tests;
