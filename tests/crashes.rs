//! Inputs on which a room once broke down or took too long, found by the fuzz targets of `fuzz/`: each holds now.

mod rooms;

use rooms::ROOMS;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// The fuzzer asks for a second of an optimized build. A debug build on a busy machine is slower; what is quadratic is much slower.
const LONGEST: Duration = Duration::from_secs(20);

/// What worker threads have: parsers recurse.
const STACK: usize = 64 << 20;

#[test]
fn what_once_broke_a_room_does_so_no_more() {
    let crashes = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/crashes");
    let mut known = 0;
    for room in &ROOMS {
        let Ok(folder) = fs::read_dir(crashes.join(room.name)) else { continue };
        let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let bytes = fs::read(&path).unwrap();
            let hold = room.hold;
            let start = Instant::now();
            let held = std::thread::Builder::new().stack_size(STACK).spawn(move || hold(&bytes)).unwrap().join();
            assert!(held.is_ok(), "{}: broke down again; its message stands above", path.display());
            assert!(start.elapsed() < LONGEST, "{}: took {:?}", path.display(), start.elapsed());
            known += 1;
        }
    }
    let folders = fs::read_dir(&crashes).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    for folder in folders {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(ROOMS.iter().any(|room| room.name == name), "testdata/crashes/{name} is the folder of no room");
    }
    println!("{known} inputs");
}
