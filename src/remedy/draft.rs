//! Edits of one file while they are put together: what stands where, and how the file writes such things.

use super::names::Names;
use crate::facts::{Arg, FileFacts, Language, OpId, Statement, Step, UnitId, V, Value, What};
use crate::finding::Edit;
use crate::text::{FileId, Source, Span};

/// One file, and the edits made to it so far.
pub struct Draft<'a> {
    pub file: FileId,
    pub source: &'a Source,
    pub facts: &'a FileFacts,
    pub edits: Vec<Edit>,
    names: &'a Names,
}

/// A call as it is written.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The whole expression, a receiver included.
    pub span: Span,
    pub callee: V,
    /// What is called: `os.mkdir`, `path.mkdir`, `fs::write`.
    pub name: Span,
    pub args: &'a [Arg],
    /// The offset of its closing parenthesis.
    pub close: u32,
}

impl<'a> Draft<'a> {
    /// None where the text is not the file's bytes, or a notebook's, of which only a part is the Python that is read.
    pub fn new(file: FileId, sources: &'a [Source], facts: &'a FileFacts, names: &'a Names) -> Option<Self> {
        let source = sources.get(file.0 as usize).filter(|source| source.cells.is_none())?;
        Draft::of_comments(file, source, facts, names)
    }

    /// A draft that writes comments only: in a notebook too.
    pub fn of_comments(file: FileId, source: &'a Source, facts: &'a FileFacts, names: &'a Names) -> Option<Self> {
        (!source.decoded).then(|| Draft { file, source, facts, edits: Vec::new(), names })
    }

    /// A draft of the same file without edits.
    pub fn new_like(other: &Draft<'a>) -> Self {
        Draft { file: other.file, source: other.source, facts: other.facts, edits: Vec::new(), names: other.names }
    }

