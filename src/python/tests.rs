use super::lower_text;
use crate::facts::{FileFacts, IgnoreScope, ParamKind, Shape, Step, Value, What, Why, show};
use crate::text::{Kind, Source};

/// The dump without line numbers, cut down to what stands below unit 0.
fn body(text: &str) -> Vec<String> {
    unit(text, 0)
}

fn unit(text: &str, unit: usize) -> Vec<String> {
    let shown = show(&lower_text(text), &Source::of("a.py", Kind::Python, text));
    let lines = shown.lines().map(|line| line.get(7..).unwrap_or_default());
    let mut lines = lines.skip_while(|line| !line.starts_with(&format!("unit {unit}:")));
    lines.next();
    lines.take_while(|line| line.starts_with(' ')).map(|line| line[2..].to_owned()).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(body(text), expected, "{text}");
}

fn gaps(facts: &FileFacts, why: Why) -> usize {
    facts.gaps.iter().filter(|gap| gap.why == why).count()
}

fn calls(facts: &FileFacts) -> usize {
    facts.ops.iter().filter(|op| matches!(op.what, What::Call { .. })).count()
}

fn is_call(facts: &FileFacts, op: crate::facts::OpId) -> bool {
    matches!(facts.op(op).what, What::Call { .. })
}

#[test]
fn an_empty_file_has_a_module() {
    for text in ["", "\n", "# only a comment", "\"\"\"Only a docstring.\"\"\"\n", "x\n1\n"] {
        let facts = lower_text(text);
        assert_eq!((facts.units.len(), facts.ops.len(), facts.gaps.len()), (1, 0, 0), "{text:?}");
        assert_eq!(facts.units[0].shape, Shape::Module);
        assert_eq!(facts.units[0].span.end as usize, text.len());
    }
}

#[test]
fn calls_stand_in_evaluation_order() {
    check("f(g(), k=h(), *a, **b).m(i())", &["#0 = g()", "#1 = h()", "#2 = f(#0, k=#1, *a, *b)", "#3 = i()", "#4 = #2.m(#3)"]);
    check("a[f()] = g()", &["#0 = g()", "#1 = f()", "a[#1] = #0"]);
    check("x = await f()", &["#0 = f()", "await #0", "x = #0"]);
    check("(await t).close(await self.u)", &["await t", "await self.u", "#2 = t.close(self.u)"]);
}

#[test]
fn a_call_spans_its_whole_expression() {
    let text = "x = (a.b(1)\n  .c(2))\n";
    let facts = lower_text(text);
    let spans: Vec<&str> = facts.ops.iter().map(|op| &text[op.span.start as usize..op.span.end as usize]).collect();
    assert_eq!(spans, ["a.b(1)", "a.b(1)\n  .c(2)", "x = (a.b(1)\n  .c(2))"]);
}

#[test]
fn assignments_of_all_kinds() {
    check("a = b = f()", &["#0 = f()", "a = #0", "b = #0"]);
    check("a, *b = c", &["(a, *b) = c"]);
    check("[a, (b)] = c", &["[a, b] = c"]);
    check("x: int = 1", &["x: int = 1"]);
    check("x: int", &[]);
    check("x += f()", &["#0 = f()", "x = (x + #0)"]);
    check("f(y := 1)", &["y = 1", "#1 = f(y)"]);
    check("type X[T] = list[T]", &["X = list[T]"]);
    check("type(x).y = 1", &["#0 = type(x)", "#0.y = 1"]);
    check("(a) = -1", &["a = -1"]);
}

#[test]
fn texts_are_decoded_and_joined() {
    check(r"x = 'a\n' r'\d' b'\x41'", &["x = \"a\\n\\\\dA\""]);
    check(r"x = r'\\'", &["x = \"\\\\\\\\\""]);
    check("x = f'{a}/b{{' 'c'", &["x = format(a \"/b{c\")"]);
    check("x = f'{a!r:>{w()}}{f\"{b()}\"}'", &["#0 = w()", "#1 = b()", "x = format(a format(#1))"]);
    check("x = f'{a=}'", &["x = format(\"a=\" a)"]);
    check("x = '%s/y' % a + '''z\r\n'''", &["x = ((\"%s/y\" % a) + \"z\\n\")"]);
    check("x = t'{a}'", &["x = format(a)"]);
    check("x = f'{a:=10}' f'{(b:=1)}'", &["b = 1", "x = format(a b)"]);
}

