//! What AWS does not let the caller read.

use crate::cloud::{Class, CloudError};
use crate::iam::Gap;

/// Keeps what a read found, or notes that it was refused: once, however often. `what` is not known without it.
///
/// # Errors
/// Every error but a refusal.
pub fn unless_denied<T>(
    read: Result<T, CloudError>,
    what: impl Into<String>,
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
