//! Registries: containers that modules fill when they are imported, who reads one as a whole, and which tests feel who came first.

use super::call::Passed;
use super::eval::Eval;
use super::imports::{Imports, LOADED};
use super::index::walk_ops;
use super::leak::{is_put_back_by_runner, is_set_before, share_process};
use super::overlap::changes;
use super::place::{Place, Realm, Root};
use super::suite::Test;
use super::summary::{Effect, Summary};
use super::term::{Piece, Site, Term, UnitRef};
use crate::calls::Verb;
use crate::facts::run::Setup;
use crate::facts::{Arg, Block, Comparison, FileFacts, Language, OpId, Step, UnitId, V, Value, What};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A module whose body changes what belongs to another module or to a library.
#[derive(Clone, PartialEq, Debug)]
pub struct Registration {
    pub module: FileId,
    /// The list, table or setting that it changes.
    pub container: Place,
    /// What it does, one for each place in the source.
    pub effects: Vec<Effect>,
    /// Product code that reads the whole container, and does not load the module itself.
    pub readers: Vec<Site>,
    /// Whoever can name the container has the module loaded: it is filled before anybody looks.
    pub complete: bool,
    /// Tests that load the module, by their index.
    pub importers: Vec<usize>,
    /// The `conftest.py` files of all these load it: it has run before the first test starts, whichever tests are chosen.
    pub first: bool,
    /// Tests that do not load it, and whose result depends on all that the container holds; with the effect that reads it.
    pub victims: Vec<(usize, usize)>,
}

/// Functions that look at all of what they are given.
const WHOLE: &[&str] = &[
    "all",
    "any",
    "dict",
    "enumerate",
    "filter",
    "frozenset",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "repr",
    "reversed",
    "set",
    "sorted",
    "str",
    "sum",
    "tuple",
    "zip",
    "L",
];

/// Methods that look at all of what they are called on.
const WHOLE_METHODS: &[&str] = &["copy", "items", "keys", "most_common", "values"];

/// What a program has printed, as a test reads it.
pub(super) const PRINTED: &str = "sys.stdout";

/// Methods that give what was printed so far.
const PRINTS: &[&str] = &["getvalue", "readouterr"];

/// Steps followed from an assertion back to what was printed.
const STEPS: usize = 6;

impl Eval<'_, '_> {
    /// A loop over a container, or over what one of its methods gives.
    pub(super) fn read_whole(&mut self, body: &Block, over: V) {
        let Some(Step::Op(op)) = body.first() else { return };
        let over = self.looped(over);
        self.whole(*op, over, false);
        let site = self.site(*op);
        let read = self.effects.iter_mut().rev().take(2).find(|effect| effect.site == site && effect.verb == Verb::List);
        if let Some(effect) = read
            && let What::Store { to, .. } = &self.facts.op(*op).what
        {
            effect.runs = calls_element(self.facts, body, *to);
        }
    }

    /// A call that looks at all of a container.
    pub(super) fn call_whole(&mut self, op: OpId, callee: V, args: &[Passed]) {
        match self.facts.value(callee) {
            Value::Name(name) if WHOLE.contains(&self.facts.name(*name)) => {
                let values: Vec<V> = args.iter().filter_map(|arg| arg.value).collect();
                values.into_iter().for_each(|value| self.whole(op, value, false));
            }
            Value::Attr(base, name) if WHOLE_METHODS.contains(&self.facts.name(*name)) => self.whole(op, *base, false),
            _ => {}
        }
    }

    /// An assertion that compares a container, or what was printed.
    pub(super) fn asserted_whole(&mut self, op: OpId, cond: V) {
        // What the condition reads is read here, whatever it says of it.
        self.value(cond);
        match self.facts.value(cond) {
            Value::Compare(Comparison::Equal, a, b) if !self.is_snapshot(cond) => self.compared(op, &[*a, *b]),
            Value::Not(inner) => self.whole(op, *inner, true),
            Value::And(all) => all.iter().for_each(|one| self.asserted_whole(op, *one)),
            _ => {}
        }
    }

    /// The same with the assertions of unittest.
    pub(super) fn asserted_whole_by_call(&mut self, op: OpId, method: &str, args: &[Arg]) {
        let equal = matches!(
            method,
            "assertEqual" | "assertEquals" | "assertListEqual" | "assertDictEqual" | "assertCountEqual" | "assertSetEqual"
        );
        if equal && !self.is_snapshot_call(args) {
            let sides: Vec<V> = args.iter().take(2).map(|arg| arg.value).collect();
            self.compared(op, &sides);
        }
    }

