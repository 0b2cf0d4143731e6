//! The vocabulary: what a file does, before anyone knows what its calls mean.
//!
//! A front end lowers one source to [`FileFacts`]: operations in evaluation order, in the blocks that hold them, over an arena
//! of symbolic values. Facts hold no file id and no library knowledge, so they depend on the file's bytes alone; `link` joins
//! them, looks calls up in the tables and turns them into effects.

mod ignore;
pub mod marks;
pub mod run;
mod show;
pub mod trace;

pub use ignore::{Ignore, IgnoreScope, joined_lines};
pub use show::show;

use crate::text::{FileId, Span};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// An index into [`FileFacts::names`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Sym(pub u32);

/// An index into [`FileFacts::values`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct V(pub u32);

/// An index into [`FileFacts::ops`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct OpId(pub u32);

impl OpId {
    /// The place of a value that is read where no operation stands: in the condition of a branch.
    pub fn reading(v: V) -> OpId {
        OpId(v.0 | READING)
    }

    /// The value that is read, where this is no operation.
    pub fn read(self) -> Option<V> {
        (self.0 & READING != 0 && self.0 != u32::MAX).then_some(V(self.0 & !READING))
    }
}

/// Marks the id of a value among those of operations.
const READING: u32 = 1 << 31;

/// An operation in a file of the project.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Site {
    pub file: FileId,
    pub op: OpId,
}

/// An index into [`FileFacts::units`]. Unit 0 is the module body of the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct UnitId(pub u32);

/// An index into [`FileFacts::classes`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ClassId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    Python,
    Rust,
}

/// Everything one file says, in its own arenas.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FileFacts {
    pub language: Language,
    pub names: Vec<Box<str>>,
    pub values: Vec<Value>,
    /// By value: the bytes it is written on, receiver and arguments included; empty for a Python name and for what no one wrote.
    pub spans: Vec<Span>,
    /// Where names of variables, functions and modules are written, in the order of the source.
    pub uses: Vec<(Sym, Span)>,
    /// In the order of the source.
    pub statements: Vec<Statement>,
    pub ops: Vec<Op>,
    pub units: Vec<Unit>,
    pub classes: Vec<Class>,
    pub imports: Vec<Import>,
    pub ignores: Vec<Ignore>,
    pub gaps: Vec<Gap>,
}

/// A symbolic value: an expression whose calls have been taken out as operations.
///
/// Wrappers that do not change which thing is meant are dropped by the front end: parentheses, `await`, `&x`, `*x`, `x?`,
/// `x as T`, the walrus (a store, then the name).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Value {
    /// A string, bytes or character literal, decoded.
    Text(Sym),
    Int(i64),
    /// A decimal number, as it is written.
    Float(Sym),
    Bool(bool),
    /// `None`, `()`.
    Nil,
    /// A plain name; `link` decides whether it is a parameter, a local, a module's, an import or a builtin. `self` too.
    Name(Sym),
    /// A Rust path of two or more segments, generics dropped: `std::fs::write`, `Self::new`, `crate::a::B`.
    Path(Vec<Sym>),
    /// `a.b`: an attribute, a field, or the method part of a method call.
    Attr(V, Sym),
    /// `a[b]`.
    Item(V, V),
    /// What an operation gives: a call's result, a yield's received value.
    Result(OpId),
    /// Pieces joined to one text: f-strings, `format!`, `concat!`, implicit concatenation. Literal pieces are [`Value::Text`].
    Format(Vec<V>),
    Binary(Operator, V, V),
    Not(V),
    And(Vec<V>),
    Or(Vec<V>),
    Compare(Comparison, V, V),
    /// Lists, arrays, `vec![]`.
    List(Vec<V>),
    Tuple(Vec<V>),
    Set(Vec<V>),
    /// Pairs of key and value; a `**other` entry has the key [`Value::Unknown`].
    Dict(Vec<(V, V)>),
    /// `then if cond else other`; the calls of both arms stand in the blocks of a [`Step::If`] before.
    Choice {
        cond: V,
        then: V,
        other: V,
    },
    /// A lambda, closure or comprehension body: a unit of its own.
    Closure(UnitId),
    /// `*args` or `**kwargs` in a call or display.
    Star(V),
    /// A Rust struct literal `T { a: 1, ..rest }`.
    Record {
        ty: V,
        fields: Vec<(Sym, V)>,
    },
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    /// `/`: division, and the join of `pathlib`.
    Divide,
    FloorDivide,
    /// `%`: remainder, and Python's text formatting.
    Modulo,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Comparison {
    Equal,
    NotEqual,
    Is,
    IsNot,
    In,
    NotIn,
    /// `<`, `<=`.
    Less,
    /// `>`, `>=`.
    Greater,
}

