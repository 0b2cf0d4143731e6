//! The Action and the snippets of docs/ci.md: they parse, and bash runs their steps against a project with one finding.
//!
//! `cargo test --test oracle_ci -- --ignored`

#[allow(dead_code, reason = "the tests of pages use the rest")]
mod blocks;
#[allow(dead_code, reason = "the tests of pages use the rest")]
mod project;
mod world;

use blocks::Part;
use isolint::conf::yaml::{Node, Value, parse};
use isolint::text::FileId;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use world::{Ran, World, finish};

const HAZARD: &str = "import tempfile\n\n\ndef test_name():\n    open(tempfile.mktemp(), \"w\").close()\n";

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The one document of a text.
fn document(text: &str) -> Node {
    let mut documents = parse(FileId(0), text);
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

fn pairs(node: &Node) -> &[(Node, Node)] {
    match &node.value {
        Value::Map(pairs) => pairs,
        _ => &[],
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        _ => &[],
    }
}

fn scalar(node: &Node) -> &str {
    match &node.value {
        Value::Scalar { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    pairs(node).iter().find(|(name, _)| matches!(&name.value, Value::Scalar { text, .. } if text == key)).map(|(_, value)| value)
}

/// A project with one finding, a repository of its own, and a `pip` that has nothing to do.
fn sample() -> World {
    let world = World::bare();
    world.file("tests/test_name.py", HAZARD);
    world.file("bin/pip", "#!/bin/sh\n");
    // Notes what it is called with; as `-m venv FOLDER` it puts itself there.
    let python = "#!/bin/sh\necho \"$*\" >> python.log\nif [ \"$2\" = venv ]; then mkdir -p \"$3/bin\" && cp \"$0\" \"$3/bin/python\"; fi\n";
    world.file("bin/python3", python);
    for name in ["pip", "python3"] {
        assert!(Command::new("chmod").arg("+x").arg(world.path(&format!("bin/{name}"))).status().unwrap().success());
    }
    let base = "git init -q -b main . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git update-ref refs/remotes/origin/main HEAD";
    assert_eq!(bash(&world, base, &BTreeMap::new()).status, 0);
    world
}

/// Runs a script as runners do, with `isolint` on the PATH.
fn bash(world: &World, script: &str, variables: &BTreeMap<String, String>) -> Ran {
    let built = Path::new(env!("CARGO_BIN_EXE_isolint")).parent().unwrap().to_owned();
    let old = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([built, world.path("bin")].into_iter().chain(std::env::split_paths(&old))).unwrap();
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]).current_dir(world.root());
    command.env("PATH", path).env("GITHUB_BASE_REF", "main").envs(variables).env_remove("ISOLINT_OUTPUT_FORMAT");
    finish(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// What the Action does with these inputs: what its steps print, and the status of the last.
fn action(world: &World, inputs: &[(&str, &str)]) -> (String, i32, BTreeMap<String, String>) {
    let action = document(&read("action.yml"));
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (name, input) in pairs(get(&action, "inputs").unwrap()) {
        assert!(get(input, "description").is_some(), "{}", scalar(name));
        known.insert(format!("inputs.{}", scalar(name)), scalar(get(input, "default").unwrap()).to_owned());
    }
    for (name, value) in inputs {
        assert!(known.insert(format!("inputs.{name}"), (*value).to_owned()).is_some(), "{name}");
    }
    known.insert("github.action_path".to_owned(), env!("CARGO_MANIFEST_DIR").to_owned());
    let (mut out, mut status) = (String::new(), 0);
    for step in items(get(get(&action, "runs").unwrap(), "steps").unwrap()) {
        let Some(script) = get(step, "run").map(scalar) else { continue };
        assert!(!script.contains("${{"), "what people set goes through the environment: {script}");
        let mut variables = BTreeMap::from([
            ("RUNNER_TEMP".to_owned(), world.path("temp").display().to_string()),
            ("GITHUB_OUTPUT".to_owned(), world.path("output").display().to_string()),
            ("GITHUB_PATH".to_owned(), world.path("path").display().to_string()),
        ]);
        world.file("output", "");
        for (name, value) in get(step, "env").map(pairs).unwrap_or_default() {
            let expression = scalar(value).trim_start_matches("${{").trim_end_matches("}}").trim();
            variables.insert(scalar(name).to_owned(), known.get(expression).cloned().unwrap_or_default());
        }
        let ran = bash(world, script, &variables);
        out.push_str(&ran.out);
        out.push_str(&ran.err);
        status = ran.status;
        if let Some(id) = get(step, "id").map(scalar) {
            for line in fs::read_to_string(world.path("output")).unwrap().lines() {
                let (name, value) = line.split_once('=').unwrap();
                known.insert(format!("steps.{id}.outputs.{name}"), value.to_owned());
            }
        }
        if status != 0 {
            break;
        }
    }
    (out, status, known)
}

#[test]
#[ignore = "needs bash and git"]
fn the_action_reports_and_writes_what_is_uploaded() {
    let world = sample();
    let (out, status, known) = action(&world, &[]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("::warning title=isolint%3A mktemp,file=tests/test_name.py,line=5"), "{out}");
    assert_eq!(known["steps.check.outputs.sarif-file"], "isolint.sarif");
    let sarif: serde_json::Value = serde_json::from_str(&fs::read_to_string(world.path("isolint.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "mktemp");
}

#[test]
#[ignore = "needs bash and git"]
fn the_inputs_of_the_action_are_heeded() {
    let (out, status, known) = action(&sample(), &[("fail", "false"), ("upload", "false")]);
    assert_eq!((status, known.get("steps.check.outputs.sarif-file")), (0, None), "{out}");
    let (out, status, _) =
        action(&sample(), &[("args", "--ignore mktemp\n--min-severity error"), ("path", "tests tests/test_name.py")]);
    assert_eq!(status, 0, "{out}");
    let (out, status, known) = action(&sample(), &[("args", "--no-such-flag"), ("fail", "false")]);
    assert_eq!((status, known["steps.check.outputs.status"].as_str()), (2, "2"), "{out}");
    assert!(!known.contains_key("steps.check.outputs.sarif-file"));
}

#[test]
#[ignore = "needs bash and git"]
fn a_version_is_installed_beside_the_project() {
    let world = sample();
    let (out, status, _) = action(&world, &[("version", "1.2.3")]);
    assert_eq!(status, 1, "{out}");
    let calls = fs::read_to_string(world.path("python.log")).unwrap();
    let environment = world.path("temp/isolint");
    let expected =
        format!("-m venv {}\n-m pip install --quiet --disable-pip-version-check isolint==1.2.3\n", environment.display());
    assert_eq!(calls, expected);
    assert_eq!(fs::read_to_string(world.path("path")).unwrap(), format!("{}\n", environment.join("bin").display()));
}

#[test]
#[ignore = "needs bash and git"]
fn the_snippets_parse_and_their_steps_run() {
    let mut seen = Vec::new();
    for (line, part) in blocks::parts(&read("docs/ci.md")) {
        let Part::File(file) = part else { continue };
        let mut scripts = Vec::new();
        collect(&document(&file.text), &mut scripts);
        let world = sample();
        for script in &scripts {
            let ran = bash(&world, script, &BTreeMap::new());
            let expected = i32::from(script.starts_with("isolint check"));
            assert_eq!(ran.status, expected, "docs/ci.md:{line}: {script}: {ran:?}");
        }
        if file.path == ".gitlab-ci.yml" {
            is_code_quality(&fs::read_to_string(world.path("gl-code-quality-report.json")).unwrap());
        }
        seen.push((file.path, scripts.len()));
    }
    let seen: Vec<(&str, usize)> = seen.iter().map(|(path, scripts)| (path.as_str(), *scripts)).collect();
    let expected = [
        (".pre-commit-config.yaml", 0),
        (".github/workflows/isolint.yml", 0),
        (".github/workflows/isolint-changed.yml", 2),
        (".gitlab-ci.yml", 2),
        (".forgejo/workflows/isolint.yml", 2),
        (".circleci/config.yml", 2),
    ];
    assert_eq!(seen, expected);
}

/// The scripts of a pipeline: what stands under `run` and `script`.
fn collect(node: &Node, scripts: &mut Vec<String>) {
    for (key, value) in pairs(node) {
        match (&key.value, &value.value) {
            (Value::Scalar { text, .. }, Value::Scalar { text: script, .. }) if text == "run" => scripts.push(script.clone()),
            (Value::Scalar { text, .. }, Value::List(lines)) if text == "script" => {
                scripts.extend(lines.iter().map(|line| scalar(line).to_owned()));
            }
            _ => collect(value, scripts),
        }
    }
    items(node).iter().for_each(|item| collect(item, scripts));
}

/// What GitLab asks of a report (GitLab documentation, "Code Quality", "Code Quality report format").
fn is_code_quality(text: &str) {
    assert!(!text.starts_with('\u{feff}'), "no byte order mark");
    let report: serde_json::Value = serde_json::from_str(text).unwrap();
    let issues = report.as_array().unwrap();
    assert_eq!(issues.len(), 1);
    for issue in issues {
        for key in ["description", "check_name", "fingerprint"] {
            assert!(issue[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {issue}");
        }
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&issue["severity"].as_str().unwrap()));
        let path = issue["location"]["path"].as_str().unwrap();
        assert!(!path.starts_with("./") && !path.starts_with('/'), "{path}");
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() > 0);
    }
}
