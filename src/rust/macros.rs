//! Macro calls. Their tokens are read as what the macro is known to take, else as arguments, else as statements or items; what
//! stays unread is a gap.

use super::edges;
use super::formats::{self, Part};
use super::grammar::{self, Json, Piece, pieces};
use super::items::Function;
use super::lower::{Dest, Lower};
use crate::facts::{Arg, Arm, Comparison, Mark, Step, V, Value, What, Why};
use crate::text::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Lit, Macro, Stmt};

/// Macros that take a format string and its arguments, with other arguments before it: `std::fmt`, `log`, `tracing`, `anyhow`.
const TEXTS: &[&str] = &[
    "anyhow",
    "bail",
    "debug",
    "debug_span",
    "ensure",
    "eprint",
    "eprintln",
    "error",
    "error_span",
    "event",
    "eyre",
    "format",
    "format_args",
    "format_err",
    "info",
    "info_span",
    "log",
    "panic",
    "print",
    "println",
    "span",
    "todo",
    "trace",
    "trace_span",
    "unimplemented",
    "unreachable",
    "warn",
    "warn_span",
    "write",
    "writeln",
];

/// Macros whose tokens are no code of this program.
const TOKENS: &[&str] =
    &["Token", "asm", "global_asm", "naked_asm", "parse_quote", "parse_quote_spanned", "quote", "quote_spanned", "stringify"];

/// Macros whose functions are tests without an attribute that says so.
const TESTS: &[&str] = &["quickcheck"];

impl Lower {
    /// A macro whose value nobody wants.
    pub fn macro_effect(&mut self, mac: &Macro) {
        self.macro_into(mac, Dest::Drop);
    }

    /// A macro at the end of a block.
    pub fn macro_tail(&mut self, mac: &Macro, dest: Dest) {
        if let Some(value) = self.macro_into(mac, dest) {
            self.deliver(value, dest, whole(mac));
        }
    }

    /// A macro as a value.
    pub fn macro_call(&mut self, mac: &Macro) -> V {
        if !matches!(last(mac).as_str(), "select" | "cfg_if") {
            return self.macro_into(mac, Dest::Drop).unwrap_or_else(|| self.unknown());
        }
        let name = self.fresh();
        match self.macro_into(mac, Dest::Store(name)) {
            Some(value) => value,
            None => self.name(name),
        }
    }

    /// Lowers a macro; its value, unless it has none or its branches brought it to `dest`.
    fn macro_into(&mut self, mac: &Macro, dest: Dest) -> Option<V> {
        let span = whole(mac);
        let name = last(mac);
        let tokens = || mac.tokens.clone();
        match name.as_str() {
            "panic" | "unreachable" | "todo" | "unimplemented" => {
                let value = self.text_call(mac);
                self.push(What::Raise(Some(value)), span);
                return None;
            }
            "bail" => {
                let value = self.text_call(mac);
                self.push(What::Return(Some(value)), span);
                return None;
            }
            "select" => {
                if let Some(races) = grammar::races(tokens()) {
                    self.select(mac, &races, dest);
                    return None;
                }
            }
            "cfg_if" => {
                if let Some(branches) = grammar::branches(tokens()) {
                    self.cfg_if(mac, &branches, dest);
                    return None;
                }
            }
            _ => {}
        }
        Some(self.macro_value(mac, &name))
    }

