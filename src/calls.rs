//! The call tables: what a library call does, gives or guards. Data in `rules/calls/`, read once; `rules/calls/README.md` has the
//! words.

mod own;
mod sound;

pub use own::{Fault, Tables};

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

/// What happens to a path. The words of `rules/calls/README.md`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Open,
    Read,
    Stat,
    List,
    Write,
    Append,
    Update,
    Publish,
    Create,
    Delete,
    DeleteTree,
    MakeDir,
    WriteTree,
    Name,
    Database,
}

/// How a callable argument is run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    Inline,
    /// At its first call in a process, and not again there.
    Once,
    Thread,
    Process,
    Task,
    AtExit,
    /// At the end of the test that registers it.
    Cleanup,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redirected {
    Cwd,
    Home,
    Temp,
    /// The whole file system is virtual.
    Files,
    Unknown,
}

/// What comes of a call's values from run to run: `[values]` of the tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// A collection that keeps no order: its elements come as their hashes have it, which differ from process to process.
    Hash,
    /// The names in a folder, in the order that the file system has them.
    Listing,
    /// What work gives, in the order in which it ends.
    Completion,
    /// The time of day.
    Now,
    /// The day.
    Date,
    /// A clock that only measures.
    Clock,
    /// How long something took.
    Elapsed,
    /// Drawn from a generator that was not given a seed.
    Random,
    /// A constant length of time.
    Period,
    /// The elements of the argument or receiver, one after the other.
    Row,
    /// The argument or receiver, or one made of it alone.
    Same,
    /// The same, cut to full seconds or coarser.
    Coarse,
    /// One number of many: order does not count.
    Measure,
    /// The same within a tolerance.
    Near,
    /// Puts the receiver in order.
    Sorts,
    /// Puts the argument at the receiver's end.
    Grows,
    /// Fails where its two arguments differ.
    Equal,
    /// Fails where its two arguments differ by more than a tolerance.
    Almost,
    /// Fails where the text of its argument is not the one that was kept.
    Snapshot,
    /// Waits for a fixed time.
    Sleep,
    /// Starts work that goes on beside the caller.
    Start,
    /// Waits until something has happened.
    Wait,
    /// Tells work to end.
    End,
}

/// What a function that counts CPUs sees of a container's limits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sees {
    /// Nothing: it counts those of the machine.
    Machine,
    /// The set of CPUs that the process may be scheduled on, and no quota.
    Affinity,
    /// The quota too.
    Quota,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifetime {
    Block,
    Rest,
}

/// Which units a guard orders.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Threads of one process.
    Process,
    /// Processes of one host.
    Host,
    /// Tests of one run.
    Run,
}

/// What makes two instances' names differ. Who separates whom under which runner: `link::separates`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Discriminator {
    Rand,
    Pid,
    Pgid,
    Tid,
    Tname,
    Ns,
    /// A clock read in thousandths of a second: what starts together has the same.
    Ms,
    Sec,
    Date,
    Counter,
    Worker,
    Slot,
    Run,
    Test,
    Testname,
    Param,
    Class,
    Seedrng,
    Objid,
    User,
    Host,
}

/// What the arguments in `does` name, where they name no path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Keeper {
    /// Variables of the environment.
    Environment,
    WorkingDirectory,
    /// Ports of the host.
    Port,
    /// Things of this kind that a service or the host keeps.
    Named(String),
    /// What a library keeps for the whole process, by its dotted name.
    Library(String),
    /// What the program of a command line takes: ports, containers.
    Command,
    /// The databases that a statement of SQL makes or drops.
    Sql,
}

impl<'de> Deserialize<'de> for Keeper {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Ok(match text.split_once(':') {
            None if text == "environment" => Keeper::Environment,
            None if text == "working-directory" => Keeper::WorkingDirectory,
            None if text == "port" => Keeper::Port,
            None if text == "command" => Keeper::Command,
            None if text == "sql" => Keeper::Sql,
            Some(("named", kind)) => Keeper::Named(kind.to_owned()),
            Some(("library", name)) => Keeper::Library(name.to_owned()),
            _ => return Err(serde::de::Error::custom(format!("`{text}` is none of the words that `state` knows"))),
        })
    }
}

