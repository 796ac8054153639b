//! Writes a layer to a spool: compressed on the way, or unchanged if it is already compressed.

use std::io::{self, Write};
use std::num::NonZero;
use std::thread::available_parallelism;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures_util::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::{Codec, Compressed, compress};
use crate::registry::SpoolWriter;
use cutover_rollout::model::Digest;

/// Pieces buffered for the worker thread.
const AHEAD: usize = 4;

/// Zstandard's default level.
const LEVEL: i32 = 3;

/// Bytes that one thread compresses at a time. Fixed, since the result must not depend on the machine.
const JOB: u32 = 4 << 20;

/// Writes `content` to `spool`, compressed with `codec` unless it is already compressed.
///
/// # Errors
/// Fails if the content breaks off or is corrupt, or the spool cannot be written; readers of the spool get
/// the error, too.
pub async fn pack(
    content: impl Stream<Item = io::Result<Bytes>> + Unpin,
    spool: SpoolWriter,
    codec: Codec,
) -> io::Result<Compressed> {
    let mut content = content.peekable();
    let first = std::pin::Pin::new(&mut content).peek().await;
    let came = first.and_then(|first| Codec::of(first.as_ref().ok()?));
    match (came, codec) {
        (Some(came), _) => {
            on_worker_thread(content, spool, move |spool| unpacking(came, spool)).await
        }
        (None, Codec::Gzip) => compress::compress(content, spool).await,
        (None, Codec::Zstd) => on_worker_thread(content, spool, packing).await,
    }
}

/// Consumes a layer's bytes and returns what they became.
trait LayerWriter: Write {
    fn finish(self: Box<Self>) -> io::Result<Compressed>;
}

