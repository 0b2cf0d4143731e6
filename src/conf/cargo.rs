//! Cargo's command line: `cargo test`, nextest and what wraps them; Cargo's and nextest's own configuration.
//!
//! The Cargo Book, "cargo test" and "Configuration"; the rustc book, "Tests" (`--test-threads`, `RUST_TEST_THREADS`); nextest,
//! "Running tests" and "Configuration reference".

use super::count::Counted;
use super::shell::{self, Word};
use super::toml::{Item, Toml};
use super::tree::{self, Tree};
use crate::facts::run::Runner;
use crate::facts::trace::{Count, Cpu, Place};
use crate::text::{FileId, Span};
use std::collections::BTreeMap;

/// What a `cargo` command does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    Tests(Tests),
    /// `cargo make TASK …`
    Make(Vec<Word>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tests {
    pub runner: Runner,
    /// From the command line, where it says so.
    pub count: Option<Counted>,
    /// Of nextest.
    pub profile: Option<String>,
    /// nextest's `--retries`, for more than some tests that are named.
    pub retries: Option<(u32, Place)>,
    /// Examples in documentation are among what it runs.
    pub doctests: bool,
    pub manifest: Option<String>,
    pub packages: Vec<String>,
}

/// What Cargo's and nextest's own files say.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `[alias]` of `.cargo/config.toml`.
    aliases: BTreeMap<String, Vec<Word>>,
    /// `[env] RUST_TEST_THREADS` there.
    pub threads: Option<Counted>,
    /// nextest's profiles.
    pub profiles: BTreeMap<String, Profile>,
    /// `.config/nextest.toml` with the place of its first profile.
    pub nextest: Vec<(String, FileId, Span)>,
}

/// A profile of nextest.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    pub threads: Option<Counted>,
    /// Of all tests.
    pub retries: Option<(u32, Place)>,
    /// `slow-timeout`, and whether it ends the test.
    pub slow: Option<(Place, bool)>,
}

pub fn settings(tree: &Tree) -> Settings {
    let mut settings = Settings::default();
    for (path, file) in tree.files() {
        if ends_with(path, ".cargo/config.toml") || ends_with(path, ".cargo/config") {
            let toml = Toml::parse(file, tree.text(file));
            for (name, _, item) in toml.at(&["alias"]).map(Item::entries).unwrap_or_default() {
                let words = if item.is_list() {
                    item.scripts().into_iter().map(Word::plain).collect()
                } else {
                    item.script().map(|script| shell::words(&script)).unwrap_or_default()
                };
                settings.aliases.insert(name.to_owned(), words);
            }
            if let Some(item) = toml.at(&["env", "RUST_TEST_THREADS"]) {
                let item = item.at(&["value"]).unwrap_or(item);
                settings.threads = Some(count(item));
            }
        } else if ends_with(path, ".config/nextest.toml") {
            let toml = Toml::parse(file, tree.text(file));
            let profiles = toml.at(&["profile"]).map(Item::entries).unwrap_or_default();
            let place = profiles.first().map_or(Span::new(0, 0), |(_, (_, span), _)| *span);
            let dir = tree::folder(tree::folder(path)).to_owned();
            settings.nextest.push((dir, file, place));
            for (name, _, item) in profiles {
                let retries = item.at(&["retries"]).and_then(|retries| {
                    let many = retries.int().or_else(|| retries.at(&["count"])?.int())?;
                    u32::try_from(many).ok().filter(|many| *many > 0).map(|many| (many, retries.place()))
                });
                let ends = item.at(&["global-timeout"]).map(|item| (item.place(), true));
                let slow = item.at(&["slow-timeout"]).map(|slow| (slow.place(), slow.at(&["terminate-after"]).is_some()));
                let slow = slow.filter(|(_, ends)| *ends).or(ends).or(slow);
                settings
                    .profiles
                    .insert(name.to_owned(), Profile { threads: item.at(&["test-threads"]).map(count), retries, slow });
            }
        }
    }
    settings
}

fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

fn count(item: Item) -> Counted {
    let cpus = || Count::Cpus(Cpu::Quota);
    let count = match (item.int(), item.str()) {
        (Some(n), _) if n >= 0 => u32::try_from(n).map_or(Count::Unknown, Count::Number),
        // All but some.
        (Some(n), _) => Count::Less(Box::new(cpus()), u32::try_from(-n).unwrap_or(0)),
        (None, Some("num-cpus")) => cpus(),
        (None, Some(text)) => text.trim().parse().map_or(Count::Unknown, Count::Number),
        _ => Count::Unknown,
    };
    Counted { place: Some(item.place()), ..Counted::plain(count) }
}

