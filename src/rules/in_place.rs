//! Files that are written where others read them: what the rules about caches and state files ask alike.

use crate::calls::{Reach, Verb};
use crate::facts::{ClassId, UnitId};
use crate::link::{Effect, Piece, Place, Root, Site, Suite, Term, UnitRef, discriminators, moves};
use std::sync::Arc;

/// One end of a cache: who reads or writes which path, where, in which class.
#[derive(Clone)]
pub struct End {
    pub unit: UnitRef,
    pub class: Option<ClassId>,
    pub site: Site,
    pub tail: Option<String>,
    pub place: Arc<Place>,
    /// It looked first whether it is there.
    pub asked: bool,
    /// It acts by itself, and not through a call.
    pub direct: bool,
}

impl End {
    pub fn new(suite: &Suite, unit: UnitRef, effect: &Effect) -> End {
        End {
            unit,
            class: suite.file(unit.0).unit(unit.1).class,
            site: anchor(effect),
            tail: tail(effect),
            place: effect.on.clone(),
            asked: effect.known.iter().any(|known| known.on == effect.on),
            direct: effect.via.is_empty(),
        }
    }

    /// The same end as methods of the class see it, where the unit makes an instance that keeps the path in a field.
    pub fn as_fields(&self, suite: &Suite) -> Vec<End> {
        let summary = suite.summary(self.unit);
        let given = summary.gives.iter().flat_map(|term| term.alternatives()).filter_map(|term| match term.plain() {
            Term::Object(object) => Some(&object.fields),
            _ => None,
        });
        let kept = given.flatten().chain(&summary.stores).filter(|(_, term)| Place::of(term).as_ref() == Some(&*self.place));
        let mut names: Vec<&Arc<str>> = kept.map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        let field = |name: &Arc<str>| Arc::new(Place::root(Root::Of(Term::Field(Arc::new(Term::Param(0)), name.clone()))));
        names.into_iter().filter(|_| self.class.is_some()).map(|name| End { place: field(name), ..self.clone() }).collect()
    }

    /// Whether another end, in another unit of the same file, has the same field of the same class or a path with the same last part.
    pub fn matches(&self, other: &End) -> bool {
        let field = self.class.is_some()
            && self.direct
            && self.class == other.class
            && is_field(&other.place)
            && self.place == other.place;
        // One beside the source and one elsewhere are two files of one name.
        let beside = |end: &End| end.place.root == Root::Project;
        let named = other.tail.is_some() && self.tail == other.tail && beside(self) == beside(other);
        self.unit != other.unit && self.site != other.site && (field || named)
    }
}

/// Where the function itself acts: at the act, or at the call that does it.
pub fn anchor(effect: &Effect) -> Site {
    effect.via.first().copied().unwrap_or(effect.site)
}

/// Whether others may look at the path while it is written: not private, not locked, not asked for by a flag.
pub fn is_exposed(effect: &Effect, all: &[Effect]) -> bool {
    let private = effect.on.is_private();
    // A lock of unknown kind that is taken on the very path orders those who write it.
    let of_path = |on: &Term| Place::of(on).as_ref() == Some(&*effect.on);
    let host = |effect: &Effect| effect.guards.iter().any(|lock| lock.reach == Reach::Host || of_path(&lock.on));
    // A lock that a reader of the same function does not take keeps nobody out, unless who holds it looks once more.
    let mut looks = all.iter().filter(|other| matches!(other.verb, Verb::Read | Verb::Stat) && other.on == effect.on);
    let locked = host(effect) && (looks.clone().any(host) || !looks.any(|other| other.verb == Verb::Read));
    // A name with a process, a thread or a time in it is meant for one; whether it is, is another question.
    let own = discriminators(&effect.on).next().is_some();
    let vague = effect.one_of && effect.on.segments.is_empty();
    let asked_for = effect.flagged || effect.expected;
    !(private || own || locked || asked_for || vague || is_marker(effect))
}

