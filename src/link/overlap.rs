//! Who may meet whom: the separation table, the conflict matrix and the predicate over pairs.

use super::place::{Place, Realm, Root};
use super::state::is_named;
use super::suite::{Phase, Test, TestEffect};
use super::summary::Effect;
use super::term::{ClassRef, Lock, Mix, Piece, Site, Term};
use crate::calls::{Discriminator, Reach, Verb};
use crate::facts::marks::selects;
use crate::facts::run::{Dist, Run, Runner, Setup, Workers};
use crate::facts::{FileFacts, Language};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Two things done to one path by tests that may overlap.
#[derive(Clone, PartialEq, Debug)]
pub struct Meeting {
    /// The path, in the words of [`Place::show`].
    pub path: String,
    pub place: Arc<Place>,
    /// The more harmful end: test and effect, as indexes.
    pub first: (usize, usize),
    pub second: (usize, usize),
    /// What the second end sees.
    pub symptom: &'static str,
    /// The run that lets them overlap; none where no run of this project does yet.
    pub run: Option<Run>,
    /// All tests that touch the path, sorted.
    pub tests: Vec<usize>,
    /// One test meets another instance of itself.
    pub with_itself: bool,
    /// An end that changes the path is a set-up that runs once in each process: nothing else at this path collides.
    pub wide: bool,
    /// The name is surely the same for both.
    pub alike: bool,
}

/// Whether a discriminator gives two different instances two different values under a runner: `Some(true)` it does, `Some(false)` it
/// does not, `None` it may (a weak one proves nothing either way). The separation table.
pub fn separates(one: Discriminator, runner: Runner, same_test: bool) -> Option<bool> {
    use Discriminator::*;
    let threads = runner.is_threads();
    let xdist = matches!(runner, Runner::Xdist(_) | Runner::ProcessPool);
    Some(match one {
        Rand | Test => true,
        // Across files and binaries only when the names differ; pytest's name of a test holds its parameters.
        Testname | Class => return None,
        Param => same_test,
        Worker => xdist,
        Slot => runner == Runner::Nextest,
        Pid => !threads,
        Pgid => runner == Runner::Nextest,
        Tid => threads,
        Tname => runner == Runner::CargoTest && !same_test,
        Counter => threads,
        // Coarse clocks make equal names possible, not certain.
        Ns | Ms | Seedrng | Objid => return None,
        Run | Sec | Date | User | Host => false,
    })
}

/// What the second of two actions on one path sees while the first is under way; `None` where it does no harm.
pub fn conflict(first: Verb, second: Verb) -> Option<&'static str> {
    use Verb::*;
    Some(match (first, second) {
        (Write | Update | WriteTree, Read) => "a half-written file (`EOFError`, a decode error, short data)",
        (Write | Update | WriteTree, Write | Update | WriteTree | Append) => "a mixture of both contents, or the other's content",
        (Write | WriteTree | MakeDir | Publish, Create) => "`FileExistsError`",
        (Write | Update | Append | WriteTree | Publish | Create, Delete | DeleteTree) => {
            "a file that vanishes or comes back: `FileNotFoundError`"
        }
        (Write | Create | WriteTree | Publish, List) => "an entry that was not expected",
        (Delete | DeleteTree, Read | Update | Append | Open | Database) => "`FileNotFoundError`",
        (Delete | DeleteTree, Stat) => "a path that was there a moment ago and is gone",
        (Delete | DeleteTree, Delete) => "`FileNotFoundError` on the second removal",
        (Delete | DeleteTree, DeleteTree) => "`FileNotFoundError` or `Directory not empty`",
        (DeleteTree, Write | WriteTree | Create | Publish | MakeDir) => "`FileNotFoundError`: the folder is gone",
        (Delete, Write | WriteTree | Publish | Create) => "a file that vanishes after it was written",
        (Delete | DeleteTree, List) => "an entry that is missing",
        (Append, Write | Read) => "lines that are lost or cut",
        (Publish, Append) => "lines that are lost",
        (Create, Create) => "`FileExistsError`",
        (Database, Database | Write | Delete | DeleteTree) => "`database is locked`, or the other's rows",
        (Write, Database) => "a file that is no database",
        _ => return None,
    })
}

