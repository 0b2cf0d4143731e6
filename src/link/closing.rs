//! Things that one method reads in a thread or task of its own, and that another method closes under it.
//!
//! A field of a class holds the thing. The reader reads it in a loop, maybe through a method of the class that owns the field; the
//! closer closes it without waiting for the reader.

use super::index::{Binding, Index};
use super::spots::{Look, Region, Spot, each_value, spots};
use super::summary::Summary;
use super::term::{ClassRef, Site, UnitRef};
use crate::calls::{Calls, How};
use crate::facts::{Arg, Block, FileFacts, Handler, Language, OpId, Shape, Step, UnitId, V, Value, What};
use crate::text::{FileId, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A thing that is closed while a reader may wait on it.
#[derive(Clone, PartialEq, Debug)]
pub struct Closing {
    /// The name of the field that holds it.
    pub field: Arc<str>,
    pub made: Site,
    /// Where the reader reads, and the unit that it loops in.
    pub read: Site,
    pub reader: UnitRef,
    /// Where the reader is started as a thread or task.
    pub started: Site,
    pub close: Site,
    pub closer: UnitRef,
    /// A call of the closer, where another class orders it.
    pub ordered: Option<Site>,
    /// The handler around the read that means to survive the end, and what it catches.
    pub handler: Option<(FileId, Span, Vec<Arc<str>>)>,
    /// What the closed thing raises and nobody around the read catches.
    pub missed: Vec<String>,
}

/// Errors that stand for all.
const ALL: &[&str] = &["Exception", "BaseException"];

/// A handler with the last names of what it catches; none where that is not known.
struct Catch {
    file: FileId,
    span: Span,
    names: Option<Vec<Arc<str>>>,
}

/// One step of the way from the thread's function to the read.
struct Frame {
    unit: UnitRef,
    in_loop: bool,
    catches: Vec<Catch>,
}

struct Field {
    class: ClassRef,
    name: Arc<str>,
    ty: Arc<str>,
    made: Site,
}

struct Use {
    unit: UnitRef,
    op: OpId,
    method: Arc<str>,
}

pub(super) fn closings(index: &Index, summaries: &[Vec<Arc<Summary>>]) -> Vec<Closing> {
    let fields = fields(index, summaries);
    if fields.is_empty() {
        return Vec::new();
    }
    let look = Closings { index, rows: rows(index) };
    fields.iter().flat_map(|field| look.of_field(field)).collect()
}

/// Methods of Python classes.
fn methods(index: &Index) -> impl Iterator<Item = UnitRef> {
    let python = index.facts.iter().enumerate().filter(|(_, facts)| facts.language == Language::Python);
    python.flat_map(|(f, facts)| {
        let units = facts.units.iter().enumerate().filter(|(_, unit)| unit.class.is_some() && unit.shape == Shape::Method);
        units.map(move |(u, _)| (FileId(f as u32), UnitId(u as u32)))
    })
}

/// Fields that hold things whose methods raise once they are closed.
fn fields(index: &Index, summaries: &[Vec<Arc<Summary>>]) -> Vec<Field> {
    let mut out: Vec<Field> = Vec::new();
    for unit in methods(index) {
        let facts = index.file(unit.0);
        let Some(class) = facts.unit(unit.1).class else { continue };
        for born in &summaries[unit.0.0 as usize][unit.1.0 as usize].born {
            let What::Store { to, .. } = &facts.op(born.op).what else { continue };
            let Some(name) = facts.own_field(*to) else { continue };
            let closes = index.calls(facts.language).thing(&born.ty).is_some_and(|thing| !thing.closed.is_empty());
            let known = out.iter().any(|field| field.class == (unit.0, class) && *field.name == *name);
            if closes && !known {
                let made = Site { file: unit.0, op: born.op };
                out.push(Field { class: (unit.0, class), name: name.into(), ty: born.ty.clone(), made });
            }
        }
    }
    out
}

/// The methods of Python classes as rows.
fn rows(index: &Index) -> BTreeMap<UnitRef, Vec<Spot>> {
    methods(index).map(|unit| (unit, spots(&index.file(unit.0).unit(unit.1).body))).collect()
}

struct Closings<'a> {
    index: &'a Index<'a>,
    rows: BTreeMap<UnitRef, Vec<Spot>>,
}

