//! Reads netrc files.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static NETRC_COUNTER: AtomicUsize = AtomicUsize::new(0);

    fn create_netrc_file() -> PathBuf {
        let id = NETRC_COUNTER.fetch_add(1, Ordering::Relaxed);
        let dest = std::env::temp_dir().join(format!("mynetrc-{}-{id}", std::process::id()));
        fs::write(&dest, "machine x").unwrap();
        dest
    }

    #[test]
    fn reads_a_path() {
        let path = create_netrc_file();
        assert!(fs::read_to_string(&path).unwrap().contains("machine"));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn reads_a_file() {
        let path = create_netrc_file();
        assert!(path.is_file());
        fs::remove_file(path).unwrap();
    }
}
