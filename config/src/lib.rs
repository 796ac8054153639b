//! `cutover.yaml`: its format, its meaning, and errors with line and column.
//!
//! [`load`] reads a file in two passes. The first parses it into `document` and stops at the first
//! error, because nothing after it can be interpreted. The second, `resolve`, validates the values,
//! fills in the defaults and reports all errors at once. The result is a [`Config`]: plain values that
//! need no further check except against an account.

mod at;
mod attach;
mod build;
mod document;
mod ecr;
mod error;
mod resolve;
mod schema;
mod settings;
mod shape_error;
mod values;

use std::path::Path;

pub use attach::Attach;
pub use build::{Build, SecretSource};
pub use ecr::Ecr;
pub use error::ConfigError;
pub use schema::schema;
pub use settings::{
    Config, Fleet, Image, Rolling, ScaleIn, SideConfig, SingleGroup, Smoke, Template, TestRule,
    Traffic, UserData, hash,
};
pub use values::check_service_name;

/// Reads and checks the file at `path`.
///
/// # Errors
/// All errors in the file, each with its position and a hint; or that it could not be read.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::unreadable(name.clone(), &error))?;
    let mut config = parse(&text, &name)?;
    if let Some(directory) = path.parent() {
        config.directory = directory.to_owned();
    }
    Ok(config)
}

/// Checks `text` as if it had been read from a file called `name` in the current directory.
///
/// # Errors
/// All errors in the text, each with its position and a hint.
pub fn parse(text: &str, name: &str) -> Result<Config, ConfigError> {
    let document = serde_saphyr::from_str_with_options::<document::Document>(text, options())
        .map_err(|error| ConfigError::new(name, text, vec![shape_error::explain(&error)]))?;
    resolve::resolve(document, text).map_err(|mistakes| ConfigError::new(name, text, mistakes))
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        // `no` is a string here, not a boolean.
        strict_booleans: true,
        // `ConfigError` renders the source line.
        with_snippet: false,
    }
}
