//! What Python code says about the running of tests: nox sessions, scripts that start test commands, and functions that count
//! workers. Evaluated on the facts of single files, before anything is linked: `conf` reads the commands that come out.

use crate::calls::{self, Gives, Sees};
use crate::facts::trace::{Call, Count, Cpu, Hook, Link, Part, Piece, Programs, Session, Word};
use crate::facts::{Arg, Block, Comparison, FileFacts, Language, OpId, Operator, Step, Sym, Unit, UnitId, V, Value, What};
use crate::text::{FileId, Source, Span};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Steps evaluated in one program: loops of calls end here.
const FUEL: u32 = 20_000;
/// Functions inside each other.
const DEEPEST: u32 = 6;
/// Words of one command, items of one list.
const WORDS: usize = 256;
/// The name under which `conf` finds what a caller adds.
const ARGS: &str = "posargs";

/// Reads all Python files that hold such programs.
pub fn programs(sources: &[Source], facts: &[Arc<FileFacts>]) -> Programs {
    let files = Files {
        facts,
        paths: sources.iter().enumerate().map(|(n, source)| (&*source.path, FileId(n as u32))).collect(),
        sources,
    };
    let mut found = Programs::default();
    for (n, source) in sources.iter().enumerate() {
        let file = FileId(n as u32);
        let one = &facts[n];
        if one.language != Language::Python || !source.path.ends_with(".py") {
            continue;
        }
        let name = source.path.rsplit('/').next().unwrap_or("");
        let has = |name: &str| one.names.iter().any(|known| &**known == name);
        match name {
            "noxfile.py" => files.sessions(file, &mut found.sessions),
            "conftest.py" => files.hooks(file, &mut found.hooks),
            _ if has("__main__") && (has("subprocess") || has("pytest") || has("system")) => {
                files.script(file, &mut found.sessions)
            }
            _ => {}
        }
    }
    found
}

struct Files<'a> {
    facts: &'a [Arc<FileFacts>],
    paths: BTreeMap<&'a str, FileId>,
    sources: &'a [Source],
}

/// A value, as far as the words of a command need it.
#[derive(Clone, PartialEq, Debug)]
enum Known {
    Text(Vec<Piece>),
    /// An environment variable, and what stands for it where it is not set.
    Variable(String, Option<Box<Known>>),
    Count(Count, Vec<Link>),
    List(Vec<(Known, Span)>),
    /// What the caller adds; where that is nothing, these words.
    Args(String),
    Nil,
    Bool(bool),
    /// A dotted name from outside the program: `os.environ`.
    External(String),
    Function(FileId, UnitId),
    /// The session that nox hands in.
    Session,
    /// The operating system's name.
    System,
    Dict(Vec<(String, Option<String>)>),
    Unknown,
}

/// What a condition comes to.
#[derive(Clone, PartialEq, Debug)]
enum Cond {
    Yes,
    No,
    Set(String),
    Unset(String),
    Open,
}

impl Cond {
    fn not(self) -> Cond {
        match self {
            Cond::Yes => Cond::No,
            Cond::No => Cond::Yes,
            Cond::Set(name) => Cond::Unset(name),
            Cond::Unset(name) => Cond::Set(name),
            Cond::Open => Cond::Open,
        }
    }
}

