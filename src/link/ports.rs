//! Ports: what an address names, and sockets that look for a free port and are closed before its number is used.
//!
//! A socket that is bound to port 0 holds a port that the system chose. Once it is closed, the number is anybody's.

use super::index::Index;
use super::life::Born;
use super::spots::{Look, Mention, Region, Spot, each_value, mentions, spots};
use super::summary::Summary;
use super::term::{Mix, Opaque, Piece, Site, Term, UnitRef};
use crate::facts::{Block, FileFacts, Language, OpId, Shape, Step, Sym, UnitId, V, Value, What};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The type of the number of a port that the system chose.
pub(super) const CHOSEN: &str = "port";

/// Such a number, read here.
pub(super) fn chosen(site: Site) -> Term {
    Term::Opaque(Arc::new(Opaque { site, via: 0, mix: Mix::EMPTY, ty: Some(CHOSEN.into()) }))
}

/// Where the number of a port, or the address with it, was read off its socket.
pub(super) fn read_at(term: &Term) -> Option<Site> {
    match term.plain() {
        Term::Opaque(opaque) if opaque.ty.as_deref() == Some(CHOSEN) => Some(opaque.site),
        Term::List(terms) => terms.iter().find_map(read_at),
        _ => None,
    }
}

/// The port that an address names: a number, a pair of host and number, `host:number`. Port 0 is none: the system chooses.
pub(super) fn port(address: &Term) -> Term {
    match address.plain() {
        Term::Int(n) if (1..=65535).contains(n) => Term::Int(*n),
        Term::List(parts) => parts.get(1).map_or(Term::Unknown, port),
        Term::Either(all) => one_of(all).unwrap_or_else(|| address.clone()),
        Term::Text(pieces) => in_text(pieces),
        Term::Derived(_) if address.mix().is_empty() => Term::Unknown,
        Term::Int(_) | Term::Bool(_) | Term::Nil | Term::Virtual | Term::Path(_) | Term::Handle(_) | Term::Object(_) => {
            Term::Unknown
        }
        other => other.clone(),
    }
}

/// One of several ports is as fixed as a single one. None among them is what a default takes the place of; nothing is said as long as
/// one of them hangs on a parameter.
fn one_of(all: &[Term]) -> Option<Term> {
    let mut numbers = BTreeSet::new();
    for one in all.iter().filter(|one| !matches!(one, Term::Nil | Term::Missing)) {
        match port(one) {
            Term::Int(n) => drop(numbers.insert(n)),
            Term::Unknown => return Some(Term::Unknown),
            _ => return None,
        }
    }
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Some(if numbers.is_empty() { Term::Unknown } else { Term::text(&numbers.join(" or ")) })
}

fn in_text(pieces: &[Piece]) -> Term {
    let number = |text: &str| text.trim_end_matches('/').parse::<i64>().map_or(Term::Unknown, |n| port(&Term::Int(n)));
    match pieces {
        [Piece::Lit(text)] if !text.contains(':') => number(text),
        [.., Piece::Lit(text)] => text.rsplit_once(':').map_or(Term::Unknown, |(_, end)| number(end)),
        [.., Piece::Lit(text), Piece::Hole(end)] if text.ends_with(':') => port(end),
        _ => Term::Unknown,
    }
}

/// The database that a URL leads to; anything else is a name itself.
pub(super) fn in_url(name: Term) -> Term {
    match name.as_literal() {
        Some(text) if text.starts_with("sqlite") || text.is_empty() => Term::Unknown,
        Some(text) => match text.split_once("://") {
            Some((_, rest)) => {
                let path = rest.split(['?', '#']).next().unwrap_or(rest);
                path.rsplit_once('/').map_or(Term::Unknown, |(_, last)| Term::text(last))
            }
            None => Term::text(&text),
        },
        None => name,
    }
}

