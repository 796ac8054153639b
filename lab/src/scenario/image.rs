//! Container images assembled from files in memory, for a world to begin with: one layer, no base image,
//! and the same digest for the same input.

use std::collections::BTreeMap;
use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::services::registry::{self, digest_of};
use crate::wire::{ApiError, ApiResult};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The files of an image, and its labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFiles {
    /// Contents by path, without a leading slash.
    pub files: BTreeMap<String, Bytes>,
    /// Labels of its configuration.
    pub labels: BTreeMap<String, String>,
}

impl ImageFiles {
    /// Returns the small news site that a world begins with.
    pub fn news_site() -> ImageFiles {
        let files = [
            ("srv/www/index.html", include_str!("site/index.html")),
            ("srv/www/style.css", include_str!("site/style.css")),
        ];
        let own = |(path, text): (&str, &'static str)| (path.to_owned(), Bytes::from(text));
        ImageFiles { files: files.into_iter().map(own).collect(), labels: BTreeMap::new() }
    }

    /// Stores the image in `repository` under `tag` and returns its digest.
    pub fn store(
        &self,
        registry: &mut registry::State,
        repository: &str,
        tag: &str,
    ) -> ApiResult<String> {
        let tar = self.tar().map_err(|error| assembly_error(&error))?;
        let layer = gzip(&tar).map_err(|error| assembly_error(&error))?;
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Labels": self.labels,
                "ExposedPorts": { "8080/tcp": {} },
                "Cmd": ["/bin/serve", "/srv/www"],
            },
            "rootfs": { "type": "layers", "diff_ids": [digest_of(&tar)] },
        })
        .to_string();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": CONFIG,
                "digest": digest_of(config.as_bytes()),
                "size": config.len(),
            },
            "layers": [{ "mediaType": LAYER, "digest": digest_of(&layer), "size": layer.len() }],
        })
        .to_string();
        registry::put_blob(registry, layer);
        registry::put_blob(registry, config);
        registry::put_manifest(registry, repository, Some(tag), MANIFEST, manifest)
            .map_err(|error| ApiError::receiver("InvalidImage", format!("{error:?}")))
    }

    /// Returns the layer: files in the order of their paths, without owners or times.
    fn tar(&self) -> std::io::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, contents) in &self.files {
            let mut header = tar::Header::new_ustar();
            header.set_size(contents.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            archive.append_data(&mut header, path, contents.as_ref())?;
        }
        archive.into_inner()
    }
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn assembly_error(error: &std::io::Error) -> ApiError {
    ApiError::receiver("InvalidImage", format!("The image cannot be assembled: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_have_the_same_digest_and_can_be_read_back() {
        let mut site = ImageFiles::news_site();
        site.labels.insert("lab.version".to_owned(), "v1".to_owned());
        let (mut one, mut other) = (registry::State::default(), registry::State::default());
        let digest = site.store(&mut one, "news", "v1").unwrap();
        assert_eq!(site.store(&mut other, "news", "v1").unwrap(), digest);
        let facts = registry::image(&one, "host.example/news:v1").unwrap();
        assert_eq!(
            (facts.digest.as_str(), facts.labels["lab.version"].as_str()),
            (digest.as_str(), "v1")
        );
        assert!(registry::file(&one, &digest, "srv/www/index.html").is_some());
    }
}
