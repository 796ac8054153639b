//! Writes the GitHub workflow that deploys a service.

use minijinja::Error;
use serde::Serialize;

use super::filters::render;

/// The values of the workflow.
#[derive(Debug, Clone, Serialize)]
pub struct Workflow<'a> {
    /// The service's name.
    pub service: &'a str,
    /// The GitHub environment that the job deploys to.
    pub environment: &'a str,
    /// The ARN of the role that the job assumes.
    pub role: &'a str,
    /// Whether cutover builds or assembles the image. If not, the image is an input of the workflow.
    pub builds: bool,
    /// Whether the image is pushed to GHCR.
    pub packages: bool,
}

/// Writes the workflow.
///
/// # Errors
/// Only if cutover's own template is wrong.
pub fn workflow(values: &Workflow<'_>) -> Result<String, Error> {
    render("deploy.yml", include_str!("templates/deploy.yml"), values)
}
