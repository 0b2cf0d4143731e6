//! The hooks of `.pre-commit-hooks.yaml` under pre-commit and prek: one staged half of a collision is found.
//!
//! `cargo test --test oracle_hook -- --ignored`, with `pre-commit` and `prek` on the PATH (`.ci/run` puts them there).

mod hooks;
mod world;

use hooks::{Project, Runner};
use std::path::Path;

/// The hook that takes `isolint` from the PATH; here the one under test.
fn with(program: &str) {
    let built = Path::new(env!("CARGO_BIN_EXE_isolint")).parent().unwrap();
    hooks::finds_a_staged_half(&Project::new(Runner::of(program, built)));
}

/// A hook that is built and installed as for a user; there is no other `isolint` on the PATH.
fn from_source(program: &str, hook: &str) {
    let nothing = tempfile::tempdir().unwrap();
    hooks::finds_a_staged_half(&Project::built(Runner::of(program, nothing.path()), hook));
}

#[test]
#[ignore = "needs pre-commit and git"]
fn under_pre_commit() {
    with("pre-commit");
}

#[test]
#[ignore = "needs prek and git"]
fn under_prek() {
    with("prek");
}

#[test]
#[ignore = "needs pre-commit, git, and pip's index for maturin"]
fn built_with_maturin_under_pre_commit() {
    from_source("pre-commit", "isolint");
}

#[test]
#[ignore = "needs prek, git, and pip's index for maturin"]
fn built_with_maturin_under_prek() {
    from_source("prek", "isolint");
}

#[test]
#[ignore = "needs pre-commit and git"]
fn built_with_cargo_under_pre_commit() {
    from_source("pre-commit", "isolint-src");
}

#[test]
#[ignore = "needs prek and git"]
fn built_with_cargo_under_prek() {
    from_source("prek", "isolint-src");
}

#[test]
#[ignore = "needs pre-commit"]
fn the_manifest_is_valid() {
    let output = std::process::Command::new("pre-commit")
        .args(["validate-manifest", concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
