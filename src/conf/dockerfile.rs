//! Dockerfiles: what the images that the project builds set in their environment, and what they run.
//!
//! Dockerfile reference: `FROM … AS`, `ARG`, `ENV`, `ENTRYPOINT`, `CMD`.

use super::recipes::push_word;
use super::script::Script;
use super::shell::{self, Expansion, Word};
use super::tree::{self, Tree};
use crate::text::FileId;
use std::collections::BTreeMap;

/// Stages that one stage is built on.
const DEEPEST: usize = 16;

/// A stage of an image.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stage {
    name: String,
    /// The stage that it goes on from, where the file has it.
    from: Option<usize>,
    /// None for a value that is not known.
    env: Vec<(String, Option<Script>)>,
    entry: Option<Script>,
    command: Option<Script>,
}

/// What a container of an image starts with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Image {
    pub env: BTreeMap<String, Option<Script>>,
    /// Entry point and command on one line; empty where the file names none.
    pub command: Script,
}

/// The stages of the Dockerfile at a path; none where there is no such file.
pub fn image(tree: &Tree, path: &str, target: Option<&str>) -> Option<Image> {
    let file = tree.file(path)?;
    let stages = stages(file, tree.text(file));
    let mut at = match target {
        Some(target) => stages.iter().rposition(|stage| stage.name == target)?,
        None => stages.len().checked_sub(1)?,
    };
    let mut way = vec![at];
    while let Some(next) = stages[at].from.filter(|_| way.len() < DEEPEST) {
        way.push(next);
        at = next;
    }
    let (mut image, mut entry, mut command) = (Image::default(), None, None);
    for stage in way.iter().rev().map(|n| &stages[*n]) {
        image.env.extend(stage.env.iter().cloned());
        // A new entry point takes the command of the image below away.
        if stage.entry.is_some() {
            (entry, command) = (stage.entry.clone(), None);
        }
        command = stage.command.clone().or(command);
    }
    for part in [entry, command].into_iter().flatten() {
        if let (false, Some((file, span))) = (image.command.text.is_empty(), part.whole()) {
            image.command.push_as(file, span.start as usize..span.start as usize, " ");
        }
        image.command.append(&part, 0..part.text.len());
    }
    Some(image)
}

/// The Dockerfile of a folder that is built.
pub fn in_folder(dir: &str) -> String {
    if dir.is_empty() { "Dockerfile".to_owned() } else { format!("{dir}/Dockerfile") }
}

fn stages(file: FileId, text: &str) -> Vec<Stage> {
    let mut all: Vec<Stage> = Vec::new();
    let mut at = 0;
    let mut open: Option<Script> = None;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let body = line.trim();
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        let lead = line.len() - line.trim_start().len();
        let part = body.strip_suffix('\\').unwrap_or(body);
        let script = open.get_or_insert_default();
        script.push_as(file, start..start, " ");
        script.push(file, start + lead, part);
        if !body.ends_with('\\')
            && let Some(script) = open.take()
        {
            instruction(&script.trim(), &mut all);
        }
    }
    all
}

fn instruction(line: &Script, all: &mut Vec<Stage>) {
    let word = line.text.split_whitespace().next().unwrap_or("").to_owned();
    let rest = line.slice(word.len()..line.text.len()).trim();
    if word.eq_ignore_ascii_case("FROM") {
        let words: Vec<&str> = rest.text.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        let base = words.first().copied().unwrap_or("");
        let name = match words.as_slice() {
            [_, keyword, name, ..] if keyword.eq_ignore_ascii_case("AS") => (*name).to_owned(),
            _ => String::new(),
        };
        let from = all.iter().rposition(|stage| !stage.name.is_empty() && stage.name == base);
        all.push(Stage { name, from, ..Stage::default() });
        return;
    }
    let Some(stage) = all.last_mut() else { return };
    match word.to_uppercase().as_str() {
        "ENV" => {
            let words = shell::words(&rest);
            // `ENV NAME the rest is its value`
            if let Some(first) = words.first().filter(|word| !word.str().contains('=')) {
                let value = rest.slice(first.str().len()..rest.text.len()).trim();
                stage.env.push((first.str().to_owned(), Some(value).filter(|value| !value.text.contains('$'))));
                return;
            }
            for word in &words {
                if let Some((name, _)) = word.str().split_once('=') {
                    let value = word.tail(name.len() + 1);
                    let known = |word: &Word| !word.expansions.iter().any(|(_, what)| matches!(what, Expansion::Variable { .. }));
                    stage.env.push((name.to_owned(), known(&value).then_some(value.text)));
                }
            }
        }
        "ENTRYPOINT" => stage.entry = Some(command(&rest)),
        "CMD" => stage.command = Some(command(&rest)),
        _ => {}
    }
}

