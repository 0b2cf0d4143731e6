//! One call that accepts both outcomes, in the place of a check and an act.

use super::draft::Draft;
use crate::facts::{OpId, Site, Statement};
use crate::finding::{Act, Fix};
use crate::text::Span;

/// Makes a directory, whether it is there or not.
pub fn existing(mut draft: Draft, act: &Act, check: Site) -> Option<Fix> {
    let call = draft.call(act.site.op)?;
    let mut safe = true;
    let title = if draft.is_python() {
        match &*act.call {
            "os.mkdir" => {
                // The directories above it are made, too.
                safe = false;
                if draft.receiver(&call).is_empty() {
                    let os = draft.module("os");
                    draft.replace(call.name, format!("{os}.makedirs"));
                } else {
                    draft.rename(&call, "makedirs")?;
                }
                draft.set_argument(&call, "exist_ok", "True");
            }
            "os.makedirs" if call.args.len() < 3 => draft.set_argument(&call, "exist_ok", "True"),
            "pathlib.Path.mkdir" | ".mkdir" if draft.last_name(&call) == "mkdir" && call.args.len() < 3 => {
                draft.set_argument(&call, "exist_ok", "True");
            }
            _ => return None,
        }
        "make the directory with `exist_ok=True`"
    } else {
        if &*act.call != "std::fs::create_dir" {
            return None;
        }
        safe = false;
        draft.rename(&call, "create_dir_all")?;
        "make the directory with `create_dir_all`"
    };
    let edits = std::mem::take(&mut draft.edits);
    match guarded(&draft, act.site.op, check) {
        // The act alone, in the place of the check and the act.
        Some((whole, inner)) => {
            draft.replace(Span { start: whole.span.start, end: inner.span.start }, "");
            draft.replace(Span { start: inner.span.end, end: whole.span.end }, "");
            if draft.text(inner.span).contains('\n') {
                return None;
            }
            draft.edits.extend(edits);
        }
        None => draft.edits = edits,
    }
    super::finish(draft, title, safe)
}

/// Deletes, whether it is there or not.
pub fn missing(mut draft: Draft, act: &Act, check: Site) -> Option<Fix> {
    let call = draft.call(act.site.op)?;
    if !draft.is_python() {
        return missing_in_rust(draft, act, check);
    }
    let argument = match &*act.call {
        "pathlib.Path.unlink" | ".unlink" if draft.last_name(&call) == "unlink" => Some(("missing_ok", true)),
        "shutil.rmtree" if call.args.len() < 2 => Some(("ignore_errors", false)),
        "os.remove" | "os.unlink" | "os.rmdir" | "os.removedirs" | "pathlib.Path.rmdir" | ".rmdir" => None,
        _ => return None,
    };
    let guarded = guarded(&draft, act.site.op, check);
    let Some((name, safe)) = argument else {
        let suppress = draft.module("contextlib");
        let header = format!("with {suppress}.suppress(FileNotFoundError):");
        if let Some((whole, inner)) = guarded {
            let between = Span { start: whole.span.start, end: inner.span.start };
            let head = draft.text(between).trim_end().len() as u32;
            draft.replace(Span { start: between.start, end: between.start + head }, header);
        } else {
            let statement = draft.statement(call.span).filter(|one| one.span == call.span)?;
            let indent = draft.indent(statement.span.start).to_owned() + &draft.step();
            let text = draft.moved(statement.span, &indent)?;
            draft.replace(statement.span, header + draft.newline() + &text);
        }
        return super::finish(draft, "accept that it is gone, with `contextlib.suppress`", true);
    };
    draft.set_argument(&call, name, "True");
    let one_line = guarded.filter(|(_, inner)| !draft.text(inner.span).contains('\n'));
    if let Some((whole, inner)) = one_line {
        draft.replace(Span { start: whole.span.start, end: inner.span.start }, "");
    }
    super::finish(draft, &format!("delete it with `{name}=True`"), safe)
}

fn missing_in_rust(mut draft: Draft, act: &Act, check: Site) -> Option<Fix> {
    if !matches!(&*act.call, "std::fs::remove_file" | "std::fs::remove_dir" | "std::fs::remove_dir_all") {
        return None;
    }
    let call = draft.call(act.site.op)?;
    let statement = draft.facts.statement_at(call.span)?;
    let text = draft.text(call.span);
    let rest = draft.text(Span { start: call.span.end, end: statement.span.end }).to_owned();
    // The result is asked for at once, or handed on as it is.
    let tail = rest.strip_suffix(';').unwrap_or(&rest);
    if statement.span.start != call.span.start || tail.contains('\n') {
        return None;
    }
    let gone = if tail.is_empty() { "Ok(())" } else { "{}" };
    let place = guarded(&draft, act.site.op, check).map_or(statement.span, |(whole, _)| whole.span);
    let (indent, step, newline) = (draft.indent(place.start).to_owned(), draft.step(), draft.newline());
    let comma = if gone == "{}" { "" } else { "," };
    let lines = [
        format!("match {text} {{"),
        format!("{step}Err(error) if error.kind() == std::io::ErrorKind::NotFound => {gone}{comma}"),
        format!("{step}other => other{tail},"),
        "}".to_owned(),
    ];
    let joined = lines.join(&format!("{newline}{indent}"));
    draft.replace(place, joined);
    super::finish(draft, "take `ErrorKind::NotFound` for success", true)
}

