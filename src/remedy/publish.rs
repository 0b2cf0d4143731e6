//! A file that is written whole beside its place, and then takes it.

use super::draft::{Call, Draft};
use crate::facts::run::Setup;
use crate::facts::{Operator, Statement, Value, What};
use crate::finding::{Act, Fix};
use crate::text::Span;

/// Names for the new file, the first that is free.
const FRESH: &[&str] = &["fresh", "temporary", "new_file", "temporary_file"];

/// Names for a path that is written twice.
const TARGET: &[&str] = &["target", "target_path", "destination"];

/// Writes through a unique temporary in the same directory. `suffix` is the literal end of the path, where it has one.
pub fn atomically(mut draft: Draft, writes: &[Act], suffix: Option<&str>, setup: &Setup) -> Option<Fix> {
    let act = writes.first()?;
    if !draft.is_python() {
        let path: &str = &draft.source.path;
        let depends = setup.crate_of(path).is_some_and(|package| {
            let own = package.own_dependencies.iter().any(|name| name == "tempfile");
            let tests = below_tests(path) && package.dependencies.iter().any(|name| name == "tempfile");
            own || tests
        });
        let call = draft.call(act.site.op).filter(|_| depends)?;
        return in_rust(draft, act, &call);
    }
    for act in writes {
        let call = draft.call(act.site.op)?;
        let made = match &*act.call {
            "builtins.open" | "io.open" | "pathlib.Path.open" | ".open" => opened(&mut draft, act, &call),
            "pathlib.Path.write_text" | ".write_text" | "pathlib.Path.write_bytes" | ".write_bytes" => text(&mut draft, &call),
            _ => dumped(&mut draft, act, &call, suffix),
        };
        // What is written to an open file is written where it was opened.
        if made.is_none() && act == &writes[0] {
            return None;
        }
    }
    super::finish(draft, "write a temporary file beside it, then replace it whole", false)
}

fn below_tests(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/")
}

/// A path as it is written twice: a name, or a new name for an expression.
struct Target {
    name: String,
    /// The line that gives it its name.
    line: Option<String>,
    /// The directory that holds it.
    folder: String,
}

fn target(draft: &mut Draft, text: &str, span: Span, is_path: bool) -> Option<Target> {
    let unit = draft.facts.unit(draft.unit_at(span)).span;
    let plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let bare = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
    let (name, line) = if plain {
        (text.to_owned(), None)
    } else {
        let name = draft.fresh(unit, span, TARGET)?;
        let line = format!("{name} = {bare}");
        (name, Some(line))
    };
    let folder = if is_path || is_pathlib(draft, text, span) {
        format!("{name}.parent")
    } else {
        let os = draft.module("os");
        format!("{os}.path.dirname({name})")
    };
    Some(Target { name, line, folder })
}

/// Whether a name was last given a `pathlib.Path` in its unit or module, as far as one can see: annotated, joined with `/`, made by
/// `Path(…)` or one of its methods.
pub fn is_pathlib(draft: &Draft, name: &str, at: Span) -> bool {
    let facts = draft.facts;
    let unit = facts.unit(draft.unit_at(at));
    let param = unit.params.iter().find(|param| facts.name(param.name) == name);
    if let Some(ty) = param.and_then(|param| param.ty) {
        return facts.dotted(ty).is_some_and(|ty| ty.rsplit('.').next() == Some("Path"));
    }
    let stores = facts.ops.iter().filter(|op| op.span.start < at.start || !unit.span.contains(op.span));
    let last = stores.rev().find_map(|op| match &op.what {
        What::Store { to, value, .. } if facts.dotted(*to).as_deref() == Some(name) => Some(*value),
        _ => None,
    });
    last.is_some_and(|value| match facts.value(value) {
        Value::Binary(Operator::Divide, ..) => true,
        Value::Result(op) => draft.call(*op).is_some_and(|call| {
            matches!(
                draft.last_name(&call),
                "Path" | "with_suffix" | "with_name" | "joinpath" | "expanduser" | "resolve" | "with_stem"
            )
        }),
        _ => false,
    })
}

