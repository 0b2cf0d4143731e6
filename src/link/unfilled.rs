//! Registries of a Rust process that start empty and that tests fill by hand: a test that looks something up there, and fills nothing
//! itself, passes only where another test of its binary ran before.
//!
//! What is looked up is followed along plain paths and calls, what may fill along methods of the name too: where in doubt, a test has
//! filled it. What `#[ctor]` fills is there before the first test.

use super::index::{Binding, Index, walk_ops};
use super::leak::share_process;
use super::rust_tests::constructors;
use super::spots::{Region, Spot, each_value, mentions, parts, spots};
use super::suite::{Test, mark_name};
use super::term::{ClassRef, Site, UnitRef};
use crate::facts::run::Setup;
use crate::facts::{FileFacts, Language, OpId, Shape, UnitId, V, Value, What};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A registry, the tests that rely on it, and one that fills it.
#[derive(Clone, PartialEq, Debug)]
pub struct Unfilled {
    pub name: Arc<str>,
    /// Where it is made.
    pub made: Site,
    /// Tests of one file, by index, and where each of them, or a helper of theirs, asks it or hands it out.
    pub reads: Vec<(usize, Site)>,
    /// A test of the same binary that fills it, by index, and where.
    pub filler: (usize, Site),
}

/// Types that make a value when it is first asked for, from a closure.
const LAZY: &[&str] = &["Lazy", "LazyLock"];

/// Locks around a registry.
const LOCKS: &[&str] = &["ArcSwap", "FairMutex", "Mutex", "ReentrantMutex", "RwLock"];

/// Collections that hold entries under a key.
const TABLES: &[&str] = &["AHashMap", "BTreeMap", "DashMap", "FxHashMap", "HashMap", "IndexMap"];

/// Methods that put something into a collection.
const PUTS: &[&str] = &["append", "entry", "extend", "insert", "push", "push_back"];

/// Beginnings of the names of functions that exist to fill a registry.
const FILLS: &[&str] = &["add", "define", "init", "install", "load", "register", "set"];

/// Words in the name or type of a registry whose type is one of the project's own.
const WORDS: &[&str] = &["catalog", "codec", "factor", "handler", "plugin", "provider", "regist"];

/// Calls between a test and what fills a registry.
const CALLS: usize = 24;
/// Methods of one name that are looked at.
const NAMESAKES: usize = 12;

/// A registry with the functions that work on it.
struct Registry {
    module: UnitRef,
    name: Arc<str>,
    made: Site,
    /// Functions that fill it.
    fills: BTreeSet<UnitRef>,
    /// Functions that look something up in it on every way.
    looks: BTreeSet<UnitRef>,
    /// Types without a field whose methods do: who makes one hands out the registry.
    handles: BTreeSet<ClassRef>,
}

pub(super) fn unfilled(index: &Index, tests: &[Test], setup: &Setup, is_test_code: &dyn Fn(UnitRef) -> bool) -> Vec<Unfilled> {
    let mut registries = registries(index);
    if registries.is_empty() {
        return Vec::new();
    }
    find_users(index, &mut registries);
    registries.retain(|one| !one.fills.is_empty() && !one.looks.is_empty());
    let mut out = Vec::new();
    let mut graph: Option<Graph> = None;
    for registry in &registries {
        let readers: Vec<(usize, Site)> = tests
            .iter()
            .enumerate()
            .filter(|(_, test)| !test.skipped && index.file(test.unit.0).language == Language::Rust)
            .filter_map(|(t, test)| Some((t, registry.read_in(index, test.unit, is_test_code)?)))
            .collect();
        if readers.is_empty() {
            continue;
        }
        let graph = graph.get_or_insert_with(|| Graph::new(index));
        let surely = graph.callers(&registry.fills);
        let mut by_file: BTreeMap<FileId, Unfilled> = BTreeMap::new();
        for (t, site) in readers.into_iter().filter(|(t, _)| !graph.may_reach(tests[*t].unit, &surely)) {
            let test = &tests[t];
            if graph.constructors.get(&test.group).into_iter().flatten().any(|unit| surely.contains(unit)) {
                continue;
            }
            let fills = |other: &&Test| surely.contains(&other.unit) && !other.skipped;
            let beside = |other: &&Test| share_process(other, test, setup, index.facts);
            let Some(filler) = tests.iter().position(|other| fills(&other) && beside(&other)) else { continue };
            let Some(filled) = graph.first_step(tests[filler].unit, &surely) else { continue };
            let one = by_file.entry(test.unit.0).or_insert_with(|| Unfilled {
                name: registry.name.clone(),
                made: registry.made,
                reads: Vec::new(),
                filler: (filler, filled),
            });
            one.reads.push((t, site));
        }
        out.extend(by_file.into_values());
    }
    out
}

