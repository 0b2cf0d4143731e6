//! The state of a lowering: the unit and the block that are being filled, and what statements do to them.

use super::edges;
use crate::facts::{Arg, Block, Builder, ClassId, Mark, OpId, Shape, Step, Sym, Unit, UnitId, V, Value, What, Why};
use crate::text::Span;
use syn::ext::IdentExt;
use syn::{Expr, Ident, Stmt};

pub struct Lower {
    pub builder: Builder,
    /// The unit that is being filled.
    pub unit: UnitId,
    /// The block of it that is being filled.
    pub steps: Block,
    /// What `break` may leave, the innermost last.
    pub targets: Vec<Target>,
    /// Conditions around items that a macro like `cfg_if!` puts there.
    pub around: Vec<Mark>,
    fresh: u32,
    /// How many blocks are open, over all units.
    depth: u32,
    /// By value: how deep it is.
    heights: Vec<u8>,
    /// A value was cut off in some unit.
    cut: bool,
}

/// How deep values and blocks may be, so that whoever walks them may recurse.
pub const DEPTH: u8 = 200;

/// Where the value of a block goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dest {
    /// Nowhere.
    Drop,
    /// To a name.
    Store(Sym),
    /// Out of the unit.
    Return,
}

/// Something that `break` leaves.
pub struct Target {
    pub label: Option<String>,
    /// Where the value of `break value` goes.
    pub value: Option<Sym>,
    /// A labelled block: only a `break` with its label leaves it.
    pub block: bool,
    /// A `break` left it with a value, or left the block at all.
    pub left: bool,
}

impl Lower {
    /// Starts with unit 0, the body of a file of `len` bytes.
    pub fn new(mut builder: Builder, len: usize) -> Self {
        let name = builder.sym("");
        let span = Span::new(0, len);
        let unit = builder.unit(Unit { inner: span, ..Unit::new(name, Shape::Module, span) });
        Lower {
            builder,
            unit,
            steps: Vec::new(),
            targets: Vec::new(),
            around: Vec::new(),
            fresh: 0,
            depth: 0,
            heights: Vec::new(),
            cut: false,
        }
    }

    pub fn file(&mut self, file: &syn::File) {
        let marks = self.marks(&file.attrs);
        for item in &file.items {
            self.item(item);
        }
        let body = std::mem::take(&mut self.steps);
        if let Some(unit) = self.builder.facts_mut().units.first_mut() {
            unit.marks = marks;
            unit.body = body;
        }
    }

    /// Fills a new unit.
    pub fn enter(&mut self, new: NewUnit, fill: impl FnOnce(&mut Self)) -> UnitId {
        let id = self.builder.unit(Unit {
            class: new.class,
            parent: Some(self.unit),
            marks: new.marks,
            is_async: new.is_async,
            head: new.head,
            ..Unit::new(new.name, new.shape, new.span)
        });
        let unit = std::mem::replace(&mut self.unit, id);
        let steps = std::mem::take(&mut self.steps);
        let targets = std::mem::take(&mut self.targets);
        let around = std::mem::take(&mut self.around);
        fill(self);
        self.around = around;
        self.targets = targets;
        let body = std::mem::replace(&mut self.steps, steps);
        self.unit = unit;
        self.change(id, |unit| unit.body = body);
        id
    }

    pub fn change(&mut self, id: UnitId, change: impl FnOnce(&mut Unit)) {
        if let Some(unit) = self.builder.facts_mut().units.get_mut(id.0 as usize) {
            change(unit);
        }
    }

    /// Lowers into a block of its own.
    pub fn within(&mut self, fill: impl FnOnce(&mut Self)) -> Block {
        let outer = std::mem::take(&mut self.steps);
        self.depth += 1;
        fill(self);
        self.depth -= 1;
        std::mem::replace(&mut self.steps, outer)
    }

    /// No further block may be opened. Delimiters cannot bring this about, only long chains of `else if` and `&& let`.
    pub fn is_full(&self) -> bool {
        self.depth >= u32::from(DEPTH)
    }

