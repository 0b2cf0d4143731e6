//! Commands that run in a container: services of compose files, and the tests that cibuildwheel runs.
//!
//! Compose file reference, "services": `environment` is all that a service gets, a name alone passes the variable on, and `${NAME}`
//! is filled in from the caller. cibuildwheel documentation, "Options": on Linux `environment-pass` names what comes through.

use super::ci::Step;
use super::dockerfile::{self, Image};
use super::env::Env;
use super::launch::{behind_options, go};
use super::recipes::{Recipe, Tool, push_word};
use super::runs::{At, Reader, Said};
use super::script::Script;
use super::shell::{self, Word};
use super::toml::{Item, Toml};
use super::tree::{self, Tree};
use super::yaml::{self, Node};
use crate::facts::run::Published;
use crate::facts::trace::Claimed;
use crate::text::FileId;
use std::rc::Rc;

/// Options of `docker compose` itself that take a word.
const GLOBAL: &[&str] =
    &["-f", "--file", "-p", "--project-name", "--profile", "--project-directory", "--ansi", "--progress", "--parallel"];
/// Options that take a word with `docker run` and `docker exec` as with `docker compose run`, `exec` and `up`.
const SHARED: &[&str] = &[
    "-e",
    "--env",
    "-v",
    "--volume",
    "-u",
    "--user",
    "-w",
    "--workdir",
    "--name",
    "--entrypoint",
    "-p",
    "--publish",
    "-l",
    "--label",
    "--cap-add",
    "--cap-drop",
    "--pull",
];

/// Those of `docker compose run`, `exec` and `up` alone.
const COMPOSE: &[&str] =
    &["--index", "--exit-code-from", "--scale", "-t", "--timeout", "--wait-timeout", "--attach", "--no-attach"];

/// Those of `docker run` and `docker exec` alone.
const RUN: &[&str] = &[
    "--mount",
    "--network",
    "--net",
    "--gpus",
    "-m",
    "--memory",
    "--cpus",
    "--shm-size",
    "--ulimit",
    "--add-host",
    "-h",
    "--hostname",
    "--device",
    "--security-opt",
    "--platform",
    "--restart",
    "--tmpfs",
    "--ipc",
    "--pid",
    "--userns",
    "--volumes-from",
    "--dns",
    "--log-driver",
    "--log-opt",
    "--cidfile",
    "--group-add",
    "--cpuset-cpus",
    "--health-cmd",
    "--stop-signal",
    "--sysctl",
    "--link",
    "--expose",
    "--runtime",
    "--detach-keys",
];

/// The file says what `docker compose` starts.
pub fn is_compose(path: &str) -> bool {
    let name = tree::name(path);
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")).unwrap_or("");
    stem.trim_start_matches("docker-").split(['.', '-']).next() == Some("compose")
}

/// `compose.yaml` and its other names, which need no `-f`, and what is laid over them.
fn is_found(path: &str) -> bool {
    let name = tree::name(path);
    let stem = name.split('.').next().unwrap_or("");
    matches!(stem, "compose" | "docker-compose") && (name.split('.').count() == 2 || name.contains(".override."))
}

/// The services of compose files and the tests of cibuildwheel, in the order of the files.
pub fn read(tree: &Tree) -> Vec<Recipe> {
    let mut all = Vec::new();
    for (path, file) in tree.files() {
        let (home, text) = (tree::folder(path), tree.text(file));
        if is_compose(path) {
            for document in yaml::parse(file, text) {
                let reader = Services { tree, file, text, root: &document };
                let services = document.get("services").map(Node::pairs).unwrap_or(&[]);
                all.extend(services.iter().filter_map(|(key, node)| reader.service(key, node, home)));
            }
        } else if tree::name(path) == "pyproject.toml" && text.contains("cibuildwheel") {
            wheels(&Toml::parse(file, text), home, &mut all);
        }
    }
    all
}

