//! `cutover.yaml` of a service that runs already.

use minijinja::Error;
use serde::Serialize;

use super::filters::render;
use crate::discovery::{Account, Fleet, Launch, Member, Service, Unpinnable};
use crate::model::Colour;

/// Requests a minute from which errors are judged: five minutes of the first step, a tenth of the traffic, then have
/// the hundred requests that count as evidence twice over.
const JUDGED: u64 = 400;

/// What is known besides the account.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The service's name.
    pub name: &'a str,
    /// Whether there is a Dockerfile to build.
    pub dockerfile: bool,
}

#[derive(Serialize)]
struct Values<'a> {
    service: &'a str,
    account: &'a str,
    region: &'a str,
    gaps: Vec<GapValues<'a>>,
    image: ImageValues,
    pair: bool,
    blue: GroupValues<'a>,
    green: Option<GroupValues<'a>>,
    test: Option<TestValues<'a>>,
    judged: bool,
    requests: Option<u64>,
}

#[derive(Serialize)]
struct GapValues<'a> {
    what: &'a str,
    action: &'a str,
}

#[derive(Serialize)]
struct ImageValues {
    repository: Option<String>,
    dockerfile: bool,
    others: Vec<String>,
    unknown: String,
}

#[derive(Serialize)]
struct GroupValues<'a> {
    group: &'a str,
    target_group: Option<&'a str>,
    note: String,
}

#[derive(Serialize)]
struct TestValues<'a> {
    name: &'a str,
    value: &'a str,
}

/// Writes the configuration.
///
/// # Errors
/// Only where cutover's own template is at fault.
pub fn cutover_yaml(
    account: &Account,
    service: &Service,
    launch: Option<&Launch>,
    surroundings: Surroundings<'_>,
) -> Result<String, Error> {
    let requests = launch.and_then(|launch| launch.requests);
    let (blue, green, live) = match &service.fleet {
        Fleet::Pair { sides, live } => (&sides.blue, Some(&sides.green), Some(*live)),
        Fleet::Single(member) => (&**member, None, None),
    };
    let test = service.test.as_ref();
    let values = Values {
        service: surroundings.name,
        account: &account.account,
        region: &account.region,
        gaps: account.gaps.iter().map(|g| GapValues { what: &g.what, action: &g.action }).collect(),
        image: image(launch, surroundings.dockerfile),
        pair: green.is_some(),
        blue: group(blue, live.map(|live| live.map(|live| live == Colour::Blue))),
        green: green
            .map(|green| group(green, live.map(|live| live.map(|live| live == Colour::Green)))),
        test: test.map(|(_, (name, value))| TestValues { name, value }),
        judged: requests.is_some_and(|requests| requests >= JUDGED),
        requests,
    };
    render("cutover.yaml", include_str!("templates/cutover.yaml"), values)
}

/// A group, with what it looks like today. `live` is `Some(None)` where it is not known which of two is.
fn group(member: &Member, live: Option<Option<bool>>) -> GroupValues<'_> {
    let instances = match member.group.capacity.desired {
        0 => "empty".to_owned(),
        1 => "1 instance".to_owned(),
        n => format!("{n} instances"),
    };
    let note = match live {
        Some(Some(true)) => format!("live: {instances}"),
        Some(Some(false)) => format!("idle: {instances}"),
        Some(None) | None => instances,
    };
    GroupValues { group: &member.group.name, target_group: member.target_group_name(), note }
}

fn image(launch: Option<&Launch>, dockerfile: bool) -> ImageValues {
    let unknown = |why: String| ImageValues {
        repository: None,
        dockerfile,
        others: Vec::new(),
        unknown: why,
    };
    let Some(launch) = launch else {
        return unknown("the groups do not launch from a launch template.".to_owned());
    };
    let template = &launch.template.name;
    let of = match &launch.version {
        Some(version) => format!("version {} of `{template}`", version.number),
        None => format!("`{template}`"),
    };
    match &launch.image {
        None => unknown(format!("the user data of {of} cannot be read.")),
        Some(Ok(image)) => ImageValues {
            repository: Some(image.repository.to_string()),
            dockerfile,
            others: image.others.iter().map(ToString::to_string).collect(),
            unknown: String::new(),
        },
        Some(Err(Unpinnable::Empty)) => unknown(format!(
            "{of} has no user data. Write deploy/user-data.sh with {{{{ image }}}} in it, and\n\
             # `template: {{ user_data: {{ file: deploy/user-data.sh }} }}`."
        )),
        Some(Err(Unpinnable::Nameless)) => unknown(format!(
            "the user data of {of} names no image with its registry. Write\n\
             # deploy/user-data.sh with {{{{ image }}}} in it, and `template: {{ user_data: {{ file: deploy/user-data.sh }} }}`."
        )),
        Some(Err(Unpinnable::Refused(repository, why))) => unknown(format!(
            "the user data of {of} names {repository}, but\n# {}",
            why.replace('\n', "\n# ")
        )),
    }
}
