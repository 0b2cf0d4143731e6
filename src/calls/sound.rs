//! What an entry of the call tables must not say: names of arguments that it does not have, fields that mean nothing alone.

use super::{Call, Flag, Gives, OneOrMany, Verb};

impl Call {
    /// What is wrong with the entry, though each of its fields is well formed; none where it is sound.
    pub fn unsound(&self) -> Option<String> {
        let known = |arg: &str| {
            arg == "self"
                || arg == "*" && self.state.is_some()
                || arg.starts_with('=') && (self.state.is_some() || self.guard.is_some())
                || self.params.iter().any(|param| param.trim_start_matches('*') == arg)
        };
        if let Some(arg) = self.arguments().into_iter().find(|arg| !known(arg)) {
            return Some(format!("it speaks of the argument `{arg}`, which is not in `params`"));
        }
        let kept = self.state.is_some();
        let lacking = [
            (self.mode.is_some() && !self.does.contains_key(&Verb::Open), "`mode` needs `does = { open = … }`"),
            (self.mode_default.is_some() && self.mode.is_none(), "`mode-default` needs `mode`"),
            (!kept && (self.value.is_some() || self.undone), "`value` and `undone` need `state`"),
            (kept && self.does.is_empty(), "`state` needs `does`"),
            (self.to.is_some() && self.redirects.is_none(), "`to` needs `redirects`"),
            (self.on.is_some() && self.guard.is_none(), "`on` needs `guard`"),
            (self.attr && !self.params.is_empty(), "an attribute (`attr`) has no `params`"),
        ];
        lacking.into_iter().find(|(is, _)| *is).map(|(_, what)| what.to_owned())
    }

    /// All arguments that the entry names outside `params`.
    fn arguments(&self) -> Vec<&str> {
        let flags = [&self.tolerant, &self.skips, &self.owns].into_iter().flatten().filter_map(|flag| match flag {
            Flag::Param(name) => Some(name.as_str()),
            Flag::Always(_) => None,
        });
        let words = [&self.gives, &self.enter, &self.to].into_iter().flatten().flat_map(named);
        let single = [&self.mode, &self.on, &self.decodes, &self.value].into_iter().flatten().map(String::as_str);
        let runs = self.runs.as_ref().map(|runs| runs.arg.as_str());
        self.does.values().flat_map(OneOrMany::iter).chain(single).chain(flags).chain(words).chain(runs).collect()
    }
}

/// The arguments that a word of `gives` names.
fn named(gives: &Gives) -> Vec<&str> {
    match gives {
        Gives::Join(args) | Gives::Home(_, args) => args.iter().map(String::as_str).collect(),
        Gives::WithSuffix(a, b) | Gives::WithName(a, b) | Gives::WithStem(a, b) => vec![a, b],
        Gives::Same(a) | Gives::Parent(a) | Gives::Name(a) | Gives::Stem(a) | Gives::ExpandHome(a) => vec![a],
        Gives::Source(a)
        | Gives::Handle(a)
        | Gives::Child(a)
        | Gives::Entry(a)
        | Gives::Walk(a)
        | Gives::Env(a)
        | Gives::Derived(a) => vec![a],
        Gives::FreshDir(a) | Gives::FreshFile(a) | Gives::FreshName(a) | Gives::RunDir(a) => {
            a.iter().map(String::as_str).collect()
        }
        _ => Vec::new(),
    }
}
