//! What a test leaves changed in its process, and who meets it there: the second of the two predicates (the first is `overlap.rs`).
//!
//! A test pollutes another one when both run in one process, the first changes something that belongs to the process and does not put it
//! back however it ends, and the second reads it before it sets it itself (Gruber et al. 2021, "An Empirical Study of Flaky Tests in
//! Python"; Zhang et al. 2014, "Empirically revisiting the test independence assumption").

use super::index::Binding;
use super::overlap::{changes, is_far, runs_of};
use super::place::{Place, Realm};
use super::risk::{Risk, between};
use super::state::is_named;
use super::suite::{Phase, STARTING, Suite, Test, TestEffect};
use super::summary::{Effect, Spread};
use super::term::{Piece, Site, Term};
use super::world::World;
use crate::calls::Verb;
use crate::facts::run::{Runner, Setup};
use crate::facts::{FileFacts, Language, Shape, UnitId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Whether what a test changes is as before when the next one starts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Restored {
    Never,
    /// By a statement that a failure in between skips.
    IfItPasses,
    Always,
}

/// Something of the process that tests leave changed, at one place in the source.
#[derive(Clone, PartialEq, Debug)]
pub struct Leak {
    pub place: Arc<Place>,
    /// A test and its effect in [`Test::state`], as indexes: the change.
    pub change: (usize, usize),
    pub restored: Restored,
    /// What puts it back when the test passes: an effect of the same test.
    pub restore: Option<usize>,
    /// What may end the test before that.
    pub risk: Option<Risk>,
    /// All tests that leave it so, sorted.
    pub tests: Vec<usize>,
    /// Tests of the same process, and their effects: they read it before they set it.
    pub victims: Vec<(usize, usize)>,
    /// Other tests of the same process use or change it too.
    pub is_used: bool,
    /// Other tests of the same process read it, and each of them sets it first: none of them meets what is left.
    pub is_set_anew: bool,
    /// It brings back what a fresh process has, more likely than not: a cache that is emptied, a flag that is cleared.
    pub is_reset: bool,
}

/// Victims that are named.
const VICTIMS: usize = 16;

/// All leaks that somebody is there to meet, one for each place in the source and name, in the order of the sites.
pub(super) fn leaks(tests: &[Test], world: &World, facts: &[Arc<FileFacts>]) -> Vec<Leak> {
    let setup = world.setup;
    let mut found: BTreeMap<(Site, String), Leak> = BTreeMap::new();
    for (t, test) in tests.iter().enumerate().filter(|(_, test)| !test.skipped && !test.unmet) {
        for e in 0..test.state.len() {
            let Some((restored, restore)) = left(&test.state, e, world) else { continue };
            if is_in_hook(facts, &test.state[e]) {
                continue;
            }
            let effect = &test.state[e].effect;
            let leak = found.entry((effect.site, effect.on.key())).or_insert_with(|| Leak {
                place: effect.on.clone(),
                change: (t, e),
                restored,
                restore,
                risk: None,
                tests: Vec::new(),
                victims: Vec::new(),
                is_used: false,
                is_set_anew: false,
                is_reset: is_reset(effect) || is_initial(world, effect) || is_original(world, effect),
            });
            // The worst of its tests is told.
            if restored < leak.restored {
                (leak.change, leak.restored, leak.restore) = ((t, e), restored, restore);
            }
            leak.tests.push(t);
        }
    }
    let mut out: Vec<Leak> = found.into_values().collect();
    let users = users(tests);
    // One reader may meet many leaks.
    let mut set_before: HashMap<(usize, usize), bool> = HashMap::new();
    for leak in &mut out {
        leak.tests.dedup();
        let change = &tests[leak.change.0].state[leak.change.1];
        let wide = change.phase == Phase::WideSetup;
        leak.risk = leak.restore.and_then(|at| between(facts, &change.effect, &tests[leak.change.0].state[at].effect));
        let near = users.get(&bucket(&leak.place)).into_iter().flatten().copied();
        let near: Vec<(usize, usize)> = near
            .filter(|&(u, e)| {
                let use_of = &tests[u].state[e].effect;
                let other = leak.tests.iter().any(|&t| t != u && share_process(&tests[t], &tests[u], setup, facts));
                let told = leak.place.segments.is_empty() || !use_of.on.segments.is_empty();
                other && told && use_of.on.touches(&leak.place) && !(wide && leak.tests.binary_search(&u).is_ok())
            })
            .collect();
        leak.is_used = near.iter().any(|(u, _)| *u != leak.change.0);
        let reads = |effect: &Effect| matches!(effect.verb, Verb::Read | Verb::List) && !effect.undone && !effect.expected;
        leak.victims = near;
        let mut first = |u: usize, e: usize| !*set_before.entry((u, e)).or_insert_with(|| is_set_before(&tests[u].state, e));
        leak.victims.retain(|&(u, e)| reads(&tests[u].state[e].effect) && !is_saved(&tests[u].state, e));
        let is_read = leak.victims.iter().any(|(u, _)| *u != leak.change.0);
        leak.victims.retain(|&(u, e)| first(u, e));
        leak.is_set_anew = is_read && leak.victims.is_empty() && is_read_by_name(&leak.place);
        // Of each test what an assertion depends on, and those that have one first.
        let unasserted = |&(u, e): &(usize, usize)| !tests[u].state[e].effect.asserted;
        leak.victims.sort_by_key(|at| (at.0, unasserted(at)));
        leak.victims.dedup_by_key(|(u, _)| *u);
        leak.victims.sort_by_key(unasserted);
        leak.victims.truncate(VICTIMS);
    }
    let meets_somebody = |leak: &Leak| {
        let (one, own) = (&tests[leak.change.0], &leak.tests);
        let mut others = tests.iter().enumerate().filter(|(u, other)| !other.skipped && own.binary_search(u).is_err());
        match tests[leak.change.0].state[leak.change.1].phase {
            // What one set-up does for many is meant for them.
            Phase::WideSetup => !leak.victims.is_empty(),
            Phase::Setup if own.len() * 2 > tests.len() => !leak.victims.is_empty(),
            _ => others.any(|(_, other)| share_process(one, other, setup, facts)),
        }
    };
    out.retain(meets_somebody);
    out
}

/// Whether it is part of a hook of a `conftest.py`, which each worker calls before its first test: all tests meet the same.
fn is_in_hook(facts: &[Arc<FileFacts>], one: &TestEffect) -> bool {
    let (file, unit) = one.within;
    let file = &facts[file.0 as usize];
    one.phase == Phase::WideSetup && STARTING.contains(&file.name(file.unit(unit).name))
}

/// How a change that a test makes is left; none where it is none of its own that lasts, or where that is not clear.
fn left(state: &[TestEffect], at: usize, world: &World) -> Option<(Restored, Option<usize>)> {
    let one = &state[at];
    let effect = &one.effect;
    let of_process = effect.on.realm().is_some_and(Realm::is_of_process);
    if !of_process || !changes(effect.verb) || effect.expected || effect.flagged || effect.one_of || !is_named(&effect.on) {
        return None;
    }
    if effect.undone
        || is_local(world, &effect.on)
        || is_put_back_by_runner(&effect.on)
        || ends(one)
        || effect.spread == Some(Spread::Processes)
        || is_far(effect)
    {
        return None;
    }
    // What comes after a first change of one's own continues it, or takes it back; and a copy that is taken is put back with all of it.
    let shields = |before: &TestEffect| {
        let own = changes(before.effect.verb) && before.phase != Phase::WideSetup && before.effect.on.touches(&effect.on);
        // Modules that are taken out and loaded again: what is patched may be a copy that goes.
        let reloaded = matches!(effect.on.realm(), Some(Realm::Variable(_))) && is_modules(&before.effect.on);
        own || reloaded
            || is_of_subclass(world, &before.effect, effect)
            || before.effect.undone && (covers(before, effect) || may_cover(before, effect))
    };
    if state[..at].iter().any(shields) {
        return None;
    }
    let later = || {
        state.iter().enumerate().skip(at + 1).filter(|(_, later)| {
            // One operation may well change the same thing twice: in a loop. What runs at the end comes from another call of it.
            let another = later.effect.site != effect.site || ends(later);
            // What is put back later by itself goes back to what this change left.
            let stays = !later.effect.undone || ends(later);
            changes(later.effect.verb) && another && stays && (covers(later, effect) || may_cover(later, effect))
        })
    };
    // A module that is loaded again later has its variables as they were.
    let loaded_again = |later: &TestEffect| {
        matches!(effect.on.realm(), Some(Realm::Variable(_))) && is_modules(&later.effect.on) && changes(later.effect.verb)
    };
    if later().any(|(_, later)| ends(later)) || state[at + 1..].iter().any(loaded_again) {
        return None;
    }
    match later().next_back() {
        None => Some((Restored::Never, None)),
        Some((_, last)) if !covers(last, effect) => None,
        Some((i, last)) => match puts_back(world, effect, &last.effect) {
            Some(true) => Some((Restored::IfItPasses, Some(i))),
            Some(false) => Some((Restored::Never, None)),
            None => None,
        },
    }
}

/// Whether all who read it name it: methods read the fields of objects and classes through their receiver, which may be any.
fn is_read_by_name(place: &Place) -> bool {
    let plain = place.segments.len() == 1;
    match place.realm() {
        Some(Realm::Variable(holder)) => plain && holder.unit.1 == UnitId(0),
        Some(Realm::Environment) => plain,
        _ => false,
    }
}

/// What pytest and unittest put back after each test, and pytest after collecting too: the filters of warnings (pytest documentation,
/// "How to capture warnings"), what pytest says of the test at hand, and the streams that it captures (pytest documentation, "How to capture
/// stdout/stderr output").
pub(super) fn is_put_back_by_runner(place: &Place) -> bool {
    match place.realm() {
        Some(Realm::Library(name)) => matches!(&**name, "warnings.filters" | "sys.stdout" | "sys.stderr"),
        // pytest sets it anew for each phase of each test (pytest documentation, "PYTEST_CURRENT_TEST environment variable").
        Some(Realm::Environment) => place.literal().as_deref() == Some("PYTEST_CURRENT_TEST"),
        _ => false,
    }
}

/// Whether a class got a variable of its own by the name of one that is changed in another class: an attribute of what it holds may be
/// meant for either.
fn is_of_subclass(world: &World, own: &Effect, other: &Effect) -> bool {
    let class = |place: &Place| match place.realm() {
        Some(Realm::Variable(holder)) => world.index.file(holder.unit.0).unit(holder.unit.1).class.map(|_| holder.unit),
        _ => None,
    };
    let named = own.on.segments.len() == 1 && other.on.segments.len() > 1 && own.on.variable() == other.on.variable();
    named && own.verb == Verb::Write && class(&own.on).zip(class(&other.on)).is_some_and(|(a, b)| a != b)
}

/// Whether it is a variable of a class that a function defines: it goes with the call.
fn is_local(world: &World, place: &Place) -> bool {
    let Some(Realm::Variable(holder)) = place.realm() else { return false };
    let file = world.index.file(holder.unit.0);
    let around = std::iter::successors(Some(holder.unit.1), |unit| file.unit(*unit).parent);
    around.into_iter().any(|unit| !matches!(file.unit(unit).shape, Shape::Module | Shape::ClassBody))
}

/// The modules that are loaded: `sys.modules`.
fn is_modules(place: &Place) -> bool {
    matches!(place.realm(), Some(Realm::Library(name)) if &**name == "sys.modules")
}

/// Whether it brings back the state that a fresh process has, more likely than not: a cache that is emptied, a flag that is cleared.
fn is_reset(effect: &Effect) -> bool {
    let empty = |value: &Term| match value.plain() {
        Term::Nil | Term::Bool(false) | Term::Int(0) => true,
        Term::List(all) => all.is_empty(),
        value => value.as_literal().is_some_and(|text| text.is_empty()),
    };
    match effect.on.realm() {
        // A copy of all variables that was taken before.
        Some(Realm::Environment) => effect.on.segments.is_empty() && effect.verb != Verb::DeleteTree,
        // A module that is loaded again is another one than those who imported it have.
        Some(_) if is_modules(&effect.on) => false,
        Some(Realm::Variable(_) | Realm::Library(_)) => match effect.verb {
            Verb::Delete | Verb::DeleteTree => true,
            Verb::Write => effect.value.as_ref().is_some_and(empty),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a variable or attribute gets the literal that its module, class or constructor gave it.
fn is_initial(world: &World, effect: &Effect) -> bool {
    let set = effect.value.as_ref().map(Term::plain);
    effect.verb == Verb::Write && initial(world, &effect.on).is_some_and(|value| set == Some(value.plain()))
}

/// Whether an attribute gets what stands there as long as nobody changes it: `lib.f = original`, after `original = lib.f`.
fn is_original(world: &World, effect: &Effect) -> bool {
    let Some(value) = effect.value.as_ref().filter(|_| effect.verb == Verb::Write).map(Term::plain) else { return false };
    match (effect.on.realm(), value) {
        (Some(Realm::Library(_)), Term::External(name)) => effect.on.show() == **name,
        (Some(Realm::Variable(holder)), value) => {
            let [segment] = effect.on.segments.as_slice() else { return false };
            let [Piece::Lit(name)] = segment.as_slice() else { return false };
            let class = world.index.file(holder.unit.0).unit(holder.unit.1).class;
            let own = match class {
                Some(class) => world.index.method((holder.unit.0, class), name).map(Binding::Function),
                None => world.index.in_module(holder.unit, name, 0),
            };
            match (own, value) {
                (Some(Binding::Function(own)), Term::Function(value)) => own == *value,
                (Some(Binding::Class(own)), Term::Class(value)) => own == *value,
                _ => false,
            }
        }
        _ => false,
    }
}

/// The literal that a variable or attribute gets from its module, class or constructor.
fn initial(world: &World, place: &Place) -> Option<Term> {
    let Some(Realm::Variable(holder)) = place.realm() else { return None };
    let mut names = place.segments.iter().map(|segment| match segment.as_slice() {
        [Piece::Lit(name)] => Some(name),
        _ => None,
    });
    let first = names.next().flatten()?;
    let value = names.try_fold(world.variable(holder.unit, first), |value, name| Some(world.field(&value, name?, 0)))?;
    let literal = |term: &Term| term.as_literal().is_some() || matches!(term, Term::Int(_) | Term::Bool(_) | Term::Nil);
    literal(value.plain()).then_some(value)
}

/// Whether an effect is on all that another one is on.
fn covers(one: &TestEffect, other: &Effect) -> bool {
    let on = &one.effect.on;
    match (on.realm(), other.on.realm()) {
        // `time.time` is a mock, and `time.time.return_value` an attribute of the mock.
        (Some(Realm::Library(whole)), Some(Realm::Library(part))) if whole != part => {
            let inner = part.strip_prefix(&**whole).is_some_and(|rest| rest.starts_with('.'));
            inner && one.effect.undone && on.segments.is_empty()
        }
        _ => on.root == other.on.root && other.on.segments.starts_with(&on.segments),
    }
}

/// Whether an effect is on something of the same kind whose name is not known.
fn may_cover(one: &TestEffect, other: &Effect) -> bool {
    one.effect.on.root == other.on.root && !is_named(&one.effect.on)
}

/// Part of what runs however the test ends.
fn ends(one: &TestEffect) -> bool {
    one.effect.leave || one.effect.assured || one.phase == Phase::Teardown
}

/// Whether the last change takes back the first one: it removes what was set, or sets what was there before. None where that is not clear.
fn puts_back(world: &World, first: &Effect, last: &Effect) -> Option<bool> {
    let removes = |effect: &Effect| matches!(effect.verb, Verb::Delete | Verb::DeleteTree);
    if removes(last) {
        return Some(!removes(first));
    }
    let value = last.value.as_ref().map(Term::plain);
    let is_literal =
        value.is_some_and(|value| value.as_literal().is_some() || matches!(value, Term::Int(_) | Term::Bool(_) | Term::Nil));
    // Another seed is another series; the state that was there comes back by `setstate`.
    if seeds(last) && is_literal {
        return Some(false);
    }
    if matches!(last.call.rsplit('.').next(), Some("setstate" | "set_state" | "set_rng_state")) {
        return Some(true);
    }
    match first.on.realm()? {
        Realm::Environment => match value? {
            _ if is_literal => Some(false),
            Term::Setting(_) => Some(true),
            Term::Either(all) if all.iter().any(|one| matches!(one.plain(), Term::Setting(_))) => Some(true),
            _ => None,
        },
        Realm::Variable(_) | Realm::Library(_) => match value? {
            Term::Closure(..) => Some(false),
            same if first.value.as_ref().is_some_and(|first| first.plain() == same) => Some(false),
            // Back to a default, unless that is known to be another one.
            same if is_literal => initial(world, &first.on).is_none_or(|initial| initial.plain() == same).then_some(true),
            // What another variable holds is no former value of this one.
            Term::Field(holder, name) if is_other_variable(&first.on, holder, name) => None,
            Term::Function(_) | Term::External(_) | Term::Class(_) | Term::Field(..) | Term::Method(..) => Some(true),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a field is a variable of a module, and another one than this.
fn is_other_variable(place: &Place, holder: &Term, name: &str) -> bool {
    let Term::Module(module) = holder else { return false };
    let same = matches!(place.realm(), Some(Realm::Variable(own)) if own.unit == *module)
        && matches!(place.segments.first().map(Vec::as_slice), Some([Piece::Lit(own)]) if **own == *name);
    !same
}

/// Whether an effect gives a generator of random numbers a seed.
pub fn seeds(effect: &Effect) -> bool {
    let call = effect.call.rsplit(['.', ':']).next().unwrap_or_default();
    matches!(call, "seed" | "manual_seed" | "set_seed" | "set_random_seed" | "manual_seed_all")
}

/// Whether a test sets what it reads, before it reads it.
pub(super) fn is_set_before(state: &[TestEffect], at: usize) -> bool {
    let read = &state[at].effect;
    let sets = |verb: Verb| matches!(verb, Verb::Write | Verb::Delete | Verb::DeleteTree);
    state[..at].iter().any(|before| sets(before.effect.verb) && (covers(before, read) || may_cover(before, read)))
}

/// Whether a test reads something only to put it back later: what it does in between is done to a value of its own.
fn is_saved(state: &[TestEffect], at: usize) -> bool {
    let read = &state[at].effect;
    let Some(Realm::Environment) = read.on.realm() else { return false };
    let of_this = |later: &&TestEffect| later.effect.on == read.on;
    let is_old = |value: &Term| match (value.plain(), read.on.literal()) {
        (Term::Setting(name), Some(key)) => **name == *key,
        _ => false,
    };
    let old = |value: &Term| is_old(value) || matches!(value.plain(), Term::Either(all) if all.iter().any(is_old));
    let mut changes_of = state[at + 1..].iter().filter(of_this).skip_while(|later| !changes(later.effect.verb));
    let first = changes_of.next();
    let put_back = changes_of.any(|later| changes(later.effect.verb) && later.effect.value.as_ref().is_some_and(old));
    let read_before_change = state[at + 1..].iter().filter(of_this).take_while(|later| !changes(later.effect.verb)).count() > 0;
    !read.asserted && first.is_some() && put_back && !read_before_change
}

/// What places that touch have in common: the realm, as a text.
fn bucket(place: &Place) -> String {
    Place { root: place.root.clone(), segments: Vec::new() }.key()
}

/// The effects on something of the process, by realm.
fn users(tests: &[Test]) -> BTreeMap<String, Vec<(usize, usize)>> {
    let mut out: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (t, test) in tests.iter().enumerate().filter(|(_, test)| !test.skipped && !test.unmet) {
        for (e, one) in test.state.iter().enumerate() {
            if one.effect.on.realm().is_some_and(Realm::is_of_process) {
                out.entry(bucket(&one.effect.on)).or_default().push((t, e));
            }
        }
    }
    out
}

impl Suite<'_> {
    /// Whether two tests may run in one process.
    pub fn share_process(&self, a: &Test, b: &Test) -> bool {
        share_process(a, b, self.setup, self.facts)
    }
}

/// Whether two tests may run in one process, one after the other.
pub(super) fn share_process(a: &Test, b: &Test, setup: &Setup, facts: &[Arc<FileFacts>]) -> bool {
    let language = |test: &Test| facts[test.unit.0.0 as usize].language;
    if language(a) != language(b) {
        return false;
    }
    match language(a) {
        Language::Python => true,
        Language::Rust => a.group == b.group && in_one_process(a, setup, facts),
    }
}

/// Whether a run carries out a test of Rust in one process with others. Where all commands that are written down give each test a process
/// of its own, `cargo test` is nobody's way.
fn in_one_process(test: &Test, setup: &Setup, facts: &[Arc<FileFacts>]) -> bool {
    let mut runs = runs_of(test, setup, facts);
    let told = |runner: Runner| {
        let mut runs = runs_of(test, setup, facts);
        runs.any(|run| run.runner == runner && (run.place.is_some() || run.declared))
    };
    runs.any(|run| run.runner == Runner::CargoTest) && (told(Runner::CargoTest) || !told(Runner::Nextest))
}
