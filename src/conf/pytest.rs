//! pytest's command line: how many workers, how tests are dealt to them, which paths.
//!
//! pytest documentation, "Command-line Flags"; pytest-xdist, "Running tests across multiple CPUs"; pytest-run-parallel and
//! pytest-parallel, their READMEs.

use super::shell::{self, Expansion, Word};
use crate::facts::run::{Dist, Runner, Workers};
use crate::text::{FileId, Span};

/// A number of workers, as an option gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Count {
    Number(u32),
    /// `auto`, `logical`, `$(nproc)`.
    Cpus,
    Unknown,
}

impl Count {
    pub fn of(word: &Word) -> Count {
        let text = word.str().trim();
        if let Ok(number) = text.parse() {
            return Count::Number(number);
        }
        let counts = |command: &str| ["nproc", "cpu", "NPROC", "sysctl", "PROCESSORS"].iter().any(|part| command.contains(part));
        let by_command = word.expansions.iter().any(|(_, what)| match what {
            Expansion::Command(command) => counts(command),
            Expansion::Variable { name, .. } => name == "NUMBER_OF_PROCESSORS",
            Expansion::Expression(_) => false,
        });
        if matches!(text, "auto" | "logical" | "max" | "num-cpus" | "ncpu") || by_command { Count::Cpus } else { Count::Unknown }
    }

    pub fn workers(self) -> Workers {
        match self {
            Count::Number(0 | 1) => Workers::One,
            Count::Number(n) => Workers::Fixed(n),
            Count::Cpus => Workers::Cpus,
            Count::Unknown => Workers::Unknown,
        }
    }
}

/// What a command line says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Arguments {
    /// `-n`, with the place of the option and its value.
    pub workers: Option<(Count, Option<(FileId, Span)>)>,
    pub most: Option<u32>,
    pub dist: Option<Dist>,
    /// Workers of `--tx 3*popen`.
    pub tx: Option<(u32, Option<(FileId, Span)>)>,
    pub no_xdist: bool,
    /// Threads that run tests: `--parallel-threads`, `--tests-per-worker`.
    pub threads: Option<(Count, Option<(FileId, Span)>)>,
    /// Processes of pytest-parallel: `--workers`.
    pub processes: Option<(Count, Option<(FileId, Span)>)>,
    pub paths: Vec<String>,
    /// `-c FILE`
    pub config: Option<String>,
    /// `-o addopts=…`
    pub addopts: Option<Vec<Word>>,
    /// Nothing is run: `--collect-only`, `--version` …
    pub dry: bool,
}

/// Options that take the next word, so that it is no path.
const VALUED: &[&str] = &[
    "-k",
    "-m",
    "-W",
    "-r",
    "--maxfail",
    "--tb",
    "--junitxml",
    "--junit-xml",
    "--rootdir",
    "--confcutdir",
    "--ignore",
    "--ignore-glob",
    "--deselect",
    "--basetemp",
    "--log-level",
    "--log-cli-level",
    "--log-file",
    "--durations",
    "--durations-min",
    "--color",
    "--cov",
    "--cov-report",
    "--cov-config",
    "--cov-fail-under",
    "--timeout",
    "--timeout-method",
    "--reruns",
    "--reruns-delay",
    "--only-rerun",
    "--ds",
    "--html",
    "--splits",
    "--group",
    "--count",
    "--import-mode",
    "--capture",
    "--browser",
    "--rsyncdir",
    "--max-worker-restart",
    "--junit-prefix",
    "--verbosity",
    "--show-capture",
    "--pastebin",
    "--benchmark-json",
    "--random-order-seed",
    "--report-log",
    "--iterations",
    "--test-group-count",
    "--test-group",
    "--driver",
    "--store-durations",
];

