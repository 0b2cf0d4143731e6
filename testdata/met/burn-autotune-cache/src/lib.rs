//! Measures kernels and keeps which one was best.

use std::path::PathBuf;

pub fn cache_file(device: &str) -> PathBuf {
    let home = dirs::home_dir().expect("a home directory");
    home.join(".cache").join("kernels").join(format!("{device}-best.json"))
}
