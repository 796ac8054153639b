//! Compresses a layer on all cores while it arrives.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::num::NonZero;
use std::thread::available_parallelism;

use bytes::{Bytes, BytesMut};
use flate2::Crc;
use futures_util::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use crate::registry::SpoolWriter;
use cutover_rollout::model::Digest;

use super::Codec;
use super::gzip::{self, BLOCK, Deflated, WINDOW};

/// A layer before and after compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compressed {
    /// The DiffID: the digest of the uncompressed archive.
    pub diff_id: Digest,
    /// Size of the uncompressed archive in bytes.
    pub content: u64,
    /// Compression of what was written.
    pub codec: Codec,
    /// Digest of what was written.
    pub digest: Digest,
    /// Size of what was written in bytes.
    pub size: u64,
}

/// Compresses `content` into `spool` as gzip. Holds one block per core in memory, twice: as received and
/// deflated.
///
/// # Errors
/// Fails if the content breaks off or the spool cannot be written; readers of the spool get the error, too.
pub(super) async fn compress(
    content: impl Stream<Item = io::Result<Bytes>>,
    spool: SpoolWriter,
) -> io::Result<Compressed> {
    let mut squeezer = GzipCompressor::new(spool);
    match squeezer.take_all(content).await {
        Ok(()) => Ok(squeezer.finish()),
        Err(error) => {
            squeezer.spool.fail(error.to_string());
            Err(error)
        }
    }
}

struct GzipCompressor {
    spool: SpoolWriter,
    came: Sha256,
    content: u64,
    went: Sha256,
    crc: Crc,
    /// Blocks being deflated, in order.
    working: VecDeque<JoinHandle<io::Result<Deflated>>>,
    cores: usize,
    /// The end of the previous block.
    window: Bytes,
}

impl GzipCompressor {
    fn new(spool: SpoolWriter) -> GzipCompressor {
        let (came, went) = (Sha256::new(), Sha256::new());
        let cores = available_parallelism().map_or(2, NonZero::get);
        let (working, window) = (VecDeque::new(), Bytes::new());
        GzipCompressor { spool, came, content: 0, went, crc: Crc::new(), working, cores, window }
    }

    async fn take_all(&mut self, content: impl Stream<Item = io::Result<Bytes>>) -> io::Result<()> {
        self.write(&gzip::HEADER)?;
        let mut content = std::pin::pin!(content);
        let mut block = BytesMut::with_capacity(BLOCK);
        while let Some(piece) = content.next().await {
            let mut piece = piece?;
            self.came.update(&piece);
            self.content += piece.len() as u64;
            while !piece.is_empty() {
                // A full block is deflated only once another one follows.
                if block.len() == BLOCK {
                    let full = std::mem::replace(&mut block, BytesMut::with_capacity(BLOCK));
                    self.deflate(full.freeze(), false).await?;
                }
                let some = piece.split_to(piece.len().min(BLOCK - block.len()));
                block.extend_from_slice(&some);
            }
        }
        self.deflate(block.freeze(), true).await?;
        while !self.working.is_empty() {
            self.collect().await?;
        }
        let trailer = gzip::trailer(&self.crc);
        self.write(&trailer)
    }

    async fn deflate(&mut self, block: Bytes, last: bool) -> io::Result<()> {
        if self.working.len() >= self.cores {
            self.collect().await?;
        }
        let window = std::mem::replace(&mut self.window, tail(&block));
        let work = move || gzip::deflate(&window, &block, last);
        self.working.push_back(tokio::task::spawn_blocking(work));
        Ok(())
    }

    /// Waits for the oldest block and writes it.
    async fn collect(&mut self) -> io::Result<()> {
        let Some(work) = self.working.pop_front() else { return Ok(()) };
        let deflated = work.await.map_err(io::Error::other)??;
        self.crc.combine(&deflated.crc);
        self.write(&deflated.bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.went.update(bytes);
        self.spool.write_all(bytes)
    }

    fn finish(self) -> Compressed {
        let digest = Digest::from_sha256(&self.went.finalize());
        let size = self.spool.finish(digest.clone());
        let diff_id = Digest::from_sha256(&self.came.finalize());
        Compressed { diff_id, content: self.content, codec: Codec::Gzip, digest, size }
    }
}

fn tail(block: &Bytes) -> Bytes {
    block.slice(block.len().saturating_sub(WINDOW)..)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use futures_util::stream;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::registry::Spool;

    /// Returns text of this length, with near and distant repetitions.
    fn content(length: usize) -> Vec<u8> {
        let words = |n: usize| format!("{} lines of {} words; ", n % 977, n * n % 7919);
        (0..).flat_map(|n| words(n).into_bytes()).take(length).collect()
    }

    async fn squeezed(content: &[u8], piece: usize) -> (Compressed, Vec<u8>) {
        let (writer, spool) = Spool::create().unwrap();
        let pieces: Vec<_> =
            content.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let compressed = compress(stream::iter(pieces), writer).await.unwrap();
        let bytes = spool.body(0).collect().await.unwrap().to_bytes().to_vec();
        (compressed, bytes)
    }

    #[tokio::test]
    async fn what_comes_out_is_what_went_in_whatever_its_length() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 70_000] {
            let content = content(length);
            let (compressed, bytes) = squeezed(&content, 300_000).await;
            // One member: a decoder that stops at its end has read everything.
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut back).unwrap();
            assert!(back == content, "{length}");
            assert_eq!(compressed.diff_id, Digest::of(&content));
            assert_eq!(compressed.digest, Digest::of(&bytes));
            assert!(bytes == gzip::whole(&content).unwrap(), "{length}");
            assert_eq!((compressed.content, compressed.size), (length as u64, bytes.len() as u64));
        }
    }

    #[tokio::test]
    async fn the_pieces_it_came_in_make_no_difference() {
        let content = content(2 * BLOCK + 5);
        let (one, _) = squeezed(&content, 77).await;
        let (other, _) = squeezed(&content, 2 * BLOCK).await;
        assert_eq!(one, other);
    }

    #[tokio::test]
    async fn content_that_breaks_off_is_no_layer() {
        let (writer, spool) = Spool::create().unwrap();
        let pieces =
            [Ok(Bytes::from_static(b"half")), Err(io::Error::other("the engine has gone"))];
        assert!(compress(stream::iter(pieces), writer).await.is_err());
        assert_eq!(spool.wait_for_end().await.unwrap_err(), "the engine has gone");
    }
}
