//! Commands and settings to [`Run`]s: wrappers are peeled off, recipes followed, and what is left is a runner's command line.

use super::cargo;
use super::ci::Step;
use super::discovery::Root;
use super::env::Env;
use super::launch::{behind_options, coverage, go, launched, program, python};
use super::recipes::{Recipe, Tool};
use super::runners;
use super::script::Script;
use super::shell::{self, Expansion, Then, Word};
use super::tree::{self, Tree};
use crate::facts::run::{Crate, Run};
use crate::facts::trace::{Beside, Claim, Claimed, Command, Count, Job, Link, Lost, Part, Place, Programs, Unread, Variable};
use crate::text::{FileId, Kind, Span};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// Commands looked at, calls of recipes included: recipes that call each other can multiply.
const BUDGET: u32 = 50_000;
/// Recipes, scripts and `sh -c` inside each other.
pub(super) const DEEPEST: u32 = 8;
/// Ways kept that lead to one command; recipes that call each other in every order have many.
pub(super) const WAYS: usize = 32;
/// Bytes of a run's text.
const LONGEST: usize = 120;
/// Variables remembered that were dropped on the way.
const LOST: usize = 64;

/// How good the evidence is; less is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Strength {
    Ci,
    Recipe,
    Settings,
    Default,
}

/// What was found about the running of tests.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Strongest evidence first.
    pub runs: Vec<Run>,
    /// pytest is called somewhere.
    pub pytest: bool,
    /// Globs of test files of unittest and its relatives, where one of them is called.
    pub unittest: BTreeSet<String>,
    /// The test commands with their chains.
    pub commands: Vec<Command>,
    pub claims: Vec<Claim>,
    pub unread: Vec<Unread>,
    /// Something runs documentation examples alone.
    pub doctests: bool,
}

/// What the interpreter knows of the project.
pub struct Project<'a> {
    pub tree: &'a Tree<'a>,
    pub roots: &'a [Root],
    pub crates: &'a [Crate],
    pub recipes: &'a [Recipe],
    pub steps: &'a [Step],
    pub jobs: &'a [Job],
    pub cargo: &'a cargo::Settings,
    pub programs: &'a Programs,
}

pub fn read(project: &Project) -> Outcome {
    let mut by_name: BTreeMap<(Tool, &str), Vec<usize>> = BTreeMap::new();
    for (n, recipe) in project.recipes.iter().enumerate() {
        by_name.entry((recipe.tool, &recipe.name)).or_default().push(n);
    }
    let mut reader = Reader {
        project,
        by_name,
        found: Vec::new(),
        outcome: Outcome::default(),
        budget: BUDGET,
        stack: Vec::new(),
        images: BTreeMap::new(),
        ways: HashMap::new(),
    };
    for step in project.steps {
        let strength = if step.is_run { Strength::Ci } else { Strength::Recipe };
        let at = At {
            env: reader.in_container(step),
            dir: step.dir.clone(),
            job: step.job.filter(|_| step.is_run),
            chain: Rc::new(step.links.clone()),
            pipefail: step.pipefail,
            timeout: step.timeout,
            ..At::new(strength)
        };
        reader.script(&step.script, &at);
    }
    for n in 0..project.recipes.len() {
        let dir = project.recipes[n].home.clone();
        reader.recipe(n, &[], &At { dir, ..At::new(Strength::Recipe) });
    }
    reader.settings();
    reader.finish()
}

/// Where a command stands in the flow.
#[derive(Clone)]
pub(super) struct At {
    pub(super) env: Rc<Env>,
    /// What words are filled in from, where that is not the environment of the command: tox fills in before it filters.
    pub(super) words: Option<Rc<Env>>,
    pub(super) dir: String,
    pub(super) strength: Strength,
    pub(super) depth: u32,
    pub(super) job: Option<usize>,
    /// From the job inward.
    pub(super) chain: Rc<Vec<Link>>,
    /// The command that leads further in, not yet part of the chain.
    pub(super) said: Option<Link>,
    /// Variables that were dropped on the way.
    pub(super) lost: Rc<Vec<Lost>>,
    /// What lets only some variables through, from outside inward.
    pub(super) filters: Rc<Vec<Filter>>,
    pub(super) pipefail: bool,
    /// The pipe that swallows the exit status, and the program behind it.
    pub(super) masked: Option<(Place, String)>,
    pub(super) timeout: Option<Place>,
    pub(super) beside: Option<Beside>,
}

impl At {
    pub(super) fn new(strength: Strength) -> At {
        At {
            env: Rc::default(),
            words: None,
            dir: String::new(),
            strength,
            depth: 0,
            job: None,
            chain: Rc::default(),
            said: None,
            lost: Rc::default(),
            filters: Rc::default(),
            pipefail: false,
            masked: None,
            timeout: None,
            beside: None,
        }
    }

    /// One level further in, behind the command that led here.
    pub(super) fn inside(&self, link: Option<Link>) -> At {
        let mut at = At { depth: self.depth + 1, ..self.clone() };
        let mut chain = self.chain.to_vec();
        chain.extend(at.said.take());
        chain.extend(link);
        at.chain = Rc::new(chain);
        at
    }

    /// A count with the variables of this place filled in.
    pub(super) fn filled(&self, count: &Count) -> Count {
        count.filled(&|name| match self.env.get(name) {
            Some(None) => Some(None),
            // An empty variable counts as none with those who read numbers.
            Some(Some(value)) if value.text.trim().is_empty() => None,
            Some(Some(value)) => Some(value.text.trim().parse().ok()),
            // Every service sets it.
            None if name == "CI" && self.job.is_some() => Some(None),
            None => None,
        })
    }

