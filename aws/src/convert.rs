//! Conversions between SDK types and domain types.

use std::time::Duration;

use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// Converts AWS's signed integer, which is never negative.
pub(super) fn count(number: Option<i32>) -> u32 {
    number.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

/// Converts to AWS's signed integer.
pub(super) fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Converts AWS's seconds to a duration.
pub(super) fn seconds(number: Option<i32>) -> Duration {
    Duration::from_secs(count(number).into())
}

/// Converts a duration to whole seconds for AWS.
pub(super) fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

/// Converts the SDK's time.
pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// Converts to the SDK's time, in whole seconds: none of these services keeps more.
pub(super) fn date_time(time: Timestamp) -> DateTime {
    DateTime::from_secs(time.as_second())
}

/// Returns a sorted copy of a list whose order has no meaning.
pub(super) fn sorted(list: &[String]) -> Vec<String> {
    let mut list = list.to_vec();
    list.sort();
    list
}