/// What a call's result is; arguments by name, `self` for the receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Gives {
    Same(String),
    /// All of the receiver and the positional arguments, or the named ones.
    Join(Vec<String>),
    Parent(String),
    Name(String),
    Stem(String),
    WithSuffix(String, String),
    WithName(String, String),
    WithStem(String, String),
    ExpandHome(String),
    Cwd,
    /// The user's home, or a folder below it, and what arguments name there.
    Home(String, Vec<String>),
    Temp,
    Crate,
    Source(String),
    FreshDir(Option<String>),
    FreshFile(Option<String>),
    FreshName(Option<String>),
    TestDir,
    SessionDir,
    RunDir(Option<String>),
    Handle(String),
    Child(String),
    /// The name of something inside a directory.
    Entry(String),
    /// What `os.walk` gives: a folder below, the names of its folders, the names of its files.
    Walk(String),
    Virtual,
    Env(String),
    Derived(String),
    Unique(Discriminator),
    /// The time that the argument holds, no finer than this.
    Coarse(String, Discriminator),
    /// A clock's text: the argument is a format in the manner of `strftime`.
    ClockText(String),
    Format,
    TextJoin,
    Cpus(Sees),
    /// The number of a port that the system chose, or a pair of host and such a number.
    Port,
    Address,
    /// This text.
    Text(String),
    Nothing,
    Unknown,
}

impl Gives {
    /// Reads `kind` or `kind:argument[,argument]`.
    pub fn parse(text: &str) -> Result<Gives, String> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let args: Vec<String> = rest.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect();
        let one = || match args.as_slice() {
            [one] => Ok(one.clone()),
            _ => Err(format!("`{text}` needs one argument after the colon")),
        };
        let two = || match args.as_slice() {
            [a, b] => Ok((a.clone(), b.clone())),
            _ => Err(format!("`{text}` needs two arguments after the colon")),
        };
        Ok(match kind {
            "same" => Gives::Same(one()?),
            "join" => Gives::Join(args),
            "parent" => Gives::Parent(one()?),
            "name" => Gives::Name(one()?),
            "stem" => Gives::Stem(one()?),
            "with-suffix" => two().map(|(a, b)| Gives::WithSuffix(a, b))?,
            "with-name" => two().map(|(a, b)| Gives::WithName(a, b))?,
            "with-stem" => two().map(|(a, b)| Gives::WithStem(a, b))?,
            "expand-home" => Gives::ExpandHome(one()?),
            "cwd" => Gives::Cwd,
            "home" => Gives::Home(String::new(), args),
            kind if kind.starts_with("home/") => Gives::Home(kind["home/".len()..].to_owned(), args),
            "temp" => Gives::Temp,
            "crate" => Gives::Crate,
            "source" => Gives::Source(one()?),
            "fresh-dir" => Gives::FreshDir(args.first().cloned()),
            "fresh-file" => Gives::FreshFile(args.first().cloned()),
            "fresh-name" => Gives::FreshName(args.first().cloned()),
            "test-dir" => Gives::TestDir,
            "session-dir" => Gives::SessionDir,
            "run-dir" => Gives::RunDir(args.first().cloned()),
            "handle" => Gives::Handle(one()?),
            "child" => Gives::Child(one()?),
            "entry" => Gives::Entry(one()?),
            "walk" => Gives::Walk(one()?),
            "virtual" => Gives::Virtual,
            "env" => Gives::Env(one()?),
            "derived" => Gives::Derived(one()?),
            "unique" => {
                let word = toml::Value::String(one()?);
                Gives::Unique(Discriminator::deserialize(word).map_err(|e| e.to_string())?)
            }
            "coarse" => {
                let (of, word) = two()?;
                let word = toml::Value::String(word);
                Gives::Coarse(of, Discriminator::deserialize(word).map_err(|e| e.to_string())?)
            }
            "clock-text" => Gives::ClockText(one()?),
            "format" => Gives::Format,
            "text-join" => Gives::TextJoin,
            "cpus" => Gives::Cpus(match args.as_slice() {
                [] => Sees::Machine,
                [sees] if sees == "affinity" => Sees::Affinity,
                [sees] if sees == "quota" => Sees::Quota,
                _ => return Err(format!("`{text}`: `affinity` or `quota` may stand behind the colon")),
            }),
            "port" => Gives::Port,
            "address" => Gives::Address,
            "text" => Gives::Text(one()?),
            "nothing" => Gives::Nothing,
            "unknown" => Gives::Unknown,
            _ => return Err(format!("`{kind}` is none of the words that `gives` knows")),
        })
    }
}

