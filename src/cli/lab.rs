//! `cutover lab …`

use std::path::PathBuf;

use cutover_lab::doors::{Loopback, Running};
use cutover_lab::scenario::{Scenario, ScenarioError};
use cutover_lab::services::{github, sts};
use cutover_lab::wire::ApiResult;
use cutover_lab::world::World;

use super::bench::Bench;
use super::session::SPEED;
use super::signals::{self, Hangup};
use super::swarm::Swarm;
use super::{Format, output};
use crate::model::Ending;

/// The simulated cloud itself.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Lab {
    /// Serve the simulated cloud on loopback, for this tool, the AWS CLI, boto3 and browsers.
    Serve(Serve),
    Swarm(Swarm),
    Bench(Bench),
}

/// Serve the simulated cloud on loopback.
///
/// Prints the environment that points tools at it, then serves until it is stopped.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// The port of 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// How many of the lab's seconds pass in one of ours.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// What chance does.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The fleet: two groups behind weighted rules, one for rolling, or none, an account with nothing
    /// but its default VPC, for tools that build their own.
    #[arg(long, value_enum, default_value_t = Fleet::TwoGroups)]
    fleet: Fleet,
    /// A scenario instead: a file (lab/scenarios/README.md describes it), or a shipped one by name:
    /// course-lab1, multi-az, news-burst.
    #[arg(long, value_name = "FILE", conflicts_with = "fleet")]
    scenario: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Fleet {
    /// `news-blue` and `news-green`.
    TwoGroups,
    /// `news`.
    OneGroup,
    /// Nothing. Users come to each load balancer that is created.
    None,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| "a speed is a number above 0".to_owned())
}

impl Lab {
    pub(super) fn run(self) -> u8 {
        match self {
            Lab::Serve(serve) => serve.run(),
            Lab::Swarm(swarm) => swarm.run(),
            Lab::Bench(bench) => bench.run(),
        }
    }
}

impl Serve {
    fn run(self) -> u8 {
        let scenario = match self.scenario() {
            Ok(scenario) => scenario,
            Err(error) => {
                return output::refuse(Format::Human, Ending::Refused, &error.to_string());
            }
        };
        signals::block_on(Format::Human, Hangup::Stops, async move |stop| {
            let door = match Loopback::bind(self.port).await {
                Ok(door) => door,
                Err(error) => {
                    let message = format!(
                        "port {} of 127.0.0.1 cannot be had: {error}\n`--port 0` takes a free one",
                        self.port
                    );
                    return output::refuse(Format::Human, Ending::Failed, &message);
                }
            };
            let port = door.address().port();
            let scenario = Scenario { port, dns_name: Some("127.0.0.1".to_owned()), ..scenario };
            let mut world = match self.world(&scenario) {
                Ok(world) => world,
                Err(error) => {
                    return output::refuse(Format::Human, Ending::Failed, &error.to_string());
                }
            };
            let url = format!("http://127.0.0.1:{port}");
            door.introduce(&mut world);
            output::print(&greeting(&url, &scenario, self.is_empty(), self.speed));
            let running = Running::start(world, self.speed);
            door.serve(running, async move { stop.wait().await }).await;
            0
        })
    }
}

impl Serve {
    fn scenario(&self) -> Result<Scenario, ScenarioError> {
        match (&self.scenario, self.fleet) {
            (Some(file), _) => Scenario::load(file),
            (None, Fleet::TwoGroups | Fleet::None) => Ok(Scenario::default()),
            (None, Fleet::OneGroup) => Ok(Scenario::one_group()),
        }
    }

    /// The world as it begins, now.
    fn world(&self, scenario: &Scenario) -> ApiResult<World> {
        let start = jiff::Timestamp::now();
        if !self.is_empty() {
            return World::from_scenario(scenario, self.seed, start);
        }
        let mut world = World::new(self.seed, start);
        world.traffic.rate = scenario.requests_per_second;
        Ok(world)
    }

    /// Whether the account has nothing but its default VPC.
    fn is_empty(&self) -> bool {
        self.scenario.is_none() && self.fleet == Fleet::None
    }
}

/// What points tools at the lab. Every line that is not an assignment is a comment, so that the
/// whole can be read by a shell.
fn greeting(url: &str, scenario: &Scenario, is_empty: bool, speed: f64) -> String {
    let (content, next) = match is_empty {
        true => ("it is empty".to_owned(), ""),
        false => {
            (format!("the news site is at {url}/"), "Then: cd examples/news && cutover deploy. ")
        }
    };
    let (key, secret) = (sts::ACCESS_KEY, sts::SECRET_KEY);
    let (path, token) = (github::TOKEN_PATH, github::REQUEST_TOKEN);
    let job = github::GITHUB_TOKEN;
    format!(
        "# A simulated AWS account serves on {url}; {content}\n\
         # In another terminal, these lines point the AWS CLI, boto3 and cutover at it:\n\
         export AWS_ENDPOINT_URL={url}\n\
         export AWS_ACCESS_KEY_ID={key}\n\
         export AWS_SECRET_ACCESS_KEY={secret}\n\
         export AWS_REGION={region}\n\
         export AWS_DEFAULT_REGION={region}\n\
         export {SPEED}={speed}\n\
         # GitHub's REST API. The job's token for it is a comment, so that gh does not use it:\n\
         export GITHUB_API_URL={url}/api/v3\n\
         # export GITHUB_TOKEN={job}\n\
         # GitHub's token endpoint, which counts where cutover.yaml names a role:\n\
         export ACTIONS_ID_TOKEN_REQUEST_URL='{url}{path}'\n\
         export ACTIONS_ID_TOKEN_REQUEST_TOKEN={token}\n\
         # {next}Ctrl-C ends the lab and forgets everything.",
        region = scenario.region,
    )
}
