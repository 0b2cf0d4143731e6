//! What one unit does, in terms of its parameters: RacerD's shape (Blackshear et al. 2018), with files for heap cells.

use super::condition::{Condition, equality};
use super::life::Born;
use super::pace::{Event, Moment};
use super::patch::Patched;
use super::place::{Fresh, Place, Root};
use super::pool::Pool;
use super::state::in_realm;
use super::term::{Argument, Lock, Object, Opaque, Pending, Piece, Site, Term, UnitRef, pieces};
use super::vary::{Doubtful, Parameters, Unstable, Varying};
use super::world::{NESTED, World};
use crate::calls::Verb;
use crate::text::{FileId, Span};
use std::sync::Arc;

/// Something done to a path, or to something else that has a name ([`Root::State`]).
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    pub verb: Verb,
    pub on: Arc<Place>,
    /// The operation that does it.
    pub site: Site,
    /// The calls through which it is reached, outermost first.
    pub via: Vec<Site>,
    pub guards: Vec<Lock>,
    /// What was asked of which path before, and answered so on the way here.
    pub known: Vec<Known>,
    /// Exceptions that a handler around catches; `*` for all, or a result that is thrown away.
    pub caught: Vec<Arc<str>>,
    /// An existing directory or a missing file is no error here.
    pub tolerant: bool,
    pub format: Option<Arc<str>>,
    /// On a way that a condition opens.
    pub maybe: bool,
    /// The ways on which it stands, outermost first: each arm of a condition, each body that a handler may leave, has a number of its own.
    pub ways: Vec<u32>,
    /// What must hold of the parameters for it to happen.
    pub when: Vec<Condition>,
    /// One of several paths that the value may be.
    pub one_of: bool,
    /// The library call that does it, as the tables name it.
    pub call: Arc<str>,
    /// An assertion depends on all that it gives: a folder's listing.
    pub asserted: bool,
    /// What is read is called there, one after the other: callbacks of a registry.
    pub runs: bool,
    /// Expected to fail.
    pub expected: bool,
    /// Only done when asked for by a flag, a setting or the controller's role.
    pub flagged: bool,
    /// After the yield of a fixture or context manager.
    pub leave: bool,
    /// Runs however the code before it ends: in a `finally`, a clean-up, an `__exit__`, a `Drop`.
    pub assured: bool,
    /// It is put back by itself when the test or block ends: `monkeypatch.setenv`.
    pub undone: bool,
    /// What is written to something that is no path.
    pub value: Option<Term>,
    /// Runs in other threads, tasks or processes, several of them at once.
    pub spread: Option<Spread>,
    /// Runs once in each process, however many tests call for it: `Once::call_once`.
    pub once: bool,
    /// Where the path was put together, last step first.
    pub steps: Vec<Site>,
    /// The `try` statements around the operation that makes sense of what is read, the innermost first.
    pub tries: Vec<Arc<Try>>,
    /// What is written is made of what these operations read.
    pub made_of: Vec<Site>,
    /// What it is done to has gone before, with its owner.
    pub gone: Option<Gone>,
}

/// A `try` statement, or a `match` on a result: its handlers in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Try {
    pub file: FileId,
    pub handlers: Vec<Handling>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Handling {
    /// The last names of the errors caught, `*` for all; none where an expression is not understood.
    pub catches: Option<Vec<Arc<str>>>,
    /// It goes on without the error: it raises nothing.
    pub recovers: bool,
    pub span: Span,
}

/// A new file or directory that went with its owner.
#[derive(Clone, PartialEq, Debug)]
pub struct Gone {
    pub on: Fresh,
    /// The call that gave the owner.
    pub made: Site,
    pub when: When,
    /// Its path leaves the unit here all the same.
    pub returned: Option<Site>,
}

/// When an owner dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// At the end of the statement that made it: nobody holds it.
    Statement,
    /// At the end of a block, a `with` block among them.
    Block,
    /// When the function returns.
    Return,
    /// When its variable is bound again.
    Rebound(Site),
    /// When it is dropped by hand.
    Asked(Site),
}

/// What several runs of one piece of code have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Spread {
    /// Only the host.
    Processes,
    /// One process: its id and what it has drawn from its environment are the same for all.
    Threads,
}

/// A path was seen to exist, or not.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    pub on: Arc<Place>,
    pub exists: bool,
    /// The other answer is refused with an error: the act is not meant to make up for it.
    pub refused: bool,
    pub site: Site,
    /// Locks held when it was asked.
    pub guards: Vec<Lock>,
}

