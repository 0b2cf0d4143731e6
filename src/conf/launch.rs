//! Programs that start another: interpreters, `coverage run`, `uv run` and their like, with their options taken off.

use super::script::Script;
use super::shell::{Expansion, Word};
use super::tree;
use crate::text::FileId;

/// The program a word names: without folders, `.exe` and the version of an interpreter.
pub fn program(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word).trim_end_matches(".exe").trim_end_matches(".cmd");
    for interpreter in ["python", "pypy"] {
        if name
            .strip_prefix(interpreter)
            .is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 't' | 'd' | 'm' | '-')))
        {
            return interpreter;
        }
    }
    name
}

/// The words behind options; `valued` take the next word, and `skip` words of the program's own follow.
pub fn behind_options(words: &[Word], valued: &[&str], skip: usize) -> Vec<Word> {
    let mut n = 0;
    while let Some(word) = words.get(n).filter(|word| word.str().starts_with('-')) {
        n += 1;
        if word.str() == "--" {
            break;
        }
        n += usize::from(valued.contains(&word.str()));
    }
    words.get(n + skip..).unwrap_or(&[]).to_vec()
}

/// What an interpreter is asked to run, as a command of its own.
pub fn python(words: &[Word]) -> Option<Vec<Word>> {
    let mut n = 0;
    while let Some(word) = words.get(n) {
        n += 1;
        let text = word.str();
        let module = match text {
            "-m" => {
                n += 1;
                words.get(n - 1)?.clone()
            }
            _ if text.starts_with("-m") => word.tail(2),
            "-X" | "-W" | "-Q" => {
                n += 1;
                continue;
            }
            "-c" | "-" => return None,
            // `py -3.11`
            _ if text.starts_with('-') => continue,
            // A program: only those known by name are followed.
            _ => {
                let name = program(text);
                if name == "setup.py" {
                    let tests = words.get(n).is_some_and(|word| matches!(word.str(), "test" | "pytest" | "nosetests"));
                    return tests.then(|| vec![renamed(word, "unittest")]);
                }
                return (name == "manage.py" || matches!(program(name), "pytest" | "tox" | "coverage"))
                    .then(|| words[n - 1..].to_vec());
            }
        };
        let name = match module.str() {
            "twisted.trial" => "trial",
            "unittest_parallel" | "unittest_parallel.main" => "unittest-parallel",
            "zope.testrunner" => "zope-testrunner",
            "os_testr.ostestr" => "ostestr",
            "django" => "django-admin",
            "poethepoet" => "poe",
            name => name,
        };
        let mut all = vec![renamed(&module, name)];
        all.extend_from_slice(words.get(n..).unwrap_or(&[]));
        return Some(all);
    }
    None
}

fn renamed(word: &Word, name: &str) -> Word {
    let mut text = Script::default();
    match word.place {
        Some((file, span)) => text.push_as(file, span.start as usize..span.end as usize, name),
        None => text.push(FileId(0), 0, name),
    }
    Word { text, expansions: Vec::new(), open: Vec::new(), ..word.clone() }
}

/// coverage.py documentation, "Execution": `coverage run [options] (-m MODULE | FILE)`.
pub fn coverage(words: &[Word]) -> Option<Vec<Word>> {
    let words = match words.first()?.str() {
        "run" => &words[1..],
        _ if words.iter().any(|word| word.str() == "-m") => words,
        _ => return None,
    };
    let mut n = 0;
    while let Some(word) = words.get(n).filter(|word| word.str().starts_with('-')) {
        match word.str() {
            "-m" | "--module" => return python(&[&[renamed(word, "-m")], &words[n + 1..]].concat()),
            "--source" | "--omit" | "--include" | "--rcfile" | "--data-file" | "--concurrency" | "--context" | "--out" => n += 2,
            _ => n += 1,
        }
    }
    python(words.get(n..)?)
}

