//! What a fuzz target asks of its room: to hold, as `tests/rooms/` says, and in a second.

#[path = "../tests/rooms/mod.rs"]
pub mod rooms;

use cpu_time::ProcessTime;
use std::time::Duration;

/// The most that one input may cost, in time of the processor: what else the machine does is not the room's fault.
const LONGEST: Duration = Duration::from_secs(1);

/// Holds the room to what it promises on this input.
pub fn hold(room: &str, bytes: &[u8]) {
    let room = rooms::ROOMS.iter().find(|known| known.name == room).expect("a room of tests/rooms/mod.rs");
    let start = ProcessTime::now();
    (room.hold)(bytes);
    let taken = start.elapsed();
    assert!(taken < LONGEST, "{} took {taken:?} for {} bytes", room.name, bytes.len());
}