/// What the second of two actions on something that is no path sees while the first is under way.
fn state_conflict(realm: &Realm, first: Verb, second: Verb) -> Option<&'static str> {
    if !changes(first) || second == Verb::Name {
        return None;
    }
    Some(match realm {
        Realm::Environment => "the other's value, or none; and a crash, since another thread may be reading the environment",
        Realm::WorkingDirectory => "relative paths that lead to the other's directory",
        Realm::Variable(_) | Realm::Library(_) => "the other's value",
        Realm::Port if first == Verb::Create && second == Verb::Create => "`Address already in use`",
        Realm::Named(_) if first == Verb::Create && second == Verb::Create => "that it exists already",
        Realm::Named(_) if matches!(first, Verb::Delete | Verb::DeleteTree) => "that it is gone",
        Realm::Named(_) if first == Verb::Write || first == Verb::Update => "the other's content",
        Realm::Port | Realm::Named(_) => return None,
    })
}

/// Whether the last of some effects sees what it would see anyway: it, or its own test before it, sets the same value.
fn is_same_to(one: &Effect, two: &[TestEffect]) -> bool {
    let fixed = |effect: &Effect| effect.value.as_ref().and_then(Term::as_literal);
    let sets = two.iter().rev().find(|own| changes(own.effect.verb) && *own.effect.on == *one.on);
    sets.is_some_and(|own| {
        own.effect.verb == one.verb && (one.verb == Verb::Delete || fixed(one).is_some() && fixed(&own.effect) == fixed(one))
    })
}

/// Whether a program that is looked up is found all the same: the folders that were searched before may still be among those that are
/// set now.
fn still_finds(one: &Effect, two: &Effect) -> bool {
    let replaces = |value: &Term| {
        let mut known = *value.plain() != Term::Unknown;
        value.visit(&mut |part| known &= !matches!(part, Term::Setting(_) | Term::Opaque(_) | Term::Unknown | Term::Call(_)));
        known
    };
    two.call.ends_with("Command::new") && one.verb == Verb::Write && !one.value.as_ref().is_some_and(replaces)
}

/// The runs that carry out a test.
pub(super) fn runs_of<'s>(test: &Test, setup: &'s Setup, facts: &[Arc<FileFacts>]) -> impl Iterator<Item = &'s Run> + Clone {
    let chooses = |run: &&Run| match (&run.marks, &test.marks) {
        (Some(expression), Some(marks)) => selects(expression, marks),
        _ => true,
    };
    let all: Vec<&Run> = setup.runs_of(&test.path, is_rust(test, facts)).filter(chooses).collect();
    all.into_iter()
}

fn is_rust(test: &Test, facts: &[Arc<FileFacts>]) -> bool {
    facts[test.unit.0.0 as usize].language == Language::Rust
}

/// Whether a runner lets two tests (or two instances of one) overlap. What runs once in each process (`wide`) overlaps with what other
/// processes do: each of them runs it, for the first test that asks for it.
fn overlap(runner: Runner, workers: Workers, a: &Test, b: &Test, same: bool, wide: bool) -> bool {
    if workers == Workers::One || workers == Workers::Fixed(1) || workers == Workers::Fixed(0) {
        return false;
    }
    if same && !a.many && !matches!(runner, Runner::Xdist(Dist::Each) | Runner::Copies) {
        return false;
    }
    match runner {
        runner if runner.is_threads() && wide => false,
        Runner::Copies => same,
        Runner::Sequential => false,
        Runner::Xdist(Dist::Load | Dist::WorkSteal | Dist::Each) | Runner::PythonThreads => true,
        // One after the other in a test group of one thread (nextest documentation, "Test groups for mutual exclusion").
        Runner::Nextest => !a.alone && !b.alone && (a.queue.is_none() || a.queue != b.queue),
        Runner::Xdist(Dist::LoadFile) => a.unit.0 != b.unit.0,
        Runner::Xdist(Dist::LoadScope) => {
            a.unit.0 != b.unit.0 || (a.class != b.class && (a.class.is_some() || b.class.is_some()))
        }
        // Without a group a test may run beside any other.
        Runner::Xdist(Dist::LoadGroup) => a.xdist_group.is_none() || a.xdist_group != b.xdist_group,
        Runner::ProcessPool => a.class.is_none() || a.class != b.class,
        Runner::CargoTest => a.group == b.group,
    }
}

