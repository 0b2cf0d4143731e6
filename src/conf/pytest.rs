//! pytest's command line: how many workers, how tests are dealt to them, which paths.
//!
//! pytest documentation, "Command-line Flags"; pytest-xdist, "Running tests across multiple CPUs"; pytest-run-parallel and
//! pytest-parallel, their READMEs.

use super::count::Counted;
use super::shell::{self, Word};
use crate::facts::run::{Dist, Runner};
use crate::facts::trace::{Bound, Count, Place};
use crate::text::{FileId, Span};

/// What a command line says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Arguments {
    /// `-n`, with the place of the option and its value.
    pub workers: Option<Counted>,
    pub most: Option<(u32, Option<Place>)>,
    pub dist: Option<Dist>,
    /// Workers of `--tx 3*popen`.
    pub tx: Option<(u32, Option<(FileId, Span)>)>,
    pub no_xdist: bool,
    /// Threads that run tests: `--tests-per-worker`.
    pub threads: Option<Counted>,
    /// Threads that run one test at once: `--parallel-threads`.
    pub copies: Option<Counted>,
    /// Processes of pytest-parallel: `--workers`.
    pub processes: Option<Counted>,
    pub paths: Vec<String>,
    /// `-c FILE`
    pub config: Option<String>,
    /// `-o addopts=…`
    pub addopts: Option<Vec<Word>>,
    /// pytest-timeout's option.
    pub timeout: Option<Place>,
    /// pytest-rerunfailures': `--reruns`.
    pub reruns: Option<(u32, Place)>,
    /// Files that results are written to.
    pub reports: Vec<(String, Place)>,
    /// `--basetemp`, where it is written out.
    pub basetemp: Option<(String, Place)>,
    /// The option by which a plugin runs notebooks too.
    pub notebooks: Option<&'static str>,
    /// Files and folders that are left out, or globs of them.
    pub left_out: Vec<String>,
    /// `-m EXPRESSION`, where it is known.
    pub marks: Option<String>,
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
    "--rootdir",
    "--confcutdir",
    "--deselect",
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
    "--timeout-method",
    "--reruns-delay",
    "--only-rerun",
    "--ds",
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
    "--random-order-seed",
    "--iterations",
    "--test-group-count",
    "--test-group",
    "--driver",
    "--store-durations",
];

/// Each notebook gets a kernel of its own (nbmake, README; nbval documentation).
const NOTEBOOKS: &[&str] = &["--nbmake", "--nbval", "--nbval-lax"];

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
            "--maxprocesses" => {
                let value = next();
                let at = place(word, value.as_ref());
                found.most = value.and_then(|value| value.str().parse().ok()).map(|most| (most, at));
            }
            "-m" => {
                let value = next();
                found.marks = value.filter(|value| value.expansions.is_empty()).map(|value| value.str().to_owned());
            }
            "--timeout" => {
                let value = next();
                let at = place(word, value.as_ref());
                found.timeout = at.filter(|_| value.is_some_and(|value| value.str() != "0"));
            }
            "--reruns" => {
                let value = next();
                let at = place(word, value.as_ref());
                let many = value.and_then(|value| value.str().parse().ok()).unwrap_or(0);
                found.reruns = at.filter(|_| many > 0).map(|at| (many, at));
            }
            "--junitxml" | "--junit-xml" | "--html" | "--benchmark-json" | "--report-log" | "--json-report-file" => {
                if let Some(value) =
                    next().filter(|value| value.expansions.is_empty() && value.open.is_empty() && !value.str().contains('{'))
                    && let Some(at) = value.place
                {
                    found.reports.push((value.str().to_owned(), at));
                }
            }
            "--basetemp" => {
                let value = next();
                let at = place(word, value.as_ref());
                let fixed = value.filter(|value| value.expansions.is_empty() && !value.str().contains(['{', '$']));
                found.basetemp = fixed.map(|value| value.str().to_owned()).zip(at);
            }
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
            "--tests-per-worker" => found.threads = Some(counted(word, next())),
            "--parallel-threads" => found.copies = Some(counted(word, next())),
            "--workers" => found.processes = Some(counted(word, next())),
            "--ignore" | "--ignore-glob" => {
                let fixed = next().filter(|value| value.expansions.is_empty() && !value.str().contains('$'));
                found.left_out.extend(fixed.map(|value| value.str().trim_end_matches('/').to_owned()));
            }
            "-c" | "--config-file" => found.config = next().map(|value| value.str().to_owned()),
            "-o" | "--override-ini" => {
                if let Some(value) = next()
                    && value.str().starts_with("addopts=")
                {
                    found.addopts = Some(shell::words(&value.tail("addopts=".len()).text));
                }
            }
            _ if NOTEBOOKS.contains(&name) => found.notebooks = NOTEBOOKS.iter().find(|option| **option == name).copied(),
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

