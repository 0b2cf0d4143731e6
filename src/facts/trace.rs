//! How many tests run at once, and who says so: the jobs of CI, the commands they come to, and the chain in between.
//!
//! `conf` fills this vocabulary; what Python code says about it (nox sessions, functions that count workers) is told to `conf`
//! as [`Programs`].

use super::run::{Runner, Workers};
use crate::text::{FileId, Span};

/// Bytes of a file.
pub type Place = (FileId, Span);

/// Who counts CPUs: what it sees differs in a container.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cpu {
    /// All of the machine, whatever the process may use: `os.cpu_count`, `psutil.cpu_count`.
    Machine,
    /// Those that the process may be scheduled on: `sched_getaffinity`, `nproc`. A quota is not seen.
    Affinity,
    /// A container's quota too: Rust's `available_parallelism`, `joblib.cpu_count`.
    Quota,
}

/// A number of workers, as far as it is known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Count {
    Number(u32),
    Cpus(Cpu),
    /// Depends on an environment variable: what it comes to where the variable is set, and where it is not.
    Variable {
        name: String,
        set: Box<Count>,
        unset: Box<Count>,
    },
    /// The number in the variable of the [`Count::Variable`] around.
    Value(String),
    Least(Vec<Count>),
    Most(Vec<Count>),
    Sum(Vec<Count>),
    Product(Vec<Count>),
    /// Divided and rounded down; at least nothing.
    Part(Box<Count>, u32),
    Less(Box<Count>, u32),
    /// One of these; which one is not known.
    Any(Vec<Count>),
    #[default]
    Unknown,
}

/// How far a count can go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Bound {
    At(u32),
    /// As many as there are CPUs, or a part of them: nothing else holds it.
    Cpus(Cpu),
    Unknown,
}

/// A machine to evaluate a count for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    pub name: &'static str,
    pub cpus: u32,
    /// What a container on it may use of them.
    pub quota: u32,
}

impl Count {
    /// The number in a variable, else another count.
    pub fn variable(name: &str, unset: Count) -> Count {
        Count::Variable { name: name.to_owned(), set: Box::new(Count::Value(name.to_owned())), unset: Box::new(unset) }
    }

    /// What holds it at most, with every variable unset that is still open.
    pub fn bound(&self) -> Bound {
        match self {
            Count::Number(n) => Bound::At(*n),
            Count::Cpus(cpu) => Bound::Cpus(*cpu),
            Count::Variable { unset, .. } => unset.bound(),
            Count::Value(_) | Count::Unknown => Bound::Unknown,
            // One known number is enough.
            Count::Least(all) => {
                let bounds = || all.iter().map(Count::bound);
                let known = bounds().filter(|bound| matches!(bound, Bound::At(_))).min();
                known.or_else(|| bounds().max()).unwrap_or(Bound::Unknown)
            }
            Count::Most(all) | Count::Sum(all) | Count::Product(all) => {
                let mut bounds = all.iter().map(Count::bound);
                let fold = |a: Bound, b: Bound| match (a, b) {
                    (Bound::At(a), Bound::At(b)) => Bound::At(match self {
                        Count::Most(_) => a.max(b),
                        Count::Sum(_) => a.saturating_add(b),
                        _ => a.saturating_mul(b),
                    }),
                    (a, b) => a.max(b),
                };
                let first = bounds.next().unwrap_or(Bound::Unknown);
                bounds.fold(first, fold)
            }
            Count::Part(inner, by) => match inner.bound() {
                Bound::At(n) => Bound::At(n / (*by).max(1)),
                other => other,
            },
            Count::Less(inner, by) => match inner.bound() {
                Bound::At(n) => Bound::At(n.saturating_sub(*by)),
                other => other,
            },
            Count::Any(all) => {
                let mut bounds = all.iter().map(Count::bound);
                let first = bounds.next().unwrap_or(Bound::Unknown);
                bounds.fold(first, |a, b| match (a, b) {
                    (Bound::At(a), Bound::At(b)) => Bound::At(a.max(b)),
                    (Bound::Cpus(a), Bound::Cpus(_)) => Bound::Cpus(a),
                    _ => Bound::Unknown,
                })
            }
        }
    }

