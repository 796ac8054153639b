//! Assembles images from files, without a container engine and reproducibly: [`assemble`] gives the same
//! digest for the same files on every machine, with or without a base image that [`base::read`] has read. For
//! images that an engine builds, see `docker`.

mod assembly;
pub mod base;
mod codec;
mod compress;
mod configuration;
mod document;
mod error;
mod files;
mod gzip;
mod layer;
mod owner;
mod pack;
mod platform;
#[cfg(test)]
mod tests;
mod tree;

use std::path::Path;

pub use crate::registry::{Blob, Image, Index, Layer};
pub use assembly::{Annotations, Assembly, Entry, FileMapping};
pub use base::Bases;
pub use codec::Codec;
pub use compress::Compressed;
pub use configuration::Configuration;
pub use error::AssembleError;
pub use owner::{InvalidMode, InvalidOwner, Mode, Owner};
pub use pack::pack;
pub use platform::{InvalidPlatform, Platform};

use cutover_rollout::model::Digest;
use tree::{Kind, Node, Tree};

/// Assembles an image from the files that `assembly` names, relative to `root`: the one for its platform,
/// with the others and their index if it names several. `bases` is what [`base::read`] has read for
/// [`Assembly::all_platforms`], if there is a base image.
///
/// Blocks the calling thread while it reads the disk and compresses on all cores. The files are held in
/// memory: this is for sites and programs, not for gigabytes.
///
/// # Errors
/// Fails if a file is missing or cannot be in an image, or a setting is invalid.
pub fn assemble(
    assembly: &Assembly,
    root: &Path,
    bases: &Bases,
    annotations: &Annotations,
) -> Result<Image, AssembleError> {
    let mut packed: Vec<(Vec<&FileMapping>, NewLayer)> = Vec::new();
    let mut images = Vec::new();
    for platform in assembly.all_platforms() {
        let files: Vec<&FileMapping> =
            assembly.files.iter().filter(|mapping| mapping.is_for(platform)).collect();
        let layer = match packed.iter().find(|(of, _)| *of == files) {
            Some((_, layer)) => layer.clone(),
            None => {
                let mut tree = Tree::new(assembly.base.is_some());
                for mapping in &files {
                    files::collect(mapping, root, &mut tree)?;
                }
                let layer = NewLayer::of(&tree)?;
                packed.push((files, layer.clone()));
                layer
            }
        };
        images
            .push((platform, Assembler { assembly, bases, annotations }.finish(platform, layer)?));
    }
    with_index(images, assembly, annotations)
}

/// Assembles an image from entries in memory, without a base image and for one platform. Ignores the files,
/// base image and platforms of `assembly`.
///
/// # Errors
/// Fails if a path cannot be in an image, or a setting is invalid.
pub fn assemble_entries(entries: &[Entry], assembly: &Assembly) -> Result<Image, AssembleError> {
    let mut tree = Tree::new(false);
    for entry in entries {
        let kind = Kind::File { executable: entry.executable, bytes: entry.bytes.clone() };
        tree.insert(&entry.path, Node::plain(kind))?;
    }
    let assembly = &Assembly { base: None, ..assembly.clone() };
    let (bases, annotations) = (&Bases::default(), &Annotations::default());
    let making = Assembler { assembly, bases, annotations };
    making.finish(&assembly.platform, NewLayer::of(&tree)?)
}

/// The layer that is added to the base image.
#[derive(Clone)]
struct NewLayer {
    diff_id: Digest,
    blob: Blob,
}

impl NewLayer {
    fn of(tree: &Tree) -> Result<NewLayer, AssembleError> {
        if tree.is_empty() {
            return Err(AssembleError::Empty);
        }
        let (diff_id, blob) = layer::pack(tree)?;
        Ok(NewLayer { diff_id, blob })
    }
}

/// What an image is assembled from, apart from its layer.
struct Assembler<'a> {
    assembly: &'a Assembly,
    bases: &'a Bases,
    annotations: &'a Annotations,
}

impl Assembler<'_> {
    fn finish(&self, platform: &Platform, own: NewLayer) -> Result<Image, AssembleError> {
        let Assembler { assembly, bases, annotations } = self;
        let base = match assembly.base {
            Some(_) => {
                let missing = || AssembleError::NoBase { platform: platform.clone() };
                Some(bases.of(platform).ok_or_else(missing)?)
            }
            None => None,
        };
        let config = document::config(assembly, annotations, platform, base, &own.diff_id)?;
        let below = base.map_or(&[][..], |base| base.layers()).iter().cloned().map(Layer::There);
        let layers: Vec<Layer> = below.chain([Layer::Local(own.blob)]).collect();
        let manifest = document::manifest(&config, &layers, annotations)?;
        Ok(Image { manifest, config, layers, index: None })
    }
}

/// Returns the image for the instances' platform, and the index with the others.
fn with_index(
    mut images: Vec<(&Platform, Image)>,
    assembly: &Assembly,
    annotations: &Annotations,
) -> Result<Image, AssembleError> {
    let named: Vec<(&Platform, &Image)> = images.iter().map(|(p, image)| (*p, image)).collect();
    let manifest = document::index(&named, annotations)?;
    let own = images.iter().position(|(platform, _)| **platform == assembly.platform);
    let (_, mut image) = images.remove(own.unwrap_or_default());
    if !assembly.platforms.is_empty() {
        let others = images.into_iter().map(|(_, image)| image).collect();
        image.index = Some(Index { manifest, others });
    }
    Ok(image)
}
