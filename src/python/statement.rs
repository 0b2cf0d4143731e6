//! Statements: operations and the blocks that hold them.

use super::expression::operator;
use super::syntax::{Field, Kind, N};
use super::{DEPTH, Lower};
use crate::facts::{Block, Handler, Import, Operator, Statement, Step, Sym, V, Value, What, Why, WithItem};
use crate::text::Span;

impl Lower<'_> {
    /// The statements of a module or block, in place.
    pub(super) fn statements(&mut self, n: N) {
        let syntax = self.syntax;
        let top = self.faulty && self.depth <= 1 && matches!(self.kind(n), Kind::Module | Kind::Error);
        for child in syntax.children(n) {
            if !(top && self.is_stray(child)) {
                self.statement(child);
            }
        }
    }

    /// A statement that neither starts its line nor follows a semicolon. Directly below the module it has lost its function,
    /// class or header to an error before it, and must not be taken for code that runs at import.
    fn is_stray(&self, n: N) -> bool {
        let before = self.text.get(..self.span(n).start as usize).unwrap_or_default();
        let line = before.rsplit(['\n', '\r']).next().unwrap_or_default().trim_start_matches('\x0c');
        !line.is_empty() && (line.starts_with([' ', '\t']) || !line.trim_end().ends_with(';'))
    }

    fn statement(&mut self, n: N) {
        self.descend(n, |lower| lower.one_statement(n));
        if self.cut {
            self.cut = false;
            self.deep(self.span(n));
        }
    }

    /// The statements of a block, as a block of its own.
    fn suite(&mut self, n: Option<N>) -> Block {
        match n {
            Some(n) => self.gather(|lower| lower.statements(n)).0,
            None => Block::new(),
        }
    }

    /// The body of an `else` or `finally` clause.
    fn clause(&mut self, n: Option<N>) -> Block {
        let body = n.and_then(|n| self.syntax.child(n, Kind::Block));
        self.suite(body)
    }

    fn one_statement(&mut self, n: N) {
        let span = self.span(n);
        self.written_statement(n);
        match self.kind(n) {
            Kind::ExpressionStatement => self.expression_statement(n),
            Kind::If => self.branch(n),
            Kind::For => self.for_loop(n),
            Kind::While => self.while_loop(n),
            Kind::Try => self.attempt(n),
            Kind::With => self.with(n),
            Kind::Match => self.matching(n),
            Kind::Function => self.function(n, None),
            Kind::Class => self.class(n, None),
            Kind::Decorated => self.decorated(n),
            Kind::Return => {
                let value = self.operand(n);
                self.emit(What::Return(value), span);
            }
            Kind::Raise => self.raise(n),
            Kind::Assert => self.assertion(n),
            Kind::Delete => self.delete(n),
            Kind::Global | Kind::Nonlocal => {
                let syntax = self.syntax;
                for name in syntax.children(n) {
                    let name = self.sym(name);
                    self.scope.globals.push(name);
                }
            }
            Kind::Break => {
                self.emit(What::Break, span);
            }
            Kind::Continue => {
                self.emit(What::Continue, span);
            }
            Kind::Pass => {}
            Kind::Import => self.import(n),
            Kind::ImportFrom | Kind::FutureImport => self.import_from(n),
            Kind::TypeAlias => self.type_alias(n),
            Kind::Print | Kind::Exec => {
                // Python 2: a statement where a call is meant now.
                self.facts.gap(span, Why::Syntax);
                self.each(n);
            }
            Kind::Chevron => {
                self.each(n);
            }
            // What an error swallowed: whole statements still stand. Parts of one do not: `g()` may be what is left of `def g():`.
            Kind::Error | Kind::Block | Kind::Other => self.statements(n),
            _ => {}
        }
    }

    /// Keeps where a statement and its blocks are written.
    fn written_statement(&mut self, n: N) {
        let syntax = self.syntax;
        if matches!(self.kind(n), Kind::Error | Kind::Block | Kind::Other | Kind::Comment) {
            return;
        }
        let mut blocks = Vec::new();
        for child in syntax.children(n) {
            match self.kind(child) {
                Kind::Block => blocks.push(self.span(child)),
                // Clauses, the definition below decorators.
                Kind::Elif | Kind::Else | Kind::Except | Kind::Finally | Kind::Function | Kind::Class => {
                    blocks.extend(syntax.child(child, Kind::Block).map(|block| self.span(block)));
                }
                _ => {}
            }
        }
        let span = self.span(n);
        self.facts.facts_mut().statements.push(Statement { span, blocks });
    }

    /// The one operand of `return` or `raise`.
    fn operand(&mut self, n: N) -> Option<V> {
        let syntax = self.syntax;
        let operand = syntax.children(n).find(|child| !syntax.in_role(*child, Field::Cause))?;
        Some(self.expression(operand))
    }

    fn expression_statement(&mut self, n: N) {
        let syntax = self.syntax;
        let span = self.span(n);
        for child in syntax.children(n) {
            match self.kind(child) {
                Kind::Assignment => {
                    self.assignment(child, span);
                }
                Kind::AugmentedAssignment => {
                    self.augmented(child, span);
                }
                // A docstring; kept out of the names for its size.
                Kind::String if syntax.child(child, Kind::Interpolation).is_none() => {}
                Kind::Identifier | Kind::Integer | Kind::Float => {}
                _ => {
                    self.expression(child);
                }
            }
        }
    }

    /// `a = b = value`: the value first, then the stores from left to right. Gives the value.
    fn assignment(&mut self, n: N, span: Span) -> V {
        let mut targets = Vec::new();
        let mut at = n;
        let value = loop {
            targets.push(at);
            match self.syntax.field(at, Field::Right) {
                Some(right) if self.kind(right) == Kind::Assignment => at = right,
                Some(right) if self.kind(right) == Kind::AugmentedAssignment => break Some(self.augmented(right, span)),
                Some(right) => break Some(self.expression(right)),
                None => break None,
            }
        };
        for target in &targets {
            let to = self.role(*target, Field::Left);
            let ty = self.syntax.field(*target, Field::Type).map(|ty| self.annotation(ty));
            if let (Some(_), Some(class), Value::Name(name)) = (ty, self.scope.class, self.facts.facts().value(to)) {
                let name = *name;
                if let Some(class) = self.facts.facts_mut().classes.get_mut(class.0 as usize) {
                    class.fields.push((name, ty));
                }
            }
            if let Some(value) = value {
                self.emit(What::Store { to, value, ty }, span);
            }
        }
        match value {
            Some(value) => value,
            None => self.unknown(),
        }
    }

    fn augmented(&mut self, n: N, span: Span) -> V {
        let to = self.role(n, Field::Left);
        let right = match self.syntax.field(n, Field::Right) {
            Some(right) if self.kind(right) == Kind::Assignment => self.assignment(right, span),
            Some(right) => self.expression(right),
            None => self.unknown(),
        };
        let operator =
            self.syntax.field(n, Field::Operator).map_or(Operator::Other, |token| operator(self.slice(self.span(token))));
        let value = self.value(Value::Binary(operator, to, right));
        self.store(to, value, span);
        value
    }

    fn raise(&mut self, n: N) {
        let value = self.operand(n);
        if let Some(cause) = self.syntax.field(n, Field::Cause) {
            self.expression(cause);
        }
        self.emit(What::Raise(value), self.span(n));
    }

    fn assertion(&mut self, n: N) {
        let span = self.span(n);
        let mut parts = self.syntax.children(n);
        let (cond, message) = (parts.next(), parts.next());
        let cond = match cond {
            Some(cond) => self.expression(cond),
            None => self.unknown(),
        };
        if let Some(message) = message {
            let (block, _) = self.gather(|lower| lower.expression(message));
            if !block.is_empty() {
                let cond = self.value(Value::Not(cond));
                let span = self.span(message);
                self.block.push(Step::If { cond, then: block, other: Block::new(), span });
            }
        }
        self.emit(What::Assert(cond), span);
    }

    fn delete(&mut self, n: N) {
        let span = self.span(n);
        let Some(what) = self.syntax.first(n) else { return };
        let what = self.expression(what);
        let targets = match self.facts.facts().value(what) {
            Value::Tuple(targets) | Value::List(targets) => targets.clone(),
            Value::Nil => Vec::new(),
            _ => vec![what],
        };
        for target in targets {
            self.emit(What::Delete(target), span);
        }
    }

    /// `type X = …`; the grammar also takes `type(x).a = …` for one.
    fn type_alias(&mut self, n: N) {
        let syntax = self.syntax;
        let span = self.span(n);
        let Some(left) = syntax.field(n, Field::Left) else { return };
        if !self.slice(self.span(left)).starts_with('(') {
            let to = self.expression(left);
            let value = self.role(n, Field::Right);
            // `type Pair[T] = …` names its parameters in brackets.
            let to = match self.facts.facts().value(to) {
                Value::Item(base, _) => *base,
                _ => to,
            };
            return self.store(to, value, span);
        }
        let value = self.role(n, Field::Right);
        let mut at = left;
        let operand = loop {
            match self.kind(at) {
                Kind::Parenthesized | Kind::Tuple => break Some(at),
                _ => match syntax.first(at) {
                    Some(inner) => at = inner,
                    None => break None,
                },
            }
        };
        self.type_call = operand.map(|operand| (operand, span.start));
        let to = self.expression(left);
        self.type_call = None;
        self.store(to, value, span);
    }

    /// `if`, `elif`, `else`. Each `elif` nests in the one before, as long as the nesting stays readable; of a longer chain the
    /// rest stands in sequence, which loses only that its arms exclude each other.
    fn branch(&mut self, n: N) {
        let syntax = self.syntax;
        let mut arms = vec![self.arm(n)];
        let mut rest = Block::new();
        for alternative in syntax.fields(n, Field::Alternative) {
            match self.kind(alternative) {
                Kind::Elif => arms.push(self.arm(alternative)),
                _ => rest = self.clause(Some(alternative)),
            }
        }
        let room = usize::from(DEPTH.saturating_sub(self.depth));
        for (at, (mut block, cond, then, span)) in arms.into_iter().enumerate().rev() {
            if at < room {
                block.push(Step::If { cond, then, other: std::mem::take(&mut rest), span });
                rest = block;
            } else {
                block.push(Step::If { cond, then, other: Block::new(), span });
                block.append(&mut rest);
                rest = block;
            }
        }
        self.block.append(&mut rest);
    }

    /// The condition's operations, the condition, and the block under it.
    fn arm(&mut self, n: N) -> (Block, V, Block, Span) {
        let (before, cond) = self.gather(|lower| lower.role(n, Field::Condition));
        let body = self.syntax.field(n, Field::Consequence);
        let then = self.suite(body);
        (before, cond, then, self.span(n))
    }

    fn for_loop(&mut self, n: N) {
        let over = self.role(n, Field::Right);
        let (body, target) = self.gather(|lower| {
            let target = lower.loop_target(n, over);
            if let Some(body) = lower.syntax.field(n, Field::Body) {
                lower.statements(body);
            }
            target
        });
        let other = self.clause(self.syntax.field(n, Field::Alternative));
        self.block.push(Step::Loop { over: Some((target, over)), cond: None, body, other });
    }

    fn while_loop(&mut self, n: N) {
        let cond = self.role(n, Field::Condition);
        let body = self.suite(self.syntax.field(n, Field::Body));
        let other = self.clause(self.syntax.field(n, Field::Alternative));
        self.block.push(Step::Loop { over: None, cond: Some(cond), body, other });
    }

    fn attempt(&mut self, n: N) {
        let syntax = self.syntax;
        let body = self.suite(syntax.field(n, Field::Body));
        let handlers =
            syntax.children(n).filter(|child| syntax.kind(*child) == Kind::Except).map(|child| self.handler(child)).collect();
        let other = self.clause(syntax.child(n, Kind::Else));
        let last = self.clause(syntax.child(n, Kind::Finally));
        self.block.push(Step::Try { body, handlers, other, last });
    }

    fn handler(&mut self, n: N) -> Handler {
        let syntax = self.syntax;
        let mut types = Span::default();
        let (body, catches) = self.gather(|lower| {
            let mut catches = Vec::new();
            let mut alias = syntax.field(n, Field::Alias);
            for mut value in syntax.fields(n, Field::Value) {
                if lower.kind(value) == Kind::AsPattern {
                    alias = syntax.field(value, Field::Alias);
                    value = syntax.first(value).unwrap_or(value);
                }
                types = lower.span(value);
                let value = lower.expression(value);
                match lower.facts.facts().value(value) {
                    Value::Tuple(many) => catches.extend_from_slice(many),
                    _ => catches.push(value),
                }
            }
            if let Some(alias) = alias {
                let span = Span { start: lower.span(n).start, end: lower.span(alias).end };
                let to = lower.alias(alias);
                let value = lower.unknown();
                let ty = match catches.as_slice() {
                    [one] => Some(*one),
                    _ => None,
                };
                lower.emit(What::Store { to, value, ty }, span);
            }
            if let Some(block) = syntax.child(n, Kind::Block) {
                lower.statements(block);
            }
            catches
        });
        Handler { catches, types, body, span: self.span(n) }
    }

    /// What stands after `as`: wrapped in a node of its own in some places.
    fn alias(&mut self, n: N) -> V {
        let inner = if self.kind(n) == Kind::Other { self.syntax.first(n).unwrap_or(n) } else { n };
        self.expression(inner)
    }

    /// `with a as x, b as y:` runs `b` under `a`: an item whose expression has operations of its own opens a nested block.
    fn with(&mut self, n: N) {
        let syntax = self.syntax;
        let span = self.span(n);
        let mut items = Vec::new();
        if let Some(clause) = syntax.child(n, Kind::WithClause) {
            for item in syntax.children(clause).filter(|item| syntax.kind(*item) == Kind::WithItem) {
                let Some(value) = syntax.field(item, Field::Value) else { continue };
                // The grammar can take `(a as x, b as y)` for a tuple.
                if syntax.kind(value) == Kind::Tuple && syntax.child(value, Kind::AsPattern).is_some() {
                    items.extend(syntax.children(value));
                } else {
                    items.push(value);
                }
            }
        }
        let mut open: Vec<(Vec<WithItem>, Block)> = Vec::new();
        // The block around the innermost `with`; what is gathered now is its body.
        for item in items {
            let mut at = item;
            while self.kind(at) == Kind::Parenthesized {
                match syntax.first(at) {
                    Some(inner) => at = inner,
                    None => break,
                }
            }
            let (context, target) = match self.kind(at) {
                Kind::AsPattern => (syntax.first(at).unwrap_or(at), syntax.field(at, Field::Alias)),
                _ => (at, None),
            };
            let (mut before, context) = self.gather(|lower| lower.expression(context));
            let nested = !before.is_empty() || open.is_empty();
            self.block.append(&mut before);
            if nested {
                if usize::from(self.depth) + open.len() >= usize::from(DEPTH) {
                    self.deep(self.span(item));
                    break;
                }
                open.push((Vec::new(), std::mem::take(&mut self.block)));
            }
            let target = target.map(|target| {
                let span = self.span(at);
                let to = self.alias(target);
                self.store(to, context, span);
                to
            });
            if let Some((items, _)) = open.last_mut() {
                items.push(WithItem { context, target });
            }
        }
        if let Some(body) = syntax.field(n, Field::Body) {
            self.statements(body);
        }
        for (items, outer) in open.into_iter().rev() {
            let body = std::mem::replace(&mut self.block, outer);
            self.block.push(Step::With { items, body, span });
        }
    }

    fn dotted(&mut self, n: N) -> Vec<Sym> {
        let syntax = self.syntax;
        syntax.children(n).map(|part| self.sym(part)).collect()
    }

    /// `import a.b, c as d`.
    fn import(&mut self, n: N) {
        let syntax = self.syntax;
        for name in syntax.fields(n, Field::Name).filter(|name| !syntax.kind(*name).is_token()) {
            let (dotted, alias) = self.imported(name);
            let module = self.dotted(dotted);
            let bound = alias.or(module.first().copied());
            self.bind(
                n,
                Import { module, up: 0, name: None, bound, star: false, child: None, public: false, span: self.span(name) },
            );
        }
    }

    /// `from ..a.b import c as d, e`, `from a import *`.
    fn import_from(&mut self, n: N) {
        let syntax = self.syntax;
        let from = syntax.field(n, Field::ModuleName);
        let (dotted, up) = match from {
            Some(from) if self.kind(from) == Kind::RelativeImport => {
                let prefix = syntax.child(from, Kind::ImportPrefix).map_or("", |prefix| self.slice(self.span(prefix)));
                (syntax.child(from, Kind::DottedName), prefix.bytes().filter(|b| *b == b'.').count() as u32)
            }
            from => (from, 0),
        };
        let module = match dotted {
            Some(dotted) => self.dotted(dotted),
            None if self.kind(n) == Kind::FutureImport => vec![self.facts.sym("__future__")],
            None => Vec::new(),
        };
        if let Some(star) = syntax.child(n, Kind::Wildcard) {
            let span = self.span(star);
            self.bind(n, Import { module, up, name: None, bound: None, star: true, child: None, public: false, span });
            return;
        }
        for name in syntax.fields(n, Field::Name).filter(|name| !syntax.kind(*name).is_token()) {
            let (dotted, alias) = self.imported(name);
            let Some(name_sym) = self.dotted(dotted).pop() else { continue };
            let (module, bound, span) = (module.clone(), Some(alias.unwrap_or(name_sym)), self.span(name));
            self.bind(n, Import { module, up, name: Some(name_sym), bound, star: false, child: None, public: false, span });
        }
    }

    /// The dotted name of an imported item, and its alias.
    fn imported(&mut self, n: N) -> (N, Option<Sym>) {
        if self.kind(n) != Kind::ImportAlias {
            return (n, None);
        }
        let name = self.syntax.field(n, Field::Name).unwrap_or(n);
        let alias = self.syntax.field(n, Field::Alias).map(|alias| self.sym(alias));
        (name, alias)
    }

    fn bind(&mut self, statement: N, import: Import) {
        let import = self.facts.import(import);
        self.emit(What::Import(import), self.span(statement));
    }
}