/// Whether a lock that both hold orders them under a runner.
fn guarded(a: &[Lock], b: &[Lock], runner: Runner) -> bool {
    let threads = runner.is_threads();
    let orders = |one: &Lock, two: &Lock| one.reach == two.reach && one.on == two.on && !(one.shared && two.shared);
    a.iter().any(|lock| (lock.reach != Reach::Process || threads) && b.iter().any(|other| orders(lock, other)))
}

/// Whether a name differs between two tests (or two instances of one) under a runner; none where it may or may not.
fn separated(place: &Place, runner: Runner, a: &Test, b: &Test, same: bool) -> Option<bool> {
    let mut out = Some(false);
    for one in discriminators(place) {
        let last = |test: &Test| test.name.rsplit("::").next().map(str::to_owned);
        match one {
            Discriminator::Testname if !same && last(a) != last(b) => return Some(true),
            Discriminator::Testname if !same => {}
            one => match separates(one, runner, same) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => out = None,
            },
        }
    }
    out
}

/// Whether a name is meant to be another one for each who makes it.
fn is_meant_unique(place: &Place) -> bool {
    use Discriminator::*;
    let shared = |one: &Discriminator| matches!(one, Param | Date | Run | User | Host);
    discriminators(place).any(|one| !shared(&one))
}

/// What is asked of two effects.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Ask {
    /// Their names are the same, and one is hurt by the other.
    Harm,
    /// Their names are meant to differ, and need not, even where each takes it well that the other came first.
    Name,
    /// As for harm, of what is no path.
    State,
}

impl Ask {
    /// The effects of a test that are asked about.
    fn of(self, test: &Test) -> &[TestEffect] {
        match self {
            Ask::Harm | Ask::Name => &test.effects,
            Ask::State => &test.state,
        }
    }
}

/// What makes two instances of a name differ.
pub fn discriminators(place: &Place) -> impl Iterator<Item = Discriminator> {
    let mix = place.segments.iter().flatten().fold(Mix::EMPTY, |mix, piece| match piece {
        Piece::Hole(term) => mix.or(term.mix()),
        Piece::Lit(_) => mix,
    });
    DISCRIMINATORS.iter().copied().filter(move |one| mix.has(*one))
}

const DISCRIMINATORS: &[Discriminator] = &[
    Discriminator::Rand,
    Discriminator::Pid,
    Discriminator::Pgid,
    Discriminator::Tid,
    Discriminator::Tname,
    Discriminator::Ns,
    Discriminator::Ms,
    Discriminator::Sec,
    Discriminator::Date,
    Discriminator::Counter,
    Discriminator::Worker,
    Discriminator::Slot,
    Discriminator::Run,
    Discriminator::Test,
    Discriminator::Testname,
    Discriminator::Param,
    Discriminator::Class,
    Discriminator::Seedrng,
    Discriminator::Objid,
    Discriminator::User,
    Discriminator::Host,
];

/// Whether a path is one that others can reach: a known root, nothing unknown in it, no discriminator that always separates.
pub fn is_shared(place: &Place) -> bool {
    if place.is_state() {
        return is_named(place);
    }
    if place.segments.is_empty() || !place.is_settled() {
        return false;
    }
    if !matches!(place.root, Root::Abs | Root::Temp | Root::Cwd | Root::Home | Root::Project | Root::Run) {
        return false;
    }
    // Text that was taken for a path: nobody names a file so.
    let odd = |piece: &Piece| matches!(piece, Piece::Lit(text) if text.len() > 255 || text.contains(['\n', '\r', '\t', '\0']));
    if place.segments.iter().flatten().any(odd) {
        return false;
    }
    // Devices, and what the kernel serves.
    if place.root == Root::Abs {
        let first = place.literal().unwrap_or_default();
        if ["dev", "proc", "sys"].iter().any(|top| first == *top || first.starts_with(&format!("{top}/"))) {
            return false;
        }
    }
    !place.mix().has(Discriminator::Rand) && !place.mix().has(Discriminator::Test)
}

