//! The command that a finding prints, so that a person can see what it says.

mod world;

use world::World;

#[test]
fn the_command_that_shows_a_collision_names_the_binary_and_its_tests() {
    let world = World::project();
    world.file("Cargo.toml", "[package]\nname = \"pair\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    world.file("src/lib.rs", "");
    let code = "use std::fs;\n\n#[test]\nfn writes() {\n    fs::write(\"target/pair.txt\", \"x\").unwrap();\n}\n\n\
                #[test]\nfn reads() {\n    fs::read_to_string(\"target/pair.txt\").unwrap();\n}\n";
    world.file("tests/files.rs", code);
    let report = world.json(&["."]);
    let command = report["findings"][0]["reproduce"].as_str().unwrap();
    assert_eq!(command, "cargo test --test files -- --test-threads 8 writes reads");
}

#[test]
fn the_command_runs_whole_files_where_neither_end_makes_what_they_meet_at() {
    let world = World::project();
    world.file("pytest.ini", "[pytest]\naddopts = -n 2\n");
    let code = "import os\n\nimport pytest\n\nSTORE = \"test.db\"\n\n\nclass TestStore:\n    @pytest.fixture(autouse=True)\n    def removed(self):\n        yield\n        \
                if os.path.exists(STORE):\n            os.remove(STORE)\n\n    def test_one(self):\n        assert 1\n\n    \
                def test_two(self):\n        assert 2\n";
    world.file("tests/test_store.py", code);
    let report = world.json(&["--preview", "--select", "shared-path", "."]);
    let command = report["findings"][0]["reproduce"].as_str().unwrap();
    assert_eq!(command, "pytest -n 4 tests/test_store.py");
}
