//! `fleet`: the groups, checked against the strategy.

use super::checker::Checker;
use crate::at::Located;
use crate::document::{Document, MemberSection, SizeSection};
use crate::settings::{Fleet, SideConfig, SingleGroup};
use cutover_rollout::model::{Color, PerColor, Strategy};

const PAIR_HINT: &str = "write `fleet: { blue: { group: …, target_group: … }, green: { … } }`";

/// Resolves the groups; `None` if an error was reported.
pub(super) fn resolve(
    document: &Document,
    strategy: Strategy,
    check: &mut Checker<'_>,
) -> Option<Fleet> {
    let fleet = &document.fleet.value;
    if let Some(size) = fleet.size.as_ref().filter(|s| s.value == SizeSection::Proportional) {
        check.at(
            size.place,
            "`size: proportional` is not supported yet",
            "write `size: match`, or remove it",
        );
    }
    match (&fleet.group, &fleet.blue, &fleet.green) {
        (Some(group), None, None) if strategy == Strategy::Rolling => {
            check.filled(group, "the name of an Auto Scaling group");
            if let Some(size) = &fleet.size {
                check.unused_with_rolling(
                    "size",
                    size.place,
                    "remove it: with one group, no idle group is scaled",
                );
            }
            Some(Fleet::Single(SingleGroup {
                group: group.value.clone(),
                target_group: fleet.target_group.as_ref().map(|name| name.value.clone()),
            }))
        }
        (Some(_), None, None) => {
            check.at(
                document.strategy.place,
                format!("`{strategy}` needs two groups, but `fleet` has one"),
                format!("{PAIR_HINT}, or `strategy: rolling`"),
            );
            None
        }
        (None, Some(_), Some(_)) if strategy == Strategy::Rolling => {
            check.at(
                document.strategy.place,
                "`rolling` needs one group, but `fleet` has two",
                "write `fleet: { group: … }`, or change the strategy to blue-green, canary or linear",
            );
            None
        }
        (None, Some(blue), Some(green)) => pair(blue, green, check),
        (Some(_), _, _) => {
            let color = fleet.blue.as_ref().or(fleet.green.as_ref());
            check.at(
                color.and_then(|color| color.place),
                "`fleet` has both `group` and a color",
                "keep either `group`, for `strategy: rolling`, or `blue` and `green`",
            );
            None
        }
        (None, None, None) => {
            check.key("fleet", document.fleet.place, "`fleet` does not name a group", PAIR_HINT);
            None
        }
        (None, blue, _) => {
            let missing = if blue.is_some() { Color::Green } else { Color::Blue };
            check.key("fleet", document.fleet.place, format!("`{missing}` is missing"), PAIR_HINT);
            None
        }
    }
}

fn pair(
    blue: &Located<MemberSection>,
    green: &Located<MemberSection>,
    check: &mut Checker<'_>,
) -> Option<Fleet> {
    let mut member = |section: &Located<MemberSection>| {
        let group = &section.value.group;
        check.filled(group, "the name of an Auto Scaling group");
        let Some(target_group) = &section.value.target_group else {
            check.at(
                section.place,
                format!("the group `{}` has no `target_group`", group.value),
                "add one for each color: traffic shifts between target groups",
            );
            return None;
        };
        check.filled(target_group, "the name of a target group");
        let (group, target_group) = (group.value.clone(), target_group.value.clone());
        Some(SideConfig { group, target_group })
    };
    let members = PerColor { blue: member(blue)?, green: member(green)? };
    if members.blue.group == members.green.group {
        check.at(
            green.value.group.place,
            format!("both colors use the group `{}`", members.green.group),
            "name two groups, or write `fleet: { group: … }` and `strategy: rolling` for one",
        );
    }
    if members.blue.target_group == members.green.target_group {
        check.at(
            green.value.target_group.as_ref().and_then(|name| name.place),
            format!("both colors use the target group `{}`", members.green.target_group),
            "give each color its own target group: traffic shifts between them",
        );
    }
    Some(Fleet::Pair(members))
}
