//! A listener as data.

use std::collections::BTreeMap;

use crate::wire::Value;

/// A port that a load balancer listens on. Its default actions are those of its default rule.
#[derive(Debug, Clone)]
pub struct Listener {
    /// `arn:aws:elasticloadbalancing:…:listener/app/<name>/<lb>/<16 digits>`.
    pub arn: String,
    /// The ARN of its load balancer.
    pub load_balancer: String,
    /// The port; settable, because a lab on loopback listens on whatever port is free.
    pub port: u16,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The ARN of its default rule.
    pub default_rule: String,
    /// The ARNs of its certificates if it uses HTTPS, the default one first.
    pub(super) certificates: Vec<String>,
    /// Attributes by key.
    pub(super) attributes: BTreeMap<String, String>,
    /// `SslPolicy`, `AlpnPolicy` and `MutualAuthentication`: stored, without effect.
    pub(super) stored_settings: Vec<(&'static str, Value)>,
}
