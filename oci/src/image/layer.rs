//! Layers: tar archives without times, user names or anything else of the machine that wrote them.

use std::io;

use oci_spec::image::MediaType;
use tar::{Builder, EntryType, Header};

use crate::registry::Blob;
use cutover_rollout::model::Digest;

use super::tree::{Kind, Tree};
use super::{AssembleError, gzip};

/// Returns the DiffID, which is the digest before compression, and the compressed layer.
pub(super) fn pack(tree: &Tree) -> Result<(Digest, Blob), AssembleError> {
    let failed =
        |error: io::Error| AssembleError::Document { document: "layer", cause: error.to_string() };
    let archive = archive(tree).map_err(failed)?;
    let compressed = gzip::whole(&archive).map_err(failed)?;
    Ok((Digest::of(&archive), Blob::new(MediaType::ImageLayerGzip.to_string(), compressed)))
}

fn archive(tree: &Tree) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for (path, mode, node) in tree.iter() {
        let mut header = Header::new_gnu();
        header.set_mtime(0);
        header.set_uid(node.owner.uid.into());
        header.set_gid(node.owner.gid.into());
        header.set_mode(mode);
        header.set_size(0);
        match &node.kind {
            Kind::Folder => {
                header.set_entry_type(EntryType::Directory);
                builder.append_data(&mut header, format!("{path}/"), io::empty())?;
            }
            Kind::File { bytes, .. } => {
                header.set_entry_type(EntryType::Regular);
                header.set_size(bytes.len() as u64);
                builder.append_data(&mut header, path, bytes.as_ref())?;
            }
            Kind::Link { target } => {
                header.set_entry_type(EntryType::Symlink);
                builder.append_link(&mut header, path, target)?;
            }
        }
    }
    builder.into_inner()
}