/// Reads the words behind `pytest`; a later option overrides an earlier one.
pub fn read(words: &[Word]) -> Arguments {
    let mut found = Arguments::default();
    let mut n = 0;
    while let Some(word) = words.get(n) {
        let text = word.str();
        n += 1;
        if !text.starts_with('-') || text == "-" {
            found.paths.push(text.to_owned());
            continue;
        }
        if text == "--" {
            found.paths.extend(words[n..].iter().map(|word| word.str().to_owned()));
            break;
        }
        let (name, width) = option_name(text);
        // The value: behind `=` or the letter, else the next word.
        let inline = (width < text.len()).then(|| word.tail(width));
        let mut next = || {
            inline.clone().or_else(|| {
                let value = words.get(n).cloned();
                n += usize::from(value.is_some());
                value
            })
        };
        match name {
            "-n" | "--numprocesses" => found.workers = Some(counted(word, next())),
            "--maxprocesses" => found.most = next().and_then(|value| value.str().parse().ok()),
            "--dist" => found.dist = next().map(|value| dist(value.str())).unwrap_or(found.dist),
            "-d" => found.dist = Some(Dist::Load),
            "--tx" => {
                let value = next();
                let place = place(word, value.as_ref());
                let text = value.map(|value| value.str().to_owned()).unwrap_or_default();
                let many = text.split_once('*').and_then(|(many, _)| many.parse::<u32>().ok()).unwrap_or(1);
                found.tx = Some((found.tx.map_or(0, |(sum, _)| sum).saturating_add(many), place));
            }
            "-p" => found.no_xdist |= next().is_some_and(|value| value.str() == "no:xdist"),
            "--parallel-threads" | "--tests-per-worker" => found.threads = Some(counted(word, next())),
            "--workers" => found.processes = Some(counted(word, next())),
            "-c" | "--config-file" => found.config = next().map(|value| value.str().to_owned()),
            "-o" | "--override-ini" => {
                if let Some(value) = next()
                    && value.str().starts_with("addopts=")
                {
                    found.addopts = Some(shell::words(&value.tail("addopts=".len()).text));
                }
            }
            "--collect-only"
            | "--co"
            | "--version"
            | "-V"
            | "--help"
            | "-h"
            | "--fixtures"
            | "--markers"
            | "--setup-plan"
            | "--fixtures-per-test" => {
                found.dry = true;
            }
            // `--cov` alone is common too: a path that is no test path does no harm.
            _ if VALUED.contains(&name) => {
                next();
            }
            _ => {}
        }
    }
    found
}

/// The option and where its inline value begins. Short flags may be joined: `-xvn4`.
fn option_name(text: &str) -> (&str, usize) {
    if text.starts_with("--") {
        return match text.find('=') {
            Some(at) => (&text[..at], at + 1),
            None => (text, text.len()),
        };
    }
    let flags = text[1..].bytes().take_while(|b| matches!(b, b'v' | b'q' | b'x' | b's' | b'l')).count();
    let at = 1 + flags;
    let Some(letter) = text[at..].chars().next() else { return (text, text.len()) };
    let end = at + letter.len_utf8();
    let name = match letter {
        'n' => "-n",
        'p' => "-p",
        'c' => "-c",
        'o' => "-o",
        'd' => "-d",
        'k' => "-k",
        'm' => "-m",
        'W' => "-W",
        'r' => "-r",
        'h' => "-h",
        'V' => "-V",
        _ => &text[..end],
    };
    (name, if text[end..].starts_with('=') { end + 1 } else { end })
}

fn place(option: &Word, value: Option<&Word>) -> Option<(FileId, Span)> {
    let mut words = vec![option.clone()];
    words.extend(value.cloned());
    shell::span_of(&words)
}

fn counted(option: &Word, value: Option<Word>) -> (Count, Option<(FileId, Span)>) {
    let place = place(option, value.as_ref());
    (value.map_or(Count::Unknown, |value| Count::of(&value)), place)
}

fn dist(text: &str) -> Option<Dist> {
    match text {
        "no" => None,
        "loadscope" => Some(Dist::LoadScope),
        "loadfile" => Some(Dist::LoadFile),
        "loadgroup" => Some(Dist::LoadGroup),
        "worksteal" => Some(Dist::WorkSteal),
        "each" => Some(Dist::Each),
        _ => Some(Dist::Load),
    }
}

