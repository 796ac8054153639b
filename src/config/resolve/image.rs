//! What is shipped, and where it goes.

use super::checker::Checker;
use super::{Surroundings, assembly};
use crate::config::at::At;
use crate::config::attach::Attach;
use crate::config::build::Build;
use crate::config::document::ImageSection;
use crate::config::ecr::Ecr;
use crate::config::settings::Image;
use crate::image::Platform;
use crate::model::Repository;

pub(super) fn resolve(
    section: Option<&At<ImageSection>>,
    surroundings: Surroundings<'_>,
    check: &mut Checker<'_>,
) -> Image {
    let Some(At { value: image, place }) = section else {
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
            "`files` and `build` each make an image",
            "keep one of them: a Dockerfile can COPY files, too",
        );
    }
    let push = push(&image.push, surroundings, made, check);
    if made && image.push.is_empty() {
        check.key(
            "image",
            *place,
            "an image is made, but `push` doesn't say where it goes",
            "add `push: [123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/web]`",
        );
    }
    if image.files.is_none()
        && let Some((key, place)) = orphan(image)
    {
        let (message, remedy) = match &image.build {
            Some(_) if key == "platforms" => (
                "is for images from files: an engine builds for one platform",
                "name it in `platform`, or build several elsewhere and deploy by `--image`",
            ),
            Some(_) => ("is the Dockerfile's to say", "write it there, and remove it here"),
            None => (
                "describes an image, but there are no `files` to make it of",
                "add `files`, or remove it: an image that is pushed already has its own",
            ),
        };
        check.key(key, place, format!("`{key}` {message}"), remedy);
    }
    let ecr = image.ecr.as_ref().map(|section| {
        if !push.iter().any(|repository| repository.ecr().is_some()) {
            check.key(
                "ecr",
                section.place,
                "`ecr` says what ECR is to do, but no repository in `push` is in ECR",
                "name one, or remove it",
            );
        }
        section.value.resolve(check)
    });
    let tags = tags(&image.tags, check);
    let assembly = image.files.as_ref().map(|files| assembly::resolve(files, image, check));
    let build = image.build.as_ref().map(|build| Build {
        labels: image.labels.as_ref().map(|at| at.value.clone()).unwrap_or_default(),
        platform: image.platform.as_ref().map(|at| Platform::from(at.value).to_string()),
        ..build.value.resolve(check)
    });
    if let Some(attach) = image.attach.as_ref().filter(|_| !made) {
        check.key(
            "attach",
            attach.place,
            "`attach` goes beside an image that is made, and none is",
            "add `files` or `build`, or remove it",
        );
    }
    let attach = image.attach.as_ref().map(|at| at.value.resolve(check)).unwrap_or_default();
    Image { push, ecr: ecr.unwrap_or_default(), tags, assembly, attach, build }
}

/// The repositories to push to.
fn push(
    targets: &[At<String>],
    surroundings: Surroundings<'_>,
    made: bool,
    check: &mut Checker<'_>,
) -> Vec<Repository> {
    let mut all: Vec<Repository> = Vec::new();
    for (n, target) in targets.iter().enumerate() {
        match target.value.parse::<Repository>() {
            Ok(repository) if all.contains(&repository) => check.at(
                target.place,
                format!("`{repository}` is there twice"),
                "name each repository once",
            ),
            Ok(repository) => {
                let region = repository.ecr().map(|ecr| ecr.region).filter(|_| made && n == 0);
                if let (Some(region), Some(own)) = (region, surroundings.region)
                    && region != own
                {
                    check.at(
                        target.place,
                        format!("this registry is in {region}, which is not the fleet's Region"),
                        "name a repository of the fleet's Region first, which instances pull from: \
                         pulling from another one is slow and costs transfer",
                    );
                }
                all.push(repository);
            }
            Err(error) => check.at(
                target.place,
                error.to_string(),
                "write the registry's host and the path, without tag or digest",
            ),
        }
    }
    all
}

/// A key that needs `files`; labels and a platform a Dockerfile can be given, too.
fn orphan(image: &ImageSection) -> Option<(&'static str, Option<super::super::at::Place>)> {
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