    /// Variables that a command sets for what it runs.
    fn set(&mut self, variables: Vec<(String, Option<Script>)>) {
        if !variables.is_empty() {
            let mut layer = Env::inside(&self.env);
            variables.into_iter().for_each(|(name, value)| layer.set(&name, value));
            self.env = Rc::new(layer);
        }
    }

    /// The variables that do not come through a filter: `kept` is what is left, and what is named in `through` would come.
    pub(super) fn losing(&mut self, kept: Env, by: &'static str, place: Option<Place>, through: Vec<String>) {
        let mut lost = self.lost.to_vec();
        if let Some(place) = place {
            Rc::make_mut(&mut self.filters).push(Filter { by, place, through });
            for (name, value) in self.env.all() {
                if let Some(at) = value.and_then(Script::whole)
                    && kept.get(name).is_none()
                    && !name.contains('.')
                    && lost.len() < LOST
                {
                    let value = value.map(|value| value.text.clone());
                    lost.push(Lost { variable: Variable { name: name.to_owned(), value, place: at }, by, place });
                }
            }
        }
        self.lost = Rc::new(lost);
        self.env = Rc::new(kept);
    }
}

/// A step on the way that lets only some variables through.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) by: &'static str,
    pub(super) place: Place,
    /// Globs.
    pub(super) through: Vec<String>,
}

/// A command as it stands in a file.
pub(super) struct Said {
    pub(super) place: Option<(FileId, Span)>,
    /// On one line.
    pub(super) text: String,
}

pub(super) struct Reader<'a> {
    pub(super) project: &'a Project<'a>,
    pub(super) by_name: BTreeMap<(Tool, &'a str), Vec<usize>>,
    pub(super) found: Vec<(Strength, Run)>,
    pub(super) outcome: Outcome,
    pub(super) budget: u32,
    /// Recipes that are being run.
    pub(super) stack: Vec<usize>,
    /// Images that commands have built, by name: the Dockerfile and the stage.
    pub(super) images: BTreeMap<String, (String, Option<String>)>,
    /// By the place of a test command, the ways to it, as indexes into [`Outcome::commands`].
    pub(super) ways: HashMap<Place, Vec<usize>>,
}

