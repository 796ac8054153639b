//! Reads that AWS denies.

use crate::iam::Gap;
use cutover_aws::{AwsError, ErrorClass};

/// Returns the result of a read, or records a gap if the read was denied, without duplicates. `what` is what the read
/// would have determined.
///
/// # Errors
/// Every error except a denied read.
pub fn gap_if_denied<T>(
    read: Result<T, AwsError>,
    what: impl Into<String>,
    gaps: &mut Vec<Gap>,
) -> Result<Option<T>, AwsError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.class == ErrorClass::Denied => {
            let gap = Gap::denied(error.denied_action(), what);
            if !gaps.contains(&gap) {
                gaps.push(gap);
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