#[test]
fn a_right_operand_runs_under_its_left() {
    check(
        "x = a() and b() or c()",
        &["#0 = a()", "if #0", "  #1 = b()", "if not (#0 and #1)", "  #2 = c()", "x = ((#0 and #1) or #2)"],
    );
    check("x = a() or b", &["#0 = a()", "x = (#0 or b)"]);
    check("x = f() if g() else h", &["#0 = g()", "if #0", "  #1 = f()", "x = (#1 if #0 else h)"]);
    check("a < b() < c", &["#0 = b()"]);
}

#[test]
fn comprehensions_run_in_place() {
    check(
        "x = [f(a) for a in g() if a for b in a.c()]",
        &[
            "#0 = g()",
            "loop a in #0",
            "  a = #0[?]",
            "  if a",
            "    #2 = a.c()",
            "    loop b in #2",
            "      b = #2[?]",
            "      #4 = f(a)",
            "x = [#4]",
        ],
    );
    check("any(f(a) for a in b)", &["loop a in b", "  a = b[?]", "  #1 = f(a)", "#2 = any([#1])"]);
    check("x = {a: f(b) for a, b in c}", &["loop (a, b) in c", "  (a, b) = c[?]", "  #1 = f(b)", "x = {a: #1}"]);
}

#[test]
fn a_lambda_is_a_unit() {
    let text = "x = lambda a, b=f(): g(a)";
    check(text, &["#0 = f()", "x = closure 1"]);
    assert_eq!(unit(text, 1), ["#1 = g(a)", "return #1"]);
}

#[test]
fn branches_nest() {
    check(
        "if a(): b()\nelif c(): d()\nelse: e()",
        &["#0 = a()", "if #0", "  #1 = b()", "else", "  #2 = c()", "  if #2", "    #3 = d()", "  else", "    #4 = e()"],
    );
    check("for i in f():\n  break\nelse:\n  g()", &["#0 = f()", "loop i in #0", "  i = #0[?]", "  break", "else", "  #3 = g()"]);
    check("while f():\n  continue", &["#0 = f()", "loop while #0", "  continue"]);
}

#[test]
fn handlers_know_what_they_catch() {
    check(
        "try:\n  a()\nexcept (B, c.D) as e: f()\nexcept* E as e: pass\nexcept: g()\nelse: h()\nfinally: i()",
        &[
            "try",
            "  #0 = a()",
            "except B, c.D",
            "  e = ?",
            "  #2 = f()",
            "except E",
            "  e: E = ?",
            "except ",
            "  #4 = g()",
            "else",
            "  #5 = h()",
            "finally",
            "  #6 = i()",
        ],
    );
    check("raise A('x') from b()", &["#0 = A(\"x\")", "#1 = b()", "raise #0"]);
}

#[test]
fn a_later_context_runs_under_an_earlier_one() {
    check(
        "with a() as x, lock, b(x) as (y, z):\n  c()",
        &["#0 = a()", "with #0 as x, lock", "  x = #0", "  #2 = b(x)", "  with #2 as (y, z)", "    (y, z) = #2", "    #4 = c()"],
    );
    check(
        "with (a() as x, b() as y,): pass",
        &["#0 = a()", "with #0 as x", "  x = #0", "  #2 = b()", "  with #2 as y", "    y = #2"],
    );
    check("with (a()): pass", &["#0 = a()", "with #0"]);
}

#[test]
fn arms_test_and_bind() {
    let text = "match f():\n  case [a, *b] if g(a): h()\n  case P(x=1, y=c) as d: pass\n  case {'k': e, **r}: pass\n  case 1 | -2: pass\n  case (1 as z) | (2 as z): pass\n  \
                case m.N: pass\n  case None: pass\n  case (q): pass\n  case _: pass";
    check(
        text,
        &[
            "#0 = f()",
            "match #0",
            "  case _ if #3",
            "    a = #0[0]",
            "    b = ?",
            "    #3 = g(a)",
            "    #4 = h()",
            "  case P",
            "    c = #0.y",
            "    d = #0",
            "  case _",
            "    e = #0[\"k\"]",
            "    r = ?",
            "  case _ if ((#0 == 1) or (#0 == -2))",
            "  case _ if ((#0 == 1) or (#0 == 2))",
            "    z = #0",
            "  case m.N if (#0 == m.N)",
            "  case None if (#0 is nil)",
            "  case _",
            "    q = #0",
            "  case _",
        ],
    );
}

