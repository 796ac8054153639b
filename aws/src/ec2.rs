//! EC2: launch templates and their versions.

use aws_sdk_ec2::types::{LaunchTemplateVersion, RequestLaunchTemplateData};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::convert::{count, timestamp};
use super::{Aws, AwsError, Change, ErrorClass};
use cutover_rollout::model::VersionSpec;

const VERSIONS: &str = "ec2:DescribeLaunchTemplateVersions";
const CREATE: &str = "ec2:CreateLaunchTemplateVersion";
const DELETE: &str = "ec2:DeleteLaunchTemplateVersions";

/// A launch template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFacts {
    /// `lt-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version number of `$Default`.
    pub default: u64,
    /// The version number of `$Latest`.
    pub latest: u64,
}

impl TemplateFacts {
    /// Resolves a version to its current number.
    pub fn number(&self, version: VersionSpec) -> u64 {
        match version {
            VersionSpec::Number(number) => number,
            VersionSpec::Latest => self.latest,
            VersionSpec::Default => self.default,
        }
    }
}

/// The user data of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserData {
    /// The version has no user data.
    None,
    /// Decoded user data: a script, MIME parts or compressed data.
    Bytes(Vec<u8>),
    /// Not valid base64: AWS stores it, but instances cannot use it.
    Broken(String),
}

impl UserData {
    fn of(encoded: Option<&str>) -> UserData {
        match encoded {
            None | Some("") => UserData::None,
            // AWS keeps the line breaks that were sent.
            Some(text) => {
                let compact: String = text.split_ascii_whitespace().collect();
                STANDARD
                    .decode(compact)
                    .map_or_else(|_| UserData::Broken(text.to_owned()), UserData::Bytes)
            }
        }
    }

    /// Returns the user data as AWS stores it: base64, or the invalid text.
    pub fn encoded(&self) -> Option<String> {
        match self {
            UserData::None => None,
            UserData::Bytes(bytes) => Some(STANDARD.encode(bytes)),
            UserData::Broken(text) => Some(text.clone()),
        }
    }

    /// Returns the decoded bytes, if there are any.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            UserData::Bytes(bytes) => Some(bytes),
            UserData::None | UserData::Broken(_) => None,
        }
    }
}

/// A launch template version, as far as rollouts need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFacts {
    /// VersionNumber.
    pub number: u64,
    /// VersionDescription.
    pub description: Option<String>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// The user data.
    pub user_data: UserData,
    /// The ARN or name of the instance profile.
    pub instance_profile: Option<String>,
    /// The AMI id, or a `resolve:ssm:` reference to one.
    pub image_id: Option<String>,
    /// The resource types that are tagged at launch: `instance`, `volume` …
    pub tagged: Vec<String>,
    /// HttpPutResponseHopLimit; containers need 2 to reach the instance metadata service.
    pub hop_limit: Option<u32>,
}

impl Aws {
    /// Returns the launch template of this name, if it exists.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn template(&self, name: &str) -> Result<Option<TemplateFacts>, AwsError> {
        let request = self.ec2.describe_launch_templates().launch_template_names(name);
        let found = self.read("ec2:DescribeLaunchTemplates", || request.clone().send()).await;
        let template = match found {
            Ok(answer) => answer.launch_templates.unwrap_or_default().into_iter().next(),
            // InvalidLaunchTemplateName.NotFoundException (user guide).
            Err(error) if error.class == ErrorClass::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(template.map(|template| TemplateFacts {
            id: template.launch_template_id.unwrap_or_default(),
            name: template.launch_template_name.unwrap_or_default(),
            default: number(template.default_version_number),
            latest: number(template.latest_version_number),
        }))
    }

