//! Imports as operations: which module bodies run when a file, a function or a test runs.
//!
//! Blocks for type checkers and for scripts (`if TYPE_CHECKING`, `if __name__ == "__main__"`) do not run at import; the packages
//! around a module do. An import in a function is a read of `sys.modules`, so it comes along with the calls that lead to it.

use super::eval::Eval;
use super::index::{Binding, Index, dir_of, join, walk_ops};
use super::place::{Place, Realm};
use super::suite::Test;
use super::summary::Effect;
use super::term::{Piece, Term, UnitRef};
use crate::calls::Verb;
use crate::facts::{Block, Comparison, FileFacts, Import, Language, OpId, Shape, Step, UnitId, V, Value, What};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The library's table of loaded modules.
pub(super) const LOADED: &str = "sys.modules";

/// Which modules load which.
#[derive(Default)]
pub struct Imports {
    /// By file: the files whose bodies run when its own runs, one step far.
    direct: Vec<Vec<FileId>>,
    /// By file: modules from outside that it imports when it runs.
    outside: Vec<Vec<Arc<str>>>,
    names: BTreeMap<String, FileId>,
    /// Files that some other file imports by name, and not only as the package around another module.
    imported: BTreeSet<FileId>,
    /// By file: its dotted name.
    dotted: Vec<String>,
}

impl Imports {
    pub(super) fn new(index: &Index) -> Imports {
        let mut imports = Imports::default();
        for (i, facts) in index.facts.iter().enumerate() {
            let file = FileId(i as u32);
            let (mut direct, mut outside) = (Vec::new(), BTreeSet::new());
            if facts.language == Language::Python {
                imports.names.insert(index.dotted_name((file, UnitId(0))), file);
                // A module of a package: the package first.
                direct.extend(index.packages_around(file));
                for (unit, data) in facts.units.iter().enumerate() {
                    if !matches!(data.shape, Shape::Module | Shape::ClassBody) || !runs_at_import(facts, UnitId(unit as u32)) {
                        continue;
                    }
                    at_import(facts, &data.body, &mut |op| {
                        let What::Import(import) = facts.op(op).what else { return };
                        let import = &facts.imports[import as usize];
                        let loaded = index.loaded(file, import);
                        let named = |one: &&FileId| **one != file && index.is_importable_from(file, **one);
                        imports.imported.extend(loaded.iter().filter(named));
                        direct.extend(loaded);
                        outside.extend(index.imported_names(file, import));
                    });
                }
                direct.sort_unstable();
                direct.dedup();
                direct.retain(|one| *one != file);
            }
            imports.dotted.push(index.dotted_name((file, UnitId(0))));
            imports.direct.push(direct);
            imports.outside.push(outside.into_iter().collect());
        }
        imports
    }

    /// All files whose bodies have run when those of these files have, themselves included.
    pub fn loaded_by(&self, files: impl IntoIterator<Item = FileId>) -> BTreeSet<FileId> {
        let mut seen: BTreeSet<FileId> = BTreeSet::new();
        let mut open: Vec<FileId> = files.into_iter().collect();
        while let Some(file) = open.pop() {
            if seen.insert(file) {
                open.extend(self.direct.get(file.0 as usize).into_iter().flatten());
            }
        }
        seen
    }

    /// Files that a test loads by itself, in its body or in what it calls.
    pub fn loaded_in(&self, test: &Test) -> impl Iterator<Item = FileId> {
        test.state.iter().filter_map(|one| self.module_read(&one.effect.on, one.effect.verb))
    }

    fn module_read(&self, place: &Place, verb: Verb) -> Option<FileId> {
        let name = loaded_name(place).filter(|_| verb == Verb::Read)?;
        self.names.get(&name).copied()
    }

    /// The dotted name of a module.
    pub fn name(&self, file: FileId) -> &str {
        self.dotted.get(file.0 as usize).map_or("", String::as_str)
    }

    /// The file of a module, by its dotted name.
    pub fn file(&self, name: &str) -> Option<FileId> {
        self.names.get(name).copied()
    }