/// Whether a name is the same for every instance on a host: literal, or with parts that all of them share.
pub fn has_fixed_name(place: &Place) -> bool {
    let shared = [Discriminator::User, Discriminator::Host, Discriminator::Date]
        .into_iter()
        .fold(Mix::EMPTY, |mix, one| mix.or(Mix::of(one)));
    place.mix().and(shared) == place.mix()
}

/// Several calls away and behind a condition: whether this test takes that way is not known. An entry point reaches every command.
pub fn is_far(effect: &Effect) -> bool {
    effect.maybe && effect.via.len() >= 3
}

/// Whether an effect of a test can take part in a meeting.
pub fn counts(one: &TestEffect) -> bool {
    let effect = &one.effect;
    if is_far(effect) || one.phase == Phase::WideSetup && is_agreed(effect) {
        return false;
    }
    !effect.flagged && !effect.expected && !effect.one_of && effect.verb != Verb::Name && is_shared(&effect.on)
}

/// Done under a lock of the host, and only where the others have not done it yet.
fn is_agreed(effect: &Effect) -> bool {
    effect.maybe && effect.guards.iter().any(|lock| lock.reach == Reach::Host)
}

/// Effects of one path that are looked at pairwise; more of them repeat what these say.
const PAIRED: usize = 96;

/// A test that shares a set-up: its file and class, and whether it is a second one there.
type User = (FileId, Option<ClassRef>, bool);

/// Tests that stand for all that share a set-up.
const USERS: usize = 12;

/// All meetings, one for each path, in the order of the paths.
pub fn meetings(tests: &[Test], setup: &Setup, facts: &[Arc<FileFacts>], ask: Ask) -> Vec<Meeting> {
    let mut paths: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (t, test) in tests.iter().enumerate() {
        if test.skipped {
            continue;
        }
        for (e, one) in ask.of(test).iter().enumerate() {
            if counts(one) && (ask != Ask::Name || is_meant_unique(&one.effect.on)) {
                paths.entry(one.effect.on.key()).or_default().push((t, e));
            }
        }
    }
    let keys: Vec<String> = paths.keys().cloned().collect();
    let mut out = Vec::new();
    for key in &keys {
        let here = &paths[key];
        let changes = |&(t, e): &(usize, usize)| changes(ask.of(&tests[t])[e].effect.verb);
        if !here.iter().any(changes) {
            continue;
        }
        let mut all = pick(here, tests, ask);
        // What deletes or moves a whole tree reaches all below.
        let trees = here.iter().any(|&(t, e)| matches!(ask.of(&tests[t])[e].effect.verb, Verb::DeleteTree));
        if trees {
            let below = format!("{key}/");
            let mut inside: Vec<(usize, usize)> = paths
                .range(below.clone()..)
                .take_while(|(path, _)| path.starts_with(&below))
                .flat_map(|(_, list)| list.iter().copied())
                .collect();
            inside = pick(&inside, tests, ask);
            all.extend(inside);
        }
        if let Some(meeting) = best(&all, tests, setup, facts, ask) {
            out.push(meeting);
        }
    }
    out
}

/// Keeps one effect for each test, verb and phase, up to a bound. A set-up that many tests share is kept for a few of them, from
/// different files and classes.
fn pick(all: &[(usize, usize)], tests: &[Test], ask: Ask) -> Vec<(usize, usize)> {
    let mut seen = BTreeSet::new();
    let mut shared: BTreeMap<(Site, Verb), BTreeSet<User>> = BTreeMap::new();
    let mut out: Vec<(usize, usize)> = all
        .iter()
        .copied()
        .filter(|&(t, e)| {
            let one = &ask.of(&tests[t])[e];
            if one.phase == Phase::WideSetup {
                let users = shared.entry((one.effect.site, one.effect.verb)).or_default();
                let user = |again| (tests[t].unit.0, tests[t].class, again);
                return users.len() < USERS && (users.insert(user(false)) || users.insert(user(true)));
            }
            seen.insert((t, one.effect.verb, one.phase))
        })
        .collect();
    out.sort_by_key(|&(t, e)| (super::summary::harm(ask.of(&tests[t])[e].effect.verb), t, e));
    out.truncate(PAIRED);
    out
}

