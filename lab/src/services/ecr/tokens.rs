//! Authorization tokens: the passwords with which Docker and its kind log in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use super::registry_host;
use crate::wire::{Value, map};
use crate::world::World;

/// How long a token lives (API reference, GetAuthorizationToken).
const HOURS: i64 = 12;

/// When the token with this password ends; `None` if there was never one.
pub(crate) fn token_expiry(world: &World, password: &str) -> Option<Timestamp> {
    world.ecr.tokens.get(password).copied()
}

/// A new password for the registry, good for twelve hours.
pub fn mint(world: &mut World) -> String {
    let password = format!("lab-{}", world.ids.uuid());
    let expires = world.now.saturating_add(SignedDuration::from_hours(HOURS)).unwrap_or(world.now);
    world.ecr.tokens.insert(password.clone(), expires);
    password
}

/// `GetAuthorizationToken`: one for each registry asked for, and all of them are this one.
pub(super) fn get(world: &mut World, input: &Value) -> Value {
    let registries = input.list("registryIds").len().clamp(1, 10);
    let data = (0..registries).map(|_| {
        let password = mint(world);
        let endpoint = world.ecr.endpoint.clone();
        let endpoint = endpoint.unwrap_or_else(|| format!("https://{}", registry_host(world)));
        map([
            ("authorizationToken", STANDARD.encode(format!("AWS:{password}")).into()),
            ("expiresAt", token_expiry(world, &password).into()),
            ("proxyEndpoint", endpoint.into()),
        ])
    });
    map([("authorizationData", Value::List(data.collect()))])
}
