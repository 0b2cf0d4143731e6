//! A number of workers, as an option, a variable or a setting gives it.

use super::shell::{Expansion, Word};
use crate::facts::trace::{Count, Cpu, Link, Place};

/// A number and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    pub count: Count,
    /// `auto`, `logical`: what that means is the runner's affair.
    pub auto: bool,
    /// The option with its value, or the setting.
    pub place: Option<Place>,
    /// The functions and expressions behind it.
    pub links: Vec<Link>,
    /// A plain number.
    pub literal: bool,
}

impl Counted {
    pub fn plain(count: Count) -> Counted {
        Counted { count, auto: false, place: None, links: Vec::new(), literal: false }
    }

    /// The value of an option; the place is the caller's to say.
    pub fn of(word: &Word) -> Counted {
        let mut counted = bare(word);
        // A variable that is not set and has a default: it could be set.
        for name in word.open.iter().rev() {
            counted.count = Count::variable(name, counted.count);
            counted.literal = false;
        }
        counted
    }

    /// With what `auto` means here, behind the variables that may say otherwise.
    pub fn meaning(mut self, auto: &Count) -> Counted {
        fn put(count: Count, auto: &Count) -> Count {
            match count {
                Count::Variable { name, set, unset } => Count::Variable { name, set, unset: Box::new(put(*unset, auto)) },
                Count::Cpus(_) => auto.clone(),
                other => other,
            }
        }
        if self.auto {
            self.count = put(self.count, auto);
        }
        self
    }

    pub fn is_unknown(&self) -> bool {
        self.count == Count::Unknown
    }
}

fn bare(word: &Word) -> Counted {
    let text = word.str().trim();
    if let Ok(number) = text.parse() {
        return Counted { literal: true, ..Counted::plain(Count::Number(number)) };
    }
    if matches!(text, "auto" | "logical" | "max" | "num-cpus" | "ncpu") {
        return Counted { auto: true, ..Counted::plain(Count::Cpus(Cpu::Affinity)) };
    }
    // `num-cpus - 1` of nextest is written `-1`.
    let [(range, what)] = word.expansions.as_slice() else { return Counted::plain(Count::Unknown) };
    if *range != (0..word.str().len()) {
        return Counted::plain(Count::Unknown);
    }
    match what {
        Expansion::Count(count, links) => Counted { links: links.clone(), ..Counted::plain(count.clone()) },
        Expansion::Variable { name, .. } if name == "NUMBER_OF_PROCESSORS" => Counted::plain(Count::Cpus(Cpu::Machine)),
        Expansion::Variable { name, .. } => Counted::plain(Count::variable(name, Count::Unknown)),
        Expansion::Command(command) => Counted::plain(command_count(command)),
        Expansion::Expression(_) => Counted::plain(Count::Unknown),
    }
}

/// `nproc`, `sysctl -n hw.ncpu`, and arithmetic with one of them: `($(nproc) / 2)`.
fn command_count(command: &str) -> Count {
    let cpus = if command.contains("nproc") || command.contains("NPROC") {
        Count::Cpus(Cpu::Affinity)
    } else if command.contains("ncpu") || command.contains("getconf _NPROCESSORS") || command.contains("cpu_count") {
        Count::Cpus(Cpu::Machine)
    } else {
        return Count::Unknown;
    };
    let Some(sum) = command.strip_prefix('(') else { return cpus };
    let sum = sum.trim_end_matches(')').trim();
    let number = |part: &str| part.trim().parse::<u32>().ok();
    for (sign, make) in [
        ('/', (|count, n| Count::Part(Box::new(count), n)) as fn(Count, u32) -> Count),
        ('-', |count, n| Count::Less(Box::new(count), n)),
        ('*', |count, n| Count::Product(vec![count, Count::Number(n)])),
        ('+', |count, n| Count::Sum(vec![count, Count::Number(n)])),
    ] {
        if let Some(n) = sum.rsplit_once(sign).and_then(|(_, right)| number(right)) {
            return make(cpus, n);
        }
    }
    if sum.contains(['/', '*', '+', '<', '>', '?']) { Count::Unknown } else { cpus }
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::super::shell;
    use super::*;
    use crate::text::FileId;

    fn count(text: &str) -> Count {
        Counted::of(&shell::commands(&Script::verbatim(FileId(0), 0, &format!("x {text}")))[0].words[1]).count
    }

    #[test]
    fn counts_in_words() {
        let cpus = || Count::Cpus(Cpu::Affinity);
        for (text, wanted) in [
            ("4", Count::Number(4)),
            ("auto", cpus()),
            ("$(nproc)", cpus()),
            ("`nproc --all`", cpus()),
            ("$(($(nproc) / 2))", Count::Part(Box::new(cpus()), 2)),
            ("$(( $(nproc) - 1 ))", Count::Less(Box::new(cpus()), 1)),
            ("$(sysctl -n hw.ncpu)", Count::Cpus(Cpu::Machine)),
            ("$N", Count::variable("N", Count::Unknown)),
            ("x$N", Count::Unknown),
            ("${{ inputs.n }}", Count::Unknown),
        ] {
            assert_eq!(count(text), wanted, "{text}");
        }
    }
}
