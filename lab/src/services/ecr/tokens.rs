//! Authorization tokens: the passwords with which Docker and other clients log in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use super::address::registry_host;
use super::token::Token;
use crate::wire::{Call, Principal, Value, map};
use crate::world::World;

/// How long a token is valid (API reference, GetAuthorizationToken).
const HOURS: i64 = 12;

/// Issues a password for the registry with the permissions of the account's root user, valid for 12 hours.
pub fn mint(world: &mut World) -> String {
    let account = world.account.clone();
    mint_for(world, &Principal { arn: format!("arn:aws:iam::{account}:root"), account }).0
}

/// Issues a password with the permissions of `caller`, and returns it with its expiry.
fn mint_for(world: &mut World, caller: &Principal) -> (String, Timestamp) {
    let password = format!("lab-{}", world.ids.uuid());
    let expires = world.now.saturating_add(SignedDuration::from_hours(HOURS)).unwrap_or(world.now);
    let token = Token { expires, caller: caller.clone() };
    world.ecr.tokens.insert(password.clone(), token);
    (password, expires)
}

/// `GetAuthorizationToken`: one token for each requested registry, all of them valid for this one.
pub(super) fn get(world: &mut World, call: &Call) -> Value {
    let registries = call.input.list("registryIds").len().clamp(1, 10);
    let data = (0..registries).map(|_| {
        let (password, expires) = mint_for(world, &call.caller);
        let endpoint = world.ecr.endpoint.clone();
        let endpoint = endpoint.unwrap_or_else(|| format!("https://{}", registry_host(world)));
        map([
            ("authorizationToken", STANDARD.encode(format!("AWS:{password}")).into()),
            ("expiresAt", expires.into()),
            ("proxyEndpoint", endpoint.into()),
        ])
    });
    map([("authorizationData", Value::List(data.collect()))])
}
