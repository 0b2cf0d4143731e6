//! The words and labels that findings share.

use crate::calls::{Discriminator, Verb};
use crate::facts::Language;
use crate::facts::run::{Notebooks, Target};
use crate::finding::{Confidence, Label, Remedy, Role, Use};
use crate::link::{Effect, Meeting, Piece, Place, Root, Site, Suite, Test, discriminators};
use crate::text::{FileId, Span};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A verb as a person says it: "writes", "deletes".
pub fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Open | Verb::Read => "reads",
        Verb::Stat => "looks at",
        Verb::List => "lists",
        Verb::Write | Verb::WriteTree => "writes",
        Verb::Append => "appends to",
        Verb::Update => "changes",
        Verb::Publish => "replaces",
        Verb::Create => "creates",
        Verb::Delete => "deletes",
        Verb::DeleteTree => "deletes all of",
        Verb::MakeDir => "makes",
        Verb::Name => "names",
        Verb::Database => "opens",
    }
}

/// The verb for two who do it: "write", "delete".
pub fn plural(one: Verb) -> String {
    match one {
        Verb::Open | Verb::Read => "read".to_owned(),
        other => match verb(other).split_once(' ') {
            Some((first, rest)) => format!("{} {rest}", first.trim_end_matches('s')),
            None => verb(other).trim_end_matches('s').to_owned(),
        },
    }
}

/// The same as a past participle: "written", "deleted".
pub fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Open | Verb::Read => "read",
        Verb::Stat => "looked at",
        Verb::List => "listed",
        Verb::Write | Verb::WriteTree => "written",
        Verb::Append => "appended to",
        Verb::Update => "changed",
        Verb::Publish => "replaced",
        Verb::Create => "created",
        Verb::Delete => "deleted",
        Verb::DeleteTree => "deleted with all below it",
        Verb::MakeDir => "made",
        Verb::Name => "named",
        Verb::Database => "opened as a database",
    }
}

/// The tests that stand under a mark, and the parallel run that collects their file once in each worker.
pub fn collected(suite: &Suite, file: FileId, mark: Span) -> (Vec<String>, Option<Label>) {
    let of_file = || suite.tests.iter().filter(|test| test.unit.0 == file);
    let marked = of_file().filter(|test| suite.file(file).unit(test.unit.1).span.contains(mark));
    let run = of_file().find_map(|test| suite.parallel_run(test)).and_then(|run| run.place);
    let text = "each worker of this run collects by itself";
    (names(marked), run.map(|(file, span)| Label { file, span, text: text.to_owned(), role: Role::Evidence }))
}

/// What lets the ends of a meeting overlap; a run that stands in a file gets its label.
pub fn overlap(meeting: &Meeting, labels: &mut Vec<Label>) -> String {
    let Some(run) = &meeting.run else {
        return "no parallel run is configured here: they would collide under `pytest -n 2`".to_owned();
    };
    match run.place {
        Some((file, span)) => {
            labels.push(Label { file, span, text: "this run lets them overlap".to_owned(), role: Role::Evidence });
        }
        None if run.declared => {}
        None => return "`cargo test` runs the tests of one binary as threads of one process".to_owned(),
    }
    format!("`{}` lets them overlap, and no guard that both hold keeps them apart", run.text)
}

/// Why a name does not keep its users apart: the weakest of what it is made of.
pub fn alike(place: &Place) -> Option<&'static str> {
    use Discriminator::*;
    const WHY: &[(&[Discriminator], &str)] = &[
        (&[Ms], "what starts in the same millisecond has the same name"),
        (&[Sec, Date], "what starts in the same second has the same name"),
        (&[Counter], "every process counts from the same start"),
        (&[Tid, Tname], "threads of two processes have the same numbers and names"),
        (&[Pgid], "all processes of one group have the same group id"),
        (&[Pid], "the process id is the same for all threads of the process"),
        (&[Worker], "every run has a worker of this name: `gw0` is in all of them"),
        (&[Slot], "every run has a slot of this number"),
        (&[Testname, Class], "tests of the same name in two files have the same name"),
        (&[Run], "all tests of one run have the same"),
    ];
    let parts: Vec<Discriminator> = discriminators(place).collect();
    WHY.iter().find(|(some, _)| some.iter().any(|one| parts.contains(one))).map(|(_, why)| *why)
}

pub fn label(suite: &Suite, site: Site, text: impl Into<String>, role: Role) -> Label {
    Label { file: site.file, span: suite.span(site), text: text.into(), role }
}

