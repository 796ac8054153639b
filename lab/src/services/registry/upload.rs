//! An upload in progress, as data.

use bytes::BytesMut;

/// A blob's upload in progress.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    /// The name of the repository that the blob is for.
    pub(crate) repository: String,
    /// The bytes received so far.
    pub(crate) bytes: BytesMut,
    /// The sizes of the parts received so far, in bytes.
    pub(crate) parts: Vec<usize>,
}

impl Upload {
    /// Starts an upload, without any bytes.
    pub(crate) fn new(repository: &str) -> Upload {
        let repository = repository.to_owned();
        Upload { repository, bytes: BytesMut::new(), parts: Vec::new() }
    }

    /// Appends a part.
    pub(crate) fn append(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(part);
        self.parts.push(part.len());
    }
}
