//! How long it takes to join the facts of a Python project and to look at the whole, as the project doubles in size: the time for
//! each file must stay what it is.

#[allow(dead_code)]
mod generated;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use isolint::calls::Tables;
use isolint::check::lower;
use isolint::conf;
use isolint::link::{Declared, Suite, programs};
use std::sync::Arc;

fn link(c: &mut Criterion) {
    let mut group = c.benchmark_group("link");
    group.sample_size(10);
    for files in [625, 1_250, 2_500, 5_000, 10_000] {
        let sources = generated::python_project(files);
        let facts: Vec<_> = sources.iter().map(|source| Arc::new(lower(source))).collect();
        let declared = Declared { tables: &Tables::default(), is_private: None };
        let setup = conf::read(&sources, &programs(&sources, &facts), &[]);
        let tests = || Suite::new(&sources, &facts, &setup, &declared, &|| true).map_or(0, |suite| suite.tests.len());
        assert!(tests() > files, "every second file has tests");
        group.throughput(Throughput::Elements(files as u64));
        group.bench_function(format!("{files} files"), |b| b.iter(tests));
    }
    group.finish();
}

criterion_group!(benches, link);
criterion_main!(benches);
