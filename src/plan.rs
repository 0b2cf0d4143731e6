//! The conflict graph made useful: which test files may run beside any other, what holds the rest back, and what keeps those apart
//! until it is repaired.

use crate::calls::{Discriminator, Verb};
use crate::facts::run::{Dist, Runner};
use crate::facts::trace::Place;
use crate::facts::{Gap, Language};
use crate::finding::{Confidence, Finding};
use crate::link::{Piece, Realm, Root, Suite, Term, Test, TestEffect, changes, discriminators, is_far, separates};
use crate::page::{self, Status};
use crate::text::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Families of rules whose findings are about tests that run beside others, in one run.
const BESIDE: [&str; 3] = ["paths", "guards", "resources"];

/// Families of rules whose findings are about what one test leaves to those after it. Workers change who comes after whom.
const AFTER: [&str; 3] = ["globals", "imports", "collection"];

/// What the suite knows of its tests, kept for the plan: the suite itself goes when the analysis ends.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    tests: Vec<SeenTest>,
}

#[derive(Clone, Debug)]
struct SeenTest {
    name: String,
    /// The file that its runner finds it in.
    path: String,
    language: Language,
    /// Several instances of it run.
    many: bool,
    runners: BTreeSet<Runner>,
    doubts: BTreeSet<Doubt>,
}

/// Something about a test that is not known, and that could make it meet others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Doubt {
    pub place: Place,
    /// A few words, lower case, no full stop.
    pub text: String,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    /// Sorted by path.
    pub files: Vec<TestFile>,
    /// Those first whose repair frees most tests when those before them are repaired.
    pub blockers: Vec<Blocker>,
    pub groups: Vec<Group>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TestFile {
    pub path: String,
    /// How many tests of it run.
    pub tests: usize,
    pub verdict: Verdict,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// Nothing that its tests do is seen to meet another test, and nothing that they change is unknown.
    Safe,
    /// Indexes into [`Plan::blockers`].
    Blocked(BTreeSet<usize>),
    Unknown(BTreeSet<Doubt>),
}

/// A finding that keeps tests from running beside others.
#[derive(Clone, PartialEq, Debug)]
pub struct Blocker {
    pub finding: Finding,
    /// The tests that it holds back, by name.
    pub tests: BTreeSet<String>,
    /// Their files.
    pub files: BTreeSet<String>,
    /// Tests that nothing holds back when it and all before it are repaired.
    pub frees: usize,
}

/// Tests that meet one another, directly or through others, and how their runner is told so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub name: String,
    pub tests: BTreeSet<String>,
    /// Indexes into [`Plan::blockers`].
    pub blockers: BTreeSet<usize>,
    pub means: Means,
}

/// How tests are kept apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Means {
    /// `@pytest.mark.xdist_group`, which `--dist loadgroup` alone heeds; whether the runs of these tests say that already.
    XdistGroup { heeded: bool },
    /// `#[serial]` of serial_test: threads of one process.
    Serial,
    /// `#[file_serial]` of serial_test: processes too, since nextest runs a process for each test.
    FileSerial,
    /// A test group of one thread in nextest's configuration.
    NextestGroup,
    /// The runner of these tests has no word for it.
    Nothing,
}

/// What is known of a suite's tests.
pub fn look(suite: &Suite) -> Seen {
    let mut services: BTreeMap<FileId, Option<Doubt>> = BTreeMap::new();
    let tests = suite.tests.iter().filter(|test| !test.skipped).map(|test| {
        let (file, language) = (test.unit.0, suite.language(test.unit.0));
        let service = services.entry(file).or_insert_with(|| service(suite, file)).clone();
        SeenTest {
            name: test.name.clone(),
            path: test.path.clone(),
            language,
            many: test.many,
            runners: suite.setup.runs_of(&test.path, language == Language::Rust).map(|run| run.runner).collect(),
            doubts: doubts(suite, test).into_iter().chain(service).collect(),
        }
    });
    Seen { tests: tests.collect() }
}

/// The first import of a library that speaks with a service, in a test file or in what only tests use and it loads.
fn service(suite: &Suite, file: FileId) -> Option<Doubt> {
    let known = services(suite.language(file));
    let loaded = suite.imports.loaded_by(suite.conftests(file).into_iter().chain([file]));
    let of_tests = loaded.into_iter().filter(|one| *one == file || suite.is_test_file(*one));
    of_tests.flat_map(|one| suite.file(one).imports.iter().map(move |import| (one, import))).find_map(|(one, import)| {
        if import.up > 0 {
            return None;
        }
        let names = import.module.iter().chain(&import.name).map(|sym| suite.file(one).name(*sym));
        let dotted = names.collect::<Vec<_>>().join(".");
        let is_of =
            |name: &&String| dotted.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let text = format!("may meet others at a service: `{}` is imported", known.iter().find(is_of)?);
        Some(Doubt { place: (one, import.span), text })
    })
}

