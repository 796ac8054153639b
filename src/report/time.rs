//! Times relative to the start of a run, for people.

use std::time::Duration;

use jiff::Timestamp;

/// Returns a time relative to `start`: `+02:15`, or `+1:02:15` from an hour on.
pub(super) fn relative_time(start: Timestamp, at: Timestamp) -> String {
    let seconds = at.as_second() - start.as_second();
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{}", format_duration(Duration::from_secs(seconds.unsigned_abs())))
}

/// Returns a duration as `02:15`, or `1:02:15` from an hour on.
pub(super) fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}
