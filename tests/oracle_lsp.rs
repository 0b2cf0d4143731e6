//! The language server, driven by a real client with the capabilities of real editors: `tests/editors/`, with pytest-lsp.
//!
//! `cargo test --test oracle_lsp -- --ignored --nocapture`, where `python3` has pytest-lsp; `.ci/run` installs it.

use std::process::Command;

#[test]
#[ignore = "needs pytest-lsp, which .ci/run installs"]
fn editors() {
    // Warnings of the client say that the server breaks the protocol.
    let strict = "error::pytest_lsp.LspSpecificationWarning";
    let tests = Command::new("python3")
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function"])
        .args(["-W", strict, "tests/editors"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("ISOLINT", env!("CARGO_BIN_EXE_isolint"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status()
        .expect("python3");
    assert!(tests.success());
}
