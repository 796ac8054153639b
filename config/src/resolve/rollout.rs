//! Steps, rolling settings, smoke tests and judgment.

use std::time::Duration;

use super::checker::Checker;
use crate::document::{Document, JudgeSection, RollingSection};
use crate::settings::{Rolling, Smoke};
use crate::values;
use cutover_rollout::Step;
use cutover_rollout::judge::{ErrorLimit, Limits};
use cutover_rollout::model::Strategy;

/// CheckpointDelay and BakeTime are at most 172,800 s (API model).
const LONGEST_BAKE: Duration = Duration::from_secs(48 * 3600);

/// Returns the steps of the strategy. The sections of the other strategies are checked as well, so that
/// switching the strategy does not reveal old errors.
pub(super) fn steps(document: &Document, strategy: Strategy, check: &mut Checker<'_>) -> Vec<Step> {
    let blue_green = {
        let bake = document.blue_green.as_ref().and_then(|section| section.bake.as_ref());
        vec![Step { percent: 100, bake: check.duration(bake, minutes(5)) }]
    };
    let canary = {
        let section = document.canary.as_ref();
        if let Some(hold_at) = section.and_then(|section| section.hold_at.as_ref()) {
            check.unsupported(
                "hold_at",
                hold_at.place,
                "remove it; set a longer `bake`, and interrupt the run to stop the rollout",
            );
        }
        let bake = check.duration(section.and_then(|section| section.bake.as_ref()), minutes(5));
        let percents = section
            .and_then(|section| section.steps.as_ref())
            .map_or(vec![5, 25, 50, 100], |steps| check.ascending(steps, "steps"));
        percents.into_iter().map(|percent| Step { percent, bake }).collect()
    };
    let linear = {
        let section = document.linear.as_ref();
        let bake = check.duration(section.and_then(|section| section.every.as_ref()), minutes(2));
        let step: u8 = section
            .and_then(|section| section.step.as_ref())
            .and_then(|step| check.number(step, 1..=100, "a step"))
            .unwrap_or(10);
        let shares = (1..).map(|n: u16| (n * u16::from(step)).min(100) as u8);
        let mut steps = Vec::new();
        for percent in shares {
            steps.push(Step { percent, bake });
            if percent == 100 {
                break;
            }
        }
        steps
    };
    match strategy {
        Strategy::BlueGreen => blue_green,
        Strategy::Canary => canary,
        Strategy::Linear => linear,
        Strategy::Rolling => Vec::new(),
    }
}

pub(super) fn rolling(section: Option<&RollingSection>, check: &mut Checker<'_>) -> Rolling {
    let min = section.and_then(|section| section.min_healthy.as_ref());
    let max = section.and_then(|section| section.max_healthy.as_ref());
    let min_healthy: u8 =
        min.and_then(|at| check.number(at, 0..=100, "`min_healthy`")).unwrap_or(100);
    let max_healthy: u8 = max
        .and_then(|at| check.number(at, 100..=200, "`max_healthy`"))
        .unwrap_or((min_healthy + 100).min(150));
    if max_healthy - min_healthy > 100 {
        check.at(
            max.and_then(|at| at.place),
            format!("`max_healthy` is {} above `min_healthy`", max_healthy - min_healthy),
            "make it at most 100 above `min_healthy`: Auto Scaling rejects more",
        );
    }
    let bake_at = section.and_then(|section| section.bake.as_ref());
    let bake = check.duration(bake_at, minutes(5));
    if bake > LONGEST_BAKE {
        check.at(
            bake_at.and_then(|at| at.place),
            "an instance refresh can bake for at most 48 hours",
            "set a shorter time",
        );
    }
    let checkpoints = section
        .and_then(|section| section.checkpoints.as_ref())
        .map_or(Vec::new(), |list| check.ascending(list, "checkpoints"));
    Rolling { min_healthy, max_healthy, checkpoints, bake }
}

pub(super) fn smoke(document: &Document, single: bool, check: &mut Checker<'_>) -> Vec<Smoke> {
    let Some(section) = &document.smoke else { return Vec::new() };
    if single {
        check.unused_with_rolling(
            "smoke",
            section.place,
            "remove it: with one group, no rule can send requests to the new version only",
        );
    } else if document.traffic.as_ref().is_none_or(|traffic| traffic.value.test.is_none()) {
        check.key(
            "smoke",
            section.place,
            "`smoke` needs a test rule for the idle group",
            "add `traffic: { test: { header: { X-Cutover: next } } }`, and a listener rule that \
            forwards requests with this header to the idle group",
        );
    }
    let mut requests = Vec::new();
    for request in &section.value {
        let path = &request.path;
        if !path.value.starts_with('/') {
            check.at(
                path.place,
                format!("`{}` is not a path", path.value),
                format!("start it with `/`, as in `/{}`", path.value),
            );
        }
        let status = request
            .status
            .as_ref()
            .map_or(Some(200), |status| check.number(status, 100..=599, "a status"));
        let status = status.unwrap_or(200);
        requests.push(Smoke { path: path.value.clone(), status });
    }
    requests
}

pub(super) fn judge(
    section: Option<&JudgeSection>,
    single: bool,
    check: &mut Checker<'_>,
) -> Limits {
    let Some(section) = section else { return Limits::default() };
    let errors = section.errors_5xx.as_ref().map(|limit| {
        let max = limit.value.max.as_ref().map_or(Some(0.01), |max| {
            let share = values::share(&max.value);
            if share.is_none() {
                check.at(
                    max.place,
                    format!("`{}` is not a share", max.value),
                    "write a percentage from 0% to 100%, as in `1%` or `0.5%`",
                );
            }
            share
        });
        let min_requests =
            limit.value.min_requests.as_ref().map_or(Some(100), |min| {
                check.number(min, 1..=i64::from(u32::MAX), "`min_requests`")
            });
        ErrorLimit { share: max.unwrap_or(0.01), min_requests: min_requests.unwrap_or(100) }
    });
    let alarms = section.alarms.as_ref().map_or(&[][..], |alarms| {
        if single && alarms.value.len() > 10 {
            check.at(
                alarms.value[10].place,
                "an instance refresh supports at most 10 alarms",
                "combine some of them into a composite alarm",
            );
        }
        for alarm in &alarms.value {
            check.filled(alarm, "an alarm's name");
        }
        &alarms.value
    });
    Limits { errors, alarms: alarms.iter().map(|alarm| alarm.value.clone()).collect() }
}

pub(super) fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}