/// A socket that was bound to find a free port, and closed before the number is used.
#[derive(Clone, PartialEq, Debug)]
pub struct Probe {
    /// The unit that looks for the port.
    pub unit: UnitRef,
    /// Where the number is read off the socket.
    pub read: Site,
    /// Where the socket is closed by hand; none where its variable or block ends.
    pub closed: Option<Site>,
    /// Where the unit hands the number on.
    pub handed: Site,
    /// The number leaves the unit: it is returned, yielded or kept in a field.
    pub leaves: bool,
    /// Where others take the number from this unit.
    pub takers: Vec<Site>,
}

/// Methods of a socket that only prepare it, look at it or close it.
const QUIET: &[&str] = &[
    "bind",
    "close",
    "getsockname",
    "listen",
    "local_addr",
    "set_nonblocking",
    "setblocking",
    "setsockopt",
    "set_reuse_address",
    "settimeout",
    "shutdown",
    "unwrap",
];

/// Parts of the names of calls that listen on a port they are given, or start what does.
const LISTENS: &[&str] = &["bind", "listen", "serve", "server", "start", "spawn", "popen", "launch", "run"];

/// All probes, with those who take their numbers.
pub(super) fn probes(index: &Index, summaries: &[Vec<Arc<Summary>>]) -> Vec<Probe> {
    let mut out: Vec<Probe> = Vec::new();
    let mut taken: Vec<(Site, UnitRef, OpId)> = Vec::new();
    for (f, units) in summaries.iter().enumerate() {
        let file = FileId(f as u32);
        for (u, summary) in units.iter().enumerate() {
            let numbers: Vec<(&Born, Site)> = summary.born.iter().filter_map(|born| Some((born, born.read?))).collect();
            if numbers.is_empty() {
                continue;
            }
            let unit = (file, UnitId(u as u32));
            let look = Reader::new(index, summaries, unit);
            for (born, read) in numbers {
                if read.file == file && read.op == born.op && look.place(born.op).is_some() {
                    out.extend(look.probe(born.op));
                } else if matches!(look.facts.op(born.op).what, What::Call { .. }) && !look.is_retried(born.op) {
                    taken.push((read, unit, born.op));
                }
            }
        }
    }
    let mut seen = BTreeSet::new();
    out.retain(|probe| seen.insert(probe.read));
    taken.extend(through_fixtures(index, summaries, &out));
    for probe in out.iter_mut().filter(|probe| probe.leaves) {
        let of_this = taken.iter().filter(|(read, unit, _)| *read == probe.read && *unit != probe.unit);
        probe.takers = of_this.map(|(_, unit, op)| Site { file: unit.0, op: *op }).collect();
        probe.takers.sort_unstable();
        probe.takers.dedup();
    }
    // Whoever only asks whether there is a free port, or shows a mock its number, binds none.
    let binds = |site: &Site| {
        taken.iter().any(|(_, unit, op)| {
            Site { file: unit.0, op: *op } == *site && !Reader::new(index, summaries, *unit).is_only_asked(*op)
        })
    };
    out.retain(|probe| probe.takers.is_empty() || probe.takers.iter().any(binds));
    out
}

/// Calls of fixtures whose value is a function that looks for a port.
fn through_fixtures(index: &Index, summaries: &[Vec<Arc<Summary>>], probes: &[Probe]) -> Vec<(Site, UnitRef, OpId)> {
    let all = || {
        summaries.iter().enumerate().flat_map(|(f, units)| {
            units.iter().enumerate().map(move |(u, summary)| ((FileId(f as u32), UnitId(u as u32)), summary))
        })
    };
    let mut fixtures: BTreeMap<&str, Site> = BTreeMap::new();
    for (unit, summary) in all() {
        let facts = index.file(unit.0);
        let data = facts.unit(unit.1);
        let marked = data.marks.iter().any(|mark| facts.dotted(mark.callee).is_some_and(|name| name.ends_with("fixture")));
        if let (true, Some(Term::Function(given))) = (marked, &summary.gives)
            && let Some(probe) = probes.iter().find(|probe| probe.unit == *given || gives(summaries, *given) == Some(probe.read))
        {
            fixtures.insert(facts.name(data.name), probe.read);
        }
    }
    let mut out = Vec::new();
    for (unit, _) in all().filter(|_| !fixtures.is_empty()) {
        let facts = index.file(unit.0);
        let data = facts.unit(unit.1);
        for param in &data.params {
            let Some(read) = fixtures.get(facts.name(param.name)) else { continue };
            for op in spots(&data.body).iter().filter_map(Spot::op) {
                if let What::Call { callee, .. } = facts.op(op).what
                    && *facts.value(callee) == Value::Name(param.name)
                {
                    out.push((*read, unit, op));
                }
            }
        }
    }
    out
}

