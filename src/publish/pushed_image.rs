//! The digests of an image that is in the registries.

use cutover_oci::image::Image;
use cutover_rollout::model::Digest;

/// An image that is in the registries, by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedImage {
    /// The digest that instances launch.
    pub digest: Digest,
    /// What tags are to point to: the index if there is one.
    pub tag_target: Digest,
    /// The digest of each platform's image.
    pub platforms: Vec<Digest>,
}

impl PushedImage {
    /// Returns the manifests of the image: each platform's, and the index over them if there is one.
    pub fn manifests(&self) -> impl Iterator<Item = &Digest> {
        let index = Some(&self.tag_target).filter(|top| !self.platforms.contains(top));
        self.platforms.iter().chain(index)
    }
}

impl From<&Image> for PushedImage {
    fn from(image: &Image) -> PushedImage {
        PushedImage {
            digest: image.digest().clone(),
            tag_target: image.tag_target().digest.clone(),
            platforms: image.platforms().map(|image| image.digest().clone()).collect(),
        }
    }
}

impl From<Digest> for PushedImage {
    fn from(digest: Digest) -> PushedImage {
        PushedImage { tag_target: digest.clone(), platforms: vec![digest.clone()], digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_manifest_comes_once() {
        let [one, two, index] = ["1", "2", "i"].map(|text| Digest::of(text.as_bytes()));
        let all = |pushed: &PushedImage| pushed.manifests().cloned().collect::<Vec<_>>();
        assert_eq!(all(&one.clone().into()).len(), 1);
        let platforms = vec![one.clone(), two.clone()];
        let pushed = PushedImage { digest: one.clone(), tag_target: index.clone(), platforms };
        assert_eq!(all(&pushed), [one, two, index]);
    }
}
