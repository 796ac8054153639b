//! Checks that groups are attached to their target groups, behind one load balancer and in its zones.

use super::facts::GroupFacts;
use super::finding::Finding;
use super::view::View;
use cutover_config::Fleet;
use cutover_rollout::model::{Color, TargetGroup};

const TOPIC: &str = "attachment";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(pair) = &view.pair {
        for color in Color::BOTH {
            let (own, other) = (pair[color], pair[color.other()]);
            findings.extend(attached(own.group, own.target_group));
            if own.group.group.target_groups.contains(&other.target_group.arn) {
                findings.push(
                    Finding::error(
                        TOPIC,
                        format!(
                            "`{}` is also attached to `{}`, so weights could not separate the \
                             colors",
                            own.group.group.name, other.target_group.name
                        ),
                        "detach it from the target group of the other color",
                    )
                    .cli(format!(
                        "aws autoscaling detach-load-balancer-target-groups \
                         --auto-scaling-group-name {} --target-group-arns {}",
                        own.group.group.name, other.target_group.arn
                    )),
                );
            }
            findings.extend(zones(own.group, own.target_group, view));
        }
        let [blue, green] = Color::BOTH.map(|color| &pair[color].target_group.load_balancers);
        if let (Some(blue), Some(green)) = (blue.first(), green.first())
            && blue != green
        {
            findings.push(Finding::error(
                TOPIC,
                format!("the target groups belong to two load balancers: {blue} and {green}"),
                "use both in the rules of one load balancer: weights apply within a rule",
            ));
        }
    } else if let Fleet::Single(sole) = &view.config.fleet
        && let Some(group) = view.facts.groups.get(&sole.group)
    {
        let configured =
            sole.target_group.as_ref().and_then(|name| view.facts.target_groups.get(name));
        findings.extend(configured.and_then(|target_group| attached(group, target_group)));
        let bearing = view.facts.target_groups.values();
        for target_group in bearing.filter(|tg| group.group.target_groups.contains(&tg.arn)) {
            findings.extend(zones(group, target_group, view));
        }
    }
    findings
}

fn attached(facts: &GroupFacts, target_group: &TargetGroup) -> Option<Finding> {
    let group = &facts.group;
    (!group.target_groups.contains(&target_group.arn)).then(|| {
        Finding::error(
            TOPIC,
            format!(
                "`{}` is not attached to the target group `{}`, so its instances would receive no \
                 requests",
                group.name, target_group.name
            ),
            "attach the target group to the Auto Scaling group",
        )
        .cli(format!(
            "aws autoscaling attach-load-balancer-target-groups --auto-scaling-group-name {} \
             --target-group-arns {}",
            group.name, target_group.arn
        ))
    })
}

/// A target in a zone that is not enabled for the load balancer stays `unused` (user guide).
fn zones(facts: &GroupFacts, target_group: &TargetGroup, view: &View<'_>) -> Option<Finding> {
    let balancer = view
        .facts
        .load_balancers
        .iter()
        .find(|lb| target_group.load_balancers.contains(&lb.arn))?;
    let group = &facts.group;
    let missing: Vec<&str> =
        group.zones.iter().filter(|z| !balancer.zones.contains(z)).map(String::as_str).collect();
    (!missing.is_empty()).then(|| {
        Finding::error(
            "zones",
            format!(
                "`{}` launches into {}, which is not enabled for the load balancer: targets there \
                 never become healthy",
                group.name,
                missing.join(" and ")
            ),
            "enable the zone for the load balancer (list all its subnets), or remove it from the \
             group",
        )
        .cli(format!("aws elbv2 set-subnets --load-balancer-arn {} --subnets …", balancer.arn))
    })
}
