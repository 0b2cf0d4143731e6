//! nextest's test groups and overrides, and the filtersets that say whom they are for (nextest documentation, "Configuration reference"
//! and "Filterset DSL reference").

use super::toml::{Item, Toml};
use super::tree::{self, Tree};
use crate::facts::run::{Filter, Hold, Match, Queue};
use std::collections::BTreeMap;

/// Overrides of all profiles that keep tests apart, the default profile's last.
pub fn queues(tree: &Tree) -> Vec<Queue> {
    let mut all = Vec::new();
    for (path, file) in tree.files() {
        if !(path == ".config/nextest.toml" || path.ends_with("/.config/nextest.toml")) {
            continue;
        }
        let scope = tree::folder(tree::folder(path)).to_owned();
        let toml = Toml::parse(file, tree.text(file));
        let groups: BTreeMap<&str, u32> = toml
            .at(&["test-groups"])
            .map(Item::entries)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(name, _, group)| Some((name, u32::try_from(group.at(&["max-threads"])?.int()?).ok()?)))
            .collect();
        let mut profiles = toml.at(&["profile"]).map(Item::entries).unwrap_or_default();
        profiles.sort_by_key(|(name, ..)| *name == "default");
        for (_, _, profile) in profiles {
            for one in profile.at(&["overrides"]).map(Item::list).unwrap_or_default() {
                // Without a filter it is for all tests of a platform.
                let filter = one.at(&["filter"]).and_then(Item::str).map_or(Filter::All, read);
                if one.at(&["threads-required"]).and_then(Item::str).is_some_and(|n| matches!(n, "num-test-threads" | "num-cpus"))
                {
                    all.push(Queue { scope: scope.clone(), filter: filter.clone(), hold: Hold::Alone });
                }
                if let Some(name) = one.at(&["test-group"]).and_then(Item::str)
                    && let Some(threads) = groups.get(name)
                {
                    all.push(Queue { scope: scope.clone(), filter, hold: Hold::Group(name.to_owned(), *threads) });
                }
            }
        }
    }
    all
}

/// Reads a filterset; what is not understood is [`Filter::Unknown`].
fn read(text: &str) -> Filter {
    let mut rest = text;
    let filter = either(&mut rest, 0);
    if rest.trim().is_empty() { filter } else { Filter::Unknown }
}

/// Parentheses in one another.
const DEEP: usize = 16;

fn take(rest: &mut &str, words: &[&str]) -> bool {
    let text = rest.trim_start();
    for word in words {
        if let Some(after) = text.strip_prefix(word) {
            let letters = word.ends_with(|c: char| c.is_ascii_alphabetic());
            if !letters || !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                *rest = after;
                return true;
            }
        }
    }
    false
}

fn either(rest: &mut &str, depth: usize) -> Filter {
    let mut all = vec![both(rest, depth)];
    while take(rest, &["or", "|", "+"]) {
        all.push(both(rest, depth));
    }
    if all.len() == 1 { all.remove(0) } else { Filter::Or(all) }
}

fn both(rest: &mut &str, depth: usize) -> Filter {
    let mut all = vec![one(rest, depth)];
    loop {
        if take(rest, &["and", "&"]) {
            all.push(one(rest, depth));
        } else if take(rest, &["-"]) {
            all.push(Filter::Not(Box::new(one(rest, depth))));
        } else {
            return if all.len() == 1 { all.remove(0) } else { Filter::And(all) };
        }
    }
}

fn one(rest: &mut &str, depth: usize) -> Filter {
    if depth > DEEP {
        return Filter::Unknown;
    }
    if take(rest, &["not", "!"]) {
        return Filter::Not(Box::new(one(rest, depth + 1)));
    }
    if take(rest, &["("]) {
        let inner = either(rest, depth + 1);
        return if take(rest, &[")"]) { inner } else { Filter::Unknown };
    }
    let text = rest.trim_start();
    let Some((name, after)) = text.split_once('(') else { return Filter::Unknown };
    // A matcher may hold parentheses of its own where it is a regular expression; those are not read.
    let Some((matcher, behind)) = after.split_once(')') else { return Filter::Unknown };
    *rest = behind;
    let matched = |default: fn(String) -> Match| {
        let matcher = matcher.trim();
        match matcher.chars().next() {
            Some('=') => Some(Match::Equal(matcher[1..].to_owned())),
            Some('~') => Some(Match::Contains(matcher[1..].to_owned())),
            Some('#') => Some(Match::Glob(matcher[1..].to_owned())),
            Some('/') => None,
            _ => Some(default(matcher.to_owned())),
        }
    };
    match name.trim() {
        "all" => Filter::All,
        "none" => Filter::Not(Box::new(Filter::All)),
        "test" => matched(Match::Contains).map_or(Filter::Unknown, Filter::Test),
        "binary" => matched(Match::Glob).map_or(Filter::Unknown, Filter::Binary),
        "package" => matched(Match::Glob).map_or(Filter::Unknown, Filter::Package),
        _ => Filter::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filtersets_are_read() {
        for (text, test, wanted) in [
            ("all()", "a", Some(true)),
            ("none()", "a", Some(false)),
            ("test(db)", "store::db_save", Some(true)),
            ("test(=store::db)", "store::db_save", Some(false)),
            ("test(#*save)", "store::db_save", Some(true)),
            ("test(/^store/)", "store::db", None),
            ("not test(db)", "db", Some(false)),
            ("test(a) and binary(cli)", "a", Some(true)),
            ("test(a) & !binary(=cli)", "a", Some(false)),
            ("test(x) | (package(krate) - test(b))", "a", Some(true)),
            ("test(x) or kind(lib)", "a", None),
            ("test(a) or kind(lib)", "a", Some(true)),
            ("nottest(a)", "a", None),
            ("test(a", "a", None),
        ] {
            assert_eq!(read(text).matches(test, "cli", "krate"), wanted, "{text}");
        }
    }
}
