//! Units that no run carries out: tests that are skipped whatever happens, and what stands in them or in their classes. An ignored test of
//! Rust is run by name, by somebody who looks at it and at nothing beside it.

use super::index::Index;
use super::suite::Test;
use super::term::{ClassRef, UnitRef};
use crate::facts::UnitId;
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn skipped(index: &Index, tests: &[Test]) -> BTreeSet<UnitRef> {
    let mut units: BTreeMap<UnitRef, bool> = BTreeMap::new();
    let mut classes: BTreeMap<ClassRef, bool> = BTreeMap::new();
    for test in tests {
        *units.entry(test.unit).or_insert(true) &= test.skipped;
        for class in test.class.iter().flat_map(|class| index.order(*class)) {
            *classes.entry(*class).or_insert(true) &= test.skipped;
        }
    }
    let mut out = BTreeSet::new();
    let files: BTreeSet<FileId> = units.iter().filter(|(_, idle)| **idle).map(|(unit, _)| unit.0).collect();
    for file in files {
        // What holds a unit stands before it.
        for (u, data) in index.file(file).units.iter().enumerate() {
            let unit = (file, UnitId(u as u32));
            let is_idle = match (units.get(&unit), data.class) {
                (Some(idle), _) => *idle,
                (None, Some(class)) => classes.get(&(file, class)).copied().unwrap_or(false),
                (None, None) => false,
            };
            if is_idle || data.parent.is_some_and(|parent| out.contains(&(file, parent))) {
                out.insert(unit);
            }
        }
    }
    out
}
