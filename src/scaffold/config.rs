//! Writes `cutover.yaml`.

use minijinja::Error;
use serde::Serialize;

use super::filters::render;
use super::stack::Stack;
use crate::discovery::{Account, Fleet, GroupWithTarget, Launch, Service, Unpinnable};
use crate::iam::Resources;
use cutover_rollout::model::Color;

/// The number of requests per minute from which on the configuration judges errors: then five minutes of the
/// first step, with 10% of the traffic, have twice the hundred requests needed for a verdict.
const JUDGED: u64 = 400;

/// What is known in addition to the account.
#[derive(Debug, Clone, Copy)]
pub struct ConfigInput<'a> {
    /// The service's name.
    pub name: &'a str,
    /// Whether there is a Dockerfile.
    pub dockerfile: bool,
}

#[derive(Serialize)]
struct Values<'a> {
    /// The source of the file, for its first line.
    from: &'static str,
    service: &'a str,
    account: &'a str,
    region: &'a str,
    gaps: Vec<GapValues<'a>>,
    image: ImageValues,
    /// The file with the user data of new versions.
    user_data: Option<&'a str>,
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
    /// The reason why its digest cannot be pinned in the user data.
    unpinnable: Option<String>,
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

/// Writes the configuration of an existing service.
///
/// # Errors
/// Only if cutover's own template is wrong.
pub fn cutover_yaml(
    account: &Account,
    service: &Service,
    launch: Option<&Launch>,
    surroundings: ConfigInput<'_>,
) -> Result<String, Error> {
    let requests = launch.and_then(|launch| launch.requests);
    let (blue, green, live) = match &service.fleet {
        Fleet::Pair { sides, live } => (&sides.blue, Some(&sides.green), Some(*live)),
        Fleet::Single(member) => (&**member, None, None),
    };
    let test = service.test.as_ref();
    let values = Values {
        from: "the resources",
        service: surroundings.name,
        account: &account.account,
        region: &account.region,
        gaps: account.gaps.iter().map(|g| GapValues { what: &g.what, action: &g.action }).collect(),
        image: image(launch, surroundings.dockerfile),
        user_data: None,
        pair: green.is_some(),
        blue: group(blue, live.map(|live| live.map(|live| live == Color::Blue))),
        green: green
            .map(|green| group(green, live.map(|live| live.map(|live| live == Color::Green)))),
        test: test.map(|(_, (name, value))| TestValues { name, value }),
        judged: requests.is_some_and(|requests| requests >= JUDGED),
        requests,
    };
    render("cutover.yaml", include_str!("templates/cutover.yaml"), values)
}

/// The path of the user data for a new stack.
pub const USER_DATA: &str = "deploy/user-data.sh";

/// Writes the configuration of a new stack.
///
/// # Errors
/// Only if cutover's own template is wrong.
pub fn cutover_yaml_from_scratch(
    (partition, account): (&str, &str),
    stack: &Stack,
    dockerfile: bool,
) -> Result<String, Error> {
    let (blue, green) = (stack.blue(), stack.green());
    let names = Resources::of(partition, &stack.region, account, &stack.service);
    let repository =
        format!("{account}.dkr.ecr.{}.{}/{}", stack.region, names.dns_suffix, stack.repository);
    fn group<'a>(name: &'a str, note: &str) -> GroupValues<'a> {
        GroupValues { group: name, target_group: Some(name), note: note.to_owned() }
    }
    let values = Values {
        from: "the stack",
        service: &stack.service,
        account,
        region: &stack.region,
        gaps: Vec::new(),
        image: ImageValues {
            repository: Some(repository),
            dockerfile,
            others: Vec::new(),
            unpinnable: None,
            unknown: String::new(),
        },
        user_data: Some(USER_DATA),
        pair: true,
        blue: group(&blue, "live: the placeholder page"),
        green: Some(group(&green, "idle: empty")),
        test: Some(TestValues { name: "X-Cutover", value: "next" }),
        judged: false,
        requests: None,
    };
    render("cutover.yaml", include_str!("templates/cutover.yaml"), values)
}

/// Describes a group. `live` is `None` for a single group, and `Some(None)` if it is not known which one is live.
fn group(member: &GroupWithTarget, live: Option<Option<bool>>) -> GroupValues<'_> {
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
        unpinnable: None,
        unknown: why,
    };
    let Some(launch) = launch else {
        return unknown("the groups do not use a launch template.".to_owned());
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
            unpinnable: None,
            unknown: String::new(),
        },
        Some(Err(Unpinnable::Empty)) => unknown(format!(
            "{of} has no user data. Write deploy/user-data.sh with {{{{ image }}}} in it, and set\n\
             # `template: {{ user_data: {{ file: deploy/user-data.sh }} }}`."
        )),
        Some(Err(Unpinnable::NoReference)) => unknown(format!(
            "the user data of {of} contains no image reference with a registry. Write\n\
             # deploy/user-data.sh with {{{{ image }}}} in it, and set `template: {{ user_data: {{ file: deploy/user-data.sh }} }}`."
        )),
        Some(Err(Unpinnable::Refused(repository, why))) => ImageValues {
            repository: Some(repository.to_string()),
            unpinnable: Some(format!("in the user data of {of}, {}", why.replace('\n', " "))),
            ..unknown(String::new())
        },
    }
}