/// Does the work on a separate thread.
async fn on_worker_thread(
    mut content: impl Stream<Item = io::Result<Bytes>> + Unpin,
    spool: SpoolWriter,
    begin: impl FnOnce(Counted<SpoolWriter>) -> io::Result<Box<dyn LayerWriter>> + Send + 'static,
) -> io::Result<Compressed> {
    let (sender, mut pieces) = mpsc::channel::<io::Result<Bytes>>(AHEAD);
    let work = tokio::task::spawn_blocking(move || {
        // Dropped on an error, the spool fails for its readers, too.
        let mut work = begin(Counted::new(spool))?;
        while let Some(piece) = pieces.blocking_recv() {
            work.write_all(&piece?)?;
        }
        work.finish()
    });
    while let Some(piece) = content.next().await {
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    work.await.map_err(io::Error::other)?
}

/// Counts and hashes what is written through it.
struct Counted<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W> Counted<W> {
    fn new(inner: W) -> Counted<W> {
        Counted { inner, hash: Sha256::new(), size: 0 }
    }

    fn digest(self) -> (Digest, u64, W) {
        (Digest::from_sha256(&self.hash.finalize()), self.size, self.inner)
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write_all(bytes)?;
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Compresses a plain archive with Zstandard on all cores.
struct ZstdWriter {
    came: Counted<io::Sink>,
    encoder: zstd::Encoder<'static, Counted<SpoolWriter>>,
}

fn packing(spool: Counted<SpoolWriter>) -> io::Result<Box<dyn LayerWriter>> {
    let mut encoder = zstd::Encoder::new(spool, LEVEL)?;
    encoder.include_checksum(true)?;
    // With at least one worker, the result is the same for any number of workers.
    encoder.multithread(available_parallelism().map_or(2, NonZero::get).min(16) as u32)?;
    encoder.set_parameter(zstd::zstd_safe::CParameter::JobSize(JOB))?;
    Ok(Box::new(ZstdWriter { came: Counted::new(io::sink()), encoder }))
}

impl Write for ZstdWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.encoder.write_all(bytes)?;
        self.came.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LayerWriter for ZstdWriter {
    fn finish(self: Box<Self>) -> io::Result<Compressed> {
        let (digest, _, spool) = self.encoder.finish()?.digest();
        let size = spool.finish(digest.clone());
        let (diff_id, content, _) = self.came.digest();
        Ok(Compressed { diff_id, content, codec: Codec::Zstd, digest, size })
    }
}

/// Keeps a compressed archive as it is, and decompresses it for its DiffID.
struct PassThroughWriter {
    codec: Codec,
    went: Counted<SpoolWriter>,
    decoder: Decoder,
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Counted<io::Sink>>>),
    Zstd(zstd::stream::write::Decoder<'static, Counted<io::Sink>>),
}

fn unpacking(codec: Codec, went: Counted<SpoolWriter>) -> io::Result<Box<dyn LayerWriter>> {
    let plain = Counted::new(io::sink());
    let decoder = match codec {
        Codec::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(plain))),
        Codec::Zstd => Decoder::Zstd(zstd::stream::write::Decoder::new(plain)?),
    };
    Ok(Box::new(PassThroughWriter { codec, went, decoder }))
}

impl Write for PassThroughWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.write_all(bytes)?,
            Decoder::Zstd(decoder) => decoder.write_all(bytes)?,
        }
        self.went.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LayerWriter for PassThroughWriter {
    fn finish(self: Box<Self>) -> io::Result<Compressed> {
        let plain = match self.decoder {
            Decoder::Gzip(decoder) => decoder.finish()?,
            Decoder::Zstd(decoder) => decoder.finish()?,
        };
        let (diff_id, content, _) = plain.digest();
        let (digest, _, spool) = self.went.digest();
        let size = spool.finish(digest.clone());
        Ok(Compressed { diff_id, content, codec: self.codec, digest, size })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::registry::Spool;

    fn plain() -> Vec<u8> {
        (0..3_000_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect()
    }

    async fn packed(content: &[u8], codec: Codec) -> io::Result<(Compressed, Vec<u8>)> {
        let pieces = content.chunks(100_000).map(|piece| Ok(Bytes::copy_from_slice(piece)));
        let (writer, spool) = Spool::create()?;
        let compressed = pack(stream::iter(pieces.collect::<Vec<_>>()), writer, codec)
            .await
            .inspect_err(|_| {
                assert!(matches!(spool.state(), crate::registry::SpoolState::Failed(_)));
            })?;
        let bytes = http_body_util::BodyExt::collect(spool.body(0)).await.unwrap().to_bytes();
        assert_eq!(
            (Digest::of(&bytes), bytes.len() as u64),
            (compressed.digest.clone(), compressed.size)
        );
        Ok((compressed, bytes.to_vec()))
    }

    #[tokio::test]
    async fn either_codec_is_read_back_and_what_came_compressed_stays_as_it_is() {
        let plain = plain();
        for codec in [Codec::Gzip, Codec::Zstd] {
            let (first, bytes) = packed(&plain, codec).await.unwrap();
            assert_eq!(first.diff_id, Digest::of(&plain));
            assert_eq!((first.codec, Codec::of(&bytes)), (codec, Some(codec)));
            assert!(first.size < first.content / 2);
            let (again, same) = packed(&bytes, Codec::Gzip).await.unwrap();
            assert_eq!(again, first);
            assert!(same == bytes);
        }
    }

    #[tokio::test]
    async fn a_corrupt_layer_is_an_error() {
        for codec in [Codec::Gzip, Codec::Zstd] {
            let (_, mut bytes) = packed(&plain(), codec).await.unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
            assert!(packed(&bytes, codec).await.is_err(), "{codec:?}, changed");
            bytes.truncate(middle);
            assert!(packed(&bytes, codec).await.is_err(), "{codec:?}, cut off");
        }
    }

    #[tokio::test]
    async fn a_layer_of_nothing_is_packed() {
        for codec in [Codec::Gzip, Codec::Zstd] {
            let (nothing, _) = packed(&[], codec).await.unwrap();
            assert_eq!(nothing.diff_id, Digest::of(&[]));
        }
    }
}
