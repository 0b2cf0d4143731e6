//! We hold ourselves to our own rules: a run on this repository, rules in preview included, finds nothing that fails a run. The
//! examples of `rules/` and `testdata/` are left out: they are there to be found.

use serde_json::Value;
use std::process::{Command, Stdio};

#[test]
fn our_own_tests_are_clean() {
    let run = Command::new(env!("CARGO_BIN_EXE_isolint"))
        .args(["check", "--isolated", "--preview", "--output-format", "json", "--exclude", "testdata/**,rules/**", "."])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let found: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] != "note")
        .map(|finding| format!("{}:{}: {} {}", finding["path"], finding["line"], finding["rule"], finding["message"]))
        .collect();
    assert!(found.is_empty() && run.status.success(), "\n\n{}\n", found.join("\n"));
    // A run that sees no tests proves nothing.
    assert!(report["summary"]["tests"].as_u64().unwrap() > 200, "{}", report["summary"]);
    assert_eq!(report["summary"]["faults"], 0);
}
