//! Named commands of a project: the scripts of hatch, pdm, poe, rye, pixi, taskipy and Taskfiles.
//!
//! What the caller adds (`{posargs}` of tox, `{args}` of hatch) is written as the shell would: `${posargs:-default}`.

use super::ini::Ini;
use super::script::Script;
use super::shell::{Expansion, Word};
use super::toml::{Item, Toml};
use super::tox;
use super::tree::{self, Tree};
use super::yaml::{self, Node};
use crate::facts::trace::{Piece, Place, Programs};
use crate::text::{FileId, Span};

/// The name under which a recipe finds what its caller adds.
pub const POSARGS: &str = "posargs";

/// Who runs a recipe.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tool {
    Make,
    Just,
    Tox,
    Hatch,
    Pdm,
    Poe,
    Rye,
    Pixi,
    Taskipy,
    Taskfile,
    CargoMake,
    Nox,
    /// A service of a compose file.
    Compose,
    /// Its name is the platform.
    Cibuildwheel,
    /// A Python file that starts test commands itself; its name is its path.
    Python,
}

/// Commands under a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipe {
    pub tool: Tool,
    /// Of a tox environment `""` where it is the base of all; of hatch's without the environment.
    pub name: String,
    pub place: (FileId, Span),
    /// The folder it is called in, relative to the project.
    pub home: String,
    /// Where its commands run.
    pub dir: String,
    /// Recipes of the same tool that run before.
    pub needs: Vec<String>,
    /// Each is run by a shell of its own.
    pub scripts: Vec<Script>,
    pub env: Vec<(String, Option<Script>)>,
    /// Variables of the caller that come through, as globs; none for all.
    pub pass: Option<Vec<String>>,
    /// Commands that are words already, of Python code: their words, where they stand, the variables they add.
    pub calls: Vec<Call>,
    /// Words that go into a container, the command somewhere among them.
    pub carries: Option<Call>,
    /// Run where nothing is asked for.
    pub default: bool,
    /// Of tox: the environments that a plain `tox` runs by it.
    pub listed: Vec<String>,
    /// Of tox: where its lines stand, some of which hold for some environments only.
    pub origin: Option<tox::Origin>,
    /// A pipe fails when any of its commands fails.
    pub pipefail: bool,
}

/// A command in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    pub words: Vec<Word>,
    pub place: Place,
    pub env: Vec<(String, Option<Script>)>,
}

impl Recipe {
    pub fn new(tool: Tool, name: &str, place: (FileId, Span), home: &str) -> Recipe {
        Recipe {
            tool,
            name: name.to_owned(),
            place,
            home: home.to_owned(),
            dir: home.to_owned(),
            needs: Vec::new(),
            scripts: Vec::new(),
            env: Vec::new(),
            pass: None,
            calls: Vec::new(),
            carries: None,
            default: true,
            listed: Vec::new(),
            origin: None,
            pipefail: false,
        }
    }
}

/// All recipes but those of make and just, in the order of the files.
pub fn read(tree: &Tree) -> Vec<Recipe> {
    let mut all = Vec::new();
    for (path, file) in tree.files() {
        let (home, text) = (tree::folder(path), tree.text(file));
        match tree::name(path) {
            "tox.ini" => tox::ini(Ini::parse(file, text), home, &mut all),
            "setup.cfg" if text.contains("[tox:tox]") => tox::ini(Ini::parse(file, text), home, &mut all),
            "tox.toml" => {
                let toml = Toml::parse(file, text);
                tox::toml(toml.at(&["env_list"]), toml.at(&["env_run_base"]), toml.at(&["env"]), home, &mut all);
            }
            "pyproject.toml" => pyproject(&Toml::parse(file, text), home, &mut all),
            "hatch.toml" => hatch(Toml::parse(file, text).at(&["envs"]), home, &mut all),
            "pixi.toml" => {
                let toml = Toml::parse(file, text);
                pixi(toml.at(&["tasks"]), toml.at(&["feature"]), home, &mut all);
            }
            "Makefile.toml" => cargo_make(&Toml::parse(file, text), home, &mut all),
            "Taskfile.yml" | "Taskfile.yaml" | "taskfile.yml" | "taskfile.yaml" => {
                for document in yaml::parse(file, text) {
                    taskfile(&document, file, text, home, &mut all);
                }
            }
            _ => {}
        }
    }
    all
}