fn gives(summaries: &[Vec<Arc<Summary>>], unit: UnitRef) -> Option<Site> {
    summaries[unit.0.0 as usize][unit.1.0 as usize].gives.as_ref().and_then(read_at)
}

/// One unit that reads the number of a port.
struct Reader<'a> {
    index: &'a Index<'a>,
    summaries: &'a [Vec<Arc<Summary>>],
    unit: UnitRef,
    facts: &'a FileFacts,
    row: Vec<Spot>,
}

impl<'a> Reader<'a> {
    fn new(index: &'a Index<'a>, summaries: &'a [Vec<Arc<Summary>>], unit: UnitRef) -> Self {
        let facts = index.file(unit.0);
        Reader { index, summaries, unit, facts, row: spots(&facts.unit(unit.1).body) }
    }

    fn place(&self, op: OpId) -> Option<usize> {
        self.row.iter().position(|spot| spot.op() == Some(op))
    }

    fn site(&self, op: OpId) -> Site {
        Site { file: self.unit.0, op }
    }

    /// Tried again where it fails: in a loop, and inside a handler.
    fn is_retried(&self, op: OpId) -> bool {
        let Some(at) = self.place(op) else { return false };
        self.row[at].around.iter().any(|region| matches!(region, Region::Loop(_)))
    }

    /// Whether what a call gives is only compared, or kept in a mock.
    fn is_only_asked(&self, op: OpId) -> bool {
        let mut held: Vec<Sym> = Vec::new();
        let mut used = false;
        for spot in &self.row {
            let is = |v: V| match self.facts.value(v) {
                Value::Result(of) => *of == op,
                Value::Name(name) => held.contains(name),
                _ => false,
            };
            let Look::Op(here) = spot.look else { continue };
            match &self.facts.op(here).what {
                What::Assert(_) => {}
                What::Store { to, value, .. } if is(*value) => match self.facts.value(*to) {
                    Value::Name(name) => held.push(*name),
                    _ => used = true,
                },
                What::Call { callee, .. } if self.is_mock(*callee) => {}
                what => each_value(what, &mut |v| mentions(self.facts, v, &is, &mut |_| used = true)),
            }
        }
        !used
    }

    /// `unittest.mock.MagicMock` and its like.
    fn is_mock(&self, callee: V) -> bool {
        let name = match self.index.resolve_value(self.unit.0, self.unit.1, callee) {
            Some(super::index::Binding::External(name)) => name.to_string(),
            _ => return false,
        };
        let last = name.rsplit('.').next().unwrap_or_default();
        name.contains("mock") && (last.ends_with("Mock") || last == "create_autospec")
    }

