//! The post step after a cancellation.

use super::SPEED;
use super::checks::*;
use super::support::lab::Lab;
use super::support::project::Project;
use super::support::runner::{Job, has_tools};
use super::support::wire::CuttableProxy;

fn canceled_and_rolled_back_by_the_post_step(moment: Moment) {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let job = Job::new(&lab, &project, RUN, 1).input("on-cancel", "roll-back");
    let mut step = job.start();
    step.until(moment);
    interrupted(&step.cancel());
    let post = job.post();
    post.exited(0);
    assert_eq!(post.annotations("error").len(), 0, "{}", post.text());
    assert_eq!(post.annotations("notice").len(), 1, "{}", post.text());
    assert!(post.files.summary.contains("rolled back"), "{}", post.files.summary);
    on_blue(&lab, &post);
    assert_eq!(job.clean_up(), 0, "processes are left: {}", post.text());
    next_attempt_succeeds_after_rollback(&lab, &project);
}

#[test]
fn canceled_before_any_traffic_and_rolled_back_by_the_post_step() {
    canceled_and_rolled_back_by_the_post_step(phase("healthy"));
}

#[test]
fn canceled_in_the_middle_of_a_shift_and_rolled_back_by_the_post_step() {
    canceled_and_rolled_back_by_the_post_step(weights(50, "set"));
}

#[test]
fn canceled_with_traffic_split_and_rolled_back_by_the_post_step() {
    canceled_and_rolled_back_by_the_post_step(phase("bake"));
}

#[test]
fn canceled_with_all_traffic_moved_and_rolled_back_by_the_post_step() {
    canceled_and_rolled_back_by_the_post_step(phase("settle"));
}

#[test]
fn a_post_step_that_is_killed_leaves_a_rollback_that_the_next_attempt_finishes() {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let job = Job::new(&lab, &project, RUN, 1).input("on-cancel", "roll-back");
    let mut step = job.start();
    step.until(phase("bake"));
    interrupted(&step.cancel());
    // The server allows five minutes for everything after a cancellation; then the worker is killed.
    let mut post = job.start_post();
    post.until(phase("undo"));
    let ended = post.kill_all();
    job.clean_up();
    served(&lab, &ended);
    next_attempt_finishes(&lab, &project);
}

#[test]
fn a_post_step_leaves_a_newer_run_alone() {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let job = Job::new(&lab, &project, RUN, 1).input("on-cancel", "roll-back");
    let mut step = job.start();
    step.until(phase("bake"));
    interrupted(&step.cancel());
    let newer = Job::new(&lab, &project, NEXT_RUN, 1);
    let mut newer_step = newer.start();
    newer_step.until(topic("start"));
    let post = job.post();
    post.exited(0);
    assert_eq!(post.annotations("notice").len(), 0, "{}", post.text());
    let ended = newer_step.ended();
    ended.exited(0);
    assert_eq!(ended.files.output("outcome"), "succeeded", "{}", ended.text());
    let weights = served(&lab, &ended)["weights"].clone();
    // Nor does it touch what the newer run has finished.
    let late = job.post();
    late.exited(0);
    assert_eq!(late.annotations("notice").len(), 0, "{}", late.text());
    assert_eq!(served(&lab, &late)["weights"], weights, "{}", late.text());
}

#[test]
fn a_post_step_where_nothing_answers_ends_when_it_is_canceled() {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let wire = CuttableProxy::to(&lab);
    let job = Job::new(&lab, &project, RUN, 1)
        .input("on-cancel", "roll-back")
        .environment(wire.environment());
    let mut step = job.start();
    step.until(phase("bake"));
    interrupted(&step.cancel());
    wire.cut();
    let post = job.start_post();
    wire.wait_for_lost_request();
    let post = post.cancel();
    assert!(!post.killed, "{}", post.text());
    post.exited(130);
    served(&lab, &post);
    next_attempt_finishes(&lab, &project);
}
