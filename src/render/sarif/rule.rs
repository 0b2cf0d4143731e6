//! A rule's page as a SARIF `reportingDescriptor`. A rule without a page speaks through its first finding.

use super::model::{Configuration, Help, Rule, RuleProperties, Text};
use super::{level, plain};
use crate::finding::{Confidence, Finding, Severity};
use crate::page::{self, Front, Page};
use crate::render::page_uri;

/// Characters of a description that code scanning shows ("SARIF support for code scanning", GitHub Docs).
const DESCRIPTION: usize = 1024;

pub fn descriptor(finding: &Finding) -> Rule {
    match page::find(finding.rule) {
        Some(page) => from_page(page),
        None => from_finding(finding),
    }
}

fn from_page(page: &Page) -> Rule {
    let Front { title, family, severity, confidence, help, .. } = &page.front;
    let intro = introduction(page.body);
    let advice: Vec<String> = help.iter().map(|(language, words)| format!("- {language}: {words}")).collect();
    let examples: String = ["Caught", "Fixed"].iter().filter_map(|name| section(page.body, name)).collect();
    let markdown = format!("{intro}\n\n## What to do\n\n{}\n\n{examples}", advice.join("\n"));
    Rule {
        id: page.name.to_owned(),
        name: pascal(page.name),
        short_description: Text { text: clip(&sentence(title)) },
        full_description: Text { text: clip(&paragraph(&intro)) },
        default_configuration: Configuration { level: level(*severity) },
        help_uri: page_uri(page.name),
        help: Help { text: plain(&format!("{}\n\nWhat to do\n\n{}", intro.trim(), advice.join("\n"))), markdown },
        properties: properties(*severity, *confidence, Some(family)),
    }
}

fn from_finding(finding: &Finding) -> Rule {
    let words = finding.rule.replace('-', " ");
    let help = if finding.help.is_empty() { &finding.message } else { &finding.help };
    Rule {
        id: finding.rule.to_owned(),
        name: pascal(finding.rule),
        short_description: Text { text: clip(&sentence(&words)) },
        full_description: Text { text: clip(&sentence(&finding.message)) },
        default_configuration: Configuration { level: level(finding.severity) },
        help_uri: page_uri(finding.rule),
        help: Help { text: sentence(help), markdown: sentence(help) },
        properties: properties(finding.severity, finding.confidence, None),
    }
}

fn properties(severity: Severity, confidence: Confidence, family: Option<&str>) -> RuleProperties {
    let tags = ["tests", "reliability"].into_iter().chain(family).map(str::to_owned).collect();
    RuleProperties {
        precision: match confidence {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
        },
        problem_severity: match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "recommendation",
        },
        tags,
    }
}

/// `shared-path` as `SharedPath`: the form SARIF wants of a name ("Static Analysis Results Interchange Format", 3.49.7). A rule of one
/// word has its id alone: the two must differ in more than their case.
fn pascal(name: &str) -> Option<String> {
    if !name.contains('-') {
        return None;
    }
    let mut text = String::new();
    for part in name.split('-') {
        let mut chars = part.chars();
        text.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        text.push_str(chars.as_str());
    }
    Some(text)
}

/// A title or message, which ends without a full stop, as a sentence.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    let mut sentence: String = chars.next().map(|c| c.to_ascii_uppercase()).into_iter().collect();
    sentence.push_str(chars.as_str());
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

fn clip(text: &str) -> String {
    if text.chars().count() <= DESCRIPTION {
        return text.to_owned();
    }
    text.chars().take(DESCRIPTION - 1).chain(['…']).collect()
}

/// The lines of a body with whether they are headings: those of code blocks are not.
fn lines(body: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut fence: Option<usize> = None;
    body.lines().map(move |line| {
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match fence {
            Some(open) if ticks >= open && line.trim_end().len() == ticks => fence = None,
            None if ticks >= 3 => fence = Some(ticks),
            _ => {}
        }
        (line, fence.is_none() && line.starts_with("## "))
    })
}

/// The prose before the first section.
fn introduction(body: &str) -> String {
    let text: Vec<&str> = lines(body).take_while(|(_, is_heading)| !is_heading).map(|(line, _)| line).collect();
    text.join("\n").trim().to_owned()
}

/// A section with its heading.
fn section(body: &str, name: &str) -> Option<String> {
    let mut text = String::new();
    for (line, is_heading) in lines(body) {
        if is_heading && !text.is_empty() {
            break;
        }
        if !text.is_empty() || (is_heading && line.trim_start_matches('#').trim() == name) {
            text.push_str(line);
            text.push('\n');
        }
    }
    (!text.is_empty()).then(|| format!("{}\n\n", text.trim_end()))
}

/// The first paragraph, on one line.
fn paragraph(text: &str) -> String {
    plain(text.split("\n\n").next().unwrap_or("")).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const BODY: &str = "\
Two tests write `a`.\nSo they collide.\n\nMore to read.\n
## Caught\n\n```python file=a.py\n## not a heading\nopen(\"/tmp/x\")\n```\n
## Clean\n\n```python\npass\n```\n
## Fixed\n\n```python\nopen(tmp_path / \"x\")\n```\n
## Limits\n\nnone\n";

    fn page() -> Page {
        let front = Front {
            title: "two tests can reach one path".to_owned(),
            family: "paths".to_owned(),
            severity: Severity::Error,
            confidence: Confidence::High,
            status: page::Status::Stable,
            fix: crate::page::Cure::Advice,
            since: "0.1.0".to_owned(),
            was: Vec::new(),
            seen: Vec::new(),
            help: BTreeMap::from([("python".to_owned(), "write below `tmp_path`".to_owned())]),
        };
        Page { name: "shared-path", front, body: BODY }
    }

    #[test]
    fn a_page_gives_all_that_is_shown() {
        let rule = from_page(&page());
        assert_eq!((rule.id.as_str(), rule.name.as_deref()), ("shared-path", Some("SharedPath")));
        assert_eq!(rule.short_description.text, "Two tests can reach one path.");
        assert_eq!(rule.full_description.text, "Two tests write `a`. So they collide.");
        assert_eq!(rule.default_configuration.level, "error");
        assert_eq!(rule.properties.tags, ["tests", "reliability", "paths"]);
        assert_eq!(rule.properties.precision, "high");
        let markdown = &rule.help.markdown;
        assert!(
            markdown.contains("More to read.\n\n## What to do\n\n- python: write below `tmp_path`\n\n## Caught"),
            "{markdown}"
        );
        assert!(markdown.contains("## not a heading\n") && markdown.contains("## Fixed"), "{markdown}");
        assert!(!markdown.contains("## Clean") && !markdown.contains("## Limits"), "{markdown}");
        assert!(rule.help.text.contains("- python: write below `tmp_path`"), "{}", rule.help.text);
    }

    #[test]
    fn sentences_end_once() {
        assert_eq!(sentence("a b"), "A b.");
        assert_eq!(sentence(" `a` is b. "), "`a` is b.");
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn descriptions_are_cut() {
        assert_eq!(clip(&"é".repeat(3000)).chars().count(), 1024);
        assert_eq!(clip("short"), "short");
    }
}