impl Files<'_> {
    fn sessions(&self, file: FileId, out: &mut Vec<Session>) {
        let facts = &*self.facts[file.0 as usize];
        let mut run = Run::new(self, file);
        let defaults = run.default_sessions();
        for (n, unit) in facts.units.iter().enumerate() {
            let Some(mark) = unit
                .marks
                .iter()
                .find(|mark| facts.dotted(mark.callee).is_some_and(|name| name == "session" || name.ends_with(".session")))
            else {
                continue;
            };
            let text = |wanted: &str| {
                mark.args
                    .iter()
                    .find(|arg| arg.name.is_some_and(|name| facts.name(name) == wanted))
                    .map(|arg| facts.value(arg.value))
            };
            let name = match text("name") {
                Some(Value::Text(name)) => facts.name(*name).to_owned(),
                _ => facts.name(unit.name).to_owned(),
            };
            let default = match (&defaults, text("default")) {
                (Some(names), _) => names.contains(&name),
                (None, Some(Value::Bool(default))) => *default,
                (None, _) => true,
            };
            let mut run = Run::new(self, file);
            run.call_unit(file, UnitId(n as u32), &[Known::Session]);
            out.push(Session { name, file, place: (file, unit.head), default, calls: run.calls, needs: run.needs });
        }
    }

    fn script(&self, file: FileId, out: &mut Vec<Session>) {
        let facts = &*self.facts[file.0 as usize];
        let mut run = Run::new(self, file);
        let Some(module) = facts.units.first() else { return };
        run.flow(&module.body);
        if !run.calls.is_empty() {
            let place = (file, Span::default());
            out.push(Session { name: String::new(), file, place, default: true, calls: run.calls, needs: Vec::new() });
        }
    }

    fn hooks(&self, file: FileId, out: &mut Vec<Hook>) {
        let facts = &*self.facts[file.0 as usize];
        let Some(n) = facts.units.iter().position(|unit| facts.name(unit.name) == "pytest_xdist_auto_num_workers") else {
            return;
        };
        let mut run = Run::new(self, file);
        let given = run.call_unit(file, UnitId(n as u32), &[]);
        // A hook that gives nothing leaves it to the next.
        let (count, chain) = if given == Known::Nil { return } else { given.count() };
        let path = &*self.sources[file.0 as usize].path;
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned();
        let mut chain = chain;
        let place = (file, facts.units[n].head);
        if chain.first().is_none_or(|link| link.place != place) {
            chain.insert(0, Link { what: Part::Function, text: "pytest_xdist_auto_num_workers".to_owned(), place });
        }
        out.push(Hook { dir, file, count, chain });
    }

    /// The file that a module's name means, seen from a file.
    fn module(&self, from: FileId, module: &str, up: u32) -> Option<FileId> {
        let path = module.replace('.', "/");
        let mut dir: &str = &self.sources[from.0 as usize].path;
        for _ in 0..up.max(1) {
            dir = dir.rsplit_once('/').map_or("", |(dir, _)| dir);
        }
        let roots = if up > 0 { vec![dir] } else { vec![dir, "", "src"] };
        roots.into_iter().find_map(|root| {
            let base = if root.is_empty() { path.clone() } else { format!("{root}/{path}") };
            let file = self.paths.get(format!("{base}.py").as_str());
            file.or_else(|| self.paths.get(format!("{base}/__init__.py").as_str())).copied()
        })
    }
}

#[derive(Clone, Default)]
struct State {
    vars: HashMap<Sym, Known>,
    results: HashMap<OpId, Known>,
}

struct Run<'a> {
    files: &'a Files<'a>,
    file: FileId,
    facts: &'a FileFacts,
    state: State,
    calls: Vec<Call>,
    needs: Vec<String>,
    fuel: u32,
    depth: u32,
    /// Returned on some way, under a condition.
    pending: Vec<(Cond, Known)>,
}

