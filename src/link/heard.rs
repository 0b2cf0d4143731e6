//! Other ways to wait for work than to join it: the other end of a channel, the results that it was handed out for, an object that
//! both have.

use super::life::{Heard, Life};
use super::spots::{Look, Region, Spot, each_value, mentions, parts, speaks, spots};
use crate::calls::Kind;
use crate::facts::{Block, Language, OpId, Shape, Step, Sym, UnitId, V, Value, What};
use std::collections::BTreeSet;

/// Methods that come back when another thread has done something.
const AWAITS: &[&str] = &["get", "wait", "recv", "recv_into", "read", "readline", "readlines", "accept", "result", "join"];

/// Methods that end what a `setUp` began.
const TEARDOWNS: &[&str] = &["tearDown", "asyncTearDown", "teardown_method", "teardown"];

impl Life<'_> {
    /// What the unit hears of the work although it does not join it.
    pub(super) fn heard(&self, made: OpId, started: usize, held: Option<Sym>) -> Heard {
        let told = |made: OpId| self.service(made).is_some_and(|service| self.is_told(service, started));
        match (self.facts.language, self.thing.kind) {
            (Language::Python, _) if self.is_handed_away() => Heard::Perhaps,
            (Language::Python, Kind::Thread | Kind::Process) if told(made) => Heard::Perhaps,
            (Language::Rust, Kind::Thread | Kind::Task) => self.other_half(made, started),
            (Language::Python, Kind::Threads) => self.all_results(made, held),
            // An executor ends its idle processes when it is collected; a pool of `multiprocessing` is told to.
            (Language::Python, Kind::Processes) if self.thing.looks.iter().any(|look| look == "submit") => {
                self.all_results(made, held)
            }
            (Language::Python, Kind::Thread) if self.is_brief(made) => Heard::Perhaps,
            (Language::Python, Kind::Thread | Kind::Timer) => self.through_objects(made, started),
            (Language::Python, Kind::Process) if self.is_brief(made) || self.is_detached(made) => Heard::Perhaps,
            (Language::Python, Kind::Child) if self.reads_output(made, held) => Heard::Surely,
            (_, Kind::Child) if self.has_input(made, held) || self.is_brief_command(made) => Heard::Perhaps,
            _ => Heard::Not,
        }
    }

    /// The work has one half of a channel, and the unit hears by the other that it was dropped; or it serves in an endless loop, and
    /// whoever asks hears that.
    fn other_half(&self, made: OpId, started: usize) -> Heard {
        let What::Call { args, .. } = &self.facts.op(made).what else { return Heard::Not };
        let closures = args.iter().filter_map(|arg| match self.facts.value(arg.value) {
            Value::Closure(unit) => Some(*unit),
            _ => None,
        });
        let mut before: Vec<OpId> = self.row[..started].iter().filter_map(Spot::op).collect();
        let mut after: Vec<OpId> = self.row[started + 1..].iter().filter_map(Spot::op).collect();
        // A closure in the middle of a test: the channel is the test's.
        let mut unit = self.unit.1;
        while self.facts.unit(unit).shape == Shape::Closure {
            let Some(parent) = self.facts.unit(unit).parent else { break };
            let row = spots(&self.facts.unit(parent).body);
            before.extend(row.iter().filter_map(Spot::op));
            after.extend(row.iter().filter_map(Spot::op));
            unit = parent;
        }
        let halves: Vec<(Sym, Sym)> = before.iter().flat_map(|op| self.halves(*op)).collect();
        // One of many that a service starts, one for each that asks: who asked hears how it goes.
        let serves = is_served(&self.facts.unit(self.unit.1).body, self.row[started].op(), false);
        let mut heard = if serves { Heard::Perhaps } else { Heard::Not };
        for unit in closures {
            if self.facts.unit(unit).body.iter().any(|step| matches!(step, Step::Loop { over: None, cond: None, .. })) {
                heard = heard.max(Heard::Perhaps);
            }
            if self.sends_to_caller(unit) {
                heard = heard.max(Heard::Perhaps);
            }
            for (inner, outer) in &halves {
                let has = |name: Sym| speaks(self.facts, unit, &|v| *self.facts.value(v) == Value::Name(name), 0);
                if !has(*inner) || has(*outer) {
                    continue;
                }
                let told = self.told(*outer, &after);
                heard = heard.max(match told {
                    Some(told) if told.unwrapped && self.is_last(unit, *inner) => Heard::Surely,
                    Some(told) if told.received => Heard::Perhaps,
                    _ => Heard::Not,
                });
            }
        }
        heard
    }

    /// Whether a closure sends on a channel that the function around it was given: who called that has the other half.
    fn sends_to_caller(&self, closure: UnitId) -> bool {
        let given = &self.facts.unit(self.unit.1).params;
        spots(&self.facts.unit(closure).body).iter().filter_map(Spot::op).any(|op| match &self.facts.op(op).what {
            What::Call { callee, .. } => match self.facts.value(*callee) {
                Value::Attr(base, name) if self.facts.name(*name).contains("send") => {
                    matches!(self.facts.value(*base), Value::Name(name) if given.iter().any(|param| param.name == *name))
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// `let (a, b) = channel();`, either way round.
    fn halves(&self, op: OpId) -> Vec<(Sym, Sym)> {
        let What::Store { to, value, .. } = &self.facts.op(op).what else { return Vec::new() };
        let (Value::Tuple(all), Value::Result(made)) = (self.facts.value(*to), self.facts.value(*value)) else {
            return Vec::new();
        };
        let What::Call { callee, .. } = &self.facts.op(*made).what else { return Vec::new() };
        let name = self.facts.dotted(*callee).unwrap_or_default();
        let last = name.rsplit("::").next().unwrap_or_default();
        if !last.contains("channel") && !matches!(last, "bounded" | "unbounded" | "duplex" | "pair") {
            return Vec::new();
        }
        match all.iter().map(|v| self.facts.value(*v)).collect::<Vec<_>>()[..] {
            [Value::Name(a), Value::Name(b)] => vec![(*a, *b), (*b, *a)],
            _ => Vec::new(),
        }
    }

    /// What these operations, and the closures in them, do with a half.
    fn told(&self, half: Sym, ops: &[OpId]) -> Option<Told> {
        let mut all = ops.to_vec();
        // `block_on(async { … })`.
        for op in ops {
            each_value(&self.facts.op(*op).what, &mut |v| {
                if let Value::Closure(unit) = self.facts.value(v) {
                    all.extend(spots(&self.facts.unit(*unit).body).iter().filter_map(Spot::op));
                }
            });
        }
        let mut out = None;
        for op in all {
            let (chain, unwrapped) = match &self.facts.op(op).what {
                What::Call { callee, .. } => match self.facts.value(*callee) {
                    Value::Attr(base, name) => match self.facts.name(*name) {
                        "unwrap" | "expect" => (*base, true),
                        // Whether a `?` stands behind it is not known.
                        "__await__" | "recv" | "recv_timeout" | "recv_async" | "blocking_recv" => (*base, false),
                        _ => continue,
                    },
                    _ => continue,
                },
                What::Assert(cond) => (*cond, true),
                _ => continue,
            };
            let mut sends = false;
            if self.is_about(chain, half, &mut sends, 0) {
                let told = out.get_or_insert(Told::default());
                told.unwrapped |= unwrapped;
                told.received |= !sends;
            }
        }
        out
    }

    /// Whether a value is made of a variable by methods of it.
    fn is_about(&self, v: V, name: Sym, sends: &mut bool, depth: usize) -> bool {
        if depth > 8 {
            return false;
        }
        match self.facts.value(v) {
            Value::Name(this) => *this == name,
            Value::Result(op) => match &self.facts.op(*op).what {
                What::Call { callee, args } => {
                    let through = match self.facts.value(*callee) {
                        Value::Attr(base, method) => {
                            *sends |= self.facts.name(*method).contains("send");
                            self.is_about(*base, name, sends, depth + 1)
                        }
                        _ => false,
                    };
                    // `timeout(…, rx)`, `block_on(rx)`.
                    through || args.iter().any(|arg| self.is_about(arg.value, name, sends, depth + 1))
                }
                _ => false,
            },
            value => {
                let mut found = false;
                parts(value, &mut |part| found |= self.is_about(part, name, sends, depth + 1));
                found
            }
        }
    }

    /// Whether a closure uses a variable after all its assertions.
    fn is_last(&self, unit: UnitId, name: Sym) -> bool {
        let row = spots(&self.facts.unit(unit).body);
        let is = |v: V| *self.facts.value(v) == Value::Name(name);
        let uses = |spot: &Spot| {
            let mut found = false;
            let mut look = |v: V| mentions(self.facts, v, &is, &mut |_| found = true);
            match spot.look {
                Look::Ask(v) | Look::Enter(v) => look(v),
                Look::Op(op) => each_value(&self.facts.op(op).what, &mut look),
            }
            found
        };
        let asserts = |spot: &Spot| spot.op().is_some_and(|op| matches!(self.facts.op(op).what, What::Assert(_)));
        row.iter().rposition(uses) > row.iter().rposition(asserts)
    }

    /// Every result that an executor is to give is waited for; its threads are idle then, and end with it.
    fn all_results(&self, made: OpId, held: Option<Sym>) -> Heard {
        let is_held = |v: V| match self.facts.value(v) {
            Value::Name(name) => held == Some(*name),
            Value::Result(op) => *op == made,
            _ => false,
        };
        let submitted = self.row.iter().enumerate().filter(|(_, spot)| match spot.op().map(|op| &self.facts.op(op).what) {
            Some(What::Call { callee, .. }) => match self.facts.value(*callee) {
                Value::Attr(base, name) => is_held(*base) && matches!(self.facts.name(*name), "submit" | "map"),
                _ => false,
            },
            _ => false,
        });
        match submitted.filter_map(|(at, spot)| Some((at, spot.op()?))).all(|(at, op)| self.is_waited_for(at, op)) {
            true => Heard::Surely,
            false => Heard::Not,
        }
    }

    fn is_waited_for(&self, at: usize, submitted: OpId) -> bool {
        let mut names = BTreeSet::new();
        let around = &self.row[at].around;
        for spot in &self.row[at + 1..] {
            let plain = spot
                .around
                .iter()
                .all(|region| around.contains(region) || !matches!(region, Region::Arm(..) | Region::Handler(_)));
            let of = |v: V| self.speaks_of(v, submitted, &names, 0);
            match spot.look {
                // `for one in executor.map(…)`.
                Look::Ask(v) if plain && *self.facts.value(v) == Value::Result(submitted) => return true,
                Look::Op(op) => match &self.facts.op(op).what {
                    What::Store { to, value, .. } if of(*value) => {
                        let mut targets = Vec::new();
                        self.reached_by(*to, &mut targets);
                        names.extend(targets);
                    }
                    What::Call { callee, args } => {
                        let waits = match self.facts.value(*callee) {
                            Value::Attr(base, name) => match self.facts.name(*name) {
                                "result" | "exception" => of(*base),
                                "as_completed" => args.iter().any(|arg| of(arg.value)),
                                "wait" => args.iter().any(|arg| of(arg.value)) && args.iter().all(|arg| arg.name.is_none()),
                                // `futures.append(executor.submit(…))`.
                                "append" | "add" => {
                                    let gathers = args.iter().any(|arg| of(arg.value));
                                    if let (true, Value::Name(name)) = (gathers, self.facts.value(*base)) {
                                        names.insert(*name);
                                    }
                                    false
                                }
                                _ => false,
                            },
                            Value::Name(name) => {
                                matches!(self.facts.name(*name), "as_completed" | "wait" | "list" | "sorted" | "set" | "tuple")
                                    && args.iter().any(|arg| of(arg.value))
                                    && args.iter().all(|arg| arg.name.is_none())
                            }
                            _ => false,
                        };
                        if waits && plain {
                            return true;
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        false
    }

    /// The variables through which what is stored can be had.
    fn reached_by(&self, to: V, out: &mut Vec<Sym>) {
        match self.facts.value(to) {
            Value::Name(name) => out.push(*name),
            value => parts(value, &mut |part| self.reached_by(part, out)),
        }
    }

    fn speaks_of(&self, v: V, op: OpId, names: &BTreeSet<Sym>, depth: usize) -> bool {
        match self.facts.value(v) {
            Value::Result(of) if *of == op => true,
            Value::Name(name) => names.contains(name),
            value if depth < 8 => {
                let mut found = false;
                parts(value, &mut |part| found |= self.speaks_of(part, op, names, depth + 1));
                found
            }
            _ => false,
        }
    }

    /// The test waits by an object that the thread has too, or the thread serves what a tear-down closes: how far it still has to go
    /// is not known.
    fn through_objects(&self, made: OpId, started: usize) -> Heard {
        let What::Call { args, .. } = &self.facts.op(made).what else { return Heard::Not };
        let class = self.facts.unit(self.unit.1).class.map(|class| self.index.class_of_impl((self.unit.0, class)));
        let tears_down = class.is_some_and(|class| TEARDOWNS.iter().any(|name| self.index.method(class, name).is_some()));
        if tears_down && args.iter().any(|arg| self.facts.own_field(arg.value).is_some()) {
            return Heard::Perhaps;
        }
        let waits = self.row[started..].iter().filter_map(Spot::op).any(|op| match &self.facts.op(op).what {
            What::Call { callee, .. } => match self.facts.value(*callee) {
                Value::Attr(base, name) if AWAITS.contains(&self.facts.name(*name)) => {
                    let Value::Name(_) = self.facts.value(*base) else { return false };
                    let is = |v: V| self.facts.value(v) == self.facts.value(*base);
                    let mut has = false;
                    args.iter().for_each(|arg| mentions(self.facts, arg.value, &is, &mut |_| has = true));
                    has || args.iter().any(|arg| self.runs(arg.value).is_some_and(|unit| speaks(self.facts, unit, &is, 0)))
                }
                _ => false,
            },
            _ => false,
        });
        if waits { Heard::Perhaps } else { Heard::Not }
    }

    /// The nested function that a name stands for.
    pub(super) fn runs(&self, v: V) -> Option<UnitId> {
        let Value::Name(name) = self.facts.value(v) else { return None };
        self.row.iter().filter_map(Spot::op).find_map(|op| match self.facts.op(op).what {
            What::Define(unit) if self.facts.unit(unit).name == *name => Some(unit),
            _ => None,
        })
    }

    /// `process.stdout.read()` and `for line in process.stdout` come back when the process has closed its output.
    fn reads_output(&self, made: OpId, held: Option<Sym>) -> bool {
        let is_output = |v: V| self.is_stream(v, made, held, &["stdout", "stderr"]);
        self.row.iter().any(|spot| match spot.look {
            Look::Ask(v) => is_output(v),
            Look::Op(op) => match &self.facts.op(op).what {
                What::Call { callee, args } => match self.facts.value(*callee) {
                    Value::Attr(base, name) => {
                        matches!(self.facts.name(*name), "read" | "readlines") && args.is_empty() && is_output(*base)
                    }
                    _ => false,
                },
                _ => false,
            },
            Look::Enter(_) => false,
        })
    }

    /// Whoever holds the input of a child can end it: by a word, or by closing it.
    fn has_input(&self, made: OpId, held: Option<Sym>) -> bool {
        let is_input = |v: V| self.is_stream(v, made, held, &["stdin"]);
        self.row.iter().filter_map(Spot::op).any(|op| {
            let mut found = false;
            let mut look = |v: V| match self.facts.value(v) {
                Value::Attr(base, _) => found |= is_input(*base) || is_input(v),
                _ => found |= is_input(v),
            };
            each_value(&self.facts.op(op).what, &mut look);
            found
        })
    }

    /// A stream of the child, by one of these names.
    fn is_stream(&self, v: V, made: OpId, held: Option<Sym>, names: &[&str]) -> bool {
        match self.facts.value(v) {
            Value::Attr(base, name) if names.contains(&self.facts.name(*name)) => match self.facts.value(*base) {
                Value::Name(name) => held == Some(*name),
                Value::Result(op) => *op == made,
                _ => false,
            },
            _ => false,
        }
    }
}

/// Whether an operation stands in an endless loop.
fn is_served(block: &Block, op: Option<OpId>, endless: bool) -> bool {
    block.iter().any(|step| match step {
        Step::Op(here) => endless && Some(*here) == op,
        Step::Loop { over, cond, body, .. } => is_served(body, op, endless || over.is_none() && cond.is_none()),
        Step::If { then, other, .. } => is_served(then, op, endless) || is_served(other, op, endless),
        Step::Match { arms, .. } => arms.iter().any(|arm| is_served(&arm.body, op, endless)),
        Step::Scope(body) | Step::With { body, .. } => is_served(body, op, endless),
        Step::Try { body, .. } => is_served(body, op, endless),
    })
}

/// What a unit does with its half of a channel.
#[derive(Default)]
struct Told {
    /// It takes no error from it.
    unwrapped: bool,
    /// It receives with it.
    received: bool,
}
