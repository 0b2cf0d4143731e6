//! The JSON schema of a configuration, for editors, made of the description of the keys.

use super::keys::{Key, Kind, LANGUAGES, LEVELS, LOCAL, ONE_BY_ONE, PER_PATH, REACHES, RUN, WHOLE};
use super::{CONFIDENCES, SEVERITIES, rule_names};
use crate::calls::Table;
use crate::facts::run::{Dist, RUNNERS};
use serde_json::{Map, Value, json};

/// The schema as a text, as `isolint schema` prints it.
pub fn schema() -> String {
    let mut schema = object(properties(LOCAL).into_iter().chain(properties(WHOLE)).collect());
    let head = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The configuration of isolint",
        "description": "isolint.toml, .isolint.toml, or [tool.isolint] in pyproject.toml",
    });
    let mut all = head.as_object().cloned().unwrap_or_default();
    all.append(schema.as_object_mut().unwrap_or(&mut Map::new()));
    all.insert("definitions".to_owned(), json!({ "rule": { "enum": rule_names() } }));
    let mut text = serde_json::to_string_pretty(&Value::Object(all)).unwrap_or_default();
    text.push('\n');
    text
}

fn properties<T>(keys: &[Key<T>]) -> Vec<(String, Value)> {
    let one = |key: &Key<T>| {
        let mut value = shape(&key.kind);
        value["description"] = json!(key.text);
        (key.name.to_owned(), value)
    };
    keys.iter().map(one).collect()
}

/// A table that has these keys and no others.
fn object(properties: Vec<(String, Value)>) -> Value {
    let properties: Map<String, Value> = properties.into_iter().collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// A table whose keys are free.
fn table(of: Value) -> Value {
    json!({ "type": "object", "additionalProperties": of })
}

fn list(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

fn shape<T>(kind: &Kind<T>) -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let rule = json!({ "$ref": "#/definitions/rule" });
    let file = json!({ "type": "string", "pattern": r"^([^/\\:][^:]*)?\.toml$" });
    let name = json!({ "type": "string", "pattern": r"^\w+((\.\w+)+|(::\w+)+)$" });
    match kind {
        Kind::Flag(_) => json!({ "type": "boolean" }),
        Kind::Text(_) => text,
        Kind::File(_) => file,
        Kind::Rules(_) => list(rule),
        Kind::Globs(_) => list(text),
        Kind::Names(_) => list(name),
        Kind::Severity(_) => json!({ "enum": SEVERITIES }),
        Kind::Confidence(_) => json!({ "enum": CONFIDENCES }),
        Kind::Levels(_) => json!({ "type": "object", "propertyNames": rule, "additionalProperties": { "enum": LEVELS } }),
        Kind::PerPath(_) => table(object(properties(PER_PATH))),
        Kind::Runs(_) => {
            let run = run();
            json!({ "oneOf": [run.clone(), list(run)] })
        }
        Kind::Runner(_) => json!({ "enum": RUNNERS }),
        Kind::Workers(_) => json!({ "oneOf": [{ "type": "integer", "minimum": 1, "maximum": u32::MAX }, { "const": "cpus" }] }),
        Kind::Dist(_) => json!({ "enum": Dist::ALL.map(|(name, _)| name) }),
        Kind::Path(_) => json!({ "type": "string", "minLength": 1, "not": { "pattern": r"^/|(^|/)\.\.(/|$)" } }),
        Kind::Calls(_) => {
            let part = |part: &&str| ((*part).to_owned(), json!({ "type": if *part == "star" { "array" } else { "object" } }));
            let parts = [("files".to_owned(), list(file))].into_iter().chain(Table::PARTS.iter().map(part)).collect();
            let language = object(parts);
            object(LANGUAGES.iter().map(|name| ((*name).to_owned(), language.clone())).collect())
        }
        Kind::Guards(_) => json!({ "type": "object", "propertyNames": name, "additionalProperties": { "enum": REACHES } }),
        Kind::Resources(_) => table(list(name)),
    }
}

/// A run: the runner is named, and what only some runners take stands with these alone.
fn run() -> Value {
    let mut run = object(properties(RUN));
    run["required"] = json!(["runner"]);
    run["allOf"] = json!([
        { "if": { "properties": { "runner": { "const": "pytest-xdist" } } }, "else": { "properties": { "dist": false } } },
        { "if": { "properties": { "runner": { "enum": ONE_BY_ONE } } }, "then": { "properties": { "workers": false } } },
    ]);
    run
}