/// One operation, and the bytes it stands on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Op {
    pub what: What,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum What {
    /// A call of a function, method (`callee` is [`Value::Attr`]), class or macro (its last name ends with `!`: `format!`).
    Call {
        callee: V,
        args: Vec<Arg>,
    },
    /// An assignment, a `let`, a constant, a loop or `with` target. `to` is a name, attribute, item, tuple or list. An augmented
    /// assignment stores a [`Value::Binary`] of the old and the new.
    Store {
        to: V,
        value: V,
        ty: Option<V>,
    },
    Delete(V),
    /// An index into [`FileFacts::imports`].
    Import(u32),
    /// `return`, and the last expression of a Rust body.
    Return(Option<V>),
    Yield(Option<V>),
    Raise(Option<V>),
    /// Python's `await`; the value of the expression is what is awaited.
    Await(V),
    /// `assert`, `assert!`; calls inside stand before it.
    Assert(V),
    Break,
    Continue,
    /// A nested function or method is bound to its name here.
    Define(UnitId),
    DefineClass(ClassId),
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Arg {
    pub name: Option<Sym>,
    pub value: V,
    pub span: Span,
}

pub type Block = Vec<Step>;

/// A step of a block. Regions are nested blocks, so order, handlers, conditions and guards are read off the tree.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Step {
    Op(OpId),
    If {
        cond: V,
        then: Block,
        other: Block,
        span: Span,
    },
    /// `for` (with `over`: target and what is iterated; the target's store is the first operation of the body), `while`, `loop`,
    /// comprehensions.
    Loop {
        over: Option<(V, V)>,
        cond: Option<V>,
        body: Block,
        other: Block,
    },
    Try {
        body: Block,
        handlers: Vec<Handler>,
        other: Block,
        last: Block,
    },
    With {
        items: Vec<WithItem>,
        body: Block,
        span: Span,
    },
    /// A Rust block: what is declared in it is dropped at its end.
    Scope(Block),
    /// `match` and `if let`: one arm is taken. The stores that a pattern makes are the first operations of the arm's body.
    Match {
        subject: V,
        arms: Vec<Arm>,
    },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Handler {
    /// The exception types caught; empty for a bare `except:`.
    pub catches: Vec<V>,
    /// The bytes that name them, parentheses included.
    pub types: Span,
    pub body: Block,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WithItem {
    pub context: V,
    /// A name, attribute or tuple bound by `as`.
    pub target: Option<V>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Arm {
    /// The constructor that the pattern names (`Ok`, `Err`, `Some`, `None`, `io::ErrorKind::NotFound`), where it names one.
    pub pattern: Option<Vec<Sym>>,
    pub guard: Option<V>,
    pub body: Block,
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The file's body (unit 0) or a Rust inline module.
    Module,
    ClassBody,
    Function,
    /// Takes its receiver as first parameter.
    Method,
    ClassMethod,
    StaticMethod,
    Property,
    /// Lambda, closure, comprehension, `async` block.
    Closure,
}

/// A stretch of code that runs as one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// Empty for the file's module body and for closures.
    pub name: Sym,
    pub shape: Shape,
    /// For methods and class bodies: the class (for Rust: the `impl`).
    pub class: Option<ClassId>,
    /// The unit whose text holds this one; none for unit 0.
    pub parent: Option<UnitId>,
    /// The receiver is the first parameter of a method.
    pub params: Vec<Param>,
    /// The annotated result type.
    pub returns: Option<V>,
    /// Decorators and attributes, outermost first. Inner attributes (`#![…]`) are marks of the module.
    pub marks: Vec<Mark>,
    /// Names declared `global` (or `nonlocal`).
    pub globals: Vec<Sym>,
    pub is_async: bool,
    /// Holds a `yield` of its own.
    pub yields: bool,
    pub body: Block,
    /// The whole definition, decorators included.
    pub span: Span,
    /// The name; for a module the empty span at its start.
    pub head: Span,
    /// The list of parameters with its parentheses; empty where there is none.
    pub signature: Span,
    /// What stands in it: the statements in Python, the block with its braces in Rust.
    pub inner: Span,
}

impl Unit {
    /// A unit of which nothing but its kind and place is known yet. Its head is the empty span at its start.
    pub fn new(name: Sym, shape: Shape, span: Span) -> Self {
        Unit {
            name,
            shape,
            class: None,
            parent: None,
            params: Vec::new(),
            returns: None,
            marks: Vec::new(),
            globals: Vec::new(),
            is_async: false,
            yields: false,
            body: Block::new(),
            span,
            head: Span { start: span.start, end: span.start },
            signature: Span::default(),
            inner: Span::default(),
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Param {
    pub name: Sym,
    pub ty: Option<V>,
    pub default: Option<V>,
    pub kind: ParamKind,
    /// Attributes of a Rust parameter: `#[case]`, `#[default(…)]`.
    pub marks: Vec<Mark>,
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParamKind {
    Plain,
    KeywordOnly,
    /// `*args`.
    Rest,
    /// `**kwargs`.
    Keywords,
}

/// A decorator or attribute: `@pytest.mark.skip("x")`, `#[tokio::test(flavor = "…")]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// [`Value::Name`], [`Value::Attr`] or [`Value::Path`]; not a call.
    pub callee: V,
    /// Arguments where it is called or holds a list. A Rust `name = "text"` is a named argument; a nested path is a value.
    pub args: Vec<Arg>,
    pub span: Span,
}

/// A Python class, a Rust `struct`, `enum` or `trait`, or one Rust `impl` block.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Class {
    pub name: Sym,
    /// Base classes in order; for an `impl`, the trait.
    pub bases: Vec<V>,
    /// `metaclass=` of a Python class.
    pub metaclass: Option<V>,
    /// For a Rust `impl`: the type it is for.
    pub extends: Option<V>,
    pub marks: Vec<Mark>,
    /// Declared fields and their types (dataclass and struct fields).
    pub fields: Vec<(Sym, Option<V>)>,
    /// The unit whose text holds the class.
    pub parent: UnitId,
    /// The unit of the class body, where there is one.
    pub body: Option<UnitId>,
    pub span: Span,
    pub head: Span,
}

/// One bound name of an `import`, `from … import`, `use`, `extern crate` or `mod name;`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Import {
    /// The module named; `import a.b` has `[a, b]`, `from ..x import y` has `[x]`, `use std::fs::File` has `[std, fs]`.
    pub module: Vec<Sym>,
    /// Leading dots of a relative Python import.
    pub up: u32,
    /// What is taken out of the module; none where the module itself is bound.
    pub name: Option<Sym>,
    /// The local name. `import a.b` binds `a`.
    pub bound: Option<Sym>,
    pub star: bool,
    /// Rust `mod name;`: the file of a child module, with the text of a `#[path]` attribute.
    pub child: Option<Child>,
    /// A Rust `pub use`: visible from outside.
    pub public: bool,
    pub span: Span,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Child {
    pub path: Option<Sym>,
}

/// A statement as it is written: what an edit of whole lines goes by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Statement {
    /// Without indentation and line end; a Rust statement with its semicolon.
    pub span: Span,
    /// The blocks of a compound one in order: from the first to the last statement in Python, with the braces in Rust.
    pub blocks: Vec<Span>,
}

/// Something a front end could not read. Never a failure: what is sound around it is lowered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Gap {
    pub span: Span,
    pub why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Does not parse.
    Syntax,
    /// A macro whose body is not understood.
    Macro,
    /// Nested too deep to read.
    Depth,
    /// Too large, or over its time.
    Size,
    /// Not text, or in an encoding that is not known.
    Encoding,
    /// Could not be opened or read.
    Unreadable,
}

impl FileFacts {
    pub fn name(&self, sym: Sym) -> &str {
        self.names.get(sym.0 as usize).map_or("", |name| name)
    }

    pub fn value(&self, v: V) -> &Value {
        self.values.get(v.0 as usize).unwrap_or(&Value::Unknown)
    }

    pub fn op(&self, op: OpId) -> &Op {
        &self.ops[op.0 as usize]
    }

    pub fn unit(&self, unit: UnitId) -> &Unit {
        &self.units[unit.0 as usize]
    }

    pub fn class(&self, class: ClassId) -> &Class {
        &self.classes[class.0 as usize]
    }

    /// The bytes that a value is written on; empty for a Python name and for what no one wrote.
    pub fn written(&self, v: V) -> Span {
        self.spans.get(v.0 as usize).copied().unwrap_or_default()
    }

    /// The bytes of an operation, or of a value that is read without one; empty for what does not stand in this file.
    pub fn span(&self, op: OpId) -> Span {
        match op.read() {
            Some(v) => self.written(v),
            None => self.ops.get(op.0 as usize).map_or(Span::default(), |op| op.span),
        }
    }

    /// The innermost statement around some bytes.
    pub fn statement_at(&self, span: Span) -> Option<&Statement> {
        let around = self.statements.iter().filter(|statement| statement.span.contains(span));
        around.min_by_key(|statement| statement.span.end - statement.span.start)
    }

    /// The last name of what is called: `c` of `a.b.c` and of `a::b::c`.
    pub fn last_name(&self, callee: V) -> Option<&str> {
        match self.value(callee) {
            Value::Name(name) | Value::Attr(_, name) => Some(self.name(*name)),
            Value::Path(path) => path.last().map(|name| self.name(*name)),
            _ => None,
        }
    }

    /// The receiver of the method that is written here.
    pub fn is_self(&self, v: V) -> bool {
        matches!(self.value(v), Value::Name(name) if self.name(*name) == "self")
    }

    /// The field of `self.field`.
    pub fn own_field(&self, v: V) -> Option<&str> {
        match self.value(v) {
            Value::Attr(base, name) if self.is_self(*base) => Some(self.name(*name)),
            _ => None,
        }
    }

    /// The dotted text of a name, attribute chain or path: `a.b.c` in Python, `a::b` in Rust; none for anything else.
    pub fn dotted(&self, v: V) -> Option<String> {
        match self.value(v) {
            Value::Name(name) => Some(self.name(*name).to_owned()),
            Value::Path(segments) => Some(segments.iter().map(|s| self.name(*s)).collect::<Vec<_>>().join("::")),
            Value::Attr(base, name) => {
                let mut text = self.dotted(*base)?;
                text.push('.');
                text.push_str(self.name(*name));
                Some(text)
            }
            _ => None,
        }
    }
}

/// Fills a [`FileFacts`]; used by front ends only.
pub struct Builder {
    facts: FileFacts,
    known: HashMap<Box<str>, Sym>,
}

impl Builder {
    pub fn new(language: Language) -> Self {
        let facts = FileFacts {
            language,
            names: Vec::new(),
            values: Vec::new(),
            spans: Vec::new(),
            uses: Vec::new(),
            statements: Vec::new(),
            ops: Vec::new(),
            units: Vec::new(),
            classes: Vec::new(),
            imports: Vec::new(),
            ignores: Vec::new(),
            gaps: Vec::new(),
        };
        Builder { facts, known: HashMap::new() }
    }

    /// A builder that already holds unit 0, an empty module body.
    pub fn with_module(language: Language) -> Self {
        let mut builder = Builder::new(language);
        let name = builder.sym("");
        builder.unit(Unit::new(name, Shape::Module, Span::default()));
        builder
    }

    pub fn sym(&mut self, name: &str) -> Sym {
        if let Some(sym) = self.known.get(name) {
            return *sym;
        }
        let sym = Sym(self.facts.names.len() as u32);
        self.facts.names.push(name.into());
        self.known.insert(name.into(), sym);
        sym
    }

    pub fn value(&mut self, value: Value) -> V {
        self.facts.values.push(value);
        self.facts.spans.push(Span::default());
        V(self.facts.values.len() as u32 - 1)
    }

    /// Says where a value is written, where that is not said yet. A Python name is one value, wherever it stands.
    pub fn place(&mut self, v: V, span: Span) {
        let named = self.facts.language == Language::Python && matches!(self.facts.value(v), Value::Name(_));
        if let Some(known) = self.facts.spans.get_mut(v.0 as usize).filter(|known| !named && **known == Span::default()) {
            *known = span;
        }
    }

    /// Adds an operation; the caller puts its step into a block.
    pub fn op(&mut self, what: What, span: Span) -> OpId {
        self.facts.ops.push(Op { what, span });
        OpId(self.facts.ops.len() as u32 - 1)
    }

    /// Reserves a unit, to be filled by writing to [`Builder::facts_mut`].
    pub fn unit(&mut self, unit: Unit) -> UnitId {
        self.facts.units.push(unit);
        UnitId(self.facts.units.len() as u32 - 1)
    }

    pub fn class(&mut self, class: Class) -> ClassId {
        self.facts.classes.push(class);
        ClassId(self.facts.classes.len() as u32 - 1)
    }

    pub fn import(&mut self, import: Import) -> u32 {
        self.facts.imports.push(import);
        self.facts.imports.len() as u32 - 1
    }

    pub fn gap(&mut self, span: Span, why: Why) {
        self.facts.gaps.push(Gap { span, why });
    }

    pub fn facts(&self) -> &FileFacts {
        &self.facts
    }

    pub fn facts_mut(&mut self) -> &mut FileFacts {
        &mut self.facts
    }

    pub fn finish(mut self) -> FileFacts {
        self.facts.uses.sort_by_key(|(_, span)| span.start);
        self.facts.statements.sort_by_key(|statement| (statement.span.start, std::cmp::Reverse(statement.span.end)));
        self.facts
    }
}