/// `with open(target, "w") as f:` and what is written in it.
fn opened(draft: &mut Draft, act: &Act, call: &Call) -> Option<()> {
    let statement = draft.statement(call.span)?;
    let [block] = statement.blocks.as_slice() else { return None };
    let before = draft.text(Span { start: statement.span.start, end: call.span.start });
    let after = draft.text(Span { start: call.span.end, end: block.start }).trim();
    let name = after.strip_prefix("as ").and_then(|rest| rest.split(':').next()).map(str::trim)?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if before != "with " || !is_name || leaves(draft, *block) {
        return None;
    }
    let method = draft.is_method(&act.call);
    let (path, rest) = if method {
        (draft.receiver(call).to_owned(), call.args)
    } else {
        let first = call.args.first().filter(|arg| arg.name.is_none())?;
        (draft.text(first.span).to_owned(), &call.args[1..])
    };
    let mode = draft.argument(call, usize::from(!method), "mode").map(|mode| draft.text(draft.written(mode)))?;
    if !mode.starts_with(['"', '\'']) || !mode.contains('w') {
        return None;
    }
    let fits = |arg: &&crate::facts::Arg| match arg.name {
        Some(name) => matches!(draft.facts.name(name), "mode" | "encoding" | "newline" | "errors" | "buffering"),
        None => true,
    };
    let places = rest.iter().filter(|arg| arg.name.is_none()).count();
    if !rest.iter().all(|arg| fits(&arg)) || places > 1 {
        return None;
    }
    let mut words: Vec<String> = vec![mode.to_owned()];
    words.extend(
        rest.iter()
            .filter(|arg| arg.name.is_some_and(|name| draft.facts.name(name) != "mode"))
            .map(|arg| draft.text(arg.span).to_owned()),
    );
    let target = target(draft, &path, call.span, method)?;
    words.push(format!("dir={}", target.folder));
    words.push("delete=False".to_owned());
    let maker = draft.reach("tempfile", "NamedTemporaryFile");
    draft.replace(call.span, format!("{maker}({})", words.join(", ")));
    around(draft, statement, &target, name);
    Some(())
}

/// Names the target before a statement, and puts the new file in its place after it.
fn around(draft: &mut Draft, statement: &Statement, target: &Target, fresh: &str) {
    let os = draft.module("os");
    if let Some(line) = &target.line {
        draft.insert_before(statement, std::slice::from_ref(line));
    }
    draft.insert_after(statement, &[format!("{os}.replace({fresh}.name, {})", target.name)]);
}

/// Whether a block is left before its end: what stands behind it would not run.
fn leaves(draft: &Draft, block: Span) -> bool {
    draft
        .facts
        .ops
        .iter()
        .any(|op| block.contains(op.span) && matches!(op.what, What::Return(_) | What::Break | What::Continue | What::Yield(_)))
}

/// `target.write_text(text)`.
fn text(draft: &mut Draft, call: &Call) -> Option<()> {
    let statement = draft.statement(call.span).filter(|one| one.span == call.span)?;
    let mode = if draft.last_name(call) == "write_text" { "\"w\", " } else { "" };
    let path = draft.receiver(call).to_owned();
    let data = call.args.first().filter(|arg| arg.name.is_none())?;
    let mut words: Vec<String> = Vec::new();
    for (place, arg) in call.args.iter().enumerate().skip(1) {
        match arg.name {
            Some(_) => words.push(draft.text(arg.span).to_owned()),
            None if place == 1 => words.push(format!("encoding={}", draft.text(arg.span))),
            None => return None,
        }
    }
    let data = draft.text(data.span).to_owned();
    let target = target(draft, &path, call.span, true)?;
    words.push(format!("dir={}", target.folder));
    words.push("delete=False".to_owned());
    let unit = draft.facts.unit(draft.unit_at(call.span)).span;
    let fresh = draft.fresh(unit, call.span, FRESH)?;
    let maker = draft.reach("tempfile", "NamedTemporaryFile");
    let indent = draft.indent(statement.span.start).to_owned() + &draft.step();
    let newline = draft.newline();
    draft.replace(
        statement.span,
        format!("with {maker}({mode}{}) as {fresh}:{newline}{indent}{fresh}.write({data})", words.join(", ")),
    );
    around(draft, statement, &target, &fresh);
    Some(())
}

