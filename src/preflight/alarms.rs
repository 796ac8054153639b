//! Checks that the configured alarms exist and are not in ALARM.

use super::finding::Finding;
use super::view::View;
use cutover_config::Fleet;
use cutover_rollout::AlarmState;

const TOPIC: &str = "alarms";

pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let rolling = matches!(view.config.fleet, Fleet::Single(_));
    let mut findings = Vec::new();
    for name in &view.config.judge.alarms {
        let finding = match view.facts.alarms.get(name) {
            Some(AlarmState::Ok) => continue,
            Some(AlarmState::Alarm) => Finding::error(
                TOPIC,
                format!(
                    "the alarm `{name}` is already in ALARM, so it cannot judge the new version"
                ),
                "fix the cause of the alarm first, or remove it from `judge.alarms`",
            ),
            // StartInstanceRefresh is rejected then (user guide).
            Some(AlarmState::InsufficientData) if rolling => Finding::error(
                TOPIC,
                format!(
                    "the alarm `{name}` has insufficient data, so Auto Scaling rejects an instance refresh with it"
                ),
                "wait for data, set the alarm to treat missing data as not breaching, or remove it",
            ),
            Some(AlarmState::InsufficientData) => Finding::warning(
                TOPIC,
                format!(
                    "the alarm `{name}` has insufficient data: the rollout waits for data before each step"
                ),
                "set how the alarm treats missing data",
            ),
            None => Finding::error(
                TOPIC,
                format!("the alarm `{name}` does not exist"),
                "correct `judge.alarms` in cutover.yaml, or create the alarm",
            ),
        };
        findings.push(finding.cli(format!("aws cloudwatch describe-alarms --alarm-names {name}")));
    }
    findings
}
