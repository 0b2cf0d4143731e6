//! What `python::lower` records, against CPython's own `ast` on real files.
//!
//! `cargo test --test oracle_python -- --ignored --nocapture`, with `ISOLINT_ORACLE_DIR` for another folder than the standard
//! library of the `python3` found. Files that CPython rejects are left out; of files with gaps, only the number is told.

use isolint::facts::{FileFacts, OpId, Shape, Step, What};
use isolint::python::lower_text;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SCRIPT: &str = r#"
import ast, json, os, sys, tokenize, warnings
warnings.simplefilter("ignore")
root = sys.argv[1] or os.path.dirname(os.__file__)
sys.setrecursionlimit(20000)

class Walk:
    def __init__(self):
        self.out, self.texts = [], []
    def add(self, what, node, inside, line_only=False):
        self.out.append([what, node.lineno, 0 if line_only else node.col_offset, inside])
    def walk(self, node, inside):
        t = type(node).__name__
        if t == "Call": self.add("call", node, inside)
        elif t == "Lambda": self.add("lambda", node, inside)
        elif t in ("FunctionDef", "AsyncFunctionDef"): self.add("def " + node.name, node, inside, True)
        elif t == "ClassDef": self.add("class " + node.name, node, inside, True)
        elif t in ("Import", "ImportFrom"):
            for a in node.names: self.add("import", a, inside)
        elif t in ("Return", "Raise", "Assert", "Break", "Continue"): self.add(t.lower(), node, inside)
        elif t in ("Yield", "YieldFrom"): self.add("yield", node, inside)
        elif t == "Delete":
            flat = list(node.targets)
            if len(flat) == 1 and isinstance(flat[0], (ast.Tuple, ast.List)): flat = flat[0].elts
            for _ in flat: self.add("delete", node, inside)
        elif t == "Assign":
            for _ in node.targets: self.add("store", node, inside, True)
        elif t in ("AugAssign", "NamedExpr", "TypeAlias"): self.add("store", node, inside, True)
        elif t == "AnnAssign" and node.value: self.add("store", node, inside, True)
        elif t in ("For", "AsyncFor", "comprehension"): self.add("store", node.target, inside, True)
        elif t == "withitem" and node.optional_vars: self.add("store", node.context_expr, inside, True)
        elif t == "ExceptHandler" and node.name: self.add("store", node, inside, True)
        elif t in ("MatchAs", "MatchStar") and node.name: self.add("store", node, inside, True)
        elif t == "MatchMapping" and node.rest: self.add("store", node, inside, True)
        elif t == "Constant" and isinstance(node.value, (str, bytes)) and not inside:
            text = node.value if isinstance(node.value, str) else node.value.decode("latin1")
            self.texts.append(text)
        if t == "MatchOr":
            return self.walk(node.patterns[0], inside)
        if t == "Expr" and isinstance(node.value, ast.Constant):
            return
        inside = inside or t == "JoinedStr"
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    if name == "decorator_list" and isinstance(child, ast.Call):
                        for grandchild in ast.iter_child_nodes(child): self.walk(grandchild, inside)
                    else:
                        self.walk(child, inside)

for folder, folders, files in os.walk(root):
    # What happens to be installed is no part of the standard library.
    folders[:] = sorted(f for f in folders if sys.argv[1] or f not in ("site-packages", "dist-packages"))
    for name in sorted(files):
        path = os.path.join(folder, name)
        if not name.endswith(".py") or not os.path.isfile(path): continue
        try:
            with open(path, "rb") as f:
                data = f.read()
            with open(path, "rb") as f:
                if not tokenize.detect_encoding(f.readline)[0].startswith("utf-8"): continue
            data.decode("utf-8")
            if len(data) > 2 << 20: continue
            tree = ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        w = Walk()
        try: w.walk(tree, False)
        except RecursionError: continue
        # Named characters are not looked up, and a lone surrogate is no text of ours.
        texts = [t for t in w.texts if b"\\N{" not in data and not any(0xd800 <= ord(c) < 0xe000 for c in t)]
        print(json.dumps({"path": path, "found": w.out, "texts": texts}))
"#;

/// What CPython found in one file: kind, 1-based line, 0-based column in bytes, and whether it is inside an f-string, where
/// CPython before 3.12 gives wrong places.
#[derive(Deserialize)]
struct Truth {
    path: String,
    found: Vec<(String, u32, u32, bool)>,
    texts: Vec<String>,
}

/// Line starts in bytes; a lone carriage return ends a line, as in CPython.
fn lines(text: &str) -> Vec<u32> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
            starts.push(at as u32 + 1);
        }
    }
    starts
}

type Counts = BTreeMap<(String, u32, u32), i64>;

