//! What a discovery leaves open, in sentences for a person.

use crate::discovery::{Account, Fleet, Launch, Service, Unpinnable};
use crate::model::{Group, TemplateSource};

/// Everything that was not found out, and what to do about it, in the order in which it matters.
pub fn unknown(account: &Account, service: &Service, launch: Option<&Launch>) -> Vec<String> {
    let mut open: Vec<String> = service.groups().into_iter().filter_map(launches_from).collect();
    if let Some(launch) = launch {
        for (group, version) in &launch.unpinned {
            open.push(format!(
                "`{group}` launches from `{}` at {version}, so nothing could be rolled back: `cutover adopt` pins it \
                 to a number and replaces no instance",
                launch.template.name
            ));
        }
        open.extend(image(launch));
    }
    if let Fleet::Pair { live: None, sides } = &service.fleet
        && account.gaps.is_empty()
    {
        open.push(format!(
            "neither `{}` nor `{}` has all of the traffic: if a rollout is unfinished (`cutover status`), finish it or roll it back \
             first; else set the weights of one to 0",
            sides.blue.group.name, sides.green.group.name
        ));
    }
    open.extend(account.gaps.iter().map(|gap| {
        format!(
            "{} is not known: `{}` is not allowed; allow it, then run `cutover init --force` again",
            gap.what, gap.action
        )
    }));
    open
}

fn launches_from(group: &Group) -> Option<String> {
    matches!(group.source, TemplateSource::Other).then(|| {
        format!(
            "`{}` does not launch from a launch template: give it one (a launch configuration cannot be versioned)",
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
                "the user data of `{template}` names {} by {tag}, which can come to mean another image: `cutover \
                 adopt` pins it to the digest that it means now",
                image.repository
            ))
        }
        Ok(_) => None,
        Err(Unpinnable::Empty) => {
            Some(format!("`{template}` has no user data, so no image is named"))
        }
        Err(Unpinnable::Nameless) => {
            Some(format!("the user data of `{template}` names no image together with its registry"))
        }
        Err(Unpinnable::Refused(repository, why)) => Some(format!(
            "{repository} in the user data of `{template}` cannot be pinned: {why}; write a literal tag there, or \
                 keep the user data in a file (`template.user_data.file`)"
        )),
    }
}