/// The steps by which a path came to be and the calls on the way, as labels; those that are cited already are left out.
pub fn derivation(suite: &Suite, effect: &Effect, cited: &[Label]) -> Vec<Label> {
    let mut seen: BTreeSet<_> = cited.iter().map(|label| (label.file, label.span)).collect();
    let mut out = Vec::new();
    for site in &effect.via {
        if seen.insert((site.file, suite.span(*site))) {
            out.push(label(suite, *site, "reached through this call", Role::Derivation));
        }
    }
    for site in effect.steps.iter().rev() {
        if seen.insert((site.file, suite.span(*site))) {
            let text = if out.iter().any(|old: &Label| old.text.starts_with("the path")) {
                "and goes on here"
            } else {
                "the path begins here"
            };
            out.push(label(suite, *site, text, Role::Derivation));
        }
    }
    out
}

/// High for what is on every way, medium for what a branch or one of several values decides.
pub fn confidence(effects: &[&Effect]) -> Confidence {
    if effects.iter().any(|effect| effect.maybe || !effect.via.is_empty()) { Confidence::Medium } else { Confidence::High }
}

/// Names of tests, sorted, without doubles.
pub fn names<'t>(tests: impl Iterator<Item = &'t Test>) -> Vec<String> {
    let names: BTreeSet<&str> = tests.map(|test| test.name.as_str()).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// What a notebook does to keep its files to itself.
pub const OWN_FOLDER: &str =
    "make a directory with `tempfile.TemporaryDirectory()` in a cell of each notebook, and put the file below it";

/// A command that lets a meeting happen: its two ends side by side, or, where neither is seen to make what they meet at, all tests of
/// their files, since others have to make it.
pub fn reproduce_meeting(suite: &Suite, meeting: &Meeting) -> String {
    let (a, b) = (&suite.tests[meeting.first.0], &suite.tests[meeting.second.0]);
    let makes = |test: &Test| {
        test.effects.iter().map(|one| &one.effect).any(|effect| {
            let made = crate::link::changes(effect.verb) && !matches!(effect.verb, Verb::Delete | Verb::DeleteTree);
            made && effect.on.root == meeting.place.root && effect.on.segments.starts_with(&meeting.place.segments)
        })
    };
    if suite.language(a.unit.0) == Language::Rust || a.is_notebook() || b.is_notebook() || makes(a) || makes(b) {
        return reproduce(suite, a, b);
    }
    let files: BTreeSet<&str> = [a, b].iter().map(|test| suite.path(test.unit.0)).collect();
    format!("pytest -n 4 {}", files.into_iter().collect::<Vec<_>>().join(" "))
}

/// A command that runs two tests (or one that meets itself) side by side.
pub fn reproduce(suite: &Suite, a: &Test, b: &Test) -> String {
    match suite.language(a.unit.0) {
        _ if a.is_notebook() => match suite.notebooks(a) {
            Notebooks::InKernels(option) => format!("pytest {option} -n 2 {} {}", a.name, b.name),
            _ => nbdev_test(a, b),
        },
        Language::Python if a.name == b.name => format!("pytest -n 4 {}", a.name),
        Language::Python => format!("pytest -n 2 {} {}", a.name, b.name),
        Language::Rust => {
            let binary = binary(suite, a);
            let (one, two) = (in_binary(suite, a), in_binary(suite, b));
            if a.name == b.name {
                format!("cargo test{binary} -- --test-threads 8 {one}")
            } else {
                format!("cargo test{binary} -- --test-threads 8 {one} {two}")
            }
        }
    }
}

/// A command that runs one test by itself.
pub fn alone(suite: &Suite, test: &Test) -> String {
    match suite.language(test.unit.0) {
        Language::Python => format!("pytest {}", test.name),
        Language::Rust => format!("cargo test{} -- --exact {}", binary(suite, test), in_binary(suite, test)),
    }
}

/// nbdev takes one folder, and a pattern for the names of the notebooks in it (nbdev documentation, "nbdev_test").
fn nbdev_test(a: &Test, b: &Test) -> String {
    let [one, two] = [a, b].map(|test| test.path.rsplit_once('/').unwrap_or(("", &test.path)));
    let both = one.0.split('/').zip(two.0.split('/')).take_while(|(left, right)| left == right);
    let folder: Vec<&str> = both.map(|(part, _)| part).filter(|part| !part.is_empty()).collect();
    let folder = if folder.is_empty() { ".".to_owned() } else { folder.join("/") };
    format!("nbdev_test --path {folder} --file_re '^({}|{})$' --n_workers 2", one.1, two.1)
}

/// The options that choose a test's binary: the package where there are several and its name is surely written so, and an integration
/// test's file.
fn binary(suite: &Suite, test: &Test) -> String {
    let root = suite.path(test.group);
    let Some(package) = suite.setup.crate_of(root) else { return String::new() };
    let mut options = String::new();
    // Where code has an underscore the manifest may have a hyphen.
    if suite.setup.crates.len() > 1 && !package.name.contains('_') {
        let _ = write!(options, " -p {}", package.name);
    }
    if package.target_of(root) == Some(Target::Test) {
        let _ = write!(options, " --test {}", target_name(root));
    }
    options
}

/// An integration test's name: that of its file, or of the folder of its `main.rs` (The Cargo Book, "Cargo Targets").
fn target_name(root: &str) -> &str {
    let stem = root.strip_suffix("/main.rs").or_else(|| root.strip_suffix(".rs")).unwrap_or(root);
    stem.rsplit('/').next().unwrap_or(stem)
}

/// A test's name as its binary lists it: without the package, and without the root file of an integration test.
fn in_binary(suite: &Suite, test: &Test) -> String {
    let name = test.name.split_once("::").map_or(test.name.as_str(), |(_, rest)| rest);
    let root = suite.path(test.group);
    let target = suite.setup.crate_of(root).and_then(|package| package.target_of(root));
    let inner = match target {
        Some(Target::Test) => name.strip_prefix(target_name(root)).and_then(|rest| rest.strip_prefix("::")).unwrap_or(name),
        _ => name,
    };
    inner.strip_prefix("main::").unwrap_or(inner).to_owned()
}

/// What lets the paths of some tests begin in a directory of their own: every place where one of them is handed to a call in test code.
/// None where a test relies on what it did not write.
pub fn own_directory(suite: &Suite, tests: &[usize], places: &[&Place]) -> Option<Remedy> {
    let mut uses: Vec<Use> = Vec::new();
    let (mut copy, mut makes) = (false, false);
    for test in tests.iter().map(|test| &suite.tests[*test]) {
        let here = test.effects.iter().filter(|one| places.iter().any(|place| **place == *one.effect.on));
        let mut written = false;
        for one in here {
            let effect = &one.effect;
            let anchor = effect.via.first().copied().unwrap_or(effect.site);
            // An input that the same call reads lies beside what it writes.
            let input = test.effects.iter().map(|other| &other.effect).find(|other| {
                other.verb == Verb::Read
                    && other.via.first() == Some(&anchor)
                    && other.on != effect.on
                    && other.on.root == effect.on.root
                    && other.on.parent() == effect.on.parent()
                    && crate::link::changes(effect.verb)
            });
            copy |= input.is_some();
            let reads = matches!(effect.verb, Verb::Read | Verb::Open);
            let removes = matches!(effect.verb, Verb::Delete | Verb::DeleteTree) && !effect.accepts_missing();
            if (reads || removes) && !written && effect.via.is_empty() && !effect.maybe {
                return None;
            }
            written |= crate::link::changes(effect.verb) && !matches!(effect.verb, Verb::Delete | Verb::DeleteTree);
            makes |= written;
            let parts = parts(&effect.on).chain(input.into_iter().flat_map(|input| parts(&input.on))).collect();
            if !uses.iter().any(|known| known.site == anchor) {
                uses.push(Use { site: anchor, parts });
            }
        }
    }
    (!uses.is_empty()).then_some(Remedy::OwnDirectory { uses, copy, made: makes })
}

/// What lets tests work in a directory of their own: where they look for nothing in the one that they were started in.
pub fn own_working_directory(suite: &Suite, tests: &[usize]) -> Option<Remedy> {
    let tests: Vec<&Test> = tests.iter().map(|test| &suite.tests[*test]).collect();
    let relies = tests.iter().any(|test| {
        let mut written: Vec<&Place> = Vec::new();
        test.effects.iter().map(|one| &one.effect).any(|effect| {
            if crate::link::changes(effect.verb) {
                written.push(&effect.on);
            }
            effect.on.root == Root::Cwd && !written.contains(&&*effect.on)
        })
    });
    (!relies).then(|| Remedy::EnterDirectory { tests: tests.iter().map(|test| test.unit).collect() })
}

/// The literal ends of a path's segments.
fn parts(place: &Place) -> impl Iterator<Item = String> + '_ {
    place.segments.iter().filter_map(|segment| match segment.last()? {
        Piece::Lit(text) => Some(text.to_string()),
        Piece::Hole(_) => None,
    })
}

/// The last part of a test's name.
pub fn short(test: &Test) -> &str {
    test.name.rsplit("::").next().unwrap_or(&test.name)
}

/// `1 test`, `3 tests`.
pub fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
