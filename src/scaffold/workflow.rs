//! The workflow that deploys a service.

use minijinja::Error;
use serde::Serialize;

use super::filters::render;

/// What the workflow depends on.
#[derive(Debug, Clone, Serialize)]
pub struct Workflow<'a> {
    /// The service's name.
    pub service: &'a str,
    /// The GitHub environment that the job deploys to.
    pub environment: &'a str,
    /// The ARN of the role that the job assumes.
    pub role: &'a str,
    /// Whether `cutover.yaml` says how the image is made. If not, the image is an input.
    pub builds: bool,
    /// Whether the image goes to GHCR.
    pub packages: bool,
}

/// Writes the workflow.
///
/// # Errors
/// Only where cutover's own template is at fault.
pub fn workflow(values: &Workflow<'_>) -> Result<String, Error> {
    render("deploy.yml", include_str!("templates/deploy.yml"), values)
}
