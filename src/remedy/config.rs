//! Lines of CI files and test configuration: a variable, a time limit, a shell, a name that is let through. Written by the lines that
//! stand there, so all else stays as it is to the byte.

use super::Project;
use super::draft::Draft;
use crate::facts::trace::Place;
use crate::finding::Fix;
use crate::text::{FileId, Span};

/// A line of a file: where its text begins and ends, without indentation and line break.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// First byte, indentation included.
    start: usize,
    indent: usize,
    text: &'a str,
}

impl Line<'_> {
    fn end(&self) -> usize {
        self.start + self.indent + self.text.len()
    }

    /// The key of a mapping: `env:` and `env: …`, behind the dash of a list too.
    fn key(&self) -> Option<&str> {
        let text = self.text.trim_start_matches("- ").trim_start();
        let (key, rest) = text.split_once(':')?;
        (rest.is_empty() || rest.starts_with(' ')).then_some(key.trim_matches(['"', '\'']))
    }
}

struct Page<'a> {
    lines: Vec<Line<'a>>,
    end: &'static str,
}

impl<'a> Page<'a> {
    fn of(text: &'a str) -> Page<'a> {
        let mut lines = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let body = line.trim_end_matches(['\n', '\r']);
            let plain = body.trim_start_matches(' ');
            lines.push(Line { start, indent: body.len() - plain.len(), text: plain.trim_end() });
            start += line.len();
        }
        Page { lines, end: if text.contains("\r\n") { "\r\n" } else { "\n" } }
    }

    fn at(&self, offset: u32) -> Option<usize> {
        self.lines.partition_point(|line| line.start <= offset as usize).checked_sub(1)
    }

    /// The lines below a key, up to the first that stands no deeper: their range.
    fn below(&self, key: usize) -> std::ops::Range<usize> {
        let indent = self.lines[key].indent;
        let mut end = key + 1;
        for (n, line) in self.lines.iter().enumerate().skip(key + 1) {
            if line.text.is_empty() || line.text.starts_with('#') {
                continue;
            }
            if line.indent <= indent {
                break;
            }
            end = n + 1;
        }
        key + 1..end
    }

    /// The first key below a key, whose indentation all its siblings have.
    fn child(&self, key: usize) -> Option<usize> {
        self.below(key).find(|n| self.lines[*n].key().is_some() && !self.lines[*n].text.starts_with(['#', '-']))
    }

    /// The key of that name right below another.
    fn find(&self, key: usize, name: &str) -> Option<usize> {
        let indent = self.lines[self.child(key)?].indent;
        self.below(key).find(|n| self.lines[*n].indent == indent && self.lines[*n].key() == Some(name))
    }
}

fn draft<'a>(file: FileId, project: Project<'a>) -> Option<Draft<'a>> {
    Draft::new(file, project.sources, project.facts.get(file.0 as usize)?, project.names)
}

fn whole<'a>(project: Project<'a>, file: FileId) -> &'a str {
    project.sources.get(file.0 as usize).map_or("", |source| &source.text)
}

/// A variable in the environment of a job; `word` is the service's word for it, `env` or `variables`. The value is in quotes as its
/// model is.
pub fn variable(job: Place, word: &str, name: &str, value: &str, project: Project) -> Option<Fix> {
    let mut draft = draft(job.0, project)?;
    let page = Page::of(whole(project, job.0));
    let key = page.at(job.1.start)?;
    let child = page.lines[page.child(key)?];
    let step = child.indent.checked_sub(page.lines[key].indent)?;
    match page.find(key, word) {
        Some(env) => {
            // A mapping in braces, or an alias, is left alone.
            let first = page.child(env).filter(|_| page.lines[env].text.ends_with(':'))?;
            let line = page.lines[first];
            draft.insert(line.start as u32, format!("{}{name}: {value}{}", " ".repeat(line.indent), page.end));
        }
        None => {
            let indent = child.indent;
            let before = ["steps", "script", "before_script"].iter().filter_map(|name| page.find(key, name)).min()?;
            let (outer, inner) = (" ".repeat(indent), " ".repeat(indent + step));
            draft
                .insert(page.lines[before].start as u32, format!("{outer}{word}:{}{inner}{name}: {value}{}", page.end, page.end));
        }
    }
    super::finish(draft, &format!("set `{name}` in the job"), false)
}

