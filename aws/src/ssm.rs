//! Parameter Store, which holds the ledger.

use std::collections::BTreeMap;

use aws_sdk_ssm::types::ParameterType;

use super::{Aws, AwsError, Change, ErrorClass};

const PUT: &str = "ssm:PutParameter";

/// How many names one DeleteParameters request accepts (API model).
const DELETE_AT_ONCE: usize = 10;

impl Aws {
    /// Creates the parameter. If it already exists, the result is [`Change::Refused`] with [`ErrorClass::Conflict`]:
    /// of several concurrent requests, exactly one succeeds.
    pub async fn create_parameter(&self, name: &str, value: &str) -> Change<()> {
        let request = self.ssm.put_parameter().name(name).value(value);
        let request = request.r#type(ParameterType::String).overwrite(false);
        self.change(PUT, request.send()).await.map(|_| ())
    }

    /// Writes the parameter, whether or not it exists.
    pub async fn overwrite(&self, name: &str, value: &str) -> Change<()> {
        let request = self.ssm.put_parameter().name(name).value(value);
        let request = request.r#type(ParameterType::String).overwrite(true);
        self.change(PUT, request.send()).await.map(|_| ())
    }

    /// Returns names and values of all parameters directly below the path, ordered by name.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn parameters_by_path(&self, path: &str) -> Result<Vec<(String, String)>, AwsError> {
        let request = self.ssm.get_parameters_by_path().path(path);
        let pages = self
            .read("ssm:GetParametersByPath", || {
                request.clone().into_paginator().send().collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let mut parameters: Vec<_> = pages
            .into_iter()
            .flat_map(|page| page.parameters.unwrap_or_default())
            .filter_map(|parameter| Some((parameter.name?, parameter.value?)))
            .collect();
        parameters.sort();
        Ok(parameters)
    }

    /// Returns the value of the parameter, if it exists.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn parameter(&self, name: &str) -> Result<Option<String>, AwsError> {
        let request = self.ssm.get_parameter().name(name);
        match self.read("ssm:GetParameter", || request.clone().send()).await {
            Ok(answer) => Ok(answer.parameter.and_then(|parameter| parameter.value)),
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the values of these parameters by name, without those that do not exist. Takes at most ten names
    /// (API model).
    ///
    /// # Errors
    /// If the request fails.
    pub async fn parameters(&self, names: &[&str]) -> Result<BTreeMap<String, String>, AwsError> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let request = self.ssm.get_parameters().set_names(Some(names));
        let answer = self.read("ssm:GetParameters", || request.clone().send()).await?;
        let found = answer.parameters.unwrap_or_default().into_iter();
        Ok(found.filter_map(|parameter| Some((parameter.name?, parameter.value?))).collect())
    }

    /// Deletes parameters. Ignores those that do not exist.
    pub async fn delete_parameters(&self, names: &[&str]) -> Change<()> {
        for some in names.chunks(DELETE_AT_ONCE) {
            let some = some.iter().map(|name| (*name).to_owned()).collect();
            let request = self.ssm.delete_parameters().set_names(Some(some));
            match self.change("ssm:DeleteParameters", request.send()).await {
                Change::Done(_) => {}
                failed => return failed.map(|_| ()),
            }
        }
        Change::Done(())
    }
}