impl Reader<'_> {
    pub(super) fn script(&mut self, script: &Script, at: &At) {
        if at.depth > DEEPEST {
            return;
        }
        let mut env = at.env.clone();
        let mut words_env = at.words.clone();
        let mut dir = at.dir.clone();
        let mut left: Vec<String> = Vec::new();
        let mut pipefail = at.pipefail;
        // Someone looks at the status of each.
        let looked_at = script.text.contains("PIPESTATUS");
        let commands = shell::commands(script);
        let background = beside_each_other(&commands);
        for (n, command) in commands.iter().enumerate() {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            let depth = command.depth as usize;
            while left.len() > depth {
                dir = left.pop().unwrap_or_default();
            }
            while left.len() < depth.min(64) {
                left.push(dir.clone());
            }
            for name in added_to(command) {
                // `A="x $A"`: what nobody has set is empty.
                for layer in [Some(&mut env), words_env.as_mut()].into_iter().flatten() {
                    if layer.get(&name).is_none() {
                        Rc::make_mut(layer).set(&name, Some(Script::default()));
                    }
                }
            }
            let assigns: Vec<(String, Script)> = command
                .assigns
                .iter()
                .map(|(name, value)| (name.clone(), value))
                .map(|(name, value)| (name, env.fill_one(value).text))
                .collect();
            let words = words_env.as_ref().unwrap_or(&env).fill(&command.words);
            let Some(first) = words.first() else {
                for (name, value) in assigns {
                    if let Some(words) = &mut words_env {
                        Rc::make_mut(words).set(&name, Some(value.clone()));
                    }
                    Rc::make_mut(&mut env).set(&name, Some(value));
                }
                continue;
            };
            match first.str() {
                "export" | "declare" | "typeset" | "readonly" | "local" => {
                    for word in &words[1..] {
                        if let Some((name, _)) = word.str().split_once('=') {
                            let value = word.tail(name.len() + 1);
                            let known = value.expansions.is_empty();
                            Rc::make_mut(&mut env).set(name, known.then_some(value.text));
                        }
                    }
                }
                "set" | "shopt" => {
                    for pair in words.windows(2).filter(|pair| pair[1].str() == "pipefail") {
                        pipefail = pair[0].str().starts_with('-');
                    }
                }
                "unset" => env = Rc::new(env.filtered(|name| words[1..].iter().all(|word| word.str() != name))),
                "cd" | "pushd" | "Set-Location" => {
                    if let Some(word) = words.iter().skip(1).find(|word| !word.str().starts_with('-')) {
                        dir = go(&dir, word);
                    }
                }
                _ => {
                    let mut inner = env.clone();
                    if !assigns.is_empty() {
                        let mut layer = Env::inside(&env);
                        assigns.into_iter().for_each(|(name, value)| layer.set(&name, Some(value)));
                        inner = Rc::new(layer);
                    }
                    let said =
                        Said { place: command.place(), text: one_line(script.text.get(command.range.clone()).unwrap_or("")) };
                    let link = said.place.map(|place| Link { what: Part::Command, text: said.text.clone(), place });
                    let mut here =
                        At { env: inner, words: words_env.clone(), dir: dir.clone(), said: link, pipefail, ..at.clone() };
                    if command.then == Then::Background && here.beside.is_none() {
                        here.beside.clone_from(&background);
                    }
                    if command.then == Then::Pipe && !pipefail && !looked_at && here.masked.is_none() {
                        let next = commands.get(n + 1).filter(|next| next.depth == command.depth);
                        let reader = next.and_then(|next| next.words.first()).map(|word| program(word.str()).to_owned());
                        here.masked = next.and_then(shell::Command::place).zip(reader);
                    }
                    self.command(&words, &said, here);
                }
            }
        }
    }

    /// One command with its variables filled in.
    pub(super) fn command(&mut self, words: &[Word], said: &Said, mut at: At) {
        let mut words = words.to_vec();
        // Each turn takes at least one word off, or returns.
        while let Some(first) = words.first() {
            let name = program(first.str()).to_owned();
            let rest = &words[1..];
            match name.as_str() {
                "pytest" | "py.test" | "pytest-3" | "py.test-3" => return self.pytest(rest, said, &at),
                "python" | "py" | "pypy" => match python(rest) {
                    Some(next) => words = next,
                    None => return self.program(rest, &at),
                },
                "coverage" | "slipcover" => match coverage(rest) {
                    Some(next) => words = next,
                    None => return,
                },
                "cargo" | "cross" => return self.cargo(rest, said, &at),
                "bash" | "sh" | "zsh" | "dash" | "ksh" => return self.shell(rest, &At { pipefail: false, ..at }),
                "source" | "." => return self.shell(rest, &at),
                "nox" => return self.nox(rest, said, &at),
                name if name.split("==").next() == Some("cibuildwheel") => return self.wheels(rest, &at),
                "make" | "gmake" | "just" | "tox" | "poe" | "task" | "go-task" => return self.recipes(&name, rest, said, &at),
                "hatch" => match self.hatch(rest, said, &at) {
                    Some(next) => words = next,
                    None => return,
                },
                "uv" | "uvx" | "poetry" | "pipenv" | "pdm" | "rye" | "pixi" | "pipx" | "conda" | "mamba" | "micromamba" => {
                    match launched(&name, rest, &mut at.dir) {
                        Some(next) => words = next,
                        None => return,
                    }
                    let tool = match name.as_str() {
                        "pdm" => Some(Tool::Pdm),
                        "rye" => Some(Tool::Rye),
                        "pixi" => Some(Tool::Pixi),
                        _ => None,
                    };
                    if let (Some(tool), Some(first)) = (tool, words.first())
                        && let Some(n) = self.find(tool, first.str(), &at.dir)
                    {
                        return self.recipe(n, &words[1..], &at);
                    }
                }
                "sudo" => {
                    let mut behind =
                        behind_options(rest, &["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "--user", "--group"], 0);
                    let options = || rest[..rest.len() - behind.len()].iter().map(Word::str);
                    let short = |text: &str| text.starts_with('-') && !text.starts_with("--") && text.contains('E');
                    if !options().any(|text| short(text) || text == "--preserve-env") {
                        let lists = options().filter_map(|text| text.strip_prefix("--preserve-env="));
                        let named: Vec<String> = lists.flat_map(|names| names.split(',')).map(str::to_owned).collect();
                        let kept = at.env.filtered(|name| named.iter().any(|known| known == name));
                        at.losing(kept, "sudo", said.place, named);
                    }
                    at.set(assigned(&mut behind));
                    words = behind;
                }
                "env" => {
                    let mut behind = behind_options(rest, &["-u", "-C", "--unset", "--chdir"], 0);
                    let options: Vec<&str> = rest[..rest.len() - behind.len()].iter().map(Word::str).collect();
                    if options.iter().any(|text| matches!(*text, "-i" | "-" | "--ignore-environment")) {
                        at.losing(Env::default(), "env -i", said.place, Vec::new());
                    }
                    let next = options.windows(2).filter(|pair| matches!(pair[0], "-u" | "--unset")).map(|pair| pair[1]);
                    let inline = options.iter().filter_map(|text| text.strip_prefix("--unset="));
                    let unset: Vec<&str> = next.chain(inline).collect();
                    if !unset.is_empty() {
                        at.env = Rc::new(at.env.filtered(|name| !unset.contains(&name)));
                    }
                    at.set(assigned(&mut behind));
                    words = behind;
                }
                "if" | "then" | "elif" | "else" | "do" | "while" | "until" | "!" | "{" | "time" | "exec" | "command"
                | "builtin" | "nohup" | "unbuffer" | "winpty" | "setsid" | "chronic" | "catchsegv" | "dbus-run-session" | "&"
                | "call" | "eval" | "dotenv" | "ddtrace-run" => {
                    words = behind_options(rest, &["-f"], 0);
                }
                "rm" if rest.iter().any(|word| word.str().starts_with('-') && word.str().contains('r')) => {
                    for word in rest.iter().filter(|word| is_shared(word)) {
                        self.claim(&at, Claimed::Folder, word);
                    }
                    return;
                }
                "timeout" | "gtimeout" => {
                    at.timeout = first.place;
                    words = behind_options(rest, &["-s", "-k", "--signal", "--kill-after"], 1);
                }
                "nice" | "ionice" | "stdbuf" | "taskset" | "chrt" => {
                    words = behind_options(rest, &["-n", "-c", "-p", "-o", "-e", "-i"], usize::from(name == "taskset"))
                }
                "xvfb-run" => words = behind_options(rest, &["-s", "-n", "-e", "-f", "-w", "--server-args", "--server-num"], 0),
                // They carry a command to somewhere else; what stands before it is theirs.
                "docker" | "docker-compose" | "podman" | "podman-compose" | "kubectl" | "nix" | "nix-shell" | "singularity"
                | "apptainer" | "srun" | "retry" | "op" | "doppler" | "flock" | "strace" | "valgrind" | "memray" | "scalene"
                | "mpirun" | "mpiexec" | "direnv" | "devbox" | "mise" | "asdf" | "earthly" | "devcontainer" | "act"
                | "foreman" | "honcho" | "aws-vault" | "torchrun" | "ssh" => {
                    if matches!(name.as_str(), "docker" | "docker-compose" | "podman" | "podman-compose") {
                        return self.docker(&name, rest, said, at);
                    }
                    if name == "ssh" {
                        at.losing(Env::default(), "ssh", said.place, Vec::new());
                    }
                    return self.carried(rest, said, &at);
                }
                _ if runners::knows(&name) => return self.runner(&name, rest, said, &at),
                _ => {
                    // An interpreter in a variable: `$PYTHON -m pytest`.
                    if !first.expansions.is_empty()
                        && let Some(next) = python(rest).filter(|_| rest.first().is_some_and(|word| word.str() == "-m"))
                    {
                        words = next;
                        continue;
                    }
                    return self.file(first.str(), &at);
                }
            }
        }
    }

    /// Takes note of what a job takes of its host.
    pub(super) fn claim(&mut self, at: &At, what: Claimed, word: &Word) {
        if let (Some(job), Some(place)) = (at.job, word.place) {
            let claim = Claim { job, what, name: word.str().to_owned(), place };
            if !self.outcome.claims.contains(&claim) {
                self.outcome.claims.push(claim);
            }
        }
    }

    /// A shell script of the repository.
    fn file(&mut self, path: &str, at: &At) {
        let is_script = path.ends_with(".sh") || path.ends_with(".bash") || path.contains('/');
        let Some(file) = tree::join(&at.dir, path).filter(|_| is_script).and_then(|path| self.project.tree.file(&path)) else {
            return;
        };
        let Some(source) = self.project.tree.source(file).filter(|source| source.kind == Kind::Config) else { return };
        // Only one thing may be told by the first line: another interpreter.
        if source.text.starts_with("#!") && !source.text.lines().next().is_some_and(|line| line.contains("sh")) {
            return;
        }
        let script = Script::verbatim(file, 0, &source.text);
        let head = source.text.lines().next().filter(|line| line.starts_with("#!")).map_or(0, str::len);
        let link = Link { what: Part::Script, text: source.path.to_string(), place: (file, Span::new(0, head)) };
        let mut at = at.inside(Some(link));
        at.pipefail = source.text.lines().next().is_some_and(|line| line.starts_with("#!") && line.contains("pipefail"));
        self.script(&script, &at);
    }

    /// A Python file of the project that starts test commands itself.
    fn program(&mut self, words: &[Word], at: &At) {
        let Some(n) = words.iter().position(|word| !word.str().starts_with('-')) else { return };
        let Some(path) = tree::join(&at.dir, words[n].str()) else { return };
        let recipes = self.project.recipes;
        if let Some(found) = recipes.iter().position(|recipe| recipe.tool == Tool::Python && recipe.name == path) {
            self.recipe(found, words.get(n + 1..).unwrap_or(&[]), at);
        }
    }

    /// `sh -c "…"`, `sh file`.
    fn shell(&mut self, words: &[Word], at: &At) {
        let mut at = at.clone();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let text = word.str();
            if let Some(flags) = text.strip_prefix('-') {
                if flags.ends_with('c') && !flags.starts_with('-') {
                    if let Some(script) = words.next() {
                        self.script(&script.text, &at.inside(None));
                    }
                    return;
                }
                if flags.ends_with(['o', 'O']) && !flags.starts_with('-') {
                    at.pipefail |= words.next().is_some_and(|word| word.str() == "pipefail");
                }
                continue;
            }
            let path = if text.contains('/') { text.to_owned() } else { format!("./{text}") };
            return self.file(&path, &at);
        }
    }

    /// The first word that names a runner, behind a carrier's own words.
    pub(super) fn carried(&mut self, words: &[Word], said: &Said, at: &At) {
        if words.iter().any(|word| matches!(word.str(), "build" | "pull" | "push" | "login")) {
            return;
        }
        let at = At { depth: at.depth + 1, ..at.clone() };
        if at.depth > DEEPEST {
            return;
        }
        for (n, word) in words.iter().enumerate() {
            let name = program(word.str());
            if word.quoted
                && word.str().contains(' ')
                && words
                    .get(n.wrapping_sub(1))
                    .is_some_and(|before| matches!(before.str(), "-c" | "-lc" | "--run" | "--command" | "-ec"))
            {
                return self.script(&word.text, &at);
            }
            let known = matches!(
                name,
                "pytest"
                    | "py.test"
                    | "tox"
                    | "make"
                    | "python"
                    | "cargo"
                    | "uv"
                    | "poetry"
                    | "coverage"
                    | "hatch"
                    | "pdm"
                    | "bash"
                    | "sh"
            ) || (runners::knows(name) && name != "django");
            // `docker compose run pytest` names a service: a runner stands behind it, or it is one.
            if known {
                return self.command(&words[n..], said, at);
            }
        }
    }
}

