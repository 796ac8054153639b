//! What verbs against an account begin with: the configuration, the way out, and who we are.

use super::environment::variable;
use super::step::{Followed, Step};
use super::teller::Teller;
use super::{Common, Format, output};
use crate::cloud::{Class, Cloud, CloudError, CredentialSource, Settings};
use crate::config::{self, Config};
use crate::engine::Stop;
use crate::model::{Ending, Event, Outcome, Stamped};
use crate::net::Net;

/// The line that `cutover lab serve --speed` prints for runs against it: how many of the lab's
/// seconds pass in each of ours.
pub(super) const SPEED: &str = "CUTOVER_LAB_SPEED";

/// Everything that a verb needs.
pub(super) struct Session {
    pub config: Config,
    pub net: Net,
    pub cloud: Cloud,
}

/// An error with its exit code's ending.
pub(super) type Failure = (Ending, String);

/// An error of AWS with what to do about it.
pub(super) fn failed(error: &CloudError) -> Failure {
    (Ending::Failed, format!("{error}\n{}", error.hint()))
}

/// Reads the configuration, with what the command line says instead.
pub(super) fn configuration(common: &Common) -> Result<Config, Failure> {
    let config = config::load(&common.config).map_err(|e| (Ending::Refused, e.to_string()))?;
    match &common.role {
        Some(role) => {
            config.assuming(role).map_err(|why| (Ending::Refused, format!("--role: {why}")))
        }
        None => Ok(config),
    }
}

/// Reads the configuration and connects.
pub(super) async fn open(common: &Common) -> Result<Session, Failure> {
    let config = configuration(common)?;
    let net = way_out()?;
    let cloud = connect(&net, &config).await?;
    Ok(Session { config, net, cloud })
}

/// The way out, with the lab's clock where it says so.
pub(super) fn way_out() -> Result<Net, Failure> {
    let mut net = Net::real().map_err(|error| (Ending::Failed, error.to_string()))?;
    if let Some(speed) = variable(SPEED) {
        let rate = speed.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
        let rate = rate.ok_or_else(|| (Ending::Refused, format!("{SPEED}={speed} is no speed: write a number above 0, as `cutover lab serve` prints it")))?;
        net.clock = net.clock.with_rate(rate);
    }
    Ok(net)
}

/// The account of a configuration, with the caller's own credentials and never its role, which may not exist yet.
pub(super) async fn connect_as_caller(net: &Net, config: &Config) -> Result<Cloud, Failure> {
    let settings = Settings {
        region: Some(config.region.clone()),
        account: config.account.clone(),
        role: None,
        service: config.service.clone(),
        credentials: CredentialSource::Default,
        endpoint: None,
    };
    open_account(net, &settings).await
}

/// The account of a configuration.
pub(super) async fn connect(net: &Net, config: &Config) -> Result<Cloud, Failure> {
    let settings = Settings {
        region: Some(config.region.clone()),
        account: config.account.clone(),
        role: config.role.clone(),
        service: config.service.clone(),
        credentials: CredentialSource::detect(config.role.as_deref(), variable),
        endpoint: None,
    };
    open_account(net, &settings).await
}

/// The account that the environment's credentials are of, or the role's, for a verb without a configuration.
pub(super) async fn connect_in(
    net: &Net,
    region: Option<String>,
    role: Option<&str>,
) -> Result<Cloud, Failure> {
    let settings = Settings {
        region,
        account: None,
        role: role.map(str::to_owned),
        service: "cutover".to_owned(),
        credentials: CredentialSource::detect(role, variable),
        endpoint: None,
    };
    open_account(net, &settings).await
}

async fn open_account(net: &Net, settings: &Settings) -> Result<Cloud, Failure> {
    Cloud::connect(net, settings).await.map_err(|error| {
        let ending = match error.class {
            Class::Elsewhere => Ending::Refused,
            _ => Ending::Failed,
        };
        let job = job_without_a_token(settings).filter(|_| error.class == Class::Credentials);
        (ending, format!("{error}\n{}", job.unwrap_or_else(|| error.hint())))
    })
}

/// What a job lacks that is to assume a role and has no credentials: GitHub sets the variables of its token
/// endpoint only where the job has the permission, and never for a pull request of a fork.
fn job_without_a_token(settings: &Settings) -> Option<String> {
    let role = settings.role.as_deref()?;
    let is_default = matches!(settings.credentials, CredentialSource::Default);
    (is_default && variable("GITHUB_ACTIONS").as_deref() == Some("true")).then(|| {
        format!(
            "to assume {role} by GitHub's token, the job needs `permissions: id-token: write`; a pull request from \
             a fork does not get it"
        )
    })
}

/// The outcome of a verb that was asked to stop while it only looked.
pub(super) fn stopped<T>() -> Result<T, Failure> {
    Err((Ending::Interrupted, "stopped before anything was changed".to_owned()))
}

/// How a run is reported.
pub(super) struct Reporting<'a> {
    pub format: Format,
    /// The outcome that counts as success.
    pub goal: Ending,
    pub now: &'a dyn Fn() -> jiff::Timestamp,
    pub stop: &'a Stop,
    /// For a rollout, what the job's deployment on GitHub follows.
    pub rollout: Option<Followed<'a>>,
}

impl Reporting<'_> {
    /// Runs what ends in an outcome, and reports its events on standard output.
    pub(super) async fn run<F>(self, run: F) -> (u8, Outcome)
    where
        F: AsyncFnOnce(&mut dyn FnMut(Stamped)) -> Outcome,
    {
        let Reporting { format, goal, now, stop, rollout } = self;
        let teller = Teller::new(output::reporter(format, goal).from(now()));
        let mut step = Step::begin(format, goal, now(), rollout);
        let mut report = |event: Stamped| {
            if let Some(step) = &mut step {
                step.note(&event);
            }
            teller.tell(event);
        };
        let outcome = run(&mut report).await;
        let code = outcome.outcome.exit_code();
        let event = Event::Outcome(Box::new(outcome.clone()));
        report(Stamped { time: now(), event });
        teller.finish(stop);
        if let Some(step) = step {
            step.finish(stop).await;
        }
        (code, outcome)
    }
}
