//! What IPython adds to Python (IPython documentation, "Built-in magic commands" and "System shell access"): which part of a cell is
//! Python, and what stands for the rest. Lines stay lines.

use std::ops::Range;

/// A stretch of a cell's code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// Python as it stands.
    Same(Range<usize>),
    /// This Python instead of what stands there.
    As(String, Range<usize>),
}

/// Magics whose argument, or whose cell, is Python that they run.
const RUN: &[&str] = &["time", "timeit", "prun", "memit", "mprun", "lprun", "snakeviz", "pyinstrument", "capture", "scalene"];

/// Of their options of one letter, those with a value behind a space.
const VALUED: &str = "nrpfmTulsD";

/// Stands for what is no statement of Python.
const NOTHING: &str = "pass";

/// What a directive says: the text behind `#|`.
pub fn directive(line: &str) -> Option<&str> {
    Some(line.trim_start().strip_prefix('#')?.trim_start().strip_prefix('|')?.trim())
}

/// The parts of a cell, in order; together they cover it.
pub fn parts(code: &str) -> Vec<Part> {
    let mut reader = Reader { code, parts: Vec::new(), state: State::default() };
    let mut lines = lines(code).into_iter().peekable();
    while let Some(line) = lines.next_if(|line| code[line.clone()].trim().is_empty() || directive(&code[line.clone()]).is_some())
    {
        reader.same(line);
    }
    if let Some(line) = lines.next_if(|line| code[line.clone()].starts_with("%%")) {
        let (name, rest) = split_name(&code[line.start + 2..line.end]);
        let instead = match name {
            "writefile" | "file" => written(rest),
            _ => String::new(),
        };
        reader.instead(instead, line);
        if !RUN.contains(&name) {
            for line in lines.by_ref() {
                reader.instead(String::new(), line);
            }
        }
    }
    let mut goes_on = false;
    for line in lines {
        let text = code[line.clone()].trim_end();
        if goes_on {
            goes_on = text.ends_with('\\');
            reader.instead(String::new(), line);
        } else if reader.state.is_between_statements() && reader.special(line.clone()) {
            goes_on = text.ends_with('\\');
        } else {
            reader.python(line);
        }
    }
    reader.parts
}

/// The lines, with their ends.
fn lines(code: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let ends = code.split_inclusive('\n').map(|line| {
        start += line.len();
        start - line.len()..start
    });
    ends.collect()
}

fn split_name(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

struct Reader<'a> {
    code: &'a str,
    parts: Vec<Part>,
    state: State,
}

impl Reader<'_> {
    fn same(&mut self, range: Range<usize>) {
        match self.parts.last_mut() {
            Some(Part::Same(last)) if last.end == range.start => last.end = range.end,
            _ if range.is_empty() => {}
            _ => self.parts.push(Part::Same(range)),
        }
    }

    /// Puts `text` instead of a line, or of a part of it; its end stays.
    fn instead(&mut self, text: String, range: Range<usize>) {
        let bare = range.start + self.code[range.clone()].trim_end_matches(['\n', '\r']).len();
        self.parts.push(Part::As(text, range.start..bare));
        self.same(bare..range.end);
    }

    fn python(&mut self, range: Range<usize>) {
        self.state.read(&self.code[range.clone()]);
        self.same(range);
    }

    /// Reads a line that may be no Python; false where it is.
    fn special(&mut self, line: Range<usize>) -> bool {
        let text = &self.code[line.clone()];
        let start = line.start + text.len() - text.trim_start().len();
        let text = text.trim();
        if text.starts_with('%') {
            return self.magic(line.start..start, start..line.end, NOTHING);
        }
        if text.starts_with(['!', '?', '/', ';', ',']) || asks_for_help(text) {
            self.same(line.start..start);
            self.instead(NOTHING.to_owned(), start..line.end);
            return true;
        }
        // `files = !ls`, `out = %time f()`
        let Some(sign) = assigned(text) else { return false };
        let value = start + sign + 1;
        let value = value + self.code[value..line.end].len() - self.code[value..line.end].trim_start().len();
        self.magic(line.start..value, value..line.end, "...")
    }

    /// A line magic or a command, with what stands before it: `nothing` is written for one that runs no Python.
    fn magic(&mut self, before: Range<usize>, range: Range<usize>, nothing: &str) -> bool {
        let text = &self.code[range.clone()];
        self.python(before);
        let (name, rest) = split_name(text.trim_start_matches('%'));
        if text.starts_with('%')
            && !text.starts_with("%%")
            && RUN.contains(&name)
            && let Some(statement) = behind_options(rest)
        {
            let end = range.start + text.trim_end().len();
            let start = end - statement.len();
            self.parts.push(Part::As(String::new(), range.start..start));
            self.python(start..range.end);
            return true;
        }
        let instead = match name {
            "cd" | "pushd" if text.starts_with('%') => format!("import os as __os; __os.chdir({})", literal(rest, "__folder")),
            "env" | "set_env" if text.starts_with('%') && nothing == NOTHING => {
                variable(rest).unwrap_or_else(|| nothing.to_owned())
            }
            _ => nothing.to_owned(),
        };
        self.instead(instead, range);
        true
    }
}

