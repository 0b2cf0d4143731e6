//! Installs the data of a wheel.

use std::fs;
use std::io;
use std::path::Path;
use walkdir::WalkDir;

pub fn move_folder(src_dir: &Path, dest_dir: &Path) -> io::Result<()> {
    for entry in WalkDir::new(src_dir) {
        let entry = entry?;
        let src = entry.path();
        let relative = src.strip_prefix(src_dir).expect("below the folder");
        let target = dest_dir.join(relative);
        if src.is_dir() {
            // other end: check-then-act
            if !target.is_dir() {
                fs::create_dir(target)?; // finding: check-then-act
            }
        } else {
            fs::rename(src, &target)?;
        }
    }
    Ok(())
}
