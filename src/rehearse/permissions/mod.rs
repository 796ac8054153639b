//! Whether the printed policy suffices, and whether each of its actions is needed: runs as the deploy role, by GitHub's
//! token, in a lab that enforces policies.
//!
//! A trial is a configuration and stages, each a run in the world that the one before left. With the printed policy no call
//! is denied and every stage ends as it should. The lab notes which actions it asked the policy for, so that it is known
//! which stage needs which. Then each action is taken out of each statement, and the stage that needs it is run again: a
//! call must be denied, and what the run says or leaves must be another thing.

mod images;
mod stage;
mod trials;

use std::collections::BTreeSet;

use cutover_lab::services::{ecr, github, iam as lab_iam};
use cutover_lab::world::World;

use self::stage::{Ran, Stage};
use super::lab;
use crate::access;
use crate::cloud::{Cloud, CredentialSource, Settings};
use crate::config::{self, Config};
use crate::iam::{Job, Policy, Repository, Statement, Trust, permissions, trust};
use cutover_lab::doors::InProcess;

/// The role's name.
const ROLE: &str = "deploy-news";

/// A configuration, the world that it is for, and what happens there.
struct Trial {
    config: String,
    world: World,
    stages: Vec<Stage>,
}

/// What a trial needs of actions that no stage can show by its outcome.
const UNSEEN: [&str; 1] = [
    // ECR signs after the push, and its status alone says that it could not.
    "signer:SignPayload",
];

/// A stage with the world before it, and what it did with the whole policy.
struct Proven<'t> {
    stage: &'t Stage,
    before: World,
    ran: Ran,
}

impl Trial {
    /// Runs all stages with the printed policy, then those that an action is needed in without it.
    async fn holds(self) {
        let policy = self.printed().await;
        let proven = Box::pin(self.suffices(&policy)).await;
        let needed: BTreeSet<&str> =
            proven.iter().flat_map(|proven| &proven.ran.allowed).map(String::as_str).collect();
        let printed: BTreeSet<&str> = policy.actions().into_iter().collect();
        assert_eq!(printed, needed, "printed (left) is not what was needed (right)");
        let mut idle = Vec::new();
        for statement in &policy.statements {
            for action in &statement.actions {
                if !Box::pin(self.breaks(&proven, &policy, statement, action)).await {
                    idle.push(format!("{action} in {}", statement.sid));
                }
            }
        }
        assert!(idle.is_empty(), "nothing breaks without {idle:?}");
    }

    async fn printed(&self) -> Policy {
        printed(&self.config(), &self.world).await
    }

    async fn suffices(&self, policy: &Policy) -> Vec<Proven<'_>> {
        let mut world = self.world.clone();
        self.give(&mut world, policy);
        let mut proven = Vec::new();
        for stage in &self.stages {
            (stage.arrange)(&mut world);
            let before = world;
            let (ran, after) = self.run(stage, before.clone()).await;
            let name = stage.name;
            assert!(ran.denied.is_empty(), "{name}: {:?} denied\n{}", ran.denied, ran.told);
            assert_eq!(ran.told.ending(), stage.ends, "{name}: {}", ran.told);
            if let Some(words) = stage.says {
                ran.told.says(words);
            }
            proven.push(Proven { stage, before, ran });
            world = after;
        }
        proven
    }

    /// Whether some stage comes out otherwise without the action in this statement.
    async fn breaks(
        &self,
        proven: &[Proven<'_>],
        whole: &Policy,
        statement: &Statement,
        action: &str,
    ) -> bool {
        let lesser = without(whole, &statement.sid, action);
        for Proven { stage, before, ran } in proven {
            if !ran.allowed.contains(action) {
                continue;
            }
            let mut world = before.clone();
            self.give(&mut world, &lesser);
            let (now, after) = self.run(stage, world).await;
            if !now.denied.contains(action) {
                continue;
            }
            let unseen = UNSEEN.contains(&action) && !ecr::unsigned(&after, "news").is_empty();
            if now.comes_to() != ran.comes_to() || unseen {
                now.names_what_is_missing(action);
                return true;
            }
        }
        false
    }

    fn give(&self, world: &mut World, policy: &Policy) {
        give(world, policy);
    }

    async fn run(&self, stage: &Stage, mut world: World) -> (Ran, World) {
        world.iam.judged = lab_iam::Judged::default();
        Box::pin(stage.run(&self.config, self.identity(), world)).await
    }

    fn config(&self) -> Config {
        config::parse(&self.config, "cutover.yaml").unwrap()
    }

    fn identity(&self) -> Settings {
        identity(&self.config(), &self.world)
    }
}

/// The policy that `cutover iam` prints, read by the account's user.
async fn printed(config: &Config, world: &World) -> Policy {
    let net = lab::net(&InProcess::new(world.clone()));
    let cloud = Box::pin(Cloud::connect(&net, &lab::settings(config))).await.unwrap();
    let surveyed = Box::pin(access::survey(&cloud, config)).await.unwrap();
    assert_eq!(surveyed.gaps, []);
    permissions(&surveyed.uses, &surveyed.resources)
}

/// Gives the world the deploy role with its trust policy as printed, and enforces policies.
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
    lab_iam::permit(world, ROLE, &policy.compact());
    world.iam.enforced = true;
}

/// The role, by the token of the lab's job.
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

/// The policy without an action in the statement of this Sid.
fn without(policy: &Policy, sid: &str, action: &str) -> Policy {
    let mut lesser = policy.clone();
    for statement in lesser.statements.iter_mut().filter(|statement| statement.sid == sid) {
        statement.actions.retain(|kept| kept != action);
    }
    lesser.statements.retain(|statement| !statement.actions.is_empty());
    lesser
}
