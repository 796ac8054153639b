//! The moments at which a job is canceled, read from its log, and what must hold afterward.

use serde_json::{Value, json};

use super::support::lab::Lab;
use super::support::project::Project;
use super::support::runner::{Ended, Job};
use super::support::truth;

/// The ID and number of the workflow run that is canceled.
pub(crate) const RUN: u32 = 1000;

/// The ID and number of the next run of that workflow.
pub(crate) const NEXT_RUN: u32 = 1001;

/// Whether a line of the log is the awaited one.
pub(crate) type Moment = Box<dyn Fn(&str) -> bool>;

/// Matches the first line of a topic: `+00:12  topic     text`.
pub(crate) fn topic(name: &'static str) -> Moment {
    Box::new(move |line| {
        let mut words = line.split_whitespace();
        words.next().is_some_and(|time| time.starts_with('+')) && words.next() == Some(name)
    })
}

/// Matches the title of a phase's log group.
pub(crate) fn phase(name: &'static str) -> Moment {
    Box::new(move |line| {
        let title = line.strip_prefix("::group::").unwrap_or_default();
        title.split_whitespace().nth(1).and_then(|word| word.strip_suffix(':')) == Some(name)
    })
}

/// Matches weights that were `set` or `verified`.
pub(crate) fn weights(green: u8, state: &'static str) -> Moment {
    let is_traffic = topic("traffic");
    Box::new(move |line| {
        is_traffic(line) && line.contains(&format!("green {green}% ")) && line.ends_with(state)
    })
}

/// Checks what a canceled step leaves if it was given enough time: exit code, annotation, outputs,
/// state and summary.
pub(crate) fn interrupted(ended: &Ended) {
    ended.exited(130);
    assert!(!ended.killed, "{}", ended.text());
    let [.., last] = ended.annotations("warning")[..] else { panic!("{}", ended.text()) };
    assert!(last.starts_with("::warning title=cutover%3A interrupted::"), "{last}");
    assert_eq!(ended.files.output("outcome"), "interrupted", "{}", ended.text());
    assert_eq!(ended.files.saved("outcome"), "interrupted");
    assert!(ended.files.summary.contains("interrupted"), "{}", ended.files.summary);
}

/// Checks that users received no error; returns the account's state.
pub(crate) fn served(lab: &Lab, after: &Ended) -> Value {
    let truth = truth::of(lab);
    assert_eq!(truth["errors"], 0.0, "users received errors: {}", after.text());
    let weights = truth["weights"].as_object().unwrap();
    let total: i64 = weights.values().filter_map(Value::as_i64).sum();
    assert!((99..=100).contains(&total), "{truth}");
    truth
}

/// Checks that the post step changes nothing, and returns whether it reported an unfinished rollout.
pub(crate) fn kept_outcome(job: &Job<'_>) -> bool {
    let post = job.post();
    post.exited(0);
    assert_eq!(post.annotations("error").len(), 0, "{}", post.text());
    for annotation in post.annotations("warning") {
        assert!(annotation.contains("unfinished"), "{annotation}");
    }
    assert!(post.annotations("warning").len() <= 1, "{}", post.text());
    post.annotations("warning").len() == 1
}

/// Checks that all traffic is on the version that the first attempt created.
pub(crate) fn on_green(lab: &Lab, ended: &Ended) {
    on_green_with(lab, ended, &[2, 1]);
}

/// Checks that all traffic is on the newest of these versions.
pub(crate) fn on_green_with(lab: &Lab, ended: &Ended, versions: &[u64]) {
    ended.exited(0);
    assert_eq!(ended.files.output("outcome"), "succeeded", "{}", ended.text());
    let newest = versions[0].to_string();
    assert_eq!(ended.files.output("launch-template-version"), newest, "{}", ended.text());
    assert_eq!(ended.files.output("shares"), r#"{"blue":0,"green":100}"#);
    let truth = served(lab, ended);
    assert_eq!(truth["versions"], json!(versions), "a version is created once: {}", ended.text());
    assert_eq!(truth["weights"], json!({ "news-blue": 0, "news-green": 100 }), "{}", ended.text());
    assert_eq!(truth["groups"]["news-green"][2], newest.as_str(), "{truth}");
}

/// Checks that all traffic is on the previous version, in a group as it was.
pub(crate) fn on_blue(lab: &Lab, ended: &Ended) {
    let truth = served(lab, ended);
    assert_eq!(truth["weights"]["news-blue"], 100, "{truth}\n{}", ended.text());
    assert_eq!(truth["groups"]["news-blue"], json!([2, 4, "1"]), "{}", ended.text());
}

/// Checks that the next attempt of the same run finishes the same rollout.
pub(crate) fn next_attempt_finishes(lab: &Lab, project: &Project) {
    on_green(lab, &Job::new(lab, project, RUN, 2).run());
}

/// Checks that after a finished rollback the next attempt is a rollout of its own, with a version of its own.
pub(crate) fn next_attempt_succeeds_after_rollback(lab: &Lab, project: &Project) {
    on_green_with(lab, &Job::new(lab, project, RUN, 2).run(), &[3, 2, 1]);
}
