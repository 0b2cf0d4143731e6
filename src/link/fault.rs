//! Panics as faults: what breaks down is named, and all else goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs one part. A panic in it is a fault: the part's name and what was said.
///
/// # Errors
/// It panicked.
pub fn caught<T>(part: &str, run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        format!("{part}: {}", said.unwrap_or("no message"))
    })
}

/// Breaks a part down where a test asks for it: by a file or unit with this name.
#[cfg(test)]
pub fn trip<'a>(mut names: impl Iterator<Item = &'a str>, part: &str) {
    assert!(!names.any(|name| name.strip_prefix("trip_") == Some(part)), "tripped");
}