    fn macro_value(&mut self, mac: &Macro, name: &str) -> V {
        let span = whole(mac);
        let tokens = || mac.tokens.clone();
        if TEXTS.contains(&name) {
            return self.text_call(mac);
        }
        if TOKENS.contains(&name) {
            return self.plain_call(mac, Vec::new());
        }
        match name {
            "vec" => {
                if let Some((value, len)) = grammar::repeat(tokens()) {
                    self.expr(&value);
                    self.expr(&len);
                    return self.buffer();
                }
                if let Some(pieces) = pieces(tokens()) {
                    let values = pieces.iter().map(|piece| self.piece(piece)).collect();
                    return self.value(Value::List(values));
                }
            }
            "concat" => {
                if let Some(pieces) = pieces(tokens()) {
                    let values = pieces.iter().map(|piece| self.piece(piece)).collect();
                    return self.value(Value::Format(values));
                }
            }
            "cfg" => {
                if let Some(pieces) = pieces(tokens()) {
                    let args = pieces.iter().map(|piece| self.mark_arg(piece)).collect();
                    return self.plain_call(mac, args);
                }
            }
            "try" => {
                if let Some(pieces) = pieces(tokens())
                    && let [only] = pieces.as_slice()
                {
                    return self.piece(only);
                }
            }
            "matches" | "assert_matches" | "debug_assert_matches" => {
                if let Some(subject) = grammar::matched(tokens()) {
                    let arg = self.arg(&subject);
                    let value = self.plain_call(mac, vec![arg]);
                    if name != "matches" {
                        self.push(What::Assert(value), span);
                    }
                    return value;
                }
            }
            "assert" | "debug_assert" | "prop_assert" => {
                if let Some(pieces) = pieces(tokens())
                    && let Some((cond, message)) = pieces.split_first()
                {
                    let cond = self.piece(cond);
                    return self.assert(cond, message, span);
                }
            }
            "assert_eq" | "debug_assert_eq" | "prop_assert_eq" | "assert_str_eq" => {
                return self.assert_compare(mac, Comparison::Equal);
            }
            "assert_ne" | "debug_assert_ne" | "prop_assert_ne" | "assert_str_ne" => {
                return self.assert_compare(mac, Comparison::NotEqual);
            }
            "thread_local" | "lazy_static" => {
                if let Some(statics) = grammar::statics(tokens()) {
                    self.statics(mac, &statics);
                    return self.value(Value::Nil);
                }
            }
            "json" => {
                if let Some(json) = grammar::json(tokens()) {
                    let value = self.json(&json);
                    let arg = Arg { name: None, value, span: inside(mac) };
                    return self.plain_call(mac, vec![arg]);
                }
            }
            "proptest" => {
                if let Some(properties) = grammar::properties(tokens()) {
                    self.properties(&properties);
                    return self.value(Value::Nil);
                }
                if let Some((params, body)) = grammar::property_closure(tokens()) {
                    let inside = inside(mac);
                    let value = self.lambda(inside, false, |lower| {
                        lower.params(params.iter().map(|(pat, ty)| (pat, ty.as_ref(), edges::bytes(pat.span()))));
                        lower.effect_in_place(&body);
                    });
                    return self.plain_call(mac, vec![Arg { name: None, value, span: inside }]);
                }
            }
            "with_settings" => {
                if let Some(body) = grammar::settings(tokens()) {
                    let value = self.plain_call(mac, Vec::new());
                    self.effect(&body);
                    return value;
                }
            }
            _ => {}
        }
        self.unknown_macro(mac, name)
    }

    fn unknown_macro(&mut self, mac: &Macro, name: &str) -> V {
        if let Some(pieces) = pieces(mac.tokens.clone()) {
            let args = self.piece_args(&pieces);
            return self.plain_call(mac, args);
        }
        let value = self.plain_call(mac, Vec::new());
        match grammar::statements(mac.tokens.clone()) {
            Some(stmts) if stmts.iter().all(|stmt| matches!(stmt, Stmt::Item(_))) => {
                let around = self.around.len();
                if TESTS.contains(&name) {
                    let test = self.sym("test");
                    let mark = Mark { callee: self.name(test), args: Vec::new(), span: edges::across_path(&mac.path) };
                    self.around.push(mark);
                }
                self.statements(&stmts, Dest::Drop);
                self.around.truncate(around);
            }
            Some(stmts) => {
                let body = self.within(|lower| lower.statements(&stmts, Dest::Drop));
                self.steps.push(Step::Scope(body));
            }
            None => self.builder.gap(whole(mac), Why::Macro),
        }
        value
    }

    /// The call of the macro itself; its last name ends with `!`.
    fn plain_call(&mut self, mac: &Macro, args: Vec<Arg>) -> V {
        let callee = self.macro_name(mac);
        self.call(callee, args, whole(mac))
    }

    fn macro_name(&mut self, mac: &Macro) -> V {
        let mut segments = self.segments(None, &mac.path);
        if let Some(last) = segments.last_mut() {
            let name = format!("{}!", self.builder.facts().name(*last));
            *last = self.builder.sym(&name);
        }
        match segments.as_slice() {
            [one] => self.name(*one),
            _ => self.value(Value::Path(segments)),
        }
    }

