//! The configuration and facts as all checks use them.

use super::facts::{Facts, GroupFacts};
use super::selection::{Selection, live_color, select_rules};
use cutover_config::{Config, Fleet};
use cutover_rollout::model::{Color, PerColor, Rule, RuleId, TargetGroup};

/// The input of every check.
pub(super) struct View<'a> {
    pub config: &'a Config,
    pub facts: &'a Facts,
    /// Both sides, if both groups and target groups exist.
    pub pair: Option<PerColor<Side<'a>>>,
    /// The rules of the pair; empty without a pair.
    pub selection: Selection,
    /// The color that receives all traffic, if there is one.
    pub live: Option<Color>,
}

/// A group and its target group.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub group: &'a GroupFacts,
    pub target_group: &'a TargetGroup,
}

impl<'a> View<'a> {
    pub(super) fn new(config: &'a Config, facts: &'a Facts) -> View<'a> {
        let pair = match &config.fleet {
            Fleet::Single(_) => None,
            Fleet::Pair(members) => {
                let side = |color: Color| {
                    let member = &members[color];
                    let group = facts.groups.get(&member.group)?;
                    let target_group = facts.target_groups.get(&member.target_group)?;
                    Some(Side { group, target_group })
                };
                side(Color::Blue)
                    .zip(side(Color::Green))
                    .map(|(blue, green)| PerColor { blue, green })
            }
        };
        let arns = pair.as_ref().map(arns);
        let selection =
            arns.map_or(Selection::default(), |a| select_rules(&config.traffic, &facts.rules, a));
        let live = arns.and_then(|arns| live_color(&facts.rules, &selection.traffic_rules, arns));
        View { config, facts, pair, selection, live }
    }

    /// Returns the configured groups that exist, in order.
    pub(super) fn groups(&self) -> Vec<&'a GroupFacts> {
        self.config.groups().into_iter().filter_map(|name| self.facts.groups.get(name)).collect()
    }

    /// Returns the groups that will be refreshed: the idle one, or the only one; both if it is not known which
    /// one is idle.
    pub(super) fn refreshed(&self) -> Vec<&'a GroupFacts> {
        match (&self.pair, self.live) {
            (Some(pair), Some(live)) => vec![pair[live.other()].group],
            _ => self.groups(),
        }
    }

    /// Returns the ARNs of the pair's target groups.
    pub(super) fn arns(&self) -> Option<PerColor<&'a str>> {
        self.pair.as_ref().map(arns)
    }

    /// Returns the rule of this id.
    pub(super) fn rule(&self, id: &RuleId) -> Option<&'a Rule> {
        self.facts.rules.iter().find(|rule| rule.id == *id)
    }
}

fn arns<'a>(pair: &PerColor<Side<'a>>) -> PerColor<&'a str> {
    PerColor::from_fn(|color| pair[color].target_group.arn.as_str())
}
