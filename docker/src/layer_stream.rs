//! The layers of an image as they leave an engine: one after the other, each as a stream.

use std::collections::BTreeSet;
use std::io::{self, Read};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use cutover_rollout::model::Digest;

/// Bytes per read.
const PIECE: usize = 256 << 10;

/// Pieces that are read ahead of the consumer. With [`PIECE`], this bounds the memory to 2 MiB.
const AHEAD: usize = 8;

/// The largest JSON document in bytes: configurations have a few thousand.
const DOCUMENT: u64 = 8 << 20;

/// An item of the stream.
#[derive(Debug)]
pub enum ExportItem {
    /// A layer begins. What is not read of it is skipped when the next item is requested.
    Layer(ExportedLayer),
    /// A JSON document, which may be the image's configuration.
    Document(Bytes),
}

/// A layer being read.
#[derive(Debug)]
pub struct ExportedLayer {
    /// Its DiffID, if known before all of it is read. Not verified.
    pub diff_id: Option<Digest>,
    /// Its archive as stored, possibly compressed.
    pub content: mpsc::Receiver<io::Result<Bytes>>,
}

/// A stream of layers. Dropping it ends the reading.
pub type LayerStream = mpsc::Receiver<io::Result<ExportItem>>;

/// Streams the `wanted` layers of an image from the engine's data folder. `diff_ids` are all of the image's
/// layers, from the bottom up.
#[cfg(target_os = "linux")]
pub fn from_store(
    store: super::LayerStore,
    diff_ids: Vec<Digest>,
    mut wanted: BTreeSet<Digest>,
) -> LayerStream {
    reading(move |arrivals| {
        for at in 0..diff_ids.len() {
            // An image may have the same layer twice.
            if wanted.remove(&diff_ids[at]) {
                let archive = store.archive(&diff_ids[..=at])?;
                pour(archive, Some(diff_ids[at].clone()), arrivals)?;
            }
        }
        Ok(())
    })
}

/// Streams everything in an engine's export (`GET /images/{name}/get`), in the format up to Docker 24 and in
/// the one since Docker 25, which is also an OCI layout.
pub fn from_export(export: impl AsyncRead + Send + Unpin + 'static) -> LayerStream {
    let export = BlockingReader { export, runtime: Handle::current() };
    reading(move |arrivals| {
        let mut archive = tar::Archive::new(export);
        for entry in archive.entries()? {
            let entry = entry?;
            if !entry.header().entry_type().is_file() {
                // The second occurrence of a layer is a link.
                continue;
            }
            let path = entry.path()?.into_owned();
            let name = path.to_string_lossy();
            let blob = name.strip_prefix("blobs/sha256/").map(str::to_owned);
            if name.ends_with("/layer.tar") {
                pour(entry, None, arrivals)?;
            } else if let Some(hex) = name.strip_suffix(".tar").filter(|hex| !hex.contains('/')) {
                // Podman's names.
                pour(entry, format!("sha256:{hex}").parse().ok(), arrivals)?;
            } else if let Some(hex) = blob {
                unfold(entry, format!("sha256:{hex}").parse().ok(), arrivals)?;
            } else if name.ends_with(".json") && !name.contains('/') {
                document(entry, arrivals)?;
            }
        }
        Ok(())
    })
}

/// A blocking reader over a socket, for use on a separate thread.
struct BlockingReader<R> {
    export: R,
    runtime: Handle,
}

impl<R: AsyncRead + Unpin> Read for BlockingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.runtime.block_on(self.export.read(buffer))
    }
}

/// Reads a blob of unknown type: a document starts with a brace, and is short.
fn unfold(
    mut entry: impl Read,
    digest: Option<Digest>,
    arrivals: &mpsc::Sender<io::Result<ExportItem>>,
) -> io::Result<()> {
    let mut start = [0; 4];
    let mut read = 0;
    while read < start.len() {
        match entry.read(&mut start[read..])? {
            0 => break,
            some => read += some,
        }
    }
    let begun = start[..read].to_vec();
    let entry = Read::chain(io::Cursor::new(begun), entry);
    if start[0] != b'{' {
        // A compressed blob has the name of its compressed content.
        let plain = !start.starts_with(&[0x1f, 0x8b]) && start != [0x28, 0xb5, 0x2f, 0xfd];
        return pour(entry, digest.filter(|_| plain), arrivals);
    }
    document(entry, arrivals)
}

