//! `image`: the source of the image and the repositories it is pushed to.

use super::checker::Checker;
use super::service_location::ServiceLocation;
use super::{assembly, attach, build, ecr};
use crate::at::Located;
use crate::attach::Attach;
use crate::build::Build;
use crate::document::ImageSection;
use crate::ecr::Ecr;
use crate::settings::Image;
use cutover_oci::image::Platform;
use cutover_rollout::model::Repository;

pub(super) fn resolve(
    section: Option<&Located<ImageSection>>,
    surroundings: ServiceLocation<'_>,
    check: &mut Checker<'_>,
) -> Image {
    let Some(Located { value: image, place }) = section else {
        return Image {
            push: Vec::new(),
            ecr: Ecr::default(),
            tags: Vec::new(),
            assembly: None,
            attach: Attach::default(),
            build: None,
        };
    };
    let made = image.files.is_some() || image.build.is_some();
    if let (Some(files), Some(build)) = (&image.files, &image.build) {
        check.key(
            "build",
            build.place.max(files.place),
            "`files` and `build` are both set, but an image has one source",
            "remove one of them; a Dockerfile can COPY files",
        );
    }
    let push = push(&image.push, surroundings, made, check);
    if made && image.push.is_empty() {
        check.key(
            "image",
            *place,
            "the image has a source, but no repository to push to",
            "add `push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web]`",
        );
    }
    if image.files.is_none()
        && let Some((key, place)) = orphan(image)
    {
        let (message, remedy) = match &image.build {
            Some(_) if key == "platforms" => (
                "needs `files`: an engine builds for one platform",
                "use `platform`, or build a multi-platform image elsewhere and deploy it with `--image`",
            ),
            Some(_) => {
                ("has no effect with `build`", "remove it here and set it in the Dockerfile")
            }
            None => (
                "describes an assembled image, but `files` is missing",
                "add `files`, or remove this key: it does not change an image that is already pushed",
            ),
        };
        check.key(key, place, format!("`{key}` {message}"), remedy);
    }
    let ecr = image.ecr.as_ref().map(|section| {
        if !push.iter().any(|repository| repository.ecr().is_some()) {
            check.key(
                "ecr",
                section.place,
                "`ecr` is set, but no repository in `push` is in ECR",
                "add an ECR repository to `push`, or remove `ecr`",
            );
        }
        ecr::resolve(&section.value, check)
    });
    let tags = tags(&image.tags, check);
    let assembly = image.files.as_ref().map(|files| assembly::resolve(files, image, check));
    let build = image.build.as_ref().map(|build| Build {
        labels: image.labels.as_ref().map(|at| at.value.clone()).unwrap_or_default(),
        platform: image.platform.as_ref().map(|at| Platform::from(at.value).to_string()),
        ..build::resolve(&build.value, check)
    });
    if let Some(attach) = image.attach.as_ref().filter(|_| !made) {
        check.key(
            "attach",
            attach.place,
            "`attach` is set, but cutover does not build or assemble an image",
            "add `files` or `build`, or remove `attach`",
        );
    }
    let attach =
        image.attach.as_ref().map(|at| attach::resolve(&at.value, check)).unwrap_or_default();
    Image { push, ecr: ecr.unwrap_or_default(), tags, assembly, attach, build }
}

/// Checks the repositories to push to.
fn push(
    targets: &[Located<String>],
    surroundings: ServiceLocation<'_>,
    made: bool,
    check: &mut Checker<'_>,
) -> Vec<Repository> {
    let mut all: Vec<Repository> = Vec::new();
    for (n, target) in targets.iter().enumerate() {
        match target.value.parse::<Repository>() {
            Ok(repository) if all.contains(&repository) => check.at(
                target.place,
                format!("the repository `{repository}` appears twice"),
                "remove one of them",
            ),
            Ok(repository) => {
                let region = repository.ecr().map(|ecr| ecr.region).filter(|_| made && n == 0);
                if let (Some(region), Some(own)) = (region, surroundings.region)
                    && region != own
                {
                    check.at(
                        target.place,
                        format!("this registry is in {region}, but the service is in {own}"),
                        "put a repository in the service's Region first, because instances pull from it: \
                        pulling from another Region is slow and costs data transfer",
                    );
                }
                all.push(repository);
            }
            Err(error) => check.at(
                target.place,
                error.to_string(),
                "write registry host and path, without tag or digest",
            ),
        }
    }
    all
}

/// Returns a key that is set but needs `files`. `labels` and `platform` are also valid with `build`.
fn orphan(image: &ImageSection) -> Option<(&'static str, Option<super::super::at::Position>)> {
    let shared = [
        ("labels", image.labels.as_ref().map(|at| at.place)),
        ("platform", image.platform.as_ref().map(|at| at.place)),
    ];
    let keys = [
        ("base", image.base.as_ref().map(|at| at.place)),
        ("entrypoint", image.entrypoint.as_ref().map(|at| at.place)),
        ("cmd", image.cmd.as_ref().map(|at| at.place)),
        ("env", image.env.as_ref().map(|at| at.place)),
        ("user", image.user.as_ref().map(|at| at.place)),
        ("workdir", image.workdir.as_ref().map(|at| at.place)),
        ("expose", image.expose.as_ref().map(|at| at.place)),
        ("platforms", image.platforms.as_ref().map(|at| at.place)),
    ];
    let shared = shared.into_iter().filter(|_| image.build.is_none());
    keys.into_iter().chain(shared).find_map(|(key, place)| place.map(|place| (key, place)))
}

fn tags(tags: &[Located<String>], check: &mut Checker<'_>) -> Vec<String> {
    for tag in tags {
        let plain = tag.value.replace("{commit}", "c").replace("{run}", "r");
        let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let starts = plain.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if !starts || plain.len() > 128 || !plain.bytes().all(valid) {
            check.at(
                tag.place,
                format!("`{}` is not a valid tag", tag.value),
                "use up to 128 letters, digits, `.`, `_` and `-`, and the placeholders `{commit}` \
                and `{run}`",
            );
        }
    }
    tags.iter().map(|tag| tag.value.clone()).collect()
}