impl<'a> Run<'a> {
    fn new(files: &'a Files<'a>, file: FileId) -> Run<'a> {
        Run {
            files,
            file,
            facts: &files.facts[file.0 as usize],
            state: State::default(),
            calls: Vec::new(),
            needs: Vec::new(),
            fuel: FUEL,
            depth: 0,
            pending: Vec::new(),
        }
    }

    /// `nox.options.sessions = [...]`
    fn default_sessions(&mut self) -> Option<Vec<String>> {
        let facts = self.facts;
        facts.ops.iter().find_map(|op| match &op.what {
            What::Store { to, value, .. } if facts.dotted(*to).is_some_and(|name| name.ends_with("options.sessions")) => {
                let (Value::List(items) | Value::Tuple(items) | Value::Set(items)) = facts.value(*value) else { return None };
                items
                    .iter()
                    .map(|item| match facts.value(*item) {
                        Value::Text(name) => Some(facts.name(*name).to_owned()),
                        _ => None,
                    })
                    .collect()
            }
            _ => None,
        })
    }

    /// Runs a function of the project with these arguments.
    fn call_unit(&mut self, file: FileId, unit: UnitId, args: &[Known]) -> Known {
        if self.depth >= DEEPEST || self.fuel == 0 {
            return Known::Unknown;
        }
        let facts: &'a FileFacts = &self.files.facts[file.0 as usize];
        let data: &'a Unit = facts.unit(unit);
        let outer = (self.file, self.facts, std::mem::take(&mut self.state), std::mem::take(&mut self.pending));
        self.file = file;
        self.facts = facts;
        self.depth += 1;
        for (n, param) in data.params.iter().enumerate() {
            let given = args.get(n).cloned();
            let value = given.unwrap_or_else(|| param.default.map_or(Known::Unknown, |default| self.value(default)));
            self.state.vars.insert(param.name, value);
        }
        let last = self.flow(&data.body).unwrap_or(Known::Nil);
        let given =
            std::mem::take(&mut self.pending).into_iter().rev().fold(last, |rest, (cond, value)| choose(&cond, value, rest));
        self.depth -= 1;
        (self.file, self.facts, self.state, self.pending) = outer;
        // The function's name stands before what it came to.
        match given {
            Known::Count(count, mut links) => {
                let text = facts.name(data.name).to_owned();
                links.insert(0, Link { what: Part::Function, text, place: (file, data.head) });
                links.truncate(6);
                Known::Count(count, links)
            }
            other => other,
        }
    }

    /// Runs a block; what it returns, where it surely does.
    fn flow(&mut self, block: &'a Block) -> Option<Known> {
        for step in block {
            if self.fuel == 0 {
                return None;
            }
            self.fuel -= 1;
            match step {
                Step::Op(op) => {
                    if let Some(value) = self.operation(*op) {
                        return Some(value);
                    }
                }
                Step::If { cond, then, other, .. } => {
                    let cond = self.cond(*cond);
                    match cond {
                        Cond::Yes => {
                            if let Some(value) = self.flow(then) {
                                return Some(value);
                            }
                        }
                        Cond::No => {
                            if let Some(value) = self.flow(other) {
                                return Some(value);
                            }
                        }
                        cond => {
                            let before = self.state.clone();
                            let yes = self.flow(then);
                            let after = std::mem::replace(&mut self.state, before);
                            match (yes, self.flow(other)) {
                                (Some(a), Some(b)) => return Some(choose(&cond, a, b)),
                                (Some(a), None) => self.pending.push((cond, a)),
                                (None, Some(b)) => {
                                    self.pending.push((cond.not(), b));
                                    self.state = after;
                                }
                                (None, None) => {
                                    let other = std::mem::take(&mut self.state);
                                    self.state = merged(&cond, after, other);
                                }
                            }
                        }
                    }
                }
                Step::Loop { body, other, .. } => {
                    self.flow(body);
                    self.flow(other);
                }
                Step::Try { body, handlers, other, last } => {
                    let before = self.state.clone();
                    let mut value = self.flow(body);
                    for handler in handlers {
                        let after = std::mem::replace(&mut self.state, before.clone());
                        let given = self.flow(&handler.body);
                        let handled = std::mem::replace(&mut self.state, after);
                        // A value that could not be made is what the handler says.
                        value = value.map(|value| match &given {
                            Some(given) => value.or_else(given),
                            None => value,
                        });
                        for (name, known) in &mut self.state.vars {
                            if let Some(other) = handled.vars.get(name).filter(|other| *other != known) {
                                *known = known.clone().or_else(other);
                            }
                        }
                    }
                    self.flow(other);
                    self.flow(last);
                    if value.is_some() {
                        return value;
                    }
                }
                Step::With { body, .. } | Step::Scope(body) => {
                    if let Some(value) = self.flow(body) {
                        return Some(value);
                    }
                }
                Step::Match { arms, .. } => {
                    for arm in arms {
                        self.flow(&arm.body);
                    }
                }
            }
        }
        None
    }

    /// One operation; the value of a `return`.
    fn operation(&mut self, id: OpId) -> Option<Known> {
        let op = self.facts.op(id);
        match &op.what {
            What::Call { callee, args } => {
                let value = self.call(*callee, args, op.span);
                self.state.results.insert(id, value);
            }
            What::Store { to, value, .. } => {
                let known = self.value(*value);
                match self.facts.value(*to) {
                    Value::Name(name) => drop(self.state.vars.insert(*name, known)),
                    Value::Item(base, key) => {
                        // `env["NAME"] = "x"`
                        if let (Value::Name(name), Some(key)) = (self.facts.value(*base), self.text_of(*key))
                            && let Some(Known::Dict(pairs)) = self.state.vars.get_mut(name)
                        {
                            pairs.push((key, known.plain()));
                        }
                    }
                    _ => {}
                }
            }
            What::Return(value) => {
                let value = value.map_or(Known::Nil, |value| self.value(value));
                return Some(value);
            }
            What::Raise(_) => return Some(Known::Unknown),
            _ => {}
        }
        None
    }

    fn source(&self, span: Span) -> String {
        self.files.sources[self.file.0 as usize].slice(span).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn text_of(&mut self, value: V) -> Option<String> {
        self.value(value).plain()
    }

    fn value(&mut self, v: V) -> Known {
        match self.facts.value(v) {
            Value::Text(text) => Known::Text(vec![Piece::Text(self.facts.name(*text).to_owned())]),
            Value::Int(n) => Known::Count(u32::try_from(*n).map_or(Count::Unknown, Count::Number), Vec::new()),
            Value::Bool(value) => Known::Bool(*value),
            Value::Nil => Known::Nil,
            Value::Name(name) => self.name(*name),
            Value::Attr(base, name) => {
                let name = self.facts.name(*name);
                match self.value(*base) {
                    Known::External(module) => external(&format!("{module}.{name}")),
                    Known::Session if name == "posargs" => Known::Args(String::new()),
                    Known::Session => Known::External(format!("session.{name}")),
                    _ => Known::Unknown,
                }
            }
            Value::Item(base, key) => {
                let base = self.value(*base);
                match (base, self.text_of(*key)) {
                    (Known::External(name), Some(key)) if is_environ(&name) => Known::Variable(key, None),
                    // A slice: the words behind the program's name.
                    (Known::External(name), None) if name == "sys.argv" && !matches!(self.facts.value(*key), Value::Int(_)) => {
                        Known::Args(String::new())
                    }
                    _ => Known::Unknown,
                }
            }
            Value::Result(op) => self.state.results.get(op).cloned().unwrap_or(Known::Unknown),
            Value::Format(parts) => {
                let mut pieces = Vec::new();
                for part in parts.iter().take(WORDS) {
                    let value = self.value(*part);
                    pieces.extend(value.pieces());
                }
                Known::Text(pieces)
            }
            Value::Binary(operator, a, b) => {
                let (a, b) = (self.value(*a), self.value(*b));
                binary(*operator, a, b)
            }
            Value::Or(all) => {
                let values: Vec<Known> = all.iter().map(|v| self.value(*v)).collect();
                values.into_iter().rev().reduce(|rest, first| first.or(rest)).unwrap_or(Known::Unknown)
            }
            Value::And(all) => all.last().map_or(Known::Unknown, |v| self.value(*v)),
            Value::Choice { cond, then, other } => {
                let cond = self.cond(*cond);
                let (a, b) = (self.value(*then), self.value(*other));
                choose(&cond, a, b)
            }
            Value::List(items) | Value::Tuple(items) => {
                let mut all = Vec::new();
                for item in items.iter().take(WORDS) {
                    let value = self.value(*item);
                    match value {
                        Known::List(inner) if matches!(self.facts.value(*item), Value::Star(_)) => all.extend(inner),
                        other => all.push((other, Span::default())),
                    }
                }
                Known::List(all)
            }
            Value::Star(inner) => self.value(*inner),
            Value::Dict(pairs) => Known::Dict(
                pairs.iter().filter_map(|(key, value)| Some((self.text_of(*key)?, self.value(*value).plain()))).collect(),
            ),
            _ => Known::Unknown,
        }
    }

    fn name(&mut self, name: Sym) -> Known {
        if let Some(known) = self.state.vars.get(&name) {
            return known.clone();
        }
        let text = self.facts.name(name);
        if let Some(import) = self.facts.imports.iter().find(|import| import.bound == Some(name)) {
            let module: Vec<&str> = import.module.iter().map(|part| self.facts.name(*part)).collect();
            let module = module.join(".");
            return match import.name {
                Some(item) => match self.files.module(self.file, &module, import.up) {
                    Some(file) => self.of_module(file, self.facts.name(item)),
                    None => external(&format!("{module}.{}", self.facts.name(item))),
                },
                // `import a.b` binds `a`; with a name of its own the whole.
                None if module.split('.').next() == Some(text) => Known::External(text.to_owned()),
                None => Known::External(module),
            };
        }
        match self.of_module(self.file, text) {
            Known::Unknown => Known::External(format!("builtins.{text}")),
            known => known,
        }
    }

    /// A function or a constant of a module.
    fn of_module(&mut self, file: FileId, name: &str) -> Known {
        let facts: &'a FileFacts = &self.files.facts[file.0 as usize];
        let top = |unit: &Unit| unit.parent == Some(UnitId(0)) && facts.name(unit.name) == name && unit.class.is_none();
        if let Some(n) = facts.units.iter().position(top) {
            return Known::Function(file, UnitId(n as u32));
        }
        if self.depth >= DEEPEST || self.fuel == 0 {
            return Known::Unknown;
        }
        // The steps of the module body up to its last store, evaluated for this one name.
        let Some(module) = facts.units.first() else { return Known::Unknown };
        let stores = |step: &Step| match step {
            Step::Op(op) => match &facts.op(*op).what {
                What::Store { to, .. } => matches!(facts.value(*to), Value::Name(stored) if facts.name(*stored) == name),
                _ => false,
            },
            _ => false,
        };
        let Some(at) = module.body.iter().rposition(stores) else { return Known::Unknown };
        let outer = (self.file, self.facts, std::mem::take(&mut self.state));
        self.file = file;
        self.facts = facts;
        self.depth += 1;
        // The calls of its value stand right before it.
        let first = module.body[..at]
            .iter()
            .rposition(|step| !matches!(step, Step::Op(op) if matches!(facts.op(*op).what, What::Call { .. })));
        for step in &module.body[first.map_or(0, |n| n + 1)..=at] {
            if let Step::Op(op) = step {
                self.operation(*op);
            }
        }
        let known = self.state.vars.iter().find(|(sym, _)| facts.name(**sym) == name).map(|(_, known)| known.clone());
        self.depth -= 1;
        (self.file, self.facts, self.state) = outer;
        known.unwrap_or(Known::Unknown)
    }

    /// Conditions of which one that comes to `decides` settles the whole, and of which the others say nothing once they are met.
    fn joined(&mut self, all: &[V], decides: Cond) -> Cond {
        let all: Vec<Cond> = all.iter().map(|v| self.cond(*v)).collect();
        if all.contains(&decides) {
            return decides;
        }
        let met = decides.not();
        let mut open = all.into_iter().filter(|cond| *cond != met);
        match (open.next(), open.next()) {
            (Some(cond), None) => cond,
            (Some(_), Some(_)) => Cond::Open,
            (None, _) => met,
        }
    }

    fn cond(&mut self, v: V) -> Cond {
        match self.facts.value(v) {
            Value::Not(inner) => self.cond(*inner).not(),
            Value::Compare(comparison, a, b) => {
                let (left, right) = (self.value(*a), self.value(*b));
                let cond = compared(left, right, *comparison);
                if matches!(comparison, Comparison::NotEqual | Comparison::IsNot | Comparison::NotIn) { cond.not() } else { cond }
            }
            Value::And(all) => self.joined(all, Cond::No),
            Value::Or(all) => self.joined(all, Cond::Yes),
            _ => match self.value(v) {
                Known::Bool(true) => Cond::Yes,
                Known::Bool(false) | Known::Nil => Cond::No,
                Known::Variable(name, None) => Cond::Set(name),
                Known::Variable(name, Some(default)) if default.plain().is_some_and(|text| text.is_empty()) => Cond::Set(name),
                Known::Args(_) => Cond::Set(ARGS.to_owned()),
                Known::Count(Count::Cpus(_), _) => Cond::Yes,
                Known::List(items) => {
                    if items.is_empty() {
                        Cond::No
                    } else {
                        Cond::Yes
                    }
                }
                _ => Cond::Open,
            },
        }
    }

    fn call(&mut self, callee: V, args: &'a [Arg], span: Span) -> Known {
        // A method of a list or dictionary that is at hand.
        if let Value::Attr(base, method) = self.facts.value(callee)
            && let Value::Name(variable) = self.facts.value(*base)
            && let Some(Known::List(items)) = self.state.vars.get(variable).cloned()
        {
            let more = args.first().map(|arg| (self.value(arg.value), arg.span));
            let mut items = items;
            match (self.facts.name(*method), more) {
                ("append", Some(one)) => items.push(one),
                ("extend", Some((Known::List(more), _))) => items.extend(more),
                ("extend", Some(one)) => items.push(one),
                _ => {}
            }
            items.truncate(WORDS);
            self.state.vars.insert(*variable, Known::List(items));
            return Known::Nil;
        }
        let function = self.value(callee);
        match function {
            Known::Function(file, unit) => {
                let params = self.files.facts[file.0 as usize].unit(unit).params.len();
                let mut given = vec![None; params];
                let facts: &'a FileFacts = &self.files.facts[file.0 as usize];
                for (n, arg) in args.iter().enumerate() {
                    let at = match arg.name {
                        Some(name) => {
                            let name = self.facts.name(name);
                            facts.unit(unit).params.iter().position(|param| facts.name(param.name) == name)
                        }
                        None => Some(n),
                    };
                    if let Some(at) = at.filter(|at| *at < params) {
                        given[at] = Some(self.value(arg.value));
                    }
                }
                // A default is evaluated where the function stands.
                let given: Vec<Known> = given
                    .into_iter()
                    .enumerate()
                    .map(|(n, value)| match (value, facts.unit(unit).params[n].default) {
                        (Some(value), _) => value,
                        (None, Some(default)) => constant(facts, default),
                        (None, None) => Known::Unknown,
                    })
                    .collect();
                self.call_unit(file, unit, &given)
            }
            Known::External(name) => self.external_call(&name, args, span),
            Known::Variable(..) | Known::Text(_) => Known::Unknown,
            _ => self.text_method(callee),
        }
    }

    /// `.strip()` and the like keep which variable it is.
    fn text_method(&mut self, callee: V) -> Known {
        match self.facts.value(callee) {
            Value::Attr(base, method) if matches!(self.facts.name(*method), "strip" | "lower" | "upper") => self.value(*base),
            Value::Attr(base, method) if self.facts.name(*method) == "split" => match self.value(*base) {
                Known::Text(pieces) => match Known::Text(pieces).plain() {
                    Some(text) => Known::List(
                        text.split_whitespace()
                            .map(|word| (Known::Text(vec![Piece::Text(word.to_owned())]), Span::default()))
                            .collect(),
                    ),
                    None => Known::Unknown,
                },
                _ => Known::Unknown,
            },
            Value::Attr(base, method) if self.facts.name(*method) == "copy" => self.value(*base),
            Value::Attr(base, method) if self.facts.name(*method) == "startswith" && self.value(*base) == Known::System => {
                Known::System
            }
            _ => Known::Unknown,
        }
    }

    fn external_call(&mut self, name: &str, args: &'a [Arg], span: Span) -> Known {
        let mut values: Vec<Known> = Vec::new();
        for arg in args.iter().filter(|arg| arg.name.is_none()) {
            values.push(self.value(arg.value));
        }
        let first = values.first().cloned().unwrap_or(Known::Unknown);
        if let Some(entry) = calls::python().get(name)
            && let Some(Gives::Cpus(sees)) = &entry.gives
        {
            let cpu = match sees {
                Sees::Machine => Cpu::Machine,
                Sees::Affinity => Cpu::Affinity,
                Sees::Quota => Cpu::Quota,
            };
            let text = self.source(span);
            return Known::Count(Count::Cpus(cpu), vec![Link { what: Part::Expression, text, place: (self.file, span) }]);
        }
        match name {
            "os.environ.get" | "os.getenv" => match first.plain() {
                Some(variable) => Known::Variable(variable, values.get(1).filter(|v| **v != Known::Nil).cloned().map(Box::new)),
                None => Known::Unknown,
            },
            "os.environ.copy" => Known::Dict(Vec::new()),
            "builtins.int" | "builtins.len" | "builtins.round" | "math.floor" | "math.ceil" => {
                let (count, links) = first.count();
                Known::Count(count, links)
            }
            "builtins.str" => match first {
                Known::Count(count, links) => Known::Text(vec![Piece::Count(count, links)]),
                other => other,
            },
            "builtins.list" | "builtins.tuple" => first,
            "builtins.dict" => match first {
                Known::External(name) if is_environ(&name) => Known::Dict(Vec::new()),
                other => other,
            },
            "builtins.min" | "builtins.max" => {
                let mut counts = Vec::new();
                let mut links = Vec::new();
                for value in values {
                    let (count, more) = value.count();
                    counts.push(count);
                    links.extend(more);
                }
                Known::Count(if name == "builtins.min" { Count::Least(counts) } else { Count::Most(counts) }, links)
            }
            "builtins.hasattr" => Known::Bool(true),
            "platform.system" => Known::System,
            "session.run" | "session.run_always" => {
                self.command(args, span);
                Known::Nil
            }
            "session.notify" => {
                self.needs.extend(first.plain());
                Known::Nil
            }
            "subprocess.run"
            | "subprocess.call"
            | "subprocess.check_call"
            | "subprocess.check_output"
            | "subprocess.Popen"
            | "pytest.main" => {
                let items = match first {
                    Known::List(items) => items,
                    // pytest reads the command line of the program where it is given nothing (pytest documentation, "Calling pytest
                    // from Python code").
                    words @ Known::Args(_) if name == "pytest.main" => vec![(words, span)],
                    _ if name == "pytest.main" && args.is_empty() => vec![(Known::Args(String::new()), span)],
                    _ => return Known::Unknown,
                };
                let mut words = items;
                if name == "pytest.main" {
                    words.insert(0, (Known::Text(vec![Piece::Text("pytest".to_owned())]), span));
                }
                let env = self.env_argument(args);
                self.push(words, span, env);
                Known::Unknown
            }
            "os.system" => {
                if let Some(text) = first.plain() {
                    let words =
                        text.split_whitespace().map(|word| (Known::Text(vec![Piece::Text(word.to_owned())]), span)).collect();
                    self.push(words, span, Vec::new());
                }
                Known::Unknown
            }
            "sys.exit" | "builtins.exit" => Known::Nil,
            _ => Known::Unknown,
        }
    }

    /// `session.run("pytest", "-n", "4", *session.posargs, env={…})`
    fn command(&mut self, args: &'a [Arg], span: Span) {
        let mut words = Vec::new();
        for arg in args.iter().filter(|arg| arg.name.is_none()) {
            let value = self.value(arg.value);
            let star = matches!(self.facts.value(arg.value), Value::Star(_));
            match value {
                Known::List(items) if star => {
                    words.extend(
                        items.into_iter().map(|(item, span)| (item, if span == Span::default() { arg.span } else { span })),
                    );
                }
                other => words.push((other, arg.span)),
            }
        }
        let env = self.env_argument(args);
        self.push(words, span, env);
    }

    fn env_argument(&mut self, args: &'a [Arg]) -> Vec<(String, Option<String>)> {
        let env = args.iter().find(|arg| arg.name.is_some_and(|name| self.facts.name(name) == "env"));
        match env.map(|env| self.value(env.value)) {
            Some(Known::Dict(pairs)) => pairs,
            _ => Vec::new(),
        }
    }

    fn push(&mut self, words: Vec<(Known, Span)>, span: Span, env: Vec<(String, Option<String>)>) {
        let words: Vec<Word> = words
            .into_iter()
            .take(WORDS)
            .map(|(known, at)| Word { pieces: known.pieces(), place: (self.file, if at == Span::default() { span } else { at }) })
            .collect();
        if !words.is_empty() && self.calls.len() < WORDS {
            self.calls.push(Call { words, place: (self.file, span), env });
        }
    }
}

