//! Configuration and facts, brought together once for all topics.

use super::facts::{Facts, GroupFacts};
use super::selection::{Selection, live, select};
use crate::config::{Config, Fleet};
use crate::model::{Colour, PerColour, Rule, RuleId, TargetGroup};

/// What every topic looks at.
pub(super) struct View<'a> {
    pub config: &'a Config,
    pub facts: &'a Facts,
    /// Both sides, where both exist with their target groups.
    pub pair: Option<PerColour<Side<'a>>>,
    /// The pair's rules; empty without a pair.
    pub selection: Selection,
    /// The colour that has all the weight, where one has.
    pub live: Option<Colour>,
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
                let side = |colour: Colour| {
                    let member = &members[colour];
                    let group = facts.groups.get(&member.group)?;
                    let target_group = facts.target_groups.get(&member.target_group)?;
                    Some(Side { group, target_group })
                };
                side(Colour::Blue)
                    .zip(side(Colour::Green))
                    .map(|(blue, green)| PerColour { blue, green })
            }
        };
        let arns = pair.as_ref().map(arns);
        let selection =
            arns.map_or(Selection::default(), |a| select(&config.traffic, &facts.rules, a));
        let live = arns.and_then(|arns| live(&facts.rules, &selection.moving, arns));
        View { config, facts, pair, selection, live }
    }

    /// The configured groups that exist, in order.
    pub(super) fn groups(&self) -> Vec<&'a GroupFacts> {
        self.config.groups().into_iter().filter_map(|name| self.facts.groups.get(name)).collect()
    }

    /// The groups that a refresh will replace: the idle one, or the only one; both where it isn't
    /// known which one is idle.
    pub(super) fn refreshed(&self) -> Vec<&'a GroupFacts> {
        match (&self.pair, self.live) {
            (Some(pair), Some(live)) => vec![pair[live.other()].group],
            _ => self.groups(),
        }
    }

    /// The ARNs of the pair's target groups.
    pub(super) fn arns(&self) -> Option<PerColour<&'a str>> {
        self.pair.as_ref().map(arns)
    }

    /// The rule of this id.
    pub(super) fn rule(&self, id: &RuleId) -> Option<&'a Rule> {
        self.facts.rules.iter().find(|rule| rule.id == *id)
    }
}

fn arns<'a>(pair: &PerColour<Side<'a>>) -> PerColour<&'a str> {
    PerColour::from_fn(|colour| pair[colour].target_group.arn.as_str())
}
