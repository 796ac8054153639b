//! Draws a test case from a seed.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_lab::scenario::{ConditionSpec, GroupSpec, RuleSpec, Scenario};

use super::case::{EarlyEnd, Run, SwarmCase};
use super::dice::Dice;
use super::faults;
use crate::rehearse::process::ProcessCommand;

/// Draws the test case of a seed.
pub fn draw(seed: u64) -> SwarmCase {
    let dice = &mut Dice::of(seed);
    let rolling = dice.chance(0.25);
    let mut scenario = fleet(dice, rolling);
    let configuration = configuration(dice, rolling, &scenario);
    let calm = dice.within(20, 70) * 60;
    let runs = runs(dice, calm);
    faults::add(dice, &mut scenario, calm);
    let propagation = Duration::from_secs(dice.within(1, 25));
    SwarmCase { seed, configuration, scenario, propagation, runs, calm }
}

fn fleet(dice: &mut Dice, rolling: bool) -> Scenario {
    let desired = dice.within(1, 6);
    let min = dice.within(1, desired);
    let max = desired + dice.within(1, 6);
    let grace = dice.one(&[60, 120, 300]);
    let group = |name: &str, min, desired| GroupSpec {
        name: name.to_owned(),
        min,
        max,
        desired,
        grace,
        scaling: None,
    };
    let mut scenario = if rolling {
        Scenario { groups: vec![group("news", min, desired)], ..Scenario::one_group() }
    } else {
        let groups = vec![group("news-blue", min, desired), group("news-green", 0, 0)];
        Scenario { groups, ..Scenario::default() }
    };
    if dice.chance(0.3) {
        scenario.zones = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
    }
    if dice.chance(0.25) {
        let forward = vec![(scenario.groups[0].name.clone(), 1)];
        let when = ConditionSpec::Path("/api/*".to_owned());
        scenario.rules.push(RuleSpec { priority: 5, when, forward });
    }
    scenario.requests_per_second = dice.one(&[5.0, 20.0, 50.0, 200.0]);
    // The program that runs at the start can be launched again: it boots well within the grace
    // period.
    let boot = dice.within(5, grace / 2).to_string();
    scenario.labels.insert("lab.boot-seconds".to_owned(), boot);
    scenario
}

/// Draws a `cutover.yaml` for the lab's site.
fn configuration(dice: &mut Dice, rolling: bool, scenario: &Scenario) -> String {
    let account = &scenario.account;
    let mut text = format!(
        "version: 1\nservice: news\nregion: ap-northeast-2\naccount: \"{account}\"\n\
         image:\n  files: [{{ from: site, to: /srv/www }}]\n  cmd: [/bin/serve, /srv/www]\n  \
         push: [{account}.dkr.ecr.ap-northeast-2.amazonaws.com/news]\n\
         template: {{ base: news, own: news, user_data: rewrite }}\n"
    );
    if rolling {
        let max = dice.one(&[110, 150, 200]);
        let bake = dice.within(0, 5);
        let checkpoints = dice.one(&["[100]", "[20, 100]", "[50, 100]"]);
        text += &format!(
            "fleet: {{ group: news, target_group: news }}\nstrategy: rolling\n\
             rolling: {{ min_healthy: 100, max_healthy: {max}, checkpoints: {checkpoints}, bake: {bake}m }}\n"
        );
    } else {
        text += "fleet:\n  blue: { group: news-blue, target_group: news-blue }\n  \
                 green: { group: news-green, target_group: news-green }\n\
                 traffic: { test: { header: { X-Cutover: next } } }\n";
        let bake = dice.within(0, 4);
        text += &match dice.within(0, 3) {
            0 => format!("strategy: blue-green\nblue_green: {{ bake: {bake}m }}\n"),
            1 => format!(
                "strategy: linear\nlinear: {{ step: {}, every: {bake}m }}\n",
                dice.one(&[25, 34, 50])
            ),
            _ => {
                let steps = dice.one(&["[10, 50, 100]", "[5, 25, 50, 100]", "[1, 100]"]);
                format!("strategy: canary\ncanary: {{ steps: {steps}, bake: {bake}m }}\n")
            }
        };
        if dice.chance(0.7) {
            text += "smoke: [{ path: /healthz }]\n";
        }
        let window = dice.within(1, 20);
        let scale_in = if dice.chance(0.85) { "scheduled" } else { "manual" };
        text += &format!("rollback_window: {window}m\nscale_in: {scale_in}\n");
    }
    if dice.chance(0.7) {
        text += "judge: { errors_5xx: { max: 2%, min_requests: 100 } }\n";
    }
    text
}

/// Draws one to three processes; later ones may start while earlier ones still run.
fn runs(dice: &mut Dice, calm: u64) -> Vec<Run> {
    let count = dice.one(&[1, 1, 2, 2, 3]);
    let mut runs: Vec<Run> = Vec::new();
    let mut version = 2;
    for n in 0..count {
        let begins = if n == 0 { dice.within(0, 30) } else { dice.within(10, calm * 3 / 4) };
        let verb = match runs.last().map(|run| &run.verb) {
            Some(_) if dice.chance(0.2) => ProcessCommand::Rollback,
            // The same again: a job that is rerun.
            Some(verb @ ProcessCommand::Deploy(_)) if dice.chance(0.4) => verb.clone(),
            _ => {
                let labels = labels(dice, version);
                version += 1;
                ProcessCommand::Deploy(labels)
            }
        };
        let skew = if dice.chance(0.3) { dice.within(0, 480) as i64 - 240 } else { 0 };
        runs.push(Run { begins, verb, skew, cut: cut(dice) });
    }
    runs.sort_by_key(|run| run.begins);
    runs
}

fn cut(dice: &mut Dice) -> Option<EarlyEnd> {
    match dice.within(0, 9) {
        0 | 1 => Some(EarlyEnd::Killed(dice.millis(100, 40 * 60_000))),
        // Few rollouts need more calls.
        2..=4 => Some(EarlyEnd::KilledAfterCall(dice.within(1, 1200), dice.millis(0, 300))),
        5 => Some(EarlyEnd::Interrupted(dice.millis(100, 30 * 60_000))),
        _ => None,
    }
}

/// Draws the labels of an image: one in four is broken somehow.
fn labels(dice: &mut Dice, version: u64) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut put = |name: &str, value: String| labels.insert(format!("lab.{name}"), value);
    put("version", format!("v{version}"));
    put("boot-seconds", dice.within(5, 90).to_string());
    match dice.within(0, 15) {
        0 => put("error-rate", "0.2".to_owned()),
        1 => put("health", "fail".to_owned()),
        2 => put("crash", dice.within(10, 600).to_string()),
        3 => put("boot-seconds", "900".to_owned()),
        _ => None,
    };
    labels
}