#[test]
fn small_statements() {
    check("assert a(), b()", &["#0 = a()", "if not #0", "  #1 = b()", "assert #0"]);
    check("del a.b, c[0]", &["delete a.b", "delete c[0]"]);
    check("del (a, b)", &["delete a", "delete b"]);
    check("global x", &[]);
    let facts = lower_text("print 'x', f()\n");
    assert_eq!((gaps(&facts, Why::Syntax), calls(&facts)), (1, 1));
}

#[test]
fn imports_of_all_forms() {
    check(
        "import a.b, c as d\nfrom ..e.f import (g as h,\n i)\nfrom . import *\nfrom __future__ import annotations",
        &[
            "import a.b as a",
            "import c as d",
            "import ..e.f.g as h",
            "import ..e.f.i as i",
            "import ..*",
            "import __future__.annotations as annotations",
        ],
    );
    let facts = lower_text("import a.b as c\nfrom .... import x");
    let plain: Vec<_> = facts.imports.iter().map(|import| (import.module.len(), import.up, import.name.is_some())).collect();
    assert_eq!(plain, [(2, 0, false), (0, 4, true)]);
    assert_eq!(facts.imports[0].span.start, 7);
}

#[test]
fn functions_and_their_marks() {
    let text =
        "@pytest.fixture(scope=g())\n@a.b\nasync def f(a: 'T.U', /, b=h(), *c: int, d, **e) -> None:\n  global G\n  yield a\n";
    check(text, &["#0 = g()", "#1 = h()", "define unit 1: f"]);
    let facts = lower_text(text);
    let unit = &facts.units[1];
    assert_eq!((unit.shape, unit.is_async, unit.yields, facts.units[0].yields), (Shape::Function, true, true, false));
    let marks: Vec<_> = unit.marks.iter().map(|mark| (facts.dotted(mark.callee).unwrap(), mark.args.len())).collect();
    assert_eq!(marks, [("pytest.fixture".to_owned(), 1), ("a.b".to_owned(), 0)]);
    let params: Vec<_> = unit.params.iter().map(|param| (facts.name(param.name), param.kind)).collect();
    use ParamKind::*;
    assert_eq!(params, [("a", Plain), ("b", Plain), ("c", Rest), ("d", KeywordOnly), ("e", Keywords)]);
    assert_eq!(facts.dotted(unit.params[0].ty.unwrap()).as_deref(), Some("T.U"));
    assert_eq!(facts.value(unit.returns.unwrap()), &Value::Nil);
    assert_eq!(unit.globals.iter().map(|name| facts.name(*name)).collect::<Vec<_>>(), ["G"]);
    assert_eq!(&text[unit.head.start as usize..unit.head.end as usize], "f");
    assert_eq!(unit.span.start, 0);
}

#[test]
fn classes_and_their_methods() {
    let text = "@dataclass\nclass C(A, b.B, metaclass=M):\n  x: int = 0\n  y: 'C'\n  z = 1\n  def m(self): return super().m()\n  @classmethod\n  def k(cls): \
                pass\n  @staticmethod\n  def s(): pass\n  @cached_property\n  def p(self): pass\n  @p.setter\n  def p(self, v): pass\n  def \
                __new__(cls): pass\n  if a:\n    def n(self):\n      def inner(): pass\n";
    let facts = lower_text(text);
    let class = &facts.classes[0];
    assert_eq!(class.bases.iter().map(|base| facts.dotted(*base).unwrap()).collect::<Vec<_>>(), ["A", "b.B"]);
    let fields: Vec<_> = class.fields.iter().map(|(name, ty)| (facts.name(*name), facts.dotted(ty.unwrap()).unwrap())).collect();
    assert_eq!(fields, [("x", "int".to_owned()), ("y", "C".to_owned())]);
    let units: Vec<_> =
        facts.units.iter().skip(1).map(|unit| (facts.name(unit.name), unit.shape, unit.class.is_some())).collect();
    use Shape::*;
    assert_eq!(
        units,
        [
            ("C", ClassBody, true),
            ("m", Method, true),
            ("k", ClassMethod, true),
            ("s", StaticMethod, true),
            ("p", Property, true),
            ("p", Property, true),
            ("__new__", ClassMethod, true),
            ("n", Method, true),
            ("inner", Function, false),
        ]
    );
    assert_eq!(class.body.map(|body| body.0), Some(1));
}

#[test]
fn a_star_binds_less_than_a_call() {
    check("x = [*a.b(), *c]", &["#0 = a.b()", "x = [*#0, *c]"]);
    assert_eq!(lower_text("[*f()]").ops[0].span.start, 2);
}

