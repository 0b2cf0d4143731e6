//! Python to facts. The only room that knows tree-sitter-python.
//!
//! `syntax` parses and flattens, `statement`, `expression`, `definition` and `pattern` lower, `literal` decodes. What the facts
//! leave open is settled here so:
//!
//! - An element of an iterable (the value of a loop target's store) is [`Value::Item`] of the iterable and [`Value::Unknown`].
//! - The store of a `with` target has the context itself as its value; what `__enter__` makes of it is for `link`.
//! - `except E as e` stores [`Value::Unknown`] with the type `E`.
//! - `yield from x` yields [`Value::Star`] of `x`.
//! - A comprehension runs in place: a loop, and a display with its one element; its targets are stores of the unit around it.
//! - A literal of a `match` pattern is a comparison in the arm's guard.
//! - `~x` is `x ^ -1`, `-x` is `0 - x`.

mod definition;
mod expression;
mod literal;
mod pattern;
mod statement;
mod syntax;

#[cfg(test)]
mod tests;

use crate::facts::{Block, Builder, FileFacts, Language, OpId, Shape, Step, Sym, Unit, UnitId, V, Value, What, Why};
use crate::text::{Source, Span};
use syntax::{Kind, N, Syntax};

/// Lowers one Python source. Never fails: what cannot be read becomes a gap.
pub fn lower(source: &Source) -> FileFacts {
    lower_text(&source.text)
}

/// Lowers the text of a Python file, without byte order mark.
pub fn lower_text(text: &str) -> FileFacts {
    let mut syntax = Syntax::parse(text);
    let mut facts = Builder::new(Language::Python);
    facts.facts_mut().ignores = std::mem::take(&mut syntax.ignores);
    for (span, why) in &syntax.gaps {
        facts.gap(*span, *why);
    }
    let mut lower = Lower {
        text,
        syntax: &syntax,
        facts,
        heights: Vec::new(),
        named: Vec::new(),
        block: Block::new(),
        scope: Scope { unit: UnitId(0), class: None, globals: Vec::new(), yields: false },
        spine: Vec::new(),
        type_call: None,
        depth: 0,
        faulty: !syntax.gaps.is_empty(),
        quiet: false,
        cut: false,
        cuts: 0,
    };
    lower.module();
    lower.facts.finish()
}

/// How deep syntax, and the values made of it, may nest before the rest is left out.
const DEPTH: u16 = 200;

/// The state of lowering one file.
struct Lower<'a> {
    text: &'a str,
    syntax: &'a Syntax,
    facts: Builder,
    /// By value: how deep it is. Deeper ones than [`DEPTH`] become unknown, so that whoever walks values may recurse.
    heights: Vec<u8>,
    /// By symbol: its [`Value::Name`], made once.
    named: Vec<Option<V>>,
    /// The block being filled.
    block: Block,
    scope: Scope,
    /// Open left spines (`a.b().c`), as a stack shared by all of them.
    spine: Vec<N>,
    /// The operand of a call of `type` that the grammar hid in an alias, and where that call starts.
    type_call: Option<(N, u32)>,
    depth: u16,
    /// The file does not parse as a whole.
    faulty: bool,
    /// Patterns bind nothing now.
    quiet: bool,
    /// Something of the current statement was too deep.
    cut: bool,
    cuts: usize,
}

/// The unit being filled.
struct Scope {
    unit: UnitId,
    /// The class whose body this is.
    class: Option<crate::facts::ClassId>,
    globals: Vec<Sym>,
    yields: bool,
}

