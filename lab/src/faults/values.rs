//! Values of a scenario that not every number or text is: read strictly, so that a mistyped fault is
//! an error with a place and not a fault that never comes.

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize as _, Deserializer};

/// Those of requests, by their signing names or as [`Asked`](crate::wire::Asked) has them.
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

/// Which calls: `*`, `<service>:*` or `<service>:<operation>`.
pub(super) fn calls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let known = match text.split_once(':') {
        Some((service, operation)) => SERVICES.contains(&service) && !operation.is_empty(),
        None => text == "*",
    };
    if known {
        return Ok(text);
    }
    let expected = format!("`*`, or `<service>:<operation>` with one of {}", SERVICES.join(", "));
    Err(D::Error::invalid_value(Unexpected::Str(&text), &expected.as_str()))
}

/// The largest amount: more than any request's rate or wait is, and little enough that sums of it fit.
const LARGEST: f64 = 1e9;

/// A share, from 0 to 1.
pub(crate) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Option::<f64>::deserialize(deserializer)? {
        Some(share) if !(0.0..=1.0).contains(&share) => {
            Err(D::Error::invalid_value(Unexpected::Float(share), &"a number from 0 to 1"))
        }
        share => Ok(share),
    }
}

/// A number from zero to a thousand million.
pub(crate) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    bounded(f64::deserialize(deserializer)?)
}

/// The same where there may be none.
pub(crate) fn some_amount<'de, D: Deserializer<'de>>(
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
