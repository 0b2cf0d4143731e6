//! The last lines of a run for people: what was not read, and one line of numbers.

use super::place::Places;
use super::sanitized::sanitized;
use super::{Options, why_name};
use crate::check::Report;
use crate::finding::Severity;
use std::io::{self, Write};

/// How many of a list are named before the rest is counted.
const NAMED: usize = 10;

/// How many runners the one line names.
const RUNNERS: usize = 3;

/// Faults, files that were skipped, gaps where asked for, and the summary line.
pub fn write(report: &Report, options: &Options, places: &Places, out: &mut dyn Write) -> io::Result<()> {
    for fault in &report.faults {
        writeln!(out, "internal error: {}", sanitized(fault, 1000))?;
    }
    for skipped in report.skipped.iter().take(NAMED) {
        writeln!(out, "{}: skipped: {}", sanitized(&skipped.path, 4096), sanitized(&skipped.why, 1000))?;
    }
    if report.skipped.len() > NAMED {
        writeln!(out, "{} more skipped", report.skipped.len() - NAMED)?;
    }
    if options.suppressed {
        for (finding, file, comment) in &report.ignored {
            let place = |file, span| places.region(file, span).map_or_else(String::new, |region| places.name(file, region));
            let at = finding.labels.first().map_or_else(String::new, |label| place(label.file, label.span));
            let reason = super::reason(report, (*file, *comment)).map_or_else(String::new, |reason| format!(": {reason}"));
            let message = format!("{} (ignored at {}{reason})", finding.message, place(*file, *comment));
            writeln!(out, "{at}: ignored[{}] {}", finding.rule, sanitized(&message, 1000))?;
        }
    }
    if options.gaps {
        for (file, gap) in &report.gaps {
            let Some(region) = places.region(*file, gap.span) else { continue };
            writeln!(out, "{}: gap: {}", places.name(*file, region), why_name(gap.why))?;
        }
    }
    writeln!(out, "{}", line(report, options))
}

/// The summary on one line.
fn line(report: &Report, options: &Options) -> String {
    let findings = if report.findings.is_empty() {
        "No findings".to_owned()
    } else {
        let levels = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
            let count = report.findings.iter().filter(|finding| finding.severity == severity).count();
            (count > 0).then(|| counted(count, super::severity_name(severity)))
        });
        let levels: Vec<String> = levels.into_iter().flatten().collect();
        format!("{} ({})", counted(report.findings.len(), "finding"), levels.join(", "))
    };
    let mut parts = vec![
        counted(report.sources.len(), "file"),
        counted(report.tests, "test"),
        runners(&report.runners),
        counted(report.gaps.len(), "gap") + if report.gaps.is_empty() || options.gaps { "" } else { " (--gaps names them)" },
    ];
    if report.known > 0 {
        parts.push(format!("{} in the baseline", report.known));
    }
    if report.untouched > 0 {
        parts.push(format!("{} that the change does not touch", report.untouched));
    }
    if !report.ignored.is_empty() {
        parts.push(format!("{} ignored", report.ignored.len()));
    }
    if !report.skipped.is_empty() {
        parts.push(format!("{} skipped", report.skipped.len()));
    }
    if !report.faults.is_empty() {
        parts.push(counted(report.faults.len(), "internal error"));
    }
    format!("{findings} in {}", parts.join(", "))
}

fn runners(list: &[String]) -> String {
    if list.is_empty() {
        return "no runners".to_owned();
    }
    let mut names: Vec<String> = list.iter().take(RUNNERS).map(|name| sanitized(name, 120).to_string()).collect();
    if list.len() > RUNNERS {
        names.push(format!("{} more", list.len() - RUNNERS));
    }
    format!("{}: {}", counted(list.len(), "runner"), names.join("; "))
}

/// `1 file`, `2 files`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Skipped;
    use crate::text::Columns;

    #[test]
    fn an_empty_run_is_one_line() {
        assert_eq!(line(&Report::default(), &Options::default()), "No findings in 0 files, 0 tests, no runners, 0 gaps");
    }

    #[test]
    fn runners_are_named_and_the_rest_counted() {
        let runners = ["a", "b", "c\u{1b}", "d", "e"].map(str::to_owned).to_vec();
        let report = Report { runners, tests: 1, ..Report::default() };
        assert_eq!(line(&report, &Options::default()), "No findings in 0 files, 1 test, 5 runners: a; b; c␛; 2 more, 0 gaps");
    }

    #[test]
    fn what_was_skipped_is_named() {
        let skipped = (0..12).map(|n| Skipped { path: format!("{n}.py"), why: "too large".to_owned() }).collect();
        let report = Report { skipped, faults: vec!["boom".to_owned()], ..Report::default() };
        let mut out = Vec::new();
        write(&report, &Options::default(), &Places::new(&[], Columns::CodePoints), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("internal error: boom\n0.py: skipped: too large\n"), "{text}");
        assert!(text.contains("9.py: skipped: too large\n2 more skipped\nNo findings in"), "{text}");
        assert!(text.ends_with("0 gaps, 12 skipped, 1 internal error\n"), "{text}");
    }
}