impl Lower<'_> {
    fn module(&mut self) {
        let name = self.facts.sym("");
        let span = Span::new(0, self.text.len());
        self.facts.unit(Unit { inner: span, ..Unit::new(name, Shape::Module, span) });
        self.statements(Syntax::ROOT);
        self.close();
    }

    /// Writes what was gathered into the current unit.
    fn close(&mut self) {
        let body = std::mem::take(&mut self.block);
        let globals = std::mem::take(&mut self.scope.globals);
        if let Some(unit) = self.facts.facts_mut().units.get_mut(self.scope.unit.0 as usize) {
            unit.body = body;
            unit.globals = globals;
            unit.yields = self.scope.yields;
        }
    }

    /// Fills another unit, then comes back to this one.
    fn within(&mut self, unit: UnitId, class: Option<crate::facts::ClassId>, fill: impl FnOnce(&mut Self)) {
        let scope = Scope { unit, class, globals: Vec::new(), yields: false };
        let outer = std::mem::replace(&mut self.scope, scope);
        let block = std::mem::take(&mut self.block);
        fill(self);
        self.close();
        self.scope = outer;
        self.block = block;
    }

    /// What `fill` emits, as a block of its own.
    fn gather<T>(&mut self, fill: impl FnOnce(&mut Self) -> T) -> (Block, T) {
        let outer = std::mem::take(&mut self.block);
        let given = fill(self);
        (std::mem::replace(&mut self.block, outer), given)
    }

    /// Goes one level down, where there still is one.
    fn descend<T>(&mut self, n: N, walk: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= DEPTH {
            self.deep(self.span(n));
            return None;
        }
        self.depth += 1;
        let given = walk(self);
        self.depth -= 1;
        Some(given)
    }

    fn deep(&mut self, span: Span) {
        self.cuts += 1;
        if self.cuts <= Syntax::GAPS {
            self.facts.gap(span, Why::Depth);
        }
    }

    fn kind(&self, n: N) -> Kind {
        self.syntax.kind(n)
    }

    fn span(&self, n: N) -> Span {
        self.syntax.span(n)
    }

    fn slice(&self, span: Span) -> &'_ str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn sym(&mut self, n: N) -> Sym {
        let span = self.span(n);
        let text = self.text;
        self.facts.sym(text.get(span.start as usize..span.end as usize).unwrap_or_default())
    }

    fn emit(&mut self, what: What, span: Span) -> OpId {
        let op = self.facts.op(what, span);
        self.block.push(Step::Op(op));
        op
    }

    fn store(&mut self, to: V, value: V, span: Span) {
        self.emit(What::Store { to, value, ty: None }, span);
    }

    fn name(&mut self, name: Sym) -> V {
        let at = name.0 as usize;
        if let Some(Some(v)) = self.named.get(at) {
            return *v;
        }
        let v = self.value(Value::Name(name));
        if self.named.len() <= at {
            self.named.resize(at + 1, None);
        }
        self.named[at] = Some(v);
        v
    }

    fn unknown(&mut self) -> V {
        self.value(Value::Unknown)
    }

    fn element(&mut self, of: V) -> V {
        let unknown = self.unknown();
        self.value(Value::Item(of, unknown))
    }

    fn value(&mut self, value: Value) -> V {
        let height = self.height(&value);
        if u16::from(height) > DEPTH {
            self.cut = true;
            self.heights.push(0);
            return self.facts.value(Value::Unknown);
        }
        self.heights.push(height);
        self.facts.value(value)
    }

    /// How deep a value is: 0 for a leaf.
    fn height(&self, value: &Value) -> u8 {
        let of = |v: &V| self.heights.get(v.0 as usize).copied().unwrap_or(0);
        let all = |many: &[V]| many.iter().map(of).max().unwrap_or(0);
        let parts = match value {
            Value::Attr(a, _) | Value::Not(a) | Value::Star(a) => of(a),
            Value::Item(a, b) | Value::Binary(_, a, b) | Value::Compare(_, a, b) => of(a).max(of(b)),
            Value::Format(many) | Value::And(many) | Value::Or(many) => all(many),
            Value::List(many) | Value::Tuple(many) | Value::Set(many) => all(many),
            Value::Dict(pairs) => pairs.iter().map(|(k, v)| of(k).max(of(v))).max().unwrap_or(0),
            Value::Choice { cond, then, other } => of(cond).max(of(then)).max(of(other)),
            _ => return 0,
        };
        parts.saturating_add(1)
    }
}