fn is_environ(name: &str) -> bool {
    name == "os.environ"
}

fn external(name: &str) -> Known {
    match name {
        "sys.platform" | "os.name" => Known::System,
        "sys.executable" => Known::Text(vec![Piece::Text("python".to_owned())]),
        _ => Known::External(name.to_owned()),
    }
}

/// A default that is a literal.
fn constant(facts: &FileFacts, v: V) -> Known {
    match facts.value(v) {
        Value::Text(text) => Known::Text(vec![Piece::Text(facts.name(*text).to_owned())]),
        Value::Int(n) => Known::Count(u32::try_from(*n).map_or(Count::Unknown, Count::Number), Vec::new()),
        Value::Bool(value) => Known::Bool(*value),
        Value::Nil => Known::Nil,
        _ => Known::Unknown,
    }
}

/// Whether the two are equal, or the left is in the right.
fn compared(left: Known, right: Known, comparison: Comparison) -> Cond {
    let is_in = matches!(comparison, Comparison::In | Comparison::NotIn);
    match (left, right) {
        (Known::Text(pieces), Known::External(name)) if is_in && is_environ(&name) => {
            Known::Text(pieces).plain().map_or(Cond::Open, Cond::Set)
        }
        (Known::Variable(name, None), Known::Nil) | (Known::Nil, Known::Variable(name, None)) if !is_in => Cond::Unset(name),
        (Known::Variable(name, None), Known::Text(text))
            if !is_in && Known::Text(text.clone()).plain().is_some_and(|text| text.is_empty()) =>
        {
            Cond::Unset(name)
        }
        // The tests of a CI service run on Linux, as far as workers go.
        (Known::System, Known::Text(text)) | (Known::Text(text), Known::System) if !is_in => {
            match Known::Text(text).plain().as_deref() {
                Some("linux" | "posix" | "Linux") => Cond::Yes,
                Some("win32" | "nt" | "Windows" | "darwin" | "Darwin" | "cygwin" | "java") => Cond::No,
                _ => Cond::Open,
            }
        }
        (Known::External(name), Known::Text(text)) if name == "builtins.__name__" => {
            if Known::Text(text).plain().as_deref() == Some("__main__") { Cond::Yes } else { Cond::No }
        }
        (Known::Count(Count::Number(a), _), Known::Count(Count::Number(b), _))
            if !matches!(comparison, Comparison::Less | Comparison::Greater) =>
        {
            if a == b {
                Cond::Yes
            } else {
                Cond::No
            }
        }
        _ => Cond::Open,
    }
}