    /// The number on a machine, with every variable unset that is still open.
    pub fn on(&self, machine: &Machine) -> Option<u32> {
        let each = |all: &[Count]| all.iter().map(|count| count.on(machine)).collect::<Option<Vec<u32>>>();
        match self {
            Count::Number(n) => Some(*n),
            Count::Cpus(Cpu::Machine | Cpu::Affinity) => Some(machine.cpus),
            Count::Cpus(Cpu::Quota) => Some(machine.quota),
            Count::Variable { unset, .. } => unset.on(machine),
            Count::Value(_) | Count::Unknown => None,
            Count::Least(all) => each(all)?.into_iter().min(),
            Count::Most(all) => each(all)?.into_iter().max(),
            Count::Sum(all) => Some(each(all)?.into_iter().fold(0, u32::saturating_add)),
            Count::Product(all) => Some(each(all)?.into_iter().fold(1, u32::saturating_mul)),
            Count::Part(inner, by) => Some(inner.on(machine)? / (*by).max(1)),
            Count::Less(inner, by) => Some(inner.on(machine)?.saturating_sub(*by)),
            Count::Any(all) => {
                let all = each(all)?;
                let first = *all.first()?;
                all.iter().all(|n| *n == first).then_some(first)
            }
        }
    }

    /// The names of the variables that would still change it.
    pub fn knobs(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.visit(&mut |count| {
            if let Count::Variable { name, .. } = count
                && !names.contains(&name.as_str())
            {
                names.push(name.as_str());
            }
        });
        names
    }

    fn visit<'a>(&'a self, look: &mut impl FnMut(&'a Count)) {
        look(self);
        match self {
            Count::Least(all) | Count::Most(all) | Count::Sum(all) | Count::Product(all) | Count::Any(all) => {
                all.iter().for_each(|count| count.visit(look));
            }
            Count::Variable { set, unset, .. } => {
                set.visit(look);
                unset.visit(look);
            }
            Count::Part(inner, _) | Count::Less(inner, _) => inner.visit(look),
            Count::Number(_) | Count::Cpus(_) | Count::Value(_) | Count::Unknown => {}
        }
    }

    /// With the variables filled in that are set: `look` answers `None` for what is not set, `Some(None)` for a value that is not a
    /// known number.
    pub fn filled(&self, look: &impl Fn(&str) -> Option<Option<u32>>) -> Count {
        let all = |list: &[Count]| list.iter().map(|count| count.filled(look)).collect::<Vec<_>>();
        match self {
            Count::Variable { name, set, unset } => match look(name) {
                None => Count::Variable { name: name.clone(), set: set.clone(), unset: Box::new(unset.filled(look)) },
                Some(_) => set.filled(look),
            },
            Count::Value(name) => look(name).flatten().map_or(Count::Unknown, Count::Number),
            Count::Least(list) => Count::Least(all(list)),
            Count::Most(list) => Count::Most(all(list)),
            Count::Sum(list) => Count::Sum(all(list)),
            Count::Product(list) => Count::Product(all(list)),
            Count::Any(list) => Count::Any(all(list)),
            Count::Part(inner, by) => Count::Part(Box::new(inner.filled(look)), *by),
            Count::Less(inner, by) => Count::Less(Box::new(inner.filled(look)), *by),
            other => other.clone(),
        }
    }

    /// One of several; the same twice is one.
    pub fn any(all: impl IntoIterator<Item = Count>) -> Count {
        let mut kept: Vec<Count> = Vec::new();
        for count in all {
            if !kept.contains(&count) {
                kept.push(count);
            }
        }
        if kept.len() == 1 { kept.remove(0) } else { Count::Any(kept) }
    }

    /// In the coarse words of a [`super::run::Run`].
    pub fn workers(&self) -> Workers {
        match self.bound() {
            Bound::At(0 | 1) => Workers::One,
            Bound::At(n) => Workers::Fixed(n),
            Bound::Cpus(_) => Workers::Cpus,
            Bound::Unknown => Workers::Unknown,
        }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |f: &mut std::fmt::Formatter<'_>, all: &[Count], between: &str| {
            for (n, count) in all.iter().enumerate() {
                write!(f, "{}{count}", if n > 0 { between } else { "" })?;
            }
            Ok(())
        };
        match self {
            Count::Number(n) => write!(f, "{n}"),
            Count::Cpus(_) => write!(f, "all CPUs"),
            Count::Variable { unset, .. } => write!(f, "{unset}"),
            Count::Value(name) => write!(f, "what `{name}` says"),
            Count::Least(all) => {
                write!(f, "the least of ")?;
                list(f, all, " and ")
            }
            Count::Most(all) => {
                write!(f, "the most of ")?;
                list(f, all, " and ")
            }
            Count::Sum(all) => list(f, all, " + "),
            Count::Product(all) => list(f, all, " × "),
            Count::Part(inner, by) => write!(f, "{inner} / {by}"),
            Count::Less(inner, by) => write!(f, "{inner} - {by}"),
            Count::Any(all) => list(f, all, " or "),
            Count::Unknown => write!(f, "unknown"),
        }
    }
}