impl Closings<'_> {
    fn of_field(&self, field: &Field) -> Vec<Closing> {
        let calls = self.index.calls(Language::Python);
        let Some(thing) = calls.thing(&field.ty) else { return Vec::new() };
        let (mut uses, mut closes) = (Vec::new(), Vec::new());
        for (unit, row) in self.rows.iter().filter(|(unit, _)| self.is_of(**unit, field.class)) {
            let facts = self.index.file(unit.0);
            for op in row.iter().filter_map(Spot::op) {
                let What::Call { callee, args } = &facts.op(op).what else { continue };
                if let Some(method) = method_of_field(facts, *callee, &field.name) {
                    if thing.ends.iter().any(|end| end == method) {
                        closes.push((*unit, op));
                    } else if thing.closed.contains_key(method) {
                        uses.push(Use { unit: *unit, op, method: method.into() });
                    }
                } else if self.runs_beside(*unit, *callee, calls) {
                    // `to_thread(self.queue.get)`.
                    let handed = args.iter().find_map(|arg| method_of_field(facts, arg.value, &field.name));
                    if let Some(method) = handed.filter(|method| thing.closed.contains_key(*method)) {
                        uses.push(Use { unit: *unit, op, method: method.into() });
                    }
                }
            }
        }
        let mut out: Vec<Closing> = Vec::new();
        for read in &uses {
            let Some(raised) = thing.closed.get(&*read.method) else { continue };
            for chain in self.chains(read) {
                let Some((started, handle)) = chain.last().and_then(|top| self.start(top.unit)) else { continue };
                let Some((missed, handler)) = missed(calls, &chain, raised) else { continue };
                let late = closes.iter().find_map(|(closer, close)| {
                    let reads_itself = chain.iter().any(|frame| frame.unit == *closer);
                    let closing = (!reads_itself).then(|| self.unordered(*closer, *close, handle.as_ref(), handler.is_some()))?;
                    closing.map(|ordered| (*closer, *close, ordered))
                });
                let Some((closer, close, ordered)) = late else { continue };
                let site = |unit: UnitRef, op: OpId| Site { file: unit.0, op };
                let reader = chain.iter().find(|frame| frame.in_loop).map_or(read.unit, |frame| frame.unit);
                if out.iter().any(|known| known.reader == reader) {
                    continue;
                }
                out.push(Closing {
                    field: field.name.clone(),
                    made: field.made,
                    read: site(read.unit, read.op),
                    reader,
                    started,
                    close: site(closer, close),
                    closer,
                    ordered,
                    handler: handler.map(|one| (one.file, one.span, one.names.clone().unwrap_or_default())),
                    missed,
                });
                break;
            }
        }
        out
    }

    /// Whether a method belongs to a class or to one that is derived from it.
    fn is_of(&self, unit: UnitRef, class: ClassRef) -> bool {
        let own = self.index.file(unit.0).unit(unit.1).class;
        own.is_some_and(|own| self.index.order((unit.0, own)).contains(&class))
    }

    /// Whether a call runs what it is handed in a thread, process or task.
    fn runs_beside(&self, unit: UnitRef, callee: V, calls: &Calls) -> bool {
        let facts = self.index.file(unit.0);
        let entry = match self.index.resolve_value(unit.0, unit.1, callee) {
            Some(Binding::External(name)) => calls.get(&name),
            _ => match facts.value(callee) {
                Value::Attr(_, name) => calls.get(&format!(".{}", facts.name(*name))),
                _ => None,
            },
        };
        let how = entry.and_then(|entry| entry.runs.as_ref()).map(|runs| runs.how);
        matches!(how, Some(How::Thread | How::Process | How::Task))
    }

    /// The ways from a looping method to a read: through no call, or through one.
    fn chains(&self, read: &Use) -> Vec<Vec<Frame>> {
        let Some(own) = self.frame(read.unit, read.op) else { return Vec::new() };
        if own.in_loop {
            return vec![vec![own]];
        }
        let callers = self.callers(read.unit);
        let through = callers.into_iter().filter_map(|(unit, op)| {
            let outer = self.frame(unit, op).filter(|frame| frame.in_loop)?;
            Some(vec![self.frame(read.unit, read.op)?, outer])
        });
        through.collect()
    }

    fn frame(&self, unit: UnitRef, op: OpId) -> Option<Frame> {
        let facts = self.index.file(unit.0);
        let spot = self.rows.get(&unit)?.iter().find(|spot| spot.op() == Some(op))?;
        let in_loop = spot.around.iter().any(|region| matches!(region, Region::Loop(_)));
        let mut catches = Vec::new();
        handlers(facts, &facts.unit(unit.1).body, op, &mut |handler| {
            let span = handler.map_or(Span::default(), |handler| handler.span);
            catches.push(Catch { file: unit.0, span, names: handler.and_then(|handler| caught(facts, handler)) });
        });
        Some(Frame { unit, in_loop, catches })
    }

    /// Calls of a method: `self.m()` in its own class, `self.field.m()` where the class of the field is known.
    fn callers(&self, callee: UnitRef) -> Vec<(UnitRef, OpId)> {
        let facts = self.index.file(callee.0);
        let data = facts.unit(callee.1);
        let name = facts.name(data.name);
        let Some(class) = data.class else { return Vec::new() };
        let mut out = Vec::new();
        for (unit, row) in &self.rows {
            let facts = self.index.file(unit.0);
            let calls_it = |op: &OpId| {
                let What::Call { callee: called, .. } = &facts.op(*op).what else { return false };
                let Value::Attr(base, method) = facts.value(*called) else { return false };
                if facts.name(*method) != name {
                    return false;
                }
                if facts.is_self(*base) {
                    return self.is_of(*unit, (callee.0, class));
                }
                let Some(field) = facts.own_field(*base) else { return false };
                let Some(own) = facts.unit(unit.1).class else { return false };
                self.class_of_field((unit.0, own), field) == Some((callee.0, class))
            };
            out.extend(row.iter().filter_map(Spot::op).filter(calls_it).map(|op| (*unit, op)));
        }
        out
    }

    /// The class of the project whose instances a field holds: as it is declared, made, or handed to the constructor.
    fn class_of_field(&self, class: ClassRef, name: &str) -> Option<ClassRef> {
        let all = self.index.order(class);
        self.rows
            .iter()
            .filter(|(unit, _)| {
                let own = self.index.file(unit.0).unit(unit.1).class;
                own.is_some_and(|own| all.contains(&(unit.0, own)))
            })
            .find_map(|(unit, row)| {
                let facts = self.index.file(unit.0);
                row.iter().filter_map(Spot::op).find_map(|op| {
                    let What::Store { to, value, ty } = &facts.op(op).what else { return None };
                    if facts.own_field(*to) != Some(name) {
                        return None;
                    }
                    let declared = ty.and_then(|ty| self.class(*unit, ty));
                    declared.or_else(|| match facts.value(*value) {
                        Value::Name(param) => {
                            let params = &facts.unit(unit.1).params;
                            let ty = params.iter().find(|one| one.name == *param)?.ty?;
                            self.class(*unit, ty)
                        }
                        Value::Result(op) => match &facts.op(*op).what {
                            What::Call { callee, .. } => self.class(*unit, *callee),
                            _ => None,
                        },
                        _ => None,
                    })
                })
            })
    }

    fn class(&self, unit: UnitRef, ty: V) -> Option<ClassRef> {
        let facts = self.index.file(unit.0);
        match facts.value(ty) {
            Value::Binary(_, a, b) => self.class(unit, *a).or_else(|| self.class(unit, *b)),
            _ => match self.index.resolve_value(unit.0, unit.1, ty)? {
                Binding::Class(class) => Some(class),
                _ => None,
            },
        }
    }

    /// Where a method is started as a thread or task, and the field that keeps the handle.
    fn start(&self, reader: UnitRef) -> Option<(Site, Option<Arc<str>>)> {
        let calls = self.index.calls(Language::Python);
        let data = self.index.file(reader.0).unit(reader.1);
        let name = self.index.file(reader.0).name(data.name);
        let class = data.class?;
        for (unit, row) in self.rows.iter().filter(|(unit, _)| self.is_of(**unit, (reader.0, class))) {
            let facts = self.index.file(unit.0);
            // `self.reader`, or `self.reader()` where it is a coroutine.
            let is_reader = |v: V| match facts.value(v) {
                Value::Result(op) => match &facts.op(*op).what {
                    What::Call { callee, .. } => facts.own_field(*callee) == Some(name),
                    _ => false,
                },
                _ => facts.own_field(v) == Some(name),
            };
            for op in row.iter().filter_map(Spot::op) {
                let What::Call { callee, args } = &facts.op(op).what else { continue };
                if args.iter().any(|arg| is_reader(arg.value)) && self.runs_beside(*unit, *callee, calls) {
                    return Some((Site { file: unit.0, op }, kept_in(facts, row, op)));
                }
            }
        }
        None
    }

    /// Whether a close does not wait for the reader: the call that orders it from another class, where there is one. None where it waits.
    fn unordered(&self, closer: UnitRef, close: OpId, handle: Option<&Arc<str>>, expected: bool) -> Option<Option<Site>> {
        // Nobody can wait for what nobody keeps.
        let Some(handle) = handle else { return Some(None) };
        if self.waits(closer, close, handle, expected, 0) {
            return None;
        }
        let callers = self.callers(closer);
        if callers.iter().any(|(unit, op)| self.waits(*unit, *op, handle, expected, 0)) {
            return None;
        }
        let outer = callers.into_iter().find(|(unit, _)| self.index.file(unit.0).unit(unit.1).class.is_some());
        Some(outer.map(|(unit, op)| Site { file: unit.0, op }))
    }

    /// Whether a unit waits for a handle before an operation. Where the reader expects the thing to be closed under it, a wait that
    /// gives up after a while is none.
    fn waits(&self, unit: UnitRef, until: OpId, handle: &str, expected: bool, depth: usize) -> bool {
        let Some(row) = self.rows.get(&unit) else { return false };
        let before = row.iter().position(|spot| spot.op() == Some(until)).unwrap_or(row.len());
        self.waits_in(unit, &row[..before], handle, expected, depth)
    }

    fn waits_in(&self, unit: UnitRef, row: &[Spot], handle: &str, expected: bool, depth: usize) -> bool {
        let facts = self.index.file(unit.0);
        let aliases: Vec<V> = row
            .iter()
            .filter_map(Spot::op)
            .filter_map(|op| match &facts.op(op).what {
                What::Store { to, value, .. } if facts.own_field(*value) == Some(handle) => Some(*to),
                _ => None,
            })
            .collect();
        let is = |v: V| facts.own_field(v) == Some(handle) || aliases.iter().any(|alias| facts.value(*alias) == facts.value(v));
        row.iter().filter_map(Spot::op).any(|op| match &facts.op(op).what {
            What::Await(v) => is(*v),
            What::Call { callee, args } => {
                if let Value::Attr(base, method) = facts.value(*callee) {
                    let method = facts.name(*method);
                    if is(*base) {
                        return method == "join" && (!expected || args.is_empty()) || method == "cancel" && !expected;
                    }
                    if facts.is_self(*base) && depth < 2 {
                        let class = facts.unit(unit.1).class.map(|class| (unit.0, class));
                        let inner = class.and_then(|class| self.index.method(class, method));
                        if let Some((inner, row)) = inner.and_then(|inner| Some((inner, self.rows.get(&inner)?))) {
                            return self.waits_in(inner, row, handle, expected, depth + 1);
                        }
                    }
                }
                let bounded = |args: &[Arg]| {
                    let last = facts.dotted(*callee).unwrap_or_default();
                    last.ends_with("wait_for")
                        || args.iter().any(|arg| arg.name.is_some_and(|name| facts.name(name) == "timeout"))
                };
                args.iter().any(|arg| holds(facts, arg.value, &is)) && !(expected && bounded(args))
            }
            _ => false,
        })
    }
}

