//! The syntax tree of one file, flattened: one pass over tree-sitter's tree with one cursor, then plain indices.
//!
//! Lowering asks for children and fields again and again; in tree-sitter's own tree each of these questions is a linear search
//! through hidden nodes. The flat copy answers them by following `next` links, costs 20 bytes a node, and knows no recursion.

use crate::facts::{Ignore, Why};
use crate::text::Span;
use std::borrow::Cow;
use std::sync::OnceLock;
use tree_sitter::{Node, Parser, Tree};

/// What a node is: a named node of the grammar, or one of the few tokens that carry meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    ArgumentList,
    AsPattern,
    Assert,
    Assignment,
    Attribute,
    AugmentedAssignment,
    Await,
    Binary,
    Block,
    Boolean,
    Break,
    Call,
    CaseClause,
    CasePattern,
    Chevron,
    Class,
    ClassPattern,
    Comment,
    Comparison,
    ComplexPattern,
    Concatenated,
    Conditional,
    ConstrainedType,
    Continue,
    Decorated,
    Decorator,
    DefaultParameter,
    Delete,
    DictPattern,
    Dictionary,
    DictionaryComprehension,
    DictionarySplat,
    DottedName,
    Elif,
    Else,
    Error,
    Except,
    Exec,
    ExpressionList,
    ExpressionStatement,
    False,
    Finally,
    Float,
    For,
    ForIn,
    FormatExpression,
    FormatSpecifier,
    Function,
    FutureImport,
    Generator,
    GenericType,
    Global,
    Identifier,
    If,
    IfClause,
    Import,
    ImportAlias,
    ImportFrom,
    ImportPrefix,
    Integer,
    Interpolation,
    KeywordArgument,
    KeywordPattern,
    KeywordSeparator,
    Lambda,
    List,
    ListComprehension,
    ListPattern,
    ListSplat,
    Match,
    MemberType,
    Module,
    None,
    Nonlocal,
    Not,
    Other,
    Pair,
    Parenthesized,
    Pass,
    PatternList,
    PositionalSeparator,
    Print,
    Raise,
    RelativeImport,
    Return,
    Set,
    SetComprehension,
    Slice,
    SplatPattern,
    SplatType,
    String,
    StringContent,
    StringEnd,
    StringStart,
    Subscript,
    True,
    Try,
    Tuple,
    TuplePattern,
    Type,
    TypeAlias,
    TypeParameter,
    TypedDefaultParameter,
    TypedParameter,
    Unary,
    UnionPattern,
    UnionType,
    Walrus,
    While,
    Wildcard,
    With,
    WithClause,
    WithItem,
    Yield,
    // Tokens from here on.
    AsyncToken,
    EqualToken,
    FromToken,
    MinusToken,
    /// Any operator.
    OperatorToken,
}

impl Kind {
    pub(super) fn is_token(self) -> bool {
        self as u8 >= Kind::AsyncToken as u8
    }
}