/// What Python code runs: nox's sessions, and scripts.
pub fn programs(tree: &Tree, programs: &Programs) -> Vec<Recipe> {
    programs
        .sessions
        .iter()
        .map(|session| {
            let path = tree.path(session.file);
            let (tool, name) = if session.name.is_empty() { (Tool::Python, path) } else { (Tool::Nox, session.name.as_str()) };
            let mut recipe = Recipe::new(tool, name, session.place, tree::folder(path));
            recipe.default = session.default;
            recipe.needs = session.needs.clone();
            recipe.pipefail = true;
            let verbatim = |text: &str, (file, span): Place| {
                let mut script = Script::default();
                script.push_as(file, span.start as usize..span.end as usize, text);
                script
            };
            recipe.calls = session
                .calls
                .iter()
                .map(|call| Call {
                    words: call.words.iter().map(|word| of_pieces(&word.pieces, word.place)).collect(),
                    place: call.place,
                    env: call
                        .env
                        .iter()
                        .map(|(name, value)| (name.clone(), value.as_ref().map(|value| verbatim(value, call.place))))
                        .collect(),
                })
                .collect();
            recipe
        })
        .collect()
}

/// A word of Python code as the shell would write it.
fn of_pieces(pieces: &[Piece], place: Place) -> Word {
    let (file, span) = place;
    let range = span.start as usize..span.end as usize;
    let mut word = Word { place: Some(place), quoted: true, ..Word::default() };
    for piece in pieces {
        let start = word.text.text.len();
        let (text, what) = match piece {
            Piece::Text(text) => {
                word.text.push_as(file, range.clone(), text);
                continue;
            }
            Piece::Variable(name, default) => {
                let text = match default {
                    Some(default) => format!("${{{name}:-{default}}}"),
                    None => format!("${{{name}}}"),
                };
                (text, Expansion::Variable { name: name.clone(), default: default.clone() })
            }
            Piece::Args(line) => {
                word.quoted = false;
                (format!("${{{POSARGS}:-{line}}}"), Expansion::Variable { name: POSARGS.to_owned(), default: Some(line.clone()) })
            }
            Piece::Count(count, links) => ("$N".to_owned(), Expansion::Count(count.clone(), links.clone())),
            Piece::Unknown => ("$?".to_owned(), Expansion::Command(String::new())),
        };
        word.text.push_as(file, range.clone(), &text);
        word.expansions.push((start..word.text.text.len(), what));
    }
    word
}

fn pyproject(toml: &Toml, home: &str, all: &mut Vec<Recipe>) {
    let tool = |path: &[&str]| toml.at(&["tool"]).and_then(|tool| tool.at(path));
    if let Some(legacy) = tool(&["tox", "legacy_tox_ini"]).and_then(Item::script) {
        tox::ini(Ini::of(&legacy), home, all);
    }
    tox::toml(tool(&["tox", "env_list"]), tool(&["tox", "env_run_base"]), tool(&["tox", "env"]), home, all);
    hatch(tool(&["hatch", "envs"]), home, all);
    pixi(tool(&["pixi", "tasks"]), tool(&["pixi", "feature"]), home, all);
    for (kind, path) in [
        (Tool::Pdm, ["pdm", "scripts"]),
        (Tool::Poe, ["poe", "tasks"]),
        (Tool::Rye, ["rye", "scripts"]),
        (Tool::Taskipy, ["taskipy", "tasks"]),
    ] {
        for (name, place, item) in tool(&path).map(Item::entries).unwrap_or_default() {
            all.push(task(kind, name, place, item, home));
        }
    }
}

