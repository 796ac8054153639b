//! A buffer for content on its way to registries: written once, read by several readers while it grows, and
//! again from any offset when an upload restarts. It is an unnamed file, so nothing is left behind.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt as _;
use tokio::sync::{mpsc, watch};

use cutover_net::{Body, BoxError};
use cutover_rollout::model::Digest;

/// Bytes per read.
const PIECE: usize = 256 << 10;

/// Pieces that are read ahead of the network. With [`PIECE`], this bounds an upload's memory to 1 MiB.
const AHEAD: usize = 4;

/// How much has been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpoolState {
    /// This many bytes so far; more may follow.
    Partial(u64),
    /// Everything.
    Complete {
        /// Number of bytes.
        size: u64,
        /// SHA-256 of the content.
        digest: Digest,
    },
    /// Writing has failed, for this reason.
    Failed(String),
}

impl SpoolState {
    fn size(&self) -> u64 {
        match self {
            SpoolState::Partial(size) | SpoolState::Complete { size, .. } => *size,
            SpoolState::Failed(_) => 0,
        }
    }
}

/// The reading end: content that is complete or will be.
#[derive(Debug, Clone)]
pub struct Spool {
    file: Arc<File>,
    written: watch::Receiver<SpoolState>,
    /// Bytes that all readers together have received.
    taken: Arc<AtomicU64>,
}

/// The writing end. Dropping it before [`SpoolWriter::finish`] counts as a failure.
#[derive(Debug)]
pub struct SpoolWriter {
    file: Arc<File>,
    size: u64,
    written: watch::Sender<SpoolState>,
}

impl Spool {
    /// Creates an empty spool in the folder for temporary files (`TMPDIR`).
    ///
    /// # Errors
    /// Fails if no file can be created there.
    pub fn create() -> io::Result<(SpoolWriter, Spool)> {
        let folder = std::env::temp_dir();
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", folder.display()))
        };
        let file = Arc::new(tempfile::tempfile_in(&folder).map_err(named)?);
        let (sender, written) = watch::channel(SpoolState::Partial(0));
        let writer = SpoolWriter { file: file.clone(), size: 0, written: sender };
        Ok((writer, Spool { file, written, taken: Arc::default() }))
    }

    /// Returns the bytes that all readers together have received so far: they are making progress while it
    /// grows.
    pub fn bytes_read(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Returns how much has been written.
    pub fn state(&self) -> SpoolState {
        self.written.borrow().clone()
    }

    /// Waits until at least `size` bytes are written, or writing has ended.
    pub async fn wait_for(&self, size: u64) -> SpoolState {
        let mut written = self.written.clone();
        let enough = |now: &SpoolState| !matches!(now, SpoolState::Partial(has) if *has < size);
        match written.wait_for(enough).await {
            Ok(now) => now.clone(),
            Err(_) => SpoolState::Failed("the writer is gone".to_owned()),
        }
    }

    /// Waits for the end of writing; returns size and digest.
    ///
    /// # Errors
    /// Returns the reason if writing failed.
    pub async fn wait_for_end(&self) -> Result<(u64, Digest), String> {
        match self.wait_for(u64::MAX).await {
            SpoolState::Complete { size, digest } => Ok((size, digest)),
            SpoolState::Failed(why) => Err(why),
            SpoolState::Partial(_) => Err("the writer is gone".to_owned()),
        }
    }

    /// Returns the content from `offset` on, as it is written. It ends in an error if writing fails.
    pub fn body(&self, offset: u64) -> Body {
        let (sender, pieces) = mpsc::channel(AHEAD);
        tokio::spawn(self.clone().read(offset, sender));
        Pieces(pieces).boxed()
    }

    async fn read(self, mut offset: u64, sender: mpsc::Sender<Result<Bytes, BoxError>>) {
        loop {
            let written = self.wait_for(offset + 1).await;
            if let SpoolState::Failed(why) = &written {
                let _ = sender.send(Err(why.clone().into())).await;
                return;
            }
            let left = written.size().saturating_sub(offset);
            if left == 0 {
                return;
            }
            let piece = self.piece(offset, left.min(PIECE as u64) as usize).await;
            let read = piece.as_ref().map_or(0, |piece| piece.len() as u64);
            let failed = piece.is_err();
            offset += read;
            self.taken.fetch_add(read, Ordering::Relaxed);
            if sender.send(piece.map_err(BoxError::from)).await.is_err() || failed {
                return;
            }
        }
    }

    async fn piece(&self, offset: u64, size: usize) -> io::Result<Bytes> {
        let file = self.file.clone();
        let read = move || {
            let mut piece = vec![0; size];
            file.read_exact_at(&mut piece, offset)?;
            Ok(Bytes::from(piece))
        };
        tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
    }
}

impl SpoolWriter {
    /// Marks the content as complete; returns its size.
    pub fn finish(self, digest: Digest) -> u64 {
        self.written.send_replace(SpoolState::Complete { size: self.size, digest });
        self.size
    }

    /// Marks the content as failed, with the reason.
    pub fn fail(self, why: impl Into<String>) {
        self.written.send_replace(SpoolState::Failed(why.into()));
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        let given_up = SpoolState::Failed("it was abandoned".to_owned());
        self.written.send_if_modified(|written| {
            let unfinished = matches!(written, SpoolState::Partial(_));
            if unfinished {
                *written = given_up;
            }
            unfinished
        });
    }
}

/// Readers see immediately what is written. Writing fails if the disk is full.
impl io::Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.file).write_all(bytes)?;
        self.size += bytes.len() as u64;
        self.written.send_replace(SpoolState::Partial(self.size));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A body that is fed by a channel.
struct Pieces(mpsc::Receiver<Result<Bytes, BoxError>>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    async fn text(body: Body) -> Result<String, String> {
        let bytes = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readers_follow_the_writer_from_wherever_they_begin() {
        let (mut writer, spool) = Spool::create().unwrap();
        writer.write_all(b"one ").unwrap();
        let readers = [spool.body(0), spool.body(4)];
        writer.write_all(b"two").unwrap();
        writer.finish(Digest::of(b"one two"));
        let [all, rest] = readers;
        assert_eq!(text(all).await.unwrap(), "one two");
        assert_eq!(text(rest).await.unwrap(), "two");
        assert_eq!(spool.wait_for_end().await.unwrap(), (7, Digest::of(b"one two")));
        assert_eq!(text(spool.body(7)).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_failed_spool_never_looks_complete() {
        let (mut writer, spool) = Spool::create().unwrap();
        let reader = spool.body(0);
        writer.write_all(b"one ").unwrap();
        writer.fail("the disk is full");
        assert_eq!(text(reader).await.unwrap_err(), "the disk is full");
        let (mut writer, spool) = Spool::create().unwrap();
        let reader = spool.body(0);
        writer.write_all(b"one ").unwrap();
        drop(writer);
        assert!(text(reader).await.is_err());
        assert!(spool.wait_for_end().await.is_err());
    }
}
