//! A directory of its own for each test: where a path is given its name, it begins in a fresh directory, or the file that it names
//! is copied there first.

use super::Project;
use super::draft::{Draft, contains_word};
use crate::facts::{ClassId, FileFacts, Language, ParamKind, Shape, UnitId, V, Value, What};
use crate::finding::{Fix, Use};
use crate::text::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Names for the directory, the first that is free.
const DIRECTORY: &[&str] = &["directory", "folder", "temporary_directory", "own_directory"];

/// What the directory's name is made by.
#[derive(Clone, Copy, PartialEq)]
enum Provider {
    /// pytest hands it in.
    Parameter,
    /// A method of a `unittest.TestCase`.
    Case,
    /// A Rust test.
    Guard,
}

/// Where a path is given its name: an expression in a unit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Definition {
    span: Span,
    unit: UnitId,
    /// The name of a variable of the module.
    constant: Option<String>,
    /// The path lies beside this one: another ending, the same name.
    derived: bool,
}

/// Paths that tests share, below a directory of their own; with `copy`, inputs are copied there and what is written beside them follows.
pub fn directory(uses: &[Use], copy: bool, project: Project) -> Option<Fix> {
    let mut files: BTreeMap<FileId, Vec<&Use>> = BTreeMap::new();
    for one in uses {
        files.entry(one.site.file).or_default().push(one);
    }
    let mut edits = Vec::new();
    let mut copies = false;
    for (file, uses) in files {
        let facts = project.facts.get(file.0 as usize)?;
        let mut draft = Draft::new(file, project.sources, facts)?;
        if !draft.is_python() {
            let package = project.setup.crate_of(&draft.source.path)?;
            if !package.dependencies.iter().any(|name| name == "tempfile") {
                return None;
            }
        }
        let definitions: BTreeSet<Definition> = uses.iter().map(|one| define(&draft, one)).collect::<Option<_>>()?;
        let copy = copy || definitions.iter().any(|one| one.derived);
        if definitions.iter().any(|one| one.constant.is_some() && (copy || is_imported(&draft, one, project))) {
            return None;
        }
        // The same expression, whether something is derived from it or not.
        let definitions = definitions.into_iter().map(|one| Definition { derived: copy, ..one }).collect();
        copies |= copy;
        rewrite(&mut draft, &definitions, copy, project)?;
        drop_imports(&mut draft);
        edits.extend(draft.edits);
    }
    let first = uses.first()?;
    let facts = project.facts.get(first.site.file.0 as usize)?;
    let mut all = Draft::new(first.site.file, project.sources, facts)?;
    all.edits = edits;
    let title = if copies { "copy the input into a directory of its own" } else { "put the file into a directory of its own" };
    super::finish(all, title, false)
}

/// Tests that work in a directory of their own, because what they call writes into the working directory.
pub fn entered(tests: &[(FileId, UnitId)], project: Project) -> Option<Fix> {
    let mut all: Option<Draft> = None;
    let mut edits = Vec::new();
    for file in tests.iter().map(|(file, _)| *file).collect::<BTreeSet<_>>() {
        let facts = project.facts.get(file.0 as usize)?;
        let mut draft = Draft::new(file, project.sources, facts)?;
        for unit in tests.iter().filter(|(other, _)| *other == file).map(|(_, unit)| *unit).collect::<BTreeSet<_>>() {
            let first = draft.statements_in(facts.unit(unit).inner).first()?.span;
            match provider(&draft, unit, project)? {
                Provider::Parameter => {
                    parameters(&mut draft, unit, &["tmp_path", "monkeypatch"])?;
                    draft.add_line(first, "monkeypatch.chdir(tmp_path)");
                }
                Provider::Case if project.setup.python_of(&draft.source.path) >= (3, 11) => {
                    let (chdir, maker) = (draft.reach("contextlib", "chdir"), draft.reach("tempfile", "TemporaryDirectory"));
                    draft.add_line(first, &format!("self.enterContext({chdir}(self.enterContext({maker}())))"));
                }
                _ => return None,
            }
        }
        edits.append(&mut draft.edits);
        all = Some(draft);
    }
    let mut all = all?;
    all.edits = edits;
    super::finish(all, "work in a directory of its own", false)
}

