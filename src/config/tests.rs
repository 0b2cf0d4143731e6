use super::*;

const RULES: [&str; 3] = ["mktemp", "shared-path", "fixed-port"];

fn read(file: &str, text: &str) -> Result<Option<Settings>, String> {
    Settings::read(file, text, Home::Root, &RULES).map_err(|wrong| wrong.to_string())
}

fn preview() -> Settings {
    Settings { local: Local { preview: Some(true), ..Local::default() }, ..Settings::default() }
}

/// What holds in a file under a configuration of the root.
fn scope(text: &str, path: &str) -> Scope {
    let mut config = Config::default();
    read("isolint.toml", text).unwrap().unwrap().apply(&mut config);
    config.scope(path)
}

#[test]
fn each_file_has_its_table() {
    let expected = preview();
    assert_eq!(read("isolint.toml", "preview = true"), Ok(Some(expected.clone())));
    assert_eq!(read("sub/.isolint.toml", "preview = true"), Ok(Some(expected.clone())));
    assert_eq!(read("pyproject.toml", "[tool.isolint]\npreview = true"), Ok(Some(expected.clone())));
    assert_eq!(read("Cargo.toml", "[package.metadata]\nisolint = { preview = true }"), Ok(Some(expected.clone())));
    let both = "[package.metadata.isolint]\npreview = false\n[workspace.metadata.isolint]\npreview = true\n";
    assert_eq!(read("Cargo.toml", both), Ok(Some(expected)));
}

#[test]
fn files_that_do_not_speak_of_us() {
    assert_eq!(read("pyproject.toml", "[tool.black]\nselect = 1"), Ok(None));
    assert_eq!(read("pyproject.toml", "dependencies = [\"isolint\"]"), Ok(None));
    assert_eq!(read("Cargo.toml", "this is no TOML"), Ok(None));
    assert_eq!(read("isolint.toml", ""), Ok(Some(Settings::default())));
}

#[test]
fn what_a_file_sets() {
    let text = "select = ['mktemp']\nignore = ['fixed-port']\nexclude = ['a/**']\nmin-severity = 'warning'\n\
                min-confidence = 'high'\npreview = true\n";
    let mut config = Config::default();
    read("isolint.toml", text).unwrap().unwrap().apply(&mut config);
    assert_eq!(config.exclude, ["a/**"]);
    let scope = config.scope("a.py");
    assert_eq!((scope.select, scope.ignore), (vec!["mktemp".to_owned()], vec!["fixed-port".to_owned()]));
    assert_eq!((scope.min_severity, scope.min_confidence, scope.preview), (Severity::Warning, Confidence::High, true));
}

#[test]
fn what_is_not_set_stays() {
    let mut config = Config { exclude: vec!["a".into()], min_severity: Severity::Error, ..Config::default() };
    Settings::default().apply(&mut config);
    assert_eq!(config.exclude, ["a"]);
    assert_eq!(config.scope("a.py").min_severity, Severity::Error);
}

#[test]
fn parts_of_the_project_have_their_own() {
    let text = "ignore = ['mktemp']\n[levels]\nshared-path = 'note'\n[per-path]\n'tests/*.py' = { ignore = ['fixed-port'] }\n\
                'legacy' = { select = ['mktemp'], levels = { shared-path = 'off' }, min-severity = 'error' }\n";
    let outer = scope(text, "src/a.py");
    assert_eq!((outer.ignore, outer.levels["shared-path"]), (vec!["mktemp".to_owned()], Level::At(Severity::Note)));
    assert_eq!(scope(text, "tests/a.py").ignore, ["mktemp", "fixed-port"]);
    let legacy = scope(text, "x/legacy/sub/a.py");
    assert_eq!((legacy.select, legacy.ignore), (vec!["mktemp".to_owned()], Vec::new()));
    assert_eq!((legacy.levels["shared-path"], legacy.min_severity), (Level::Off, Severity::Error));
}

#[test]
fn a_nested_file_goes_over_the_root() {
    let mut config = Config::default();
    read("isolint.toml", "select = ['mktemp']\nignore = ['fixed-port']\nmin-severity = 'error'\n")
        .unwrap()
        .unwrap()
        .apply(&mut config);
    let nested = "extend-select = ['shared-path']\nignore = []\n[per-path]\n'sub/*' = { levels = { mktemp = 'off' } }\n";
    let nested = Settings::read("tests/isolint.toml", nested, Home::Nested, &RULES).unwrap().unwrap();
    config.nest("tests", nested);
    let tests = config.scope("tests/a.py");
    assert_eq!((tests.select, tests.also), (vec!["mktemp".to_owned()], vec!["shared-path".to_owned()]));
    assert!(tests.ignore.is_empty() && tests.levels.is_empty());
    assert_eq!(tests.min_severity, Severity::Error);
    assert_eq!(config.scope("tests/sub/a.py").levels["mktemp"], Level::Off);
    for outside in ["a.py", "testing/a.py", "sub/a.py"] {
        assert_eq!(config.scope(outside).ignore, ["fixed-port"], "{outside}");
    }
    let wrong = Settings::read("tests/isolint.toml", "\nexclude = []", Home::Nested, &RULES).unwrap_err();
    let what = "`exclude` concerns the whole project: write it into the configuration of the project's root";
    assert_eq!(wrong.to_string(), format!("tests/isolint.toml:2: {what}"));
}

