//! Where the service is.

/// The configured Region and account, which ARNs and registries must match. `None` if not
/// configured or invalid.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceLocation<'a> {
    pub(super) region: Option<&'a str>,
    pub(super) account: Option<&'a str>,
}