/// A time limit for jobs of one file.
pub fn limit(jobs: &[Place], minutes: u32, project: Project) -> Option<Fix> {
    let file = jobs.first()?.0;
    let mut draft = draft(file, project)?;
    let page = Page::of(whole(project, file));
    for job in jobs {
        let key = page.at(job.1.start)?;
        // Behind the machine, or before the steps where that is more than a line.
        let machine = page.find(key, "runs-on")?;
        let next = if page.below(machine).is_empty() { machine + 1 } else { page.find(key, "steps")? };
        let at = page.lines.get(next)?.start;
        draft.insert(at as u32, format!("{}timeout-minutes: {minutes}{}", " ".repeat(page.lines[machine].indent), page.end));
    }
    super::finish(draft, "end the job in time", false)
}

/// A name that tox lets through.
pub fn let_through(section: Place, name: &str, project: Project) -> Option<Fix> {
    let mut draft = draft(section.0, project)?;
    let text = whole(project, section.0);
    let page = Page::of(text);
    let header = page.at(section.1.start).filter(|n| page.lines[*n].text.starts_with("[testenv"))?;
    let own = |from: usize| {
        let end = page.lines[from + 1..].iter().position(|line| line.indent == 0 && line.text.starts_with('['));
        let end = end.map_or(page.lines.len(), |n| from + 1 + n);
        (from + 1..end).find(|n| {
            let line = page.lines[*n];
            let key = line.text.split(['=', ':']).next().unwrap_or("").trim();
            line.indent == 0 && line.text.contains('=') && matches!(key, "pass_env" | "passenv")
        })
    };
    let base = || page.lines.iter().position(|line| line.text == "[testenv]").and_then(own);
    match own(header).or_else(base) {
        Some(n) => {
            let line = page.lines[n];
            let value = line.text.split_once('=').map_or("", |(_, value)| value.trim());
            if value.is_empty() {
                // One name a line.
                let last = page.lines[n + 1..].iter().take_while(|line| line.indent > 0 && !line.text.is_empty()).count();
                let model = page.lines.get(n + last).filter(|_| last > 0)?;
                draft.insert(model.end() as u32, format!("{}{}{name}", page.end, " ".repeat(model.indent)));
            } else {
                draft.insert(line.end() as u32, format!(", {name}"));
            }
        }
        None => draft.insert(page.lines[header].end() as u32, format!("{}pass_env = {name}", page.end)),
    }
    super::finish(draft, &format!("let `{name}` through"), true)
}

/// A shell that fails with any command of a pipe: on the step of a workflow, or in a script of bash.
pub fn pipefail(pipe: Place, project: Project) -> Option<Fix> {
    let (file, span) = pipe;
    let text = whole(project, file);
    let mut draft = draft(file, project)?;
    let page = Page::of(text);
    let at = page.at(span.start)?;
    if text.starts_with("#!") {
        // A plain `sh` may not know the option.
        let first = page.lines.first().filter(|line| line.text.contains("bash"))?;
        let set =
            page.lines.iter().find(|line| line.indent == 0 && matches!(line.text, "set -e" | "set -ex" | "set -eu" | "set -eux"));
        let model = set.unwrap_or(first);
        draft.insert(model.end() as u32, format!("{}set -o pipefail", page.end));
        return super::finish(draft, "fail with any command of a pipe", false);
    }
    // The key whose text the script is.
    let run = (0..=at)
        .rev()
        .find(|n| page.lines[*n].key() == Some("run") && (*n == at || page.lines[*n].indent < page.lines[at].indent))?;
    let line = page.lines[run];
    let dash = line.text.len() - line.text.trim_start_matches("- ").trim_start().len();
    let key = (line.start + line.indent + dash) as u32;
    draft.insert(key, format!("shell: bash{}{}", page.end, " ".repeat(line.indent + dash)));
    super::finish(draft, "run it in a shell that fails with any command of a pipe", false)
}

/// A number in the place of `auto` or a count of CPUs.
pub fn number(option: Place, number: u32, project: Project) -> Option<Fix> {
    let mut draft = draft(option.0, project)?;
    let text = draft.text(option.1);
    let (at, width) = ["auto", "logical", "$(nproc)", "`nproc`", "$$(nproc)"]
        .iter()
        .filter_map(|word| text.rfind(word).map(|at| (at, word.len())))
        .max_by_key(|(at, width)| (at + width, *width))?;
    let start = option.1.start as usize + at;
    draft.replace(Span::new(start, start + width), number.to_string());
    super::finish(draft, "give it a number", false)
}
