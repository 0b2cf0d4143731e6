//! Names across files: which module, class or function a name means. Static: decided before anything is evaluated.

use super::term::{ClassRef, Site, UnitRef};
use crate::calls::{Calls, Tables};
use crate::facts::run::{Setup, Target};
use crate::facts::{Block, ClassId, FileFacts, Import, Language, OpId, Shape, Step, Sym, UnitId, V, Value, What};
use crate::text::{FileId, Source};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// What a name is bound to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Binding {
    Function(UnitRef),
    Class(ClassRef),
    Module(UnitRef),
    /// A module-level variable: the module unit and its name.
    Variable(UnitRef, Arc<str>),
    /// A dotted name from outside the project.
    External(Arc<str>),
}

/// Names of one module (a file's body, a Rust inline module) or of one function.
#[derive(Default)]
struct Scope {
    names: HashMap<Sym, Bound>,
    stars: Vec<u32>,
}

#[derive(Clone, Copy)]
enum Bound {
    Function(UnitId),
    Class(ClassId),
    Import(u32),
    Variable,
    /// What the project's own call tables say of it goes before its code.
    Declared(u32),
}

/// All names of all files.
pub struct Index<'a> {
    pub sources: &'a [Source],
    pub facts: &'a [Arc<FileFacts>],
    tables: &'a Tables,
    scopes: Vec<HashMap<UnitId, Scope>>,
    syms: Vec<HashMap<&'a str, Sym>>,
    /// Dotted Python module names, each with the files that may be meant.
    python: HashMap<String, Vec<FileId>>,
    paths: HashMap<&'a str, FileId>,
    /// The unit of each operation, by file.
    owners: Vec<OnceLock<Vec<UnitId>>>,
    /// For a Rust file that is a child module: the module unit that declares it.
    parents: HashMap<FileId, UnitRef>,
    children: HashMap<(FileId, UnitId, Arc<str>), UnitRef>,
    /// Modules seen through glob imports.
    stars: HashMap<UnitRef, Vec<UnitRef>>,
    /// Modules from outside that a module imports all names of.
    outside_stars: HashMap<UnitRef, Vec<Arc<str>>>,
    /// Library crates of the project, by the name that code uses.
    crates: HashMap<String, FileId>,
    /// Methods by class; for Rust by the `struct`, over all its `impl`s.
    methods: HashMap<ClassRef, BTreeMap<Arc<str>, UnitId>>,
    /// What a receiver of a class has without its bases: its own methods, those of its `impl` blocks, those that traits bring.
    members: HashMap<ClassRef, HashMap<Arc<str>, UnitRef>>,
    /// Names of all methods.
    method_names: HashSet<Arc<str>>,
    /// Rust methods whose `impl` stands in another file than the type, or is one of several.
    impls: HashMap<ClassRef, Vec<ClassRef>>,
    /// Traits of the project, with the types that implement them.
    traits: HashSet<ClassRef>,
    implemented: HashMap<ClassRef, Vec<ClassRef>>,
    /// The class that an `impl` is for.
    extends: HashMap<ClassRef, ClassRef>,
    /// Base classes of the project, in method resolution order, the class itself first.
    orders: HashMap<ClassRef, Vec<ClassRef>>,
    /// Dotted names of bases from outside.
    outside: HashMap<ClassRef, Vec<Arc<str>>>,
    /// Variables that code of the project changes in place or from outside, by their last names.
    changed: HashSet<Box<str>>,
    /// Functions and classes of the project that its own call tables speak of.
    declared: Vec<Arc<str>>,
    unmet: Vec<String>,
}

const HOPS: usize = 8;

/// Modules looked through for a name that a glob import may bring.
const REACHED: usize = 64;

impl<'a> Index<'a> {
    pub fn new(sources: &'a [Source], facts: &'a [Arc<FileFacts>], setup: &Setup, tables: &'a Tables) -> Self {
        let mut index = Index {
            sources,
            facts,
            tables,
            declared: Vec::new(),
            unmet: Vec::new(),
            scopes: Vec::with_capacity(facts.len()),
            syms: facts
                .iter()
                .map(|file| file.names.iter().enumerate().map(|(i, name)| (&**name, Sym(i as u32))).collect())
                .collect(),
            python: HashMap::new(),
            paths: sources.iter().enumerate().map(|(i, source)| (&*source.path, FileId(i as u32))).collect(),
            owners: facts.iter().map(|_| OnceLock::new()).collect(),
            parents: HashMap::new(),
            children: HashMap::new(),
            stars: HashMap::new(),
            outside_stars: HashMap::new(),
            crates: HashMap::new(),
            methods: HashMap::new(),
            members: HashMap::new(),
            method_names: HashSet::new(),
            impls: HashMap::new(),
            traits: HashSet::new(),
            implemented: HashMap::new(),
            extends: HashMap::new(),
            orders: HashMap::new(),
            outside: HashMap::new(),
            changed: super::state::changed_names(facts),
        };
        for file in facts {
            index.scopes.push(scopes(file));
        }
        index.find_python_modules();
        index.find_rust_modules(setup);
        index.find_stars();
        index.find_declared(setup);
        index.find_classes();
        index
    }