const NAMED: &[(&str, Kind)] = &[
    ("ERROR", Kind::Error),
    ("aliased_import", Kind::ImportAlias),
    ("argument_list", Kind::ArgumentList),
    ("as_pattern", Kind::AsPattern),
    ("assert_statement", Kind::Assert),
    ("assignment", Kind::Assignment),
    ("attribute", Kind::Attribute),
    ("augmented_assignment", Kind::AugmentedAssignment),
    ("await", Kind::Await),
    ("binary_operator", Kind::Binary),
    ("block", Kind::Block),
    ("boolean_operator", Kind::Boolean),
    ("break_statement", Kind::Break),
    ("call", Kind::Call),
    ("case_clause", Kind::CaseClause),
    ("case_pattern", Kind::CasePattern),
    ("chevron", Kind::Chevron),
    ("class_definition", Kind::Class),
    ("class_pattern", Kind::ClassPattern),
    ("comment", Kind::Comment),
    ("comparison_operator", Kind::Comparison),
    ("complex_pattern", Kind::ComplexPattern),
    ("concatenated_string", Kind::Concatenated),
    ("conditional_expression", Kind::Conditional),
    ("constrained_type", Kind::ConstrainedType),
    ("continue_statement", Kind::Continue),
    ("decorated_definition", Kind::Decorated),
    ("decorator", Kind::Decorator),
    ("default_parameter", Kind::DefaultParameter),
    ("delete_statement", Kind::Delete),
    ("dict_pattern", Kind::DictPattern),
    ("dictionary", Kind::Dictionary),
    ("dictionary_comprehension", Kind::DictionaryComprehension),
    ("dictionary_splat", Kind::DictionarySplat),
    ("dictionary_splat_pattern", Kind::DictionarySplat),
    ("dotted_name", Kind::DottedName),
    ("elif_clause", Kind::Elif),
    ("else_clause", Kind::Else),
    ("except_clause", Kind::Except),
    ("exec_statement", Kind::Exec),
    ("expression_list", Kind::ExpressionList),
    ("expression_statement", Kind::ExpressionStatement),
    ("false", Kind::False),
    ("finally_clause", Kind::Finally),
    ("float", Kind::Float),
    ("for_in_clause", Kind::ForIn),
    ("for_statement", Kind::For),
    ("format_expression", Kind::FormatExpression),
    ("format_specifier", Kind::FormatSpecifier),
    ("function_definition", Kind::Function),
    ("future_import_statement", Kind::FutureImport),
    ("generator_expression", Kind::Generator),
    ("generic_type", Kind::GenericType),
    ("global_statement", Kind::Global),
    ("identifier", Kind::Identifier),
    ("if_clause", Kind::IfClause),
    ("if_statement", Kind::If),
    ("import_from_statement", Kind::ImportFrom),
    ("import_prefix", Kind::ImportPrefix),
    ("import_statement", Kind::Import),
    ("integer", Kind::Integer),
    ("interpolation", Kind::Interpolation),
    ("keyword_argument", Kind::KeywordArgument),
    ("keyword_pattern", Kind::KeywordPattern),
    ("keyword_separator", Kind::KeywordSeparator),
    ("lambda", Kind::Lambda),
    ("line_continuation", Kind::Comment),
    ("list", Kind::List),
    ("list_comprehension", Kind::ListComprehension),
    ("list_pattern", Kind::ListPattern),
    ("list_splat", Kind::ListSplat),
    ("list_splat_pattern", Kind::ListSplat),
    ("match_statement", Kind::Match),
    ("member_type", Kind::MemberType),
    ("module", Kind::Module),
    ("named_expression", Kind::Walrus),
    ("none", Kind::None),
    ("nonlocal_statement", Kind::Nonlocal),
    ("not_operator", Kind::Not),
    ("pair", Kind::Pair),
    ("parenthesized_expression", Kind::Parenthesized),
    ("pass_statement", Kind::Pass),
    ("pattern_list", Kind::PatternList),
    ("positional_separator", Kind::PositionalSeparator),
    ("print_statement", Kind::Print),
    ("raise_statement", Kind::Raise),
    ("relative_import", Kind::RelativeImport),
    ("return_statement", Kind::Return),
    ("set", Kind::Set),
    ("set_comprehension", Kind::SetComprehension),
    ("slice", Kind::Slice),
    ("splat_pattern", Kind::SplatPattern),
    ("splat_type", Kind::SplatType),
    ("string", Kind::String),
    ("string_content", Kind::StringContent),
    ("string_end", Kind::StringEnd),
    ("string_start", Kind::StringStart),
    ("subscript", Kind::Subscript),
    ("true", Kind::True),
    ("try_statement", Kind::Try),
    ("tuple", Kind::Tuple),
    ("tuple_pattern", Kind::TuplePattern),
    ("type", Kind::Type),
    ("type_alias_statement", Kind::TypeAlias),
    ("type_parameter", Kind::TypeParameter),
    ("typed_default_parameter", Kind::TypedDefaultParameter),
    ("typed_parameter", Kind::TypedParameter),
    ("unary_operator", Kind::Unary),
    ("union_pattern", Kind::UnionPattern),
    ("union_type", Kind::UnionType),
    ("while_statement", Kind::While),
    ("wildcard_import", Kind::Wildcard),
    ("with_clause", Kind::WithClause),
    ("with_item", Kind::WithItem),
    ("with_statement", Kind::With),
    ("yield", Kind::Yield),
];

const TOKENS: &[(&str, Kind)] =
    &[("async", Kind::AsyncToken), ("=", Kind::EqualToken), ("from", Kind::FromToken), ("-", Kind::MinusToken)];

/// The role of a node in its parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    None,
    Alias,
    Alternative,
    Argument,
    Arguments,
    Attribute,
    Body,
    Cause,
    Condition,
    Consequence,
    Definition,
    Expression,
    FormatSpecifier,
    Function,
    Guard,
    Key,
    Left,
    ModuleName,
    Name,
    Object,
    Operator,
    Parameters,
    ReturnType,
    Right,
    Subject,
    Subscript,
    Superclasses,
    Type,
    TypeParameters,
    Value,
}

