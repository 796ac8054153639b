//! Which rules move traffic, which one tests, and which colour is live.

use crate::config::{TestRoute, Traffic};
use crate::model::{Colour, PerColour, Rule, RuleId};

/// The rules of a pair of target groups, told apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The rules and default actions to move: those configured, or else all that name either of
    /// the pair, without the test rule. In the order of `rules`, so the first is tried first.
    pub moving: Vec<RuleId>,
    /// The rule that reaches the idle colour, where one is configured and exists.
    pub test: Option<RuleId>,
    /// Rules that name the pair but are neither: they would go on as they are.
    pub others: Vec<RuleId>,
    /// Configured rules that don't exist.
    pub missing: Vec<RuleId>,
}

/// Tells apart the rules of the target groups `pair` (ARNs) by the configuration.
pub fn select(traffic: &Traffic, rules: &[Rule], pair: PerColour<&str>) -> Selection {
    let test = traffic.test.as_ref().and_then(|route| rules.iter().find(|r| tests(r, route)));
    let mut selection = Selection { test: test.map(|rule| rule.id.clone()), ..Default::default() };
    for rule in rules.iter().filter(|rule| Some(&rule.id) != selection.test.as_ref()) {
        let configured = traffic.rules.as_ref().map(|ids| ids.contains(&rule.id));
        if configured.unwrap_or_else(|| names(rule, pair)) {
            selection.moving.push(rule.id.clone());
        } else if names(rule, pair) {
            selection.others.push(rule.id.clone());
        }
    }
    let exists = |id: &RuleId| rules.iter().any(|rule| rule.id == *id);
    selection.missing = traffic.rules.iter().flatten().filter(|id| !exists(id)).cloned().collect();
    selection
}

/// The colour that has all the weight in each of the rules `moving`. `None` where they disagree,
/// one of them splits, or none forwards to either.
pub fn live(rules: &[Rule], moving: &[RuleId], pair: PerColour<&str>) -> Option<Colour> {
    let shares: Vec<PerColour<u8>> = rules
        .iter()
        .filter(|rule| moving.contains(&rule.id))
        .map(|rule| shares(rule, pair))
        .collect();
    Colour::BOTH.into_iter().find(|colour| {
        !shares.is_empty() && shares.iter().all(|share| *share == PerColour::all(*colour))
    })
}

/// What each of the pair gets of a rule's requests, in percent.
pub(super) fn shares(rule: &Rule, pair: PerColour<&str>) -> PerColour<u8> {
    PerColour::from_fn(|colour| {
        rule.forward.as_ref().map_or(0, |forward| forward.share(pair[colour]))
    })
}

/// Whether a rule forwards to either of the pair, at whatever weight.
pub(super) fn names(rule: &Rule, pair: PerColour<&str>) -> bool {
    let forward = rule.forward.as_ref();
    Colour::BOTH.into_iter().any(|colour| forward.is_some_and(|f| f.names(pair[colour])))
}

/// Whether a rule asks for the route's header.
fn tests(rule: &Rule, route: &TestRoute) -> bool {
    let (name, value) = &route.header;
    rule.matches
        .headers
        .iter()
        .any(|(n, values)| n.eq_ignore_ascii_case(name) && values.contains(value))
}
