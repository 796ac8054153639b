//! The fault sweep: a rollout is run once undisturbed and its calls counted; then again for each
//! call, with this one call denied, throttled, slow, or without its reply, or with the run killed
//! once it was sent. Every run must succeed or roll back, or end with traffic safe and a later run
//! that finishes the rollout.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_lab::faults::{CallFault, Fault};
use cutover_lab::scenario::Scenario;
use cutover_lab::transport::WatchEvent;

use super::demo::{BLUE_GREEN, CANARY, ROLLING};
use super::testcase::{RunReport, TestCase, TestCommand};
use cutover_rollout::model::Status;

/// The first run's sender name: only its calls are hit.
const SENDER: &str = "run-1";

/// Longer than any rollout: a run that takes this long hangs.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

/// A rollout to disturb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rollout {
    Canary,
    BlueGreen,
    Rolling,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallDisruption {
    /// AWS denies it.
    Refused,
    /// AWS throttles it.
    Throttled,
    /// It takes longer than a change may take.
    Slow,
    /// It takes effect, and the reply never comes.
    Lost,
    /// The run is killed once the call is on its way; another run follows.
    Kill,
}

impl CallDisruption {
    pub(super) const ALL: [CallDisruption; 5] = [
        CallDisruption::Refused,
        CallDisruption::Throttled,
        CallDisruption::Slow,
        CallDisruption::Lost,
        CallDisruption::Kill,
    ];

    fn fault(self) -> Option<Fault> {
        match self {
            CallDisruption::Refused => Some(Fault::Refused { code: None, status: None }),
            CallDisruption::Throttled => Some(Fault::Throttled),
            CallDisruption::Slow => Some(Fault::Slow { there: 4.0, back: 4.0 }),
            CallDisruption::Lost => Some(Fault::Lost { hang: false }),
            CallDisruption::Kill => None,
        }
    }
}

/// One run of the sweep.
#[derive(Debug, Clone, Copy)]
pub(super) struct SweepCase {
    pub(super) rollout: Rollout,
    pub(super) bad: bool,
    /// The number of the call, from 1.
    pub(super) call: u64,
    pub(super) way: CallDisruption,
}

/// What is wrong with how a case ended.
pub(super) struct Defect {
    case: SweepCase,
    /// The call, as `service:operation`.
    name: String,
    what: String,
    reported: Vec<RunReport>,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} ({}): {}", self.case, self.name, self.what)
    }
}

impl fmt::Debug for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{self}")?;
        self.reported.iter().try_for_each(|reported| writeln!(f, "--- run\n{reported}"))
    }
}

/// Returns the demo's rollout with fewer steps that bake for a minute: repeated observations add
/// cases without adding variety, and the run time grows with the square of the number of calls.
fn testcase(rollout: Rollout) -> TestCase {
    let (text, long, short, scenario) = match rollout {
        Rollout::Canary => {
            let (long, short) = ("[10, 50, 100], bake: 2m", "[50, 100], bake: 1m");
            (CANARY, long, short, Scenario::default())
        }
        Rollout::BlueGreen => (BLUE_GREEN, "bake: 5m", "bake: 1m", Scenario::default()),
        Rollout::Rolling => (ROLLING, "bake: 4m", "bake: 1m", Scenario::one_group()),
    };
    assert!(text.contains(long), "`{long}` in {text}");
    TestCase::of(&text.replace(long, short), &scenario, 1)
}

fn verb(bad: bool) -> TestCommand {
    if bad { TestCommand::DeployBad("v2") } else { TestCommand::Deploy("v2") }
}

/// Returns the names of the calls of an undisturbed run, in order.
pub(super) async fn calls(rollout: Rollout, bad: bool) -> Vec<String> {
    let mut testcase = testcase(rollout);
    let names = Arc::new(Mutex::new(Vec::new()));
    let seen = names.clone();
    testcase.lab.watch(move |_, moment| {
        if let WatchEvent::Call { sender: SENDER, service, operation, .. } = moment {
            seen.lock().unwrap().push(format!("{service}:{operation}"));
        }
    });
    let reported = testcase.run(verb(bad)).await;
    reported.ended(if bad { Status::RolledBack } else { Status::Succeeded });
    names.lock().unwrap().clone()
}

