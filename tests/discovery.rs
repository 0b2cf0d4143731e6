//! What is looked at, what is left out, and what is said about it.

mod world;

use isolint::discover::{self, Found};
use isolint::text::Kind;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use world::{World, finish};

/// Reads what the named paths (relative to the world's folder) ask for.
fn found(world: &World, named: &[&str], exclude: &[&str]) -> Found {
    let named: Vec<PathBuf> = named.iter().map(|name| world.path(name)).collect();
    let exclude: Vec<String> = exclude.iter().map(|glob| (*glob).to_owned()).collect();
    discover::locate(&named).unwrap().read(&exclude, 2).unwrap()
}

fn paths(found: &Found) -> Vec<&str> {
    found.sources.iter().map(|source| &*source.path).collect()
}

fn all(world: &World) -> Vec<String> {
    paths(&found(world, &["."], &[])).into_iter().map(str::to_owned).collect()
}

#[test]
fn the_nearest_git_folder_is_the_project() {
    let world = World::project();
    world.make("sub/.git");
    world.files(&["pyproject.toml", "a.py", "sub/deep/Cargo.toml", "sub/deep/b.py"]);
    let project = discover::locate(&[world.path("sub/deep/b.py")]).unwrap();
    assert_eq!((project.root.clone(), project.whole), (world.path("sub"), true));
    assert_eq!(project.filter(), ["deep/b.py"]);
    let project = discover::locate(&[world.path("sub/deep"), world.path("a.py")]).unwrap();
    assert_eq!(project.root, world.root());
    assert_eq!(project.filter(), ["a.py", "sub/deep"]);
}

#[test]
fn a_git_file_marks_a_worktree() {
    let world = World::bare();
    world.files(&["tox.ini", "tree/.git", "tree/a.py"]);
    assert_eq!(discover::locate(&[world.path("tree/a.py")]).unwrap().root, world.path("tree"));
}

#[test]
fn else_the_topmost_manifest() {
    let world = World::bare();
    world.files(&["top/setup.cfg", "top/sub/Cargo.toml", "top/sub/src/a.rs"]);
    let project = discover::locate(&[world.path("top/sub/src")]).unwrap();
    assert_eq!((project.root, project.whole), (world.path("top"), true));
}

#[test]
fn else_the_path_itself_and_nothing_beside_it() {
    let world = World::bare();
    world.files(&["a/one.py", "a/two.py", "b/three.py", "four.py"]);
    assert_eq!(paths(&found(&world, &["a/one.py"], &[])), ["one.py"]);
    assert_eq!(paths(&found(&world, &["a"], &[])), ["one.py", "two.py"]);
    assert_eq!(paths(&found(&world, &["a/two.py", "b"], &[])), ["a/two.py", "b/three.py"]);
}

#[test]
fn a_project_is_read_whole_whatever_is_named() {
    let world = World::project();
    world.files(&["a.py", "tests/b.py"]);
    assert_eq!(paths(&found(&world, &["tests/b.py"], &[])), ["a.py", "tests/b.py"]);
    assert!(discover::locate(&[world.root()]).unwrap().filter().is_empty());
}

