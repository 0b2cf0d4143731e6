//! How long a front end takes for one file: small, as most are, and large.

#[allow(dead_code)]
mod generated;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use generated::{python_tests, rust_module, source};
use isolint::{python, rust};
use std::hint::black_box;

fn lower(c: &mut Criterion) {
    let mut group = c.benchmark_group("lower");
    for (size, units) in [("small", 3), ("large", 120)] {
        let file = source("tests/test_a.py", python_tests(7, units, 100));
        assert!(file.text.len() > units * 1_000);
        group.throughput(Throughput::Bytes(file.text.len() as u64));
        group.bench_function(BenchmarkId::new("python", size), |b| b.iter(|| python::lower(black_box(&file))));

        let file = source("src/store.rs", rust_module(7, units));
        assert!(file.text.len() > units * 1_000);
        group.throughput(Throughput::Bytes(file.text.len() as u64));
        group.bench_function(BenchmarkId::new("rust", size), |b| b.iter(|| rust::lower(black_box(&file))));
    }
    group.finish();
}

criterion_group!(benches, lower);
criterion_main!(benches);