/// A script as most tools write it: a text, or a table that says what kind of text.
fn task(kind: Tool, name: &str, place: (FileId, Span), item: Item, home: &str) -> Recipe {
    let mut recipe = Recipe::new(kind, name, place, home);
    let is_chain = |key: &str| matches!(key, "composite" | "chain" | "sequence" | "all" | "parallel");
    if let Some(script) = item.script() {
        recipe.scripts.push(with_posargs(&fill(&script)));
    } else if item.is_list() {
        // poe: names of tasks, or inline tasks; rye: names.
        chain(&mut recipe, item);
    }
    for (key, _, value) in item.entries() {
        match key {
            "cmd" | "shell" => {
                let script = if value.is_list() { command_line(value) } else { value.script().map(|script| fill(&script)) };
                recipe.scripts.extend(script.map(|script| with_posargs(&script)));
            }
            key if is_chain(key) => chain(&mut recipe, value),
            "deps" => recipe.needs.extend(value.words()),
            "env" => recipe.env.extend(value.entries().into_iter().map(|(name, _, value)| (name.to_owned(), value.script()))),
            "cwd" | "working_dir" => {
                if let Some(dir) = value.str().and_then(|dir| tree::join(home, dir)) {
                    recipe.dir = dir;
                }
            }
            _ => {}
        }
    }
    recipe
}

fn chain(recipe: &mut Recipe, list: Item) {
    for step in list.list() {
        match step.script() {
            // Either the name of a task or, in pdm's `composite`, a line with a task's name first.
            Some(script) => {
                recipe.needs.extend(script.text.split_whitespace().next().map(str::to_owned));
                recipe.scripts.push(script);
            }
            None => recipe.scripts.extend(step.at(&["cmd"]).or_else(|| step.at(&["shell"])).and_then(Item::script)),
        }
    }
}

/// What the caller adds goes to the end, unless the text says where.
fn with_posargs(script: &Script) -> Script {
    let mut script = script.clone();
    if !script.text.contains("${posargs")
        && !script.text.contains("$@")
        && let Some((file, span)) = script.whole()
    {
        let end = script.text.trim_end().len();
        script = script.slice(0..end);
        script.push_as(file, span.end as usize..span.end as usize, " ${posargs:-}");
    }
    script
}

fn pixi(tasks: Option<Item>, features: Option<Item>, home: &str, all: &mut Vec<Recipe>) {
    let inner = features.map(Item::entries).unwrap_or_default().into_iter().filter_map(|(.., feature)| feature.at(&["tasks"]));
    for table in tasks.into_iter().chain(inner) {
        for (name, place, item) in table.entries() {
            let mut recipe = task(Tool::Pixi, name, place, item, home);
            recipe
                .needs
                .extend(item.at(&["depends-on"]).or_else(|| item.at(&["depends_on"])).map(Item::words).unwrap_or_default());
            all.push(recipe);
        }
    }
}

fn hatch(envs: Option<Item>, home: &str, all: &mut Vec<Recipe>) {
    for (.., env) in envs.map(Item::entries).unwrap_or_default() {
        for (name, place, item) in env.at(&["scripts"]).map(Item::entries).unwrap_or_default() {
            let mut recipe = Recipe::new(Tool::Hatch, name, place, home);
            // A list is run line by line in one environment; a line may begin with the name of another script.
            recipe.scripts = item.scripts().iter().map(fill).collect();
            recipe.needs = recipe
                .scripts
                .iter()
                .filter_map(|script| script.text.split_whitespace().next().map(|word| word.trim_start_matches("- ").to_owned()))
                .collect();
            recipe.env = env
                .at(&["env-vars"])
                .map(Item::entries)
                .unwrap_or_default()
                .into_iter()
                .map(|(key, _, value)| (key.to_owned(), value.script()))
                .collect();
            all.push(recipe);
        }
    }
}

