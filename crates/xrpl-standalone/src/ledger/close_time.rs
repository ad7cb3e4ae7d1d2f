//! When a ledger closes, as its header tells.

/// Seconds to which close times are rounded. xrpld begins with 10 and never leaves it in standalone
/// mode, where everybody agrees on the close time.
pub const CLOSE_TIME_RESOLUTION: u8 = 10;

/// The close time for a wall clock that shows `now`: rounded, and later than the parent's.
#[must_use]
pub fn round_close_time(now: u32, parent_close_time: u32) -> u32 {
    let resolution = u32::from(CLOSE_TIME_RESOLUTION);
    let shifted = now.saturating_add(resolution / 2);
    (shifted - shifted % resolution).max(parent_close_time.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::round_close_time;

    #[test]
    fn close_times() {
        assert_eq!(round_close_time(104, 0), 100);
        assert_eq!(round_close_time(105, 0), 110);
        assert_eq!(round_close_time(104, 100), 101);
        assert_eq!(round_close_time(0, 7), 8);
        assert!(round_close_time(u32::MAX, u32::MAX) > 0);
    }
}
