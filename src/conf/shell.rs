//! Shell scripts to commands: words with byte spans, assignments, expansions.
//!
//! Not a shell: control structures are words, and every branch is taken. What cannot be known (`$(…)`, a variable nobody set) is
//! marked as an expansion and left as written. One pass, linear in the text: an unclosed quote or bracket runs to the end.

use super::script::{FAR, Script};
use crate::facts::trace::{Count, Link};
use crate::text::{FileId, Span};
use std::ops::Range;

/// A simple command.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Command {
    /// `VAR=x` before the first word.
    pub assigns: Vec<(String, Word)>,
    pub words: Vec<Word>,
    /// The words' bytes in the script.
    pub range: Range<usize>,
    pub then: Then,
    /// How many subshells `( … )` it stands in.
    pub depth: u32,
}

/// What stands behind a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Then {
    /// A line break, `;`, a bracket, the end.
    #[default]
    End,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`, `|&`
    Pipe,
    /// `&`
    Background,
}

/// A word with its quotes taken off.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Word {
    pub text: Script,
    /// Parts that the shell (or the CI system before it) replaces: ranges of the text, in order.
    pub expansions: Vec<(Range<usize>, Expansion)>,
    /// Some part was quoted: the word is not split further.
    pub quoted: bool,
    /// Where it stands, quotes included.
    pub place: Option<(FileId, Span)>,
    /// Variables that are not set and have a default: the text is the default.
    pub open: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expansion {
    /// `$NAME`, `${NAME}`, `${NAME:-default}`.
    Variable { name: String, default: Option<String> },
    /// `$(…)`, backquotes: the command.
    Command(String),
    /// `${{ … }}`: what stands inside, trimmed.
    Expression(String),
    /// A number that Python code works out, and the functions and expressions behind it.
    Count(Count, Vec<Link>),
}

impl Word {
    pub fn str(&self) -> &str {
        &self.text.text
    }

    /// A plain word, as a list in a configuration file holds it.
    pub fn plain(text: Script) -> Word {
        Word { place: text.whole(), text, expansions: Vec::new(), quoted: true, open: Vec::new() }
    }

    /// The word from byte `from` on; expansions that begin before are lost.
    pub fn tail(&self, from: usize) -> Word {
        let text = self.text.slice(from..self.text.text.len());
        let expansions = self
            .expansions
            .iter()
            .filter(|(range, _)| range.start >= from)
            .map(|(range, what)| (range.start - from..range.end - from, what.clone()))
            .collect();
        Word { place: text.whole(), text, expansions, quoted: self.quoted, open: self.open.clone() }
    }
}

impl Command {
    /// From its first word to its last, as far as they stand in one file.
    pub fn place(&self) -> Option<(FileId, Span)> {
        span_of(&self.words)
    }
}

/// From the first word to the last that follows it in the same file, without jumps.
pub fn span_of(words: &[Word]) -> Option<(FileId, Span)> {
    let mut places = words.iter().filter_map(|word| word.place);
    let (file, mut whole) = places.next()?;
    for (_, span) in places.filter(|(other, _)| *other == file) {
        if whole.start <= span.start && span.start as usize <= whole.end as usize + FAR {
            whole.end = whole.end.max(span.end);
        }
    }
    Some((file, whole))
}

/// The commands of a script, in order.
pub fn commands(script: &Script) -> Vec<Command> {
    let mut lexer = Lexer::new(script, false);
    lexer.run();
    lexer.all
}

/// A single line of words, as `shlex` splits it (addopts, environment values): no operators, no expansions of commands.
pub fn words(script: &Script) -> Vec<Word> {
    let mut lexer = Lexer::new(script, true);
    while let Some(c) = lexer.peek() {
        match c {
            ' ' | '\t' | '\r' | '\n' => {
                lexer.end_word();
                lexer.at += 1;
            }
            // No comments: `shlex.split` has none, and a `#` in the middle of a value is an argument for pytest too.
            '<' | '>' | '|' | '&' | ';' | '(' | ')' => lexer.take(1),
            _ => lexer.word_part(c),
        }
    }
    lexer.end_word();
    lexer.command.words
}

/// A text that is one word, with the expressions of a CI service in it.
pub fn quoted(script: &Script) -> Word {
    whole(script, "${{")
}

/// A text that is one word, as within double quotes: variables are expansions.
pub fn quoted_words(script: &Script) -> Word {
    whole(script, "$")
}