impl Settings {
    /// How many tests run at once, with the variables open that the runner reads (the rustc book, "Tests"; nextest, "Environment
    /// variables").
    pub fn count(&self, tests: &Tests) -> Counted {
        if let Some(given) = &tests.count {
            return given.clone();
        }
        let (name, below) = match tests.runner {
            Runner::Nextest => {
                ("NEXTEST_TEST_THREADS", self.of_profile(tests.profile.as_deref(), |profile| profile.threads.clone()))
            }
            _ => ("RUST_TEST_THREADS", self.threads.clone()),
        };
        let mut counted = below.unwrap_or_else(|| Counted::plain(Count::Cpus(Cpu::Quota)));
        counted.count = Count::variable(name, counted.count);
        counted
    }

    /// What a profile of nextest says, or else the default one, from which all inherit.
    pub fn of_profile<T>(&self, profile: Option<&str>, what: impl Fn(&Profile) -> Option<T>) -> Option<T> {
        let own = profile.and_then(|name| self.profiles.get(name)).and_then(&what);
        own.or_else(|| self.profiles.get("default").and_then(&what))
    }

    /// Reads the words behind `cargo`.
    pub fn read(&self, words: &[Word]) -> Option<Call> {
        self.read_deep(words, 0)
    }

    fn read_deep(&self, words: &[Word], depth: u32) -> Option<Call> {
        let mut options = Options::default();
        let mut n = 0;
        // Options before the command.
        while let Some(word) = words.get(n).filter(|word| word.str().starts_with(['-', '+'])) {
            n += 1;
            if matches!(word.str(), "--manifest-path" | "-C" | "--config" | "-Z" | "--color") {
                let value = words.get(n).map(|value| value.str().to_owned());
                if word.str() == "--manifest-path" {
                    options.manifest = value;
                }
                n += 1;
            } else if let Some(path) = word.str().strip_prefix("--manifest-path=") {
                options.manifest = Some(path.to_owned());
            }
        }
        let command = words.get(n)?.str().to_owned();
        let rest = words.get(n + 1..).unwrap_or(&[]);
        let tests = |runner: Runner, rest: &[Word]| {
            let mut options = options.clone();
            options.read(rest, runner).then_some(Call::Tests(Tests {
                runner,
                count: options.count,
                profile: options.profile,
                manifest: options.manifest,
                packages: options.packages,
                retries: options.retries.filter(|_| !options.chosen),
                doctests: runner == Runner::CargoTest && !options.narrow,
            }))
        };
        match command.as_str() {
            "test" | "t" | "tarpaulin" if !self.aliases.contains_key(&command) || command == "test" => {
                tests(Runner::CargoTest, rest)
            }
            "nextest" => {
                let at = rest.iter().position(|word| !word.str().starts_with('-'))?;
                matches!(rest[at].str(), "run" | "r").then(|| tests(Runner::Nextest, &rest[at + 1..]))?
            }
            "llvm-cov" => match rest
                .iter()
                .take_while(|word| word.str() != "--")
                .position(|word| is_word(word.str(), &["nextest", "test", "clean", "report", "show-env", "run"]))
            {
                Some(at) => match rest[at].str() {
                    "nextest" => tests(Runner::Nextest, &rest[at + 1..]),
                    "test" => tests(Runner::CargoTest, rest),
                    _ => None,
                },
                None => tests(Runner::CargoTest, rest),
            },
            "insta" => {
                let runs = rest.first().is_some_and(|word| word.str() == "test");
                let nextest = rest.iter().any(|word| word.str() == "--test-runner=nextest")
                    || rest.windows(2).any(|pair| pair[0].str() == "--test-runner" && pair[1].str() == "nextest");
                runs.then(|| tests(if nextest { Runner::Nextest } else { Runner::CargoTest }, &rest[1..]))?
            }
            "make" => Some(Call::Make(rest.to_vec())),
            // They run another command of Cargo in their own way.
            "hack" | "careful" | "miri" | "minimal-versions" | "auditable" | "ndk" | "valgrind" | "msrv" | "all-features"
            | "workspaces" | "+nightly" => {
                let at = rest
                    .iter()
                    .take_while(|word| word.str() != "--")
                    .position(|word| is_word(word.str(), &["test", "t", "nextest"]))?;
                let mut call = self.read_deep(&rest[at..], depth + 1).filter(|_| depth < 4);
                if let (Some(Call::Tests(tests)), "miri") = (&mut call, command.as_str())
                    && tests.runner == Runner::CargoTest
                {
                    // Miri, README, `-Zmiri-num-cpus`: a machine of one CPU, unless it is told otherwise.
                    tests.count.get_or_insert_with(|| Counted::plain(Count::Number(1)));
                }
                call
            }
            alias => {
                let mut words = self.aliases.get(alias).filter(|_| depth < 4)?.clone();
                words.extend_from_slice(rest);
                self.read_deep(&words, depth + 1)
            }
        }
    }
}