pub fn changes(verb: Verb) -> bool {
    !matches!(verb, Verb::Read | Verb::Stat | Verb::List | Verb::Open | Verb::Name)
}

/// How two effects meet.
pub(super) struct Chance<'s> {
    /// The strongest run that lets them overlap; none where, for Python, it is the one that a user may turn on next.
    pub run: Option<&'s Run>,
    /// The name is surely the same for both.
    pub alike: bool,
}

/// Whether two effects may happen at the same time, with names that answer what is asked.
pub(super) fn meets<'s>(
    first: (usize, usize),
    second: (usize, usize),
    tests: &[Test],
    setup: &'s Setup,
    facts: &[Arc<FileFacts>],
    ask: Ask,
) -> Option<Chance<'s>> {
    let (a, b, same) = (&tests[first.0], &tests[second.0], first.0 == second.0);
    let (one, two) = (&ask.of(a)[first.1], &ask.of(b)[second.1]);
    let wide = one.phase == Phase::WideSetup || two.phase == Phase::WideSetup;
    let held = |test: &Test, guards: &[Lock]| -> Vec<Lock> { test.guards.iter().chain(guards).cloned().collect() };
    let (held_a, held_b) = (held(a, &one.effect.guards), held(b, &two.effect.guards));
    let of_process = one.effect.on.realm().is_some_and(Realm::is_of_process);
    let apart = |runner: Runner| separated(&one.effect.on, runner, a, b, same);
    let lets = |runner: Runner, workers: Workers| {
        let named = match ask {
            Ask::Harm | Ask::State => apart(runner) == Some(false),
            Ask::Name => apart(runner) != Some(true),
        };
        // A test that changes its process by a fixture is not run as copies (pytest-run-parallel, "thread-unsafe fixtures").
        let reaches = !of_process || runner.is_threads() && runner != Runner::Copies;
        named && reaches && overlap(runner, workers, a, b, same, wide) && !guarded(&held_a, &held_b, runner)
    };
    let is_mixed = a.is_notebook() != b.is_notebook();
    let declared = setup.is_declared(&b.path, is_rust(b, facts));
    let mut runs = runs_of(a, setup, facts).filter(|run| run.declared == declared && (!is_mixed || run.carries(&b.path)));
    let run = runs.clone().find(|run| lets(run.runner, run.workers));
    let latent = Runner::Xdist(Dist::Load);
    if run.is_none() {
        let python = facts[a.unit.0.0 as usize].language == Language::Python;
        let parallel = runs.any(|run| !matches!(run.runner, Runner::Sequential) && run.workers != Workers::One);
        if !python || is_mixed || parallel || !lets(latent, Workers::Fixed(2)) {
            return None;
        }
    }
    Some(Chance { run, alike: apart(run.map_or(latent, |run| run.runner)) == Some(false) })
}

/// The better a pair tells the story, the smaller: with names that may differ, by a set-up for many, with itself, how harmful, how
/// uncertain, and the order of the two ends.
type Rank = (bool, bool, bool, u8, u8, usize, usize);