    /// Files that import a module, or what is in it, when their bodies run; by its dotted name.
    pub fn importers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = FileId> + 'a {
        let inside =
            move |other: &Arc<str>| other.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let all = self.outside.iter().enumerate();
        all.filter(move |(_, names)| names.iter().any(inside)).map(|(file, _)| FileId(file as u32))
    }

    /// Whether any other file imports this one: what is only ever run as a script changes nobody else's process.
    pub fn is_imported(&self, file: FileId) -> bool {
        self.imported.contains(&file)
    }
}

/// The dotted name of the module that an entry of `sys.modules` stands for.
pub fn loaded_name(place: &Place) -> Option<String> {
    match (place.realm()?, place.segments.as_slice()) {
        (Realm::Library(name), [segment, ..]) if &**name == LOADED => match segment.as_slice() {
            [Piece::Lit(_), Piece::Lit(text), Piece::Lit(_)] => Some(text.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a change of `sys.modules` takes a module out, or puts in its place what is none: a mock, an empty module, `None`.
pub fn replaces_module(effect: &Effect) -> bool {
    match effect.verb {
        Verb::Delete => true,
        Verb::Write | Verb::Update | Verb::Create => effect.value.as_ref().is_some_and(is_stub),
        _ => false,
    }
}

fn is_stub(value: &Term) -> bool {
    let of_type = |ty: &str| ty.ends_with("Mock") || matches!(ty, "types.ModuleType" | "types.SimpleNamespace");
    match value {
        Term::Nil | Term::Object(_) => true,
        Term::Typed(ty, _) => of_type(ty),
        Term::Opaque(opaque) => opaque.ty.as_deref().is_some_and(of_type),
        Term::External(name) => of_type(name),
        _ => false,
    }
}

/// Whether a stub is put there under a condition only: where the real module cannot be imported, as a rule.
pub fn is_stand_in(effect: &Effect) -> bool {
    effect.maybe && effect.verb != Verb::Delete && !effect.ways.is_empty()
}

impl Eval<'_, '_> {
    /// An import in a function: what is loaded is a matter of when it is called.
    pub(super) fn import(&mut self, op: OpId, import: u32) {
        if self.facts.language != Language::Python || matches!(self.facts.unit(self.unit).shape, Shape::Module | Shape::ClassBody)
        {
            return;
        }
        for name in self.world.index.imported_names(self.file, &self.facts.imports[import as usize]) {
            let place = Place::state(Realm::Library(LOADED.into()), None).item(Term::text(&name));
            self.on_state(op, Verb::Read, place, None, false);
        }
    }
}

impl Index<'_> {
    /// The dotted names that an import asks for: the module, and where that is one too, what is taken out of it.
    pub(super) fn imported_names(&self, file: FileId, import: &Import) -> Vec<Arc<str>> {
        let facts = self.file(file);
        let base = match self.import_module(file, UnitId(0), import, 0) {
            Some(Binding::Module(module)) => self.dotted_name(module),
            Some(Binding::External(name)) => name.to_string(),
            _ => return Vec::new(),
        };
        let mut names: Vec<Arc<str>> = vec![base.as_str().into()];
        names.extend(import.name.map(|name| Arc::from(format!("{base}.{}", facts.name(name)))));
        names
    }

    /// The files whose bodies an import runs.
    fn loaded(&self, file: FileId, import: &Import) -> Vec<FileId> {
        let mut found = Vec::new();
        if let Some(Binding::Module((module, _))) = self.import_module(file, UnitId(0), import, 0) {
            found.push(module);
        }
        if let (None, true) = (import.name, import.module.len() > 1) {
            // `import a.b` binds `a` and loads both.
            let parts: Vec<&str> = import.module.iter().map(|part| self.file(file).name(*part)).collect();
            if let Some(Binding::Module((module, _))) = self.dotted(&parts.join("."), file) {
                found.push(module);
            }
        }
        if let Some(name) = import.name
            && let Some(module) = self.submodule(file, import, self.file(file).name(name))
        {
            found.push(module);
        }
        let around: Vec<FileId> = found.iter().flat_map(|file| self.packages_around(*file)).collect();
        found.extend(around);
        found
    }

    /// Whether a file may be found by its name: in a folder whose own name is none that an import could write, and which is no package,
    /// only those in the same folder find it.
    fn is_importable_from(&self, importer: FileId, file: FileId) -> bool {
        let folder = dir_of(self.path(file));
        let name = folder.rsplit('/').next().unwrap_or_default();
        let is_name = name.chars().all(|c| c == '_' || c.is_alphanumeric());
        is_name || dir_of(self.path(importer)) == folder || self.file_at(&join(&folder, "__init__.py")).is_some()
    }

    /// `from package import module`: the module.
    fn submodule(&self, file: FileId, import: &Import, name: &str) -> Option<FileId> {
        let folder = match self.import_module(file, UnitId(0), import, 0)? {
            Binding::Module((module, _)) if self.path(module).ends_with("__init__.py") => dir_of(self.path(module)),
            Binding::Module(_) => return None,
            Binding::External(package) => match self.dotted(&format!("{package}.{name}"), file)? {
                Binding::Module((module, _)) => return Some(module),
                _ => return None,
            },
            _ => return None,
        };
        [format!("{name}.py"), format!("{name}/__init__.py")].iter().find_map(|path| self.file_at(&join(&folder, path)))
    }

    /// The `__init__.py` files of the packages that hold a file.
    fn packages_around(&self, file: FileId) -> Vec<FileId> {
        let mut out = Vec::new();
        let mut dir = dir_of(self.path(file));
        while !dir.is_empty() {
            match self.file_at(&join(&dir, "__init__.py")) {
                Some(package) => out.push(package),
                None => break,
            }
            dir = dir_of(&dir);
        }
        out
    }

    /// Modules from outside whose names a module has through `from x import *`, its own or another one's.
    pub(super) fn has_outside_star(&self, module: UnitRef) -> bool {
        let own = |module: &UnitRef| {
            let facts = self.file(module.0);
            let star = |import: &Import| {
                import.star && matches!(self.import_module(module.0, module.1, import, 0), Some(Binding::External(_)))
            };
            facts.imports.iter().any(star)
        };
        own(&module) || self.star_modules(module).iter().any(own)
    }
}

/// Whether the body of a unit runs when its module is imported: it stands in no function.
fn runs_at_import(facts: &FileFacts, unit: UnitId) -> bool {
    let mut at = Some(unit);
    while let Some(unit) = at {
        let data = facts.unit(unit);
        if !matches!(data.shape, Shape::Module | Shape::ClassBody) {
            return false;
        }
        at = data.parent;
    }
    true
}

/// Calls `f` on the operations of a block that run when the module is imported.
fn at_import(facts: &FileFacts, block: &Block, f: &mut dyn FnMut(OpId)) {
    for step in block {
        match step {
            Step::If { cond, then, other, .. } => {
                match asks_for_later(facts, *cond) {
                    Some(true) => {}
                    _ => at_import(facts, then, f),
                }
                at_import(facts, other, f);
            }
            Step::Op(op) => f(*op),
            Step::Loop { body, other, .. } => [body, other].into_iter().for_each(|block| at_import(facts, block, f)),
            Step::Try { body, handlers, other, last } => {
                [body, other, last].into_iter().for_each(|block| at_import(facts, block, f));
                handlers.iter().for_each(|handler| at_import(facts, &handler.body, f));
            }
            Step::With { body, .. } | Step::Scope(body) => at_import(facts, body, f),
            Step::Match { arms, .. } => arms.iter().for_each(|arm| walk_ops(&arm.body, f)),
        }
    }
}

/// Whether a condition holds for type checkers or for scripts only.
fn asks_for_later(facts: &FileFacts, cond: V) -> Option<bool> {
    match facts.value(cond) {
        Value::Name(name) | Value::Attr(_, name) => (facts.name(*name) == "TYPE_CHECKING").then_some(true),
        Value::Compare(Comparison::Equal, a, b) => {
            let is_name = |v: &V| matches!(facts.value(*v), Value::Name(name) if facts.name(*name) == "__name__");
            (is_name(a) || is_name(b)).then_some(true)
        }
        _ => None,
    }
}
