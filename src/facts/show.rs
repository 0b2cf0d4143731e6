//! The facts of one file as text, for people who wonder what the tool sees.

use super::*;
use crate::text::Source;
use std::fmt::Write;

/// A readable dump of a file's facts: classes, units and their blocks, then ignores and gaps, indented, with 1-based line
/// numbers. `source` is what the facts were made of. Not a format to parse.
pub fn show(facts: &FileFacts, source: &Source) -> String {
    let mut page = Page { facts, source, out: String::new() };
    for class in &facts.classes {
        page.class(class);
    }
    for (at, unit) in facts.units.iter().enumerate() {
        page.unit(at, unit);
    }
    for ignore in &facts.ignores {
        let names: Vec<&str> = ignore.rules.iter().map(|(name, _)| &**name).collect();
        let scope = if ignore.scope == IgnoreScope::File { "ignore-file" } else { "ignore" };
        page.line(0, ignore.span, &format!("{scope}[{}]", names.join(", ")));
    }
    for gap in &facts.gaps {
        page.line(0, gap.span, &format!("gap: {:?}", gap.why).to_lowercase());
    }
    page.out
}

struct Page<'a> {
    facts: &'a FileFacts,
    source: &'a Source,
    out: String,
}

/// How deep values are written out before `…`.
const DEPTH: usize = 12;