    /// Returns one version, if it exists.
    ///
    /// # Errors
    /// If the request fails, or the template does not exist.
    pub async fn version(
        &self,
        template_id: &str,
        number: u64,
    ) -> Result<Option<VersionFacts>, AwsError> {
        let request = self
            .ec2
            .describe_launch_template_versions()
            .launch_template_id(template_id)
            .versions(number.to_string());
        match self.read(VERSIONS, || request.clone().send()).await {
            Ok(answer) => Ok(answer.launch_template_versions().first().map(version)),
            Err(error) if error.is("InvalidLaunchTemplateId.VersionNotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns all versions, newest first.
    ///
    /// # Errors
    /// If the request fails, or the template does not exist.
    pub async fn versions(&self, template_id: &str) -> Result<Vec<VersionFacts>, AwsError> {
        let request = self.ec2.describe_launch_template_versions().launch_template_id(template_id);
        let all = self
            .read(VERSIONS, || {
                request.clone().into_paginator().items().send().collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let mut versions: Vec<VersionFacts> = all.iter().map(version).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        Ok(versions)
    }

    /// Creates a version that differs from `source` in its user data (base64) and returns its number. A
    /// repeated request with the same `client_token` (at most 128 characters) returns the same version instead
    /// of creating another.
    pub async fn create_version(
        &self,
        template_id: &str,
        source: u64,
        user_data_base64: &str,
        description: &str,
        client_token: &str,
    ) -> Change<u64> {
        let data = RequestLaunchTemplateData::builder().user_data(user_data_base64).build();
        let request = self
            .ec2
            .create_launch_template_version()
            .launch_template_id(template_id)
            .source_version(source.to_string())
            .version_description(description)
            .client_token(client_token)
            .launch_template_data(data);
        match self.change(CREATE, request.send()).await {
            Change::Done(answer) => {
                match answer.launch_template_version().and_then(|made| made.version_number()) {
                    Some(made) => Change::Done(number(Some(made))),
                    None => Change::Unknown(AwsError::local(
                        CREATE,
                        ErrorClass::Service,
                        "the response contains no version number",
                    )),
                }
            }
            failed => failed.map(|_| 0),
        }
    }

    /// Deletes a version. AWS answers 200 and reports in the body whether it did so (API model).
    pub async fn delete_version(&self, template_id: &str, number: u64) -> Change<()> {
        let request = self
            .ec2
            .delete_launch_template_versions()
            .launch_template_id(template_id)
            .versions(number.to_string());
        let answer = match self.change(DELETE, request.send()).await {
            Change::Done(answer) => answer,
            failed => return failed.map(|_| ()),
        };
        match answer.unsuccessfully_deleted_launch_template_versions().first() {
            None => Change::Done(()),
            Some(kept) => {
                let why = kept.response_error();
                let mut error = AwsError::local(
                    DELETE,
                    ErrorClass::Invalid,
                    why.and_then(|why| why.message()).unwrap_or("the version was not deleted"),
                );
                error.code = why.and_then(|why| why.code()).map(|code| code.as_str().to_owned());
                Change::Refused(error)
            }
        }
    }
}

fn number(number: Option<i64>) -> u64 {
    number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

fn version(aws: &LaunchTemplateVersion) -> VersionFacts {
    let data = aws.launch_template_data();
    VersionFacts {
        number: number(aws.version_number()),
        description: aws.version_description().map(str::to_owned),
        created: aws.create_time().and_then(timestamp),
        user_data: UserData::of(data.and_then(|data| data.user_data())),
        instance_profile: data
            .and_then(|data| data.iam_instance_profile())
            .and_then(|profile| profile.arn().or(profile.name()))
            .map(str::to_owned),
        image_id: data.and_then(|data| data.image_id()).map(str::to_owned),
        tagged: data
            .map(|data| data.tag_specifications())
            .unwrap_or_default()
            .iter()
            .filter_map(|tagged| Some(tagged.resource_type()?.as_str().to_owned()))
            .collect(),
        hop_limit: data
            .and_then(|data| data.metadata_options())
            .and_then(|options| options.http_put_response_hop_limit())
            .map(|limit| count(Some(limit))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_data_is_decoded_or_told_to_be_broken() {
        assert_eq!(UserData::of(None), UserData::None);
        assert_eq!(UserData::of(Some("IyEv\nYmluL3No\n")).bytes(), Some(&b"#!/bin/sh"[..]));
        assert_eq!(UserData::of(Some("#!/bin/sh")), UserData::Broken("#!/bin/sh".into()));
    }
}
