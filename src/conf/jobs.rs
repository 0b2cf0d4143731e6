//! One job of a CI file: where it runs, for how long, how often at once, what it keeps.

use super::hosts;
use super::reusable::{self, Inputs};
use super::tree::Tree;
use super::yaml::{Node, Value};
use crate::facts::trace::{Artifact, Cache, Crossing, Host, Job, Service, Variable};
use crate::text::Span;

/// Values of a matrix looked at.
const VALUES: usize = 64;

/// Reads the jobs of one file.
pub struct Reader<'a> {
    pub tree: &'a Tree<'a>,
    pub service: Service,
    /// The whole document.
    pub root: &'a Node,
    /// What a called workflow is given.
    pub inputs: &'a Inputs,
}

impl Reader<'_> {
    /// The text as it stands in the file, on one line; of a list its items.
    fn written(&self, node: &Node) -> String {
        if !node.items().is_empty() {
            return node.items().iter().filter_map(Node::text).collect::<Vec<_>>().join(", ");
        }
        let text = self.tree.text(node.file).get(node.span.start as usize..node.span.end as usize).unwrap_or("");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The job `name`, with its key and all that the key holds.
    pub fn read(&self, name: &str, key: &Node, node: &Node) -> Job {
        let matrix = node.at(&["strategy", "matrix"]).or_else(|| node.at(&["parallel", "matrix"]));
        let labels = self.labels(node, matrix);
        let executor = (self.service == Service::Circle).then(|| self.executor(node)).flatten();
        let (host, quota) = self.host(node, executor, &labels);
        let said = ["runs-on", "tags", "pool", "resource_class"].iter().find_map(|key| {
            node.get(key)
                .or_else(|| executor.and_then(|executor| executor.get(key)))
                .or_else(|| (self.service == Service::Azure && *key == "pool").then(|| self.root.get(key)).flatten())
        });
        let container = node.get("container").or_else(|| node.get("image")).or_else(|| executor?.get("docker"));
        let image =
            container.and_then(|node| node.text().or_else(|| node.get("image")?.text()).or_else(|| node.get("name")?.text()));
        let image = image.or_else(|| container?.items().first()?.get("image")?.text());
        let timeout = ["timeout-minutes", "timeout", "timeoutInMinutes"].iter().find_map(|key| node.get(key));
        let queued = node.get("concurrency").or_else(|| node.get("resource_group")).is_some()
            || node.at(&["strategy", "max-parallel"]).and_then(Node::text) == Some("1");
        let (caches, artifacts) = self.steps(node, &labels, matrix);
        let own = labels.iter().flatten().any(|label| label == "self-hosted") && self.service == Service::GitHub;
        let agents = self.service == Service::Azure && matches!(host, Host::Own(_));
        let services = node.get("services").map(Node::pairs).unwrap_or(&[]);
        let ports = services.iter().filter_map(|(_, service)| service.get("ports")).flat_map(Node::items);
        let end = key.span.end.max(key.span.start);
        // What an alias brings in stands elsewhere.
        let body = if node.file == key.file && node.span.start >= key.span.start {
            node.span
        } else {
            Span { start: key.span.start, end }
        };
        Job {
            name: name.to_owned(),
            service: self.service,
            file: key.file,
            head: key.span,
            body,
            host,
            labels: said.map(|node| (self.written(node), node.place())),
            container: container.zip(image).map(|(node, image)| (image.to_owned(), node.place())),
            quota,
            timeout: timeout.map(|node| (self.written(node), node.place())),
            many: !queued
                && (self.instances(matrix) > 1
                    || node
                        .get("parallel")
                        .or_else(|| node.get("parallelism"))
                        .and_then(Node::text)
                        .is_some_and(|many| many != "1")),
            env: self.variables(node),
            caches,
            artifacts,
            shares_host: (own || agents) && node.get("container").is_none(),
            ports: ports.filter_map(|port| Some((fixed_port(port.text()?)?, port.place()))).collect(),
            narrow: node.get("if").or_else(|| node.get("rules")).is_some(),
            queued,
        }
    }

    /// CircleCI: the executor that a job names, or the job itself.
    pub fn executor<'n>(&'n self, node: &'n Node) -> Option<&'n Node> {
        let named = node.get("executor").and_then(|executor| executor.text().or_else(|| executor.get("name")?.text()));
        match named {
            Some(name) => self.root.at(&["executors", name]),
            None => Some(node),
        }
    }

    /// All labels that the job may run under; none where one is not known.
    fn labels(&self, node: &Node, matrix: Option<&Node>) -> Option<Vec<String>> {
        let said = node.get("runs-on").or_else(|| node.get("tags"))?;
        let list = match &said.value {
            Value::List(items) => items.iter().collect(),
            Value::Map(_) => said.get("labels").or_else(|| said.get("group")).map(|inner| match &inner.value {
                Value::List(items) => items.iter().collect(),
                _ => vec![inner],
            })?,
            _ => vec![said],
        };
        let mut all = Vec::new();
        for one in list {
            all.extend(expanded(one.text()?, matrix, self.inputs)?);
        }
        Some(all)
    }

    fn host(&self, node: &Node, executor: Option<&Node>, labels: &Option<Vec<String>>) -> (Host, Option<u32>) {
        match self.service {
            Service::Circle => {
                let Some(executor) = executor else { return (Host::Unstated, None) };
                let class = executor.get("resource_class").or_else(|| node.get("resource_class")).and_then(Node::text);
                let size = hosts::cpus(Service::Circle, class.unwrap_or("medium"));
                if executor.get("docker").is_some() {
                    // CircleCI documentation, "Resource class overview": a container sees the CPUs of its whole host.
                    (Host::Own("a container of CircleCI shows all CPUs of its host"), size)
                } else {
                    (size.map_or(Host::Unstated, Host::Known), None)
                }
            }
            Service::Azure => {
                let pool = node.get("pool").or_else(|| self.root.get("pool"));
                let image = pool.and_then(|pool| pool.get("vmImage")).and_then(Node::text);
                match (image, pool) {
                    (Some(image), _) => match hosts::cpus(Service::Azure, image) {
                        Some(cpus) => (Host::Known(cpus), None),
                        None if image.contains("$(") => (Host::Known(2), None),
                        None => (Host::Unstated, None),
                    },
                    (None, Some(pool)) if pool.text().is_some() || pool.get("name").is_some() => {
                        (Host::Own("a pool of one's own agents"), None)
                    }
                    _ => (Host::Unstated, None),
                }
            }
            Service::Other => (Host::Unstated, None),
            Service::GitHub | Service::Forge | Service::GitLab => {
                let quota = node.at(&["container", "options"]).and_then(Node::text).and_then(quota);
                let Some(labels) = labels.as_ref().filter(|labels| !labels.is_empty()) else { return (Host::Unstated, quota) };
                if labels.iter().any(|label| label == "self-hosted") {
                    return (Host::Own("a self-hosted runner"), quota);
                }
                let sizes: Vec<Option<u32>> = labels.iter().map(|label| hosts::cpus(self.service, label)).collect();
                let host = match (sizes.iter().copied().collect::<Option<Vec<u32>>>(), self.service) {
                    (Some(sizes), _) => Host::Known(sizes.into_iter().max().unwrap_or(0)),
                    // GitLab picks a runner that has all the tags: one that tells its size is enough.
                    (None, Service::GitLab) => match sizes.into_iter().flatten().max() {
                        Some(size) => Host::Known(size),
                        None => Host::Own("a runner of one's own, by its tags"),
                    },
                    (None, Service::Forge) => Host::Own("a runner of one's own"),
                    (None, _) => Host::Own("a label whose size is not known"),
                };
                (host, quota)
            }
        }
    }

    fn instances(&self, matrix: Option<&Node>) -> usize {
        let Some(matrix) = matrix else { return 1 };
        if matrix.text().is_some() {
            // An expression that makes one.
            return 2;
        }
        if !matrix.items().is_empty() {
            return matrix.items().len();
        }
        let axes: usize = matrix
            .pairs()
            .iter()
            .filter(|(key, _)| !matches!(key.text(), Some("include" | "exclude")))
            .map(|(_, value)| if value.text().is_some() { 2 } else { value.items().len().max(1) })
            .fold(1, usize::saturating_mul);
        axes.max(matrix.get("include").map_or(0, |include| include.items().len()))
    }

    fn variables(&self, node: &Node) -> Vec<Variable> {
        let mut all = Vec::new();
        for key in ["env", "variables", "environment"] {
            for (name, value) in node.get(key).map(Node::pairs).unwrap_or(&[]) {
                let text = value.text().or_else(|| value.get("value")?.text());
                if let Some(name) = name.text() {
                    all.push(Variable { name: name.to_owned(), value: text.map(str::to_owned), place: value.place() });
                }
            }
        }
        all
    }

    /// What is kept between runs, and what is handed on.
    fn steps(&self, node: &Node, labels: &Option<Vec<String>>, matrix: Option<&Node>) -> (Vec<Cache>, Vec<Artifact>) {
        let python = chosen_python(node, matrix);
        let (mut caches, mut artifacts) = (Vec::new(), Vec::new());
        for step in node.get("steps").map(Node::items).unwrap_or(&[]) {
            let Some(uses) = step.get("uses").and_then(Node::text) else { continue };
            if uses.starts_with("actions/cache@")
                || uses.starts_with("actions/cache/save@")
                || uses.starts_with("actions/cache/restore@")
            {
                if let (Some(key), Some(path)) = (step.at(&["with", "key"]), step.at(&["with", "path"])) {
                    let text = key.text().unwrap_or("").to_owned();
                    let crosses = crossed(&text, labels.as_deref().unwrap_or(&[])).or_else(|| {
                        // Nothing but what the files say is in the key.
                        let told = ["python", "matrix.", "steps.", "env.", "inputs.", "needs.", "github."];
                        let told =
                            told.iter().any(|part| text.to_lowercase().contains(part) && !key_only_tells_others(&text, part));
                        python.clone().filter(|axis| !told && !text.contains(axis.as_str())).map(Crossing::Pythons)
                    });
                    caches.push(Cache { key: text, path: path.text().unwrap_or("").to_owned(), place: key.place(), crosses });
                }
            } else if uses.starts_with("actions/upload-artifact@")
                && let Some(name) = step.at(&["with", "name"])
                && !step.get("if").and_then(Node::text).is_some_and(narrows)
                && step.at(&["with", "overwrite"]).is_none()
                // No shell fills in a variable here: such a file does not exist, and nothing is uploaded.
                && !step.at(&["with", "path"]).and_then(Node::text).is_some_and(|path| path.replace("${{", "").contains('$'))
            {
                let joins = ["@v1", "@v2", "@v3"].iter().any(|version| uses.contains(version));
                artifacts.push(Artifact { name: name.text().unwrap_or("").to_owned(), place: name.place(), joins });
            }
        }
        (caches, artifacts)
    }
}

