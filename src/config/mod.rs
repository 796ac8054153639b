//! `cutover.yaml`: its shape, its meaning, and errors that point at line and column.
//!
//! [`load`] reads a file in two passes. The first gives it the shape of [`document`]; it stops at
//! the first misfit, because nothing sensible can be said about what follows. The second,
//! [`resolve`], checks what the values mean, fills in the defaults and tells all its objections at
//! once. What comes out is a [`Config`]: plain values, nothing left to check without an account.

mod at;
mod attach;
mod build;
mod document;
mod ecr;
mod error;
mod misfit;
mod resolve;
mod schema;
mod settings;
mod values;

use std::path::Path;

pub use attach::Attach;
pub use build::{Build, SecretSource};
pub use ecr::Ecr;
pub use error::ConfigError;
pub use schema::schema;
pub use settings::{
    Config, Fleet, Image, Member, Retire, Rolling, Smoke, SoleGroup, Template, TestRoute, Traffic,
    UserData, hash,
};
pub use values::check_service;

/// Reads and checks the file at `path`.
///
/// # Errors
/// All that is wrong with it, each with its place and a remedy; or that it could not be read.
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
/// All that is wrong with it, each with its place and a remedy.
pub fn parse(text: &str, name: &str) -> Result<Config, ConfigError> {
    let document = serde_saphyr::from_str_with_options::<document::Document>(text, options())
        .map_err(|error| ConfigError::new(name, text, vec![misfit::explain(&error)]))?;
    resolve::resolve(document, text).map_err(|mistakes| ConfigError::new(name, text, mistakes))
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        // `no` is a word here, not a boolean.
        strict_booleans: true,
        // We render the source line ourselves.
        with_snippet: false,
    }
}
