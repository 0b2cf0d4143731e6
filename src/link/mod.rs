//! The facts of all files, joined: names, summaries of units, tests with their fixtures, and what may meet.

mod call;
mod context;
mod eval;
mod give;
mod index;
mod names;
mod overlap;
mod place;
mod programs;
mod suite;
mod summary;
mod term;
mod values;
mod world;

pub use overlap::{Meeting, changes, has_fixed_name, is_far, is_shared, separates};
pub use place::{FreshKind, Place, Root};
pub use programs::programs;
pub use suite::{Phase, Suite, Test, TestEffect};
pub use summary::{Effect, Known, Summary};
pub use term::{Lock, Piece, Site, Term, UnitRef};
