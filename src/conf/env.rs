//! Environment variables in layers, and words with their variables filled in.

use super::recipes::POSARGS;
use super::script::Script;
use super::shell::{self, Expansion, Word};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Longest text that filling in may give, in bytes: variables that hold variables double with every step.
const LONGEST: usize = 1 << 16;

/// Variables that are set, by name; a value of none is set to something unknown.
#[derive(Clone, Debug, Default)]
pub struct Env {
    own: BTreeMap<String, Option<Script>>,
    /// What a variable of several instances may be, by name: an axis of a matrix.
    choices: BTreeMap<String, Vec<String>>,
    outer: Option<Rc<Env>>,
}

impl Env {
    /// A layer above another.
    pub fn inside(outer: &Rc<Env>) -> Env {
        Env { outer: Some(outer.clone()), ..Env::default() }
    }

    pub fn set(&mut self, name: &str, value: Option<Script>) {
        self.own.insert(name.to_owned(), value);
    }

    pub fn choose(&mut self, name: &str, among: Vec<String>) {
        self.choices.insert(name.to_owned(), among);
    }

    /// What a variable may be, where it is one of several.
    pub fn choices(&self, name: &str) -> &[String] {
        let mut env = self;
        loop {
            if let Some(choices) = env.choices.get(name) {
                return choices;
            }
            match env.outer.as_deref() {
                Some(outer) => env = outer,
                None => return &[],
            }
        }
    }

    /// What the parts of a variable may be, by their names: of `matrix.env` those of `matrix.env.NAME`.
    pub fn choices_below(&self, name: &str) -> Vec<(String, Vec<String>)> {
        let prefix = format!("{name}.");
        let mut all = BTreeMap::new();
        let mut env = Some(self);
        while let Some(layer) = env {
            for (name, among) in &layer.choices {
                if let Some(part) = name.strip_prefix(&prefix) {
                    all.entry(part.to_owned()).or_insert_with(|| among.clone());
                }
            }
            env = layer.outer.as_deref();
        }
        all.into_iter().collect()
    }

    /// None where it is not set here; `Some(None)` where its value is not known.
    pub fn get(&self, name: &str) -> Option<Option<&Script>> {
        let mut env = self;
        loop {
            if let Some(value) = env.own.get(name) {
                return Some(value.as_ref());
            }
            env = env.outer.as_deref()?;
        }
    }

    /// The value, where it is set and known.
    pub fn value(&self, name: &str) -> Option<&Script> {
        self.get(name).flatten()
    }

    /// All variables that are set, by name.
    pub fn all(&self) -> BTreeMap<&str, Option<&Script>> {
        let mut all = BTreeMap::new();
        let mut env = Some(self);
        while let Some(layer) = env {
            for (name, value) in &layer.own {
                all.entry(name.as_str()).or_insert(value.as_ref());
            }
            env = layer.outer.as_deref();
        }
        all
    }

    /// Only the variables that `keep` lets through, as one layer.
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Env {
        let mut own = BTreeMap::new();
        let mut choices = BTreeMap::new();
        let mut env = Some(self);
        while let Some(layer) = env {
            for (name, value) in &layer.own {
                if keep(name) && !own.contains_key(name) {
                    own.insert(name.clone(), value.clone());
                }
            }
            for (name, among) in layer.choices.iter().filter(|(name, _)| keep(name)) {
                choices.entry(name.clone()).or_insert_with(|| among.clone());
            }
            env = layer.outer.as_deref();
        }
        Env { own, choices, outer: None }
    }

    /// Words with their variables filled in, split where the shell would split. What is not known stays as written, marked as
    /// an expansion.
    pub fn fill(&self, words: &[Word]) -> Vec<Word> {
        let mut all = Vec::with_capacity(words.len());
        let mut budget = LONGEST;
        for word in words {
            self.fill_word(word, &mut all, &mut budget);
        }
        all
    }

    fn fill_word(&self, word: &Word, all: &mut Vec<Word>, budget: &mut usize) {
        if let [(range, what)] = word.expansions.as_slice()
            && !word.quoted
            && *range == (0..word.str().len())
        {
            if let Some(value) = self.expansion(word, range, what) {
                if value.text.len() <= *budget {
                    *budget -= value.text.len();
                    let open: Vec<String> = self.open(what).into_iter().collect();
                    all.extend(shell::words(&value).into_iter().map(|word| Word { open: open.clone(), ..word }));
                }
                return;
            }
            if let (Some(name), Expansion::Variable { default: Some(default), .. }) = (self.unset(what), what)
                && default.contains('$')
                && *budget > default.len()
                && let Some(script) =
                    range.end.checked_sub(1).and_then(|end| Some(word.text.slice(end.checked_sub(default.len())?..end)))
            {
                // A default with variables of its own.
                *budget -= default.len();
                for inner in shell::commands(&script).into_iter().flat_map(|command| command.words) {
                    let from = all.len();
                    self.fill_word(&inner, all, budget);
                    if name != POSARGS {
                        all[from..].iter_mut().for_each(|word| word.open.push(name.to_owned()));
                    }
                }
                return;
            }
            all.push(word.clone());
            return;
        }
        all.push(self.fill_whole(word, budget));
    }

