//! A handler means to survive a damaged cache file, and misses what a half-written one raises.

use super::in_place::{End, anchor, is_exposed, is_temporary};
use super::words;
use crate::calls::{Calls, Format, Verb};
use crate::facts::Language;
use crate::finding::{Confidence, Finding, Label, Remedy, Role, Severity};
use crate::link::{Effect, Handling, Site, Suite, Try, UnitRef};
use crate::text::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet};

/// A write in place: where, and in which format as far as it is known.
struct Write<'s> {
    end: End,
    effect: &'s Effect,
}

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    let writes = writes_in_place(suite);
    let mut seen: BTreeSet<(FileId, Span)> = BTreeSet::new();
    for (unit, summary) in suite.units().filter(|(unit, _)| !suite.is_test_code(*unit)) {
        let tables = suite.calls(suite.language(unit.0));
        for read in summary.effects.iter().filter(|effect| effect.verb == Verb::Read && effect.via.len() <= 1) {
            let Some(format) = read.format.as_deref().and_then(|format| tables.format(format)) else { continue };
            let Some((handling, missed)) = narrow(tables, format, &read.tries, suite, unit) else { continue };
            let Some(write) = written(suite, unit, read, writes.get(&unit.0).map_or(&[], Vec::as_slice)) else { continue };
            if seen.insert((unit.0, handling.span)) {
                found.push(finding(suite, unit, read, handling, &missed, write));
            }
        }
    }
}

fn writes_in_place<'s>(suite: &'s Suite) -> BTreeMap<FileId, Vec<Write<'s>>> {
    let mut all: BTreeMap<FileId, Vec<Write<'s>>> = BTreeMap::new();
    for (unit, summary) in suite.units().filter(|(unit, _)| !suite.is_test_code(*unit)) {
        let effects = &summary.effects;
        for effect in effects.iter().filter(|effect| effect.verb == Verb::Write && effect.via.len() <= 1) {
            if suite.stands_in(anchor(effect), unit) && is_exposed(effect, effects) && !is_temporary(effect, effects) {
                all.entry(unit.0).or_default().push(Write { end: End::new(suite, unit, effect), effect });
            }
        }
    }
    all
}

/// The write in place, in the same function or the same file, of what is read here.
fn written(suite: &Suite, unit: UnitRef, read: &Effect, writes: &[Write]) -> Option<Site> {
    let own = End::new(suite, unit, read);
    let fits = |write: &&Write| {
        let here = write.end.unit == unit && write.effect.on == read.on && write.end.site != own.site;
        let alike = write.effect.format.is_none() || write.effect.format == read.format;
        alike && (here || write.end.matches(&own))
    };
    writes.iter().find(fits).map(|write| write.end.site)
}

/// The handler in this unit that goes on after some error of damaged content, and the errors of a file cut off that nobody around
/// catches.
fn narrow<'e>(
    tables: &Calls,
    format: &Format,
    tries: &'e [std::sync::Arc<Try>],
    suite: &Suite,
    unit: UnitRef,
) -> Option<(&'e Handling, Vec<String>)> {
    let all: Vec<&Handling> = tries.iter().flat_map(|around| &around.handlers).collect();
    // What one of them catches is not known: it may be all.
    if all.iter().any(|handling| handling.catches.is_none()) {
        return None;
    }
    let catches = |handling: &Handling, error: &str| {
        handling.catches.iter().flatten().any(|name| &**name == "*" || tables.catches(name, error))
    };
    let missed: Vec<String> =
        format.torn.iter().filter(|error| !all.iter().any(|handling| catches(handling, error))).cloned().collect();
    // A missing or unreadable file has errors of its own, which say nothing about the content.
    let means_content = |handling: &Handling| {
        handling.catches.iter().flatten().any(|name| {
            !tables.catches(name, "OSError") && format.torn.iter().chain(&format.damaged).any(|error| tables.catches(name, error))
        })
    };
    let text = suite.file(unit.0).unit(unit.1).span;
    let here = tries.iter().filter(|around| around.file == unit.0).flat_map(|around| &around.handlers);
    let handling = here.into_iter().find(|one| one.recovers && text.contains(one.span) && means_content(one))?;
    (!missed.is_empty()).then_some((handling, missed))
}

fn finding(suite: &Suite, unit: UnitRef, read: &Effect, handling: &Handling, missed: &[String], write: Site) -> Finding {
    let name = suite.unit_name(suite.owner(unit));
    let path = suite.show(&read.on, unit);
    let source = &suite.sources[unit.0.0 as usize];
    let line = source.line_span(source.line(handling.span.start));
    let head = Span { start: handling.span.start, end: handling.span.end.min(line.end) };
    let errors = missed.iter().map(|error| format!("`{error}`")).collect::<Vec<_>>().join(" and ");
    let caught = handling.catches.iter().flatten().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    let text = format!("catches {caught}, and not {errors}");
    let labels = vec![
        Label { file: unit.0, span: head, text, role: Role::Primary },
        words::label(suite, anchor(read), "loaded here", Role::OtherEnd),
        words::label(suite, write, "written in place here", Role::Evidence),
    ];
    let help = match suite.language(unit.0) {
        Language::Python => format!(
            "catch {errors} too; better, write to a temporary file in the same directory and `os.replace` it onto the path, so that nobody sees a half-written file"
        ),
        Language::Rust => format!(
            "take every error of a cache for a miss, {errors} too; better, write to `tempfile::NamedTempFile::new_in(dir)` and `persist` it onto the path"
        ),
    };
    Finding {
        rule: "narrow-corruption-handler",
        severity: Severity::Warning,
        confidence: if suite.is_beside(unit.0) { Confidence::Low } else { Confidence::Medium },
        message: format!("`{name}` goes on after a damaged `{path}`, but not after one that is half written"),
        labels,
        help,
        notes: vec![format!("a load while another process writes the file, or after one was killed at it, raises {errors}")],
        tests: Vec::new(),
        reproduce: None,
        key: format!("{name} {path}"),
        remedy: Some(Remedy::WidenHandler {
            file: unit.0,
            handler: handling.span,
            caught: handling.catches.iter().flatten().map(|name| name.to_string()).collect(),
            missed: missed.to_vec(),
        }),
        fix: None,
    }
}