    /// What is known of the libraries of a language.
    pub fn calls(&self, language: Language) -> &'a Calls {
        self.tables.of(language == Language::Rust)
    }

    pub fn file(&self, file: FileId) -> &'a FileFacts {
        &self.facts[file.0 as usize]
    }

    pub fn path(&self, file: FileId) -> &'a str {
        &self.sources[file.0 as usize].path
    }

    /// Whether code of the project changes a variable of this name in place or from outside.
    pub fn is_changed(&self, name: &str) -> bool {
        self.changed.contains(name)
    }

    /// The dotted name of a module, or of the class that a body belongs to, as its users write it: `pkg.mod.Class`.
    pub fn dotted_name(&self, unit: UnitRef) -> String {
        let facts = self.file(unit.0);
        let path = self.path(unit.0);
        let path = path.strip_suffix(".py").or(path.strip_suffix(".rs")).unwrap_or(path);
        let path = path.strip_prefix("src/").unwrap_or(path);
        let path = path.strip_suffix("/__init__").or(path.strip_suffix("/mod")).unwrap_or(path);
        let separator = if facts.language == Language::Rust { "::" } else { "." };
        let mut name = path.replace('/', separator);
        let data = facts.unit(unit.1);
        let inner = data.class.map_or(data.name, |class| facts.class(class).name);
        if unit.1 != UnitId(0) && !facts.name(inner).is_empty() {
            name.push_str(separator);
            name.push_str(facts.name(inner));
        }
        name
    }

    pub fn file_at(&self, path: &str) -> Option<FileId> {
        self.paths.get(path).copied()
    }

    fn find_python_modules(&mut self) {
        for (i, source) in self.sources.iter().enumerate() {
            let file = FileId(i as u32);
            let Some(stem) = source.path.strip_suffix(".py") else { continue };
            let parts: Vec<&str> = stem.split('/').collect();
            let named = if parts.last() == Some(&"__init__") { &parts[..parts.len() - 1] } else { &parts[..] };
            // The package root: the first folder above without `__init__.py`; a namespace package may start higher.
            let mut root = named.len().saturating_sub(1);
            while root > 0 {
                let init = format!("{}/__init__.py", parts[..root].join("/"));
                if !self.paths.contains_key(init.as_str()) {
                    break;
                }
                root -= 1;
            }
            let mut starts: Vec<usize> = vec![root, 0];
            if parts.first() == Some(&"src") {
                starts.push(1);
            }
            starts.sort_unstable();
            starts.dedup();
            for start in starts {
                if start < named.len() {
                    let files = self.python.entry(named[start..].join(".")).or_default();
                    if !files.contains(&file) {
                        files.push(file);
                    }
                }
            }
        }
    }

    /// The file of a dotted module, as seen from `from`; where several could be meant, the one that shares most folders with it.
    fn python_module(&self, name: &str, from: FileId) -> Option<FileId> {
        let files = self.python.get(name)?;
        if let [one] = files.as_slice() {
            return Some(*one);
        }
        let here: Vec<&str> = self.path(from).split('/').collect();
        let shared = |file: &FileId| {
            let there = self.path(*file).split('/');
            there.zip(&here).take_while(|(a, b)| a == *b).count()
        };
        let best = files.iter().map(shared).max()?;
        let mut nearest = files.iter().filter(|file| shared(file) == best);
        match (nearest.next(), nearest.next()) {
            (Some(one), None) => Some(*one),
            _ => None,
        }
    }

    fn find_rust_modules(&mut self, setup: &Setup) {
        for package in &setup.crates {
            for (path, target) in &package.targets {
                if *target == Target::Lib
                    && let Some(file) = self.file_at(path)
                {
                    self.crates.insert(package.name.clone(), file);
                }
            }
        }
        for (i, facts) in self.facts.iter().enumerate() {
            if facts.language != Language::Rust {
                continue;
            }
            let file = FileId(i as u32);
            for (u, unit) in facts.units.iter().enumerate() {
                if unit.shape == Shape::Module
                    && let Some(parent) = unit.parent
                {
                    let name: Arc<str> = facts.name(unit.name).into();
                    self.children.insert((file, parent, name), (file, UnitId(u as u32)));
                }
            }
        }
        for (i, facts) in self.facts.iter().enumerate() {
            if facts.language != Language::Rust {
                continue;
            }
            let file = FileId(i as u32);
            for (u, unit) in facts.units.iter().enumerate().filter(|(_, unit)| unit.shape == Shape::Module) {
                let module = UnitId(u as u32);
                let mut found: Vec<(Arc<str>, FileId)> = Vec::new();
                walk(&unit.body, &mut |step| {
                    let Step::Op(op) = step else { return };
                    let What::Import(import) = facts.op(*op).what else { return };
                    let import = &facts.imports[import as usize];
                    let (Some(child), Some(name)) = (&import.child, import.bound) else { return };
                    let name = facts.name(name);
                    let (folder, inline) = self.module_folder(file, module);
                    let candidates = match child.path {
                        // A `#[path]` is relative to the file's folder, or to the inline module's.
                        Some(path) if inline.is_empty() => vec![join(&dir_of(self.path(file)), facts.name(path))],
                        Some(path) => vec![join(&folder, facts.name(path))],
                        None => vec![join(&folder, &format!("{name}.rs")), join(&folder, &format!("{name}/mod.rs"))],
                    };
                    if let Some(target) = candidates.iter().find_map(|path| self.file_at(path)) {
                        found.push((name.into(), target));
                    }
                });
                for (name, target) in found {
                    self.children.insert((file, module, name), (target, UnitId(0)));
                    self.parents.entry(target).or_insert((file, module));
                }
            }
        }
    }

    /// The folder where children of a Rust module are looked for (The Rust Reference, "Module Source Filenames"), and the inline
    /// modules on the way.
    fn module_folder(&self, file: FileId, module: UnitId) -> (String, Vec<String>) {
        let facts = self.file(file);
        let mut inline = Vec::new();
        let mut at = module;
        while let Some(parent) = facts.unit(at).parent {
            inline.push(facts.name(facts.unit(at).name).to_owned());
            at = parent;
        }
        inline.reverse();
        let path = self.path(file);
        let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
        let dir = dir_of(path);
        let is_root = matches!(stem, "mod" | "lib" | "main") || !self.has_parent_declaration(path);
        let mut folder = if is_root { dir } else { join(&dir, stem) };
        for name in &inline {
            folder = join(&folder, name);
        }
        (folder, inline)
    }

    /// Whether a file is a module of another file: targets below `tests/`, `src/bin/`, `benches/`, `examples/` are roots.
    fn has_parent_declaration(&self, path: &str) -> bool {
        let parent = dir_of(path);
        let last = parent.rsplit('/').next().unwrap_or("");
        !matches!(last, "tests" | "benches" | "examples" | "bin") && !path.ends_with("build.rs")
    }

    /// Binds what the project's own call tables speak of as if it came from outside: what they say goes before the code. A method is
    /// spoken of through its class.
    fn find_declared(&mut self, setup: &Setup) {
        let python = self.calls(Language::Python).own().map(|key| (key, self.declared_python(key)));
        let rust = self.calls(Language::Rust).own().map(|key| (key, self.declared_rust(key, setup)));
        let mut found: Vec<(String, Binding)> = Vec::new();
        let mut unmet = Vec::new();
        for (key, met) in python.chain(rust) {
            match met {
                Some(all) if all.is_empty() => unmet.push(key.to_owned()),
                met => found.extend(met.into_iter().flatten()),
            }
        }
        self.unmet = unmet;
        for (name, binding) in found {
            let (file, around, sym) = match binding {
                Binding::Function((file, unit)) => {
                    let data = self.file(file).unit(unit);
                    (file, data.parent, Some(data.name))
                }
                Binding::Class((file, class)) => {
                    let data = self.file(file).class(class);
                    (file, Some(data.parent), Some(data.name))
                }
                Binding::Variable((file, module), name) => (file, Some(module), self.sym(file, &name)),
                Binding::Module(_) | Binding::External(_) => continue,
            };
            let scope = around.and_then(|around| self.scopes[file.0 as usize].get_mut(&around));
            if let (Some(scope), Some(sym)) = (scope, sym) {
                scope.names.insert(sym, Bound::Declared(self.declared.len() as u32));
                self.declared.push(name.into());
            }
        }
    }

    /// What a key `pkg.module.name[.method]` means in the project, with the key up to the name. None where it names no module of it.
    fn declared_python(&self, key: &str) -> Option<Vec<(String, Binding)>> {
        let dots: Vec<usize> = key.match_indices('.').map(|(at, _)| at).collect();
        let (files, dot) = dots.iter().rev().find_map(|dot| Some((self.python.get(&key[..*dot])?, *dot)))?;
        let rest = &key[dot + 1..];
        let name = rest.split('.').next().unwrap_or_default();
        let found = files.iter().filter_map(|file| self.in_module((*file, UnitId(0)), name, 0));
        let found: Vec<_> = found.map(|binding| (key[..dot + 1 + name.len()].to_owned(), binding)).collect();
        // It may be a module that is not read, such as an extension, or a name that comes through `*` from one.
        let elsewhere = name != rest && !name.starts_with(|c: char| c.is_uppercase())
            || files.iter().any(|file| self.outside_stars.contains_key(&(*file, UnitId(0))));
        (!found.is_empty() || !elsewhere).then_some(found)
    }

    /// The same for `krate::module::name[::method]`.
    fn declared_rust(&self, key: &str, setup: &Setup) -> Option<Vec<(String, Binding)>> {
        let mut parts = key.split("::");
        let root = parts.next()?;
        let package = setup.crates.iter().find(|package| package.name == root);
        let binary = |(path, target): &(String, Target)| (*target == Target::Bin).then(|| self.file_at(path))?;
        let file = self.crates.get(root).copied().or_else(|| package?.targets.iter().find_map(binary))?;
        let mut module = (file, UnitId(0));
        let mut end = root.len();
        for part in parts {
            end += "::".len() + part.len();
            match self.in_module(module, part, 0) {
                Some(Binding::Module(inner)) => module = inner,
                Some(binding) => return Some(vec![(key[..end].to_owned(), binding)]),
                None => break,
            }
        }
        Some(Vec::new())
    }

    /// Names in the project's own call tables that ought to be its own, and are not there.
    pub fn unmet(&self) -> &[String] {
        &self.unmet
    }

    fn find_classes(&mut self) {
        for (i, facts) in self.facts.iter().enumerate() {
            let file = FileId(i as u32);
            for (u, unit) in facts.units.iter().enumerate() {
                if let (Some(class), Shape::Method | Shape::ClassMethod | Shape::StaticMethod | Shape::Property) =
                    (unit.class, unit.shape)
                {
                    let methods = self.methods.entry((file, class)).or_default();
                    // A later definition takes the place of an earlier one.
                    methods.insert(facts.name(unit.name).into(), UnitId(u as u32));
                    self.method_names.insert(facts.name(unit.name).into());
                }
            }
        }
        for (i, facts) in self.facts.iter().enumerate() {
            let file = FileId(i as u32);
            for (c, class) in facts.classes.iter().enumerate() {
                let id = (file, ClassId(c as u32));
                if let Some(of) = class.extends {
                    let module = self.module_of(file, class.parent);
                    if let Some(Binding::Class(of)) = self.resolve_value(file, module, of) {
                        self.impls.entry(of).or_default().push(id);
                        for base in &class.bases {
                            if let Some(Binding::Class(base)) = self.resolve_value(file, module, *base) {
                                self.traits.insert(base);
                                self.implemented.entry(of).or_default().push(base);
                            }
                        }
                        self.extends.insert(id, of);
                    }
                }
                let mut outside = Vec::new();
                for base in &class.bases {
                    let module = self.module_of(file, class.parent);
                    match self.resolve_value(file, module, *base) {
                        Some(Binding::External(name)) => outside.push(name),
                        Some(_) => {}
                        None => outside.extend(facts.dotted(*base).map(|name| Arc::from(format!("?.{name}")))),
                    }
                }
                if !outside.is_empty() {
                    self.outside.insert(id, outside);
                }
            }
        }
        let classes: Vec<ClassRef> = self
            .facts
            .iter()
            .enumerate()
            .flat_map(|(i, facts)| (0..facts.classes.len()).map(move |c| (FileId(i as u32), ClassId(c as u32))))
            .collect();
        for class in classes {
            let mut order = Vec::new();
            self.collect_bases(class, &mut order);
            self.orders.insert(class, order);
            let blocks = self.impls.get(&class).into_iter().chain(self.implemented.get(&class)).flatten();
            let mut members = HashMap::new();
            for part in [&class].into_iter().chain(blocks) {
                for (name, unit) in self.methods.get(part).into_iter().flatten() {
                    members.entry(name.clone()).or_insert((part.0, *unit));
                }
            }
            self.members.insert(class, members);
        }
    }

    /// Depth first, left to right, a class before its bases: Python's order but for diamonds.
    fn collect_bases(&self, class: ClassRef, order: &mut Vec<ClassRef>) {
        if order.contains(&class) || order.len() > 32 {
            return;
        }
        order.push(class);
        let facts = self.file(class.0);
        let data = facts.class(class.1);
        if facts.language == Language::Rust {
            return;
        }
        let module = self.module_of(class.0, data.parent);
        for base in &data.bases {
            if let Some(Binding::Class(base)) = self.resolve_value(class.0, module, *base) {
                self.collect_bases(base, order);
            }
        }
    }

    /// The class and its bases in the project, nearest first.
    pub fn order(&self, class: ClassRef) -> &[ClassRef] {
        self.orders.get(&class).map_or(&[], Vec::as_slice)
    }

    /// The class that an `impl` is for, or the class itself.
    pub fn class_of_impl(&self, class: ClassRef) -> ClassRef {
        self.extends.get(&class).copied().unwrap_or(class)
    }

    /// Dotted names of the bases from outside the project, over the whole order; `?.Name` where the name could not be resolved.
    pub fn outside_bases(&self, class: ClassRef) -> impl Iterator<Item = &Arc<str>> {
        self.order(class).iter().filter_map(|class| self.outside.get(class)).flatten()
    }

    /// The method that a receiver of this class has, with the class that defines it.
    pub fn method(&self, class: ClassRef, name: &str) -> Option<UnitRef> {
        self.order(class).iter().find_map(|class| self.members.get(class)?.get(name)).copied()
    }

    pub fn class_name(&self, class: ClassRef) -> &str {
        let facts = self.file(class.0);
        facts.name(facts.class(class.1).name)
    }

    /// A dotted Python name, as a text of the program names it: a module, or what stands in one.
    pub fn dotted(&self, name: &str, from: FileId) -> Option<Binding> {
        let mut ends: Vec<usize> = name.match_indices('.').map(|(at, _)| at).collect();
        ends.push(name.len());
        ends.iter().rev().find_map(|end| {
            let module = self.python_module(&name[..*end], from)?;
            let rest = name[*end..].split('.').filter(|part| !part.is_empty());
            let mut at = Binding::Module((module, UnitId(0)));
            for part in rest {
                at = match at {
                    Binding::Module(module) => self.in_module(module, part, 0)?,
                    Binding::External(name) => Binding::External(format!("{name}.{part}").into()),
                    _ => return None,
                };
            }
            Some(at)
        })
    }

    /// The units whose text holds an operation, innermost first.
    pub fn units_at(&self, site: Site) -> Vec<UnitRef> {
        let owners = self.owners.get(site.file.0 as usize).map(|owners| owners.get_or_init(|| owners_of(self.file(site.file))));
        let mut at = owners.and_then(|owners| owners.get(site.op.0 as usize).copied());
        let mut all = Vec::new();
        while let Some(unit) = at {
            all.push((site.file, unit));
            at = self.file(site.file).unit(unit).parent;
        }
        all
    }

    /// The unit whose result an assignment keeps: `path = cache_file(name)`.
    pub fn source_unit(&self, site: Site) -> Option<UnitRef> {
        let facts = self.file(site.file);
        let What::Store { value, .. } = &facts.ops.get(site.op.0 as usize)?.what else { return None };
        let Value::Result(call) = facts.value(*value) else { return None };
        let What::Call { callee, .. } = &facts.op(*call).what else { return None };
        let around = self.units_at(site).first().map_or(UnitId(0), |unit| unit.1);
        match self.resolve_value(site.file, around, *callee)? {
            Binding::Function(unit) => Some(unit),
            _ => None,
        }
    }

    /// The method of `impl Drop for` a class.
    pub fn drop_method(&self, class: ClassRef) -> Option<UnitRef> {
        self.impls.get(&class)?.iter().find_map(|block| {
            let facts = self.file(block.0);
            let bases = &facts.class(block.1).bases;
            let is_drop = bases.iter().any(|base| matches!(facts.dotted(*base).as_deref(), Some("Drop" | "std::ops::Drop")));
            let unit = self.methods.get(block)?.get("drop").filter(|_| is_drop)?;
            Some((block.0, *unit))
        })
    }

    /// Whether a class is a trait that types of the project implement: its receiver may be any of them.
    pub fn is_trait(&self, class: ClassRef) -> bool {
        self.traits.contains(&class)
    }

    /// Whether some class of the project has a method of this name.
    pub fn has_method(&self, name: &str) -> bool {
        self.method_names.contains(name)
    }

    /// The next method of that name after the class itself: what `super()` finds.
    pub fn inherited_method(&self, class: ClassRef, name: &str) -> Option<UnitRef> {
        self.order(class).iter().skip(1).find_map(|class| Some((class.0, *self.methods.get(class)?.get(name)?)))
    }

    /// All methods of a class and its bases, the most derived of each name.
    pub fn methods(&self, class: ClassRef) -> BTreeMap<Arc<str>, UnitRef> {
        let mut all = BTreeMap::new();
        for class in self.order(class) {
            for (name, unit) in self.methods.get(class).into_iter().flatten() {
                all.entry(name.clone()).or_insert((class.0, *unit));
            }
        }
        all
    }

    /// The operation that gives a module-level variable its value, as seen from a unit of the same file.
    pub fn variable_store(&self, file: FileId, unit: UnitId, name: Sym) -> Option<OpId> {
        let facts = self.file(file);
        let module = facts.unit(self.module_of(file, unit));
        let mut found = None;
        walk_ops(&module.body, &mut |op| {
            if let What::Store { to, .. } = &facts.op(op).what
                && found.is_none()
                && *facts.value(*to) == Value::Name(name)
            {
                found = Some(op);
            }
        });
        found
    }

    /// The nearest enclosing module unit.
    pub fn module_of(&self, file: FileId, unit: UnitId) -> UnitId {
        let facts = self.file(file);
        let mut at = unit;
        loop {
            let unit = facts.unit(at);
            match unit.parent {
                Some(parent) if unit.shape != Shape::Module => at = parent,
                _ => return at,
            }
        }
    }

    /// The nearest function or class body around, where names of nested definitions may stand.
    fn scope(&self, file: FileId, unit: UnitId) -> Option<&Scope> {
        self.scopes[file.0 as usize].get(&unit)
    }

    /// Whether the body of a module or class binds a name itself.
    pub(super) fn binds(&self, (file, unit): UnitRef, name: &str) -> bool {
        let scope = self.scope(file, unit);
        self.sym(file, name).is_some_and(|sym| scope.is_some_and(|scope| scope.names.contains_key(&sym)))
    }

    pub fn sym(&self, file: FileId, name: &str) -> Option<Sym> {
        self.syms[file.0 as usize].get(name).copied()
    }

    /// A static name seen from inside a unit, apart from its variables: nested definitions and imports of the enclosing functions,
    /// then the module's.
    pub fn resolve(&self, file: FileId, unit: UnitId, name: Sym) -> Option<Binding> {
        let facts = self.file(file);
        let mut at = Some(unit);
        let mut first = true;
        while let Some(id) = at {
            let unit = facts.unit(id);
            // A class body's names are not seen from its methods.
            if first || unit.shape != Shape::ClassBody {
                if unit.shape == Shape::Module {
                    return self.in_module((file, id), facts.name(name), 0);
                }
                if let Some(bound) = self.scope(file, id).and_then(|scope| scope.names.get(&name)) {
                    match *bound {
                        Bound::Function(unit) => return Some(Binding::Function((file, unit))),
                        Bound::Class(class) => return Some(Binding::Class((file, class))),
                        Bound::Import(import) => return self.import(file, id, import, 0),
                        Bound::Declared(n) => return Some(Binding::External(self.declared[n as usize].clone())),
                        Bound::Variable => {}
                    }
                }
            }
            first = false;
            at = unit.parent;
        }
        None
    }

    /// Whether a name that a nested function uses is a variable or parameter of a function around it.
    pub fn is_captured(&self, file: FileId, unit: UnitId, name: Sym) -> bool {
        let facts = self.file(file);
        let mut at = facts.unit(unit).parent;
        while let Some(id) = at {
            let unit = facts.unit(id);
            match unit.shape {
                Shape::Module => return false,
                Shape::ClassBody => {}
                _ if unit.params.iter().any(|param| param.name == name) => return true,
                _ => match self.scope(file, id).and_then(|scope| scope.names.get(&name)) {
                    Some(Bound::Variable) => return true,
                    Some(_) => return false,
                    None => {}
                },
            }
            at = unit.parent;
        }
        false
    }

    /// A name of a module, from inside or outside it.
    pub fn in_module(&self, module: UnitRef, name: &str, hops: usize) -> Option<Binding> {
        if hops > HOPS {
            return None;
        }
        if let Some(found) = self.own_name(module, name, hops) {
            return Some(found);
        }
        for from in self.stars.get(&module).into_iter().flatten() {
            if let Some(found) = self.own_name(*from, name, hops + 1) {
                return Some(found);
            }
        }
        if let Some(found) = self.outside_name(module, name) {
            return Some(found);
        }
        // A submodule of a package.
        let file = module.0;
        if self.file(file).language == Language::Python && self.path(file).ends_with("__init__.py") {
            let folder = dir_of(self.path(file));
            for path in [join(&folder, &format!("{name}.py")), join(&folder, &format!("{name}/__init__.py"))] {
                if let Some(file) = self.file_at(&path) {
                    return Some(Binding::Module((file, UnitId(0))));
                }
            }
        }
        None
    }

    /// A name that a glob import of a module from outside brings, as far as the call tables know it.
    fn outside_name(&self, module: UnitRef, name: &str) -> Option<Binding> {
        let seen = self.stars.get(&module).into_iter().flatten().chain([&module]);
        let mut outside = seen.filter_map(|from| self.outside_stars.get(from)).flatten();
        outside.find_map(|from| self.calls(Language::Python).star(from, name)).map(|name| Binding::External(name.into()))
    }

    /// A name that a module binds itself, glob imports left out.
    fn own_name(&self, module: UnitRef, name: &str, hops: usize) -> Option<Binding> {
        let (file, unit) = module;
        let scope = self.scope(file, unit)?;
        match self.sym(file, name).and_then(|sym| scope.names.get(&sym)) {
            Some(Bound::Function(unit)) => return Some(Binding::Function((file, *unit))),
            Some(Bound::Class(class)) => return Some(Binding::Class((file, *class))),
            Some(Bound::Import(import)) => return self.import(file, unit, *import, hops + 1),
            Some(Bound::Variable) => return Some(Binding::Variable(module, name.into())),
            Some(Bound::Declared(n)) => return Some(Binding::External(self.declared[*n as usize].clone())),
            None => {}
        }
        self.children.get(&(file, unit, name.into())).map(|child| Binding::Module(*child))
    }

    fn find_outside_stars(&mut self) {
        for (i, scopes) in self.scopes.iter().enumerate().filter(|(i, _)| self.facts[*i].language == Language::Python) {
            let file = FileId(i as u32);
            for (unit, scope) in scopes.iter().filter(|(_, scope)| !scope.stars.is_empty()) {
                let outside = scope.stars.iter().filter_map(|star| {
                    match self.import_module(file, *unit, &self.file(file).imports[*star as usize], 0) {
                        Some(Binding::External(name)) => Some(name),
                        _ => None,
                    }
                });
                let outside: Vec<Arc<str>> = outside.collect();
                self.outside_stars.insert((file, *unit), outside);
            }
        }
    }

    /// The modules whose names a module has through glob imports, its own and theirs, nearest first. A glob's own path may lead through
    /// another glob, so this is done until nothing is added; to follow globs at each look-up would try every way through their cycles.
    fn find_stars(&mut self) {
        self.find_outside_stars();
        for _ in 0..HOPS {
            let mut edges: HashMap<UnitRef, Vec<UnitRef>> = HashMap::new();
            for (i, scopes) in self.scopes.iter().enumerate() {
                let file = FileId(i as u32);
                for (unit, scope) in scopes.iter().filter(|(_, scope)| !scope.stars.is_empty()) {
                    let targets = scope.stars.iter().filter_map(|star| {
                        match self.import_module(file, *unit, &self.file(file).imports[*star as usize], 0) {
                            Some(Binding::Module(target)) if target != (file, *unit) => Some(target),
                            _ => None,
                        }
                    });
                    edges.insert((file, *unit), targets.collect());
                }
            }
            let mut all = HashMap::new();
            for from in edges.keys() {
                let mut reached: Vec<UnitRef> = vec![*from];
                let mut at = 0;
                while at < reached.len() && reached.len() < REACHED {
                    for target in edges.get(&reached[at]).into_iter().flatten() {
                        if !reached.contains(target) {
                            reached.push(*target);
                        }
                    }
                    at += 1;
                }
                reached.remove(0);
                all.insert(*from, reached);
            }
            if all == self.stars {
                return;
            }
            self.stars = all;
        }
    }

    /// The modules whose names a module has through glob imports.
    pub(super) fn star_modules(&self, module: UnitRef) -> &[UnitRef] {
        self.stars.get(&module).map_or(&[], Vec::as_slice)
    }

    fn import(&self, file: FileId, unit: UnitId, import: u32, hops: usize) -> Option<Binding> {
        if hops > HOPS {
            return None;
        }
        let facts = self.file(file);
        let import = &facts.imports[import as usize];
        if import.child.is_some() {
            let name = facts.name(import.bound?);
            let module = self.module_of(file, unit);
            return self.children.get(&(file, module, name.into())).map(|child| Binding::Module(*child));
        }
        match import.name {
            None => match facts.language {
                // `import a.b` binds `a`; `import a.b as c` binds `a.b`.
                Language::Python => {
                    let whole =
                        import.bound.is_none_or(|bound| import.module.first() != Some(&bound)) || import.module.len() == 1;
                    let parts: Vec<&str> = import.module.iter().map(|part| facts.name(*part)).collect();
                    let name = if whole { parts.join(".") } else { parts.first().copied().unwrap_or_default().to_owned() };
                    match self.python_module(&name, file) {
                        Some(file) => Some(Binding::Module((file, UnitId(0)))),
                        None => Some(Binding::External(name.into())),
                    }
                }
                Language::Rust => self.import_module(file, unit, import, hops),
            },
            Some(name) => {
                let name = facts.name(name);
                match self.import_module(file, unit, import, hops)? {
                    Binding::Module(module) => {
                        if module == (file, unit) && import.bound.is_some_and(|bound| facts.name(bound) == name) {
                            return None;
                        }
                        self.in_module(module, name, hops + 1)
                    }
                    Binding::External(module) if facts.language == Language::Python => {
                        let dotted = format!("{module}.{name}");
                        match self.python_module(&dotted, file) {
                            Some(file) => Some(Binding::Module((file, UnitId(0)))),
                            None => Some(Binding::External(dotted.into())),
                        }
                    }
                    Binding::External(module) => Some(Binding::External(format!("{module}::{name}").into())),
                    // `use Enum::Variant`.
                    _ => None,
                }
            }
        }
    }

    /// The module that an import takes from.
    pub(super) fn import_module(&self, file: FileId, unit: UnitId, import: &Import, hops: usize) -> Option<Binding> {
        let facts = self.file(file);
        let parts: Vec<&str> = import.module.iter().map(|part| facts.name(*part)).collect();
        if facts.language == Language::Rust {
            if import.name.is_some() && parts.is_empty() {
                // `use name;`: an external crate, or an item of this module.
                return Some(Binding::Module((file, self.module_of(file, unit))));
            }
            return self.rust_path(file, self.module_of(file, unit), &parts, hops);
        }
        if import.up > 0 {
            let mut folder = dir_of(self.path(file));
            for _ in 1..import.up {
                folder = dir_of(&folder);
            }
            let path = join(&folder, &parts.join("/"));
            let module = if parts.is_empty() { folder } else { path };
            let candidates = [format!("{module}.py"), join(&module, "__init__.py")];
            return match candidates.iter().find_map(|path| self.file_at(path)) {
                Some(file) => Some(Binding::Module((file, UnitId(0)))),
                // A namespace package, or a module that is not here (built, excluded).
                None => Some(Binding::External(module.trim_start_matches('/').replace('/', ".").into())),
            };
        }
        let name = parts.join(".");
        match self.python_module(&name, file) {
            Some(file) => Some(Binding::Module((file, UnitId(0)))),
            None => Some(Binding::External(name.into())),
        }
    }

    /// A Rust path from inside a module.
    pub fn rust_path(&self, file: FileId, module: UnitId, path: &[&str], hops: usize) -> Option<Binding> {
        if hops > HOPS {
            return None;
        }
        let (first, mut rest) = path.split_first()?;
        let mut at: Binding = match *first {
            "crate" => Binding::Module(self.crate_root(file)),
            "self" => Binding::Module((file, module)),
            "super" => {
                let mut at = self.parent_module((file, module))?;
                while let Some(("super", after)) = rest.split_first().map(|(first, after)| (*first, after)) {
                    at = self.parent_module(at)?;
                    rest = after;
                }
                Binding::Module(at)
            }
            name => match self.in_module((file, module), name, hops + 1) {
                Some(binding) => binding,
                None => match self.crates.get(name) {
                    Some(file) => Binding::Module((*file, UnitId(0))),
                    None => Binding::External(name.into()),
                },
            },
        };
        for part in rest {
            at = match at {
                Binding::Module(module) => self.in_module(module, part, hops + 1)?,
                Binding::External(name) => Binding::External(format!("{name}::{part}").into()),
                Binding::Class(class) => match self.method(class, part) {
                    Some(unit) => Binding::Function(unit),
                    None => return None,
                },
                _ => return None,
            };
        }
        Some(at)
    }

    /// The root file of the crate that a Rust file belongs to; where it belongs to several, of the first.
    pub fn crate_root(&self, file: FileId) -> UnitRef {
        let mut at = file;
        for _ in 0..32 {
            match self.parents.get(&at) {
                Some((parent, _)) if *parent != at => at = *parent,
                _ => break,
            }
        }
        (at, UnitId(0))
    }

    fn parent_module(&self, module: UnitRef) -> Option<UnitRef> {
        match self.file(module.0).unit(module.1).parent {
            Some(parent) => Some((module.0, self.module_of(module.0, parent))),
            None => self.parents.get(&module.0).copied(),
        }
    }

    /// A dotted name or path written as a value, seen from a unit.
    pub fn resolve_value(&self, file: FileId, unit: UnitId, value: V) -> Option<Binding> {
        let facts = self.file(file);
        match facts.value(value) {
            Value::Name(name) => self.resolve(file, unit, *name).or_else(|| match facts.language {
                Language::Rust => {
                    let name = facts.name(*name);
                    self.crates.get(name).map(|file| Binding::Module((*file, UnitId(0))))
                }
                Language::Python => None,
            }),
            Value::Path(path) => {
                let path: Vec<&str> = path.iter().map(|part| facts.name(*part)).collect();
                // Names of a function's own `use` lines come first.
                if let Some(first) = path.first().and_then(|first| self.sym(file, first))
                    && self.module_of(file, unit) != unit
                    && let Some(binding) = self.resolve(file, unit, first)
                {
                    return self.walk_path(binding, &path[1..]);
                }
                self.rust_path(file, self.module_of(file, unit), &path, 0)
            }
            Value::Attr(base, name) => match self.resolve_value(file, unit, *base)? {
                Binding::Module(module) => self.in_module(module, facts.name(*name), 0),
                Binding::External(base) => Some(Binding::External(format!("{base}.{}", facts.name(*name)).into())),
                Binding::Class(class) => self.method(class, facts.name(*name)).map(Binding::Function),
                _ => None,
            },
            // `Base[T]`.
            Value::Item(base, _) => self.resolve_value(file, unit, *base),
            _ => None,
        }
    }

    fn walk_path(&self, binding: Binding, rest: &[&str]) -> Option<Binding> {
        let mut at = binding;
        for part in rest {
            at = match at {
                Binding::Module(module) => self.in_module(module, part, 0)?,
                Binding::External(name) => Binding::External(format!("{name}::{part}").into()),
                Binding::Class(class) => Binding::Function(self.method(class, part)?),
                _ => return None,
            };
        }
        Some(at)
    }
}

