#[test]
fn one() {
<<<<<<< HEAD
    let path = "/tmp/one";
=======
    let path = "/tmp/two";
>>>>>>> topic
    std::fs::write(path, "x").unwrap();
}
