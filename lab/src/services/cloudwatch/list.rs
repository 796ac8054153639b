//! ListMetrics.

use std::collections::BTreeSet;

use super::instance_metrics;
use super::metric::Metric;
use super::metrics::{NAMESPACE, OF_BALANCER, OF_GROUP};
use crate::services::paging;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// The most metrics in one response (API model).
const PAGE: usize = 500;

/// ListMetrics: the metrics of each target group and load balancer that ever received traffic, of groups and
/// instances, and custom ones.
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
    let metrics = metrics.chain(instance_metrics::listed(world));
    let metrics = metrics.chain(world.cloudwatch.custom.keys().cloned());
    let listed = metrics.filter(|m| wanted(m, input)).map(|m| m.write()).collect();
    let (listed, next) =
        paging::page(listed, input.str("NextToken"), PAGE, "InvalidParameterValue")?;
    Ok(map([("Metrics", listed.into()), ("NextToken", next.into())]))
}

/// Returns whether a metric passes the filters of the call; a dimension filter may omit the value.
fn wanted(metric: &Metric, input: &Value) -> bool {
    let same = |key: &str, is: &str| input.str(key).is_none_or(|wanted| wanted == is);
    same("Namespace", &metric.namespace)
        && same("MetricName", &metric.name)
        && input.list("Dimensions").iter().all(|filter| {
            let is = filter.str("Name").and_then(|name| metric.dimensions.get(name));
            is.is_some_and(|is| filter.str("Value").is_none_or(|wanted| wanted == is))
        })
}
