//! Source snippets with labels, for people. The only file that knows `ariadne`.
//!
//! ariadne prints what it is given, escape sequences and all, takes form feed, NEL and U+2028 for line ends, and prints a line of
//! any length; so it never sees a source. It gets a text with as many lines as the source has, all of them empty but those with a
//! label, and these hold a [`Window`]. Each group of labels is a source of its own, named by a character that sanitised text
//! cannot hold; the name gives way to the real path, line and column afterwards.

use super::place::{Places, Region};
use super::sanitized::{columns, sanitized};
use super::window::Window;
use super::{Options, label_text, severity_name, summary};
use crate::check::Report;
use crate::finding::{Confidence, Finding, Label, Role, Severity};
use crate::text::{Columns, FileId};
use ariadne::Color;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Back to the terminal's own colour.
pub const PLAIN: &str = "\u{1b}[0m";

const BOLD: &str = "\u{1b}[1m";

/// The escape sequence of a severity.
pub fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "\u{1b}[1;31m",
        Severity::Warning => "\u{1b}[1;33m",
        Severity::Note => "\u{1b}[1;36m",
    }
}

/// Labels shown of one finding; more are counted.
const LABELS: usize = 12;
/// Steps of the derivation shown at either end of a long one.
const STEPS: usize = 2;
/// Notes shown of one finding.
const NOTES: usize = 8;
/// Affected tests named.
const TESTS: usize = 5;
/// Columns of a message, a note, the help and the command.
const TEXT: usize = 1000;
/// Columns of a label's text, and of a test's name.
const WORDS: usize = 200;
/// Columns left and right of a source line: line number and frame.
const FRAME: usize = 10;
/// The narrowest and the widest page that is written: lines shorter than that say nothing, longer ones are hard to follow.
const WIDTH: std::ops::RangeInclusive<usize> = 70..=200;

/// Stands before a snippet's number in what ariadne prints. Sanitised text has no control characters.
const NAME: char = '\u{1}';

pub fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(&report.sources, Columns::CodePoints);
    for finding in &report.findings {
        out.write_all(block(finding, &places, options).as_bytes())?;
    }
    summary::write(report, options, &places, out)?;
    let worst = report.findings.iter().rev().max_by_key(|finding| finding.severity);
    match worst {
        Some(finding) => writeln!(out, "More on a rule: isolint explain {}", finding.rule),
        None => Ok(()),
    }
}

/// One finding, with the blank line after it.
fn block(finding: &Finding, places: &Places, options: &Options) -> String {
    let mut text = String::new();
    let (on, bold, off) = if options.color { (color(finding.severity), BOLD, PLAIN) } else { ("", "", "") };
    let rule = finding.rule;
    let message = sanitized(&finding.message, TEXT);
    // Writing to a String does not fail.
    let _ = writeln!(text, "{on}{}[{rule}]{off}{bold}: {message}{off}", severity_name(finding.severity));

    let labels = labels(finding);
    let groups = groups(&labels, places, options);
    text.push_str(&draw(&groups, finding.severity, options));
    if finding.labels.len() > labels.len() {
        let _ = writeln!(text, "  and {} more places", finding.labels.len() - labels.len());
    }
    let width = width(options);
    for note in finding.notes.iter().take(NOTES) {
        let _ = writeln!(text, "  {bold}note:{off} {}", wrapped(&sanitized(note, TEXT).to_string(), 8, width));
    }
    if !finding.help.is_empty() {
        let _ = writeln!(text, "  {bold}help:{off} {}", wrapped(&sanitized(&finding.help, TEXT).to_string(), 8, width));
    }
    if let Some(fix) = &finding.fix {
        let flags = if fix.safe { "--fix" } else { "--fix --unsafe-fixes" };
        let title = format!("{} (`{flags}`)", fix.title);
        let _ = writeln!(text, "  {bold}fix:{off} {}", wrapped(&sanitized(&title, TEXT).to_string(), 8, width));
    }
    let unsure = match finding.confidence {
        Confidence::High => None,
        Confidence::Medium => Some("medium; a fact that it rests on is probable, not certain"),
        Confidence::Low => Some("low; a fact that it rests on is only possible"),
    };
    if let Some(unsure) = unsure {
        let _ = writeln!(text, "  {bold}confidence:{off} {unsure}");
    }
    for (n, test) in finding.tests.iter().take(TESTS).enumerate() {
        let head = if n == 0 { format!("{bold}tests:{off}") } else { "      ".to_owned() };
        let _ = writeln!(text, "  {head} {}", sanitized(test, WORDS));
    }
    if finding.tests.len() > TESTS {
        let _ = writeln!(text, "         and {} more", finding.tests.len() - TESTS);
    }
    if let Some(command) = &finding.reproduce {
        let _ = writeln!(text, "  {bold}reproduce:{off} {}", sanitized(command, TEXT));
    }
    text.push('\n');
    text
}