/// A step on the way from a job to a number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Link {
    pub what: Part,
    /// A job's name, the command on one line, the option, the expression.
    pub text: String,
    pub place: Place,
}

/// What a link of the chain is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    Job,
    Step,
    Command,
    /// A make target, a tox environment, a nox session: its name is the text.
    Recipe,
    Script,
    /// The option or setting that gives the number.
    Option,
    Variable,
    Function,
    Expression,
}

/// A variable that a job, step, command or recipe sets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Variable {
    pub name: String,
    /// None where it is not known.
    pub value: Option<String>,
    pub place: Place,
}

/// Which CI service runs a job: its defaults differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Service {
    GitHub,
    /// Forgejo and Gitea: the words are GitHub's, the runners are one's own.
    Forge,
    GitLab,
    Circle,
    Azure,
    Other,
}

/// The machine under a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Host {
    /// One of a kind whose size is known: the number of CPUs, the largest where a matrix has several.
    Known(u32),
    /// One's own machine, of a size that the file does not tell: why we think so.
    Own(&'static str),
    /// Nothing is said.
    Unstated,
}

/// One job of CI.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    pub name: String,
    pub service: Service,
    pub file: FileId,
    /// Its key.
    pub head: Span,
    /// All that the key holds.
    pub body: Span,
    pub host: Host,
    /// What says on which machine it runs.
    pub labels: Option<(String, Place)>,
    pub container: Option<(String, Place)>,
    /// CPUs that the container may use.
    pub quota: Option<u32>,
    /// `timeout-minutes` and its relatives, of the job itself.
    pub timeout: Option<(String, Place)>,
    /// Several instances may run at once: a matrix.
    pub many: bool,
    /// The variables that the job itself sets.
    pub env: Vec<Variable>,
    /// Caches that it keeps between runs.
    pub caches: Vec<Cache>,
    /// Names of artifacts that it uploads.
    pub artifacts: Vec<Artifact>,
    /// It runs under a condition only.
    pub narrow: bool,
    /// It runs on a host that may have other jobs at the same time: neither a container nor a machine of its own.
    pub shares_host: bool,
    /// Ports of the host that its services are reached by.
    pub ports: Vec<(String, Place)>,
    /// One run after the other, by `concurrency`, `resource_group` and the like.
    pub queued: bool,
}

/// A cache with its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cache {
    pub key: String,
    pub path: String,
    pub place: Place,
    /// What the instances of the job differ in, and the key does not tell.
    pub crosses: Option<Crossing>,
}

/// What the instances of a job differ in, as far as it decides what they build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Crossing {
    /// Two labels, of machines of several architectures.
    Architectures(String, String),
    /// Two labels, of several systems.
    Systems(String, String),
    /// The axis that chooses the interpreter.
    Pythons(String),
}

/// An artifact that a job uploads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Artifact {
    pub name: String,
    pub place: Place,
    /// Versions of the action before the fourth put files of one name together.
    pub joins: bool,
}

/// Something of the host that a job takes under a name of its own choice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// An index into [`super::run::Setup::jobs`].
    pub job: usize,
    pub what: Claimed,
    pub name: String,
    pub place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Claimed {
    /// `docker run --name`
    Container,
    /// A port of the host that a container is reached by.
    Port,
    /// A folder outside the workspace that is removed.
    Folder,
    /// `pytest --basetemp` outside the workspace: it is removed first.
    Temp,
}

/// A variable that was set outside and does not reach the runner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    pub variable: Variable,
    /// `tox`, `sudo`, `docker`, `docker compose`, `cibuildwheel`, `env -i`, `ssh`.
    pub by: &'static str,
    /// Where it is dropped.
    pub place: Place,
}

/// A variable that something on the way to the runner does not let through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stop {
    pub name: String,
    /// As in [`Lost`].
    pub by: &'static str,
    pub place: Place,
}