/// The commands of a script that run in the background, where they are several.
fn beside_each_other(commands: &[shell::Command]) -> Option<Beside> {
    let mut all = commands.iter().filter(|command| command.then == Then::Background);
    let place = all.next()?.place()?;
    let more = u32::try_from(all.count()).ok().filter(|more| *more > 0)?;
    Some(Beside { tool: "&".to_owned(), count: Count::Number(more + 1), runs: 1, place })
}

/// `A=1 command`, behind a program that takes variables so: they are taken off.
fn assigned(words: &mut Vec<Word>) -> Vec<(String, Option<Script>)> {
    let mut all = Vec::new();
    while let Some((name, _)) = words.first().and_then(|word| word.str().split_once('=')) {
        let value = words[0].tail(name.len() + 1);
        all.push((name.to_owned(), value.expansions.is_empty().then_some(value.text)));
        words.remove(0);
    }
    all
}

/// The variables that a command puts something before or behind.
fn added_to(command: &shell::Command) -> Vec<String> {
    let exported = command.words.iter().filter_map(|word| Some((word.str().split_once('=')?.0.to_owned(), word)));
    let exports = command.words.first().is_some_and(|word| matches!(word.str(), "export" | "declare" | "local"));
    let assigned = command.assigns.iter().map(|(name, word)| (name.clone(), word));
    assigned
        .chain(exported.filter(|_| exports))
        .filter(|(name, word)| {
            let itself = |what: &Expansion| matches!(what, Expansion::Variable { name: other, default: None } if other == name);
            word.expansions.iter().any(|(_, what)| itself(what))
        })
        .map(|(name, _)| name)
        .collect()
}

