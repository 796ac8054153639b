//! ListMetrics.

use std::collections::BTreeSet;

use super::fleet;
use super::metrics::{Metric, NAMESPACE, OF_BALANCER, OF_GROUP};
use crate::services::paging;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// Metrics in one answer (API model).
const PAGE: usize = 500;

/// ListMetrics: what each target group and load balancer that ever took traffic could have, what groups
/// have, and what the account has put itself.
pub(super) fn list(world: &mut World, input: &Value) -> ApiResult<Value> {
    let mut pairs: BTreeSet<(&str, Option<&str>)> = BTreeSet::new();
    for (balancer, group) in world.traffic.minutes().values().flat_map(|m| m.groups.keys()) {
        pairs.insert((balancer, None));
        pairs.insert((balancer, Some(group)));
    }
    let metrics = pairs.iter().flat_map(|(balancer, group)| {
        let own = if group.is_none() { OF_BALANCER } else { &[] };
        OF_GROUP.iter().chain(own).map(|name| {
            let balancer = ("LoadBalancer".to_owned(), (*balancer).to_owned());
            let group = group.map(|g| ("TargetGroup".to_owned(), g.to_owned()));
            Metric {
                namespace: NAMESPACE.to_owned(),
                name: (*name).to_owned(),
                dimensions: [balancer].into_iter().chain(group).collect(),
            }
        })
    });
    let metrics = metrics.chain(fleet::listed(world));
    let metrics = metrics.chain(world.cloudwatch.custom.keys().cloned());
    let listed = metrics.filter(|m| wanted(m, input)).map(|m| m.write()).collect();
    let (listed, next) =
        paging::page(listed, input.str("NextToken"), PAGE, "InvalidParameterValue")?;
    Ok(map([("Metrics", listed.into()), ("NextToken", next.into())]))
}

/// Whether the filters of the call let a metric through; a dimension filter may leave the value open.
fn wanted(metric: &Metric, input: &Value) -> bool {
    let same = |key: &str, is: &str| input.str(key).is_none_or(|wanted| wanted == is);
    same("Namespace", &metric.namespace)
        && same("MetricName", &metric.name)
        && input.list("Dimensions").iter().all(|filter| {
            let is = filter.str("Name").and_then(|name| metric.dimensions.get(name));
            is.is_some_and(|is| filter.str("Value").is_none_or(|wanted| wanted == is))
        })
}
