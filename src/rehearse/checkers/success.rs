//! Promise 4, success is proven: what exit code 0 asserts is checked against the lab's state.

use cutover_lab::services::autoscaling::LifecycleState;
use cutover_lab::world::World;

use super::capacity::node_still_routes_to;
use super::external::ExternalChange;
use super::readiness::earlier;
use super::runs::Run;
use super::snapshot::SideSnapshot;
use super::{CheckContext, Violations};
use cutover_rollout::model::{ImageReference, Outcome, Status};

const PROMISE: &str = "4 success is proven";

/// Checks a process that ended and asserts something.
pub(super) fn ended(
    scene: &CheckContext<'_>,
    name: &str,
    outcome: &Outcome,
    found: &mut Violations,
) {
    if outcome.outcome != Status::Succeeded && outcome.proof.is_none() {
        return;
    }
    let Some(run) = scene.runs.get(name) else { return };
    for wrong in wrong(scene, name, run, outcome) {
        found.report(PROMISE, scene.world.now, format!("{name} reported success, but {wrong}"));
    }
}

fn wrong(scene: &CheckContext<'_>, name: &str, run: &Run, outcome: &Outcome) -> Vec<String> {
    let mut wrong = Vec::new();
    let staleness = scene.tolerance.staleness;
    let Some(version) = outcome.launch_template_version else {
        return vec!["the outcome names no launch template version".to_owned()];
    };
    let since = |read: Option<jiff::Timestamp>| {
        read.map_or(scene.world.now, |read| earlier(read, staleness + scene.tolerance.look))
    };
    let is_pair = scene.names.sides.len() == 2;
    let sides = 0..scene.names.sides.len();
    let proven = |side: &SideSnapshot| side.uniform == Some(version) && side.refresh.is_none();
    // The side that had all traffic when the run read its proof. It may have scaled in since.
    let winner = sides.clone().find(|side| {
        scene.past.since(since(run.read.version.last())).any(|truth| {
            (!is_pair || truth.is_all(*side)) && truth.sides[*side].as_ref().is_some_and(proven)
        })
    });
    match winner {
        None => wrong.push(format!(
            "at no time when it read the account was all traffic on healthy instances of version {version}"
        )),
        Some(side) => {
            if is_pair && !scene.past.since(since(run.read.rules.last())).any(|t| t.is_all(side)) {
                wrong.push("traffic had left the new side when it last read the rules".to_owned());
            }
            let lately = earlier(scene.world.now, cutover_rollout::T);
            for other in sides.filter(|other| *other != side) {
                if node_still_routes_to(scene, other) && !scene.hands.weights_moved_since(lately) {
                    let what = "a load balancer node still sends traffic to the old side";
                    wrong.push(what.to_owned());
                }
            }
            if let Some(image) = &outcome.image {
                wrong.extend(runs_other_image(scene, side, version, image));
            }
        }
    }
    if outcome.image.is_none() && outcome.outcome == Status::Succeeded {
        wrong.push("the outcome names no image".to_owned());
    }
    if let Some(image) = &outcome.image
        && !pins(scene.world, &scene.names.template, version, image)
    {
        wrong.push(format!(
            "the user data of version {version} does not pin {} alone",
            image.digest
        ));
    }
    if let Some(claim) = run.claim()
        && let Some(newer) = scene.runs.newer(claim.number, name)
        && newer < run.read.claim.last().map_or(scene.world.now, |read| earlier(read, staleness))
        && !scene.hands.touched(&ExternalChange::Ledger)
    {
        wrong.push(format!("a newer run had claimed at {newer}"));
    }
    wrong
}

/// Returns what an instance of the version runs, if it is another image.
fn runs_other_image(
    scene: &CheckContext<'_>,
    side: usize,
    version: u64,
    image: &ImageReference,
) -> Option<String> {
    let group = scene.world.autoscaling.groups.get(&scene.names.sides[side].group)?;
    let serving = group.members.iter().filter(|(_, member)| {
        member.state == LifecycleState::InService && member.template.2 == version
    });
    let digest = image.digest.as_str();
    serving.filter_map(|(id, _)| scene.world.ec2.instances.get(id)).find_map(|instance| {
        let runs = instance.program.digest.as_deref().unwrap_or("nothing");
        (runs != digest).then(|| format!("an instance runs {runs} instead of {digest}"))
    })
}

/// Whether a version's user data pins exactly the image.
fn pins(world: &World, template: &str, version: u64, image: &ImageReference) -> bool {
    use base64::Engine as _;
    let template = world.ec2.templates.get(template);
    let data = template.and_then(|template| template.versions.get(&version)).map(|v| &v.data);
    let encoded = data.and_then(|data| data.str("userData"));
    let bytes =
        encoded.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    bytes.is_some_and(|bytes| pins_only(&String::from_utf8_lossy(&bytes), image))
}

/// Whether a text names the image's repository, and only by its digest: a separate, deliberately
/// simple implementation.
fn pins_only(text: &str, image: &ImageReference) -> bool {
    let (repository, digest) = (image.repository.to_string(), format!("@{}", image.digest));
    let mut named = text.split(repository.as_str()).skip(1).peekable();
    named.peek().is_some()
        && named.all(|after| !after.starts_with([':', '@']) || after.starts_with(&digest))
        && text.contains(&format!("{repository}{digest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_by_its_digest_alone() {
        let digest = format!("sha256:{}", "b".repeat(64));
        let image: ImageReference = format!("registry.example/team/web@{digest}").parse().unwrap();
        let named = format!("docker run {image}");
        assert!(pins_only(&named, &image));
        assert!(pins_only(&format!("docker pull {image}; {named}"), &image));
        for other in [
            "docker run registry.example/team/web".to_owned(),
            "docker run registry.example/team/web:v1".to_owned(),
            format!("docker pull registry.example/team/web:v1; {named}"),
            format!("{named}; docker pull registry.example/team/web@sha256:{}", "c".repeat(64)),
        ] {
            assert!(!pins_only(&other, &image), "{other}");
        }
    }
}