/// What relative and well-known paths mean.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ambience {
    /// None: as the caller has it.
    pub cwd: Option<Where>,
    pub home: Option<Where>,
    pub temp: Option<Where>,
    /// All files are in memory.
    pub in_memory: bool,
    /// What is replaced by something else: `monkeypatch.setattr(shutil, "rmtree", …)`.
    pub patched: Vec<Patched>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Where {
    At(Arc<Place>),
    Unknown,
}

/// What surrounds an operation in the unit that holds it, or in those it was called from.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Around {
    pub via: Vec<Site>,
    pub guards: Vec<Lock>,
    pub known: Vec<Known>,
    pub caught: Vec<Arc<str>>,
    /// The `try` statements around, innermost first.
    pub tries: Vec<Arc<Try>>,
    pub maybe: bool,
    pub ways: Vec<u32>,
    pub when: Vec<Condition>,
    pub expected: bool,
    pub flagged: bool,
    pub leave: bool,
    pub assured: bool,
    pub spread: Option<Spread>,
    pub once: bool,
}

impl Around {
    /// Puts it between an effect's own surroundings and the first `outer` ways, which are those of the unit that looks.
    pub fn enclose(&self, effect: &mut Effect, outer: usize) {
        effect.via.splice(0..0, self.via.iter().copied());
        effect.guards.extend(self.guards.iter().cloned());
        effect.known.splice(0..0, self.known.iter().cloned());
        effect.caught.extend(self.caught.iter().cloned());
        effect.tries.extend(self.tries.iter().cloned());
        effect.maybe |= self.maybe;
        let outer = outer.min(effect.ways.len());
        effect.ways.splice(outer..outer, self.ways.iter().copied());
        effect.when.extend(self.when.iter().filter(|one| !effect.when.contains(one)).cloned().collect::<Vec<_>>());
        effect.expected |= self.expected;
        effect.flagged |= self.flagged;
        effect.leave |= self.leave;
        effect.assured |= self.assured;
        effect.spread = effect.spread.max(self.spread);
        effect.once |= self.once;
    }

    /// These surroundings inside others.
    pub fn within(&self, outer: &Around) -> Around {
        let both = |a: &[u32], b: &[u32]| a.iter().chain(b).copied().collect();
        Around {
            via: outer.via.iter().chain(&self.via).copied().collect(),
            guards: outer.guards.iter().chain(&self.guards).cloned().collect(),
            known: outer.known.iter().chain(&self.known).cloned().collect(),
            caught: self.caught.iter().chain(&outer.caught).cloned().collect(),
            tries: self.tries.iter().chain(&outer.tries).cloned().collect(),
            maybe: self.maybe || outer.maybe,
            ways: both(&outer.ways, &self.ways),
            when: outer.when.iter().chain(&self.when).cloned().collect(),
            expected: self.expected || outer.expected,
            flagged: self.flagged || outer.flagged,
            leave: self.leave || outer.leave,
            assured: self.assured || outer.assured,
            spread: self.spread.max(outer.spread),
            once: self.once || outer.once,
        }
    }
}

/// A call that is made where the callee is known.
#[derive(Clone, PartialEq, Debug)]
pub struct Deferred {
    pub call: Arc<Pending>,
    pub ambience: Ambience,
    pub around: Around,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Summary {
    pub effects: Vec<Effect>,
    /// What it does to things that are no paths.
    pub state: Vec<Effect>,
    /// Pools of all CPUs that it surely starts.
    pub pools: Vec<Pool>,
    /// Calls of what a parameter, a field or a variable of the function around holds.
    pub calls: Vec<Deferred>,
    /// What it returns or yields.
    pub gives: Option<Term>,
    /// Defaults of its parameters.
    pub defaults: Vec<Option<Term>>,
    /// Variables of a module or class body; stores to the receiver's attributes.
    pub stores: Vec<(Arc<str>, Term)>,
    /// At its end, or at the yield of a context manager.
    pub after: Ambience,
    /// Locks held when it ends, or at the yield.
    pub held: Vec<Lock>,
    /// New files and directories that it makes and that go with their owners, at its end at the latest.
    pub gone: Vec<Gone>,
    /// What it makes that has a life of its own.
    pub born: Vec<Born>,
    /// What of the value that it gives differs from run to run.
    pub varying: Vec<Varying>,
    /// Assertions in it that depend on such a value.
    pub doubtful: Vec<Doubtful>,
    /// Lists of parameters without an order, in the marks of what it defines.
    pub parameters: Vec<Parameters>,
    /// Marks whose parameters have other ids in every process.
    pub unstable: Vec<Unstable>,
    /// What it does in time, step by step.
    pub course: Vec<Moment>,
    /// The same with what its callees do; put in when all summaries stand.
    pub events: Vec<Event>,
    /// Units whose summaries were read on the way; put in when all stand.
    pub needs: Vec<UnitRef>,
}

/// A rename: what is taken away, and what it becomes.
#[derive(Clone, Copy)]
pub struct Move<'s> {
    pub from: &'s Effect,
    pub to: &'s Effect,
}

