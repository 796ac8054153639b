//! User data for a new launch template version: the live version's bytes, or a file of the service's
//! repository, with the image pinned by digest. Pure: bytes in, bytes out. Every refusal happens before
//! anything is changed.

mod error;
mod mime;
mod placeholder;
mod reference;
mod token;
mod user_data;

use crate::model::{Digest, ImageReference, Repository};

pub use error::PinError;
pub use token::{VersionIdentity, client_token};
pub use user_data::{LIMIT, digest_occurrences};

/// The source of the new version's user data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserDataSource {
    /// The live version's user data, with every reference to the image's repository replaced.
    Rewrite,
    /// A file that contains `{{ image }}`.
    File {
        /// Its path, for messages.
        path: String,
        /// Its text.
        text: String,
    },
}

/// User data that launches exactly one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedUserData {
    /// The user data as the EC2 API takes it, in base64.
    pub base64: String,
    /// The size before encoding, in bytes: at most [`LIMIT`].
    pub bytes: usize,
    /// How often it contains the digest: at least once. The proof of a rollout requires exactly once.
    pub digest_count: usize,
}

/// Makes the user data of a version that launches `image`.
///
/// `base` is the live version's user data as EC2 returns it, in base64; [`UserDataSource::File`] ignores it. A
/// reference that cannot be parsed is an error and is not skipped.
///
/// # Errors
/// If the result would be too long, or would not launch the image; see [`PinError`].
pub fn pin(
    source: &UserDataSource,
    base: Option<&str>,
    image: &ImageReference,
) -> Result<PinnedUserData, PinError> {
    let bytes = match source {
        UserDataSource::Rewrite => {
            let base = base.ok_or_else(|| PinError::NoUserData(image.repository.clone()))?;
            let live = user_data::decode(base)?;
            user_data::refuse_compressed(&live)?;
            mime::refuse_hidden(&live, &image.repository)?;
            reference::replace(&live, image)?
        }
        UserDataSource::File { path, text } => placeholder::fill(path, text, image)?.into_bytes(),
    };
    user_data::finish(&bytes, image)
}

/// Checks that [`pin`] can make user data that launches an image of `repository`, whichever it is: all digests have the
/// same length, so that one stands for all.
///
/// # Errors
/// The same as [`pin`]'s.
pub fn check_pinnable(
    source: &UserDataSource,
    base: Option<&str>,
    repository: &Repository,
) -> Result<(), PinError> {
    let image = ImageReference { repository: repository.clone(), digest: Digest::of(b"") };
    pin(source, base, &image).map(|_| ())
}

