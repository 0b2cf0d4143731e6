//! Ports that a test hands to a server in its configuration, and asks at localhost: the number is fixed, whoever binds it.

use super::spots::parts;
use super::suite::Suite;
use super::term::Site;
use crate::facts::{FileFacts, Language, OpId, Sym, UnitId, V, Value, What};
use crate::text::FileId;
use std::collections::BTreeMap;

/// A constant of a test file that is the port of a server and of its client.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Served {
    pub port: i64,
    /// The constant.
    pub constant: Site,
    /// Where the server's configuration gets it.
    pub given: Site,
    /// Where the client asks there.
    pub asked: Site,
}

/// Words in the keys and names around the port of what listens on it.
const SERVERS: &[&str] = &["api", "daemon", "http", "listen", "metrics", "serve", "service", "web"];

/// Hosts that are this machine.
const HERE: &[&str] = &["localhost", "127.0.0.1", "0.0.0.0", "::1"];

/// Functions that connect to a host and a port (Python documentation, "asyncio", "socket", "http.client").
const CONNECTS: &[&str] = &["HTTPConnection", "connect", "create_connection", "open_connection"];

/// Ports below are for services of the system; those of well-known services are most often for one that runs already.
const FIRST: i64 = 1024;
const KNOWN: &[i64] = &[1433, 1521, 2181, 2379, 3306, 4222, 5432, 5433, 5672, 6379, 8123, 9092, 9200, 11211, 15672, 27017];

/// How a value is used in one operation.
struct Uses {
    given: Option<OpId>,
    asked: Option<OpId>,
}

impl Suite<'_> {
    /// All such ports, in the order of the files.
    pub fn served(&self) -> Vec<Served> {
        let python = |file: &FileId| self.language(*file) == Language::Python && self.holds_tests(*file);
        let files = (0..self.facts.len()).map(|file| FileId(file as u32)).filter(python);
        files.flat_map(|file| served_in(self.file(file), file)).collect()
    }
}

fn served_in(facts: &FileFacts, file: FileId) -> Vec<Served> {
    let mut constants: BTreeMap<Sym, (i64, OpId)> = BTreeMap::new();
    let mut uses: BTreeMap<Sym, Uses> = BTreeMap::new();
    super::index::walk_ops(&facts.unit(UnitId(0)).body, &mut |op| {
        if let What::Store { to, value, .. } = &facts.op(op).what
            && let (Value::Name(name), Value::Int(port)) = (facts.value(*to), facts.value(*value))
            && (FIRST..=65535).contains(port)
            && !KNOWN.contains(port)
        {
            constants.insert(*name, (*port, op));
        }
    });
    if constants.is_empty() {
        return Vec::new();
    }
    for (i, op) in facts.ops.iter().enumerate() {
        let id = OpId(i as u32);
        let look = Look { facts, constants: &constants };
        let mut given = Vec::new();
        let mut asked = Vec::new();
        super::spots::each_value(&op.what, &mut |v| {
            look.given(v, false, 0, &mut given);
            look.asked(v, 0, &mut asked);
        });
        if let What::Call { callee, args } = &op.what {
            let name = facts.dotted(*callee).unwrap_or_default();
            let name = name.rsplit('.').next().unwrap_or(&name).to_owned();
            for arg in args {
                let is_port = arg.name.is_some_and(|name| is_port(facts.name(name)));
                if is_port && speaks_of_server(&name) {
                    given.extend(look.constant(arg.value));
                }
            }
            if let ([host, port, ..], true) = (args.as_slice(), CONNECTS.contains(&name.as_str()))
                && look.is_here(host.value)
            {
                asked.extend(look.constant(port.value));
            }
        }
        for name in given {
            uses.entry(name).or_insert(Uses { given: None, asked: None }).given.get_or_insert(id);
        }
        for name in asked {
            uses.entry(name).or_insert(Uses { given: None, asked: None }).asked.get_or_insert(id);
        }
    }
    let site = |op: OpId| Site { file, op };
    let both = uses.iter().filter_map(|(name, uses)| Some((constants[name], uses.given?, uses.asked?)));
    both.map(|((port, op), given, asked)| Served { port, constant: site(op), given: site(given), asked: site(asked) }).collect()
}

fn is_port(name: &str) -> bool {
    name == "port" || name.ends_with("_port")
}

fn speaks_of_server(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SERVERS.iter().any(|word| name.contains(word)) && !name.contains("client")
}

struct Look<'a> {
    facts: &'a FileFacts,
    constants: &'a BTreeMap<Sym, (i64, OpId)>,
}

impl Look<'_> {
    fn constant(&self, v: V) -> Option<Sym> {
        match self.facts.value(v) {
            Value::Name(name) if self.constants.contains_key(name) => Some(*name),
            _ => None,
        }
    }

    fn text(&self, v: V) -> Option<&str> {
        match self.facts.value(v) {
            Value::Text(text) => Some(self.facts.name(*text)),
            _ => None,
        }
    }

    fn is_here(&self, v: V) -> bool {
        self.text(v).is_some_and(|host| HERE.contains(&host))
    }

    /// `{"service": {"port": PORT}}`: the keys around tell whose port it is.
    fn given(&self, v: V, of_server: bool, depth: usize, out: &mut Vec<Sym>) {
        if depth > 12 {
            return;
        }
        match self.facts.value(v) {
            Value::Dict(pairs) => {
                for (key, value) in pairs {
                    let key = self.text(*key).unwrap_or_default();
                    if is_port(key) && (of_server || speaks_of_server(key)) {
                        out.extend(self.constant(*value));
                    }
                    self.given(*value, of_server || speaks_of_server(key), depth + 1, out);
                }
            }
            value => parts(value, &mut |part| self.given(part, of_server, depth + 1, out)),
        }
    }

    /// `f"http://localhost:{PORT}/"`, `("localhost", PORT)`.
    fn asked(&self, v: V, depth: usize, out: &mut Vec<Sym>) {
        if depth > 12 {
            return;
        }
        match self.facts.value(v) {
            Value::Format(all) => {
                for pair in all.windows(2) {
                    let host = self.text(pair[0]).and_then(|text| text.strip_suffix(':'));
                    let host = host.map(|text| text.rsplit(['/', '@']).next().unwrap_or(text));
                    if host.is_some_and(|host| HERE.contains(&host)) {
                        out.extend(self.constant(pair[1]));
                    }
                }
            }
            Value::Tuple(all) => {
                if let [host, port] = all.as_slice()
                    && self.is_here(*host)
                {
                    out.extend(self.constant(*port));
                }
            }
            value => parts(value, &mut |part| self.asked(part, depth + 1, out)),
        }
    }
}
