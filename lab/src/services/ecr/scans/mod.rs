//! Scans images for vulnerabilities. The image's labels say what a scan finds: `lab.findings` has the counts by
//! severity, as in `HIGH:2,LOW:5`; `lab.scan` has another final status, such as `UNSUPPORTED_IMAGE` or `FAILED`.
//! Without labels a scan completes and finds nothing.

mod findings;
pub(super) mod scan;

use jiff::{SignedDuration, Timestamp};

use super::image_id::{find, image_id};
use super::registry_scanning::{ScanFrequency, ScanType};
use super::request::{self, repository, response_for, settings_mut};
use crate::services::registry::{Image, labels};
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::{World, elapsed, later};
use findings::Findings;
use scan::Scan;

pub(in crate::services::ecr) use super::errors::{image_id_text, limit, unknown_image, validation};

/// The shortest time between two scans of an image (API reference, StartImageScan: once every 24 hours).
const MIN_SCAN_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

impl Scan {
    /// Returns its status at `world.now` and the description of the status. A basic scan is IN_PROGRESS, then
    /// COMPLETE; an enhanced one is PENDING, then ACTIVE if it is continuous (user guide, "Enhanced scanning").
    fn status(&self, world: &World) -> (&str, &'static str) {
        let (takes, running) = match self.kind {
            ScanType::Basic => (world.params.scan_basic, "IN_PROGRESS"),
            ScanType::Enhanced => (world.params.scan_enhanced, "PENDING"),
        };
        if elapsed(self.started, world.now) < takes {
            return match self.kind {
                ScanType::Basic => (running, ""),
                ScanType::Enhanced => {
                    (running, "Scan status is pending. The image is queued for a scan.")
                }
            };
        }
        match (&self.final_status, self.continuous) {
            (Some(end), _) if end == "UNSUPPORTED_IMAGE" => (
                end,
                "UnsupportedImageError: The operating system and/or package manager are not supported.",
            ),
            (Some(end), _) => (end, "The scan did not complete."),
            (None, false) => ("COMPLETE", "The scan was completed successfully."),
            (None, true) => ("ACTIVE", "Continuous scan is selected for image."),
        }
    }

    fn is_done(&self, world: &World) -> bool {
        matches!(self.status(world).0, "COMPLETE" | "ACTIVE")
    }
}

/// Starts a scan of an image at `world.now`. An index has nothing to scan.
fn begin(world: &World, name: &str, image: &Image, kind: ScanType, continuous: bool) -> Scan {
    let repository = world.registry.ecr.repositories.get(name);
    let labels = repository.and_then(|found| labels(&world.registry.ecr, found, image));
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).map(String::as_str);
    let findings = Findings::of(label("lab.findings").unwrap_or_default());
    let end = label("lab.scan").filter(|end| *end != "COMPLETE").map(str::to_owned);
    Scan { started: world.now, kind, continuous, findings, final_status: end }
}

/// Scans a newly pushed image, if the repository's or the registry's configuration says so.
pub(super) fn scan_new_image(world: &mut World, name: &str, digest: &str) {
    let scan_on_push = world.ecr.settings.get(name).is_some_and(|s| s.scan_on_push);
    let registry = &world.ecr.registry;
    let (kind, frequency) = (registry.scan_type(), registry.frequency(name));
    let wanted = match kind {
        ScanType::Basic => scan_on_push || frequency == ScanFrequency::OnPush,
        ScanType::Enhanced => frequency != ScanFrequency::Manual,
    };
    let repository = world.registry.ecr.repositories.get(name);
    let image = repository.and_then(|repository| repository.images.get(digest));
    let Some(image) = image.filter(|image| wanted && !image.is_index()) else { return };
    let scan = begin(world, name, image, kind, frequency == ScanFrequency::Continuous);
    let settings = world.ecr.settings.entry(name.to_owned()).or_default();
    settings.scans.insert(digest.to_owned(), scan);
}

