//! Names that edits give to what they add. Two edits of one report may both be made, so they do not give one name to two things.

use crate::text::{FileId, Span};
use std::cell::RefCell;

/// The names that the edits of a report have chosen so far.
#[derive(Default)]
pub struct Names {
    chosen: RefCell<Vec<Chosen>>,
}

struct Chosen {
    file: FileId,
    /// Where nothing else may bear the name.
    within: Span,
    /// What it is for: who writes the very same edit again means the same thing.
    subject: Span,
    name: String,
}

impl Names {
    /// The first of some names that nothing else here has; it is taken from now on.
    pub fn choose(&self, file: FileId, within: Span, subject: Span, names: impl Iterator<Item = String>) -> Option<String> {
        let mut chosen = self.chosen.borrow_mut();
        let meets = |one: &Chosen| one.within.start < within.end && within.start < one.within.end;
        let clash = |one: &Chosen, name: &str| one.file == file && one.name == name && one.subject != subject && meets(one);
        let name = names.into_iter().find(|name| !chosen.iter().any(|one| clash(one, name)))?;
        chosen.push(Chosen { file, within, subject, name: name.clone() });
        Some(name)
    }

    /// How many are taken: what [`Names::back_to`] goes back to.
    pub fn mark(&self) -> usize {
        self.chosen.borrow().len()
    }

    /// Gives back what was chosen since: the edit was not written.
    pub fn back_to(&self, mark: usize) {
        self.chosen.borrow_mut().truncate(mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(names: &Names, within: (usize, usize), subject: usize) -> Option<String> {
        let known = ["a", "b"].into_iter().map(str::to_owned);
        names.choose(FileId(0), Span::new(within.0, within.1), Span::new(subject, subject + 1), known)
    }

    #[test]
    fn a_name_is_taken_where_others_see_it() {
        let names = Names::default();
        let chosen = [((0, 10), 1), ((0, 10), 5), ((0, 10), 1), ((10, 20), 12), ((0, 20), 15)];
        let chosen = chosen.map(|(within, subject)| choose(&names, within, subject));
        assert_eq!(chosen.map(Option::unwrap_or_default), ["a", "b", "a", "a", ""]);
    }

    #[test]
    fn what_is_not_written_takes_no_name() {
        let names = Names::default();
        let mark = names.mark();
        choose(&names, (0, 10), 1);
        names.back_to(mark);
        assert_eq!(choose(&names, (0, 10), 5).as_deref(), Some("a"));
    }
}
