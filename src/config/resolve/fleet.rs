//! The groups, and whether they fit the strategy.

use super::checker::Checker;
use crate::config::at::At;
use crate::config::document::{Document, MemberSection, SizeSection};
use crate::config::settings::{Fleet, Member, SoleGroup};
use crate::model::{Colour, PerColour, Strategy};

const BOTH: &str = "write `fleet: { blue: { group: …, target_group: … }, green: { … } }`";

/// The groups; `None` where an objection was made.
pub(super) fn resolve(
    document: &Document,
    strategy: Strategy,
    check: &mut Checker<'_>,
) -> Option<Fleet> {
    let fleet = &document.fleet.value;
    if let Some(size) = fleet.size.as_ref().filter(|s| s.value == SizeSection::Proportional) {
        check.at(
            size.place,
            "`size: proportional` is not yet supported",
            "write `size: match`, or leave it out",
        );
    }
    match (&fleet.group, &fleet.blue, &fleet.green) {
        (Some(group), None, None) if strategy == Strategy::Rolling => {
            check.filled(group, "the Auto Scaling group's name");
            if let Some(size) = &fleet.size {
                check.useless("size", size.place, "remove it: there is no second group to size");
            }
            Some(Fleet::Single(SoleGroup {
                group: group.value.clone(),
                target_group: fleet.target_group.as_ref().map(|name| name.value.clone()),
            }))
        }
        (Some(_), None, None) => {
            check.at(
                document.strategy.place,
                format!("`{strategy}` takes two groups, and `fleet` has one"),
                format!("{BOTH}, or `strategy: rolling`"),
            );
            None
        }
        (None, Some(_), Some(_)) if strategy == Strategy::Rolling => {
            check.at(
                document.strategy.place,
                "`rolling` takes one group, and `fleet` has two",
                "write `fleet: { group: … }`, or another strategy: blue-green, canary or linear",
            );
            None
        }
        (None, Some(blue), Some(green)) => pair(blue, green, check),
        (Some(_), _, _) => {
            let colour = fleet.blue.as_ref().or(fleet.green.as_ref());
            check.at(
                colour.and_then(|colour| colour.place),
                "`fleet` has both `group` and a colour",
                "keep `group` for rolling within one group, or `blue` and `green`",
            );
            None
        }
        (None, None, None) => {
            check.key("fleet", document.fleet.place, "`fleet` names no group", BOTH);
            None
        }
        (None, blue, _) => {
            let missing = if blue.is_some() { Colour::Green } else { Colour::Blue };
            check.key("fleet", document.fleet.place, format!("`{missing}` is missing"), BOTH);
            None
        }
    }
}

fn pair(
    blue: &At<MemberSection>,
    green: &At<MemberSection>,
    check: &mut Checker<'_>,
) -> Option<Fleet> {
    let mut member = |section: &At<MemberSection>| {
        let group = &section.value.group;
        check.filled(group, "the Auto Scaling group's name");
        let Some(target_group) = &section.value.target_group else {
            check.at(
                section.place,
                format!("the group `{}` has no `target_group`", group.value),
                "name one for each colour: traffic moves between target groups",
            );
            return None;
        };
        check.filled(target_group, "the target group's name");
        let (group, target_group) = (group.value.clone(), target_group.value.clone());
        Some(Member { group, target_group })
    };
    let members = PerColour { blue: member(blue)?, green: member(green)? };
    if members.blue.group == members.green.group {
        check.at(
            green.value.group.place,
            format!("both colours are the group `{}`", members.green.group),
            "name two groups; for one, write `fleet: { group: … }` and `strategy: rolling`",
        );
    }
    if members.blue.target_group == members.green.target_group {
        check.at(
            green.value.target_group.as_ref().and_then(|name| name.place),
            format!("both colours are in the target group `{}`", members.green.target_group),
            "give each colour a target group of its own: traffic moves between them",
        );
    }
    Some(Fleet::Pair(members))
}
