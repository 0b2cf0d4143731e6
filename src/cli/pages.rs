//! `explain` and `rules`: the pages, for people and programs.

use super::{Failure, output};
use isolint::finding::{Confidence, Severity};
use isolint::page::{self, Cure, Page, Status};
use serde::Serialize;
use std::fmt::Write;

/// Prints the page of a rule.
pub fn explain(name: &str) -> Result<u8, Failure> {
    super::rule(name)?;
    let page = page::find(name).ok_or_else(|| Failure::Rule(format!("the page of `{name}` cannot be read")))?;
    output::print(text(page, name).as_bytes())?;
    Ok(0)
}

/// Prints the JSON schema of the configuration.
pub fn schema() -> Result<u8, Failure> {
    output::print(isolint::config::schema::schema().as_bytes())?;
    Ok(0)
}

fn text(page: &Page, asked: &str) -> String {
    let front = &page.front;
    let mut text = format!("{}: {}\n\n", page.name, front.title);
    if asked != page.name {
        let _ = writeln!(text, "`{asked}` is its former name.\n");
    }
    let (severity, confidence) = (severity(front.severity), confidence(front.confidence));
    let (status, fix) = (status(front.status), cure(front.fix));
    let _ = writeln!(text, "{} · {severity} at most · confidence {confidence} at most · {status} · {fix}", front.family);
    for (language, help) in &front.help {
        let _ = writeln!(text, "{language}: {help}");
    }
    let _ = writeln!(text, "\n{}", page.body.trim());
    text
}

/// What programs get of a rule; a key, once there, stays.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    title: &'a str,
    family: &'a str,
    severity: Severity,
    confidence: Confidence,
    status: &'static str,
    fix: &'static str,
    since: &'a str,
    former_names: &'a [String],
}

#[derive(Serialize)]
struct List<'a> {
    version: u32,
    rules: Vec<Entry<'a>>,
}

/// Lists all rules, sorted by name.
pub fn rules(json: bool) -> Result<u8, Failure> {
    output::print(list(page::all(), json).as_bytes())?;
    Ok(0)
}

fn list(pages: &[Page], json: bool) -> String {
    if json {
        let rules = pages.iter().map(entry_of).collect();
        // Texts and names only: there is nothing in it that JSON cannot say.
        return serde_json::to_string_pretty(&List { version: 1, rules }).unwrap_or_default() + "\n";
    }
    let width = pages.iter().map(|page| page.name.len()).max().unwrap_or(0);
    let line = |page: &Page| {
        let preview = if page.front.status == Status::Preview { " (preview)" } else { "" };
        format!("{:width$}  {:7}  {}{preview}\n", page.name, severity(page.front.severity), page.front.title)
    };
    pages.iter().map(line).collect()
}

fn entry_of(page: &Page) -> Entry<'_> {
    let front = &page.front;
    Entry {
        name: page.name,
        title: &front.title,
        family: &front.family,
        severity: front.severity,
        confidence: front.confidence,
        status: status(front.status),
        fix: front.fix.name(),
        since: &front.since,
        former_names: &front.was,
    }
}

fn severity(severity: Severity) -> &'static str {
    isolint::config::SEVERITIES[severity as usize]
}

fn confidence(confidence: Confidence) -> &'static str {
    isolint::config::CONFIDENCES[confidence as usize]
}

fn cure(cure: Cure) -> &'static str {
    match cure {
        Cure::Safe => "fix safe at best",
        Cure::Unsafe => "fix needs a look",
        Cure::Advice => "no fix, only advice",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Preview => "preview",
        Status::Stable => "stable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "+++\ntitle = 'a title'\nfamily = 'temp'\nseverity = 'warning'\nconfidence = 'medium'\nstatus = 'preview'\nfix = 'safe'\n\
                        since = '0.1.0'\nwas = ['old-name']\n[help]\npython = 'use tmp_path'\n+++\n\nThe body.\n";

    #[test]
    fn a_page_for_people() {
        let page = Page::parse("mktemp", PAGE).unwrap();
        let expected = "mktemp: a title\n\ntemp · warning at most · confidence medium at most · preview · fix safe at best\npython: use tmp_path\n\nThe body.\n";
        assert_eq!(text(&page, "mktemp"), expected);
        assert!(text(&page, "old-name").contains("`old-name` is its former name."));
    }

    #[test]
    fn the_list() {
        let pages = [Page::parse("mktemp", PAGE).unwrap()];
        assert_eq!(list(&pages, false), "mktemp  warning  a title (preview)\n");
        let json: serde_json::Value = serde_json::from_str(&list(&pages, true)).unwrap();
        assert_eq!(json["version"], 1);
        assert_eq!(json["rules"][0]["name"], "mktemp");
        assert_eq!(json["rules"][0]["severity"], "warning");
        assert_eq!(json["rules"][0]["former_names"][0], "old-name");
    }

    #[test]
    fn names_of_levels() {
        assert_eq!([Severity::Note, Severity::Warning, Severity::Error].map(severity), ["note", "warning", "error"]);
        assert_eq!([Confidence::Low, Confidence::Medium, Confidence::High].map(confidence), ["low", "medium", "high"]);
    }
}