    fn probe(&self, read: OpId) -> Option<Probe> {
        let data = self.facts.unit(self.unit.1);
        if matches!(data.shape, Shape::Module | Shape::ClassBody) || self.is_retried(read) {
            return None;
        }
        let at = self.place(read)?;
        let held = self.socket(read)?;
        if !self.is_free(held) || self.escapes(held) {
            return None;
        }
        let numbers = self.numbers(read, at);
        let tells = |v: V| self.tells(v, read, &numbers);
        let closed = held.and_then(|held| self.closed(held, at));
        let gone_from = match closed {
            Some((from, _)) => from,
            None => self.scope_end(held, read)?,
        };
        let by_hand = closed.and_then(|(_, op)| op).map(|op| self.site(op));
        let found = |handed: OpId, leaves: bool| Probe {
            unit: self.unit,
            read: self.site(read),
            closed: by_hand,
            handed: self.site(handed),
            leaves,
            takers: Vec::new(),
        };
        for (i, spot) in self.row.iter().enumerate().skip(at) {
            let Look::Op(op) = spot.look else { continue };
            let behind = i >= gone_from;
            match &self.facts.op(op).what {
                // The function's end closes it, whatever else does.
                What::Return(Some(v)) if !data.yields && tells(*v) => return Some(found(op, true)),
                What::Yield(Some(v)) if behind && tells(*v) => return Some(found(op, true)),
                What::Store { to, value, .. }
                    if matches!(self.facts.value(*to), Value::Attr(..)) && (behind || closed.is_some()) && tells(*value) =>
                {
                    return Some(found(op, true));
                }
                What::Call { callee, args } if behind && self.listens(*callee) => {
                    let mut told = false;
                    for arg in args {
                        mentions(self.facts, arg.value, &tells, &mut |_| told = true);
                    }
                    if told {
                        return Some(found(op, false));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// A call whose name says that it listens, or starts what does.
    fn listens(&self, callee: V) -> bool {
        let name = match self.facts.value(callee) {
            Value::Attr(_, name) | Value::Name(name) => Some(*name),
            Value::Path(names) => names.last().copied(),
            _ => None,
        };
        let name = name.map(|name| self.facts.name(name).to_ascii_lowercase()).unwrap_or_default();
        LISTENS.iter().any(|part| name.contains(part))
    }

    /// The variable that holds the socket that a number is read off; none for a temporary.
    fn socket(&self, read: OpId) -> Option<Option<Sym>> {
        let What::Call { callee, .. } = &self.facts.op(read).what else { return None };
        let mut at = *callee;
        for _ in 0..8 {
            let Value::Attr(base, _) = self.facts.value(at) else { return Some(None) };
            match self.facts.value(*base) {
                Value::Name(_) if self.facts.is_self(*base) => return None,
                Value::Name(name) => {
                    // An address that was kept in a variable leads on to the socket.
                    match self.maker(*name).map(|op| &self.facts.op(op).what) {
                        Some(What::Call { callee, .. }) if self.is_address(*callee) => at = *callee,
                        _ => return Some(Some(*name)),
                    }
                }
                Value::Result(op) => match &self.facts.op(*op).what {
                    What::Call { callee, .. } => at = *callee,
                    _ => return None,
                },
                _ => return None,
            }
        }
        None
    }

    fn is_address(&self, callee: V) -> bool {
        match self.facts.value(callee) {
            Value::Attr(base, name) => match self.facts.name(*name) {
                "local_addr" => true,
                "unwrap" | "expect" => matches!(self.facts.value(*base), Value::Result(op)
                    if matches!(&self.facts.op(*op).what, What::Call { callee, .. } if self.is_address(*callee))),
                _ => false,
            },
            _ => false,
        }
    }

    fn store(&self, name: Sym) -> Option<(OpId, V)> {
        let mut stores = self.row.iter().filter_map(Spot::op).filter_map(|op| match &self.facts.op(op).what {
            What::Store { to, value, .. } if *self.facts.value(*to) == Value::Name(name) => Some((op, *value)),
            _ => None,
        });
        let first = stores.next();
        if stores.next().is_some() { None } else { first }
    }

    fn maker(&self, name: Sym) -> Option<OpId> {
        match self.facts.value(self.store(name)?.1) {
            Value::Result(op) => Some(*op),
            _ => None,
        }
    }

    /// Whether the system chose the port: bound to 0 here, or by the function of the project that made the socket.
    fn is_free(&self, held: Option<Sym>) -> bool {
        if binds_zero(self.facts, &self.row) {
            return true;
        }
        let made = held.and_then(|held| self.maker(held));
        let Some(made) = made.filter(|_| self.facts.language == Language::Python) else { return false };
        let What::Call { callee, .. } = &self.facts.op(made).what else { return false };
        let Some(name) = self.facts.dotted(*callee) else { return false };
        let last = name.rsplit('.').next().unwrap_or(&name);
        self.summaries[self.unit.0.0 as usize][self.unit.1.0 as usize].needs.iter().any(|(file, unit)| {
            let facts = self.index.file(*file);
            let data = facts.unit(*unit);
            facts.name(data.name) == last && binds_zero(facts, &spots(&data.body))
        })
    }

    /// Somebody else has the socket, or it is used as one.
    fn escapes(&self, held: Option<Sym>) -> bool {
        let Some(held) = held else { return false };
        let is = |v: V| *self.facts.value(v) == Value::Name(held);
        let mut out = false;
        let mut look = |v: V| {
            mentions(self.facts, v, &is, &mut |mention| {
                out |= match mention {
                    Mention::Part(name) => !QUIET.contains(&self.facts.name(name)),
                    Mention::Whole | Mention::Inner => true,
                }
            });
        };
        for spot in &self.row {
            match spot.look {
                Look::Ask(v) => look(v),
                Look::Enter(_) => {}
                Look::Op(op) => match &self.facts.op(op).what {
                    What::Store { to, value, .. } if is(*to) => look(*value),
                    What::Call { callee, args } if is_end(self.facts, *callee) && args.iter().all(|arg| is(arg.value)) => {}
                    what => each_value(what, &mut look),
                },
            }
        }
        out
    }

    /// Variables that hold the number, or the address with it.
    fn numbers(&self, read: OpId, at: usize) -> Vec<Sym> {
        let mut numbers: Vec<Sym> = Vec::new();
        for op in self.row[at..].iter().filter_map(Spot::op) {
            let What::Store { to, value, .. } = &self.facts.op(op).what else { continue };
            if !self.tells(*value, read, &numbers) {
                continue;
            }
            match self.facts.value(*to) {
                Value::Name(name) => numbers.push(*name),
                // `host, port = s.getsockname()`.
                Value::Tuple(all) | Value::List(all) => {
                    if let Some(Value::Name(name)) = all.get(1).map(|v| self.facts.value(*v)) {
                        numbers.push(*name);
                    }
                }
                _ => {}
            }
        }
        numbers
    }

    /// Whether a value holds the number; the host alone does not.
    fn tells(&self, v: V, read: OpId, numbers: &[Sym]) -> bool {
        let whole = |v: V| match self.facts.value(v) {
            Value::Result(op) => *op == read,
            Value::Name(name) => numbers.contains(name),
            _ => false,
        };
        match self.facts.value(v) {
            Value::Item(base, key) if whole(*base) => *self.facts.value(*key) != Value::Int(0),
            Value::Tuple(all) | Value::List(all) | Value::Format(all) => all.iter().any(|v| self.tells(*v, read, numbers)),
            Value::Binary(_, a, b) => self.tells(*a, read, numbers) || self.tells(*b, read, numbers),
            // `int(port)`, `Ok(port)`, `format!("{port}")`.
            Value::Result(op) if *op != read => match &self.facts.op(*op).what {
                What::Call { callee, args } if is_conversion(self.facts, *callee) => {
                    args.iter().any(|arg| self.tells(arg.value, read, numbers))
                }
                _ => whole(v),
            },
            _ => whole(v),
        }
    }

    /// Where the socket is closed for sure: from which place on, and the call that does it.
    fn closed(&self, held: Sym, read: usize) -> Option<(usize, Option<OpId>)> {
        let is = |v: V| *self.facts.value(v) == Value::Name(held);
        let by_hand = self.row.iter().enumerate().skip(read).find_map(|(i, spot)| {
            let op = spot.op()?;
            let What::Call { callee, args } = &self.facts.op(op).what else { return None };
            let closes = match self.facts.value(*callee) {
                Value::Attr(base, name) => is(*base) && self.facts.name(*name) == "close",
                _ => is_end(self.facts, *callee) && args.len() == 1 && is(args[0].value) && self.facts.language == Language::Rust,
            };
            closes.then_some((i + 1, Some(op)))
        });
        by_hand.or_else(|| {
            // The `with` block whose variable it is.
            let (op, _) = self.store(held)?;
            let region = self.row[self.place(op)?].around.iter().rev().find(|region| matches!(region, Region::With(_)))?;
            let opened = self.row.iter().any(|spot| match spot.look {
                Look::Enter(v) => {
                    self.facts.language == Language::Python && self.store(held).is_some_and(|(_, value)| self.is_same(v, value))
                }
                _ => false,
            });
            let last = self.row.iter().rposition(|spot| spot.around.contains(region))?;
            opened.then_some((last + 1, None))
        })
    }

    /// Whether what is bound in a `with` block is what it enters: the value itself, or what `closing` wraps.
    fn is_same(&self, entered: V, bound: V) -> bool {
        entered == bound || self.facts.value(entered) == self.facts.value(bound)
    }

    /// Where a Rust variable, or the statement that made a temporary, has ended.
    fn scope_end(&self, held: Option<Sym>, read: OpId) -> Option<usize> {
        let last = self.row.len();
        if self.facts.language == Language::Python {
            return Some(last);
        }
        let Some(held) = held else { return Some(self.place(read)? + 1) };
        let (store, _) = self.store(held)?;
        let block = innermost(&self.facts.unit(self.unit.1).body, store)?;
        let inside: BTreeSet<OpId> = spots(block).iter().filter_map(Spot::op).collect();
        self.row.iter().rposition(|spot| spot.op().is_some_and(|op| inside.contains(&op))).map(|at| at + 1)
    }
}

/// `drop(socket)` and `closing(socket)`: they end it, and hand it to nobody.
fn is_end(facts: &FileFacts, callee: V) -> bool {
    facts.dotted(callee).is_some_and(|name| matches!(name.rsplit(['.', ':']).next().unwrap_or(&name), "drop" | "closing"))
}

fn is_conversion(facts: &FileFacts, callee: V) -> bool {
    let known = |name: String| matches!(name.as_str(), "int" | "str" | "cast" | "typing.cast" | "Ok" | "Some" | "format!");
    facts.dotted(callee).is_some_and(known)
}

/// Whether a body binds a socket to port 0.
fn binds_zero(facts: &FileFacts, row: &[Spot]) -> bool {
    row.iter().filter_map(Spot::op).any(|op| {
        let What::Call { callee, args } = &facts.op(op).what else { return false };
        let name = match facts.value(*callee) {
            Value::Attr(_, name) | Value::Name(name) => Some(*name),
            Value::Path(names) => names.last().copied(),
            _ => None,
        };
        let binds = name.is_some_and(|name| matches!(facts.name(name), "bind" | "create_server"));
        binds && args.first().is_some_and(|arg| is_zero(facts, arg.value))
    })
}

fn is_zero(facts: &FileFacts, address: V) -> bool {
    match facts.value(address) {
        Value::Text(text) => facts.name(*text).ends_with(":0"),
        Value::Tuple(all) | Value::List(all) => all.get(1).is_some_and(|v| *facts.value(*v) == Value::Int(0)),
        _ => false,
    }
}

/// The block of a Rust body that holds an operation itself.
fn innermost(block: &Block, op: OpId) -> Option<&Block> {
    for step in block {
        let found = match step {
            Step::Op(here) if *here == op => return Some(block),
            Step::Scope(body) | Step::Loop { body, .. } | Step::Try { body, .. } => innermost(body, op),
            Step::If { then, other, .. } => innermost(then, op).or_else(|| innermost(other, op)),
            Step::Match { arms, .. } => arms.iter().find_map(|arm| innermost(&arm.body, op)),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