    fn compared(&mut self, op: OpId, sides: &[V]) {
        for side in sides {
            self.whole(op, *side, true);
            if self.is_printed(*side, 0) {
                let place = Place::state(Realm::Library(PRINTED.into()), None);
                self.on_state(op, Verb::List, place, None, false);
            }
        }
    }

    /// Whether a value is all that was printed.
    fn is_printed(&self, value: V, depth: usize) -> bool {
        if depth > STEPS {
            return false;
        }
        match self.facts.value(value) {
            Value::Attr(base, _) | Value::Item(base, _) => self.is_printed(*base, depth + 1),
            Value::Name(name) => self.state.stored.get(name).is_some_and(|op| match &self.facts.op(*op).what {
                What::Store { value, .. } => self.is_printed(*value, depth + 1),
                _ => false,
            }),
            Value::Result(op) => match &self.facts.op(*op).what {
                What::Call { callee, .. } => {
                    matches!(self.facts.value(*callee), Value::Attr(_, name) if PRINTS.contains(&self.facts.name(*name)))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Reads all of a container that somebody changes.
    fn whole(&mut self, op: OpId, value: V, asserted: bool) {
        if !matches!(self.facts.value(value), Value::Name(_) | Value::Attr(..)) {
            return;
        }
        let Some(place) = self.shared_thing(value) else { return };
        let changed = match place.segments.last().map(Vec::as_slice) {
            Some([Piece::Lit(name)]) => self.world.index.is_changed(name),
            _ => false,
        };
        if changed && !self.is_ours(&place) {
            self.on_state(op, Verb::List, place, None, false);
            let site = self.site(op);
            let read = self.effects.iter_mut().rev().find(|effect| effect.site == site && effect.verb == Verb::List);
            if let Some(effect) = read {
                effect.asserted |= asserted;
            }
        }
    }
}

impl Eval<'_, '_> {
    /// What a loop goes over: `REGISTRY` in `list(REGISTRY)` and `REGISTRY.values()`.
    fn looped(&self, over: V) -> V {
        let Value::Result(op) = self.facts.value(over) else { return over };
        let What::Call { callee, args } = &self.facts.op(*op).what else { return over };
        match (self.facts.value(*callee), args.as_slice()) {
            (Value::Attr(base, name), []) if WHOLE_METHODS.contains(&self.facts.name(*name)) => *base,
            (Value::Name(name), [arg]) if WHOLE.contains(&self.facts.name(*name)) => arg.value,
            _ => over,
        }
    }
}

/// Whether a block calls the element of its loop, or one of its methods.
fn calls_element(facts: &FileFacts, body: &Block, target: V) -> bool {
    let elements: Vec<&Value> = match facts.value(target) {
        Value::Tuple(all) | Value::List(all) => all.iter().map(|one| facts.value(*one)).collect(),
        one => vec![one],
    };
    let mut found = false;
    walk_ops(body, &mut |op| {
        if let What::Call { callee, .. } = &facts.op(op).what {
            found |= match facts.value(*callee) {
                Value::Attr(base, _) => elements.contains(&facts.value(*base)),
                callee => elements.contains(&callee),
            };
        }
    });
    found
}

/// Names of functions that print, by their last part.
const SHOWS: &[&str] = &["print", "pprint", "echo", "secho", "write", "progress_bar", "master_bar", "tqdm"];

/// Whether a module's code prints.
fn has_print(facts: &FileFacts) -> bool {
    let called = facts.ops.iter().filter_map(|op| match &op.what {
        What::Call { callee, .. } => Some(*callee),
        _ => None,
    });
    let handed = facts.values.iter().any(|value| matches!(value, Value::Name(name) if facts.name(*name) == "print"));
    handed
        || called.into_iter().any(|callee| match facts.value(callee) {
            Value::Name(name) | Value::Attr(_, name) => SHOWS.contains(&facts.name(*name)),
            _ => false,
        })
}

/// The container that a change fills: what is appended to, or what holds the key that is set.
fn filled(effect: &Effect) -> Option<Place> {
    let mut place = (*effect.on).clone();
    let keyed = matches!(effect.verb, Verb::Write | Verb::Create | Verb::Delete) && place.segments.len() > 1;
    if keyed && place.realm()?.is_variable() {
        place.segments.pop();
    }
    let named = place.segments.iter().flatten().all(|piece| matches!(piece, Piece::Lit(_)));
    match place.realm()? {
        Realm::Variable(_) | Realm::Library(_) if named => Some(place),
        _ => None,
    }
}

/// The container that something belongs to: a variable, or what a library keeps.
fn container(place: &Place) -> Option<Place> {
    let kept = match place.realm()? {
        Realm::Variable(_) => 1,
        realm @ Realm::Library(_) => usize::from(!realm.is_of_library()),
        _ => return None,
    };
    let segments: Vec<_> = place.segments.iter().take(kept).cloned().collect();
    let named = segments.iter().flatten().all(|piece| matches!(piece, Piece::Lit(_)));
    named.then(|| Place { root: place.root.clone(), segments })
}

/// Whether what a module body does is taken back before the body ends.
pub fn is_taken_back(state: &[Effect], at: usize) -> bool {
    let effect = &state[at];
    let own = |before: &Effect| changes(before.verb) && before.on.touches(&effect.on);
    effect.undone
        || (effect.verb == Verb::Delete || effect.assured) && state[..at].iter().any(own)
        || state[..at].iter().any(|before| own(before) && is_given_by(effect, before))
        || state[at + 1..].iter().any(|later| {
            changes(later.verb)
                && later.on.root == effect.on.root
                && effect.on.segments.starts_with(&later.on.segments)
                && (later.assured
                    || is_given_by(later, effect)
                    || matches!(later.verb, Verb::Delete | Verb::DeleteTree) && effect.verb != Verb::Delete)
        })
}

/// Whether what a change sets is what an earlier one gave: the old value, as in `os.umask(old)`.
fn is_given_by(later: &Effect, before: &Effect) -> bool {
    matches!(later.value.as_ref().map(Term::plain), Some(Term::Opaque(value)) if value.site == before.site)
}

/// What a module does to the process's state when it is imported, and leaves so.
pub fn left_at_import(summary: &Summary) -> impl Iterator<Item = &Effect> {
    let all = summary.state.iter().enumerate();
    all.filter(|(at, effect)| {
        let lasts = !effect.flagged && !effect.expected && !effect.leave && !is_put_back_by_runner(&effect.on);
        changes(effect.verb) && lasts && !is_taken_back(&summary.state, *at)
    })
    .map(|(_, effect)| effect)
}

/// All registrations, by module.
pub(super) fn registrations(
    tests: &[Test],
    imports: &Imports,
    setup: &Setup,
    facts: &[Arc<FileFacts>],
    summaries: &[Vec<Arc<Summary>>],
    conftests: &BTreeMap<FileId, Vec<FileId>>,
    test_files: &BTreeSet<FileId>,
) -> Vec<Registration> {
    let mut found: BTreeMap<(FileId, Place), Registration> = BTreeMap::new();
    for (i, file) in facts.iter().enumerate().filter(|(_, file)| file.language == Language::Python) {
        let module = FileId(i as u32);
        let Some(summary) = summaries[i].first().filter(|_| !file.units.is_empty()) else { continue };
        for effect in left_at_import(summary) {
            let library = effect.on.realm().is_some_and(Realm::is_of_library);
            let Some(container) = (if library { container(&effect.on) } else { filled(effect) }) else { continue };
            let own = match container.realm() {
                Some(Realm::Variable(holder)) => holder.unit.0 == module,
                // How a foreign function is called is declared by whoever calls it (Python documentation, "ctypes").
                Some(Realm::Library(name)) => &**name == LOADED || name.starts_with("sys.path") || name.starts_with("ctypes."),
                _ => true,
            };
            if own
                || is_put_back_by_runner(&container)
                || library && is_shim(file, module, effect)
                || !library && is_set_by_its_own(effect)
            {
                continue;
            }
            let one = found.entry((module, container.clone())).or_insert_with(|| Registration {
                module,
                container,
                effects: Vec::new(),
                readers: Vec::new(),
                complete: false,
                importers: Vec::new(),
                first: false,
                victims: Vec::new(),
            });
            if one.effects.iter().all(|known| known.site != effect.site) {
                one.effects.push(effect.clone());
            }
        }
    }
    if found.is_empty() {
        return Vec::new();
    }
    let containers: BTreeSet<Place> = found.keys().map(|(_, container)| container.clone()).collect();
    let readers = readers(summaries, &containers);
    // What has run when a test runs: by its file, and what it loads itself.
    let mut by_file: BTreeMap<Vec<FileId>, BTreeSet<FileId>> = BTreeMap::new();
    let loaded: Vec<(Vec<FileId>, BTreeSet<FileId>)> = tests
        .iter()
        .map(|test| {
            let around: Vec<FileId> = conftests[&test.unit.0].iter().copied().chain([test.unit.0]).collect();
            by_file.entry(around.clone()).or_insert_with(|| imports.loaded_by(around.iter().copied()));
            let own = imports.loaded_by(imports.loaded_in(test));
            (around, own)
        })
        .collect();
    let file = |file: FileId| &*facts[file.0 as usize];
    let loads = |test: usize, module: FileId| {
        let (around, own) = &loaded[test];
        own.contains(&module) || by_file.get(around).is_some_and(|all| all.contains(&module))
    };
    let mut reach: BTreeMap<FileId, BTreeSet<FileId>> = BTreeMap::new();
    let mut out = Vec::new();
    for ((module, container), mut one) in found {
        let mut complete = |file: FileId| reach.entry(file).or_insert_with(|| imports.loaded_by([file])).contains(&module);
        if let Some(Realm::Variable(holder)) = container.realm()
            && complete(holder.unit.0)
        {
            out.push(Registration { complete: true, ..one });
            continue;
        }
        let here = readers.get(&container).map_or(&[][..], Vec::as_slice);
        one.readers = here
            .iter()
            .filter(|(unit, _)| unit.0 != module && !test_files.contains(&unit.0) && !complete(unit.0))
            .map(|(_, site)| *site)
            .collect();
        one.importers = (0..tests.len()).filter(|test| !tests[*test].skipped && loads(*test, module)).collect();
        let before: BTreeSet<&Vec<FileId>> = one.importers.iter().map(|test| &conftests[&tests[*test].unit.0]).collect();
        one.first = !before.is_empty() && before.into_iter().all(|all| all.iter().any(|file| complete(*file)));
        for (t, test) in tests.iter().enumerate().filter(|(_, test)| !test.skipped) {
            if loads(t, module) || !one.importers.iter().any(|&other| share_process(&tests[other], test, setup, facts)) {
                continue;
            }
            let reads = test.state.iter().position(|read| {
                let effect = &read.effect;
                let felt = effect.asserted && test_files.contains(&effect.site.file)
                    || effect.runs && has_print(file(module)) && prints(test);
                effect.verb == Verb::List && container == *effect.on && felt
            });
            if let Some(e) = reads.filter(|e| !is_set_before(&test.state, *e)) {
                one.victims.push((t, e));
            }
        }
        out.push(one);
    }
    out
}

/// An attribute of a library that is set under a condition: where this version of the library has none.
fn is_shim(facts: &FileFacts, module: FileId, effect: &Effect) -> bool {
    let stored = effect.site.file == module
        && facts.ops.get(effect.site.op.0 as usize).is_some_and(|op| matches!(op.what, What::Store { .. }));
    stored && effect.maybe
}

/// A variable that a function of its own module binds anew: that is the function's state, and no table that somebody fills.
fn is_set_by_its_own(effect: &Effect) -> bool {
    effect.verb == Verb::Write && effect.on.segments.len() == 1 && !effect.via.is_empty()
}

/// Whether a test asserts exactly what was printed.
fn prints(test: &Test) -> bool {
    let printed = |root: &Root| matches!(root, Root::State(Realm::Library(name)) if &**name == PRINTED);
    test.state.iter().any(|one| one.effect.verb == Verb::List && printed(&one.effect.on.root))
}

/// Where units read containers as a whole.
fn readers(summaries: &[Vec<Arc<Summary>>], containers: &BTreeSet<Place>) -> BTreeMap<Place, Vec<(UnitRef, Site)>> {
    let mut out: BTreeMap<Place, Vec<(UnitRef, Site)>> = BTreeMap::new();
    for (file, units) in summaries.iter().enumerate() {
        for (unit, summary) in units.iter().enumerate() {
            for effect in summary.state.iter().filter(|effect| effect.verb == Verb::List && effect.via.is_empty()) {
                if containers.contains(&*effect.on) {
                    out.entry((*effect.on).clone()).or_default().push(((FileId(file as u32), UnitId(unit as u32)), effect.site));
                }
            }
        }
    }
    out
}
