//! Expressions: their calls become operations, what is left is a value.

use super::Lower;
use super::literal::{self, Prefix};
use super::syntax::{Field, Kind, N};
use crate::facts::{Arg, Block, Comparison, Operator, Step, V, Value, What};
use crate::text::Span;

impl Lower<'_> {
    /// Lowers an expression or a target. Left spines, however long, are walked without recursion: generated code chains
    /// thousands of calls and sums.
    pub(super) fn expression(&mut self, n: N) -> V {
        let base = self.spine.len();
        let mut at = Some(n);
        // Where the spine starts, if not where its nodes say.
        let mut start = None;
        let mut starred = false;
        // How much of the spine stands around an `await`.
        let mut awaited = None;
        let mut value = None;
        while let Some(n) = at {
            if let Some((operand, of)) = self.type_call.take_if(|(operand, _)| *operand == n) {
                start = Some(of);
                value = Some(self.call_of_type(operand, of));
                break;
            }
            at = match self.kind(n) {
                Kind::MemberType => {
                    self.spine.push(n);
                    self.syntax.first(n)
                }
                Kind::Attribute => self.climb(n, Field::Object),
                Kind::Call => self.climb(n, Field::Function),
                Kind::Subscript => self.climb(n, Field::Value),
                Kind::Binary => self.climb(n, Field::Left),
                Kind::Await => {
                    awaited = Some((self.spine.len(), self.span(n)));
                    self.syntax.first(n)
                }
                Kind::Parenthesized | Kind::Type => self.syntax.first(n),
                // The grammar binds the star of `[*a.b()]` to `a`.
                Kind::ListSplat if self.spine.len() > base => {
                    let inner = self.syntax.first(n);
                    start = inner.map(|inner| self.span(inner).start);
                    starred = true;
                    inner
                }
                Kind::TuplePattern if self.is_group(n) => self.syntax.first(n),
                _ => {
                    value = self.descend(n, |lower| lower.leaf(n));
                    if let Some(value) = value {
                        self.facts.place(value, self.span(n));
                    }
                    None
                }
            };
        }
        let mut value = match value {
            Some(value) => value,
            None => self.unknown(),
        };
        loop {
            if let Some((_, span)) = awaited.take_if(|(around, _)| *around == self.spine.len()) {
                self.emit(What::Await(value), span);
            }
            if self.spine.len() <= base {
                break;
            }
            let Some(n) = self.spine.pop() else { break };
            value = self.link(n, value, start);
            let span = self.span(n);
            self.facts.place(value, Span { start: start.unwrap_or(span.start), end: span.end });
        }
        if starred { self.value(Value::Star(value)) } else { value }
    }

    /// `type(x).a = 1`, which the grammar takes for an alias called `(x).a`: the call.
    fn call_of_type(&mut self, operand: N, start: u32) -> V {
        let args = match self.kind(operand) {
            Kind::Tuple => self.arguments(operand),
            _ => self.syntax.first(operand).map(|operand| self.argument(operand)).into_iter().collect(),
        };
        let name = self.facts.sym("type");
        let callee = self.name(name);
        let op = self.emit(What::Call { callee, args }, Span { start, end: self.span(operand).end });
        self.value(Value::Result(op))
    }

    /// `(x)` as a target only groups; `(x,)` is a tuple.
    pub(super) fn is_group(&self, n: N) -> bool {
        let mut parts = self.syntax.children(n);
        let (Some(one), None) = (parts.next(), parts.next()) else { return false };
        let rest = self.slice(Span { start: self.span(one).end, end: self.span(n).end });
        !rest.split('#').next().unwrap_or_default().contains(',')
    }

    fn climb(&mut self, n: N, left: Field) -> Option<N> {
        self.spine.push(n);
        self.syntax.field(n, left)
    }

    /// One node of a left spine, over the value of its left part. `start`: where the spine starts, if not where the node does.
    fn link(&mut self, n: N, left: V, start: Option<u32>) -> V {
        match self.kind(n) {
            Kind::Attribute | Kind::MemberType => {
                let name = match self.kind(n) {
                    Kind::Attribute => self.syntax.field(n, Field::Attribute),
                    _ => self.syntax.children(n).nth(1),
                };
                match name {
                    Some(name) => {
                        let name = self.sym(name);
                        self.value(Value::Attr(left, name))
                    }
                    None => self.unknown(),
                }
            }
            Kind::Call => {
                // The depth counts the links, too, where they hold arguments that are nested in turn.
                let args = match self.syntax.field(n, Field::Arguments) {
                    Some(args) => self.descend(args, |lower| lower.arguments(args)).unwrap_or_default(),
                    None => Vec::new(),
                };
                let mut span = self.span(n);
                span.start = start.unwrap_or(span.start);
                let op = self.emit(What::Call { callee: left, args }, span);
                self.value(Value::Result(op))
            }
            Kind::Subscript => {
                let key = self.subscripts(n);
                self.value(Value::Item(left, key))
            }
            _ => {
                let right = self.role(n, Field::Right);
                let operator =
                    self.syntax.field(n, Field::Operator).map_or(Operator::Other, |token| operator(self.slice(self.span(token))));
                self.value(Value::Binary(operator, left, right))
            }
        }
    }

    /// The value of the child in a role; unknown where there is none.
    pub(super) fn role(&mut self, n: N, field: Field) -> V {
        match self.syntax.field(n, field) {
            Some(child) => self.expression(child),
            None => self.unknown(),
        }
    }

    fn first(&mut self, n: N) -> V {
        match self.syntax.first(n) {
            Some(child) => self.expression(child),
            None => self.unknown(),
        }
    }

    pub(super) fn each(&mut self, n: N) -> Vec<V> {
        let syntax = self.syntax;
        syntax.children(n).map(|child| self.expression(child)).collect()
    }

    fn leaf(&mut self, n: N) -> V {
        match self.kind(n) {
            Kind::Identifier => {
                let name = self.sym(n);
                let span = self.span(n);
                self.facts.facts_mut().uses.push((name, span));
                self.name(name)
            }
            Kind::String | Kind::Concatenated => self.string(n),
            Kind::Integer => {
                let value = literal::integer(self.slice(self.span(n))).map_or(Value::Unknown, Value::Int);
                self.value(value)
            }
            Kind::True => self.value(Value::Bool(true)),
            Kind::False => self.value(Value::Bool(false)),
            Kind::None => self.value(Value::Nil),
            Kind::Float => {
                let number = self.slice(self.span(n)).to_owned();
                let number = self.facts.sym(&number);
                self.value(Value::Float(number))
            }
            Kind::Tuple | Kind::ExpressionList | Kind::PatternList | Kind::TuplePattern => {
                let items = self.each(n);
                self.value(if items.is_empty() { Value::Nil } else { Value::Tuple(items) })
            }
            Kind::List | Kind::ListPattern => {
                let items = self.each(n);
                self.value(Value::List(items))
            }
            Kind::Set => {
                let items = self.each(n);
                self.value(Value::Set(items))
            }
            Kind::Dictionary => self.dictionary(n),
            Kind::ListSplat | Kind::DictionarySplat | Kind::SplatType => {
                let value = self.first(n);
                self.value(Value::Star(value))
            }
            Kind::Boolean => self.boolean(n),
            Kind::Not => {
                let value = self.role(n, Field::Argument);
                self.value(Value::Not(value))
            }
            Kind::Comparison => self.comparison(n),
            Kind::Unary => self.unary(n),
            Kind::Conditional => self.conditional(n),
            Kind::Lambda => self.lambda(n),
            Kind::ListComprehension | Kind::SetComprehension | Kind::DictionaryComprehension | Kind::Generator => {
                self.comprehension(n)
            }
            Kind::Walrus => {
                let value = self.role(n, Field::Value);
                let name = self.role(n, Field::Name);
                self.store(name, value, self.span(n));
                name
            }
            Kind::Yield => self.give(n),
            Kind::AsPattern => self.first(n),
            Kind::GenericType | Kind::UnionType | Kind::ConstrainedType => self.type_form(n),
            Kind::Error => self.broken_expression(n),
            _ => {
                self.each(n);
                self.unknown()
            }
        }
    }

    /// What stands in a faulty stretch: only whole calls are believed.
    fn broken_expression(&mut self, n: N) -> V {
        let syntax = self.syntax;
        for child in syntax.children(n) {
            if matches!(self.kind(child), Kind::Call | Kind::Await | Kind::Error) {
                self.expression(child);
            }
        }
        self.unknown()
    }

    pub(super) fn arguments(&mut self, n: N) -> Vec<Arg> {
        if self.kind(n) == Kind::Generator {
            let value = self.expression(n);
            return vec![Arg { name: None, value, span: self.span(n) }];
        }
        let syntax = self.syntax;
        let mut args = Vec::new();
        for child in syntax.children(n) {
            if self.kind(child) == Kind::Error {
                self.expression(child);
                continue;
            }
            args.push(self.argument(child));
        }
        args
    }

    fn argument(&mut self, n: N) -> Arg {
        let span = self.span(n);
        if self.kind(n) != Kind::KeywordArgument {
            let value = self.expression(n);
            return Arg { name: None, value, span };
        }
        let name = self.syntax.field(n, Field::Name).map(|name| self.sym(name));
        let value = self.role(n, Field::Value);
        Arg { name, value, span }
    }

    fn subscripts(&mut self, n: N) -> V {
        let syntax = self.syntax;
        let mut keys: Vec<V> = Vec::new();
        for key in syntax.fields(n, Field::Subscript).filter(|key| !syntax.kind(*key).is_token()) {
            keys.push(self.expression(key));
        }
        match keys.as_slice() {
            [key] => *key,
            _ => self.value(Value::Tuple(keys)),
        }
    }

    fn dictionary(&mut self, n: N) -> V {
        let syntax = self.syntax;
        let mut pairs = Vec::new();
        for child in syntax.children(n) {
            match self.kind(child) {
                Kind::Pair => pairs.push(self.pair(child)),
                Kind::DictionarySplat => {
                    let key = self.unknown();
                    let value = self.first(child);
                    pairs.push((key, value));
                }
                _ => {
                    self.expression(child);
                }
            }
        }
        self.value(Value::Dict(pairs))
    }

    fn pair(&mut self, n: N) -> (V, V) {
        let key = self.role(n, Field::Key);
        let value = self.role(n, Field::Value);
        (key, value)
    }

    /// `and`, `or`: a left spine. The operations of a right operand run only where the left lets them.
    fn boolean(&mut self, n: N) -> V {
        let mut links = Vec::new();
        let mut at = n;
        while self.kind(at) == Kind::Boolean {
            links.push(at);
            match self.syntax.field(at, Field::Left) {
                Some(left) => at = left,
                None => break,
            }
        }
        let first = self.expression(at);
        let mut operands = vec![first];
        let mut is_and = None;
        // What has been decided so far; joined where a condition is needed.
        let mut so_far = vec![first];
        for link in links.into_iter().rev() {
            let and = self.syntax.field(link, Field::Operator).is_some_and(|token| self.slice(self.span(token)) == "and");
            if is_and.is_some_and(|before| before != and) {
                let value = self.join(!and, std::mem::take(&mut operands));
                operands = vec![value];
                so_far = vec![value];
            }
            is_and = Some(and);
            let (block, right) = self.gather(|lower| lower.role(link, Field::Right));
            if !block.is_empty() {
                let left = self.join(and, std::mem::take(&mut so_far));
                so_far.push(left);
                let cond = if and { left } else { self.value(Value::Not(left)) };
                let span = self.syntax.field(link, Field::Right).map_or(self.span(link), |right| self.span(right));
                self.block.push(Step::If { cond, then: block, other: Block::new(), span });
            }
            operands.push(right);
            so_far.push(right);
        }
        self.join(is_and.unwrap_or(true), operands)
    }

    fn join(&mut self, and: bool, operands: Vec<V>) -> V {
        match operands.as_slice() {
            [one] => *one,
            _ => self.value(if and { Value::And(operands) } else { Value::Or(operands) }),
        }
    }

    fn comparison(&mut self, n: N) -> V {
        let syntax = self.syntax;
        let mut left = None;
        let mut how = Comparison::Less;
        let mut parts = Vec::new();
        for child in syntax.all(n) {
            if self.kind(child).is_token() {
                how = comparison(self.slice(self.span(child)));
                continue;
            }
            let right = self.expression(child);
            if let Some(left) = left {
                parts.push(self.value(Value::Compare(how, left, right)));
            }
            left = Some(right);
        }
        match parts.as_slice() {
            [one] => *one,
            _ => self.value(Value::And(parts)),
        }
    }

    fn unary(&mut self, n: N) -> V {
        let value = self.role(n, Field::Argument);
        let sign = self.syntax.field(n, Field::Operator).map_or("", |token| self.slice(self.span(token)));
        let (minus, plus) = (sign == "-", sign == "+");
        let number = match self.facts.facts().value(value) {
            Value::Int(number) => Some(*number),
            _ => None,
        };
        match number {
            Some(number) if minus => self.value(Value::Int(number.wrapping_neg())),
            _ if plus => value,
            _ if minus => {
                let zero = self.value(Value::Int(0));
                self.value(Value::Binary(Operator::Subtract, zero, value))
            }
            _ => {
                let ones = self.value(Value::Int(-1));
                self.value(Value::Binary(Operator::Other, value, ones))
            }
        }
    }

    fn conditional(&mut self, n: N) -> V {
        let syntax = self.syntax;
        let mut parts = syntax.children(n).filter(|child| syntax.kind(*child) != Kind::Error);
        let (Some(then), Some(cond), Some(other)) = (parts.next(), parts.next(), parts.next()) else {
            self.each(n);
            return self.unknown();
        };
        let cond = self.expression(cond);
        let (on_then, then) = self.gather(|lower| lower.expression(then));
        let (on_other, other) = self.gather(|lower| lower.expression(other));
        if !on_then.is_empty() || !on_other.is_empty() {
            let span = self.span(n);
            self.block.push(Step::If { cond, then: on_then, other: on_other, span });
        }
        self.value(Value::Choice { cond, then, other })
    }

    /// Each clause opens a block that holds the rest; the element stands in the innermost.
    fn comprehension(&mut self, n: N) -> V {
        enum Clause {
            Loop(V, V),
            If(V, Span),
        }
        let syntax = self.syntax;
        let mut open: Vec<(Clause, Block)> = Vec::new();
        for child in syntax.children(n) {
            match self.kind(child) {
                Kind::ForIn => {
                    let mut over: Vec<V> = Vec::new();
                    for right in syntax.fields(child, Field::Right).filter(|right| !syntax.kind(*right).is_token()) {
                        over.push(self.expression(right));
                    }
                    let over = match over.as_slice() {
                        [one] => *one,
                        _ => self.value(Value::Tuple(over)),
                    };
                    let outer = std::mem::take(&mut self.block);
                    let target = self.loop_target(child, over);
                    open.push((Clause::Loop(target, over), outer));
                }
                Kind::IfClause => {
                    let cond = self.first(child);
                    open.push((Clause::If(cond, self.span(child)), std::mem::take(&mut self.block)));
                }
                _ => {}
            }
        }
        let value = match syntax.field(n, Field::Body) {
            Some(body) if self.kind(body) == Kind::Pair => {
                let pair = self.pair(body);
                Value::Dict(vec![pair])
            }
            Some(body) => {
                let element = self.expression(body);
                if self.kind(n) == Kind::SetComprehension { Value::Set(vec![element]) } else { Value::List(vec![element]) }
            }
            None => Value::Unknown,
        };
        for (clause, outer) in open.into_iter().rev() {
            let body = std::mem::replace(&mut self.block, outer);
            self.block.push(match clause {
                Clause::Loop(target, over) => Step::Loop { over: Some((target, over)), cond: None, body, other: Block::new() },
                Clause::If(cond, span) => Step::If { cond, then: body, other: Block::new(), span },
            });
        }
        self.value(value)
    }

    /// Stores an element into the target of a `for`; gives the target.
    pub(super) fn loop_target(&mut self, n: N, over: V) -> V {
        let mut at = self.syntax.field(n, Field::Left).unwrap_or(n);
        while self.kind(at) == Kind::TuplePattern && self.is_group(at) {
            match self.syntax.first(at) {
                Some(inner) => at = inner,
                None => break,
            }
        }
        let target = self.expression(at);
        let value = self.element(over);
        self.store(target, value, self.span(at));
        target
    }

    fn give(&mut self, n: N) -> V {
        self.scope.yields = true;
        let value = self.syntax.first(n).map(|child| self.expression(child));
        let value = match value {
            Some(value) if self.syntax.child(n, Kind::FromToken).is_some() => Some(self.value(Value::Star(value))),
            value => value,
        };
        let op = self.emit(What::Yield(value), self.span(n));
        self.value(Value::Result(op))
    }

    /// A string, f-string, or several in a row: one text, or its pieces.
    fn string(&mut self, n: N) -> V {
        let mut pieces = Vec::new();
        let mut text = String::new();
        if self.kind(n) == Kind::String {
            self.pieces(n, &mut pieces, &mut text);
        } else {
            let syntax = self.syntax;
            for part in syntax.children(n) {
                self.pieces(part, &mut pieces, &mut text);
            }
        }
        if pieces.is_empty() {
            let text = self.facts.sym(&text);
            return self.value(Value::Text(text));
        }
        self.flush(&mut pieces, &mut text);
        self.value(Value::Format(pieces))
    }

    fn flush(&mut self, pieces: &mut Vec<V>, text: &mut String) {
        if !text.is_empty() {
            let sym = self.facts.sym(text);
            pieces.push(self.value(Value::Text(sym)));
            text.clear();
        }
    }

    /// Appends what a literal holds: plain text to `text`, and whenever a value is put in, both to `pieces`.
    fn pieces(&mut self, n: N, pieces: &mut Vec<V>, text: &mut String) {
        let syntax = self.syntax;
        let whole = self.span(n);
        let start =
            syntax.child(n, Kind::StringStart).map_or(Span { start: whole.start, end: whole.start }, |start| self.span(start));
        let opening = self.slice(start);
        let prefix = Prefix::read(opening);
        // Not from the closing node: of `r'\\'` the grammar gives it all that is inside.
        let quote = opening.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let text_end = self.slice(whole).strip_suffix(quote).map_or(whole.end, |inside| whole.start + inside.len() as u32);
        let end = text_end.max(start.end);
        let mut from = start.end;
        for hole in syntax.children(n).filter(|child| syntax.kind(*child) == Kind::Interpolation) {
            let span = self.span(hole);
            literal::decode(self.slice(Span { start: from, end: span.start }), prefix, text);
            from = span.end;
            let Some(inner) = syntax.field(hole, Field::Expression) else { continue };
            if syntax.child(hole, Kind::EqualToken).is_some() {
                text.push_str(self.slice(self.span(inner)));
                text.push('=');
            }
            self.flush(pieces, text);
            // `{x:=10}` is `x` with a format; only `{(x:=10)}` is a walrus.
            let value = if self.kind(inner) == Kind::Walrus { self.role(inner, Field::Name) } else { self.expression(inner) };
            pieces.push(value);
            if let Some(format) = syntax.field(hole, Field::FormatSpecifier) {
                self.format_specifier(format);
            }
        }
        literal::decode(self.slice(Span { start: from, end: end.max(from) }), prefix, text);
    }

    /// A format specifier says how, not what; but calls in it run.
    fn format_specifier(&mut self, n: N) {
        let syntax = self.syntax;
        for hole in syntax.children(n) {
            if let Some(inner) = syntax.field(hole, Field::Expression) {
                self.expression(inner);
                if let Some(format) = syntax.field(hole, Field::FormatSpecifier) {
                    self.descend(format, |lower| lower.format_specifier(format));
                }
            }
        }
    }

    /// Forms that the grammar has for annotations only.
    fn type_form(&mut self, n: N) -> V {
        let mut parts: Vec<N> = self.syntax.children(n).collect();
        let first = match parts.first() {
            Some(first) => self.expression(*first),
            None => return self.unknown(),
        };
        let second = (parts.len() > 1).then(|| parts.remove(1));
        match (self.kind(n), second) {
            (Kind::UnionType, Some(right)) => {
                let right = self.expression(right);
                self.value(Value::Binary(Operator::Other, first, right))
            }
            (Kind::GenericType, Some(arguments)) => {
                let arguments = self.each(arguments);
                let key = match arguments.as_slice() {
                    [one] => *one,
                    _ => self.value(Value::Tuple(arguments)),
                };
                self.value(Value::Item(first, key))
            }
            // `T: Bound`, of a type parameter.
            (_, Some(bound)) => {
                self.expression(bound);
                first
            }
            (_, None) => first,
        }
    }
}

pub(super) fn operator(token: &str) -> Operator {
    match token.strip_suffix('=').unwrap_or(token) {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "//" => Operator::FloorDivide,
        "%" => Operator::Modulo,
        _ => Operator::Other,
    }
}

fn comparison(token: &str) -> Comparison {
    match token {
        "==" => Comparison::Equal,
        "!=" | "<>" => Comparison::NotEqual,
        "is" => Comparison::Is,
        "in" => Comparison::In,
        _ if token.starts_with("not") => Comparison::NotIn,
        _ if token.starts_with("is") => Comparison::IsNot,
        _ if token.starts_with('>') => Comparison::Greater,
        _ => Comparison::Less,
    }
}
