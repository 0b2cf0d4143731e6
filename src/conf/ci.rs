//! CI files to steps: a script, the variables around it, the folder it runs in.
//!
//! One walk serves GitHub, Forgejo and Gitea workflows and actions, GitLab, CircleCI, Travis, Azure, Bitbucket, AppVeyor, Cirrus,
//! Woodpecker, Drone, Buildkite and pre-commit: all nest maps, set variables on the way down and name their commands alike.

use super::env::Env;
use super::script::Script;
use super::tree::{self, Tree};
use super::yaml::{self, Node, Value};
use crate::text::{FileId, Span};
use std::rc::Rc;

/// One script of a job.
#[derive(Clone, Debug)]
pub struct Step {
    /// Name of the job, with its place.
    pub job: Option<(String, FileId, Span)>,
    pub script: Script,
    pub env: Rc<Env>,
    /// Relative to the project.
    pub dir: String,
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

/// The steps of all CI files, in the order of the files.
pub fn read(tree: &Tree) -> Vec<Step> {
    let mut all = Vec::new();
    for (path, file) in tree.files() {
        if is_ci(path) {
            let text = tree.text(file);
            let gitlab = tree::name(path).contains("gitlab-ci") || path.contains(".gitlab/");
            for document in yaml::parse(text) {
                let mut walk = Walk { file, text, gitlab, base: base(path), all: &mut all };
                walk.node(
                    &document,
                    &Around { job: None, env: Rc::default(), dir: base(path).to_owned(), depth: 0, in_jobs: false },
                );
            }
        }
    }
    all
}

struct Walk<'a> {
    file: FileId,
    text: &'a str,
    gitlab: bool,
    /// Folder of the project that the file belongs to.
    base: &'a str,
    all: &'a mut Vec<Step>,
}

