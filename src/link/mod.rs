//! The facts of all files, joined: names, summaries of units, tests with their fixtures, and what may meet.

mod call;
mod context;
mod eval;
mod fixtures;
mod flow;
mod give;
mod handle;
mod index;
mod instance;
mod listing;
mod names;
mod overlap;
mod own;
mod pace;
mod patch;
mod place;
mod pool;
mod programs;
mod rust_tests;
mod scope;
mod suite;
mod summary;
mod term;
mod values;
mod vary;
mod world;

pub use listing::{Listing, is_asserted_listing};
pub use overlap::{Meeting, changes, discriminators, has_fixed_name, is_far, is_shared, separates};
pub use pace::{Beat, Event};
pub use place::{FreshKind, Place, Root};
pub use pool::{Pool, TestPool};
pub use programs::programs;
pub use suite::{Phase, Suite, Test, TestEffect};
pub use summary::{Effect, Gone, Handling, Known, Move, Spread, Summary, Try, When, moves};
pub use term::{Lock, Piece, Site, Term, UnitRef};
pub use vary::{Chance, Doubt, Doubtful, Elements, Form, Parameters, Unstable, Varying};
