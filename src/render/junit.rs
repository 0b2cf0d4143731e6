//! JUnit's XML: a suite for each file, a failed case for each finding. A note is a case that passes and says so.

use super::place::Places;
use super::sanitized::sanitized;
use super::severity_name;
use crate::check::Report;
use crate::finding::{Finding, Severity};
use crate::text::Columns;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::io::{self, Write};

/// Columns of a message; a longer one is cut.
const MESSAGE: usize = 4096;

pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(&report.sources, Columns::CodePoints);
    let path = |finding: &Finding| finding.labels.first().map_or("", |label| places.path(label.file));
    let mut document = quick_junit::Report::new(env!("CARGO_PKG_NAME"));
    for findings in report.findings.chunk_by(|a, b| path(a) == path(b)) {
        let mut suite = TestSuite::new(sanitized(path(&findings[0]), MESSAGE).to_string());
        suite.add_test_cases(findings.iter().map(|finding| case(finding, &places)));
        document.add_test_suite(suite);
    }
    if report.findings.is_empty() {
        // Some readers take a report without cases for a run that failed.
        let mut suite = TestSuite::new(env!("CARGO_PKG_NAME"));
        suite.add_test_case(TestCase::new("no findings", TestCaseStatus::success()));
        document.add_test_suite(suite);
    }
    document.serialize(&mut *out).map_err(io::Error::other)
}

fn case(finding: &Finding, places: &Places) -> TestCase {
    let message = sanitized(&finding.message, MESSAGE).to_string();
    let place = finding.labels.first().and_then(|label| {
        let region = places.label(label)?;
        Some(format!("{}:{}:{}", places.path(label.file), region.start.line, region.start.column))
    });
    let place = sanitized(&place.unwrap_or_default(), MESSAGE).to_string();
    let text = format!("{place}: {message}\nhelp: {}", sanitized(&finding.help, MESSAGE));
    let name = format!("{} {place}", finding.rule);
    if finding.severity == Severity::Note {
        let mut case = TestCase::new(name, TestCaseStatus::success());
        case.set_system_out(text);
        return case;
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message).set_type(severity_name(finding.severity)).set_description(text);
    TestCase::new(name, status)
}
