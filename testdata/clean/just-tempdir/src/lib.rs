//! Runs commands.

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn include_justfile() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join("justfile"), "a:\n").unwrap();
        fs::create_dir(tmp.path().join("subdir")).unwrap();
        fs::write(tmp.path().join("subdir").join("b.just"), "b:\n").unwrap();
        assert!(tmp.path().join("justfile").exists());
    }

    #[test]
    fn recursive_includes() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join("justfile"), "import './b.just'\n").unwrap();
        fs::remove_file(tmp.path().join("justfile")).unwrap();
    }
}