fn cargo_make(toml: &Toml, home: &str, all: &mut Vec<Recipe>) {
    for (name, place, item) in toml.at(&["tasks"]).map(Item::entries).unwrap_or_default() {
        let mut recipe = Recipe::new(Tool::CargoMake, name, place, home);
        let args = item.at(&["args"]).map(Item::list).unwrap_or_default();
        if let Some(mut script) = item.at(&["command"]).and_then(Item::script) {
            for arg in args {
                push_word(&mut script, arg.script());
            }
            recipe.scripts.push(script);
        }
        recipe.scripts.extend(item.at(&["script"]).map(Item::scripts).unwrap_or_default());
        recipe.needs = item.at(&["dependencies"]).map(Item::words).unwrap_or_default();
        recipe.needs.extend(item.at(&["run_task"]).and_then(Item::str).map(str::to_owned));
        recipe.env = item
            .at(&["env"])
            .map(Item::entries)
            .unwrap_or_default()
            .into_iter()
            .map(|(key, _, value)| (key.to_owned(), value.script()))
            .collect();
        all.push(recipe);
    }
}

fn taskfile(document: &Node, file: FileId, text: &str, home: &str, all: &mut Vec<Recipe>) {
    let script = |node: &Node| node.script(text);
    let variables = |node: &Node| -> Vec<(String, Option<Script>)> {
        node.get("env")
            .map(Node::pairs)
            .unwrap_or(&[])
            .iter()
            .filter_map(|(key, value)| Some((key.text()?.to_owned(), script(value))))
            .collect()
    };
    for (key, task) in document.get("tasks").map(Node::pairs).unwrap_or(&[]) {
        let Some(name) = key.text() else { continue };
        let mut recipe = Recipe::new(Tool::Taskfile, name, (file, key.span), home);
        let commands = task.get("cmds").or_else(|| task.get("cmd")).unwrap_or(task);
        let single = std::slice::from_ref(commands);
        for command in if commands.items().is_empty() { single } else { commands.items() } {
            if let Some(called) = command.get("task").and_then(Node::text) {
                recipe.needs.push(called.to_owned());
            }
            recipe.scripts.extend(script(command.get("cmd").unwrap_or(command)));
        }
        for need in task.get("deps").map(Node::items).unwrap_or(&[]) {
            recipe.needs.extend(need.text().or_else(|| need.get("task").and_then(Node::text)).map(str::to_owned));
        }
        if let Some(dir) = task.get("dir").and_then(Node::text).and_then(|dir| tree::join(home, dir)) {
            recipe.dir = dir;
        }
        recipe.env = variables(document);
        recipe.env.extend(variables(task));
        all.push(recipe);
    }
}

/// A list of words as one line; tox's `{ replace = "posargs", default = […] }` becomes `${posargs:-…}`, and `{ replace = "env", … }`
/// the variable.
pub fn command_line(list: Item) -> Option<Script> {
    let mut line = Script::default();
    for item in list.list() {
        push_item(&mut line, item);
    }
    (!line.text.is_empty()).then_some(line)
}

fn push_item(line: &mut Script, item: Item) {
    if !item.is_table() {
        return push_word(line, item.script().map(|script| fill(&script)));
    }
    let (file, span) = item.place();
    let (start, end) = (span.start as usize, span.end as usize);
    let space = if line.text.is_empty() || line.text.ends_with("${posargs:-") { "" } else { " " };
    match (item.at(&["replace"]).and_then(Item::str), item.at(&["name"]).and_then(Item::str)) {
        (Some("env"), Some(name)) => {
            let default = item.at(&["default"]).and_then(Item::str).map(|text| format!(":-{text}")).unwrap_or_default();
            line.push_as(file, start..end, &format!("{space}${{{name}{default}}}"));
        }
        (Some("posargs"), _) => {
            line.push_as(file, start..start, &format!("{space}${{posargs:-"));
            for inner in item.at(&["default"]).map(Item::list).unwrap_or_default() {
                if inner.is_table() {
                    push_item(line, inner);
                } else if let Some(word) = inner.script() {
                    if !line.text.ends_with("${posargs:-") {
                        line.push_as(file, start..start, " ");
                    }
                    line.append(&word, 0..word.text.len());
                }
            }
            line.push_as(file, end..end, "}");
        }
        _ => {}
    }
}

