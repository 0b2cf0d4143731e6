//! Command lines of the other Python runners: unittest, Django, stestr, behave and their parallel relatives.

use super::count::Counted;
use super::shell::{self, Word};
use crate::facts::run::Runner;
use crate::facts::trace::{Bound, Count, Cpu};
use std::sync::OnceLock;

/// What a command line says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    pub runner: Runner,
    /// With the option that says so, where one does.
    pub count: Counted,
    /// Folder that is searched, where the command names it.
    pub start: Option<String>,
    /// Glob of the test files, for runners of unittest's kind.
    pub pattern: Option<String>,
    /// It runs notebooks, and nothing else.
    pub notebooks: bool,
    /// Each of its processes changes into a new folder before it runs a test.
    pub own_folder: bool,
}

/// How a runner is told its number of workers; `rules/ci/runners.toml` says what each field means.
struct Shape {
    names: Vec<String>,
    options: Vec<String>,
    serial: Vec<String>,
    words: Vec<String>,
    command: Vec<String>,
    default: Count,
    bare: Count,
    zero: Count,
    env: Option<String>,
    unittest: bool,
    folder: Option<String>,
    notebooks: bool,
    own_folder: bool,
}

fn shapes() -> &'static [Shape] {
    static SHAPES: OnceLock<Vec<Shape>> = OnceLock::new();
    SHAPES.get_or_init(|| {
        let table: toml::Table = include_str!("../../rules/ci/runners.toml").parse().unwrap_or_default();
        let runners = table.get("runner").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        runners
            .iter()
            .map(|runner| {
                let list = |key: &str| -> Vec<String> {
                    let items = runner.get(key).and_then(toml::Value::as_array);
                    items
                        .map(|items| items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
                        .unwrap_or_default()
                };
                let count = |key: &str, missing: Count| runner.get(key).and_then(toml::Value::as_str).map_or(missing, number);
                let default = count("default", Count::Number(1));
                Shape {
                    names: list("names"),
                    options: list("options"),
                    serial: list("serial"),
                    words: list("words"),
                    command: list("command"),
                    bare: count("bare", default.clone()),
                    zero: count("zero", default.clone()),
                    default,
                    env: runner.get("env").and_then(toml::Value::as_str).map(str::to_owned),
                    unittest: runner.get("unittest").and_then(toml::Value::as_bool).unwrap_or(false),
                    folder: runner.get("folder").and_then(toml::Value::as_str).map(str::to_owned),
                    own_folder: runner.get("folder_of_its_own").and_then(toml::Value::as_bool).unwrap_or(false),
                    notebooks: runner.get("notebooks").and_then(toml::Value::as_bool).unwrap_or(false),
                }
            })
            .collect()
    })
}

/// A count as the table writes it: `4`, `cpus`, `cpus:machine`, `least:8,cpus`.
fn number(text: &str) -> Count {
    match text {
        "cpus" => Count::Cpus(Cpu::Affinity),
        "cpus:machine" => Count::Cpus(Cpu::Machine),
        _ => match text.strip_prefix("least:") {
            Some(list) => Count::Least(list.split(',').map(number).collect()),
            None => text.parse().map_or(Count::Unknown, Count::Number),
        },
    }
}

/// Some runner goes by this name.
pub fn knows(name: &str) -> bool {
    shapes().iter().any(|shape| shape.names.iter().any(|known| known == name))
}

