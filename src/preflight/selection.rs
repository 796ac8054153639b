//! Selects the rules to change and the test rule, and determines the live color.

use cutover_config::{TestRule, Traffic};
use cutover_rollout::model::{Color, PerColor, Rule, RuleId};

/// The rules of a pair of target groups, by purpose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The rules and default actions to change: those configured, otherwise all that forward to either target group,
    /// without the test rule. In the order of `rules`, in which the load balancer evaluates them.
    pub traffic_rules: Vec<RuleId>,
    /// The test rule, if one is configured and exists.
    pub test: Option<RuleId>,
    /// Other rules that forward to the pair. They would not be changed.
    pub others: Vec<RuleId>,
    /// Configured rules that do not exist.
    pub missing: Vec<RuleId>,
}

/// Selects the rules of the target groups `pair` (ARNs) according to the configuration.
pub fn select_rules(traffic: &Traffic, rules: &[Rule], pair: PerColor<&str>) -> Selection {
    let test = traffic.test.as_ref().and_then(|route| rules.iter().find(|r| tests(r, route)));
    let mut selection = Selection { test: test.map(|rule| rule.id.clone()), ..Default::default() };
    for rule in rules.iter().filter(|rule| Some(&rule.id) != selection.test.as_ref()) {
        let configured = traffic.rules.as_ref().map(|ids| ids.contains(&rule.id));
        if configured.unwrap_or_else(|| names(rule, pair)) {
            selection.traffic_rules.push(rule.id.clone());
        } else if names(rule, pair) {
            selection.others.push(rule.id.clone());
        }
    }
    let exists = |id: &RuleId| rules.iter().any(|rule| rule.id == *id);
    selection.missing = traffic.rules.iter().flatten().filter(|id| !exists(id)).cloned().collect();
    selection
}

/// Returns the color that receives all traffic of each of the rules `moving`. `None` if they differ, one of them splits
/// traffic, or none forwards to either.
pub fn live_color(rules: &[Rule], moving: &[RuleId], pair: PerColor<&str>) -> Option<Color> {
    let shares: Vec<PerColor<u8>> = rules
        .iter()
        .filter(|rule| moving.contains(&rule.id))
        .map(|rule| shares(rule, pair))
        .collect();
    Color::BOTH.into_iter().find(|color| {
        !shares.is_empty() && shares.iter().all(|share| *share == PerColor::all(*color))
    })
}

/// Returns the shares of the pair in a rule, in percent.
pub(super) fn shares(rule: &Rule, pair: PerColor<&str>) -> PerColor<u8> {
    PerColor::from_fn(|color| rule.forward.as_ref().map_or(0, |forward| forward.share(pair[color])))
}

/// Returns true if a rule forwards to either of the pair, at any weight.
pub(super) fn names(rule: &Rule, pair: PerColor<&str>) -> bool {
    let forward = rule.forward.as_ref();
    Color::BOTH.into_iter().any(|color| forward.is_some_and(|f| f.names(pair[color])))
}

/// Returns true if a rule has the condition on the test header.
fn tests(rule: &Rule, route: &TestRule) -> bool {
    let (name, value) = &route.header;
    rule.conditions
        .headers
        .iter()
        .any(|(n, values)| n.eq_ignore_ascii_case(name) && values.contains(value))
}