    /// The word with its variables filled in, not split.
    pub fn fill_one(&self, word: &Word) -> Word {
        self.fill_whole(word, &mut LONGEST.clone())
    }

    fn fill_whole(&self, word: &Word, budget: &mut usize) -> Word {
        if word.expansions.is_empty() {
            return word.clone();
        }
        let mut filled = Word { quoted: word.quoted, place: word.place, ..Word::default() };
        let mut done = 0;
        for (range, what) in &word.expansions {
            filled.text.append(&word.text, done..range.start);
            done = range.end;
            match self.expansion(word, range, what).filter(|value| value.text.len() <= *budget) {
                Some(value) => {
                    *budget -= value.text.len();
                    filled.text.append(&value, 0..value.text.len());
                    filled.open.extend(self.open(what));
                }
                None => {
                    let start = filled.text.text.len();
                    filled.text.append(&word.text, range.clone());
                    filled.expansions.push((start..filled.text.text.len(), what.clone()));
                }
            }
        }
        filled.text.append(&word.text, done..word.str().len());
        filled
    }

    /// The variable whose default stands for it.
    fn unset<'w>(&self, what: &'w Expansion) -> Option<&'w str> {
        match what {
            Expansion::Variable { name, default: Some(_) } if self.get(name).is_none() => Some(name),
            _ => None,
        }
    }

    /// The same, where it is one that somebody could set: not what a caller adds.
    fn open(&self, what: &Expansion) -> Option<String> {
        self.unset(what).filter(|name| *name != POSARGS).map(str::to_owned)
    }

    fn expansion(&self, word: &Word, range: &std::ops::Range<usize>, what: &Expansion) -> Option<Script> {
        match what {
            Expansion::Variable { name, default } => match (self.get(name), default) {
                (Some(value), _) => value.cloned(),
                (None, Some(default)) => {
                    // The default stands at the end of `${NAME:-default}`.
                    let end = range.end.checked_sub(1)?;
                    let script = word.text.slice(end.checked_sub(default.len())?..end);
                    (!default.contains('$')).then_some(script)
                }
                (None, None) => None,
            },
            Expansion::Expression(text) => {
                let name = text.strip_prefix("env.").unwrap_or(text);
                (name != text || text.starts_with("matrix.") || text.starts_with("inputs.")).then(|| self.value(name).cloned())?
            }
            Expansion::Count(..) => None,
            // What looks like a command can be a variable of make that the Makefile does not set.
            Expansion::Command(text) => {
                let plain = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
                plain.then(|| self.value(text).cloned())?
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{FileId, Span};

    fn script(start: usize, text: &str) -> Script {
        Script::verbatim(FileId(0), start, text)
    }

    fn fill(env: &Env, text: &str) -> Vec<String> {
        env.fill(&shell::commands(&script(0, text))[0].words).iter().map(|word| word.str().to_owned()).collect()
    }

    #[test]
    fn variables_are_filled_in() {
        let mut env = Env::default();
        env.set("ARGS", Some(script(100, "-n 4 -q")));
        env.set("N", Some(script(200, "8")));
        env.set("SECRET", None);
        assert_eq!(
            fill(&env, "pytest $ARGS -n$N \"$ARGS\" ${M:-2 3} ${N:-1} $SECRET $NONE x$NONE"),
            ["pytest", "-n", "4", "-q", "-n8", "-n 4 -q", "2", "3", "8", "$SECRET", "$NONE", "x$NONE"]
        );
        assert_eq!(fill(&env, "${{ env.N }} ${{ inputs.N }}"), ["8", "${{ inputs.N }}"]);
        let words = env.fill(&shell::commands(&script(0, "pytest $ARGS"))[0].words);
        assert_eq!(words[2].place, Some((FileId(0), Span::new(103, 104))));
    }

    #[test]
    fn inner_layers_hide_outer_ones() {
        let mut outer = Env::default();
        outer.set("A", Some(script(0, "1")));
        outer.set("B", Some(script(0, "2")));
        let mut inner = Env::inside(&Rc::new(outer));
        inner.set("A", None);
        assert_eq!(inner.get("A"), Some(None));
        assert_eq!(inner.value("B").map(|value| value.text.as_str()), Some("2"));
        let kept = inner.filtered(|name| name == "B" || name == "A");
        assert_eq!((kept.get("A"), kept.get("C")), (Some(None), None));
    }

    #[test]
    fn doubling_stops() {
        let mut env = Env::default();
        env.set("A", Some(script(0, &"x".repeat(40_000))));
        let filled = fill(&env, "e $A $A $A a$A");
        assert!(filled.iter().map(String::len).sum::<usize>() < 100_000);
    }
}