/// A list of words in brackets, or a line for the shell.
fn command(rest: &Script) -> Script {
    if !rest.text.starts_with('[') {
        return rest.clone();
    }
    let mut line = Script::default();
    let mut from = None;
    for (at, c) in rest.text.char_indices().filter(|(_, c)| *c == '"') {
        match from.take() {
            None => from = Some(at + c.len_utf8()),
            Some(start) => push_word(&mut line, Some(rest.slice(start..at))),
        }
    }
    line
}

/// The Dockerfile that `docker build` is given, and the names of the image: `-t NAME`, `-f FILE`, `--target STAGE`, the folder.
pub fn built(words: &[Word], dir: &str) -> Option<(Vec<String>, String, Option<String>)> {
    const VALUED: [&str; 12] = [
        "--build-arg",
        "--label",
        "--platform",
        "--cache-from",
        "--cache-to",
        "--network",
        "--progress",
        "--secret",
        "--ssh",
        "--output",
        "-o",
        "--build-context",
    ];
    let (mut names, mut file, mut target, mut folder) = (Vec::new(), None, None, None);
    let mut words = words.iter().map(Word::str);
    while let Some(word) = words.next() {
        let (option, inline) =
            word.split_once('=').filter(|_| word.starts_with("--")).map_or((word, None), |(a, b)| (a, Some(b)));
        match option {
            "-t" | "--tag" => names.extend(inline.or_else(|| words.next()).map(str::to_owned)),
            "-f" | "--file" => file = inline.or_else(|| words.next()),
            "--target" => target = inline.or_else(|| words.next()).map(str::to_owned),
            _ if VALUED.contains(&option) => {
                if inline.is_none() {
                    words.next();
                }
            }
            _ if option.starts_with('-') => {}
            _ => folder = Some(word),
        }
    }
    let path = match file {
        Some(file) => tree::join(dir, file)?,
        None => in_folder(&tree::join(dir, folder?)?),
    };
    Some((names, path, target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Kind, Source};

    fn read(text: &str, target: Option<&str>) -> Option<Image> {
        let sources = [Source::of("Dockerfile", Kind::Config, text)];
        image(&Tree::new(&sources), "Dockerfile", target)
    }

    #[test]
    fn stages_and_their_environment() {
        let text = "ARG P=3\n# note\nFROM --platform=x python:$P AS base\nENV A=1 B=\"2 3\" \\\n    C=$P\nENV D a b\nCMD [\"pytest\", \"-n\", \"auto\"]\n\
             FROM scratch AS other\nENV A=9\nFROM base\nENV A=4\n";
        let last = read(text, None).unwrap();
        let value = |image: &Image, name: &str| image.env.get(name).cloned().flatten().map(|value| value.text);
        assert_eq!((value(&last, "A").as_deref(), value(&last, "B").as_deref()), (Some("4"), Some("2 3")));
        assert_eq!((value(&last, "C"), value(&last, "D").as_deref()), (None, Some("a b")));
        assert_eq!(last.command.text, "pytest -n auto");
        assert_eq!(value(&read(text, Some("other")).unwrap(), "A").as_deref(), Some("9"));
        assert_eq!(read(text, Some("none")), None);
    }

    #[test]
    fn entry_points_and_commands() {
        let line = |text: &str| read(text, None).unwrap().command.text;
        assert_eq!(line("FROM x\nENTRYPOINT [\"pytest\"]\nCMD [\"-n\", \"2\"]\n"), "pytest -n 2");
        assert_eq!(line("FROM x AS a\nCMD a\nFROM a\nENTRYPOINT b\n"), "b");
        assert_eq!(line("FROM x\n"), "");
    }

    #[test]
    fn hostile_files_are_survived() {
        for text in [
            "",
            "ENV A=1",
            "FROM",
            "FROM x\nENV\nENV =\nCMD [\"\nENTRYPOINT [",
            "FROM a AS a\nFROM a AS a\nENV A\\\n",
            "FROM x\n\\\n\\",
        ] {
            read(text, None);
        }
    }
}
