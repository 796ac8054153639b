//! What the destinations have already, by what is remembered of each layer: a question a layer and
//! destination, and no more where nothing has changed.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::earlier::{self, Earlier};
use super::{Destination, Push, Remembered};
use crate::image::Codec;
use crate::model::{Digest, LayerState, Repository};
use crate::registry::RegistryError;

/// Questions at once. Registries answer each in some ten milliseconds; ECR allows 1000 a second
/// (service quotas, BatchCheckLayerAvailability).
const AT_ONCE: usize = 16;

/// A layer, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Its DiffID.
    pub diff_id: Digest,
    /// The blob that it is, once that is known.
    pub blob: Option<Blob>,
    /// The destinations that don't have that blob, by their place in the list.
    pub lacking: Vec<usize>,
    /// Where it is remembered to have been brought.
    places: Vec<Repository>,
}

/// A layer as a registry has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    pub digest: Digest,
    pub size: u64,
    pub codec: Codec,
}

/// Asks all destinations for all layers. A layer that an image has twice is there once.
pub(super) async fn survey(
    push: &Push<'_>,
    diff_ids: &[Digest],
) -> Result<(Vec<Layer>, Earlier), RegistryError> {
    let mut layers: Vec<Layer> = Vec::new();
    for diff_id in diff_ids {
        if !layers.iter().any(|layer| layer.diff_id == *diff_id) {
            layers.push(remembered(push, diff_id));
        }
    }
    let earlier = look_back(push, &mut layers).await;
    let all = layers.iter().enumerate().flat_map(|(at, layer)| {
        let known = layer.blob.iter();
        known.flat_map(move |blob| layer.lacking.iter().map(move |to| (at, *to, blob.clone())))
    });
    let asked = stream::iter(all.collect::<Vec<_>>()).map(async |(at, to, blob)| {
        let state = has(&push.destinations[to], &blob, &layers[at].places).await?;
        Ok::<_, RegistryError>((at, to, state))
    });
    let answers: Vec<_> = asked.buffered(AT_ONCE).try_collect().await?;
    for (at, to, state) in answers {
        if let Some(state) = state {
            layers[at].lacking.retain(|lacking| *lacking != to);
            // What an earlier image says is looked up again the next time: nobody has held it against
            // the layer.
            if let Some(Blob { digest, size, codec }) = &layers[at].blob
                && !layers[at].places.is_empty()
            {
                let (diff_id, place) = (&layers[at].diff_id, &push.destinations[to].repository);
                push.memory.note_layer(diff_id, *codec, (digest, *size), place);
            }
            push.tell(&layers, at, state);
        }
    }
    Ok((layers, earlier))
}

/// Finds out from the first destination's earlier images what nobody here remembers.
async fn look_back(push: &Push<'_>, layers: &mut [Layer]) -> Earlier {
    let unknown: Vec<_> =
        layers.iter().filter(|layer| layer.blob.is_none()).map(|layer| &layer.diff_id).collect();
    let (Some(first), false) = (push.destinations.first(), unknown.is_empty()) else {
        return Earlier::default();
    };
    let mut known = earlier::blobs(first, push.earlier, &unknown).await;
    for layer in layers.iter_mut().filter(|layer| layer.blob.is_none()) {
        layer.blob = known.blobs.remove(&layer.diff_id).filter(|blob| blob.codec == push.codec);
    }
    known
}

fn remembered(push: &Push<'_>, diff_id: &Digest) -> Layer {
    let (blob, places) = match push.memory.layer(diff_id, push.codec) {
        Some(Remembered { digest, size, places }) => {
            (Some(Blob { digest, size, codec: push.codec }), places)
        }
        None => (None, Vec::new()),
    };
    let lacking = (0..push.destinations.len()).collect();
    Layer { diff_id: diff_id.clone(), blob, lacking, places }
}

/// How the destination comes to have the blob without an upload, if it does.
async fn has(
    destination: &Destination,
    blob: &Blob,
    places: &[Repository],
) -> Result<Option<LayerState>, RegistryError> {
    let Destination { repository, registry } = destination;
    if registry.has_blob(repository, &blob.digest).await? {
        return Ok(Some(LayerState::Exists { repository: repository.clone() }));
    }
    for from in places {
        if registry.mount(repository, &blob.digest, from).await? {
            let (repository, from) = (repository.clone(), from.clone());
            return Ok(Some(LayerState::Mounted { repository, from }));
        }
    }
    Ok(None)
}
