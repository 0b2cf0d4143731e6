//! Output is a function of input: the same files give the same bytes, in any number of threads, and in whatever order the file
//! system hands them out.

mod world;

use std::fs;
use std::path::{Path, PathBuf};
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