/// Creates a file in one step that fails where it is there.
pub fn exclusively(mut draft: Draft, act: &Act, check: Site) -> Option<Fix> {
    let call = draft.call(act.site.op)?;
    if !draft.is_python() {
        if &*act.call != "std::fs::File::create" {
            return None;
        }
        return exclusively_in_rust(draft, act, check);
    }
    let statement = draft.statement(call.span)?;
    // What is done in the place of the act, where the file is there.
    let early = early_return(&draft, check, statement);
    let body = match draft.last_name(&call) {
        "touch" if statement.span == call.span => {
            draft.set_argument(&call, "exist_ok", "False");
            None
        }
        "open" => {
            let place = usize::from(!draft.is_method(&act.call));
            let mode = draft.argument(&call, place, "mode")?;
            let span = draft.written(mode);
            let text = draft.text(span);
            let changed = text.replacen('w', "x", 1);
            if !text.starts_with(['"', '\'']) || changed == text {
                return None;
            }
            draft.replace(span, changed);
            None
        }
        "write_text" | "write_bytes" if statement.span == call.span && call.args.len() == 1 && early.is_none() => {
            let mode = if draft.last_name(&call) == "write_text" { "x" } else { "xb" };
            let path = draft.receiver(&call).to_owned();
            let data = draft.text(call.args[0].span).to_owned();
            Some((format!("{path}.open(\"{mode}\") as new:"), format!("new.write({data})")))
        }
        _ => return None,
    };
    let (newline, step) = (draft.newline(), draft.step());
    if let Some(check) = early {
        let (indent, deeper) = (draft.indent(check.span.start).to_owned(), draft.indent(check.span.start).to_owned() + &step);
        let answer = draft.text(*check.blocks.first()?).to_owned();
        if statement.span == call.span || draft.text(statement.span).starts_with("with ") {
            if draft.text(statement.span).contains('\n') {
                return None;
            }
            draft.replace(Span { start: check.span.start, end: statement.span.start }, format!("try:{newline}{deeper}"));
            draft.insert(statement.span.end, format!("{newline}{indent}except FileExistsError:{newline}{deeper}{answer}"));
            return super::finish(draft, "create it exclusively, and take `FileExistsError` for the answer", false);
        }
        return None;
    }
    let contextlib = draft.module("contextlib");
    let suppress = format!("with {contextlib}.suppress(FileExistsError)");
    match body {
        Some((open, write)) => {
            let indent = draft.indent(statement.span.start).to_owned() + &step;
            draft.replace(statement.span, format!("{suppress}, {open}{newline}{indent}{write}"));
        }
        None if draft.text(statement.span).starts_with("with ") => {
            let start = statement.span.start;
            draft.replace(Span { start, end: start + 4 }, format!("{suppress},"));
        }
        None if statement.span == call.span => {
            let indent = draft.indent(statement.span.start).to_owned() + &step;
            draft.insert(statement.span.start, format!("{suppress}:{newline}{indent}"));
        }
        None => return None,
    }
    super::finish(draft, "create it exclusively, and take `FileExistsError` for success", false)
}

