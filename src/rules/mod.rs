//! One short function for each hazard, and the table that binds it to its page in `rules/`.

mod check_then_act;
mod cross_device_replace;
mod cwd_relative_write;
mod fixed_temp_path;
mod fixed_temp_suffix;
mod in_place;
mod mktemp;
mod narrow_corruption_handler;
mod non_atomic_write;
mod session_fixture_per_worker;
mod shared_dir_listing;
mod shared_path;
mod single;
mod source_tree_write;
mod tempdir_dropped_early;
mod unlocked_read_modify_write;
mod user_state_path;
mod weak_unique_name;
mod words;

use crate::finding::Finding;
use crate::link::Suite;

/// A rule: its name, its page, and the function that looks.
pub struct Rule {
    pub name: &'static str,
    pub page: &'static str,
    pub check: fn(&Suite, &mut Vec<Finding>),
}

macro_rules! table {
    ($($name:literal => $module:ident),* $(,)?) => {
        &[$(Rule { name: $name, page: include_str!(concat!("../../rules/", $name, ".md")), check: $module::check }),*]
    };
}

/// All rules, sorted by name.
pub const TABLE: &[Rule] = table![
    "check-then-act" => check_then_act,
    "cross-device-replace" => cross_device_replace,
    "cwd-relative-write" => cwd_relative_write,
    "fixed-temp-path" => fixed_temp_path,
    "fixed-temp-suffix" => fixed_temp_suffix,
    "mktemp" => mktemp,
    "narrow-corruption-handler" => narrow_corruption_handler,
    "non-atomic-write" => non_atomic_write,
    "session-fixture-per-worker" => session_fixture_per_worker,
    "shared-dir-listing" => shared_dir_listing,
    "shared-path" => shared_path,
    "source-tree-write" => source_tree_write,
    "tempdir-dropped-early" => tempdir_dropped_early,
    "unlocked-read-modify-write" => unlocked_read_modify_write,
    "user-state-path" => user_state_path,
    "weak-unique-name" => weak_unique_name,
];
