//! The adoption carried out: read, decide, change, read again.

use std::time::Duration;

use super::plan::{Adoption, Retag, Unadoptable, base, plan};
use crate::cloud::{Change, Cloud, CloudError, TemplateFacts, VersionFacts};
use crate::config::{Config, UserData};
use crate::discovery::{Image, Unpinnable, find_image};
use crate::engine::{Ledger, LedgerError};
use crate::model::{Group, ImageReference, VersionSpec};
use crate::net::Net;
use crate::publish::{DestinationError, Logins, connect_to_read};
use crate::registry::RegistryError;
use crate::template::{self, PinError, Source, VersionIdentity, client_token};

/// How often a new version is looked for before it is used: what EC2 has just made, other services may not see yet
/// (EC2 API reference, "Eventual consistency").
const LOOKS: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The launch template's name.
    pub template: String,
    /// Each pinned group: what it launched from, and the number that it launches from now.
    pub groups: Vec<(String, VersionSpec, u64)>,
    /// The version that names the image by its digest, where one had to be made.
    pub version: Option<NewVersion>,
    /// Why the user data could not be pinned, if it could not.
    pub left: Option<Unpinnable>,
}

/// A launch template version that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// Its number.
    pub number: u64,
    /// The version that it differs from in the image alone.
    pub source: u64,
    /// The tag that stood in that one.
    pub tag: String,
    /// The image that the tag meant.
    pub image: ImageReference,
}

/// Why nothing, or nothing more, could be adopted. What was changed before stays; [`Failed::Partly`] says what.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The service does not fit.
    #[error(transparent)]
    Unadoptable(#[from] Unadoptable),
    /// AWS did not answer, or refused.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The registry cannot be asked.
    #[error("{0}")]
    Destination(#[from] DestinationError),
    /// The registry did not answer.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// The user data with the digest does not fit.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// A group is not there.
    #[error("the Auto Scaling group `{0}` does not exist: correct `fleet` in the configuration")]
    NoGroup(String),
    /// The template is not there.
    #[error("the launch template `{0}` does not exist any longer")]
    NoTemplate(String),
    /// A rollout has not ended.
    #[error(
        "rollout {0} of this service is not finished: `cutover deploy` resumes it, `cutover rollback` rolls it back"
    )]
    Unfinished(u64),
    /// An instance refresh is going on.
    #[error("an instance refresh of `{0}` is active: wait for its end")]
    Refreshing(String),
    /// The tag names nothing.
    #[error(
        "{0}:{1} is not in the registry, so there is no digest to pin: push it again, or write a tag that is there"
    )]
    NoImage(String, String),
    /// Something was changed before the rest failed.
    #[error("{1}")]
    Partly(Box<Adopted>, Box<Failed>),
    /// A change is not seen.
    #[error(
        "`{group}` still launches from version {found}, not {wanted}: run `cutover adopt` again"
    )]
    Changed {
        /// The group.
        group: String,
        /// What it should launch from.
        wanted: u64,
        /// What it launches from.
        found: String,
    },
}

/// Pins what a configuration names. Nothing is changed where all of it is pinned.
///
/// # Errors
/// Where something does not fit or does not answer.
pub async fn adopt(
    net: &Net,
    cloud: &Cloud,
    config: &Config,
    logins: &Logins,
) -> Result<Adopted, Failed> {
    no_rollout(cloud, config).await?;
    let groups = groups(cloud, config).await?;
    for group in &groups {
        let refreshes = cloud.refreshes(&group.name).await?;
        if refreshes.iter().any(|refresh| refresh.status.is_active()) {
            return Err(Failed::Refreshing(group.name.clone()));
        }
    }
    let facts = template_facts(cloud, &groups).await?;
    let version = match base(&groups, &facts) {
        Some(number) => cloud.version(&facts.id, number).await?,
        None => None,
    };
    let (image, left) = match &config.template.user_data {
        UserData::Rewrite => image(cloud, config, version.as_ref()),
        // The next version's user data comes from the repository, whatever this one names.
        UserData::File(_) => (None, None),
    };
    let Some(adoption) = plan(&groups, &facts, image.as_ref())? else {
        return Err(Failed::NoTemplate(facts.name));
    };
    // One may have begun while this was read. One that begins later sees another template than it expects, and stops.
    no_rollout(cloud, config).await?;
    let mut adopted = Adopted { template: facts.name, groups: Vec::new(), version: None, left };
    let mut made = None;
    if let (Some(retag), Some(version)) = (&adoption.retag, &version) {
        let image = meant(net, cloud, logins, retag).await?;
        let number = make((net, cloud), config, &adoption, version, &image).await?;
        let tag = retag.tag.clone();
        adopted.version = Some(NewVersion { number, source: version.number, tag, image });
        made = Some(number);
    }
    for pin in &adoption.pins {
        let Some(number) = pin.to.or(made) else { continue };
        let group = groups.iter().find(|group| group.name == pin.group);
        let Some(group) = group else { continue };
        match cloud.pin(&pin.group, &group.source, &adoption.template.id, number).await {
            Change::Done(()) => {}
            // Whether it took is read below.
            Change::Unknown(_) => {}
            Change::Refused(error) => {
                return Err(Failed::Partly(Box::new(adopted), Box::new(error.into())));
            }
        }
        adopted.groups.push((pin.group.clone(), pin.from, number));
    }
    match prove((net, cloud), config, &adopted).await {
        Ok(()) => Ok(adopted),
        Err(error) => Err(Failed::Partly(Box::new(adopted), Box::new(error))),
    }
}