/// Calls `f` on every step of a block, nested ones after the step that holds them.
pub fn walk(block: &Block, f: &mut dyn FnMut(&Step)) {
    for step in block {
        f(step);
        match step {
            Step::Op(_) => {}
            Step::If { then, other, .. } => {
                walk(then, f);
                walk(other, f);
            }
            Step::Loop { body, other, .. } => {
                walk(body, f);
                walk(other, f);
            }
            Step::Try { body, handlers, other, last } => {
                walk(body, f);
                handlers.iter().for_each(|handler| walk(&handler.body, f));
                walk(other, f);
                walk(last, f);
            }
            Step::With { body, .. } => walk(body, f),
            Step::Scope(body) => walk(body, f),
            Step::Match { arms, .. } => arms.iter().for_each(|arm| walk(&arm.body, f)),
        }
    }
}

/// Calls `f` on every operation of a block.
pub fn walk_ops(block: &Block, f: &mut dyn FnMut(OpId)) {
    walk(block, &mut |step| {
        if let Step::Op(op) = step {
            f(*op);
        }
    });
}

/// The unit that each operation of a file stands in.
fn owners_of(facts: &FileFacts) -> Vec<UnitId> {
    let mut owners = vec![UnitId(0); facts.ops.len()];
    for (u, unit) in facts.units.iter().enumerate() {
        walk_ops(&unit.body, &mut |op| owners[op.0 as usize] = UnitId(u as u32));
    }
    owners
}

