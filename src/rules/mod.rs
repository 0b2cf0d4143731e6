//! One short function for each hazard, and the table that binds it to its page in `rules/`.

use crate::finding::Finding;
use crate::link::Suite;

/// A rule: its name, its page, and the function that looks.
pub struct Rule {
    pub name: &'static str,
    pub page: &'static str,
    pub check: fn(&Suite, &mut Vec<Finding>),
}

/// All rules, sorted by name.
pub const TABLE: &[Rule] = &[];