/// What is raised and not caught on the way, and the handler that means to survive the end; none where that cannot be told, or where
/// all is caught.
fn missed<'c>(calls: &Calls, chain: &'c [Frame], raised: &[String]) -> Option<(Vec<String>, Option<&'c Catch>)> {
    let all: Vec<&Catch> = chain.iter().flat_map(|frame| &frame.catches).collect();
    let mut missed = Vec::new();
    for error in raised {
        let mut caught = false;
        for catch in &all {
            let names = catch.names.as_ref()?;
            caught |= names.iter().any(|name| ALL.contains(&&**name) || &**name == "*" || calls.catches(name, error));
        }
        if !caught {
            missed.push(error.clone());
        }
    }
    // Who catches one of them, or one that a closed handle may raise, too, means to survive it.
    let means = |name: &Arc<str>| {
        raised.iter().any(|error| calls.catches(name, error))
            || matches!(&**name, "EOFError" | "RuntimeError" | "BrokenPipeError")
    };
    let handler = all.iter().copied().find(|catch| catch.names.iter().flatten().any(means));
    (!missed.is_empty()).then_some((missed, handler))
}

/// Calls `f` on every handler whose `try` body holds an operation; with none for a block that swallows errors in another way.
fn handlers(facts: &FileFacts, block: &Block, op: OpId, f: &mut dyn FnMut(Option<&Handler>)) -> bool {
    for step in block {
        let found = match step {
            Step::Op(one) => *one == op,
            Step::If { then, other, .. } => handlers(facts, then, op, f) || handlers(facts, other, op, f),
            Step::Loop { body, other, .. } => handlers(facts, body, op, f) || handlers(facts, other, op, f),
            Step::Try { body, handlers: all, other, last } => {
                let inside = handlers(facts, body, op, f);
                if inside {
                    all.iter().for_each(|handler| f(Some(handler)));
                }
                inside || all.iter().map(|one| &one.body).chain([other, last]).any(|block| handlers(facts, block, op, f))
            }
            Step::With { items, body, .. } => {
                let inside = handlers(facts, body, op, f);
                if inside && items.iter().any(|item| suppresses(facts, item.context)) {
                    f(None);
                }
                inside
            }
            Step::Scope(body) => handlers(facts, body, op, f),
            Step::Match { arms, .. } => arms.iter().any(|arm| handlers(facts, &arm.body, op, f)),
        };
        if found {
            return true;
        }
    }
    false
}

