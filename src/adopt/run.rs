//! Carries out an adoption: reads, decides, changes, verifies.

use std::time::Duration;

use super::plan::{Adoption, DigestPin, Unadoptable, base, plan};
use crate::discovery::{Image, Unpinnable, find_image};
use crate::publish::{DestinationError, Logins, RegistryAccess};
use crate::runner::{Ledger, LedgerError};
use cutover_aws::{Aws, AwsError, Change, TemplateFacts, VersionFacts};
use cutover_config::{Config, UserData};
use cutover_net::Net;
use cutover_oci::registry::RegistryError;
use cutover_rollout::model::{Group, ImageReference, VersionSpec};
use cutover_rollout::template::{self, PinError, UserDataSource, VersionIdentity, client_token};

/// How often a change is read back, because other services may not see it immediately (EC2 API reference, "Eventual
/// consistency").
const LOOKS: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// The changes of an adoption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The launch template's name.
    pub template: String,
    /// The pinned groups: name, previous version, and the version number that it launches from now.
    pub groups: Vec<(String, VersionSpec, u64)>,
    /// The new version with the image's digest, if one was created.
    pub version: Option<NewVersion>,
    /// The reason why the user data could not be pinned, if there is one.
    pub unpinnable: Option<Unpinnable>,
}

/// A launch template version that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// The version number.
    pub number: u64,
    /// The version that it is based on; they differ only in the image.
    pub source: u64,
    /// The tag in that version.
    pub tag: String,
    /// The image that the tag referred to.
    pub image: ImageReference,
}

/// The reason why the adoption failed. Earlier changes are kept; [`AdoptError::Partly`] contains them.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The service cannot be adopted.
    #[error(transparent)]
    Unadoptable(#[from] Unadoptable),
    /// An AWS request failed.
    #[error(transparent)]
    Cloud(#[from] AwsError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No connection to the registry is possible.
    #[error("{0}")]
    Destination(#[from] DestinationError),
    /// A request to the registry failed.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// The user data cannot be pinned.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// A group does not exist.
    #[error("the Auto Scaling group `{0}` does not exist: correct `fleet` in the configuration")]
    NoGroup(String),
    /// The launch template does not exist.
    #[error("the launch template `{0}` no longer exists")]
    NoTemplate(String),
    /// A rollout is unfinished.
    #[error(
        "rollout {0} of this service is unfinished: resume it with `cutover deploy` or roll it back with `cutover rollback`"
    )]
    Unfinished(u64),
    /// An instance refresh is active.
    #[error("an instance refresh of `{0}` is active: wait until it is complete")]
    Refreshing(String),
    /// The tag does not exist.
    #[error(
        "{0}:{1} is not in the registry, so there is no digest to pin: push it again, or use an existing tag"
    )]
    NoImage(String, String),
    /// Some changes were made before the failure.
    #[error("{1}")]
    Partly(Box<Adopted>, Box<AdoptError>),
    /// A change did not take effect.
    #[error(
        "the group `{group}` still launches from version {found}, not {wanted}: run `cutover adopt` again"
    )]
    Changed {
        /// The Auto Scaling group.
        group: String,
        /// The version that it should launch from.
        wanted: u64,
        /// The version that it launches from.
        found: String,
    },
}

/// Pins the groups and the image of a configuration. Changes nothing if everything is pinned.
///
/// # Errors
/// See [`AdoptError`].
pub async fn adopt(
    net: &Net,
    cloud: &Aws,
    config: &Config,
    logins: &Logins,
) -> Result<Adopted, AdoptError> {
    no_rollout(cloud, config).await?;
    let groups = groups(cloud, config).await?;
    for group in &groups {
        let refreshes = cloud.refreshes(&group.name).await?;
        if refreshes.iter().any(|refresh| refresh.status.is_active()) {
            return Err(AdoptError::Refreshing(group.name.clone()));
        }
    }
    let facts = template_facts(cloud, &groups).await?;
    let version = match base(&groups, &facts) {
        Some(number) => cloud.version(&facts.id, number).await?,
        None => None,
    };
    let (image, left) = match &config.template.user_data {
        UserData::Rewrite => image(cloud, config, version.as_ref()),
        // New user data comes from a file, so the image in the live version doesn't matter.
        UserData::File(_) => (None, None),
    };
    let Some(adoption) = plan(&groups, &facts, image.as_ref())? else {
        return Err(AdoptError::NoTemplate(facts.name));
    };
    // A rollout may have begun in the meantime. One that begins later notices the changed template and stops.
    no_rollout(cloud, config).await?;
    let mut adopted =
        Adopted { template: facts.name, groups: Vec::new(), version: None, unpinnable: left };
    let mut made = None;
    if let (Some(retag), Some(version)) = (&adoption.digest_pin, &version) {
        let image = resolve_tag(net, cloud, logins, retag).await?;
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
            // The result is verified below.
            Change::Unknown(_) => {}
            Change::Refused(error) => {
                return Err(AdoptError::Partly(Box::new(adopted), Box::new(error.into())));
            }
        }
        adopted.groups.push((pin.group.clone(), pin.from, number));
    }
    match wait_until_pinned((net, cloud), config, &adopted).await {
        Ok(()) => Ok(adopted),
        Err(error) => Err(AdoptError::Partly(Box::new(adopted), Box::new(error))),
    }
}

