//! Inputs on which a room once broke down or took too long, found by the fuzz targets of `fuzz/`: each holds now. Beside them, a few
//! broken examples for each room, so that what is brittle is seen before anybody fuzzes.

#[expect(dead_code, reason = "each test file that includes it uses a part")]
mod blocks;
#[expect(dead_code, reason = "each test file that includes it uses a part")]
mod project;
mod rooms;

use blocks::{Part, parts};
use rooms::{MARK, ROOMS, Room};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// The fuzzer asks for a second of an optimized build. A debug build on a busy machine is slower; what is quadratic is much slower.
const LONGEST: Duration = Duration::from_secs(20);

/// What worker threads have: parsers recurse.
const STACK: usize = 64 << 20;

fn holds(room: &Room, bytes: &[u8], name: &str) {
    let (hold, given) = (room.hold, bytes.to_vec());
    let start = Instant::now();
    let held = std::thread::Builder::new().stack_size(STACK).spawn(move || hold(&given)).unwrap().join();
    assert!(held.is_ok(), "{}: {name}: broke down; its message stands above\n{}", room.name, String::from_utf8_lossy(bytes));
    assert!(start.elapsed() < LONGEST, "{}: {name}: took {:?}", room.name, start.elapsed());
}

#[test]
fn what_once_broke_a_room_does_so_no_more() {
    let crashes = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/crashes");
    let mut known = 0;
    for room in &ROOMS {
        let Ok(folder) = fs::read_dir(crashes.join(room.name)) else { continue };
        let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            holds(room, &fs::read(&path).unwrap(), &path.display().to_string());
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

/// SplitMix64: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }
}

/// The projects of all pages of rules and facts, as inputs.
fn examples() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["rules", "docs/facts"] {
        let mut paths: Vec<_> = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|end| end == "md"));
        paths.sort();
        for path in paths {
            found.push(String::new());
            for (_, part) in parts(&fs::read_to_string(path).unwrap()) {
                match (part, found.last_mut()) {
                    (Part::File(file), Some(last)) => *last += &format!("{MARK}{}\n{}", file.path, file.text),
                    _ => found.push(String::new()),
                }
            }
        }
    }
    found.into_iter().filter(|text| !text.is_empty()).map(String::into_bytes).collect()
}

/// Leaves something out, says something twice, or puts a piece of another input in.
fn broken(random: &mut Random, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(out.len());
        let end = (at + 1 + random.below(40)).min(out.len());
        match random.below(5) {
            0 => out.truncate(at),
            1 => drop(out.drain(at..end)),
            2 => drop(out.splice(at..at, out[at..end].to_vec())),
            3 => {
                let from = random.below(other.len());
                let piece = &other[from..(from + 1 + random.below(200)).min(other.len())];
                drop(out.splice(at..at, piece.iter().copied()));
            }
            _ => {
                const ODD: [&str; 12] = ["(", ")", "\"\"\"", "\r", "\t", "\u{feff}", "é", "😀", "{", "}", "\\\n", "\u{202e}"];
                drop(out.splice(at..at, ODD[random.below(ODD.len())].bytes()));
            }
        }
    }
    out
}

#[test]
fn broken_examples_break_nothing() {
    let rounds = std::env::var("ISOLINT_BROKEN_EXAMPLES").map_or(120, |text| text.parse().unwrap());
    let examples = examples();
    assert!(examples.len() > 500);
    std::thread::scope(|scope| {
        for (n, room) in ROOMS.iter().enumerate() {
            let examples = &examples;
            scope.spawn(move || {
                let mut random = Random(n as u64);
                // The whole pipeline takes longer than a part.
                for round in 0..if room.name == "fix" { rounds / 4 } else { rounds } {
                    let (one, other) = (&examples[random.below(examples.len())], &examples[random.below(examples.len())]);
                    holds(room, &broken(&mut random, one, other), &format!("round {round}"));
                }
            });
        }
    });
}