/// Where the path of a use is given its name: the argument or receiver whose definition ends as the path does.
fn define(draft: &Draft, one: &Use) -> Option<Definition> {
    let call = draft.call(one.site.op)?;
    let mut values: Vec<V> = call.args.iter().map(|arg| arg.value).collect();
    if let Value::Attr(base, _) = draft.facts.value(call.callee) {
        values.insert(0, *base);
    }
    let unit = draft.unit_at(call.span);
    let mut found = values.into_iter().filter_map(|value| {
        let definition = resolve(draft, value, unit, 0)?;
        let (name, span) = last_text(draft, definition.span)?;
        let same = |part: &String| if draft.is_format(span) { part.ends_with(&name) } else { *part == name };
        // Another ending: the path lies beside this one.
        let beside = |part: &String| stem(part) == stem(&name);
        if one.parts.iter().any(same) {
            return Some(definition);
        }
        one.parts.iter().any(beside).then_some(Definition { derived: true, ..definition })
    });
    let first = found.next()?;
    found.next().is_none_or(|other| other.span == first.span).then_some(first)
}

/// A file's name without its endings.
fn stem(name: &str) -> &str {
    name.split_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

fn resolve(draft: &Draft, value: V, unit: UnitId, depth: usize) -> Option<Definition> {
    let facts = draft.facts;
    if depth > 6 {
        return None;
    }
    match facts.value(value) {
        Value::Name(name) => {
            let name = facts.name(*name);
            let mut at = Some(unit);
            while let Some(id) = at {
                let data = facts.unit(id);
                let stored = stores(draft, name, |place| place == id);
                if let [(value, _)] = stored.as_slice() {
                    let mut definition = resolve(draft, *value, id, depth + 1)?;
                    if data.parent.is_none() && definition.constant.is_none() {
                        definition.constant = Some(name.to_owned());
                    }
                    return Some(definition);
                }
                if !stored.is_empty() || data.params.iter().any(|param| facts.name(param.name) == name) {
                    return None;
                }
                at = data.parent;
            }
            None
        }
        Value::Attr(base, _) if matches!(facts.value(*base), Value::Name(name) if facts.name(*name) == "self") => {
            let name = facts.dotted(value)?;
            let class = facts.unit(unit).class?;
            let stored = stores(draft, &name, |place| facts.unit(place).class == Some(class));
            let [(value, place)] = stored.as_slice() else { return None };
            resolve(draft, *value, *place, depth + 1)
        }
        Value::Result(op) => {
            let call = draft.call(*op)?;
            // What is derived from another file lies beside it.
            let derived = matches!(draft.last_name(&call), "with_suffix" | "with_extension");
            match facts.value(call.callee) {
                Value::Attr(base, _) if derived => {
                    let base = resolve(draft, *base, unit, depth + 1)?;
                    Some(Definition { derived: true, ..base })
                }
                // `Path(x)` and `str(x)` name what `x` does.
                Value::Name(_) if matches!(draft.last_name(&call), "Path" | "str") && call.args.len() == 1 => {
                    let inner = call.args[0].value;
                    match facts.value(inner) {
                        Value::Name(_) | Value::Attr(..) => resolve(draft, inner, unit, depth + 1),
                        _ => Some(Definition { span: call.span, unit, constant: None, derived: false }),
                    }
                }
                _ => Some(Definition { span: call.span, unit, constant: None, derived: false }),
            }
        }
        Value::Text(_) | Value::Format(_) | Value::Binary(..) => {
            Some(Definition { span: facts.written(value), unit, constant: None, derived: false })
                .filter(|one| one.span != Span::default())
        }
        _ => None,
    }
}

/// What a name or attribute is given, in the units asked for.
fn stores(draft: &Draft, name: &str, within: impl Fn(UnitId) -> bool) -> Vec<(V, UnitId)> {
    let facts = draft.facts;
    let named = facts.ops.iter().filter_map(|op| match &op.what {
        What::Store { to, value, .. } if facts.dotted(*to).as_deref() == Some(name) => Some((*value, draft.unit_at(op.span))),
        _ => None,
    });
    named.filter(|(_, unit)| within(*unit)).collect()
}

/// The last part of the last text in an expression, and where it is written.
fn last_text(draft: &Draft, within: Span) -> Option<(String, Span)> {
    let facts = draft.facts;
    let texts = facts.values.iter().enumerate().filter_map(|(at, value)| {
        let span = facts.written(V(at as u32));
        let text = match value {
            Value::Text(text) => facts.name(*text),
            Value::Format(pieces) => match facts.value(*pieces.last()?) {
                Value::Text(text) => facts.name(*text),
                _ => "",
            },
            _ => return None,
        };
        (span != Span::default() && within.contains(span)).then_some((text, span))
    });
    let (text, span) = texts.max_by_key(|(_, span)| (span.start, span.end))?;
    let name = text.trim_end_matches('/').rsplit('/').next()?;
    (!name.is_empty() && !matches!(name, "." | "..")).then(|| (name.to_owned(), span))
}

/// The name that a file gets in its directory, as the source writes it; none for an expression that ends in no text.
fn quoted(draft: &Draft, within: Span) -> Option<String> {
    let (name, span) = last_text(draft, within)?;
    let text = draft.text(span);
    if !draft.is_format(span) || whole_name(draft, span) {
        let quote = if text.ends_with('\'') { '\'' } else { '"' };
        return (!name.contains(['\'', '"', '\\'])).then(|| format!("{quote}{name}{quote}"));
    }
    // A text with holes: what stands before its last slash goes, unless a hole holds it.
    if !draft.is_python() || !text.ends_with(['"', '\'']) {
        return None;
    }
    let open = text.find(['"', '\''])?;
    let cut = text.rfind('/').map_or(open + 1, |at| at + 1);
    (text[cut..].matches('}').count() == text[cut..].matches('{').count()).then(|| format!("{}{}", &text[..=open], &text[cut..]))
}

/// Whether the last piece of a text with holes holds the whole name of the file.
fn whole_name(draft: &Draft, span: Span) -> bool {
    let facts = draft.facts;
    facts.values.iter().enumerate().any(|(at, value)| match value {
        Value::Format(pieces) if facts.written(V(at as u32)) == span => {
            pieces.last().is_some_and(|last| matches!(facts.value(*last), Value::Text(text) if facts.name(*text).contains('/')))
        }
        _ => false,
    })
}

/// Whether another file names a constant.
fn is_imported(draft: &Draft, definition: &Definition, project: Project) -> bool {
    let Some(name) = &definition.constant else { return false };
    project.facts.iter().enumerate().any(|(at, facts)| {
        at != draft.file.0 as usize
            && facts.imports.iter().any(|import| import.name.is_some_and(|known| facts.name(known) == name))
    })
}

fn provider(draft: &Draft, unit: UnitId, project: Project) -> Option<Provider> {
    let facts = draft.facts;
    let data = facts.unit(unit);
    let name = facts.name(data.name);
    let marked = |mark: &str| {
        data.marks.iter().find(|one| facts.dotted(one.callee).is_some_and(|known| known.rsplit(['.', ':']).next() == Some(mark)))
    };
    if facts.language == Language::Rust {
        return marked("test").map(|_| Provider::Guard).filter(|_| !data.is_async || data.inner != Span::default());
    }
    if marked("given").is_some() {
        return None;
    }
    let is_test = name.starts_with("test");
    let fixture = marked("fixture").is_some_and(|mark| {
        !mark.args.iter().any(|arg| {
            arg.name.is_some_and(|name| facts.name(name) == "scope")
                && !matches!(facts.value(arg.value), Value::Text(scope) if facts.name(*scope) == "function")
        })
    });
    match data.shape {
        Shape::Function if is_test || fixture => Some(Provider::Parameter),
        Shape::Method if data.class.is_some_and(|class| is_case(facts, class, project, 0)) => {
            (is_test || name == "setUp").then_some(Provider::Case)
        }
        Shape::Method if data.class.is_some_and(|class| facts.class(class).bases.is_empty()) && (is_test || fixture) => {
            Some(Provider::Parameter)
        }
        _ => None,
    }
}

/// Whether a class is a `unittest.TestCase`: by its bases, and those of the classes of the project that bear their names.
fn is_case(facts: &FileFacts, class: ClassId, project: Project, depth: usize) -> bool {
    facts.class(class).bases.iter().filter_map(|base| facts.dotted(*base)).any(|base| {
        let name = base.rsplit('.').next().unwrap_or(&base);
        if name.ends_with("TestCase") {
            return true;
        }
        let named = project.facts.iter().flat_map(|facts| {
            let all = facts.classes.iter().enumerate().filter(move |(_, class)| facts.name(class.name) == name);
            all.map(move |(at, _)| (facts, ClassId(at as u32)))
        });
        let mut named = named.peekable();
        depth < 4 && named.peek().is_some() && named.all(|(facts, class)| is_case(facts, class, project, depth + 1))
    })
}

/// Gives each unit its directory, and each definition its new text.
fn rewrite(draft: &mut Draft, definitions: &BTreeSet<Definition>, copy: bool, project: Project) -> Option<()> {
    // By unit: what is replaced there, and by which name in the directory.
    let mut units: BTreeMap<UnitId, Vec<(Span, Span)>> = BTreeMap::new();
    let mut constants: BTreeMap<Span, String> = BTreeMap::new();
    for one in definitions {
        match &one.constant {
            None => units.entry(one.unit).or_default().push((one.span, one.span)),
            Some(name) => {
                constants.insert(one.span, name.clone());
                for (sym, span) in &draft.facts.uses {
                    let used = draft.facts.name(*sym) == name && !draft.facts.statement_at(one.span)?.span.contains(*span);
                    if used {
                        units.entry(draft.unit_at(*span)).or_default().push((*span, one.span));
                    }
                }
            }
        }
    }
    for (unit, places) in units {
        let provider = provider(draft, unit, project)?;
        let directory = provide(draft, unit, provider, &places, project)?;
        let mut named: BTreeMap<Span, String> = BTreeMap::new();
        for (place, definition) in &places {
            let many = places.iter().filter(|(_, other)| other == definition).count() > 1;
            let text = if many && place != definition {
                // A constant that is used twice becomes a variable.
                match named.get(definition) {
                    Some(name) => name.clone(),
                    None => {
                        let name = constants.get(definition)?.to_lowercase();
                        if contains_word(draft.text(draft.facts.unit(unit).span), &name) {
                            return None;
                        }
                        let value = below(draft, *definition, &directory, provider, unit, true, copy)?;
                        let first = first_statement(draft, unit, &places)?;
                        let line = if provider == Provider::Guard {
                            format!("let {name} = {value};")
                        } else {
                            format!("{name} = {value}")
                        };
                        draft.add_line(first, &line);
                        named.insert(*definition, name.clone());
                        name
                    }
                }
            } else {
                let bound = place == definition && is_bound(draft, *place);
                below(draft, *definition, &directory, provider, unit, bound, copy)?
            };
            draft.replace(*place, text);
        }
    }
    for span in constants.keys() {
        let statement = draft.statement(*span)?;
        let mut whole = draft.whole_lines(statement.span);
        // With the blank lines before it.
        let before = &draft.source.text[..whole.start as usize];
        let kept = before.trim_end_matches(['\n', '\r', ' ', '\t']);
        let blank = draft.source.line(whole.start) - draft.source.line(kept.len() as u32);
        if blank > 1 && !kept.is_empty() {
            whole.start = draft.whole_lines(Span::new(kept.len(), kept.len())).end;
        }
        draft.replace(whole, "");
    }
    Some(())
}

/// Whether an expression is the whole of what a name is given.
fn is_bound(draft: &Draft, span: Span) -> bool {
    draft
        .facts
        .ops
        .iter()
        .any(|op| matches!(&op.what, What::Store { value, .. } if draft.facts.written(*value) == span && op.span.contains(span)))
}

/// The first statement of a unit that any of these places stands in.
fn first_statement(draft: &Draft, unit: UnitId, places: &[(Span, Span)]) -> Option<Span> {
    let inner = draft.facts.unit(unit).inner;
    let statements = draft.statements_in(inner);
    let first = statements.into_iter().find(|one| places.iter().any(|(place, _)| one.span.contains(*place)))?;
    Some(first.span)
}

/// Makes the directory known in a unit; its name there.
fn provide(draft: &mut Draft, unit: UnitId, provider: Provider, places: &[(Span, Span)], project: Project) -> Option<String> {
    let data = draft.facts.unit(unit);
    let first = first_statement(draft, unit, places)?;
    match provider {
        Provider::Parameter => {
            parameters(draft, unit, &["tmp_path"])?;
            Some("tmp_path".to_owned())
        }
        Provider::Case => {
            let name = draft.fresh(data.span, DIRECTORY)?;
            let maker = draft.reach("tempfile", "TemporaryDirectory");
            if project.setup.python_of(&draft.source.path) >= (3, 11) {
                draft.add_line(first, &format!("{name} = self.enterContext({maker}())"));
                return Some(name);
            }
            draft.add_line(first, &format!("{name} = {maker}()"));
            draft.add_line(first, &format!("self.addCleanup({name}.cleanup)"));
            Some(format!("{name}.name"))
        }
        Provider::Guard => {
            let name = draft.fresh(data.span, &["dir", "own_dir", "temporary"])?;
            draft.add_line(first, &format!("let {name} = tempfile::tempdir().unwrap();"));
            Some(format!("{name}.path()"))
        }
    }
}

/// Adds parameters without a default, after those that have none.
fn parameters(draft: &mut Draft, unit: UnitId, names: &[&str]) -> Option<()> {
    let data = draft.facts.unit(unit);
    let has = |name: &&&str| data.params.iter().any(|param| draft.facts.name(param.name) == **name);
    let name = names.iter().filter(|name| !has(name)).copied().collect::<Vec<_>>().join(", ");
    if name.is_empty() {
        return Some(());
    }
    let plain = data.params.iter().take_while(|param| param.kind == ParamKind::Plain && param.default.is_none()).last();
    match (plain, data.params.is_empty()) {
        (Some(last), _) => draft.insert(last.span.end, format!(", {name}")),
        (None, true) => draft.insert(data.signature.end.checked_sub(1)?, name),
        (None, false) => draft.insert(data.params.first()?.span.start, format!("{name}, ")),
    }
    Some(())
}

/// The path in its directory, in the kind of value that the expression gave.
fn below(
    draft: &mut Draft,
    definition: Span,
    directory: &str,
    provider: Provider,
    unit: UnitId,
    bound: bool,
    copy: bool,
) -> Option<String> {
    let old = draft.text(definition).to_owned();
    let is_path = match draft.facts.language {
        Language::Rust => false,
        Language::Python => is_pathlib(draft, definition),
    };
    if copy {
        if provider == Provider::Guard {
            return None;
        }
        let shutil = draft.module("shutil");
        let copied = format!("{shutil}.copy({old}, {directory})");
        if !is_path {
            return Some(copied);
        }
        let path = draft.reach("pathlib", "Path");
        return Some(format!("{path}({copied})"));
    }
    let name = quoted(draft, definition)?;
    Some(match provider {
        Provider::Guard => {
            let joined = format!("{directory}.join({name})");
            // A variable that was a reference stays one.
            let borrowed = old.starts_with('"') || old.ends_with(')') && old.contains("Path::new(") && !old.contains(").join(");
            if bound && borrowed { format!("&{joined}") } else { joined }
        }
        Provider::Case if is_path => format!("{}({directory}) / {name}", draft.reach("pathlib", "Path")),
        Provider::Case => format!("{}.path.join({directory}, {name})", draft.module("os")),
        Provider::Parameter if is_path || takes_paths(draft, definition, unit) => {
            let joined = format!("{directory} / {name}");
            let after = draft.text(Span { start: definition.end, end: definition.end + 1 });
            let before = draft.text(Span { start: definition.start.saturating_sub(1), end: definition.start });
            // A method is called on it without parentheses of its own.
            if after == "." && before != "(" { format!("({joined})") } else { joined }
        }
        Provider::Parameter => format!("str({directory} / {name})"),
    })
}

/// Whether an expression gives a `pathlib.Path`, as far as one can see.
fn is_pathlib(draft: &Draft, span: Span) -> bool {
    let facts = draft.facts;
    let at = (0..facts.values.len()).map(|at| V(at as u32)).filter(|v| facts.written(*v) == span);
    at.into_iter().any(|v| match facts.value(v) {
        Value::Binary(crate::facts::Operator::Divide, ..) => true,
        Value::Result(op) => draft.call(*op).is_some_and(|call| {
            matches!(
                draft.last_name(&call),
                "Path" | "joinpath" | "with_name" | "with_suffix" | "with_stem" | "resolve" | "absolute" | "cwd" | "home"
            )
        }),
        _ => false,
    })
}

/// Whether all that is done with a text path takes a `pathlib.Path` just as well.
fn takes_paths(draft: &Draft, definition: Span, unit: UnitId) -> bool {
    let facts = draft.facts;
    let takes = |callee: &str| {
        let head = callee.split('.').next().unwrap_or("");
        matches!(head, "open" | "os" | "shutil" | "Path" | "pathlib" | "io" | "np" | "numpy" | "pd" | "pandas" | "sqlite3")
    };
    let holds = |span: Span| {
        facts.ops.iter().any(|op| match &op.what {
            What::Call { callee, args } => {
                args.iter().any(|arg| draft.written(arg) == span) && facts.dotted(*callee).is_some_and(|name| takes(&name))
            }
            _ => false,
        })
    };
    if holds(definition) {
        return true;
    }
    let name = facts.ops.iter().find_map(|op| match &op.what {
        What::Store { to, value, .. } if facts.written(*value) == definition => facts.dotted(*to),
        _ => None,
    });
    let Some(name) = name.filter(|name| !name.contains('.')) else { return false };
    let within = facts.unit(unit).span;
    let whole = facts.units.first().map_or(within, |module| if module.span == within { module.span } else { within });
    let mut uses = facts.uses.iter().filter(|(sym, span)| facts.name(*sym) == name && whole.contains(*span)).peekable();
    uses.peek().is_some()
        && uses.all(|(_, span)| {
            let stored = facts.ops.iter().any(|op| {
                matches!(&op.what, What::Store { value, .. } if op.span.contains(*span) && facts.written(*value) == definition)
            });
            stored || holds(*span)
        })
}

/// Takes out imports of one name that only what was replaced has used.
fn drop_imports(draft: &mut Draft) {
    let facts = draft.facts;
    if !draft.is_python() {
        return;
    }
    let imports = draft.top_imports();
    let mut gone = Vec::new();
    for (span, import) in &imports {
        let Some(bound) = import.bound.filter(|_| imports.iter().filter(|(other, _)| other == span).count() == 1) else {
            continue;
        };
        let name = facts.name(bound);
        let mut uses = facts.uses.iter().filter(|(sym, _)| *sym == bound).peekable();
        let unused = uses.peek().is_some()
            && uses.all(|(_, used)| draft.edits.iter().any(|edit| edit.span.contains(*used)))
            && !draft.edits.iter().any(|edit| contains_word(&edit.text, name));
        if unused {
            gone.push(*span);
        }
    }
    let stays = draft.edits.iter().any(|edit| edit.text.contains("import "));
    for span in &gone {
        let mut whole = draft.whole_lines(*span);
        // The first thing in the file that stays does not begin with blank lines.
        let written = draft.source.text[..whole.start as usize].chars().filter(|c| !c.is_whitespace()).count();
        let removed = gone.iter().filter(|one| one.start < span.start);
        let removed: usize = removed.map(|one| draft.text(*one).chars().filter(|c| !c.is_whitespace()).count()).sum();
        if !stays && written == removed {
            let rest = &draft.source.text[whole.end as usize..];
            whole.end += (rest.len() - rest.trim_start_matches(['\r', '\n']).len()) as u32;
        }
        draft.replace(whole, "");
    }
}

impl Draft<'_> {
    /// Whether a text with holes is written here.
    fn is_format(&self, span: Span) -> bool {
        let written = |at: usize| self.facts.written(V(at as u32)) == span;
        self.facts.values.iter().enumerate().any(|(at, value)| matches!(value, Value::Format(_)) && written(at))
    }

    /// Puts a line before a statement, below those that were put there already.
    fn add_line(&mut self, statement: Span, line: &str) {
        let at = self.above(statement);
        let text = self.indented(self.indent(statement.start), &[line.to_owned()]);
        match self.edits.iter_mut().find(|edit| edit.span == Span { start: at, end: at }) {
            Some(edit) => edit.text.push_str(&text),
            None => self.insert(at, text),
        }
    }
}