    fn piece(&mut self, piece: &Piece) -> V {
        match &piece.value {
            Some(value) => self.expr(value),
            None => self.unknown(),
        }
    }

    fn piece_arg(&mut self, piece: &Piece) -> Arg {
        let value = self.piece(piece);
        let name = piece.name.as_ref().map(|name| self.sym(name));
        Arg { name, value, span: piece.span }
    }

    /// Arguments; `key => value` pairs are one dictionary.
    fn piece_args(&mut self, pieces: &[Piece]) -> Vec<Arg> {
        let mut args = Vec::new();
        let mut pairs = Vec::new();
        let mut held: Option<Span> = None;
        for piece in pieces {
            let arg = self.piece_arg(piece);
            match &piece.to {
                Some(to) => {
                    let to = self.expr(to);
                    pairs.push((arg.value, to));
                    held = Some(edges::join(held.unwrap_or(piece.span), piece.span));
                }
                None => args.push(arg),
            }
        }
        if let Some(span) = held {
            args.push(Arg { name: None, value: self.value(Value::Dict(pairs)), span });
        }
        args
    }

    fn text_call(&mut self, mac: &Macro) -> V {
        let args = match pieces(mac.tokens.clone()) {
            Some(pieces) => self.texts(&pieces),
            None => {
                self.builder.gap(whole(mac), Why::Macro);
                Vec::new()
            }
        };
        self.plain_call(mac, args)
    }

    /// The arguments of a macro with a format string: those before it, then one text of the string and the rest.
    fn texts(&mut self, pieces: &[Piece]) -> Vec<Arg> {
        let is_text = |piece: &Piece| {
            piece.name.is_none()
                && match &piece.value {
                    Some(Expr::Lit(e)) => matches!(e.lit, Lit::Str(_)),
                    Some(Expr::Macro(e)) => matches!(last(&e.mac).as_str(), "concat" | "stringify"),
                    _ => false,
                }
        };
        let at = pieces.iter().position(is_text).unwrap_or(pieces.len());
        let (before, rest) = pieces.split_at(at);
        let mut args: Vec<Arg> = before.iter().map(|piece| self.piece_arg(piece)).collect();
        let Some((text, rest)) = rest.split_first() else { return args };
        let mut end = text.span;
        let mut given = Vec::new();
        let first = match &text.value {
            Some(Expr::Lit(_)) => None,
            _ => Some(self.piece(text)),
        };
        for piece in rest {
            end = piece.span;
            given.push((piece.name.as_deref(), self.piece(piece)));
        }
        let mut joined = Vec::new();
        if let Some(Expr::Lit(syn::ExprLit { lit: Lit::Str(lit), .. })) = &text.value {
            for part in formats::parts(&lit.value()) {
                let value = match part {
                    Part::Literal(text) => self.text(&text),
                    Part::Index(n) => given.get(n).map(|(_, value)| *value).unwrap_or_else(|| self.unknown()),
                    Part::Name(name) => match given.iter().find(|(known, _)| *known == Some(&*name)) {
                        Some((_, value)) => *value,
                        None => {
                            let name = self.sym(&name);
                            self.name(name)
                        }
                    },
                };
                joined.push(value);
            }
        }
        // The holes of a string that is put together cannot be seen.
        if let Some(first) = first {
            joined.push(first);
            joined.extend(given.iter().map(|(_, value)| *value));
        }
        let value = self.value(Value::Format(joined));
        args.push(Arg { name: None, value, span: edges::join(text.span, end) });
        args
    }

    /// The message of an assertion is put together only where it fails.
    fn assert(&mut self, cond: V, message: &[Piece], span: Span) -> V {
        let then = self.within(|lower| {
            lower.texts(message);
        });
        if !then.is_empty() {
            let cond = self.value(Value::Not(cond));
            self.steps.push(Step::If { cond, then, other: Vec::new(), span });
        }
        self.push(What::Assert(cond), span);
        self.value(Value::Nil)
    }

