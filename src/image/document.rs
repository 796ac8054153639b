//! The two JSON documents of an image: configuration and manifest.

use oci_spec::image::{
    Arch, Config, Descriptor, Digest as OciDigest, ImageConfiguration, ImageManifestBuilder,
    MediaType, Os, RootFs,
};
use serde::Serialize;

use crate::model::Digest;
use crate::registry::Blob;

use super::{AssembleError, Assembly};

/// Stands for "no time": a real one would change the digest with every build.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// The image's configuration over one layer.
pub(super) fn config(assembly: &Assembly, diff_id: &Digest) -> Result<Blob, AssembleError> {
    let mut layers = RootFs::default();
    layers.set_diff_ids(vec![diff_id.to_string()]);
    let mut configuration = ImageConfiguration::default();
    configuration.set_created(Some(EPOCH.to_owned()));
    configuration.set_os(Os::from(assembly.platform.os.as_str()));
    configuration.set_architecture(Arch::from(assembly.platform.architecture.as_str()));
    configuration.set_variant(assembly.platform.variant.clone());
    configuration.set_config(Some(run(assembly)?));
    configuration.set_rootfs(layers);
    document("configuration", &MediaType::ImageConfig, &configuration)
}

/// How to run it.
fn run(assembly: &Assembly) -> Result<Config, AssembleError> {
    let list = |items: &[String]| (!items.is_empty()).then(|| items.to_vec());
    let env: Vec<String> =
        assembly.env.iter().map(|(name, value)| variable(name, value)).collect::<Result<_, _>>()?;
    let ports: Vec<String> =
        assembly.exposed_ports.iter().map(|p| port(p)).collect::<Result<_, _>>()?;
    if let Some(workdir) = assembly.workdir.as_ref().filter(|path| !path.starts_with('/')) {
        let rule = "it must be absolute";
        return Err(AssembleError::Invalid { setting: "workdir", value: workdir.clone(), rule });
    }
    let labels = assembly.labels.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    let mut config = Config::default();
    config.set_user(assembly.user.clone());
    config.set_exposed_ports(list(&ports));
    config.set_env(list(&env));
    config.set_entrypoint(list(&assembly.entrypoint));
    config.set_cmd(list(&assembly.cmd));
    config.set_working_dir(assembly.workdir.clone());
    config.set_labels((!assembly.labels.is_empty()).then_some(labels));
    Ok(config)
}

fn variable(name: &str, value: &str) -> Result<String, AssembleError> {
    if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
        let rule = "a name has no `=`";
        return Err(AssembleError::Invalid { setting: "env", value: name.to_owned(), rule });
    }
    Ok(format!("{name}={value}"))
}

fn port(text: &str) -> Result<String, AssembleError> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    if number.parse::<u16>().is_ok_and(|n| n > 0) && matches!(protocol, "tcp" | "udp" | "sctp") {
        return Ok(format!("{number}/{protocol}"));
    }
    let rule = "write `8080` or `8080/tcp`";
    Err(AssembleError::Invalid { setting: "exposed port", value: text.to_owned(), rule })
}

/// The manifest over a configuration and its layers.
pub(super) fn manifest(config: &Blob, layers: &[Blob]) -> Result<Blob, AssembleError> {
    const DOCUMENT: &str = "manifest";
    let layers = layers.iter().map(descriptor).collect::<Result<Vec<_>, _>>()?;
    let manifest = ImageManifestBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageManifest)
        .config(descriptor(config)?)
        .layers(layers)
        .build()
        .map_err(failed(DOCUMENT))?;
    document(DOCUMENT, &MediaType::ImageManifest, &manifest)
}

fn descriptor(blob: &Blob) -> Result<Descriptor, AssembleError> {
    let digest: OciDigest = blob.digest.as_str().parse().map_err(failed("manifest"))?;
    Ok(Descriptor::new(MediaType::from(blob.media_type.as_str()), blob.size(), digest))
}

/// Canonical JSON: keys in order and no space, since `oci-spec` keeps labels in hash maps.
fn document<T: Serialize>(
    name: &'static str,
    media_type: &MediaType,
    value: &T,
) -> Result<Blob, AssembleError> {
    let mut json = serde_json::to_value(value).map_err(failed(name))?;
    json.sort_all_objects();
    Ok(Blob::new(media_type.to_string(), serde_json::to_vec(&json).map_err(failed(name))?))
}

fn failed<E: std::fmt::Display>(document: &'static str) -> impl Fn(E) -> AssembleError {
    move |error| AssembleError::Document { document, cause: error.to_string() }
}
