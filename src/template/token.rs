//! The identity of a launch template version, as CreateLaunchTemplateVersion's ClientToken.

use sha2::{Digest as _, Sha256};

/// What makes two requests for a version the same request. A retry after a crash has all of it in
/// common and gets the version that the first attempt made; a deliberate redeploy differs in
/// `intent` or `last_finished` and gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionIdentity<'a> {
    /// `lt-…`.
    pub template_id: &'a str,
    /// The version that the new one is made from.
    pub source_version: u64,
    /// The new version's user data in base64.
    pub user_data: &'a str,
    /// The service.
    pub service: &'a str,
    /// The Actions run without its attempt, or the configuration's hash.
    pub intent: &'a str,
    /// The number of the last finished rollout; 0 where there was none.
    pub last_finished: u64,
}

/// The token: 64 hexadecimal digits, within EC2's 128 (API model).
pub fn client_token(identity: &VersionIdentity<'_>) -> String {
    let source_version = identity.source_version.to_string();
    let last_finished = identity.last_finished.to_string();
    let parts = [
        identity.template_id,
        &source_version,
        identity.user_data,
        identity.service,
        identity.intent,
        &last_finished,
    ];
    let mut hash = Sha256::new();
    for part in parts {
        // The length first, so that no two lists of parts run together into the same bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = crate::model::Digest::from_sha256(&hash.finalize());
    digest.as_str().trim_start_matches("sha256:").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_request_same_token_and_every_part_counts() {
        let identity = VersionIdentity {
            template_id: "lt-1",
            source_version: 3,
            user_data: "YQ==",
            service: "web",
            intent: "run-7",
            last_finished: 0,
        };
        let token = client_token(&identity);
        assert_eq!(token.len(), 64);
        assert_eq!(token, client_token(&identity.clone()));
        for other in [
            VersionIdentity { template_id: "lt-2", ..identity },
            VersionIdentity { source_version: 4, ..identity },
            VersionIdentity { user_data: "Yg==", ..identity },
            VersionIdentity { service: "we", intent: "brun-7", ..identity },
            VersionIdentity { intent: "run-8", ..identity },
            VersionIdentity { last_finished: 1, ..identity },
        ] {
            assert_ne!(token, client_token(&other));
        }
    }
}
