//! `--fix`, `--add-ignores` and `--diff`: what was changed, to the files or as a diff.

use super::{Failure, output, warn};
use isolint::check::Report;
use isolint::finding::Finding;
use isolint::remedy::cover::Covered;
use isolint::remedy::rounds::{Changed, Outcome};
use isolint::text::{Columns, Source};
use similar::TextDiff;
use std::path::Path;

/// Writes the files that changed; those that could not be written are named, and give the exit status of a failure. What an earlier run
/// left beside any of the sources when it was ended goes first.
pub fn write(root: &Path, sources: &[Source], all: &[Changed]) -> bool {
    let folders = sources.iter().map(|source| root.join(source.path.rsplit_once('/').map_or("", |(folder, _)| folder)));
    output::sweep(&folders.collect());
    let mut sound = true;
    for changed in all {
        let path = root.join(&changed.path);
        if let Err(why) = output::replace_file(root, &path, changed.before.as_bytes(), changed.after.as_bytes()) {
            sound = false;
            warn(&format!("error: {}: not written: {why}", changed.path));
        }
    }
    sound
}

/// Prints what would be written as a unified diff, as `patch -p1` reads it.
pub fn print_diff(all: &[Changed]) -> Result<(), Failure> {
    let text: String = all.iter().map(diff).collect();
    output::print(text.as_bytes())
}

fn diff(changed: &Changed) -> String {
    let lines = TextDiff::from_lines(changed.before.as_str(), changed.after.as_str());
    let (old, new) = (format!("a/{}", changed.path), format!("b/{}", changed.path));
    lines.unified_diff().context_radius(3).header(&old, &new).to_string()
}

/// Names the edits that were taken back, and why.
pub fn tell_taken_back(outcome: &Outcome) {
    for (finding, why) in &outcome.taken_back {
        let place = place(finding, &outcome.report);
        warn(&format!("note: {place}: {}: its fix was taken back: {why}", finding.rule));
    }
}

/// Names the findings that no comment was written for, and why.
pub fn tell_left(covered: &Covered) {
    for (finding, why) in &covered.left {
        let place = place(finding, &covered.report);
        warn(&format!("note: {place}: {}: no ignore comment was written: {why}", finding.rule));
    }
}

/// Where a finding stands: path and line.
fn place(finding: &Finding, report: &Report) -> String {
    let place = finding.labels.first().and_then(|label| {
        let source = report.sources.get(label.file.0 as usize)?;
        let line = source.position(label.span.start, Columns::CodePoints).line;
        Some(match source.within(label.span.start) {
            Some(within) => format!("{}: cell {}, line {}", source.path, within.cell.number, within.line),
            None => format!("{}:{line}", source.path),
        })
    });
    place.unwrap_or_default()
}

/// One line on what has an ignore comment now, or would have.
pub fn ignored(covered: &Covered, would: bool) -> String {
    let files = match covered.changed.len() {
        1 => "1 file".to_owned(),
        n => format!("{n} files"),
    };
    match (covered.made, would) {
        (0, _) => "No ignore comment to write.".to_owned(),
        (n, false) => format!("Ignored {} in {files}.", count(n)),
        (n, true) => format!("Would ignore {} in {files}.", count(n)),
    }
}

/// One line on what was fixed, or what would be.
pub fn summary(outcome: &Outcome, would: bool) -> String {
    let made: usize = outcome.made.values().sum();
    let more = fixable(&outcome.report, true);
    let first = match (made, would) {
        (0, false) => "Fixed nothing".to_owned(),
        (0, true) => "Would fix nothing".to_owned(),
        (n, false) => format!("Fixed {}", count(n)),
        (n, true) => format!("Would fix {}", count(n)),
    };
    match (made, more) {
        (_, 0) => first + ".",
        (0, more) => format!("{first}; {} can be fixed with --unsafe-fixes.", count(more)),
        (_, more) => format!("{first}; {more} more with --unsafe-fixes."),
    }
}

/// One line on what could be fixed; none where nothing can.
pub fn offer(report: &Report) -> Option<String> {
    match (fixable(report, false), fixable(report, true)) {
        (0, 0) => None,
        (0, n) => Some(format!("{} can be fixed with --fix --unsafe-fixes.", count(n))),
        (n, 0) => Some(format!("{} can be fixed with --fix.", count(n))),
        (n, more) => Some(format!("{} can be fixed with --fix, {more} more with --unsafe-fixes.", count(n))),
    }
}

/// Findings with a fix that needs a look, or with one that does not.
fn fixable(report: &Report, needs_a_look: bool) -> usize {
    let fixes = report.findings.iter().filter_map(|finding| finding.fix.as_ref());
    fixes.filter(|fix| fix.safe != needs_a_look).count()
}

fn count(n: usize) -> String {
    if n == 1 { "1 finding".to_owned() } else { format!("{n} findings") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn outcome(made: usize) -> Outcome {
        let made = if made == 0 { BTreeMap::new() } else { BTreeMap::from([("mktemp", made)]) };
        Outcome { report: Report::default(), changed: Vec::new(), made, taken_back: Vec::new() }
    }

    #[test]
    fn one_line_says_what_was_done() {
        assert_eq!(summary(&outcome(0), false), "Fixed nothing.");
        assert_eq!(summary(&outcome(1), false), "Fixed 1 finding.");
        assert_eq!(summary(&outcome(3), true), "Would fix 3 findings.");
        assert_eq!(offer(&Report::default()), None);
    }

    #[test]
    fn a_diff_as_patch_reads_it() {
        let changed = Changed { path: "a.py".into(), before: "a\nb\n".into(), after: "a\nc".into() };
        assert_eq!(diff(&changed), "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n");
    }
}
