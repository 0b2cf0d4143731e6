//! `check`: from flags to a report and an exit status.

use super::{FAILED, FOUND, Failure, baseline, fix, git, output, warn};
use anstream::{AutoStream, ColorChoice};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use isolint::check::{self, Report, check};
use isolint::config::{self, CONFIDENCES, Config, Local, SEVERITIES};
use isolint::discover::{self, Opened, Origin};
use isolint::facts::Why;
use isolint::finding::Severity;
use isolint::remedy::cover::Covered;
use isolint::render::{Format, Options, render};
use isolint::text::Columns;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The flags of `isolint check`.
#[derive(Args, Debug)]
pub struct Check {
    /// Files and folders to report on; the current folder where none is named.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The form of the report.
    #[arg(
        long,
        value_enum,
        env = "ISOLINT_OUTPUT_FORMAT",
        default_value = "terminal",
        value_name = "FORMAT",
        help_heading = "Output"
    )]
    output_format: OutputFormat,
    /// Write the report to a file, whole or not at all.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output_file: Option<PathBuf>,
    /// Report these rules only, whatever the configuration selects or ignores; separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "NAME", help_heading = "What to report")]
    select: Vec<String>,
    /// Do not report these rules; separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "NAME", help_heading = "What to report")]
    ignore: Vec<String>,
    /// Do not look at paths that match; adds to the configuration. Globs are relative to the project; one without a slash fits at any depth.
    #[arg(long, value_delimiter = ',', value_name = "GLOB", help_heading = "What to report")]
    exclude: Vec<String>,
    /// Report findings of this severity or a higher one [default: note]
    #[arg(long, value_parser = PossibleValuesParser::new(SEVERITIES), value_name = "LEVEL", help_heading = "What to report")]
    min_severity: Option<String>,
    /// Report findings of this confidence or a higher one [default: medium]
    #[arg(long, value_parser = PossibleValuesParser::new(CONFIDENCES), value_name = "LEVEL", help_heading = "What to report")]
    min_confidence: Option<String>,
    /// Report rules in preview too, whose precision is not measured yet.
    #[arg(long, help_heading = "What to report")]
    preview: bool,
    /// Report only what the change since this revision touches, in whatever file the other end stands.
    ///
    /// The change is what differs between the files as they are and the point where the current commit and the revision parted. A
    /// finding is reported where one of its places, at either end or in between, stands in a function (or, outside of functions, on
    /// a line) with a changed line. Needs git.
    #[arg(long, value_name = "REV", conflicts_with_all = ["fix", "diff", "add_ignores"], help_heading = "What to report")]
    changed_since: Option<String>,
    /// Report only what is not in this file of known findings.
    #[arg(long, value_name = "FILE", help_heading = "Known findings")]
    baseline: Option<PathBuf>,
    /// Write all findings of the project to the baseline, and report none. Refused in CI where that would add some.
    #[arg(long, conflicts_with_all = ["fix", "diff"], help_heading = "Known findings")]
    write_baseline: bool,
    /// Take out of the baseline what is not found any more; add nothing.
    #[arg(long, conflicts_with_all = ["fix", "diff", "write_baseline"], help_heading = "Known findings")]
    shrink_baseline: bool,
    /// Exit with 2 where a file cannot be read or parsed, and with 1 where the baseline holds what is not found any more.
    #[arg(long, help_heading = "Exit status")]
    strict: bool,
    /// Exit with 0 whatever was found.
    #[arg(long, help_heading = "Exit status")]
    exit_zero: bool,
    /// Fix in the files what can be fixed safely; report the rest.
    #[arg(long, help_heading = "Fixes")]
    fix: bool,
    /// With --fix or --diff, also make fixes that somebody should look at: they may change what the code does.
    #[arg(long, help_heading = "Fixes")]
    unsafe_fixes: bool,
    /// Print what --fix or --add-ignores would change, as a diff, and change nothing. Exits with 1 where there is something to change.
    #[arg(long, help_heading = "Fixes")]
    diff: bool,
    /// Write an ignore comment for each finding that is shown, with this reason; comments that cover nothing are mended.
    ///
    /// The comment stands at the end of the line or alone above it, or joins the one that is there. What cannot carry a comment is
    /// named. With --diff nothing is written.
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_parser = one_line,
        value_name = "REASON",
        conflicts_with_all = ["fix", "unsafe_fixes", "write_baseline", "shrink_baseline"],
        help_heading = "Known findings"
    )]
    add_ignores: Option<String>,
    /// Do not use the cache. This version has none, so the flag changes nothing.
    #[arg(long)]
    no_cache: bool,
    /// Read no configuration file of isolint.
    #[arg(long, conflicts_with = "config", help_heading = "Configuration")]
    isolated: bool,
    /// Read this configuration file, and no other.
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,
    /// Use this many threads; 0, or no number, is as many as the process may use.
    #[arg(short, long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    jobs: usize,
    /// Colours: `auto` heeds the terminal, NO_COLOR and CLICOLOR_FORCE.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN", help_heading = "Output")]
    color: Color,
    /// Count the findings of each rule, after the report.
    #[arg(long, help_heading = "Output")]
    statistics: bool,
    /// Report findings that an ignore comment covers, too, with its reason.
    ///
    /// As terminal, concise, json and sarif; the other forms have no word for them.
    #[arg(long, help_heading = "Known findings")]
    show_suppressed: bool,
    /// Read the text of this file from standard input, and report on it alone. For editors: the file need not be saved.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "fix", "add_ignores", "write_baseline", "shrink_baseline"], help_heading = "What to report")]
    stdin_filename: Option<PathBuf>,
    /// Name what could not be understood, not only how much.
    #[arg(long, help_heading = "Output")]
    gaps: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum OutputFormat {
    /// Source snippets with labels.
    Terminal,
    /// One line each: `path:line:column: severity[rule] message`.
    Concise,
    /// Our own, versioned.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations in the log of a GitHub, Gitea or Forgejo job.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML.
    Junit,
    /// Checkstyle's XML.
    Checkstyle,
    /// Reviewdog's diagnostic format.
    Rdjson,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Color {
    Auto,
    Always,
    Never,
}

impl OutputFormat {
    /// Written for people, so it may be coloured, and other lines may follow it.
    fn is_prose(self) -> bool {
        matches!(self, OutputFormat::Terminal | OutputFormat::Concise)
    }

    fn format(self) -> Format {
        match self {
            OutputFormat::Terminal => Format::Terminal,
            OutputFormat::Concise => Format::Concise,
            OutputFormat::Json => Format::Json,
            OutputFormat::Sarif => Format::Sarif,
            OutputFormat::Github => Format::Github,
            OutputFormat::Gitlab => Format::Gitlab,
            OutputFormat::Junit => Format::Junit,
            OutputFormat::Checkstyle => Format::Checkstyle,
            OutputFormat::Rdjson => Format::Rdjson,
        }
    }
}

impl Check {
    /// Checks, writes the report, and gives the exit status.
    pub fn run(&self) -> Result<u8, Failure> {
        let (project, given) = match &self.stdin_filename {
            Some(path) => discover::locate_file(path).map(|(project, name)| (project, Some(name)))?,
            None => (discover::locate(&self.paths)?, None),
        };
        let flags = self.flags()?;
        let origin = match &self.config {
            Some(path) => Origin::File(path),
            None if self.isolated => Origin::Nowhere,
            None => Origin::Project,
        };
        let Opened { mut config, baseline, mut found } = project.open(origin, &self.exclude, self.jobs)?;
        config.put(flags);
        config.paths = given.as_ref().map_or_else(|| project.filter(), |name| vec![name.clone()]);
        config.changes = self.changed_since.as_deref().map(|revision| git::changes(&project.root, revision)).transpose()?;
        let baseline = self.baseline.clone().or(baseline);
        config.baseline = baseline::read(baseline.as_deref(), self.write_baseline)?;
        if let Some(name) = &given {
            found.put(name, &output::standard_input()?, &config.exclude)?;
        }
        for passed in &found.passed_over {
            warn(&format!("note: {}: not looked at: {}", passed.path, passed.why));
        }
        if self.write_baseline || self.shrink_baseline {
            let file = baseline.ok_or(Failure::NoBaseline)?;
            let report = check(found.sources, &Config { paths: Vec::new(), changes: None, ..config.clone() });
            return baseline::renew(&file, &report, config.baseline.unwrap_or_default(), self.write_baseline);
        }
        let mut report = check(found.sources, &config);
        if let Some(reason) = &self.add_ignores {
            let mut covered = check::add_ignores(report, reason, &config);
            covered.report.skipped.extend(found.skipped);
            return self.add_ignores(&found.root, covered);
        }
        if !self.fix && !self.diff {
            report.skipped.extend(found.skipped);
            self.write(&report, fix::offer(&report))?;
            return Ok(self.status(&report));
        }
        let mut outcome = check::fix(report, self.unsafe_fixes, &config);
        outcome.report.skipped.extend(found.skipped);
        fix::tell_taken_back(&outcome);
        if self.diff {
            fix::print_diff(&outcome.changed)?;
            warn(&fix::summary(&outcome, true));
            let status = self.status(&Report { findings: Vec::new(), ..outcome.report });
            return Ok(if outcome.changed.is_empty() || self.exit_zero { status } else { status.max(FOUND) });
        }
        let written = fix::write(&found.root, &outcome.report.sources, &outcome.changed);
        self.write(&outcome.report, Some(fix::summary(&outcome, false)))?;
        Ok(if written { self.status(&outcome.report) } else { FAILED })
    }

    /// Writes the files with their new comments, or shows them, and reports what has none.
    fn add_ignores(&self, root: &Path, covered: Covered) -> Result<u8, Failure> {
        fix::tell_left(&covered);
        if self.diff {
            fix::print_diff(&covered.changed)?;
            warn(&fix::ignored(&covered, true));
            return Ok(if covered.changed.is_empty() || self.exit_zero { self.status(&covered.report) } else { FOUND });
        }
        let written = fix::write(root, &covered.report.sources, &covered.changed);
        self.write(&covered.report, Some(fix::ignored(&covered, false)))?;
        Ok(if written { self.status(&covered.report) } else { FAILED })
    }

    /// The settings of the command line: they go over all that configuration files say.
    fn flags(&self) -> Result<Local, Failure> {
        for name in self.select.iter().chain(&self.ignore) {
            super::rule(name)?;
        }
        let names = |names: &[String]| names.iter().map(|name| config::present(name).to_owned()).collect::<Vec<_>>();
        Ok(Local {
            // Who names a rule here wants to see it, whatever the files say.
            select: (!self.select.is_empty()).then(|| names(&self.select)),
            extend_ignore: Some(names(&self.ignore)),
            min_severity: self.min_severity.as_deref().and_then(config::severity),
            min_confidence: self.min_confidence.as_deref().and_then(config::confidence),
            preview: self.preview.then_some(true),
            ..Local::default()
        })
    }

    /// Writes the report; `last` is a line for people after it.
    fn write(&self, report: &Report, last: Option<String>) -> Result<(), Failure> {
        let prose = self.output_format.is_prose();
        // The formats for people name these themselves; nobody reads a file at once.
        if !prose || self.output_file.is_some() {
            for skipped in &report.skipped {
                warn(&format!("warning: {}: skipped: {}", skipped.path, skipped.why));
            }
            for fault in &report.faults {
                warn(&format!("error: internal error: {fault}; please report it (isolint {})", env!("CARGO_PKG_VERSION")));
            }
        }
        for (file, gap) in &report.gaps {
            if let (true, Some(source)) = (is_failure(gap.why), report.sources.get(file.0 as usize)) {
                let place = source.position(gap.span.start, Columns::CodePoints);
                let why = why(gap.why);
                warn(&format!("warning: {}:{}:{}: {why}; the rest of it was checked", source.path, place.line, place.column));
            }
        }
        for name in &report.unmet {
            warn(&format!("warning: the configuration speaks of `{name}`, which its module does not define; check the spelling"));
        }
        baseline::tell_stale(&report.stale);
        let mut statistics = if self.statistics { statistics(report) } else { String::new() };
        if let Some(last) = last {
            statistics = format!("{last}\n{statistics}");
        }
        let choice = match (self.color, &self.output_file) {
            (Color::Always, _) => ColorChoice::AlwaysAnsi,
            (Color::Never, _) | (Color::Auto, Some(_)) => ColorChoice::Never,
            (Color::Auto, None) => AutoStream::choice(&io::stdout()),
        };
        let color = prose && choice != ColorChoice::Never;
        let options =
            Options { color, gaps: self.gaps, suppressed: self.show_suppressed, width: width(self.output_file.is_none()) };
        let write = |out: &mut dyn Write| {
            render(self.output_format.format(), report, &options, out)?;
            if prose {
                out.write_all(statistics.as_bytes())?;
            }
            out.flush()
        };
        if let Some(path) = &self.output_file {
            let mut bytes = Vec::new();
            write(&mut bytes).map_err(|error| Failure::Write { to: path.display().to_string(), error })?;
            output::write_file(path, &bytes)?;
        } else {
            let out = io::stdout().lock();
            let sent = match prose {
                // It turns colours into system calls where the terminal wants that.
                true => write(&mut BufWriter::new(AutoStream::new(out, choice))),
                false => write(&mut BufWriter::new(out)),
            };
            match output::sent(sent) {
                // What was found does not change because nobody reads on.
                Err(Failure::NoReader) => {}
                other => other?,
            }
        }
        if !prose {
            for line in statistics.lines() {
                warn(line);
            }
        }
        Ok(())
    }

    fn status(&self, report: &Report) -> u8 {
        let unread = !report.skipped.is_empty() || report.gaps.iter().any(|(_, gap)| is_failure(gap.why));
        if !report.faults.is_empty() || (self.strict && unread) {
            return FAILED;
        }
        let stale = self.strict && !report.stale.is_empty();
        let found = stale || report.findings.iter().any(|finding| finding.severity > Severity::Note);
        if found && !self.exit_zero { FOUND } else { 0 }
    }
}

/// A reason for an ignore comment, which ends with its line.
fn one_line(reason: &str) -> Result<String, &'static str> {
    if reason.contains(char::is_control) { Err("a reason is one line of text") } else { Ok(reason.trim().to_owned()) }
}

