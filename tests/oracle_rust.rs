//! The Rust front end against an independent reader, on all sources of a directory: `ISOLINT_ORACLE_DIR`, else the sources of the
//! packages that we are built from. Run with `cargo test --test oracle_rust -- --ignored --nocapture`.

use isolint::facts::{FileFacts, Shape, Step, Why};
use isolint::text::{Kind, Source, Span};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use syn::visit::Visit;

/// Counts the functions with a body, and remembers where their names are and where macros are called.
#[derive(Default)]
struct Functions {
    heads: Vec<Span>,
}

impl Functions {
    fn add(&mut self, name: &syn::Ident) {
        let range = name.span().byte_range();
        self.heads.push(Span::new(range.start, range.end));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, f: &'ast syn::ItemFn) {
        self.add(&f.sig.ident);
        syn::visit::visit_item_fn(self, f);
    }

    fn visit_impl_item_fn(&mut self, f: &'ast syn::ImplItemFn) {
        self.add(&f.sig.ident);
        syn::visit::visit_impl_item_fn(self, f);
    }

    fn visit_trait_item_fn(&mut self, f: &'ast syn::TraitItemFn) {
        if f.default.is_some() {
            self.add(&f.sig.ident);
        }
        syn::visit::visit_trait_item_fn(self, f);
    }