    pub fn push(&mut self, what: What, span: Span) -> OpId {
        let op = self.builder.op(what, span);
        self.steps.push(Step::Op(op));
        op
    }

    pub fn store(&mut self, name: Sym, value: V, span: Span) {
        let to = self.name(name);
        self.push(What::Store { to, value, ty: None }, span);
    }

    /// A call as an operation; its result.
    pub fn call(&mut self, callee: V, args: Vec<Arg>, span: Span) -> V {
        let op = self.push(What::Call { callee, args }, span);
        self.value(Value::Result(op))
    }

    /// A value; unknown where it would be deeper than [`DEPTH`].
    pub fn value(&mut self, value: Value) -> V {
        let height = self.height(&value);
        if height <= DEPTH {
            self.heights.push(height);
            return self.builder.value(value);
        }
        if !std::mem::replace(&mut self.cut, true) {
            let span = self.builder.facts().unit(self.unit).span;
            self.builder.gap(span, Why::Depth);
        }
        self.heights.push(0);
        self.builder.value(Value::Unknown)
    }

    fn height(&self, value: &Value) -> u8 {
        let of = |v: V| self.heights.get(v.0 as usize).copied().unwrap_or(0);
        let most = |values: &[V]| values.iter().map(|v| of(*v)).max().unwrap_or(0);
        let parts = match value {
            Value::Attr(a, _) | Value::Not(a) | Value::Star(a) => of(*a),
            Value::Item(a, b) | Value::Binary(_, a, b) | Value::Compare(_, a, b) => of(*a).max(of(*b)),
            Value::Format(many) | Value::And(many) | Value::Or(many) => most(many),
            Value::List(many) | Value::Tuple(many) | Value::Set(many) => most(many),
            Value::Dict(pairs) => pairs.iter().map(|(k, v)| of(*k).max(of(*v))).max().unwrap_or(0),
            Value::Record { ty, fields } => fields.iter().map(|(_, v)| of(*v)).fold(of(*ty), u8::max),
            Value::Choice { cond, then, other } => of(*cond).max(of(*then)).max(of(*other)),
            _ => return 0,
        };
        parts.saturating_add(1)
    }

    pub fn unknown(&mut self) -> V {
        self.value(Value::Unknown)
    }

    pub fn name(&mut self, name: Sym) -> V {
        self.value(Value::Name(name))
    }

    pub fn sym(&mut self, text: &str) -> Sym {
        self.builder.sym(text)
    }

    /// The symbol of an identifier; `r#type` is `type`.
    pub fn ident(&mut self, ident: &Ident) -> Sym {
        let text = ident.unraw().to_string();
        self.builder.sym(&text)
    }

    pub fn text(&mut self, text: &str) -> V {
        let text = self.builder.sym(text);
        self.value(Value::Text(text))
    }

    /// A name that no source can hold.
    pub fn fresh(&mut self) -> Sym {
        self.fresh += 1;
        let name = format!("${}", self.fresh);
        self.builder.sym(&name)
    }

    /// The statements of a block, and where the value of the last one goes.
    pub fn block(&mut self, block: &syn::Block, dest: Dest) {
        self.statements(&block.stmts, dest);
    }

    pub fn statements(&mut self, stmts: &[Stmt], dest: Dest) {
        for stmt in stmts {
            if let Stmt::Item(item) = stmt {
                self.item(item);
            }
        }
        let last = stmts.len().saturating_sub(1);
        for (n, stmt) in stmts.iter().enumerate() {
            let statement = edges::statement(stmt);
            self.builder.facts_mut().statements.push(statement);
            match stmt {
                Stmt::Item(_) => {}
                Stmt::Local(local) => self.conditional(&local.attrs, |lower| lower.local(local)),
                Stmt::Expr(expr, semi) => {
                    let ends = n == last && semi.is_none();
                    self.conditional(edges::attributes(expr), |lower| match ends {
                        true => lower.tail(expr, dest),
                        false => lower.effect(expr),
                    });
                }
                Stmt::Macro(stmt) => {
                    let ends = n == last && stmt.semi_token.is_none();
                    self.conditional(&stmt.attrs, |lower| match ends {
                        true => lower.macro_tail(&stmt.mac, dest),
                        false => lower.macro_effect(&stmt.mac),
                    });
                }
            }
        }
    }

