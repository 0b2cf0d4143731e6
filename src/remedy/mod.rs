//! What is to be done, as edits: a rule names an intent ([`Remedy`]), and this room writes it in the file's own style.
//!
//! One file for each family of intents; `define` knows where a path is given its name, `draft` knows how a file is written, `imports` where its imports stand, `names`
//! what is chosen already, `apply` makes new texts of edits, and `rounds` takes back what did not help.

mod accept;
pub mod apply;
mod beside;
mod cleanup;
mod config;
pub mod cover;
mod define;
mod draft;
mod hold;
mod ignores;
mod imports;
mod lastly;
mod marks;
mod monkeypatch;
mod names;
mod order;
mod own;
mod publish;
mod reserve;
pub mod rounds;
mod unique;
mod widen;

use crate::facts::run::Setup;
use crate::facts::{FileFacts, Site};
use crate::finding::{Act, Edit, Fix, Remedy};
use crate::text::{FileId, Source};
use draft::Draft;
pub use names::Names;
use std::sync::Arc;

/// What an intent is written from.
#[derive(Clone, Copy)]
pub struct Project<'a> {
    pub sources: &'a [Source],
    pub facts: &'a [Arc<FileFacts>],
    pub setup: &'a Setup,
    pub names: &'a Names,
}

impl<'a> Project<'a> {
    fn draft(&self, site: Site) -> Option<Draft<'a>> {
        self.draft_of(site.file)
    }

    fn draft_of(&self, file: FileId) -> Option<Draft<'a>> {
        let facts = self.facts.get(file.0 as usize)?;
        Draft::new(file, self.sources, facts, self.names)
    }

    fn comments_of(&self, file: FileId) -> Option<Draft<'a>> {
        let (source, facts) = (self.sources.get(file.0 as usize)?, self.facts.get(file.0 as usize)?);
        Draft::of_comments(file, source, facts, self.names)
    }
}

/// The edits for an intent; none where this place is written in a way that we do not rewrite, or where a test says how it is called.
pub fn fix(remedy: &Remedy, project: Project) -> Option<Fix> {
    let mark = project.names.mark();
    let fix = written(remedy, project);
    if fix.is_none() {
        project.names.back_to(mark);
    }
    fix
}

fn written(remedy: &Remedy, project: Project) -> Option<Fix> {
    let acts = match remedy {
        Remedy::AcceptExisting { act, .. } | Remedy::AcceptMissing { act, .. } | Remedy::CreateExclusively { act, .. } => {
            std::slice::from_ref(act)
        }
        Remedy::PublishAtomically { writes, .. } => writes,
        _ => &[],
    };
    if acts.iter().any(|act| is_replaced(act, project)) {
        return None;
    }
    match remedy {
        Remedy::AcceptExisting { act, check } => accept::existing(project.draft(act.site)?, act, *check),
        Remedy::AcceptMissing { act, check } => accept::missing(project.draft(act.site)?, act, *check),
        Remedy::CreateExclusively { act, check } => accept::exclusively(project.draft(act.site)?, act, *check),
        Remedy::CheckInside { act, check } => accept::inside(project.draft(act.site)?, act, *check),
        Remedy::CopyMark { file, mark, tests } => marks::copied(project.draft_of(*file)?, *mark, tests),
        Remedy::EnterDirectory { tests } => own::entered(tests, project),
        Remedy::FirstOf(all) => all.iter().find_map(|remedy| fix(remedy, project)),
        Remedy::HoldOwner { made } => hold::owner(project.draft(*made)?, *made),
        Remedy::MakeBeside { made, moved } => beside::target(project.draft(*made)?, *made, moved),
        Remedy::PutBack { changes } => monkeypatch::changes(changes, project).or_else(|| cleanup::changes(changes, project)),
        Remedy::RestoreLastly { changes, restores } => lastly::restored(project.draft(*changes.first()?)?, changes, restores),
        Remedy::OwnDirectory { uses, copy, made } => own::directory(uses, *copy, *made, project),
        Remedy::PublishAtomically { writes, suffix } => {
            publish::atomically(project.draft(writes.first()?.site)?, writes, suffix.as_deref(), project.setup)
        }
        Remedy::SetVariable { job, word, name, value } => config::variable(*job, word, name, value, project),
        Remedy::LimitJobs { jobs, minutes } => config::limit(jobs, *minutes, project),
        Remedy::LetThrough { section, name } => config::let_through(*section, name, project),
        Remedy::FailWithPipes { pipe } => config::pipefail(*pipe, project),
        Remedy::GiveOrder { file, value, display, safe } => order::given(project.draft_of(*file)?, *value, *display, *safe),
        Remedy::GiveNumber { option, number } => config::number(*option, *number, project),
        Remedy::RenameIgnored { file, comment, changes } => ignores::names(project.comments_of(*file)?, *comment, changes),
        Remedy::ReserveName { name, first, directory } => reserve::name(project.draft(*name)?, *name, first.as_ref(), *directory),
        Remedy::UniqueName { written, moved } => unique::name(project.draft(moved.site)?, *written, moved),
        Remedy::WidenHandler { file, handler, caught, missed } => {
            widen::handler(project.draft_of(*file)?, *handler, caught, missed)
        }
    }
}

/// Whether a mock takes the place of this call by its name, as in `patch("app.store.os.makedirs")`, or in `patch("os.makedirs")` where
/// the module is imported: who puts it there looks at what it is called with.
fn is_replaced(act: &Act, project: Project) -> bool {
    let Some(source) = project.sources.get(act.site.file.0 as usize) else { return false };
    let Some(path) = source.path.strip_suffix(".py") else { return false };
    let module = path.strip_suffix("/__init__").unwrap_or(path).replace('/', ".");
    let means = |name: &str| {
        module.strip_suffix(name).is_some_and(|outer| !name.is_empty() && (outer.is_empty() || outer.ends_with('.')))
    };
    let tails: Vec<&str> = act.call.match_indices('.').map(|(at, _)| &act.call[at + 1..]).chain([&*act.call]).collect();
    let there =
        |name: &str| name.contains('.') && tails.iter().filter_map(|tail| name.strip_suffix(tail)?.strip_suffix('.')).any(means);
    project.facts.iter().any(|facts| {
        let everywhere = facts.names.iter().any(|name| **name == *act.call);
        let imports = || {
            facts.imports.iter().any(|import| {
                let mut path: Vec<&str> = import.module.iter().map(|name| facts.name(*name)).collect();
                let whole = path.join(".");
                path.extend(import.name.map(|name| facts.name(name)));
                means(&whole) || means(&path.join("."))
            })
        };
        facts.names.iter().any(|name| there(name)) || everywhere && imports()
    })
}

/// A draft as a fix: sorted, and none where its edits overlap.
fn finish(draft: Draft, title: &str, safe: bool) -> Option<Fix> {
    let mut edits = draft.edits;
    edits.retain(|edit| edit.span.start != edit.span.end || !edit.text.is_empty());
    edits.sort();
    // What is put before something that is itself replaced is one edit.
    let mut joined: Vec<Edit> = Vec::new();
    for edit in edits {
        match joined.last_mut() {
            Some(last) if last.file == edit.file && last.span.start == edit.span.start && last.span.end == last.span.start => {
                last.span = edit.span;
                last.text.push_str(&edit.text);
            }
            _ => joined.push(edit),
        }
    }
    let edits = joined;
    let overlap = edits.windows(2).any(|two| apply::overlap(&two[0], &two[1]));
    (!edits.is_empty() && !overlap).then(|| Fix { title: title.to_owned(), safe, edits })
}