fn binary(operator: Operator, a: Known, b: Known) -> Known {
    match (operator, a, b) {
        (Operator::Add, Known::List(mut a), Known::List(b)) => {
            a.extend(b);
            a.truncate(WORDS);
            Known::List(a)
        }
        (Operator::Add, Known::List(mut a), b @ (Known::Args(_) | Known::Unknown)) => {
            a.push((b, Span::default()));
            Known::List(a)
        }
        (Operator::Add, a @ (Known::Args(_) | Known::Unknown), Known::List(mut b)) => {
            b.insert(0, (a, Span::default()));
            Known::List(b)
        }
        (Operator::Add, a @ (Known::Text(_) | Known::Variable(..)), b) => Known::Text([a.pieces(), b.pieces()].concat()),
        (operator, a, b) => {
            let ((a, mut links), (b, more)) = (a.count(), b.count());
            links.extend(more);
            let count = match (operator, a, b) {
                (_, Count::Unknown, _) | (_, _, Count::Unknown) => Count::Unknown,
                (Operator::Add, a, b) => Count::Sum(vec![a, b]),
                (Operator::Multiply, a, b) => Count::Product(vec![a, b]),
                (Operator::FloorDivide | Operator::Divide, a, Count::Number(n)) => Count::Part(Box::new(a), n),
                (Operator::Subtract, a, Count::Number(n)) => Count::Less(Box::new(a), n),
                _ => Count::Unknown,
            };
            if count == Count::Unknown { Known::Unknown } else { Known::Count(count, links) }
        }
    }
}

