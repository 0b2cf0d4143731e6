//! Reads a configuration file by the description of its keys ([`super::keys`]).

use super::keys::{Key, Kind, LANGUAGES, LEVELS, LOCAL, ONE_BY_ONE, PER_PATH, REACHES, RUN, WHOLE, level, names};
use super::names::{nearest, present, quoted};
use super::{
    CONFIDENCES, CallTable, Globs, Held, Home, Local, Named, PerPath, SEVERITIES, Settings, Wrong, confidence, globs, severity,
    unknown_rule,
};
use crate::calls::{Fault, Table};
use crate::facts::run::{Declared, Dist, RUNNERS, Workers};
use crate::text::Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where our table stands in a file of that name: the first that is there. An empty way is the whole file.
pub fn homes(name: &str) -> &'static [&'static [&'static str]] {
    match name {
        "pyproject.toml" => &[&["tool", "isolint"]],
        "Cargo.toml" => &[&["workspace", "metadata", "isolint"], &["package", "metadata", "isolint"]],
        _ => &[&[]],
    }
}

impl Settings {
    /// Reads a configuration file. `file` is its path: `pyproject.toml` holds `[tool.isolint]`, `Cargo.toml` holds
    /// `[workspace.metadata.isolint]` or `[package.metadata.isolint]`, and any other file is ours as a whole. `rules` are all names
    /// that select a rule. None where the file does not speak of us.
    ///
    /// # Errors
    /// An unknown key or rule, a value of the wrong type, or a file that is no TOML, with its line. A `pyproject.toml` or
    /// `Cargo.toml` that does not parse is an error only where it may hold our table.
    pub fn read(file: &str, text: &str, home: Home, rules: &[&str]) -> Result<Option<Settings>, Wrong> {
        let homes = homes(file.rsplit(['/', '\\']).next().unwrap_or(file));
        if !homes[0].is_empty() && !text.contains("isolint") {
            return Ok(None);
        }
        let reading = Reading { file, text, rules };
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            reading.wrong(at, error.message().to_owned())
        })?;
        for way in homes {
            let mut at = Some(document.get_ref());
            for (n, key) in way.iter().enumerate() {
                let value = at.and_then(|table| table.get(*key));
                at = value.and_then(|value| value.get_ref().as_table());
                if let (None, Some(value)) = (at, value)
                    && n + 1 == way.len()
                {
                    return Err(reading.wrong(value.span().start, format!("`{0}` is a table: `[{0}]`", way.join("."))));
                }
            }
            if let Some(table) = at {
                let mut settings = Settings::default();
                reading.top(&mut settings, table, home)?;
                return Ok(Some(settings));
            }
        }
        Ok(None)
    }

    /// Reads a file of call tables that a setting names.
    ///
    /// # Errors
    /// It is no table of calls; with the line and the key.
    pub fn call_table(file: &str, text: &str) -> Result<Table, Wrong> {
        let reading = Reading { file, text, rules: &[] };
        Table::read(text).map_err(|fault| reading.fault(&fault, ""))
    }
}

/// A file being read.
struct Reading<'a> {
    file: &'a str,
    text: &'a str,
    rules: &'a [&'a str],
}

type Value<'a> = Spanned<DeValue<'a>>;

