//! What verbs against an account begin with: the configuration, the way out, and who we are.

use std::future::Future;

use super::{Common, Format, output};
use crate::cloud::{Cloud, CredentialSource, Settings};
use crate::config::{self, Config};
use crate::engine::{Caller, Stop};
use crate::model::{Ending, Outcome, Stamped};
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

/// Reads the configuration and connects.
pub(super) async fn open(common: &Common) -> Result<Session, Failure> {
    let config = config::load(&common.config).map_err(|e| (Ending::Refused, e.to_string()))?;
    let mut net = Net::real().map_err(|error| (Ending::Failed, error.to_string()))?;
    if let Some(speed) = variable(SPEED) {
        let rate = speed.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
        let rate = rate.ok_or_else(|| (Ending::Refused, format!("{SPEED}={speed} is no speed: write a number above 0, as `cutover lab serve` prints it")))?;
        net.clock = net.clock.with_rate(rate);
    }
    let settings = Settings {
        region: Some(config.region.clone()),
        account: config.account.clone(),
        role: config.role.clone(),
        service: config.service.clone(),
        credentials: CredentialSource::detect(config.role.as_deref(), variable),
        endpoint: None,
    };
    let cloud = Cloud::connect(&net, &settings)
        .await
        .map_err(|error| (Ending::Failed, format!("{error}\n{}", error.hint())))?;
    Ok(Session { config, net, cloud })
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
    }
}

/// Runs a verb on a runtime of its own, and asks it to stop at the first SIGINT or SIGTERM.
pub(super) fn block_on<F: Future<Output = u8>>(format: Format, verb: impl FnOnce(Stop) -> F) -> u8 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return output::refuse(format, Ending::Failed, &error.to_string()),
    };
    runtime.block_on(async {
        let (stopper, stop) = Stop::pair();
        tokio::spawn(async move {
            if signalled().await.is_ok() {
                stopper.stop();
                // Who asks twice does not want to wait for a safe place; the record has the rest.
                if signalled().await.is_ok() {
                    std::process::exit(Ending::Interrupted.exit_code().into());
                }
            }
        });
        verb(stop).await
    })
}

#[cfg(unix)]
async fn signalled() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signalled() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Runs what ends in an outcome, telling its events on standard output.
pub(super) async fn tell<F>(format: Format, session: &Session, run: F) -> (u8, Outcome)
where
    F: AsyncFnOnce(&mut dyn FnMut(Stamped)) -> Outcome,
{
    let mut reporter = output::reporter(format);
    let outcome = run(&mut |event| reporter.tell(&event)).await;
    let code = output::finish(&mut reporter, session.cloud.now(), outcome.clone());
    (code, outcome)
}