/// Refuses while a rollout of the service is unfinished: which version its groups launch from is the rollout's business.
async fn no_rollout(cloud: &Cloud, config: &Config) -> Result<(), Failed> {
    let records = Ledger::new(cloud, &config.service).records().await?;
    match records.last().filter(|record| !record.is_finished()) {
        Some(record) => Err(Failed::Unfinished(record.number)),
        None => Ok(()),
    }
}

async fn groups(cloud: &Cloud, config: &Config) -> Result<Vec<Group>, Failed> {
    let names = config.groups();
    let groups = cloud.groups(&names).await?;
    match names.iter().find(|name| !groups.iter().any(|group| group.name == **name)) {
        Some(missing) => Err(Failed::NoGroup((*missing).to_owned())),
        None => Ok(groups),
    }
}

async fn template_facts(cloud: &Cloud, groups: &[Group]) -> Result<TemplateFacts, Failed> {
    let used = groups.iter().find_map(|group| group.source.template());
    let Some(used) = used else {
        let name = groups.first().map(|group| group.name.clone()).unwrap_or_default();
        return Err(Unadoptable::NoTemplate(name).into());
    };
    let facts = cloud.template(&used.name).await?;
    facts.ok_or_else(|| Failed::NoTemplate(used.name.clone()))
}

/// The image in the version's user data.
fn image(
    cloud: &Cloud,
    config: &Config,
    version: Option<&VersionFacts>,
) -> (Option<Image>, Option<Unpinnable>) {
    let Some(version) = version else { return (None, None) };
    let own = |repository: &_| match config.image.push.first() {
        Some(pushed) => pushed == repository,
        None => cloud.owns(repository),
    };
    match find_image(version.user_data.bytes(), own) {
        Ok(image) => (Some(image), None),
        Err(why) => (None, Some(why)),
    }
}

/// The image that the tag names now.
async fn meant(
    net: &Net,
    cloud: &Cloud,
    logins: &Logins,
    retag: &Retag,
) -> Result<ImageReference, Failed> {
    let Retag { repository, tag, .. } = retag;
    let place = connect_to_read(net, Some(cloud), repository, logins).await?;
    let digest = place.registry.manifest_digest(repository, tag).await?;
    let digest = digest.ok_or_else(|| Failed::NoImage(repository.to_string(), tag.clone()))?;
    Ok(ImageReference { repository: repository.clone(), digest })
}

/// Makes the version and waits until it can be seen.
async fn make(
    (net, cloud): (&Net, &Cloud),
    config: &Config,
    adoption: &Adoption,
    source: &VersionFacts,
    image: &ImageReference,
) -> Result<u64, Failed> {
    let live = source.user_data.encoded();
    let pinned = template::pin(&Source::Rewrite, live.as_deref(), image)?;
    let token = client_token(&VersionIdentity {
        template_id: &adoption.template.id,
        source_version: source.number,
        user_data: &pinned.base64,
        service: &config.service,
        intent: "adopt",
        last_finished: 0,
    });
    let description = format!("cutover adopt: version {} with the image's digest", source.number);
    let made = cloud
        .create_version(&adoption.template.id, source.number, &pinned.base64, &description, &token)
        .await;
    let number = match made {
        Change::Done(number) => number,
        Change::Refused(error) | Change::Unknown(error) => return Err(error.into()),
    };
    for _ in 0..LOOKS {
        // The version exists whatever a read says, and is to be reported.
        if matches!(cloud.version(&adoption.template.id, number).await, Ok(Some(_))) {
            break;
        }
        net.clock.sleep(PAUSE).await;
    }
    Ok(number)
}

/// Reads the groups until they launch from what was asked for. A read may be older than the change.
async fn prove(
    (net, cloud): (&Net, &Cloud),
    config: &Config,
    adopted: &Adopted,
) -> Result<(), Failed> {
    for _ in 1..LOOKS {
        if compare(cloud, config, adopted).await.is_ok() {
            return Ok(());
        }
        net.clock.sleep(PAUSE).await;
    }
    compare(cloud, config, adopted).await
}

async fn compare(cloud: &Cloud, config: &Config, adopted: &Adopted) -> Result<(), Failed> {
    for group in groups(cloud, config).await? {
        let wanted = adopted.groups.iter().find(|(name, ..)| *name == group.name);
        let Some((_, _, wanted)) = wanted else { continue };
        let found = group.source.template().map(|template| template.version);
        if found != Some(VersionSpec::Number(*wanted)) {
            return Err(Failed::Changed {
                group: group.name,
                wanted: *wanted,
                found: found.map_or_else(|| "none".to_owned(), |version| version.to_string()),
            });
        }
    }
    Ok(())
}
