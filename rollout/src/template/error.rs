//! Errors of making user data.

use crate::model::Repository;

use super::user_data::LIMIT;

/// The reason why no user data can be made. Nothing has been changed yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// The live version has no user data.
    #[error(
        "cannot pin the image: the live launch template version has no user data, so nothing runs `{0}`; \
         write user data in a file that contains `{{{{ image }}}}`, and set `template: {{ user_data: {{ file: … }} }}`"
    )]
    NoUserData(Repository),
    /// The live version's user data isn't base64.
    #[error(
        "cannot read the live version's user data: it is not valid base64 ({0}), and EC2 passes it to \
         instances unchanged; create a version with correct user data, or set `template: {{ user_data: {{ file: … }} }}`"
    )]
    Base64(String),
    /// The live version's user data is compressed.
    #[error(
        "cannot rewrite the live version's user data: it is compressed with gzip; \
         keep its source in a file that contains `{{{{ image }}}}`, and set `template: {{ user_data: {{ file: … }} }}`"
    )]
    Compressed,
    /// The live version's user data has MIME headers, but is not valid MIME.
    #[error(
        "cannot read the live version's user data: it is not a valid MIME message ({0}); \
         set `template: {{ user_data: {{ file: … }} }}`"
    )]
    Mime(String),
    /// An encoded MIME part contains a reference, or may contain one.
    #[error(
        "cannot rewrite the live version's user data: its MIME part {part} is encoded as `{encoding}` and {holds}; \
         store that part as plain text (7bit or 8bit), or set `template: {{ user_data: {{ file: … }} }}`"
    )]
    HiddenInMime {
        /// The number of the part, from 1 in document order.
        part: usize,
        /// Its Content-Transfer-Encoding.
        encoding: String,
        /// Why that is a problem.
        holds: String,
    },
    /// The live version's user data does not contain the repository.
    #[error(
        "cannot pin the image: the live version's user data ({bytes} bytes, {lines} lines) does not mention `{repository}`; \
         compare `image.push` with what the instances run, \
         or set `template: {{ user_data: {{ file: … }} }}` with `{{{{ image }}}}` in that file"
    )]
    NotMentioned {
        /// The repository that was searched for.
        repository: Repository,
        /// The size of the user data in bytes.
        bytes: usize,
        /// The number of lines of the user data.
        lines: usize,
    },
    /// A reference cannot be parsed, for example because its tag is computed at boot.
    #[error(
        "cannot pin the image: line {line} of the live version's user data has a reference to `{repository}` that cannot be \
         parsed (`{text}`): {why}; write a literal tag or digest there, or set `template: {{ user_data: {{ file: … }} }}`"
    )]
    UnparsableReference {
        /// The repository.
        repository: Repository,
        /// The line number, from 1.
        line: usize,
        /// The line, truncated.
        text: String,
        /// Why it cannot be parsed.
        why: &'static str,
    },
    /// The file contains an unknown placeholder.
    #[error(
        "{path}:{line}: unknown placeholder `{{{{ {name} }}}}`: valid ones are `{{{{ image }}}}`, `{{{{ repository }}}}` and `{{{{ digest }}}}`"
    )]
    UnknownPlaceholder {
        /// The path of the file.
        path: String,
        /// The line number, from 1.
        line: usize,
        /// The name in the placeholder.
        name: String,
    },
    /// The file contains no placeholder for the image.
    #[error(
        "{path}: no placeholder for the image: write `{{{{ image }}}}` where the user data runs it \
         (or `{{{{ repository }}}}@{{{{ digest }}}}`)"
    )]
    NoPlaceholder {
        /// The path of the file.
        path: String,
    },
    /// The user data exceeds EC2's limit.
    #[error(
        "the user data that launches an image of `{repository}` would have {bytes} bytes, but EC2 accepts {LIMIT} before base64; \
         move long parts into the image, or have the instance download them"
    )]
    TooLong {
        /// The image's repository.
        repository: Repository,
        /// The size before base64.
        bytes: usize,
    },
}
