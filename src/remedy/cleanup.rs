//! Changes that a `unittest` case puts back: it makes them through `unittest.mock`, or registers a clean-up before it makes them.

use super::Project;
use super::draft::Draft;
use super::monkeypatch::given;
use super::own::{Provider, provider};
use crate::facts::{OpId, Site, UnitId, Value, What};
use crate::finding::Fix;
use crate::text::Span;
use std::collections::BTreeMap;

/// Names for what makes and takes back a change, the first that is free.
const PATCHER: &[&str] = &["patcher", "patched"];

/// Lets a test or `setUp` put back each of its changes.
pub fn changes(sites: &[Site], project: Project) -> Option<Fix> {
    let mut draft = project.draft(*sites.first()?)?;
    let mut units: BTreeMap<UnitId, Vec<(Span, Cleanup)>> = BTreeMap::new();
    for site in sites {
        let span = draft.facts.ops.get(site.op.0 as usize)?.span;
        let unit = draft.unit_at(span);
        if site.file != draft.file || !draft.is_python() || provider(&draft, unit, project)? != Provider::Case {
            return None;
        }
        let statement = draft.statement(span)?.span;
        let cleanup = cleanup(&draft, site.op, statement)?;
        units.entry(unit).or_default().push((statement, cleanup));
    }
    let mut safe = true;
    for (unit, mut changes) in units {
        changes.sort();
        let data = draft.facts.unit(unit);
        let own = data.params.first().map(|param| draft.facts.name(param.name).to_owned())?;
        let mut environment = false;
        for (statement, cleanup) in changes {
            let (patch, replaces) = match cleanup {
                Cleanup::Call(call) => {
                    draft.insert_before(draft.statement(statement)?, &[format!("{own}.addCleanup({call})")]);
                    continue;
                }
                // One look at the whole environment is enough.
                Cleanup::Environment if std::mem::replace(&mut environment, true) => continue,
                Cleanup::Environment => (format!("dict({}.environ)", draft.module("os")), false),
                Cleanup::Attribute(arguments) => (format!("object({arguments})"), true),
            };
            safe &= !replaces;
            let patch = format!("{}.{patch}", draft.reach("unittest.mock", "patch"));
            let lines = if project.setup.python_of(&draft.source.path) >= (3, 11) {
                vec![format!("{own}.enterContext({patch})")]
            } else {
                let name = draft.fresh(data.span, statement, PATCHER)?;
                vec![format!("{name} = {patch}"), format!("{name}.start()"), format!("{own}.addCleanup({name}.stop)")]
            };
            if replaces {
                let (indent, newline) = (draft.indent(statement.start), draft.newline());
                draft.replace(statement, lines.join(&format!("{newline}{indent}")));
            } else {
                draft.insert_before(draft.statement(statement)?, &lines);
            }
        }
    }
    super::finish(draft, "put it back in a clean-up of the test", safe)
}

/// What puts a change back, in the order in which it is to stand.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Cleanup {
    Environment,
    /// A function and its arguments, evaluated before the change.
    Call(String),
    /// The holder, the name and the new value of an attribute: the patch makes the change.
    Attribute(String),
}

fn cleanup(draft: &Draft, op: OpId, statement: Span) -> Option<Cleanup> {
    let facts = draft.facts;
    match &facts.ops[op.0 as usize].what {
        What::Store { to, .. } => {
            let target = draft.text(facts.written(*to));
            let (_, value) = given(target, draft.text(statement))?;
            match facts.value(*to) {
                Value::Item(..) => is_environment(target.split_once('[')?.0).then_some(Cleanup::Environment),
                Value::Attr(..) => {
                    let (holder, name) = target.rsplit_once('.')?;
                    Some(Cleanup::Attribute(format!("{holder}, \"{name}\", {value}")))
                }
                _ => None,
            }
        }
        What::Delete(_) => {
            let (holder, _) = draft.text(statement).strip_prefix("del ")?.split_once('[')?;
            is_environment(holder.trim()).then_some(Cleanup::Environment)
        }
        What::Call { callee, args } => {
            draft.call(op).filter(|call| call.span == statement)?;
            let given: Vec<&str> = args.iter().map(|arg| draft.text(arg.span)).collect();
            match (facts.dotted(*callee)?.as_str(), given.len()) {
                ("os.environ.pop" | "os.environ.update" | "os.environ.setdefault", _) => Some(Cleanup::Environment),
                ("setattr", 3) => Some(Cleanup::Attribute(given.join(", "))),
                ("os.chdir", _) => Some(Cleanup::Call("os.chdir, os.getcwd()".to_owned())),
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_environment(text: &str) -> bool {
    matches!(text.trim(), "os.environ" | "environ")
}
