//! IAM: what the deploy role's policies are made from. Read by a person's own credentials, never by that role.

use super::{Class, Cloud, CloudError};

const PROFILE: &str = "iam:GetInstanceProfile";

impl Cloud {
    /// The ARN of the role in an instance profile, named by its name or ARN as launch templates do. `None` where the profile
    /// has no role.
    ///
    /// # Errors
    /// Where the profile does not exist or AWS does not answer.
    pub async fn instance_role(&self, profile: &str) -> Result<Option<String>, CloudError> {
        // `…:instance-profile/path/name`: the name is what follows the last slash.
        let name = profile.rsplit('/').next().unwrap_or(profile);
        let request = self.iam.get_instance_profile().instance_profile_name(name);
        let answer = self.read(PROFILE, || request.clone().send()).await?;
        let profile = answer.instance_profile;
        Ok(profile.and_then(|profile| profile.roles.into_iter().next()).map(|role| role.arn))
    }

    /// Whether the account has the OIDC provider of this ARN.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub async fn has_oidc_provider(&self, arn: &str) -> Result<bool, CloudError> {
        let request = self.iam.get_open_id_connect_provider().open_id_connect_provider_arn(arn);
        let found = self.read("iam:GetOpenIDConnectProvider", || request.clone().send()).await;
        exists(found)
    }

    /// Whether the account has the role of this name.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub async fn has_role(&self, name: &str) -> Result<bool, CloudError> {
        let request = self.iam.get_role().role_name(name);
        exists(self.read("iam:GetRole", || request.clone().send()).await)
    }
}

fn exists<T>(found: Result<T, CloudError>) -> Result<bool, CloudError> {
    match found {
        Ok(_) => Ok(true),
        // IAM's NoSuchEntity has status 404.
        Err(error) if error.class == Class::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