/// A text that is one word, with what begins by `mark` as expansions.
fn whole(script: &Script, mark: &str) -> Word {
    let mut lexer = Lexer::new(script, true);
    lexer.not_bare();
    while !lexer.rest().is_empty() {
        match lexer.rest().find(mark) {
            Some(0) => lexer.dollar(),
            found => lexer.take(found.unwrap_or(lexer.rest().len())),
        }
    }
    lexer.end_word();
    let mut word = lexer.command.words.pop().unwrap_or_default();
    word.quoted = true;
    word
}

struct Lexer<'a> {
    script: &'a Script,
    text: &'a str,
    at: usize,
    depth: u32,
    word: Option<Open>,
    command: Command,
    /// The next word is the target of a redirection.
    skip_word: bool,
    /// Arguments only: `A=1` is a word.
    arguments: bool,
    /// Delimiters of here-documents that start at the next line, and whether tabs before them count.
    heredocs: Vec<(String, bool)>,
    all: Vec<Command>,
}

struct Open {
    word: Word,
    start: usize,
    /// Length of the text before the first quote or expansion, where there was one.
    bare: Option<usize>,
}

impl<'a> Lexer<'a> {
    fn new(script: &'a Script, arguments: bool) -> Lexer<'a> {
        Lexer {
            script,
            text: &script.text,
            at: 0,
            depth: 0,
            word: None,
            command: Command::default(),
            skip_word: false,
            arguments,
            heredocs: Vec::new(),
            all: Vec::new(),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn run(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' => {
                    self.end_word();
                    self.at += 1;
                }
                '\n' => {
                    self.end_command(Then::End);
                    self.at += 1;
                    self.skip_heredocs();
                }
                '#' if self.word.is_none() => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                ';' => {
                    self.end_command(Then::End);
                    self.at += 1;
                }
                '&' => self.ampersand(),
                '|' => {
                    let (then, width) = match self.rest().as_bytes().get(1) {
                        Some(b'|') => (Then::Or, 2),
                        Some(b'&') => (Then::Pipe, 2),
                        _ => (Then::Pipe, 1),
                    };
                    self.end_command(then);
                    self.at += width;
                }
                '(' => self.open_bracket(),
                ')' => {
                    if self.depth == 0 {
                        // The pattern of a `case` arm is no command.
                        self.word = None;
                        self.command = Command::default();
                    } else {
                        self.end_command(Then::End);
                        self.depth -= 1;
                    }
                    self.at += 1;
                }
                '<' | '>' => self.redirection(),
                _ => self.word_part(c),
            }
        }
        self.end_command(Then::End);
    }

    fn ampersand(&mut self) {
        match self.rest().as_bytes().get(1) {
            Some(b'&') => {
                self.end_command(Then::And);
                self.at += 2;
            }
            Some(b'>') => {
                self.end_word();
                self.at += 2 + usize::from(self.rest().as_bytes().get(2) == Some(&b'>'));
                self.skip_word = true;
            }
            _ => {
                self.end_command(Then::Background);
                self.at += 1;
            }
        }
    }

    fn open_bracket(&mut self) {
        if self.word.is_some() {
            // `name()` or `list=(…)`: neither is a subshell.
            let inside = closing(&self.text[self.at + 1..]);
            self.at = (self.at + 1 + inside + 1).min(self.text.len());
            self.word = None;
            return;
        }
        self.end_command(Then::End);
        self.depth += 1;
        self.at += 1;
    }

