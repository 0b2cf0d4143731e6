//! CI files to steps: a script, the variables around it, the folder it runs in.
//!
//! One walk serves GitHub, Forgejo and Gitea workflows and actions, GitLab, CircleCI, Travis, Azure, Bitbucket, AppVeyor, Cirrus,
//! Woodpecker, Drone, Buildkite and pre-commit: all nest maps, set variables on the way down and name their commands alike.

use super::circle;
use super::env::Env;
use super::gitlab;
use super::jobs;
use super::reusable::{self, Inputs};
use super::script::Script;
use super::shell;
use super::tree::{self, Tree};
use super::yaml::{self, Node, Value};
use crate::facts::trace::{Job, Link, Part, Place, Service};
use crate::text::FileId;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Local actions inside each other.
const DEEPEST: u32 = 4;
/// Local actions and custom commands that one file uses, those inside others counted each time.
const CALLS: u32 = 2_000;

/// One script of a job.
#[derive(Clone, Debug)]
pub struct Step {
    /// An index into the jobs.
    pub job: Option<usize>,
    /// The job and the step.
    pub links: Vec<Link>,
    pub script: Script,
    /// A service runs it: a workflow below the root is a vendored project's own, or a fixture.
    pub is_run: bool,
    pub env: Rc<Env>,
    /// Relative to the project.
    pub dir: String,
    /// A pipe fails when any of its commands fails.
    pub pipefail: bool,
    /// The step's own time limit.
    pub timeout: Option<Place>,
}

/// What CI files say.
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    pub jobs: Vec<Job>,
    pub steps: Vec<Step>,
}

/// The file is run by a CI service (or by pre-commit).
pub fn is_ci(path: &str) -> bool {
    let name = tree::name(path);
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    let stem = name.trim_start_matches('.').trim_end_matches(".yaml").trim_end_matches(".yml");
    let folder = format!("/{}/", tree::folder(path));
    const STEMS: [&str; 13] = [
        "gitlab-ci",
        "travis",
        "azure-pipelines",
        "bitbucket-pipelines",
        "appveyor",
        "cirrus",
        "woodpecker",
        "drone",
        "pre-commit-config",
        "action",
        "zuul",
        "buildkite",
        "semaphore",
    ];
    yaml && (FOLDERS.iter().any(|part| folder.contains(part)) || STEMS.contains(&stem) || stem.ends_with("gitlab-ci"))
}

/// The folder of the project whose CI file this is: `""` for the one at hand, another for one that lies in it.
pub fn base(path: &str) -> &str {
    let whole = format!("/{path}");
    let hidden = FOLDERS.iter().filter_map(|folder| whole.find(folder)).min();
    match hidden {
        Some(at) => path.get(..at.saturating_sub(1)).unwrap_or(""),
        // An action may lie anywhere.
        None if matches!(tree::name(path), "action.yml" | "action.yaml") => "",
        None => tree::folder(path),
    }
}

const FOLDERS: [&str; 9] = [
    "/.github/",
    "/.forgejo/",
    "/.gitea/",
    "/.gitlab/",
    "/.circleci/",
    "/.buildkite/",
    "/.woodpecker/",
    "/.azure-pipelines/",
    "/.semaphore/",
];

/// The service that runs a file, by its path.
pub fn service(path: &str) -> Service {
    let whole = format!("/{path}");
    let name = tree::name(path);
    if whole.contains("/.github/") {
        Service::GitHub
    } else if whole.contains("/.forgejo/") || whole.contains("/.gitea/") {
        Service::Forge
    } else if name.contains("gitlab-ci") || whole.contains("/.gitlab/") {
        Service::GitLab
    } else if whole.contains("/.circleci/") {
        Service::Circle
    } else if whole.contains("/.azure-pipelines/") || name.starts_with("azure-pipelines") {
        Service::Azure
    } else {
        Service::Other
    }
}

