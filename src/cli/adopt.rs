//! `cutover adopt`

use serde_json::{Value, json};

use super::session::{self, AccountContext};
use super::signals::{self, Hangup};
use super::{CommonArgs, Format, environment, output};
use crate::adopt::{AdoptError, Adopted, adopt};
use cutover_rollout::model::Failure;

/// Pin what is running, without replacing any instances.
///
/// Pins groups that launch from $Latest or $Default to the version number that their instances run, and an
/// image tag in the user data to its current digest.
#[derive(Debug, clap::Args)]
pub(super) struct Adopt {
    #[command(flatten)]
    common: CommonArgs,
}

impl Adopt {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        let start = jiff::Timestamp::now();
        // The first signal is ignored; the second ends the process, which is safe between any two changes.
        signals::block_on(format, Hangup::Stops, async move |_| {
            match Box::pin(self.adopt()).await {
                Ok(adopted) => {
                    let text = match format {
                        Format::Json => as_json(&adopted).to_string(),
                        Format::Human | Format::Actions => as_text(&adopted),
                    };
                    output::print_result(format, start, &text, None)
                }
                Err(failure) => output::report_error(format, failure),
            }
        })
    }

    async fn adopt(&self) -> Result<Adopted, Failure> {
        let AccountContext { config, net, cloud } = session::open(&self.common).await?;
        let logins = environment::caller(false).logins;
        adopt(&net, &cloud, &config, &logins).await.map_err(|failed| failure(&failed))
    }
}

/// Returns the failure with its hint.
fn failure(failed: &AdoptError) -> Failure {
    match failed {
        AdoptError::Partly(adopted, cause) => {
            let cause = failure(cause);
            match changes(adopted).join("\n") {
                none if none.is_empty() => cause,
                lines => {
                    let Failure { message, .. } = &cause;
                    let message =
                        format!("{message}\nthese earlier changes stay in effect:\n{lines}");
                    Failure { message, ..cause }
                }
            }
        }
        AdoptError::Cloud(error) => error.into(),
        AdoptError::Ledger(error) => error.into(),
        AdoptError::Registry(_) | AdoptError::Changed { .. } => Failure::failed(failed.to_string()),
        AdoptError::Destination(error) => error.into(),
        _ => Failure::refused(failed.to_string()),
    }
}

/// Returns the changes, one per line.
fn changes(adopted: &Adopted) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(version) = &adopted.version {
        lines.push(format!(
            "version  {} {} is a copy of version {} with {} instead of the tag {}",
            adopted.template, version.number, version.source, version.image, version.tag
        ));
    }
    for (group, from, to) in &adopted.groups {
        lines.push(format!("pinned   {group}: version {from} → {to}"));
    }
    lines
}

fn as_text(adopted: &Adopted) -> String {
    let mut lines = changes(adopted);
    if let Some(why) = &adopted.unpinnable {
        lines.push(format!("skipped  the user data was not changed: {why}"));
    }
    lines.push(match (adopted.groups.is_empty(), adopted.version.is_some()) {
        (true, false) => "✔ nothing to adopt: every group is pinned to a version number".to_owned(),
        _ => {
            "✔ adopted: no instances were replaced; new ones launch from these versions".to_owned()
        }
    });
    lines.join("\n")
}

fn as_json(adopted: &Adopted) -> Value {
    let group = |(name, from, to): &(String, _, u64)| {
        let from: &cutover_rollout::model::VersionSpec = from;
        json!({ "group": name, "from": from.to_string(), "to": to })
    };
    let version = adopted.version.as_ref().map(|version| {
        json!({
            "number": version.number,
            "source": version.source,
            "tag": version.tag,
            "image": version.image.to_string(),
        })
    });
    json!({
        "launch_template": adopted.template,
        "version": version,
        "groups": adopted.groups.iter().map(group).collect::<Vec<_>>(),
        "skipped": adopted.unpinnable.as_ref().map(ToString::to_string),
    })
}
