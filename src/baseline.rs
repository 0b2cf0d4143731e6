//! Findings that were there when a project began: a list that is kept in the repository, so that only what is new is reported.
//!
//! An entry has no line number: rule, path, what the finding is about, and how many there are. So it survives edits around it.

use crate::finding::Finding;
use crate::text::Source;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the file; it changes when an entry changes its meaning.
const VERSION: u32 = 1;

/// One kind of finding in one file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub path: String,
    pub rule: String,
    /// What the finding is about: [`Finding::key`].
    pub about: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(flatten)]
    entry: Entry,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    count: usize,
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    findings: Vec<Line>,
}

/// The findings that are known, and how many of each.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Baseline {
    entries: BTreeMap<Entry, usize>,
}

/// What a baseline leaves of a list of findings.
pub struct Rest {
    pub new: Vec<Finding>,
    /// How many were known.
    pub known: usize,
    /// Entries of which there are fewer now, with how many fewer.
    pub stale: Vec<(Entry, usize)>,
}

impl Baseline {
    /// Reads the text of a baseline.
    ///
    /// # Errors
    /// What is wrong with it, with the line: it is no JSON, of another version, or holds what no baseline holds.
    pub fn parse(text: &str) -> Result<Baseline, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if document.version != VERSION {
            return Err(format!("it has version {}, and this isolint reads version {VERSION}", document.version));
        }
        let mut entries = BTreeMap::new();
        for line in document.findings {
            *entries.entry(line.entry).or_default() += line.count;
        }
        Ok(Baseline { entries })
    }

    /// The baseline that knows these findings and no others.
    pub fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>, sources: &[Source]) -> Baseline {
        let mut entries = BTreeMap::new();
        for finding in findings {
            *entries.entry(entry(finding, sources)).or_default() += 1;
        }
        Baseline { entries }
    }

    /// What both know: this one without what is stale.
    pub fn without(mut self, stale: &[(Entry, usize)]) -> Baseline {
        for (entry, fewer) in stale {
            if let Some(count) = self.entries.get_mut(entry) {
                *count -= (*count).min(*fewer);
            }
        }
        self.entries.retain(|_, count| *count > 0);
        self
    }

    /// Takes in what another one knows.
    pub fn add(&mut self, other: &Baseline) {
        for (entry, count) in &other.entries {
            *self.entries.entry(entry.clone()).or_default() += count;
        }
    }

    /// How many findings it knows.
    pub fn len(&self) -> usize {
        self.entries.values().sum()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The text of its file: an entry on each line, sorted, so that a review sees what changed.
    pub fn write(&self) -> String {
        let lines = self.entries.iter().map(|(entry, count)| {
            let line = Line { entry: entry.clone(), count: *count };
            // A list of texts and a number has a JSON form.
            format!("    {}", serde_json::to_string(&line).unwrap_or_default())
        });
        let lines: Vec<String> = lines.collect();
        let body = if lines.is_empty() { String::new() } else { format!("\n{}\n  ", lines.join(",\n")) };
        format!("{{\n  \"version\": {VERSION},\n  \"findings\": [{body}]\n}}\n")
    }

    /// Splits findings, in their order, into those that are known and those that are new. They are all that there are now, so what
    /// is left of an entry is stale.
    pub fn split(&self, findings: Vec<Finding>, sources: &[Source]) -> Rest {
        let mut left = self.entries.clone();
        let mut known = 0;
        let mut take = |entry: &Entry| match left.get_mut(entry) {
            Some(count) if *count > 0 => {
                *count -= 1;
                known += 1;
                true
            }
            _ => false,
        };
        let new: Vec<Finding> = findings.into_iter().filter(|finding| !take(&entry(finding, sources))).collect();
        // A file that was moved: its entries go with it, where the file they name is gone.
        let paths: BTreeSet<&str> = sources.iter().map(|source| &*source.path).collect();
        let mut moved: BTreeMap<(String, String), Vec<Entry>> = BTreeMap::new();
        for entry in left.keys().filter(|entry| !paths.contains(entry.path.as_str())) {
            moved.entry((entry.rule.clone(), entry.about.clone())).or_default().push(entry.clone());
        }
        let mut is_moved = |finding: &Finding| {
            let about = (finding.rule.to_owned(), finding.key.clone());
            let entry = moved.get(&about)?.iter().find(|entry| left.get(entry).is_some_and(|count| *count > 0))?;
            *left.get_mut(entry)? -= 1;
            Some(())
        };
        let mut rest = Vec::new();
        for finding in new {
            match is_moved(&finding) {
                Some(()) => known += 1,
                None => rest.push(finding),
            }
        }
        left.retain(|_, count| *count > 0);
        Rest { new: rest, known, stale: left.into_iter().collect() }
    }
}

