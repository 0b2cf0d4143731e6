//! The expression behind `pytest -m`: which tests a run takes, by their marks (pytest documentation, "Working with custom markers").

use std::collections::BTreeSet;

/// Longest expression that is read, in words.
const WORDS: usize = 64;

/// Whether an expression holds for a test with these marks; true where it is not understood.
pub fn selects(expression: &str, marks: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().take(WORDS + 1).collect();
    let mut reader = Reader { words: &words, at: 0, marks };
    let holds = reader.any();
    if words.len() > WORDS || reader.at < words.len() { true } else { holds.unwrap_or(true) }
}

struct Reader<'a> {
    words: &'a [&'a str],
    at: usize,
    marks: &'a BTreeSet<String>,
}

impl Reader<'_> {
    fn takes(&mut self, word: &str) -> bool {
        let is = self.words.get(self.at).is_some_and(|one| *one == word);
        self.at += usize::from(is);
        is
    }

    fn any(&mut self) -> Option<bool> {
        let mut holds = self.all()?;
        while self.takes("or") {
            holds |= self.all()?;
        }
        Some(holds)
    }

    fn all(&mut self) -> Option<bool> {
        let mut holds = self.one()?;
        while self.takes("and") {
            holds &= self.one()?;
        }
        Some(holds)
    }

    fn one(&mut self) -> Option<bool> {
        if self.takes("not") {
            return self.one().map(|holds| !holds);
        }
        if self.takes("(") {
            return self.any().filter(|_| self.takes(")"));
        }
        let name = self.words.get(self.at).filter(|word| word.chars().all(|c| c == '_' || c.is_alphanumeric()))?;
        self.at += 1;
        Some(self.marks.contains(*name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let marks: BTreeSet<String> = ["slow", "net"].map(str::to_owned).into();
        for (expression, wanted) in [
            ("slow", true),
            ("fast", false),
            ("not slow", false),
            ("not fast and net", true),
            ("fast or slow", true),
            ("fast or (not net and slow)", false),
            ("(slow)", true),
            // Not understood.
            ("", true),
            ("slow and", true),
            ("not slow)", true),
            ("fast(a=1)", true),
        ] {
            assert_eq!(selects(expression, &marks), wanted, "{expression}");
        }
    }
}