/// One of two values.
fn choose(cond: &Cond, a: Known, b: Known) -> Known {
    let cond = match cond {
        Cond::Yes => return a,
        Cond::No => return b,
        Cond::Unset(name) => return choose(&Cond::Set(name.clone()), b, a),
        cond => cond,
    };
    if a == b {
        return a;
    }
    match (cond, a, b) {
        // What the caller adds replaces the rest.
        (Cond::Set(name), Known::Args(_), b) if name == ARGS => Known::Args(b.line().unwrap_or_default()),
        (Cond::Set(name), Known::Variable(other, None), b) if *name == other => Known::Variable(other, Some(Box::new(b))),
        (_, Known::List(a), Known::List(b)) => {
            // One is the other and more: the longer, whose further words are as good as there.
            if a.len() >= b.len() && a[..b.len()] == b[..] {
                Known::List(a)
            } else if b[..a.len().min(b.len())] == a[..] {
                Known::List(b)
            } else {
                let shared = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
                let mut all = a[..shared].to_vec();
                all.push((Known::Unknown, Span::default()));
                Known::List(all)
            }
        }
        (cond, a, b) => {
            let is_number = |known: &Known| matches!(known, Known::Count(..) | Known::Variable(..));
            if !is_number(&a) && !is_number(&b) {
                return Known::Unknown;
            }
            let ((a, more), (b, mut links)) = (a.count(), b.count());
            links.extend(more.into_iter().filter(|link| !links.contains(link)).collect::<Vec<_>>());
            let count = match cond {
                Cond::Set(name) => Count::Variable { name: name.clone(), set: Box::new(a), unset: Box::new(b) },
                _ => Count::any([a, b]),
            };
            Known::Count(count, links)
        }
    }
}

