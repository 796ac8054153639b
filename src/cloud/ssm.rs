//! Parameter Store: where the ledger is.

use std::collections::BTreeMap;

use aws_sdk_ssm::types::ParameterType;

use super::{Change, Class, Cloud, CloudError};

const PUT: &str = "ssm:PutParameter";

/// How many names one DeleteParameters takes (API model).
const DELETE_AT_ONCE: usize = 10;

impl Cloud {
    /// Creates the parameter. Where it exists already the end is [`Change::Refused`] with
    /// [`Class::Conflict`]: exactly one of several that try at once gets it.
    pub async fn put_new(&self, name: &str, value: &str) -> Change<()> {
        let request = self.ssm.put_parameter().name(name).value(value);
        let request = request.r#type(ParameterType::String).overwrite(false);
        self.change(PUT, request.send()).await.map(|_| ())
    }

    /// Writes the parameter, whether it exists or not.
    pub async fn overwrite(&self, name: &str, value: &str) -> Change<()> {
        let request = self.ssm.put_parameter().name(name).value(value);
        let request = request.r#type(ParameterType::String).overwrite(true);
        self.change(PUT, request.send()).await.map(|_| ())
    }

    /// All parameters directly below the path, names and values, in the order of the names.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub async fn by_path(&self, path: &str) -> Result<Vec<(String, String)>, CloudError> {
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

    /// The parameter's value, if it exists.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub async fn get(&self, name: &str) -> Result<Option<String>, CloudError> {
        let request = self.ssm.get_parameter().name(name);
        match self.read("ssm:GetParameter", || request.clone().send()).await {
            Ok(answer) => Ok(answer.parameter.and_then(|parameter| parameter.value)),
            Err(error) if error.class == Class::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The values of those of these parameters that exist, by name; ten names at most (API model).
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub async fn values(&self, names: &[&str]) -> Result<BTreeMap<String, String>, CloudError> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let request = self.ssm.get_parameters().set_names(Some(names));
        let answer = self.read("ssm:GetParameters", || request.clone().send()).await?;
        let found = answer.parameters.unwrap_or_default().into_iter();
        Ok(found.filter_map(|parameter| Some((parameter.name?, parameter.value?))).collect())
    }

    /// Deletes parameters; those that do not exist are passed over.
    pub async fn delete(&self, names: &[&str]) -> Change<()> {
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
