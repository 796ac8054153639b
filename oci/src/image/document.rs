//! The JSON documents of an image: configuration, manifest, and the index of several platforms.

use oci_spec::image::{Descriptor, MediaType};
use serde_json::{Map, Value, json};

use crate::registry::document::{DocumentError, descriptor, image_index, image_manifest};
use crate::registry::{Blob, Image, Layer};
use cutover_rollout::model::Digest;

use super::base::Base;
use super::{Annotations, AssembleError, Assembly, Platform};

/// Stands for "no time": a real one would change the digest with every build.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// The members that are inherited from a base image's configuration. Engines and builders add their own to
/// it.
const INHERITED: &[&str] =
    &["architecture", "os", "os.features", "os.version", "variant", "author", "config", "history"];

/// Returns the configuration of the image for `platform`, with the base image's layers and the new one.
pub(super) fn config(
    assembly: &Assembly,
    annotations: &Annotations,
    platform: &Platform,
    base: Option<&Base>,
    diff_id: &Digest,
) -> Result<Blob, AssembleError> {
    let created = annotations.created.map_or_else(|| EPOCH.to_owned(), |time| time.to_string());
    let mut all = match base {
        Some(base) => inherited(base, &created),
        None => of_platform(platform),
    };
    let mut config = match all.remove("config") {
        Some(Value::Object(config)) => config,
        _ => Map::new(),
    };
    run(assembly, &mut config)?;
    let below = base.map_or(&[][..], Base::diff_ids);
    let diff_ids: Vec<&Digest> = below.iter().chain([diff_id]).collect();
    all.insert("config".to_owned(), config.into());
    all.insert("created".to_owned(), created.into());
    all.insert("rootfs".to_owned(), json!({ "type": "layers", "diff_ids": diff_ids }));
    // Sorted keys: equal content has an equal digest.
    let mut all = Value::from(all);
    all.sort_all_objects();
    let failed = |error: serde_json::Error| AssembleError::Document {
        document: "configuration",
        cause: error.to_string(),
    };
    let bytes = serde_json::to_vec(&all).map_err(failed)?;
    Ok(Blob::new(MediaType::ImageConfig.to_string(), bytes))
}

fn of_platform(platform: &Platform) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("architecture".to_owned(), platform.architecture.clone().into());
    all.insert("os".to_owned(), platform.os.clone().into());
    if let Some(variant) = &platform.variant {
        all.insert("variant".to_owned(), variant.clone().into());
    }
    all
}

/// Returns the inherited members, with the new layer added to the history. A history that does not cover all
/// layers, as builders may write, is dropped.
fn inherited(base: &Base, created: &str) -> Map<String, Value> {
    let kept = base.config().iter().filter(|(key, _)| INHERITED.contains(&key.as_str()));
    let mut all: Map<String, Value> = kept.map(|(k, v)| (k.clone(), v.clone())).collect();
    if let Some(Value::Array(mut steps)) = all.remove("history") {
        let made = |step: &&Value| step.get("empty_layer").and_then(Value::as_bool) != Some(true);
        if steps.iter().filter(made).count() == base.layers().len() {
            steps.push(json!({ "created": created, "created_by": "cutover" }));
            all.insert("history".to_owned(), steps.into());
        }
    }
    all
}

/// Sets how to run the image: the assembly's settings over the base image's, as in a Dockerfile.
fn run(assembly: &Assembly, config: &mut Map<String, Value>) -> Result<(), AssembleError> {
    if let Some(workdir) = assembly.workdir.as_ref().filter(|path| !path.starts_with('/')) {
        let rule = "it must be absolute";
        return Err(AssembleError::Invalid { setting: "workdir", value: workdir.clone(), rule });
    }
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.insert(key.to_owned(), value);
        }
    };
    set("User", assembly.user.clone().map(Value::from));
    set("WorkingDir", assembly.workdir.clone().map(Value::from));
    set("Entrypoint", assembly.entrypoint.clone().map(Value::from));
    let reset = assembly.entrypoint.as_ref().map(|_| Value::Null);
    set("Cmd", assembly.cmd.clone().map(Value::from).or(reset));

    let mut env = match config.remove("Env") {
        Some(Value::Array(env)) => env,
        _ => Vec::new(),
    };
    for (name, value) in &assembly.env {
        let variable = Value::from(variable(name, value)?);
        let is_it = |earlier: &&mut Value| {
            earlier.as_str().and_then(|text| text.split_once('=')).is_some_and(|(n, _)| n == name)
        };
        match env.iter_mut().find(is_it) {
            Some(earlier) => *earlier = variable,
            None => env.push(variable),
        }
    }
    config.insert("Env".to_owned(), env.into());
    for p in &assembly.exposed_ports {
        add(config, "ExposedPorts", port(p)?, json!({}));
    }
    for (key, value) in &assembly.labels {
        add(config, "Labels", key.clone(), value.clone().into());
    }
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    config.retain(|_, value| !empty(value));
    Ok(())
}

/// Adds a member to an object, which is created if missing.
fn add(config: &mut Map<String, Value>, mapping: &str, key: String, value: Value) {
    let mapping = config.entry(mapping).or_insert(Value::Null);
    if !mapping.is_object() {
        *mapping = json!({});
    }
    if let Some(mapping) = mapping.as_object_mut() {
        mapping.insert(key, value);
    }
}

fn variable(name: &str, value: &str) -> Result<String, AssembleError> {
    if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
        let rule = "a name must not be empty or contain `=`";
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

/// Returns the manifest of a configuration and its layers.
pub(super) fn manifest(
    config: &Blob,
    layers: &[Layer],
    annotations: &Annotations,
) -> Result<Blob, AssembleError> {
    let layers: Vec<_> = layers.iter().map(layer).collect::<Result<_, _>>()?;
    Ok(image_manifest(config, layers, annotations.by_key())?)
}

/// Returns the index over the images of several platforms.
pub(super) fn index(
    images: &[(&Platform, &Image)],
    annotations: &Annotations,
) -> Result<Blob, AssembleError> {
    let entry = |(platform, image): &(&Platform, &Image)| {
        let mut entry = image.manifest.descriptor()?;
        let mut of = oci_spec::image::Platform::default();
        of.set_os(platform.os.as_str().into());
        of.set_architecture(platform.architecture.as_str().into());
        of.set_variant(platform.variant.clone());
        entry.set_platform(Some(of));
        Ok::<_, DocumentError>(entry)
    };
    let manifests = images.iter().map(entry).collect::<Result<_, _>>()?;
    Ok(image_index(manifests, annotations.by_key())?)
}

fn layer(layer: &Layer) -> Result<Descriptor, DocumentError> {
    match layer {
        Layer::Local(blob) => blob.descriptor(),
        Layer::There(there) => {
            let mut of = descriptor(&there.media_type, &there.digest, there.size)?;
            if !there.annotations.is_empty() {
                of.set_annotations(Some(there.annotations.clone().into_iter().collect()));
            }
            Ok(of)
        }
    }
}
