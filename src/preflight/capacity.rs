//! Checks that the group may have enough instances.

use super::finding::Finding;
use super::view::View;
use cutover_config::Fleet;
use cutover_rollout::model::Group;

const TOPIC: &str = "capacity";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    match (&view.config.fleet, &view.pair, view.live) {
        (Fleet::Pair(_), Some(pair), Some(live)) => {
            let (live, idle) = (&pair[live].group.group, &pair[live.other()].group.group);
            pair_room(live, idle)
        }
        (Fleet::Pair(_), _, _) => Vec::new(),
        (Fleet::Single(_), _, _) => {
            view.groups().into_iter().flat_map(|facts| single_room(&facts.group, view)).collect()
        }
    }
}

fn pair_room(live: &Group, idle: &Group) -> Vec<Finding> {
    if live.capacity.desired == 0 {
        return vec![empty(live)];
    }
    let wanted = live.capacity.desired;
    if idle.capacity.max >= wanted {
        return Vec::new();
    }
    vec![
        Finding::error(
            TOPIC,
            format!(
                "`{}` may have at most {} instances, but `{}` has {wanted}, so it could not take all \
                 traffic",
                idle.name, idle.capacity.max, live.name
            ),
            "raise its MaxSize, which cutover never changes",
        )
        .cli(format!(
            "aws autoscaling update-auto-scaling-group --auto-scaling-group-name {} --max-size {}",
            idle.name,
            live.capacity.max.max(wanted)
        )),
    ]
}

fn single_room(group: &Group, view: &View<'_>) -> Vec<Finding> {
    let rolling = &view.config.rolling;
    match group.capacity.desired {
        0 => vec![empty(group)],
        1 if (rolling.min_healthy, rolling.max_healthy) != (100, 200) => {
            vec![Finding::warning(
                TOPIC,
                format!(
                    "`{}` has one instance: a refresh with {}% to {}% healthy would terminate it before its \
                     replacement is ready, so cutover uses 100% to 200%",
                    group.name, rolling.min_healthy, rolling.max_healthy
                ),
                "set `rolling: { min_healthy: 100, max_healthy: 200 }`, or run two instances",
            )]
        }
        _ => Vec::new(),
    }
}

fn empty(group: &Group) -> Finding {
    Finding::error(
        TOPIC,
        format!(
            "`{}` is live, but its DesiredCapacity is 0, so the size of the other group is \
                 unknown",
            group.name
        ),
        "set its DesiredCapacity first",
    )
    .cli(format!(
        "aws autoscaling set-desired-capacity --auto-scaling-group-name {} --desired-capacity {}",
        group.name,
        group.capacity.max.clamp(1, 2)
    ))
}