/// Runs a case; returns what is wrong with it, if anything.
pub(super) async fn defect(case: SweepCase) -> Option<Defect> {
    let mut testcase = testcase(case.rollout).with_checkers();
    let hit = Arc::new(Mutex::new(String::new()));
    let name = hit.clone();
    let (count, dead) = (AtomicU64::new(0), Arc::new(tokio::sync::Notify::new()));
    let dies = dead.clone();
    testcase.lab.watch(move |_, moment| {
        let (service, operation) = match moment {
            WatchEvent::Call { sender: SENDER, service, operation, .. } => (service, operation),
            _ => return,
        };
        if count.fetch_add(1, Ordering::Relaxed) + 1 == case.call {
            *name.lock().unwrap() = format!("{service}:{operation}");
            dies.notify_one();
        }
    });
    if let Some(fault) = case.way.fault() {
        let fault = CallFault::of("*", fault).from_sender(SENDER).nth(case.call);
        testcase.lab.world(|world| world.faults.add(fault));
    }
    let mut reported = Vec::new();
    let mut what = None;
    // If a run does not end the rollout, another one follows.
    for run in 0..3 {
        let verb = verb(case.bad);
        let ended = match case.way {
            CallDisruption::Kill if run == 0 => testcase.run_or_kill(verb, dead.notified()).await,
            _ => match tokio::time::timeout(LONGEST, Box::pin(testcase.run(verb))).await {
                Ok(ended) => ended,
                Err(_) => {
                    what = Some("the run did not end within four hours".to_owned());
                    break;
                }
            },
        };
        what = wrong(&case, &testcase, &ended);
        if let (None, Some(violation)) = (&what, testcase.violations().first()) {
            what = Some(format!("{violation:?}"));
        }
        let over = matches!(ended.ending(), Some(Status::Succeeded | Status::RolledBack));
        reported.push(ended);
        if over || what.is_some() {
            break;
        }
        if run == 2 {
            what = Some("three runs did not finish the rollout".to_owned());
        }
    }
    let name = hit.lock().unwrap().clone();
    what.map(|what| Defect { case, name, what, reported })
}

/// Returns what is wrong after a run, if anything.
fn wrong(case: &SweepCase, testcase: &TestCase, reported: &RunReport) -> Option<String> {
    let (now, before) = (testcase.truth(), &testcase.before);
    if !case.bad && now.failed > before.failed {
        return Some(format!("users received {} errors", now.failed - before.failed));
    }
    let same = now.weights == before.weights && now.groups == before.groups;
    match reported.ending() {
        Some(Status::Succeeded) if case.bad => Some("a bad image was rolled out".to_owned()),
        Some(Status::Succeeded) => success_defect(case, testcase, reported),
        Some(Status::RolledBack) if !case.bad && case.way != CallDisruption::Refused => {
            Some("a good image was rolled back".to_owned())
        }
        Some(Status::RolledBack | Status::Failed | Status::Refused) => {
            (!same).then(|| format!("not as before: {now:#?}\nbefore: {before:#?}"))
        }
        Some(Status::Superseded) => Some("superseded, although there was no other run".to_owned()),
        // Traffic was safe, or there would have been errors; the next run resumes.
        Some(Status::Stuck | Status::Interrupted) | None => None,
    }
}

/// Returns in what a success differs from the expected state.
fn success_defect(case: &SweepCase, testcase: &TestCase, reported: &RunReport) -> Option<String> {
    let now = testcase.truth();
    // The second version, if an earlier run created one that never received traffic.
    let Some(version) =
        reported.outcome.as_ref().and_then(|outcome| outcome.launch_template_version)
    else {
        return Some("the outcome of a success names no version".to_owned());
    };
    let (live, rest) = match case.rollout {
        Rollout::Rolling => ("news", None),
        Rollout::Canary | Rollout::BlueGreen => ("news-green", Some("news-blue")),
    };
    if now.users() != [(live, 100)] {
        return Some(format!("the weights are {:?}", now.users()));
    }
    if now.group(live) != (2, 4, version.to_string().as_str()) || now.groups[live].refreshed {
        return Some(format!("{live} is {:?}", now.groups[live]));
    }
    let old = &now.groups[rest?];
    (old.desired != 4 || old.scheduled != ["cutover-scale-in"])
        .then(|| format!("the old group is {old:?}"))
}

/// Returns all cases of a rollout: each call with each fault.
async fn cases(rollout: Rollout, bad: bool) -> Vec<SweepCase> {
    let calls = calls(rollout, bad).await.len() as u64;
    (1..=calls)
        .flat_map(|call| CallDisruption::ALL.map(|way| SweepCase { rollout, bad, call, way }))
        .collect()
}

/// Returns every `stride`th case, starting with `first`.
fn part(cases: &[SweepCase], first: usize, stride: usize) -> Vec<SweepCase> {
    cases.iter().skip(first).step_by(stride).copied().collect()
}