/// The ports of the host that compose files take for their services, in the order of the files (Compose file reference, "ports").
pub fn published(tree: &Tree) -> Vec<Published> {
    let mut all = Vec::new();
    for (path, file) in tree.files().filter(|(path, _)| is_compose(path)) {
        let among_tests = tree::folder(path).split('/').any(|folder| matches!(folder, "test" | "tests" | "testing"));
        let for_tests = among_tests || tree::name(path).split(['.', '-', '_']).any(|part| matches!(part, "test" | "tests"));
        for document in yaml::parse(file, tree.text(file)) {
            for (key, service) in document.get("services").map(Node::pairs).unwrap_or(&[]) {
                for port in service.get("ports").map(Node::items).unwrap_or(&[]) {
                    let long = port.get("published").and_then(Node::text);
                    let host = long.or_else(|| port.text().and_then(host_port));
                    if let (Some(name), Some(host)) = (key.text(), host.filter(|host| host.parse::<u16>().is_ok_and(|n| n > 0))) {
                        all.push(Published {
                            service: name.to_owned(),
                            port: host.to_owned(),
                            place: (file, port.span),
                            for_tests,
                        });
                    }
                }
            }
        }
    }
    all
}

/// `[address:]host:container[/protocol]`.
fn host_port(text: &str) -> Option<&str> {
    let (host, _) = text.rsplit_once(':')?;
    Some(host.rsplit(':').next().unwrap_or(host))
}

/// One compose file.
struct Services<'a> {
    tree: &'a Tree<'a>,
    file: FileId,
    text: &'a str,
    root: &'a Node,
}

impl<'a> Services<'a> {
    /// None where files that are not read say more about its variables.
    fn service(&self, key: &Node, node: &Node, home: &str) -> Option<Recipe> {
        let base = node.get("extends");
        let name = base.and_then(|base| base.text().or_else(|| base.get("service")?.text()));
        let base = match (base, name) {
            (None, _) => None,
            (Some(base), Some(name)) if base.get("file").is_none() => Some(self.root.at(&["services", name])?),
            _ => return None,
        };
        let find = |key: &str| node.get(key).or_else(|| base?.get(key));
        if find("env_file").is_some() || base.is_some_and(|base| base.get("extends").is_some()) {
            return None;
        }
        let mut recipe = Recipe::new(Tool::Compose, key.text()?, (self.file, key.span), home);
        recipe.default = find("profiles").is_none();
        let build = find("build");
        let context = build.and_then(|build| build.text().or_else(|| build.get("context")?.text()));
        let mut image = None;
        if let Some(dir) = context.filter(|dir| !dir.contains('$')).and_then(|dir| tree::join(home, dir)) {
            let said = |key: &str| build.and_then(|build| build.get(key)?.text());
            let path = match said("dockerfile") {
                Some(file) => tree::join(&dir, file),
                None => Some(dockerfile::in_folder(&dir)),
            };
            image = path.and_then(|path| dockerfile::image(self.tree, &path, said("target")));
            recipe.dir = dir;
        }
        // What the image sets stands below what the service sets.
        recipe.env = image.iter().flat_map(|image| image.env.clone()).collect();
        let mut pass = Vec::new();
        for environment in [base, Some(node)].into_iter().flatten().filter_map(|node| node.get("environment")) {
            self.variables(environment, &mut recipe.env, &mut pass);
        }
        recipe.pass = Some(pass);
        let mut line = Script::default();
        for part in ["entrypoint", "command"].into_iter().filter_map(find) {
            if part.items().is_empty() {
                let script = part.script(self.text).unwrap_or_default();
                if let (false, Some((file, span))) = (line.text.is_empty(), script.whole()) {
                    line.push_as(file, span.start as usize..span.start as usize, " ");
                }
                line.append(&script, 0..script.text.len());
            }
            for word in part.items() {
                push_word(&mut line, word.script(self.text));
            }
        }
        let of_image = image.filter(|_| line.text.is_empty()).map(|image| image.command);
        recipe.scripts.push(of_image.unwrap_or_else(|| unescaped(&line)));
        Some(recipe)
    }