    // Functions in the length of an array or in a discriminant run at compile time only.
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_variant(&mut self, _: &'ast syn::Variant) {}
    fn visit_generics(&mut self, _: &'ast syn::Generics) {}
    fn visit_path_arguments(&mut self, _: &'ast syn::PathArguments) {}
}

/// The spans of all macro calls.
#[derive(Default)]
struct Macros(Vec<Span>);

impl<'ast> Visit<'ast> for Macros {
    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let (open, close) = (mac.delimiter.span().open().byte_range(), mac.delimiter.span().close().byte_range());
        self.0.push(Span::new(open.start, close.end));
    }
}

/// `ISOLINT_ORACLE_DIR`, else the sources of the packages that we are built from: the same ones on every machine, however many more
/// cargo has unpacked.
fn folders() -> Vec<PathBuf> {
    if let Some(dir) = std::env::var_os("ISOLINT_ORACLE_DIR") {
        return vec![dir.into()];
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = std::process::Command::new(cargo).args(["metadata", "--format-version=1", "--locked"]).output().unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let manifests = packages.iter().map(|package| Path::new(package["manifest_path"].as_str().unwrap()));
    // A package is not unpacked where only another platform needs it.
    manifests.filter(|manifest| manifest.is_file()).map(|manifest| manifest.parent().unwrap().to_owned()).collect()
}

fn check(facts: &FileFacts, text: &str, path: &Path) {
    let sound = |span: Span, what: &str| {
        let (start, end) = (span.start as usize, span.end as usize);
        assert!(start <= end && text.is_char_boundary(start) && text.is_char_boundary(end), "{path:?}: {what} {span:?}");
    };
    for op in &facts.ops {
        sound(op.span, "op");
        assert!(op.span.start < op.span.end, "{path:?}: empty op {op:?}");
        if let isolint::facts::What::Call { args, .. } = &op.what {
            for arg in args {
                sound(arg.span, "argument");
            }
        }
    }
    for unit in &facts.units {
        sound(unit.span, "unit");
        sound(unit.head, "head");
        assert!(unit.span.contains(unit.head), "{path:?}: {:?} outside {:?}", unit.head, unit.span);
        if let Some(parent) = unit.parent {
            assert!(facts.unit(parent).span.contains(unit.span), "{path:?}: unit {:?} outside its parent", unit.span);
        }
    }
    for import in &facts.imports {
        sound(import.span, "import");
    }
    for gap in &facts.gaps {
        sound(gap.span, "gap");
    }
    // Each operation stands in one block.
    let mut seen = vec![0u32; facts.ops.len()];
    for unit in &facts.units {
        count(&unit.body, &mut seen);
    }
    assert!(seen.iter().all(|n| *n == 1), "{path:?}: an operation stands nowhere or twice");
}

fn count(block: &[Step], seen: &mut [u32]) {
    for step in block {
        match step {
            Step::Op(op) => seen[op.0 as usize] += 1,
            Step::If { then, other, .. } => {
                count(then, seen);
                count(other, seen);
            }
            Step::Loop { body, other, .. } => {
                count(body, seen);
                count(other, seen);
            }
            Step::Scope(body) => count(body, seen),
            Step::Match { arms, .. } => arms.iter().for_each(|arm| count(&arm.body, seen)),
            Step::Try { .. } | Step::With { .. } => panic!("no such thing in Rust"),
        }
    }
}

/// Whether the package of a file names no edition: it has that of 2015 (The Cargo Book, "The Manifest Format").
fn is_of_2015(path: &Path) -> bool {
    let manifest = path.ancestors().skip(1).map(|folder| folder.join("Cargo.toml")).find(|manifest| manifest.is_file());
    manifest.is_some_and(|manifest| !std::fs::read_to_string(manifest).unwrap().contains("edition"))
}

fn compare() {
    let mut files = 0;
    let mut refused = 0;
    let mut bytes = 0;
    let mut gaps = BTreeMap::new();
    let mut macros_unread = BTreeMap::new();
    let mut functions = 0;
    let mut in_macros = 0;
    let mut ops = 0;
    let mut spent = std::time::Duration::ZERO;
    let trees = folders().into_iter().map(|dir| walkdir::WalkDir::new(dir).sort_by_file_name());
    // What we have built holds copies of what we read.
    let all = trees.flat_map(|tree| tree.into_iter().filter_entry(|entry| entry.file_name() != "target"));
    for entry in all.flatten() {
        if !entry.file_type().is_file() || entry.path().extension().is_none_or(|ext| ext != "rs") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        files += 1;
        bytes += text.len();
        let source = Source::of("a.rs", Kind::Rust, text);
        let started = std::time::Instant::now();
        let facts = isolint::rust::lower(&source);
        let took = started.elapsed();
        spent += took;
        if took.as_millis() > 2000 {
            println!("slow: {took:?} {:?}", entry.path());
        }
        check(&facts, text, entry.path());
        ops += facts.ops.len();
        for gap in &facts.gaps {
            *gaps.entry(gap.why).or_insert(0) += 1;
            if gap.why == Why::Macro {
                let name = text[gap.span.start as usize..].split('!').next().unwrap_or_default();
                *macros_unread.entry(name.trim().to_owned()).or_insert(0) += 1;
            } else {
                println!("{:?} at {:?} in {:?}", gap.why, gap.span, entry.path());
            }
        }
        if facts.gaps.iter().any(|gap| gap.why == Why::Depth) {
            refused += 1;
            continue;
        }
        let Ok(tree) = syn::parse_file(text) else {
            // Trait objects without `dyn` are read, and no oracle of today knows them.
            let known = facts.gaps.iter().any(|gap| gap.why == Why::Syntax) || is_of_2015(entry.path());
            assert!(known, "{:?}: a syntax error is no gap", entry.path());
            refused += 1;
            continue;
        };
        // A shebang moves the oracle's positions.
        if tree.shebang.is_some() {
            continue;
        }
        let mut oracle = Functions::default();
        oracle.visit_file(&tree);
        let mut macros = Macros::default();
        macros.visit_file(&tree);
        oracle.heads.sort();
        let is_function = |shape| matches!(shape, Shape::Function | Shape::Method | Shape::StaticMethod);
        let found = facts.units.iter().filter(|unit| is_function(unit.shape)).map(|unit| unit.head);
        let (inside, mut outside): (Vec<_>, Vec<_>) =
            found.partition(|head| macros.0.iter().any(|mac: &Span| mac.contains(*head)));
        outside.sort();
        functions += outside.len();
        in_macros += inside.len();
        let missed = oracle.heads.iter().find(|head| outside.binary_search(head).is_err());
        let missed = missed.map(|head| &text[head.start as usize..head.end as usize]);
        assert_eq!(outside.len(), oracle.heads.len(), "{:?}: functions; {missed:?}", entry.path());
        assert_eq!(outside, oracle.heads, "{:?}: places of functions", entry.path());
        drop(tree);
        proc_macro2::extra::invalidate_current_thread_spans();
    }
    println!("{files} files, {bytes} bytes, {ops} operations, {functions} functions and {in_macros} in macros; gaps {gaps:?}");
    println!("lowered in {spent:?}; refused {refused}, read {:.3} %", 100.0 * (1.0 - f64::from(refused) / f64::from(files)));
    let mut unread: Vec<_> = macros_unread.into_iter().collect();
    unread.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    println!("macros unread: {:?}", unread.iter().take(40).collect::<Vec<_>>());
}

#[test]
#[ignore = "reads every source that we are built from"]
fn real_code_is_lowered_and_no_function_is_lost() {
    let worker = std::thread::Builder::new().stack_size(64 << 20).spawn(compare).unwrap();
    worker.join().unwrap();
}
