//! Strictly validated values of a scenario: a mistyped fault is an error with a place, not a fault that
//! never happens.

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize as _, Deserializer};

/// The services of requests, by their signing names or as in [`Operation`](crate::wire::Operation).
const SERVICES: &[&str] = &[
    "*",
    "autoscaling",
    "ec2",
    "ecr",
    "elasticloadbalancing",
    "github",
    "iam",
    "monitoring",
    "registry",
    "site",
    "ssm",
    "sts",
];

/// Deserializes which calls are meant: `*`, `<service>:*` or `<service>:<operation>`.
pub(super) fn calls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let known = match text.split_once(':') {
        Some((service, operation)) => SERVICES.contains(&service) && !operation.is_empty(),
        None => text == "*",
    };
    if known {
        return Ok(text);
    }
    let expected = format!(
        "`*`, or `<service>:<operation>` where the service is one of {}",
        SERVICES.join(", ")
    );
    Err(D::Error::invalid_value(Unexpected::Str(&text), &expected.as_str()))
}

/// The largest amount: more than any request rate or wait, and small enough that sums of it fit.
const LARGEST: f64 = 1e9;

/// Deserializes a share from 0 to 1.
pub(crate) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Option::<f64>::deserialize(deserializer)? {
        Some(share) if !(0.0..=1.0).contains(&share) => {
            Err(D::Error::invalid_value(Unexpected::Float(share), &"a number from 0 to 1"))
        }
        share => Ok(share),
    }
}

/// Deserializes a number from 0 to 1,000,000,000.
pub(crate) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    bounded(f64::deserialize(deserializer)?)
}

/// Deserializes the same, or nothing.
pub(crate) fn optional_amount<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    Option::<f64>::deserialize(deserializer)?.map(bounded).transpose()
}

fn bounded<E: serde::de::Error>(amount: f64) -> Result<f64, E> {
    if (0.0..=LARGEST).contains(&amount) {
        return Ok(amount);
    }
    Err(E::invalid_value(Unexpected::Float(amount), &"a number from 0 to 1000000000"))
}
