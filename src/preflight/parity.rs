//! Checks that both colors have the same settings, so that only the version differs.

use super::finding::Finding;
use super::view::{Side, View};
use cutover_rollout::model::TemplateSource;

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let Some(pair) = &view.pair else { return Vec::new() };
    let (blue, green) = (pair.blue, pair.green);
    let mut findings: Vec<Finding> =
        differences(blue, green).into_iter().map(|what| differ(blue, green, &what)).collect();
    if blue.group.group.zones != green.group.group.zones {
        let cross_zone = blue.target_group.cross_zone && green.target_group.cross_zone;
        let zones = |side: Side<'_>| side.group.group.zones.join(", ");
        let what = format!("their Availability Zones ({}; {})", zones(blue), zones(green));
        let finding = differ(blue, green, &what);
        findings.push(if cross_zone {
            finding
        } else {
            Finding::error(
                finding.topic,
                format!(
                    "{}, and without cross-zone load balancing requests to a zone without targets fail",
                    finding.message
                ),
                finding.remedy,
            )
        });
    }
    findings
}

/// Returns the settings that differ.
fn differences(blue: Side<'_>, green: Side<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, blue: String, green: String| {
        if blue != green {
            found.push(format!("{what} ({blue}; {green})"));
        }
    };
    let (bg, gg) = (&blue.group.group, &green.group.group);
    let (bt, gt) = (blue.target_group, green.target_group);
    let health_type = |elb: bool| if elb { "ELB" } else { "EC2" }.to_owned();
    compare("their health check type", health_type(bg.elb_health), health_type(gg.elb_health));
    compare(
        "their health check grace period",
        format!("{} s", bg.grace.as_secs()),
        format!("{} s", gg.grace.as_secs()),
    );
    if let (Some(blue), Some(green)) = (policy(&bg.source), policy(&gg.source)) {
        compare("their instance types", blue.to_owned(), green.to_owned());
    }
    compare("the protocol of their target groups", bt.protocol.clone(), gt.protocol.clone());
    compare("the port of their target groups", bt.port.to_string(), gt.port.to_string());
    compare("their health check path", bt.health_path.clone(), gt.health_path.clone());
    found
}

/// Returns how a group chooses instance types; `None` if it is not supported, which another check reports.
fn policy(source: &TemplateSource) -> Option<&'static str> {
    match source {
        TemplateSource::Template(_) => Some("one type"),
        TemplateSource::Mixed { .. } => Some("mixed instances"),
        TemplateSource::Other => None,
    }
}

fn differ(blue: Side<'_>, green: Side<'_>, what: &str) -> Finding {
    Finding::warning(
        "colors",
        format!("`{}` and `{}` differ in {what}", blue.group.group.name, green.group.group.name),
        "give both the same settings, so that the service behaves the same whichever is live",
    )
}
