//! Pools that start a worker for each CPU.

use super::eval::Eval;
use super::give::Given;
use super::suite::Phase;
use super::summary::{Ambience, Around};
use super::term::{Site, Term, UnitRef};
use super::world::World;
use crate::calls;
use std::sync::Arc;

/// A pool of as many workers as there are CPUs.
#[derive(Clone, PartialEq, Debug)]
pub struct Pool {
    /// The call that starts it.
    pub site: Site,
    /// That call, as the tables name it.
    pub call: Arc<str>,
    /// The call that counts the CPUs, where the pool does not by itself.
    pub counted: Option<Arc<str>>,
}

/// A pool that a test starts.
#[derive(Clone, PartialEq, Debug)]
pub struct TestPool {
    pub pool: Pool,
    pub phase: Phase,
    /// The test, fixture, set-up or hook that it is part of.
    pub within: UnitRef,
}

impl Eval<'_, '_> {
    /// Takes note of a pool where its size is surely that of the machine.
    pub(super) fn start_pool(&mut self, site: Site, pool: &calls::Pool, given: &Given) {
        let asked = |name: &String| given.get(name).is_some_and(|term| *term != Term::Nil);
        // What `*args` or `**options` hold may be a number.
        if given.is_open || pool.unless.iter().any(asked) || self.state.ambience.replaces(&self.calling) {
            return;
        }
        let counted = match (given.get(&pool.workers).map(Term::plain), pool.all) {
            (Some(Term::Cpus(call)), _) => Some(call.clone()),
            (Some(Term::Int(number)), Some(all)) if *number == all => None,
            (None | Some(Term::Nil), None) => None,
            _ => return,
        };
        self.add_pool(Pool { site, call: self.calling.clone(), counted });
    }

    /// Keeps a pool of this unit or of a callee, where every way comes by it.
    pub(super) fn add_pool(&mut self, pool: Pool) {
        let unsure = self.maybe > 0 || self.expected > 0 || self.is_flagged() || self.state.dead;
        if !unsure && self.pools.iter().all(|known| known.site != pool.site) {
            self.pools.push(pool);
        }
    }
}

impl Ambience {
    /// Whether a pool's class, the function that counts for it, or a unit around the call that starts it is replaced.
    pub(super) fn replaces_pool(&self, world: &World, pool: &Pool) -> bool {
        let counts = |call: &Arc<str>| self.replaces(call);
        self.replaces(&pool.call)
            || pool.counted.as_ref().is_some_and(counts)
            || self.replaces_any(world, [pool.site].into_iter())
    }
}

impl Around {
    /// Whether what it surrounds may not happen.
    pub(super) fn is_unsure(&self) -> bool {
        self.maybe || self.expected || self.flagged
    }
}
