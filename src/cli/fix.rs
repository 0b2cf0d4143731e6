//! `--fix` and `--diff`: what was fixed, to the files or as a diff.

use super::{Failure, output, warn};
use isolint::check::Report;
use isolint::remedy::rounds::{Changed, Outcome};
use isolint::text::Columns;
use similar::TextDiff;
use std::path::Path;

/// Writes the files that changed; those that could not be written are named, and give the exit status of a failure.
pub fn write(root: &Path, outcome: &Outcome) -> bool {
    let mut sound = true;
    for changed in &outcome.changed {
        let path = root.join(&changed.path);
        if let Err(why) = output::replace_file(root, &path, changed.before.as_bytes(), changed.after.as_bytes()) {
            sound = false;
            warn(&format!("error: {}: not fixed: {why}", changed.path));
        }
    }
    sound
}

/// Prints what would be written as a unified diff, as `patch -p1` reads it.
pub fn print_diff(outcome: &Outcome) -> Result<(), Failure> {
    let text: String = outcome.changed.iter().map(diff).collect();
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
        let place = finding.labels.first().and_then(|label| {
            let source = outcome.report.sources.get(label.file.0 as usize)?;
            Some(format!("{}:{}", source.path, source.position(label.span.start, Columns::CodePoints).line))
        });
        warn(&format!("note: {}: {}: its fix was taken back: {why}", place.unwrap_or_default(), finding.rule));
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
    if more == 0 { first + "." } else { format!("{first}; {more} more with --unsafe-fixes.") }
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
