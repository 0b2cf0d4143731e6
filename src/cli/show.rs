//! `facts`: what a front end reads out of one file.

use super::{Failure, output};
use isolint::text::Kind;
use isolint::{discover, python, rust};
use std::path::Path;

/// Front ends recurse with the depth of the code (at most 200 levels); debug builds need room for that.
const STACK: usize = 64 * 1024 * 1024;

/// Prints the facts of one file.
pub fn facts(path: &Path) -> Result<u8, Failure> {
    let source = discover::file(path)?;
    let lower = || match source.kind {
        Kind::Rust => rust::lower(&source),
        _ => python::lower(&source),
    };
    let facts = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK);
        builder.spawn_scoped(scope, lower).map(|thread| thread.join())
    });
    let facts = match facts {
        Ok(Ok(facts)) => facts,
        // The hook has told of it.
        Ok(Err(_)) => return Ok(super::FAILED),
        Err(_) => lower(),
    };
    output::print(isolint::facts::show(&facts, &source).as_bytes())?;
    Ok(0)
}