fn counted(option: &Word, value: Option<Word>) -> Counted {
    let place = place(option, value.as_ref());
    // A number that stands elsewhere was filled in.
    let beside = match (option.place, value.as_ref().and_then(|value| value.place)) {
        (Some((file, option)), Some((other, value))) => {
            file == other && value.start >= option.start && value.start <= option.end + 8
        }
        _ => false,
    };
    let counted = value.map_or_else(|| Counted::plain(Count::Unknown), |value| Counted::of(&value));
    Counted { place, literal: counted.literal && beside, ..counted }
}

fn dist(text: &str) -> Option<Dist> {
    let known = Dist::ALL.iter().find(|(name, _)| *name == text).map(|(_, dist)| *dist);
    (text != "no").then(|| known.unwrap_or(Dist::Load))
}

impl Arguments {
    /// Who runs the tests, how many at once, and the option that says so. `auto` is what `-n auto` comes to here.
    pub fn runner(&self, auto: &Counted) -> (Runner, Counted) {
        let one = || Counted::plain(Count::Number(1));
        if let Some(given) = self.workers.as_ref().filter(|_| !self.no_xdist) {
            let mut counted = given.clone().meaning(&auto.count);
            if given.auto {
                counted.links = auto.links.clone();
            }
            if let Some((most, _)) = self.most {
                counted.count = Count::Least(vec![counted.count, Count::Number(most)]);
                counted.literal = false;
            }
            // `-n 0` switches xdist off; one worker runs one by one.
            return match counted.count.bound() {
                Bound::At(0 | 1) => (Runner::Sequential, counted),
                // With `-n`, `--dist no` means `load` (xdist/plugin.py, `pytest_cmdline_main`).
                _ => (Runner::Xdist(self.dist.unwrap_or(Dist::Load)), counted),
            };
        }
        if let (Some((many @ 2.., place)), Some(dist), false) = (self.tx, self.dist, self.no_xdist) {
            return (Runner::Xdist(dist), Counted { place, literal: true, ..Counted::plain(Count::Number(many)) });
        }
        for (given, runner) in
            [(&self.threads, Runner::PythonThreads), (&self.copies, Runner::Copies), (&self.processes, Runner::ProcessPool)]
        {
            if let Some(given) = given
                && !matches!(given.count.bound(), Bound::At(0 | 1))
            {
                return (runner, given.clone());
            }
        }
        (Runner::Sequential, one())
    }
}

/// What `-n auto` means without a word from the project: the variable, else all CPUs that the process may use, physical cores where
/// psutil is there (xdist/plugin.py, `pytest_xdist_auto_num_workers`).
pub fn auto() -> Counted {
    use crate::facts::trace::Cpu;
    Counted::plain(Count::variable("PYTEST_XDIST_AUTO_NUM_WORKERS", Count::Cpus(Cpu::Affinity)))
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;
    use crate::facts::run::Workers;

    fn args(text: &str) -> Arguments {
        read(&shell::words(&Script::verbatim(FileId(0), 0, text)))
    }

    fn runner(text: &str) -> (Runner, Workers) {
        let (runner, counted) = args(text).runner(&auto());
        (runner, counted.count.workers())
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
        assert_eq!(args("-n auto").runner(&Counted::plain(Count::Number(3))).1.count, Count::Number(3));
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
        assert_eq!(runner("--parallel-threads auto"), (Runner::Copies, Workers::Cpus));
        assert_eq!(runner("--workers 2 --tests-per-worker=8"), (Runner::PythonThreads, Workers::Fixed(8)));
        assert_eq!(runner("--workers 2"), (Runner::ProcessPool, Workers::Fixed(2)));
    }

    #[test]
    fn places_are_those_of_the_option() {
        assert_eq!(args("-q -n 4 tests").workers.unwrap().place, Some((FileId(0), Span::new(3, 7))));
        assert_eq!(args("-q --numprocesses=auto").workers.unwrap().place, Some((FileId(0), Span::new(3, 22))));
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