impl<'de> Deserialize<'de> for Gives {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Gives::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// `true`, or the parameter that decides.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
pub enum Flag {
    Always(bool),
    Param(String),
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one).iter().map(String::as_str),
            OneOrMany::Many(many) => many.iter().map(String::as_str),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    pub arg: String,
    pub how: How,
}

/// How many workers a pool starts.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The argument that says how many.
    pub workers: String,
    /// The number that stands for all CPUs; without it, an argument that is left out does.
    pub all: Option<i64>,
    /// Arguments under which it is another matter.
    #[serde(default)]
    pub unless: Vec<String>,
}

/// What kind of thing runs beside the code that made it, or is waited on by what does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Thread,
    Timer,
    /// A process of `multiprocessing`, which runs code of the project.
    Process,
    /// A program that was started.
    Child,
    Task,
    /// An executor or pool of threads.
    Threads,
    /// An executor or pool of processes.
    Processes,
    Loop,
    Server,
    Queue,
    Socket,
    /// What the call of an `async` function gives: it does not run before it is awaited.
    Coroutine,
}

/// The life of the values of a type: which methods start them, wait for their end and end them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Thing {
    pub kind: Kind,
    /// Methods that start it; without any, it runs as soon as it is made.
    #[serde(default)]
    pub starts: Vec<String>,
    /// Methods that wait until it has ended.
    #[serde(default)]
    pub joins: Vec<String>,
    /// Methods that end it, or have it end.
    #[serde(default)]
    pub ends: Vec<String>,
    /// Methods and attributes that do neither.
    #[serde(default)]
    pub looks: Vec<String>,
    /// Functions that wait for its end when they are handed it.
    #[serde(default)]
    pub joined_by: Vec<String>,
    /// The parameter or attribute that lets the process end without waiting for it.
    pub daemon: Option<String>,
    /// A call gives back what it is handed, unless that is a call's result.
    #[serde(default)]
    pub handed_on: bool,
    /// By method that goes on until it is told to end: the methods that tell it, and come back when it has ended.
    #[serde(default)]
    pub serves: BTreeMap<String, Vec<String>>,
    /// What its methods raise once it was closed, or while they wait.
    #[serde(default)]
    pub closed: BTreeMap<String, Vec<String>>,
}

