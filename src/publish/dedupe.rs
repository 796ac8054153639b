//! Finds out what the destinations already have, by the blobs that are known for each layer: one request per
//! layer and destination, and no more if nothing has changed.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::prior_images::{self, PriorImages};
use super::stored_layer::StoredLayer;
use super::{CachedLayer, Destination, ImagePush};
use cutover_oci::registry::RegistryError;
use cutover_rollout::model::{Digest, LayerState, Repository};

/// Concurrent requests. Registries answer each in about ten milliseconds; ECR allows 1,000 per second
/// (service quotas, BatchCheckLayerAvailability).
const AT_ONCE: usize = 16;

/// A layer, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Its DiffID.
    pub diff_id: Digest,
    /// Its blob, if known.
    pub blob: Option<StoredLayer>,
    /// Indexes of the destinations that don't have that blob.
    pub lacking: Vec<usize>,
    /// Where it is known to have been pushed.
    places: Vec<Repository>,
}

/// Asks all destinations for all layers. A layer that an image has twice is listed once.
pub(super) async fn find_existing(
    push: &ImagePush<'_>,
    diff_ids: &[Digest],
) -> Result<(Vec<Layer>, PriorImages), RegistryError> {
    let mut layers: Vec<Layer> = Vec::new();
    for diff_id in diff_ids {
        if !layers.iter().any(|layer| layer.diff_id == *diff_id) {
            layers.push(remembered(push, diff_id));
        }
    }
    let earlier = check_prior_images(push, &mut layers).await;
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
            // What a prior image says is looked up again the next time: it has not been verified against the
            // layer.
            if let Some(StoredLayer { digest, size, codec }) = &layers[at].blob
                && !layers[at].places.is_empty()
            {
                let (diff_id, place) = (&layers[at].diff_id, &push.destinations[to].repository);
                push.cache.store_layer(diff_id, *codec, (digest, *size), place);
            }
            push.emit(&layers, at, state);
        }
    }
    Ok((layers, earlier))
}

/// Finds the layers that the cache does not have in the first destination's prior images.
async fn check_prior_images(push: &ImagePush<'_>, layers: &mut [Layer]) -> PriorImages {
    let unknown: Vec<_> =
        layers.iter().filter(|layer| layer.blob.is_none()).map(|layer| &layer.diff_id).collect();
    let (Some(first), false) = (push.destinations.first(), unknown.is_empty()) else {
        return PriorImages::default();
    };
    let mut known = prior_images::blobs(first, push.prior_tags, &unknown).await;
    for layer in layers.iter_mut().filter(|layer| layer.blob.is_none()) {
        layer.blob = known.blobs.remove(&layer.diff_id).filter(|blob| blob.codec == push.codec);
    }
    known
}

fn remembered(push: &ImagePush<'_>, diff_id: &Digest) -> Layer {
    let (blob, places) = match push.cache.layer(diff_id, push.codec) {
        Some(CachedLayer { digest, size, places }) => {
            (Some(StoredLayer { digest, size, codec: push.codec }), places)
        }
        None => (None, Vec::new()),
    };
    let lacking = (0..push.destinations.len()).collect();
    Layer { diff_id: diff_id.clone(), blob, lacking, places }
}

/// Returns how the destination has or gets the blob without an upload, if it does.
async fn has(
    destination: &Destination,
    blob: &StoredLayer,
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
