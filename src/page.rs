//! The pages of `rules/`: front matter, prose and blocks. The one source of a rule's title, severity, help and status.

use crate::finding::{Confidence, Severity};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its precision is not measured yet; off unless asked for.
    Preview,
    Stable,
}

/// What can be done about a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cure {
    /// Edits that mean the same, but for the hazard.
    Safe,
    /// Edits that somebody has to look at.
    Unsafe,
    /// Words only.
    Advice,
}

impl Cure {
    pub fn name(self) -> &'static str {
        match self {
            Cure::Safe => "safe",
            Cure::Unsafe => "unsafe",
            Cure::Advice => "advice",
        }
    }
}

/// The front matter of a page.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// What is wrong, in a few words, lower case.
    pub title: String,
    pub family: String,
    /// What it costs when true, at most.
    pub severity: Severity,
    /// A ceiling; facts may lower it.
    pub confidence: Confidence,
    pub status: Status,
    /// The best that its fixes are; a place may offer less, or none.
    pub fix: Cure,
    pub since: String,
    /// Former names; still accepted.
    #[serde(default)]
    pub was: Vec<String>,
    /// Public repairs that justify the rule: `owner/name@commit path`.
    #[serde(default)]
    pub seen: Vec<String>,
    /// What to do, by language: `python`, `rust`, `config`.
    pub help: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    pub name: &'static str,
    pub front: Front,
    /// The Markdown after the front matter.
    pub body: &'static str,
}

impl Page {
    /// # Errors
    /// A sentence that names what the page lacks.
    pub fn parse(name: &'static str, text: &'static str) -> Result<Page, String> {
        let rest = text.strip_prefix("+++\n").ok_or("a page starts with `+++` and TOML front matter")?;
        let (front, body) = rest.split_once("\n+++\n").ok_or("the front matter ends with a line `+++`")?;
        let front = toml::from_str(front).map_err(|error| error.to_string())?;
        Ok(Page { name, front, body })
    }
}

/// All pages, sorted by name. A page that does not parse is left out here and fails `tests/pages.rs`.
pub fn all() -> &'static [Page] {
    static PAGES: OnceLock<Vec<Page>> = OnceLock::new();
    PAGES.get_or_init(|| {
        let mut pages: Vec<Page> = crate::rules::TABLE.iter().filter_map(|rule| Page::parse(rule.name, rule.page).ok()).collect();
        pages.sort_by_key(|page| page.name);
        pages
    })
}

/// The page of a rule, by its name or a former one.
pub fn find(name: &str) -> Option<&'static Page> {
    all().iter().find(|page| page.name == name || page.front.was.iter().any(|was| was == name))
}