/// One entry of a table. The fields are explained in `rules/calls/README.md`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Call {
    #[serde(default)]
    pub params: Vec<String>,
    #[serde(default)]
    pub does: BTreeMap<Verb, OneOrMany>,
    /// The process that calls it ends or leaves whoever started it: what goes on is nobody's child.
    #[serde(default)]
    pub detaches: bool,
    /// What is done is done to something that is no path.
    pub state: Option<Keeper>,
    /// What stands for the arguments in `does` where they are left out.
    pub left_out: Option<LeftOut>,
    /// The parameter that has to be true for it.
    pub when: Option<String>,
    /// The argument that holds what is written to it.
    pub value: Option<String>,
    /// What it changes is put back by itself: at the end of the test, or of the block.
    #[serde(default)]
    pub undone: bool,
    pub mode: Option<String>,
    pub mode_default: Option<String>,
    pub tolerant: Option<Flag>,
    pub format: Option<String>,
    /// The argument that holds text or bytes of the format.
    pub decodes: Option<String>,
    pub gives: Option<Gives>,
    #[serde(rename = "type")]
    pub ty: Option<String>,
    pub enter: Option<Gives>,
    #[serde(default)]
    pub attr: bool,
    pub runs: Option<Runs>,
    /// It starts workers that each keep a CPU busy.
    pub pool: Option<Pool>,
    pub redirects: Option<Redirected>,
    pub to: Option<Gives>,
    #[serde(rename = "while")]
    pub lifetime: Option<Lifetime>,
    pub guard: Option<Reach>,
    pub on: Option<String>,
    #[serde(default)]
    pub expects_failure: bool,
    pub skips: Option<Flag>,
    #[serde(default)]
    pub repeats: bool,
    #[serde(default)]
    pub test: bool,
    #[serde(default)]
    pub scope: bool,
    #[serde(default)]
    pub store: bool,
    /// It stands for another object in each context: what is done to it is done to none that the process keeps.
    #[serde(default)]
    pub per_context: bool,
    /// What it makes goes with the result; the parameter that says otherwise.
    pub owns: Option<Flag>,
    /// What the receiver owns does not go with it from here on.
    #[serde(default)]
    pub keeps: bool,
    #[serde(default)]
    pub ends: bool,
}

/// A default that touches something.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LeftOut {
    pub value: i64,
    /// Arguments under which it is another matter.
    #[serde(default)]
    pub unless: Vec<String>,
}

/// What a program takes of its host, by its options.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Program {
    /// Options that hold the port it listens on.
    #[serde(default)]
    pub ports: Vec<String>,
    /// Its first plain word is the port.
    #[serde(default)]
    pub first: bool,
}

/// What `from module import *` brings of other modules.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Star {
    modules: Vec<String>,
    /// Dotted; each is bound to its last part.
    names: Vec<String>,
}

/// One table, as it is written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(default)]
    star: Vec<Star>,
    #[serde(default)]
    types: BTreeMap<String, String>,
    #[serde(default)]
    calls: BTreeMap<String, Call>,
    #[serde(default)]
    values: BTreeMap<String, Flow>,
    #[serde(default)]
    formats: BTreeMap<String, Format>,
    #[serde(default)]
    errors: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    things: BTreeMap<String, Thing>,
    #[serde(default)]
    programs: BTreeMap<String, Program>,
}

/// What a format's loaders raise on a file that was cut off somewhere.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// On most of the lengths, or on an empty file.
    pub torn: Vec<String>,
    /// Further errors of damaged content: who catches them means to survive it.
    #[serde(default)]
    pub damaged: Vec<String>,
}

/// All tables of one language.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Calls {
    calls: HashMap<String, Call>,
    values: HashMap<String, Flow>,
    types: HashMap<String, String>,
    formats: HashMap<String, Format>,
    /// By error: the errors that it is one of.
    errors: HashMap<String, OneOrMany>,
    things: HashMap<String, Thing>,
    programs: HashMap<String, Program>,
    /// Types whose values own what they stand for.
    owners: HashSet<String>,
    /// By module and name: what the name means that a glob import of the module brings.
    stars: HashMap<(String, String), String>,
    /// Keys of the project's own tables.
    own: BTreeSet<String>,
}

impl Calls {
    /// Adds a table; a later entry replaces an earlier one of the same key.
    ///
    /// # Errors
    /// The TOML error, with its line, where the text is no table of calls.
    pub fn add(&mut self, text: &str) -> Result<(), toml::de::Error> {
        self.put(toml::from_str(text)?);
        Ok(())
    }

    fn put(&mut self, table: Table) {
        for key in table.calls.keys() {
            self.owners.remove(key);
        }
        let owning = table.calls.iter().filter(|(_, call)| call.owns.is_some());
        self.owners.extend(owning.map(|(key, call)| call.ty.clone().unwrap_or_else(|| key.clone())));
        self.calls.extend(table.calls);
        self.values.extend(table.values);
        self.types.extend(table.types);
        for star in table.star {
            for name in star.names {
                let last = name.rsplit('.').next().unwrap_or(&name).to_owned();
                self.stars.extend(star.modules.iter().map(|module| ((module.clone(), last.clone()), name.clone())));
            }
        }
        self.formats.extend(table.formats);
        self.errors.extend(table.errors);
        self.things.extend(table.things);
        self.programs.extend(table.programs);
    }

