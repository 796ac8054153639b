//! The checks of `cutover verify`, which `deploy` runs first: do the configured resources exist, and do they match?
//! [`gather`] reads the facts; [`findings`] checks them, one module per topic, and is pure.

mod alarms;
mod attachment;
mod capacity;
mod existence;
mod external;
mod facts;
mod finding;
mod gather;
mod health;
mod instances;
mod parity;
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

use cutover_config::Config;

pub use external::{
    image_cannot_be_built, registry_denied, tag_needs_workflow, unpinnable_user_data,
};
pub use facts::{Facts, GroupFacts};
pub use finding::{Finding, Severity};
pub use gather::gather;
pub use selection::{Selection, live_color, select_rules};
use view::View;

/// Returns everything that blocks or may block a rollout. Checks that build on others come later.
pub fn findings(config: &Config, facts: &Facts) -> Vec<Finding> {
    let view = View::new(config, facts);
    let topics = [
        existence::check,
        template::check,
        attachment::check,
        weights::check,
        test_rule::check,
        stickiness::check,
        parity::check,
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
        // The user's default Region may differ.
        line.push_str(&format!(" --region {}", config.region));
    }
    findings
}
