//! What every command that works on an account starts with: the configuration, the network, and credentials.

use super::environment::variable;
use super::event_writer::EventWriter;
use super::layer_bars::LayerBars;
use super::step::{Step, TrackedRollout};
use super::{CommonArgs, Format, output};
use crate::runner::Stop;
use cutover_aws::{Aws, CredentialSource, ErrorClass, Settings};
use cutover_config::Config;
use cutover_net::Net;
use cutover_rollout::model::{Event, Failure, Outcome, Status, TimedEvent};

/// The environment variable that `cutover lab serve --speed` prints for runs against it: simulated seconds
/// per real second.
pub(super) const SPEED: &str = "CUTOVER_LAB_SPEED";

/// The configuration, and the connections to the network and the account.
pub(super) struct AccountContext {
    pub config: Config,
    pub net: Net,
    pub cloud: Aws,
}

/// Reads the configuration, with the overrides of the command line.
pub(super) fn configuration(common: &CommonArgs) -> Result<Config, Failure> {
    let config =
        cutover_config::load(&common.config).map_err(|e| Failure::refused(e.to_string()))?;
    match &common.role {
        Some(role) => {
            config.with_role(role).map_err(|why| Failure::refused(format!("--role: {why}")))
        }
        None => Ok(config),
    }
}

/// Reads the configuration and connects to its account.
pub(super) async fn open(common: &CommonArgs) -> Result<AccountContext, Failure> {
    let config = configuration(common)?;
    let net = network()?;
    let cloud = connect(&net, &config).await?;
    Ok(AccountContext { config, net, cloud })
}

/// Returns the network, with the lab's clock if [`SPEED`] is set.
pub(super) fn network() -> Result<Net, Failure> {
    let mut net = Net::real().map_err(|error| Failure::failed(error.to_string()))?;
    if let Some(speed) = variable(SPEED) {
        let rate = speed.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
        let rate = rate.ok_or_else(|| {
            Failure::refused(format!("{SPEED}={speed} is not a number above 0"))
                .hint("set it as `cutover lab serve` prints it")
        })?;
        net.clock = net.clock.with_rate(rate);
    }
    Ok(net)
}

/// Connects to a configuration's account with the caller's own credentials, not its role, which may not exist yet.
pub(super) async fn connect_as_caller(net: &Net, config: &Config) -> Result<Aws, Failure> {
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

/// Connects to a configuration's account.
pub(super) async fn connect(net: &Net, config: &Config) -> Result<Aws, Failure> {
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

/// Connects to the account of the environment's credentials, or of `role`, without a configuration.
pub(super) async fn connect_in(
    net: &Net,
    region: Option<String>,
    role: Option<&str>,
) -> Result<Aws, Failure> {
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

async fn open_account(net: &Net, settings: &Settings) -> Result<Aws, Failure> {
    Aws::connect(net, settings).await.map_err(|error| {
        let failure = Failure::from(&error);
        match error.class {
            ErrorClass::WrongAccount => failure.with_status(Status::Refused),
            ErrorClass::Credentials => match missing_token_hint(settings) {
                Some(hint) => Failure { hint: Some(hint), ..failure },
                None => failure,
            },
            _ => failure,
        }
    })
}

/// Returns the hint for a job that has to assume a role and has no credentials: GitHub sets the variables of its
/// OIDC token endpoint only if the job has the permission, and never for a pull request from a fork.
fn missing_token_hint(settings: &Settings) -> Option<String> {
    let role = settings.role.as_deref()?;
    let is_default = matches!(settings.credentials, CredentialSource::Default);
    (is_default && variable("GITHUB_ACTIONS").as_deref() == Some("true")).then(|| {
        format!(
            "to assume {role} with GitHub's OIDC token, the job needs `permissions: id-token: write`, which a pull \
             request from a fork never gets"
        )
    })
}

/// Returns the failure of a command that was stopped before it changed anything.
pub(super) fn stopped<T>() -> Result<T, Failure> {
    Err(Failure::new(Status::Interrupted, "stopped before anything was changed"))
}

/// How a command reports its events and outcome.
pub(super) struct Reporting<'a> {
    pub format: Format,
    /// The outcome that counts as success.
    pub goal: Status,
    pub now: &'a dyn Fn() -> jiff::Timestamp,
    pub stop: &'a Stop,
    /// The rollout that the job's deployment on GitHub follows.
    pub rollout: Option<TrackedRollout<'a>>,
}

impl Reporting<'_> {
    /// Runs `run` and reports its events and its outcome on standard output. Returns the exit code, too.
    pub(super) async fn run<F>(self, run: F) -> (u8, Outcome)
    where
        F: AsyncFnOnce(&mut dyn FnMut(TimedEvent)) -> Outcome,
    {
        let Reporting { format, goal, now, stop, rollout } = self;
        let writer = EventWriter::new(output::reporter(format, goal).from(now()));
        let mut step = Step::begin(format, goal, now(), rollout);
        let mut bars = LayerBars::new(format);
        let mut report = |event: TimedEvent| {
            if !bars.is_line(&event.event) {
                return;
            }
            if let Some(step) = &mut step {
                step.note(&event);
            }
            writer.emit(event);
        };
        let outcome = run(&mut report).await;
        let code = outcome.outcome.exit_code();
        let event = Event::Outcome(Box::new(outcome.clone()));
        report(TimedEvent { time: now(), event });
        writer.finish(stop);
        if let Some(step) = step {
            step.finish(stop).await;
        }
        (code, outcome)
    }
}
