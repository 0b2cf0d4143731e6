//! What a user may set, and how it is read out of configuration files. Works on text; the shell finds and reads the files.

use crate::baseline::Baseline;
use crate::finding::{Confidence, Severity};
use crate::page::Page;
use crate::text::Changes;
use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The settings of one run, from the command line and the configuration file.
#[derive(Clone, Debug)]
pub struct Config {
    /// Only these rules; empty for all that are on.
    pub select: Vec<String>,
    pub ignore: Vec<String>,
    pub min_severity: Severity,
    pub min_confidence: Confidence,
    /// Rules in preview are on.
    pub preview: bool,
    /// Globs of paths that are not looked at.
    pub exclude: Vec<String>,
    /// Only findings with an end in one of these paths (relative to the project; a folder covers all below) are shown; empty for all.
    pub paths: Vec<String>,
    /// Only findings with a place that this change touches are shown; none for all.
    pub changes: Option<Changes>,
    /// Findings that are known and not shown.
    pub baseline: Option<Baseline>,
    /// Threads; 0 for as many as the process may use.
    pub jobs: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            select: Vec::new(),
            ignore: Vec::new(),
            min_severity: Severity::Note,
            min_confidence: Confidence::Medium,
            preview: false,
            exclude: Vec::new(),
            paths: Vec::new(),
            changes: None,
            baseline: None,
            jobs: 0,
        }
    }
}

/// The files that may hold our settings, in the order in which they are asked; the first that does is taken.
pub const FILES: [&str; 4] = ["isolint.toml", ".isolint.toml", "pyproject.toml", "Cargo.toml"];

/// The keys of our table.
const KEYS: [&str; 7] = ["baseline", "exclude", "ignore", "min-confidence", "min-severity", "preview", "select"];

/// What one configuration file, or the command line, sets; what it does not set stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    pub select: Option<Vec<String>>,
    pub ignore: Option<Vec<String>>,
    pub exclude: Option<Vec<String>>,
    /// The file of the baseline, relative to the project.
    pub baseline: Option<String>,
    pub min_severity: Option<Severity>,
    pub min_confidence: Option<Confidence>,
    pub preview: Option<bool>,
}

/// What is wrong with a setting, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// As the user knows it.
    pub file: String,
    /// From 1.
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

impl std::error::Error for Wrong {}

impl Settings {
    /// Reads a configuration file. `file` is its path: `pyproject.toml` holds `[tool.isolint]`, `Cargo.toml` holds
    /// `[workspace.metadata.isolint]` or `[package.metadata.isolint]`, and any other file is ours as a whole. `rules` are all names
    /// that select a rule. None where the file does not speak of us.
    ///
    /// # Errors
    /// An unknown key or rule, a value of the wrong type, or a file that is no TOML, with its line. A `pyproject.toml` or
    /// `Cargo.toml` that does not parse is an error only where it may hold our table.
    pub fn read(file: &str, text: &str, rules: &[&str]) -> Result<Option<Settings>, Wrong> {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let homes: &[&[&str]] = match name {
            "pyproject.toml" => &[&["tool", "isolint"]],
            "Cargo.toml" => &[&["workspace", "metadata", "isolint"], &["package", "metadata", "isolint"]],
            _ => &[&[]],
        };
        if homes[0].len() > 1 && !text.contains("isolint") {
            return Ok(None);
        }
        let reading = Reading { file, text, rules };
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            reading.wrong(at, error.message().to_owned())
        })?;
        for home in homes {
            let mut table = Some(document.get_ref());
            for key in *home {
                table = table.and_then(|table| table.get(*key)).and_then(|value| value.get_ref().as_table());
            }
            if let Some(table) = table {
                return reading.settings(table).map(Some);
            }
        }
        Ok(None)
    }

    /// Puts these settings into `config`, over what is there.
    pub fn apply(self, config: &mut Config) {
        config.select = self.select.unwrap_or(std::mem::take(&mut config.select));
        config.ignore = self.ignore.unwrap_or(std::mem::take(&mut config.ignore));
        config.exclude = self.exclude.unwrap_or(std::mem::take(&mut config.exclude));
        config.min_severity = self.min_severity.unwrap_or(config.min_severity);
        config.min_confidence = self.min_confidence.unwrap_or(config.min_confidence);
        config.preview = self.preview.unwrap_or(config.preview);
    }
}

/// A file being read.
struct Reading<'a> {
    file: &'a str,
    text: &'a str,
    rules: &'a [&'a str],
}