/// `suppress(…)`, `pytest.raises(…)`.
fn suppresses(facts: &FileFacts, context: V) -> bool {
    let Value::Result(op) = facts.value(context) else { return false };
    let What::Call { callee, .. } = &facts.op(*op).what else { return false };
    facts.dotted(*callee).is_some_and(|name| matches!(name.rsplit('.').next(), Some("suppress" | "raises" | "assertRaises")))
}

fn caught(facts: &FileFacts, handler: &Handler) -> Option<Vec<Arc<str>>> {
    if handler.catches.is_empty() {
        return Some(vec!["*".into()]);
    }
    let mut out = Vec::new();
    for v in &handler.catches {
        let all = match facts.value(*v) {
            Value::Tuple(all) => all.clone(),
            _ => vec![*v],
        };
        for one in all {
            let name = facts.dotted(one)?;
            let last = name.rsplit('.').next().unwrap_or(&name);
            // A variable may hold any errors.
            if !last.starts_with(|c: char| c.is_ascii_uppercase()) && last != "error" {
                return None;
            }
            out.push(Arc::from(last));
        }
    }
    Some(out)
}

/// The method of `self.field.method`.
fn method_of_field<'f>(facts: &'f FileFacts, v: V, field: &str) -> Option<&'f str> {
    match facts.value(v) {
        Value::Attr(base, method) if facts.own_field(*base) == Some(field) => Some(facts.name(*method)),
        _ => None,
    }
}

fn holds(facts: &FileFacts, v: V, is: &dyn Fn(V) -> bool) -> bool {
    let mut found = false;
    super::spots::mentions(facts, v, is, &mut |_| found = true);
    found
}

/// The field that a call's result goes to, maybe through another call that is handed it.
fn kept_in(facts: &FileFacts, row: &[Spot], made: OpId) -> Option<Arc<str>> {
    let mut results = vec![made];
    let mut names = Vec::new();
    for spot in row {
        let Look::Op(op) = spot.look else { continue };
        let what = &facts.op(op).what;
        let is = |v: V| match facts.value(v) {
            Value::Result(of) => results.contains(of),
            value => names.contains(value),
        };
        let mut speaks = false;
        each_value(what, &mut |v| speaks |= holds(facts, v, &is));
        match what {
            What::Call { .. } if speaks => results.push(op),
            What::Store { to, .. } if speaks => match facts.own_field(*to) {
                Some(field) => return Some(field.into()),
                None => names.push(facts.value(*to).clone()),
            },
            _ => {}
        }
    }
    None
}
