//! Notebooks as tests: one test each, whose body is all of its cells that are run, in their order.

use super::place::{Place, Root};
use super::suite::{Maker, Making, Phase, Test};
use super::summary::Where;
use super::term::Piece;
use crate::facts::UnitId;
use crate::facts::run::Notebooks;
use crate::text::FileId;
use std::sync::Arc;

impl Maker<'_, '_> {
    /// The test that a notebook is, where some run carries it out. Its working directory is its own folder, under nbdev as in a
    /// kernel (nbdev, `test_nb`; nbmake, README; nbval documentation).
    pub(super) fn notebook_test(&self, file: FileId) -> Option<Test> {
        let path = self.index.path(file);
        if !self.setup.is_test_notebook(path) {
            return None;
        }
        let mut folder = Place::root(Root::Project);
        let dir = super::index::dir_of(path);
        folder.segments.extend(dir.split('/').filter(|part| !part.is_empty()).map(|part| vec![Piece::Lit(part.into())]));
        let mut making = Making::default();
        making.ambience.cwd = Some(Where::At(Arc::new(folder)));
        let unit = (file, UnitId(0));
        self.run(unit, Vec::new(), Phase::Body, &mut making);
        Some(making.done(path.to_owned(), path, unit))
    }
}

impl Test {
    /// Whether the test is all of a notebook.
    pub fn is_notebook(&self) -> bool {
        self.path.ends_with(".ipynb")
    }
}

impl super::Suite<'_> {
    /// How the tests of a notebook are run: by the first of its runs.
    pub fn notebooks(&self, test: &Test) -> Notebooks {
        let run = self.setup.runs.iter().find(|run| run.notebooks != Notebooks::None && run.carries(&test.path));
        run.map_or(Notebooks::None, |run| run.notebooks)
    }
}