const FIELDS: &[(&str, Field)] = &[
    ("alias", Field::Alias),
    ("alternative", Field::Alternative),
    ("argument", Field::Argument),
    ("arguments", Field::Arguments),
    ("attribute", Field::Attribute),
    ("body", Field::Body),
    ("cause", Field::Cause),
    ("condition", Field::Condition),
    ("consequence", Field::Consequence),
    ("definition", Field::Definition),
    ("expression", Field::Expression),
    ("format_specifier", Field::FormatSpecifier),
    ("function", Field::Function),
    ("guard", Field::Guard),
    ("key", Field::Key),
    ("left", Field::Left),
    ("module_name", Field::ModuleName),
    ("name", Field::Name),
    ("object", Field::Object),
    ("operator", Field::Operator),
    ("operators", Field::Operator),
    ("parameters", Field::Parameters),
    ("return_type", Field::ReturnType),
    ("right", Field::Right),
    ("subject", Field::Subject),
    ("subscript", Field::Subscript),
    ("superclasses", Field::Superclasses),
    ("type", Field::Type),
    ("type_parameters", Field::TypeParameters),
    ("value", Field::Value),
];

/// The grammar's numbers in our words.
struct Grammar {
    /// By kind id.
    kinds: Vec<Option<Kind>>,
    /// By field id.
    fields: Vec<Field>,
}

fn grammar() -> &'static Grammar {
    static GRAMMAR: OnceLock<Grammar> = OnceLock::new();
    GRAMMAR.get_or_init(|| {
        let language = tree_sitter::Language::from(tree_sitter_python::LANGUAGE);
        let find = |names: &[(&str, Kind)], name: &str| names.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        // Several ids share one name: each alias has its own.
        let kinds = (0..language.node_kind_count()).map(|id| {
            let id = id as u16;
            let name = language.node_kind_for_id(id)?;
            match language.node_kind_is_named(id) {
                true => Some(find(NAMED, name).unwrap_or(Kind::Other)),
                false => find(TOKENS, name),
            }
        });
        let fields = (0..=language.field_count()).map(|id| {
            let name = language.field_name_for_id(id as u16);
            FIELDS.iter().find(|(known, _)| Some(*known) == name).map_or(Field::None, |(_, field)| *field)
        });
        Grammar { kinds: kinds.collect(), fields: fields.collect() }
    })
}

/// A node of [`Syntax`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct N(u32);

struct Flat {
    kind: Kind,
    field: Field,
    start: u32,
    end: u32,
    /// First child and next sibling; 0, which is the root, stands for none.
    first: u32,
    next: u32,
}

/// A file's syntax without comments and punctuation.
pub(super) struct Syntax {
    nodes: Vec<Flat>,
    /// The ignore comments.
    pub(super) ignores: Vec<Ignore>,
    /// What did not parse: the outermost faulty nodes, at most [`Syntax::GAPS`].
    pub(super) gaps: Vec<(Span, Why)>,
}

impl Syntax {
    /// How many gaps of one kind a file reports; a file with more is not Python.
    pub(super) const GAPS: usize = 32;

    pub(super) const ROOT: N = N(0);

    pub(super) fn parse(text: &str) -> Syntax {
        let mut syntax = Syntax { nodes: Vec::new(), ignores: Vec::new(), gaps: Vec::new() };
        syntax.push(Kind::Module, Field::None, 0, text.len());
        match tree(text) {
            Some(tree) => syntax.flatten(&tree, text),
            None => syntax.gaps.push((Span::new(0, text.len()), Why::Syntax)),
        }
        syntax
    }

    fn push(&mut self, kind: Kind, field: Field, start: usize, end: usize) -> u32 {
        self.nodes.push(Flat { kind, field, start: start as u32, end: end as u32, first: 0, next: 0 });
        self.nodes.len() as u32 - 1
    }