/// The jobs and steps of all CI files, in the order of the files.
pub fn read(tree: &Tree) -> Pipeline {
    let (gitlab, others): (Vec<_>, Vec<_>) =
        tree.files().filter(|(path, _)| is_ci(path)).partition(|(path, _)| service(path) == Service::GitLab);
    let mut all: Vec<(Service, FileId, Node)> = Vec::new();
    // What a pipeline includes is read as a part of it.
    let mut included = BTreeSet::new();
    for main in [true, false] {
        for (path, file) in &gitlab {
            if (tree::name(path) == ".gitlab-ci.yml") == main && !included.contains(file) {
                let documents = gitlab::read(tree, *file, &mut included);
                all.extend(documents.into_iter().map(|(file, document)| (Service::GitLab, file, document)));
            }
        }
    }
    for (path, file) in others.into_iter().filter(|(_, file)| !included.contains(file)) {
        all.extend(yaml::parse(file, tree.text(file)).into_iter().map(|document| (service(path), file, document)));
    }
    all.sort_by_key(|(_, file, _)| *file);
    let calls = reusable::calls(tree, all.iter().map(|(_, file, document)| (*file, document)));
    let mut found = Pipeline::default();
    for (service, file, document) in &all {
        let path = tree.path(*file);
        let left = Cell::new(CALLS);
        let given = reusable::inputs(tree, *file, document, &calls);
        let mut walk = Walk {
            tree,
            service: *service,
            base: base(path),
            is_run: base(path).is_empty() && !path.ends_with("pre-commit-config.yaml"),
            root: document,
            inputs: &given,
            found: &mut found,
            deep: 0,
            left: &left,
        };
        let around = Around {
            job: None,
            env: Rc::new(walk.inputs_env()),
            dir: base(path).to_owned(),
            depth: 0,
            in_jobs: false,
            links: Vec::new(),
            pipefail: matches!(service, Service::GitLab | Service::Circle | Service::Other),
            timeout: None,
        };
        // An action of the project is read where it is used, too.
        let action = matches!(tree::name(path), "action.yml" | "action.yaml");
        if !action && *service == Service::Azure && document.get("steps").is_some() {
            let around = walk.job(document, document, "pipeline", &around);
            walk.node(document, &around);
        } else {
            walk.node(document, &around);
        }
    }
    found
}

pub(super) struct Walk<'a> {
    pub(super) tree: &'a Tree<'a>,
    pub(super) service: Service,
    /// Folder of the project that the file belongs to.
    base: &'a str,
    is_run: bool,
    pub(super) root: &'a Node,
    /// What a called workflow is given, by its callers.
    pub(super) inputs: &'a Inputs,
    found: &'a mut Pipeline,
    /// Actions and commands that we are in.
    pub(super) deep: u32,
    /// Actions and commands that may still be entered: those that call others can multiply.
    pub(super) left: &'a Cell<u32>,
}

/// What holds for the nodes below.
#[derive(Clone)]
pub(super) struct Around {
    pub(super) job: Option<usize>,
    pub(super) env: Rc<Env>,
    dir: String,
    depth: u32,
    /// The keys of this map are names of jobs.
    in_jobs: bool,
    pub(super) links: Vec<Link>,
    pipefail: bool,
    timeout: Option<Place>,
}

/// Keys whose text, or list of texts, is run. Lists share a shell.
fn is_command(key: &str) -> bool {
    const KEYS: [&str; 22] = [
        "run",
        "script",
        "scripts",
        "command",
        "commands",
        "cmd",
        "cmds",
        "bash",
        "sh",
        "pwsh",
        "powershell",
        "before_script",
        "after_script",
        "test_script",
        "build_script",
        "before_test",
        "after_test",
        "entry",
        "new_command_on_retry",
        "execute",
        "install",
        "inlineScript",
    ];
    KEYS.contains(&key) || key.ends_with("_script")
}

fn is_folder(key: &str) -> bool {
    matches!(key, "working-directory" | "working_directory" | "workingDirectory")
}