/// The path is renamed onto another one: it is the temporary of an atomic publish.
pub fn is_temporary(effect: &Effect, all: &[Effect]) -> bool {
    moves(all).any(|moved| moved.from.on == effect.on)
}

/// Files that say what a folder is: whoever writes them writes the same.
fn is_marker(effect: &Effect) -> bool {
    let name = effect.on.name().as_literal().unwrap_or_default();
    // A log is written for people, and rotated.
    name.ends_with(".log")
        || name.starts_with("README")
        || matches!(name.as_str(), "CACHEDIR.TAG" | ".git" | ".gitignore" | "__init__.py" | "py.typed" | ".gitkeep")
}

/// The literal end of a path, where it says enough to be recognised.
fn tail(effect: &Effect) -> Option<String> {
    let last = effect.on.segments.last()?;
    let mut text = String::new();
    for piece in last {
        match piece {
            Piece::Lit(part) => text.push_str(part),
            Piece::Hole(term) => text.push_str(term.as_literal().as_deref().unwrap_or("{}")),
        }
    }
    (text.replace("{}", "").len() >= 4).then_some(text)
}

/// A path that begins at a field of the receiver.
pub fn is_field(place: &Place) -> bool {
    matches!(&place.root, Root::Of(term) if matches!(term, Term::Field(base, _) if **base == Term::Param(0)))
}

/// Words that a cache, memo or state file goes by.
const WORDS: &[&str] = &["cache", "memo", "registry", "statefile", "state_file", "state file"];

pub fn is_named(suite: &Suite, unit: UnitRef, effect: &Effect) -> bool {
    let name = suite.path(unit.0).rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word)) || names(suite, unit, effect, WORDS)
}

/// Whether something says that others use the path at the same time: everybody on the host has it, it goes by the words of a cache, or
/// several threads or processes of the program do this.
pub fn is_of_others(suite: &Suite, unit: UnitRef, effect: &Effect) -> bool {
    let host = matches!(effect.on.root, Root::Abs | Root::Temp | Root::Home | Root::Run | Root::Setting(_));
    host || effect.spread.is_some() || suite.is_spread(effect.site) || is_named(suite, unit, effect)
}

/// The paths that methods of the class put into the field where a path begins, in their own words.
fn stored(suite: &Suite, unit: UnitRef, place: &Place) -> Vec<String> {
    let Root::Of(Term::Field(base, field)) = &place.root else { return Vec::new() };
    let facts = suite.file(unit.0);
    let Some(class) = facts.unit(unit.1).class.filter(|_| **base == Term::Param(0)) else { return Vec::new() };
    let methods = (0..facts.units.len() as u32).map(UnitId).filter(|method| facts.unit(*method).class == Some(class));
    let stores = methods.flat_map(|method| suite.summary((unit.0, method)).stores.iter().map(move |store| (method, store)));
    let same = stores.filter(|(_, (name, _))| name == field);
    same.filter_map(|(method, (_, term))| Some(suite.show(&Place::of(term)?, (unit.0, method)))).collect()
}

/// Whether one of these words stands in the path, in the name of the function or where the path is put together.
pub fn names(suite: &Suite, unit: UnitRef, effect: &Effect, words: &[&str]) -> bool {
    let mut texts = vec![effect.on.show(), suite.unit_name(suite.owner(unit))];
    let facts = suite.file(unit.0);
    for site in effect.steps.iter().chain([&anchor(effect)]).filter(|site| site.file == unit.0) {
        if let Some(op) = facts.ops.get(site.op.0 as usize) {
            let source = &suite.sources[unit.0.0 as usize].text;
            texts.extend(source.get(op.span.start as usize..op.span.end as usize).map(str::to_owned));
        }
    }
    texts.extend(stored(suite, unit, &effect.on));
    texts.iter().any(|text| {
        let text = text.to_ascii_lowercase();
        words.iter().any(|word| text.contains(word))
    })
}