impl Reading<'_> {
    fn top(&self, settings: &mut Settings, table: &DeTable, home: Home) -> Result<(), Wrong> {
        let keys: &[&'static [Key<Settings>]] = match home {
            Home::Root => &[LOCAL, WHOLE],
            Home::Nested => &[LOCAL],
        };
        if home == Home::Nested {
            for (key, _) in in_order(table) {
                let name = key.get_ref().as_ref();
                if WHOLE.iter().any(|whole| whole.name == name) {
                    let what =
                        format!("`{name}` concerns the whole project: write it into the configuration of the project's root");
                    return Err(self.wrong(key.span().start, what));
                }
            }
        }
        self.table(settings, table, keys)
    }

    /// Reads a table by its keys.
    fn table<T>(&self, out: &mut T, table: &DeTable, keys: &[&'static [Key<T>]]) -> Result<(), Wrong> {
        for (key, value) in in_order(table) {
            let name = key.get_ref().as_ref();
            match keys.iter().flat_map(|keys| keys.iter()).find(|known| known.name == name) {
                Some(known) => self.value(out, known, value)?,
                None => return Err(self.unknown(key, &names(keys))),
            }
        }
        Ok(())
    }

    fn unknown(&self, key: &Spanned<std::borrow::Cow<str>>, known: &[&str]) -> Wrong {
        let name = key.get_ref().as_ref();
        self.wrong(key.span().start, format!("unknown key `{name}`; {}", meant(name, known)))
    }

    fn value<T>(&self, out: &mut T, key: &Key<T>, value: &Value) -> Result<(), Wrong> {
        let is = || self.wrong(value.span().start, format!("`{}` is {}", key.name, key.kind.form().is));
        let text = || value.get_ref().as_str().filter(|text| !text.is_empty()).ok_or_else(is);
        match &key.kind {
            Kind::Flag(slot) => *slot(out) = Some(value.get_ref().as_bool().ok_or_else(is)?),
            Kind::Text(slot) => *slot(out) = Some(text()?.to_owned()),
            Kind::File(slot) => *slot(out) = Some(self.toml_file(value).ok_or_else(is)?),
            Kind::Rules(slot) => *slot(out) = Some(self.rules(key.name, value)?),
            Kind::Globs(slot) => {
                let texts = self.texts(key.name, value)?;
                for (text, at) in &texts {
                    globs::glob(text).map_err(|why| self.no_glob(*at, text, &why))?;
                }
                *slot(out) = Some(plain(texts));
            }
            Kind::Names(slot) => *slot(out) = self.names(key.name, value)?,
            Kind::Severity(slot) => {
                *slot(out) = Some(severity(text()?).ok_or_else(|| self.none_of(key.name, value, &SEVERITIES))?)
            }
            Kind::Confidence(slot) => {
                *slot(out) = Some(confidence(text()?).ok_or_else(|| self.none_of(key.name, value, &CONFIDENCES))?);
            }
            Kind::Levels(slot) => {
                for (rule, value) in in_order(value.get_ref().as_table().ok_or_else(is)?) {
                    let name = self.rule(rule.get_ref(), rule.span().start)?;
                    let level = value.get_ref().as_str().and_then(level);
                    let level = level.ok_or_else(|| self.none_of(rule.get_ref(), value, &LEVELS))?;
                    slot(out).insert(name, level);
                }
            }
            Kind::PerPath(slot) => {
                for (glob, value) in in_order(value.get_ref().as_table().ok_or_else(is)?) {
                    let table = value.get_ref().as_table().ok_or_else(is)?;
                    let globs = Globs::new(&[glob.get_ref().to_string()]);
                    let globs = globs.map_err(|(text, why)| self.no_glob(glob.span().start, &text, &why))?;
                    let mut local = Local::default();
                    self.table(&mut local, table, &[PER_PATH])?;
                    slot(out).push(PerPath { globs, local });
                }
            }
            Kind::Runs(slot) => {
                let runs = match value.get_ref() {
                    DeValue::Table(table) => vec![self.run(table, value)?],
                    DeValue::Array(all) => {
                        let one = |value: &Value| self.run(value.get_ref().as_table().ok_or_else(is)?, value);
                        all.iter().map(one).collect::<Result<_, _>>()?
                    }
                    _ => return Err(is()),
                };
                *slot(out) = Some(runs);
            }
            Kind::Runner(slot) => {
                let name = text()?;
                if !RUNNERS.contains(&name) {
                    return Err(self.none_of(key.name, value, &RUNNERS));
                }
                *slot(out) = name.to_owned();
            }
            Kind::Workers(slot) => *slot(out) = Some(workers(value.get_ref()).ok_or_else(is)?),
            Kind::Dist(slot) => {
                let found = Dist::ALL.iter().find(|(name, _)| value.get_ref().as_str() == Some(name));
                let known = Dist::ALL.map(|(name, _)| name);
                *slot(out) = Some(found.ok_or_else(|| self.none_of(key.name, value, &known))?.1);
            }
            Kind::Path(slot) => {
                let path = text()?.trim_start_matches("./").trim_end_matches('/');
                if path.starts_with('/') || path.split('/').any(|part| part == "..") {
                    return Err(is());
                }
                *slot(out) = if path == "." { String::new() } else { path.to_owned() };
            }
            Kind::Calls(slot) => {
                for (language, value) in in_order(value.get_ref().as_table().ok_or_else(is)?) {
                    let name = language.get_ref().as_ref();
                    if !LANGUAGES.contains(&name) {
                        return Err(self.unknown(language, &LANGUAGES));
                    }
                    let table = value.get_ref().as_table().ok_or_else(is)?;
                    slot(out).extend(self.calls(name, table, value)?);
                }
            }
            Kind::Guards(slot) => {
                for (name, value) in in_order(value.get_ref().as_table().ok_or_else(is)?) {
                    let reach = value.get_ref().as_str().filter(|reach| REACHES.contains(reach));
                    let reach = reach.ok_or_else(|| self.none_of(name.get_ref(), value, &REACHES))?;
                    slot(out).push((self.dotted(name.get_ref(), name.span().start)?, reach.to_owned()));
                }
            }
            Kind::Resources(slot) => {
                for (name, value) in in_order(value.get_ref().as_table().ok_or_else(is)?) {
                    let calls = self.names(name.get_ref(), value)?;
                    slot(out).push((name.get_ref().to_string(), calls));
                }
            }
        }
        Ok(())
    }

    /// Names of rules, as they are now.
    fn rules(&self, key: &str, value: &Value) -> Result<Vec<String>, Wrong> {
        self.texts(key, value)?.iter().map(|(name, at)| self.rule(name, *at)).collect()
    }

    fn rule(&self, name: &str, at: usize) -> Result<String, Wrong> {
        match unknown_rule(name, self.rules) {
            Some(what) => Err(self.wrong(at, what)),
            None => Ok(present(name).to_owned()),
        }
    }

    /// Dotted names, or paths of Rust.
    fn names(&self, key: &str, value: &Value) -> Result<Vec<String>, Wrong> {
        self.texts(key, value)?.iter().map(|(name, at)| self.dotted(name, *at)).collect()
    }

    fn dotted(&self, name: &str, at: usize) -> Result<String, Wrong> {
        if is_dotted(name) {
            return Ok(name.to_owned());
        }
        let what = format!("`{name}` is no full name; write `module.name`, or `krate::module::name` for Rust");
        Err(self.wrong(at, what))
    }

    /// A list of texts, each with its place.
    fn texts(&self, key: &str, value: &Value) -> Result<Vec<(String, usize)>, Wrong> {
        let wrong = |at| self.wrong(at, format!("`{key}` is a list of texts: `{key} = [\"…\"]`"));
        let list = value.get_ref().as_array().ok_or_else(|| wrong(value.span().start))?;
        let text = |item: &Value| {
            let text = item.get_ref().as_str().filter(|text| !text.is_empty()).ok_or_else(|| wrong(item.span().start))?;
            Ok((text.to_owned(), item.span().start))
        };
        list.iter().map(text).collect()
    }

    fn toml_file(&self, value: &Value) -> Option<Named> {
        let path = value.get_ref().as_str()?;
        let fits = path.ends_with(".toml") && !path.starts_with(['/', '\\']) && !path.contains(':');
        fits.then(|| Named { path: path.to_owned(), line: self.line(value.span().start) })
    }

    fn run(&self, table: &DeTable, value: &Value) -> Result<Declared, Wrong> {
        let mut run = Declared { file: self.file.to_owned(), ..Declared::default() };
        self.table(&mut run, table, &[RUN])?;
        let place = |name: &str| table.get(name).map(|value: &Value| value.span());
        let Some(at) = place("runner") else {
            return Err(self.wrong(value.span().start, "a run says which runner it is: `runner = \"pytest-xdist\"`".into()));
        };
        (run.line, run.span) = (self.line(at.start), Span::new(at.start, at.end));
        if let (Some(at), false) = (place("dist"), run.runner == "pytest-xdist") {
            return Err(self.wrong(at.start, format!("`dist` is for `pytest-xdist`, not for `{}`; take it out", run.runner)));
        }
        if let (Some(at), true) = (place("workers"), ONE_BY_ONE.contains(&run.runner.as_str())) {
            let what = format!("`{}` runs one test after the other: take `workers` out, or name a parallel runner", run.runner);
            return Err(self.wrong(at.start, what));
        }
        Ok(run)
    }

    /// The call tables of one language.
    fn calls(&self, language: &str, table: &DeTable, value: &Value) -> Result<Vec<CallTable>, Wrong> {
        let is_rust = language == "rust";
        let mut rest = table.clone();
        let mut found = Vec::new();
        if let Some(files) = rest.remove("files") {
            let files: Value = files;
            for item in files.get_ref().as_array().into_iter().flatten() {
                let file = self.toml_file(item).ok_or_else(|| self.no_files(item))?;
                found.push(CallTable { is_rust, held: Held::In(file) });
            }
            if files.get_ref().as_array().is_none() {
                return Err(self.no_files(&files));
            }
        }
        if !rest.is_empty() {
            let inline = Spanned::new(value.span(), DeValue::Table(rest));
            let way = format!("calls.{language}");
            let table = Table::checked(inline).map_err(|fault| self.fault(&fault, &way))?;
            found.push(CallTable { is_rust, held: Held::Here(Box::new(table)) });
        }
        Ok(found)
    }

    fn no_files(&self, value: &Value) -> Wrong {
        self.wrong(value.span().start, "`files` is a list of TOML files, relative to this one: `files = [\"….toml\"]`".into())
    }

    fn fault(&self, fault: &Fault, way: &str) -> Wrong {
        let key =
            if way.is_empty() || fault.key.is_empty() { format!("{way}{}", fault.key) } else { format!("{way}.{}", fault.key) };
        // serde names the odd word first, and then all known ones.
        let words: Vec<&str> = fault.what.split('`').skip(1).step_by(2).collect();
        let what = match words.split_first() {
            Some((odd, known)) if fault.what.starts_with("unknown ") => {
                let kind = if fault.what.starts_with("unknown field") { "key" } else { "word" };
                let known: Vec<&str> = known.iter().copied().chain((key == format!("{way}.{odd}")).then_some("files")).collect();
                format!("unknown {kind} `{odd}`; {}", meant(odd, &known))
            }
            _ => fault.what.clone(),
        };
        let what = if key.is_empty() { what } else { format!("{key}: {what}") };
        self.wrong(fault.at, format!("{what} (the words are in rules/calls/README.md)"))
    }

    fn none_of(&self, key: &str, value: &Value, known: &[&str]) -> Wrong {
        let near = value.get_ref().as_str().and_then(|name| nearest(name, known));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        self.wrong(value.span().start, format!("`{key}` is one of {}{near}", quoted(known)))
    }

    fn no_glob(&self, at: usize, glob: &str, why: &str) -> Wrong {
        self.wrong(at, format!("`{glob}` is no glob: {why}; `\\` before a bracket or brace takes its meaning away"))
    }

    fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1
    }

    fn wrong(&self, at: usize, what: String) -> Wrong {
        Wrong { file: self.file.to_owned(), line: self.line(at), what }
    }
}

/// What to say of a name that is none of the known ones.
fn meant(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", quoted(known)),
    }
}

/// The entries of a table in the order of the file, so that the first mistake is the one that is told.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Spanned<std::borrow::Cow<'i, str>>, &'t Value<'i>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn plain(texts: Vec<(String, usize)>) -> Vec<String> {
    texts.into_iter().map(|(text, _)| text).collect()
}

/// `module.name` or `krate::module::name`.
fn is_dotted(name: &str) -> bool {
    let separator = if name.contains("::") { "::" } else { "." };
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    name.contains(separator) && name.split(separator).all(word)
}

fn workers(value: &DeValue) -> Option<Workers> {
    match value {
        DeValue::String(text) if text == "cpus" => Some(Workers::Cpus),
        DeValue::Integer(number) => {
            let count = u32::from_str_radix(number.as_str(), number.radix()).ok()?;
            (count > 0).then_some(Workers::Fixed(count))
        }
        _ => None,
    }
}
