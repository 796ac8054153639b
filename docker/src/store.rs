//! Reads the layers in an engine's data folder without the engine: each as the archive that was pulled or
//! built, separately, and without temporary copies. `docker save` first writes all of them to a temporary
//! folder, one after the other. Only users who may read the data folder can do this: usually root.
//!
//! The folder's format is internal to the engine (moby, `layer/filestore.go`). It has been the same since
//! 2016, and everything that is read is verified against the layer's digest: if either is not as expected,
//! the image is exported from the engine instead.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

use super::tar_split::{Entry, TarSplit};
use cutover_rollout::model::Digest;

/// The layers of the `overlay2` storage driver.
#[derive(Debug, Clone)]
pub struct LayerStore {
    root: PathBuf,
}

impl LayerStore {
    /// Uses the engine's data folder, which it reports as `DockerRootDir`.
    pub fn new(root: impl Into<PathBuf>) -> LayerStore {
        LayerStore { root: root.into() }
    }

    /// Returns the archive of the last of these layers, which are named by their DiffIDs from the bottom up.
    ///
    /// # Errors
    /// Fails if the layer does not exist or cannot be read.
    pub fn archive(&self, diff_ids: &[Digest]) -> io::Result<Archive> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "an image without layers");
        let diff_id = diff_ids.last().ok_or_else(missing)?;
        let layer = self.layer(&chain_id(diff_ids).ok_or_else(missing)?);
        if fs::read_to_string(layer.join("diff"))?.trim() != diff_id.as_str() {
            return Err(io::Error::other(format!("{} belongs to another layer", layer.display())));
        }
        let cache = fs::read_to_string(layer.join("cache-id"))?;
        let files = self.root.join("overlay2").join(cache.trim()).join("diff");
        let folder = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let files = openat(CWD, &files, OFlags::PATH | folder, Mode::empty())?;
        let entries = GzDecoder::new(File::open(layer.join("tar-split.json.gz"))?);
        Ok(Archive { entries: TarSplit::new(entries), files, piece: Piece::Bytes(Vec::new(), 0) })
    }

    /// Returns the configuration of the image `id` as stored.
    ///
    /// # Errors
    /// Fails if it does not exist, cannot be read, or does not match `id`.
    pub fn configuration(&self, id: &Digest) -> io::Result<Vec<u8>> {
        let hex = id.as_str().trim_start_matches("sha256:");
        let path = self.root.join("image/overlay2/imagedb/content/sha256").join(hex);
        let bytes = fs::read(&path)?;
        if Digest::of(&bytes) != *id {
            return Err(io::Error::other(format!("{} does not match its digest", path.display())));
        }
        Ok(bytes)
    }

    fn layer(&self, chain: &Digest) -> PathBuf {
        let hex = chain.as_str().trim_start_matches("sha256:");
        self.root.join("image/overlay2/layerdb/sha256").join(hex)
    }
}

/// Returns the ChainID of a layer and all below it (image specification, "Layer ChainID").
fn chain_id(diff_ids: &[Digest]) -> Option<Digest> {
    let (first, rest) = diff_ids.split_first()?;
    let join = |chain: Digest, next: &Digest| Digest::of(format!("{chain} {next}").as_bytes());
    Some(rest.iter().fold(first.clone(), join))
}

/// A layer's archive, reassembled while it is read.
pub struct Archive {
    entries: TarSplit<GzDecoder<File>>,
    /// The folder with the layer's files.
    files: OwnedFd,
    piece: Piece,
}

/// The piece being read.
enum Piece {
    /// Bytes from this offset on.
    Bytes(Vec<u8>, usize),
    /// The rest of a file: this many bytes.
    File(File, u64),
}

impl Archive {
    /// Moves to the next piece; returns false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(entry) = self.entries.next() else { return Ok(false) };
        self.piece = match entry? {
            Entry::Segment(bytes) => Piece::Bytes(bytes, 0),
            Entry::File { path, size } => Piece::File(self.open(&path)?, size),
        };
        Ok(true)
    }

    /// Opens a file of the layer. Names come from an image, so none may lead out of the layer.
    fn open(&self, path: &[u8]) -> io::Result<File> {
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        Ok(File::from(openat2(&self.files, path, flags, Mode::empty(), inside)?))
    }
}

impl Read for Archive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match &mut self.piece {
                Piece::Bytes(bytes, at) => {
                    let read = (&bytes[*at..]).read(buffer)?;
                    *at += read;
                    read
                }
                Piece::File(_, 0) => 0,
                Piece::File(file, left) => {
                    let most = buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let read = file.read(&mut buffer[..most])?;
                    if read == 0 {
                        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                    }
                    *left -= read as u64;
                    read
                }
            };
            if read > 0 || !self.advance()? {
                return Ok(read);
            }
        }
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").finish_non_exhaustive()
    }
}