/// The command behind `uv run`, `poetry run` and their like.
pub fn launched(name: &str, words: &[Word], dir: &mut String) -> Option<Vec<Word>> {
    const VALUED: &[&str] = &[
        "--with",
        "--with-requirements",
        "--with-editable",
        "--extra",
        "--group",
        "--only-group",
        "--no-group",
        "--no-extra",
        "--python",
        "-p",
        "--project",
        "--directory",
        "--package",
        "--env-file",
        "--index",
        "--index-url",
        "--default-index",
        "--from",
        "-e",
        "--environment",
        "-n",
        "--name",
        "--prefix",
        "-C",
        "-P",
        "--manifest-path",
        "--refresh-package",
        "--config-file",
        "--cache-dir",
        "--cwd",
        "--spec",
        "-w",
    ];
    // Options before the command: a folder may be among them.
    for pair in words.windows(2) {
        if matches!(pair[0].str(), "--directory" | "--project" | "-C" | "--cwd") {
            *dir = go(dir, &pair[1]);
        }
    }
    let mut rest = if name == "uvx" { words.to_vec() } else { behind_options(words, VALUED, 0) };
    if name != "uvx" {
        match (name, rest.first()?.str()) {
            ("uv" | "pipx", "tool") if rest.get(1).is_some_and(|word| word.str() == "run") => drop(rest.drain(..2)),
            // `rye test` runs pytest.
            ("rye", "test") => {
                rest[0] = renamed(&rest[0], "pytest");
                return Some(rest);
            }
            (_, "run") => drop(rest.remove(0)),
            // pdm and rye run their scripts without `run` too.
            ("pdm", _) => {}
            _ => return None,
        }
    }
    let module = rest.iter().take_while(|word| word.str().starts_with('-')).any(|word| matches!(word.str(), "-m" | "--module"));
    if module && let Some(at) = rest.iter().position(|word| matches!(word.str(), "-m" | "--module")) {
        let first = renamed(&rest[at], "-m");
        return python(&[&[first], rest.get(at + 1..).unwrap_or(&[])].concat());
    }
    let mut rest = behind_options(&rest, VALUED, 0);
    // `uvx pytest@8`
    if let Some(first) = rest.first_mut()
        && let Some((plain, _)) = first.str().split_once('@')
    {
        let plain = plain.to_owned();
        *first = renamed(first, &plain);
    }
    Some(rest)
}

/// A folder seen from another; one that is not known leaves us where we are.
pub fn go(dir: &str, to: &Word) -> String {
    let text = to.str();
    for root in [
        "${{ github.workspace }}",
        "$GITHUB_WORKSPACE",
        "${GITHUB_WORKSPACE}",
        "$CI_PROJECT_DIR",
        "${CI_PROJECT_DIR}",
        "$TRAVIS_BUILD_DIR",
    ] {
        if let Some(rest) = text.strip_prefix(root) {
            return tree::join("", rest.trim_start_matches('/')).unwrap_or_default();
        }
    }
    if to.expansions.iter().any(|(_, what)| !matches!(what, Expansion::Variable { name, .. } if name == "PWD")) {
        return dir.to_owned();
    }
    tree::join(dir, text.trim_start_matches("$PWD/").trim_start_matches("${PWD}/")).unwrap_or_else(|| dir.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::shell;
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        shell::words(&Script::verbatim(FileId(0), 0, text))
    }

    fn said(words: Option<Vec<Word>>) -> String {
        words.map_or("-".to_owned(), |words| words.iter().map(Word::str).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn programs_have_short_names() {
        for (word, name) in [
            ("/usr/bin/python3.11", "python"),
            (".venv\\Scripts\\pytest.exe", "pytest"),
            ("python3.13t", "python"),
            ("pypy3", "python"),
            ("pythonic", "pythonic"),
            ("./manage.py", "manage.py"),
        ] {
            assert_eq!(program(word).replace("pypy", "python"), name);
        }
    }

    #[test]
    fn interpreters() {
        for (text, wanted) in [
            ("-X dev -W error -m pytest -q", "pytest -q"),
            ("-3.11 -m unittest", "unittest"),
            ("-mpytest", "pytest"),
            ("manage.py test", "manage.py test"),
            ("setup.py test", "unittest"),
            ("setup.py sdist", "-"),
            ("-c 'import pytest'", "-"),
            ("script.py -m pytest", "-"),
            ("-m", "-"),
            ("", "-"),
        ] {
            assert_eq!(said(python(&words(text))), wanted, "{text}");
        }
        for (text, wanted) in [
            ("run -m pytest -n 4", "pytest -n 4"),
            ("run --source src -p --rcfile=x -m unittest", "unittest"),
            ("run manage.py test", "manage.py test"),
            ("report -m", "-"),
            ("html", "-"),
        ] {
            assert_eq!(said(coverage(&words(text))), wanted, "{text}");
        }
    }

    #[test]
    fn launchers() {
        for (text, wanted, folder) in [
            ("uv run pytest", "pytest", ""),
            ("uv run --with x --group dev -p 3.12 pytest -n 4", "pytest -n 4", ""),
            ("uv --directory sub run -m pytest -q", "pytest -q", "sub"),
            ("uv sync", "-", ""),
            ("uv tool run pytest", "pytest", ""),
            ("uvx --with a pytest@8 -q", "pytest -q", ""),
            ("poetry run pytest", "pytest", ""),
            ("poetry -C sub run pytest", "pytest", "sub"),
            ("conda run -n env pytest", "pytest", ""),
            ("rye test -- -n 4", "pytest -- -n 4", ""),
            ("poetry", "-", ""),
        ] {
            let all = words(text);
            let mut dir = String::new();
            assert_eq!(said(launched(all[0].str(), &all[1..], &mut dir)), wanted, "{text}");
            assert_eq!(dir, folder, "{text}");
        }
    }
}
