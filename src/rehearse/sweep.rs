//! The every-call sweep: a rollout is run once undisturbed and its calls counted; then again for each
//! call, with this one call refused, throttled, slow, or without its reply, or with the run dead once it
//! was sent. All must end well: succeeded or taken back, or ended with traffic safe and a next run that
//! brings it to its end.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_lab::doors::Moment;
use cutover_lab::faults::{CallFault, Fault};
use cutover_lab::scenario::Scenario;

use super::demo::{BLUE_GREEN, CANARY, ROLLING};
use super::story::{Story, Told, Verb};
use crate::model::Ending;

/// The name of the first run's door: only its calls are hit.
const SENDER: &str = "run-1";

/// Longer than any rollout: what takes longer hangs.
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
pub(super) enum Way {
    /// AWS says that this may not be done.
    Refused,
    /// AWS asks for patience.
    Throttled,
    /// It takes longer than a change may take.
    Slow,
    /// It has its effect, and the reply never comes.
    Lost,
    /// The run dies once it is on its way; another one follows.
    Kill,
}

impl Way {
    pub(super) const ALL: [Way; 5] =
        [Way::Refused, Way::Throttled, Way::Slow, Way::Lost, Way::Kill];

    fn fault(self) -> Option<Fault> {
        match self {
            Way::Refused => Some(Fault::Refused { code: None, status: None }),
            Way::Throttled => Some(Fault::Throttled),
            Way::Slow => Some(Fault::Slow { there: 4.0, back: 4.0 }),
            Way::Lost => Some(Fault::Lost { hang: false }),
            Way::Kill => None,
        }
    }
}

/// One run of the sweep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) rollout: Rollout,
    pub(super) bad: bool,
    /// The number of the call, from 1.
    pub(super) call: u64,
    pub(super) way: Way,
}

/// What is wrong with how a case ended.
pub(super) struct Defect {
    case: Case,
    /// What the call was.
    name: String,
    what: String,
    told: Vec<Told>,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} ({}): {}", self.case, self.name, self.what)
    }
}

impl fmt::Debug for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{self}")?;
        self.told.iter().try_for_each(|told| writeln!(f, "--- run\n{told}"))
    }
}

/// The demo's rollouts, in fewer steps that are watched for a minute: a look more of the same is a look
/// less at something else, and the cases' time grows with the square of the calls.
fn story(rollout: Rollout) -> Story {
    let (text, long, short, scenario) = match rollout {
        Rollout::Canary => {
            let (long, short) = ("[10, 50, 100], bake: 2m", "[50, 100], bake: 1m");
            (CANARY, long, short, Scenario::default())
        }
        Rollout::BlueGreen => (BLUE_GREEN, "bake: 5m", "bake: 1m", Scenario::default()),
        Rollout::Rolling => (ROLLING, "bake: 4m", "bake: 1m", Scenario::one_group()),
    };
    assert!(text.contains(long), "`{long}` in {text}");
    Story::of(&text.replace(long, short), &scenario, 1)
}

fn verb(bad: bool) -> Verb {
    if bad { Verb::DeployBad("v2") } else { Verb::Deploy("v2") }
}

/// The names of the calls of an undisturbed run, in their order.
pub(super) async fn calls(rollout: Rollout, bad: bool) -> Vec<String> {
    let mut story = story(rollout);
    let names = Arc::new(Mutex::new(Vec::new()));
    let seen = names.clone();
    story.lab.watch(move |_, moment| {
        if let Moment::Call { sender: SENDER, service, operation, .. } = moment {
            seen.lock().unwrap().push(format!("{service}:{operation}"));
        }
    });
    let told = story.run(verb(bad)).await;
    told.ended(if bad { Ending::RolledBack } else { Ending::Succeeded });
    names.lock().unwrap().clone()
}

/// Runs a case; gives what is wrong with it, if anything is.
pub(super) async fn defect(case: Case) -> Option<Defect> {
    let mut story = story(case.rollout).checked();
    let hit = Arc::new(Mutex::new(String::new()));
    let name = hit.clone();
    let (count, dead) = (AtomicU64::new(0), Arc::new(tokio::sync::Notify::new()));
    let dies = dead.clone();
    story.lab.watch(move |_, moment| {
        let (service, operation) = match moment {
            Moment::Call { sender: SENDER, service, operation, .. } => (service, operation),
            _ => return,
        };
        if count.fetch_add(1, Ordering::Relaxed) + 1 == case.call {
            *name.lock().unwrap() = format!("{service}:{operation}");
            dies.notify_one();
        }
    });
    if let Some(fault) = case.way.fault() {
        let fault = CallFault::of("*", fault).of_sender(SENDER).nth(case.call);
        story.lab.world(|world| world.faults.add(fault));
    }
    let mut told = Vec::new();
    let mut what = None;
    // A run that ended without an end of the rollout is followed by another one.
    for run in 0..3 {
        let verb = verb(case.bad);
        let ended = match case.way {
            Way::Kill if run == 0 => story.run_or(verb, dead.notified()).await,
            _ => match tokio::time::timeout(LONGEST, Box::pin(story.run(verb))).await {
                Ok(ended) => ended,
                Err(_) => {
                    what = Some("no end within four hours".to_owned());
                    break;
                }
            },
        };
        what = wrong(&case, &story, &ended);
        if let (None, Some(violation)) = (&what, story.violations().first()) {
            what = Some(format!("{violation:?}"));
        }
        let over = matches!(ended.ending(), Some(Ending::Succeeded | Ending::RolledBack));
        told.push(ended);
        if over || what.is_some() {
            break;
        }
        if run == 2 {
            what = Some("three runs brought it to no end".to_owned());
        }
    }
    let name = hit.lock().unwrap().clone();
    what.map(|what| Defect { case, name, what, told })
}