fn is_word(text: &str, words: &[&str]) -> bool {
    words.contains(&text)
}

#[derive(Clone, Default)]
struct Options {
    count: Option<Counted>,
    profile: Option<String>,
    manifest: Option<String>,
    packages: Vec<String>,
    retries: Option<(u32, Place)>,
    /// Some kinds of targets only: examples in documentation are none of them.
    narrow: bool,
    /// Targets or tests are named: a choice of some.
    chosen: bool,
}

impl Options {
    /// False where no unit of code is tested: `--no-run`, `--doc`, `--list`.
    fn read(&mut self, words: &[Word], runner: Runner) -> bool {
        let mut behind = false;
        let mut n = 0;
        while let Some(word) = words.get(n) {
            n += 1;
            if word.str() == "--" {
                behind = true;
                continue;
            }
            let (name, inline) = match word.str().split_once('=') {
                Some((name, _)) if name.starts_with('-') => (name, Some(word.tail(name.len() + 1))),
                _ => (word.str(), None),
            };
            let mut next = || {
                inline.clone().or_else(|| {
                    let value = words.get(n).cloned();
                    n += usize::from(value.is_some());
                    value
                })
            };
            let nextest = runner == Runner::Nextest;
            match name {
                "--no-run" | "--list" | "--help" | "-h" => return false,
                // Doc tests are programs of their own.
                "--doc" if !behind => return false,
                "--test-threads" if behind || nextest => self.count = Some(Self::counted(word, next())),
                "-j" | "--jobs" if nextest && !behind => self.count = Some(Self::counted(word, next())),
                name if nextest && !behind && name.starts_with("-j") && name[2..].bytes().all(|b| b.is_ascii_digit()) => {
                    self.count = Some(Self::counted(word, Some(word.tail(2))));
                }
                "-P" | "--profile" if nextest && !behind => self.profile = next().map(|value| value.str().to_owned()),
                "--manifest-path" if !behind => self.manifest = next().map(|value| value.str().to_owned()),
                "-p" | "--package" if !behind => self.packages.extend(next().map(|value| value.str().to_owned())),
                "--retries" if nextest && !behind => {
                    let value = next();
                    let many = value.as_ref().and_then(|value| value.str().parse().ok()).unwrap_or(0);
                    let mut words = vec![word.clone()];
                    words.extend(value);
                    self.retries = shell::span_of(&words).filter(|_| many > 0).map(|at| (many, at));
                }
                "--lib" | "--bins" | "--tests" | "--examples" | "--benches" | "--all-targets" if !behind => self.narrow = true,
                "--test" | "--bin" | "--example" | "--bench" if !behind => {
                    (self.narrow, self.chosen) = (true, true);
                    next();
                }
                "-E" | "--filter-expr" | "--filterset" if nextest && !behind => {
                    self.chosen = true;
                    next();
                }
                "--target" if !behind => {
                    // WebAssembly has no threads to run tests in.
                    let one = next().filter(|value| value.str().starts_with("wasm32")).map(|_| Counted::plain(Count::Number(1)));
                    self.count = self.count.take().or(one);
                }
                "-F" | "--features" | "--target-dir" | "--exclude" | "--profile" | "-j" | "--jobs" if !behind => {
                    next();
                }
                _ => {}
            }
        }
        true
    }

    fn counted(option: &Word, value: Option<Word>) -> Counted {
        let mut words = vec![option.clone()];
        words.extend(value.clone());
        let counted = value.map_or_else(|| Counted::plain(Count::Unknown), |value| Counted::of(&value));
        let mut counted = counted.meaning(&Count::Cpus(Cpu::Quota));
        // `-j -2` of nextest is all CPUs but two.
        if counted.is_unknown()
            && let Some(less) = words.last().and_then(|word| word.str().strip_prefix('-')).and_then(|n| n.parse().ok())
        {
            counted.count = Count::Less(Box::new(Count::Cpus(Cpu::Quota)), less);
        }
        Counted { place: shell::span_of(&words), ..counted }
    }
}

