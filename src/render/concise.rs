//! One line for each finding: `path:line:column: severity[rule] message`, in a notebook `path: cell 3, line 2: …`. Editors and problem
//! matchers read it.

use super::place::Places;
use super::sanitized::sanitized;
use super::{Options, severity_name, summary};
use crate::check::Report;
use crate::text::Columns;
use std::io::{self, Write};

/// Columns of a message; a longer one is cut.
const MESSAGE: usize = 1000;

pub fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(&report.sources, Columns::CodePoints);
    for finding in &report.findings {
        let label = finding.labels.first();
        if let Some(label) = label
            && let Some(region) = places.label(label)
        {
            write!(out, "{}: ", places.name(label.file, region))?;
        }
        let (on, off) = if options.color { (super::terminal::color(finding.severity), super::terminal::PLAIN) } else { ("", "") };
        let message = sanitized(&finding.message, MESSAGE);
        writeln!(out, "{on}{}[{}]{off} {message}", severity_name(finding.severity), finding.rule)?;
    }
    summary::write(report, options, &places, out)
}
