//! Where a path comes from: a root, segments, and what separates two instances of it (docs/architecture.md).

use super::term::{Mix, Piece, Site, Term, UnitRef, pieces};
use crate::calls::Discriminator;
use std::fmt::Write;
use std::sync::Arc;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Root {
    /// An absolute path.
    Abs,
    /// The system's directory for temporary files.
    Temp,
    /// The working directory that the process was started in.
    Cwd,
    /// That directory, asked for by name: a later move does not change what was answered.
    Start,
    Home,
    /// The project's own folder: `__file__` and the crate's directory are below it.
    Project,
    /// A new object with a name that nobody else has.
    Fresh(Fresh),
    /// Shared by all workers of one run.
    Run,
    /// A setting from outside: the directory that an environment variable names.
    Setting(Arc<str>),
    /// Below a value that is not known, or not known yet.
    Of(Term),
    /// No path: something else that has a name, of this kind. The segments are the name.
    State(Realm),
}

/// What can be shared, and is no file: one name in a realm is one thing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Realm {
    /// The environment of the process. One segment: a variable's name; none: all of it.
    Environment,
    /// The working directory of the process. No segment.
    WorkingDirectory,
    /// A variable of a module or class of the project, and what it holds: `owner.name`, `owner.name.field`, `owner.name[key]`.
    Variable(Holder),
    /// What a library keeps for the whole process, by its dotted name: `sys.path`, `locale`, `random`. Segments: fields or keys of it.
    Library(Arc<str>),
    /// A network port of the host. One segment: its number.
    Port,
    /// Something of this kind that a service or the host keeps under a name: `database`, `bucket`, `container`.
    Named(Arc<str>),
}

/// The module or class that a variable belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Holder {
    pub unit: UnitRef,
    /// Its dotted name, for messages.
    pub name: Arc<str>,
}

/// Before the name of what `from x import *` of some library brings: which one it is is not known.
pub(super) const STARRED: &str = "*.";

impl Realm {
    /// Whether this is a variable of the project, or one that a library brings under a bare name.
    pub fn is_variable(&self) -> bool {
        matches!(self, Realm::Variable(_)) || matches!(self, Realm::Library(_)) && !self.is_of_library()
    }

    /// Whether this is what a library of a known name keeps.
    pub fn is_of_library(&self) -> bool {
        matches!(self, Realm::Library(name) if !name.starts_with(STARRED))
    }

    /// Whether each process has one of its own.
    pub fn is_of_process(&self) -> bool {
        !matches!(self, Realm::Port | Realm::Named(_))
    }

