//! What is shipped, and where it goes.

use super::checker::Checker;
use super::{Surroundings, assembly};
use crate::config::at::At;
use crate::config::document::ImageSection;
use crate::config::settings::Image;
use crate::model::Repository;

pub(super) fn resolve(
    section: Option<&At<ImageSection>>,
    surroundings: Surroundings<'_>,
    check: &mut Checker<'_>,
) -> Image {
    let Some(At { value: image, place }) = section else {
        return Image { push: None, tags: Vec::new(), assembly: None };
    };
    if let Some(build) = &image.build {
        check.unsupported(
            "build",
            build.place,
            "list the image's content in `files`, or build and push it elsewhere and deploy with \
             `--image repository@sha256:…`",
        );
    }
    let push = push(&image.push, surroundings, image.files.is_some(), check);
    if image.files.is_some() && image.push.is_empty() {
        check.key(
            "image",
            *place,
            "`files` make an image, but `push` doesn't say where it goes",
            "add `push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web]`",
        );
    }
    if image.files.is_none()
        && let Some((key, place)) = orphan(image)
    {
        check.key(
            key,
            place,
            format!("`{key}` describes an image, but there are no `files` to make it of"),
            "add `files`, or remove it: an image that is pushed already has its own",
        );
    }
    let tags = tags(&image.tags, check);
    let assembly = image.files.as_ref().map(|files| assembly::resolve(files, image, check));
    Image { push, tags, assembly }
}

/// The repository to push to.
fn push(
    targets: &[At<String>],
    surroundings: Surroundings<'_>,
    assembles: bool,
    check: &mut Checker<'_>,
) -> Option<Repository> {
    if let Some(second) = targets.get(1) {
        check.at(
            second.place,
            "a second registry in `push` is not yet supported",
            "keep the first, which the instances pull from",
        );
    }
    let target = targets.first()?;
    let repository: Repository = match target.value.parse() {
        Ok(repository) => repository,
        Err(error) => {
            check.at(
                target.place,
                error.to_string(),
                "write the registry's host and the path, without tag or digest",
            );
            return None;
        }
    };
    if assembles {
        match ecr(repository.registry()) {
            None => check.at(
                target.place,
                format!("pushing to {} is not yet supported", repository.registry()),
                "name an ECR repository, or push there by other means and deploy with \
                 `--image repository@sha256:…`",
            ),
            Some((_, region)) if surroundings.region.is_some_and(|own| own != region) => check.at(
                target.place,
                format!("this registry is in {region}, which is not the fleet's Region"),
                "name a repository of the fleet's Region: pulling from another one is slow and \
                 costs transfer",
            ),
            Some((account, _)) => {
                if let Some(own) = surroundings.account.filter(|own| *own != account) {
                    check.at(
                        target.place,
                        format!("this registry is in account {account}, the fleet in {own}"),
                        "name a repository of that account: pushing to another one is not yet \
                         supported",
                    );
                }
            }
        }
    }
    Some(repository)
}

/// Account and Region of an ECR registry's host.
fn ecr(host: &str) -> Option<(&str, &str)> {
    let (account, rest) = host.split_once(".dkr.ecr.")?;
    let (region, suffix) = rest.split_once('.')?;
    suffix.starts_with("amazonaws.com").then_some((account, region))
}

/// A key that needs `files`.
fn orphan(image: &ImageSection) -> Option<(&'static str, Option<super::super::at::Place>)> {
    let keys = [
        ("base", image.base.as_ref().map(|at| at.place)),
        ("entrypoint", image.entrypoint.as_ref().map(|at| at.place)),
        ("cmd", image.cmd.as_ref().map(|at| at.place)),
        ("env", image.env.as_ref().map(|at| at.place)),
        ("labels", image.labels.as_ref().map(|at| at.place)),
        ("user", image.user.as_ref().map(|at| at.place)),
        ("workdir", image.workdir.as_ref().map(|at| at.place)),
        ("expose", image.expose.as_ref().map(|at| at.place)),
        ("platform", image.platform.as_ref().map(|at| at.place)),
        ("platforms", image.platforms.as_ref().map(|at| at.place)),
    ];
    keys.into_iter().find_map(|(key, place)| place.map(|place| (key, place)))
}

fn tags(tags: &[At<String>], check: &mut Checker<'_>) -> Vec<String> {
    for tag in tags {
        let plain = tag.value.replace("{commit}", "c").replace("{run}", "r");
        let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let starts = plain.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if !starts || plain.len() > 128 || !plain.bytes().all(valid) {
            check.at(
                tag.place,
                format!("`{}` cannot be a tag", tag.value),
                "use up to 128 letters, digits, `.`, `_` and `-`; `{commit}` and `{run}` are \
                 replaced",
            );
        }
    }
    tags.iter().map(|tag| tag.value.clone()).collect()
}