/// A condition that may hold in one instance only: not `always()`, `failure()` and the like.
fn narrows(condition: &str) -> bool {
    ["matrix", "runner", "env.", "inputs.", "==", "!=", "contains(", "startsWith("].iter().any(|part| condition.contains(part))
}

/// `5432:5432`: a port of the host that is chosen.
fn fixed_port(text: &str) -> Option<String> {
    let (host, _) = text.rsplit_once(':')?;
    let port = host.rsplit(':').next()?;
    port.parse::<u16>().is_ok_and(|port| port > 0).then(|| text.to_owned())
}

/// The axis of a matrix that chooses the interpreter, where it has several values.
fn chosen_python(node: &Node, matrix: Option<&Node>) -> Option<String> {
    let steps = node.get("steps").map(Node::items).unwrap_or(&[]);
    let version = steps.iter().find_map(|step| {
        let uses = step.get("uses").and_then(Node::text)?;
        ["actions/setup-python", "astral-sh/setup-uv"].iter().find(|action| uses.starts_with(**action))?;
        step.at(&["with", "python-version"])?.text()
    })?;
    let axis = version.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim().strip_prefix("matrix.")?;
    axis_values(matrix?, axis).then(|| axis.to_owned())
}

fn axis_values(matrix: &Node, name: &str) -> bool {
    axis(matrix, name).is_some_and(|values| values.iter().any(|value| *value != values[0]))
}