/// Libraries that speak with a service: `rules/ci/services.toml`.
fn services(language: Language) -> &'static [String] {
    static TABLE: OnceLock<[Vec<String>; 2]> = OnceLock::new();
    let [python, rust] = TABLE.get_or_init(|| {
        let table: toml::Table = include_str!("../rules/ci/services.toml").parse().unwrap_or_default();
        let list = |key| table.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        ["python", "rust"].map(|key| list(key).iter().filter_map(toml::Value::as_str).map(str::to_owned).collect())
    });
    match language {
        Language::Python => python,
        Language::Rust => rust,
    }
}

/// What of a test's doings is not known well enough to say that it meets nobody.
fn doubts(suite: &Suite, test: &Test) -> BTreeSet<Doubt> {
    let head = (test.unit.0, suite.file(test.unit.0).unit(test.unit.1).head);
    let mut found = BTreeSet::new();
    if test.unmet {
        found.insert(Doubt { place: head, text: "it asks for a fixture that is not found".to_owned() });
    }
    for one in test.effects.iter().chain(&test.state).filter(|one| is_doubtful(one)) {
        let site = one.effect.site;
        let what = match one.effect.on.realm() {
            Some(Realm::Port) => "takes a port that is not known",
            Some(_) => "changes something whose name is not known",
            None => "changes a path that is not known",
        };
        found.insert(Doubt { place: (site.file, suite.span(site)), text: format!("{what}: `{}`", one.effect.call) });
    }
    found
}

/// A change of something that others may reach, of which nobody knows whether they do.
fn is_doubtful(one: &TestEffect) -> bool {
    let (effect, place) = (&one.effect, &one.effect.on);
    // A folder that may be there already is made by whoever comes first.
    let harmless = effect.verb == Verb::MakeDir && effect.accepts_existing();
    let changed = changes(effect.verb) && !harmless && !effect.flagged && !effect.expected && !is_far(effect);
    let reaches = match place.realm() {
        None => true,
        // What each process has for itself is the same for tests that run one after the other in it.
        Some(realm) if realm.is_of_process() => false,
        // A port that the system chooses has no number, and a name that says nothing is none.
        Some(_) => !place.segments.iter().flatten().any(|piece| matches!(piece, Piece::Hole(Term::Unknown))),
    };
    let apart = |one: Discriminator| separates(one, Runner::Sequential, false) == Some(true);
    let own = matches!(place.root, Root::Fresh(_)) || discriminators(place).any(apart);
    changed && reaches && !own && (!place.is_settled() || effect.one_of)
}