/// Returns whether an engine with this data folder keeps its layers as [`LayerStore`] reads them, and we may
/// read them.
pub fn is_readable(root: &Path) -> bool {
    fs::read_dir(root.join("image/overlay2/layerdb/sha256")).is_ok()
        && fs::read_dir(root.join("overlay2")).is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// Returns an archive of these files, and its tar-split.
    fn archive(files: &[(&str, &[u8])]) -> (Vec<u8>, String) {
        let (mut archive, mut split) = (Vec::new(), String::new());
        let mut segment = Vec::new();
        let reported = |segment: &mut Vec<u8>| {
            let payload = STANDARD.encode(std::mem::take(segment));
            format!("{{\"type\":2,\"payload\":\"{payload}\"}}\n")
        };
        for (name, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_path(name).unwrap();
            header.set_size(content.len() as u64);
            header.set_cksum();
            segment.extend_from_slice(header.as_bytes());
            archive.extend_from_slice(header.as_bytes());
            archive.extend_from_slice(content);
            split += &reported(&mut segment);
            let size = content.len();
            split += &format!("{{\"type\":1,\"name\":\"{name}\",\"size\":{size}}}\n");
            let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
            segment.extend_from_slice(&padding);
            archive.extend_from_slice(&padding);
        }
        segment.extend_from_slice(&[0; 1024]);
        archive.extend_from_slice(&[0; 1024]);
        (archive, split + &reported(&mut segment))
    }

    /// Stores a layer above others, as an engine does.
    fn keep(root: &Path, below: &[Digest], files: &[(&str, &[u8])]) -> (Digest, Vec<u8>) {
        let (archive, split) = archive(files);
        let diff_id = Digest::of(&archive);
        let chain = chain_id(&[below, std::slice::from_ref(&diff_id)].concat()).unwrap();
        let store = LayerStore::new(root);
        let (layer, cache) = (store.layer(&chain), format!("cache{}", below.len()));
        fs::create_dir_all(&layer).unwrap();
        fs::write(layer.join("diff"), diff_id.as_str()).unwrap();
        fs::write(layer.join("cache-id"), &cache).unwrap();
        let packed = File::create(layer.join("tar-split.json.gz")).unwrap();
        let mut packed = GzEncoder::new(packed, Compression::fast());
        packed.write_all(split.as_bytes()).unwrap();
        packed.finish().unwrap();
        for (name, content) in files {
            let path = root.join("overlay2").join(&cache).join("diff").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        (diff_id, archive)
    }

    fn all(mut archive: Archive) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        archive.read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn each_layer_is_the_archive_that_it_came_as() {
        let root = tempfile::tempdir().unwrap();
        let (one, first) = keep(root.path(), &[], &[("etc/passwd", b"root"), ("etc/empty", b"")]);
        let below = std::slice::from_ref(&one);
        let (two, second) = keep(root.path(), below, &[("srv/www/index.html", &[7; 100_000])]);
        assert!(is_readable(root.path()));
        let store = LayerStore::new(root.path());
        assert!(all(store.archive(below).unwrap()).unwrap() == first);
        assert!(all(store.archive(&[one.clone(), two.clone()]).unwrap()).unwrap() == second);
        // Without the layer below, it is not a layer of an image here.
        assert!(store.archive(&[two]).is_err());
    }

    #[test]
    fn a_name_does_not_lead_out_of_the_layer_and_a_short_file_is_no_end() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("secret"), "secret").unwrap();
        let (id, _) = keep(root.path(), &[], &[("a", b"content")]);
        let files = root.path().join("overlay2/cache0/diff");
        let store = LayerStore::new(root.path());
        let read = || all(store.archive(std::slice::from_ref(&id)).unwrap());
        fs::write(files.join("a"), "short").unwrap();
        assert_eq!(read().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        fs::remove_file(files.join("a")).unwrap();
        std::os::unix::fs::symlink("../../../secret", files.join("a")).unwrap();
        assert!(read().is_err());
    }

    #[test]
    fn configurations_by_their_digest() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("image/overlay2/imagedb/content/sha256");
        fs::create_dir_all(&folder).unwrap();
        let id = Digest::of(b"{}");
        let path = folder.join(id.as_str().trim_start_matches("sha256:"));
        fs::write(&path, "{}").unwrap();
        let store = LayerStore::new(root.path());
        assert_eq!(store.configuration(&id).unwrap(), b"{}");
        fs::write(&path, "{ }").unwrap();
        assert!(store.configuration(&id).is_err());
    }
}