    pub fn text(&self, span: Span) -> &'a str {
        self.source.text.get(span.start as usize..span.end as usize).map_or("", |_| {
            let source: &'a Source = self.source;
            source.slice(span)
        })
    }

    pub fn is_python(&self) -> bool {
        self.facts.language == Language::Python
    }

    pub fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push(Edit { file: self.file, span, text: text.into() });
    }

    pub fn insert(&mut self, at: u32, text: impl Into<String>) {
        self.replace(Span { start: at, end: at }, text);
    }

    /// A call, where the operation is one and is written as one.
    pub fn call(&self, op: OpId) -> Option<Call<'a>> {
        let facts: &'a FileFacts = self.facts;
        let data = facts.ops.get(op.0 as usize)?;
        let What::Call { callee, args } = &data.what else { return None };
        let close = data.span.end.checked_sub(1)?;
        let mut name = match facts.value(*callee) {
            Value::Name(name) => Span { start: data.span.start, end: data.span.start + facts.name(*name).len() as u32 },
            _ => facts.written(*callee),
        };
        if name == Span::default() {
            // The method of a Rust call: the receiver is written before the operation.
            let Value::Attr(base, method) = facts.value(*callee) else { return None };
            let end = data.span.start + facts.name(*method).len() as u32;
            let base = self.extent(*base);
            name = Span { start: base.map_or(data.span.start, |base| base.start), end };
        }
        let sound = self.text(Span { start: close, end: close + 1 }) == ")"
            && self.text(Span { start: name.end, end: close + 1 }).trim_start().starts_with('(')
            && args.iter().all(|arg| arg.span.start >= name.end && arg.span.end <= close);
        let start = name.start.min(data.span.start);
        sound.then_some(Call { span: Span { start, end: data.span.end }, callee: *callee, name, args, close })
    }

    /// Where a value is written, names included where only one place can be meant.
    fn extent(&self, v: V) -> Option<Span> {
        Some(self.facts.written(v)).filter(|span| *span != Span::default())
    }

    /// The last name of what is called.
    pub fn last_name(&self, call: &Call) -> &'a str {
        let facts: &'a FileFacts = self.facts;
        facts.last_name(call.callee).unwrap_or_default()
    }

    /// Replaces the last name of what is called: `os.mkdir` becomes `os.makedirs`.
    pub fn rename(&mut self, call: &Call, to: &str) -> Option<()> {
        let old = self.last_name(call);
        let start = call.name.end.checked_sub(old.len() as u32)?;
        let span = Span { start, end: call.name.end };
        (self.text(span) == old).then(|| self.replace(span, to))
    }

    /// The receiver or module that a called name belongs to: `os`, `path`, `fs`.
    pub fn receiver(&self, call: &Call) -> &'a str {
        let text = self.text(call.name);
        let separator = if self.is_python() { "." } else { "::" };
        let by_name = text.strip_suffix(self.last_name(call)).unwrap_or("").trim_end();
        by_name.strip_suffix(separator).or_else(|| by_name.strip_suffix('.')).unwrap_or("").trim_end()
    }

    /// An argument by its place or its name.
    pub fn argument(&self, call: &Call<'a>, place: usize, name: &str) -> Option<&'a Arg> {
        let named = call.args.iter().find(|arg| arg.name.is_some_and(|known| self.facts.name(known) == name));
        named.or_else(|| call.args.get(place).filter(|arg| arg.name.is_none()))
    }

    /// The value of an argument as it is written, its keyword left out.
    pub fn written(&self, arg: &Arg) -> Span {
        let Some(name) = arg.name else { return arg.span };
        let text = self.text(arg.span);
        let rest = text.strip_prefix(self.facts.name(name)).map(str::trim_start).and_then(|rest| rest.strip_prefix('='));
        let rest = rest.map_or(0, |rest| rest.trim_start().len());
        Span { start: arg.span.end - rest as u32, end: arg.span.end }
    }

    /// Appends a keyword argument, or gives an argument of that name a new value.
    pub fn set_argument(&mut self, call: &Call<'a>, name: &str, value: &str) {
        let known = call.args.iter().find(|arg| arg.name.is_some_and(|known| self.facts.name(known) == name));
        match (known, call.args.last()) {
            (Some(arg), _) => self.replace(self.written(arg), value),
            (None, Some(last)) => self.insert(last.span.end, format!(", {name}={value}")),
            (None, None) => self.insert(call.close, format!("{name}={value}")),
        }
    }

    /// The innermost statement around some bytes, where it is the only one on its lines.
    pub fn statement(&self, span: Span) -> Option<&'a Statement> {
        let facts: &'a FileFacts = self.facts;
        let statement = facts.statement_at(span)?;
        let line = self.lines(statement.span);
        let before = self.text(Span { start: line.start, end: statement.span.start });
        let after = self.text(Span { start: statement.span.end, end: line.end });
        let alone = before.trim().is_empty() && (after.trim().is_empty() || after.trim_start().starts_with(self.comment()));
        alone.then_some(statement)
    }

    fn comment(&self) -> &'static str {
        if self.is_python() { "#" } else { "//" }
    }

    /// Whether a comment may stand in some bytes.
    pub fn has_comment(&self, span: Span) -> bool {
        let text = self.text(span);
        text.contains(self.comment()) || !self.is_python() && text.contains("/*")
    }

    /// The statements directly in a block.
    pub fn statements_in(&self, block: Span) -> Vec<&'a Statement> {
        let facts: &'a FileFacts = self.facts;
        let mut all: Vec<&'a Statement> = Vec::new();
        for statement in facts.statements.iter().filter(|one| block.contains(one.span)) {
            if !all.last().is_some_and(|last| last.span.contains(statement.span)) {
                all.push(statement);
            }
        }
        all
    }

    /// The whole lines that some bytes stand on, the last line end left out.
    pub fn lines(&self, span: Span) -> Span {
        let start = self.source.line_span(self.source.line(span.start)).start;
        let end = self.source.line_span(self.source.line(span.end.max(span.start))).end;
        Span { start, end }
    }

    /// The same with the line end.
    pub fn whole_lines(&self, span: Span) -> Span {
        let lines = self.lines(span);
        let rest = self.source.text.get(lines.end as usize..).unwrap_or("");
        let end = if rest.starts_with("\r\n") { 2 } else { u32::from(!rest.is_empty()) };
        Span { start: lines.start, end: lines.end + end }
    }

    /// The white space before the first character of a line.
    pub fn indent(&self, at: u32) -> &'a str {
        let line = self.text(self.lines(Span { start: at, end: at }));
        &line[..line.len() - line.trim_start().len()]
    }

    /// One level of indentation as the file has it.
    pub fn step(&self) -> String {
        let inner = self.facts.statements.iter().find_map(|statement| {
            let block = statement.blocks.first()?;
            let outer = self.indent(statement.span.start);
            let at = if self.is_python() { block.start } else { self.statements_in(*block).first()?.span.start };
            self.indent(at).strip_prefix(outer).filter(|step| !step.is_empty())
        });
        inner.unwrap_or("    ").to_owned()
    }

    /// The line end that the file uses.
    pub fn newline(&self) -> &'static str {
        match self.source.text.find('\n') {
            Some(at) if self.source.text[..at].ends_with('\r') => "\r\n",
            Some(_) => "\n",
            None if self.source.text.contains('\r') => "\r",
            None => "\n",
        }
    }

    /// Lines of text at an indentation, each with its line end.
    pub fn indented(&self, indent: &str, lines: &[String]) -> String {
        let newline = self.newline();
        lines.iter().map(|line| if line.is_empty() { newline.to_owned() } else { format!("{indent}{line}{newline}") }).collect()
    }

    /// The lines of a statement moved from one indentation to another; none where a line of it stands left of it or a text goes over
    /// several lines.
    pub fn moved(&self, span: Span, to: &str) -> Option<String> {
        let from = self.indent(span.start);
        let text = self.text(span);
        if text.contains("\"\"\"") || text.contains("'''") {
            return None;
        }
        let newline = self.newline();
        let mut lines = text.split(newline);
        let mut out = format!("{to}{}", lines.next()?);
        for line in lines {
            out.push_str(newline);
            if !line.trim().is_empty() {
                out.push_str(to);
                out.push_str(line.strip_prefix(from)?);
            }
        }
        Some(out)
    }

    /// Puts lines before the statement that holds some bytes.
    pub fn insert_before(&mut self, statement: &Statement, lines: &[String]) {
        let at = self.above(statement.span);
        let text = self.indented(self.indent(statement.span.start), lines);
        self.insert(at, text);
    }

    /// The start of a statement's first line, or of the comments directly above it.
    pub fn above(&self, statement: Span) -> u32 {
        let indent = self.indent(statement.start);
        let mut at = self.lines(statement).start;
        while let Some(end) = at.checked_sub(1) {
            let line = self.lines(Span { start: end, end });
            let text = self.text(line);
            let comment = text.strip_prefix(indent).is_some_and(|rest| rest.starts_with(self.comment()));
            if !comment || line.start == at {
                break;
            }
            at = line.start;
        }
        at
    }

    /// Puts lines after a statement, below the comment that may end its line.
    pub fn insert_after(&mut self, statement: &Statement, lines: &[String]) {
        let whole = self.whole_lines(statement.span);
        let mut text = self.indented(self.indent(statement.span.start), lines);
        if self.lines(statement.span).end == whole.end {
            // The last line has no end yet.
            text = format!("{}{}", self.newline(), text.trim_end_matches(['\r', '\n']));
        }
        self.insert(whole.end, text);
    }

    /// The unit whose text holds some bytes: the innermost function, method, class body or module.
    pub fn unit_at(&self, span: Span) -> UnitId {
        let around = self.facts.units.iter().enumerate().filter(|(_, unit)| unit.span.contains(span));
        UnitId(around.min_by_key(|(_, unit)| unit.span.end - unit.span.start).map_or(0, |(unit, _)| unit as u32))
    }

    /// A name that nothing in a stretch of text bears, nor anything that another edit adds there. `subject` is what it is for.
    pub fn fresh(&self, within: Span, subject: Span, names: &[&str]) -> Option<String> {
        let text = self.text(within);
        let more = names.first().into_iter().flat_map(|first| (2..10).map(move |n| format!("{first}_{n}")));
        let all = names.iter().map(|name| (*name).to_owned()).chain(more);
        self.names.choose(self.file, within, subject, all.filter(|name| !contains_word(text, name)))
    }

    /// The conditions and loops around an operation that stand inside its own statement: a conditional expression, a comprehension.
    pub fn is_conditional(&self, op: OpId, statement: Span) -> bool {
        fn find(steps: &[Step], op: OpId, inside: &mut dyn FnMut(Span) -> bool, facts: &FileFacts) -> Option<bool> {
            for step in steps {
                let found = match step {
                    Step::Op(at) => (*at == op).then_some(false),
                    Step::If { then, other, span, .. } => find(then, op, inside, facts)
                        .or_else(|| find(other, op, inside, facts))
                        .map(|found| found || inside(*span)),
                    // A loop has no place of its own; one inside a statement is a comprehension.
                    Step::Loop { body, other, .. } => {
                        let place = body.iter().find_map(|step| match step {
                            Step::Op(op) => facts.ops.get(op.0 as usize).map(|op| op.span),
                            _ => None,
                        });
                        find(body, op, inside, facts)
                            .or_else(|| find(other, op, inside, facts))
                            .map(|found| found || place.is_some_and(&mut *inside))
                    }
                    Step::Try { body, handlers, other, last } => find(body, op, inside, facts)
                        .or_else(|| handlers.iter().find_map(|handler| find(&handler.body, op, inside, facts)))
                        .or_else(|| find(other, op, inside, facts))
                        .or_else(|| find(last, op, inside, facts)),
                    Step::With { body, .. } | Step::Scope(body) => find(body, op, inside, facts),
                    Step::Match { arms, .. } => arms.iter().find_map(|arm| find(&arm.body, op, inside, facts)),
                };
                if found.is_some() {
                    return found;
                }
            }
            None
        }
        let mut inside = |span: Span| statement.contains(span) && span != statement;
        self.facts.units.iter().find_map(|unit| find(&unit.body, op, &mut inside, self.facts)).unwrap_or(true)
    }
}

/// Whether a name stands in a text as a word of its own.
pub fn contains_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part) && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}
