//! Promise 4, success means mine won: what exit 0 asserts is held against the truth.

use cutover_lab::services::autoscaling::Lifecycle;
use cutover_lab::world::World;

use super::blind::earlier;
use super::idle::a_node_sends_to;
use super::runs::Run;
use super::touch::Touch;
use super::truth::SideTruth;
use super::{Found, Scene};
use crate::model::{Ending, ImageReference, Outcome};

const PROMISE: &str = "4 success means mine won";

/// A process ended, and asserts something.
pub(super) fn ended(scene: &Scene<'_>, name: &str, outcome: &Outcome, found: &mut Found) {
    if outcome.outcome != Ending::Succeeded && outcome.proof.is_none() {
        return;
    }
    let Some(run) = scene.runs.get(name) else { return };
    for wrong in wrong(scene, name, run, outcome) {
        found.tell(PROMISE, scene.world.now, format!("{name} ended as succeeded, but {wrong}"));
    }
}

fn wrong(scene: &Scene<'_>, name: &str, run: &Run, outcome: &Outcome) -> Vec<String> {
    let mut wrong = Vec::new();
    let staleness = scene.tolerance.staleness;
    let Some(version) = outcome.launch_template_version else {
        return vec!["it does not say of which version".to_owned()];
    };
    let since = |read: Option<jiff::Timestamp>| {
        read.map_or(scene.world.now, |read| earlier(read, staleness + scene.tolerance.look))
    };
    let is_pair = scene.names.sides.len() == 2;
    let sides = 0..scene.names.sides.len();
    let proven = |side: &SideTruth| side.uniform == Some(version) && side.refresh.is_none();
    // The side that had everything when success was read. It may have scaled in since.
    let winner = sides.clone().find(|side| {
        scene.past.since(since(run.read.version.last())).any(|truth| {
            (!is_pair || truth.is_all(*side)) && truth.sides[*side].as_ref().is_some_and(proven)
        })
    });
    match winner {
        None => wrong.push(format!(
            "at no time when it looked was all traffic on healthy instances of version {version}"
        )),
        Some(side) => {
            if is_pair && !scene.past.since(since(run.read.rules.last())).any(|t| t.is_all(side)) {
                wrong.push("traffic had left the new side when it last looked".to_owned());
            }
            let lately = earlier(scene.world.now, crate::rollout::T);
            for other in sides.filter(|other| *other != side) {
                if a_node_sends_to(scene, other) && !scene.hands.moved_since(lately) {
                    wrong
                        .push("a node of the load balancer still sends to the old side".to_owned());
                }
            }
            if let Some(image) = &outcome.image {
                wrong.extend(runs_another(scene, side, version, image));
            }
        }
    }
    if outcome.image.is_none() && outcome.outcome == Ending::Succeeded {
        wrong.push("it does not say of which image".to_owned());
    }
    if let Some(image) = &outcome.image
        && !pins(scene.world, &scene.names.template, version, image)
    {
        wrong.push(format!(
            "the user data of version {version} does not hold {} alone",
            image.digest
        ));
    }
    if let Some(claim) = run.claim()
        && let Some(newer) = scene.runs.newer(claim.number, name)
        && newer < run.read.claim.last().map_or(scene.world.now, |read| earlier(read, staleness))
        && !scene.hands.touched(&Touch::Ledger)
    {
        wrong.push(format!("a number above its own had been claimed at {newer}"));
    }
    wrong
}

/// What instances of the version really run, where that is something else.
fn runs_another(
    scene: &Scene<'_>,
    side: usize,
    version: u64,
    image: &ImageReference,
) -> Option<String> {
    let group = scene.world.autoscaling.groups.get(&scene.names.sides[side].group)?;
    let serving = group
        .members
        .iter()
        .filter(|(_, member)| member.state == Lifecycle::InService && member.template.2 == version);
    let digest = image.digest.as_str();
    serving.filter_map(|(id, _)| scene.world.ec2.instances.get(id)).find_map(|instance| {
        let runs = instance.program.digest.as_deref().unwrap_or("nothing");
        (runs != digest).then(|| format!("an instance runs {runs} instead of {digest}"))
    })
}

/// Whether a version's user data launches exactly the image.
fn pins(world: &World, template: &str, version: u64, image: &ImageReference) -> bool {
    use base64::Engine as _;
    let template = world.ec2.templates.get(template);
    let data = template.and_then(|template| template.versions.get(&version)).map(|v| &v.data);
    let encoded = data.and_then(|data| data.str("userData"));
    let bytes =
        encoded.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    bytes.is_some_and(|bytes| names_alone(&String::from_utf8_lossy(&bytes), image))
}

/// Whether a text names the image's repository, and always by its digest. The checkers' own reading, as
/// plain as can be.
fn names_alone(text: &str, image: &ImageReference) -> bool {
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
        assert!(names_alone(&named, &image));
        assert!(names_alone(&format!("docker pull {image}; {named}"), &image));
        for other in [
            "docker run registry.example/team/web".to_owned(),
            "docker run registry.example/team/web:v1".to_owned(),
            format!("docker pull registry.example/team/web:v1; {named}"),
            format!("{named}; docker pull registry.example/team/web@sha256:{}", "c".repeat(64)),
        ] {
            assert!(!names_alone(&other, &image), "{other}");
        }
    }
}