impl Arguments {
    /// Who runs the tests, how many at once, and the option that says so. `auto` is what the environment says `auto` means
    /// (`PYTEST_XDIST_AUTO_NUM_WORKERS`).
    pub fn runner(&self, auto: Option<u32>) -> (Runner, Workers, Option<(FileId, Span)>) {
        if let Some((count, place)) = self.workers.filter(|_| !self.no_xdist) {
            let count = match (count, auto, self.most) {
                (Count::Number(n), _, Some(most)) => Count::Number(n.min(most)),
                (Count::Cpus, Some(auto), most) => Count::Number(auto.min(most.unwrap_or(u32::MAX))),
                // At most so many.
                (Count::Cpus | Count::Unknown, None, Some(most)) => Count::Number(most),
                (count, ..) => count,
            };
            // `-n 0` switches xdist off; one worker runs one by one.
            return match count.workers() {
                Workers::One => (Runner::Sequential, Workers::One, place),
                // With `-n`, `--dist no` means `load` (xdist/plugin.py, `pytest_cmdline_main`).
                workers => (Runner::Xdist(self.dist.unwrap_or(Dist::Load)), workers, place),
            };
        }
        if let (Some((many @ 2.., place)), Some(dist), false) = (self.tx, self.dist, self.no_xdist) {
            return (Runner::Xdist(dist), Workers::Fixed(many), place);
        }
        for (given, runner) in [(self.threads, Runner::PythonThreads), (self.processes, Runner::ProcessPool)] {
            if let Some((count, place)) = given
                && count.workers() != Workers::One
            {
                return (runner, count.workers(), place);
            }
        }
        (Runner::Sequential, Workers::One, None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;

    fn args(text: &str) -> Arguments {
        read(&shell::words(&Script::verbatim(FileId(0), 0, text)))
    }

    fn runner(text: &str) -> (Runner, Workers) {
        let (runner, workers, _) = args(text).runner(None);
        (runner, workers)
    }

    #[test]
    fn workers_in_every_spelling() {
        let four = (Runner::Xdist(Dist::Load), Workers::Fixed(4));
        for text in [
            "-n 4",
            "-n4",
            "-n=4",
            "--numprocesses=4",
            "--numprocesses 4",
            "-xvn4",
            "-qn 4",
            "-n 2 -n 4",
            "-n 4 --dist no",
            "--tx 4*popen -d",
            "-n 8 --maxprocesses 4",
            "-n auto --maxprocesses=4",
        ] {
            assert_eq!(runner(text), four, "{text}");
        }
        for text in ["-n auto", "-nlogical", "-n $(nproc)", "-n `sysctl -n hw.ncpu`"] {
            assert_eq!(runner(text), (Runner::Xdist(Dist::Load), Workers::Cpus), "{text}");
        }
        assert_eq!(runner("-n $N"), (Runner::Xdist(Dist::Load), Workers::Unknown));
        for text in [
            "",
            "-n 0",
            "-n1",
            "-n 4 -p no:xdist",
            "-pno:xdist -n auto",
            "--dist loadfile",
            "--tx popen --dist load",
            "-k n4 -m n",
            "--parallel-threads=1",
        ] {
            assert_eq!(runner(text), (Runner::Sequential, Workers::One), "{text}");
        }
        assert_eq!(args("-n auto").runner(Some(3)).1, Workers::Fixed(3));
    }

    #[test]
    fn modes_and_other_plugins() {
        for (text, dist) in [
            ("loadscope", Dist::LoadScope),
            ("loadfile", Dist::LoadFile),
            ("loadgroup", Dist::LoadGroup),
            ("worksteal", Dist::WorkSteal),
            ("each", Dist::Each),
            ("load", Dist::Load),
        ] {
            assert_eq!(runner(&format!("--dist={text} -n 2")).0, Runner::Xdist(dist));
            assert_eq!(runner(&format!("-n 2 --dist {text}")).0, Runner::Xdist(dist));
        }
        assert_eq!(runner("--parallel-threads auto"), (Runner::PythonThreads, Workers::Cpus));
        assert_eq!(runner("--workers 2 --tests-per-worker=8"), (Runner::PythonThreads, Workers::Fixed(8)));
        assert_eq!(runner("--workers 2"), (Runner::ProcessPool, Workers::Fixed(2)));
    }

    #[test]
    fn places_are_those_of_the_option() {
        assert_eq!(args("-q -n 4 tests").workers, Some((Count::Number(4), Some((FileId(0), Span::new(3, 7))))));
        assert_eq!(args("-q --numprocesses=auto").workers, Some((Count::Cpus, Some((FileId(0), Span::new(3, 22))))));
    }

    #[test]
    fn paths_and_the_rest() {
        let found = args("-k 'a b' --cov src -c x.ini -o addopts='-n 2' tests a/b.py::T -- c --collect-only");
        assert_eq!(found.paths, ["tests", "a/b.py::T", "c", "--collect-only"]);
        assert_eq!(found.config.as_deref(), Some("x.ini"));
        assert_eq!(found.addopts.unwrap().len(), 2);
        assert!(!found.dry && args("--co -q").dry && args("--version").dry);
        for text in ["-n", "--dist", "-", "-é", "--=", "-p", "-o x", "-xé"] {
            args(text);
        }
    }
}