impl Reading<'_> {
    fn settings(&self, table: &DeTable) -> Result<Settings, Wrong> {
        let mut settings = Settings::default();
        // In the order of the file, so that the first mistake is the one that is told.
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let name = key.get_ref().as_ref();
            match name {
                "select" => settings.select = Some(self.names(name, value)?),
                "ignore" => settings.ignore = Some(self.names(name, value)?),
                "exclude" => settings.exclude = Some(self.texts(name, value)?.into_iter().map(|(text, _)| text).collect()),
                "baseline" => match value.get_ref().as_str() {
                    Some(path) => settings.baseline = Some(path.to_owned()),
                    None => {
                        return Err(self.wrong(value.span().start, "`baseline` is the path of a file: `baseline = \"…\"`".into()));
                    }
                },
                "min-severity" => settings.min_severity = Some(self.choice(name, value, severity, &SEVERITIES)?),
                "min-confidence" => settings.min_confidence = Some(self.choice(name, value, confidence, &CONFIDENCES)?),
                "preview" => match value.get_ref().as_bool() {
                    Some(on) => settings.preview = Some(on),
                    None => return Err(self.wrong(value.span().start, "`preview` is `true` or `false`".into())),
                },
                _ => {
                    let known = match nearest(name, &KEYS) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("known are {}", quoted(&KEYS)),
                    };
                    return Err(self.wrong(key.span().start, format!("unknown key `{name}`; {known}")));
                }
            }
        }
        Ok(settings)
    }

    /// Names of rules.
    fn names(&self, key: &str, value: &Spanned<DeValue>) -> Result<Vec<String>, Wrong> {
        let texts = self.texts(key, value)?;
        for (name, at) in &texts {
            unknown_rule(name, self.rules).map_or(Ok(()), |what| Err(self.wrong(*at, what)))?;
        }
        Ok(texts.into_iter().map(|(text, _)| text).collect())
    }

    /// A list of texts, each with its place.
    fn texts(&self, key: &str, value: &Spanned<DeValue>) -> Result<Vec<(String, usize)>, Wrong> {
        let wrong = |at| self.wrong(at, format!("`{key}` is a list of texts: `{key} = [\"…\"]`"));
        let list = value.get_ref().as_array().ok_or_else(|| wrong(value.span().start))?;
        let text = |item: &Spanned<DeValue>| {
            let text = item.get_ref().as_str().ok_or_else(|| wrong(item.span().start))?;
            Ok((text.to_owned(), item.span().start))
        };
        list.iter().map(text).collect()
    }

    fn choice<T>(&self, key: &str, value: &Spanned<DeValue>, read: fn(&str) -> Option<T>, known: &[&str]) -> Result<T, Wrong> {
        let chosen = value.get_ref().as_str().and_then(read);
        chosen.ok_or_else(|| self.wrong(value.span().start, format!("`{key}` is one of {}", quoted(known))))
    }

    fn wrong(&self, at: usize, what: String) -> Wrong {
        let before = self.text.get(..at).unwrap_or(self.text);
        Wrong { file: self.file.to_owned(), line: before.matches('\n').count() + 1, what }
    }
}

/// The names of severities, lowest first.
pub const SEVERITIES: [&str; 3] = ["note", "warning", "error"];

/// The names of confidences, lowest first.
pub const CONFIDENCES: [&str; 3] = ["low", "medium", "high"];

pub fn severity(name: &str) -> Option<Severity> {
    match name {
        "note" => Some(Severity::Note),
        "warning" => Some(Severity::Warning),
        "error" => Some(Severity::Error),
        _ => None,
    }
}

pub fn confidence(name: &str) -> Option<Confidence> {
    match name {
        "low" => Some(Confidence::Low),
        "medium" => Some(Confidence::Medium),
        "high" => Some(Confidence::High),
        _ => None,
    }
}

/// All names that select a rule, former ones included, sorted.
pub fn rule_names() -> Vec<&'static str> {
    let of = |page: &'static Page| std::iter::once(page.name).chain(page.front.was.iter().map(String::as_str));
    let mut names: Vec<&str> = crate::page::all().iter().flat_map(of).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What to say of a name that selects no rule; none where it does.
pub fn unknown_rule(name: &str, rules: &[&str]) -> Option<String> {
    if rules.contains(&name) {
        return None;
    }
    let next = match nearest(name, rules) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`isolint rules` lists all".to_owned(),
    };
    Some(format!("there is no rule `{name}`; {next}"))
}