/// What `%%writefile [-a] path` does.
fn written(rest: &str) -> String {
    let (append, path) = match rest.strip_prefix("-a ").or_else(|| rest.strip_prefix("--append ")) {
        Some(path) => (true, path.trim()),
        None => (false, rest),
    };
    format!("open({}, \"{}\").write(\"\")", literal(path, "__path"), if append { "a" } else { "w" })
}

/// `%env NAME=value` and `%env NAME value`; one name alone only shows it.
fn variable(rest: &str) -> Option<String> {
    let end = rest.find(|c: char| c == '=' || c.is_whitespace())?;
    let (name, value) = rest.split_at(end);
    let value = value.trim_start_matches('=').trim();
    Some(format!("import os as __os; __os.environ[{}] = {}", literal(name, "__name"), literal(value, "__value")))
}

/// A word as a Python literal; the name `unknown` where IPython puts values into it, or where there is none.
fn literal(word: &str, unknown: &str) -> String {
    let bare = word.trim_matches(['"', '\'']);
    if bare.is_empty() || bare == "-" || bare.contains(['$', '{']) {
        return unknown.to_owned();
    }
    format!("\"{}\"", bare.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The statement behind a magic's options; none where there is none.
fn behind_options(mut text: &str) -> Option<&str> {
    while text.starts_with('-') {
        let (option, rest) = text.split_once(char::is_whitespace)?;
        text = rest.trim_start();
        let valued = option.len() == 2 && VALUED.contains(&option[1..]);
        // `-n 10`, and not `-n f()` where the number is left out.
        if valued
            && let Some((value, rest)) = text.split_once(char::is_whitespace)
            && value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
        {
            text = rest.trim_start();
        }
    }
    (!text.is_empty()).then_some(text)
}

/// `name?`, `module.name??`.
fn asks_for_help(text: &str) -> bool {
    let bare = text.trim_end_matches('?');
    bare.len() < text.len() && bare.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '*' | '%'))
}

/// Where a line assigns what a magic or a command gives: the place of its `=`.
fn assigned(text: &str) -> Option<usize> {
    let at = text.find('=')?;
    let target = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ',' | ' ' | '*' | '[' | ']' | '\'' | '"');
    let value = text[at + 1..].trim_start();
    (text[..at].chars().all(target) && !text[..at].trim().is_empty() && value.starts_with(['!', '%'])).then_some(at)
}

/// What of Python is open at a line's end.
#[derive(Default)]
struct State {
    /// The quote of an open string, and whether it is tripled.
    string: Option<(u8, bool)>,
    brackets: usize,
    /// The line ends with a backslash.
    joined: bool,
}

impl State {
    fn is_between_statements(&self) -> bool {
        self.string.is_none() && self.brackets == 0 && !self.joined
    }