/// Refuses to adopt while a rollout is unfinished, because the rollout sets the versions of the groups.
async fn no_rollout(cloud: &Aws, config: &Config) -> Result<(), AdoptError> {
    let records = Ledger::new(cloud, &config.service).records().await?;
    match records.last().filter(|record| !record.is_finished()) {
        Some(record) => Err(AdoptError::Unfinished(record.number)),
        None => Ok(()),
    }
}

async fn groups(cloud: &Aws, config: &Config) -> Result<Vec<Group>, AdoptError> {
    let names = config.groups();
    let groups = cloud.groups(&names).await?;
    match names.iter().find(|name| !groups.iter().any(|group| group.name == **name)) {
        Some(missing) => Err(AdoptError::NoGroup((*missing).to_owned())),
        None => Ok(groups),
    }
}

async fn template_facts(cloud: &Aws, groups: &[Group]) -> Result<TemplateFacts, AdoptError> {
    let used = groups.iter().find_map(|group| group.source.template());
    let Some(used) = used else {
        let name = groups.first().map(|group| group.name.clone()).unwrap_or_default();
        return Err(Unadoptable::NoTemplate(name).into());
    };
    let facts = cloud.template(&used.name).await?;
    facts.ok_or_else(|| AdoptError::NoTemplate(used.name.clone()))
}

/// Finds the image in the version's user data.
fn image(
    cloud: &Aws,
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

/// Resolves the tag to an image by digest.
async fn resolve_tag(
    net: &Net,
    cloud: &Aws,
    logins: &Logins,
    retag: &DigestPin,
) -> Result<ImageReference, AdoptError> {
    let DigestPin { repository, tag, .. } = retag;
    let access = RegistryAccess { net, cloud: Some(cloud), logins };
    let place = access.connect_to_read(repository).await?;
    let digest = place.registry.manifest_digest(repository, tag).await?;
    let digest = digest.ok_or_else(|| AdoptError::NoImage(repository.to_string(), tag.clone()))?;
    Ok(ImageReference { repository: repository.clone(), digest })
}

/// Creates the version and waits until it can be read.
async fn make(
    (net, cloud): (&Net, &Aws),
    config: &Config,
    adoption: &Adoption,
    source: &VersionFacts,
    image: &ImageReference,
) -> Result<u64, AdoptError> {
    let live = source.user_data.encoded();
    let pinned = template::pin(&UserDataSource::Rewrite, live.as_deref(), image)?;
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
        // The version exists even if reads fail, and must be reported.
        if matches!(cloud.version(&adoption.template.id, number).await, Ok(Some(_))) {
            break;
        }
        net.clock.sleep(PAUSE).await;
    }
    Ok(number)
}

/// Reads the groups until they have the new versions. A read may be older than the change.
async fn wait_until_pinned(
    (net, cloud): (&Net, &Aws),
    config: &Config,
    adopted: &Adopted,
) -> Result<(), AdoptError> {
    for _ in 1..LOOKS {
        if compare(cloud, config, adopted).await.is_ok() {
            return Ok(());
        }
        net.clock.sleep(PAUSE).await;
    }
    compare(cloud, config, adopted).await
}

async fn compare(cloud: &Aws, config: &Config, adopted: &Adopted) -> Result<(), AdoptError> {
    for group in groups(cloud, config).await? {
        let wanted = adopted.groups.iter().find(|(name, ..)| *name == group.name);
        let Some((_, _, wanted)) = wanted else { continue };
        let found = group.source.template().map(|template| template.version);
        if found != Some(VersionSpec::Number(*wanted)) {
            return Err(AdoptError::Changed {
                group: group.name,
                wanted: *wanted,
                found: found.map_or_else(|| "none".to_owned(), |version| version.to_string()),
            });
        }
    }
    Ok(())
}
