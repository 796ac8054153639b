//! A few hundred seeds, always the same. In parts, so that several run at once.

use cutover_lab::faults::{EventKind, ScheduledEvent};
use cutover_lab::traffic::NO_VERSION;
use cutover_lab::world::later;
use jiff::Timestamp;

use super::runner::baseline_totals;
use super::{Verdict, draw};
use crate::rehearse::demo::START;

/// Asserts that no promise is broken in any of these seeds.
fn hold(seeds: std::ops::Range<u64>) {
    let mut broken = Vec::new();
    for seed in seeds {
        let verdict = Verdict::of(seed).unwrap();
        for violation in verdict.violations() {
            broken.push(format!(
                "seed {seed}, {}: {}: {}\n  reproduce: cutover lab swarm --seeds {seed}",
                violation.at, violation.promise, violation.what
            ));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// What is not counted with a deployer is not counted without one.
#[test]
fn excused_windows_apply_to_the_baseline_too() {
    let mut case = draw(0);
    let lost = |zone: &String| ScheduledEvent::at(300, EventKind::ZoneLost { zone: zone.clone() });
    case.scenario.events = case.scenario.zones.iter().map(lost).collect();
    let start: Timestamp = START.parse().unwrap();
    let at = |seconds| later(start, std::time::Duration::from_secs(seconds));
    let failed = |uncounted: &[_]| baseline_totals(&case, at(900), uncounted)[NO_VERSION].failed;
    let all = failed(&[]);
    assert!(all > 0);
    assert_eq!(failed(&[(at(300), at(900))]), 0);
    let half = failed(&[(at(300), at(600))]);
    assert!(0 < half && half < all, "{half} of {all}");
}

#[test]
fn seeds_0_to_24_hold() {
    hold(0..25);
}

#[test]
fn seeds_25_to_49_hold() {
    hold(25..50);
}

#[test]
fn seeds_50_to_74_hold() {
    hold(50..75);
}

#[test]
fn seeds_75_to_99_hold() {
    hold(75..100);
}

#[test]
fn seeds_100_to_124_hold() {
    hold(100..125);
}

#[test]
fn seeds_125_to_149_hold() {
    hold(125..150);
}

#[test]
fn seeds_150_to_174_hold() {
    hold(150..175);
}

#[test]
fn seeds_175_to_199_hold() {
    hold(175..200);
}
