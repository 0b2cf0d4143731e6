//! Jobs that share what only one of them should have: a cache that several architectures restore.

use super::caps;
use crate::finding::{Finding, Role};
use crate::link::Suite;

/// What is built for one architecture, by its folder's name.
const BUILT: [&str; 9] = [".tox", ".nox", "venv", "target", "node_modules", "site-packages", "conda", "build", ".cargo/bin"];

pub fn check(suite: &Suite, found: &mut Vec<Finding>) {
    for job in &suite.setup.jobs {
        for cache in &job.caches {
            let Some((one, other)) = &cache.crosses else { continue };
            let Some(built) = BUILT.iter().find(|built| cache.path.contains(**built)) else { continue };
            let labels = vec![
                caps::at(cache.place, "one key for several architectures", Role::Primary),
                caps::at((job.file, job.head), format!("runs on `{one}` and on `{other}`"), Role::Evidence),
            ];
            let message = format!(
                "`{}` keeps `{built}` under a key that does not tell architectures apart: one restores what the other built",
                job.name
            );
            let help = "put `${{ runner.arch }}` into `key` and `restore-keys`".to_owned();
            found.push(caps::finding("shared-host-jobs", labels, message, help, format!("{} {}", job.name, cache.key)));
        }
    }
}