    fn assert_compare(&mut self, mac: &Macro, comparison: Comparison) -> V {
        let pieces = pieces(mac.tokens.clone()).unwrap_or_default();
        let [left, right, message @ ..] = pieces.as_slice() else {
            self.builder.gap(whole(mac), Why::Macro);
            return self.plain_call(mac, Vec::new());
        };
        let left = self.piece(left);
        let right = self.piece(right);
        let cond = self.value(Value::Compare(comparison, left, right));
        self.assert(cond, message, whole(mac))
    }

    /// A static that is made on first use: the macro called with what makes it.
    fn statics(&mut self, mac: &Macro, statics: &[grammar::Static]) {
        for each in statics {
            let name = self.ident(&each.ident);
            let ty = self.ty(&each.ty);
            let span = edges::expr(&each.init);
            let made = self.lambda(span, false, |lower| lower.tail(&each.init, Dest::Return));
            let callee = self.macro_name(mac);
            let value = self.call(callee, vec![Arg { name: None, value: made, span }], each.span);
            let to = self.name(name);
            self.push(What::Store { to, value, ty: Some(ty) }, each.span);
        }
    }

    fn properties(&mut self, properties: &[grammar::Property]) {
        for each in properties {
            let marks = self.marks(&each.attrs);
            let function = Function {
                ident: &each.ident,
                marks,
                class: None,
                receiver: None,
                is_async: each.asyncness,
                output: &each.output,
                block: &each.block,
                span: each.span,
                signature: Span::default(),
            };
            self.function(function, |lower| {
                lower.params(each.params.iter().map(|(pat, ty)| (pat, ty.as_ref(), edges::bytes(pat.span()))));
            });
        }
    }

    /// All futures are polled; one arm is taken.
    fn select(&mut self, mac: &Macro, races: &[grammar::Race], dest: Dest) {
        let mut args = Vec::new();
        let mut subjects = Vec::new();
        for race in races {
            let arg = race.ready.as_ref().map(|(_, future)| self.arg(future));
            subjects.push(arg.as_ref().map(|arg| arg.value));
            args.extend(arg);
        }
        let subject = self.plain_call(mac, args);
        let mut arms = Vec::new();
        for (race, future) in races.iter().zip(subjects) {
            let mut pattern = None;
            let mut guard = None;
            let body = self.within(|lower| {
                if let (Some((pat, _)), Some(future)) = (&race.ready, future) {
                    pattern = lower.constructor(pat);
                    lower.bind(pat, future);
                }
                guard = race.guard.as_ref().map(|guard| lower.expr(guard));
                match &race.body {
                    Expr::Block(body) if body.label.is_none() => lower.block(&body.block, dest),
                    body => lower.tail(body, dest),
                }
            });
            arms.push(Arm { pattern, guard, body, span: race.span });
        }
        self.steps.push(Step::Match { subject, arms });
    }

    /// Every branch is lowered; its items carry its condition.
    fn cfg_if(&mut self, mac: &Macro, branches: &[grammar::Branch], dest: Dest) {
        for branch in branches {
            let Some(stmts) = grammar::statements(branch.body.clone()) else {
                self.builder.gap(whole(mac), Why::Macro);
                continue;
            };
            let around = self.around.len();
            if let Some(cfg) = &branch.cfg {
                let mark = self.mark(cfg);
                self.around.push(mark);
            }
            self.statements(&stmts, dest);
            self.around.truncate(around);
        }
    }

    fn json(&mut self, json: &Json) -> V {
        match json {
            Json::Null => self.value(Value::Nil),
            Json::Value(expr) => self.expr(expr),
            Json::Array(values) => {
                let values = values.iter().map(|value| self.json(value)).collect();
                self.value(Value::List(values))
            }
            Json::Object(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| (self.json(key), self.json(value))).collect();
                self.value(Value::Dict(pairs))
            }
        }
    }
}

/// The last name of a macro's path.
fn last(mac: &Macro) -> String {
    mac.path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default()
}

fn whole(mac: &Macro) -> Span {
    edges::join(edges::across_path(&mac.path), edges::bytes(mac.delimiter.span().close()))
}

fn inside(mac: &Macro) -> Span {
    edges::across(mac.delimiter.span().open(), mac.delimiter.span().close())
}
