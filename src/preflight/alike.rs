//! Both colours are alike in what matters, so that the new version is all that differs.

use super::finding::Finding;
use super::view::{Side, View};
use crate::model::TemplateSource;

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let Some(pair) = &view.pair else { return Vec::new() };
    let (blue, green) = (pair.blue, pair.green);
    let mut findings: Vec<Finding> =
        differences(blue, green).into_iter().map(|what| differ(blue, green, &what)).collect();
    if blue.group.group.zones != green.group.group.zones {
        let cross_zone = blue.target_group.cross_zone && green.target_group.cross_zone;
        let zones = |side: Side<'_>| side.group.group.zones.join(", ");
        let what = format!("their zones ({}; {})", zones(blue), zones(green));
        let finding = differ(blue, green, &what);
        findings.push(if cross_zone {
            finding
        } else {
            Finding::error(
                finding.topic,
                format!(
                    "{}, and without cross-zone balancing a zone without targets fails",
                    finding.message
                ),
                finding.remedy,
            )
        });
    }
    findings
}

/// What differs, in words.
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
        "their grace period",
        format!("{} s", bg.grace.as_secs()),
        format!("{} s", gg.grace.as_secs()),
    );
    if let (Some(blue), Some(green)) = (policy(&bg.source), policy(&gg.source)) {
        compare("their instance policy", blue.to_owned(), green.to_owned());
    }
    compare("their target groups' protocol", bt.protocol.clone(), gt.protocol.clone());
    compare("their target groups' port", bt.port.to_string(), gt.port.to_string());
    compare("their health check's path", bt.health_path.clone(), gt.health_path.clone());
    found
}

/// What a group launches; `None` where that can't be served, which is told elsewhere.
fn policy(source: &TemplateSource) -> Option<&'static str> {
    match source {
        TemplateSource::Template(_) => Some("one type"),
        TemplateSource::Mixed { .. } => Some("mixed instances"),
        TemplateSource::Other => None,
    }
}

fn differ(blue: Side<'_>, green: Side<'_>, what: &str) -> Finding {
    Finding::warning(
        "colours",
        format!("`{}` and `{}` differ in {what}", blue.group.group.name, green.group.group.name),
        "make them alike: whichever is live, the service should behave the same",
    )
}
