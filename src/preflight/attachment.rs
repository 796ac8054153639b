//! Groups and target groups belong to each other, behind one load balancer, in its zones.

use super::facts::GroupFacts;
use super::finding::Finding;
use super::view::View;
use crate::config::Fleet;
use crate::model::{Colour, TargetGroup};

const TOPIC: &str = "attachment";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(pair) = &view.pair {
        for colour in Colour::BOTH {
            let (own, other) = (pair[colour], pair[colour.other()]);
            findings.extend(attached(own.group, own.target_group));
            if own.group.group.target_groups.contains(&other.target_group.arn) {
                findings.push(
                    Finding::error(
                        TOPIC,
                        format!(
                            "`{}` is attached to `{}`, too: weights could not tell the colours \
                             apart",
                            own.group.group.name, other.target_group.name
                        ),
                        "detach it from the other colour's target group",
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
        let [blue, green] = Colour::BOTH.map(|colour| &pair[colour].target_group.load_balancers);
        if let (Some(blue), Some(green)) = (blue.first(), green.first())
            && blue != green
        {
            findings.push(Finding::error(
                TOPIC,
                format!("the target groups serve two load balancers: {blue} and {green}"),
                "put both into the rules of one: a weight is a share within a rule",
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
                "`{}` is not attached to the target group `{}`: its instances would get no \
                 requests",
                group.name, target_group.name
            ),
            "attach it",
        )
        .cli(format!(
            "aws autoscaling attach-load-balancer-target-groups --auto-scaling-group-name {} \
             --target-group-arns {}",
            group.name, target_group.arn
        ))
    })
}

/// A target in a zone that the load balancer hasn't enabled stays `unused` (user guide).
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
                "`{}` launches into {}, which the load balancer has not enabled: targets there \
                 are never healthy",
                group.name,
                missing.join(" and ")
            ),
            "enable the zone on the load balancer (name all its subnets), or take it from the \
             group",
        )
        .cli(format!("aws elbv2 set-subnets --load-balancer-arn {} --subnets …", balancer.arn))
    })
}