/// Adds a word to a line, in quotes where the shell would read it otherwise.
pub fn push_word(line: &mut Script, word: Option<Script>) {
    let Some(word) = word else { return };
    let (file, span) = word.whole().unwrap_or((FileId(0), Span::default()));
    let (start, end) = (span.start as usize, span.end as usize);
    let quote = !word.text.starts_with("${")
        && word.text.contains([' ', '\t', '\n', '"', '\\', '|', '&', ';', '<', '>', '(', ')', '#', '`']);
    if !line.text.is_empty() {
        line.push_as(file, start..start, " ");
    }
    if quote || word.text.is_empty() {
        line.push_as(file, start..start, "'");
    }
    line.append(&word, 0..word.text.len());
    if quote || word.text.is_empty() {
        line.push_as(file, end..end, "'");
    }
}

/// Replaces what tox and hatch replace: `{posargs:…}`, `{args:…}`, `{env:NAME:…}`, `{envpython}`, `{toxinidir}`, `{root}`. Other braces stay.
pub fn fill(script: &Script) -> Script {
    let mut filled = Script::default();
    fill_range(script, 0..script.text.len(), 0, &mut filled);
    filled
}

fn fill_range(script: &Script, range: std::ops::Range<usize>, depth: u32, out: &mut Script) {
    let text = &script.text[range.clone()];
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|n| n + at) {
        let inner = &text[open + 1..];
        let name: &str = &inner[..inner.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()];
        let known = matches!(name, "posargs" | "args" | "env" | "envpython" | "toxinidir" | "tox_root" | "root") && depth < 4;
        // A `$` before the brace is the shell's own.
        let close = if known && !text[..open].ends_with('$') { closing_brace(inner) } else { None };
        let Some(close) = close.map(|n| open + 1 + n) else {
            out.append(script, range.start + at..range.start + open + 1);
            at = open + 1;
            continue;
        };
        out.append(script, range.start + at..range.start + open);
        let (file, span) = script.place(range.start + open..range.start + close + 1).unwrap_or((FileId(0), Span::default()));
        let (start, end) = (span.start as usize, span.end as usize);
        let rest_at = open + 1 + name.len();
        let rest = &text[rest_at..close];
        match name {
            "posargs" | "args" => {
                out.push_as(file, start..start, "${posargs:-");
                if rest.starts_with(':') {
                    fill_range(script, range.start + rest_at + 1..range.start + close, depth + 1, out);
                }
                out.push_as(file, end..end, "}");
            }
            "env" => {
                let (variable, default) = match rest.strip_prefix(':').unwrap_or("").split_once(':') {
                    Some((variable, default)) => (variable, Some(default)),
                    None => (rest.strip_prefix(':').unwrap_or(""), None),
                };
                out.push_as(file, start..start, "${");
                out.push_as(file, start..end, variable);
                if let Some(default) = default {
                    out.push_as(file, start..start, ":-");
                    fill_range(script, range.start + close - default.len()..range.start + close, depth + 1, out);
                }
                out.push_as(file, end..end, "}");
            }
            "envpython" => out.push_as(file, start..end, "python"),
            // The folder of the file: where commands run, unless `change_dir` says otherwise.
            _ => out.push_as(file, start..end, "."),
        }
        at = close + 1;
    }
    out.append(script, range.start + at..range.end);
}

