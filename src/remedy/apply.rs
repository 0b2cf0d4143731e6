//! Edits to new texts. Pure: nothing here reads or writes a file.

use crate::finding::{Edit, Fix};
use crate::notebook;
use crate::text::{FileId, Source};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether two edits touch the same bytes, or stand at the same place.
pub fn overlap(a: &Edit, b: &Edit) -> bool {
    a.file == b.file && (a.span.start == b.span.start || a.span.start < b.span.end && b.span.start < a.span.end)
}

/// The fixes that fit together, in their order: of two that overlap the first is taken. Two may ask for the very same edit (an import).
pub fn together<'f>(fixes: &[&'f Fix]) -> Vec<&'f Fix> {
    let mut taken: Vec<&Edit> = Vec::new();
    let mut out = Vec::new();
    for fix in fixes {
        let clash = |edit: &Edit| taken.iter().any(|old| overlap(old, edit) && *old != edit);
        if !fix.edits.iter().any(clash) {
            taken.extend(&fix.edits);
            out.push(*fix);
        }
    }
    out
}

/// Each file that these fixes change, as it is afterwards; none where an edit does not fit its file.
pub fn sources(sources: &[Source], fixes: &[&Fix]) -> Option<BTreeMap<FileId, Source>> {
    let mut by_file: BTreeMap<FileId, Vec<Edit>> = BTreeMap::new();
    for edit in fixes.iter().flat_map(|fix| &fix.edits) {
        by_file.entry(edit.file).or_default().push(edit.clone());
    }
    let mut out = BTreeMap::new();
    for (file, edits) in by_file {
        out.insert(file, edited(sources.get(file.0 as usize)?, edits)?);
    }
    Some(out)
}

/// A file with these edits of its text made; none where its bytes are not ours to write, or an edit does not fit.
pub fn edited(source: &Source, mut edits: Vec<Edit>) -> Option<Source> {
    if source.decoded {
        return None;
    }
    for edit in &mut edits {
        let (span, text) = source.in_file(edit.span, &edit.text);
        (edit.span, edit.text) = (span, text.into_owned());
    }
    edits.sort();
    edits.dedup();
    let text = text_of(&edits, source.file_text(), 0)?;
    if source.cells.is_some() {
        return notebook::read(Arc::clone(&source.path), text.as_bytes()).ok();
    }
    Some(Source { text: text.into(), ..source.clone() })
}

/// A stretch of text that begins at an offset of its file, with the sorted edits that lie in it made.
pub fn text_of(edits: &[Edit], text: &str, offset: u32) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let Some(start) = edit.span.start.checked_sub(offset).map(|start| start as usize) else { continue };
        let end = (edit.span.end - offset) as usize;
        if end > text.len() {
            continue;
        }
        out.push_str(text.get(at..start)?);
        out.push_str(&edit.text);
        at = end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}
