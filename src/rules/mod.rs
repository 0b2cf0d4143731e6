//! One short function for each hazard, and the table that binds it to its page in `rules/`.

mod ambient_registry;
mod ambient_state;
mod blanket_retries;
mod cap_lost_in_transit;
mod cap_not_read;
mod caps;
mod check_then_act;
mod closed_under_reader;
mod cross_device_replace;
mod cwd_mutation;
mod cwd_relative_write;
mod doctests_never_run;
mod doubtful;
mod env_mutation;
mod fixed_external_name;
mod fixed_port;
mod fixed_temp_path;
mod fixed_temp_suffix;
mod fork_with_threads;
mod free_port_race;
mod held;
mod import_time_effect;
mod import_time_registration;
mod in_place;
mod init_once_twice;
mod left;
mod masked_test_failure;
mod missing_timeout;
mod mktemp;
mod multiplied_parallelism;
mod narrow_corruption_handler;
mod non_atomic_write;
mod partial_guard;
mod restore_skipped_on_failure;
mod session_fixture_per_worker;
mod shared_dir_listing;
mod shared_global;
mod shared_host_jobs;
mod shared_path;
mod shared_report_file;
mod single;
mod sleep_as_sync;
mod source_tree_write;
mod sys_modules_leak;
mod tempdir_dropped_early;
mod test_order_chain;
mod uncapped_workers;
mod unjoined_work;
mod unlocked_read_modify_write;
mod unordered_assert;
mod unordered_parametrize;
mod unrestored_patch;
mod unseeded_random;
mod unstable_parameters;
mod user_state_path;
mod wall_clock_assert;
mod weak_unique_name;
mod words;

use crate::finding::Finding;
use crate::link::Suite;

/// A rule: its name, its page, and the function that looks.
pub struct Rule {
    pub name: &'static str,
    pub page: &'static str,
    /// None: it is found among the comments, when all other findings are settled.
    pub check: Option<fn(&Suite, &mut Vec<Finding>)>,
}

macro_rules! table {
    (@check comments) => { None };
    (@check $module:ident) => { Some($module::check) };
    ($($name:literal => $module:ident),* $(,)?) => {
        &[$(Rule { name: $name, page: include_str!(concat!("../../rules/", $name, ".md")), check: table!(@check $module) }),*]
    };
}

/// All rules, sorted by name.
pub const TABLE: &[Rule] = table![
    "ambient-registry" => ambient_registry,
    "ambient-state" => ambient_state,
    "blanket-retries" => blanket_retries,
    "cap-lost-in-transit" => cap_lost_in_transit,
    "cap-not-read" => cap_not_read,
    "check-then-act" => check_then_act,
    "closed-under-reader" => closed_under_reader,
    "cross-device-replace" => cross_device_replace,
    "cwd-mutation" => cwd_mutation,
    "cwd-relative-write" => cwd_relative_write,
    "doctests-never-run" => doctests_never_run,
    "env-mutation" => env_mutation,
    "fixed-external-name" => fixed_external_name,
    "fixed-port" => fixed_port,
    "fixed-temp-path" => fixed_temp_path,
    "fixed-temp-suffix" => fixed_temp_suffix,
    "fork-with-threads" => fork_with_threads,
    "free-port-race" => free_port_race,
    "import-time-effect" => import_time_effect,
    "import-time-registration" => import_time_registration,
    "init-once-twice" => init_once_twice,
    "masked-test-failure" => masked_test_failure,
    "missing-timeout" => missing_timeout,
    "mktemp" => mktemp,
    "multiplied-parallelism" => multiplied_parallelism,
    "narrow-corruption-handler" => narrow_corruption_handler,
    "non-atomic-write" => non_atomic_write,
    "partial-guard" => partial_guard,
    "restore-skipped-on-failure" => restore_skipped_on_failure,
    "session-fixture-per-worker" => session_fixture_per_worker,
    "shared-dir-listing" => shared_dir_listing,
    "shared-global" => shared_global,
    "shared-host-jobs" => shared_host_jobs,
    "shared-path" => shared_path,
    "shared-report-file" => shared_report_file,
    "sleep-as-sync" => sleep_as_sync,
    "source-tree-write" => source_tree_write,
    "sys-modules-leak" => sys_modules_leak,
    "tempdir-dropped-early" => tempdir_dropped_early,
    "test-order-chain" => test_order_chain,
    "uncapped-workers" => uncapped_workers,
    "unjoined-work" => unjoined_work,
    "unlocked-read-modify-write" => unlocked_read_modify_write,
    "unordered-assert" => unordered_assert,
    "unordered-parametrize" => unordered_parametrize,
    "unrestored-patch" => unrestored_patch,
    "unseeded-random" => unseeded_random,
    "unstable-parameters" => unstable_parameters,
    "unused-ignore" => comments,
    "user-state-path" => user_state_path,
    "wall-clock-assert" => wall_clock_assert,
    "weak-unique-name" => weak_unique_name,
];