    fn redirection(&mut self) {
        if self.word.as_ref().is_some_and(|open| open.bare.is_none() && open.word.str().bytes().all(|b| b.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
        let rest = self.rest();
        if rest.starts_with("<<") && !rest.starts_with("<<<") {
            let dash = rest.as_bytes().get(2) == Some(&b'-');
            self.at += 2 + usize::from(dash);
            let line = self.rest().trim_start_matches([' ', '\t']);
            let name = line.split([' ', '\t', '\n', '\r', ';', '|', '&', '<', '>', ')']).next().unwrap_or("");
            let name: String = name.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect();
            if !name.is_empty() {
                self.heredocs.push((name, dash));
            }
        } else {
            self.at += rest.bytes().take_while(|b| matches!(b, b'<' | b'>')).count();
            if matches!(self.peek(), Some('&' | '|')) {
                self.at += 1;
            }
            if self.peek() == Some('(') {
                // Process substitution.
                let inside = closing(&self.text[self.at + 1..]);
                self.at = (self.at + 1 + inside + 1).min(self.text.len());
                return;
            }
        }
        self.skip_word = true;
    }

    fn skip_heredocs(&mut self) {
        for (name, dash) in std::mem::take(&mut self.heredocs) {
            while self.at < self.text.len() {
                let line = self.rest().split_inclusive('\n').next().unwrap_or("");
                self.at += line.len();
                let line = line.trim_end_matches(['\n', '\r']);
                let line = if dash { line.trim_start_matches('\t') } else { line };
                if line == name {
                    break;
                }
            }
        }
    }

    fn open(&mut self) -> &mut Open {
        let start = self.at;
        self.word.get_or_insert_with(|| Open { word: Word::default(), start, bare: None })
    }

    /// Notes that what follows is not plain text.
    fn not_bare(&mut self) {
        let open = self.open();
        let length = open.word.text.text.len();
        open.bare.get_or_insert(length);
    }

    fn take(&mut self, width: usize) {
        let (at, script) = (self.at, self.script);
        self.open().word.text.append(script, at..at + width);
        self.at += width;
    }

    fn word_part(&mut self, c: char) {
        match c {
            '\\' => {
                let rest = &self.rest()[1..];
                let next = rest.chars().next();
                if next == Some('\n') || rest.starts_with("\r\n") {
                    self.at += 1 + rest.find('\n').map_or(0, |n| n + 1);
                    return;
                }
                self.not_bare();
                self.at += 1;
                if let Some(next) = next {
                    self.take(next.len_utf8());
                }
            }
            '\'' => {
                self.not_bare();
                self.at += 1;
                let width = self.rest().find('\'').unwrap_or(self.rest().len());
                self.open().word.quoted = true;
                self.take(width);
                self.at = (self.at + 1).min(self.text.len());
            }
            '"' => self.double_quotes(),
            '`' => {
                self.not_bare();
                let width = 1 + self.rest()[1..].find('`').map_or(self.rest().len() - 1, |n| n + 1);
                let command = self.rest()[1..width].trim_end_matches('`').to_owned();
                self.expand(width, Expansion::Command(command));
            }
            '$' => self.dollar(),
            _ => {
                // A run of plain characters in one go.
                let rest = self.rest();
                let width = rest[c.len_utf8()..]
                    .find(|c: char| {
                        c.is_whitespace() || matches!(c, '\\' | '\'' | '"' | '`' | '$' | '<' | '>' | '|' | '&' | ';' | '(' | ')')
                    })
                    .map_or(rest.len(), |n| n + c.len_utf8());
                self.take(width);
            }
        }
    }

    fn double_quotes(&mut self) {
        self.not_bare();
        self.at += 1;
        self.open().word.quoted = true;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.at += 1;
                    return;
                }
                '\\' => {
                    let next = self.rest()[1..].chars().next();
                    match next {
                        Some('\n') => self.at += 2,
                        Some(c @ ('$' | '`' | '"' | '\\')) => {
                            self.at += 1;
                            self.take(c.len_utf8());
                        }
                        _ => self.take(1),
                    }
                }
                '$' => self.dollar(),
                '`' => {
                    let width = 1 + self.rest()[1..].find('`').map_or(self.rest().len() - 1, |n| n + 1);
                    let command = self.rest()[1..width].trim_end_matches('`').to_owned();
                    self.expand(width, Expansion::Command(command));
                }
                _ => {
                    let rest = self.rest();
                    self.take(rest.find(['"', '\\', '$', '`']).unwrap_or(rest.len()).max(c.len_utf8()));
                }
            }
        }
    }

    fn expand(&mut self, width: usize, what: Expansion) {
        let start = self.open().word.text.text.len();
        self.take(width);
        let open = self.open();
        let end = open.word.text.text.len();
        open.word.expansions.push((start..end, what));
    }

    fn dollar(&mut self) {
        self.not_bare();
        let rest = self.rest();
        let after = &rest[1..];
        if after.starts_with("{{") {
            let bytes = after.as_bytes();
            let end = (2..bytes.len()).find(|n| bytes[*n] == b'\n' || bytes[*n..].starts_with(b"}}")).unwrap_or(bytes.len());
            let width = 1 + end + if after[end..].starts_with("}}") { 2 } else { 0 };
            self.expand(width, Expansion::Expression(after[2..end].trim().to_owned()));
        } else if let Some(inside) = after.strip_prefix('{') {
            let length = inside.find('}').unwrap_or(inside.len());
            let length = if inside[..length].contains('{') { matching(inside, '{', '}') } else { length };
            let body = &inside[..length];
            let name: String =
                body.trim_start_matches(['#', '!']).chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let tail = body.get(name.len()..).unwrap_or("");
            let default =
                tail.strip_prefix(":-").or_else(|| tail.strip_prefix('-')).or_else(|| tail.strip_prefix(":=")).map(str::to_owned);
            let width = (2 + length + 1).min(rest.len());
            self.expand(width, Expansion::Variable { name, default });
        } else if let Some(inside) = after.strip_prefix('(') {
            let length = closing(inside);
            let width = (2 + length + 1).min(rest.len());
            self.expand(width, Expansion::Command(inside[..length].trim().to_owned()));
        } else {
            let name: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                self.expand(1 + name.len(), Expansion::Variable { name, default: None });
            } else if let Some(c @ ('@' | '*' | '#' | '?' | '!' | '$' | '-')) = after.chars().next() {
                self.expand(2, Expansion::Variable { name: c.to_string(), default: None });
            } else {
                self.take(1);
            }
        }
    }

    fn end_word(&mut self) {
        let Some(mut open) = self.word.take() else { return };
        open.word.place = self.script.place(open.start..self.at);
        if std::mem::take(&mut self.skip_word) {
            return;
        }
        if !self.arguments
            && self.command.words.is_empty()
            && let Some(name) = assigned(&open)
        {
            let value = open.word.tail(name.len() + 1);
            self.command.assigns.push((name.trim_end_matches('+').to_owned(), value));
            return;
        }
        if self.command.words.is_empty() {
            self.command.range = open.start..self.at;
        }
        self.command.range.end = self.at;
        self.command.words.push(open.word);
    }

    fn end_command(&mut self, then: Then) {
        self.end_word();
        self.skip_word = false;
        if !self.command.words.is_empty() || !self.command.assigns.is_empty() {
            let mut command = std::mem::take(&mut self.command);
            command.then = then;
            command.depth = self.depth;
            self.all.push(command);
        }
    }
}

