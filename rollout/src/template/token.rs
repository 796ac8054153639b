//! The ClientToken of CreateLaunchTemplateVersion, derived from the identity of the version.

use sha2::{Digest as _, Sha256};

/// What identifies a request for a version. A retry after a crash has the same identity and gets the
/// version that the first attempt created; a deliberate redeploy differs in `intent` or `last_finished`
/// and gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionIdentity<'a> {
    /// `lt-…`.
    pub template_id: &'a str,
    /// The version that the new one is based on.
    pub source_version: u64,
    /// The new version's user data in base64.
    pub user_data: &'a str,
    /// The service.
    pub service: &'a str,
    /// The GitHub Actions run without its attempt, or the hash of the configuration.
    pub intent: &'a str,
    /// The number of the last finished rollout; 0 if there is none.
    pub last_finished: u64,
}

/// Returns the token: 64 hexadecimal digits. EC2 allows 128 characters (API model).
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
        // The length prefix keeps different lists of parts from producing the same bytes.
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
