//! Files below a path that an object keeps in a field, and that no other object has: the constructor made the folder, or gave it a name of
//! its own.

use super::index::Index;
use super::overlap::discriminators;
use super::place::{Place, Root};
use super::summary::{Effect, Summary};
use super::term::{ClassRef, Site, Term, UnitRef};
use crate::calls::{Discriminator, Verb};
use crate::facts::UnitId;
use crate::text::FileId;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Where methods act on such a file, or call what does.
pub(super) fn kept(index: &Index, summaries: &[Vec<Arc<Summary>>]) -> BTreeSet<Site> {
    let mut classes = Classes { index, summaries, units: HashMap::new(), fields: HashMap::new() };
    for (file, units) in summaries.iter().enumerate() {
        let file = FileId(file as u32);
        for unit in (0..units.len() as u32).map(UnitId) {
            if let Some(class) = index.file(file).unit(unit).class {
                classes.units.entry(index.class_of_impl((file, class))).or_default().push((file, unit));
            }
        }
    }
    let mut found = BTreeSet::new();
    for (file, units) in summaries.iter().enumerate() {
        let file = FileId(file as u32);
        for (unit, summary) in units.iter().enumerate() {
            let Some(class) = index.file(file).unit(UnitId(unit as u32)).class else { continue };
            let class = index.class_of_impl((file, class));
            for effect in &summary.effects {
                let Some(field) = field(&effect.on) else { continue };
                if classes.is_own(class, field) || classes.has_made(class, field, effect) {
                    found.insert(effect.via.first().copied().unwrap_or(effect.site));
                }
            }
        }
    }
    found
}

/// The field of the receiver that a path begins at.
fn field(place: &Place) -> Option<&Arc<str>> {
    match &place.root {
        Root::Of(Term::Field(base, name)) if **base == Term::Param(0) => Some(name),
        _ => None,
    }
}

/// A name that no other process, and no other object, comes by.
fn is_apart(place: &Place) -> bool {
    let own = [Discriminator::Rand, Discriminator::Pid, Discriminator::Counter];
    place.is_private() || discriminators(place).any(|one| own.contains(&one))
}

struct Classes<'a, 'i> {
    index: &'i Index<'a>,
    summaries: &'i [Vec<Arc<Summary>>],
    units: HashMap<ClassRef, Vec<UnitRef>>,
    fields: HashMap<(ClassRef, Arc<str>), bool>,
}

impl<'i> Classes<'_, 'i> {
    fn summary(&self, unit: UnitRef) -> &'i Summary {
        &self.summaries[unit.0.0 as usize][unit.1.0 as usize]
    }

    /// The methods of a class and of its bases.
    fn methods(&self, class: ClassRef) -> impl Iterator<Item = UnitRef> {
        let order = self.index.order(class);
        let bases = order.iter().copied().filter(move |base| *base != class);
        std::iter::once(class).chain(bases).flat_map(|class| self.units.get(&class).into_iter().flatten().copied())
    }

    /// What they put into a field, each with the method that does.
    fn stores(&self, class: ClassRef, name: &str) -> Vec<(UnitRef, &'i Term)> {
        let mut all = Vec::new();
        for method in self.methods(class) {
            let summary = self.summary(method);
            let given = summary.gives.iter().flat_map(|term| term.alternatives()).filter_map(|term| match term.plain() {
                Term::Object(object) if object.class == class => Some(&object.fields),
                _ => None,
            });
            let fields = given.flatten().chain(&summary.stores).filter(|(field, _)| &**field == name);
            all.extend(fields.map(|(_, term)| (method, term)));
        }
        all
    }

    /// Whether all that is ever put into a field is the object's own.
    fn is_own(&mut self, class: ClassRef, name: &Arc<str>) -> bool {
        if let Some(known) = self.fields.get(&(class, name.clone())) {
            return *known;
        }
        let stores = self.stores(class, name);
        let one = |term: &Term| *term.plain() == Term::Nil || Place::of(term).is_some_and(|place| is_apart(&place));
        let own = |term: &Term| term.alternatives().iter().all(one);
        let some = stores.iter().any(|(_, term)| *term.plain() != Term::Nil);
        let own = some && stores.iter().all(|(_, term)| own(term));
        self.fields.insert((class, name.clone()), own);
        own
    }

    /// Whether the method that put the path there has made the directory that this one makes.
    fn has_made(&self, class: ClassRef, name: &str, effect: &Effect) -> bool {
        effect.verb == Verb::MakeDir
            && self.stores(class, name).into_iter().any(|(method, term)| {
                let effects = &self.summary(method).effects;
                term.alternatives().iter().all(|term| {
                    let Some(mut path) = Place::of(term) else { return false };
                    path.segments.extend(effect.on.segments.iter().cloned());
                    let made =
                        |other: &Effect| other.verb == Verb::MakeDir && *other.on == path && !other.flagged && !other.maybe;
                    effects.iter().any(made)
                })
            })
    }
}
