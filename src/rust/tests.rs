//! The front end on small sources, shown as text: one line for each step, `#n` for the result of operation n.

use super::lower;
use crate::facts::{Block, FileFacts, Import, Mark, OpId, Shape, Step, Sym, Unit, V, Value, What, Why};
use crate::text::{Kind, Source, Span};

fn read(text: &str) -> FileFacts {
    let text = text.to_owned();
    // Debug builds need the stack that the workers have.
    let worker = std::thread::Builder::new().stack_size(64 << 20);
    let work = move || lower(&Source::of("a.rs", Kind::Rust, text));
    worker.spawn(work).unwrap().join().unwrap()
}

struct Show<'a>(&'a FileFacts);

impl Show<'_> {
    fn sym(&self, sym: Sym) -> &str {
        self.0.name(sym)
    }

    fn path(&self, path: &[Sym]) -> String {
        path.iter().map(|s| self.sym(*s)).collect::<Vec<_>>().join("::")
    }

    fn list(&self, values: &[V]) -> String {
        values.iter().map(|v| self.value(*v)).collect::<Vec<_>>().join(", ")
    }

    fn value(&self, v: V) -> String {
        match self.0.value(v) {
            Value::Text(text) => format!("{:?}", self.sym(*text)),
            Value::Int(int) => int.to_string(),
            Value::Float(number) => self.sym(*number).into(),
            Value::Bool(bool) => bool.to_string(),
            Value::Nil => "nil".into(),
            Value::Name(name) => self.sym(*name).into(),
            Value::Path(path) => self.path(path),
            Value::Attr(base, name) => format!("{}.{}", self.value(*base), self.sym(*name)),
            Value::Item(base, index) => format!("{}[{}]", self.value(*base), self.value(*index)),
            Value::Result(op) => format!("#{}", op.0),
            Value::Format(parts) => format!("f({})", self.list(parts)),
            Value::Binary(operator, a, b) => format!("{operator:?}({}, {})", self.value(*a), self.value(*b)),
            Value::Not(a) => format!("!{}", self.value(*a)),
            Value::And(all) => format!("and({})", self.list(all)),
            Value::Or(all) => format!("or({})", self.list(all)),
            Value::Compare(how, a, b) => format!("{how:?}({}, {})", self.value(*a), self.value(*b)),
            Value::List(all) => format!("[{}]", self.list(all)),
            Value::Tuple(all) => format!("({})", self.list(all)),
            Value::Dict(pairs) => {
                let pairs: Vec<_> = pairs.iter().map(|(k, v)| format!("{}: {}", self.value(*k), self.value(*v))).collect();
                format!("{{{}}}", pairs.join(", "))
            }
            Value::Closure(unit) => format!("closure {}", unit.0),
            Value::Record { ty, fields } => {
                let fields: Vec<_> = fields.iter().map(|(k, v)| format!("{}: {}", self.sym(*k), self.value(*v))).collect();
                format!("{} {{ {} }}", self.value(*ty), fields.join(", "))
            }
            Value::Unknown => "?".into(),
            other => format!("{other:?}"),
        }
    }

    fn args(&self, args: &[crate::facts::Arg]) -> String {
        let show = |arg: &crate::facts::Arg| match arg.name {
            Some(name) => format!("{} = {}", self.sym(name), self.value(arg.value)),
            None => self.value(arg.value),
        };
        args.iter().map(show).collect::<Vec<_>>().join(", ")
    }

    fn op(&self, op: OpId) -> String {
        let give = |what: &str, v: &Option<V>| v.map_or(what.to_owned(), |v| format!("{what} {}", self.value(v)));
        match &self.0.op(op).what {
            What::Call { callee, args } => format!("#{} = {}({})", op.0, self.value(*callee), self.args(args)),
            What::Store { to, value, ty } => {
                let ty = ty.map_or(String::new(), |ty| format!(": {}", self.value(ty)));
                format!("{}{ty} = {}", self.value(*to), self.value(*value))
            }
            What::Return(v) => give("return", v),
            What::Yield(v) => give("yield", v),
            What::Raise(v) => give("raise", v),
            What::Await(v) => format!("await {}", self.value(*v)),
            What::Assert(v) => format!("assert {}", self.value(*v)),
            What::Break => "break".into(),
            What::Continue => "continue".into(),
            What::Define(unit) => format!("define {}", self.sym(self.0.unit(*unit).name)),
            What::DefineClass(class) => format!("class {}", self.sym(self.0.class(*class).name)),
            What::Import(import) => format!("import {}", self.import(&self.0.imports[*import as usize])),
            What::Delete(v) => format!("delete {}", self.value(*v)),
        }
    }

    fn import(&self, import: &Import) -> String {
        let mut text = self.path(&import.module);
        if let Some(name) = import.name {
            text += &format!(" . {}", self.sym(name));
        }
        if import.star {
            text += " . *";
        }
        if let Some(bound) = import.bound {
            text += &format!(" as {}", self.sym(bound));
        }
        if let Some(child) = &import.child {
            text += &format!(" child {:?}", child.path.map(|path| self.sym(path)));
        }
        if import.public {
            text += " pub";
        }
        text
    }

    fn block(&self, block: &Block, depth: usize, out: &mut Vec<String>) {
        let pad = "  ".repeat(depth);
        for step in block {
            match step {
                Step::Op(op) => out.push(format!("{pad}{}", self.op(*op))),
                Step::If { cond, then, other, .. } => {
                    out.push(format!("{pad}if {}", self.value(*cond)));
                    self.block(then, depth + 1, out);
                    if !other.is_empty() {
                        out.push(format!("{pad}else"));
                        self.block(other, depth + 1, out);
                    }
                }
                Step::Loop { over, cond, body, .. } => {
                    let over = over.map_or(String::new(), |(t, v)| format!(" {} in {}", self.value(t), self.value(v)));
                    let cond = cond.map_or(String::new(), |v| format!(" while {}", self.value(v)));
                    out.push(format!("{pad}loop{over}{cond}"));
                    self.block(body, depth + 1, out);
                }
                Step::Scope(body) => {
                    out.push(format!("{pad}scope"));
                    self.block(body, depth + 1, out);
                }
                Step::Match { subject, arms } => {
                    out.push(format!("{pad}match {}", self.value(*subject)));
                    for arm in arms {
                        let pattern = arm.pattern.as_ref().map_or("_".to_owned(), |path| self.path(path));
                        let guard = arm.guard.map_or(String::new(), |v| format!(" if {}", self.value(v)));
                        out.push(format!("{pad}  {pattern}{guard} =>"));
                        self.block(&arm.body, depth + 2, out);
                    }
                }
                other => out.push(format!("{pad}{other:?}")),
            }
        }
    }

    fn mark(&self, mark: &Mark) -> String {
        format!("{}({})", self.value(mark.callee), self.args(&mark.args))
    }

    fn marks(&self, marks: &[Mark]) -> Vec<String> {
        marks.iter().map(|mark| self.mark(mark)).collect()
    }
}

