//! Tests that the printed policy suffices, and that each of its actions is needed, by runs as the
//! deploy role, with GitHub's token, in a lab that enforces policies.
//!
//! A trial is a configuration and stages, each a run in the world that the previous one left. With
//! the printed policy no call is denied and every stage ends as it should. The lab notes which
//! actions it evaluated, which shows which stage needs which action. Then each action is removed
//! from each statement, and the stage that needs it is run again: a call must be denied, and what
//! the run reports or leaves must differ.

mod images;
mod trial_run;
mod trials;

use std::collections::BTreeSet;

use cutover_lab::services::{ecr, github, iam as lab_iam};
use cutover_lab::world::World;

use self::trial_run::{RunResult, TrialRun};
use super::lab;
use crate::access;
use crate::iam::{Job, Policy, Repository, Statement, Trust, permissions, trust};
use cutover_aws::{Aws, CredentialSource, Settings};
use cutover_config::Config;
use cutover_lab::transport::InProcess;

/// The deploy role's name.
const ROLE: &str = "deploy-news";

/// A configuration, the world that it is for, and the runs in it.
struct Trial {
    config: String,
    world: World,
    stages: Vec<TrialRun>,
}

/// Actions whose absence no stage can show by its outcome.
const UNSEEN: [&str; 1] = [
    // ECR signs after the push, and only the image's signing status shows that it failed.
    "signer:SignPayload",
];

/// A stage with the world before it, and what it did with the whole policy.
struct ProvenRun<'t> {
    stage: &'t TrialRun,
    before: World,
    ran: RunResult,
}

impl Trial {
    /// Runs all stages with the printed policy, then without each action the stages that need it.
    async fn holds(self) {
        let policy = self.printed().await;
        let proven = Box::pin(self.suffices(&policy)).await;
        let needed: BTreeSet<&str> =
            proven.iter().flat_map(|proven| &proven.ran.allowed).map(String::as_str).collect();
        let printed: BTreeSet<&str> = policy.actions().into_iter().collect();
        assert_eq!(printed, needed, "the printed actions (left) are not the needed ones (right)");
        let mut idle = Vec::new();
        for statement in &policy.statements {
            for action in &statement.actions {
                if !Box::pin(self.breaks(&proven, &policy, statement, action)).await {
                    idle.push(format!("{action} in {}", statement.sid));
                }
            }
        }
        assert!(idle.is_empty(), "no run fails without {idle:?}");
    }

    async fn printed(&self) -> Policy {
        printed(&self.config(), &self.world).await
    }

    async fn suffices(&self, policy: &Policy) -> Vec<ProvenRun<'_>> {
        let mut world = self.world.clone();
        self.give(&mut world, policy);
        let mut proven = Vec::new();
        for stage in &self.stages {
            (stage.arrange)(&mut world);
            let before = world;
            let (ran, after) = self.run(stage, before.clone()).await;
            let name = stage.name;
            assert!(ran.denied.is_empty(), "{name}: {:?} denied\n{}", ran.denied, ran.reported);
            assert_eq!(ran.reported.ending(), stage.ends, "{name}: {}", ran.reported);
            if let Some(words) = stage.says {
                ran.reported.assert_says(words);
            }
            proven.push(ProvenRun { stage, before, ran });
            world = after;
        }
        proven
    }

    /// Whether some stage ends differently without the action in this statement.
    async fn breaks(
        &self,
        proven: &[ProvenRun<'_>],
        whole: &Policy,
        statement: &Statement,
        action: &str,
    ) -> bool {
        let lesser = without(whole, &statement.sid, action);
        for ProvenRun { stage, before, ran } in proven {
            if !ran.allowed.contains(action) {
                continue;
            }
            let mut world = before.clone();
            self.give(&mut world, &lesser);
            let (now, after) = self.run(stage, world).await;
            if !now.denied.contains(action) {
                continue;
            }
            let unseen =
                UNSEEN.contains(&action) && !ecr::failed_signatures(&after, "news").is_empty();
            if now.visible_result() != ran.visible_result() || unseen {
                now.assert_names_action(action);
                return true;
            }
        }
        false
    }

    fn give(&self, world: &mut World, policy: &Policy) {
        give(world, policy);
    }

    async fn run(&self, stage: &TrialRun, mut world: World) -> (RunResult, World) {
        world.iam.checked_actions = lab_iam::CheckedActions::default();
        Box::pin(stage.run(&self.config, self.identity(), world)).await
    }

    fn config(&self) -> Config {
        cutover_config::parse(&self.config, "cutover.yaml").unwrap()
    }

    fn identity(&self) -> Settings {
        identity(&self.config(), &self.world)
    }
}

/// Returns the policy that `cutover iam` prints, read by the account's user.
async fn printed(config: &Config, world: &World) -> Policy {
    let net = lab::net(&InProcess::new(world.clone()));
    let cloud = Box::pin(Aws::connect(&net, &lab::settings(config))).await.unwrap();
    let surveyed = Box::pin(access::survey(&cloud, config)).await.unwrap();
    assert_eq!(surveyed.gaps, []);
    permissions(&surveyed.uses, &surveyed.resources)
}

/// Creates the deploy role with the printed trust policy, and enforces policies.
fn give(world: &mut World, policy: &Policy) {
    let job = Job::Environment("production".to_owned());
    let repository = Repository {
        owner_id: Some(world.github.owner_id),
        id: Some(world.github.repository_id),
        ..Repository::parse(&world.github.repository).unwrap()
    };
    let provider = Trust::provider("aws", &world.account);
    let trusted = trust(&Trust { provider, repository, job }).compact();
    lab_iam::create_role(world, ROLE, &trusted, 3600);
    lab_iam::put_inline_policy(world, ROLE, &policy.compact());
    world.iam.enforced = true;
}

/// Returns settings that assume the role with the token of the lab's job.
fn identity(config: &Config, world: &World) -> Settings {
    Settings {
        role: Some(format!("arn:aws:iam::{}:role/{ROLE}", world.account)),
        credentials: CredentialSource::GitHubOidc {
            request_url: format!("https://lab.test{}", github::TOKEN_PATH),
            request_token: github::REQUEST_TOKEN.to_owned(),
            audience: CredentialSource::AUDIENCE.to_owned(),
        },
        ..lab::settings(config)
    }
}

/// Returns the policy without an action in the statement with this Sid.
fn without(policy: &Policy, sid: &str, action: &str) -> Policy {
    let mut lesser = policy.clone();
    for statement in lesser.statements.iter_mut().filter(|statement| statement.sid == sid) {
        statement.actions.retain(|kept| kept != action);
    }
    lesser.statements.retain(|statement| !statement.actions.is_empty());
    lesser
}
