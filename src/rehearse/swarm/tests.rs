//! A few hundred seeds, always the same. In parts, so that several run at once.

use super::Verdict;

/// No promise is broken in any of these seeds.
fn hold(seeds: std::ops::Range<u64>) {
    let mut broken = Vec::new();
    for seed in seeds {
        let verdict = Verdict::of(seed).unwrap();
        for violation in verdict.violations() {
            broken.push(format!(
                "seed {seed}, {}: {}: {}\n  again: cutover lab swarm --seeds {seed}",
                violation.at, violation.promise, violation.what
            ));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
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