    /// `NAME: value` and `- NAME=value`; a name alone is passed on.
    fn variables(&self, node: &Node, env: &mut Vec<(String, Option<Script>)>, pass: &mut Vec<String>) {
        let mut add = |name: &str, value: Option<Script>| {
            env.retain(|(other, _)| other != name);
            pass.retain(|other| other != name);
            match value {
                Some(value) => env.push((name.to_owned(), Some(unescaped(&value)))),
                None => pass.push(name.to_owned()),
            }
        };
        for (key, value) in node.pairs() {
            if let Some(name) = key.text() {
                let empty = value.text().is_none_or(|text| matches!(text, "" | "~" | "null"));
                add(name, value.script(self.text).filter(|_| !empty));
            }
        }
        for script in node.items().iter().filter_map(|item| item.script(self.text)) {
            match script.text.split_once('=') {
                Some((name, _)) => add(name, Some(script.slice(name.len() + 1..script.text.len()))),
                None => add(script.text.trim(), None),
            }
        }
    }
}

/// `$$` is how a compose file writes the `$` that the shell of the container is to see.
fn unescaped(script: &Script) -> Script {
    let mut plain = Script::default();
    let mut done = 0;
    for (at, _) in script.text.match_indices("$$") {
        plain.append(script, done..at + 1);
        done = at + 2;
    }
    plain.append(script, done..script.text.len());
    plain
}

/// cibuildwheel documentation, "test-command": a text or a list, for all platforms, for one, or in `overrides`.
fn wheels(toml: &Toml, home: &str, all: &mut Vec<Recipe>) {
    let Some(table) = toml.at(&["tool"]).and_then(|tool| tool.at(&["cibuildwheel"])) else { return };
    let platforms = ["linux", "macos", "windows"].into_iter().filter_map(|name| Some((name, table.at(&[name])?)));
    let overrides = table.at(&["overrides"]).map(Item::list).unwrap_or_default().into_iter().map(|item| ("", item));
    for (name, item) in [("", table)].into_iter().chain(platforms).chain(overrides) {
        let Some(command) = item.at(&["test-command"]) else { continue };
        let mut recipe = Recipe::new(Tool::Cibuildwheel, name, command.place(), home);
        recipe.scripts = command.scripts().iter().map(in_project).collect();
        for key in ["environment", "test-environment"] {
            for found in [table, item].into_iter().filter_map(|item| item.at(&[key])) {
                let entries = found.entries().into_iter().map(|(name, _, value)| (name.to_owned(), value.script()));
                recipe.env.extend(entries.chain(found.script().iter().flat_map(assigned)));
            }
        }
        let linux = table.at(&["linux", "environment-pass"]);
        let pass = [table.at(&["environment-pass"]), linux, item.at(&["environment-pass"])];
        recipe.pass = Some(pass.into_iter().flatten().flat_map(Item::words).collect());
        all.push(recipe);
    }
}

/// `A=1 B="x y"`
fn assigned(line: &Script) -> Vec<(String, Option<Script>)> {
    let pair = |word: &Word| {
        let (name, _) = word.str().split_once('=')?;
        Some((name.to_owned(), Some(word.tail(name.len() + 1).text)))
    };
    shell::words(line).iter().filter_map(pair).collect()
}

/// `{project}` and `{package}` are the folder of the project.
fn in_project(script: &Script) -> Script {
    let mut filled = Script::default();
    let mut done = 0;
    for (at, _) in script.text.match_indices('{') {
        let found = ["{project}", "{package}"].into_iter().find(|name| script.text[at..].starts_with(name));
        if let (Some(name), Some((file, span))) = (found, script.place(at..at + 1)) {
            filled.append(script, done..at);
            filled.push_as(file, span.start as usize..span.end as usize, ".");
            done = at + name.len();
        }
    }
    filled.append(script, done..script.text.len());
    filled
}

/// What `-e A=1 -e B --env=C` hand on; a name alone has no value.
fn given(words: &[Word]) -> Vec<(String, Option<Word>)> {
    let mut all = Vec::new();
    let mut n = 0;
    while let Some(word) = words.get(n) {
        n += 1;
        let value = match word.str() {
            "-e" | "--env" => {
                n += 1;
                words.get(n - 1).cloned()
            }
            text => ["--env=", "-e="].iter().find_map(|option| text.strip_prefix(option).map(|_| word.tail(option.len()))),
        };
        let Some(value) = value else { continue };
        all.push(match value.str().split_once('=') {
            Some((name, _)) => (name.to_owned(), Some(value.tail(name.len() + 1))),
            None => (value.str().to_owned(), None),
        });
    }
    all
}