impl Plan {
    /// From all findings of a project, those of low confidence and of rules in preview too, what is known of its tests, and what could
    /// not be read. `preview`: what rules in preview say counts as what others say.
    pub fn new(
        seen: &Seen,
        findings: &[Finding],
        gaps: &[(FileId, Gap)],
        path_of: &dyn Fn(FileId) -> String,
        preview: bool,
    ) -> Plan {
        let mut of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (t, test) in seen.tests.iter().enumerate() {
            of.entry(&test.name).or_default().push(t);
        }
        let mut doubts: Vec<BTreeSet<Doubt>> = seen.tests.iter().map(|test| test.doubts.clone()).collect();
        let mut held: Vec<(Finding, BTreeSet<usize>)> = Vec::new();
        for finding in findings {
            let Some(page) = page::find(finding.rule) else { continue };
            let family = page.front.family.as_str();
            if !BESIDE.contains(&family) && !AFTER.contains(&family) {
                continue;
            }
            let mut tests: BTreeSet<usize> =
                finding.tests.iter().filter_map(|name| of.get(name.as_str())).flatten().copied().collect();
            let primary = finding.primary();
            let sure = finding.confidence >= Confidence::Medium && (preview || page.front.status == Status::Stable);
            if tests.is_empty() {
                // About code, not about tests that it names: those of its file may or may not come by.
                let path = path_of(primary.file);
                tests = (0..seen.tests.len()).filter(|t| seen.tests[*t].path == path).collect();
            } else if sure {
                let meets = tests.len() > 1 || tests.iter().any(|t| seen.tests[*t].many);
                if meets || AFTER.contains(&family) {
                    held.push((finding.clone(), tests));
                }
                continue;
            }
            let text = format!("`{}` may hold: {}", finding.rule, finding.message);
            for t in tests {
                doubts[t].insert(Doubt { place: (primary.file, primary.span), text: text.clone() });
            }
        }
        for (file, gap) in gaps {
            let path = path_of(*file);
            let doubt = Doubt { place: (*file, gap.span), text: "a part of it could not be read".to_owned() };
            for t in (0..seen.tests.len()).filter(|t| seen.tests[*t].path == path) {
                doubts[t].insert(doubt.clone());
            }
        }
        let held = in_order(held, seen.tests.len());
        let groups = groups(seen, &held);
        let mut files: BTreeMap<&str, TestFile> = BTreeMap::new();
        for (t, test) in seen.tests.iter().enumerate() {
            let blockers: BTreeSet<usize> = (0..held.len()).filter(|b| held[*b].1.contains(&t)).collect();
            let file = TestFile { path: test.path.clone(), tests: 0, verdict: Verdict::Safe };
            let file = files.entry(&test.path).or_insert(file);
            file.tests += 1;
            match (&mut file.verdict, blockers.is_empty(), doubts[t].is_empty()) {
                (Verdict::Blocked(all), _, _) => all.extend(blockers),
                (verdict, false, _) => *verdict = Verdict::Blocked(blockers),
                (Verdict::Unknown(all), true, _) => all.append(&mut doubts[t]),
                (verdict, true, false) => *verdict = Verdict::Unknown(std::mem::take(&mut doubts[t])),
                (_, true, true) => {}
            }
        }
        let blocker = |(finding, tests, frees): (Finding, BTreeSet<usize>, usize)| Blocker {
            finding,
            tests: tests.iter().map(|t| seen.tests[*t].name.clone()).collect(),
            files: tests.iter().map(|t| seen.tests[*t].path.clone()).collect(),
            frees,
        };
        Plan { files: files.into_values().collect(), blockers: held.into_iter().map(blocker).collect(), groups }
    }
}

impl Plan {
    /// What it says about some files: their verdicts, what holds them back, and the groups that their tests are in.
    pub fn only(mut self, asked: &dyn Fn(&str) -> bool) -> Plan {
        self.files.retain(|file| asked(&file.path));
        let kept: Vec<usize> =
            (0..self.blockers.len()).filter(|b| self.blockers[*b].files.iter().any(|path| asked(path))).collect();
        let renumbered =
            |all: &BTreeSet<usize>| all.iter().filter_map(|b| kept.binary_search(b).ok()).collect::<BTreeSet<usize>>();
        for file in &mut self.files {
            if let Verdict::Blocked(by) = &mut file.verdict {
                *by = renumbered(by);
            }
        }
        for group in &mut self.groups {
            group.blockers = renumbered(&group.blockers);
        }
        self.groups.retain(|group| !group.blockers.is_empty());
        let mut at = 0;
        self.blockers.retain(|_| {
            at += 1;
            kept.binary_search(&(at - 1)).is_ok()
        });
        self
    }
}

/// A finding, the tests that it holds back, and how many it frees.
type Held = (Finding, BTreeSet<usize>, usize);

/// Each time the finding whose repair frees most tests; of equal ones that which holds back most, then the order of the report.
fn in_order(mut held: Vec<(Finding, BTreeSet<usize>)>, tests: usize) -> Vec<Held> {
    let mut left = vec![0_usize; tests];
    held.iter().flat_map(|(_, tests)| tests).for_each(|t| left[*t] += 1);
    let mut out = Vec::with_capacity(held.len());
    while !held.is_empty() {
        let frees = |tests: &BTreeSet<usize>| tests.iter().filter(|t| left[**t] == 1).count();
        let worth = |at: &usize| (frees(&held[*at].1), held[*at].1.len(), std::cmp::Reverse(*at));
        let Some(best) = (0..held.len()).max_by_key(worth) else { break };
        let (finding, tests) = held.remove(best);
        let freed = tests.iter().filter(|t| left[**t] == 1).count();
        tests.iter().for_each(|t| left[*t] -= 1);
        out.push((finding, tests, freed));
    }
    out
}

