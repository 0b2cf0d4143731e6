//! CircleCI's own ways to share steps: custom commands, parameters, executors.
//!
//! CircleCI documentation, "Reusable config reference".

use super::ci::{Around, Walk};
use super::env::Env;
use super::jobs;
use super::script::Script;
use super::yaml::Node;
use crate::facts::trace::{Link, Part};
use std::rc::Rc;

/// A text with its `<< parameters.NAME >>` filled in, as far as they are known.
pub fn filled(script: &Script, env: &Env) -> Script {
    let mut all = Script::default();
    let mut done = 0;
    for (at, _) in script.text.match_indices("<<") {
        let Some(length) = script.text[at..].find(">>").filter(|_| at >= done) else { continue };
        let name = script.text[at + 2..at + length].trim();
        if let Some(value) = name.contains("parameters.").then(|| env.value(name)).flatten() {
            all.append(script, done..at);
            all.append(value, 0..value.text.len());
            done = at + length + 2;
        }
    }
    all.append(script, done..script.text.len());
    all
}

impl Walk<'_> {
    /// A step that is a custom command: its steps, with the parameters that it is given. False where it is none.
    pub(super) fn circle_command(&mut self, item: &Node, around: &Around) -> bool {
        let (key, given) = match item.pairs() {
            [] => (item, None),
            [(key, given)] => (key, Some(given)),
            _ => return false,
        };
        let Some(name) = key.text() else { return false };
        let root = self.root;
        let Some((command, steps)) = root.at(&["commands", name]).and_then(|command| Some((command, command.get("steps")?)))
        else {
            return false;
        };
        if around.job.is_none() || !self.enters() {
            return true;
        }
        let mut env = Env::inside(&around.env);
        self.parameters(command, given, &mut env);
        let mut inner = around.clone();
        inner.env = Rc::new(env);
        inner.links.push(Link { what: Part::Step, text: name.to_owned(), place: key.place() });
        self.deep += 1;
        self.node(steps, &inner);
        self.deep -= 1;
        true
    }

    /// What a job is given by the workflows that run it, by its executor and by the image that its steps run in.
    pub(super) fn circle_job(&mut self, name: &str, job: &Node, around: &mut Around) {
        let root = self.root;
        let mut env = Env::inside(&around.env);
        for (key, parameter) in root.get("parameters").map(Node::pairs).unwrap_or(&[]) {
            if let Some(key) = key.text() {
                env.set(&format!("pipeline.parameters.{key}"), parameter.get("default").and_then(|node| self.text(node)));
            }
        }
        let workflows = root.get("workflows").map(Node::pairs).unwrap_or(&[]).iter().filter_map(|(_, flow)| flow.get("jobs"));
        let calls: Vec<&Node> = workflows.flat_map(Node::items).filter_map(|item| item.get(name)).collect();
        match calls.as_slice() {
            [] => self.parameters(job, None, &mut env),
            [only] => self.parameters(job, Some(only), &mut env),
            // Several workflows may give several values.
            [first, ..] => {
                self.parameters(job, Some(first), &mut env);
                for (key, _) in job.get("parameters").map(Node::pairs).unwrap_or(&[]) {
                    if let Some(key) = key.text()
                        && calls.iter().any(|call| call.get(key).map(Node::text) != first.get(key).map(Node::text))
                    {
                        env.set(&format!("parameters.{key}"), None);
                    }
                }
            }
        }
        // A matrix sets them anew for each instance.
        for (key, _) in calls.iter().filter_map(|call| call.at(&["matrix", "parameters"])).flat_map(Node::pairs) {
            if let Some(key) = key.text() {
                env.set(&format!("parameters.{key}"), None);
            }
        }
        let reader = jobs::Reader { tree: self.tree, service: self.service, root, inputs: self.inputs };
        let executor = reader.executor(job);
        let image = executor.and_then(|executor| executor.get("docker")?.items().first());
        for node in [image, executor].into_iter().flatten().filter_map(|node| node.get("environment")) {
            self.variables(node, &mut env);
        }
        around.env = Rc::new(env);
    }

    /// The parameters of a command or job: what is given, else the default.
    fn parameters(&self, declared: &Node, given: Option<&Node>, env: &mut Env) {
        let outer = env.clone();
        for (key, parameter) in declared.get("parameters").map(Node::pairs).unwrap_or(&[]) {
            let Some(key) = key.text() else { continue };
            let value = given.and_then(|given| given.get(key)).or_else(|| parameter.get("default"));
            let value = value.and_then(|node| self.text(node)).map(|script| filled(&script, &outer));
            env.set(&format!("parameters.{key}"), value.filter(|value| !value.text.contains("<<")));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::conf::ci::read;
    use crate::conf::tree::Tree;
    use crate::text::{Kind, Source};

    fn scripts(text: &str) -> Vec<String> {
        let sources = [Source::of(".circleci/config.yml", Kind::Config, text)];
        read(&Tree::new(&sources)).steps.into_iter().map(|step| step.script.text).collect()
    }

    #[test]
    fn commands_and_parameters() {
        let text = "parameters: {all: {type: string, default: auto}}\nexecutors:\n  py:\n    docker: [{image: x, environment: {A: 1}}]\n    environment: {B: 2}\n\
             commands:\n  tests:\n    parameters: {n: {type: integer, default: 2}, where: {type: string}}\n    steps:\n      - run: pytest -n << parameters.n >> <<parameters.where>>\n      - deeper\n  \
             deeper: {steps: [{run: {command: echo << pipeline.parameters.all >>}}]}\n\
             jobs:\n  a:\n    executor: py\n    parameters: {m: {type: integer, default: 5}}\n    steps:\n      - checkout\n      - tests: {where: x, n: << parameters.m >>}\n      - when: {condition: y, steps: [tests]}\n\
             workflows: {w: {jobs: [{a: {m: 7}}]}}\n";
        assert_eq!(scripts(text), ["pytest -n 7 x", "echo auto", "pytest -n 2 <<parameters.where>>", "echo auto"]);
        let two = text.replace("[{a: {m: 7}}]", "[{a: {m: 7}}, {a: {m: 8}}]");
        assert_eq!(scripts(&two)[0], "pytest -n << parameters.n >> x");
        let sources = [Source::of(".circleci/config.yml", Kind::Config, text)];
        let step = &read(&Tree::new(&sources)).steps[0];
        assert!(step.env.value("A").is_some() && step.env.value("B").is_some());
    }

    #[test]
    fn circles_end() {
        scripts(
            "commands: {a: {steps: [a, a, b]}, b: {steps: [a, b]}}\njobs: {j: {docker: [{image: x}], steps: [a, {b: {}}]}}\n",
        );
        scripts("commands: 1\njobs: {j: {steps: [a, {b: 1, c: 2}, '<<']}}\nworkflows: [1]\n");
    }
}
