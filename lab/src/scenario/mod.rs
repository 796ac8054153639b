//! What a world holds when it begins: an architecture, as plain data, and how it is built.

mod build;
mod image;
mod job;
mod load;
mod plans;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use image::ImageFiles;
pub use job::{EventPlan, JobPlan};
pub use load::{SHIPPED, ScenarioError};
pub use plans::{GroupPlan, RulePlan, ScalingPlan, WhenPlan};

use crate::faults::{CallFault, Faults, Happening, What, values};
use crate::traffic::Demand;

/// An account with one service behind one load balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// The service: the name of the load balancer, the launch template and the ECR repository.
    pub service: String,
    /// The twelve-digit account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The letters of its zones.
    pub zones: Vec<String>,
    /// The GitHub repository whose workflows may deploy.
    pub github: String,
    /// The job of a workflow that GitHub gives tokens to.
    pub job: JobPlan,
    /// Requests a second to the load balancer.
    #[serde(deserialize_with = "values::amount")]
    pub requests_per_second: f64,
    /// The course that this rate takes, and what instances can bear.
    pub demand: Demand,
    /// Minutes of traffic before the beginning, for CloudWatch to have some.
    pub history_minutes: u64,
    /// Labels of the first image besides `lab.version`: how its program behaves.
    pub labels: BTreeMap<String, String>,
    /// The groups, each with a target group of the same name.
    pub groups: Vec<GroupPlan>,
    /// The listener's rules.
    pub rules: Vec<RulePlan>,
    /// The port of the listener.
    pub port: u16,
    /// The load balancer's name for users; AWS's own form if absent.
    pub dns_name: Option<String>,
    /// Whether roles may do only what their policies allow.
    pub iam: Permissions,
    /// What the role of GitHub's workflows may do: a policy, as JSON. It counts where `iam` is enforced.
    pub deploy_policy: Option<String>,
    /// The `sub` of the tokens that this role trusts, with `*` and `?`; all of the repository, by its
    /// names, if absent.
    pub deploy_trust: Option<String>,
    /// What happens to calls.
    pub faults: Faults,
    /// What happens to the world, by time.
    pub happenings: Vec<Happening>,
}

/// What policies do to calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permissions {
    /// Nothing: every call of a known caller is granted.
    #[default]
    Off,
    /// Roles may do what their policies allow; users of the account everything.
    Enforced,
}

impl Default for Scenario {
    /// Users reach an Application Load Balancer over two zones. Behind it are two groups, of which
    /// `news-blue` has all the traffic; `news-green` is empty, and reached only by a test header.
    fn default() -> Scenario {
        let group = |name: &str, min, desired| GroupPlan {
            name: name.to_owned(),
            min,
            max: 6,
            desired,
            grace: plans::grace(),
            scaling: None,
        };
        let all = |name: &str| vec![(name.to_owned(), 1)];
        Scenario {
            service: "news".to_owned(),
            account: "123456789012".to_owned(),
            region: "ap-northeast-2".to_owned(),
            zones: vec!["a".to_owned(), "c".to_owned()],
            github: "acme/news".to_owned(),
            job: JobPlan::default(),
            requests_per_second: 50.0,
            demand: Demand::default(),
            history_minutes: 5,
            labels: BTreeMap::new(),
            groups: vec![group("news-blue", 2, 4), group("news-green", 0, 0)],
            rules: vec![
                RulePlan {
                    priority: 1,
                    when: WhenPlan::Header("X-Cutover".to_owned(), "next".to_owned()),
                    forward: all("news-green"),
                },
                RulePlan {
                    priority: 10,
                    when: WhenPlan::Path("/*".to_owned()),
                    forward: all("news-blue"),
                },
            ],
            port: 80,
            dns_name: None,
            iam: Permissions::Off,
            deploy_policy: None,
            deploy_trust: None,
            faults: Faults::default(),
            happenings: Vec::new(),
        }
    }
}

impl Scenario {
    /// The same service with one group, for rolling deployments.
    pub fn one_group() -> Scenario {
        Scenario {
            groups: vec![GroupPlan {
                name: "news".to_owned(),
                min: 2,
                max: 6,
                desired: 4,
                grace: plans::grace(),
                scaling: None,
            }],
            rules: vec![RulePlan {
                priority: 10,
                when: WhenPlan::Path("/*".to_owned()),
                forward: vec![("news".to_owned(), 1)],
            }],
            ..Scenario::default()
        }
    }

    /// The same with one more fault.
    #[must_use]
    pub fn with_fault(mut self, fault: CallFault) -> Scenario {
        self.faults.calls.push(fault);
        self
    }

    /// The same with something that happens so many seconds after the beginning.
    #[must_use]
    pub fn with_happening(mut self, at: u64, what: What) -> Scenario {
        self.happenings.push(Happening::at(at, what));
        self
    }

    /// The ECR registry's host.
    pub fn registry(&self) -> String {
        format!("{}.dkr.ecr.{}.amazonaws.com", self.account, self.region)
    }
}