    /// Adds a table of the project itself: its entries go before ours.
    fn put_own(&mut self, table: Table) {
        let keys = table.calls.keys().chain(table.types.keys()).chain(table.things.keys());
        self.own.extend(keys.cloned());
        self.put(table);
    }

    /// The keys that the project's own tables speak of.
    pub fn own(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(String::as_str)
    }

    pub fn get(&self, key: &str) -> Option<&Call> {
        self.calls.get(key)
    }

    /// The full name of what `from module import *` binds to a name: its own function or class, or what it has from elsewhere.
    pub fn star(&self, module: &str, name: &str) -> Option<String> {
        let own = format!("{module}.{name}");
        if self.calls.contains_key(&own) {
            return Some(own);
        }
        self.stars.get(&(module.to_owned(), name.to_owned())).cloned()
    }

    /// What comes of a call's values from run to run.
    pub fn flow(&self, key: &str) -> Option<Flow> {
        self.values.get(key).copied()
    }

    pub fn format(&self, name: &str) -> Option<&Format> {
        self.formats.get(name)
    }

    /// Whether a handler for `handled` catches `error`: it is the same, or one that `error` is a kind of.
    pub fn catches(&self, handled: &str, error: &str) -> bool {
        let mut open = vec![error];
        for _ in 0..16 {
            let Some(one) = open.pop() else { return false };
            if one == handled {
                return true;
            }
            open.extend(self.errors.get(one).into_iter().flat_map(OneOrMany::iter));
        }
        false
    }

    /// The life of the values of a type, or of the one that it behaves as.
    pub fn thing(&self, ty: &str) -> Option<&Thing> {
        let mut ty = ty;
        for _ in 0..8 {
            if let Some(thing) = self.things.get(ty) {
                return Some(thing);
            }
            ty = self.behaves_as(ty)?;
        }
        None
    }

    /// The methods that wait for the end of a method that goes on until then; by its name, which speaks for itself.
    pub fn ends_of(&self, method: &str) -> Option<&[String]> {
        self.things.values().find_map(|thing| thing.serves.get(method)).map(Vec::as_slice)
    }

    /// Whether a thing with a life of its own has a method of this name.
    pub fn is_of_thing(&self, method: &str) -> bool {
        self.things.values().any(|thing| thing.looks.iter().chain(&thing.starts).any(|one| one == method))
    }

    /// What a program takes, by its name or the Python module that is run.
    pub fn program(&self, name: &str) -> Option<&Program> {
        self.programs.get(name)
    }

    /// Whether a value of this type removes its file or directory when it goes.
    pub fn owns(&self, ty: &str) -> bool {
        self.owners.contains(ty)
    }

    /// The type that `name` behaves as.
    pub fn behaves_as(&self, name: &str) -> Option<&str> {
        self.types.get(name).map(String::as_str)
    }

    /// The entry for a method or attribute of a type, or of what it behaves as. `separator` is `.` or `::`.
    pub fn method(&self, ty: &str, separator: &str, method: &str) -> Option<&Call> {
        let mut ty = ty;
        for _ in 0..8 {
            if let Some(call) = self.calls.get(&format!("{ty}{separator}{method}")) {
                return Some(call);
            }
            ty = self.behaves_as(ty)?;
        }
        None
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.calls.keys().map(String::as_str)
    }
}

macro_rules! tables {
    ($($path:literal),* $(,)?) => { &[$(($path, include_str!(concat!("../rules/calls/", $path)))),*] };
}

