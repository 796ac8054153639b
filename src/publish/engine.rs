//! Pushes an image from a container engine. Its layers are read from the engine's data folder if possible,
//! since the engine would first write all of them to a temporary folder; else they are exported.

use std::collections::BTreeSet;

use super::{ImageContent, ImagePush, PublishError, Published};
use cutover_docker::{Engine, EngineImage, LayerStream};
use cutover_rollout::model::Digest;

impl ImagePush<'_> {
    /// Pushes an engine's image to all destinations by digest. Sets no tags yet.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn stored(
        &self,
        engine: &Engine,
        stored: &EngineImage,
    ) -> Result<Published, PublishError> {
        let export = |_: BTreeSet<Digest>| -> LayerStream {
            cutover_docker::from_export(engine.save(stored.id.as_str()))
        };
        let content = |config| ImageContent {
            id: stored.id.clone(),
            config,
            diff_ids: stored.diff_ids.clone(),
        };
        #[cfg(target_os = "linux")]
        if let Some(store) = engine.layer_store()
            && let Ok(config) = store.configuration(&stored.id)
        {
            let read = |wanted| cutover_docker::from_store(store, stored.diff_ids.clone(), wanted);
            match self.image(&content(Some(config.into())), read).await {
                // The folder's format is internal to the engine, and may change.
                Err(
                    error @ (PublishError::Unreadable(_)
                    | PublishError::UnexpectedLayer(_)
                    | PublishError::MissingLayer(_)),
                ) => {
                    tracing::debug!(%error, "the engine's data folder is unusable: exporting the image");
                }
                done => return done,
            }
        }
        self.image(&content(None), export).await
    }
}
