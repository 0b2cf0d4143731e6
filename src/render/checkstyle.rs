//! Checkstyle's XML (Checkstyle documentation, "XMLLogger"), which many CI servers read.

use super::place::Places;
use super::sanitized::sanitized;
use super::severity_name;
use crate::check::Report;
use crate::finding::{Finding, Severity};
use crate::text::Columns;
use quick_xml::Writer;
use std::io::{self, Write};

/// Columns of a message; a longer one is cut.
const MESSAGE: usize = 4096;

pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(&report.sources, Columns::CodePoints);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
    let files = report.findings.chunk_by(|a, b| path(a, &places) == path(b, &places));
    xml.create_element("checkstyle").with_attribute(("version", "8.0")).write_inner_content(|xml| {
        for findings in files {
            let name = sanitized(path(&findings[0], &places), MESSAGE).to_string();
            xml.create_element("file")
                .with_attribute(("name", name.as_str()))
                .write_inner_content(|xml| findings.iter().try_for_each(|finding| error(finding, &places, xml)))?;
        }
        Ok(())
    })?;
    writeln!(out)
}

fn path<'a>(finding: &Finding, places: &Places<'a>) -> &'a str {
    finding.labels.first().map_or("", |label| places.path(label.file))
}

fn error<W: Write>(finding: &Finding, places: &Places, xml: &mut Writer<W>) -> io::Result<()> {
    let start = finding.labels.first().and_then(|label| places.label(label)).map(|region| region.start);
    let (line, column) = start.map_or((1, 1), |start| (start.line, start.column));
    let severity = match finding.severity {
        Severity::Note => "info",
        severity => severity_name(severity),
    };
    let message = sanitized(&finding.message, MESSAGE).to_string();
    xml.create_element("error")
        .with_attributes([
            ("line", line.to_string().as_str()),
            ("column", column.to_string().as_str()),
            ("severity", severity),
            ("message", message.as_str()),
            ("source", format!("isolint.{}", finding.rule).as_str()),
        ])
        .write_empty()?;
    Ok(())
}