/// All renames among the effects of one unit or test.
pub fn moves(all: &[Effect]) -> impl Iterator<Item = Move<'_>> {
    let taken = all.iter().filter(|effect| effect.verb == Verb::Delete);
    taken.flat_map(move |from| {
        let becomes =
            move |to: &&Effect| to.verb == Verb::Publish && to.site == from.site && to.via == from.via && to.on != from.on;
        all.iter().filter(becomes).map(move |to| Move { from, to })
    })
}

impl Effect {
    /// Whether a handler around catches one of these exceptions (or all).
    pub fn catches(&self, names: &[&str]) -> bool {
        let last = |caught: &Arc<str>| names.contains(&caught.rsplit(['.', ':']).next().unwrap_or(caught));
        self.caught.iter().any(|caught| &**caught == "*" || last(caught))
    }

    /// Whether it takes it well that the path is gone already.
    pub fn accepts_missing(&self) -> bool {
        self.tolerant || self.catches(ANY_FILE_ERROR) || self.catches(&["FileNotFoundError"])
    }

    /// Whether a handler goes on where the path is missing.
    pub fn goes_on_without(&self) -> bool {
        let missing = |name: &Arc<str>| matches!(&**name, "NotFound" | "FileNotFoundError");
        let recovers = |one: &Handling| one.recovers && one.catches.as_ref().is_some_and(|all| all.iter().any(missing));
        self.tries.iter().any(|around| around.handlers.iter().any(recovers))
    }

    /// Whether it takes it well that the path is there already.
    pub fn accepts_existing(&self) -> bool {
        self.tolerant || self.catches(ANY_FILE_ERROR) || self.catches(&["FileExistsError"])
    }

    /// Whether this stands on every way to another effect of the same unit.
    pub fn dominates(&self, other: &Effect) -> bool {
        other.ways.starts_with(&self.ways)
    }
}

/// Exceptions that stand for every fault of a file operation (The Python Standard Library, "Built-in Exceptions").
const ANY_FILE_ERROR: &[&str] = &["OSError", "IOError", "EnvironmentError", "Exception", "BaseException", "error"];

/// Effects kept of one summary, the most harmful first.
pub const EFFECTS: usize = 64;

/// Calls kept between an effect and the unit it is reached from.
pub const TRAIL: usize = 6;

/// How parameters and ambience of a callee are to be read at a call.
pub struct Frame<'a> {
    pub world: &'a World<'a>,
    /// By parameter number of the callee, the receiver included.
    pub params: Vec<Term>,
    /// Of a nested function: the variables around it.
    pub captured: &'a [(Arc<str>, Term)],
    pub ambience: &'a Ambience,
    /// The call.
    pub site: Option<Site>,
}