fn best(all: &[(usize, usize)], tests: &[Test], setup: &Setup, facts: &[Arc<FileFacts>], ask: Ask) -> Option<Meeting> {
    let mut found: Option<(Rank, Meeting)> = None;
    let keys: Vec<String> = all.iter().map(|&(t, e)| ask.of(&tests[t])[e].effect.on.key()).collect();
    let claims: Vec<Vec<&Place>> = all.iter().map(|&(t, e)| claimed(ask.of(&tests[t]), e)).collect();
    for (i, &first) in all.iter().enumerate() {
        let a = &tests[first.0];
        let one = &ask.of(a)[first.1].effect;
        if !changes(one.verb) {
            continue;
        }
        for (j, &second) in all.iter().enumerate() {
            let same = first.0 == second.0;
            let b = &tests[second.0];
            let two = &ask.of(b)[second.1].effect;
            if first == second && !a.many {
                continue;
            }
            if keys[i] != keys[j] && one.verb != Verb::DeleteTree {
                continue;
            }
            let phases = [ask.of(a)[first.1].phase, ask.of(b)[second.1].phase].map(|phase| phase == Phase::WideSetup);
            let remakes = phases == [true, true] && two.verb == Verb::MakeDir;
            let mut both = claims[i].iter().filter(|place| claims[j].contains(place));
            let behind = both.clone().any(|place| **place != *one.on);
            let harm = match one.on.realm() {
                // The second one ends where it makes the folder, and does no more.
                None if both.next().is_some() => None,
                None => conflict(one.verb, two.verb),
                Some(_) if is_same_to(one, &ask.of(b)[..=second.1]) || still_finds(one, two) => None,
                Some(realm) => state_conflict(realm, one.verb, two.verb),
            };
            let symptom = match harm {
                Some(symptom) => symptom,
                // Each makes the folder, and nobody looks first.
                None if one.verb == Verb::MakeDir
                    && two.verb == Verb::MakeDir
                    && (remakes || is_claim(one) && is_claim(two) && !behind)
                    && !is_forgiven(two)
                    && !two.known.iter().any(|known| known.on == two.on) =>
                {
                    "`FileExistsError`"
                }
                None => continue,
            };
            let takes_it = match ask {
                // Who makes a folder that may exist needs it from then on; another worker's wipe takes it away.
                Ask::Harm | Ask::State => {
                    is_forgiven(two) && !(remakes && one.verb == Verb::DeleteTree) || is_idle_look(&ask.of(b)[second.1..])
                }
                // To clear away what was never made is no use of a name.
                Ask::Name => matches!(two.verb, Verb::Delete | Verb::DeleteTree),
            };
            if takes_it {
                continue;
            }
            let Some(chance) = meets(first, second, tests, setup, facts, ask) else { continue };
            // Two different tests tell more than one that meets itself, a reader that breaks more than two writers, and certain effects
            // more than possible ones.
            let certain = u8::from(one.maybe) + u8::from(two.maybe);
            let wide = phases[0] || phases[1] && changes(two.verb);
            let rank = (!chance.alike, wide, same, super::summary::harm(one.verb) + reader(two.verb), certain, i, j);
            if found.as_ref().is_none_or(|(best, _)| rank < *best) {
                let mut touched: Vec<usize> = all.iter().map(|(t, _)| *t).collect();
                touched.sort_unstable();
                touched.dedup();
                let meeting = Meeting {
                    path: one.on.show(),
                    place: one.on.clone(),
                    first,
                    second,
                    symptom,
                    run: chance.run.cloned(),
                    tests: touched,
                    with_itself: same,
                    wide,
                    alike: chance.alike,
                };
                found = Some((rank, meeting));
            }
        }
    }
    found.map(|(_, meeting)| meeting)
}

/// Whether a thing is only looked for to be removed, by a removal that takes it well that it is gone. The look comes first.
fn is_idle_look(from: &[TestEffect]) -> bool {
    let [look, later @ ..] = from else { return false };
    let look = &look.effect;
    let asked = |effect: &Effect| effect.known.iter().any(|known| known.site == look.site);
    let mut after = later.iter().map(|one| &one.effect).filter(|effect| asked(effect)).peekable();
    look.verb == Verb::Stat
        && !look.asserted
        && after.peek().is_some()
        && after.all(|effect| matches!(effect.verb, Verb::Delete | Verb::DeleteTree) && effect.accepts_missing())
}

/// Whether who comes second fails here: a folder that must not be there yet is made, on every way.
fn is_claim(effect: &Effect) -> bool {
    effect.verb == Verb::MakeDir
        && !is_forgiven(effect)
        && !effect.maybe
        && effect.known.iter().all(|known| known.on != effect.on)
}

