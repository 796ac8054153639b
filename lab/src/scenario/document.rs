//! A scenario as a document: an architecture, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::job::JobSpec;
use super::specs::{self, ConditionSpec, GroupSpec, RuleSpec};
use crate::faults::{CallFault, EventKind, Faults, ScheduledEvent, values};
use crate::traffic::Demand;

/// An account with one service behind one load balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// The service: the name of the load balancer, the launch template and the ECR repository.
    pub service: String,
    /// The twelve-digit account ID.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The letters of its Availability Zones.
    pub zones: Vec<String>,
    /// The GitHub repository whose workflows may deploy.
    pub github: String,
    /// The workflow job that GitHub issues tokens to.
    pub job: JobSpec,
    /// Requests per second to the load balancer.
    #[serde(deserialize_with = "values::amount")]
    pub requests_per_second: f64,
    /// How this rate changes over time, and how much instances can handle.
    pub demand: Demand,
    /// Minutes of traffic before the start, so that CloudWatch has data.
    pub history_minutes: u64,
    /// Labels of the first image besides `lab.version`: how its program behaves.
    pub labels: BTreeMap<String, String>,
    /// The groups, each with a target group of the same name.
    pub groups: Vec<GroupSpec>,
    /// The listener's rules.
    pub rules: Vec<RuleSpec>,
    /// The port of the listener.
    pub port: u16,
    /// The load balancer's DNS name; one in AWS's own form if absent.
    pub dns_name: Option<String>,
    /// Whether roles may do only what their policies allow.
    pub iam: IamEnforcement,
    /// The permissions policy of the role of GitHub's workflows, as JSON. It applies where `iam` is
    /// enforced.
    pub deploy_policy: Option<String>,
    /// The `sub` of the tokens that this role trusts, with `*` and `?`; if absent, every `sub` of the
    /// repository, by name.
    pub deploy_trust: Option<String>,
    /// Faults of calls, throttling and stale reads.
    pub faults: Faults,
    /// Scheduled events.
    pub events: Vec<ScheduledEvent>,
}

/// Whether IAM policies are enforced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IamEnforcement {
    /// No: every call of a known caller is allowed.
    #[default]
    Off,
    /// Roles may do what their policies allow; users of the account may do everything.
    Enforced,
}

impl Default for Scenario {
    /// Returns a scenario in which users reach an Application Load Balancer in two zones. Behind it are
    /// two groups: `news-blue` has all the traffic; `news-green` is empty, and only a test header
    /// reaches it.
    fn default() -> Scenario {
        let group = |name: &str, min, desired| GroupSpec {
            name: name.to_owned(),
            min,
            max: 6,
            desired,
            grace: specs::default_grace(),
            scaling: None,
        };
        let all = |name: &str| vec![(name.to_owned(), 1)];
        Scenario {
            service: "news".to_owned(),
            account: "123456789012".to_owned(),
            region: "ap-northeast-2".to_owned(),
            zones: vec!["a".to_owned(), "c".to_owned()],
            github: "acme/news".to_owned(),
            job: JobSpec::default(),
            requests_per_second: 50.0,
            demand: Demand::default(),
            history_minutes: 5,
            labels: BTreeMap::new(),
            groups: vec![group("news-blue", 2, 4), group("news-green", 0, 0)],
            rules: vec![
                RuleSpec {
                    priority: 1,
                    when: ConditionSpec::Header("X-Cutover".to_owned(), "next".to_owned()),
                    forward: all("news-green"),
                },
                RuleSpec {
                    priority: 10,
                    when: ConditionSpec::Path("/*".to_owned()),
                    forward: all("news-blue"),
                },
            ],
            port: 80,
            dns_name: None,
            iam: IamEnforcement::Off,
            deploy_policy: None,
            deploy_trust: None,
            faults: Faults::default(),
            events: Vec::new(),
        }
    }
}

impl Scenario {
    /// Returns the same service with one group, for rolling deployments.
    pub fn one_group() -> Scenario {
        Scenario {
            groups: vec![GroupSpec {
                name: "news".to_owned(),
                min: 2,
                max: 6,
                desired: 4,
                grace: specs::default_grace(),
                scaling: None,
            }],
            rules: vec![RuleSpec {
                priority: 10,
                when: ConditionSpec::Path("/*".to_owned()),
                forward: vec![("news".to_owned(), 1)],
            }],
            ..Scenario::default()
        }
    }

    /// Adds a fault.
    #[must_use]
    pub fn with_fault(mut self, fault: CallFault) -> Scenario {
        self.faults.calls.push(fault);
        self
    }

    /// Adds an event `at` seconds after the start.
    #[must_use]
    pub fn with_event(mut self, at: u64, what: EventKind) -> Scenario {
        self.events.push(ScheduledEvent::at(at, what));
        self
    }

    /// Returns the host of the ECR registry.
    pub fn registry(&self) -> String {
        format!("{}.dkr.ecr.{}.amazonaws.com", self.account, self.region)
    }
}