impl Frame<'_> {
    pub fn effect(&self, effect: &Effect) -> Option<Effect> {
        let is_state = effect.on.is_state();
        if self.ambience.in_memory && !is_state || effect.via.len() >= TRAIL || self.ambience.replaces(&effect.call) {
            return None;
        }
        if self.ambience.replaces_any(self.world, effect.via.iter().copied().chain([effect.site]))
            || self.ambience.replaces_source(self.world, &effect.steps)
        {
            return None;
        }
        let when = self.conditions(&effect.when)?;
        let on = self.placed(&effect.on).filter(|on| !self.ambience.hides(on))?;
        // Most effects of a program are made here: nothing is copied to be replaced.
        Some(Effect {
            verb: effect.verb,
            on,
            site: effect.site,
            via: self.site.iter().chain(&effect.via).copied().collect(),
            guards: effect.guards.iter().map(|lock| self.lock(lock)).collect(),
            known: self.known(&effect.known),
            caught: effect.caught.clone(),
            tolerant: effect.tolerant,
            format: effect.format.clone(),
            maybe: effect.maybe,
            ways: effect.ways.clone(),
            when,
            one_of: effect.one_of,
            call: effect.call.clone(),
            asserted: effect.asserted,
            runs: effect.runs,
            expected: effect.expected,
            flagged: effect.flagged,
            leave: effect.leave,
            assured: effect.assured,
            undone: effect.undone,
            value: effect.value.as_ref().map(|value| self.term(value, 0)),
            spread: effect.spread,
            once: effect.once,
            steps: effect.steps.clone(),
            tries: effect.tries.clone(),
            made_of: effect.made_of.clone(),
            gone: effect.gone.clone(),
        })
    }

    /// The place with parameters filled in; the same one where none are left to fill.
    fn placed(&self, place: &Arc<Place>) -> Option<Arc<Place>> {
        if self.leaves(place) { Some(place.clone()) } else { self.place(place, 0).map(Arc::new) }
    }

    /// Whether a place means the same here as in the callee.
    fn leaves(&self, place: &Place) -> bool {
        let root = match &place.root {
            Root::Of(_) | Root::Fresh(_) => false,
            Root::Cwd | Root::Start => self.ambience.cwd.is_none(),
            Root::Home => self.ambience.home.is_none(),
            Root::Temp => self.ambience.temp.is_none(),
            Root::Abs | Root::Project | Root::Run | Root::Setting(_) | Root::State(_) => true,
        };
        root && place.segments.iter().flatten().all(|piece| matches!(piece, Piece::Lit(_)))
    }

    fn known(&self, all: &[Known]) -> Vec<Known> {
        let seen = |known: &Known| {
            let Known { exists, refused, site, ref guards, .. } = *known;
            Some(Known { on: self.placed(&known.on)?, exists, refused, site, guards: guards.clone() })
        };
        all.iter().filter_map(seen).collect()
    }

    /// A call of the callee's that waited for this one; none where it waits on and has come as far as `callers`, or is of what is not
    /// known.
    pub fn deferred(&self, deferred: &Deferred, callers: usize) -> Option<Deferred> {
        let callee = self.term(&deferred.call.callee, 0);
        let useless = match &callee {
            Term::Unknown | Term::Opaque(_) => true,
            Term::Method(recv, _) => matches!(recv.plain(), Term::Unknown | Term::Opaque(_)),
            callee => callee.is_open() && deferred.around.via.len() >= callers,
        };
        if useless {
            return None;
        }
        let around = &deferred.around;
        let when = self.conditions(&around.when)?;
        let args = deferred.call.args.iter().map(|arg| Argument { term: self.term(&arg.term, 0), ..arg.clone() });
        Some(Deferred {
            call: Arc::new(Pending::new(callee, args.collect(), deferred.call.site)),
            ambience: self.ambience(&deferred.ambience),
            around: Around {
                guards: around.guards.iter().map(|lock| self.lock(lock)).collect(),
                known: self.known(&around.known),
                when,
                ..around.clone()
            },
        })
    }

    fn pending(&self, pending: &Pending, nested: usize) -> Pending {
        let args = pending.args.iter().map(|arg| Argument { term: self.term(&arg.term, nested), ..arg.clone() });
        Pending::new(self.term(&pending.callee, nested), args.collect(), pending.site)
    }

    pub fn ambience(&self, callee: &Ambience) -> Ambience {
        let place = |of: &Option<Where>, ours: &Option<Where>| match of {
            None => ours.clone(),
            Some(Where::At(place)) => match self.place(place, 0) {
                Some(place) => Some(Where::At(Arc::new(place))),
                None => Some(Where::Unknown),
            },
            Some(Where::Unknown) => Some(Where::Unknown),
        };
        Ambience {
            cwd: place(&callee.cwd, &self.ambience.cwd),
            home: place(&callee.home, &self.ambience.home),
            temp: place(&callee.temp, &self.ambience.temp),
            in_memory: callee.in_memory || self.ambience.in_memory,
            patched: self
                .ambience
                .patched
                .iter()
                .chain(callee.patched.iter().filter(|name| !self.ambience.patched.contains(name)))
                .cloned()
                .collect(),
        }
    }

    pub fn lock(&self, lock: &Lock) -> Lock {
        match self.term(&lock.on, 0) {
            // A lock kept in a field, now that it is known which.
            Term::Lock(kept) => (*kept).clone(),
            on => Lock { on, ..lock.clone() },
        }
    }

    fn salt(&self, via: u64) -> u64 {
        match self.site {
            Some(site) => {
                let mut hash = via ^ 0x9e37_79b9_7f4a_7c15;
                for part in [site.file.0, site.op.0] {
                    hash = hash.rotate_left(13).wrapping_mul(0xff51_afd7_ed55_8ccd) ^ u64::from(part);
                }
                hash
            }
            None => via,
        }
    }

    /// The place with parameters filled in; none where nothing is left to say.
    pub fn place(&self, place: &Place, nested: usize) -> Option<Place> {
        let redirected = |to: &Option<Where>, root: Root| match to {
            None => Some(Place::root(root)),
            Some(Where::At(place)) => Some((**place).clone()),
            Some(Where::Unknown) => None,
        };
        let mut out = match &place.root {
            // A relative path handed in means what it means where the call stands.
            Root::Of(term) => {
                let given = Place::of(&self.term(term, nested))?;
                let mut root = match given.root {
                    Root::Cwd => redirected(&self.ambience.cwd, Root::Cwd)?,
                    Root::Home => redirected(&self.ambience.home, Root::Home)?,
                    Root::Temp => redirected(&self.ambience.temp, Root::Temp)?,
                    root => Place::root(root),
                };
                root.segments.extend(given.segments);
                root
            }
            Root::Fresh(fresh) => Place::root(Root::Fresh(Fresh { via: self.salt(fresh.via), ..fresh.clone() })),
            Root::Cwd => redirected(&self.ambience.cwd, Root::Cwd)?,
            Root::Start => redirected(&self.ambience.cwd, Root::Start)?,
            Root::Home => redirected(&self.ambience.home, Root::Home)?,
            Root::Temp => redirected(&self.ambience.temp, Root::Temp)?,
            root => Place::root(root.clone()),
        };
        if let Some(realm) = place.realm() {
            let filled = |piece: &Piece| match piece {
                Piece::Lit(_) => piece.clone(),
                Piece::Hole(term) => Piece::name(in_realm(realm, self.term(term, nested))),
            };
            out.segments = place.segments.iter().map(|segment| segment.iter().map(filled).collect()).collect();
            return Some(out);
        }
        for segment in &place.segments {
            let parts: Vec<Piece> = segment
                .iter()
                .map(|piece| match piece {
                    Piece::Lit(_) => piece.clone(),
                    Piece::Hole(term) => Piece::Hole(self.term(term, nested)),
                })
                .collect();
            // A suffix put onto a path that was not known.
            if let [Piece::Hole(Term::Text(empty)), rest @ ..] = parts.as_slice()
                && empty.iter().all(|piece| matches!(piece, Piece::Lit(text) if text.is_empty()))
            {
                if out.segments.is_empty() {
                    out.segments.push(parts.clone());
                    continue;
                }
                let suffix = pieces(rest.iter().map(piece_term));
                let stem_cut = matches!(&place.root, Root::Of(Term::Field(_, name)) if &**name == "<stem>");
                out = if stem_cut { out.with_suffix(&suffix)? } else { Place::of(&pieces([Term::Path(Arc::new(out)), suffix]))? };
                continue;
            }
            out = match pieces(parts.iter().map(piece_term)) {
                // One hole may turn out to be a whole path.
                Term::Text(text) => match &*text {
                    [Piece::Hole(one)] => out.join(one)?,
                    [Piece::Lit(one)] if !one.contains('/') => out.child(Piece::Lit(one.clone())),
                    _ => out
                        .join(&Term::Text(text.clone()))
                        .filter(|joined| joined.segments.len() > out.segments.len())
                        .unwrap_or_else(|| {
                            let mut kept = out.clone();
                            kept.segments.push(text.to_vec());
                            kept
                        }),
                },
                _ => return None,
            };
        }
        out.climbed()
    }

    pub fn term(&self, term: &Term, nested: usize) -> Term {
        if nested > NESTED {
            return Term::Unknown;
        }
        match term {
            // Nothing to fill in, or filled in with what is bounded.
            Term::Param(n) => return self.params.get(*n as usize).cloned().unwrap_or(Term::Unknown),
            Term::Text(parts) if parts.iter().all(|piece| matches!(piece, Piece::Lit(_))) => return term.clone(),
            Term::Path(place) if self.leaves(place) => return term.clone(),
            _ => {}
        }
        let next = nested + 1;
        let all = |terms: &[Term]| -> Arc<[Term]> { terms.iter().map(|term| self.term(term, next)).collect() };
        let out = match term {
            Term::Field(base, name) => {
                let base = self.term(base, next);
                self.world.field(&base, name, nested)
            }
            Term::Item(base, key) => Term::Item(Arc::new(self.term(base, next)), Arc::new(self.term(key, next))),
            Term::Typed(ty, inner) => match self.term(inner, next) {
                // A parameter's declared type gives way to what was really passed.
                inner @ Term::Typed(..) => inner,
                // `None` has none of the types that are declared for it: `port: int = None`.
                inner @ (Term::Unknown | Term::Nil | Term::Missing) => inner,
                inner => Term::Typed(ty.clone(), Arc::new(inner)),
            },
            Term::Text(parts) => pieces(parts.iter().map(|piece| match piece {
                Piece::Lit(text) => Term::text(text),
                Piece::Hole(term) => self.term(term, next),
            })),
            Term::Path(place) => match self.place(place, next) {
                Some(place) => Term::Path(Arc::new(place)),
                None => Term::Unknown,
            },
            Term::Handle(inner) => Term::Handle(Arc::new(self.term(inner, next))),
            Term::Check(inner, site) => Term::Check(Arc::new(self.term(inner, next)), *site),
            Term::Not(inner) => Term::Not(Arc::new(self.term(inner, next))),
            Term::Equal(a, b) => equality(self.term(a, next), self.term(b, next)),
            Term::All(terms) => Term::All(all(terms)),
            Term::Any(terms) => Term::Any(all(terms)),
            Term::List(terms) => Term::List(all(terms)),
            Term::Derived(terms) => Term::Derived(all(terms)),
            Term::Either(terms) => terms.iter().map(|term| self.term(term, next)).reduce(Term::either).unwrap_or(Term::Unknown),
            Term::Opaque(opaque) => Term::Opaque(Arc::new(Opaque { via: self.salt(opaque.via), ..(**opaque).clone() })),
            Term::Object(object) => Term::Object(Arc::new(Object {
                class: object.class,
                args: object.args.iter().map(|term| self.term(term, next)).collect(),
                fields: object.fields.iter().map(|(name, term)| (name.clone(), self.term(term, next))).collect(),
                site: object.site,
                via: self.salt(object.via),
            })),
            Term::Lock(lock) => Term::Lock(Arc::new(self.lock(lock))),
            Term::Captured(name) => match self.captured.iter().find(|(captured, _)| captured == name) {
                Some((_, term)) => term.clone(),
                None => Term::Unknown,
            },
            Term::Call(pending) => self.world.given(self.pending(pending, next), self.ambience, next),
            Term::Partial(pending) => Term::Partial(Arc::new(self.pending(pending, next))),
            Term::Changed(base, fields) => {
                let fields = fields.iter().map(|(name, term)| (name.clone(), self.term(term, next))).collect();
                self.term(base, next).with_fields(fields)
            }
            Term::Bound(unit, recv) => Term::Bound(*unit, Arc::new(self.term(recv, next))),
            Term::Method(recv, name) => Term::Method(Arc::new(self.term(recv, next)), name.clone()),
            Term::Closure(unit, captured) => Term::Closure(
                *unit,
                Arc::new(captured.iter().map(|(name, term)| (name.clone(), self.term(term, next))).collect()),
            ),
            other => other.clone(),
        };
        out.bounded()
    }
}

fn piece_term(piece: &Piece) -> Term {
    match piece {
        Piece::Lit(text) => Term::text(text),
        Piece::Hole(term) => term.clone(),
    }
}

/// How much harm a verb can do: for the order in which effects are kept.
pub fn harm(verb: Verb) -> u8 {
    match verb {
        Verb::DeleteTree => 0,
        Verb::Delete => 1,
        Verb::Write | Verb::WriteTree | Verb::Update => 2,
        Verb::Create | Verb::Append | Verb::MakeDir | Verb::Name | Verb::Publish | Verb::Database => 3,
        Verb::Read | Verb::List | Verb::Open => 4,
        Verb::Stat => 5,
    }
}