/// A test command that something runs, and how many workers it comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// An index into [`super::run::Setup::jobs`]; none for a recipe that no job was seen to call.
    pub job: Option<usize>,
    /// The runner's name: `pytest`, `cargo nextest run`, `behavex`.
    pub program: String,
    pub runner: Runner,
    /// The command on one line.
    pub text: String,
    pub place: Place,
    pub count: Count,
    /// From the job inward, the number last.
    pub chain: Vec<Link>,
    /// Variables of the environment that hold a number, or that the count could read.
    pub env: Vec<Variable>,
    pub lost: Vec<Lost>,
    /// Variables that the count asks for, and that would not come through if the job set them.
    pub stops: Vec<Stop>,
    /// The word that counts the workers is given as such: `-n 8`.
    pub literal: bool,
    /// Whose exit status is lost: the pipe behind it, and the program that the output goes to.
    pub masked: Option<(Place, String)>,
    /// Something ends a run that hangs: the step, the runner, `timeout`.
    pub timeout: Option<Place>,
    /// The runner tells slow tests and does not end them.
    pub slow_only: Option<Place>,
    /// Runs of one test until it passes, for all tests.
    pub retries: Option<(u32, Place)>,
    /// Files that the command writes its results to, under a fixed name.
    pub reports: Vec<(String, Place)>,
    /// The folder that the command removes first and then keeps its temporary files in, under a fixed name.
    pub basetemp: Option<(String, Place)>,
    /// Commands that run beside this one, by the tool that starts them: `tox -p`, `make -j`.
    pub beside: Option<Beside>,
    /// Of Rust: examples in documentation are among what it runs.
    pub doctests: bool,
    /// nextest's profile.
    pub profile: Option<String>,
    /// Files and folders whose tests it runs, relative to the project.
    pub scopes: Vec<String>,
}

/// An outer tool that starts several test commands at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Beside {
    pub tool: String,
    /// How many it starts at once, at most.
    pub count: Count,
    /// The runs that it is known to start, of this command or of others.
    pub runs: usize,
    pub place: Place,
}

/// A setting that looks as if it capped workers and that nothing reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unread {
    pub what: String,
    pub place: Place,
    pub job: Option<usize>,
    /// Why it is not read, in a sentence's end.
    pub why: String,
    /// What would be read.
    pub instead: String,
    /// Where it would be read.
    pub reader: Option<Place>,
}

/// What Python code says about the running of tests.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Programs {
    pub sessions: Vec<Session>,
    /// `pytest_xdist_auto_num_workers` of a `conftest.py`: its folder, its answer.
    pub hooks: Vec<Hook>,
}

/// A nox session, or the body of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its name; empty for the body of a script.
    pub name: String,
    pub file: FileId,
    pub place: Place,
    /// Run where nothing is asked for.
    pub default: bool,
    pub calls: Vec<Call>,
    /// Names of sessions that it asks for.
    pub needs: Vec<String>,
}

/// A command that Python code runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    pub words: Vec<Word>,
    pub place: Place,
    pub env: Vec<(String, Option<String>)>,
}

/// A word of a command, in pieces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    pub pieces: Vec<Piece>,
    pub place: Place,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    Text(String),
    /// An environment variable and what stands for it where it is not set.
    Variable(String, Option<String>),
    /// What the caller adds, or else these words.
    Args(String),
    /// A number, and the functions and expressions that give it.
    Count(Count, Vec<Link>),
    Unknown,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    pub dir: String,
    pub file: FileId,
    pub count: Count,
    pub chain: Vec<Link>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Machine = Machine { name: "box", cpus: 64, quota: 2 };

    #[test]
    fn counts_are_evaluated() {
        let cpus = || Count::Cpus(Cpu::Affinity);
        let named = |unset| Count::variable("N", unset);
        for (count, bound, number) in [
            (Count::Number(4), Bound::At(4), Some(4)),
            (cpus(), Bound::Cpus(Cpu::Affinity), Some(64)),
            (Count::Cpus(Cpu::Quota), Bound::Cpus(Cpu::Quota), Some(2)),
            (Count::Least(vec![cpus(), Count::Number(8)]), Bound::At(8), Some(8)),
            (Count::Least(vec![Count::Unknown, Count::Number(8)]), Bound::At(8), None),
            (Count::Most(vec![cpus(), Count::Number(1)]), Bound::Cpus(Cpu::Affinity), Some(64)),
            (Count::Part(Box::new(cpus()), 2), Bound::Cpus(Cpu::Affinity), Some(32)),
            (Count::Less(Box::new(Count::Number(1)), 2), Bound::At(0), Some(0)),
            (named(cpus()), Bound::Cpus(Cpu::Affinity), Some(64)),
            (Count::Any(vec![cpus(), Count::Number(1)]), Bound::Unknown, None),
            (Count::Unknown, Bound::Unknown, None),
        ] {
            assert_eq!((count.bound(), count.on(&BOX)), (bound, number), "{count}");
        }
        assert_eq!(named(cpus()).knobs(), ["N"]);
        assert_eq!(named(cpus()).filled(&|_| Some(Some(3))), Count::Number(3));
        assert_eq!(named(cpus()).filled(&|_| Some(None)), Count::Unknown);
        assert_eq!(named(cpus()).filled(&|_| None), named(cpus()));
        assert_eq!(Count::any([cpus(), cpus()]), cpus());
    }
}