fn exclusively_in_rust(mut draft: Draft, act: &Act, check: Site) -> Option<Fix> {
    let call = draft.call(act.site.op)?;
    let statement = draft.statement(call.span)?;
    let title = "create it with `File::create_new`";
    let made = draft.text(call.span).strip_suffix(draft.text(Span { start: call.name.end, end: call.span.end }))?;
    let made =
        format!("{}create_new{}", made.strip_suffix("create")?, draft.text(Span { start: call.name.end, end: call.span.end }));
    let tail = draft.text(Span { start: call.span.end, end: statement.span.end }).strip_suffix(';').map(str::to_owned);
    let (indent, step, newline) = (draft.indent(statement.span.start).to_owned(), draft.step(), draft.newline());
    let arms = |there: String, other: String| {
        let lines = [
            format!("match {made} {{"),
            format!("{step}Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {there}"),
            format!("{step}other => {other},"),
            "}".to_owned(),
        ];
        lines.join(&format!("{newline}{indent}"))
    };
    let alone = statement.span.start == call.span.start;
    match (early_return(&draft, check, statement), tail) {
        // What the check answered, the creation answers now.
        (Some(check), Some(tail)) if !tail.contains('\n') => {
            let answer = draft.statements_in(*check.blocks.first()?);
            let answer = draft.text(answer.first()?.span).trim_end_matches(';').to_owned();
            let text = arms(format!("{answer},"), format!("other{tail}"));
            draft.replace(Span { start: check.span.start, end: statement.span.start }, "");
            draft.replace(Span { start: call.span.start, end: statement.span.end - 1 }, text);
        }
        (None, Some(tail)) if alone && !tail.is_empty() && !tail.contains('\n') => {
            let text = arms("{}".to_owned(), format!("drop(other{tail})"));
            draft.replace(statement.span, text);
        }
        _ => draft.rename(&call, "create_new")?,
    }
    super::finish(draft, title, false)
}

/// Repeats an early return where the lock is held.
pub fn inside(mut draft: Draft, act: &Act, check: Site) -> Option<Fix> {
    let call = draft.call(act.site.op)?;
    let asked = draft.call(check.op)?;
    let check = draft.statement(asked.span)?;
    let [block] = check.blocks.as_slice() else { return None };
    let leaves = draft.statements_in(*block).last().map(|last| draft.text(last.span))?;
    if !draft.is_python()
        || !draft.text(check.span).starts_with("if ")
        || !(leaves.starts_with("return") || leaves.starts_with("raise"))
    {
        return None;
    }
    // The outermost block between the two that begins after the check.
    let around = draft.facts.statements.iter().find(|one| {
        one.span.start > check.span.end && one.span.contains(call.span) && draft.text(one.span).starts_with("with ")
    })?;
    let first = *draft.statements_in(*around.blocks.first()?).first()?;
    let indent = draft.indent(first.span.start).to_owned();
    let text = draft.moved(check.span, &indent)?;
    let at = draft.lines(first.span).start;
    let newline = draft.newline();
    draft.insert(at, text + newline);
    super::finish(draft, "repeat the check inside the lock", false)
}

impl Draft<'_> {
    /// Whether a call of the tables is a method: its receiver is the path.
    pub fn is_method(&self, call: &str) -> bool {
        call.starts_with('.') || call.starts_with("pathlib.")
    }
}

/// The `if` that does nothing but to ask the check and then to act, and the act's statement in it.
fn guarded<'a>(draft: &Draft<'a>, act: OpId, check: Site) -> Option<(&'a Statement, &'a Statement)> {
    let asked = draft.call(check.op).filter(|_| check.file == draft.file)?;
    let whole = draft.statement(asked.span)?;
    let [block] = whole.blocks.as_slice() else { return None };
    let inner = draft.statements_in(*block);
    let [inner] = inner.as_slice() else { return None };
    let act = draft.call(act)?;
    let python = draft.is_python();
    let header = draft.text(Span { start: whole.span.start, end: block.start });
    let condition = header.trim().strip_prefix("if ")?;
    let condition = if python { condition.strip_suffix(':')? } else { condition }.trim();
    let condition = condition.strip_prefix("not ").or_else(|| condition.strip_prefix('!')).unwrap_or(condition).trim();
    let alone = condition == draft.text(asked.span)
        && inner.span.contains(act.span)
        && inner.blocks.is_empty()
        && !draft.has_comment(Span { start: whole.span.start, end: inner.span.start })
        && (python || !draft.has_comment(Span { start: inner.span.end, end: whole.span.end }));
    alone.then_some((whole, inner))
}

/// The `if` directly before a statement that asks the check and leaves the function.
fn early_return<'a>(draft: &Draft<'a>, check: Site, before: &Statement) -> Option<&'a Statement> {
    let asked = draft.call(check.op).filter(|_| check.file == draft.file)?;
    let whole = draft.statement(asked.span)?;
    let [block] = whole.blocks.as_slice() else { return None };
    let inner = draft.statements_in(*block);
    let [inner] = inner.as_slice() else { return None };
    let header = draft.text(Span { start: whole.span.start, end: block.start });
    let next = whole.span.end <= before.span.start
        && draft.text(Span { start: whole.span.end, end: before.span.start }).trim().is_empty();
    let leaves = ["return", "raise", "continue"].iter().any(|word| draft.text(inner.span).starts_with(word));
    let end = if draft.is_python() { ":" } else { "" };
    let asks = header.trim().strip_prefix("if ").and_then(|rest| rest.strip_suffix(end)) == Some(draft.text(asked.span));
    (next && leaves && asks && !draft.text(inner.span).contains('\n')).then_some(whole)
}