    fn flatten(&mut self, tree: &Tree, text: &str) {
        let grammar = grammar();
        let marked = text.contains("isolint:");
        let mut cursor = tree.walk();
        let faulty = cursor.node().has_error();
        // The open nodes: each with its last child so far.
        let mut open: Vec<(u32, u32)> = vec![(0, 0)];
        // How many nodes were open when a faulty one was entered.
        let mut fault: Option<usize> = None;
        if cursor.node().is_error() {
            self.fault(cursor.node());
            fault = Some(0);
        }
        if !cursor.goto_first_child() {
            return;
        }
        loop {
            let node = cursor.node();
            if faulty && fault.is_none() && (node.is_error() || node.is_missing()) {
                self.fault(node);
                fault = Some(open.len());
            }
            let kind = match grammar.kinds.get(node.kind_id() as usize) {
                Some(kind) => *kind,
                None => Some(Kind::Error),
            };
            let mut entered = false;
            if kind == Some(Kind::Comment) {
                if marked {
                    self.comment(node, text);
                }
            } else {
                let field = cursor
                    .field_id()
                    .map_or(Field::None, |id| grammar.fields.get(id.get() as usize).copied().unwrap_or(Field::None));
                let kind = if field == Field::Operator { Some(Kind::OperatorToken) } else { kind };
                if let Some(kind) = kind {
                    let at = self.push(kind, field, node.start_byte(), node.end_byte());
                    if let Some((parent, last)) = open.last_mut() {
                        match *last {
                            0 => self.nodes[*parent as usize].first = at,
                            before => self.nodes[before as usize].next = at,
                        }
                        *last = at;
                    }
                    let leaf = kind.is_token() || kind == Kind::StringContent || kind == Kind::Identifier;
                    if !leaf && cursor.goto_first_child() {
                        open.push((at, 0));
                        entered = true;
                    }
                }
            }
            if entered {
                continue;
            }
            loop {
                if fault == Some(open.len()) {
                    fault = None;
                }
                if cursor.goto_next_sibling() {
                    break;
                }
                open.pop();
                if open.is_empty() || !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    fn fault(&mut self, node: Node) {
        if self.gaps.len() < Self::GAPS {
            self.gaps.push((Span::new(node.start_byte(), node.end_byte()), Why::Syntax));
        }
    }

    fn comment(&mut self, node: Node, text: &str) {
        let Some(comment) = text.get(node.byte_range()) else { return };
        let comment = comment.trim_end_matches(['\r', '\n']);
        let before = text.get(..node.start_byte()).unwrap_or_default();
        let own_line = before.rsplit(['\n', '\r']).next().unwrap_or_default().trim().is_empty();
        self.ignores.extend(Ignore::parse(comment, node.start_byte() as u32, own_line));
    }

    pub(super) fn kind(&self, n: N) -> Kind {
        self.nodes[n.0 as usize].kind
    }

    pub(super) fn in_role(&self, n: N, field: Field) -> bool {
        self.nodes[n.0 as usize].field == field
    }

    pub(super) fn span(&self, n: N) -> Span {
        let node = &self.nodes[n.0 as usize];
        Span { start: node.start, end: node.end }
    }

    /// All children, tokens too.
    pub(super) fn all(&self, n: N) -> impl Iterator<Item = N> + '_ {
        let link = |at: u32| (at != 0).then_some(N(at));
        std::iter::successors(link(self.nodes[n.0 as usize].first), move |n| link(self.nodes[n.0 as usize].next))
    }

    /// The children that are not tokens.
    pub(super) fn children(&self, n: N) -> impl Iterator<Item = N> + '_ {
        self.all(n).filter(|n| !self.kind(*n).is_token())
    }

    pub(super) fn first(&self, n: N) -> Option<N> {
        self.children(n).next()
    }

    pub(super) fn child(&self, n: N, kind: Kind) -> Option<N> {
        self.all(n).find(|n| self.kind(*n) == kind)
    }

    pub(super) fn field(&self, n: N, field: Field) -> Option<N> {
        self.all(n).find(|n| self.in_role(*n, field))
    }

    pub(super) fn fields(&self, n: N, field: Field) -> impl Iterator<Item = N> + '_ {
        self.all(n).filter(move |n| self.in_role(*n, field))
    }
}

fn tree(text: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    parser.parse(readable(text).as_ref(), None)
}

/// How many lines in a row may hold nothing but a line continuation. The grammar's scanner reads to the end of such a run at
/// each of its lines.
const CONTINUATIONS: usize = 32;

/// How many comments in a row may stand on lines of their own. The grammar's scanner reads to the end of such a run at each of them.
const COMMENTS: usize = 64;

