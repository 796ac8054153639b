//! The layer cache: which blob a layer became in earlier pushes, so that it can be found before it is
//! compressed again. It only saves time.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use cutover_oci::image::Codec;
use cutover_rollout::model::{Digest, Repository};

/// The most files in each folder. Beyond that, the older half is deleted.
const MOST: usize = 4096;

/// The most repositories to remember for a layer, newest first.
const PLACES: usize = 8;

/// A folder of small files, one for each layer and each configuration. The default is none, and stores nothing.
#[derive(Debug, Clone, Default)]
pub struct LayerCache {
    folder: Option<PathBuf>,
}

/// The blob that a layer became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedLayer {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Where it was pushed, newest first.
    pub places: Vec<Repository>,
}

impl LayerCache {
    /// Uses this folder, which is created when there is something to store.
    pub fn at(folder: impl Into<PathBuf>) -> LayerCache {
        LayerCache { folder: Some(folder.into()) }
    }

    /// Uses the user's folder: `$XDG_CACHE_HOME/cutover` or `~/.cache/cutover`, or none if there is no home.
    pub fn of_user(variable: impl Fn(&str) -> Option<String>) -> LayerCache {
        let cache = variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || variable("HOME").map(|home| Path::new(&home).join(".cache"));
        LayerCache { folder: cache.or_else(home).map(|cache| cache.join("cutover")) }
    }

    /// Returns what the layer became with this codec.
    pub fn layer(&self, diff_id: &Digest, codec: Codec) -> Option<CachedLayer> {
        let bytes = fs::read(self.layer_file(diff_id, codec)?).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Remembers that the layer became this blob, and that `place` has it.
    pub fn store_layer(
        &self,
        diff_id: &Digest,
        codec: Codec,
        (digest, size): (&Digest, u64),
        place: &Repository,
    ) {
        let mut places = vec![place.clone()];
        if let Some(known) = self.layer(diff_id, codec).filter(|known| known.digest == *digest) {
            if known.places.first() == Some(place) {
                return;
            }
            places.extend(known.places.into_iter().filter(|known| known != place));
            places.truncate(PLACES);
        }
        let remembered = CachedLayer { digest: digest.clone(), size, places };
        if let Ok(bytes) = serde_json::to_vec(&remembered) {
            note(self.layer_file(diff_id, codec).as_deref(), &bytes);
        }
    }

    /// Returns the configuration of the image that an engine knows by this ID.
    pub fn config(&self, id: &Digest) -> Option<Bytes> {
        let bytes = Bytes::from(fs::read(self.config_file(id)?).ok()?);
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let digest = str::from_utf8(&bytes[..end]).ok()?.parse::<Digest>().ok()?;
        let config = bytes.slice(end + 1..);
        (Digest::of(&config) == digest).then_some(config)
    }

    /// Remembers a configuration: engines export it only along with all layers.
    pub fn store_config(&self, id: &Digest, bytes: &[u8]) {
        let file = self.config_file(id);
        if file.as_ref().is_some_and(|file| !file.exists()) {
            // The ID is another digest if containerd stores the images.
            let mut reported = format!("{}\n", Digest::of(bytes)).into_bytes();
            reported.extend_from_slice(bytes);
            note(file.as_deref(), &reported);
        }
    }

    fn layer_file(&self, diff_id: &Digest, codec: Codec) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?.join("layers").join(codec.as_str());
        Some(folder.join(hex(diff_id)))
    }

    fn config_file(&self, id: &Digest) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join("configs").join(hex(id)))
    }
}

fn hex(digest: &Digest) -> &str {
    digest.as_str().trim_start_matches("sha256:")
}

/// Writes all of the file or nothing: several runs may do it at once. What cannot be written is not
/// remembered.
fn note(file: Option<&Path>, bytes: &[u8]) {
    let Some((file, folder)) = file.and_then(|file| Some((file, file.parent()?))) else {
        return;
    };
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(bytes)?;
        new.persist(file).map_err(|error| error.error)?;
        forget(folder)
    };
    if let Err(error) = write() {
        tracing::debug!(%error, file = %file.display(), "not remembered");
    }
}

/// Deletes old files if the folder has too many.
fn forget(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    if files.len() > MOST {
        files.sort();
        for (_, file) in files.iter().take(MOST / 2) {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Repository {
        text.parse().unwrap()
    }

    #[test]
    fn a_layer_is_known_by_its_codec_and_where_it_went_last() {
        let folder = tempfile::tempdir().unwrap();
        let memory = LayerCache::at(folder.path().join("cutover"));
        let (diff, blob) = (Digest::of(b"plain"), Digest::of(b"packed"));
        assert_eq!(memory.layer(&diff, Codec::Gzip), None);
        for repository in ["r.example/a", "r.example/b", "r.example/a", "r.example/a"] {
            memory.store_layer(&diff, Codec::Gzip, (&blob, 7), &place(repository));
        }
        let known = memory.layer(&diff, Codec::Gzip).unwrap();
        assert_eq!(known.places, [place("r.example/a"), place("r.example/b")]);
        assert_eq!((known.digest, known.size), (blob, 7));
        assert_eq!(memory.layer(&diff, Codec::Zstd), None);
        // The second blob is not where the first one was pushed.
        memory.store_layer(&diff, Codec::Gzip, (&diff, 8), &place("r.example/c"));
        assert_eq!(memory.layer(&diff, Codec::Gzip).unwrap().places, [place("r.example/c")]);
    }

    #[test]
    fn a_configuration_that_was_changed_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let memory = LayerCache::at(folder.path());
        let id = Digest::of(b"{}");
        memory.store_config(&id, b"{}");
        assert_eq!(memory.config(&id).unwrap(), "{}");
        fs::write(memory.config_file(&id).unwrap(), format!("{id}\n{{ }}")).unwrap();
        assert_eq!(memory.config(&id), None);
    }

    #[test]
    fn without_a_home_nothing_is_remembered_and_nothing_fails() {
        let memory = LayerCache::of_user(|_| None);
        memory.store_config(&Digest::of(b""), b"");
        assert_eq!(memory.config(&Digest::of(b"")), None);
        let folder = |name, value: &'static str| {
            LayerCache::of_user(move |n| (n == name).then(|| value.to_owned())).folder.unwrap()
        };
        assert_eq!(folder("XDG_CACHE_HOME", "/c"), Path::new("/c/cutover"));
        assert_eq!(folder("HOME", "/h"), Path::new("/h/.cache/cutover"));
    }
}
