//! `image.files` and the other keys of an assembled image.

use std::path::PathBuf;

use super::checker::Checker;
use crate::at::Located;
use crate::document::{FileSection, ImageSection, PlatformName};
use cutover_oci::image::{Assembly, FileMapping, Mode, Owner, Platform};
use cutover_rollout::model::ImageReference;

pub(super) fn resolve(
    files: &Located<Vec<FileSection>>,
    image: &ImageSection,
    check: &mut Checker<'_>,
) -> Assembly {
    if files.value.is_empty() {
        check.key(
            "files",
            files.place,
            "`files` is empty, so the image would be empty",
            "add at least one file, as in `- { from: site/, to: /srv/www/ }`",
        );
    }
    if let Some(workdir) = &image.workdir {
        absolute(workdir, check);
    }
    fn value<T: Clone>(at: Option<&Located<T>>) -> Option<T> {
        at.map(|at| at.value.clone())
    }
    let platforms = platforms(image, check);
    let platform = image.platform.as_ref().map(|at| Platform::from(at.value));
    Assembly {
        files: files.value.iter().map(|section| file(section, image, check)).collect(),
        base: image.base.as_ref().and_then(|base| self::base(base, check)),
        entrypoint: value(image.entrypoint.as_ref()),
        cmd: value(image.cmd.as_ref()),
        env: value(image.env.as_ref()).unwrap_or_default(),
        labels: value(image.labels.as_ref()).unwrap_or_default(),
        user: value(image.user.as_ref()),
        workdir: value(image.workdir.as_ref()),
        exposed_ports: ports(image, check),
        platform: platform.or_else(|| platforms.first().cloned()).unwrap_or_default(),
        platforms,
    }
}

fn file(section: &FileSection, image: &ImageSection, check: &mut Checker<'_>) -> FileMapping {
    check.filled(&section.from, "the path of a file or directory");
    absolute(&section.to, check);
    if let Some(Located { value, place }) = &section.platform
        && !names(image).contains(value)
    {
        check.at(
            *place,
            "no image is assembled for this platform",
            "add it to `platforms`, or remove it to put the file into all images",
        );
    }
    let owner = parsed::<Owner>(
        section.owner.as_ref(),
        "write numeric ids of user and group, as in `owner: \"1000:1000\"`; look them up in \
        `/etc/passwd` and `/etc/group` of the base image",
        check,
    );
    let mode = parsed::<Mode>(
        section.mode.as_ref(),
        "write three or four digits from 0 to 7, as in `mode: \"0644\"`",
        check,
    );
    FileMapping {
        from: PathBuf::from(&section.from.value),
        to: section.to.value.clone(),
        owner,
        mode,
        platform: section.platform.as_ref().map(|at| at.value.into()),
    }
}

/// Returns every platform that an image is assembled for.
fn names(image: &ImageSection) -> Vec<PlatformName> {
    match (&image.platforms, &image.platform) {
        (Some(list), _) => list.value.iter().map(|at| at.value).collect(),
        (None, Some(only)) => vec![only.value],
        (None, None) => vec![PlatformName::Amd64],
    }
}

/// Returns the platforms of the index; none if there is to be no index.
fn platforms(image: &ImageSection, check: &mut Checker<'_>) -> Vec<Platform> {
    let Some(list) = &image.platforms else { return Vec::new() };
    if list.value.is_empty() {
        check.key(
            "platforms",
            list.place,
            "`platforms` is empty, so no image would be assembled",
            "add at least one platform, or remove the key for a single image without an index",
        );
    }
    for (i, at) in list.value.iter().enumerate() {
        if list.value[..i].iter().any(|earlier| earlier.value == at.value) {
            check.at(at.place, "this platform appears twice", "keep one of them");
        }
    }
    if let Some(Located { value, place }) = &image.platform
        && !list.value.iter().any(|at| at.value == *value)
    {
        check.at(
            *place,
            "`platform` is not one of `platforms`",
            "add it to `platforms`, or remove `platform` to run the first of them",
        );
    }
    list.value.iter().map(|at| at.value.into()).collect()
}

/// Parses the base image. It must have a digest, because a tag can move.
fn base(base: &Located<String>, check: &mut Checker<'_>) -> Option<ImageReference> {
    match base.value.parse() {
        Ok(reference) => Some(reference),
        Err(error) if base.value.contains('@') => {
            check.at(
                base.place,
                error.to_string(),
                "write the complete `registry/path@sha256:…`, as in `docker.io/library/debian@sha256:…`",
            );
            None
        }
        Err(_) => {
            let name = &base.value;
            check.at(
                base.place,
                format!("`{name}` has no digest, so the base image could change between builds"),
                format!(
                    "write `registry/path@sha256:…`; get the digest with `skopeo inspect --format '{{{{.Digest}}}}' \
                    docker://{name}` or `docker buildx imagetools inspect {name}`"
                ),
            );
            None
        }
    }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    at: Option<&Located<String>>,
    remedy: &str,
    check: &mut Checker<'_>,
) -> Option<T> {
    let at = at?;
    match at.value.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            check.at(at.place, error.to_string(), remedy);
            None
        }
    }
}

fn ports(image: &ImageSection, check: &mut Checker<'_>) -> Vec<String> {
    let Some(list) = &image.expose else { return Vec::new() };
    for port in &list.value {
        let number = port.value.trim_end_matches("/tcp").trim_end_matches("/udp");
        if !number.parse::<u16>().is_ok_and(|number| number > 0) {
            check.at(
                port.place,
                format!("`{}` is not a port", port.value),
                "write a number from 1 to 65535, as in `8080` or `8080/tcp`",
            );
        }
    }
    list.value.iter().map(|port| port.value.clone()).collect()
}

fn absolute(path: &Located<String>, check: &mut Checker<'_>) {
    let climbs = path.value.split('/').any(|part| part == "..");
    if !path.value.starts_with('/') || climbs {
        check.at(
            path.place,
            format!("`{}` is not an absolute path in the image", path.value),
            "start it with `/` and don't use `..`",
        );
    }
}