fn unit<'a>(facts: &'a FileFacts, name: &str) -> &'a Unit {
    facts.units.iter().find(|unit| facts.name(unit.name) == name && unit.parent.is_some()).unwrap()
}

/// The body of a unit, a line for each step.
fn body(facts: &FileFacts, unit: &Unit) -> Vec<String> {
    let mut out = Vec::new();
    Show(facts).block(&unit.body, 0, &mut out);
    out
}

/// The steps of `fn f() { … }`; operations count from 0.
fn steps(code: &str) -> Vec<String> {
    let facts = read(&format!("fn f() {{ {code} }}"));
    assert_eq!(facts.gaps, [], "{code}");
    body(&facts, unit(&facts, "f"))
}

fn module(code: &str) -> Vec<String> {
    let facts = read(code);
    assert_eq!(facts.gaps, [], "{code}");
    body(&facts, &facts.units[0])
}

fn at(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

#[test]
fn calls_stand_in_evaluation_order() {
    assert_eq!(
        steps("std::fs::write(dir.join(\"a\"), b\"x\").unwrap(); drop(g)"),
        ["#0 = dir.join(\"a\")", "#1 = std::fs::write(#0, \"x\")", "#2 = #1.unwrap()", "#3 = drop(g)", "return #3"]
    );
    assert_eq!(steps("Foo::<u8>::new(&mut *x as _)?.go().await?;"), ["#0 = Foo::new(x)", "#1 = #0.go()", "await #1"]);
    assert_eq!(
        steps("<A as B>::c(); <A>::d(); ::e::f(); (s.f)(1);"),
        ["#0 = A::c()", "#1 = A::d()", "#2 = e::f()", "#3 = s.f(1)"]
    );
}

#[test]
fn values_keep_what_they_are() {
    assert_eq!(
        steps("x = (1, -2, 0x10u8, 'c', true, None, (), [a, b], r\"\\\", c\"z\", 1.5, a[0].b.0, [0; 3])"),
        ["x = (1, -2, 16, \"c\", true, nil, nil, [a, b], \"\\\\\", \"z\", 1.5, a[0].b.0, [?])", "return nil"]
    );
    assert_eq!(steps("x += f();"), ["#0 = f()", "x = Add(x, #0)"]);
    assert_eq!(
        steps("*p.q = T { a: f(), 0: 1, ..Default::default() };"),
        ["#0 = f()", "#1 = Default::default()", "p.q = T { a: #0, 0: 1, ..: #1 }"]
    );
    assert_eq!(
        steps("for i in 0..=n {}"),
        ["loop i in std::ops::RangeInclusive { start: 0, end: n }", "  i = std::ops::RangeInclusive { start: 0, end: n }[?]"]
    );
    assert_eq!(steps("x = !a.b() && c == d"), ["#0 = a.b()", "x = and(!#0, Equal(c, d))", "return nil"]);
    assert_eq!(steps("r#type = 9223372036854775808;"), ["type = ?"]);
}

#[test]
fn lets_store_by_pattern() {
    assert_eq!(steps("let x: Vec<u8> = f();"), ["#0 = f()", "x: Vec[u8] = #0"]);
    assert_eq!(steps("let _ = f(); let mut _g = g();"), ["#0 = f()", "_ = #0", "#2 = g()", "_g = #2"]);
    assert_eq!(steps("let (a, _) = f();"), ["#0 = f()", "(a, _) = #0"]);
    assert_eq!(steps("let (P { a, b: c }, [d, ..]) = f();"), ["#0 = f()", "a = #0.0.a", "c = #0.0.b", "d = #0.1[0]"]);
    assert_eq!(
        steps("let (Some(a), [.., b]) = (x, y) else { return };"),
        ["match (x, y)", "  _ =>", "  _ =>", "    return", "a = x", "b = ?"]
    );
    assert_eq!(
        steps("let Ok(g) = LOCK.lock() else { panic!(\"x\") }; go(g);"),
        [
            "#0 = LOCK.lock()",
            "match #0",
            "  Ok =>",
            "  _ =>",
            "    #1 = panic!(f(\"x\"))",
            "    raise #1",
            "g = #0",
            "#4 = go(g)"
        ]
    );
}

#[test]
fn conditions_follow_their_calls() {
    assert_eq!(
        steps("if !p.exists() { f() } else if q { g(); } else { h(); }"),
        ["#0 = p.exists()", "if !#0", "  #1 = f()", "  return #1", "else", "  if q", "    #3 = g()", "  else", "    #4 = h()"]
    );
    assert_eq!(
        steps("let x = a && b() || c();"),
        ["if a", "  #0 = b()", "if !and(a, #0)", "  #1 = c()", "x = or(and(a, #0), #1)"]
    );
}

#[test]
fn if_let_is_a_match() {
    assert_eq!(
        steps("if let Ok(f) = open() { f.go(); } else { b(); }"),
        ["#0 = open()", "match #0", "  Ok =>", "    f = #0", "    #2 = f.go()", "  _ =>", "    #3 = b()"]
    );
    assert_eq!(
        steps("if let Some(a) = x && a.ok() && let Some(b) = y { f(b); } else { g(); }"),
        [
            "$1 = false",
            "match x",
            "  Some =>",
            "    a = x",
            "    #2 = a.ok()",
            "    if #2",
            "      match y",
            "        Some =>",
            "          b = y",
            "          $1 = true",
            "          #5 = f(b)",
            "        _ =>",
            "  _ =>",
            "if !$1",
            "  #6 = g()"
        ]
    );
}

#[test]
fn matches_have_arms_with_stores_and_guards() {
    assert_eq!(
        steps(
            "match f() { Ok(x) if x.ok() => x, Err(e) | E::Two(e, _) => { g(e); return } io::Kind::A => 1, \"ci\" => 2, MAX => 3, y => y }"
        ),
        [
            "#0 = f()",
            "match #0",
            "  Ok if #2 =>",
            "    x = #0",
            "    #2 = x.ok()",
            "    return x",
            "  _ =>",
            "    e = ?",
            "    #5 = g(e)",
            "    return",
            "  io::Kind::A =>",
            "    return 1",
            "  _ if Equal(#0, \"ci\") =>",
            "    return 2",
            "  MAX =>",
            "    return 3",
            "  _ =>",
            "    y = #0",
            "    return y"
        ]
    );
}

#[test]
fn blocks_with_values_store_to_fresh_names() {
    assert_eq!(
        steps("let x = { let y = f(); y.g() };"),
        ["scope", "  #0 = f()", "  y = #0", "  #2 = y.g()", "  $1 = #2", "x = $1"]
    );
    assert_eq!(steps("let x = unsafe { f() };"), ["#0 = f()", "x = #0"]);
    assert_eq!(
        steps("let x = match y { Some(v) => v, None => return };"),
        ["match y", "  Some =>", "    v = y", "    $1 = v", "  None =>", "    return", "x = $1"]
    );
    assert_eq!(steps("let x = loop { break f(); };"), ["loop", "  #0 = f()", "  $1 = #0", "  break", "x = $1"]);
    assert_eq!(steps("{ f(); } unsafe { g(); }"), ["scope", "  #0 = f()", "scope", "  #1 = g()"]);
    assert_eq!(
        steps("let x = 'a: { if c { break 'a 1; } 2 };"),
        ["loop", "  if c", "    $1 = 1", "    break", "  $1 = 2", "  break", "x = $1"]
    );
}

#[test]
fn loops_say_what_they_go_over() {
    assert_eq!(
        steps("for (i, p) in d.read()? { if i { continue; } }"),
        ["#0 = d.read()", "loop (i, p) in #0", "  (i, p) = #0[?]", "  if i", "    continue"]
    );
    assert_eq!(
        steps("for Entry { path } in all { f(path); }"),
        ["loop $1 in all", "  $1 = all[?]", "  path = $1.path", "  #2 = f(path)"]
    );
    assert_eq!(steps("while !done() { wait(); }"), ["#0 = done()", "loop while !#0", "  #1 = wait()"]);
    assert_eq!(
        steps("while let Some(x) = rx.next() { f(x); }"),
        ["loop", "  #0 = rx.next()", "  match #0", "    Some =>", "      x = #0", "      #2 = f(x)", "    _ =>", "      break"]
    );
}

#[test]
fn closures_are_units() {
    let facts =
        read("fn f() { spawn(move |a: u8, (b, c)| { a.go(); b }); spawn(async move { g().await }); async { h() }.await; }");
    assert_eq!(body(&facts, unit(&facts, "f")), ["#3 = spawn(closure 2)", "#7 = spawn(closure 3)", "#8 = h()"]);
    let closure = &facts.units[2];
    assert_eq!((closure.shape, closure.parent, facts.name(closure.name)), (Shape::Closure, Some(crate::facts::UnitId(1)), ""));
    let params: Vec<_> = closure.params.iter().map(|param| facts.name(param.name)).collect();
    assert_eq!(params, ["a", "$1"]);
    assert_eq!(body(&facts, closure), ["(b, c) = $1", "#1 = a.go()", "return b"]);
    assert!(facts.units[3].is_async);
    assert_eq!(body(&facts, &facts.units[3]), ["#4 = g()", "await #4", "return #4"]);
}

#[test]
fn formats_know_their_holes() {
    assert_eq!(
        steps("let p = format!(\"{dir}/x-{}-{n:?}.{0}\", id(), n = 3);"),
        ["#0 = id()", "#1 = format!(f(dir, \"/x-\", #0, \"-\", 3, \".\", #0))", "p = #1"]
    );
    assert_eq!(
        steps("write!(f, \"{}\", a)?; std::println!(); log::info!(target: \"t\", \"{a}\"); warn!(k = %v, ?w, \"m\");"),
        [
            "#0 = write!(f, f(a))",
            "#1 = std::println!()",
            "#2 = log::info!(target = \"t\", f(a))",
            "#3 = warn!(k = v, w, f(\"m\"))"
        ]
    );
    assert_eq!(
        steps("let p = concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/x\");"),
        ["#0 = env!(\"CARGO_MANIFEST_DIR\")", "p = f(#0, \"/x\")"]
    );
}

#[test]
fn macros_are_calls_of_their_arguments() {
    assert_eq!(steps("let v = vec![a(), 2]; let w = vec![0; n];"), ["#0 = a()", "v = [#0, 2]", "w = [?]"]);
    assert_eq!(
        steps("assert!(p.exists(), \"{}\", why()); assert_eq!(a, 1); assert_ne!(a, b, \"x\");"),
        ["#0 = p.exists()", "if !#0", "  #1 = why()", "assert #0", "assert Equal(a, 1)", "assert NotEqual(a, b)"]
    );
    assert_eq!(steps("if matches!(f(), Ok(_) | Err(E::X) if true) {}"), ["#0 = f()", "#1 = matches!(#0)", "if #1"]);
    assert_eq!(steps("bail!(\"no {x}\"); "), ["#0 = bail!(f(\"no \", x))", "return #0"]);
    assert_eq!(
        steps("insta::assert_snapshot!(\"n\", out(), @\"\"); hashmap!{ a => 1, b => f() };"),
        ["#0 = out()", "#1 = insta::assert_snapshot!(\"n\", #0, \"\")", "#2 = f()", "#3 = hashmap!({a: 1, b: #2})"]
    );
    assert_eq!(
        steps("let j = json!({ \"a\": [1, null, { \"b\": f() }], (k): x });"),
        ["#0 = f()", "#1 = json!({\"a\": [1, nil, {\"b\": #0}], k: x})", "j = #1"]
    );
    assert_eq!(
        steps("temp_env! { let x = f(); x.g(); };"),
        ["#0 = temp_env!()", "scope", "  #1 = f()", "  x = #1", "  #3 = x.g()"]
    );
    assert_eq!(steps("let t = quote! { fn #name() {} };"), ["#0 = quote!()", "t = #0"]);
    let facts = read("fn f() { odd! { a -> b; }; }");
    assert_eq!(body(&facts, unit(&facts, "f")), ["#0 = odd!()"]);
    assert_eq!(facts.gaps.iter().map(|gap| gap.why).collect::<Vec<_>>(), [Why::Macro]);
}

#[test]
fn macros_of_items_hold_units() {
    let facts = read("proptest! { #![proptest_config(C)] #[test] fn p(mut x in 0..9u8, (a, b) in z(), c: u8) { go(x); } }");
    let p = unit(&facts, "p");
    assert_eq!(Show(&facts).marks(&p.marks), ["test()"]);
    let params: Vec<_> = p.params.iter().map(|param| facts.name(param.name)).collect();
    assert_eq!(params, ["x", "$1", "c"]);
    assert_eq!(body(&facts, p), ["(a, b) = $1", "#1 = go(x)"]);

    let facts = read("quickcheck! { fn q(xs: Vec<u8>) -> bool { true } }");
    assert_eq!(Show(&facts).marks(&unit(&facts, "q").marks), ["test()"]);

    let facts = read("cfg_if! { if #[cfg(unix)] { fn a() {} } else { fn b() {} } }");
    assert_eq!(Show(&facts).marks(&unit(&facts, "a").marks), ["cfg(unix)"]);
    assert!(unit(&facts, "b").marks.is_empty());
}

#[test]
fn lazy_statics_are_made_by_their_macro() {
    let facts = read(
        "thread_local! { pub static X: RefCell<u8> = const { f() }; static Y: u8 = 1 } lazy_static! { static ref Z: T = g(); }",
    );
    assert_eq!(
        body(&facts, &facts.units[0]),
        [
            "#2 = thread_local!(closure 1)",
            "X: RefCell[u8] = #2",
            "#5 = thread_local!(closure 2)",
            "Y: u8 = #5",
            "#9 = lazy_static!(closure 3)",
            "Z: T = #9"
        ]
    );
    assert_eq!(body(&facts, &facts.units[3]), ["#7 = g()", "return #7"]);
}

#[test]
fn select_polls_all_and_takes_one() {
    assert_eq!(
        steps("tokio::select! { biased; Some(x) = rx.recv() => f(x), _ = sleep(), if go => { g(); } else => h() }"),
        [
            "#0 = rx.recv()",
            "#1 = sleep()",
            "#2 = tokio::select!(#0, #1)",
            "match #2",
            "  Some =>",
            "    x = #0",
            "    #4 = f(x)",
            "    return #4",
            "  _ if go =>",
            "    #6 = g()",
            "  _ =>",
            "    #7 = h()",
            "    return #7"
        ]
    );
}

#[test]
fn imports_bind_one_name_each() {
    assert_eq!(
        module(
            "use std::fs::{self, File as F, io::*}; pub use a; use b::c as _; use crate::d::e; extern crate g as h; mod m; #[path = \"x.rs\"] pub(crate) mod n;"
        ),
        [
            "import std::fs as fs",
            "import std::fs . File as F",
            "import std::fs::io . *",
            "import a as a pub",
            "import b . c",
            "import crate::d . e as e",
            "import g as h",
            "import m as m child None",
            "import n as n child Some(\"x.rs\") pub"
        ]
    );
}

#[test]
fn types_are_classes() {
    let text = "/// d\n#[derive(A)] pub struct S<T> { a: Option<PathBuf>, b: &'static str }\nenum E { A, B(u8) }\nstruct U(Arc<dyn Fn()>);\n\
        impl<T> fmt::Display for S<T> { const C: u8 = 1; fn fmt(&self, f: &mut fmt::Formatter<'_>) -> Result<(), E> { x() } pub fn new() {} }\n\
        trait Q: Sup + 'static { fn no(&self); fn yes(self: Box<Self>) { y() } }";
    let facts = read(text);
    assert_eq!(facts.gaps, []);
    let show = Show(&facts);
    let fields = |n: usize| -> Vec<String> {
        let field =
            |(name, ty): &(Sym, Option<V>)| format!("{}: {}", show.sym(*name), ty.map_or("-".into(), |ty| show.value(ty)));
        facts.classes[n].fields.iter().map(field).collect()
    };
    assert_eq!(fields(0), ["a: Option[PathBuf]", "b: str"]);
    assert_eq!(fields(1), ["A: -", "B: u8"]);
    assert_eq!(fields(2), ["0: Arc[Fn]"]);
    assert_eq!(at(text, facts.classes[0].span), "/// d\n#[derive(A)] pub struct S<T> { a: Option<PathBuf>, b: &'static str }");
    assert_eq!(show.marks(&facts.classes[0].marks), ["derive(A)"]);

    let block = &facts.classes[3];
    assert_eq!((show.sym(block.name), show.value(block.bases[0])), ("S", "fmt::Display".into()));
    assert_eq!(block.extends.map(|v| show.value(v)), Some("S".into()));
    let inside = facts.unit(block.body.unwrap());
    assert_eq!(
        (inside.shape, body(&facts, inside)),
        (Shape::ClassBody, vec!["C: u8 = 1".to_owned(), "define fmt".into(), "define new".into()])
    );
    let method = unit(&facts, "fmt");
    assert_eq!((method.shape, method.parent), (Shape::Method, block.body));
    assert_eq!(method.returns.map(|v| show.value(v)), Some("Result[(nil, E)]".into()));
    let params: Vec<_> = method.params.iter().map(|p| (show.sym(p.name), p.ty.map(|ty| show.value(ty)))).collect();
    assert_eq!(params, [("self", None), ("f", Some("fmt::Formatter".to_owned()))]);
    assert_eq!(unit(&facts, "new").shape, Shape::StaticMethod);

    let q = &facts.classes[4];
    assert_eq!((show.sym(q.name), show.value(q.bases[0]), q.extends), ("Q", "Sup".into(), None));
    assert_eq!(body(&facts, facts.unit(q.body.unwrap())), ["define yes"]);
    assert_eq!(body(&facts, &facts.units[0]), ["class S", "class E", "class U", "class Q"]);
}

#[test]
fn modules_and_statics() {
    let facts = read(
        "#![allow(x)]\nstatic mut A: Mutex<()> = Mutex::new(());\ntype T = a::B<u8>;\n#[cfg(test)]\nmod tests {\n  #![q]\n  fn f() {}\n}",
    );
    let show = Show(&facts);
    assert_eq!(show.marks(&facts.units[0].marks), ["allow(x)"]);
    assert_eq!(body(&facts, &facts.units[0]), ["#0 = Mutex::new(nil)", "A: Mutex[nil] = #0", "T = a::B[u8]"]);
    let tests = unit(&facts, "tests");
    assert_eq!((tests.shape, show.marks(&tests.marks)), (Shape::Module, vec!["cfg(test)".to_owned(), "q()".into()]));
    assert_eq!(facts.unit(unit(&facts, "f").parent.unwrap()).shape, Shape::Module);
}

#[test]
fn items_come_first_in_their_block() {
    assert_eq!(steps("g(); fn g() {} use a::b;"), ["define g", "import a . b as b", "#2 = g()"]);
}

#[test]
fn marks_keep_their_arguments() {
    let text = "/// doc\n#[tokio::test(flavor = \"multi_thread\", worker_threads = 2)]\n#[serial(key, file = \"x\")]\n#[cfg(all(not(windows), feature = \"f\"))]\n\
        #[case::n(\"a\", P::new(1))]\n#[ignore = \"slow\"]\n#[test_case(1, 2 => 3 ; \"n\")]\nasync fn f(#[from(x)] p: u8) {}";
    let facts = read(text);
    let f = unit(&facts, "f");
    assert_eq!(
        Show(&facts).marks(&f.marks),
        [
            "tokio::test(flavor = \"multi_thread\", worker_threads = 2)",
            "serial(key, file = \"x\")",
            "cfg((all, (not, windows), Equal(feature, \"f\")))",
            "case::n(\"a\", (P::new, 1))",
            "ignore(\"slow\")",
            "test_case(1, 2)",
            "from(x)"
        ]
    );
    assert_eq!(at(text, f.marks[0].span), "#[tokio::test(flavor = \"multi_thread\", worker_threads = 2)]");
    assert!(f.is_async);
    assert_eq!((at(text, f.head), f.span.end as usize), ("f", text.len()));
    assert_eq!(f.span.start, 0);
}

#[test]
fn a_statement_under_cfg_is_a_condition() {
    assert_eq!(
        steps("#[cfg(unix)] f(); #[cfg(not(unix))] let x = 1; g();"),
        ["#0 = cfg!(unix)", "if #0", "  #1 = f()", "#2 = cfg!((not, unix))", "if #2", "  x = 1", "#4 = g()"]
    );
}

#[test]
fn spans_are_bytes_of_the_file() {
    let text =
        "#!/usr/bin/env run é\r\n// ünï\r\nfn f() {\r\n  a::b(\"é€\").cé(x /* ö */);\r\n  format!(\"é{}\", g(1));\r\n}\r\n";
    let facts = read(text);
    assert_eq!(facts.gaps, []);
    let ops: Vec<_> = facts.ops.iter().map(|op| at(text, op.span)).collect();
    assert_eq!(ops, ["a::b(\"é€\")", "cé(x /* ö */)", "g(1)", "format!(\"é{}\", g(1))", "f"]);
    // The second file of a thread counts from its own start.
    let sources = ["fn é() { a() }", "fn b() { é(c) }"].map(|text| Source::of("a.rs", Kind::Rust, text));
    let spans: Vec<_> = sources.iter().map(|source| at(&source.text, lower(source).ops[0].span).to_owned()).collect();
    assert_eq!(spans, ["a()", "é(c)"]);
}

#[test]
fn trait_objects_of_older_editions() {
    let text = "fn f<F: Fn(u8)>(a: &mut FnMut(u8) -> bool, b: Box<Fn()>, c: &'static Fn(&Fn(u8)), d: F) where F: FnOnce() {\n    g(Fn(1));\n}";
    let facts = read(text);
    assert_eq!(facts.gaps, []);
    let call = facts.ops.iter().find(|op| matches!(&op.what, What::Call { .. })).unwrap();
    assert_eq!(&text[call.span.start as usize..call.span.end as usize], "Fn(1)");
    assert_eq!(facts.unit(crate::facts::UnitId(1)).params.len(), 4);
}

#[test]
fn what_cannot_be_read_is_a_gap() {
    let gaps = |text: &str| -> Vec<(Why, u32)> { read(text).gaps.iter().map(|gap| (gap.why, gap.span.start)).collect() };
    assert_eq!(gaps("fn f() {\n  let = 1;\n}"), [(Why::Syntax, 15)]);
    assert_eq!(gaps("fn f() {"), [(Why::Syntax, 7)]);
    assert_eq!(gaps("fn f("), [(Why::Syntax, 4)]);
    assert_eq!(gaps("fn f()"), [(Why::Syntax, 6)]);
    assert_eq!(gaps(&format!("fn f() {{ {}{} }}", "(".repeat(500), ")".repeat(500)))[0].0, Why::Depth);
    assert_eq!(gaps(""), []);
    assert_eq!(gaps("impl A { #[fill] fn f(); }\ntype B;"), []);
    assert_eq!(gaps("macro m() {}"), [(Why::Syntax, 0)]);
    let facts = read("// isolint: ignore-file[x]\nfn f( {");
    assert_eq!((facts.units.len(), facts.ignores.len()), (1, 1));
}

#[test]
fn ignore_comments_are_read() {
    let text = "fn f() {\n  // isolint: ignore[a] why é\n  g(); /* isolint: ignore */\n  h(\"// isolint: ignore[no]\");\n}\r\n/// isolint: ignore[b]\r\nfn k() {}";
    let facts = read(text);
    let found: Vec<_> = facts.ignores.iter().map(|ignore| (at(text, ignore.span), ignore.own_line, ignore.rules.len())).collect();
    assert_eq!(
        found,
        [("// isolint: ignore[a] why é", true, 1), ("/* isolint: ignore */", false, 0), ("/// isolint: ignore[b]", true, 1)]
    );
}

#[test]
fn as_deep_as_the_scan_allows_is_lowered() {
    let nests = [("(", ")"), ("{", "}"), ("[", "]"), ("if a {", "}"), ("f(", ")"), ("|| {", "}"), ("vec![", "]"), ("m!{", "}")];
    for (open, close) in nests {
        let facts = read(&format!("fn f() {{ {}{} }}", open.repeat(195), close.repeat(195)));
        assert_eq!(facts.gaps, [], "{open}");
    }
    let chains = [("!", "x"), ("x + ", "x"), ("|| ", "x"), ("if a {} else ", "{}"), ("&", "x"), ("x = ", "x"), ("return ", "x")];
    for (chain, end) in chains {
        let words = chain.split_whitespace().count() + 1;
        lowered(&format!("fn f() {{ {}{end} }}", chain.repeat(3900 / words)), chain);
    }
    let lets = "let Some(a) = b && ".repeat(400);
    lowered(&format!("fn f() {{ if {lets} c {{ g() }} else {{ h() }} }}"), "let");
    for chain in [".a()", "?", ".b", "[0]", "()", " as T", ".await"] {
        lowered(&format!("fn f() {{ x{} }}", chain.repeat(1200)), chain);
    }
    lowered(&format!("fn f(x: {}u8{}) {{}}", "Vec<".repeat(195), ">".repeat(195)), "Vec");
}

/// The file is read, and whoever walks its facts goes a few hundred calls deep at most.
fn lowered(text: &str, what: &str) {
    fn deepest(block: &Block) -> usize {
        let inner = |step: &Step| match step {
            Step::If { then, other, .. } => deepest(then).max(deepest(other)),
            Step::Loop { body, .. } | Step::Scope(body) => deepest(body),
            Step::Match { arms, .. } => arms.iter().map(|arm| deepest(&arm.body)).max().unwrap_or(0),
            _ => 0,
        };
        1 + block.iter().map(inner).max().unwrap_or(0)
    }
    let facts = read(text);
    assert!(facts.gaps.iter().all(|gap| gap.why == Why::Depth && gap.span.start == 0), "{what}: {:?}", facts.gaps);
    assert!(facts.units.len() > 1, "{what}");
    assert!(facts.units.iter().all(|unit| deepest(&unit.body) < 250), "{what}");
    let mut heights = vec![0usize; facts.values.len()];
    for (n, value) in facts.values.iter().enumerate() {
        heights[n] = match value {
            Value::Attr(a, _) | Value::Not(a) => 1 + heights[a.0 as usize],
            Value::Binary(_, a, b) | Value::Item(a, b) => 1 + heights[a.0 as usize].max(heights[b.0 as usize]),
            _ => 0,
        };
    }
    assert!(heights.iter().all(|height| *height <= 200), "{what}");
}