fn document(entry: impl Read, arrivals: &mpsc::Sender<io::Result<ExportItem>>) -> io::Result<()> {
    let mut document = Vec::new();
    entry.take(DOCUMENT).read_to_end(&mut document)?;
    send(arrivals, ExportItem::Document(document.into()))
}

fn reading(
    read: impl FnOnce(&mpsc::Sender<io::Result<ExportItem>>) -> io::Result<()> + Send + 'static,
) -> LayerStream {
    let (sender, arrivals) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read(&sender) {
            // A consumer that is gone does not need the error.
            let _ = sender.blocking_send(Err(error));
        }
    });
    arrivals
}

/// Announces a layer, and sends it piece by piece; skips the rest once nobody reads it any more.
fn pour(
    mut content: impl Read,
    diff_id: Option<Digest>,
    arrivals: &mpsc::Sender<io::Result<ExportItem>>,
) -> io::Result<()> {
    let (pieces, taken) = mpsc::channel(AHEAD);
    send(arrivals, ExportItem::Layer(ExportedLayer { diff_id, content: taken }))?;
    loop {
        let mut piece = vec![0; PIECE];
        match content.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                piece.truncate(read);
                if pieces.blocking_send(Ok(piece.into())).is_err() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let _ = pieces.blocking_send(Err(error));
                return Ok(());
            }
        }
    }
}

fn send(arrivals: &mpsc::Sender<io::Result<ExportItem>>, arriving: ExportItem) -> io::Result<()> {
    let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the layers");
    arrivals.blocking_send(Ok(arriving)).map_err(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(files: &[(&str, &[u8])]) -> io::Cursor<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, name, *content).unwrap();
        }
        io::Cursor::new(archive.into_inner().unwrap())
    }

    /// Returns each item as text, after reading this many pieces of each layer.
    async fn reported(mut arrivals: LayerStream, pieces: usize) -> Vec<String> {
        let mut reported = Vec::new();
        while let Some(arriving) = arrivals.recv().await {
            reported.push(match arriving.unwrap() {
                ExportItem::Document(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                ExportItem::Layer(mut layer) => {
                    let mut size = 0;
                    for _ in 0..pieces {
                        match layer.content.recv().await {
                            Some(piece) => size += piece.unwrap().len(),
                            None => break,
                        }
                    }
                    let known = layer.diff_id.map(|id| id.short().to_owned());
                    format!("{} {size}", known.as_deref().unwrap_or("?"))
                }
            });
        }
        reported
    }

    const HEX: &str = "25776084539f2a5a9ee0a1a8c9ab2a8a5ec2fd8b0e2a2e8e0f2ec1e8ec0dd6b1";

    #[tokio::test]
    async fn both_forms_of_an_export_are_understood() {
        let old = export(&[
            ("1/VERSION", b"1.0"),
            ("1/json", b"{}"),
            ("1/layer.tar", &[0; 1_000_000]),
            ("c.json", b"{\"a\":1}"),
            ("manifest.json", b"[]"),
        ]);
        assert_eq!(reported(from_export(old), 9).await, ["? 1000000", "{\"a\":1}", "[]"]);
        let blob = format!("blobs/sha256/{HEX}");
        let new = export(&[
            (&blob, &[0; 300]),
            (&blob, b"{\"b\":2}"),
            (&blob, &[0x1f, 0x8b, 8]),
            ("index.json", b"{}"),
        ]);
        assert_eq!(
            reported(from_export(new), 9).await,
            ["25776084539f 300", "{\"b\":2}", "? 3", "{}"]
        );
    }

    #[tokio::test]
    async fn a_layer_that_nobody_takes_is_skipped() {
        let layers = [("1/layer.tar", &[0; 5_000_000][..]), ("2/layer.tar", &[0; 70])];
        assert_eq!(reported(from_export(export(&layers)), 1).await, ["? 262144", "? 70"]);
    }
}