/// What must not be at the end of any run.
fn wrong(case: &Case, story: &Story, told: &Told) -> Option<String> {
    let (now, before) = (story.truth(), &story.before);
    if !case.bad && now.failed > before.failed {
        return Some(format!("users saw {} errors", now.failed - before.failed));
    }
    let same = now.weights == before.weights && now.groups == before.groups;
    match told.ending() {
        Some(Ending::Succeeded) if case.bad => Some("a bad image was let through".to_owned()),
        Some(Ending::Succeeded) => not_promoted(case, story, told),
        Some(Ending::RolledBack) if !case.bad && case.way != Way::Refused => {
            Some("a good image was taken back".to_owned())
        }
        Some(Ending::RolledBack | Ending::Failed | Ending::Refused) => {
            (!same).then(|| format!("not as before: {now:#?}\nbefore: {before:#?}"))
        }
        Some(Ending::Superseded) => Some("superseded, with nobody else there".to_owned()),
        // Traffic was safe, as the errors above tell; the next run goes on.
        Some(Ending::Stuck | Ending::Interrupted) | None => None,
    }
}

/// What a success left otherwise than it should be.
fn not_promoted(case: &Case, story: &Story, told: &Told) -> Option<String> {
    let now = story.truth();
    // The second one where a run before made one that never got traffic.
    let Some(version) = told.outcome.as_ref().and_then(|outcome| outcome.launch_template_version)
    else {
        return Some("a success names no version".to_owned());
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
    (old.desired != 4 || old.scheduled != ["cutover-retire"])
        .then(|| format!("the old group is {old:?}"))
}

/// All cases of a rollout: each call in each way.
async fn cases(rollout: Rollout, bad: bool) -> Vec<Case> {
    let calls = calls(rollout, bad).await.len() as u64;
    (1..=calls).flat_map(|call| Way::ALL.map(|way| Case { rollout, bad, call, way })).collect()
}

/// Every `stride`th of them from `first` on.
fn part(cases: &[Case], first: usize, stride: usize) -> Vec<Case> {
    cases.iter().skip(first).step_by(stride).copied().collect()
}

async fn defects(cases: &[Case]) -> Vec<Defect> {
    let mut defects = Vec::new();
    for case in cases {
        defects.extend(Box::pin(defect(*case)).await);
    }
    defects
}

/// How many cases of a rollout every test run makes, at the least.
const CASES: usize = 15;

/// Where they begin: a prime, so that they are not the calls that every look begins with.
const FIRST: usize = 13;

/// How far apart they are: evenly over the rollout, and without a factor in common with the number of
/// ways, so that those take turns.
fn stride(cases: usize) -> usize {
    let even = (cases.saturating_sub(FIRST) / CASES).max(1);
    if even > 1 && even.is_multiple_of(Way::ALL.len()) { even - 1 } else { even }
}

async fn strided(rollout: Rollout, bad: bool) {
    let all = cases(rollout, bad).await;
    let some = part(&all, FIRST, stride(all.len()));
    assert!(some.len() >= CASES, "{} of {} cases", some.len(), all.len());
    for way in Way::ALL {
        assert!(some.iter().any(|case| case.way == way), "{way:?} does not come");
    }
    let defects = defects(&some).await;
    assert!(defects.is_empty(), "{} of {} cases: {defects:?}", defects.len(), some.len());
}

#[tokio::test(start_paused = true)]
async fn some_calls_of_a_canary() {
    strided(Rollout::Canary, false).await;
}

#[tokio::test(start_paused = true)]
async fn some_calls_of_a_bad_canary() {
    strided(Rollout::Canary, true).await;
}

#[tokio::test(start_paused = true)]
async fn some_calls_of_a_blue_green() {
    strided(Rollout::BlueGreen, false).await;
}

#[tokio::test(start_paused = true)]
async fn some_calls_of_a_bad_blue_green() {
    strided(Rollout::BlueGreen, true).await;
}

#[tokio::test(start_paused = true)]
async fn some_calls_of_a_rolling_update() {
    strided(Rollout::Rolling, false).await;
}

#[tokio::test(start_paused = true)]
async fn some_calls_of_a_bad_rolling_update() {
    strided(Rollout::Rolling, true).await;
}

/// What CUTOVER_SWEEP asks for: canary, bad-canary, blue-green, bad-blue-green, rolling or bad-rolling,
/// with `:FIRST/STRIDE` for a part of the pairs of a call and a way.
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
fn a_misspelt_sweep_is_not_taken_for_another() {
    wanted("cannary:0/7");
}

/// Every call in every way. Takes long, so it says what it finds when it finds it.
#[test]
#[ignore = "takes an hour; CONTRIBUTING.md says how to run it"]
#[allow(clippy::print_stdout)]
fn every_call_in_every_way() {
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
    assert_eq!(found, 0, "cases that ended badly; they are told above");
}
