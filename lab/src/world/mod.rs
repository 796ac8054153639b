//! The deterministic core: one value that holds the whole simulated account, its current time, and its
//! pending events.

mod history;
mod ids;
mod params;
mod queue;
mod rng;
mod time;

pub use ids::Ids;
pub use params::Params;
pub use queue::{Event, Queue};
pub use rng::Rng;
pub use time::{elapsed, later};

use bytes::Bytes;
use jiff::Timestamp;

use crate::services::{
    autoscaling, cloudwatch, ec2, ecr, elbv2, ghcr, github, iam, registry, ssm, sts,
};
use crate::{faults, traffic, wire};

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
    history: history::History,
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
            history: history::History::default(),
        }
    }

    /// Runs every event that is due by `until`. Time never goes back.
    pub fn advance(&mut self, until: Timestamp) {
        self.advance_watched(until, &mut |_| ());
    }

    /// Does the same, and shows the world to `seen` after each event.
    pub fn advance_watched(&mut self, until: Timestamp, seen: &mut dyn FnMut(&World)) {
        while let Some((at, event)) = self.queue.pop_due(until) {
            self.flow_to(at);
            self.history.record(&format!("{at} {event:?}"));
            faults::before_event(self, &event);
            match &event {
                Event::Autoscaling(event) => autoscaling::handle_event(self, event),
                Event::Ec2(event) => ec2::handle_event(self, event),
                Event::Ecr(event) => ecr::handle_event(self, event),
                Event::Elbv2(event) => elbv2::handle_event(self, event),
                Event::Traffic(event) => traffic::handle_event(self, event),
                Event::Faults(event) => faults::handle_event(self, event),
            }
            seen(self);
        }
        self.flow_to(until);
    }

    /// Answers one HTTP request that arrives at `now`.
    pub fn handle(
        &mut self,
        request: &http::Request<Bytes>,
        now: Timestamp,
    ) -> http::Response<Bytes> {
        self.advance(now);
        self.answer(request)
    }

    /// Answers one HTTP request that arrives at the current time.
    pub fn answer(&mut self, request: &http::Request<Bytes>) -> http::Response<Bytes> {
        if let Some(error) = faults::throttling_error(self, request) {
            return self.refuse(request, &error);
        }
        self.note_request(request);
        let response = wire::serve(self, request);
        self.note_response(&response);
        response
    }

    /// Refuses one HTTP request with `error`, whatever it asks for, and without any effect.
    pub fn refuse(
        &mut self,
        request: &http::Request<Bytes>,
        error: &wire::ApiError,
    ) -> http::Response<Bytes> {
        self.note_request(request);
        let response = wire::refuse(self, request, error);
        self.note_response(&response);
        response
    }

    /// Returns a fingerprint of every event and every request so far, with its response: equal for equal
    /// seeds and requests, in any process.
    pub fn history(&self) -> String {
        self.history.fingerprint()
    }

    fn note_request(&mut self, request: &http::Request<Bytes>) {
        self.history.record(&format!("{} {} {}", self.now, request.method(), request.uri()));
        self.history.record_bytes(request.body());
    }

    fn note_response(&mut self, response: &http::Response<Bytes>) {
        self.history.record(response.status().as_str());
        self.history.record_bytes(response.body());
    }

    fn flow_to(&mut self, until: Timestamp) {
        if until > self.now {
            traffic::flow(self, until);
            self.now = until;
        }
    }
}
