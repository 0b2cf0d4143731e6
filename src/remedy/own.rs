//! A directory of its own for each test: where a path is given its name, it begins in a fresh directory, or the file that it names
//! is copied there first.

use super::Project;
use super::define::{Definition, define, quoted, stores};
use super::draft::{Draft, contains_word};
use crate::facts::{ClassId, FileFacts, Language, ParamKind, Shape, UnitId, V, Value, What};
use crate::finding::{Fix, Use};
use crate::text::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Names for the directory, the first that is free.
const DIRECTORY: &[&str] = &["directory", "folder", "temporary_directory", "own_directory"];

/// What the directory's name is made by.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Provider {
    /// pytest hands it in.
    Parameter,
    /// A method of a `unittest.TestCase`.
    Case,
    /// A Rust test.
    Guard,
}

/// Paths that tests share, below a directory of their own; with `copy`, inputs are copied there and what is written beside them follows.
pub fn directory(uses: &[Use], copy: bool, made: bool, project: Project) -> Option<Fix> {
    let mut files: BTreeMap<FileId, Vec<&Use>> = BTreeMap::new();
    for one in uses {
        files.entry(one.site.file).or_default().push(one);
    }
    let mut edits = Vec::new();
    let mut copies = false;
    for (file, uses) in files {
        let facts = project.facts.get(file.0 as usize)?;
        let mut draft = Draft::new(file, project.sources, facts, project.names)?;
        if !draft.is_python() {
            let package = project.setup.crate_of(&draft.source.path)?;
            if !package.dependencies.iter().any(|name| name == "tempfile") {
                return None;
            }
        }
        let definitions: BTreeSet<Definition> = uses.iter().map(|one| define(&draft, one)).collect::<Option<_>>()?;
        if !made && !definitions.iter().all(|one| is_bound(&draft, one.span)) {
            return None;
        }
        let copy = copy || definitions.iter().any(|one| one.derived);
        if definitions.iter().any(|one| one.constant.is_some() && (copy || is_imported(&draft, one, project))) {
            return None;
        }
        // The same expression, whether something is derived from it or not.
        let definitions = definitions.into_iter().map(|one| Definition { derived: copy, ..one }).collect();
        copies |= copy;
        if !copy && is_told_elsewhere(&draft, &definitions) {
            return None;
        }
        rewrite(&mut draft, &definitions, copy, project)?;
        drop_roots(&mut draft);
        drop_imports(&mut draft);
        edits.extend(draft.edits);
    }
    let first = uses.first()?;
    let facts = project.facts.get(first.site.file.0 as usize)?;
    let mut all = Draft::new(first.site.file, project.sources, facts, project.names)?;
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
        let mut draft = Draft::new(file, project.sources, facts, project.names)?;
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

/// Whether the text of a path stands elsewhere in its unit too, or that of something below it: what is compared with it would not be equal
/// any more, and what is looked for would not be there.
fn is_told_elsewhere(draft: &Draft, definitions: &BTreeSet<Definition>) -> bool {
    let facts = draft.facts;
    let texts = |within: &dyn Fn(Span) -> bool| -> BTreeSet<crate::facts::Sym> {
        let all = facts.values.iter().enumerate().filter_map(|(at, value)| match value {
            Value::Text(text) if within(facts.written(V(at as u32))) => Some(*text),
            _ => None,
        });
        all.collect()
    };
    let replaced = |span: Span| definitions.iter().any(|one| one.span.contains(span) && span != Span::default());
    let ours: BTreeSet<_> =
        texts(&|span| definitions.iter().any(|one| one.span == span && one.constant.is_none()) && span != Span::default());
    let others = texts(&|span| {
        span != Span::default()
            && !replaced(span)
            && definitions.iter().any(|one| one.unit.0 != 0 && facts.unit(one.unit).span.contains(span))
    });
    let at_or_below =
        |text: &str, path: &str| text.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    others.iter().any(|other| ours.iter().any(|our| at_or_below(facts.name(*other), facts.name(*our))))
}

/// Takes out variables for a shared directory that only what was replaced has used.
fn drop_roots(draft: &mut Draft) {
    let facts = draft.facts;
    let mut gone = Vec::new();
    for op in &facts.ops {
        let What::Store { to, value, .. } = &op.what else { continue };
        let Value::Name(name) = facts.value(*to) else { continue };
        let text = draft.text(facts.written(*value));
        let root = ["temp_dir()", "gettempdir()", "current_dir()", "getcwd()"].iter().any(|call| text.contains(call));
        let Some(statement) = draft.statement(op.span).filter(|_| root) else { continue };
        let unit = facts.unit(draft.unit_at(op.span));
        let mut uses = facts
            .uses
            .iter()
            .filter(|(sym, span)| sym == name && unit.span.contains(*span) && !statement.span.contains(*span))
            .peekable();
        if unit.parent.is_some()
            && uses.peek().is_some()
            && uses.all(|(_, used)| draft.edits.iter().any(|edit| edit.span.contains(*used)))
        {
            gone.push(draft.whole_lines(statement.span));
        }
    }
    for span in gone {
        draft.replace(span, "");
    }
}

/// Whether another file names a constant.
fn is_imported(draft: &Draft, definition: &Definition, project: Project) -> bool {
    let Some(name) = &definition.constant else { return false };
    project.facts.iter().enumerate().any(|(at, facts)| {
        at != draft.file.0 as usize
            && facts.imports.iter().any(|import| import.name.is_some_and(|known| facts.name(known) == name))
    })
}

pub(super) fn provider(draft: &Draft, unit: UnitId, project: Project) -> Option<Provider> {
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
        Shape::Method if data.class.is_some_and(|class| is_plain(facts, class, project, 0)) && (is_test || fixture) => {
            Some(Provider::Parameter)
        }
        _ => None,
    }
}

