//! How long the whole library takes for a project of 500 files, reading and printing left out.

#[allow(dead_code)]
mod generated;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use isolint::check::check;
use isolint::config::Config;
use isolint::facts::Why;

fn whole(c: &mut Criterion) {
    let sources = generated::project();
    let report = check(sources.clone(), &Config::default());
    assert!(report.gaps.iter().all(|(_, gap)| gap.why == Why::Macro) && report.faults.is_empty(), "what is measured must parse");
    let bytes: usize = sources.iter().map(|source| source.text.len()).sum();
    let mut group = c.benchmark_group("check");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.sample_size(10);
    for (name, jobs) in [("500 files, one thread", 1), ("500 files, all threads", 0)] {
        let config = Config { jobs, preview: true, ..Config::default() };
        group.bench_function(name, |b| {
            b.iter_batched(|| sources.clone(), |sources| check(sources, &config), BatchSize::LargeInput)
        });
    }
    group.finish();
}

criterion_group!(benches, whole);
criterion_main!(benches);
