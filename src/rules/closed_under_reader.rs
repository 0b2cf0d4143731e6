//! A queue, socket or pool is closed while a thread or task reads it, and the reader does not expect what it then raises.

use super::words;
use crate::finding::{Confidence, Finding, Label, Remedy, Role, Severity};
use crate::link::{Closing, Suite};
use crate::text::Span;

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for closing in &suite.closings {
        found.push(finding(suite, closing));
    }
}

fn finding(suite: &Suite, closing: &Closing) -> Finding {
    let reader = suite.unit_name(suite.owner(closing.reader));
    let closer = suite.unit_name(suite.owner(closing.closer));
    let field = &closing.field;
    let errors = closing.missed.iter().map(|error| format!("`{error}`")).collect::<Vec<_>>().join(" and ");
    let read = |role| words::label(suite, closing.read, format!("waits on `{field}` here"), role);
    let mut labels = Vec::new();
    if let Some((file, span, caught)) = &closing.handler {
        let source = &suite.sources[file.0 as usize];
        let line = source.line_span(source.line(span.start));
        let head = Span { start: span.start, end: span.end.min(line.end) };
        let caught = caught.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        labels.push(Label { file: *file, span: head, text: format!("catches {caught}, and not {errors}"), role: Role::Primary });
        labels.push(read(Role::Derivation));
    } else {
        labels.push(read(Role::Primary));
    }
    labels.push(words::label(suite, closing.close, format!("`{field}` is closed here"), Role::OtherEnd));
    labels.extend(closing.ordered.map(|site| words::label(suite, site, "the close is ordered here", Role::OtherEnd)));
    labels.push(words::label(suite, closing.started, "the reader is started here", Role::Derivation));
    labels.push(words::label(suite, closing.made, "made here", Role::Derivation));
    let remedy = closing.handler.as_ref().map(|(file, handler, caught)| Remedy::WidenHandler {
        file: *file,
        handler: *handler,
        caught: caught.iter().map(|name| name.to_string()).collect(),
        missed: closing.missed.clone(),
    });
    Finding {
        rule: "closed-under-reader",
        severity: Severity::Warning,
        confidence: if suite.is_beside(closing.read.file) { Confidence::Low } else { Confidence::Medium },
        message: format!("`{closer}` closes `{field}` while `{reader}` may still wait on it"),
        labels,
        help: format!(
            "tell the reader to end and wait for it, then close `{field}`; let it take {errors} for the end of its loop"
        ),
        notes: vec![format!(
            "a read that meets the close raises {errors}; a longer time-out only makes that rarer: the reader has to have ended before the close"
        )],
        tests: Vec::new(),
        reproduce: None,
        key: format!("{reader} {field}"),
        remedy,
        fix: None,
    }
}
