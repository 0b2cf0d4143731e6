use burn_compute::cache_file;

const DEVICE: &str = "tests/dummy";

#[test]
fn nothing_on_disk_is_a_miss() {
    let _ = std::fs::remove_file(cache_file(DEVICE)); // finding: user-state-path
}

#[test]
fn the_folder_is_made() {
    let file = cache_file(DEVICE);
    let folder = file.parent().expect("a folder");
    let _ = std::fs::remove_dir_all(folder); // finding: user-state-path
}