fn ours(facts: &FileFacts, text: &str) -> Counts {
    let lines = lines(text);
    let mut counts = Counts::new();
    let mut add = |what: &str, start: u32, line_only: bool| {
        let line = lines.partition_point(|at| *at <= start) as u32;
        let column = if line_only { 0 } else { start - lines[line as usize - 1] };
        *counts.entry((what.to_owned(), line, column)).or_default() += 1;
    };
    // A lambda's value is a return with us.
    let lambdas: Vec<_> = facts.units.iter().filter(|unit| unit.shape == Shape::Closure).collect();
    let returned: HashSet<OpId> = lambdas.iter().filter_map(|unit| unit.body.last()).filter_map(returned).collect();
    for unit in lambdas {
        add("lambda", unit.span.start, false);
    }
    for (at, op) in facts.ops.iter().enumerate() {
        let start = op.span.start;
        match &op.what {
            What::Call { .. } => add("call", start, false),
            What::Store { .. } => add("store", start, true),
            What::Delete(_) => add("delete", start, false),
            What::Import(at) => add("import", facts.imports[*at as usize].span.start, false),
            What::Return(_) if returned.contains(&OpId(at as u32)) => {}
            What::Return(_) => add("return", start, false),
            What::Yield(_) => add("yield", start, false),
            What::Raise(_) => add("raise", start, false),
            What::Await(_) => {}
            What::Assert(_) => add("assert", start, false),
            What::Break => add("break", start, false),
            What::Continue => add("continue", start, false),
            What::Define(unit) => {
                let unit = facts.unit(*unit);
                add(&format!("def {}", facts.name(unit.name)), unit.head.start, true);
            }
            What::DefineClass(class) => {
                let class = facts.class(*class);
                add(&format!("class {}", facts.name(class.name)), class.head.start, true);
            }
        }
    }
    counts
}

fn returned(step: &Step) -> Option<OpId> {
    match step {
        Step::Op(op) => Some(*op),
        _ => None,
    }
}

/// What differs in one file, as lines.
fn differences(truth: &Truth, facts: &FileFacts, text: &str) -> Vec<String> {
    let mut left = ours(facts, text);
    // Inside f-strings only numbers count.
    let mut inside: BTreeMap<String, i64> = BTreeMap::new();
    for (what, line, column, in_format) in &truth.found {
        if *in_format {
            *inside.entry(what.clone()).or_default() += 1;
        } else {
            *left.entry((what.clone(), *line, *column)).or_default() -= 1;
        }
    }
    let mut out = Vec::new();
    for ((what, line, column), count) in left {
        match inside.get_mut(&what) {
            Some(rest) if count > 0 && *rest >= count => *rest -= count,
            _ if count != 0 => out.push(format!("{}:{line}:{column}: {what} {count:+}", truth.path)),
            _ => {}
        }
    }
    out.extend(
        inside
            .iter()
            .filter(|(_, rest)| **rest != 0)
            .map(|(what, rest)| format!("{}: {rest} {what} in f-strings missed", truth.path)),
    );
    let known: HashSet<&str> = facts.names.iter().map(|name| &**name).collect();
    let missing = truth.texts.iter().filter(|text| !known.contains(text.as_str()));
    out.extend(missing.map(|text| format!("{}: no text {text:?}", truth.path)));
    out
}

#[test]
#[ignore = "needs python3"]
fn equals_cpython() {
    let root = std::env::var("ISOLINT_ORACLE_DIR").unwrap_or_default();
    let mut child = Command::new("python3").args(["-c", SCRIPT, &root]).stdout(Stdio::piped()).spawn().unwrap();
    let (mut files, mut bytes, mut with_gaps, mut wrong) = (0, 0, Vec::new(), Vec::new());
    let mut spent = Duration::ZERO;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let truth: Truth = serde_json::from_str(&line.unwrap()).unwrap();
        let text = std::fs::read_to_string(&truth.path).unwrap();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let start = Instant::now();
        let facts = lower_text(text);
        spent += start.elapsed();
        (files, bytes) = (files + 1, bytes + text.len());
        if facts.gaps.is_empty() {
            wrong.extend(differences(&truth, &facts, text));
        } else {
            with_gaps.push(format!("{} {:?}", truth.path, facts.gaps.first()));
        }
    }
    assert!(child.wait().unwrap().success());
    println!("{files} files, {bytes} bytes in {spent:?}, {} with gaps, {} differences", with_gaps.len(), wrong.len());
    for line in with_gaps.iter().chain(&wrong).take(200) {
        println!("{line}");
    }
    assert!(files > 0, "no file below {root:?}");
    assert!(wrong.is_empty(), "{} differences", wrong.len());
    assert!(with_gaps.len() * 100 <= files, "{} of {files} files have gaps", with_gaps.len());
}