    fn read(&mut self, line: &str) {
        let bytes = line.trim_end_matches(['\n', '\r']).as_bytes();
        let is_line = line.ends_with('\n');
        self.joined = false;
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match (self.string, byte) {
                (Some(_), b'\\') if at < bytes.len() => at += 1,
                (None | Some((_, false)), b'\\') => self.joined = true,
                (Some((quote, tripled)), byte) if *byte == quote => {
                    if !tripled {
                        self.string = None;
                    } else if bytes[at..].starts_with(&[quote, quote]) {
                        at += 2;
                        self.string = None;
                    }
                }
                (Some(_), _) => {}
                (None, b'#') => break,
                (None, b'"' | b'\'') => {
                    let tripled = bytes[at..].starts_with(&[*byte, *byte]);
                    at += if tripled { 2 } else { 0 };
                    self.string = Some((*byte, tripled));
                }
                (None, b'(' | b'[' | b'{') => self.brackets += 1,
                (None, b')' | b']' | b'}') => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
        }
        // A plain string ends with its line, closed or not.
        if is_line && !self.joined && matches!(self.string, Some((_, false))) {
            self.string = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(code: &str) -> String {
        let mut at = 0;
        let mut text = String::new();
        for part in parts(code) {
            let (range, written) = match part {
                Part::Same(range) => (range.clone(), code[range].to_owned()),
                Part::As(written, range) => (range, written),
            };
            assert_eq!(range.start, at, "{code:?}");
            at = range.end;
            text.push_str(&written);
        }
        assert_eq!(at, code.len());
        assert_eq!(text.matches('\n').count(), code.matches('\n').count(), "{code:?}");
        text
    }

    #[test]
    fn line_magics() {
        for (code, wanted) in [
            ("%matplotlib inline\nx = 1\n", "pass\nx = 1\n"),
            ("%time x = f(1)", "x = f(1)"),
            ("%timeit -n10 -r 3 f()", "f()"),
            ("%timeit -n 5 f(1, 2)\n", "f(1, 2)\n"),
            ("if a:\n    %time b()\n    !ls {x}\n", "if a:\n    b()\n    pass\n"),
            ("%time", "pass"),
            ("%time f(\n  1)\n%pwd", "f(\n  1)\npass"),
            ("files = !ls *.py\n", "files = ...\n"),
            ("a, b = %time f()", "a, b = f()"),
            ("x = %pwd", "x = ..."),
            ("!pip install \\\n  numpy\nx = 1", "pass\n\nx = 1"),
            ("open?", "pass"),
            ("?open", "pass"),
            ("a.b??\n", "pass\n"),
            ("%cd sub/a\n", "import os as __os; __os.chdir(\"sub/a\")\n"),
            ("%cd {folder}", "import os as __os; __os.chdir(__folder)"),
            ("%env A=b c", "import os as __os; __os.environ[\"A\"] = \"b c\""),
            ("%set_env A b", "import os as __os; __os.environ[\"A\"] = \"b\""),
            ("%env A", "pass"),
        ] {
            assert_eq!(python(code), wanted, "{code:?}");
        }
    }

    #[test]
    fn cell_magics() {
        for (code, wanted) in [
            ("%%time\nx = 1\n", "\nx = 1\n"),
            ("#|hide\n%%capture out\nf()\n", "#|hide\n\nf()\n"),
            ("%%bash\nrm -rf x\n", "\n\n"),
            ("%%html\n<b>\n</b>", "\n\n"),
            ("%%writefile a.py\nx = (\n", "open(\"a.py\", \"w\").write(\"\")\n\n"),
            ("%%writefile -a 'a b.py'\nx", "open(\"a b.py\", \"a\").write(\"\")\n"),
            ("%%file $x\n", "open(__path, \"w\").write(\"\")\n"),
        ] {
            assert_eq!(python(code), wanted, "{code:?}");
        }
    }

    #[test]
    fn what_is_python_stays() {
        for code in [
            "x = '''\n%d items\n!no\n'''\ny = 1",
            "x = (a\n  % b)\n",
            "x = a \\\n  % b\n",
            "assert a != b\n",
            "f(\"a\\\"\", '#')\nx = 1\n",
            "x == y\nawait f();\n",
            "x = 'it''s'\n# don't\ny = [1,\n /2]\n",
            "#| eval: true\n\nx: int = 3",
            "",
        ] {
            assert_eq!(python(code), code);
        }
    }
}
