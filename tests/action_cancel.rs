//! A canceled job, at any moment: traffic is served without an error, the next run continues, and the post step
//! rolls back if that is configured. The runner's part is played with its signals and its timing; `act`, which runs the
//! other workflow tests, cancels differently. On Linux only: a job's processes are found in /proc.

#![cfg(target_os = "linux")]
// Clippy's exemptions for tests do not cover the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support {
    pub(crate) mod lab;
    pub(crate) mod project;
    pub(crate) mod runner;
    pub(crate) mod truth;
    pub(crate) mod venv;
    pub(crate) mod wire;
}

mod cancel {
    pub(crate) mod checks;
    pub(crate) mod killed;
    pub(crate) mod post;

    use super::{SPEED, support};
}

use std::thread;
use std::time::Duration;

use cancel::checks::*;
use cutover_lab::services::github::GITHUB_TOKEN;
use serde_json::json;
use support::lab::Lab;
use support::project::Project;
use support::runner::{Job, has_tools};
use support::wire::CuttableProxy;

const SPEED: u32 = 60;

#[test]
fn a_job_canceled_in_every_phase_is_finished_by_further_attempts() {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let moments = [
        topic("start"),
        topic("template"),
        topic("refresh"),
        phase("add-to-rules"),
        phase("healthy"),
        phase("smoke-test"),
        weights(50, "set"),
        weights(50, "verified"),
        phase("bake"),
        weights(100, "set"),
        phase("settle"),
        phase("verify"),
        phase("schedule-scale-in"),
    ];
    let mut cancels = 0;
    for moment in moments {
        let job = Job::new(&lab, &project, RUN, cancels + 1);
        let mut step = job.start();
        // A run that resumes need not pass a phase again.
        if step.reaches(moment).is_none() {
            step.ended().exited(0);
            break;
        }
        cancels += 1;
        let ended = step.cancel();
        interrupted(&ended);
        kept_outcome(&job);
        assert_eq!(job.clean_up(), 0, "processes are left: {}", ended.text());
        served(&lab, &ended);
    }
    assert!(cancels >= 10, "canceled only {cancels} times");
    on_green(&lab, &Job::new(&lab, &project, RUN, cancels + 1).run());
}

fn canceled_and_taken_over_by_a_new_run(moment: Moment) {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let job = Job::new(&lab, &project, RUN, 1);
    let mut step = job.start();
    step.until(moment);
    let ended = step.cancel();
    interrupted(&ended);
    kept_outcome(&job);
    served(&lab, &ended);
    let next = Job::new(&lab, &project, NEXT_RUN, 1).run();
    next.exited(0);
    assert_eq!(next.files.output("outcome"), "succeeded", "{}", next.text());
    let truth = served(&lab, &next);
    let versions = truth["versions"].as_array().unwrap().len();
    assert!(versions <= 3, "one version for each run at the most: {truth}");
    let (live, share) = match truth["weights"]["news-green"].as_i64() {
        Some(100) => ("green", 100),
        other => ("blue", 100 - other.unwrap_or_default()),
    };
    assert_eq!(share, 100, "traffic is split: {truth}");
    let version = next.files.output("launch-template-version");
    assert_eq!(truth["groups"][format!("news-{live}")][2], version, "{truth}");
}

#[test]
fn canceled_during_a_refresh_and_taken_over_by_a_new_run() {
    canceled_and_taken_over_by_a_new_run(topic("refresh"));
}

#[test]
fn canceled_in_the_middle_of_a_shift_and_taken_over_by_a_new_run() {
    canceled_and_taken_over_by_a_new_run(weights(50, "set"));
}

#[test]
fn canceled_with_all_traffic_moved_and_taken_over_by_a_new_run() {
    canceled_and_taken_over_by_a_new_run(phase("settle"));
}

/// The launcher's first seconds: node has no signal handler yet, or the binary has not started or
/// does not listen yet.
#[test]
fn canceled_before_the_binary_can_listen() {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    for (attempt, time) in [0, 20, 40, 60, 80, 100, 150, 200, 400].into_iter().enumerate() {
        let job = Job::new(&lab, &project, RUN, attempt as u32 + 1);
        let step = job.start();
        thread::sleep(Duration::from_millis(time));
        let ended = step.cancel();
        assert!(!ended.killed, "{}", ended.text());
        assert!(matches!(ended.code, None | Some(130)), "{:?} {}", ended.code, ended.text());
        kept_outcome(&job);
        assert_eq!(job.clean_up(), 0, "processes are left after {time} ms: {}", ended.text());
    }
    next_attempt_finishes(&lab, &project);
}

#[test]
fn a_hangup_ends_a_step_like_a_cancellation() {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let job = Job::new(&lab, &project, RUN, 1);
    let mut step = job.start();
    step.until(phase("bake"));
    step.signal("HUP");
    interrupted(&step.ended());
    assert!(kept_outcome(&job), "the post step reports the unfinished rollout");
    next_attempt_finishes(&lab, &project);
}

