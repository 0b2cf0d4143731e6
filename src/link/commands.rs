//! What a command line, or a statement of SQL, takes or makes under a name of its host or service: ports, containers, databases.

use super::eval::Eval;
use super::give::Given;
use super::place::{Place, Realm};
use super::term::Term;
use crate::calls::{Call, Keeper, Program, Verb};
use crate::facts::{Language, OpId};

/// Something that a command does to a name.
struct Deed {
    verb: Verb,
    realm: Realm,
    name: Term,
}

/// Options of `docker run` and `docker create` without a value (Docker documentation, "docker container run").
const PLAIN: &[&str] =
    &["--rm", "-d", "--detach", "-i", "-t", "-it", "-ti", "-dit", "--privileged", "--init", "-P", "--publish-all"];

impl Eval<'_, '_> {
    /// What the words in the arguments of an entry do.
    pub(super) fn act_by_words(&mut self, op: OpId, entry: &Call, given: &Given) {
        let sql = entry.state == Some(Keeper::Sql);
        for name in entry.does.values().flat_map(|of| of.iter()) {
            let Some(term) = given.get(name).map(Term::plain) else { continue };
            // A program without a folder is looked up along `PATH`; in Rust, while other tests of the process may be setting it.
            if !sql && self.facts.language == Language::Rust && term.as_literal().is_some_and(|name| !name.contains('/')) {
                let path = Place::state(Realm::Environment, Some(Term::text("PATH")));
                self.on_state(op, Verb::Read, path, None, false);
            }
            let deeds = if sql { statement(term) } else { self.command(term) };
            for deed in deeds {
                self.on_state(op, deed.verb, Place::state(deed.realm, Some(deed.name)), None, false);
            }
        }
    }

    fn command(&self, term: &Term) -> Vec<Deed> {
        let words: Vec<Term> = match term {
            Term::List(words) => words.iter().map(|word| word.plain().clone()).collect(),
            text => match text.as_literal() {
                Some(text) => text.split_whitespace().map(Term::text).collect(),
                None => return Vec::new(),
            },
        };
        let texts: Vec<Option<String>> = words.iter().map(Term::as_literal).collect();
        let word = |i: usize| texts.get(i).and_then(Option::as_deref);
        if matches!(word(0), Some("docker" | "podman")) {
            return docker(&words, &texts);
        }
        let mut at = 0;
        let is_python = match word(0) {
            None => self.facts.language == Language::Python,
            Some(program) => program.rsplit('/').next().is_some_and(|name| name.starts_with("python")),
        };
        if is_python {
            if word(1) != Some("-m") {
                return Vec::new();
            }
            at = 2;
        }
        let Some(name) = word(at).and_then(|program| program.rsplit('/').next()) else { return Vec::new() };
        match self.world.calls(self.file).program(name) {
            Some(program) => ports(program, &words[at + 1..], &texts[at + 1..]),
            None => Vec::new(),
        }
    }
}

fn listens(name: Term) -> Deed {
    Deed { verb: Verb::Create, realm: Realm::Port, name }
}

/// The ports that a program is told to listen on: `--port 80`, `--port=80`, `-p80`.
fn ports(program: &Program, words: &[Term], texts: &[Option<String>]) -> Vec<Deed> {
    let mut out = Vec::new();
    let mut plain = 0;
    let mut i = 0;
    while i < words.len() {
        let text = texts[i].as_deref().unwrap_or("");
        if let Some(value) = program.ports.iter().any(|option| option == text).then(|| words.get(i + 1)).flatten() {
            out.push(listens(value.clone()));
            i += 1;
        } else if let Some(value) = program.ports.iter().find_map(|option| joined(text, option)) {
            out.push(listens(Term::text(value)));
        } else if text.starts_with('-') {
            // An option that is not known may take the next word.
            plain += usize::from(!text.contains('='));
        } else {
            if program.first && plain == 0 {
                out.push(listens(words[i].clone()));
            }
            plain += 1;
        }
        i += 1;
    }
    out
}

/// What stands behind an option in one word with it.
fn joined<'t>(text: &'t str, option: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(option)?;
    match rest.strip_prefix('=') {
        Some(value) => Some(value),
        None if !option.starts_with("--") && rest.starts_with(|c: char| c.is_ascii_digit()) => Some(rest),
        None => None,
    }
}

/// `docker run --name NAME -p HOST:CONTAINER`, `docker network create NAME` (Docker documentation, "docker").
fn docker(words: &[Term], texts: &[Option<String>]) -> Vec<Deed> {
    let word = |i: usize| texts.get(i).and_then(Option::as_deref);
    let named = |kind: &str, verb: Verb, name: &Term| Deed { verb, realm: Realm::Named(kind.into()), name: name.clone() };
    if let (Some(kind @ ("network" | "volume")), Some("create")) = (word(1), word(2)) {
        let plain = word(3).is_some_and(|text| !text.starts_with('-')) && words.len() == 4;
        return words.get(3).filter(|_| plain).map(|name| named(kind, Verb::Create, name)).into_iter().collect();
    }
    let start = if word(1) == Some("container") { 3 } else { 2 };
    if !matches!(word(start - 1), Some("run" | "create")) {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut i = start;
    while let Some(text) = word(i).filter(|text| text.starts_with('-')) {
        let (option, mut value) = match text.split_once('=') {
            Some((option, value)) => (option, Some(Term::text(value))),
            None => (text, None),
        };
        if value.is_none() && !PLAIN.contains(&option) {
            i += 1;
            value = words.get(i).cloned();
        }
        match (option, value) {
            ("--name", Some(name)) => out.push(named("container", Verb::Create, &name)),
            ("-p" | "--publish", Some(ports)) => out.extend(published(&ports).map(listens)),
            _ => {}
        }
        i += 1;
    }
    out
}

/// The port of the host in `[address:]host:container[/protocol]`.
fn published(ports: &Term) -> Option<Term> {
    let text = ports.as_literal()?;
    let (host, _) = text.rsplit_once(':')?;
    let host = host.rsplit(':').next().unwrap_or(host);
    host.parse::<i64>().ok().map(Term::Int)
}

/// `CREATE DATABASE name` and `DROP DATABASE name`, with a name that is written out.
fn statement(term: &Term) -> Vec<Deed> {
    let Some(text) = term.as_literal() else { return Vec::new() };
    let mut out = Vec::new();
    for one in text.split(';') {
        let words: Vec<&str> = one.split_whitespace().collect();
        let verb = match words.as_slice() {
            [create, database, ..] if create.eq_ignore_ascii_case("create") && database.eq_ignore_ascii_case("database") => {
                Verb::Create
            }
            [drop, database, ..] if drop.eq_ignore_ascii_case("drop") && database.eq_ignore_ascii_case("database") => {
                Verb::Delete
            }
            _ => continue,
        };
        let name = words[2..].iter().find(|word| !["if", "not", "exists"].iter().any(|skip| word.eq_ignore_ascii_case(skip)));
        let Some(name) = name.map(|name| name.trim_matches(['"', '`', '\''])) else { continue };
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) && !name.is_empty();
        if plain {
            out.push(Deed { verb, realm: Realm::Named("database".into()), name: Term::text(name) });
        }
    }
    out
}
