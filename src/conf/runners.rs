//! Command lines of the other Python runners: unittest, Django, stestr, behave and their parallel relatives.

use super::pytest::Count;
use super::shell::{self, Word};
use crate::facts::run::{Runner, Workers};
use crate::text::{FileId, Span};

/// What a command line says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    pub runner: Runner,
    pub workers: Workers,
    /// The option that says so.
    pub place: Option<(FileId, Span)>,
    /// Folder that is searched, where the command names it.
    pub start: Option<String>,
    /// Glob of the test files, for runners of unittest's kind.
    pub pattern: Option<String>,
}

/// How a runner is told its number of workers.
struct Shape {
    names: &'static [&'static str],
    options: &'static [&'static str],
    /// Workers where the option is missing.
    default: Count,
    /// Workers where the option has no value.
    bare: Count,
    /// Workers that `0` means.
    zero: Count,
    /// Options that make it one by one.
    serial: &'static [&'static str],
    unittest: bool,
}

const ONE: Count = Count::Number(1);

/// Documentation of each: Django "Running tests in parallel"; stestr "Running tests"; unittest-parallel, BehaveX, green, nose2 (mp
/// plugin), nose (multiprocess), Twisted trial, zope.testrunner, nbdev: their READMEs and `--help`.
const SHAPES: &[Shape] = &[
    Shape { names: &["unittest", "unittest2"], options: &[], default: ONE, bare: ONE, zero: ONE, serial: &[], unittest: true },
    Shape {
        names: &["manage.py", "django-admin", "django-admin.py", "django"],
        options: &["--parallel"],
        default: ONE,
        bare: Count::Cpus,
        zero: Count::Cpus,
        serial: &[],
        unittest: true,
    },
    Shape {
        names: &["stestr"],
        options: &["--concurrency"],
        default: Count::Cpus,
        bare: Count::Cpus,
        zero: Count::Cpus,
        serial: &["--serial"],
        unittest: true,
    },
    Shape {
        names: &["ostestr"],
        options: &["--concurrency", "-c"],
        default: Count::Cpus,
        bare: Count::Cpus,
        zero: Count::Cpus,
        serial: &["--serial", "-s"],
        unittest: true,
    },
    Shape {
        names: &["unittest-parallel"],
        options: &["-j", "--jobs"],
        default: Count::Cpus,
        bare: Count::Cpus,
        zero: Count::Cpus,
        serial: &[],
        unittest: true,
    },
    Shape {
        names: &["behavex"],
        options: &["--parallel-processes"],
        default: ONE,
        bare: ONE,
        zero: ONE,
        serial: &[],
        unittest: false,
    },
    Shape { names: &["behave"], options: &[], default: ONE, bare: ONE, zero: ONE, serial: &[], unittest: false },
    Shape {
        names: &["green"],
        options: &["-s", "--processes"],
        default: Count::Cpus,
        bare: Count::Cpus,
        zero: Count::Cpus,
        serial: &[],
        unittest: true,
    },
    Shape {
        names: &["nose2"],
        options: &["-N", "--processes"],
        default: ONE,
        bare: Count::Cpus,
        zero: Count::Cpus,
        serial: &[],
        unittest: true,
    },
    Shape { names: &["nosetests"], options: &["--processes"], default: ONE, bare: ONE, zero: ONE, serial: &[], unittest: true },
    Shape { names: &["trial"], options: &["-j", "--jobs"], default: ONE, bare: ONE, zero: ONE, serial: &[], unittest: true },
    Shape { names: &["zope-testrunner"], options: &["-j"], default: ONE, bare: ONE, zero: ONE, serial: &[], unittest: true },
    Shape {
        names: &["nbdev_test", "nbdev-test"],
        options: &["--n_workers"],
        default: Count::Cpus,
        bare: Count::Cpus,
        zero: ONE,
        serial: &[],
        unittest: false,
    },
    Shape { names: &["doctest"], options: &[], default: ONE, bare: ONE, zero: ONE, serial: &[], unittest: false },
];

/// Some runner goes by this name.
pub fn knows(name: &str) -> bool {
    SHAPES.iter().any(|shape| shape.names.contains(&name))
}

/// Reads the words behind the runner's name.
pub fn read(name: &str, words: &[Word]) -> Option<Call> {
    let shape = SHAPES.iter().find(|shape| shape.names.contains(&name))?;
    let positional = || words.iter().map(Word::str).find(|text| !text.starts_with('-'));
    match name {
        "stestr" => positional().filter(|command| *command == "run")?,
        "manage.py" | "django-admin" | "django-admin.py" | "django" => {
            positional().filter(|command| matches!(*command, "test" | "jenkins"))?
        }
        _ => "",
    };
    if words.iter().any(|word| matches!(word.str(), "--help" | "-h" | "--list" | "--dry-run")) {
        return None;
    }
    let mut count = shape.default;
    let mut place = None;
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
                && shape.options.iter().any(|option| option.len() == 2 && text.starts_with(option)) =>
            {
                (&text[..2], Some(word.tail(2)))
            }
            _ => (text, None),
        };
        if shape.serial.contains(&option) {
            (count, place) = (ONE, word.place);
        } else if shape.options.contains(&option) {
            // A following word is the value where it looks like one; Django's `--parallel` may stand alone.
            let value = inline.or_else(|| {
                words.get(n).filter(|value| Count::of(value) != Count::Unknown || !value.expansions.is_empty()).cloned()
            });
            let mut both = vec![word.clone()];
            both.extend(value.clone());
            place = shell::span_of(&both);
            count = match value.map(|value| Count::of(&value)) {
                None => shape.bare,
                Some(Count::Number(0)) => shape.zero,
                Some(count) => count,
            };
        } else if shape.unittest && matches!(option, "-s" | "--start-directory" | "-p" | "--pattern") {
            let value = inline.or_else(|| words.get(n).cloned()).map(|value| value.str().to_owned());
            if option.contains("-s") { start = value } else { pattern = value }
        }
    }
    let workers = count.workers();
    let runner = if workers == Workers::One { Runner::Sequential } else { Runner::ProcessPool };
    if shape.unittest && pattern.is_none() {
        // "test*.py" is the default of `unittest discover`, and of Django's runner.
        pattern = Some("test*.py".to_owned());
    }
    Some(Call { runner, workers, place, start, pattern })
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;

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
            ("green -s 1", one),
            ("trial -j 3 pkg", Some((pool, Workers::Fixed(3)))),
            ("trial pkg", one),
            ("unittest -h", None),
        ] {
            assert_eq!(call(text).map(|call| (call.runner, call.workers)), wanted, "{text}");
        }
    }

    #[test]
    fn folders_patterns_and_places() {
        let found = call("unittest discover -s tests -p '*_spec.py'").unwrap();
        assert_eq!((found.start.as_deref(), found.pattern.as_deref()), (Some("tests"), Some("*_spec.py")));
        let found = call("manage.py test --parallel 4").unwrap();
        assert_eq!((found.place, found.pattern.as_deref()), (Some((FileId(0), Span::new(15, 27))), Some("test*.py")));
        assert_eq!(call("behave").unwrap().pattern, None);
    }
}
