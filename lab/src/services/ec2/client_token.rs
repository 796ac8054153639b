//! The use of a client token, as data.

/// The call that a client token was used for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TokenUse {
    pub(super) parameters: String,
    pub(super) made: CallResult,
}

/// The result of a call with a client token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallResult {
    /// A version of a launch template.
    Version(String, u64),
    /// Instances.
    Instances(Vec<String>),
}