/// The labels that are shown: of a long derivation, the first and the last steps.
fn labels(finding: &Finding) -> Vec<&Label> {
    let steps = finding.labels.iter().filter(|label| label.role == Role::Derivation).count();
    let mut step = 0;
    let mut shown: Vec<&Label> = Vec::new();
    for label in &finding.labels {
        if label.role == Role::Derivation {
            step += 1;
            if step > STEPS && step + STEPS <= steps {
                continue;
            }
        }
        shown.push(label);
    }
    shown.truncate(LABELS);
    shown
}

fn width(options: &Options) -> usize {
    options.width.clamp(*WIDTH.start(), *WIDTH.end())
}

/// `text`, which goes on at column `indent`, broken between words so that no line passes `width`; further lines are indented too.
/// A word that is longer than a line stays whole, and so does code in backquotes, to be copied.
fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut in_code = false;
    let words = text.split(|c| {
        in_code ^= c == '`';
        c == ' ' && !in_code
    });
    let mut out = String::new();
    let mut used = indent;
    for word in words {
        let wide: usize = word.chars().map(columns).sum();
        if out.is_empty() {
            used += wide;
        } else if used + 1 + wide > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            used = indent + wide;
        } else {
            out.push(' ');
            used += 1 + wide;
        }
        out.push_str(word);
    }
    out
}

/// Labels that are drawn as one snippet: of one file or cell, from top to bottom, and on the same piece of a long line.
struct Group {
    /// The place that the snippet's heading names: that of its most important label.
    heading: String,
    /// By 0-based line.
    windows: BTreeMap<usize, Window>,
    marks: Vec<Mark>,
}

/// A label and where it is.
#[derive(Clone, Copy)]
struct Cited<'a> {
    label: &'a Label,
    region: Region,
}

struct Mark {
    /// 0-based.
    line: usize,
    /// Characters of the line's window.
    shown: std::ops::Range<usize>,
    text: String,
    role: Role,
}

/// Labels as snippets: the file of the primary label first, then files in the order they are cited.
fn groups(labels: &[&Label], places: &Places, options: &Options) -> Vec<Group> {
    let mut files: Vec<(FileId, u32, Vec<Cited>)> = Vec::new();
    for label in labels.iter().copied() {
        let Some(region) = places.label(label) else { continue };
        let cited = Cited { label, region };
        // Lines of a notebook are counted in each cell.
        let above = places.source(label.file).and_then(|source| Some(region.start.line - source.within(region.span.start)?.line));
        let above = above.unwrap_or(0);
        match files.iter_mut().find(|(file, other, _)| *file == label.file && *other == above) {
            Some((.., list)) => list.push(cited),
            None => files.push((label.file, above, vec![cited])),
        }
    }
    let limit = width(options) - FRAME;
    let mut groups = Vec::new();
    for (file, above, list) in files {
        let Some(source) = places.source(file) else { continue };
        let mut waiting = list;
        // Two labels far apart on one long line do not fit into one window; the second then waits for the next round.
        while let Some(Cited { region: heading, .. }) = waiting.first().copied() {
            let heading = places.name(file, heading);
            let mut group = Group { heading, windows: BTreeMap::new(), marks: Vec::new() };
            let mut left = Vec::new();
            for Cited { label, region } in waiting {
                let bytes = source.line_span(region.start.line);
                let bytes = bytes.start as usize..bytes.end as usize;
                let line = (region.start.line - above) as usize - 1;
                // Only the first line of a span is marked. A start inside a line end is moved before it.
                let start = (region.span.start as usize).min(bytes.end);
                let span = start..(region.span.end as usize).clamp(start, bytes.end);
                let window = group.windows.entry(line).or_insert_with(|| Window::new(&source.text, bytes, span.clone(), limit));
                match window.find(span) {
                    Some(shown) => group.marks.push(Mark {
                        line,
                        shown,
                        text: sanitized(label_text(label), WORDS).to_string(),
                        role: label.role,
                    }),
                    None => left.push(Cited { label, region }),
                }
            }
            waiting = left;
            // ariadne starts a new snippet where a label stands above the one before it.
            group.marks.sort_by_key(|mark| (mark.line, mark.shown.start));
            groups.push(group);
        }
    }
    groups
}

