//! Workflows that are called by others of the project: what their inputs are.
//!
//! GitHub documentation, "Reusing workflows": `jobs.<job_id>.uses` and `with`, `on.workflow_call.inputs`.

use super::ci;
use super::jobs;
use super::script::Script;
use super::tree::{self, Tree};
use super::yaml::Node;
use crate::text::FileId;
use std::collections::BTreeMap;

/// The values that an input may have, each once; none for one that is not known.
pub type Inputs = BTreeMap<String, Vec<Option<Script>>>;

/// The jobs that call each workflow of the project.
pub type Calls<'n> = BTreeMap<FileId, Vec<&'n Node>>;

/// Looks through all documents for jobs that call a workflow.
pub fn calls<'n>(tree: &Tree, documents: impl Iterator<Item = (FileId, &'n Node)>) -> Calls<'n> {
    let mut all = Calls::new();
    for (file, document) in documents {
        for (_, job) in document.get("jobs").map(Node::pairs).unwrap_or(&[]) {
            let path = job.get("uses").and_then(Node::text).and_then(|uses| uses.strip_prefix("./"));
            let called = path.and_then(|path| tree::join(ci::base(tree.path(file)), path)).and_then(|path| tree.file(&path));
            if let Some(called) = called {
                all.entry(called).or_default().push(job);
            }
        }
    }
    all
}

/// What the callers of a workflow give it, and its defaults where they give nothing.
pub fn inputs(tree: &Tree, file: FileId, document: &Node, calls: &Calls) -> Inputs {
    let mut all = Inputs::new();
    let declared = document.at(&["on", "workflow_call", "inputs"]).map(Node::pairs).unwrap_or(&[]);
    for (name, input) in declared {
        let Some(name) = name.text() else { continue };
        let mut values: Vec<Option<Script>> = Vec::new();
        for job in calls.get(&file).map(Vec::as_slice).unwrap_or(&[]) {
            for value in given(tree, job, name, input) {
                let text = value.as_ref().map(|value| value.text.clone());
                if !values.iter().any(|known| known.as_ref().map(|known| known.text.clone()) == text) {
                    values.push(value);
                }
            }
        }
        all.insert(name.to_owned(), values);
    }
    all
}

/// What one call gives an input: of a matrix or a choice each value.
fn given(tree: &Tree, job: &Node, name: &str, input: &Node) -> Vec<Option<Script>> {
    let script = |node: &Node| node.script(tree.text(node.file));
    let Some(node) = job.at(&["with", name]) else { return vec![input.get("default").and_then(script)] };
    let Some(script) = script(node) else { return vec![None] };
    let Some((_, inner)) = script.text.split_once("${{") else { return vec![Some(script)] };
    let whole = script.text.trim().strip_prefix("${{").and_then(|text| text.strip_suffix("}}"));
    let values = whole.map(str::trim).and_then(|inner| match inner.strip_prefix("matrix.") {
        Some(path) => jobs::axis(job.at(&["strategy", "matrix"])?, path),
        None => Some(jobs::chosen(inner)),
    });
    let (file, span) = node.place();
    let of = |text: String| {
        let mut value = Script::default();
        value.push_as(file, span.start as usize..span.end as usize, &text);
        Some(value)
    };
    match values {
        Some(values) if !values.is_empty() && !inner.is_empty() => values.into_iter().map(of).collect(),
        _ => vec![None],
    }
}

/// What an expression over an input comes to: `inputs.NAME`, `fromJSON(inputs.NAME)`; none where it is no such expression.
pub fn values(expression: &str, inputs: &Inputs) -> Option<Vec<String>> {
    let inner = expression.trim();
    let list = ["fromJSON(", "fromJson("].iter().find_map(|function| inner.strip_prefix(function)?.strip_suffix(')'));
    let name = list.unwrap_or(inner).trim().strip_prefix("inputs.")?;
    let texts: Option<Vec<String>> =
        inputs.get(name)?.iter().map(|value| value.as_ref().map(|value| value.text.clone())).collect();
    let texts = texts.unwrap_or_default();
    if list.is_none() {
        return Some(texts);
    }
    let items = texts.iter().flat_map(|text| text.trim_matches(['[', ']', ' ']).split(','));
    Some(items.map(|item| item.trim().trim_matches('"').to_owned()).filter(|item| !item.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use crate::conf::ci::read;
    use crate::conf::tree::Tree;
    use crate::facts::trace::Host;
    use crate::text::{Kind, Source};

    #[test]
    fn callers_give_inputs() {
        let called = "on:\n  workflow_call:\n    inputs:\n      n: {type: string, default: '2'}\n      runner: {type: string}\n      list: {type: string}\n\
             jobs:\n  t:\n    runs-on: ${{ inputs.runner }}\n    env: {N: '${{ inputs.n }}'}\n    steps: [{run: 'pytest -n ${{ inputs.n }}'}]\n  \
             l:\n    runs-on: ${{ fromJSON(inputs.list) }}\n    steps: [{run: pytest}]\n";
        let caller = "on: push\njobs:\n  a:\n    uses: ./.github/workflows/called.yml\n    with: {runner: self-hosted, list: '[\"self-hosted\", \"x\"]'}\n";
        let read = |caller: &str| {
            let source = |path: &str, text: &str| Source::of(path, Kind::Config, text);
            let sources = [source(".github/workflows/a.yml", caller), source(".github/workflows/called.yml", called)];
            read(&Tree::new(&sources))
        };
        let found = read(caller);
        let own = |n: usize| matches!(found.jobs[n].host, Host::Own(_));
        assert_eq!((own(1), own(2), found.jobs.len()), (true, true, 3));
        let step = found.steps.iter().find(|step| step.script.text.contains("-n")).unwrap();
        let value = |name: &str| step.env.value(name).map(|script| script.text.as_str());
        assert_eq!((value("inputs.n"), value("N")), (Some("2"), Some("2")));
        let two =
            format!("{caller}  b:\n    uses: ./.github/workflows/called.yml\n    with: {{runner: ubuntu-latest, n: '4'}}\n");
        let found = read(&two);
        let step = found.steps.iter().find(|step| step.script.text.contains("-n")).unwrap();
        assert_eq!((step.env.get("inputs.n"), step.env.choices("inputs.n").len()), (Some(None), 2));
        assert!(matches!(found.jobs.iter().find(|job| job.name == "t").unwrap().host, Host::Own(_)));
        let open = caller.replace("self-hosted,", "'${{ vars.R }}',");
        assert_eq!(read(&open).jobs[1].host, Host::Unstated);
    }
}