/// Folders around the place of a test's effect that the test has made by then, for itself alone. A tear-down comes to its turn although the
/// body failed to make one.
fn claimed(effects: &[TestEffect], at: usize) -> Vec<&Place> {
    let one = &effects[at];
    let guards = |claim: &TestEffect| match claim.phase {
        Phase::WideSetup => false,
        Phase::Setup => one.phase != Phase::WideSetup,
        phase => phase == one.phase,
    };
    let around = |place: &Place| place.root == one.effect.on.root && one.effect.on.segments.starts_with(&place.segments);
    let claims = effects[..=at].iter().filter(|claim| is_claim(&claim.effect) && around(&claim.effect.on) && guards(claim));
    claims.map(|claim| &*claim.effect.on).collect()
}

/// Whether an action takes it well that another one came first: a removal of what is gone, a creation of what is there.
fn is_forgiven(effect: &Effect) -> bool {
    match effect.verb {
        Verb::Delete | Verb::DeleteTree => effect.accepts_missing(),
        Verb::MakeDir | Verb::Create => effect.accepts_existing(),
        _ => false,
    }
}

/// A reader that breaks is the plainest other end.
fn reader(verb: Verb) -> u8 {
    match verb {
        Verb::Read | Verb::Database => 0,
        Verb::Write | Verb::Update | Verb::Append => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separation_table() {
        use Discriminator::*;
        let xdist = Runner::Xdist(Dist::Load);
        type Row = (Discriminator, Option<bool>, Option<bool>, Option<bool>);
        let table: &[Row] = &[
            // discriminator, xdist, cargo test, nextest; between two different tests
            (Rand, Some(true), Some(true), Some(true)),
            (Test, Some(true), Some(true), Some(true)),
            (Testname, None, None, None),
            (Param, Some(false), Some(false), Some(false)),
            (Worker, Some(true), Some(false), Some(false)),
            (Slot, Some(false), Some(false), Some(true)),
            (Pid, Some(true), Some(false), Some(true)),
            (Pgid, Some(false), Some(false), Some(true)),
            (Tid, Some(false), Some(true), Some(false)),
            (Tname, Some(false), Some(true), Some(false)),
            (Run, Some(false), Some(false), Some(false)),
            (Ns, None, None, None),
            (Ms, None, None, None),
            (Sec, Some(false), Some(false), Some(false)),
            (Date, Some(false), Some(false), Some(false)),
            (Seedrng, None, None, None),
            (Objid, None, None, None),
            (Counter, Some(false), Some(true), Some(false)),
        ];
        for (one, on_xdist, on_cargo, on_nextest) in table {
            assert_eq!(separates(*one, xdist, false), *on_xdist, "{one:?} under xdist");
            assert_eq!(separates(*one, Runner::CargoTest, false), *on_cargo, "{one:?} under cargo test");
            assert_eq!(separates(*one, Runner::Nextest, false), *on_nextest, "{one:?} under nextest");
        }
        assert_eq!(separates(Param, xdist, true), Some(true), "a parameter separates instances of one test");
    }

    #[test]
    fn the_conflict_matrix() {
        use Verb::*;
        for (first, second) in
            [(Write, Read), (Write, Write), (Delete, Read), (DeleteTree, Write), (Create, Create), (Write, Delete)]
        {
            assert!(conflict(first, second).is_some(), "{first:?} then {second:?}");
        }
        for (first, second) in
            [(Read, Read), (Publish, Read), (Publish, Publish), (MakeDir, MakeDir), (Append, Append), (Write, Stat)]
        {
            assert!(conflict(first, second).is_none(), "{first:?} then {second:?}");
        }
    }

    #[test]
    fn every_discriminator_is_asked() {
        for (bit, one) in DISCRIMINATORS.iter().enumerate() {
            assert_eq!(*one as usize, bit);
        }
        assert_eq!(Discriminator::Host as usize + 1, DISCRIMINATORS.len());
    }
}