fn draw(groups: &[Group], severity: Severity, options: &Options) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let mut labels = Vec::new();
    let mut sources = Snippets { list: Vec::new() };
    for (name, group) in groups.iter().enumerate() {
        let (text, starts) = blank_but(&group.windows);
        sources.list.push(ariadne::Source::from(text));
        for mark in &group.marks {
            let start = starts.get(&mark.line).copied().unwrap_or(0);
            labels.push(
                ariadne::Label::new((name, start + mark.shown.start..start + mark.shown.end))
                    .with_message(&mark.text)
                    .with_color(role_color(mark.role, severity))
                    .with_order(i32::try_from(labels.len()).unwrap_or(i32::MAX)),
            );
        }
    }
    let config = ariadne::Config::new().with_color(options.color).with_index_type(ariadne::IndexType::Char);
    let mut report = ariadne::Report::build(ariadne::ReportKind::Error, (0, 0..0)).with_config(config);
    report.add_labels(labels);
    let mut out = Vec::new();
    if report.finish().write(sources, &mut out).is_err() {
        return String::new();
    }
    let drawn = join_colors(&String::from_utf8_lossy(&out));
    // Its first line is a heading that knows no colours off; ours stands above already.
    let body = drawn.split_once('\n').map_or("", |(_, body)| body);
    let mut text = String::with_capacity(body.len());
    for line in body.lines() {
        match line.split_once(NAME) {
            Some((before, after)) => {
                // `<name>:<line>:<column> ]`
                let (name, rest) = after.split_once(':').unwrap_or((after, ""));
                let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
                text.push_str(before);
                if let Some(group) = name.parse::<usize>().ok().and_then(|name| groups.get(name)) {
                    text.push_str(&group.heading);
                }
                text.push_str(rest);
            }
            None => text.push_str(line.trim_end()),
        }
        text.push('\n');
    }
    text
}

/// ariadne ends and starts the colour at each character; one that goes on at once is left on. All escape sequences are ariadne's:
/// sanitised text has none.
fn join_colors(text: &str) -> String {
    let mut joined = String::new();
    let mut on = "";
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        joined.push_str(before);
        let (code, after) = after.split_once('m').unwrap_or((after, ""));
        rest = after;
        if code == "[0" {
            let same = rest.strip_prefix('\u{1b}').and_then(|next| next.strip_prefix(on)?.strip_prefix('m'));
            if let Some(next) = same.filter(|_| !on.is_empty()) {
                rest = next;
                continue;
            }
        }
        on = if code == "[0" { "" } else { code };
        joined.push('\u{1b}');
        joined.push_str(code);
        joined.push('m');
    }
    joined.push_str(rest);
    joined
}

/// A text that is blank but for some lines, and the character at which each of these starts.
fn blank_but(windows: &BTreeMap<usize, Window>) -> (String, BTreeMap<usize, usize>) {
    let mut text = String::new();
    let mut starts = BTreeMap::new();
    let (mut line, mut count) = (0, 0);
    for (at, window) in windows {
        text.extend(std::iter::repeat_n('\n', at - line));
        count += at - line;
        starts.insert(*at, count);
        text.push_str(&window.text);
        text.push('\n');
        count += window.text.chars().count() + 1;
        line = at + 1;
    }
    (text, starts)
}

fn role_color(role: Role, severity: Severity) -> Color {
    match (role, severity) {
        (Role::Primary, Severity::Error) => Color::Red,
        (Role::Primary, Severity::Warning) => Color::Yellow,
        (Role::Primary, Severity::Note) => Color::Cyan,
        (Role::OtherEnd, _) => Color::Magenta,
        (Role::Derivation, _) => Color::Blue,
        (Role::Evidence, _) => Color::Green,
    }
}

struct Snippets {
    list: Vec<ariadne::Source<String>>,
}

impl ariadne::Cache<usize> for Snippets {
    type Storage = String;

    fn fetch(&mut self, name: &usize) -> Result<&ariadne::Source<String>, impl std::fmt::Debug> {
        self.list.get(*name).ok_or("no such snippet")
    }

    fn display<'a>(&self, name: &'a usize) -> Option<impl std::fmt::Display + 'a> {
        Some(format!("{NAME}{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    #[test]
    fn text_is_broken_between_words() {
        assert_eq!(wrapped("one two three", 4, 12), "one two\n    three");
        assert_eq!(wrapped("日本 語", 2, 6), "日本\n  語");
        assert_eq!(wrapped("a/very/long/path x", 2, 8), "a/very/long/path\n  x");
        assert_eq!(wrapped("use `a b` c", 2, 9), "use\n  `a b` c");
        assert_eq!(wrapped("", 2, 8), "");
    }

    #[test]
    fn a_long_derivation_shows_its_ends() {
        let label = |role, at| Label { file: FileId(0), span: Span::new(at, at), text: String::new(), role };
        let steps = (1..=7).map(|at| label(Role::Derivation, at));
        let finding = Finding {
            rule: "r",
            severity: Severity::Note,
            confidence: Confidence::High,
            message: String::new(),
            labels: std::iter::once(label(Role::Primary, 0)).chain(steps).chain([label(Role::OtherEnd, 8)]).collect(),
            help: String::new(),
            notes: Vec::new(),
            tests: Vec::new(),
            reproduce: None,
            key: String::new(),
            remedy: None,
            fix: None,
        };
        let shown: Vec<u32> = labels(&finding).iter().map(|label| label.span.start).collect();
        assert_eq!(shown, [0, 1, 2, 6, 7, 8]);
    }
}
