//! Small conversions that several services share.

use std::time::Duration;

use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// A number that AWS gives as a signed one and that is never negative.
pub(super) fn count(number: Option<i32>) -> u32 {
    number.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

/// A number for AWS, which takes signed ones.
pub(super) fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Seconds as a duration.
pub(super) fn seconds(number: Option<i32>) -> Duration {
    Duration::from_secs(count(number).into())
}

/// A duration in whole seconds for AWS.
pub(super) fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

/// The SDK's time as ours.
pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// Our time as the SDK's, in whole seconds: more is not kept by any of these services.
pub(super) fn date_time(time: Timestamp) -> DateTime {
    DateTime::from_secs(time.as_second())
}

/// A sorted copy, for lists whose order means nothing.
pub(super) fn sorted(list: &[String]) -> Vec<String> {
    let mut list = list.to_vec();
    list.sort();
    list
}