    fn word(&self) -> String {
        match self {
            Realm::Environment => "environment".to_owned(),
            Realm::WorkingDirectory => "working directory".to_owned(),
            Realm::Variable(holder) => format!("variable {:?}", holder.unit),
            Realm::Library(name) => format!("library {name}"),
            Realm::Port => "port".to_owned(),
            Realm::Named(kind) => format!("named {kind}"),
        }
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fresh {
    pub site: Option<Site>,
    pub via: u64,
    pub kind: FreshKind,
    /// Made in the system's directory for temporary files, and in no folder of the caller's choice.
    pub in_temp: bool,
}

impl Fresh {
    /// The folder that one instance of a test has for itself.
    pub fn of_test() -> Fresh {
        Fresh { site: None, via: 0, kind: FreshKind::Test, in_temp: false }
    }

    /// The folder that one process of a run has for itself.
    pub fn of_process() -> Fresh {
        Fresh { kind: FreshKind::Session, ..Fresh::of_test() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FreshKind {
    /// Made by a call, alive as long as its owner.
    Object,
    /// A name, chosen and not reserved.
    Name,
    /// Private to one instance of a test: `tmp_path`.
    Test,
    /// Private to one process of a run, and inside the folder of that run: `tmp_path_factory.getbasetemp()`.
    Session,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    pub root: Root,
    pub segments: Vec<Vec<Piece>>,
}

/// Segments kept of one path; a longer one is unknown.
const SEGMENTS: usize = 24;

/// Devices, which no test makes or changes (Microsoft Learn, "Naming Files, Paths, and Namespaces"; "Console Handles"; Linux manual pages,
/// section 4).
const DEVICES: &[&str] =
    &["nul", "con", "conin$", "conout$", "/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/random", "/dev/urandom"];

fn is_device(text: &str) -> bool {
    let at = text.rfind(['/', '\\']).filter(|_| text.starts_with(r"\\.\"));
    let name = at.map_or(text, |at| &text[at + 1..]);
    DEVICES.iter().any(|device| device.eq_ignore_ascii_case(name))
        || ["/dev/std", "/dev/fd/"].iter().any(|start| text.starts_with(start))
}

const TEMP_PREFIXES: &[&str] = &["/tmp", "/var/tmp", "/private/tmp", "/dev/shm"];

impl Place {
    pub fn root(root: Root) -> Place {
        Place { root, segments: Vec::new() }
    }

    /// The path that a term means, where it means one.
    pub fn of(term: &Term) -> Option<Place> {
        match term {
            Term::Path(place) => Some((**place).clone()),
            Term::Text(parts) => Place::from_pieces(parts),
            Term::Setting(name) => Some(Place::root(Root::Setting(name.clone()))),
            Term::Handle(inner) | Term::Typed(_, inner) => Place::of(inner),
            Term::Param(_)
            | Term::Captured(_)
            | Term::Call(_)
            | Term::Field(..)
            | Term::Opaque(_)
            | Term::Item(..)
            | Term::Derived(_) => Some(Place::root(Root::Of(term.clone()))),
            _ => None,
        }
    }

    fn from_pieces(parts: &[Piece]) -> Option<Place> {
        let mut parts = parts.iter().cloned().peekable();
        let mut place = match parts.peek()? {
            // Another machine's, or in memory: `s3://bucket/key`.
            Piece::Lit(text) if text.contains("://") && !text.starts_with("file://") => return None,
            // SQLite's names for databases in memory, and its URIs (SQLite documentation, "In-Memory Databases").
            Piece::Lit(text) if &**text == ":memory:" || text.starts_with("file:") => return None,
            Piece::Lit(text) if is_device(text) => return None,
            Piece::Lit(text) => {
                if let Some(rest) = text.strip_prefix("~/").or((&**text == "~").then_some("")) {
                    let rest: Arc<str> = rest.into();
                    parts.next();
                    let mut place = Place::root(Root::Home);
                    place.push_text(&rest);
                    place
                } else if is_absolute(text) {
                    Place::root(Root::Abs)
                } else {
                    Place::root(Root::Cwd)
                }
            }
            Piece::Hole(term) => {
                // `f"{folder}/name"` is below the folder; `f"{word}.txt"` is a name in the working directory, unless the word may
                // be a path itself.
                let base = Place::of(term)?;
                parts.next();
                match parts.peek() {
                    Some(Piece::Lit(text)) if !text.starts_with(['/', '\\']) => {
                        let mut place = base;
                        place.append_to_last(&mut parts);
                        return place.settled();
                    }
                    Some(Piece::Hole(_)) => {
                        let mut place = base;
                        place.append_to_last(&mut parts);
                        return place.settled();
                    }
                    _ => base,
                }
            }
        };
        for piece in parts {
            match piece {
                Piece::Lit(text) => place.push_text_joined(&text),
                Piece::Hole(term) => place.last_mut().push(Piece::Hole(term)),
            }
        }
        place.settled()
    }

    /// Adds pieces to the end of the last segment (`path + ".tmp"`), splitting at separators.
    fn append_to_last(&mut self, parts: &mut dyn Iterator<Item = Piece>) {
        if self.segments.is_empty() {
            self.segments.push(vec![Piece::Hole(Term::text(""))]);
        }
        for piece in parts {
            match piece {
                Piece::Lit(text) => self.push_text_joined(&text),
                Piece::Hole(term) => self.last_mut().push(Piece::Hole(term)),
            }
        }
    }

    fn last_mut(&mut self) -> &mut Vec<Piece> {
        if self.segments.is_empty() {
            self.segments.push(Vec::new());
        }
        let last = self.segments.len() - 1;
        &mut self.segments[last]
    }

    /// Adds text whose first part continues the last segment.
    fn push_text_joined(&mut self, text: &str) {
        let mut first = true;
        for part in text.split(['/', '\\']) {
            if first {
                first = false;
                if !part.is_empty() {
                    let last = self.last_mut();
                    match last.last_mut() {
                        Some(Piece::Lit(old)) => *old = format!("{old}{part}").into(),
                        _ => last.push(Piece::Lit(part.into())),
                    }
                }
            } else {
                self.segments.push(if part.is_empty() { Vec::new() } else { vec![Piece::Lit(part.into())] });
            }
        }
    }

    /// Adds the segments of a relative literal.
    fn push_text(&mut self, text: &str) {
        for part in text.split(['/', '\\']).filter(|part| !part.is_empty()) {
            self.segments.push(vec![Piece::Lit(part.into())]);
        }
    }

    /// Takes out empty and `.` segments, resolves `..`, and gives well-known roots their names.
    fn settled(mut self) -> Option<Place> {
        let mut out: Vec<Vec<Piece>> = Vec::new();
        for segment in self.segments {
            match segment.as_slice() {
                [] => {}
                [Piece::Lit(one)] if &**one == "." || one.is_empty() => {}
                [Piece::Lit(one)] if &**one == ".." => match out.last().map(Vec::as_slice) {
                    // What a relative path climbs over is known once the directory is.
                    None if self.root == Root::Cwd => out.push(segment),
                    Some([Piece::Lit(last)]) if &**last == ".." => out.push(segment),
                    None => return None,
                    Some(_) => {
                        out.pop();
                    }
                },
                _ => out.push(segment),
            }
        }
        if out.len() > SEGMENTS {
            return None;
        }
        if self.root == Root::Abs {
            let literal: String = out.iter().map_while(|s| lit(s)).take(2).fold(String::new(), |text, part| text + "/" + part);
            for prefix in TEMP_PREFIXES {
                if literal == *prefix || literal.starts_with(&format!("{prefix}/")) {
                    out.drain(..prefix.matches('/').count());
                    self.root = Root::Temp;
                    break;
                }
            }
        }
        self.segments = out;
        Some(self)
    }

    /// The place without the `..` that lead up from a directory that is known by now; none where they leave all that is known.
    pub(super) fn climbed(self) -> Option<Place> {
        let dots = |segment: &Vec<Piece>| matches!(segment.as_slice(), [Piece::Lit(one)] if &**one == "..");
        if self.segments.iter().any(dots) { self.settled() } else { Some(self) }
    }

    /// `self / other`, where an absolute `other` takes the place of `self`.
    pub fn join(&self, other: &Term) -> Option<Place> {
        let right = Place::of(other)?;
        match right.root {
            Root::Cwd => {
                let mut place = self.clone();
                place.segments.extend(right.segments);
                // `base / "../x"`
                place.settled()
            }
            // A value that is not known may be a name below us: it becomes a segment.
            Root::Of(ref base) if !matches!(other, Term::Path(_)) || right.segments.is_empty() => {
                let mut place = self.clone();
                let mut first = vec![Piece::Hole(base.clone())];
                let mut rest = right.segments.into_iter();
                if let Some(segment) = rest.next() {
                    if let Some(Piece::Hole(Term::Text(empty))) = segment.first()
                        && (empty.is_empty() || matches!(&**empty, [Piece::Lit(text)] if text.is_empty()))
                    {
                        first.extend(segment.into_iter().skip(1));
                        place.segments.push(first);
                        place.segments.extend(rest);
                        return place.settled();
                    }
                    place.segments.push(first);
                    place.segments.push(segment);
                    place.segments.extend(rest);
                    return place.settled();
                }
                place.segments.push(first);
                place.settled()
            }
            _ => Some(right),
        }
    }

    /// Whether this is no path, but the name of something else.
    pub fn is_state(&self) -> bool {
        matches!(self.root, Root::State(_))
    }

    /// Below a new object that nobody else has; a name that is only chosen is not one.
    pub fn is_private(&self) -> bool {
        matches!(&self.root, Root::Fresh(fresh) if fresh.kind != FreshKind::Name)
    }

    /// In the system's directory for temporary files, which is a file system of its own on many hosts.
    pub fn is_in_temp(&self) -> bool {
        match &self.root {
            Root::Temp => true,
            Root::Fresh(fresh) => fresh.in_temp,
            _ => false,
        }
    }

    pub fn child(&self, piece: Piece) -> Place {
        let mut place = self.clone();
        place.segments.push(vec![piece]);
        place
    }

    pub fn parent(&self) -> Option<Place> {
        let mut place = self.clone();
        match place.segments.pop() {
            // A part that is not known may hold separators: its parent is the same for the same path, and no more is known.
            Some(last) if last.iter().any(|piece| !piece.is_settled()) && last.len() == 1 => {
                Some(Place::root(Root::Of(Term::field(Term::Path(Arc::new(self.clone())), "<parent>"))))
            }
            Some(_) => Some(place),
            None => match &place.root {
                Root::Of(base) => Some(Place::root(Root::Of(Term::field(base.clone(), "<parent>")))),
                // The directory of one worker lies in that of the run (pytest-xdist documentation, "How-tos").
                Root::Fresh(fresh) if fresh.kind == FreshKind::Session => Some(Place::root(Root::Run)),
                Root::Cwd
                | Root::Start
                | Root::Fresh(_)
                | Root::Home
                | Root::Temp
                | Root::Project
                | Root::Run
                | Root::Setting(_)
                | Root::State(_) => None,
                Root::Abs => Some(place),
            },
        }
    }

    /// The last segment as text.
    pub fn name(&self) -> Term {
        match self.segments.last() {
            Some(segment) => pieces(segment.iter().map(|piece| match piece {
                Piece::Lit(text) => Term::text(text),
                Piece::Hole(term) => term.clone(),
            })),
            None => match &self.root {
                Root::Of(base) => Term::field(base.clone(), "<name>"),
                Root::Fresh(_) => Term::Unknown,
                _ => Term::Unknown,
            },
        }
    }

    /// The last segment without its suffix.
    pub fn stem(&self) -> Term {
        match self.name() {
            Term::Text(parts) => {
                let mut parts = parts.to_vec();
                if let Some(Piece::Lit(last)) = parts.last_mut()
                    && let Some(dot) = last.rfind('.').filter(|dot| *dot > 0)
                {
                    *last = last[..dot].into();
                }
                Term::Text(parts.into())
            }
            other => Term::Derived(Arc::from([other])),
        }
    }

    /// The last segment with another suffix (`.ext`, or `ext` as Rust's `with_extension` has it).
    pub fn with_suffix(&self, suffix: &Term) -> Option<Place> {
        let mut place = self.clone();
        let suffix = match suffix.as_literal() {
            Some(text) if text.is_empty() || text.starts_with('.') => Term::text(&text),
            Some(text) => Term::text(&format!(".{text}")),
            None => suffix.clone(),
        };
        if place.segments.is_empty() {
            let Root::Of(base) = &place.root else { return None };
            // A path that is not known yet, with a suffix of our own: still the same for the same path.
            return Some(Place {
                root: Root::Of(Term::field(base.clone(), "<stem>")),
                segments: vec![vec![Piece::Hole(Term::text("")), Piece::Hole(suffix)]],
            });
        }
        let stem = place.stem();
        let segment = match pieces([stem, suffix]) {
            Term::Text(parts) => parts.to_vec(),
            _ => return None,
        };
        *place.last_mut() = segment;
        Some(place)
    }

    pub fn with_name(&self, name: &Term) -> Option<Place> {
        self.parent()?.join(name)
    }

    /// Whether this is the same wherever the other one is: all that varies in it varies in the other too.
    pub fn follows(&self, other: &Place) -> bool {
        let (mut mine, mut theirs) = (Vec::new(), Vec::new());
        let known = self.variables(&mut mine) && other.variables(&mut theirs);
        known && mine.iter().all(|one| theirs.contains(one))
    }

    /// Adds what varies in it, and says whether all of it is known.
    fn variables(&self, out: &mut Vec<Term>) -> bool {
        let root = match &self.root {
            Root::Of(term) => variables(term, out),
            Root::Fresh(_) => false,
            root => {
                if matches!(root, Root::Setting(_) | Root::Run | Root::Home) {
                    out.push(Term::Path(Arc::new(Place::root(root.clone()))));
                }
                true
            }
        };
        root && self.segments.iter().flatten().all(|piece| piece_varies(piece, out))
    }

    /// The literal texts in its last two segments.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let near = self.segments.len().saturating_sub(2);
        self.segments[near..].iter().flatten().flat_map(|piece| match piece {
            Piece::Lit(text) => vec![&**text],
            Piece::Hole(Term::Text(parts)) => parts.iter().filter_map(lit_of).collect(),
            Piece::Hole(_) => Vec::new(),
        })
    }

    /// What this has more at its end than another path: `.tmp` for `a/b.tmp` and `a/b`. None where it does not begin so.
    pub fn beyond(&self, other: &Place) -> Option<String> {
        if self.root != other.root {
            return None;
        }
        let last = other.segments.len().saturating_sub(1);
        let (mine, theirs) = match (self.segments.as_slice(), other.segments.as_slice()) {
            // A suffix put onto a path that is not known.
            ([suffix], []) => match suffix.as_slice() {
                [Piece::Hole(Term::Text(empty)), rest @ ..]
                    if empty.iter().all(|p| matches!(p, Piece::Lit(t) if t.is_empty())) =>
                {
                    (rest, &[][..])
                }
                _ => return None,
            },
            (mine, theirs) if mine.len() == theirs.len() && !mine.is_empty() && mine[..last] == theirs[..last] => {
                (mine[last].as_slice(), theirs[last].as_slice())
            }
            _ => return None,
        };
        let (whole, rest) = match theirs.split_last() {
            // `name.tmp` and `name`: the literal at the end goes on.
            Some((Piece::Lit(text), head)) => match mine.get(head.len()) {
                Some(Piece::Lit(longer)) if mine.starts_with(head) => {
                    (longer.strip_prefix(&**text)?.to_owned(), mine.get(theirs.len()..)?)
                }
                _ => return None,
            },
            _ => (String::new(), mine.strip_prefix(theirs)?),
        };
        let text = rest.iter().fold(whole, |text, piece| match piece {
            Piece::Lit(part) => text + part,
            Piece::Hole(term) => text + &term.as_literal().unwrap_or_default(),
        });
        (!text.is_empty()).then_some(text)
    }

    pub fn mix(&self) -> Mix {
        let root = match &self.root {
            Root::Fresh(_) => Mix::of(Discriminator::Rand),
            Root::Of(term) => term.mix(),
            Root::Run => Mix::of(Discriminator::Run),
            _ => Mix::EMPTY,
        };
        self.segments.iter().flatten().fold(root, |mix, piece| mix.or(piece.mix()))
    }

    /// Every part is a literal or a hole whose separation is known.
    pub fn is_settled(&self) -> bool {
        !matches!(self.root, Root::Of(_) | Root::Setting(_)) && self.segments.iter().flatten().all(Piece::is_settled)
    }

    /// The literal segments joined by `/`, where all are literal.
    pub fn literal(&self) -> Option<String> {
        let parts: Option<Vec<&str>> = self.segments.iter().map(|segment| lit(segment)).collect();
        parts.map(|parts| parts.join("/"))
    }

    /// A text by which equal places are equal, for instances that nothing separates: `{pid}` stands for a hole.
    pub fn key(&self) -> String {
        let mut key = match &self.root {
            Root::Abs => String::new(),
            Root::Temp => "<temp>".to_owned(),
            Root::Cwd | Root::Start => ".".to_owned(),
            Root::Home => "~".to_owned(),
            Root::Project => "<project>".to_owned(),
            Root::Run => "<run>".to_owned(),
            Root::Fresh(fresh) => format!("<fresh {fresh:?}>"),
            Root::Setting(name) => format!("${name}"),
            Root::Of(term) => format!("<{term:?}>"),
            Root::State(realm) => format!("[{}]", realm.word()),
        };
        for segment in &self.segments {
            key.push('/');
            for piece in segment {
                match piece {
                    Piece::Lit(text) => key.push_str(text),
                    Piece::Hole(term) if term.is_settled() => {
                        let _ = write!(key, "{{{}}}", words(term.mix()));
                    }
                    Piece::Hole(term) => {
                        let _ = write!(key, "{{{term:?}}}");
                    }
                }
            }
        }
        key
    }

    /// The path as a person would write it.
    pub fn show(&self) -> String {
        self.show_with(&|n| (n == 0).then(|| "self".to_owned()))
    }

    /// A name in a realm as a person would write it: `$HOME`, `app.config.DEBUG`, `port 8080`.
    fn show_state(&self, realm: &Realm, name: &dyn Fn(u16) -> Option<String>) -> String {
        let parts: Vec<String> = self.segments.iter().map(|segment| show_segment(segment, name)).collect();
        let rest = parts.join(".").replace(".[", "[");
        let dotted = |holder: &str| match rest.starts_with('[') {
            _ if rest.is_empty() => holder.to_owned(),
            true => format!("{holder}{rest}"),
            false => format!("{holder}.{rest}"),
        };
        match realm {
            Realm::Environment if parts.is_empty() => "the environment".to_owned(),
            Realm::Environment => format!("${rest}"),
            Realm::WorkingDirectory => "the working directory".to_owned(),
            Realm::Variable(holder) => dotted(&holder.name),
            Realm::Library(library) => dotted(library.trim_start_matches(STARRED)),
            Realm::Port => format!("port {rest}"),
            Realm::Named(kind) => format!("{kind} {rest}"),
        }
    }

    /// The same, with names for parameters.
    pub fn show_with(&self, name: &dyn Fn(u16) -> Option<String>) -> String {
        if let Root::State(realm) = &self.root {
            return self.show_state(realm, name);
        }
        let root = match &self.root {
            Root::Abs => "",
            Root::Temp => "<temp>",
            Root::Cwd | Root::Start => ".",
            Root::Home => "~",
            Root::Project => "<project>",
            Root::Run => "<run>",
            Root::Fresh(fresh) => match fresh.kind {
                FreshKind::Test => "<tmp_path>",
                FreshKind::Session => "<session>",
                FreshKind::Object => "<new>",
                FreshKind::Name => "<unreserved name>",
            },
            Root::Setting(name) => &format!("${name}"),
            Root::Of(term) => &show_term(term, name),
            Root::State(_) => "",
        };
        let mut text = root.to_owned();
        for segment in &self.segments {
            // `<stem>.pkl`: a suffix put onto a path that is not known.
            let joined = matches!(segment.first(), Some(Piece::Hole(Term::Text(empty))) if empty.iter().all(|p| matches!(p, Piece::Lit(t) if t.is_empty())));
            let here = text == "." && matches!(self.root, Root::Cwd | Root::Start);
            if !joined && !here {
                text.push('/');
            } else if text == "." {
                text.clear();
            }
            text.push_str(&show_segment(segment, name));
        }
        if text.is_empty() { "/".to_owned() } else { text }
    }
}

/// Adds what varies in a term, each as a whole, and says whether all of it is known.
fn variables(term: &Term, out: &mut Vec<Term>) -> bool {
    match term {
        Term::Nil | Term::Int(_) | Term::Bool(_) => true,
        Term::Text(parts) => parts.iter().all(|piece| piece_varies(piece, out)),
        Term::Path(place) => place.variables(out),
        Term::Typed(_, inner) | Term::Handle(inner) => variables(inner, out),
        Term::Derived(terms) => terms.iter().all(|term| variables(term, out)),
        // Parts of a path follow from it.
        Term::Field(base, part) if part.starts_with('<') => variables(base, out),
        Term::Param(_) | Term::Field(..) | Term::Item(..) | Term::Setting(_) | Term::Opaque(_) => {
            out.push(term.clone());
            true
        }
        _ => false,
    }
}

/// Adds what varies in a part, and says whether all of it is known.
fn piece_varies(piece: &Piece, out: &mut Vec<Term>) -> bool {
    match piece {
        Piece::Lit(_) => true,
        Piece::Hole(term) => variables(term, out),
    }
}

/// A segment as a person would write it, with names for parameters.
fn show_segment(segment: &[Piece], name: &dyn Fn(u16) -> Option<String>) -> String {
    let mut text = String::new();
    for piece in segment {
        match piece {
            Piece::Lit(part) => text.push_str(part),
            Piece::Hole(Term::Text(parts)) => text.extend(parts.iter().filter_map(lit_of)),
            Piece::Hole(term) => {
                let mix = term.mix();
                let word = if mix.is_empty() { show_term(term, name) } else { words(mix) };
                let _ = write!(text, "{{{word}}}");
            }
        }
    }
    text
}

/// A value that is not known, in the words of the source.
fn show_term(term: &Term, name: &dyn Fn(u16) -> Option<String>) -> String {
    match term {
        Term::Param(n) => name(*n).unwrap_or_else(|| "…".to_owned()),
        Term::Field(base, field) => match &**field {
            "<parent>" => format!("{}/..", show_term(base, name)),
            "<stem>" | "<name>" => show_term(base, name),
            "<entry>" => "…".to_owned(),
            _ => match show_term(base, name).as_str() {
                "…" => (**field).to_owned(),
                base => format!("{base}.{field}"),
            },
        },
        Term::Text(_) => term.as_literal().unwrap_or_else(|| "…".to_owned()),
        Term::Setting(setting) => format!("${setting}"),
        Term::Path(place) => place.show_with(name),
        Term::Typed(_, inner) => show_term(inner, name),
        Term::Derived(terms) => match terms.iter().map(|term| show_term(term, name)).find(|text| text != "…") {
            Some(text) => format!("…{text}…"),
            None => "…".to_owned(),
        },
        _ => "…".to_owned(),
    }
}

fn lit_of(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Lit(text) => Some(text),
        Piece::Hole(_) => None,
    }
}

fn lit(segment: &[Piece]) -> Option<&str> {
    match segment {
        [Piece::Lit(text)] => Some(text),
        _ => None,
    }
}

fn is_absolute(text: &str) -> bool {
    text.starts_with('/') || (text.len() > 2 && text.as_bytes()[1] == b':' && text.as_bytes()[0].is_ascii_alphabetic())
}

/// The discriminators in words, for keys and messages.
pub fn words(mix: Mix) -> String {
    use Discriminator::*;
    const ALL: &[(Discriminator, &str)] = &[
        (Rand, "random"),
        (Pid, "pid"),
        (Pgid, "pgid"),
        (Tid, "thread"),
        (Tname, "thread name"),
        (Ns, "nanoseconds"),
        (Ms, "milliseconds"),
        (Sec, "seconds"),
        (Date, "date"),
        (Counter, "counter"),
        (Worker, "worker"),
        (Slot, "slot"),
        (Run, "run"),
        (Test, "test id"),
        (Testname, "test name"),
        (Param, "parameter"),
        (Class, "class"),
        (Seedrng, "seeded random"),
        (Objid, "object id"),
        (User, "user"),
        (Host, "host"),
    ];
    let parts: Vec<&str> = ALL.iter().filter(|(one, _)| mix.has(*one)).map(|(_, word)| *word).collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::OpId;
    use crate::text::FileId;

    fn path(text: &str) -> Place {
        Place::of(&Term::text(text)).unwrap()
    }

    #[test]
    fn literals_find_their_root() {
        assert_eq!(path("/tmp/a/b").show(), "<temp>/a/b");
        assert_eq!(path("/var/tmp/x").root, Root::Temp);
        assert_eq!(path("/tmpfoo/x").root, Root::Abs);
        assert_eq!(path("a/./b//c").show(), "a/b/c");
        assert_eq!(path("~/x").root, Root::Home);
        assert_eq!(path("C:\\x\\y").root, Root::Abs);
    }

    #[test]
    fn joins_append_and_absolute_ones_replace() {
        assert_eq!(path("a").join(&Term::text("b.txt")).unwrap().show(), "a/b.txt");
        assert_eq!(path("a").join(&Term::text("/etc/x")).unwrap().show(), "/etc/x");
        let param = Place::of(&Term::Param(1)).unwrap();
        assert_eq!(param.join(&Term::text("x")).unwrap().segments.len(), 1);
    }

    #[test]
    fn a_text_after_a_folder_is_below_it() {
        let folder = Term::Path(Arc::new(Place::root(Root::Temp)));
        let text = pieces([folder.clone(), Term::text("/x.npy")]);
        assert_eq!(Place::of(&text).unwrap().show(), "<temp>/x.npy");
        let beside = pieces([Term::Path(Arc::new(path("out/a.json"))), Term::text(".tmp")]);
        assert_eq!(Place::of(&beside).unwrap().show(), "out/a.json.tmp");
    }

    #[test]
    fn parts_of_a_name() {
        assert_eq!(path("a/b.tar.gz").with_suffix(&Term::text(".zip")).unwrap().show(), "a/b.tar.zip");
        assert_eq!(path("a/b.txt").with_suffix(&Term::text("rs")).unwrap().show(), "a/b.rs");
        assert_eq!(path("a/b.txt").parent().unwrap().show(), "./a".trim_start_matches("./"));
        assert_eq!(path("a/b.txt").with_name(&Term::text("c")).unwrap().show(), "a/c");
        assert_eq!(path("a/b.txt").name().as_literal().unwrap(), "b.txt");
    }

    #[test]
    fn a_side_car_of_an_unknown_path_is_the_same_for_the_same_path() {
        let one = Place::of(&Term::Param(1)).unwrap().with_suffix(&Term::text(".pkl")).unwrap();
        let two = Place::of(&Term::Param(1)).unwrap().with_suffix(&Term::text(".pkl")).unwrap();
        let other = Place::of(&Term::Param(2)).unwrap().with_suffix(&Term::text(".pkl")).unwrap();
        assert_eq!(one, two);
        assert_ne!(one, other);
    }

    #[test]
    fn a_temporary_beside_its_target_follows_it() {
        let target = Place::of(&Term::Param(1)).unwrap();
        let suffix = Place::of(&pieces([Term::Param(1), Term::text(".tmp")])).unwrap();
        assert!(suffix.follows(&target));
        assert_eq!(suffix.beyond(&target).as_deref(), Some(".tmp"));
        assert_eq!(target.beyond(&suffix), None);
        assert_eq!(path("a/b.tmp").beyond(&path("a/b")).as_deref(), Some(".tmp"));
        assert_eq!(path("c/b.tmp").beyond(&path("a/b")), None);
        let with_suffix = target.with_suffix(&Term::text(".tmp")).unwrap();
        assert!(with_suffix.follows(&target));
        let sibling = target.parent().unwrap().join(&Term::text("new")).unwrap();
        assert!(sibling.follows(&target));
        let other = Place::of(&Term::Param(2)).unwrap();
        assert!(!other.follows(&target));
        let fresh = Place::root(Root::Fresh(Fresh::of_test()));
        assert!(!fresh.follows(&fresh));
    }

    #[test]
    fn holes_keep_what_separates_them() {
        let pid = Term::opaque(Site { file: FileId(0), op: OpId(3) }, Mix::of(Discriminator::Pid));
        let text = pieces([Term::text("/tmp/x-"), pid]);
        let place = Place::of(&text).unwrap();
        assert_eq!(place.key(), "<temp>/x-{pid}");
        assert!(place.is_settled());
        let unknown = pieces([Term::text("/tmp/x-"), Term::Param(0)]);
        assert!(!Place::of(&unknown).unwrap().is_settled());
    }
}
