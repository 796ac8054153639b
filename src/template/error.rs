//! Why user data can't be made.

use crate::model::{ImageReference, Repository};

use super::user_data::LIMIT;

/// A refusal, before anything is changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// The live version has no user data.
    #[error(
        "cannot pin the image: the live launch template version has no user data, so nothing in it runs `{0}`. \
         Write the user data in a file with `{{{{ image }}}}` in it, and set `template: {{ user_data: {{ file: … }} }}`"
    )]
    NoUserData(Repository),
    /// The live version's user data isn't base64.
    #[error(
        "cannot read the live version's user data: it is not valid base64 ({0}). \
         EC2 would hand it to the instance as it is; make a version with proper user data, \
         or set `template: {{ user_data: {{ file: … }} }}`"
    )]
    Base64(String),
    /// It is compressed.
    #[error(
        "cannot rewrite the live version's user data: it is compressed with gzip. \
         Keep its source in the repository with `{{{{ image }}}}` in it, and set `template: {{ user_data: {{ file: … }} }}`"
    )]
    Compressed,
    /// It announces MIME and isn't.
    #[error(
        "cannot read the live version's user data: it begins as a MIME message and is none ({0}). \
         Set `template: {{ user_data: {{ file: … }} }}`"
    )]
    Mime(String),
    /// A reference is in a part that is encoded.
    #[error(
        "cannot rewrite the live version's user data: its MIME part {part} is encoded as `{encoding}` and {holds}. \
         Store that part as plain text (7bit or 8bit), or set `template: {{ user_data: {{ file: … }} }}`"
    )]
    HiddenInMime {
        /// Which part, from 1 in reading order.
        part: usize,
        /// Its Content-Transfer-Encoding.
        encoding: String,
        /// What makes that a problem.
        holds: String,
    },
    /// The repository isn't mentioned.
    #[error(
        "cannot pin the image: the live version's user data ({bytes} bytes, {lines} lines) does not mention `{repository}`. \
         Check `image.push` against what the instances run, \
         or set `template: {{ user_data: {{ file: … }} }}` with `{{{{ image }}}}` in that file"
    )]
    NotMentioned {
        /// What was looked for.
        repository: Repository,
        /// The size of what was looked through.
        bytes: usize,
        /// Its lines.
        lines: usize,
    },
    /// A tag or digest is put together when the instance boots.
    #[error(
        "cannot pin the image: line {line} of the live version's user data names `{repository}` in a way that cannot be read (`{text}`): \
         {why}. Write a literal tag or digest there, or set `template: {{ user_data: {{ file: … }} }}`"
    )]
    Unreadable {
        /// The repository.
        repository: Repository,
        /// From 1.
        line: usize,
        /// The line, shortened.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file asks for something unknown.
    #[error(
        "{path}:{line}: unknown placeholder `{{{{ {name} }}}}`: there are `{{{{ image }}}}`, `{{{{ repository }}}}` and `{{{{ digest }}}}`"
    )]
    UnknownPlaceholder {
        /// The file.
        path: String,
        /// From 1.
        line: usize,
        /// What it asks for.
        name: String,
    },
    /// The file wouldn't launch the image.
    #[error(
        "{path}: no placeholder for the image: write `{{{{ image }}}}` where the user data runs it \
         (`{{{{ repository }}}}@{{{{ digest }}}}` is the same)"
    )]
    NoPlaceholder {
        /// The file.
        path: String,
    },
    /// Over EC2's limit.
    #[error(
        "the user data that launches `{image}` would have {bytes} bytes, and EC2 takes {LIMIT} before base64. \
         Move what is long into the image, or have the instance download it"
    )]
    TooLong {
        /// The image.
        image: ImageReference,
        /// The size before base64.
        bytes: usize,
    },
}