/// Statics that hold a lock around a collection that is empty at first.
fn registries(index: &Index) -> Vec<Registry> {
    let mut out = Vec::new();
    for (f, facts) in index.facts.iter().enumerate().filter(|(_, facts)| facts.language == Language::Rust) {
        let file = FileId(f as u32);
        for (u, unit) in facts.units.iter().enumerate().filter(|(_, unit)| unit.shape == Shape::Module) {
            for op in spots(&unit.body).iter().filter_map(Spot::op) {
                let What::Store { to, value, ty: Some(ty) } = &facts.op(op).what else { continue };
                let Value::Name(name) = facts.value(*to) else { continue };
                let at = (file, UnitId(u as u32));
                let named = has_word(facts.name(*name)) || speaks_of_registry(facts, *ty, 0);
                if starts_empty(index, at, *value, named, 0) {
                    out.push(Registry {
                        module: at,
                        name: facts.name(*name).into(),
                        made: Site { file, op },
                        fills: BTreeSet::new(),
                        looks: BTreeSet::new(),
                        handles: BTreeSet::new(),
                    });
                }
            }
        }
    }
    out
}

fn has_word(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Whether a type, or one inside it, is named as a registry.
fn speaks_of_registry(facts: &FileFacts, ty: V, depth: usize) -> bool {
    match facts.value(ty) {
        Value::Name(name) => has_word(facts.name(*name)),
        Value::Path(path) => path.last().is_some_and(|name| has_word(facts.name(*name))),
        value if depth < 8 => {
            let mut found = false;
            parts(value, &mut |part| found |= speaks_of_registry(facts, part, depth + 1));
            found
        }
        _ => false,
    }
}

/// `Lazy::new(|| RwLock::new(HashMap::new()))` and its kin.
fn starts_empty(index: &Index, at: UnitRef, value: V, named: bool, depth: usize) -> bool {
    let facts = index.file(at.0);
    let Value::Result(op) = facts.value(value) else { return false };
    let What::Call { callee, args } = &facts.op(*op).what else { return false };
    let path: Vec<&str> = match facts.value(*callee) {
        Value::Path(path) => path.iter().map(|part| facts.name(*part)).collect(),
        _ => return false,
    };
    let [.., ty, how] = path.as_slice() else { return false };
    if depth > 4 {
        return false;
    }
    let inner = |value: V, at: UnitRef| starts_empty(index, at, value, named, depth + 1);
    match args.as_slice() {
        [one] if LAZY.contains(ty) => match facts.value(one.value) {
            Value::Closure(unit) => returned(facts, *unit).is_some_and(|value| inner(value, (at.0, *unit))),
            _ => false,
        },
        [one] if depth < 4 && (LOCKS.contains(ty) || *ty == "Arc") => inner(one.value, at),
        [] if TABLES.contains(ty) => matches!(*how, "new" | "default"),
        // A table of the project's own, whose maker puts nothing in.
        [] if matches!(*how, "new" | "default") && named && depth > 0 => {
            let parts: Vec<&str> = path[..path.len() - 1].to_vec();
            let class = match parts.as_slice() {
                [name] => index.sym(at.0, name).and_then(|name| index.resolve(at.0, at.1, name)),
                parts => index.rust_path(at.0, index.module_of(at.0, at.1), parts, 0),
            };
            let Some(Binding::Class(class)) = class else { return false };
            index.method(class, how).is_none_or(|unit| !puts(index.file(unit.0), unit.1))
        }
        _ => false,
    }
}

/// What a closure of one expression gives.
fn returned(facts: &FileFacts, unit: UnitId) -> Option<V> {
    let mut out = None;
    walk_ops(&facts.unit(unit).body, &mut |op| {
        if let What::Return(Some(value)) = facts.op(op).what {
            out = Some(value);
        }
    });
    out
}

/// Whether a body puts something into a collection.
fn puts(facts: &FileFacts, unit: UnitId) -> bool {
    let mut found = false;
    each_op(facts, unit, &mut |op| found |= method(facts, op).is_some_and(|name| PUTS.contains(&name)));
    found
}

/// Calls `f` on every operation of a function, those of its closures among them.
fn each_op(facts: &FileFacts, unit: UnitId, f: &mut dyn FnMut(OpId)) {
    walk_ops(&facts.unit(unit).body, f);
    let inside = |(_, one): &(usize, &crate::facts::Unit)| one.parent == Some(unit) && one.shape == Shape::Closure;
    let closures: Vec<UnitId> = facts.units.iter().enumerate().filter(inside).map(|(u, _)| UnitId(u as u32)).collect();
    closures.into_iter().for_each(|closure| each_op(facts, closure, f));
}

/// The name of the method that is called.
fn method(facts: &FileFacts, op: OpId) -> Option<&str> {
    let What::Call { callee, .. } = &facts.op(op).what else { return None };
    match facts.value(*callee) {
        Value::Attr(_, name) => Some(facts.name(*name)),
        _ => None,
    }
}

/// The functions that work on the registries.
fn find_users(index: &Index, registries: &mut [Registry]) {
    let mut by_name: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
    for (i, registry) in registries.iter().enumerate() {
        by_name.entry(registry.name.clone()).or_default().push(i);
    }
    let mut functions = Vec::new();
    for (f, facts) in index.facts.iter().enumerate().filter(|(_, facts)| facts.language == Language::Rust) {
        let file = FileId(f as u32);
        let here = |name: &Arc<str>| index.sym(file, name).is_some();
        let near = by_name.keys().any(here);
        for (u, unit) in facts.units.iter().enumerate() {
            if matches!(unit.shape, Shape::Module | Shape::ClassBody | Shape::Closure) {
                continue;
            }
            let at = (file, UnitId(u as u32));
            functions.push(at);
            if !near {
                continue;
            }
            for i in named(index, at, &by_name, registries) {
                let name = facts.name(unit.name);
                let fills = FILLS.iter().any(|start| name.starts_with(start)) || name.contains("regist");
                if fills && puts(facts, at.1) {
                    registries[i].fills.insert(at);
                } else if !fills && looks_up(facts, at.1) {
                    registries[i].looks.insert(at);
                }
            }
        }
    }
    for registry in registries.iter_mut().filter(|registry| !registry.fills.is_empty()) {
        // What calls it on every way, two steps away at most.
        for _ in 0..2 {
            let more: Vec<UnitRef> = functions
                .iter()
                .filter(|at| !registry.looks.contains(at) && looks_up(index.file(at.0), at.1))
                .filter(|at| calls(index, **at, true).iter().any(|(unit, _)| registry.looks.contains(unit)))
                .copied()
                .collect();
            registry.looks.extend(more);
        }
        for (file, unit) in &registry.looks {
            let facts = index.file(*file);
            let data = facts.unit(*unit);
            let Some(class) = data.class.filter(|_| data.shape == Shape::Method) else { continue };
            let class = index.class_of_impl((*file, class));
            if index.file(class.0).class(class.1).fields.is_empty() {
                registry.handles.insert(class);
            }
        }
    }
}

/// Registries that the body of a function names.
fn named(index: &Index, at: UnitRef, by_name: &HashMap<Arc<str>, Vec<usize>>, registries: &[Registry]) -> BTreeSet<usize> {
    let facts = index.file(at.0);
    let mut out = BTreeSet::new();
    let candidates = |v: V| -> &[usize] {
        let name = match facts.value(v) {
            Value::Name(name) => Some(*name),
            Value::Path(path) => path.last().copied(),
            _ => None,
        };
        name.and_then(|name| by_name.get(facts.name(name))).map_or(&[], Vec::as_slice)
    };
    let mut seen: Vec<V> = Vec::new();
    each_op(facts, at.1, &mut |op| {
        let is = |v: V| !candidates(v).is_empty();
        each_value(&facts.op(op).what, &mut |v| leaves(facts, v, &is, &mut seen, 0));
    });
    for v in seen {
        if let Some(Binding::Variable(module, name)) = index.resolve_value(at.0, at.1, v) {
            let same = |i: &&usize| registries[**i].module == module && registries[**i].name == name;
            out.extend(candidates(v).iter().filter(same));
        }
    }
    out
}

/// The parts of a value of which `is` is true.
fn leaves(facts: &FileFacts, v: V, is: &dyn Fn(V) -> bool, out: &mut Vec<V>, depth: usize) {
    if is(v) {
        out.push(v);
    } else if depth < 12 {
        match facts.value(v) {
            Value::Attr(base, _) => leaves(facts, *base, is, out, depth + 1),
            value => parts(value, &mut |part| leaves(facts, part, is, out, depth + 1)),
        }
    }
}

/// Whether a function is asked for something by name, and may have nothing to give.
fn looks_up(facts: &FileFacts, unit: UnitId) -> bool {
    let data = facts.unit(unit);
    let asked = data.params.iter().any(|param| facts.name(param.name) != "self");
    let answer = |ty: V| match facts.value(ty) {
        Value::Item(base, _) => facts.dotted(*base),
        _ => facts.dotted(ty),
    };
    let may_miss = data
        .returns
        .and_then(answer)
        .is_some_and(|name| matches!(name.rsplit("::").next().unwrap_or(&name), "Option" | "Result" | "bool"));
    asked && may_miss
}

/// The functions that a unit and its closures call by a plain path, and where; with `every_way`, outside of conditions and loops alone.
fn calls(index: &Index, at: UnitRef, every_way: bool) -> Vec<(UnitRef, OpId)> {
    let facts = index.file(at.0);
    let mut out = Vec::new();
    let mut look = |op: OpId| {
        if let What::Call { callee, .. } = &facts.op(op).what
            && matches!(facts.value(*callee), Value::Name(_) | Value::Path(_))
            && let Some(Binding::Function(unit)) = index.resolve_value(at.0, at.1, *callee)
        {
            out.push((unit, op));
        }
    };
    if every_way {
        let plain = |spot: &Spot| !spot.around.iter().any(|region| matches!(region, Region::Arm(..) | Region::Loop(_)));
        let row = spots(&facts.unit(at.1).body);
        row.iter().filter(|spot| plain(spot)).filter_map(Spot::op).for_each(look);
    } else {
        each_op(facts, at.1, &mut look);
    }
    out
}

impl Registry {
    /// Where a test, or a helper that only tests have, looks something up or hands the registry out.
    fn read_in(&self, index: &Index, test: UnitRef, is_test_code: &dyn Fn(UnitRef) -> bool) -> Option<Site> {
        let mut todo: Vec<UnitRef> = vec![test];
        let mut seen = BTreeSet::from([test]);
        let mut found = None;
        while let Some(at) = todo.pop() {
            let facts = index.file(at.0);
            if expects_nothing(facts, at.1) {
                return None;
            }
            let mut ops: Vec<OpId> = Vec::new();
            for (unit, op) in calls(index, at, false) {
                if self.looks.contains(&unit) {
                    ops.push(op);
                } else if is_test_code(unit) && seen.insert(unit) && seen.len() < CALLS {
                    todo.push(unit);
                }
            }
            each_op(facts, at.1, &mut |op| {
                let is = |v: V| self.is_handle(index, at, v);
                each_value(&facts.op(op).what, &mut |v| mentions(facts, v, &is, &mut |_| ops.push(op)));
            });
            if let Some(op) = ops.into_iter().min() {
                found.get_or_insert(Site { file: at.0, op });
            }
        }
        found
    }

    fn is_handle(&self, index: &Index, at: UnitRef, v: V) -> bool {
        matches!(index.file(at.0).value(v), Value::Name(_) | Value::Path(_))
            && !self.handles.is_empty()
            && matches!(index.resolve_value(at.0, at.1, v), Some(Binding::Class(class)) if self.handles.contains(&class))
    }
}

/// Whether a test asserts that something is not there.
fn expects_nothing(facts: &FileFacts, unit: UnitId) -> bool {
    let mut found = false;
    each_op(facts, unit, &mut |op| {
        found |= method(facts, op).is_some_and(|name| matches!(name, "is_none" | "is_err" | "unwrap_err" | "expect_err"));
    });
    found
}

/// Who calls whom in the Rust code of a project.
struct Graph<'a> {
    index: &'a Index<'a>,
    /// By function: those that it calls by a plain path, and those that a method of its name may be.
    plain: BTreeMap<UnitRef, Vec<UnitRef>>,
    methods: BTreeMap<UnitRef, Vec<UnitRef>>,
    constructors: HashMap<FileId, Vec<UnitRef>>,
}

