//! Comments of configuration files: what they tell us, and whether a text means the same with one more.

use super::script::Script;
use super::yaml::{Node, Style, Value};
use super::{shell, tree, yaml};
use crate::facts::Ignore;
use crate::text::{FileId, Source};

/// The ignore comments of a configuration or CI file: `#`, or `;` in INI files, on a line or alone above it.
pub fn ignores(source: &Source) -> Vec<Ignore> {
    if !source.text.contains("isolint:") {
        return Vec::new();
    }
    let read = |line| {
        let span = source.line_span(line);
        let text = source.slice(span);
        let mut ignore = Ignore::parse(text, span.start, false)?;
        let before = &text[..(ignore.span.start - span.start) as usize];
        // `//` is no comment in these formats: the end of an address is one of a path.
        let marked = text[before.len()..].starts_with(['#', ';']);
        ignore.own_line = before.trim_start().is_empty() || before.trim_start().starts_with(['#', ';']);
        marked.then_some(ignore)
    };
    (1..=source.line_count()).filter_map(read).collect()
}

/// Whether two texts of one file differ in nothing but comments.
pub fn same(path: &str, before: &str, after: &str) -> bool {
    let name = tree::name(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "toml" => toml(before).is_some_and(|value| toml(after) == Some(value)),
        "yml" | "yaml" => {
            let (before, after) = (yaml::parse(FileId(0), before), yaml::parse(FileId(0), after));
            before.len() == after.len() && before.iter().zip(&after).all(|(before, after)| same_nodes(before, after))
        }
        "ini" | "cfg" => without(before, ini_comment) == without(after, ini_comment),
        "sh" | "bash" => commands(before) == commands(after),
        // In cargo's older name for its settings too.
        _ if name == "config" => toml(before).is_some_and(|value| toml(after) == Some(value)),
        // make, just, Docker: a line that is a comment as a whole, and that does not stand inside one that goes on.
        _ => joined(before) == joined(after),
    }
}

fn toml(text: &str) -> Option<::toml::Table> {
    ::toml::from_str(text).ok()
}

fn same_nodes(before: &Node, after: &Node) -> bool {
    match (&before.value, &after.value) {
        (Value::Scalar { text: a, style }, Value::Scalar { text: b, style: other }) => {
            let block = matches!(style, Style::Literal | Style::Folded);
            style == other && (a == b || block && commands(a) == commands(b))
        }
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_nodes(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            let same = |((a, b), (c, d)): (&(Node, Node), &(Node, Node))| same_nodes(a, c) && same_nodes(b, d);
            a.len() == b.len() && a.iter().zip(b).all(same)
        }
        (a, b) => a == b,
    }
}

/// The words of a script's commands.
fn commands(text: &str) -> Vec<Vec<String>> {
    let commands = shell::commands(&Script::verbatim(FileId(0), 0, text));
    commands.iter().map(|command| command.words.iter().map(|word| word.str().to_owned()).collect()).collect()
}

fn ini_comment(line: &str) -> bool {
    line.trim_start().starts_with(['#', ';'])
}

fn without(text: &str, comment: fn(&str) -> bool) -> Vec<&str> {
    text.split_inclusive('\n').filter(|line| !comment(line)).collect()
}

/// The lines that are no comments, those that end in a backslash with what follows.
fn joined(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = String::new();
    for line in text.split_inclusive('\n') {
        open.push_str(line);
        if !line.trim_end().ends_with('\\') {
            all.push(std::mem::take(&mut open));
        }
    }
    all.push(open);
    all.retain(|line| !line.trim_start_matches(' ').starts_with('#'));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Kind;

    #[test]
    fn a_comment_on_a_line_and_alone() {
        let text = "run: a  # isolint: ignore[x] why\n# noqa  # isolint: ignore[y]\nurl: b // isolint: ignore[z]\n";
        let found = ignores(&Source::of(".gitlab-ci.yml", Kind::Config, text));
        let found: Vec<_> = found.iter().map(|ignore| (&*ignore.rules[0].0, ignore.own_line)).collect();
        assert_eq!(found, [("x", false), ("y", true)]);
    }

    #[test]
    fn what_is_a_comment_changes_nothing() {
        for (path, before, after, expected) in [
            ("a.toml", "a = [\n 1,\n]\n", "a = [\n # c\n 1,  # c\n]\n", true),
            ("a.toml", "a = '''\nb\n'''\n", "a = '''\nb  # c\n'''\n", false),
            ("a.yml", "a: b\n", "# c\na: b  # c\n", true),
            ("a.yml", "a: |\n  b c\n  d\n", "a: |\n  # c\n  b c  # c\n  d\n", true),
            ("a.yml", "a: |\n  b \\\n  d\n", "a: |\n  b \\\n  # c\n  d\n", false),
            ("a.yml", "a: |\n  b \\\n  d\n", "a: |\n  b \\  # c\n  d\n", false),
            ("a.yml", "a: >\n  b\n  c\n", "a: >\n  b  # d\n  c\n", false),
            ("a.yml", "a: b\n  c\n", "a: b  # d\n  c\n", false),
            ("a.yml", "a: 'b\n  c'\n", "a: 'b  # d\n  c'\n", false),
            ("tox.ini", "[a]\nb =\n  c\n  d\n", "[a]\nb =\n  c\n  # e\n  d\n", true),
            ("tox.ini", "[a]\nb = c\n", "[a]\nb = c  # d\n", false),
            ("a.sh", "a 'b\nc'\n", "a 'b # d\nc'\n", false),
            ("a.sh", "a b\n", "# c\na b  # c\n", true),
            ("Makefile", "a:\n\tb \\\n\tc\n", "a:\n# d\n\tb \\\n\tc\n", true),
            ("Makefile", "a:\n\tb \\\n\tc\n", "a:\n\tb \\\n# d\n\tc\n", false),
            ("Makefile", "a = b\n", "a = b  # c\n", false),
            ("Dockerfile", "RUN a\n", "# b\nRUN a\n", true),
        ] {
            assert_eq!(same(path, before, after), expected, "{path}: {after:?}");
        }
    }
}
