//! IAM: reads for generating the deploy role's policies. They use a person's own credentials, never that role.

use super::{Aws, AwsError, ErrorClass};

const PROFILE: &str = "iam:GetInstanceProfile";

impl Aws {
    /// Returns the ARN of the role in an instance profile, given by name or ARN as in launch templates; `None`
    /// if the profile has no role.
    ///
    /// # Errors
    /// If the profile does not exist or the request fails.
    pub async fn instance_role(&self, profile: &str) -> Result<Option<String>, AwsError> {
        // `…:instance-profile/path/name`: the name follows the last slash.
        let name = profile.rsplit('/').next().unwrap_or(profile);
        let request = self.iam.get_instance_profile().instance_profile_name(name);
        let answer = self.read(PROFILE, || request.clone().send()).await?;
        let profile = answer.instance_profile;
        Ok(profile.and_then(|profile| profile.roles.into_iter().next()).map(|role| role.arn))
    }

    /// Returns true if the account has the OIDC provider of this ARN.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn has_oidc_provider(&self, arn: &str) -> Result<bool, AwsError> {
        let request = self.iam.get_open_id_connect_provider().open_id_connect_provider_arn(arn);
        let found = self.read("iam:GetOpenIDConnectProvider", || request.clone().send()).await;
        exists(found)
    }

    /// Returns true if the account has the role of this name.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn has_role(&self, name: &str) -> Result<bool, AwsError> {
        let request = self.iam.get_role().role_name(name);
        exists(self.read("iam:GetRole", || request.clone().send()).await)
    }
}

fn exists<T>(found: Result<T, AwsError>) -> Result<bool, AwsError> {
    match found {
        Ok(_) => Ok(true),
        // IAM's NoSuchEntity has status 404.
        Err(error) if error.class == ErrorClass::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