/// A library function that takes an open file for the path: `numpy.save(target, values)`, `frame.to_parquet(target)`.
fn dumped(draft: &mut Draft, act: &Act, call: &Call, suffix: Option<&str>) -> Option<()> {
    let last = act.call.rsplit('.').next()?;
    let (place, name, mode) = match (&*act.call, last) {
        ("numpy.save" | "numpy.savez" | "numpy.savez_compressed", _) => (0, "file", None),
        ("numpy.savetxt", _) => (0, "fname", Some("w")),
        ("torch.save", _) => (1, "f", None),
        ("joblib.dump", _) => (1, "filename", None),
        (_, "to_parquet" | "to_feather" | "to_pickle") => (0, "path", None),
        (_, "to_csv") => (0, "path_or_buf", Some("w")),
        _ => return None,
    };
    let statement = draft.statement(call.span).filter(|one| one.span == call.span)?;
    let arg = draft.argument(call, place, name)?;
    let span = draft.written(arg);
    let path = draft.text(span).to_owned();
    let compressed = suffix.is_some_and(|end| [".gz", ".bz2", ".xz", ".zip", ".zst", ".tar"].contains(&end));
    // numpy adds the end that a path lacks, and none to an open file.
    let added = act.call.starts_with("numpy.save") && last != "savetxt" && !ends_so(draft, &path, span, suffix?);
    if compressed || added {
        return None;
    }
    let mut words: Vec<String> = mode.map(|mode| format!("\"{mode}\"")).into_iter().collect();
    if last == "to_csv" {
        words.push("newline=\"\"".to_owned());
    }
    let target = target(draft, &path, call.span, false)?;
    words.push(format!("dir={}", target.folder));
    words.push("delete=False".to_owned());
    let unit = draft.facts.unit(draft.unit_at(call.span)).span;
    let fresh = draft.fresh(unit, call.span, FRESH)?;
    let maker = draft.reach("tempfile", "NamedTemporaryFile");
    let newline = draft.newline();
    let (indent, step) = (draft.indent(statement.span.start).to_owned(), draft.step());
    draft.replace(span, fresh.clone());
    draft.insert(statement.span.start, format!("with {maker}({}) as {fresh}:{newline}{indent}{step}", words.join(", ")));
    around(draft, statement, &target, &fresh);
    Some(())
}

/// Whether the text of a path, or of what its name was given, ends with this.
fn ends_so(draft: &Draft, path: &str, at: Span, end: &str) -> bool {
    let facts = draft.facts;
    let unit = facts.unit(draft.unit_at(at));
    let ends = |text: &str| {
        let text = text.trim_end_matches(')');
        text.ends_with(&format!("{end}\"")) || text.ends_with(&format!("{end}'"))
    };
    ends(path)
        || facts.ops.iter().any(|op| {
            let same = matches!(&op.what, What::Store { to, .. } if facts.dotted(*to).as_deref() == Some(path));
            same && (unit.span.contains(op.span) || facts.unit(draft.unit_at(op.span)).parent.is_none())
                && ends(draft.text(op.span))
        })
}

