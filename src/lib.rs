//! `isolint` reads test code, the code under test and the files that say how tests are run, and reports what makes tests collide,
//! flake or exhaust a machine when they run in parallel. It runs nothing.

pub mod calls;
pub mod check;
pub mod conf;
pub mod config;
pub mod discover;
pub mod facts;
pub mod finding;
pub mod link;
pub mod page;
pub mod python;
pub mod render;
pub mod rules;
pub mod rust;
pub mod settle;
pub mod text;
