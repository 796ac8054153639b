//! gzip on all cores: one stream of blocks that are deflated separately, each with the 32 KiB before it as
//! its dictionary. The bytes depend only on the content, not on the number of cores.

use std::io;
use std::num::NonZero;
use std::thread::{self, available_parallelism};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Block size in bytes. Another size would give other bytes, and so another digest.
pub(super) const BLOCK: usize = 1 << 20;

/// Deflate's window in bytes.
pub(super) const WINDOW: usize = 32 << 10;

/// 4% larger than level 4, in two thirds of its time: a push waits for this, and for little else
/// (docs/speed.md).
const LEVEL: Compression = Compression::new(2);

/// A header without time, name or operating system (RFC 1952).
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A deflated block.
pub(super) struct Deflated {
    /// Ends on a byte boundary, so that the next block can follow.
    pub bytes: Vec<u8>,
    /// CRC of the block before it was deflated.
    pub crc: Crc,
}

/// Deflates a block that follows `window`. `last` ends the stream.
///
/// # Errors
/// Fails if the library makes no progress, which would be a bug in it.
pub(super) fn deflate(window: &[u8], block: &[u8], last: bool) -> io::Result<Deflated> {
    let mut deflater = Compress::new(LEVEL, false);
    if !window.is_empty() {
        deflater.set_dictionary(window)?;
    }
    let flush = if last { FlushCompress::Finish } else { FlushCompress::Sync };
    let mut bytes = Vec::with_capacity(block.len() / 2 + 1024);
    loop {
        let (fed, held) = (deflater.total_in(), bytes.len());
        let rest = usize::try_from(fed).ok().and_then(|fed| block.get(fed..)).unwrap_or_default();
        let status = deflater.compress_vec(rest, &mut bytes, flush)?;
        let taken = deflater.total_in() == block.len() as u64;
        // A flush is complete once it leaves room.
        if status == Status::StreamEnd || (!last && taken && bytes.len() < bytes.capacity()) {
            break;
        }
        if deflater.total_in() == fed && bytes.len() == held && bytes.len() < bytes.capacity() {
            return Err(io::Error::other("deflate makes no progress"));
        }
        bytes.reserve(bytes.len().max(64 << 10));
    }
    let mut crc = Crc::new();
    crc.update(block);
    Ok(Deflated { bytes, crc })
}

/// Returns the end of the stream: checksum and length of all content.
pub(super) fn trailer(all: &Crc) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&all.sum().to_le_bytes());
    bytes[4..].copy_from_slice(&all.amount().to_le_bytes());
    bytes
}

/// Deflates all of `content` on all cores, to the bytes that [`super::compress()`] writes.
///
/// # Errors
/// Fails like [`deflate`].
pub(super) fn whole(content: &[u8]) -> io::Result<Vec<u8>> {
    let ends: Vec<usize> = (BLOCK..content.len()).step_by(BLOCK).chain([content.len()]).collect();
    let cores = available_parallelism().map_or(2, NonZero::get);
    let work = |ends: &[usize]| -> io::Result<Vec<Deflated>> {
        let block = |end: &usize| {
            let start = end.saturating_sub(1) / BLOCK * BLOCK;
            let window = &content[start.saturating_sub(WINDOW)..start];
            deflate(window, &content[start..*end], *end == content.len())
        };
        ends.iter().map(block).collect()
    };
    let blocks: Vec<Vec<Deflated>> = thread::scope(|scope| {
        let shares = ends.chunks(ends.len().div_ceil(cores));
        let workers: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
        let ended = workers.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a worker panicked")))
        });
        ended.collect::<io::Result<_>>()
    })?;
    let (mut bytes, mut crc) = (HEADER.to_vec(), Crc::new());
    for block in blocks.into_iter().flatten() {
        crc.combine(&block.crc);
        bytes.extend_from_slice(&block.bytes);
    }
    bytes.extend_from_slice(&trailer(&crc));
    Ok(bytes)
}
