//! Alarms that are there and quiet.

use super::finding::Finding;
use super::view::View;
use crate::config::Fleet;
use crate::rollout::AlarmState;

const TOPIC: &str = "alarms";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let rolling = matches!(view.config.fleet, Fleet::Single(_));
    let mut findings = Vec::new();
    for name in &view.config.judge.alarms {
        let finding = match view.facts.alarms.get(name) {
            Some(AlarmState::Ok) => continue,
            Some(AlarmState::Alarm) => Finding::error(
                TOPIC,
                format!("the alarm `{name}` fires already: nothing could be learned from it"),
                "mend what it warns of first, or take it out of `judge.alarms`",
            ),
            // Start is rejected then (user guide).
            Some(AlarmState::InsufficientData) if rolling => Finding::error(
                TOPIC,
                format!("the alarm `{name}` has no data: Auto Scaling refuses a refresh with it"),
                "wait for data, let the alarm treat missing data as good, or leave it out",
            ),
            Some(AlarmState::InsufficientData) => Finding::warning(
                TOPIC,
                format!("the alarm `{name}` has no data: until it has, no step is taken"),
                "let the alarm treat missing data as it should be treated",
            ),
            None => Finding::error(
                TOPIC,
                format!("the alarm `{name}` does not exist"),
                "correct `judge.alarms` in cutover.yaml, or create it",
            ),
        };
        findings.push(finding.cli(format!("aws cloudwatch describe-alarms --alarm-names {name}")));
    }
    findings
}
