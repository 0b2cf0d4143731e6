//! Quick fixes of findings, comments that ignore them, and all safe fixes of a file at once.

use super::analyst::{Project, is_own_safe};
use super::client::Can;
use super::place::{self, Spot, Spots};
use crate::finding::{Edit, Finding, Role};
use crate::remedy::cover;
use crate::remedy::rounds::Changed;
use crate::text::{Columns, FileId, Kind, Source, Span};
use gen_lsp_types::{
    CodeAction, CodeActionKind, Diagnostic, DocumentChange, OptionalVersionedTextDocumentIdentifier, Range, TextDocumentEdit,
    TextDocumentIdentifier, TextEdit, Uri, WorkspaceEdit,
};
use similar::{DiffTag, TextDiff};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// The kind under which editors ask for all safe fixes, on saving for instance.
pub const FIX_ALL: &str = "source.fixAll.isolint";

/// How a file or cell is spelled for the client, and its version where it is open.
pub type Name = (Uri, Option<i32>);

/// Gives them their names.
pub type Named<'a> = &'a dyn Fn(&Spot) -> Name;

/// Whether the client asks for actions of a kind: a kind holds those whose names go on after a dot.
pub fn is_asked(only: Option<&[CodeActionKind]>, kind: &str) -> bool {
    let holds = |asked: &CodeActionKind| {
        let asked = String::from(asked.clone());
        asked.is_empty() || kind.strip_prefix(&asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    only.is_none_or(|only| only.iter().any(holds))
}

/// What can be done about the findings with an end in a range of a file or cell. `shown` are the diagnostics there.
pub fn quick(spots: &Spots, asked: &Spot, range: Range, shown: &[Diagnostic], can: &Can, named: Named) -> Vec<CodeAction> {
    let project = spots.project;
    let (mut fixes, mut ignores) = (Vec::new(), Vec::new());
    for finding in &project.report.findings {
        let ends = finding.labels.iter().filter(|label| matches!(label.role, Role::Primary | Role::OtherEnd));
        let mut here = ends.filter_map(|label| Some((label, spots.at(label.file, label.span)?)));
        let Some((label, (_, at))) = here.find(|(_, (spot, at))| spot == asked && place::touch(*at, range)) else { continue };
        let about: Vec<Diagnostic> =
            shown.iter().filter(|one| one.range == at && is_about(one, finding)).take(1).cloned().collect();
        let action = |title: String, edit: Option<WorkspaceEdit>| {
            Some(CodeAction {
                title,
                kind: Some(CodeActionKind::QuickFix),
                diagnostics: (!about.is_empty()).then(|| about.clone()),
                edit: Some(edit?),
                ..CodeAction::default()
            })
        };
        if let Some(fix) = &finding.fix {
            let title =
                if fix.safe { capitalised(&fix.title) } else { format!("{} (unsafe: have a look)", capitalised(&fix.title)) };
            let made = action(title, edits(spots, &fix.edits, can, named));
            fixes.extend(made.map(|made| CodeAction { is_preferred: fix.safe.then_some(true), ..made }));
        }
        let comment =
            project.report.sources.get(label.file.0 as usize).and_then(|source| cover::comment(finding.rule, label, source));
        if let Some(comment) = comment.filter(|_| finding.rule != "unused-ignore") {
            ignores.extend(action(format!("Ignore {} here", finding.rule), edits(spots, &[comment], can, named)));
        }
    }
    // Editors show them in this order: what mends comes before what hides.
    fixes.append(&mut ignores);
    fixes
}

/// Whether some fix of a file could be made without anybody looking.
pub fn has_safe_fix(project: &Project, file: FileId) -> bool {
    project.report.findings.iter().filter_map(|finding| finding.fix.as_ref()).any(|fix| is_own_safe(fix, file))
}

/// Files before and after as edits of the lines that differ, so that cursors and folds elsewhere stay.
pub fn rewritten(changed: &[(PathBuf, Changed)], can: &Can, named: Named) -> WorkspaceEdit {
    let files = changed.iter().map(|(path, changed)| (named(&Spot::File(path.clone())), differing_lines(changed, can.columns)));
    workspace_edit(files.collect(), can)
}

fn differing_lines(changed: &Changed, columns: Columns) -> Vec<TextEdit> {
    let diff = TextDiff::from_lines(changed.before.as_str(), changed.after.as_str());
    let before = Source::of(changed.path.as_str(), Kind::Config, changed.before.as_str());
    let mut edits = Vec::new();
    let mut start = 0;
    for op in diff.ops() {
        let end = start + op.old_range().filter_map(|line| diff.old_slice(line)).map(str::len).sum::<usize>();
        if op.tag() != DiffTag::Equal {
            let new_text = op.new_range().filter_map(|line| diff.new_slice(line)).collect();
            edits.push(TextEdit { range: place::range_between(&before, Span::new(start, end), columns), new_text });
        }
        start = end;
    }
    edits
}

fn is_about(diagnostic: &Diagnostic, finding: &Finding) -> bool {
    diagnostic.code.as_ref().is_some_and(|code| matches!(code, gen_lsp_types::Code::String(rule) if rule == finding.rule))
}

fn edits(spots: &Spots, edits: &[Edit], can: &Can, named: Named) -> Option<WorkspaceEdit> {
    let mut by_spot: BTreeMap<Spot, Vec<TextEdit>> = BTreeMap::new();
    for edit in edits {
        let (spot, edit) = spots.edit(edit)?;
        by_spot.entry(spot).or_default().push(edit);
    }
    Some(workspace_edit(by_spot.into_iter().map(|(spot, edits)| (named(&spot), edits)).collect(), can))
}

fn workspace_edit(files: Vec<(Name, Vec<TextEdit>)>, can: &Can) -> WorkspaceEdit {
    if !can.document_changes {
        let changes: HashMap<Uri, Vec<TextEdit>> = files.into_iter().map(|((uri, _), edits)| (uri, edits)).collect();
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let changes = files.into_iter().map(|((uri, version), edits)| {
        let text_document =
            OptionalVersionedTextDocumentIdentifier { version, text_document_identifier: TextDocumentIdentifier { uri } };
        DocumentChange::TextDocumentEdit(TextDocumentEdit { text_document, edits: edits.into_iter().map(Into::into).collect() })
    });
    WorkspaceEdit { document_changes: Some(changes.collect()), ..WorkspaceEdit::default() }
}

fn capitalised(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gen_lsp_types::Position;

    #[test]
    fn a_kind_holds_those_below_it() {
        let asked = |only: &str| is_asked(Some(&[CodeActionKind::from(only.to_owned())]), FIX_ALL);
        assert!(asked("source") && asked("source.fixAll") && asked(FIX_ALL) && asked(""));
        assert!(!asked("source.fix") && !asked("quickfix") && !asked("source.fixAll.isolint.x"));
        assert!(is_asked(None, FIX_ALL) && !is_asked(Some(&[]), FIX_ALL));
    }

    #[test]
    fn only_lines_that_differ_are_replaced() {
        let edits = |before: &str, after: &str| {
            let changed = Changed { path: String::new(), before: before.into(), after: after.into() };
            let at = |at: Position| (at.line, at.character);
            let plain = |edit: TextEdit| (at(edit.range.start), at(edit.range.end), edit.new_text);
            differing_lines(&changed, Columns::Utf16).into_iter().map(plain).collect::<Vec<_>>()
        };
        assert_eq!(edits("a\r\nb\r\nc\r\n", "a\r\nx\r\nc\r\n"), [((1, 0), (2, 0), "x\r\n".to_owned())]);
        assert_eq!(edits("a\n", "i\na\n"), [((0, 0), (0, 0), "i\n".to_owned())]);
        assert_eq!(edits("a\n😀", "a\nc"), [((1, 0), (1, 2), "c".to_owned())]);
    }
}
