//! What AWS did not let us read.

use crate::cloud::{Class, CloudError};
use crate::iam::Gap;

/// Keeps what a read found, or notes that it was refused. Every other error stays one.
pub(super) fn unless_denied<T>(
    read: Result<T, CloudError>,
    what: &str,
    gaps: &mut Vec<Gap>,
) -> Result<Option<T>, CloudError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.class == Class::Denied => {
            let gap = Gap::new(error.refused_action(), what);
            if !gaps.contains(&gap) {
                gaps.push(gap);
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