/// Reads the words behind the runner's name.
pub fn read(name: &str, words: &[Word]) -> Option<Call> {
    let shape = shapes().iter().find(|shape| shape.names.iter().any(|known| known == name))?;
    let positional = || words.iter().map(Word::str).find(|text| !text.starts_with('-'));
    if !shape.command.is_empty() {
        positional().filter(|command| shape.command.iter().any(|known| known == command))?;
    }
    if words.iter().any(|word| matches!(word.str(), "--help" | "-h" | "--list" | "--dry-run")) {
        return None;
    }
    let mut count = Counted::plain(match &shape.env {
        // Django asks it only where the option is there.
        Some(_) if shape.unittest => shape.default.clone(),
        Some(env) => Count::variable(env, shape.default.clone()),
        None => shape.default.clone(),
    });
    let mut start = None;
    let mut pattern = None;
    let mut n = 0;
    while let Some(word) = words.get(n) {
        n += 1;
        let text = word.str();
        let (option, inline) = match text.split_once('=') {
            Some((option, _)) if option.starts_with("--") => (option, Some(word.tail(option.len() + 1))),
            // `-j4`
            _ if text.len() > 2
                && text.starts_with('-')
                && shape.options.iter().any(|option| option.len() == 2 && text.starts_with(option.as_str())) =>
            {
                (&text[..2], Some(word.tail(2)))
            }
            _ => (text, None),
        };
        if shape.serial.iter().any(|known| known == option) {
            count = Counted { place: word.place, ..Counted::plain(Count::Number(1)) };
        } else if shape.options.iter().any(|known| known == option) {
            // A following word is the value where it looks like one; Django's `--parallel` may stand alone.
            let is_all = |value: &Word| shape.words.iter().any(|word| word == value.str());
            let value = inline.or_else(|| {
                let looks = |value: &&Word| !Counted::of(value).is_unknown() || !value.expansions.is_empty() || is_all(value);
                words.get(n).filter(looks).cloned()
            });
            let mut both = vec![word.clone()];
            both.extend(value.clone());
            let all = || match &shape.env {
                Some(env) => Count::variable(env, Count::Cpus(Cpu::Machine)),
                None => Count::Cpus(Cpu::Machine),
            };
            let mut given = match &value {
                None => Counted::plain(match (&shape.bare, &shape.env) {
                    (Count::Cpus(_), Some(_)) => all(),
                    (bare, _) => bare.clone(),
                }),
                Some(value) if is_all(value) => Counted::plain(all()),
                Some(value) => Counted::of(value),
            };
            given = given.meaning(&all());
            if given.count == Count::Number(0) {
                given.count = shape.zero.clone();
            }
            given.place = shell::span_of(&both);
            count = given;
        } else if shape.folder.as_deref() == Some(option) {
            start = inline.or_else(|| words.get(n).cloned()).map(|value| value.str().to_owned());
        } else if shape.unittest && matches!(option, "-s" | "--start-directory" | "-p" | "--pattern") {
            let value = inline.or_else(|| words.get(n).cloned()).map(|value| value.str().to_owned());
            if option.contains("-s") { start = value } else { pattern = value }
        }
    }
    let runner = if matches!(count.count.bound(), Bound::At(0 | 1)) { Runner::Sequential } else { Runner::ProcessPool };
    if shape.unittest && pattern.is_none() {
        // "test*.py" is the default of `unittest discover`, and of Django's runner.
        pattern = Some("test*.py".to_owned());
    }
    Some(Call { runner, count, start, pattern, own_folder: shape.own_folder, notebooks: shape.notebooks })
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;
    use crate::facts::run::Workers;
    use crate::text::{FileId, Span};

    fn call(text: &str) -> Option<Call> {
        let words = shell::words(&Script::verbatim(FileId(0), 0, text));
        read(words[0].str(), &words[1..])
    }

    #[test]
    fn runners_and_their_workers() {
        let pool = Runner::ProcessPool;
        let one = Some((Runner::Sequential, Workers::One));
        for (text, wanted) in [
            ("unittest discover -v", one),
            ("manage.py test", one),
            ("manage.py test app --parallel", Some((pool, Workers::Cpus))),
            ("manage.py test --parallel 4 app", Some((pool, Workers::Fixed(4)))),
            ("manage.py test --parallel=auto", Some((pool, Workers::Cpus))),
            ("manage.py test --parallel app", Some((pool, Workers::Cpus))),
            ("django-admin test --parallel=1", one),
            ("manage.py migrate", None),
            ("stestr run", Some((pool, Workers::Cpus))),
            ("stestr run --concurrency=2", Some((pool, Workers::Fixed(2)))),
            ("stestr run --serial", one),
            ("stestr last", None),
            ("unittest-parallel -j 0", Some((pool, Workers::Cpus))),
            ("unittest-parallel -j4 -s tests", Some((pool, Workers::Fixed(4)))),
            ("behavex -t x --parallel-processes $N", Some((pool, Workers::Unknown))),
            ("behave", one),
            ("nbdev_test", Some((pool, Workers::Fixed(8)))),
            ("pabot tests", Some((pool, Workers::Cpus))),
            ("ctest -j 4", Some((pool, Workers::Fixed(4)))),
            ("ctest", one),
            ("green -s 1", one),
            ("trial -j 3 pkg", Some((pool, Workers::Fixed(3)))),
            ("trial pkg", one),
            ("unittest -h", None),
        ] {
            assert_eq!(call(text).map(|call| (call.runner, call.count.count.workers())), wanted, "{text}");
        }
    }

    #[test]
    fn folders_patterns_and_places() {
        let found = call("unittest discover -s tests -p '*_spec.py'").unwrap();
        assert_eq!((found.start.as_deref(), found.pattern.as_deref()), (Some("tests"), Some("*_spec.py")));
        let found = call("manage.py test --parallel 4").unwrap();
        assert_eq!((found.count.place, found.pattern.as_deref()), (Some((FileId(0), Span::new(15, 27))), Some("test*.py")));
        assert_eq!(call("behave").unwrap().pattern, None);
        let found = call("nbdev_test --path nbs/api --n_workers 2").unwrap();
        assert_eq!((found.start.as_deref(), found.notebooks), (Some("nbs/api"), true));
    }
}