/// Bytes before the brace that closes an open one, on the same line.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (n, b) in text.bytes().enumerate().take(512) {
        match b {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(n),
            b'}' => depth -= 1,
            b'\n' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Kind, Source};

    fn read_one(path: &str, text: &str) -> Vec<Recipe> {
        let sources = [Source::of(path, Kind::Config, text)];
        read(&Tree::new(&sources))
    }

    fn lines(recipe: &Recipe) -> Vec<&str> {
        recipe.scripts.iter().map(|script| script.text.as_str()).collect()
    }

    #[test]
    fn tox_sections() {
        let text = "[tox]\nenvlist = py\n[testenv]\nsetenv =\n    PYTEST_ADDOPTS = -n 2\n    x: A=1\npassenv = CI, FOO_*\nchangedir = {toxinidir}/sub\ncommands =\n    # note\n    py{38,39}: coverage run \\\n        -m pytest {posargs:-n 4 tests}\n    - echo {env:HOME:x} {envtmpdir}\n[testenv:lint]\ncommands = {[base]all}\n[base]\nall =\n  ruff\n  pytest {posargs}\n[testenvx]\n";
        let all = read_one("a/tox.ini", text);
        assert_eq!(all.iter().map(|recipe| recipe.name.as_str()).collect::<Vec<_>>(), ["", "lint"]);
        assert_eq!(lines(&all[0]), ["coverage run  -m pytest ${posargs:--n 4 tests}", "echo ${HOME:-x} {envtmpdir}"]);
        assert_eq!(all[0].dir, "a/sub");
        assert_eq!(all[0].env[0].0, "PYTEST_ADDOPTS");
        assert_eq!(all[0].env[0].1.as_ref().unwrap().text, "-n 2");
        assert_eq!(all[0].env[1].0, "A");
        assert_eq!(all[0].pass.as_ref().unwrap(), &["CI", "FOO_*"]);
        assert_eq!(lines(&all[1]), ["ruff", "pytest ${posargs:-}"]);
        let script = &all[0].scripts[0];
        let at = script.text.find("-n 4").unwrap();
        let start = text.find("-n 4").unwrap();
        assert_eq!(script.place(at..at + 4), Some((FileId(0), Span::new(start, start + 4))));
    }

    #[test]
    fn tox_in_toml() {
        let text = "[tool.tox.env_run_base]\ncommands = [[\"pytest\", \"-n\", \"4\", \"-k a b\", { replace = \"posargs\", default = [\"tests\", \"x\"], extend = true }]]\nset_env = { A = \"1\" }\n[tool.tox.env.lint]\nchange_dir = \"{tox_root}/b\"\n[tool.tox.env.other]\ncommands = [[\"a\"], [\"b\"]]\n";
        let all = read_one("pyproject.toml", text);
        assert_eq!(lines(&all[0]), ["pytest -n 4 '-k a b' ${posargs:-tests x}"]);
        assert_eq!(
            (all[1].name.as_str(), all[1].dir.as_str(), lines(&all[1])[0]),
            ("lint", "b", "pytest -n 4 '-k a b' ${posargs:-tests x}")
        );
        assert_eq!(lines(&all[2]), ["a", "b"]);
        let legacy = "[tool.tox]\nlegacy_tox_ini = \"\"\"\n[testenv]\ncommands = pytest -n 4\n\"\"\"\n";
        let all = read_one("pyproject.toml", legacy);
        let start = legacy.find("-n 4").unwrap();
        assert_eq!(all[0].scripts[0].place(7..11), Some((FileId(0), Span::new(start, start + 4))));
    }

    #[test]
    fn scripts_of_project_tools() {
        let text = "[tool.hatch.envs.test.scripts]\ntest = \"pytest {args:tests}\"\nall = [\"lint\", \"test -q\"]\n\
             [tool.pdm.scripts]\nt = \"pytest\"\nu = {cmd = [\"pytest\", \"-n\", \"2\"], env = {A = \"1\"}}\nv = {composite = [\"t -q\", \"u\"]}\n\
             [tool.poe.tasks]\np = { shell = \"pytest -n auto\" }\nq = [\"p\", { cmd = \"pytest -x\" }]\n[tool.poe.tasks.r]\ncmd = \"pytest\"\ncwd = \"sub\"\n\
             [tool.taskipy.tasks]\ntest = \"pytest\"\n[tool.pixi.feature.dev.tasks]\ntest = { cmd = \"pytest\", depends-on = [\"build\"] }\n";
        let all = read_one("pyproject.toml", text);
        let find = |tool, name: &str| all.iter().find(|recipe| recipe.tool == tool && recipe.name == name).unwrap();
        assert_eq!(lines(find(Tool::Hatch, "test")), ["pytest ${posargs:-tests}"]);
        assert_eq!(find(Tool::Hatch, "all").needs, ["lint", "test"]);
        assert_eq!(lines(find(Tool::Pdm, "t")), ["pytest ${posargs:-}"]);
        assert_eq!(lines(find(Tool::Pdm, "u")), ["pytest -n 2 ${posargs:-}"]);
        assert_eq!(find(Tool::Pdm, "u").env[0].0, "A");
        assert_eq!(find(Tool::Pdm, "v").needs, ["t", "u"]);
        assert_eq!(lines(find(Tool::Poe, "p")), ["pytest -n auto ${posargs:-}"]);
        assert_eq!(find(Tool::Poe, "q").needs, ["p"]);
        assert_eq!(find(Tool::Poe, "r").dir, "sub");
        assert_eq!(find(Tool::Pixi, "test").needs, ["build"]);
        assert_eq!(lines(find(Tool::Taskipy, "test")).len(), 1);
    }

    #[test]
    fn taskfiles_and_cargo_make() {
        let text = "version: '3'\nenv:\n  A: 1\ntasks:\n  test:\n    dir: sub\n    deps: [build, {task: gen}]\n    cmds:\n      - pytest -n 4\n      - task: other\n      - cmd: cargo test\n  short: pytest\n";
        let all = read_one("Taskfile.yml", text);
        assert_eq!(lines(&all[0]), ["pytest -n 4", "cargo test"]);
        assert_eq!(all[0].needs, ["other", "build", "gen"]);
        assert_eq!((all[0].dir.as_str(), all[0].env[0].0.as_str()), ("sub", "A"));
        assert_eq!(lines(&all[1]), ["pytest"]);
        let all = read_one(
            "Makefile.toml",
            "[tasks.t]\ncommand = \"cargo\"\nargs = [\"nextest\", \"run\"]\n[tasks.u]\nscript = [\"cargo test\"]\ndependencies = [\"t\"]\n",
        );
        assert_eq!(lines(&all[0]), ["cargo nextest run"]);
        assert_eq!((lines(&all[1])[0], all[1].needs[0].as_str()), ("cargo test", "t"));
    }

    #[test]
    fn hostile_files_are_survived() {
        for text in [
            "[testenv]\ncommands = {[testenv]commands}\n  {posargs:{posargs:{posargs:{posargs:{posargs:x}}}}}\n  {env:}{env::}{posargs\n  :\n  \\\n",
            "[testenv:",
        ] {
            read_one("tox.ini", text);
        }
        read_one("tox.ini", &format!("[testenv]\ncommands = {}\n", "{posargs:".repeat(20_000)));
        read_one(
            "pyproject.toml",
            "[tool]\nhatch = 1\ntox = [1]\npoe = {tasks = [1, [2]]}\n[tool.pdm.scripts]\na = {composite = [[]]}\n",
        );
        read_one("Taskfile.yml", "tasks: [a]\n---\ntasks:\n  - x\n  ? [a]\n  : b\n");
    }
}