fn scopes(facts: &FileFacts) -> HashMap<UnitId, Scope> {
    let mut all = HashMap::new();
    for (u, unit) in facts.units.iter().enumerate() {
        let mut scope = Scope::default();
        let is_body = !matches!(unit.shape, Shape::Module | Shape::ClassBody);
        walk_ops(&unit.body, &mut |op| match &facts.op(op).what {
            What::Define(id) => {
                // A function that is defined again for its next use: which one a call in between means is not known here.
                let again = |old: &Bound| matches!(old, Bound::Function(_)) && is_body;
                let bound = scope.names.entry(facts.unit(*id).name);
                bound.and_modify(|old| *old = if again(old) { Bound::Variable } else { Bound::Function(*id) }).or_insert(Bound::Function(*id));
            }
            What::DefineClass(id)
                // An `impl` has its type's name, which stays the type's.
                if facts.class(*id).extends.is_none() => {
                    scope.names.insert(facts.class(*id).name, Bound::Class(*id));
                }
            What::Import(import) => {
                let data = &facts.imports[*import as usize];
                if data.star {
                    scope.stars.push(*import);
                } else if let Some(bound) = data.bound {
                    // In a try/except of two imports the first is the intended one.
                    scope.names.entry(bound).or_insert(Bound::Import(*import));
                }
            }
            What::Store { to, .. } => {
                if let Value::Name(name) = facts.value(*to) {
                    scope.names.entry(*name).or_insert(Bound::Variable);
                }
            }
            _ => {}
        });
        all.insert(UnitId(u as u32), scope);
    }
    all
}

/// The folder of a path, `""` for the root.
pub fn dir_of(path: &str) -> String {
    path.rsplit_once('/').map_or(String::new(), |(dir, _)| dir.to_owned())
}

/// `dir/name` with `..` and `.` resolved.
pub fn join(dir: &str, name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
