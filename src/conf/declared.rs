//! Runs that isolint's own configuration declares: they go over what was found about the same tests.

use super::runs::Outcome;
use super::tree::Tree;
use crate::facts::run::{Declared, Dist, Notebooks, Run, Runner, Workers, below};
use crate::text::FileId;

/// unittest's own pattern of test files (Python documentation, "unittest: Test Discovery").
const UNITTEST: &str = "test*.py";

/// Puts declared runs before those that were found, and takes out what they replace as a whole.
pub fn over(outcome: &mut Outcome, declared: &[Declared], tree: &Tree) {
    let mut runs: Vec<Run> = Vec::with_capacity(declared.len());
    for one in declared {
        let Some(runner) = runner(one) else { continue };
        match one.runner.as_str() {
            "pytest" | "pytest-xdist" | "pytest-run-parallel" => outcome.pytest = true,
            "unittest" | "unittest-parallel" | "django" | "stestr" => {
                outcome.unittest.insert(UNITTEST.to_owned());
            }
            _ => {}
        }
        let place = tree.sources.iter().position(|source| *source.path == *one.file).map(|at| (FileId(at as u32), one.span));
        let mut text = format!("runner = {}", one.runner);
        if let Some(Workers::Fixed(count)) = one.workers {
            text.push_str(&format!(", workers = {count}"));
        }
        if place.is_none() {
            text.push_str(&format!(" ({}:{})", one.file, one.line));
        }
        let workers = match runner {
            Runner::Sequential => Workers::One,
            _ => one.workers.unwrap_or(Workers::Cpus),
        };
        let scope = one.scope.clone();
        runs.push(Run {
            runner,
            workers,
            scope,
            place,
            text,
            own_home: false,
            own_folder: false,
            notebooks: Notebooks::None,
            left_out: Vec::new(),
            marks: None,
            declared: true,
        });
    }
    let replaced = |found: &Run| {
        let same = |one: &&Run| one.runner.is_rust() == found.runner.is_rust() && below(&found.scope, &one.scope).is_some();
        found.notebooks != Notebooks::InWorkers && runs.iter().any(|one| same(&one))
    };
    outcome.runs.retain(|found| !replaced(found));
    outcome.runs.splice(0..0, runs);
}

/// What a declared name means; none for a name that is not known.
fn runner(one: &Declared) -> Option<Runner> {
    Some(match one.runner.as_str() {
        "pytest" | "unittest" | "behave" => Runner::Sequential,
        "pytest-xdist" => Runner::Xdist(one.dist.unwrap_or(Dist::Load)),
        "pytest-run-parallel" => Runner::Copies,
        "unittest-parallel" | "django" | "stestr" | "behavex" => Runner::ProcessPool,
        "cargo-test" => Runner::CargoTest,
        "cargo-nextest" => Runner::Nextest,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf;
    use crate::facts::run::{RUNNERS, Setup};
    use crate::facts::trace::Programs;
    use crate::text::{Kind, Source, Span};

    fn setup(files: &[(&str, &str)], declared: &[Declared]) -> Setup {
        let source = |(path, text): &(&str, &str)| {
            Source::of(*path, if path.ends_with(".py") { Kind::Python } else { Kind::Config }, *text)
        };
        let sources: Vec<Source> = files.iter().map(source).collect();
        conf::read(&sources, &Programs::default(), declared)
    }

    fn one(runner: &str, scope: &str) -> Declared {
        let (runner, scope, file) = (runner.to_owned(), scope.to_owned(), "isolint.toml".to_owned());
        Declared { runner, scope, file, line: 2, span: Span::new(6, 25), ..Declared::default() }
    }

    #[test]
    fn every_name_means_a_runner() {
        for name in RUNNERS {
            assert!(runner(&one(name, "")).is_some(), "{name}");
        }
        assert_eq!(runner(&one("make", "")), None);
    }

    #[test]
    fn a_declared_run_takes_the_place_of_what_was_found() {
        let files = [
            ("Cargo.toml", "[package]\nname = 'x'\n"),
            ("isolint.toml", "[run]\nrunner = 'pytest-xdist'\n"),
            ("pytest.ini", "[pytest]\naddopts = -n 0\n"),
            ("test_a.py", ""),
        ];
        let found = setup(&files, &[Declared { workers: Some(Workers::Fixed(4)), ..one("pytest-xdist", "") }]);
        let runs: Vec<_> = found.runs.iter().map(|run| (run.text.as_str(), run.place.is_some(), run.runner.is_rust())).collect();
        assert_eq!(runs, [("runner = pytest-xdist, workers = 4", true, false), ("cargo test", false, true)]);
        assert_eq!(found.runs[0].place, Some((FileId(1), Span::new(6, 25))));
    }

    #[test]
    fn a_declared_run_of_a_folder_counts_there_alone() {
        let files = [("pytest.ini", "[pytest]\naddopts = -n 4\n"), ("test_a.py", ""), ("legacy/test_b.py", "")];
        let found = setup(&files, &[one("pytest", "legacy")]);
        let runs: Vec<_> = found.runs.iter().map(|run| (run.text.as_str(), run.scope.as_str())).collect();
        assert_eq!(runs, [("runner = pytest (isolint.toml:2)", "legacy"), ("addopts = -n 4", "")]);
        let carry = |path: &str| found.runs_of(path, false).map(|run| run.runner).collect::<Vec<_>>();
        assert_eq!(carry("legacy/test_b.py"), [Runner::Sequential]);
        assert_eq!(carry("test_a.py"), [Runner::Xdist(Dist::Load)]);
    }

    #[test]
    fn unittest_has_its_own_names_of_files() {
        let found = setup(&[("a.py", "")], &[one("unittest", "")]);
        assert!(found.is_test_file("testing.py") && !found.is_test_file("a_test.py"));
    }
}