fn entry(finding: &Finding, sources: &[Source]) -> Entry {
    let file = finding.labels.first().and_then(|label| sources.get(label.file.0 as usize));
    Entry {
        path: file.map_or(String::new(), |source| source.path.to_string()),
        rule: finding.rule.to_owned(),
        about: finding.key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, Label, Role, Severity};
    use crate::text::{FileId, Kind, Span};

    fn sources() -> Vec<Source> {
        ["a.py", "b.py"].map(|path| Source::of(path, Kind::Python, "x\n")).into()
    }

    fn finding(file: u32, key: &str) -> Finding {
        Finding {
            rule: "mktemp",
            severity: Severity::Error,
            confidence: Confidence::High,
            message: String::new(),
            labels: vec![Label { file: FileId(file), span: Span::default(), text: String::new(), role: Role::Primary }],
            help: String::new(),
            notes: Vec::new(),
            tests: Vec::new(),
            reproduce: None,
            key: key.to_owned(),
            remedy: None,
            fix: None,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let all = [finding(0, "x"), finding(0, "x"), finding(1, "\"quoted\"\n")];
        let baseline = Baseline::of(&all, &sources());
        assert_eq!(baseline.len(), 3);
        let text = baseline.write();
        assert_eq!(Baseline::parse(&text), Ok(baseline));
        assert!(text.contains("\n    {\"path\":\"a.py\",\"rule\":\"mktemp\",\"about\":\"x\",\"count\":2},\n"), "{text}");
        assert_eq!(Baseline::parse(&Baseline::default().write()), Ok(Baseline::default()));
    }

    #[test]
    fn what_is_no_baseline_is_refused() {
        for text in ["", "[]", "{\"version\": 2, \"findings\": []}", "{\"version\": 1, \"findings\": [{\"path\": 1}]}"] {
            assert!(Baseline::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_new_is_left_and_what_is_gone_is_stale() {
        let baseline = Baseline::of(&[finding(0, "x"), finding(0, "x"), finding(1, "y")], &sources());
        let rest = baseline.split(vec![finding(0, "x"), finding(0, "z")], &sources());
        let keys: Vec<&str> = rest.new.iter().map(|finding| finding.key.as_str()).collect();
        assert_eq!((keys, rest.known), (vec!["z"], 1));
        let stale: Vec<(&str, usize)> = rest.stale.iter().map(|(entry, count)| (entry.about.as_str(), *count)).collect();
        assert_eq!(stale, [("x", 1), ("y", 1)]);
        assert_eq!(baseline.without(&rest.stale).len(), 1);
    }

    #[test]
    fn one_more_of_the_same_is_new() {
        let baseline = Baseline::of(&[finding(0, "x")], &sources());
        assert_eq!(baseline.split(vec![finding(0, "x"), finding(0, "x")], &sources()).new.len(), 1);
    }

    #[test]
    fn a_file_that_was_moved_takes_its_entries_along() {
        let baseline = Baseline::of(&[finding(0, "x"), finding(1, "y")], &sources());
        let moved: Vec<Source> = ["c.py", "b.py"].map(|path| Source::of(path, Kind::Python, "x\n")).into();
        let rest = baseline.split(vec![finding(0, "x"), finding(1, "y")], &moved);
        assert_eq!((rest.new.len(), rest.known, rest.stale.len()), (0, 2, 0));
        // The other file is still there: what came up beside it is new.
        assert_eq!(baseline.split(vec![finding(0, "y")], &moved).new.len(), 1);
    }
}