/// A path under the temporary or the home folder of the host, written out.
pub(super) fn is_shared(word: &Word) -> bool {
    let text = word.str();
    word.expansions.is_empty()
        && !text.contains(['*', '?', '$', '{'])
        && ["/tmp/", "/var/tmp/", "~/", "/home/"].iter().any(|root| text.len() > root.len() && text.starts_with(root))
}

/// White space and line joins to single blanks, cut to a length that fits a line.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace().filter(|word| *word != "\\") {
        if line.len() + word.len() > LONGEST {
            line.push('…');
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use crate::facts::run::{Dist, Run, Runner, Setup, Workers};
    use crate::facts::trace::Programs;
    use crate::text::{Kind, Source};

    fn read(sources: &[Source]) -> Setup {
        crate::conf::read(sources, &Programs::default(), &[])
    }

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        let mut all: Vec<Source> = files
            .iter()
            .map(|(path, text)| {
                let kind = if path.ends_with(".py") {
                    Kind::Python
                } else if path.ends_with(".rs") {
                    Kind::Rust
                } else {
                    Kind::Config
                };
                Source::of(*path, kind, *text)
            })
            .collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }

    fn setup(files: &[(&str, &str)]) -> Setup {
        read(&sources(files))
    }

    /// Runner, workers, scope, and `path:what stands at the place`.
    fn runs(files: &[(&str, &str)]) -> Vec<String> {
        let sources = sources(files);
        read(&sources).runs.iter().map(|run| said(run, &sources)).collect()
    }

    fn said(run: &Run, sources: &[Source]) -> String {
        let runner = match run.runner {
            Runner::Xdist(dist) => format!("{dist:?}").to_lowercase(),
            other => format!("{other:?}").to_lowercase(),
        };
        let workers = match run.workers {
            Workers::Fixed(n) => n.to_string(),
            other => format!("{other:?}").to_lowercase(),
        };
        let place = run.place.map_or("-".to_owned(), |(file, span)| {
            let source = &sources[file.0 as usize];
            format!("{}:{}", source.path, &source.text[span.start as usize..span.end as usize])
        });
        format!("{runner} {workers} [{}] {place}", run.scope)
    }

    const WORKFLOW: &str = ".github/workflows/ci.yml";

    fn workflow(lines: &str) -> String {
        let mut text = "on: push\njobs:\n  test:\n    steps:\n      - run: |\n".to_owned();
        for line in lines.lines() {
            text.push_str(&format!("          {line}\n"));
        }
        text
    }

    /// The runs of one script in a workflow, without the file's name.
    fn script(lines: &str, others: &[(&str, &str)]) -> Vec<String> {
        let text = workflow(lines);
        let mut files = vec![(WORKFLOW, text.as_str()), ("tests/test_a.py", ""), ("pkg/a/test_b.py", "")];
        files.extend_from_slice(others);
        runs(&files).iter().map(|run| run.replace(&format!("{WORKFLOW}:"), "")).collect()
    }

    #[test]
    fn every_way_to_call_pytest() {
        for command in [
            "pytest -n 4",
            "py.test -n 4",
            "python -m pytest -n 4",
            "python3.11 -X dev -m pytest -n 4",
            "uv run --group dev pytest -n 4",
            "poetry run pytest -n 4",
            "pipenv run python -m pytest -n 4",
            "pdm run pytest -n 4",
            "hatch run pytest -n 4",
            "hatch run test:pytest -n 4",
            "hatch -e test run pytest -n 4",
            "coverage run --source x -m pytest -n 4",
            "uv run coverage run -m pytest -n 4",
            "python -m coverage run -m pytest -n 4",
            "sudo -E env A=1 timeout 60 nice -n 5 xvfb-run -a pytest -n 4",
            "A=1 B=2 ./venv/bin/pytest -n 4",
            "if ! pytest -n 4; then exit 1; fi",
            "bash -c 'cd . && pytest -n 4'",
            "docker compose run --rm app pytest -n 4",
            "docker exec x bash -lc \"pytest -n 4\"",
            "${{ steps.python.outputs.path }} -m pytest -n 4",
            "N=4; pytest tests -n $N || true",
            "pip install pytest && pytest -n 4 | tee log",
            "export ARGS='-n 4'; pytest $ARGS",
            "hatch test -n 4",
            "export ARGS=\"-n 4 $ARGS\"; export ARGS=\"-q $ARGS\"; pytest $ARGS",
        ] {
            let found = script(command, &[]);
            let scope = if command.contains("tests") { "tests" } else { "" };
            assert_eq!(found.len(), 1, "{command}: {found:?}");
            assert!(found[0].starts_with(&format!("load 4 [{scope}] ")) && found[0].contains("-n"), "{command}: {found:?}");
        }
        for command in [
            "pip install pytest -n 4",
            "echo pytest -n 4",
            "# pytest -n 4",
            "pytest --collect-only -n 4",
            "cat <<E\npytest -n 4\nE",
            "which pytest",
        ] {
            assert_eq!(script(command, &[]), ["sequential one [] -"], "{command}");
        }
    }

    #[test]
    fn the_place_is_the_option_or_the_command() {
        assert_eq!(script("pytest -q --dist load -n auto tests", &[]), ["load cpus [tests] -n auto"]);
        assert_eq!(script("python -m pytest \\\n  -q", &[]), ["sequential one [] python -m pytest \\\n            -q"]);
        let text = workflow("pytest -q \\\n  -n 4");
        let found = setup(&[(WORKFLOW, &text)]);
        assert_eq!(found.runs[0].text, "pytest -q -n 4");
    }

    #[test]
    fn settings_merge_with_the_command() {
        let ini = ("pytest.ini", "[pytest]\naddopts = -n 4 --dist loadfile\n");
        assert_eq!(script("pytest", &[ini]), ["loadfile 4 [] pytest.ini:-n 4"]);
        assert_eq!(script("pytest -n 0", &[ini]), ["sequential one [] -n 0", "loadfile 4 [] pytest.ini:-n 4"]);
        assert_eq!(
            script("pytest -p no:xdist", &[ini]),
            ["sequential one [] pytest -p no:xdist", "loadfile 4 [] pytest.ini:-n 4"]
        );
        assert_eq!(script("pytest -o addopts=''", &[ini])[0], "sequential one [] pytest -o addopts=''");
        assert_eq!(script("pytest -n2 --dist worksteal", &[ini])[0], "worksteal 2 [] -n2");
        assert_eq!(script("export PYTEST_ADDOPTS='-n 3'\npytest", &[]), ["load 3 [] -n 3"]);
        assert_eq!(script("PYTEST_XDIST_AUTO_NUM_WORKERS=2 pytest -n auto", &[]), ["load 2 [] -n auto"]);
        let text = "env:\n  PYTEST_ADDOPTS: -n auto\njobs:\n  a:\n    steps:\n      - run: pytest\n";
        let found = setup(&[(WORKFLOW, text)]);
        assert_eq!((found.runs[0].runner, found.runs[0].workers), (Runner::Xdist(Dist::Load), Workers::Cpus));
        assert_eq!(found.runs[0].text, format!("pytest (-n auto in {WORKFLOW})"));
    }

    #[test]
    fn folders_and_scopes() {
        assert_eq!(script("cd pkg && pytest -n 2\npytest", &[]), ["load 2 [pkg] -n 2", "sequential one [pkg] pytest"]);
        assert_eq!(script("(cd pkg && pytest -n 2)\npytest", &[]), ["load 2 [pkg] -n 2", "sequential one [] pytest"]);
        assert_eq!(
            script("pytest -n 2 tests pkg/a/test_b.py::T::x nope", &[]),
            ["load 2 [pkg/a/test_b.py] -n 2", "load 2 [tests] -n 2"]
        );
        // The command comes before the settings.
        let ini = ("pkg/setup.cfg", "[tool:pytest]\naddopts = -n 3\n");
        assert_eq!(script("pytest pkg/a", &[ini]), ["load 3 [pkg/a] pkg/setup.cfg:-n 3", "load 3 [pkg] pkg/setup.cfg:-n 3"]);
    }

    #[test]
    fn a_run_from_settings_is_named_by_their_words() {
        for (path, text) in [
            ("pytest.ini", "[pytest]\naddopts =\n  -n 4\n  -q\n"),
            ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = \"-n 4 -q\"\n"),
            ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = [\n  '-n',\n  '4', '-q']\n"),
        ] {
            let setup = setup(&[(path, text)]);
            assert_eq!(setup.runs.iter().map(|run| run.text.as_str()).collect::<Vec<_>>(), ["addopts = -n 4 -q"], "{text}");
        }
    }

    #[test]
    fn configuration_without_a_command() {
        assert_eq!(runs(&[("setup.cfg", "[tool:pytest]\naddopts = -n auto\n")]), ["load cpus [] setup.cfg:-n auto"]);
        assert_eq!(runs(&[("setup.cfg", "[tool:pytest]\n")]), ["sequential one [] setup.cfg:[tool:pytest]"]);
        assert_eq!(
            runs(&[("pyproject.toml", "[project]\ndependencies = [\"pytest-xdist\"]\n"), ("a.py", "")]),
            ["sequential one [] -"]
        );
        assert_eq!(runs(&[("README.md", "")]), Vec::<String>::new());
    }

    #[test]
    fn recipes_are_followed() {
        let make =
            ("Makefile", "ARGS ?= -n 4\ntest: unit\n\techo\nunit:\n\tpython -m pytest $(ARGS) tests\nslow:\n\tpytest -n 1\n");
        assert_eq!(script("make test", &[make]), ["load 4 [tests] Makefile:-n 4", "sequential one [] Makefile:-n 1"]);
        assert_eq!(script("make test ARGS='-n 2'", &[make])[0], "load 2 [tests] -n 2");
        let tox = (
            "tox.ini",
            "[testenv]\npassenv = PYTEST_*\ncommands = pytest {posargs:-n 4}\n[testenv:lint]\ncommands = ruff\n[testenv:py{38,39}-seq]\ncommands = pytest\n",
        );
        assert_eq!(script("tox -e py311", &[tox]), ["load 4 [] tox.ini:-n 4", "sequential one [] tox.ini:pytest"]);
        assert_eq!(script("tox -e py39-seq", &[tox])[0], "sequential one [] tox.ini:pytest");
        assert_eq!(script("tox -e py311 -- -n 8", &[tox])[0], "load 8 [] -n 8");
        assert_eq!(script("PYTEST_ADDOPTS='-n 6' tox -e py39-seq", &[tox])[0], "load 6 [] -n 6");
        let project = (
            "pyproject.toml",
            "[tool.hatch.envs.test.scripts]\nrun = \"pytest {args:tests}\"\n[tool.poe.tasks]\nt = \"pytest -n 5\"\n",
        );
        assert_eq!(script("hatch run test:run -n 3", &[project])[0], "load 3 [] -n 3");
        assert_eq!(script("uv run poe t", &[project])[0], "load 5 [] pyproject.toml:-n 5");
        let just = ("justfile", "test n='4':\n  pytest -n {{n}}\n");
        assert_eq!(script("just test", &[just])[0], "load 4 [] justfile:-n");
        let shell = ("ci/test.sh", "#!/bin/bash\nset -e\npytest -n 7\n");
        assert_eq!(script("./ci/test.sh", &[shell])[0], "load 7 [] ci/test.sh:-n 7");
        assert_eq!(script("bash ci/test.sh", &[shell])[0], "load 7 [] ci/test.sh:-n 7");
    }

    #[test]
    fn recipes_that_call_each_other_end() {
        let make =
            "a: b b b b\n\tmake b\nb: c c c c\n\tmake c\nc: d d d d\n\tmake a\nd: e e e e\n\tmake a b c\ne: a b c d\n\tpytest\n";
        let loops = ("Makefile", make);
        assert_eq!(script("make a", &[loops, ("x.sh", "./x.sh; bash x.sh")]).len(), 1);
        script("./x.sh", &[("x.sh", "./x.sh; bash x.sh; bash -c './x.sh'")]);
    }

    #[test]
    fn other_runners() {
        assert_eq!(script("python manage.py test --parallel 4", &[]), ["processpool 4 [] --parallel 4"]);
        assert_eq!(script("stestr run", &[]), ["processpool cpus [] stestr run"]);
        assert_eq!(
            script("python -m unittest discover -s tests", &[]),
            ["sequential one [tests] python -m unittest discover -s tests"]
        );
        assert_eq!(script("behavex --parallel-processes 3", &[]), ["processpool 3 [] --parallel-processes 3"]);
        assert_eq!(script("pytest --parallel-threads=8", &[]), ["copies 8 [] --parallel-threads=8"]);
    }

    #[test]
    fn other_checkouts_are_not_ours() {
        assert_eq!(script("git clone x other && cd other && pytest -n 4", &[]), ["sequential one [] -"]);
        let vendored = ("vendor/x/.github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: pytest -n 2\n");
        let found = script("pytest", &[vendored, ("vendor/x/test_a.py", "")]);
        assert_eq!(found, ["sequential one [] pytest", "load 2 [vendor/x] vendor/x/-n 2"]);
    }

    #[test]
    fn words_handed_on_and_notebooks() {
        assert_eq!(script("nox -s test -- tests -n 4", &[]), ["load 4 [tests] -n 4"]);
        assert_eq!(script("nox -s test -- -k x", &[]), ["sequential one [] -"]);
        let nbdev = ("settings.ini", "[DEFAULT]\nnbs_path = nbs\n");
        // It runs notebooks alone; what there is of other tests is pytest's.
        assert_eq!(runs(&[nbdev, ("a.py", "")]), ["processpool cpus [nbs] settings.ini:nbs_path", "sequential one [] -"]);
        let uses = "jobs:\n  a:\n    steps: [uses: fastai/workflows/nbdev-ci@master]\n";
        assert_eq!(runs(&[(WORKFLOW, uses)]), ["processpool 8 [] .github/workflows/ci.yml:fastai/workflows/nbdev-ci@master"]);
    }

    #[test]
    fn texts_are_as_written() {
        let text = |files: &[(&str, &str)]| setup(files).runs[0].text.clone();
        let make = "PYTEST = python -m pytest\n# far\n\nt:\n\t@$(PYTEST) -q \\\n\t  tests\n";
        assert_eq!(text(&[("Makefile", make)]), "python -m pytest -q tests");
        let far = format!("PYTEST = pytest\n{}t:\n\t$(PYTEST) -q\n", "# x\n".repeat(300));
        let found = runs(&[("Makefile", &far)]);
        assert_eq!(found, ["sequential one [] Makefile:pytest"]);
        assert_eq!(text(&[("tox.ini", "[testenv]\ncommands = pytest {posargs:-n 4 tests} -q\n")]), "pytest -n 4 tests -q");
    }

    #[test]
    fn discovery_follows_the_runner() {
        let found = setup(&[(WORKFLOW, &workflow("python -m unittest")), ("a.py", "")]);
        assert!(found.is_test_file("testing.py") && !found.is_test_file("a_test.py"));
        let found = setup(&[("manage.py", ""), ("app/tests.py", "")]);
        assert!(found.is_test_file("app/tests.py") && found.is_test_file("test_a.py"));
        let found =
            setup(&[("pytest.ini", "[pytest]\npython_files = check_*.py\n"), (WORKFLOW, &workflow("python -m unittest"))]);
        assert!(found.is_test_file("check_a.py") && !found.is_test_file("test_a.py"));
        assert_eq!(setup(&[]).discovery.len(), 1);
    }

    #[test]
    fn rust_always_has_cargo_test() {
        let manifest = ("Cargo.toml", "[package]\nname = \"x\"\n");
        assert_eq!(runs(&[manifest]), ["cargotest cpus [] -"]);
        let rust = |lines: &str, others: &[(&str, &str)]| {
            let text = workflow(lines);
            let mut files = vec![(WORKFLOW, text.as_str()), manifest, ("sub/Cargo.toml", "[package]\nname = \"s-b\"\n")];
            files.extend_from_slice(others);
            runs(&files).iter().map(|run| run.replace(&format!("{WORKFLOW}:"), "")).collect::<Vec<_>>()
        };
        assert_eq!(
            rust("cargo nextest run\ncargo test --doc", &[]),
            ["nextest cpus [] cargo nextest run", "cargotest cpus [] -"]
        );
        assert_eq!(
            rust("cargo test -p s-b -- --test-threads=1", &[]),
            ["cargotest one [sub] --test-threads=1", "cargotest cpus [] -"]
        );
        assert_eq!(
            rust("cargo test --manifest-path sub/Cargo.toml", &[])[0],
            "cargotest cpus [sub] cargo test --manifest-path sub/Cargo.toml"
        );
        assert_eq!(rust("RUST_TEST_THREADS=1 cargo test", &[])[0], "cargotest one [] cargo test");
        let config = (".config/nextest.toml", "[profile.default]\ntest-threads = 2\n");
        assert_eq!(rust("", &[config]), ["nextest 2 [] .config/nextest.toml:default", "cargotest cpus [] -"]);
        let make = ("Makefile.toml", "[tasks.t]\ncommand = \"cargo\"\nargs = [\"nextest\", \"run\"]\n");
        assert_eq!(rust("cargo make t", &[make])[0], "nextest cpus [] Makefile.toml:cargo\"\nargs = [\"nextest\", \"run");
    }

    /// Cut, doubled, mixed and overwritten files of every kind: nothing panics, and time stays in proportion.
    #[test]
    fn mutated_files_are_survived() {
        let workflow = workflow(
            "cd pkg && N=${M:-4} pytest -n $N \\\n  tests | tee 'log' && make t && tox -e py -- -n 8\nbash -c \"cargo test\"",
        );
        let files = [
            (WORKFLOW, workflow.as_str()),
            (
                ".gitlab-ci.yml",
                "variables: {A: '1'}\n.b: &b\n  before_script: [cd x]\nt:\n  <<: *b\n  script:\n    - >-\n      pytest\n      -n $A\n    - \"a\\u00e9 \\\n      b\"\n",
            ),
            (
                "Makefile",
                "A ?= -n 4 $(B)\nB := $(A) é\nt u: a | b ; pytest $(A)\n\t@pytest $(A) \\\n\t  x $$(nproc)\nifdef X\nendif\n",
            ),
            ("justfile", "n := '4'\nalias a := t\n@t *x='{{n}}': (u n)\n  #!/bin/sh\n  pytest -n {{n}} {{ x }}\n"),
            (
                "tox.ini",
                "[tox]\nenvlist = py{38,39}\n[testenv]\nsetenv =\n  A = {env:B:{posargs:c}}\ncommands =\n  py38: pytest {posargs:-n 4} \\\n    x\n  {[testenv:x]commands}\n[testenv:x]\n[pytest]\naddopts = -n 2\n  --dist loadfile\n",
            ),
            (
                "pyproject.toml",
                "[tool.pytest.ini_options]\naddopts = [\"-n\", '4']\n[tool.hatch.envs.a.scripts]\nt = \"\"\"\npytest \\\n  {args:-n 4}\"\"\"\n[tool.poe.tasks]\nt = {cmd = \"pytest\"}\n[tool.tox.env_run_base]\ncommands = [[\"pytest\", {replace = \"posargs\", default = [\"x\"]}]]\n",
            ),
            (
                "Cargo.toml",
                "[package]\nname = \"x\"\nedition.workspace = true\n[workspace]\nmembers = [\"c/*\"]\n[[test]]\nname = \"a\"\nharness = false\n[dev-dependencies]\na-b = {workspace = true}\n",
            ),
            ("ci/run.sh", "#!/bin/sh\ncase $1 in a) pytest;; esac\ncat <<E\nx\nE\n(cd x; pytest -n `nproc`)\n"),
        ];
        // A small generator of its own: the same bytes in every run.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below.max(1) as u64) as usize
        };
        const BITS: [&str; 24] = [
            "\n",
            "\t",
            " ",
            "\\",
            "\"",
            "'",
            "{",
            "}",
            "[",
            "]",
            "(",
            ")",
            "$",
            "`",
            ":",
            "=",
            "#",
            "|",
            "<<",
            "&",
            "é",
            "\u{1f600}",
            "\r\n",
            "${{",
        ];
        for round in 0..400 {
            let mut mutated: Vec<(&str, String)> = files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
            let one = random(mutated.len());
            for _ in 0..1 + random(4) {
                let text = &mut mutated[one].1;
                let mut at = random(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                match random(4) {
                    0 => text.truncate(at),
                    1 => text.insert_str(at, BITS[random(BITS.len())]),
                    2 => text.insert_str(at, &BITS[random(BITS.len())].repeat(50)),
                    _ => {
                        let tail = text.split_off(at);
                        text.insert_str(0, &tail);
                    }
                }
            }
            let files: Vec<(&str, &str)> = mutated.iter().map(|(path, text)| (*path, text.as_str())).collect();
            let sources = sources(&files);
            for run in &read(&sources).runs {
                if let Some((file, span)) = run.place {
                    let text = &sources[file.0 as usize].text;
                    assert!(text.get(span.start as usize..span.end as usize).is_some(), "round {round}: {run:?}");
                }
            }
        }
    }

    #[test]
    fn evidence_is_ordered_by_strength() {
        let files = [
            ("Makefile", "t:\n\tpytest -n 2\n"),
            ("pytest.ini", "[pytest]\naddopts = -n 3\n"),
            (".gitlab-ci.yml", "t:\n  script: pytest -n 4\n"),
            (".pre-commit-config.yaml", "repos:\n- hooks:\n  - entry: pytest -n 5\n"),
        ];
        assert_eq!(
            runs(&files),
            [
                "load 4 [] .gitlab-ci.yml:-n 4",
                "load 5 [] .pre-commit-config.yaml:-n 5",
                "load 2 [] Makefile:-n 2",
                "load 3 [] pytest.ini:-n 3"
            ]
        );
    }
}
