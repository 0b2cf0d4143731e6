use std::fs;

#[test]
fn tree_subdir() {
    let _ = fs::remove_dir_all("/tmp/test_tree_subdir"); // finding: fixed-temp-path(error)

    fs::create_dir_all("/tmp/test_tree_subdir/test_subdir").unwrap();
    assert!(fs::metadata("/tmp/test_tree_subdir/test_subdir").unwrap().is_dir());

    fs::remove_dir_all("/tmp/test_tree_subdir").unwrap();
}

#[test]
fn tree_iterator() {
    let sum: u32 = (0..10).sum();
    assert_eq!(sum, 45);
}
