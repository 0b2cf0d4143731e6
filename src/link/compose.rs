//! What Python code does with the compose files beside it: whether it brings their services up, or only builds their images.

use super::index::dir_of;
use super::suite::Suite;
use crate::facts::{FileFacts, Language, Value};
use crate::text::FileId;

/// Sub-commands that start services (Docker documentation, "docker compose").
const STARTS: &[&str] = &["up", "start", "run", "create", "restart", "watch"];

/// Fixtures by which pytest-docker is told what to bring up.
const FIXTURES: &[&str] = &["docker_compose_file", "docker_services", "DockerCompose"];

impl Suite<'_> {
    /// Whether code in the folder of a compose file builds it and starts nothing of it: its ports are never published.
    pub fn is_only_built(&self, file: FileId) -> bool {
        let folder = dir_of(self.path(file));
        let beside =
            self.facts.iter().enumerate().filter(|(other, facts)| {
                facts.language == Language::Python && dir_of(self.path(FileId(*other as u32))) == folder
            });
        let (mut builds, mut starts) = (false, false);
        for (_, facts) in beside {
            starts |= facts.names.iter().any(|name| FIXTURES.contains(&&**name));
            for value in &facts.values {
                let words = words(facts, value);
                if words.iter().any(|word| matches!(*word, "compose" | "docker-compose")) {
                    builds |= words.contains(&"build");
                    starts |= words.iter().any(|word| STARTS.contains(word));
                }
            }
        }
        builds && !starts
    }
}

/// The words of a command line: a list of texts, or one text that is not written in prose.
fn words<'f>(facts: &'f FileFacts, value: &Value) -> Vec<&'f str> {
    match value {
        Value::List(all) | Value::Tuple(all) => all
            .iter()
            .filter_map(|v| match facts.value(*v) {
                Value::Text(text) => Some(facts.name(*text)),
                _ => None,
            })
            .collect(),
        Value::Text(text) if !facts.name(*text).contains('\n') => facts.name(*text).split_whitespace().collect(),
        _ => Vec::new(),
    }
}
