//! The names of a test's marks, where none can come from elsewhere: a run may choose by them.

use super::index::{Binding, walk_ops};
use super::suite::{Maker, last, mark_name};
use super::term::{ClassRef, UnitRef};
use crate::facts::{UnitId, V, Value, What};
use std::collections::BTreeSet;

impl Maker<'_, '_> {
    /// Of its own, its class and its module; none where a hook, a parameter or a decorator may add others.
    pub(super) fn mark_names(&self, unit: UnitRef, class: Option<ClassRef>) -> Option<BTreeSet<String>> {
        if self.ground.adds_marks {
            return None;
        }
        let mut names = BTreeSet::new();
        for (at, mark) in self.marks_around(unit, class) {
            let facts = self.file(at.0);
            let full = mark_name(facts, &mark)?;
            if full.contains("mark.") {
                names.insert(last(&full).to_owned());
                // `pytest.param(…, marks=…)`.
                if last(&full) == "parametrize" && facts.names.iter().any(|name| &**name == "marks") {
                    return None;
                }
                continue;
            }
            let made_by = match self.index.resolve_value(at.0, at.1, mark.callee) {
                Some(Binding::Function((file, _)) | Binding::Class((file, _))) => file,
                Some(Binding::External(_)) => continue,
                _ => return None,
            };
            if self.file(made_by).names.iter().any(|name| &**name == "mark") {
                return None;
            }
        }
        let file = class.map_or(unit.0, |class| class.0);
        let bodies = class
            .iter()
            .flat_map(|class| self.index.order(*class))
            .filter_map(|class| self.file(class.0).class(class.1).body.map(|body| (class.0, body)));
        for (file, body) in bodies.chain([(file, UnitId(0))]) {
            let facts = self.file(file);
            let mut known = true;
            walk_ops(&facts.unit(body).body, &mut |op| {
                let What::Store { to, value, .. } = &facts.op(op).what else { return };
                if facts.dotted(*to).as_deref() != Some("pytestmark") {
                    return;
                }
                let all: Vec<V> = match facts.value(*value) {
                    Value::List(all) | Value::Tuple(all) => all.clone(),
                    _ => vec![*value],
                };
                for mark in all {
                    let callee = match facts.value(mark) {
                        Value::Result(op) => match &facts.op(*op).what {
                            What::Call { callee, .. } => *callee,
                            _ => mark,
                        },
                        _ => mark,
                    };
                    match facts.dotted(callee).filter(|name| name.contains("mark.")) {
                        Some(name) => drop(names.insert(last(&name).to_owned())),
                        None => known = false,
                    }
                }
            });
            if !known {
                return None;
            }
        }
        Some(names)
    }
}