/// Tests that meet, joined: nobody is in two groups, as a runner knows one group for each test.
fn groups(seen: &Seen, held: &[Held]) -> Vec<Group> {
    let beside = |finding: &Finding| page::find(finding.rule).is_some_and(|page| BESIDE.contains(&page.front.family.as_str()));
    let mut joined: Vec<(BTreeSet<usize>, BTreeSet<usize>)> = Vec::new();
    for (b, (_, tests, _)) in held.iter().enumerate().filter(|(_, (finding, ..))| beside(finding)) {
        let (touching, apart): (Vec<_>, Vec<_>) = joined.into_iter().partition(|(all, _)| !all.is_disjoint(tests));
        let mut one = (tests.clone(), BTreeSet::from([b]));
        for (tests, blockers) in touching {
            one.0.extend(tests);
            one.1.extend(blockers);
        }
        joined = apart;
        joined.push(one);
    }
    joined.sort_by_key(|(_, blockers)| blockers.first().copied());
    let mut names = BTreeSet::new();
    let group = |(tests, blockers): (BTreeSet<usize>, BTreeSet<usize>)| {
        let key = blockers.first().map_or("", |b| held[*b].0.key.as_str());
        let name = (1..).map(|n| named(key, n)).find(|name| names.insert(name.clone())).unwrap_or_default();
        let means = means(tests.iter().map(|t| &seen.tests[*t]));
        Group { name, tests: tests.iter().map(|t| seen.tests[*t].name.clone()).collect(), blockers, means }
    };
    joined.into_iter().map(group).collect()
}

/// A name for a group: the last part of what its tests meet at, in letters and digits.
fn named(key: &str, n: usize) -> String {
    let last = key.trim_end_matches('/').rsplit('/').next().unwrap_or(key);
    let words: Vec<&str> = last.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { "shared".to_owned() } else { words.join("-").to_ascii_lowercase() };
    if n == 1 { name } else { format!("{name}-{n}") }
}