#[test]
fn ignore_comments_are_found() {
    let facts = lower_text("# isolint: ignore-file[a]\nx = 1  # isolint: ignore[b-c] why\ns = '# isolint: ignore[no]'\n");
    let found: Vec<_> = facts.ignores.iter().map(|ignore| (ignore.scope, ignore.own_line, &*ignore.rules[0].0)).collect();
    assert_eq!(found, [(IgnoreScope::File, true, "a"), (IgnoreScope::Line, false, "b-c")]);
}

#[test]
fn what_is_sound_around_an_error_is_lowered() {
    let facts = lower_text("import os\ndef f():\n    os.remove('a')\n\nx = = 3\n\ndef g():\n    os.mkdir('b')\n");
    assert!(gaps(&facts, Why::Syntax) > 0);
    assert_eq!((calls(&facts), facts.units.len()), (2, 3));
    // The grammar cannot read the dedent in the brackets; what it then hangs on the module must not run at import.
    let torn = lower_text("def f():\n    if (a and\nb()):\n        c()\n    x = d(1,\n 2)\ndef g():\n    e()\n");
    assert!(gaps(&torn, Why::Syntax) > 0);
    assert_eq!(torn.units[0].body.iter().filter(|step| matches!(step, Step::Op(op) if is_call(&torn, *op))).count(), 0);
    let many = lower_text(&"x = = 1 )\n".repeat(200));
    assert!(gaps(&many, Why::Syntax) <= 32);
}

#[test]
fn lone_carriage_returns_end_lines() {
    let facts = lower_text("# note\rimport os\ros.remove('a')\r");
    assert_eq!((facts.imports.len(), calls(&facts), facts.gaps.len()), (1, 1, 0));
}

#[test]
fn depth_is_bounded() {
    let deep = |open: &str, inner: &str, close: &str, n: usize| open.repeat(n) + inner + &close.repeat(n);
    // Grouping alone is no depth.
    assert_eq!(calls(&lower_text(&deep("(", "f()", ")", 100_000))), 1);
    for text in [
        deep("f(", "1", ")", 5_000),
        deep("[", "1", "]", 100_000),
        deep("not ", "x", "", 50_000),
        deep("lambda: ", "x", "", 5_000),
        deep("x if y else ", "z", "", 5_000),
        "x = ".to_owned() + &deep("{1: ", "1", "}", 5_000),
    ] {
        let facts = lower_text(&text);
        assert!(gaps(&facts, Why::Depth) > 0, "{}", &text[..20]);
    }
    let mut nested = String::new();
    for depth in 0..300 {
        nested += &format!("{}if a:\n", " ".repeat(depth));
    }
    assert!(gaps(&lower_text(&(nested + &" ".repeat(300) + "b()\n")), Why::Depth) > 0);
}

#[test]
fn long_chains_are_no_depth() {
    let chain = "a".to_owned() + &".b()".repeat(40_000);
    let facts = lower_text(&chain);
    assert_eq!((calls(&facts), facts.gaps.len()), (40_000, 0));
    let sum = "x = f()".to_owned() + &" + f()".repeat(40_000);
    assert_eq!(calls(&lower_text(&sum)), 40_001);
    let either = "x = f()".to_owned() + &" or f()".repeat(5_000);
    assert_eq!(calls(&lower_text(&either)), 5_001);
    let arms = "if a: f()\n".to_owned() + &"elif a: f()\n".repeat(5_000);
    let facts = lower_text(&arms);
    assert_eq!(calls(&facts), 5_001);
    assert!(depth(&facts.units[0].body) <= 201);
}

/// How deep blocks nest; by hand, so that it cannot overflow itself.
fn depth(block: &[Step]) -> usize {
    let mut open = vec![(block, 1)];
    let mut most = 0;
    while let Some((block, depth)) = open.pop() {
        most = most.max(depth);
        for step in block {
            if let Step::If { then, other, .. } = step {
                open.extend([(then.as_slice(), depth + 1), (other.as_slice(), depth + 1)]);
            }
        }
    }
    most
}

#[test]
fn cut_and_mangled_text_does_not_panic() {
    let text = include_str!("../../testdata/syntax/every_construct.py");
    let whole = lower_text(text);
    assert_eq!(whole.gaps, []);
    for (at, _) in text.char_indices().step_by(17) {
        lower_text(&text[..at]);
        lower_text(&text[at..]);
    }
    for (from, to) in
        [("(", ""), (":", ""), ("\n", ""), ("\"", ""), ("{", "}"), (" ", "\t"), ("a", "é"), ("\n", "\r"), ("\n", "\0")]
    {
        lower_text(&text.replace(from, to));
    }
}
