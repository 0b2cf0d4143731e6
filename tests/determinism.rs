//! Output is a function of input: the same files give the same bytes, in any number of threads, and in whatever order the file
//! system hands them out.

mod world;

use isolint::check::{Memory, Report, check, check_again};
use isolint::config::Config;
use isolint::finding::Confidence;
use isolint::render::{Format, Options, render};
use isolint::text::{Kind, Source};
use isolint::{discover, notebook};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use world::World;

const FORMATS: [&str; 4] = ["terminal", "concise", "json", "sarif"];

/// All files below `folder`, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { todo.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// All cases of `testdata/met` and `testdata/clean` as one project, its files made in this order.
fn project(order: &[PathBuf], base: &Path) -> World {
    let world = World::project();
    for path in order {
        world.file(path.strip_prefix(base).unwrap().to_str().unwrap(), fs::read(path).unwrap());
    }
    world
}

/// The same files in an order that has nothing to do with their names; the same one in each run of the test.
fn shuffled(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = files.to_vec();
    let mut state: u64 = 2026;
    for at in (1..files.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        files.swap(at, (state >> 33) as usize % (at + 1));
    }
    files
}

#[test]
fn threads_and_the_order_of_files_change_nothing() {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let sorted: Vec<PathBuf> = ["met", "clean"].iter().flat_map(|kind| files(&base.join(kind))).collect();
    let other = shuffled(&sorted);
    assert_ne!(sorted, other);
    let (one, two) = (project(&sorted, &base), project(&other, &base));
    for format in FORMATS {
        let run = |world: &World, jobs: &str| {
            world.run(&["check", "--preview", "--min-confidence", "low", "--gaps", "--output-format", format, "-j", jobs])
        };
        let first = run(&one, "1");
        assert_eq!(first.status, 1, "{first:?}");
        for (world, jobs) in [(&one, "2"), (&one, "8"), (&two, "1"), (&two, "2")] {
            let again = run(world, jobs);
            assert!(again == first, "{format}, -j {jobs}:\n{}\n--- and with one thread ---\n{}", again.out, first.out);
        }
    }
}

/// The sources of the cases below `testdata/` whose name begins so.
fn sources(start: &str) -> Vec<Source> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let all = ["met", "clean"].iter().flat_map(|kind| files(&base.join(kind)));
    let one = |path: PathBuf| {
        let name = path.strip_prefix(&base).unwrap().to_str().unwrap().to_owned();
        let kind = discover::kind(&name)?;
        match kind {
            Kind::Notebook => notebook::read(name, &fs::read(path).unwrap()).ok(),
            _ => Source::new(name, kind, &fs::read(path).unwrap()).ok(),
        }
    };
    all.filter_map(one).filter(|source| source.path.split('/').nth(1).is_some_and(|case| case.starts_with(start))).collect()
}

fn json(report: &Report) -> String {
    let mut out = Vec::new();
    render(Format::Json, report, &Options::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_is_remembered_changes_nothing() {
    let config = Config { preview: true, min_confidence: Confidence::Low, ..Config::default() };
    let mut memory = Memory::default();
    let mut project = sources("");
    assert!(project.len() > 100);
    // Files change, go and come back; one of the same name becomes another.
    let whole = project.clone();
    type Step<'a> = &'a dyn Fn(&mut Vec<Source>);
    let steps: [Step; 4] = [
        &|_| {},
        &|project| project[7].text = format!("# moved down\n{}", project[7].text).into(),
        &|project| {
            project.remove(7);
            project[20].text = project[21].text.clone();
        },
        &|project| *project = whole.clone(),
    ];
    for (n, step) in steps.iter().enumerate() {
        step(&mut project);
        let again = check_again(project.clone(), &config, &mut memory, &|| true).unwrap();
        assert!(json(&again) == json(&check(project.clone(), &config)), "after step {n}");
    }
}

#[test]
fn who_gives_up_has_no_report_and_is_not_misled_later() {
    let config = Config { preview: true, ..Config::default() };
    let project = sources("a");
    let whole = json(&check(project.clone(), &config));
    let mut memory = Memory::default();
    for patience in [0, 1, 10, 50, 100, 200, 400] {
        let asked = AtomicUsize::new(0);
        let wanted = || asked.fetch_add(1, Ordering::Relaxed) < patience;
        match check_again(project.clone(), &config, &mut memory, &wanted) {
            Some(report) => assert_eq!(json(&report), whole),
            None => assert!(asked.into_inner() > patience),
        }
    }
    assert_eq!(json(&check_again(project, &config, &mut memory, &|| true).unwrap()), whole);
}