impl Page<'_> {
    fn line(&mut self, indent: usize, span: Span, what: &str) {
        // In a notebook, the cell and the line in it.
        let number = match self.source.within(span.start) {
            Some(at) => format!("{}:{}", at.cell.number, at.line),
            None => self.source.line(span.start).to_string(),
        };
        // Literals may hold anything; a dump stays on its lines and cannot steer a terminal.
        let safe: String = what.chars().map(|c| if c.is_control() { '·' } else { c }).collect();
        let _ = writeln!(self.out, "{number:>5}  {:indent$}{safe}", "", indent = indent * 2);
    }

    fn class(&mut self, class: &Class) {
        let bases = self.list(&class.bases);
        let extends = class.extends.map(|of| format!(" for {}", self.value(of))).unwrap_or_default();
        self.line(0, class.head, &format!("class {}({bases}){extends}", self.facts.name(class.name)));
        self.marks(&class.marks);
        for (name, ty) in &class.fields {
            let ty = ty.map(|ty| format!(": {}", self.value(ty))).unwrap_or_default();
            self.line(1, class.head, &format!("field {}{ty}", self.facts.name(*name)));
        }
    }

    fn marks(&mut self, marks: &[Mark]) {
        for mark in marks {
            let args = self.args(&mark.args);
            self.line(1, mark.span, &format!("mark {}({args})", self.value(mark.callee)));
        }
    }

    fn unit(&mut self, at: usize, unit: &Unit) {
        let shape = format!("{:?}", unit.shape).to_lowercase();
        let class =
            unit.class.and_then(|class| self.facts.classes.get(class.0 as usize)).map(|class| self.facts.name(class.name));
        let mut title = format!("unit {at}: {shape} ");
        if let (Some(class), true) = (class, unit.shape != Shape::ClassBody) {
            let _ = write!(title, "{class}.");
        }
        let params: Vec<String> = unit.params.iter().map(|param| self.param(param)).collect();
        let _ = write!(title, "{}({})", self.facts.name(unit.name), params.join(", "));
        if let Some(returns) = unit.returns {
            let _ = write!(title, " -> {}", self.value(returns));
        }
        for (is, word) in [(unit.is_async, " async"), (unit.yields, " yields")] {
            title.push_str(if is { word } else { "" });
        }
        if !unit.globals.is_empty() {
            let names: Vec<&str> = unit.globals.iter().map(|name| self.facts.name(*name)).collect();
            let _ = write!(title, " global {}", names.join(", "));
        }
        self.line(0, unit.head, &title);
        self.marks(&unit.marks);
        self.block(&unit.body, 1);
    }

    fn param(&self, param: &Param) -> String {
        let stars = match param.kind {
            ParamKind::Rest => "*",
            ParamKind::Keywords => "**",
            ParamKind::Plain | ParamKind::KeywordOnly => "",
        };
        let ty = param.ty.map(|ty| format!(": {}", self.value(ty))).unwrap_or_default();
        let default = param.default.map(|default| format!(" = {}", self.value(default))).unwrap_or_default();
        format!("{stars}{}{ty}{default}", self.facts.name(param.name))
    }

    fn block(&mut self, block: &Block, indent: usize) {
        for step in block {
            self.step(step, indent);
        }
    }

    /// A block under a word, where it holds anything.
    fn under(&mut self, word: &str, span: Span, block: &Block, indent: usize) {
        if !block.is_empty() {
            self.line(indent, span, word);
            self.block(block, indent + 1);
        }
    }

    fn step(&mut self, step: &Step, indent: usize) {
        let span = self.start(step);
        match step {
            Step::Op(op) => {
                if let Some(op_facts) = self.facts.ops.get(op.0 as usize) {
                    let what = self.what(*op, &op_facts.what);
                    self.line(indent, op_facts.span, &what);
                }
            }
            Step::If { cond, then, other, .. } => {
                self.line(indent, span, &format!("if {}", self.value(*cond)));
                self.block(then, indent + 1);
                self.under("else", span, other, indent);
            }
            Step::Loop { over, cond, body, other } => {
                let over = over.map(|(to, of)| format!(" {} in {}", self.value(to), self.value(of))).unwrap_or_default();
                let cond = cond.map(|cond| format!(" while {}", self.value(cond))).unwrap_or_default();
                self.line(indent, span, &format!("loop{over}{cond}"));
                self.block(body, indent + 1);
                self.under("else", span, other, indent);
            }
            Step::Try { body, handlers, other, last } => {
                self.line(indent, span, "try");
                self.block(body, indent + 1);
                for handler in handlers {
                    let catches = self.list(&handler.catches);
                    self.line(indent, handler.span, &format!("except {catches}"));
                    self.block(&handler.body, indent + 1);
                }
                self.under("else", span, other, indent);
                self.under("finally", span, last, indent);
            }
            Step::With { items, body, .. } => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| match item.target {
                        Some(target) => format!("{} as {}", self.value(item.context), self.value(target)),
                        None => self.value(item.context),
                    })
                    .collect();
                self.line(indent, span, &format!("with {}", items.join(", ")));
                self.block(body, indent + 1);
            }
            Step::Scope(body) => {
                self.line(indent, span, "scope");
                self.block(body, indent + 1);
            }
            Step::Match { subject, arms } => {
                self.line(indent, span, &format!("match {}", self.value(*subject)));
                for arm in arms {
                    let pattern: Vec<&str> = arm.pattern.iter().flatten().map(|name| self.facts.name(*name)).collect();
                    let pattern = if pattern.is_empty() { "_".to_owned() } else { pattern.join(".") };
                    let guard = arm.guard.map(|guard| format!(" if {}", self.value(guard))).unwrap_or_default();
                    self.line(indent + 1, arm.span, &format!("case {pattern}{guard}"));
                    self.block(&arm.body, indent + 2);
                }
            }
        }
    }

    /// Where a step stands: its own span, or that of the first operation in it.
    fn start(&self, step: &Step) -> Span {
        match step {
            Step::Op(op) => self.facts.ops.get(op.0 as usize).map(|op| op.span).unwrap_or_default(),
            Step::If { span, .. } | Step::With { span, .. } => *span,
            Step::Loop { body, .. } | Step::Try { body, .. } | Step::Scope(body) => {
                body.first().map(|step| self.start(step)).unwrap_or_default()
            }
            Step::Match { arms, .. } => arms.first().map(|arm| arm.span).unwrap_or_default(),
        }
    }

    fn what(&self, op: OpId, what: &What) -> String {
        let maybe = |value: &Option<V>| value.map(|value| format!(" {}", self.value(value))).unwrap_or_default();
        match what {
            What::Call { callee, args } => format!("#{} = {}({})", op.0, self.value(*callee), self.args(args)),
            What::Store { to, value, ty } => {
                let ty = ty.map(|ty| format!(": {}", self.value(ty))).unwrap_or_default();
                format!("{}{ty} = {}", self.value(*to), self.value(*value))
            }
            What::Delete(what) => format!("delete {}", self.value(*what)),
            What::Import(at) => self.facts.imports.get(*at as usize).map(|import| self.import(import)).unwrap_or_default(),
            What::Return(value) => format!("return{}", maybe(value)),
            What::Yield(value) => format!("#{} = yield{}", op.0, maybe(value)),
            What::Raise(value) => format!("raise{}", maybe(value)),
            What::Await(what) => format!("await {}", self.value(*what)),
            What::Assert(cond) => format!("assert {}", self.value(*cond)),
            What::Break => "break".to_owned(),
            What::Continue => "continue".to_owned(),
            What::Define(unit) => {
                format!(
                    "define unit {}: {}",
                    unit.0,
                    self.facts.units.get(unit.0 as usize).map_or("", |unit| self.facts.name(unit.name))
                )
            }
            What::DefineClass(class) => {
                format!(
                    "define class {}",
                    self.facts.classes.get(class.0 as usize).map_or("", |class| self.facts.name(class.name))
                )
            }
        }
    }

    fn import(&self, import: &Import) -> String {
        let separator = if self.facts.language == Language::Rust { "::" } else { "." };
        let mut text = "import ".to_owned() + &".".repeat(import.up as usize);
        let names: Vec<&str> = import.module.iter().chain(&import.name).map(|name| self.facts.name(*name)).collect();
        text.push_str(&names.join(separator));
        if import.star {
            text.push_str(separator);
            text.push('*');
        }
        if let Some(bound) = import.bound {
            let _ = write!(text, " as {}", self.facts.name(bound));
        }
        if let Some(path) = import.child.as_ref().and_then(|child| child.path) {
            let _ = write!(text, " at {:?}", self.facts.name(path));
        }
        text
    }

    fn args(&self, args: &[Arg]) -> String {
        let args: Vec<String> = args
            .iter()
            .map(|arg| match arg.name {
                Some(name) => format!("{}={}", self.facts.name(name), self.value(arg.value)),
                None => self.value(arg.value),
            })
            .collect();
        args.join(", ")
    }

    fn list(&self, values: &[V]) -> String {
        let values: Vec<String> = values.iter().map(|value| self.value(*value)).collect();
        values.join(", ")
    }

    fn value(&self, value: V) -> String {
        let mut out = String::new();
        self.write(value, DEPTH, &mut out);
        out
    }

    fn write_all(&self, values: &[V], between: &str, depth: usize, out: &mut String) {
        for (at, value) in values.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { between });
            self.write(*value, depth, out);
        }
    }

    fn write(&self, value: V, depth: usize, out: &mut String) {
        let Some(depth) = depth.checked_sub(1) else {
            out.push('…');
            return;
        };
        match self.facts.value(value) {
            Value::Text(text) => {
                let _ = write!(out, "{:?}", self.facts.name(*text));
            }
            Value::Int(number) => {
                let _ = write!(out, "{number}");
            }
            Value::Float(number) => out.push_str(self.facts.name(*number)),
            Value::Bool(is) => {
                let _ = write!(out, "{is}");
            }
            Value::Nil => out.push_str("nil"),
            Value::Name(name) => out.push_str(self.facts.name(*name)),
            Value::Path(names) => {
                out.push_str(&names.iter().map(|name| self.facts.name(*name)).collect::<Vec<_>>().join("::"));
            }
            Value::Attr(base, name) => {
                self.write(*base, depth, out);
                out.push('.');
                out.push_str(self.facts.name(*name));
            }
            Value::Item(base, key) => {
                self.write(*base, depth, out);
                out.push('[');
                self.write(*key, depth, out);
                out.push(']');
            }
            Value::Result(op) => {
                let _ = write!(out, "#{}", op.0);
            }
            Value::Format(pieces) => {
                out.push_str("format(");
                self.write_all(pieces, " ", depth, out);
                out.push(')');
            }
            Value::Binary(operator, left, right) => {
                let sign = match operator {
                    Operator::Add => " + ",
                    Operator::Subtract => " - ",
                    Operator::Multiply => " * ",
                    Operator::Divide => " / ",
                    Operator::FloorDivide => " // ",
                    Operator::Modulo => " % ",
                    Operator::Other => " ? ",
                };
                self.infix(*left, sign, *right, depth, out);
            }
            Value::Compare(how, left, right) => {
                let sign = match how {
                    Comparison::Equal => " == ",
                    Comparison::NotEqual => " != ",
                    Comparison::Is => " is ",
                    Comparison::IsNot => " is not ",
                    Comparison::In => " in ",
                    Comparison::NotIn => " not in ",
                    Comparison::Less => " < ",
                    Comparison::Greater => " > ",
                };
                self.infix(*left, sign, *right, depth, out);
            }
            Value::Not(of) => {
                out.push_str("not ");
                self.write(*of, depth, out);
            }
            Value::And(parts) => self.wrapped("(", parts, " and ", ")", depth, out),
            Value::Or(parts) => self.wrapped("(", parts, " or ", ")", depth, out),
            Value::List(items) => self.wrapped("[", items, ", ", "]", depth, out),
            Value::Tuple(items) => self.wrapped("(", items, ", ", ")", depth, out),
            Value::Set(items) => self.wrapped("{", items, ", ", "}", depth, out),
            Value::Dict(pairs) => {
                out.push('{');
                for (at, (key, value)) in pairs.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { ", " });
                    self.write(*key, depth, out);
                    out.push_str(": ");
                    self.write(*value, depth, out);
                }
                out.push('}');
            }
            Value::Choice { cond, then, other } => {
                out.push('(');
                self.write(*then, depth, out);
                out.push_str(" if ");
                self.write(*cond, depth, out);
                out.push_str(" else ");
                self.write(*other, depth, out);
                out.push(')');
            }
            Value::Closure(unit) => {
                let _ = write!(out, "closure {}", unit.0);
            }
            Value::Star(of) => {
                out.push('*');
                self.write(*of, depth, out);
            }
            Value::Record { ty, fields } => {
                self.write(*ty, depth, out);
                out.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    let _ = write!(out, "{}{}: ", if at == 0 { "" } else { ", " }, self.facts.name(*name));
                    self.write(*value, depth, out);
                }
                out.push('}');
            }
            Value::Unknown => out.push('?'),
        }
    }

    fn infix(&self, left: V, sign: &str, right: V, depth: usize, out: &mut String) {
        out.push('(');
        self.write(left, depth, out);
        out.push_str(sign);
        self.write(right, depth, out);
        out.push(')');
    }

    fn wrapped(&self, open: &str, parts: &[V], between: &str, close: &str, depth: usize, out: &mut String) {
        out.push_str(open);
        self.write_all(parts, between, depth, out);
        out.push_str(close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Kind;

    #[test]
    fn a_call_under_a_condition() {
        let mut facts = Builder::new(Language::Python);
        let (name, path, text) = (facts.sym(""), facts.sym("open"), facts.sym("a\u{1b}"));
        let callee = facts.value(Value::Name(path));
        let value = facts.value(Value::Text(text));
        let span = Span { start: 7, end: 16 };
        let args = vec![Arg { name: None, value, span }];
        let op = facts.op(What::Call { callee, args }, span);
        let cond = facts.value(Value::Bool(true));
        let body = vec![Step::If { cond, then: vec![Step::Op(op)], other: Block::new(), span: Span { start: 0, end: 16 } }];
        facts.unit(Unit { body, ..Unit::new(name, Shape::Module, Span { start: 0, end: 16 }) });
        facts.gap(Span { start: 7, end: 8 }, Why::Syntax);
        let source = Source::of("a.py", Kind::Python, "if x:\n open('a')\n");
        let shown = show(&facts.finish(), &source);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(
            lines,
            ["    1  unit 0: module ()", "    1    if true", "    2      #0 = open(\"a\\u{1b}\")", "    2  gap: syntax"],
        );
    }
}