/// What the runners of all these tests understand.
fn means<'s>(tests: impl Iterator<Item = &'s SeenTest>) -> Means {
    let (mut runners, mut rust, mut python) = (BTreeSet::new(), false, false);
    for test in tests {
        runners.extend(test.runners.iter().copied().filter(|runner| *runner != Runner::Sequential));
        match test.language {
            Language::Rust => rust = true,
            Language::Python => python = true,
        }
    }
    let xdist = |runner: &Runner| matches!(runner, Runner::Xdist(_));
    match (rust, python) {
        (true, false) if runners.contains(&Runner::Nextest) && runners.contains(&Runner::CargoTest) => Means::FileSerial,
        (true, false) if runners.contains(&Runner::Nextest) => Means::NextestGroup,
        (true, false) => Means::Serial,
        // Where nothing runs them in parallel yet, xdist is what a user turns on next.
        (false, true) if runners.iter().all(xdist) => {
            let heeded = !runners.is_empty() && runners.iter().all(|runner| *runner == Runner::Xdist(Dist::LoadGroup));
            Means::XdistGroup { heeded }
        }
        _ => Means::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Why;
    use crate::finding::{Label, Role, Severity};
    use crate::text::Span;

    fn seen(names: &[(&str, &str)], runner: Runner) -> Seen {
        let test = |&(name, path): &(&str, &str)| SeenTest {
            name: name.to_owned(),
            path: path.to_owned(),
            language: if runner.is_rust() { Language::Rust } else { Language::Python },
            many: false,
            runners: BTreeSet::from([runner]),
            doubts: BTreeSet::new(),
        };
        Seen { tests: names.iter().map(test).collect() }
    }

    fn finding(rule: &'static str, key: &str, confidence: Confidence, tests: &[&str]) -> Finding {
        Finding {
            rule,
            severity: Severity::Error,
            confidence,
            message: String::new(),
            labels: vec![Label { file: FileId(0), span: Span::default(), text: String::new(), role: Role::Primary }],
            help: String::new(),
            notes: Vec::new(),
            tests: tests.iter().map(|test| (*test).to_owned()).collect(),
            reproduce: None,
            key: key.to_owned(),
            remedy: None,
            fix: None,
        }
    }

    fn plan(seen: &Seen, findings: &[Finding]) -> Plan {
        Plan::new(seen, findings, &[], &|_| "c.py".to_owned(), false)
    }

    #[test]
    fn what_frees_most_comes_first() {
        let seen = seen(&[("a", "a.py"), ("b", "b.py"), ("c", "c.py"), ("d", "d.py")], Runner::Sequential);
        let sure = |key, tests| finding("shared-path", key, Confidence::High, tests);
        let plan = plan(&seen, &[sure("x", &["a", "b"]), sure("y", &["a", "b", "c"]), sure("z", &["a", "c"])]);
        let order: Vec<(&str, usize)> = plan.blockers.iter().map(|one| (one.finding.key.as_str(), one.frees)).collect();
        assert_eq!(order, [("y", 0), ("x", 1), ("z", 2)]);
        assert_eq!(plan.files[3].verdict, Verdict::Safe);
        assert_eq!(plan.files[2].verdict, Verdict::Blocked(BTreeSet::from([0, 2])));
        // All of them hang together.
        assert_eq!(plan.groups.len(), 1);
        assert_eq!(plan.groups[0].tests.len(), 3);
    }

    #[test]
    fn a_hunch_makes_a_file_unknown() {
        let seen = seen(&[("a", "a.py"), ("b", "b.py"), ("c", "c.py")], Runner::Sequential);
        let hunch = finding("shared-path", "x", Confidence::Low, &["a", "b"]);
        // About code of a file, with no test named.
        let nameless = finding("free-port-race", "y", Confidence::High, &[]);
        let plan = plan(&seen, &[hunch, nameless]);
        assert!(plan.blockers.is_empty());
        assert!(plan.files.iter().all(|file| matches!(file.verdict, Verdict::Unknown(_))), "{:?}", plan.files);
    }

    #[test]
    fn what_could_not_be_read_is_unknown() {
        let seen = seen(&[("a", "a.py"), ("c", "c.py")], Runner::Sequential);
        let gap = Gap { span: Span::default(), why: Why::Macro };
        let plan = Plan::new(&seen, &[], &[(FileId(0), gap)], &|_| "c.py".to_owned(), false);
        assert_eq!(plan.files[0].verdict, Verdict::Safe);
        assert!(matches!(plan.files[1].verdict, Verdict::Unknown(_)));
    }

    #[test]
    fn one_test_alone_meets_nobody() {
        let mut seen = seen(&[("a", "a.py")], Runner::Sequential);
        let alone = [finding("shared-path", "x", Confidence::High, &["a"])];
        assert_eq!(plan(&seen, &alone).files[0].verdict, Verdict::Safe);
        seen.tests[0].many = true;
        assert_eq!(plan(&seen, &alone).files[0].verdict, Verdict::Blocked(BTreeSet::from([0])));
    }

    #[test]
    fn only_marks_that_the_runner_heeds() {
        let of = |runners: &[Runner]| {
            let mut seen = seen(&[("a", "a"), ("b", "b")], runners[0]);
            seen.tests.iter_mut().for_each(|test| test.runners.extend(runners));
            plan(&seen, &[finding("shared-path", "<temp>/it.json", Confidence::High, &["a", "b"])]).groups.remove(0)
        };
        assert_eq!(of(&[Runner::Sequential]).means, Means::XdistGroup { heeded: false });
        assert_eq!(of(&[Runner::Xdist(Dist::LoadGroup)]).means, Means::XdistGroup { heeded: true });
        assert_eq!(of(&[Runner::Xdist(Dist::LoadGroup), Runner::Xdist(Dist::Load)]).means, Means::XdistGroup { heeded: false });
        assert_eq!(of(&[Runner::ProcessPool]).means, Means::Nothing);
        assert_eq!(of(&[Runner::CargoTest]).means, Means::Serial);
        assert_eq!(of(&[Runner::Nextest]).means, Means::NextestGroup);
        assert_eq!(of(&[Runner::Nextest, Runner::CargoTest]).means, Means::FileSerial);
        assert_eq!(of(&[Runner::CargoTest]).name, "it-json");
    }

    #[test]
    fn a_part_of_the_plan_is_numbered_anew() {
        let seen = seen(&[("a", "a.py"), ("b", "b.py"), ("c", "c.py"), ("d", "d.py")], Runner::Sequential);
        let sure = |key, tests| finding("shared-path", key, Confidence::High, tests);
        let part = plan(&seen, &[sure("x", &["a", "b"]), sure("y", &["c", "d"])]).only(&|path| path == "c.py");
        assert_eq!(part.files.len(), 1);
        assert_eq!(part.files[0].verdict, Verdict::Blocked(BTreeSet::from([0])));
        assert_eq!((part.blockers[0].finding.key.as_str(), part.groups.len()), ("y", 1));
    }

    #[test]
    fn the_table_of_services_is_read() {
        assert!(services(Language::Python).iter().any(|name| name == "redis"));
        assert!(services(Language::Rust).iter().any(|name| name == "sqlx"));
    }
}