async fn defects(cases: &[SweepCase]) -> Vec<Defect> {
    let mut defects = Vec::new();
    for case in cases {
        defects.extend(Box::pin(defect(*case)).await);
    }
    defects
}

/// The least number of cases of each rollout in every test run.
const CASES: usize = 15;

/// The first of those cases: a prime, so that they aren't the calls that every observation begins
/// with.
const FIRST: usize = 13;

/// Returns the distance between those cases: evenly over the rollout, and without a factor in
/// common with the number of faults, so that the faults alternate.
fn stride(cases: usize) -> usize {
    let even = (cases.saturating_sub(FIRST) / CASES).max(1);
    if even > 1 && even.is_multiple_of(CallDisruption::ALL.len()) { even - 1 } else { even }
}

async fn strided(rollout: Rollout, bad: bool) {
    let all = cases(rollout, bad).await;
    let some = part(&all, FIRST, stride(all.len()));
    assert!(some.len() >= CASES, "{} of {} cases", some.len(), all.len());
    for way in CallDisruption::ALL {
        assert!(some.iter().any(|case| case.way == way), "no case has the fault {way:?}");
    }
    let defects = defects(&some).await;
    assert!(defects.is_empty(), "{} of {} cases: {defects:?}", defects.len(), some.len());
}

#[tokio::test(start_paused = true)]
async fn some_faults_in_a_canary_end_well() {
    strided(Rollout::Canary, false).await;
}

#[tokio::test(start_paused = true)]
async fn some_faults_in_a_bad_canary_end_well() {
    strided(Rollout::Canary, true).await;
}

#[tokio::test(start_paused = true)]
async fn some_faults_in_a_blue_green_end_well() {
    strided(Rollout::BlueGreen, false).await;
}

#[tokio::test(start_paused = true)]
async fn some_faults_in_a_bad_blue_green_end_well() {
    strided(Rollout::BlueGreen, true).await;
}

#[tokio::test(start_paused = true)]
async fn some_faults_in_a_rolling_update_end_well() {
    strided(Rollout::Rolling, false).await;
}

#[tokio::test(start_paused = true)]
async fn some_faults_in_a_bad_rolling_update_end_well() {
    strided(Rollout::Rolling, true).await;
}

/// Parses CUTOVER_SWEEP: canary, bad-canary, blue-green, bad-blue-green, rolling or bad-rolling,
/// with `:FIRST/STRIDE` for part of the pairs of a call and a fault.
fn wanted(text: &str) -> (Rollout, bool, usize, usize) {
    let (name, part) = text.split_once(':').unwrap_or((text, "0/1"));
    let (bad, name) = name.strip_prefix("bad-").map_or((false, name), |name| (true, name));
    let rollout = match name {
        "canary" => Rollout::Canary,
        "blue-green" => Rollout::BlueGreen,
        "rolling" => Rollout::Rolling,
        _ => panic!("CUTOVER_SWEEP={text}: there is no rollout `{name}`"),
    };
    let numbers = part.split_once('/').map(|(first, stride)| (first.parse(), stride.parse()));
    match numbers {
        Some((Ok(first), Ok(stride))) if stride > 0 => (rollout, bad, first, stride),
        _ => panic!("CUTOVER_SWEEP={text}: `{part}` is not FIRST/STRIDE"),
    }
}

#[test]
#[should_panic(expected = "there is no rollout `cannary`")]
fn an_unknown_sweep_is_rejected() {
    wanted("cannary:0/7");
}

/// Runs every call with every fault. It takes long, so it prints each defect when it finds it.
#[test]
#[ignore = "takes an hour; CONTRIBUTING.md says how to run it"]
#[allow(clippy::print_stdout)]
fn every_fault_in_every_call_ends_well() {
    let wanted = std::env::var("CUTOVER_SWEEP").unwrap_or_else(|_| "canary".to_owned());
    let (rollout, bad, first, stride) = self::wanted(&wanted);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let found = runtime.unwrap().block_on(Box::pin(async {
        let some = part(&cases(rollout, bad).await, first, stride);
        let mut found = 0;
        for (done, case) in some.iter().enumerate() {
            if let Some(defect) = Box::pin(defect(*case)).await {
                found += 1;
                println!("{defect:?}");
            }
            if (done + 1) % 100 == 0 || done + 1 == some.len() {
                println!("{wanted}: {} of {} cases, {found} ended badly", done + 1, some.len());
            }
        }
        found
    }));
    assert_eq!(found, 0, "cases ended badly; they are printed above");
}
