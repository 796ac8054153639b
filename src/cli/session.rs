//! What verbs against an account begin with: the configuration, the way out, and who we are.

use super::teller::Teller;
use super::{Common, Format, output};
use crate::cloud::{Class, Cloud, CredentialSource, Settings};
use crate::config::{self, Config};
use crate::engine::{Caller, Stop};
use crate::model::{Ending, Event, Outcome, Stamped};
use crate::net::Net;
use crate::publish::Logins;

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

/// Reads the configuration and connects.
pub(super) async fn open(common: &Common) -> Result<Session, Failure> {
    let config = config::load(&common.config).map_err(|e| (Ending::Refused, e.to_string()))?;
    let mut net = Net::real().map_err(|error| (Ending::Failed, error.to_string()))?;
    if let Some(speed) = variable(SPEED) {
        let rate = speed.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
        let rate = rate.ok_or_else(|| (Ending::Refused, format!("{SPEED}={speed} is no speed: write a number above 0, as `cutover lab serve` prints it")))?;
        net.clock = net.clock.with_rate(rate);
    }
    let cloud = connect(&net, &config).await?;
    Ok(Session { config, net, cloud })
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

/// The account that the environment's credentials are of.
pub(super) async fn connect_in(net: &Net, region: Option<String>) -> Result<Cloud, Failure> {
    let settings = Settings {
        region,
        account: None,
        role: None,
        service: "push".to_owned(),
        credentials: CredentialSource::detect(None, variable),
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
        (ending, format!("{error}\n{}", error.hint()))
    })
}

/// An environment variable that is set to something.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Who runs this process: an Actions run, or somebody by hand.
pub(super) fn caller(force: bool) -> Caller {
    let workflow = variable("GITHUB_RUN_ID")
        .zip(variable("GITHUB_RUN_NUMBER").and_then(|number| number.parse().ok()));
    let attempt = variable("GITHUB_RUN_ATTEMPT").unwrap_or_default();
    let who = match &workflow {
        Some((id, _)) => format!("actions run {id}.{attempt}"),
        None => variable("USER").unwrap_or_else(|| "somebody".to_owned()),
    };
    let moment = jiff::Timestamp::now().as_nanosecond();
    Caller {
        holder: format!("{who}, process {} at {moment}", std::process::id()),
        workflow,
        commit: variable("GITHUB_SHA"),
        force,
        logins: Logins::of(variable),
    }
}

/// The outcome of a verb that was asked to stop while it only looked.
pub(super) fn stopped<T>() -> Result<T, Failure> {
    Err((Ending::Interrupted, "stopped before anything was changed".to_owned()))
}

/// Runs what ends in an outcome, telling its events on standard output.
pub(super) async fn tell<F>(
    format: Format,
    (now, stop): (&dyn Fn() -> jiff::Timestamp, &Stop),
    run: F,
) -> (u8, Outcome)
where
    F: AsyncFnOnce(&mut dyn FnMut(Stamped)) -> Outcome,
{
    let teller = Teller::new(output::reporter(format).from(now()));
    let outcome = run(&mut |event| teller.tell(event)).await;
    let code = outcome.outcome.exit_code();
    let event = Event::Outcome(Box::new(outcome.clone()));
    teller.tell(Stamped { time: now(), event });
    teller.finish(stop);
    (code, outcome)
}