/// Cancels a step when nothing answers any more: it ends before it is killed, whatever it was
/// waiting for, and has written what the runner reads.
fn canceled_where_nothing_answers(token: &str) {
    if !has_tools() {
        return;
    }
    for moment in [weights(50, "set"), phase("bake"), topic("refresh"), topic("start")] {
        let (lab, project) = (Lab::serve(SPEED), Project::quick());
        let wire = CuttableProxy::to(&lab);
        let aws = wire.environment();
        let github = format!("{}/api/v3", aws[0].1);
        let job = Job::new(&lab, &project, RUN, 1)
            .input("github-token", token)
            .input("environment", "production")
            .environment(aws)
            .environment([("GITHUB_API_URL".to_owned(), github)]);
        let mut step = job.start();
        step.until(moment);
        wire.cut();
        wire.wait_for_lost_request();
        let ended = step.cancel();
        interrupted(&ended);
        served(&lab, &ended);
        assert_eq!(job.clean_up(), 0, "processes are left: {}", ended.text());
        next_attempt_finishes(&lab, &project);
    }
}

#[test]
fn canceled_where_aws_does_not_answer() {
    canceled_where_nothing_answers("");
}

#[test]
fn canceled_where_neither_aws_nor_github_answers() {
    canceled_where_nothing_answers(GITHUB_TOKEN);
}

#[test]
fn the_github_deployment_of_a_canceled_job_fails() {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let job = |attempt| {
        Job::new(&lab, &project, RUN, attempt)
            .input("github-token", GITHUB_TOKEN)
            .input("environment", "production")
    };
    let first = job(1);
    let mut step = first.start();
    step.until(phase("bake"));
    interrupted(&step.cancel());
    assert_eq!(states(&lab), [["in_progress", "failure"]], "first and last");
    kept_outcome(&first);
    on_green(&lab, &job(2).run());
    assert_eq!(states(&lab), [["in_progress", "success"]], "the same deployment");
}

/// Returns the first and the last state of each GitHub deployment.
fn states(lab: &Lab) -> Vec<[String; 2]> {
    let states = lab.boto(&format!(
        "import urllib.request\n\
         def get(path):\n\
        \x20   request = urllib.request.Request('{}/api/v3/repos/acme/news' + path,\n\
        \x20       headers={{'Authorization': 'Bearer {GITHUB_TOKEN}'}})\n\
        \x20   return json.load(urllib.request.urlopen(request))\n\
         statuses = [get('/deployments/%d/statuses' % d['id']) for d in get('/deployments')]\n\
         result = [[of[-1]['state'], of[0]['state']] for of in statuses]\n",
        lab.url()
    ));
    serde_json::from_value(states).unwrap()
}

#[test]
fn a_rollback_that_was_canceled_is_finished_by_its_next_attempt() {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    let first = Job::new(&lab, &project, RUN, 1);
    let mut step = first.start();
    step.until(phase("bake"));
    interrupted(&step.cancel());
    kept_outcome(&first);
    let back = |attempt| Job::new(&lab, &project, NEXT_RUN, attempt).input("command", "rollback");
    let canceled = back(1);
    let mut step = canceled.start();
    step.until(phase("undo"));
    interrupted(&step.cancel());
    kept_outcome(&canceled);
    let ended = back(2).run();
    ended.exited(0);
    assert_eq!(ended.files.output("outcome"), "rolled_back", "{}", ended.text());
    on_blue(&lab, &ended);
}

/// Without a rollout there is nothing to report or to roll back.
#[test]
fn a_canceled_push_or_build_leaves_nothing_to_the_post_step() {
    if !has_tools() {
        return;
    }
    let (lab, project) = (Lab::serve(SPEED), Project::quick());
    project.add_incompressible_file(48 << 20);
    for command in ["push", "build"] {
        let job = Job::new(&lab, &project, RUN, 1).input("command", command);
        let mut step = job.start();
        // The launcher's own line: the binary starts now.
        step.until(|line| line.starts_with("cutover "));
        thread::sleep(Duration::from_millis(300));
        let ended = step.cancel();
        assert!(!ended.killed, "{}", ended.text());
        // The machine may be fast enough to finish first.
        assert!(matches!(ended.code, Some(0 | 130)), "{:?} {}", ended.code, ended.text());
        let post = job.post();
        post.exited(0);
        assert_eq!(post.text(), "", "nothing is left to do");
        assert_eq!(job.clean_up(), 0, "processes are left: {}", ended.text());
        assert_eq!(served(&lab, &ended)["versions"], json!([1]));
    }
    next_attempt_finishes(&lab, &project);
}
