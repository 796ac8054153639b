//! `cutover lab …`

use std::path::PathBuf;

use cutover_lab::scenario::{Scenario, ScenarioError};
use cutover_lab::services::{github, sts};
use cutover_lab::transport::{Loopback, RunningWorld};
use cutover_lab::wire::ApiResult;
use cutover_lab::world::World;

#[cfg(feature = "swarm")]
use super::bench::Bench;
use super::session::SPEED;
use super::signals::{self, Hangup};
#[cfg(feature = "swarm")]
use super::swarm::Swarm;
use super::{Format, output};
use cutover_rollout::model::Failure;

/// Run the lab, a simulated AWS account.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Lab {
    Serve(Serve),
    #[cfg(feature = "swarm")]
    Swarm(Swarm),
    #[cfg(feature = "swarm")]
    Bench(Bench),
}

/// Serve a simulated AWS account on 127.0.0.1, for cutover, the AWS CLI, boto3 and browsers.
///
/// Prints the environment variables that point tools at it, then serves until it is stopped.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// The port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Simulated seconds per real second.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// The seed of the simulation.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What the account contains.
    #[arg(long, value_enum, default_value_t = InitialGroups::TwoGroups)]
    fleet: InitialGroups,
    /// A scenario instead: a file (see lab/scenarios/README.md), or the name of a built-in one:
    /// course-lab1, multi-az or news-burst.
    #[arg(long, value_name = "FILE", conflicts_with = "fleet")]
    scenario: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum InitialGroups {
    /// Two groups, `news-blue` and `news-green`, behind weighted rules.
    TwoGroups,
    /// One group, `news`, for the rolling strategy.
    OneGroup,
    /// Only the default VPC, for tools that create their own resources; users visit every load balancer.
    None,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| "a speed must be a number above 0".to_owned())
}

impl Lab {
    pub(super) fn run(self) -> u8 {
        match self {
            Lab::Serve(serve) => serve.run(),
            #[cfg(feature = "swarm")]
            Lab::Swarm(swarm) => swarm.run(),
            #[cfg(feature = "swarm")]
            Lab::Bench(bench) => bench.run(),
        }
    }
}

impl Serve {
    fn run(self) -> u8 {
        let scenario = match self.scenario() {
            Ok(scenario) => scenario,
            Err(error) => {
                return output::report_error(Format::Human, Failure::refused(error.to_string()));
            }
        };
        signals::block_on(Format::Human, Hangup::Stops, async move |stop| {
            let transport = match Loopback::bind(self.port).await {
                Ok(transport) => transport,
                Err(error) => {
                    let message = format!(
                        "cannot listen on 127.0.0.1:{}: {error}\nuse `--port 0` to pick a free port",
                        self.port
                    );
                    return output::report_error(Format::Human, Failure::failed(message));
                }
            };
            let port = transport.address().port();
            let scenario = Scenario { port, dns_name: Some("127.0.0.1".to_owned()), ..scenario };
            let mut world = match self.world(&scenario) {
                Ok(world) => world,
                Err(error) => {
                    return output::report_error(Format::Human, Failure::failed(error.to_string()));
                }
            };
            let url = format!("http://127.0.0.1:{port}");
            transport.set_endpoints(&mut world);
            output::print(&connection_script(&url, &scenario, self.is_empty(), self.speed));
            let running = RunningWorld::start(world, self.speed);
            transport.serve(running, async move { stop.wait().await }).await;
            0
        })
    }
}

impl Serve {
    fn scenario(&self) -> Result<Scenario, ScenarioError> {
        match (&self.scenario, self.fleet) {
            (Some(file), _) => Scenario::load(file),
            (None, InitialGroups::TwoGroups | InitialGroups::None) => Ok(Scenario::default()),
            (None, InitialGroups::OneGroup) => Ok(Scenario::one_group()),
        }
    }

    /// Returns the world at its start, which is now.
    fn world(&self, scenario: &Scenario) -> ApiResult<World> {
        let start = jiff::Timestamp::now();
        if !self.is_empty() {
            return World::from_scenario(scenario, self.seed, start);
        }
        let mut world = World::new(self.seed, start);
        world.traffic.rate = scenario.requests_per_second;
        Ok(world)
    }

    /// Returns whether the account has nothing but its default VPC.
    fn is_empty(&self) -> bool {
        self.scenario.is_none() && self.fleet == InitialGroups::None
    }
}

/// Returns the lines that point tools at the lab. Every line that is not an assignment is a comment, so
/// that a shell can read all of them.
fn connection_script(url: &str, scenario: &Scenario, is_empty: bool, speed: f64) -> String {
    let (content, next) = match is_empty {
        true => ("the account is empty".to_owned(), ""),
        false => {
            (format!("the news site is at {url}/"), "Then: cd examples/news && cutover deploy. ")
        }
    };
    let (key, secret) = (sts::ACCESS_KEY, sts::SECRET_KEY);
    let (path, token) = (github::TOKEN_PATH, github::REQUEST_TOKEN);
    let job = github::GITHUB_TOKEN;
    format!(
        "# The lab, a simulated AWS account, is running at {url}; {content}\n\
         # To point the AWS CLI, boto3 and cutover at it, run these lines in another terminal:\n\
         export AWS_ENDPOINT_URL={url}\n\
         export AWS_ACCESS_KEY_ID={key}\n\
         export AWS_SECRET_ACCESS_KEY={secret}\n\
         export AWS_REGION={region}\n\
         export AWS_DEFAULT_REGION={region}\n\
         export {SPEED}={speed}\n\
         # GitHub's REST API. The job's token is commented out, so that gh does not use it:\n\
         export GITHUB_API_URL={url}/api/v3\n\
         # export GITHUB_TOKEN={job}\n\
         # GitHub's OIDC token endpoint, used if cutover.yaml names a role:\n\
         export ACTIONS_ID_TOKEN_REQUEST_URL='{url}{path}'\n\
         export ACTIONS_ID_TOKEN_REQUEST_TOKEN={token}\n\
         # {next}Ctrl-C stops the lab and discards its state.",
        region = scenario.region,
    )
}
