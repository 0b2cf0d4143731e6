//! `isolint` reads test code, the code under test and the files that say how tests are run, and reports what makes tests collide,
//! flake or exhaust a machine when they run in parallel. It runs nothing.
//!
//! [`check::check`] is the whole of it: sources and a configuration in, a report out. On the way, [`python`], [`rust`] and [`conf`]
//! turn files into [`facts`] ([`notebook`] makes Python of notebooks first), [`link`] joins these and the call tables of [`calls`] into a suite, [`rules`] ask the suite, and
//! [`settle`] decides what is shown, and [`remedy`] writes what can be done about it. [`discover`] reads files before, [`render`] writes the report after. `docs/architecture.md` has
//! the map and the walls between the rooms.

pub mod baseline;
pub mod calls;
pub mod check;
pub mod conf;
pub mod config;
pub mod discover;
pub mod facts;
pub mod finding;
pub mod link;
pub mod lsp;
pub mod notebook;
pub mod page;
pub mod plan;
pub mod python;
pub mod remedy;
pub mod render;
pub mod rules;
pub mod rust;
pub mod settle;
pub mod text;
