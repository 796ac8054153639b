//! `cutover adopt`

use serde_json::{Value, json};

use super::session::{self, Failure, Session};
use super::signals::{self, Hangup};
use super::{Common, Format, environment, output};
use crate::adopt::{Adopted, Failed, adopt};
use crate::model::Ending;

/// Pin what runs: groups at $Latest to a number, a tag in the user data to its digest; replace no instance.
#[derive(Debug, clap::Args)]
pub(super) struct Adopt {
    #[command(flatten)]
    common: Common,
}

impl Adopt {
    pub(super) fn run(self) -> u8 {
        let format = self.common.format;
        let start = jiff::Timestamp::now();
        // A second signal ends it: between two changes there is nothing to wait for.
        signals::block_on(format, Hangup::Stops, async move |_| {
            match Box::pin(self.adopt()).await {
                Ok(adopted) => {
                    let text = match format {
                        Format::Json => as_json(&adopted).to_string(),
                        Format::Human | Format::Actions => as_text(&adopted),
                    };
                    output::result(format, start, &text, None)
                }
                Err((ending, message)) => output::refuse(format, ending, &message),
            }
        })
    }

    async fn adopt(&self) -> Result<Adopted, Failure> {
        let Session { config, net, cloud } = session::open(&self.common).await?;
        let logins = environment::caller(false).logins;
        adopt(&net, &cloud, &config, &logins).await.map_err(|failed| failure(&failed))
    }
}

/// What went wrong, with what to do about it.
fn failure(failed: &Failed) -> Failure {
    match failed {
        Failed::Partly(adopted, cause) => {
            let (ending, message) = failure(cause);
            match changes(adopted).join("\n") {
                none if none.is_empty() => (ending, message),
                lines => {
                    (ending, format!("{message}\nwhat was changed before that stays:\n{lines}"))
                }
            }
        }
        Failed::Cloud(error) => session::failed(error),
        Failed::Ledger(_)
        | Failed::Registry(_)
        | Failed::Destination(_)
        | Failed::Changed { .. } => (Ending::Failed, failed.to_string()),
        _ => (Ending::Refused, failed.to_string()),
    }
}

/// What was changed, a line each.
fn changes(adopted: &Adopted) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(version) = &adopted.version {
        lines.push(format!(
            "version  {} {} is version {} with {} instead of the tag {}",
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
    if let Some(why) = &adopted.left {
        lines.push(format!("left     the user data stays as it is: {why}"));
    }
    lines.push(match (adopted.groups.is_empty(), adopted.version.is_some()) {
        (true, false) => "✔ nothing to adopt: every group launches from a number".to_owned(),
        _ => "✔ adopted: no instance was replaced; the next one launches from these versions"
            .to_owned(),
    });
    lines.join("\n")
}

fn as_json(adopted: &Adopted) -> Value {
    let group = |(name, from, to): &(String, _, u64)| {
        let from: &crate::model::VersionSpec = from;
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
        "left": adopted.left.as_ref().map(ToString::to_string),
    })
}
