//! EC2: launch templates and their versions.

use aws_sdk_ec2::types::{LaunchTemplateVersion, RequestLaunchTemplateData};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::convert::{count, timestamp};
use super::{Change, Class, Cloud, CloudError};
use crate::model::VersionSpec;

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
    /// The number that `$Default` means.
    pub default: u64,
    /// The number that `$Latest` means.
    pub latest: u64,
}

impl TemplateFacts {
    /// The number that a version means now.
    pub fn number(&self, version: VersionSpec) -> u64 {
        match version {
            VersionSpec::Number(number) => number,
            VersionSpec::Latest => self.latest,
            VersionSpec::Default => self.default,
        }
    }
}

/// User data of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserData {
    /// There is none.
    None,
    /// Decoded; what is inside may be a script, MIME parts or compressed.
    Bytes(Vec<u8>),
    /// Something that is no base64: AWS stores it, instances can't use it.
    Broken(String),
}

impl UserData {
    fn of(encoded: Option<&str>) -> UserData {
        match encoded {
            None | Some("") => UserData::None,
            // AWS keeps line breaks as they were sent.
            Some(text) => {
                let compact: String = text.split_ascii_whitespace().collect();
                STANDARD
                    .decode(compact)
                    .map_or_else(|_| UserData::Broken(text.to_owned()), UserData::Bytes)
            }
        }
    }

    /// As AWS holds it: base64, or what should have been.
    pub fn encoded(&self) -> Option<String> {
        match self {
            UserData::None => None,
            UserData::Bytes(bytes) => Some(STANDARD.encode(bytes)),
            UserData::Broken(text) => Some(text.clone()),
        }
    }

    /// The decoded bytes, where there are some.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            UserData::Bytes(bytes) => Some(bytes),
            UserData::None | UserData::Broken(_) => None,
        }
    }
}

/// A launch template's version, as far as a rollout looks into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFacts {
    /// Its number.
    pub number: u64,
    /// VersionDescription.
    pub description: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its user data.
    pub user_data: UserData,
    /// ARN or name of the instance profile.
    pub instance_profile: Option<String>,
    /// The AMI, or a `resolve:ssm:` reference to one.
    pub image_id: Option<String>,
    /// The kinds of resources that are tagged when they are launched: `instance`, `volume` …
    pub tagged: Vec<String>,
    /// HttpPutResponseHopLimit; containers need 2 to reach the instance's metadata.
    pub hop_limit: Option<u32>,
}

impl Cloud {
    /// The launch template of this name, if it exists.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub async fn template(&self, name: &str) -> Result<Option<TemplateFacts>, CloudError> {
        let request = self.ec2.describe_launch_templates().launch_template_names(name);
        let found = self.read("ec2:DescribeLaunchTemplates", || request.clone().send()).await;
        let template = match found {
            Ok(answer) => answer.launch_templates.unwrap_or_default().into_iter().next(),
            // InvalidLaunchTemplateName.NotFoundException (user guide).
            Err(error) if error.class == Class::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(template.map(|template| TemplateFacts {
            id: template.launch_template_id.unwrap_or_default(),
            name: template.launch_template_name.unwrap_or_default(),
            default: number(template.default_version_number),
            latest: number(template.latest_version_number),
        }))
    }

    /// One version, if it exists.
    ///
    /// # Errors
    /// Where AWS does not answer, or the template does not exist.
    pub async fn version(
        &self,
        template_id: &str,
        number: u64,
    ) -> Result<Option<VersionFacts>, CloudError> {
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

    /// All versions, newest first.
    ///
    /// # Errors
    /// Where AWS does not answer, or the template does not exist.
    pub async fn versions(&self, template_id: &str) -> Result<Vec<VersionFacts>, CloudError> {
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

    /// Makes a version that differs from `source` in its user data (base64) and gives its number.
    /// The same `client_token` (at most 64 characters) gives the same version again instead of a
    /// second one.
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
                    None => Change::Unknown(CloudError::local(
                        CREATE,
                        Class::Service,
                        "the answer names no version",
                    )),
                }
            }
            failed => failed.map(|_| 0),
        }
    }

    /// Deletes a version. AWS answers 200 and tells in the body whether it did (API model).
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
                let mut error = CloudError::local(
                    DELETE,
                    Class::Invalid,
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
