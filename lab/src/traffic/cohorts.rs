//! Visitors whom a cookie binds to a target group. With group stickiness, weights only decide for new
//! visitors: weight 0 does not move existing ones (user guide: sticky sessions).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::services::elbv2::rule::Rule;
use crate::world::params::Params;

/// The share of requests from visitors bound to each target group, by rule ARN and target group ARN.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cohorts(BTreeMap<String, BTreeMap<String, f64>>);

impl Cohorts {
    /// Returns how a rule's requests divide over its target groups: by weight, or by where visitors are
    /// bound. A group that the rule no longer names keeps nobody.
    pub(super) fn shares(&self, rule: &Rule) -> Vec<(String, f64)> {
        let Some(forward) = rule.forward() else { return Vec::new() };
        let bound = self.0.get(&rule.arn).filter(|_| cookie_lifetime(rule).is_some());
        let share = |arn: &String, weight: u32| match bound {
            Some(bound) => bound.get(arn).copied().unwrap_or_default(),
            None => f64::from(weight),
        };
        let shares = forward.groups.iter().map(|(arn, w)| (arn.clone(), share(arn, *w)));
        normal(shares.collect()).unwrap_or_else(|| by_weight(rule))
    }

    /// Renews the visitors of every sticky rule after `length`. The control plane's weights stand in for the
    /// nodes': the seconds until nodes learn them are negligible against the length of a visit.
    pub(super) fn pass<'r>(
        &mut self,
        rules: impl Iterator<Item = &'r Rule>,
        params: &Params,
        length: Duration,
    ) {
        for rule in rules {
            if let Some(lasts) = cookie_lifetime(rule) {
                self.renew(rule, share_left(length, params.visit, params.visit_pause, lasts));
            } else {
                self.0.remove(&rule.arn);
            }
        }
    }

    /// Replaces the share `left` of the visitors by new ones, who are bound by weight.
    fn renew(&mut self, rule: &Rule, left: f64) {
        let stayed = self.shares(rule);
        let bound = self.0.entry(rule.arn.clone()).or_default();
        bound.clear();
        for ((arn, stayed), (_, new)) in stayed.into_iter().zip(by_weight(rule)) {
            bound.insert(arn, stayed * (1.0 - left) + new * left);
        }
    }
}

/// Returns the share of visitors who are no longer bound after `length`: those who left, and those who
/// paused for longer than the cookie lasts, which starts again with every response. Both happen at
/// random, at a constant rate.
fn share_left(length: Duration, visit: Duration, pause: Duration, lasts: Duration) -> f64 {
    let (visit, pause) = (visit.as_secs_f64().max(1.0), pause.as_secs_f64().max(0.001));
    let rate = 1.0 / visit + (-lasts.as_secs_f64() / pause).exp() / pause;
    1.0 - (-length.as_secs_f64() * rate).exp()
}

/// Returns how long a rule's cookies last; `None` if the rule is not sticky.
fn cookie_lifetime(rule: &Rule) -> Option<Duration> {
    let (_, seconds) = rule.forward()?.stickiness.filter(|(enabled, _)| *enabled)?;
    Some(Duration::from_secs(seconds.unwrap_or(1).unsigned_abs()))
}

/// Returns how a rule's requests divide by weight alone: those of visitors without a cookie.
pub(super) fn by_weight(rule: &Rule) -> Vec<(String, f64)> {
    let groups = rule.forward().map(|f| f.groups.as_slice()).unwrap_or_default();
    let weights: Vec<_> = groups.iter().map(|(arn, w)| (arn.clone(), f64::from(*w))).collect();
    normal(weights).unwrap_or_default()
}

/// Scales shares to the sum 1; `None` if there is nothing to share.
fn normal(mut shares: Vec<(String, f64)>) -> Option<Vec<(String, f64)>> {
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    shares.iter_mut().for_each(|(_, share)| *share /= sum);
    (sum > 0.0).then_some(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_cookie_binds_for_a_short_time() {
        let left = |lasts| {
            let [length, visit, pause, lasts] = [60, 600, 10, lasts].map(Duration::from_secs);
            share_left(length, visit, pause, lasts)
        };
        assert!((left(3600) - 0.095).abs() < 0.001, "a tenth of a visit: {}", left(3600));
        assert!(left(30) > 0.3 && left(1) > 0.99, "{} {}", left(30), left(1));
    }
}