#[test]
fn a_file_goes_over_what_it_extends() {
    let of = |text: &str| read("isolint.toml", text).unwrap().unwrap();
    let base = "ignore = ['mktemp']\nexclude = ['a']\nbaseline = 'old.json'\nsafe-stores = ['a.B']\n[levels]\nmktemp = 'error'\n";
    let over = |own: &str| {
        let mut config = Config::default();
        let all = of(own).over(of(base));
        let baseline = all.baseline.clone();
        all.apply(&mut config);
        (config.scope("a.py"), config.exclude, baseline)
    };
    let (scope, exclude, baseline) = over("extend = 'base.toml'\nextend-ignore = ['fixed-port']\nextend-exclude = ['b']\n");
    assert_eq!((scope.ignore, exclude), (vec!["mktemp".to_owned(), "fixed-port".into()], vec!["a".to_owned(), "b".into()]));
    assert_eq!((baseline.as_deref(), scope.levels["mktemp"]), (Some("old.json"), Level::At(Severity::Error)));
    let (scope, exclude, baseline) = over("ignore = ['fixed-port']\nexclude = []\nbaseline = 'new.json'\n");
    assert_eq!((scope.ignore, exclude), (vec!["fixed-port".to_owned()], Vec::new()));
    assert_eq!(baseline.as_deref(), Some("new.json"));
}

#[test]
fn facts_become_entries_of_the_call_tables() {
    let text = "safe-stores = ['shop.cache.Store', 'shop::cache::Store']\n[guards]\n'shop.locks.one' = 'host'\n[resources]\n\
                gpu = ['shop.gpu.claim']\n[calls.python.calls]\n'shop.cache.Store' = { store = true, params = ['path'] }\n";
    let mut config = Config::default();
    read("isolint.toml", text).unwrap().unwrap().apply(&mut config);
    let python = config.tables.of(false);
    assert_eq!(python.get("shop.cache.Store").map(|call| (call.store, call.params.len())), Some((true, 1)));
    assert_eq!(python.get("shop.locks.one").and_then(|call| call.guard), Some(Reach::Host));
    assert_eq!(python.get("shop.gpu.claim").and_then(|call| call.state.clone()), Some(Keeper::Named("resource".into())));
    assert!(config.tables.of(true).get("shop::cache::Store").is_some_and(|call| call.store));
    for name in ["shop.cache.Store", "shop.locks.one", "shop.gpu.claim"] {
        assert_eq!(python.get(name).and_then(|call| call.unsound()), None, "{name}");
    }
}

