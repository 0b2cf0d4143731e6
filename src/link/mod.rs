//! The facts of all files, joined: [`Suite`].

/// Everything joined, frozen: what rules ask.
pub struct Suite {}