/// The known name that a misspelt one most likely means: the fewest letters apart, and no more than a third of them.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase().replace('_', "-");
    let most = name.chars().count().div_ceil(3).min(4);
    let near = known.iter().map(|word| (distance(&name, word), *word)).min()?;
    (near.0 <= most).then_some(near.1)
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != *y)).min(last[j + 1] + 1).min(row[j] + 1);
            if j > 0 && previous == Some(*y) && x == b[j - 1] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
        previous = Some(x);
    }
    last.last().copied().unwrap_or(0)
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [&str; 3] = ["mktemp", "shared-path", "fixed-port"];

    fn read(file: &str, text: &str) -> Result<Option<Settings>, String> {
        Settings::read(file, text, &RULES).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn each_file_has_its_table() {
        let expected = Settings { preview: Some(true), ..Settings::default() };
        assert_eq!(read("isolint.toml", "preview = true"), Ok(Some(expected.clone())));
        assert_eq!(read("sub/.isolint.toml", "preview = true"), Ok(Some(expected.clone())));
        assert_eq!(read("pyproject.toml", "[tool.isolint]\npreview = true"), Ok(Some(expected.clone())));
        assert_eq!(read("Cargo.toml", "[package.metadata]\nisolint = { preview = true }"), Ok(Some(expected.clone())));
        let both = "[package.metadata.isolint]\npreview = false\n[workspace.metadata.isolint]\npreview = true\n";
        assert_eq!(read("Cargo.toml", both), Ok(Some(expected)));
    }

    #[test]
    fn files_that_do_not_speak_of_us() {
        assert_eq!(read("pyproject.toml", "[tool.black]\nselect = 1"), Ok(None));
        assert_eq!(read("pyproject.toml", "dependencies = [\"isolint\"]"), Ok(None));
        assert_eq!(read("Cargo.toml", "this is no TOML"), Ok(None));
        assert_eq!(read("isolint.toml", ""), Ok(Some(Settings::default())));
    }

    #[test]
    fn all_keys() {
        let text = "select = ['mktemp']\nignore = ['fixed-port']\nexclude = ['a/**']\nmin-severity = 'warning'\n\
                    min-confidence = 'high'\npreview = true\n";
        let mut config = Config::default();
        read("isolint.toml", text).unwrap().unwrap().apply(&mut config);
        assert_eq!((config.select, config.ignore), (vec!["mktemp".to_owned()], vec!["fixed-port".to_owned()]));
        assert_eq!((config.min_severity, config.min_confidence), (Severity::Warning, Confidence::High));
        assert_eq!((config.exclude, config.preview), (vec!["a/**".to_owned()], true));
    }

    #[test]
    fn what_is_not_set_stays() {
        let mut config = Config { exclude: vec!["a".into()], min_severity: Severity::Error, ..Config::default() };
        Settings::default().apply(&mut config);
        assert_eq!((config.exclude, config.min_severity), (vec!["a".to_owned()], Severity::Error));
    }

    #[test]
    fn mistakes_name_file_line_and_the_next_step() {
        let says = |text: &str| read("isolint.toml", text).unwrap_err();
        assert_eq!(says("preview = true\nselct = []"), "isolint.toml:2: unknown key `selct`; did you mean `select`?");
        assert_eq!(says("min_severity = 'note'"), "isolint.toml:1: unknown key `min_severity`; did you mean `min-severity`?");
        assert!(
            says("colour = 1").starts_with("isolint.toml:1: unknown key `colour`; known are `baseline`, `exclude`, `ignore`, ")
        );
        assert_eq!(says("\nselect = [\n 'mktmp']"), "isolint.toml:3: there is no rule `mktmp`; did you mean `mktemp`?");
        assert_eq!(says("ignore = ['T201']"), "isolint.toml:1: there is no rule `T201`; `isolint rules` lists all");
        assert_eq!(says("ignore = 'mktemp'"), "isolint.toml:1: `ignore` is a list of texts: `ignore = [\"…\"]`");
        assert_eq!(says("exclude = [1]"), "isolint.toml:1: `exclude` is a list of texts: `exclude = [\"…\"]`");
        assert_eq!(says("min-severity = 'high'"), "isolint.toml:1: `min-severity` is one of `note`, `warning`, `error`");
        assert_eq!(says("preview = 1"), "isolint.toml:1: `preview` is `true` or `false`");
        assert!(says("a = 1\nb = = 2\n").starts_with("isolint.toml:2: "));
        let pyproject = "[project]\nname = 'x'\n\n[tool.isolint]\nexlude = []\n";
        assert_eq!(
            read("pyproject.toml", pyproject).unwrap_err(),
            "pyproject.toml:5: unknown key `exlude`; did you mean `exclude`?"
        );
    }

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("shraed", "shared"), 1);
        assert_eq!(distance("haed-s", "head"), 3);
        assert_eq!(nearest("shared-paths", &RULES), Some("shared-path"));
        assert_eq!(nearest("Shared_Path", &RULES), Some("shared-path"));
        assert_eq!(nearest("", &RULES), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn names_of_levels_are_those_of_the_report() {
        let written: Vec<_> = SEVERITIES.iter().map(|name| serde_json::to_value(severity(name).unwrap()).unwrap()).collect();
        assert_eq!(written, SEVERITIES);
        let written: Vec<_> = CONFIDENCES.iter().map(|name| serde_json::to_value(confidence(name).unwrap()).unwrap()).collect();
        assert_eq!(written, CONFIDENCES);
    }
}
