//! Transfers layers: each is compressed once, and every destination that lacks it reads what is there so far.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Duration, interval};
use tokio_stream::wrappers::ReceiverStream;

use super::dedupe::Layer;
use super::stored_layer::StoredLayer;
use super::{Destination, ImagePush, PublishError};
use cutover_docker::{ExportItem, ExportedLayer, LayerStream};
use cutover_oci::image::{Codec, Compressed, pack};
use cutover_oci::registry::{RegistryError, Spool, SpoolState, SpoolWriter};
use cutover_rollout::model::{Digest, LayerState, Repository};

/// Concurrent uploads to one registry. ECR throttles clients that upload many small layers.
const AT_ONCE: usize = 4;

/// Interval of progress reports.
const PACE: Duration = Duration::from_millis(100);

/// The result of a transfer.
#[derive(Debug, Default)]
pub(super) struct Transferred {
    /// The layers, each with its blob.
    pub layers: Vec<Layer>,
    /// Documents that came with the layers.
    pub documents: Vec<Bytes>,
    /// Bytes that were sent, by destination.
    pub uploaded: BTreeMap<Repository, u64>,
}

impl Transferred {
    /// Returns the blob of a layer.
    pub(super) fn blob(&self, diff_id: &Digest) -> Option<&StoredLayer> {
        self.layers.iter().find(|layer| layer.diff_id == *diff_id)?.blob.as_ref()
    }
}

/// Uploads layers to the destinations that lack them.
pub(super) struct Transfer<'a> {
    push: &'a ImagePush<'a>,
    layers: Vec<Layer>,
    /// Uploads; each returns the indexes of its layer and its destination.
    uploads: JoinSet<Result<(usize, usize), RegistryError>>,
    /// One per destination.
    gates: Vec<Arc<Semaphore>>,
    /// Whether there are layers that no destination lacks.
    some_are_there: bool,
    /// Bytes that were sent, by destination.
    uploaded: BTreeMap<Repository, u64>,
    /// Layers that are compressed but not completely sent.
    sending: Vec<Sending>,
}

/// A layer being uploaded.
struct Sending {
    /// Index of the layer.
    at: usize,
    spool: Spool,
    /// Bytes to send, to all destinations together.
    of: u64,
    /// Number of destinations that still lack it.
    left: usize,
}

/// A layer's bytes, piece by piece.
trait Content: Stream<Item = io::Result<Bytes>> + Unpin {}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Content for S {}