impl<'a> Graph<'a> {
    fn new(index: &'a Index<'a>) -> Self {
        let rust = || index.facts.iter().enumerate().filter(|(_, facts)| facts.language == Language::Rust);
        let mut named: HashMap<&str, Vec<UnitRef>> = HashMap::new();
        for (f, facts) in rust() {
            for (u, unit) in facts.units.iter().enumerate().filter(|(_, unit)| unit.shape == Shape::Method) {
                named.entry(facts.name(unit.name)).or_default().push((FileId(f as u32), UnitId(u as u32)));
            }
        }
        let mut graph = Graph { index, plain: BTreeMap::new(), methods: BTreeMap::new(), constructors: constructors(index) };
        for (f, facts) in rust() {
            for (u, unit) in facts.units.iter().enumerate() {
                if matches!(unit.shape, Shape::Module | Shape::ClassBody | Shape::Closure) {
                    continue;
                }
                let at = (FileId(f as u32), UnitId(u as u32));
                let mut plain: Vec<UnitRef> = calls(index, at, false).into_iter().map(|(unit, _)| unit).collect();
                // A fixture of rstest is asked for by the name of a parameter.
                if unit.marks.iter().any(|mark| mark_name(facts, mark).is_some_and(|name| name.ends_with("rstest"))) {
                    for param in &unit.params {
                        if let Some(Binding::Function(fixture)) = index.resolve(at.0, at.1, param.name) {
                            plain.push(fixture);
                        }
                    }
                }
                let mut methods = Vec::new();
                each_op(facts, at.1, &mut |op| {
                    let all = method(facts, op).and_then(|name| named.get(name)).filter(|all| all.len() <= NAMESAKES);
                    methods.extend(all.into_iter().flatten().copied());
                });
                graph.plain.insert(at, plain);
                graph.methods.insert(at, methods);
            }
        }
        graph
    }