pub(super) fn start(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = repository(world, input)?;
    let id = input.get("imageId");
    let digest = find(repository, id).map_err(|_| unknown_image(world, name, id))?;
    let image = repository.images.get(&digest).ok_or_else(|| unknown_image(world, name, id))?;
    if world.ecr.registry.scan_type() == ScanType::Enhanced {
        // As users of registries with enhanced scanning report it.
        return Err(validation("This feature is disabled"));
    }
    if image.is_index() {
        return Err(ApiError::sender(
            "UnsupportedImageTypeException",
            format!("The image type {} is not supported for scanning", image.media_type),
        ));
    }
    let last = world.ecr.settings.get(name).and_then(|settings| settings.scans.get(&digest));
    if last.is_some_and(|last| world.now.duration_since(last.started) < MIN_SCAN_INTERVAL) {
        return Err(limit("The scan quota per image has been exceeded. Wait and try again."));
    }
    let scan = begin(world, name, image, ScanType::Basic, false);
    let (name, settings) = settings_mut(world, input)?;
    settings.scans.insert(digest.clone(), scan);
    Ok(response_for(world, name)
        .with("imageId", image_id(&digest, id.str("imageTag")))
        .with("imageScanStatus", map([("status", "IN_PROGRESS".into())])))
}

pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let (name, repository) = repository(world, input)?;
    let id = input.get("imageId");
    let digest = find(repository, id).map_err(|_| unknown_image(world, name, id))?;
    let found = world.ecr.settings.get(name).and_then(|settings| settings.scans.get(&digest));
    let scan = found.ok_or_else(|| {
        ApiError::sender(
            "ScanNotFoundException",
            format!(
                "Image scan does not exist for the image with '{}' in the repository with name '{name}' \
                 in the registry with id '{}'",
                image_id_text(id),
                world.account
            ),
        )
    })?;
    let answer = response_for(world, name)
        .with("imageId", image_id(&digest, id.str("imageTag")))
        .with("imageScanStatus", status(world, scan));
    if !scan.is_done(world) {
        return Ok(answer);
    }
    let all = match scan.kind {
        ScanType::Basic => scan.findings.basic(),
        ScanType::Enhanced => {
            let image = format!("{}/sha256:{}", request::arn(world, name), hex(&digest));
            scan.findings.enhanced(&world.account, &image, completed(world, scan))
        }
    };
    let (page, next) = request::page(input, all.into_iter())?;
    let list = match scan.kind {
        ScanType::Basic => "findings",
        ScanType::Enhanced => "enhancedFindings",
    };
    let found = summary(world, scan).with(list, Value::List(page));
    Ok(answer.with("imageScanFindings", found).with("nextToken", next))
}

/// Adds the status and summary of an image's scan to its description.
pub(super) fn with_summary(world: &World, name: &str, digest: &str, detail: Value) -> Value {
    let scan = world.ecr.settings.get(name).and_then(|settings| settings.scans.get(digest));
    let Some(scan) = scan else { return detail };
    let detail = detail.with("imageScanStatus", status(world, scan));
    match scan.is_done(world) {
        true => detail.with("imageScanFindingsSummary", summary(world, scan)),
        false => detail,
    }
}

fn status(world: &World, scan: &Scan) -> Value {
    let (status, description) = scan.status(world);
    let description = Some(description).filter(|text| !text.is_empty());
    map([("status", status.into()), ("description", description.into())])
}

fn summary(world: &World, scan: &Scan) -> Value {
    let at = completed(world, scan);
    map([
        ("imageScanCompletedAt", at.into()),
        ("vulnerabilitySourceUpdatedAt", at.into()),
        ("findingSeverityCounts", scan.findings.counts()),
    ])
}

fn completed(world: &World, scan: &Scan) -> Timestamp {
    let takes = match scan.kind {
        ScanType::Basic => world.params.scan_basic,
        ScanType::Enhanced => world.params.scan_enhanced,
    };
    later(scan.started, takes)
}

fn hex(digest: &str) -> &str {
    digest.trim_start_matches("sha256:")
}