/// The text as the grammar can read it, with every byte in its place: a lone carriage return, which ends a line in Python, is a
/// line feed, and the line continuations and comments of a long run are blanks.
fn readable(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut patches: Vec<(usize, Cow<str>)> = Vec::new();
    let (mut run, mut since) = (0, 0);
    for at in memchr::memchr2_iter(b'\r', b'\\', bytes) {
        if bytes[at] == b'\r' {
            if bytes.get(at + 1) != Some(&b'\n') {
                patches.push((at, "\n".into()));
            }
            continue;
        }
        let end = match bytes.get(at + 1..) {
            Some([b'\n', ..]) => "  ",
            Some([b'\r', b'\n', ..]) => "   ",
            _ => continue,
        };
        let blank = bytes.get(since..at).is_some_and(|between| between.iter().all(u8::is_ascii_whitespace));
        run = if blank { run + 1 } else { 0 };
        since = at + end.len();
        if run > CONTINUATIONS {
            patches.push((at, end.into()));
        }
    }
    if memchr::memchr_iter(b'#', bytes).nth(COMMENTS).is_some() {
        let blanks = long_runs(bytes).into_iter().map(|(start, end)| (start, " ".repeat(end - start).into()));
        patches.extend(blanks);
        // Nothing but a comment holds what stands in it.
        patches.sort_by_key(|(at, _)| *at);
    }
    if patches.is_empty() {
        return text.into();
    }
    let mut patched = String::with_capacity(text.len());
    for (at, with) in patches {
        if at >= patched.len() {
            patched.push_str(text.get(patched.len()..at).unwrap_or_default());
            patched.push_str(&with);
        }
    }
    patched.push_str(text.get(patched.len()..).unwrap_or_default());
    patched.into()
}

/// The comments of long runs, but the first of each run, which says where a block ends, and those that speak to us. What looks like a
/// comment in a string is none.
fn long_runs(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut run: Vec<(usize, usize)> = Vec::new();
    let mut keep = |run: &mut Vec<(usize, usize)>| {
        if run.len() > COMMENTS {
            let quiet = |(start, end): &&(usize, usize)| memchr::memmem::find(&bytes[*start..*end], b"isolint:").is_none();
            found.extend(run.iter().skip(1).filter(quiet));
        }
        run.clear();
    };
    let line_end = |at: usize| memchr::memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |more| at + more);
    let (mut at, mut alone) = (0, true);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\n' | b'\r' => alone = true,
            b' ' | b'\t' | b'\x0c' => {}
            b'#' => {
                let end = line_end(at);
                if alone {
                    run.push((at, end));
                }
                at = end;
                continue;
            }
            quote @ (b'"' | b'\'') => {
                keep(&mut run);
                alone = false;
                at = string_end(bytes, at, *quote);
                continue;
            }
            _ => {
                keep(&mut run);
                alone = false;
            }
        }
        at += 1;
    }
    keep(&mut run);
    found
}

/// Where the string literal ends that begins with a quote at `at`.
fn string_end(bytes: &[u8], at: usize, quote: u8) -> usize {
    let triple = bytes.get(at..at + 3).is_some_and(|three| three == [quote; 3]);
    let mut at = at + if triple { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' | b'\r' if !triple => return at,
            byte if *byte == quote && !triple => return at + 1,
            byte if *byte == quote && bytes.get(at..at + 3).is_some_and(|three| three == [quote; 3]) => return at + 3,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_keeps_its_place() {
        assert!(matches!(readable("a\r\nb \\\n c"), Cow::Borrowed(_)));
        assert_eq!(readable("é\rb\r\nc\r\r"), "é\nb\r\nc\n\n");
        let long = "x = 1 + \\\n".to_owned() + &" \\\r\n".repeat(1_000) + "2 \\\n + 3\n";
        let read = readable(&long);
        assert_eq!(read.len(), long.len());
        assert!(read.matches('\\').count() <= CONTINUATIONS + 2);
        assert!(read.starts_with("x = 1 + \\\n") && read.ends_with("2 \\\n + 3\n"));
        assert_eq!(Syntax::parse(&long).gaps, []);
    }

    #[test]
    fn a_long_run_of_comments_costs_no_more_than_its_length() {
        let comments = "    # don't \"é\\\n\n".repeat(5_000);
        let text = format!("def f():\n    x = 1\n{comments}    # isolint: ignore[mktemp] -- why\n    y = 2\n\n\nz = 3\n");
        let read = readable(&text);
        assert_eq!((read.len(), read.matches('#').count()), (text.len(), 2));
        let start = std::time::Instant::now();
        let syntax = Syntax::parse(&text);
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
        assert_eq!((syntax.gaps.len(), syntax.ignores.len()), (0, 1));
        assert_eq!(syntax.children(Syntax::ROOT).count(), 2);
    }

    #[test]
    fn no_comment_stands_in_a_string() {
        let text = format!("x = \'\'\'\n{}\'\'\'\ny = \"\\\"#\"\n{}", "# no comment\n".repeat(500), "# one\n".repeat(500));
        let read = readable(&text);
        assert_eq!((read.matches("# no comment").count(), read.matches("# one").count()), (500, 1));
        assert_eq!(readable(&"# one\n".repeat(COMMENTS)), "# one\n".repeat(COMMENTS));
    }
}
