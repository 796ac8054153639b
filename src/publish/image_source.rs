//! Where the content of an image that is to be published comes from.

use cutover_docker::{Engine, EngineImage};
use cutover_oci::image::Image;

/// An image on this machine.
#[derive(Debug)]
pub enum ImageSource {
    /// Assembled, in memory; the layers of its base image are in a registry.
    Assembled(Box<Image>),
    /// In the store of a container engine.
    Engine(Box<Engine>, EngineImage),
}