/// The words behind `docker compose`, `docker-compose` and their like.
fn behind_compose<'w>(name: &str, words: &'w [Word]) -> Option<&'w [Word]> {
    match words.split_first() {
        _ if name.ends_with("-compose") => Some(words),
        Some((first, rest)) if first.str() == "compose" => Some(rest),
        _ => None,
    }
}

impl Reader<'_> {
    /// What the steps of a job see: what its image sets, where the project builds it, below what the job sets.
    pub(super) fn in_container(&self, step: &Step) -> Rc<Env> {
        let container = step.job.and_then(|job| self.project.jobs.get(job)?.container.as_ref());
        let Some(image) = container.and_then(|(image, _)| self.image(image)) else { return step.env.clone() };
        let mut env = Env::inside(&step.env);
        for (name, value) in image.env {
            if step.env.get(&name).is_none() {
                env.set(&name, value);
            }
        }
        Rc::new(env)
    }

    /// An image that the project builds, by its name.
    fn image(&self, name: &str) -> Option<Image> {
        let (path, target) = self.images.get(name)?;
        dockerfile::image(self.project.tree, path, target.as_deref())
    }

    /// `-p 8080:80`: a port of the host.
    fn publish(&mut self, at: &At, word: &Word) {
        let parts: Vec<&str> = word.str().split(':').collect();
        if let [.., port, _] = parts.as_slice()
            && port.parse::<u16>().is_ok_and(|port| port > 0)
        {
            self.claim(at, Claimed::Port, word);
        }
    }

    /// `docker` and its relatives.
    pub(super) fn docker(&mut self, name: &str, words: &[Word], said: &Said, mut at: At) {
        if self.compose(name, words, said, &at) {
            return;
        }
        let rest = behind_options(words, &["--context", "-H", "--host", "-l", "--log-level", "--config"], 0);
        let mut verbs = rest.iter().map(Word::str).take_while(|word| !word.starts_with('-'));
        let skip = usize::from(matches!(rest.first().map(Word::str), Some("container" | "image" | "buildx")));
        let verb = verbs.nth(skip).unwrap_or("");
        let rest = rest.get(skip + 1..).unwrap_or(&[]);
        if verb == "build" {
            if let Some((names, path, target)) = dockerfile::built(rest, &at.dir) {
                self.images.extend(names.into_iter().map(|name| (name, (path.clone(), target.clone()))));
            }
            return;
        }
        // All comes through, where a file that is not read may say so.
        if behind_compose(name, words).is_some() || words.iter().any(|word| word.str().starts_with("--env-file")) {
            return self.carried(words, said, &at);
        }
        let behind = behind_options(rest, &[SHARED, RUN].concat(), 0);
        let options = &rest[..rest.len() - behind.len()];
        let image = behind.first().filter(|_| verb == "run").and_then(|image| self.image(image.str()));
        let mut kept = Env::default();
        for (name, value) in image.iter().flat_map(|image| &image.env) {
            kept.set(name, value.clone());
        }
        let mut through = Vec::new();
        for (name, value) in given(options) {
            match (value, at.env.get(&name)) {
                (Some(value), _) => kept.set(&name, value.expansions.is_empty().then_some(value.text)),
                (None, outer) => {
                    if let Some(outer) = outer {
                        kept.set(&name, outer.cloned());
                    }
                    through.push(name);
                }
            }
        }
        if verb == "run" {
            for pair in options.windows(2).filter(|pair| pair[1].expansions.is_empty()) {
                match pair[0].str() {
                    "--name" => self.claim(&at, Claimed::Container, &pair[1]),
                    "-p" | "--publish" => self.publish(&at, &pair[1]),
                    _ => {}
                }
            }
        }
        if verb == "exec" {
            // Something else has started it, and may have given it more.
            at.env = Rc::new(kept);
        } else {
            let by = if name.contains("podman") { "podman" } else { "docker" };
            at.losing(kept, by, said.place, through);
        }
        match image {
            Some(image) if behind.len() == 1 => self.script(&image.command, &at.inside(None)),
            _ => self.carried(words, said, &at),
        }
    }

    /// `docker compose run SERVICE [COMMAND]`, `exec` and `up`: false where the service is not known.
    pub(super) fn compose(&mut self, name: &str, words: &[Word], said: &Said, at: &At) -> bool {
        let Some(words) = behind_compose(name, words) else { return false };
        let from_file = |word: &Word| word.str().starts_with("--env-f") || word.str() == "--env-from-file";
        if at.env.get("COMPOSE_FILE").is_some() || words.iter().any(from_file) {
            return false;
        }
        let rest = behind_options(words, GLOBAL, 0);
        let Some((verb, rest)) = rest.split_first() else { return false };
        let head = &words[..words.len() - rest.len()];
        let files: Vec<String> = head
            .iter()
            .enumerate()
            .filter_map(|(n, word)| match word.str() {
                "-f" | "--file" => head.get(n + 1).cloned(),
                text => text.strip_prefix("--file=").map(|_| word.tail("--file=".len())),
            })
            .filter_map(|file| tree::join(&at.dir, file.str()))
            .collect();
        let services = self.services(&files, &at.dir);
        let behind = behind_options(rest, &[SHARED, COMPOSE].concat(), 0);
        let options = &rest[..rest.len() - behind.len()];
        let recipes = self.project.recipes;
        // A service of several files is what they make of it together.
        let find = |name: &str| {
            let mut same = services.iter().copied().filter(|n| recipes[*n].name == name);
            same.next().filter(|_| same.next().is_none())
        };
        match verb.str() {
            "run" | "exec" => {
                let Some((service, args)) = behind.split_first() else { return false };
                let Some(n) = find(service.str()) else { return false };
                let mut recipe = recipes[n].clone();
                for (name, value) in given(options) {
                    recipe.env.retain(|(other, _)| *other != name);
                    match value {
                        Some(value) => recipe.env.push((name, Some(value.text))),
                        None => recipe.pass.get_or_insert_default().push(name),
                    }
                }
                let entry = options.iter().position(|word| word.str() == "--entrypoint").and_then(|at| options.get(at + 1));
                if entry.is_some() || args.first().is_some_and(|word| !word.str().starts_with('-')) {
                    recipe.scripts.clear();
                    let words: Vec<Word> = entry.into_iter().chain(args).cloned().collect();
                    recipe.carries = said.place.map(|place| super::recipes::Call { words, place, env: Vec::new() });
                } else if let Some(script) = recipe.scripts.first_mut() {
                    args.iter().for_each(|word| push_word(script, Some(word.text.clone())));
                }
                self.follow(&recipe, &[], at);
                true
            }
            "up" => {
                let named: Vec<usize> = match behind.as_slice() {
                    [] => services
                        .iter()
                        .copied()
                        .filter(|n| recipes[*n].default)
                        .filter(|n| find(&recipes[*n].name).is_some())
                        .collect(),
                    names => names.iter().filter_map(|name| find(name.str())).collect(),
                };
                named.iter().for_each(|n| self.recipe(*n, &[], at));
                true
            }
            _ => false,
        }
    }

    /// The services of the files that are named; else of those in the nearest folder that has any.
    fn services(&mut self, files: &[String], dir: &str) -> Vec<usize> {
        let (recipes, tree) = (self.project.recipes, self.project.tree);
        // Looking through all recipes is dear where there are thousands.
        self.budget = self.budget.saturating_sub(recipes.len() as u32 / 50);
        let all = || (0..recipes.len()).filter(|n| recipes[*n].tool == Tool::Compose);
        let path = |n: usize| tree.path(recipes[n].place.0);
        if !files.is_empty() {
            return all().filter(|n| files.iter().any(|file| file == path(*n))).collect();
        }
        let found: Vec<usize> =
            all().filter(|n| is_found(path(*n)) && crate::facts::run::below(dir, &recipes[*n].home).is_some()).collect();
        let home = found.iter().map(|n| recipes[*n].home.len()).max();
        found.into_iter().filter(|n| Some(recipes[*n].home.len()) == home).collect()
    }

    /// `cibuildwheel [--platform linux] [PACKAGE]`: its tests, from the configuration or from `CIBW_TEST_COMMAND`.
    pub(super) fn wheels(&mut self, words: &[Word], at: &At) {
        // It lists what it would build, and builds nothing.
        if words.iter().any(|word| matches!(word.str(), "--print-build-identifiers" | "--help" | "-h" | "--version")) {
            return;
        }
        let platform = words.windows(2).find(|pair| pair[0].str() == "--platform").map(|pair| pair[1].str());
        let platform = platform.or_else(|| words.iter().find_map(|word| word.str().strip_prefix("--platform=")));
        let package = behind_options(words, &["--platform", "--archs", "--output-dir", "--config-file", "--only", "--enable"], 0);
        let home = package.first().map_or_else(|| at.dir.clone(), |dir| go(&at.dir, dir));
        let variable = |name: &str| {
            let own = platform.and_then(|platform| at.env.value(&format!("{name}_{}", platform.to_uppercase())));
            own.or_else(|| at.env.value(name)).cloned()
        };
        let configured = self.project.recipes.iter().filter(|recipe| recipe.tool == Tool::Cibuildwheel && recipe.home == home);
        let mut called: Vec<Recipe> = configured
            .filter(|recipe| recipe.name.is_empty() || platform.is_none_or(|platform| platform == recipe.name))
            .cloned()
            .collect();
        // What is said for a platform takes the place of what is said for all.
        if platform.is_some() && called.iter().any(|recipe| !recipe.name.is_empty()) {
            called.retain(|recipe| !recipe.name.is_empty());
        }
        if let Some((script, place)) = variable("CIBW_TEST_COMMAND").and_then(|script| Some((script.clone(), script.whole()?))) {
            let mut recipe = called.into_iter().next().unwrap_or_else(|| Recipe::new(Tool::Cibuildwheel, "", place, &home));
            recipe.place = place;
            recipe.scripts = vec![in_project(&script)];
            recipe.pass.get_or_insert_default();
            called = vec![recipe];
        }
        for mut recipe in called {
            for name in ["CIBW_ENVIRONMENT", "CIBW_TEST_ENVIRONMENT"] {
                recipe.env.extend(variable(name).iter().flat_map(assigned));
            }
            if platform == Some("linux") {
                let more = at.env.value("CIBW_ENVIRONMENT_PASS_LINUX").or_else(|| at.env.value("CIBW_ENVIRONMENT_PASS"));
                let more = more.iter().flat_map(|names| names.text.split_whitespace()).map(str::to_owned);
                recipe.pass.get_or_insert_default().extend(more);
            } else {
                // Which platform it is, the machine says: on Linux alone there is a container.
                recipe.pass = None;
            }
            self.follow(&recipe, &[], at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf;
    use crate::facts::trace::{Bound, Cpu, Programs};
    use crate::text::{Kind, Source};

    const WORKFLOW: &str = ".github/workflows/ci.yml";

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        let source = |(path, text): &(&str, &str)| {
            let kind = if path.ends_with(".py") { Kind::Python } else { Kind::Config };
            Source::of(*path, kind, *text)
        };
        let mut all: Vec<Source> = files.iter().map(source).collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }

    /// The commands of the job that runs a line: how many workers, and whether the cap was lost.
    fn counted(line: &str, others: &[(&str, &str)]) -> Vec<(Bound, bool)> {
        let workflow =
            format!("on: push\njobs:\n  t:\n    env: {{PYTEST_XDIST_AUTO_NUM_WORKERS: '2'}}\n    steps:\n      - run: {line}\n");
        let mut files = vec![(WORKFLOW, workflow.as_str()), ("tests/test_a.py", "")];
        files.extend_from_slice(others);
        let setup = conf::read(&sources(&files), &Programs::default(), &[]);
        let in_jobs = setup.commands.iter().filter(|command| command.job.is_some());
        in_jobs.map(|command| (command.count.bound(), !command.lost.is_empty())).collect()
    }

    const CPUS: Bound = Bound::Cpus(Cpu::Affinity);

    #[test]
    fn names_of_compose_files() {
        for path in ["compose.yml", "a/compose.yaml", "docker-compose.yml", "docker-compose.ci.yaml", "docker-compose-test.yml"] {
            assert!(is_compose(path), "{path}");
        }
        for path in ["composed.yml", "docker.yml", "compose.json", "x-compose.yml"] {
            assert!(!is_compose(path), "{path}");
        }
        assert!(is_found("compose.override.yml") && is_found("docker-compose.yml"));
        assert!(!is_found("docker-compose.ci.yml") && !is_found("compose-x.yml"));
    }

    #[test]
    fn services() {
        let text = "x: &env {A: '1', B: , C: '${W:-auto}'}\nservices:\n  map:\n    environment: *env\n    command: [pytest, -n, $$C]\n  \
             list:\n    extends: map\n    environment: [A=3, D]\n    entrypoint: pytest\n    profiles: [x]\n  \
             filed:\n    env_file: .env\n    command: pytest\n";
        let all = read(&Tree::new(&sources(&[("sub/compose.yml", text)])));
        assert_eq!(all.iter().map(|recipe| recipe.name.as_str()).collect::<Vec<_>>(), ["map", "list"]);
        assert_eq!(all[0].scripts[0].text, "pytest -n $C");
        assert_eq!(all[1].scripts[0].text, "pytest pytest -n $C");
        assert_eq!((all[0].pass.as_deref(), all[0].dir.as_str()), (Some(["B".to_owned()].as_slice()), "sub"));
        assert_eq!(all[1].env.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["C", "A"]);
        assert_eq!((all[0].default, all[1].default), (true, false));
    }

    #[test]
    fn what_reaches_a_service() {
        let with = |service: &str| format!("services:\n  app:\n    {service}\n  db: {{image: postgres}}\n");
        let auto = with("command: sh -c 'pytest -n \"$${PYTEST_XDIST_AUTO_NUM_WORKERS:-auto}\"'");
        let file = [("compose.yml", auto.as_str())];
        for line in ["docker compose run --rm app", "docker-compose up --exit-code-from app", "docker compose up app"] {
            assert_eq!(counted(line, &file).len(), 1, "{line}");
        }
        let plain = with("image: x");
        let file = [("compose.yml", plain.as_str())];
        let lost = |line: &str| counted(line, &file);
        assert_eq!(lost("docker compose run app pytest -n auto"), [(CPUS, true)]);
        assert_eq!(lost("docker compose exec -T app bash -c 'pytest -n auto'"), [(CPUS, true)]);
        assert_eq!(lost("docker compose run -e PYTEST_XDIST_AUTO_NUM_WORKERS app pytest -n auto"), [(Bound::At(2), false)]);
        assert_eq!(lost("docker compose run -e PYTEST_XDIST_AUTO_NUM_WORKERS=3 app pytest -n auto"), [(Bound::At(3), false)]);
        assert_eq!(lost("docker compose --env-file x run app pytest -n auto"), [(Bound::At(2), false)]);
        assert_eq!(lost("docker compose -f other.yml run app pytest -n auto"), [(Bound::At(2), false)]);
        let capped = with("environment: [\"PYTEST_XDIST_AUTO_NUM_WORKERS=${PYTEST_XDIST_AUTO_NUM_WORKERS:-9}\"]");
        let file = [("docker-compose.ci.yml", capped.as_str())];
        let line = "docker compose -f docker-compose.ci.yml run app pytest -n auto";
        assert_eq!(counted(line, &file), [(Bound::At(2), false)]);
        // Two files say it together.
        let file = [("compose.yml", plain.as_str()), ("compose.override.yml", capped.as_str())];
        assert_eq!(counted("docker compose run app pytest -n auto", &file), [(Bound::At(2), false)]);
    }

    #[test]
    fn what_reaches_a_container() {
        let dockerfile = ("Dockerfile", "FROM python\nENV PYTEST_XDIST_AUTO_NUM_WORKERS=3\nCMD [\"pytest\", \"-n\", \"auto\"]\n");
        let image = [dockerfile];
        let built = |line: &str| counted(&format!("docker build -t app:ci . && {line}"), &image);
        assert_eq!(built("docker run --rm -v x:/x app:ci pytest -n auto"), [(Bound::At(3), false)]);
        assert_eq!(built("docker run app:ci"), [(Bound::At(3), false)]);
        assert_eq!(built("docker run -e PYTEST_XDIST_AUTO_NUM_WORKERS app:ci"), [(Bound::At(2), false)]);
        assert_eq!(built("docker run -e PYTEST_XDIST_AUTO_NUM_WORKERS=5 app:ci pytest -n auto"), [(Bound::At(5), false)]);
        assert_eq!(built("docker run other pytest -n auto"), [(CPUS, true)]);
        assert_eq!(built("docker run --env-file x other pytest -n auto"), [(Bound::At(2), false)]);
        // Who started it may have given it more.
        assert_eq!(built("docker exec x pytest -n auto"), [(CPUS, false)]);
        let service = ("compose.yml", "services:\n  app:\n    build: {context: ., dockerfile: Dockerfile}\n");
        assert_eq!(counted("docker compose run app", &[dockerfile, service]), [(Bound::At(3), false)]);
        assert_eq!(counted("docker compose run app pytest -n auto", &[dockerfile, service]), [(Bound::At(3), false)]);
    }

    #[test]
    fn what_sudo_and_env_let_through() {
        let line = |line: &str| counted(&format!("{line} pytest -n auto"), &[]);
        for through in
            ["sudo -E", "sudo -nE", "sudo -u ci -E", "sudo --preserve-env=A,PYTEST_XDIST_AUTO_NUM_WORKERS", "env A=1", "env -u A"]
        {
            assert_eq!(line(through), [(Bound::At(2), false)], "{through}");
        }
        for dropped in ["sudo", "sudo -u ci", "sudo --preserve-env=A", "env -i A=1"] {
            assert_eq!(line(dropped), [(CPUS, true)], "{dropped}");
        }
        assert_eq!(line("sudo PYTEST_XDIST_AUTO_NUM_WORKERS=4"), [(Bound::At(4), true)]);
        assert_eq!(line("env -u PYTEST_XDIST_AUTO_NUM_WORKERS"), [(CPUS, false)]);
    }

    #[test]
    fn wheels_are_tested() {
        let text = "[tool.cibuildwheel]\ntest-command = \"pytest -n auto {project}/tests\"\n\
             [tool.cibuildwheel.macos]\ntest-command = [\"pytest -n 3\"]\n[tool.cibuildwheel.linux]\nenvironment-pass = [\"P\"]\n";
        let file = [("pyproject.toml", text)];
        assert_eq!(counted("python -m cibuildwheel --platform linux", &file), [(CPUS, true)]);
        assert_eq!(counted("cibuildwheel --print-build-identifiers --platform linux", &file), []);
        assert_eq!(counted("pipx run cibuildwheel==2.16 --platform=macos", &file), [(Bound::At(3), false)]);
        assert_eq!(counted("cibuildwheel", &file), [(Bound::At(2), false), (Bound::At(3), false)]);
        assert_eq!(counted("CIBW_TEST_COMMAND='pytest -n 5' cibuildwheel", &file), [(Bound::At(5), false)]);
        assert_eq!(
            counted(
                "CIBW_TEST_COMMAND='pytest -n 5' CIBW_ENVIRONMENT_PASS_LINUX='W CIBW_TEST_COMMAND' cibuildwheel --platform linux",
                &[]
            )
            .len(),
            1
        );
        let read = conf::ci::read(&Tree::new(&sources(&[(
            WORKFLOW,
            "jobs:\n  t:\n    steps:\n      - uses: pypa/cibuildwheel@v2\n        with: {package-dir: sub}\n",
        )])));
        assert_eq!(read.steps[0].script.text, "cibuildwheel sub");
    }

    #[test]
    fn hostile_files_are_survived() {
        for text in [
            "",
            "services",
            "services: [a]",
            "services: {a: {extends: a, command: [[x], {}], environment: [=, [a]]}}\n",
            "services:\n  a: {command: $$$, entrypoint: []}\n",
        ] {
            counted("docker compose run a", &[("compose.yml", text)]);
            counted("docker compose up", &[("compose.yml", text)]);
        }
        counted("docker compose -f", &[]);
        counted("docker compose run a", &[("compose.yml", "services: {a: {command: docker compose run a}}\n")]);
        counted("cibuildwheel --platform", &[("pyproject.toml", "[tool]\ncibuildwheel = 1\n")]);
        counted(
            "cibuildwheel",
            &[("pyproject.toml", "[tool.cibuildwheel]\noverrides = 1\ntest-command = \"cibuildwheel {project\"\n")],
        );
    }
}
