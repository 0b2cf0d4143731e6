//! The manual pages and completions that the Python package puts where systems look for them: what `isolint man` and
//! `isolint completions` print. `BLESS=1` writes them anew.

mod world;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use world::World;

/// What maturin puts into the wheel, below the prefix of the environment that it is installed into.
const PACKAGED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/data");

/// Where each shell looks below a prefix; the others have no such place.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/isolint"),
    ("fish", "share/fish/vendor_completions.d/isolint.fish"),
    ("zsh", "share/zsh/site-functions/_isolint"),
];

fn printed(words: &[&str]) -> String {
    let ran = World::bare().run(words);
    assert_eq!(ran.status, 0, "{words:?}: {ran:?}");
    ran.out
}

/// All files by their path below the prefix.
fn wanted() -> BTreeMap<String, String> {
    let program = printed(&["man"]);
    // Its page names those of the commands.
    let pages = program.lines().filter_map(|line| line.strip_prefix("isolint\\-")?.strip_suffix("(1)"));
    let commands: Vec<String> = pages.map(|name| name.replace('\\', "")).collect();
    assert!(commands.contains(&"check".to_owned()), "{commands:?}");
    let page = |name: &String| (format!("share/man/man1/isolint-{name}.1"), printed(&["man", name]));
    let mut files: BTreeMap<String, String> = commands.iter().map(page).collect();
    files.insert("share/man/man1/isolint.1".to_owned(), program);
    files.extend(COMPLETIONS.map(|(shell, path)| (path.to_owned(), printed(&["completions", shell]))));
    files
}

fn packaged() -> BTreeMap<String, String> {
    let files = walkdir::WalkDir::new(PACKAGED).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let named = files.map(|entry| {
        let name = entry.path().strip_prefix(PACKAGED).unwrap().to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(entry.path()).unwrap().replace("\r\n", "\n"))
    });
    named.collect()
}

#[test]
fn what_is_packaged_is_what_the_program_prints() {
    let wanted = wanted();
    if std::env::var_os("BLESS").is_some() {
        fs::remove_dir_all(PACKAGED).unwrap_or_default();
        for (name, text) in &wanted {
            let path = Path::new(PACKAGED).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    let packaged = packaged();
    assert!(wanted.keys().eq(packaged.keys()), "BLESS=1 cargo test --test packaging: {:?} {:?}", wanted.keys(), packaged.keys());
    for (name, text) in wanted {
        assert!(packaged[&name] == text, "{name} is not what the program prints: BLESS=1 cargo test --test packaging");
    }
}