    /// All functions from which one of these is reached by plain calls.
    fn callers(&self, of: &BTreeSet<UnitRef>) -> BTreeSet<UnitRef> {
        let mut back: HashMap<UnitRef, Vec<UnitRef>> = HashMap::new();
        for (from, all) in &self.plain {
            all.iter().for_each(|to| back.entry(*to).or_default().push(*from));
        }
        let mut out = of.clone();
        let mut todo: Vec<UnitRef> = of.iter().copied().collect();
        while let Some(at) = todo.pop() {
            todo.extend(back.get(&at).into_iter().flatten().filter(|from| out.insert(**from)).copied().collect::<Vec<_>>());
        }
        out
    }

    /// Whether a test reaches one of these: by plain calls from anywhere, by methods from the test itself and what it calls. What sets up
    /// stands near the test; further away nearly every name leads to every other.
    fn may_reach(&self, test: UnitRef, of: &BTreeSet<UnitRef>) -> bool {
        let mut level = BTreeSet::from([test]);
        for _ in 0..2 {
            if level.iter().any(|unit| of.contains(unit)) {
                return true;
            }
            let called = |unit: &UnitRef| self.plain.get(unit).into_iter().chain(self.methods.get(unit)).flatten().copied();
            level = level.iter().flat_map(called).collect();
        }
        level.iter().any(|unit| of.contains(unit))
    }

    /// The first call of a function that leads to one of these.
    fn first_step(&self, from: UnitRef, to: &BTreeSet<UnitRef>) -> Option<Site> {
        let called = calls(self.index, from, false);
        called.into_iter().find(|(unit, _)| to.contains(unit)).map(|(_, op)| Site { file: from.0, op })
    }
}
