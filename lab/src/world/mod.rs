//! The deterministic core: one value that holds the whole simulated account, its current time, and its
//! pending events. It is made of the services' states and knows none of their operations.

mod history;
mod ids;
pub(crate) mod params;
mod queue;
pub(crate) mod rng;
pub(crate) mod time;

use jiff::Timestamp;

use crate::faults::state as faults;
use crate::services::autoscaling::state as autoscaling;
use crate::services::cloudwatch::state as cloudwatch;
use crate::services::ec2::state as ec2;
use crate::services::ecr::state as ecr;
use crate::services::elbv2::state as elbv2;
use crate::services::ghcr::state as ghcr;
use crate::services::github::state as github;
use crate::services::iam::state as iam;
use crate::services::registry::state as registry;
use crate::services::ssm::state as ssm;
use crate::services::sts::state as sts;
use crate::traffic::state as traffic;

pub use ids::Ids;
pub use params::Params;
pub use queue::{Event, Queue};
pub use rng::Rng;
pub use time::{elapsed, later};

pub(crate) use history::History;

/// A simulated account in one Region, at one moment.
#[derive(Debug, Clone)]
pub struct World {
    /// The current time.
    pub now: Timestamp,
    /// The start of the scenario; its events are given in seconds after this.
    pub began: Timestamp,
    /// The twelve-digit account ID.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// The account's source of randomness. Traffic and faults have their own.
    pub rng: Rng,
    /// The source of resource identifiers. Independent of the seed, so that ARNs are the same in every
    /// run.
    pub ids: Ids,
    /// The source of request IDs. Separate, so that the number of requests changes no ARN.
    pub request_ids: Ids,
    /// Delays, limits and other behavior that AWS does not document.
    pub params: Params,
    /// The pending events.
    pub queue: Queue,
    /// EC2 Auto Scaling.
    pub autoscaling: autoscaling::State,
    /// CloudWatch.
    pub cloudwatch: cloudwatch::State,
    /// EC2.
    pub ec2: ec2::State,
    /// ECR.
    pub ecr: ecr::State,
    /// Elastic Load Balancing.
    pub elbv2: elbv2::State,
    /// The GitHub Container Registry.
    pub ghcr: ghcr::State,
    /// GitHub.
    pub github: github::State,
    /// IAM.
    pub iam: iam::State,
    /// Blobs and manifests.
    pub registry: registry::State,
    /// Parameter Store.
    pub ssm: ssm::State,
    /// STS.
    pub sts: sts::State,
    /// Simulated users.
    pub traffic: traffic::State,
    /// Injected faults.
    pub faults: faults::State,
    /// The fingerprint of everything so far.
    pub(crate) history: History,
}

impl World {
    /// Creates an account at `start` with what every account has: the default VPC and nothing else.
    pub fn new(seed: u64, start: Timestamp) -> World {
        const REGION: &str = "ap-northeast-2";
        World {
            now: start,
            began: start,
            account: "123456789012".to_owned(),
            region: REGION.to_owned(),
            rng: Rng::new(seed),
            ids: Ids::new(0),
            request_ids: Ids::new(1),
            params: Params::default(),
            queue: Queue::default(),
            autoscaling: Default::default(),
            cloudwatch: Default::default(),
            ec2: ec2::State::of_region(REGION),
            ecr: Default::default(),
            elbv2: Default::default(),
            ghcr: Default::default(),
            github: Default::default(),
            iam: Default::default(),
            registry: Default::default(),
            ssm: Default::default(),
            sts: Default::default(),
            traffic: traffic::State::new(seed),
            faults: faults::State::new(seed),
            history: History::default(),
        }
    }

    /// Returns a fingerprint of every event and every request so far, with its response: equal for equal
    /// seeds and requests, in any process.
    pub fn history(&self) -> String {
        self.history.fingerprint()
    }
}