/// Two labels of several systems or architectures, under one key.
fn crossed(key: &str, labels: &[String]) -> Option<Crossing> {
    let told = ["runner.arch", "matrix.", "ImageOS", "env.", "inputs."]
        .iter()
        .any(|part| key.contains(part) && !key_only_tells_others(key, part));
    if told {
        return None;
    }
    let pairs = || labels.iter().enumerate().flat_map(|(n, one)| labels[n + 1..].iter().map(move |other| (one, other)));
    // Caches of Windows are kept apart from all others.
    let unix = |label: &str| hosts::system(label).filter(|system| *system != "Windows");
    let systems = pairs().find(|(one, other)| unix(one).is_some() && unix(other).is_some() && unix(one) != unix(other));
    if let Some((one, other)) = systems.filter(|_| !key.contains("runner.os")) {
        return Some(Crossing::Systems(one.clone(), other.clone()));
    }
    let same = |one: &str, other: &str| hosts::system(one).is_some() && hosts::system(one) == hosts::system(other);
    let (one, other) = pairs().find(|(one, other)| same(one, other) && hosts::is_arm(one) != hosts::is_arm(other))?;
    Some(Crossing::Architectures(one.clone(), other.clone()))
}

/// A matrix value in the key tells machines apart only if the machine depends on it.
fn key_only_tells_others(key: &str, part: &str) -> bool {
    const MACHINES: [&str; 8] = ["os", "runner", "runs-on", "platform", "target", "arch", "host", "image"];
    part == "matrix."
        && !key.match_indices("matrix.").any(|(at, _)| {
            let rest = &key[at + "matrix.".len()..];
            let path = rest.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).next().unwrap_or("");
            path.split('.').any(|name| MACHINES.iter().any(|machine| name.contains(machine)))
        })
}

