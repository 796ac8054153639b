//! What earlier pushes have found out: which blob a layer became, so that it can be looked for before
//! it is compressed again. Nothing depends on it but time.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::image::Codec;
use crate::model::{Digest, Repository};

/// Files that are kept in each folder; beyond, half of them go, the oldest first.
const MOST: usize = 4096;

/// Repositories that are remembered for a layer, the newest first.
const PLACES: usize = 8;

/// A folder of small files, one for each layer and each configuration.
#[derive(Debug, Clone)]
pub struct Memory {
    folder: Option<PathBuf>,
}

/// What a layer became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The blob.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Where it was brought, the newest first.
    pub places: Vec<Repository>,
}

impl Memory {
    /// In this folder, which is made when there is something to remember.
    pub fn at(folder: impl Into<PathBuf>) -> Memory {
        Memory { folder: Some(folder.into()) }
    }

    /// The user's: `$XDG_CACHE_HOME/cutover`, `~/.cache/cutover`, or none where there is no home.
    pub fn of_user(variable: impl Fn(&str) -> Option<String>) -> Memory {
        let cache = variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || variable("HOME").map(|home| Path::new(&home).join(".cache"));
        Memory { folder: cache.or_else(home).map(|cache| cache.join("cutover")) }
    }

    /// What the layer became by this codec.
    pub fn layer(&self, diff_id: &Digest, codec: Codec) -> Option<Remembered> {
        let bytes = fs::read(self.layer_file(diff_id, codec)?).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Remembers that the layer became this blob, and that it is in `place` now.
    pub fn note_layer(
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
        let remembered = Remembered { digest: digest.clone(), size, places };
        if let Ok(bytes) = serde_json::to_vec(&remembered) {
            note(self.layer_file(diff_id, codec).as_deref(), &bytes);
        }
    }

    /// The configuration of the image that an engine knows by this id.
    pub fn config(&self, id: &Digest) -> Option<Bytes> {
        let bytes = Bytes::from(fs::read(self.config_file(id)?).ok()?);
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let digest = str::from_utf8(&bytes[..end]).ok()?.parse::<Digest>().ok()?;
        let config = bytes.slice(end + 1..);
        (Digest::of(&config) == digest).then_some(config)
    }

    /// Remembers a configuration: engines give it out only along with all layers.
    pub fn note_config(&self, id: &Digest, bytes: &[u8]) {
        let file = self.config_file(id);
        if file.as_ref().is_some_and(|file| !file.exists()) {
            // The id is another digest where containerd keeps the images.
            let mut told = format!("{}\n", Digest::of(bytes)).into_bytes();
            told.extend_from_slice(bytes);
            note(file.as_deref(), &told);
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

/// Keeps the folder small.
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
        let memory = Memory::at(folder.path().join("cutover"));
        let (diff, blob) = (Digest::of(b"plain"), Digest::of(b"packed"));
        assert_eq!(memory.layer(&diff, Codec::Gzip), None);
        for repository in ["r.example/a", "r.example/b", "r.example/a", "r.example/a"] {
            memory.note_layer(&diff, Codec::Gzip, (&blob, 7), &place(repository));
        }
        let known = memory.layer(&diff, Codec::Gzip).unwrap();
        assert_eq!(known.places, [place("r.example/a"), place("r.example/b")]);
        assert_eq!((known.digest, known.size), (blob, 7));
        assert_eq!(memory.layer(&diff, Codec::Zstd), None);
        // Another blob is not where the first one went.
        memory.note_layer(&diff, Codec::Gzip, (&diff, 8), &place("r.example/c"));
        assert_eq!(memory.layer(&diff, Codec::Gzip).unwrap().places, [place("r.example/c")]);
    }

    #[test]
    fn a_configuration_that_was_changed_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::at(folder.path());
        let id = Digest::of(b"{}");
        memory.note_config(&id, b"{}");
        assert_eq!(memory.config(&id).unwrap(), "{}");
        fs::write(memory.config_file(&id).unwrap(), format!("{id}\n{{ }}")).unwrap();
        assert_eq!(memory.config(&id), None);
    }

    #[test]
    fn without_a_home_nothing_is_remembered_and_nothing_fails() {
        let memory = Memory::of_user(|_| None);
        memory.note_config(&Digest::of(b""), b"");
        assert_eq!(memory.config(&Digest::of(b"")), None);
        let folder = |name, value: &'static str| {
            Memory::of_user(move |n| (n == name).then(|| value.to_owned())).folder.unwrap()
        };
        assert_eq!(folder("XDG_CACHE_HOME", "/c"), Path::new("/c/cutover"));
        assert_eq!(folder("HOME", "/h"), Path::new("/h/.cache/cutover"));
    }
}