fn merged(cond: &Cond, a: State, b: State) -> State {
    let mut vars = HashMap::new();
    for (name, left) in a.vars {
        let right = b.vars.get(&name).cloned();
        // Set on one way only: there it is used.
        let value = right.map_or(left.clone(), |right| choose(cond, left, right));
        vars.insert(name, value);
    }
    for (name, right) in b.vars {
        vars.entry(name).or_insert(right);
    }
    let mut results = a.results;
    results.extend(b.results);
    State { vars, results }
}

impl Known {
    /// As a number of workers.
    fn count(self) -> (Count, Vec<Link>) {
        match self {
            Known::Count(count, links) => (count, links),
            Known::Variable(name, default) => {
                let (unset, links) = default.map_or((Count::Unknown, Vec::new()), |default| default.count());
                (Count::variable(&name, unset), links)
            }
            Known::Text(pieces) => match pieces.as_slice() {
                [Piece::Text(text)] => (text.trim().parse().map_or(Count::Unknown, Count::Number), Vec::new()),
                [Piece::Count(count, links)] => (count.clone(), links.clone()),
                _ => (Count::Unknown, Vec::new()),
            },
            _ => (Count::Unknown, Vec::new()),
        }
    }

    /// The text, where it is all known.
    fn plain(&self) -> Option<String> {
        match self {
            Known::Text(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
            Known::Count(Count::Number(n), _) => Some(n.to_string()),
            _ => None,
        }
    }

    /// The words of a list on one line.
    fn line(&self) -> Option<String> {
        match self {
            Known::List(items) => {
                let words: Option<Vec<String>> = items.iter().map(|(item, _)| item.plain()).collect();
                words.map(|words| words.join(" "))
            }
            other => other.plain(),
        }
    }

    fn pieces(self) -> Vec<Piece> {
        match self {
            Known::Text(pieces) => pieces,
            Known::Count(count, links) => vec![Piece::Count(count, links)],
            Known::Variable(name, default) => match default.map(|default| default.plain()) {
                None => vec![Piece::Variable(name, None)],
                Some(Some(default)) => vec![Piece::Variable(name, Some(default))],
                Some(None) => vec![Piece::Unknown],
            },
            Known::Args(line) => vec![Piece::Args(line)],
            _ => vec![Piece::Unknown],
        }
    }

    /// `a or b`
    fn or(self, rest: Known) -> Known {
        match self {
            Known::Variable(name, None) => Known::Variable(name, Some(Box::new(rest))),
            Known::Args(_) => Known::Args(rest.line().unwrap_or_default()),
            Known::Nil | Known::Bool(false) => rest,
            Known::List(items) if items.is_empty() => rest,
            // A count of CPUs may be `None`, never zero.
            known @ (Known::Count(..) | Known::Text(_) | Known::List(_) | Known::Bool(true)) => known,
            _ => Known::Unknown,
        }
    }

    /// The value, with what could not be made taken from a handler.
    fn or_else(self, handler: &Known) -> Known {
        match self {
            Known::Count(Count::Variable { name, set, unset }, links) if *unset == Count::Unknown => {
                let (other, more) = handler.clone().count();
                let links = if links.is_empty() { more } else { links };
                Known::Count(Count::Variable { name, set, unset: Box::new(other) }, links)
            }
            Known::Variable(name, None) => Known::Variable(name, Some(Box::new(handler.clone()))),
            Known::Unknown => handler.clone(),
            other => other,
        }
    }
}