/// What holds for the nodes below.
#[derive(Clone)]
struct Around {
    job: Option<(String, FileId, Span)>,
    env: Rc<Env>,
    dir: String,
    depth: u32,
    /// The keys of this map are names of jobs.
    in_jobs: bool,
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
    fn node(&mut self, node: &Node, around: &Around) {
        match &node.value {
            Value::List(items) => {
                for item in items {
                    self.node(item, around);
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
        let mut env = Env::inside(&around.env);
        let mut set = false;
        for (key, value) in pairs {
            match key.text() {
                Some("env" | "variables" | "environment" | "environments") => set |= self.variables(value, &mut env),
                Some("matrix") => set |= self.matrix(value, &mut env),
                Some("strategy") => set |= value.get("matrix").is_some_and(|matrix| self.matrix(matrix, &mut env)),
                Some(key) if is_folder(key) => {
                    if let Some(dir) = value.text().and_then(|dir| folder(self.base, dir)) {
                        here.dir = dir;
                    }
                }
                Some("defaults") => {
                    let dir = value.get("run").and_then(|run| run.get("working-directory")).and_then(Node::text);
                    if let Some(dir) = dir.and_then(|dir| folder(self.base, dir)) {
                        here.dir = dir;
                    }
                }
                _ => {}
            }
        }
        if set {
            here.env = Rc::new(env);
        }
        self.action(node, &here);
        let mut shared = Script::default();
        for (key, value) in pairs {
            let Some(name) = key.text() else { continue };
            if is_command(name)
                && let Some(script) = self.script(value)
            {
                if self.gitlab && matches!(name, "before_script" | "script") {
                    // Both run in one shell.
                    if name == "before_script" {
                        let rest = std::mem::replace(&mut shared, script);
                        append_line(&mut shared, &rest);
                    } else {
                        append_line(&mut shared, &script);
                    }
                } else {
                    self.all.push(Step { job: here.job.clone(), script, env: here.env.clone(), dir: here.dir.clone() });
                }
                continue;
            }
            if matches!(name, "env" | "variables" | "environment" | "on" | "matrix" | "strategy" | "defaults") {
                continue;
            }
            let job = around.in_jobs || (self.gitlab && around.depth == 0);
            if job {
                let named = Around { job: Some((name.to_owned(), self.file, key.span)), ..here.clone() };
                self.node(value, &named);
            } else {
                let inner = Around { in_jobs: name == "jobs" && around.depth == 0, ..here.clone() };
                self.node(value, &inner);
            }
        }
        if !shared.text.is_empty() {
            self.all.push(Step { job: here.job, script: shared, env: here.env, dir: here.dir });
        }
    }

    /// A text, or the texts of a list, a line each.
    fn script(&self, value: &Node) -> Option<Script> {
        match &value.value {
            Value::Scalar { .. } => value.script(self.file, self.text),
            Value::List(items) => {
                let mut all = Script::default();
                for item in items {
                    match &item.value {
                        Value::Scalar { .. } => append_line(&mut all, &item.script(self.file, self.text)?),
                        // Lists in lists are flattened by GitLab; anything else is no list of commands.
                        Value::List(_) => append_line(&mut all, &self.script(item).unwrap_or_default()),
                        Value::Alias => {}
                        Value::Map(_) => return None,
                    }
                }
                (!all.text.is_empty()).then_some(all)
            }
            _ => None,
        }
    }

    /// `NAME: value` pairs, `- name: N, value: v` items, and `- NAME=value` lines.
    fn variables(&self, node: &Node, env: &mut Env) -> bool {
        let text = |node: &Node| node.script(self.file, self.text);
        let mut set = false;
        for (key, value) in node.pairs() {
            if let Some(name) = key.text() {
                // GitLab: `NAME: { value: x }`.
                env.set(name, text(value).or_else(|| value.get("value").and_then(text)));
                set = true;
            }
        }
        for item in node.items() {
            if let Some(name) = item.get("name").and_then(Node::text) {
                env.set(name, item.get("value").and_then(text));
            } else if let Some(line) = text(item) {
                // Travis puts several on one line.
                for command in super::shell::commands(&line) {
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
                [only] => only.script(self.file, self.text),
                _ => None,
            };
            env.set(&format!("matrix.{name}"), only);
            set = true;
        }
        set
    }

    /// Actions that run tests themselves: `uses: actions-rs/cargo` with `command` and `args` is `cargo command args`; fastai's
    /// `nbdev-ci` runs `nbdev_test`.
    fn action(&mut self, node: &Node, around: &Around) {
        let Some((uses, name)) = node.get("uses").and_then(|uses| Some((uses, uses.text()?))) else { return };
        let argument = |key: &str| node.at(&["with", key]).and_then(|node| node.script(self.file, self.text));
        let (start, end) = (uses.span.start as usize, uses.span.end as usize);
        let mut script = Script::default();
        if name.starts_with("actions-rs/cargo") || name.starts_with("clechasseur/rs-cargo") {
            let Some(command) = argument("command") else { return };
            script.push_as(self.file, start..end, "cargo");
            for part in [Some(command), argument("args")].into_iter().flatten() {
                script.push_as(self.file, end..end, " ");
                script.append(&part, 0..part.text.len());
            }
        } else if name.starts_with("fastai/workflows/nbdev-ci") {
            script.push_as(self.file, start..end, "nbdev_test");
        } else {
            return;
        }
        self.all.push(Step { job: around.job.clone(), script, env: around.env.clone(), dir: around.dir.clone() });
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

fn append_line(all: &mut Script, line: &Script) {
    if let (false, Some((file, span))) = (all.text.is_empty() || all.text.ends_with('\n'), line.whole()) {
        all.push_as(file, span.start as usize..span.start as usize, "\n");
    }
    all.append(line, 0..line.text.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Kind, Source};

    fn steps(path: &str, text: &str) -> Vec<Step> {
        let sources = [Source { path: path.into(), kind: Kind::Config, text: text.into(), decoded: false }];
        read(&Tree::new(&sources))
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
            assert_eq!(all[0].job.as_ref().unwrap().0, "test");
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
        assert_eq!((all[0].job.as_ref().unwrap().0.as_str(), all[1].script.text.as_str(), all.len()), ("test", "cargo test", 2));
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