/// The embedded tables, by path below `rules/calls/`.
pub const TABLES: &[(&str, &str)] = tables![
    "python/builtins.toml",
    "python/concurrency.toml",
    "python/data.toml",
    "python/fastcore.toml",
    "python/formats.toml",
    "python/network.toml",
    "python/os.toml",
    "python/pathlib.toml",
    "python/pytest.toml",
    "python/registries.toml",
    "python/shutil.toml",
    "python/stdlib.toml",
    "python/tempfile.toml",
    "python/thirdparty.toml",
    "rust/concurrency.toml",
    "python/values.toml",
    "rust/crates.toml",
    "rust/formats.toml",
    "rust/network.toml",
    "rust/std.toml",
    "rust/tempfile.toml",
    "rust/tests.toml",
    "rust/tokio.toml",
    "rust/values.toml",
];

fn embedded(folder: &str) -> Calls {
    let mut calls = Calls::default();
    for (path, text) in TABLES {
        if path.starts_with(folder) {
            // A table that does not parse fails the test below, not a user's run.
            let _ = calls.add(text);
        }
    }
    calls
}

/// What we know of Python libraries.
pub fn python() -> &'static Calls {
    static PYTHON: OnceLock<Calls> = OnceLock::new();
    PYTHON.get_or_init(|| embedded("python/"))
}

/// What we know of Rust crates.
pub fn rust() -> &'static Calls {
    static RUST: OnceLock<Calls> = OnceLock::new();
    RUST.get_or_init(|| embedded("rust/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_parses_and_is_listed() {
        for (path, text) in TABLES {
            if let Err(error) = Calls::default().add(text) {
                panic!("rules/calls/{path}: {error}");
            }
        }
        let listed: BTreeSet<String> = TABLES.iter().map(|(path, _)| (*path).to_owned()).collect();
        let mut found = BTreeSet::new();
        for folder in ["python", "rust"] {
            for entry in std::fs::read_dir(format!("{}/rules/calls/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
                found.insert(format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap()));
            }
        }
        assert_eq!(listed, found, "list every table of rules/calls in TABLES");
    }

    #[test]
    fn no_key_stands_in_two_tables() {
        for folder in ["python/", "rust/"] {
            let mut seen: HashMap<String, &str> = HashMap::new();
            for (path, text) in TABLES.iter().filter(|(path, _)| path.starts_with(folder)) {
                let table: Table = toml::from_str(text).unwrap();
                for key in table.calls.into_keys() {
                    if let Some(other) = seen.insert(key.clone(), path) {
                        panic!("`{key}` stands in {other} and in {path}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_entry_is_sound() {
        for (path, text) in TABLES {
            let table: Table = toml::from_str(text).unwrap();
            for (key, call) in &table.calls {
                assert_eq!(call.unsound(), None, "{path}: `{key}`");
            }
        }
    }

    #[test]
    fn keys_are_sorted() {
        for (path, text) in TABLES {
            let calls = text.split_once("[calls]").map_or("", |(_, calls)| calls);
            let keys: Vec<&str> = calls.lines().filter_map(|line| line.strip_prefix('"')?.split('"').next()).collect();
            for pair in keys.windows(2) {
                assert!(pair[0] < pair[1], "{path}: `{}` stands before `{}`", pair[0], pair[1]);
            }
        }
    }

    #[test]
    fn a_type_that_behaves_as_another_leads_to_methods() {
        for (calls, separator) in [(python(), "."), (rust(), "::")] {
            for (name, other) in &calls.types {
                let prefix = format!("{other}{separator}");
                let named = calls.types.contains_key(other) || calls.things.contains_key(other);
                let leads = named || calls.keys().any(|key| key == other || key.starts_with(&prefix));
                assert!(leads, "`{name}` behaves as `{other}`, of which nothing is known");
            }
        }
    }

    #[test]
    fn methods_are_found_through_the_types_they_behave_as() {
        let suffix = python().method("pathlib.PosixPath", ".", "with_suffix").and_then(|call| call.gives.clone());
        assert_eq!(suffix, Some(Gives::WithSuffix("self".into(), "suffix".into())));
        let stats = rust().method("camino::Utf8PathBuf", "::", "exists").map(|call| call.does.contains_key(&Verb::Stat));
        assert_eq!(stats, Some(true));
        assert!(python().method("pathlib.PurePath", ".", "write_text").is_none(), "a pure path touches no file");
    }
}