    /// A statement under `#[cfg(…)]` is a condition on `cfg!(…)`.
    fn conditional(&mut self, attrs: &[syn::Attribute], fill: impl FnOnce(&mut Self)) {
        let Some(cfg) = attrs.iter().find(|attr| attr.path().is_ident("cfg")) else { return fill(self) };
        let span = edges::attribute(cfg);
        let args = self.mark_args(&cfg.meta);
        let name = self.sym("cfg!");
        let callee = self.name(name);
        let cond = self.call(callee, args, span);
        let then = self.within(fill);
        self.steps.push(Step::If { cond, then, other: Vec::new(), span });
    }

    fn local(&mut self, local: &syn::Local) {
        let span = edges::across(local.let_token.span, local.semi_token.span);
        let Some(init) = &local.init else {
            // What is bound later lives as long as the block that declares it.
            let nothing = self.value(Value::Nil);
            return self.bind_let(&local.pat, nothing, span);
        };
        let subject = self.expr(&init.expr);
        let Some((_, other)) = &init.diverge else {
            return self.bind_let(&local.pat, subject, span);
        };
        let pattern = self.constructor(&local.pat);
        let guard = self.literal_guard(&local.pat, subject);
        let matched = crate::facts::Arm { pattern, guard, body: Vec::new(), span: self.pattern_span(&local.pat) };
        let body = self.within(|lower| lower.effect_in_place(other));
        let refused = crate::facts::Arm { pattern: None, guard: None, body, span: edges::expr(other) };
        self.steps.push(Step::Match { subject, arms: vec![matched, refused] });
        // What is bound lives to the end of the block around, not of an arm.
        self.bind(&local.pat, subject);
    }

    /// The last expression of a block.
    pub fn tail(&mut self, expr: &Expr, dest: Dest) {
        match expr {
            Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => self.effect(expr),
            Expr::Macro(e) => self.macro_tail(&e.mac, dest),
            Expr::Paren(e) => self.tail(&e.expr, dest),
            Expr::Group(e) => self.tail(&e.expr, dest),
            _ if dest == Dest::Drop => self.effect(expr),
            _ if self.control(expr, dest) => {}
            _ => {
                let value = self.expr(expr);
                self.deliver(value, dest, edges::expr(expr));
            }
        }
    }

    pub fn deliver(&mut self, value: V, dest: Dest, span: Span) {
        match dest {
            Dest::Drop => {}
            Dest::Store(name) => self.store(name, value, span),
            Dest::Return => {
                self.push(What::Return(Some(value)), span);
            }
        }
    }

    /// An expression whose value nobody wants.
    pub fn effect(&mut self, expr: &Expr) {
        match expr {
            Expr::Paren(e) => self.effect(&e.expr),
            Expr::Group(e) => self.effect(&e.expr),
            Expr::Macro(e) => self.macro_effect(&e.mac),
            // Left over from a lone `;`.
            Expr::Verbatim(tokens) if tokens.is_empty() => {}
            _ if self.control(expr, Dest::Drop) => {}
            _ => {
                self.expr(expr);
            }
        }
    }

    /// The statements of a block expression without a scope around them, or the expression.
    pub fn effect_in_place(&mut self, expr: &Expr) {
        match expr {
            Expr::Block(e) if e.label.is_none() => self.block(&e.block, Dest::Drop),
            _ => self.effect(expr),
        }
    }
}

/// What is known of a unit before its body.
pub struct NewUnit {
    pub name: Sym,
    pub shape: Shape,
    pub class: Option<ClassId>,
    pub marks: Vec<Mark>,
    pub is_async: bool,
    pub span: Span,
    pub head: Span,
}