impl Walk<'_> {
    /// Whether an action or command may still be entered.
    pub(super) fn enters(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        self.deep < DEEPEST && left > 0
    }

    /// The text of a scalar, with its places.
    pub(super) fn text(&self, node: &Node) -> Option<Script> {
        node.script(self.tree.text(node.file))
    }

    pub(super) fn node(&mut self, node: &Node, around: &Around) {
        match &node.value {
            Value::List(items) => {
                for item in items {
                    if !(self.service == Service::Circle && self.circle_command(item, around)) {
                        self.node(item, around);
                    }
                }
            }
            Value::Map(pairs) => self.map(node, pairs, around),
            _ => {}
        }
    }

    fn map(&mut self, node: &Node, pairs: &[(Node, Node)], around: &Around) {
        let mut here = around.clone();
        here.depth += 1;
        here.in_jobs = false;
        let azure_job =
            node.get("job").and_then(Node::text).filter(|_| self.service == Service::Azure && node.get("steps").is_some());
        if let Some(name) = azure_job {
            let name = name.to_owned();
            here = self.job(node, node.get("job").unwrap_or(node), &name, &here);
        }
        let mut env = Env::inside(&here.env);
        let mut set = false;
        // A variable may be one of the matrix, wherever that stands.
        for (key, value) in pairs {
            match key.text() {
                Some("matrix") => set |= self.matrix(value, &mut env),
                Some("strategy") => set |= value.get("matrix").is_some_and(|matrix| self.matrix(matrix, &mut env)),
                _ => {}
            }
        }
        for (key, value) in pairs {
            match key.text() {
                Some("env" | "variables" | "environment" | "environments") => set |= self.variables(value, &mut env),
                Some("shell") => here.pipefail = self.fails_with_pipes(value.text().unwrap_or("")),
                Some(key) if is_folder(key) => {
                    if let Some(dir) = value.text().and_then(|dir| folder(self.base, dir)) {
                        here.dir = dir;
                    }
                }
                Some("defaults") => {
                    let run = |key: &str| value.get("run").and_then(|run| run.get(key)).and_then(Node::text);
                    if let Some(dir) = run("working-directory").and_then(|dir| folder(self.base, dir)) {
                        here.dir = dir;
                    }
                    if let Some(shell) = run("shell") {
                        here.pipefail = self.fails_with_pipes(shell);
                    }
                }
                _ => {}
            }
        }
        if set {
            here.env = Rc::new(env);
        }
        let is_step =
            here.job.is_some() && pairs.iter().any(|(key, _)| key.text().is_some_and(|key| is_command(key) || key == "uses"));
        if is_step && around.depth > 1 {
            let limit = ["timeout-minutes", "timeoutInMinutes", "timeout_minutes", "timeout_seconds"]
                .iter()
                .find_map(|key| node.get(key));
            here.timeout = limit.map(Node::place).or(here.timeout);
        }
        self.action(node, &here);
        let mut shared = Script::default();
        let mut last = None;
        for (key, value) in pairs {
            let Some(name) = key.text() else { continue };
            let commands = self.service == Service::Circle && around.depth == 0;
            if is_command(name)
                && !commands
                && let Some(script) = self.script(value)
            {
                if self.service == Service::GitLab && matches!(name, "before_script" | "script") {
                    // Both run in one shell.
                    last = Some(key);
                    if name == "before_script" {
                        let rest = std::mem::replace(&mut shared, script);
                        append_line(&mut shared, &rest);
                    } else {
                        append_line(&mut shared, &script);
                    }
                } else {
                    let link = self.link(node, key, &script);
                    self.step(&here, link, script);
                }
                continue;
            }
            if matches!(name, "env" | "variables" | "environment" | "on" | "matrix" | "strategy" | "defaults") {
                continue;
            }
            let gitlab = self.service == Service::GitLab && around.depth == 0;
            // What custom commands do is read where they are used.
            if self.service == Service::Circle && around.depth == 0 && matches!(name, "commands" | "executors" | "workflows") {
                continue;
            }
            if gitlab && (name.starts_with('.') || gitlab::RESERVED.contains(&name)) {
                continue;
            }
            let job = around.in_jobs || (gitlab && !value.pairs().is_empty());
            if job {
                let mut named = self.job(value, key, name, &here);
                if self.service == Service::Circle {
                    self.circle_job(name, value, &mut named);
                }
                self.node(value, &named);
            } else {
                let inner = Around { in_jobs: name == "jobs" && around.depth == 0, ..here.clone() };
                self.node(value, &inner);
            }
        }
        if !shared.text.is_empty() {
            let link = last.and_then(|key| self.link(node, key, &shared));
            self.step(&here, link, shared);
        }
    }

    /// What a called workflow is given: the value where it is one, else what it may be.
    fn inputs_env(&self) -> Env {
        let mut env = Env::default();
        for (name, values) in self.inputs {
            let name = format!("inputs.{name}");
            match values.as_slice() {
                [Some(only)] => env.set(&name, Some(only.clone())),
                _ => env.set(&name, None),
            }
            let texts: Option<Vec<String>> = values.iter().map(|value| value.as_ref().map(|value| value.text.clone())).collect();
            env.choose(&name, texts.unwrap_or_default());
        }
        env
    }

    /// Enters a job.
    fn job(&mut self, node: &Node, key: &Node, name: &str, around: &Around) -> Around {
        let reader = jobs::Reader { tree: self.tree, service: self.service, root: self.root, inputs: self.inputs };
        let job = reader.read(name, key, node);
        let mut inner = around.clone();
        if self.service == Service::GitHub && job.labels.as_ref().is_some_and(|(labels, _)| labels.starts_with("windows")) {
            // PowerShell keeps the status of the program.
            inner.pipefail = true;
        }
        inner.links.push(Link { what: Part::Job, text: name.to_owned(), place: (job.file, job.head) });
        self.found.jobs.push(job);
        inner.job = Some(self.found.jobs.len() - 1);
        inner
    }

    fn step(&mut self, here: &Around, link: Option<Link>, mut script: Script) {
        if self.service == Service::Circle {
            script = circle::filled(&script, &here.env);
        }
        let mut links = here.links.clone();
        links.extend(link);
        let step = Step {
            job: here.job,
            links,
            script,
            is_run: self.is_run,
            env: here.env.clone(),
            dir: here.dir.clone(),
            pipefail: here.pipefail,
            timeout: here.timeout,
        };
        self.found.steps.push(step);
    }

    /// A step by its name, or the key of its commands.
    fn link(&self, node: &Node, key: &Node, script: &Script) -> Option<Link> {
        let name = ["name", "displayName"].iter().find_map(|key| node.get(key)).filter(|_| self.service != Service::GitLab);
        let (text, place) = match name.and_then(|name| Some((name.text()?, name.place()))) {
            Some((text, place)) => (text.to_owned(), place),
            None => (script.text.lines().find(|line| !line.trim().is_empty())?.trim().to_owned(), key.place()),
        };
        Some(Link { what: Part::Step, text, place })
    }

    /// Whether a shell that is named so has `pipefail` set: GitHub runs `shell: bash` with it, and a step without `shell` not
    /// (GitHub documentation, "Workflow syntax", `jobs.<job_id>.steps[*].shell`); Forgejo's runner does the same.
    fn fails_with_pipes(&self, shell: &str) -> bool {
        match self.service {
            Service::GitHub | Service::Forge => {
                shell.trim() == "bash" || shell.contains("pipefail") || shell.contains("pwsh") || shell.contains("powershell")
            }
            _ => shell.contains("pipefail"),
        }
    }

    /// A text, or the texts of a list, a line each.
    fn script(&self, value: &Node) -> Option<Script> {
        match &value.value {
            Value::Scalar { .. } => self.text(value),
            Value::List(items) => {
                let mut all = Script::default();
                for item in items {
                    match &item.value {
                        Value::Scalar { .. } => append_line(&mut all, &self.text(item)?),
                        // Lists in lists are flattened by GitLab; anything else is no list of commands.
                        Value::List(_) => append_line(&mut all, &self.script(item).unwrap_or_default()),
                        Value::Alias | Value::Reference(_) => {}
                        Value::Map(_) => return None,
                    }
                }
                (!all.text.is_empty()).then_some(all)
            }
            _ => None,
        }
    }

    /// `NAME: value` pairs, `- name: N, value: v` items, and `- NAME=value` lines.
    pub(super) fn variables(&self, node: &Node, env: &mut Env) -> bool {
        let outer = env.clone();
        // A value may hold an expression over what is set outside.
        let text = |node: &Node| {
            let mut script = self.text(node)?;
            if self.service == Service::Circle {
                script = circle::filled(&script, &outer);
            }
            if !script.text.contains("${{") {
                return Some(script);
            }
            let word = shell::quoted(&script);
            let filled = outer.fill_one(&word);
            filled.expansions.is_empty().then_some(filled.text)
        };
        let mut set = false;
        // `env: ${{ matrix.env }}`: the keys of the maps on that axis.
        if let Some(inner) = node.text().and_then(|text| text.trim().strip_prefix("${{")?.strip_suffix("}}")) {
            for (name, among) in outer.choices_below(inner.trim()) {
                env.set(&name, None);
                env.choose(&name, among);
                set = true;
            }
        }
        for (key, value) in node.pairs() {
            if let Some(name) = key.text() {
                // GitLab: `NAME: { value: x }`.
                env.set(name, text(value).or_else(|| value.get("value").and_then(text)));
                // One of several.
                if let Some(inner) = value.text().and_then(|text| text.strip_prefix("${{")?.strip_suffix("}}")) {
                    let among = choices(&outer, inner);
                    if !among.is_empty() {
                        env.choose(name, among);
                    }
                }
                set = true;
            }
        }
        for item in node.items() {
            if let Some(name) = item.get("name").and_then(Node::text) {
                env.set(name, item.get("value").and_then(text));
            } else if let Some(line) = text(item) {
                // Travis puts several on one line.
                for command in shell::commands(&line) {
                    for (name, value) in command.assigns {
                        env.set(&name, Some(value.text));
                    }
                }
            } else {
                set |= self.variables_of_maps(item, env);
                continue;
            }
            set = true;
        }
        set
    }

    fn variables_of_maps(&self, item: &Node, env: &mut Env) -> bool {
        if item.items().is_empty() && !item.pairs().is_empty() { self.variables(item, env) } else { false }
    }

    /// A matrix axis with one value is that value; with several it is not known which.
    fn matrix(&self, node: &Node, env: &mut Env) -> bool {
        let mut set = false;
        for (key, value) in node.pairs() {
            let Some(name) = key.text().filter(|name| !matches!(*name, "include" | "exclude")) else { continue };
            let only = match value.items() {
                [only] => self.text(only),
                _ => None,
            };
            env.set(&format!("matrix.{name}"), only);
            set = true;
        }
        let included = node.get("include").map(Node::items).unwrap_or(&[]);
        for (key, _) in included.iter().flat_map(Node::pairs).chain(node.pairs()) {
            if let Some(name) = key.text().filter(|name| !matches!(*name, "include" | "exclude"))
                && let Some(values) = jobs::axis(node, name)
            {
                env.choose(&format!("matrix.{name}"), values);
                set = true;
            }
        }
        let maps = |axis: &Node| axis.items().iter().flat_map(Node::pairs).map(|(key, _)| key.clone()).collect::<Vec<_>>();
        let inner = included
            .iter()
            .flat_map(Node::pairs)
            .map(|(key, value)| (key, value.pairs().iter().map(|(key, _)| key.clone()).collect()));
        for (outer, keys) in inner.chain(node.pairs().iter().map(|(key, value)| (key, maps(value)))) {
            for key in keys {
                if let (Some(outer), Some(key)) = (outer.text().filter(|name| *name != "include"), key.text())
                    && let Some(values) = jobs::axis(node, &format!("{outer}.{key}"))
                {
                    env.choose(&format!("matrix.{outer}.{key}"), values);
                    set = true;
                }
            }
        }
        set
    }

    /// Actions that run tests themselves: `uses: actions-rs/cargo` with `command` and `args` is `cargo command args`; fastai's
    /// `nbdev-ci` runs `nbdev_test`, and `pypa/cibuildwheel` is the command.
    fn action(&mut self, node: &Node, around: &Around) {
        let Some((uses, name)) = node.get("uses").and_then(|uses| Some((uses, uses.text()?))) else { return };
        let argument = |key: &str| node.at(&["with", key]).and_then(|node| self.text(node));
        let (start, end) = (uses.span.start as usize, uses.span.end as usize);
        let mut script = Script::default();
        if name.starts_with("actions-rs/cargo") || name.starts_with("clechasseur/rs-cargo") {
            let Some(command) = argument("command") else { return };
            script.push_as(uses.file, start..end, "cargo");
            for part in [Some(command), argument("args")].into_iter().flatten() {
                script.push_as(uses.file, end..end, " ");
                script.append(&part, 0..part.text.len());
            }
        } else if name.starts_with("pypa/cibuildwheel") {
            script.push_as(uses.file, start..end, "cibuildwheel");
            if let Some(package) = argument("package-dir") {
                script.push_as(uses.file, end..end, " ");
                script.append(&package, 0..package.text.len());
            }
        } else if name.starts_with("fastai/workflows/nbdev-ci") {
            script.push_as(uses.file, start..end, "nbdev_test");
        } else {
            return self.local_action(node, uses, name, around);
        }
        let link = Some(Link { what: Part::Step, text: name.to_owned(), place: uses.place() });
        self.step(around, link, script);
    }

    /// An action of this project: its steps run in the job that uses it, with the inputs it is given.
    fn local_action(&mut self, node: &Node, uses: &Node, name: &str, around: &Around) {
        let tree = self.tree;
        let Some(dir) = name.strip_prefix("./").and_then(|dir| tree::join(self.base, dir)).filter(|_| self.enters()) else {
            return;
        };
        let found = ["action.yml", "action.yaml"].iter().find_map(|file| {
            let path = if dir.is_empty() { (*file).to_owned() } else { format!("{dir}/{file}") };
            tree.file(&path)
        });
        let (Some(file), true) = (found, around.job.is_some()) else { return };
        let documents = yaml::parse(file, tree.text(file));
        let Some(root) = documents.first() else { return };
        let mut env = Env::inside(&around.env);
        for (key, input) in root.get("inputs").map(Node::pairs).unwrap_or(&[]) {
            let Some(key) = key.text() else { continue };
            let given = node.at(&["with", key]).and_then(|node| self.text(node));
            if let Some(inner) = given.as_ref().and_then(|script| script.text.trim().strip_prefix("${{")?.strip_suffix("}}")) {
                env.choose(&format!("inputs.{key}"), choices(&around.env, inner));
            }
            let given = given.map(|script| around.env.fill_one(&shell::quoted(&script)));
            let value = match given {
                Some(word) => word.expansions.is_empty().then_some(word.text),
                None => input.get("default").and_then(|node| self.text(node)),
            };
            env.set(&format!("inputs.{key}"), value);
        }
        let mut links = around.links.clone();
        links.push(Link { what: Part::Step, text: name.to_owned(), place: uses.place() });
        let mut walk = Walk {
            tree,
            service: self.service,
            base: self.base,
            is_run: self.is_run,
            root,
            inputs: self.inputs,
            found: self.found,
            deep: self.deep + 1,
            left: self.left,
        };
        let around = Around { env: Rc::new(env), links, depth: 2, in_jobs: false, ..around.clone() };
        if let Some(steps) = root.at(&["runs", "steps"]) {
            walk.node(steps, &around);
        }
    }
}

