//! Content on its way to registries: written once, read by several while it grows, and again from any
//! place where an upload has to begin anew. It is a file without a name, so nothing stays behind.

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

use crate::model::Digest;
use crate::net::{Body, BoxError};

/// Bytes read at once.
const PIECE: usize = 256 << 10;

/// Pieces that are read ahead of the network. With [`PIECE`] this bounds an upload's memory: 1 MiB.
const AHEAD: usize = 4;

/// How far the writing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// So many bytes are there, more may follow.
    Some(u64),
    /// All are.
    All {
        /// Their number.
        size: u64,
        /// Their SHA-256.
        digest: Digest,
    },
    /// No more will come.
    Failed(String),
}

impl Written {
    fn size(&self) -> u64 {
        match self {
            Written::Some(size) | Written::All { size, .. } => *size,
            Written::Failed(_) => 0,
        }
    }
}

/// Content that is, or will be, all there.
#[derive(Debug, Clone)]
pub struct Spool {
    file: Arc<File>,
    written: watch::Receiver<Written>,
    /// Bytes that readers have been given, all together.
    taken: Arc<AtomicU64>,
}

/// The one end that writes. Dropped before [`SpoolWriter::finish`], it has failed.
#[derive(Debug)]
pub struct SpoolWriter {
    file: Arc<File>,
    size: u64,
    written: watch::Sender<Written>,
}

impl Spool {
    /// An empty one, in the folder for temporary files (`TMPDIR`).
    ///
    /// # Errors
    /// Where no file can be made there.
    pub fn create() -> io::Result<(SpoolWriter, Spool)> {
        let folder = std::env::temp_dir();
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", folder.display()))
        };
        let file = Arc::new(tempfile::tempfile_in(&folder).map_err(named)?);
        let (sender, written) = watch::channel(Written::Some(0));
        let writer = SpoolWriter { file: file.clone(), size: 0, written: sender };
        Ok((writer, Spool { file, written, taken: Arc::default() }))
    }

    /// Bytes that readers have been given so far, all together: they are getting on while it grows.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// How far the writing is now.
    pub fn written(&self) -> Written {
        self.written.borrow().clone()
    }

    /// Waits until at least so many bytes are there, or the writing has ended.
    pub async fn reaches(&self, size: u64) -> Written {
        let mut written = self.written.clone();
        let enough = |now: &Written| !matches!(now, Written::Some(has) if *has < size);
        match written.wait_for(enough).await {
            Ok(now) => now.clone(),
            Err(_) => Written::Failed("the writer has gone".to_owned()),
        }
    }

    /// Waits for the end: size and digest, or why there is none.
    ///
    /// # Errors
    /// Where the writing failed.
    pub async fn all(&self) -> Result<(u64, Digest), String> {
        match self.reaches(u64::MAX).await {
            Written::All { size, digest } => Ok((size, digest)),
            Written::Failed(why) => Err(why),
            Written::Some(_) => Err("the writer has gone".to_owned()),
        }
    }

    /// All content from `offset` on, as it is written. It ends in an error where the writing fails.
    pub fn body(&self, offset: u64) -> Body {
        let (sender, pieces) = mpsc::channel(AHEAD);
        tokio::spawn(self.clone().read(offset, sender));
        Pieces(pieces).boxed()
    }

    async fn read(self, mut offset: u64, sender: mpsc::Sender<Result<Bytes, BoxError>>) {
        loop {
            let written = self.reaches(offset + 1).await;
            if let Written::Failed(why) = &written {
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
    /// Says that all is there.
    pub fn finish(self, digest: Digest) -> u64 {
        self.written.send_replace(Written::All { size: self.size, digest });
        self.size
    }

    /// Says that no more will come, and why.
    pub fn fail(self, why: impl Into<String>) {
        self.written.send_replace(Written::Failed(why.into()));
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        let given_up = Written::Failed("it was given up".to_owned());
        self.written.send_if_modified(|written| {
            let unfinished = matches!(written, Written::Some(_));
            if unfinished {
                *written = given_up;
            }
            unfinished
        });
    }
}

/// Readers see at once what is written. It fails where the disk is full.
impl io::Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.file).write_all(bytes)?;
        self.size += bytes.len() as u64;
        self.written.send_replace(Written::Some(self.size));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A body of what comes out of a channel.
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
        assert_eq!(spool.all().await.unwrap(), (7, Digest::of(b"one two")));
        assert_eq!(text(spool.body(7)).await.unwrap(), "");
    }

    #[tokio::test]
    async fn what_fails_in_the_middle_is_never_taken_for_the_end() {
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
        assert!(spool.all().await.is_err());
    }
}