/// Whether a class is a `unittest.TestCase`: by its bases, and those of the classes of the project that bear their names.
fn is_case(facts: &FileFacts, class: ClassId, project: Project, depth: usize) -> bool {
    facts.class(class).bases.iter().filter_map(|base| facts.dotted(*base)).any(|base| {
        let name = base.rsplit('.').next().unwrap_or(&base);
        name.ends_with("TestCase") || all_named(name, project, depth, is_case)
    })
}

/// Whether pytest alone runs the tests of a class: it is made of nothing but plain classes of the project.
fn is_plain(facts: &FileFacts, class: ClassId, project: Project, depth: usize) -> bool {
    facts.class(class).bases.iter().all(|base| {
        let base = facts.dotted(*base).unwrap_or_default();
        let name = base.rsplit('.').next().unwrap_or(&base);
        base == "object" || all_named(name, project, depth, is_plain)
    })
}

/// Whether there are classes of this name in the project, and all are so.
fn all_named(name: &str, project: Project, depth: usize, so: fn(&FileFacts, ClassId, Project, usize) -> bool) -> bool {
    let named = project.facts.iter().flat_map(|facts| {
        let all = facts.classes.iter().enumerate().filter(move |(_, class)| facts.name(class.name) == name);
        all.map(move |(at, _)| (facts, ClassId(at as u32)))
    });
    let mut named = named.peekable();
    depth < 4 && named.peek().is_some() && named.all(|(facts, class)| so(facts, class, project, depth + 1))
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
    let subject = places.iter().map(|(_, definition)| *definition).min()?;
    match provider {
        Provider::Parameter => {
            parameters(draft, unit, &["tmp_path"])?;
            Some("tmp_path".to_owned())
        }
        Provider::Case => {
            let name = draft.fresh(data.span, subject, DIRECTORY)?;
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
            let name = draft.fresh(data.span, subject, &["dir", "own_dir", "temporary"])?;
            draft.add_line(first, &format!("let {name} = tempfile::tempdir().unwrap();"));
            Some(format!("{name}.path()"))
        }
    }
}

/// Adds parameters without a default, after those that have none.
pub(super) fn parameters(draft: &mut Draft, unit: UnitId, names: &[&str]) -> Option<()> {
    let data = draft.facts.unit(unit);
    // A variable of that name would hide it.
    if names.iter().any(|name| !stores(draft, name, |place| place == unit).is_empty()) {
        return None;
    }
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
pub(super) fn drop_imports(draft: &mut Draft) {
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
