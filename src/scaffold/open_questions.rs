//! Describes what a discovery could not determine.

use crate::discovery::{Account, Fleet, Launch, Service, Unpinnable};
use cutover_rollout::model::{Group, TemplateSource};

/// Returns what could not be determined and what to do about it, the most important first.
pub fn open_questions(
    account: &Account,
    service: &Service,
    launch: Option<&Launch>,
) -> Vec<String> {
    let mut open: Vec<String> = service.groups().into_iter().filter_map(launches_from).collect();
    if let Some(launch) = launch {
        for (group, version) in &launch.unpinned {
            open.push(format!(
                "the group `{group}` launches from `{}` at {version}, so a rollback would not be possible: pin it to a \
                 version number with `cutover adopt`, which replaces no instance",
                launch.template.name
            ));
        }
        open.extend(image(launch));
    }
    if let Fleet::Pair { live: None, sides } = &service.fleet
        && account.gaps.is_empty()
    {
        open.push(format!(
            "neither `{}` nor `{}` receives all traffic: finish or roll back an unfinished rollout (`cutover status`), otherwise \
             set the weights of one to 0",
            sides.blue.group.name, sides.green.group.name
        ));
    }
    let again = "allow it, then run `cutover init --force` again";
    open.extend(account.gaps.iter().map(|gap| format!("{gap}; {again}")));
    open
}

fn launches_from(group: &Group) -> Option<String> {
    matches!(group.source, TemplateSource::Other).then(|| {
        format!(
            "the group `{}` does not use a launch template: create one, because a launch configuration has no versions",
            group.name
        )
    })
}

fn image(launch: &Launch) -> Option<String> {
    let template = &launch.template.name;
    match launch.image.as_ref()? {
        Ok(image) if image.digest.is_none() => {
            let tag = image
                .tag
                .as_deref()
                .map_or_else(|| "no tag".to_owned(), |tag| format!("the tag `{tag}`"));
            Some(format!(
                "the user data of `{template}` refers to {} by {tag}, which can move to another image: pin it to its current \
                 digest with `cutover adopt`",
                image.repository
            ))
        }
        Ok(_) => None,
        Err(Unpinnable::Empty) => {
            Some(format!("`{template}` has no user data, so the image is unknown"))
        }
        Err(Unpinnable::NoReference) => Some(format!(
            "the user data of `{template}` contains no image reference with a registry"
        )),
        Err(Unpinnable::Refused(repository, why)) => Some(format!(
            "the reference to {repository} in the user data of `{template}` cannot be pinned: {why}; write a literal tag \
                 there, or keep the user data in a file (`template.user_data.file`)"
        )),
    }
}
