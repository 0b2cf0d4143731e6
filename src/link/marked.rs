//! The marks that `pytestmark` gives, and the names of all marks of a test, where none can come from elsewhere: a run may choose by them.

use super::index::{Binding, walk_ops};
use super::suite::{Maker, group_name, last, mark_name, texts};
use super::term::{ClassRef, UnitRef};
use crate::facts::{Arg, FileFacts, UnitId, V, Value, What};
use crate::text::FileId;
use std::collections::BTreeSet;
use std::sync::Arc;

impl<'i> Maker<'_, 'i> {
    /// What `pytestmark` says of a test, in the bodies of its classes and of its module.
    pub(super) fn module_marks(
        &self,
        file: FileId,
        class: Option<ClassRef>,
        wanted: &mut Vec<Arc<str>>,
        skipped: &mut bool,
        xdist_group: &mut Option<String>,
    ) {
        for (facts, mark) in self.given_by_bodies(file, class) {
            let (callee, args) = called(facts, mark);
            match facts.dotted(callee).as_deref().map(last) {
                Some("usefixtures") => {
                    for arg in args {
                        texts(facts, arg.value, &mut |text| wanted.push(text.into()));
                    }
                }
                Some("skip") => *skipped = true,
                Some("skipif") => *skipped |= args.first().is_some_and(|arg| *facts.value(arg.value) == Value::Bool(true)),
                Some("xdist_group") if xdist_group.is_none() => *xdist_group = group_name(facts, args),
                _ => {}
            }
        }
    }

    /// The elements of `pytestmark`.
    fn given_by_bodies(&self, file: FileId, class: Option<ClassRef>) -> Vec<(&'i FileFacts, V)> {
        let classes = class.iter().flat_map(|class| self.index.order(*class));
        let bodies = classes.filter_map(|class| self.file(class.0).class(class.1).body.map(|body| (class.0, body)));
        let mut all = Vec::new();
        for (file, body) in bodies.chain([(file, UnitId(0))]) {
            let facts = self.file(file);
            walk_ops(&facts.unit(body).body, &mut |op| {
                let What::Store { to, value, .. } = &facts.op(op).what else { return };
                if facts.dotted(*to).as_deref() != Some("pytestmark") {
                    return;
                }
                match facts.value(*value) {
                    Value::List(marks) | Value::Tuple(marks) => all.extend(marks.iter().map(|mark| (facts, *mark))),
                    _ => all.push((facts, *value)),
                }
            });
        }
        all
    }

    /// The names of a test's own marks, and of those of its class and module; none where a hook, a parameter or a decorator may add
    /// others.
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
        for (facts, mark) in self.given_by_bodies(class.map_or(unit.0, |class| class.0), class) {
            let name = facts.dotted(called(facts, mark).0).filter(|name| name.contains("mark."))?;
            names.insert(last(&name).to_owned());
        }
        Some(names)
    }
}

/// A mark and its arguments: `pytest.mark.skip`, called or not.
fn called(facts: &FileFacts, mark: V) -> (V, &[Arg]) {
    match facts.value(mark) {
        Value::Result(op) => match &facts.op(*op).what {
            What::Call { callee, args } => (*callee, args),
            _ => (mark, &[]),
        },
        _ => (mark, &[]),
    }
}