/// Returns true if decoded user data launches exactly `image`: it contains the digest, and no reference
/// to the repository with another digest or tag. It may do so several times (`docker pull`, then
/// `docker run`).
pub fn is_pinned(user_data: &[u8], image: &ImageReference) -> bool {
    digest_occurrences(user_data, &image.digest) > 0
        && (!reference::mentions(user_data, &image.repository)
            || reference::replace(user_data, image).is_ok_and(|pinned| pinned == user_data))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn image() -> ImageReference {
        format!("registry.example:5000/team/web@sha256:{}", "b".repeat(64)).parse().unwrap()
    }

    fn rewrite(text: impl AsRef<[u8]>) -> Result<String, PinError> {
        let pinned = pin(&UserDataSource::Rewrite, Some(&STANDARD.encode(text)), &image())?;
        Ok(String::from_utf8(STANDARD.decode(pinned.base64).unwrap()).unwrap())
    }

    fn multipart(encoding: &str, body: &str) -> String {
        format!(
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n--//\n\
             Content-Type: text/cloud-config\n\npackages: [docker]\n--//\n\
             Content-Type: text/x-shellscript\nContent-Transfer-Encoding: {encoding}\n\n{body}\n--//--\n"
        )
    }

    #[test]
    fn rewrites_live_user_data_and_counts_the_digest() {
        let live = STANDARD.encode("#!/bin/sh\ndocker run registry.example:5000/team/web:v1\n");
        let pinned = pin(&UserDataSource::Rewrite, Some(&live), &image()).unwrap();
        assert_eq!(pinned.digest_count, 1);
        let bytes = STANDARD.decode(&pinned.base64).unwrap();
        assert_eq!(pinned.bytes, bytes.len());
        assert_eq!(bytes, format!("#!/bin/sh\ndocker run {}\n", image()).as_bytes());
        assert_eq!(pin(&UserDataSource::Rewrite, Some(&pinned.base64), &image()).unwrap(), pinned);
    }

    #[test]
    fn rewrites_plain_mime_parts_and_refuses_encoded_references() {
        let run = "docker run registry.example:5000/team/web:v1";
        let plain = multipart("7bit", run);
        assert_eq!(
            rewrite(&plain).unwrap(),
            plain.replace("registry.example:5000/team/web:v1", &image().to_string())
        );
        let hidden = rewrite(multipart("base64", &STANDARD.encode(run))).unwrap_err();
        assert!(matches!(hidden, PinError::HiddenInMime { .. }), "{hidden}");
        let both = multipart("base64", &STANDARD.encode("echo nothing here"));
        assert!(rewrite(both.replace("packages: [docker]", run)).is_ok());
        let gzip = rewrite([0x1f, 0x8b, 8, 0]).unwrap_err();
        assert_eq!(gzip, PinError::Compressed);
        assert!(gzip.to_string().contains("user_data: { file:"), "{gzip}");
    }

    #[test]
    fn what_one_image_of_a_repository_can_be_pinned_in_any_can() {
        let check = |text: &str| {
            let base = STANDARD.encode(text);
            check_pinnable(&UserDataSource::Rewrite, Some(&base), &image().repository)
        };
        let run = "docker run registry.example:5000/team/web:v1\n";
        assert_eq!(check(run), Ok(()));
        assert!(matches!(check("docker run nginx:1\n"), Err(PinError::NotMentioned { .. })));
        // Exactly as long as it may be with a digest.
        let rest = LIMIT - rewrite(run).unwrap().len();
        assert_eq!(check(&format!("{run}{}", "x".repeat(rest))), Ok(()));
        let long = check(&format!("{run}{}", "x".repeat(rest + 1))).unwrap_err();
        assert!(matches!(long, PinError::TooLong { bytes, .. } if bytes == LIMIT + 1), "{long}");
    }

    #[test]
    fn refuses_what_would_not_launch() {
        let none = rewrite("#!/bin/sh\ndocker run nginx:1\n").unwrap_err().to_string();
        assert!(none.contains("registry.example:5000/team/web"), "{none}");
        assert!(none.contains("29 bytes"), "{none}");
        let broken = pin(&UserDataSource::Rewrite, Some("#!/bin/sh"), &image()).unwrap_err();
        assert!(matches!(broken, PinError::Base64(_)));
        assert!(matches!(
            pin(&UserDataSource::Rewrite, None, &image()),
            Err(PinError::NoUserData(_))
        ));
        let text = format!("{{{{ image }}}}{}", "x".repeat(LIMIT));
        let source = UserDataSource::File { path: "user-data.sh".to_owned(), text };
        let long = pin(&source, None, &image()).unwrap_err();
        assert!(matches!(long, PinError::TooLong { .. }), "{long}");
    }

    #[test]
    fn user_data_is_pinned_only_if_every_reference_has_the_digest() {
        let (image, other) = (image(), "registry.example:5000/team/web:v1");
        let digest = image.digest.to_string();
        let pinned = |text: String| is_pinned(text.as_bytes(), &image);
        assert!(pinned(format!("docker run {image}")));
        assert!(pinned(format!("docker pull {image}\ndocker run {image}")));
        // The repository comes from elsewhere, as from a mirror's.
        assert!(pinned(format!("docker run $MIRROR/web@{digest}")));
        assert!(!pinned("docker run nginx".to_owned()));
        assert!(!pinned(format!("docker run {other}")));
        assert!(!pinned(format!("docker pull {image}\ndocker run {other}")));
        assert!(!pinned(format!("docker run {other} # {digest}")));
        assert!(!pinned(format!(
            "docker pull {image}\ndocker run registry.example:5000/team/web:$TAG"
        )));
    }

    #[test]
    fn a_mime_part_that_cannot_be_searched_is_refused_with_its_number() {
        let refused = |body: &str| match rewrite(multipart("base64", body)).unwrap_err() {
            PinError::HiddenInMime { part, encoding, holds } => (part, encoding, holds),
            other => panic!("{other}"),
        };
        let run = STANDARD.encode("docker run registry.example:5000/team/web:v1");
        let mentions = "mentions `registry.example:5000/team/web`";
        assert_eq!(refused(&run), (2, "base64".to_owned(), mentions.to_owned()));
        let gzip = STANDARD.encode([0x1f, 0x8b, 8, 0]);
        assert_eq!(refused(&gzip).2, "is compressed with gzip");
        assert!(refused("not base64!").2.starts_with("cannot be decoded ("));
    }

    /// Only a text that begins with these headers is MIME for cloud-init.
    #[test]
    fn a_script_is_no_mime_message_whatever_it_contains() {
        let run = "docker run registry.example:5000/team/web:v1";
        let text = format!("Content-Transfer-Encoding: base64\n\n{run}\n");
        assert_eq!(
            rewrite(&text).unwrap(),
            text.replace("registry.example:5000/team/web:v1", &image().to_string())
        );
        let mime = rewrite(format!("content-type: text/plain\n{text}")).unwrap_err();
        assert!(matches!(mime, PinError::HiddenInMime { part: 1, .. }), "{mime}");
    }

    #[test]
    fn ec2_accepts_sixteen_kilobytes() {
        let made = |length: usize| {
            let base = image().to_string().len();
            let text = format!("{{{{ image }}}}{}", "x".repeat(length - base));
            pin(&UserDataSource::File { path: "user-data.sh".to_owned(), text }, None, &image())
        };
        assert_eq!(made(16_384).unwrap().bytes, 16_384);
        let refused = made(16_385).unwrap_err();
        assert_eq!(refused, PinError::TooLong { repository: image().repository, bytes: 16_385 });
    }

    /// Most encoders write lines of 76 characters.
    #[test]
    fn base64_may_have_line_breaks() {
        let text = format!("#!/bin/sh\ndocker run {}\n", image());
        let lines = STANDARD.encode(&text);
        let lines = format!("{}\r\n{}\n", &lines[..76], &lines[76..]);
        let pinned = pin(&UserDataSource::Rewrite, Some(&lines), &image()).unwrap();
        assert_eq!((pinned.bytes, pinned.digest_count), (text.len(), 1));
        let twice = rewrite(format!("{text}{text}")).unwrap();
        assert_eq!(digest_occurrences(twice.as_bytes(), &image().digest), 2);
    }
}