impl<'a> Transfer<'a> {
    pub(super) fn new(push: &'a ImagePush<'a>, layers: Vec<Layer>) -> Transfer<'a> {
        let gates = push.destinations.iter().map(|_| Arc::new(Semaphore::new(AT_ONCE))).collect();
        let some_are_there = !layers.iter().all(Layer::is_missing);
        Transfer {
            push,
            layers,
            uploads: JoinSet::new(),
            gates,
            some_are_there,
            uploaded: BTreeMap::new(),
            sending: Vec::new(),
        }
    }

    /// Processes everything that arrives. When this returns, every destination has every layer.
    pub(super) async fn run(
        mut self,
        mut arrivals: LayerStream,
    ) -> Result<Transferred, PublishError> {
        let mut documents = Vec::new();
        // Read to the end, even if there is nothing left to wait for: a stream that breaks off is an error.
        while let Some(arriving) = self.next(&mut arrivals).await? {
            match arriving.map_err(|error| unreadable(&error))? {
                ExportItem::Document(bytes) => documents.push(bytes),
                ExportItem::Layer(layer) => self.layer(layer).await?,
            }
        }
        if let Some(missing) = self.layers.iter().find(|layer| layer.is_missing()) {
            return Err(PublishError::MissingLayer(missing.diff_id.clone()));
        }
        let mut pace = interval(PACE);
        while !self.uploads.is_empty() {
            tokio::select! {
                Some(done) = self.uploads.join_next() => self.uploaded(done)?,
                _ = pace.tick() => self.tell_sending(),
            }
        }
        Ok(Transferred { layers: self.layers, documents, uploaded: self.uploaded })
    }

    /// Returns what arrives next. Fails at once if an upload fails meanwhile.
    async fn next(
        &mut self,
        arrivals: &mut LayerStream,
    ) -> Result<Option<io::Result<ExportItem>>, PublishError> {
        loop {
            tokio::select! {
                arriving = arrivals.recv() => return Ok(arriving),
                Some(done) = self.uploads.join_next() => self.uploaded(done)?,
            }
        }
    }

    async fn layer(&mut self, layer: ExportedLayer) -> Result<(), PublishError> {
        let ExportedLayer { diff_id, content } = layer;
        let mut content = ReceiverStream::new(content).peekable();
        match diff_id {
            Some(diff_id) => match self.wanted(&diff_id) {
                Some(at) => self.pack(Some(at), content).await,
                None => Ok(()),
            },
            None if !self.some_are_there => self.pack(None, content).await,
            // It may be a layer that every destination has: only reading it tells.
            None => {
                let first = std::pin::Pin::new(&mut content).peek().await;
                match first.and_then(|first| Codec::of(first.as_ref().ok()?)) {
                    Some(_) => self.keep(content).await,
                    None => self.put_aside(content).await,
                }
            }
        }
    }

    /// Uploads a layer that is already compressed and whose DiffID is not known yet.
    async fn keep(&mut self, content: impl Content) -> Result<(), PublishError> {
        let (writer, spool) = spool()?;
        let compressed = self.watch(None, content, writer, &spool).await?;
        let Some(at) = self.wanted(&compressed.diff_id) else { return Ok(()) };
        let (_, known_at) = watch::channel(Some(at));
        for to in self.layers[at].lacking.clone() {
            self.upload(known_at.clone(), to, spool.clone());
        }
        self.packed(at, &compressed, &spool, &known_at);
        Ok(())
    }

    /// Buffers a layer that is not compressed and whose DiffID is not known yet, then compresses and uploads
    /// it.
    async fn put_aside(&mut self, content: impl Content) -> Result<(), PublishError> {
        let (spool, diff_id) = aside(content).await.map_err(|error| unreadable(&error))?;
        let Some(at) = self.wanted(&diff_id) else { return Ok(()) };
        let content = spool.body(0).into_data_stream();
        self.pack(Some(at), content.map(|piece| piece.map_err(io::Error::other))).await
    }

    fn wanted(&self, diff_id: &Digest) -> Option<usize> {
        self.layers.iter().position(|layer| layer.diff_id == *diff_id && layer.is_missing())
    }

    /// Compresses the layer, which is at index `at` if that is known, and uploads it meanwhile.
    async fn pack(&mut self, at: Option<usize>, content: impl Content) -> Result<(), PublishError> {
        let (writer, spool) = spool()?;
        let lacking = match at {
            Some(at) => self.layers[at].lacking.clone(),
            None => (0..self.push.destinations.len()).collect(),
        };
        // The layer's index may be known only at its end.
        let (tell_at, known_at) = watch::channel(at);
        let begun: Vec<_> = lacking
            .into_iter()
            .map(|to| self.upload(known_at.clone(), to, spool.clone()))
            .collect();
        let compressed = self.watch(at, content, writer, &spool).await?;
        let place = self.layers.iter().position(|layer| layer.diff_id == compressed.diff_id);
        let place = match (at, place) {
            (None, Some(place)) => place,
            (Some(at), Some(place)) if at == place => place,
            // An export may contain other platforms' images. No manifest names what was uploaded of them.
            (None, None) => {
                begun.iter().for_each(AbortHandle::abort);
                return Ok(());
            }
            (Some(_), _) => return Err(PublishError::UnexpectedLayer(compressed.diff_id)),
        };
        tell_at.send_replace(Some(place));
        self.packed(place, &compressed, &spool, &known_at);
        Ok(())
    }

    /// Compresses the content and reports progress; fails as soon as an upload does.
    async fn watch(
        &mut self,
        at: Option<usize>,
        content: impl Content,
        writer: SpoolWriter,
        spool: &Spool,
    ) -> Result<Compressed, PublishError> {
        let count = AtomicU64::new(0);
        let counted = content.inspect(|piece| {
            let read = piece.as_ref().map_or(0, |piece| piece.len() as u64);
            count.fetch_add(read, Ordering::Relaxed);
        });
        let mut packing = std::pin::pin!(pack(counted, writer, self.push.codec));
        let mut pace = interval(PACE);
        loop {
            tokio::select! {
                packed = &mut packing => return packed.map_err(|error| unreadable(&error)),
                Some(done) = self.uploads.join_next() => self.uploaded(done)?,
                _ = pace.tick() => {
                    self.tell_sending();
                    let read = count.load(Ordering::Relaxed);
                    let written = match spool.state() {
                        SpoolState::Partial(size) | SpoolState::Complete { size, .. } => size,
                        SpoolState::Failed(_) => 0,
                    };
                    if let Some(at) = at {
                        self.push.emit(&self.layers, at, LayerState::Packing { read, written });
                    }
                }
            }
        }
    }

    fn tell_sending(&self) {
        for Sending { at, spool, of, .. } in &self.sending {
            // Bytes that are sent again after an interruption count once.
            let state = LayerState::Uploading { sent: spool.bytes_read().min(*of), of: *of };
            self.push.emit(&self.layers, *at, state);
        }
    }

    /// Records a layer's blob.
    fn packed(
        &mut self,
        at: usize,
        compressed: &Compressed,
        spool: &Spool,
        known_at: &watch::Receiver<Option<usize>>,
    ) {
        let Compressed { digest, size, codec, content, .. } = compressed.clone();
        let state = LayerState::Packed { content, size };
        self.push.emit(&self.layers, at, state);
        let blob = StoredLayer { digest, size, codec };
        let layer = &mut self.layers[at];
        // Another tool compressed the layer to another blob, which some destinations have: now all get this
        // one.
        let had = match &layer.blob {
            Some(known) if *known != blob => {
                let all = 0..self.push.destinations.len();
                all.filter(|to| !layer.lacking.contains(to)).collect()
            }
            _ => Vec::new(),
        };
        layer.blob = Some(blob);
        let left = layer.lacking.len() + had.len();
        layer.lacking.clear();
        self.sending.push(Sending { at, spool: spool.clone(), of: size * left as u64, left });
        for to in had {
            self.upload(known_at.clone(), to, spool.clone());
        }
    }

    fn upload(
        &mut self,
        mut at: watch::Receiver<Option<usize>>,
        to: usize,
        spool: Spool,
    ) -> AbortHandle {
        let Destination { repository, registry } = self.push.destinations[to].clone();
        let gate = self.gates[to].clone();
        self.uploads.spawn(async move {
            let _turn = gate.acquire_owned().await;
            registry.upload_spool(&repository, &spool, "a layer").await?;
            let at = at.wait_for(Option::is_some).await.ok().and_then(|at| *at);
            let gone = || RegistryError::Content("it is not a layer of the image".to_owned());
            Ok((at.ok_or_else(gone)?, to))
        })
    }

    fn uploaded(
        &mut self,
        done: Result<Result<(usize, usize), RegistryError>, tokio::task::JoinError>,
    ) -> Result<(), PublishError> {
        let (at, to) = match done {
            Err(error) if error.is_cancelled() => return Ok(()),
            done => done.map_err(|error| PublishError::Spool(error.to_string()))??,
        };
        let repository = &self.push.destinations[to].repository;
        if let Some(StoredLayer { digest, size, codec }) = &self.layers[at].blob {
            let diff_id = &self.layers[at].diff_id;
            self.push.cache.store_layer(diff_id, *codec, (digest, *size), repository);
            *self.uploaded.entry(repository.clone()).or_default() += size;
            let state = LayerState::Uploaded { repository: repository.clone(), size: *size };
            self.push.emit(&self.layers, at, state);
            for sending in self.sending.iter_mut().filter(|sending| sending.at == at) {
                sending.left = sending.left.saturating_sub(1);
            }
            self.sending.retain(|sending| sending.left > 0);
        }
        Ok(())
    }
}

impl Layer {
    /// Returns whether a destination lacks it, or its blob is not known yet.
    pub(super) fn is_missing(&self) -> bool {
        self.blob.is_none() || !self.lacking.is_empty()
    }
}

fn unreadable(error: &io::Error) -> PublishError {
    PublishError::Unreadable(error.to_string())
}

fn spool() -> Result<(SpoolWriter, Spool), PublishError> {
    Spool::create().map_err(|error| PublishError::Spool(error.to_string()))
}

/// Buffers a whole layer, to find out its DiffID.
async fn aside(mut content: impl Content) -> io::Result<(Spool, Digest)> {
    let (mut writer, spool) = Spool::create()?;
    let mut hash = Sha256::new();
    while let Some(piece) = content.next().await {
        let piece = piece?;
        hash.update(&piece);
        writer.write_all(&piece)?;
    }
    let diff_id = Digest::from_sha256(&hash.finalize());
    writer.finish(diff_id.clone());
    Ok((spool, diff_id))
}