/// The name of `NAME=…`, where the name and `=` stand before any quote.
fn assigned(open: &Open) -> Option<String> {
    let text = open.word.str();
    let name = &text[..text.find('=')?];
    let bare = open.bare.unwrap_or(text.len());
    let plain = name.strip_suffix('+').unwrap_or(name);
    let good = plain.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && plain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (good && name.len() < bare).then(|| name.to_owned())
}

/// Bytes before the `)` that closes an open bracket; quotes are stepped over. All of it where none closes.
fn closing(text: &str) -> usize {
    let mut depth = 0usize;
    let mut quote = None;
    let mut escaped = false;
    for (n, b) in text.bytes().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match (quote, b) {
            (Some(b'\''), b'\'') | (Some(b'"'), b'"') => quote = None,
            (Some(b'\''), _) => {}
            (_, b'\\') => escaped = true,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(b),
            (None, b'(') => depth += 1,
            (None, b')') if depth == 0 => return n,
            (None, b')') => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Bytes before the `close` that ends an open pair.
fn matching(text: &str, open: char, close: char) -> usize {
    let mut depth = 0usize;
    for (n, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            if depth == 0 {
                return n;
            }
            depth -= 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<Command> {
        commands(&Script::verbatim(FileId(0), 0, text))
    }

    fn argv(text: &str) -> Vec<Vec<String>> {
        parse(text).iter().map(|command| command.words.iter().map(|word| word.str().to_owned()).collect()).collect()
    }

    fn at(text: &str, needle: &str) -> Option<(FileId, Span)> {
        let start = text.find(needle).unwrap();
        Some((FileId(0), Span::new(start, start + needle.len())))
    }

    #[test]
    fn operators_split_commands() {
        let text = "cd x && pytest -n 4 | tee log; a || b & c |& d\ne";
        assert_eq!(
            argv(text),
            [
                vec!["cd", "x"],
                vec!["pytest", "-n", "4"],
                vec!["tee", "log"],
                vec!["a"],
                vec!["b"],
                vec!["c"],
                vec!["d"],
                vec!["e"]
            ]
        );
        let then: Vec<Then> = parse(text).iter().map(|command| command.then).collect();
        assert_eq!(then, [Then::And, Then::Pipe, Then::End, Then::Or, Then::Background, Then::Pipe, Then::End, Then::End]);
        assert_eq!(parse(text)[1].place(), at(text, "pytest -n 4"));
    }

    #[test]
    fn quotes_and_escapes() {
        let text = r#"pytest -k 'a b' "c \"d\" $X" e\ f '' -m"not slow""#;
        assert_eq!(argv(text), [["pytest", "-k", "a b", "c \"d\" $X", "e f", "", "-mnot slow"]]);
        let words = &parse(text)[0].words;
        assert_eq!(words[2].place, at(text, "'a b'"));
        assert_eq!(words[3].expansions, [(6..8, Expansion::Variable { name: "X".into(), default: None })]);
        assert!(words[3].quoted && !words[4].quoted);
    }

    #[test]
    fn lines_are_joined() {
        let text = "pytest \\\n  -n 4 \\\r\n  -q\n";
        assert_eq!(argv(text), [["pytest", "-n", "4", "-q"]]);
        assert_eq!(parse(text)[0].words[1].place, at(text, "-n"));
    }

    #[test]
    fn assignments_and_export() {
        let text = "A=1 B+=\"x y\" pytest C=2\nexport D=3\nE=$F\n'G'=1\nlist=(a b) x\n";
        let all = parse(text);
        assert_eq!(
            all[0].assigns.iter().map(|(name, value)| (name.as_str(), value.str())).collect::<Vec<_>>(),
            [("A", "1"), ("B", "x y")]
        );
        assert_eq!(all[0].words.len(), 2);
        assert_eq!(all[1].words[1].str(), "D=3");
        assert_eq!(all[2].assigns[0].1.expansions.len(), 1);
        assert_eq!(all[2].assigns[0].1.expansions[0].0, 0..2);
        assert_eq!(all[3].words[0].str(), "G=1");
        assert_eq!(all[4].words.len(), 1);
    }

    #[test]
    fn expansions() {
        let text = "x ${N:-4} ${A} $(nproc --all) `nproc` $((1+2)) ${{ matrix.n }} -n$M $1 $@ a$ ${Y:-${Z}} $";
        let words = &parse(text)[0].words;
        let all: Vec<_> = words.iter().flat_map(|word| word.expansions.iter().map(|(_, what)| what.clone())).collect();
        let variable =
            |name: &str, default: Option<&str>| Expansion::Variable { name: name.into(), default: default.map(str::to_owned) };
        assert_eq!(
            all,
            [
                variable("N", Some("4")),
                variable("A", None),
                Expansion::Command("nproc --all".into()),
                Expansion::Command("nproc".into()),
                Expansion::Command("(1+2)".into()),
                Expansion::Expression("matrix.n".into()),
                variable("M", None),
                variable("1", None),
                variable("@", None),
                variable("Y", Some("${Z}")),
            ]
        );
        assert_eq!(words[7].expansions[0].0, 2..4);
        assert_eq!(words[7].place, at(text, "-n$M"));
    }

    #[test]
    fn heredocs_comments_and_redirections_are_skipped() {
        let text = "cat <<'EOF' > out.txt  # pytest -n 1\npytest -n 2\nEOF\npytest 2>&1 >log <in # -n 3\ncat <<-E\n\tx\n\tE\na &> b c <<< d e>f\n";
        assert_eq!(argv(text), [vec!["cat"], vec!["pytest"], vec!["cat"], vec!["a", "c", "e"]]);
    }

    #[test]
    fn subshells_and_case() {
        let text = "(cd a && b) && c\ncase $x in\n pytest) d;;\nesac\nf() { g; }\n";
        let all = parse(text);
        assert_eq!(all.iter().map(|command| command.depth).collect::<Vec<_>>(), [1, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(argv(text)[4], ["d"]);
        assert_eq!(argv(text)[6], ["{", "g"]);
    }

    #[test]
    fn plain_words() {
        let script = Script::verbatim(FileId(0), 0, "-ra -n 4 # note\n  --cov='a b' -k x|y A=(b)");
        assert_eq!(
            words(&script).iter().map(Word::str).collect::<Vec<_>>(),
            ["-ra", "-n", "4", "#", "note", "--cov=a b", "-k", "x|y", "A=(b)"]
        );
    }

    #[test]
    fn hostile_text_is_linear() {
        for part in [
            "$(", "${", "${{", "\"", "'", "`", "(", ")", "<<E\n", "<<", "\\", "a=(", "$((", "\"$(", "${a:-", ">(", "a", "é",
            "${é}", "a()",
        ] {
            parse(&part.repeat(50_000 / part.len()));
            for cut in 0..4 {
                parse(&format!("x {}{}", part, "y ".repeat(cut)));
            }
        }
    }
}
