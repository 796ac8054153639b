//! A launcher that stalls or is killed, and a runner that is shut down.

use std::time::Duration;

use super::SPEED;
use super::checks::*;
use super::support::lab::Lab;
use super::support::project::Project;
use super::support::runner::{Job, has_tools};

/// Cancels a step whose launcher stalls for a time, or forever.
fn canceled_with_a_launcher_that_stalls(moment: Moment, time: Option<Duration>, on_cancel: &str) {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    // Long enough for traffic to still be split when the launcher continues.
    project.change("bake: 1m", "bake: 30m");
    let job = Job::new(&lab, &project, RUN, 1).input("on-cancel", on_cancel);
    let mut step = job.start();
    step.until(moment);
    step.stalls(time);
    let ended = step.cancel();
    match time {
        Some(_) => {
            assert!(!ended.killed, "{}", ended.text());
            ended.exited(130);
        }
        None => assert!(ended.killed, "{}", ended.text()),
    }
    served(&lab, &ended);
    // The binary of a launcher that was killed may still run while the post step does.
    let post = job.post();
    post.exited(0);
    assert_eq!(post.annotations("error").len(), 0, "{}", post.text());
    job.clean_up();
    project.change("bake: 30m", "bake: 1m");
    if on_cancel == "roll-back" {
        on_blue(&lab, &post);
        next_attempt_succeeds_after_rollback(&lab, &project);
    } else {
        served(&lab, &post);
        next_attempt_finishes(&lab, &project);
    }
}

#[test]
fn canceled_with_a_launcher_that_forwards_four_seconds_late() {
    let late = Some(Duration::from_secs(4));
    canceled_with_a_launcher_that_stalls(weights(50, "set"), late, "leave");
}

#[test]
fn canceled_with_a_launcher_that_forwards_both_signals_at_once() {
    let late = Some(Duration::from_millis(8500));
    canceled_with_a_launcher_that_stalls(phase("bake"), late, "leave");
}

#[test]
fn canceled_with_a_launcher_that_forwards_both_signals_at_once_and_rolled_back() {
    let late = Some(Duration::from_millis(8500));
    canceled_with_a_launcher_that_stalls(phase("bake"), late, "roll-back");
}

#[test]
fn canceled_with_a_launcher_that_forwards_nothing() {
    canceled_with_a_launcher_that_stalls(phase("bake"), None, "leave");
}

#[test]
fn canceled_with_a_launcher_that_forwards_nothing_and_rolled_back() {
    canceled_with_a_launcher_that_stalls(weights(50, "verified"), None, "roll-back");
}

#[test]
fn canceled_in_a_container_with_a_launcher_that_forwards_nothing() {
    if !has_tools() {
        return;
    }
    for moment in [weights(50, "set"), topic("refresh")] {
        let (lab, project) = (Lab::serve(SPEED), Project::quick());
        let job = Job::new(&lab, &project, RUN, 1);
        let mut step = job.start();
        step.until(moment);
        step.stalls(None);
        let ended = step.kill_all();
        served(&lab, &ended);
        kept_outcome(&job);
        next_attempt_finishes(&lab, &project);
    }
}

/// As `act` cancels: the entry process is killed, and its session's terminal hangs up.
#[test]
fn a_launcher_killed_on_a_terminal_lets_the_rollout_end_safely() {
    if !has_tools() {
        return;
    }
    for moment in [weights(50, "set"), phase("bake"), topic("refresh")] {
        let (lab, project) = (Lab::serve(SPEED), Project::quick());
        let job = Job::new(&lab, &project, RUN, 1);
        let mut step = job.start_on_a_terminal();
        step.until(moment);
        let ended = step.kill();
        job.is_left_alone();
        let main = job.main();
        assert_eq!(main.output("outcome"), "interrupted", "{}", ended.text());
        assert_eq!(main.saved("outcome"), "interrupted");
        assert!(main.summary.contains("interrupted"), "{}", main.summary);
        served(&lab, &ended);
        kept_outcome(&job);
        next_attempt_finishes(&lab, &project);
    }
}

#[test]
fn a_launcher_killed_on_a_terminal_and_a_post_step_that_rolls_back_at_once() {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let job = Job::new(&lab, &project, RUN, 1).input("on-cancel", "roll-back");
    let mut step = job.start_on_a_terminal();
    step.until(phase("bake"));
    step.kill();
    // The binary may still be saving its record.
    let post = job.post();
    post.exited(0);
    job.is_left_alone();
    on_blue(&lab, &post);
    next_attempt_succeeds_after_rollback(&lab, &project);
}

/// As GitHub's runner ends a launcher that does not end by itself: the entry process alone, without a terminal.
#[test]
fn a_launcher_killed_without_a_terminal_lets_the_rollout_end_safely() {
    if !has_tools() {
        return;
    }
    for moment in [phase("healthy"), phase("bake")] {
        let (lab, project) = (Lab::serve(SPEED), Project::quick());
        let job = Job::new(&lab, &project, RUN, 1);
        let mut step = job.start();
        step.until(moment);
        let ended = step.kill();
        assert_eq!(ended.code, None);
        job.is_left_alone();
        let main = job.main();
        assert_eq!(main.output("outcome"), "interrupted", "{}", main.summary);
        assert_eq!(main.saved("outcome"), "interrupted");
        served(&lab, &ended);
        kept_outcome(&job);
        next_attempt_finishes(&lab, &project);
    }
}

/// A runner that is shut down evaluates no condition, and so runs no post step (`StepsRunner.cs`).
#[test]
fn a_runner_that_is_shut_down_runs_no_post_step_and_the_next_attempt_continues() {
    if !has_tools() {
        return;
    }
    for (moment, is_graceful) in
        [(weights(50, "set"), true), (phase("bake"), false), (weights(100, "set"), false)]
    {
        let (lab, project) = (Lab::serve(SPEED), Project::quick());
        let job = Job::new(&lab, &project, RUN, 1).input("on-cancel", "roll-back");
        let mut step = job.start();
        step.until(moment);
        let ended = if is_graceful { step.cancel() } else { step.kill_all() };
        job.clean_up();
        served(&lab, &ended);
        next_attempt_finishes(&lab, &project);
    }
}