/// A folder as CI files write it, from the root of the checkout; one that holds an expression is not known. Settings further in
/// replace outer ones, they do not add up.
fn folder(base: &str, dir: &str) -> Option<String> {
    const ROOTS: [&str; 6] = [
        "${{ github.workspace }}",
        "${{github.workspace}}",
        "$GITHUB_WORKSPACE",
        "$CI_PROJECT_DIR",
        "$(Build.SourcesDirectory)",
        "$(System.DefaultWorkingDirectory)",
    ];
    let dir = dir.trim();
    let dir = ROOTS.iter().find_map(|root| dir.strip_prefix(root)).map_or(dir, |rest| rest.trim_start_matches('/'));
    if dir.contains('$') { None } else { tree::join(base, dir) }
}

/// What an expression may come to: the values of a matrix, or the texts that it chooses from.
fn choices(env: &Env, expression: &str) -> Vec<String> {
    let known = env.choices(expression.trim());
    if known.is_empty() { jobs::chosen(expression) } else { known.to_vec() }
}

fn append_line(all: &mut Script, line: &Script) {
    if let (false, Some((file, span))) = (all.text.is_empty() || all.text.ends_with('\n'), line.whole()) {
        all.push_as(file, span.start as usize..span.start as usize, "\n");
    }
    all.append(line, 0..line.text.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Kind, Source, Span};

    fn steps(path: &str, text: &str) -> Vec<Step> {
        let sources = [Source::of(path, Kind::Config, text)];
        read(&Tree::new(&sources)).steps
    }

    fn value<'a>(step: &'a Step, name: &str) -> Option<&'a str> {
        step.env.value(name).map(|script| script.text.as_str())
    }

    #[test]
    fn workflows() {
        let text = "on: push\nenv:\n  A: 1\n  B: 1\ndefaults:\n  run:\n    working-directory: ./sub\njobs:\n  test:\n    strategy:\n      matrix:\n        n: [4]\n        py: [a, b]\n    env: {B: '2'}\n    steps:\n      - uses: actions/checkout@v4\n      - name: run\n        env:\n          C: 3\n        run: |\n          pip install .\n          pytest -n 4\n      - run: cargo test\n        working-directory: other\n  lint:\n    steps:\n      - uses: actions-rs/cargo@v1\n        with:\n          command: test\n          args: --all -- --test-threads=1\n";
        for path in [".github/workflows/ci.yml", ".forgejo/workflows/ci.yaml", ".gitea/workflows/x.yml"] {
            let all = steps(path, text);
            assert_eq!(all.len(), 4, "{path}: {all:?}");
            assert_eq!(all[0].script.text, "pip install .\npytest -n 4\n");
            assert_eq!((value(&all[0], "A"), value(&all[0], "B"), value(&all[0], "C")), (Some("1"), Some("2"), Some("3")));
            assert_eq!((value(&all[0], "matrix.n"), value(&all[0], "matrix.py")), (Some("4"), None));
            assert_eq!((all[0].dir.as_str(), all[1].dir.as_str()), ("sub", "other"));
            assert_eq!(all[0].links[0].text, "test");
            assert_eq!((value(&all[1], "B"), value(&all[1], "C")), (Some("2"), None));
            let at = all[0].script.text.find("-n 4").unwrap();
            let start = text.find("-n 4").unwrap();
            assert_eq!(all[0].script.place(at..at + 4), Some((FileId(0), Span::new(start, start + 4))));
            assert!(all.iter().any(|step| step.script.text == "cargo test --all -- --test-threads=1"));
        }
    }

    #[test]
    fn other_services() {
        let all = steps(
            ".gitlab-ci.yml",
            "variables:\n  A: 1\n  B: {value: '2'}\ntest:\n  variables: {C: 3}\n  script:\n    - pytest -n 2\n    - [echo a, echo b]\n  before_script:\n    - cd sub\n.hidden: &h\n  script: cargo test\nother:\n  <<: *h\n",
        );
        assert_eq!(all[0].script.text, "cd sub\npytest -n 2\necho a\necho b");
        assert_eq!((value(&all[0], "A"), value(&all[0], "B"), value(&all[0], "C")), (Some("1"), Some("2"), Some("3")));
        assert_eq!((all[0].links[0].text.as_str(), all[1].script.text.as_str(), all.len()), ("test", "cargo test", 2));
        let all = steps(
            ".circleci/config.yml",
            "jobs:\n  build:\n    working_directory: ~/repo\n    environment:\n      N: 4\n    steps:\n      - checkout\n      - run: pytest -n 1\n      - run:\n          name: x\n          command: pytest -n $N\n          working_directory: sub\n",
        );
        assert_eq!(
            all.iter().map(|step| (step.script.text.as_str(), step.dir.as_str())).collect::<Vec<_>>(),
            [("pytest -n 1", ""), ("pytest -n $N", "sub")]
        );
        assert_eq!(value(&all[1], "N"), Some("4"));
        let all = steps(".travis.yml", "env:\n  - A=1 B=\"x y\"\nscript: pytest\n");
        assert_eq!((value(&all[0], "A"), value(&all[0], "B")), (Some("1"), Some("x y")));
        let all = steps(
            "azure-pipelines.yml",
            "steps:\n- script: |\n    pytest -n auto\n  displayName: t\n- bash: cargo test\n  env:\n    X: 1\n",
        );
        assert_eq!((all[0].script.text.as_str(), value(&all[1], "X")), ("pytest -n auto\n", Some("1")));
        let all = steps(".pre-commit-config.yaml", "repos:\n- repo: local\n  hooks:\n  - id: t\n    entry: pytest -n 3\n");
        assert_eq!(all[0].script.text, "pytest -n 3");
        let all = steps(".cirrus.yml", "task:\n  test_script:\n    - pytest -n 2\n");
        assert_eq!(all[0].script.text, "pytest -n 2");
        assert_eq!(steps("docs/config.yml", "run: pytest\n").len(), 0);
    }

    #[test]
    fn actions_of_the_project_run_in_the_job() {
        let sources: Vec<Source> = [
            (
                ".github/actions/tests/action.yml",
                "inputs:\n  workers: {default: '2'}\nruns:\n  using: composite\n  steps:\n    - run: pytest -n ${{ inputs.workers }}\n      shell: bash\n",
            ),
            (
                ".github/workflows/ci.yml",
                "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: ./.github/actions/tests\n      - uses: ./.github/actions/tests\n        with: {workers: '3'}\n",
            ),
        ]
        .iter()
        .map(|(path, text)| Source::of(*path, Kind::Config, *text))
        .collect();
        let found = read(&Tree::new(&sources));
        let steps: Vec<&Step> = found.steps.iter().filter(|step| step.job.is_some()).collect();
        assert_eq!(steps.iter().map(|step| value(step, "inputs.workers")).collect::<Vec<_>>(), [Some("2"), Some("3")]);
        assert!(steps.iter().all(|step| step.pipefail && step.links.len() == 3));
    }

    /// Anchors, merge keys, references and depth: nothing panics, and time stays in proportion to the file.
    #[test]
    fn traps_are_survived() {
        let long: String = (0..10_000).map(|n| format!("job{n}:\n  extends: .base\n  script:\n    - pytest -n {n}\n")).collect();
        let text = format!(".base: {{image: python, tags: [a]}}\n{long}");
        assert_eq!(steps(".gitlab-ci.yml", &text).len(), 10_000);
        let mut bomb = "a0: &a0 {run: pytest}\n".to_owned();
        for n in 1..60 {
            bomb.push_str(&format!("a{n}: &a{n} {{b: *a{0}, c: *a{0}, d: *a{0}, <<: [*a{0}, *a{0}]}}\n", n - 1));
        }
        for path in [".github/workflows/a.yml", ".gitlab-ci.yml", ".circleci/config.yml", "azure-pipelines.yml"] {
            steps(path, &bomb);
            steps(path, "jobs:\n  a: &a\n    <<: *a\n    run: x\n  a: {run: y}\n---\njobs: {b: {steps: [{run: z}]}}\n");
        }
    }

    #[test]
    fn hostile_files_are_survived() {
        for text in [
            "",
            "jobs",
            "jobs: [",
            "env: [a, =, {name: x}, [y]]\nrun: {}\n",
            "variables: *x\nscript: [*x, {a: b}]\n",
            "script: [[[[a]]]]\n",
            "- - - run: x\n",
        ] {
            steps(".github/workflows/a.yml", text);
            steps(".gitlab-ci.yml", text);
        }
        let mut deep = String::new();
        for n in 0..200 {
            deep.push_str(&format!("{}a: \n{}env: {{X{n}: 1}}\n", "  ".repeat(n), "  ".repeat(n)));
        }
        steps(".github/workflows/a.yml", &deep);
    }
}