/// Columns of the terminal that standard output is; of a page where the report goes elsewhere.
fn width(to_standard_output: bool) -> usize {
    const PAGE: usize = 100;
    let terminal = if to_standard_output { terminal_size::terminal_size_of(io::stdout()) } else { None };
    terminal.map_or(PAGE, |(width, _)| width.0.into())
}

/// The file, or a part of it, was not read; a macro that is not understood is no such thing.
fn is_failure(why: Why) -> bool {
    why != Why::Macro
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Syntax => "does not parse here",
        Why::Macro => "a macro that is not understood",
        Why::Depth => "nested too deep to read",
        Why::Size => "too large to read",
        Why::Encoding => "not text, or in an encoding that is not known",
        Why::Unreadable => "could not be read",
    }
}

/// Findings by rule, most first.
fn statistics(report: &Report) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &report.findings {
        *counts.entry(finding.rule).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.iter().map(|(rule, count)| format!("{count:6}  {rule}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use isolint::check::Skipped;
    use isolint::facts::Gap;
    use isolint::finding::{Confidence, Finding};
    use isolint::text::{FileId, Span};

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        check: Check,
    }

    fn flags(words: &[&str]) -> Check {
        Only::parse_from(std::iter::once(&"isolint").chain(words)).check
    }

    fn found(rule: &'static str, severity: Severity) -> Finding {
        Finding {
            rule,
            severity,
            confidence: Confidence::High,
            message: String::new(),
            labels: Vec::new(),
            help: String::new(),
            notes: Vec::new(),
            tests: Vec::new(),
            reproduce: None,
            key: String::new(),
            remedy: None,
            fix: None,
        }
    }

    #[test]
    fn the_exit_status() {
        let status = |words: &[&str], report: &Report| flags(words).status(report);
        let finding = |severity| Report { findings: vec![found("mktemp", severity)], ..Report::default() };
        assert_eq!(status(&[], &Report::default()), 0);
        assert_eq!(status(&[], &finding(Severity::Note)), 0);
        assert_eq!(status(&[], &finding(Severity::Warning)), 1);
        assert_eq!(status(&["--exit-zero"], &finding(Severity::Error)), 0);
        let fault = Report { faults: vec!["boom".into()], ..finding(Severity::Error) };
        assert_eq!(status(&["--exit-zero"], &fault), 2);
    }

    #[test]
    fn strict_asks_for_all_files() {
        let gap = |why| Report { gaps: vec![(FileId(0), Gap { span: Span::default(), why })], ..Report::default() };
        let skipped = Report { skipped: vec![Skipped { path: "a.py".into(), why: "over 2 MiB".into() }], ..Report::default() };
        for (report, strict) in [(gap(Why::Syntax), 2), (gap(Why::Depth), 2), (gap(Why::Macro), 0), (skipped, 2)] {
            assert_eq!(flags(&[]).status(&report), 0);
            assert_eq!(flags(&["--strict"]).status(&report), strict);
        }
    }

    #[test]
    fn the_command_line_goes_over_the_files() {
        let over = |words: &[&str]| {
            let mut config = Config { min_severity: Severity::Error, min_confidence: Confidence::High, ..Config::default() };
            config.put(Local { ignore: Some(vec!["mktemp".into()]), preview: Some(true), ..Local::default() });
            config.put(flags(words).flags().unwrap());
            config.scope("a.py")
        };
        let scope = over(&[]);
        assert_eq!((scope.min_severity, scope.min_confidence, scope.preview), (Severity::Error, Confidence::High, true));
        let scope = over(&["--min-severity", "note", "--min-confidence=low", "--ignore", "fixed-port"]);
        assert_eq!((scope.min_severity, scope.min_confidence), (Severity::Note, Confidence::Low));
        assert_eq!(scope.ignore, ["mktemp", "fixed-port"]);
        let scope = over(&["--select", "mktemp"]);
        assert_eq!((scope.select, scope.ignore), (vec!["mktemp".to_owned()], Vec::new()));
    }

    #[test]
    fn unknown_rules_are_refused() {
        let failure = flags(&["--select", "no-such-rule-at-all"]).flags().unwrap_err();
        assert_eq!(failure.to_string(), "there is no rule `no-such-rule-at-all`; `isolint rules` lists all");
    }

    #[test]
    fn statistics_by_rule() {
        let findings = ["b", "a", "c", "c"].map(|rule| found(rule, Severity::Note)).into();
        assert_eq!(statistics(&Report { findings, ..Report::default() }), "     2  c\n     1  a\n     1  b\n");
    }
}
