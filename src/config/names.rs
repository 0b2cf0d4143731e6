//! Names that a user may misspell: of rules, of keys, of levels.

use crate::finding::{Confidence, Severity};
use crate::page::Page;

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

/// The name that a rule has now; a name that no rule has stays as it is.
pub fn present(name: &str) -> &str {
    let formerly = |page: &&Page| page.front.was.iter().any(|was| was == name);
    crate::page::all().iter().find(formerly).map_or(name, |page| page.name)
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

pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [&str; 3] = ["mktemp", "shared-path", "fixed-port"];

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
