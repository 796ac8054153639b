//! Key pairs: stored, listed, and referred to by instances by name. The key material opens nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::errors::{KEY_PAIR, ResourceKind, missing_parameter, required_str};
use super::key_pair::KeyPair;
use super::listing::{self, Describable, paginate};
use super::tags;
use crate::wire::{ApiError, ApiResult, Value, map};
use crate::world::World;

/// `CreateKeyPair` and `ImportKeyPair`.
pub(super) fn create(world: &mut World, input: &Value, imported: bool) -> ApiResult<Value> {
    let name = required_str(input, "KeyName")?.to_owned();
    if world.ec2.key_pairs.values().any(|pair| pair.name == name) {
        return Err(ApiError::sender(
            "InvalidKeyPair.Duplicate",
            format!("The keypair '{name}' already exists."),
        ));
    }
    let given = tags::read_specifications(input, KEY_PAIR)?;
    let material = if imported {
        let encoded = required_str(input, "PublicKeyMaterial")?;
        let bytes = STANDARD.decode(encoded).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.filter(|text| text.starts_with("ssh-") || text.contains("BEGIN")).ok_or_else(|| {
            ApiError::sender("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
        })?
    } else {
        let noise: String = (0..12).map(|_| format!("{:016x}", world.ids.bits())).collect();
        let body = STANDARD.encode(noise);
        format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----")
    };
    let hash = Sha256::digest(material.as_bytes());
    let digits: Vec<String> = hash.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    let id = world.ids.ec2("key");
    let pair = KeyPair {
        name: name.clone(),
        kind: input.str("KeyType").unwrap_or("rsa").to_owned(),
        fingerprint: digits.join(":"),
        created: world.now,
    };
    let answer = map([
        ("keyPairId", id.as_str().into()),
        ("keyName", name.into()),
        ("keyFingerprint", pair.fingerprint.as_str().into()),
        ("keyMaterial", (!imported).then_some(material).into()),
    ]);
    world.ec2.key_pairs.insert(id.clone(), pair);
    tags::put(&mut world.ec2, &id, given);
    Ok(answer.with("tagSet", tags::write(&world.ec2, &id)))
}

/// `DescribeKeyPairs`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let names = input.strings("KeyName");
    let all = &world.ec2.key_pairs;
    if let Some(missing) = names.iter().find(|name| !all.values().any(|pair| pair.name == **name)) {
        return Err(ApiError::sender(
            "InvalidKeyPair.NotFound",
            format!("The key pair '{missing}' does not exist"),
        ));
    }
    let found = listing::select(world, input, all)?.into_iter();
    let found = found.filter(|(_, pair)| names.is_empty() || names.contains(&pair.name));
    let (items, _) = paginate(input, found.map(|(id, pair)| pair.write(id, world)).collect())?;
    Ok(map([("keySet", items.into())]))
}

/// `DeleteKeyPair`: no error if it doesn't exist.
pub(super) fn delete(world: &mut World, input: &Value) -> ApiResult<Value> {
    let (id, name) = (input.str("KeyPairId"), input.str("KeyName"));
    if id.is_none() && name.is_none() {
        return Err(missing_parameter("KeyName"));
    }
    let mut all = world.ec2.key_pairs.iter();
    let found = all.find(|(known, pair)| id == Some(known) || name == Some(&pair.name));
    let found = found.map(|(id, _)| id.clone());
    if let Some(id) = &found {
        world.ec2.key_pairs.remove(id);
        world.ec2.remove_orphaned_tags();
    }
    Ok(map([("return", true.into()), ("keyPairId", found.into())]))
}

impl Describable for KeyPair {
    const KIND: ResourceKind = KEY_PAIR;
    const IDS: &'static str = "KeyPairId";
    const SET: &'static str = "keySet";
    const FILTERS: &'static [&'static str] = &["key-pair-id", "key-name", "fingerprint"];

    fn filter_values(&self, id: &str, name: &str, _: &World) -> Vec<String> {
        vec![match name {
            "key-pair-id" => id.to_owned(),
            "key-name" => self.name.clone(),
            _ => self.fingerprint.clone(),
        }]
    }

    fn write(&self, id: &str, world: &World) -> Value {
        map([
            ("keyPairId", id.into()),
            ("keyName", self.name.as_str().into()),
            ("keyType", self.kind.as_str().into()),
            ("keyFingerprint", self.fingerprint.as_str().into()),
            ("createTime", self.created.into()),
            ("tagSet", tags::write(&world.ec2, id)),
        ])
    }
}