impl Tests {
    /// `cargo test` without further words.
    pub fn plain(runner: Runner) -> Tests {
        Tests {
            runner,
            count: None,
            profile: None,
            manifest: None,
            packages: Vec::new(),
            retries: None,
            doctests: runner == Runner::CargoTest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;
    use crate::facts::run::Workers;
    use crate::text::{Kind, Source};

    fn read(settings: &Settings, text: &str) -> Option<(Runner, Workers)> {
        let words = shell::commands(&Script::verbatim(FileId(0), 0, text)).remove(0).words;
        match settings.read(&words[1..])? {
            Call::Tests(tests) => Some((tests.runner, settings.count(&tests).count.workers())),
            Call::Make(_) => None,
        }
    }

    #[test]
    fn commands() {
        let settings = Settings::default();
        let test = |workers| Some((Runner::CargoTest, workers));
        let nextest = |workers| Some((Runner::Nextest, workers));
        for (text, wanted) in [
            ("cargo test", test(Workers::Cpus)),
            ("cargo +nightly --locked t -j 4 --all", test(Workers::Cpus)),
            ("cargo test -p a -- --test-threads=1", test(Workers::One)),
            ("cargo test -- --nocapture --test-threads 4", test(Workers::Fixed(4))),
            ("cargo test --test-threads 4", test(Workers::Cpus)),
            ("cargo nextest run", nextest(Workers::Cpus)),
            ("cargo nextest run -j1", nextest(Workers::One)),
            ("cargo nextest r --test-threads=num-cpus -E 'not test(x)'", nextest(Workers::Cpus)),
            ("cargo nextest run -j $N", nextest(Workers::Unknown)),
            ("cargo llvm-cov --workspace nextest --lcov", nextest(Workers::Cpus)),
            ("cargo llvm-cov --lcov -- --test-threads=2", test(Workers::Fixed(2))),
            ("cargo hack --feature-powerset test -- --test-threads=1", test(Workers::One)),
            ("cargo miri nextest run", nextest(Workers::Cpus)),
            ("cargo insta test --test-runner nextest", nextest(Workers::Cpus)),
            ("cargo tarpaulin", test(Workers::Cpus)),
            ("cargo miri test -p a", test(Workers::One)),
            ("cargo test --target wasm32-unknown-unknown", test(Workers::One)),
            ("cargo test --no-run", None),
            ("cargo test --doc", None),
            ("cargo nextest list", None),
            ("cargo nextest", None),
            ("cargo llvm-cov report", None),
            ("cargo build", None),
            ("cargo", None),
            ("cargo -C", None),
        ] {
            assert_eq!(read(&settings, text), wanted, "{text}");
        }
    }

    #[test]
    fn own_files() {
        let sources: Vec<Source> = [
            (".cargo/config.toml", "[alias]\nt = \"nextest run -P slow\"\nloop = \"loop\"\nxt = [\"test\", \"--\", \"--test-threads\", \"2\"]\n[env]\nRUST_TEST_THREADS = \"1\"\n"),
            (".config/nextest.toml", "[profile.default]\ntest-threads = 3\n[profile.slow]\ntest-threads = 1\n[profile.ci]\ntest-threads = -2\n"),
        ]
        .iter()
        .map(|(path, text)| Source::of(*path, Kind::Config, *text))
        .collect();
        let settings = settings(&Tree::new(&sources));
        assert_eq!(read(&settings, "cargo t"), Some((Runner::Nextest, Workers::One)));
        assert_eq!(read(&settings, "cargo xt"), Some((Runner::CargoTest, Workers::Fixed(2))));
        assert_eq!(read(&settings, "cargo test"), Some((Runner::CargoTest, Workers::One)));
        assert_eq!(read(&settings, "cargo nextest run"), Some((Runner::Nextest, Workers::Fixed(3))));
        assert_eq!(read(&settings, "cargo nextest run --profile ci"), Some((Runner::Nextest, Workers::Cpus)));
        assert_eq!(read(&settings, "cargo loop"), None);
        assert_eq!(settings.nextest, [(String::new(), FileId(1), Span::new(9, 16))]);
    }
}