#[test]
fn mistakes_name_file_line_and_the_next_step() {
    let says = |text: &str| read("isolint.toml", text).unwrap_err();
    assert_eq!(says("preview = true\nselct = []"), "isolint.toml:2: unknown key `selct`; did you mean `select`?");
    assert_eq!(says("min_severity = 'note'"), "isolint.toml:1: unknown key `min_severity`; did you mean `min-severity`?");
    assert!(
        says("colour = 1")
            .starts_with("isolint.toml:1: unknown key `colour`; known are `baseline`, `calls`, `exclude`, `extend`, ")
    );
    assert_eq!(says("\nselect = [\n 'mktmp']"), "isolint.toml:3: there is no rule `mktmp`; did you mean `mktemp`?");
    assert_eq!(says("ignore = ['T201']"), "isolint.toml:1: there is no rule `T201`; `isolint rules` lists all");
    assert_eq!(says("ignore = 'mktemp'"), "isolint.toml:1: `ignore` is a list of texts: `ignore = [\"…\"]`");
    assert_eq!(says("exclude = [1]"), "isolint.toml:1: `exclude` is a list of texts: `exclude = [\"…\"]`");
    assert_eq!(says("min-severity = 'high'"), "isolint.toml:1: `min-severity` is one of `note`, `warning`, `error`");
    assert_eq!(says("preview = 1"), "isolint.toml:1: `preview` is `true` or `false`");
    assert!(says("a = 1\nb = = 2\n").starts_with("isolint.toml:2: "));
    let pyproject = "[project]\nname = 'x'\n\n[tool.isolint]\nexlude = []\n";
    assert_eq!(read("pyproject.toml", pyproject).unwrap_err(), "pyproject.toml:5: unknown key `exlude`; did you mean `exclude`?");
    let tells = [
        ("[run]\nworkers = 2", "1: a run says which runner it is: `runner = \"pytest-xdist\"`"),
        ("[run]\nrunner = 'pytest-xdst'", "2: `runner` is one of `pytest`, "),
        ("[[run]]\nrunner = 'pytest'\ndist = 'load'", "3: `dist` is for `pytest-xdist`, not for `pytest`; take it out"),
        ("[run]\nrunner = 'pytest'\nworkers = 2", "3: `pytest` runs one test after the other: take `workers` out, or "),
        ("[run]\nrunner = 'stestr'\nworkers = 0", "3: `workers` is a number from 1, or `\"cpus\"`"),
        ("[run]\nrunner = 'stestr'\npath = '../x'", "3: `path` is a path below the project: `\"…\"`"),
        ("[levels]\nmktmp = 'note'", "2: there is no rule `mktmp`; did you mean `mktemp`?"),
        ("[levels]\nmktemp = 'eror'", "2: `mktemp` is one of `note`, `warning`, `error`, `off`; did you mean `error`?"),
        ("[per-path]\n'a[' = {}", "2: `a[` is no glob: unclosed character class"),
        ("[per-path]\n'a' = { exclude = [] }", "2: unknown key `exclude`; known are "),
        ("[per-path]\n'a' = { ignroe = [] }", "2: unknown key `ignroe`; did you mean `ignore`?"),
        ("exclude = ['{a']", "1: `{a` is no glob: unclosed alternate group"),
        ("extend = 'base.yaml'", "1: `extend` is the path of a TOML file, relative to this one: `\"….toml\"`"),
        ("extend = '/etc/base.toml'", "1: `extend` is the path of a TOML file"),
        ("[guards]\n'shop.lock' = 'world'", "2: `shop.lock` is one of `process`, `host`, `run`"),
        ("safe-stores = ['Store']", "1: `Store` is no full name; write `module.name`, or `krate::module::name` for Rust"),
        ("[calls.pyton]", "1: unknown key `pyton`; did you mean `python`?"),
        ("[calls.python]\nfile = ['a.toml']", "2: calls.python.file: unknown key `file`; did you mean `files`?"),
        ("[calls.python]\nfiles = ['a.py']", "2: `files` is a list of TOML files, relative to this one: "),
        (
            "[calls.python.calls]\n'a.b' = { dose = { read = 'p' } }",
            "2: calls.python.calls.\"a.b\".dose: unknown key `dose`; did you mean `does`? (the words are in rules/calls/README.md)",
        ),
        (
            "[calls.python.calls]\n'a.b' = { params = ['p'], does = { wirte = 'p' } }",
            "2: calls.python.calls.\"a.b\".does.wirte: unknown word `wirte`; did you mean `write`?",
        ),
        (
            "[calls.rust.calls]\n'a::b' = { does = { write = 'p' } }",
            "2: calls.rust.calls.\"a::b\": it speaks of the argument `p`, which is not in `params`",
        ),
    ];
    for (text, what) in tells {
        let said = says(text);
        assert!(said.starts_with(&format!("isolint.toml:{what}")), "{text}\n  {said}");
    }
}

/// Takes the `#` off the settings of a configuration that `isolint init` writes; words stay.
fn uncommented(text: &str) -> String {
    text.lines()
        .map(|line| if line.starts_with("# ") { line } else { line.trim_start_matches('#') })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_first_configuration_is_one_with_and_without_its_comments() {
    let found = init::Found { languages: vec!["Python"], tests: 3, runners: vec!["a\nb".into()], is_run: false, findings: 7 };
    for (inside, file) in [(false, "isolint.toml"), (true, "pyproject.toml")] {
        let text = init::text(&found, inside);
        let all = Settings::read(file, &text, Home::Root, &rule_names()).unwrap().unwrap();
        assert_eq!(all, Settings::default(), "{text}");
        let open = uncommented(&text);
        let all =
            Settings::read(file, &open, Home::Root, &rule_names()).unwrap_or_else(|wrong| panic!("{wrong}\n{open}")).unwrap();
        assert!(
            all.baseline.is_some()
                && all.extend.is_some()
                && all.runs.is_some()
                && all.calls.len() == 2
                && !all.per_path.is_empty(),
            "{open}"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 132 && line.matches('`').count() % 2 == 0), "{text}");
    }
    let none = init::text(&init::Found::default(), false);
    assert!(none.starts_with("# Take the `#`") && none.contains("# Found: no code of Python or Rust, 0 tests.\n"), "{none}");
    assert_eq!(Settings::read("isolint.toml", &none, Home::Root, &[]).unwrap(), Some(Settings::default()));
}

#[test]
fn every_example_is_a_configuration() {
    let reads = |example: &str| {
        let read = Settings::read("isolint.toml", example, Home::Root, &rule_names());
        assert!(read.as_ref().is_ok_and(|settings| *settings != Some(Settings::default())), "{example}\n{read:?}");
    };
    keys::LOCAL.iter().chain(keys::WHOLE).for_each(|key| reads(key.example));
    keys::PER_PATH.iter().for_each(|key| reads(key.example));
    keys::RUN.iter().for_each(|key| reads(key.example));
}
