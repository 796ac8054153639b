//! Time since the start of a run, as people read it.

use std::time::Duration;

use jiff::Timestamp;

/// `+02:15` for a moment after `start`, or `+1:02:15` after an hour.
pub(super) fn offset(start: Timestamp, at: Timestamp) -> String {
    let seconds = at.as_second() - start.as_second();
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{}", clock(Duration::from_secs(seconds.unsigned_abs())))
}

/// `02:15`, or `1:02:15` from an hour on.
pub(super) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}
