//! An image out of an engine: its layers read from the engine's own folder where we may, since the engine
//! would first write all of them to a temporary one; else as it exports them.

use std::collections::BTreeSet;

use super::{Content, PublishError, Published, Push};
use crate::docker::{self, Arrivals, Engine, Stored};
use crate::model::Digest;

impl Push<'_> {
    /// Brings an image of an engine's to all destinations, under its digest; no tag names it yet.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn stored(
        &self,
        engine: &Engine,
        stored: &Stored,
    ) -> Result<Published, PublishError> {
        let export = |_: BTreeSet<Digest>| -> Arrivals {
            docker::from_export(engine.save(stored.id.as_str()))
        };
        let content =
            |config| Content { id: stored.id.clone(), config, diff_ids: stored.diff_ids.clone() };
        #[cfg(target_os = "linux")]
        if let Some(store) = engine.layer_store()
            && let Ok(config) = store.configuration(&stored.id)
        {
            let read = |wanted| docker::from_store(store, stored.diff_ids.clone(), wanted);
            match self.image(&content(Some(config.into())), read).await {
                // Its form is the engine's own affair, and nobody has promised that it stays.
                Err(
                    error @ (PublishError::Unreadable(_)
                    | PublishError::Changed(_)
                    | PublishError::Missing(_)),
                ) => tracing::debug!(%error, "the engine's folder is of no use: asking the engine"),
                done => return done,
            }
        }
        self.image(&content(None), export).await
    }
}