/// `--cpus 2`, `--cpus=2.5` of a container's options.
fn quota(options: &str) -> Option<u32> {
    let rest = options.split_once("--cpus").map(|(_, rest)| rest.trim_start_matches(['=', ' ']))?;
    let number: f64 = rest.split_whitespace().next()?.parse().ok()?;
    (1.0..4096.0).contains(&number).then_some(number as u32)
}

/// A label with the values of a matrix filled in; of other expressions the texts that they choose from.
fn expanded(label: &str, matrix: Option<&Node>, inputs: &Inputs) -> Option<Vec<String>> {
    let Some((before, rest)) = label.split_once("${{") else { return Some(vec![label.to_owned()]) };
    let (inner, after) = rest.split_once("}}")?;
    let inner = inner.trim();
    let values = match inner.strip_prefix("matrix.") {
        Some(path) if path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) => axis(matrix?, path)?,
        _ => match reusable::values(inner, inputs) {
            Some(values) => values,
            None => chosen(inner),
        },
    };
    if values.is_empty() {
        return None;
    }
    let mut all = Vec::new();
    for value in values {
        all.extend(if after.contains("${{") {
            expanded(&format!("{before}{value}{after}"), matrix, inputs)?
        } else {
            vec![format!("{before}{value}{after}")]
        });
    }
    Some(all)
}

/// The values of an axis, those of `include` among them; none where one is not known.
pub fn axis(matrix: &Node, path: &str) -> Option<Vec<String>> {
    let mut parts = path.split('.');
    let first = parts.next()?;
    if let Some(text) = matrix.text() {
        return written_out(text, first);
    }
    let rest: Vec<&str> = parts.collect();
    let mut nodes: Vec<&Node> = Vec::new();
    if let Some(axis) = matrix.get(first) {
        match &axis.value {
            Value::List(items) => nodes.extend(items),
            Value::Scalar { .. } => return expression_values(axis.text()?),
            _ => {}
        }
    }
    nodes.extend(matrix.get("include").map(Node::items).unwrap_or(&[]).iter().filter_map(|item| item.get(first)));
    let mut all = Vec::new();
    for node in nodes.into_iter().take(VALUES) {
        let text = match &node.value {
            Value::List(items) => items.iter().filter_map(Node::text).collect::<Vec<_>>(),
            _ => vec![node.at(&rest)?.text()?],
        };
        for text in text {
            if text.contains("${{") {
                let values = chosen(text);
                if values.is_empty() {
                    return None;
                }
                all.extend(values);
            } else {
                all.push(text.to_owned());
            }
        }
    }
    (!all.is_empty()).then_some(all)
}

/// The values of a key in JSON that an expression holds as text: `fromJSON('{"include": [{"os": "x"}]}')`.
fn written_out(text: &str, key: &str) -> Option<Vec<String>> {
    let quoted = format!("\"{key}\"");
    let mut all = Vec::new();
    for (at, _) in text.match_indices(&quoted).take(VALUES) {
        let rest = text[at + quoted.len()..].trim_start().strip_prefix(':')?.trim_start();
        let list = rest.starts_with('[');
        let end = if list { rest.find(']')? } else { rest.find([',', '}', '\n'])? };
        all.extend(
            rest[..end]
                .trim_start_matches('[')
                .split(',')
                .map(|one| one.trim().trim_matches('"').to_owned())
                .filter(|one| !one.is_empty()),
        );
    }
    (!all.is_empty()).then_some(all)
}

/// `fromJSON('["a", "b"]')`
fn expression_values(text: &str) -> Option<Vec<String>> {
    let list = text.split_once('[')?.1.split_once(']')?.0;
    let all: Vec<String> =
        list.split(',').map(|one| one.trim().trim_matches(['"', '\'']).to_owned()).filter(|one| !one.is_empty()).collect();
    (!all.is_empty() && !text.contains("needs.") && !text.contains("inputs.")).then_some(all)
}

