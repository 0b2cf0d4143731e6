//! Configuration and CI files to settings, and settings to [`Setup`]: what is a test, and how tests are run.
//!
//! The formats (`ini`, `toml`, `yaml`, `shell`, `make`) know bytes and no meaning; `discovery`, `crates`, `recipes`, `tox`, `containers` and `ci`
//! know files; `pytest`, `cargo` and `runners` know command lines; `runs` joins them. Every word carries its place, through whatever
//! holds it: a shell line in a YAML block in a workflow, with variables from elsewhere.

pub mod cargo;
pub mod ci;
pub mod circle;
pub mod comments;
pub mod containers;
pub mod count;
pub mod crates;
pub mod declared;
pub mod discovery;
pub mod dockerfile;
pub mod env;
pub mod evidence;
pub mod examples;
pub mod follow;
pub mod gitlab;
pub mod hosts;
pub mod ini;
pub mod jobs;
pub mod launch;
pub mod make;
pub mod nextest;
pub mod notebooks;
pub mod pytest;
pub mod python;
pub mod recipes;
pub mod reusable;
pub mod runners;
pub mod runs;
pub mod script;
pub mod shell;
pub mod toml;
pub mod tox;
pub mod tree;
pub mod yaml;

use crate::facts::run::{Declared, Discovery, Setup};
use crate::facts::trace::Programs;
use crate::text::Source;

/// Reads all configuration among `sources`; `programs` is what Python code says about the running of tests, and `declared` what the
/// user does. Never fails: what cannot be read is left out.
pub fn read(sources: &[Source], programs: &Programs, declared: &[Declared]) -> Setup {
    let tree = tree::Tree::new(sources);
    let roots = discovery::roots(&tree);
    let crates = crates::read(&tree);
    let cargo = cargo::settings(&tree);
    let mut recipes = recipes::read(&tree);
    recipes.extend(make::read(&tree));
    recipes.extend(containers::read(&tree));
    recipes.extend(recipes::programs(&tree, programs));
    let pipeline = ci::read(&tree);
    let project = runs::Project {
        tree: &tree,
        roots: &roots,
        crates: &crates,
        recipes: &recipes,
        steps: &pipeline.steps,
        jobs: &pipeline.jobs,
        cargo: &cargo,
        programs,
    };
    let mut outcome = runs::read(&project);
    declared::over(&mut outcome, declared, &tree);

    let examples = examples::read(&tree, &crates);

    let mut discovery: Vec<Discovery> = roots.iter().map(|root| root.discovery.clone()).collect();
    if !discovery.iter().any(|found| found.root.is_empty()) {
        let mut default = Discovery::default();
        let mut patterns = outcome.unittest.clone();
        if tree.files().any(|(path, _)| tree::name(path) == "manage.py") {
            patterns.insert("tests.py".to_owned());
        }
        // pytest's names are for projects where pytest may be what runs.
        if !outcome.unittest.is_empty() && !outcome.pytest && roots.is_empty() {
            default.python_files.clear();
        }
        default.python_files.extend(patterns);
        discovery.push(default);
    }
    let python_is_data = !crates.is_empty() && !outcome.pytest && outcome.unittest.is_empty() && !discovery::has_python(&tree);
    Setup {
        discovery,
        crates,
        runs: outcome.runs,
        jobs: pipeline.jobs,
        commands: outcome.commands,
        claims: outcome.claims,
        unread: outcome.unread,
        examples,
        doctests: outcome.doctests,
        behave: discovery::behave(&tree),
        plugins: discovery::plugins(&tree, &roots),
        pythons: python::oldest(&tree),
        python_is_data,
        queues: nextest::queues(&tree),
        published: containers::published(&tree),
    }
}
