//! Renders a book.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

pub fn write_file(build_dir: &Path, filename: &Path, content: &[u8]) -> io::Result<()> {
    let path = build_dir.join(filename);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = File::create(&path)?; // finding: cwd-relative-write
    file.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn hashes_references() {
        let reference_js = PathBuf::from("target/static-files-test-case-reference.js");
        write_file(Path::new("."), &reference_js, br#"{{ resource "book.js" }}"#).unwrap();
        assert!(reference_js.exists());
    }
}