#[test]
fn sorted_by_path_with_their_kinds() {
    let world = World::project();
    world.files(&["b.py", "a/z.rs", "a-b.py", "B.py", "a/Cargo.toml", "é.py", ".github/workflows/x.yml", "README.md", "a.pyi"]);
    let found = found(&world, &["."], &[]);
    let kinds: Vec<_> = found.sources.iter().map(|source| (&*source.path, source.kind)).collect();
    let expected = [
        (".github/workflows/x.yml", Kind::Config),
        ("B.py", Kind::Python),
        ("a-b.py", Kind::Python),
        ("a/Cargo.toml", Kind::Config),
        ("a/z.rs", Kind::Rust),
        ("b.py", Kind::Python),
        ("é.py", Kind::Python),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn ignore_files_are_honoured_without_git() {
    let world = World::bare();
    world.files(&["pyproject.toml", "a.py", "gen/b.py", "sub/c.py", "sub/d.py", "keep/e.py", "f_pb2.py"]);
    world.file(".gitignore", "gen/\n*_pb2.py\n");
    world.file("sub/.gitignore", "d.py\n");
    world.file(".isolintignore", "keep\n");
    assert_eq!(all(&world), ["a.py", "pyproject.toml", "sub/c.py"]);
}

#[test]
fn ignore_files_above_the_project_do_not_count() {
    let world = World::bare();
    world.file(".gitignore", "*.py\n");
    world.make("project/.git");
    world.file("project/a.py", "");
    assert_eq!(paths(&found(&world, &["project"], &[])), ["a.py"]);
}

#[test]
fn hidden_names_are_left_out_but_for_those_that_say_how_tests_run() {
    let world = World::project();
    world.files(&[".hidden.py", ".venv/lib/a.py", ".idea/b.py", ".github/x.py", ".git/hooks/c.py"]);
    world.files(&[".cargo/config.toml", ".config/nextest.toml", ".gitlab-ci.yml", ".circleci/config.yml", ".pytest.ini"]);
    let expected =
        [".cargo/config.toml", ".circleci/config.yml", ".config/nextest.toml", ".github/x.py", ".gitlab-ci.yml", ".pytest.ini"];
    assert_eq!(all(&world), expected);
}

#[test]
fn foreign_folders_are_told_by_what_they_hold() {
    let world = World::project();
    world.files(&["node_modules/x/a.py", "lib/site-packages/b.py", "__pycache__/c.py"]);
    world.files(&[
        "myenv/pyvenv.cfg",
        "myenv/d.py",
        "old/bin/activate_this.py",
        "old/e.py",
        "conda/conda-meta/history",
        "conda/f.py",
    ]);
    world.file("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# by a tool\n");
    world.file("cache/g.py", "");
    world.files(&["crate/Cargo.toml", "crate/target/debug/h.rs"]);
    // The same names, but source.
    world.file("data/CACHEDIR.TAG", "just a name");
    world.files(&["build/i.py", "venv/j.py", "env/k.py", "src/target/l.py", "dist/m.py", "data/n.py", "vendor/o.py"]);
    let expected =
        ["build/i.py", "crate/Cargo.toml", "data/n.py", "dist/m.py", "env/k.py", "src/target/l.py", "vendor/o.py", "venv/j.py"];
    assert_eq!(all(&world), expected);
}

#[test]
fn tests_are_never_skipped_but_by_an_ignore_file() {
    let world = World::project();
    for folder in ["tests", "test", "testing", "fixtures"] {
        world.file(&format!("{folder}/a.py"), "");
        world.file(&format!("{folder}/pyvenv.cfg"), "");
        world.file(&format!("{folder}/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55");
    }
    assert_eq!(all(&world), ["fixtures/a.py", "test/a.py", "testing/a.py", "tests/a.py"]);
    world.file(".gitignore", "fixtures\n");
    assert_eq!(all(&world), ["test/a.py", "testing/a.py", "tests/a.py"]);
}

#[test]
fn what_is_named_is_read_though_it_is_ignored() {
    let world = World::project();
    world.file(".gitignore", "gen\nx.py\n");
    world.files(&["a.py", "gen/b.py", "gen/c.py", "x.py", ".hidden/d.py"]);
    assert_eq!(paths(&found(&world, &["gen/b.py"], &[])), ["a.py", "gen/b.py"]);
    assert_eq!(paths(&found(&world, &["gen", ".hidden"], &[])), [".hidden/d.py", "a.py", "gen/b.py", "gen/c.py"]);
    assert_eq!(paths(&found(&world, &["x.py"], &[])), ["a.py", "x.py"]);
}

#[test]
fn what_is_excluded_stays_out_and_is_said_where_it_was_named() {
    let world = World::project();
    world.files(&["a.py", "gen/b.py", "sub/gen/c.py", "sub/d_pb2.py"]);
    assert_eq!(paths(&found(&world, &["."], &["gen"])), ["a.py", "sub/d_pb2.py"]);
    assert_eq!(paths(&found(&world, &["."], &["/gen/**", "*_pb2.py"])), ["a.py", "sub/gen/c.py"]);
    let named = found(&world, &["gen/b.py", "sub"], &["gen"]);
    assert_eq!(paths(&named), ["a.py", "sub/d_pb2.py"]);
    assert_eq!(named.passed_over[0].path, "gen/b.py");
    let ran = world.run(&["check", "gen/b.py", "--exclude", "gen", "--strict"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, "note: gen/b.py: not looked at: excluded, though named\n"));
}

#[test]
fn a_named_file_of_no_kind_is_passed_over() {
    let world = World::project();
    world.files(&["a.py", "README.md"]);
    let ran = world.run(&["check", "README.md", "--strict"]);
    assert_eq!(ran.status, 0);
    assert!(ran.err.starts_with("note: README.md: not looked at: neither Python nor Rust"), "{ran:?}");
}

#[test]
fn a_path_that_is_not_there_is_an_error() {
    let world = World::project();
    let ran = world.run(&["check", "tests/nope.py"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(ran.err.starts_with("error: tests/nope.py: there is no such file or folder; "), "{ran:?}");
}

#[test]
fn an_empty_project_is_no_error() {
    let world = World::project();
    let ran = world.run(&["check"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    assert!(ran.out.contains("0 files"), "{ran:?}");
}

#[test]
fn a_broken_glob_is_an_error() {
    let world = World::project();
    let ran = world.run(&["check", "--exclude", "a["]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.starts_with("error: cannot exclude `a[`: "), "{ran:?}");
}

#[test]
fn a_broken_line_of_our_ignore_file_is_named() {
    let world = World::project();
    world.file("a.py", "");
    world.file(".isolintignore", "{a\n");
    let found = found(&world, &["."], &[]);
    assert_eq!(found.skipped.len(), 1, "{:?}", found.skipped);
    assert_eq!(found.skipped[0].path, ".isolintignore");
}

#[test]
fn settings_come_from_the_root_of_the_project() {
    let world = World::project();
    world.files(&["a.py", "gen/b.py"]);
    world.file("pyproject.toml", "[tool.isolint]\nexclude = ['gen']\n");
    assert_eq!(world.json(&[])["summary"]["files"], 2);
    assert_eq!(world.json(&["--isolated"])["summary"]["files"], 3);
    // The first that speaks of us.
    world.file("isolint.toml", "exclude = ['*.py']\n");
    assert_eq!(world.json(&[])["summary"]["files"], 2);
    world.file("other.toml", "exclude = ['*']\n");
    assert_eq!(world.json(&["--config", "other.toml"])["summary"]["files"], 0);
}

#[test]
fn a_mistake_in_the_settings_names_file_line_and_the_next_step() {
    let world = World::project();
    world.file("isolint.toml", "preview = true\nexlude = ['gen']\n");
    let ran = world.run(&["check"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "error: isolint.toml:2: unknown key `exlude`; did you mean `exclude`?\n");
    assert_eq!(world.run(&["check", "--isolated"]).status, 0);

    world.file("none.toml", b"\xFF\xFE\xFF");
    let ran = world.run(&["check", "--config", "none.toml"]);
    assert_eq!(ran.err, "error: none.toml: cannot be read: not valid UTF-16LE\n");
    let ran = world.run(&["check", "--config", "missing.toml"]);
    assert!(ran.status == 2 && ran.err.starts_with("error: missing.toml: there is no such file"), "{ran:?}");
    world.file("sub/pyproject.toml", "[project]\n");
    let ran = world.run(&["check", "--config", "sub/pyproject.toml"]);
    assert_eq!(ran.err, "error: sub/pyproject.toml: cannot be read: it has no table for isolint\n");
}

#[test]
fn flags_that_make_no_sense_exit_with_2() {
    let world = World::project();
    for words in [
        &["check", "--no-such-flag"][..],
        &["check", "--min-severity", "high"],
        &["check", "--select", "no-rule"],
        &["explain", "no-rule"],
    ] {
        let ran = world.run(words);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{words:?}");
        assert!(ran.err.starts_with("error: "), "{ran:?}");
    }
}

#[test]
fn the_format_may_come_from_the_environment() {
    let world = World::project();
    let child = world.command(&["check"]).env("ISOLINT_OUTPUT_FORMAT", "sarif").spawn().unwrap();
    let report: serde_json::Value = serde_json::from_str(&finish(child).out).unwrap();
    assert_eq!(report["version"], "2.1.0");
}

#[test]
fn a_report_may_go_to_a_file() {
    let world = World::project();
    let ran = world.run(&["check", "--output-format", "json", "--output-file", "out/report.json"]);
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(world.path("out/report.json")).unwrap()).unwrap();
    assert!(report["findings"].is_array());
    assert_eq!(fs::read_dir(world.path("out")).unwrap().count(), 1);
    world.make("folder");
    let ran = world.run(&["check", "-o", "folder"]);
    assert!(ran.status == 2 && ran.err.starts_with("error: cannot write to folder: "), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::project();
    for words in ["check --output-format json", "check", "completions bash", "rules --json"] {
        // It starts to write when nobody reads any more.
        let script = format!("sleep 0.3; exec '{}' {words}", env!("CARGO_BIN_EXE_isolint"));
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).current_dir(world.root()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        drop(child.stdout.take());
        let ran = finish(child);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{words}");
    }
}

#[test]
fn the_same_report_in_any_number_of_threads_and_any_order_of_making() {
    let names: Vec<String> =
        (0..60).map(|n| format!("{}/f{}.{}", ["a", "b/c", "tests"][n % 3], n * 7919 % 61, ["py", "rs"][n % 2])).collect();
    let bytes = |name: &str| match name.len() % 4 {
        0 => b"x = '\xFF'\n".to_vec(),
        1 => vec![b'#'; 2 * 1024 * 1024 + 1],
        _ => b"x = 1\n".to_vec(),
    };
    let (one, two) = (World::project(), World::project());
    for name in &names {
        one.file(name, bytes(name));
    }
    for name in names.iter().rev() {
        two.file(name, bytes(name));
    }
    let report = |world: &World, jobs| world.run(&["check", "--output-format", "json", "-j", jobs]);
    let first = report(&one, "1");
    assert_eq!(first.status, 0);
    assert!(first.out.contains("over 2 MiB") && first.out.contains("not valid UTF-8"));
    for ran in [report(&one, "2"), report(&one, "16"), report(&two, "1"), report(&two, "2"), report(&two, "0")] {
        assert_eq!(ran, first);
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn links_are_not_followed() {
        let (world, outside) = (World::project(), World::bare());
        outside.file("secret.py", "");
        world.file("sub/a.py", "");
        symlink("..", world.path("sub/loop")).unwrap();
        symlink("self", world.path("self")).unwrap();
        symlink(outside.root(), world.path("out")).unwrap();
        symlink("sub/a.py", world.path("b.py")).unwrap();
        symlink("/dev/zero", world.path("zero.py")).unwrap();
        symlink("gone", world.path("gone.py")).unwrap();
        let found = found(&world, &["."], &[]);
        assert_eq!(paths(&found), ["sub/a.py"]);
        assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    }

    #[test]
    fn a_named_link_is_what_it_means() {
        let world = World::project();
        world.file("sub/a.py", "");
        symlink("sub/a.py", world.path("b.py")).unwrap();
        assert_eq!(discover::locate(&[world.path("b.py")]).unwrap().filter(), ["sub/a.py"]);
        symlink("self.py", world.path("self.py")).unwrap();
        let ran = world.run(&["check", "self.py"]);
        assert_eq!(ran.status, 2);
        assert!(ran.err.starts_with("error: self.py: "), "{ran:?}");
    }

    #[test]
    fn only_regular_files() {
        let world = World::project();
        world.file("a.py", "");
        assert!(Command::new("mkfifo").arg(world.path("pipe.py")).status().unwrap().success());
        world.make("folder.py");
        let ran = world.run(&["check"]);
        assert!(ran.status == 0 && ran.out.contains("1 file,"), "{ran:?}");
        let ran = world.run(&["check", "pipe.py"]);
        assert_eq!(ran.status, 2);
        assert!(ran.err.starts_with("error: pipe.py: neither a file nor a folder; "), "{ran:?}");
    }

    #[test]
    fn what_may_not_be_read_is_named() {
        let world = World::project();
        world.files(&["a.py", "locked.py", "closed/b.py", "c.py"]);
        for name in ["locked.py", "closed"] {
            fs::set_permissions(world.path(name), fs::Permissions::from_mode(0o000)).unwrap();
        }
        let ran = world.run_as_ordinary(&["check", "--output-format", "json"]);
        let strict = world.run_as_ordinary(&["check", "--strict"]);
        let file = world.run_as_ordinary(&["check", "locked.py"]);
        let folder = world.run_as_ordinary(&["check", "closed"]);
        fs::set_permissions(world.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
        let (Some(ran), Some(strict), Some(file), Some(folder)) = (ran, strict, file, folder) else { return };

        assert_eq!(ran.status, 0, "{ran:?}");
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(report["summary"]["files"], 2);
        let err = "warning: closed: skipped: no permission to read it\nwarning: locked.py: skipped: no permission to read it\n";
        assert_eq!(ran.err, err);
        assert_eq!(strict.status, 2);
        for (ran, name) in [(file, "locked.py"), (folder, "closed")] {
            assert_eq!(ran.status, 2, "{ran:?}");
            assert_eq!(ran.err, format!("error: {name}: no permission to read it; change its mode, or run as its owner\n"));
        }
    }

    #[test]
    fn settings_that_may_not_be_read_are_an_error() {
        let world = World::project();
        world.file("isolint.toml", "preview = true");
        fs::set_permissions(world.path("isolint.toml"), fs::Permissions::from_mode(0o000)).unwrap();
        let Some(ran) = world.run_as_ordinary(&["check"]) else { return };
        assert_eq!(ran.status, 2);
        assert!(ran.err.contains("isolint.toml: no permission to read it"), "{ran:?}");
    }

    #[test]
    fn names_that_are_no_text_or_would_steer_a_terminal() {
        let world = World::project();
        for name in [b"bad\xFF.py", b"bad\xFE.py"] {
            fs::write(world.path("").join(std::ffi::OsStr::from_bytes(name)), "x = 1\n").unwrap();
        }
        world.file("red\u{1b}[31m.py", b"\xFF");
        let report = world.json(&[]);
        assert_eq!(report["summary"]["files"], 2);
        for format in ["terminal", "concise", "json"] {
            let ran = world.run(&["check", "--output-format", format]);
            assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{ran:?}");
            assert!(ran.out.contains("red"));
        }
    }
}