/// `fs::write(path, data)?`, and `let file = File::create(path)?` with what is written to it.
fn in_rust(mut draft: Draft, act: &Act, call: &Call) -> Option<Fix> {
    let statement = draft.statement(call.span)?;
    let indent = draft.indent(statement.span.start).to_owned();
    let newline = draft.newline();
    let path = call.args.first().map(|arg| draft.text(arg.span).to_owned())?;
    let bare = path.trim_start_matches('&').to_owned();
    if !bare.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.')) {
        return None;
    }
    let named = draft.rust_name(&["std", "path", "Path"]);
    let parent = if is_rust_path(&draft, &bare, call.span) {
        format!("{bare}.parent()")
    } else {
        format!("{named}::new(&{bare}).parent()")
    };
    let made = format!("tempfile::NamedTempFile::new_in({parent}.unwrap_or({named}::new(\".\")))");
    let unit = draft.facts.unit(draft.unit_at(call.span));
    let returns = unit.returns.map(|ty| draft.text(draft.facts.written(ty)).to_owned()).unwrap_or_default();
    let head = draft.text(Span { start: unit.signature.end, end: unit.inner.start });
    let plain = ["io::Result", "anyhow", "Box<dyn", "eyre"].iter().any(|word| head.contains(word) || returns.contains(word));
    let tail_of = |from: u32| draft.text(Span { start: from, end: statement.span.end });
    match &*act.call {
        "std::fs::write" if statement.span.start == call.span.start => {
            let data = call.args.get(1)?;
            let rest = tail_of(call.span.end);
            let (tail, ends) = match rest.strip_suffix(';') {
                Some(tail) if !tail.is_empty() => (tail, false),
                // Its result is the function's.
                None if rest.is_empty() && head.contains("Result") => ("?", true),
                _ => return None,
            };
            let fresh = draft.fresh(unit.span, call.span, FRESH)?;
            let data = bytes_of(draft.text(data.span));
            let mut lines = vec![
                format!("let mut {fresh} = {made}{tail};"),
                format!("std::io::Write::write_all(&mut {fresh}, {data}){tail};"),
                format!("{fresh}.persist({path}){}{tail};", to_io(tail, plain)),
            ];
            if ends {
                lines.push("Ok(())".to_owned());
            }
            draft.replace(statement.span, lines.join(&format!("{newline}{indent}")));
        }
        "std::fs::File::create" => {
            let rest = tail_of(call.span.end);
            let tail = rest.strip_suffix(';')?.to_owned();
            let head = draft.text(Span { start: statement.span.start, end: call.span.start });
            let name = head.strip_prefix("let ")?.trim_start_matches("mut ").trim().strip_suffix('=')?.trim();
            if tail.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                return None;
            }
            let name = name.to_owned();
            // The block around, and what it does with the file.
            let block = draft.facts.statements.iter().flat_map(|one| &one.blocks).chain([&unit.inner]);
            let block = *block.filter(|block| block.contains(statement.span)).min_by_key(|block| block.end - block.start)?;
            let mut last = None;
            for one in draft.statements_in(block).into_iter().filter(|one| one.span.start >= statement.span.end) {
                let sym =
                    draft.facts.uses.iter().filter(|(sym, span)| one.span.contains(*span) && draft.facts.name(*sym) == name);
                for (_, span) in sym.copied().collect::<Vec<_>>() {
                    let before = draft.text(Span { start: one.span.start, end: span.start }).trim_end();
                    let after = draft.text(Span { start: span.end, end: one.span.end });
                    // Buffers of its own would be written after the new file took its place.
                    if !one.blocks.is_empty()
                        || draft.text(one.span).contains("BufWriter")
                        || !draft.text(one.span).ends_with(';')
                    {
                        return None;
                    }
                    if draft.text(one.span).starts_with("let ") {
                        return None;
                    }
                    if before.ends_with(['(', ',']) && !after.starts_with('.') {
                        draft.insert(span.start, "&");
                    }
                    last = Some(one);
                }
            }
            let last = last?;
            draft.replace(Span { start: statement.span.start, end: call.span.end }, {
                let mutable = if head.contains("mut ") { "mut " } else { "" };
                format!("let {mutable}{name} = {made}")
            });
            draft.insert_after(last, &[format!("{name}.persist({path}){}{tail};", to_io(&tail, plain))]);
        }
        _ => return None,
    }
    super::finish(draft, "write a `NamedTempFile` beside it, then `persist` it", false)
}

/// `PersistError` carries the file, and not every error type is made from it.
fn to_io(tail: &str, plain: bool) -> &'static str {
    if tail.starts_with(".unwrap()") || tail.starts_with(".expect(") || plain && tail == "?" {
        ""
    } else {
        ".map_err(|error| error.error)"
    }
}

/// Bytes of what `fs::write` takes.
fn bytes_of(data: &str) -> String {
    let bare = data.trim_start_matches('&');
    if bare.starts_with('"') && bare.is_ascii() {
        return format!("b{bare}");
    }
    if bare.starts_with("b\"") {
        return bare.to_owned();
    }
    format!("{bare}.as_ref()")
}

/// Whether a name is a path, as far as one can see: a parameter, field or variable of such a type, or made by a path's method.
pub fn is_rust_path(draft: &Draft, name: &str, at: Span) -> bool {
    let facts = draft.facts;
    let unit = facts.unit(draft.unit_at(at));
    let typed =
        |ty: crate::facts::V| facts.dotted(ty).is_some_and(|ty| matches!(ty.rsplit("::").next(), Some("Path" | "PathBuf")));
    if let Some(field) = name.strip_prefix("self.") {
        let fields = facts.classes.iter().flat_map(|class| &class.fields);
        return fields.filter(|(known, _)| facts.name(*known) == field).any(|(_, ty)| ty.is_some_and(typed));
    }
    if let Some(param) = unit.params.iter().find(|param| facts.name(param.name) == name) {
        return param.ty.is_some_and(typed);
    }
    facts.ops.iter().any(|op| match &op.what {
        What::Store { to, value, .. } if unit.span.contains(op.span) && facts.dotted(*to).as_deref() == Some(name) => {
            match facts.value(*value) {
                Value::Result(op) => draft.call(*op).is_some_and(|call| {
                    matches!(draft.last_name(&call), "join" | "with_extension" | "with_file_name" | "to_path_buf")
                        || matches!(draft.receiver(&call).rsplit("::").next(), Some("Path" | "PathBuf"))
                }),
                _ => false,
            }
        }
        _ => false,
    })
}