/// The texts that an expression chooses from, as in `c && 'a' || 'b'`: not those that it compares with.
pub fn chosen(expression: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = expression;
    let mut before = String::new();
    while let Some((head, tail)) = rest.split_once('\'') {
        before.push_str(head);
        let Some((text, after)) = tail.split_once('\'') else { break };
        let left = before.trim_end();
        let compared = left.ends_with("==") || left.ends_with("!=") || left.ends_with('(') || left.ends_with(',');
        let right = after.trim_start();
        if !compared && !right.starts_with("==") && !right.starts_with("!=") {
            all.push(text.to_owned());
        }
        before.push('x');
        rest = after;
    }
    // What a variable may hold is not known.
    if expression.contains("inputs.") || expression.contains("vars.") || expression.contains("fromJ") {
        all.clear();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::yaml::parse;
    use super::*;
    use crate::text::{FileId, Kind, Source};

    fn job(service: Service, text: &str) -> Job {
        let sources = [Source::of("ci.yml", Kind::Config, text)];
        let root = parse(FileId(0), text).remove(0);
        let reader = Reader { tree: &Tree::new(&sources), service, root: &root, inputs: &Inputs::new() };
        let (key, node) = &root.pairs()[root.pairs().len() - 1];
        reader.read(key.text().unwrap(), key, node)
    }

    #[test]
    fn machines() {
        let own = |job: Job| matches!(job.host, Host::Own(_));
        let github = |text: &str| job(Service::GitHub, text);
        assert_eq!(github("a: {runs-on: ubuntu-latest}").host, Host::Known(4));
        assert_eq!(
            github("a: {runs-on: '${{ matrix.os }}', strategy: {matrix: {os: [ubuntu-latest, macos-14]}}}").host,
            Host::Known(4)
        );
        assert_eq!(
            github("a: {runs-on: '${{ matrix.p.r }}-latest', strategy: {matrix: {include: [{p: {r: ubuntu}}]}}}").host,
            Host::Known(4)
        );
        assert_eq!(
            github("a: {runs-on: \"${{ github.repository == 'x/y' && 'depot-ubuntu-22.04-16' || 'ubuntu-latest' }}\"}").host,
            Host::Known(16)
        );
        assert_eq!(github("a: {runs-on: '${{ inputs.runner }}'}").host, Host::Unstated);
        assert_eq!(
            github("a:\n  runs-on: ${{ matrix.os }}\n  strategy:\n    matrix: >-\n      ${{ fromJSON('{\"include\": [{\"os\": \"macos-15\"}]}') }}\n").host,
            Host::Known(3)
        );
        assert!(own(github("a: {runs-on: [self-hosted, linux]}")));
        assert!(own(github("a: {runs-on: benchmarks}")));
        assert!(own(job(Service::Forge, "a: {runs-on: docker}")));
        assert!(own(job(Service::GitLab, "a: {tags: [big]}")));
        assert_eq!(job(Service::GitLab, "a: {tags: [saas-linux-medium-amd64]}").host, Host::Known(4));
        assert_eq!(job(Service::GitLab, "a: {script: x}").host, Host::Unstated);
        let circle = job(Service::Circle, "executors: {py: {docker: [{image: p}], resource_class: large}}\na: {executor: py}");
        assert_eq!((own(circle.clone()), circle.quota), (true, Some(4)));
        assert_eq!(job(Service::Azure, "pool: {vmImage: ubuntu-22.04}\na: {steps: []}").host, Host::Known(2));
    }

    #[test]
    fn limits_and_instances() {
        let one = job(
            Service::GitHub,
            "a:\n  runs-on: ubuntu-latest\n  timeout-minutes: 45\n  container: {image: 'python:3', options: --cpus 2}\n  strategy: {matrix: {py: [a, b]}}\n  env: {N: '4'}\n",
        );
        assert_eq!((one.timeout.unwrap().0.as_str(), one.quota, one.many), ("45", Some(2), true));
        assert_eq!((one.env[0].name.as_str(), one.container.unwrap().0.as_str()), ("N", "python:3"));
        assert!(!job(Service::GitHub, "a: {strategy: {max-parallel: 1, matrix: {py: [a, b]}}}").many);
    }

    #[test]
    fn keys_that_cross_architectures() {
        let labels: Vec<String> = ["ubuntu-24.04", "ubuntu-24.04-arm"].map(str::to_owned).to_vec();
        assert!(crossed("${{ runner.os }}-${{ hashFiles('x') }}", &labels).is_some());
        assert!(crossed("${{ runner.os }}-${{ matrix.python }}", &labels).is_some());
        assert!(crossed("${{ runner.os }}-${{ runner.arch }}", &labels).is_none());
        assert!(crossed("${{ matrix.os }}", &labels).is_none());
        assert!(crossed("x", &labels[..1]).is_none());
    }
}
