//! What `cutover verify` says, and `deploy` asks first: does what is configured exist, and does it
//! fit together? [`gather`] reads the facts; [`findings`] judges them, one file a topic, and is
//! pure.

mod alarms;
mod alike;
mod asked;
mod attachment;
mod capacity;
mod existence;
mod facts;
mod finding;
mod gather;
mod health;
mod instances;
mod processes;
mod refreshes;
mod registry;
mod schedule;
mod selection;
mod stickiness;
mod template;
mod test_rule;
mod view;
mod weights;

use crate::config::Config;

pub use asked::{closed_registry, not_made_here, tag_of_a_workflow, unfit_user_data};
pub use facts::{Facts, GroupFacts};
pub use finding::{Finding, Severity};
pub use gather::gather;
pub use selection::{Selection, live, select};
use view::View;

/// Everything that stands in the way of a rollout, or may, in the order in which it would: topics
/// that build on others come later.
pub fn findings(config: &Config, facts: &Facts) -> Vec<Finding> {
    let view = View::new(config, facts);
    let topics = [
        existence::check,
        template::check,
        attachment::check,
        weights::check,
        test_rule::check,
        stickiness::check,
        alike::check,
        capacity::check,
        health::check,
        processes::check,
        instances::check,
        refreshes::check,
        schedule::check,
        registry::check,
        alarms::check,
    ];
    let mut findings: Vec<Finding> = topics.into_iter().flat_map(|check| check(&view)).collect();
    for line in findings.iter_mut().filter_map(|finding| finding.cli.as_mut()) {
        // The person's own default Region may be another.
        line.push_str(&format!(" --region {}", config.region));
    }
    findings
}
