//! The conditions of rules.

use super::errors::validation;
use crate::services::pattern::matches;
use crate::wire::{ApiResult, Value, map};

/// The most condition values in a rule (quota).
pub(super) const VALUES: usize = 5;

/// The parts of a request that conditions match.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// The `Host` header.
    pub host: &'a str,
    /// The path without the query string.
    pub path: &'a str,
    /// The query string without `?`.
    pub query: &'a str,
    /// The HTTP method.
    pub method: &'a str,
    /// The headers.
    pub headers: &'a http::HeaderMap,
}

/// A condition. A rule applies if all of its conditions hold. Values may contain `*` and `?`, except methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `host-header`: any of these host names, case-insensitive.
    Host(Vec<String>),
    /// `path-pattern`: any of these paths.
    Path(Vec<String>),
    /// `http-header`: the header has any of these values, case-insensitive.
    Header {
        /// The header's name.
        name: String,
        /// The values.
        values: Vec<String>,
    },
    /// `http-request-method`: exactly one of these methods.
    Method(Vec<String>),
    /// `query-string`: any of these key/value pairs, case-insensitive; without a key, the value of any key.
    Query(Vec<(Option<String>, String)>),
    /// `source-ip`: stored, but never holds, since simulated users have no address.
    Source(Vec<String>),
}

impl Condition {
    /// Returns whether it holds for a request.
    pub fn matches(&self, visit: &RequestParts<'_>) -> bool {
        let lower = str::to_ascii_lowercase;
        match self {
            Condition::Host(hosts) => {
                let host = visit.host.split(':').next().unwrap_or_default();
                hosts.iter().any(|h| matches(&lower(h), &lower(host)))
            }
            Condition::Path(paths) => paths.iter().any(|p| matches(p, visit.path)),
            Condition::Header { name, values } => {
                let sent = visit.headers.get_all(name.as_str()).into_iter();
                sent.filter_map(|v| v.to_str().ok())
                    .any(|v| values.iter().any(|wanted| matches(&lower(wanted), &lower(v))))
            }
            Condition::Method(methods) => methods.iter().any(|m| m == visit.method),
            Condition::Query(pairs) => visit.query.split('&').any(|sent| {
                let (key, value) = sent.split_once('=').unwrap_or((sent, ""));
                pairs.iter().any(|(k, v)| {
                    k.as_ref().is_none_or(|k| matches(&lower(k), &lower(key)))
                        && matches(&lower(v), &lower(value))
                })
            }),
            Condition::Source(_) => false,
        }
    }

    fn values(&self) -> usize {
        match self {
            Condition::Host(v)
            | Condition::Path(v)
            | Condition::Method(v)
            | Condition::Source(v) => v.len(),
            Condition::Header { values, .. } => values.len(),
            Condition::Query(pairs) => pairs.len(),
        }
    }
}

/// Reads the conditions of a rule.
pub(super) fn read(input: &[Value]) -> ApiResult<Vec<Condition>> {
    if input.is_empty() {
        return Err(validation("A condition must be specified"));
    }
    let conditions = input.iter().map(read_one).collect::<ApiResult<Vec<_>>>()?;
    if conditions.iter().map(Condition::values).sum::<usize>() > VALUES {
        return Err(validation(format!("A rule can only have '{VALUES}' condition values")));
    }
    Ok(conditions)
}

fn read_one(input: &Value) -> ApiResult<Condition> {
    let values = |config: &str| {
        let given = input.get(config).strings("Values");
        let given = if given.is_empty() { input.strings("Values") } else { given };
        if given.is_empty() {
            Err(validation("A condition value must be specified"))
        } else {
            Ok(given)
        }
    };
    Ok(match input.need_str("Field")? {
        "host-header" => Condition::Host(values("HostHeaderConfig")?),
        "path-pattern" => Condition::Path(values("PathPatternConfig")?),
        "http-header" => Condition::Header {
            name: input.get("HttpHeaderConfig").need_str("HttpHeaderName")?.to_owned(),
            values: values("HttpHeaderConfig")?,
        },
        "http-request-method" => Condition::Method(values("HttpRequestMethodConfig")?),
        "source-ip" => Condition::Source(values("SourceIpConfig")?),
        "query-string" => {
            let pairs = input.get("QueryStringConfig").list("Values").iter();
            let pairs = pairs
                .map(|p| Ok((p.str("Key").map(str::to_owned), p.need_str("Value")?.to_owned())));
            Condition::Query(pairs.collect::<ApiResult<_>>()?)
        }
        field => return Err(validation(format!("Condition field '{field}' is not valid"))),
    })
}

/// Formats conditions for responses: host and path conditions in both the old form (`Values`) and the new.
pub(super) fn write(conditions: &[Condition]) -> Value {
    conditions.iter().map(write_one).collect::<Vec<_>>().into()
}

fn write_one(condition: &Condition) -> Value {
    let list = |v: &[String]| Value::List(v.iter().map(|s| s.as_str().into()).collect());
    let both = |field: &'static str, config: &'static str, v: &[String]| {
        map([("Field", field.into()), ("Values", list(v)), (config, map([("Values", list(v))]))])
    };
    let new = |field: &'static str, name: &'static str, config: Value| {
        map([("Field", field.into()), (name, config)])
    };
    match condition {
        Condition::Host(v) => both("host-header", "HostHeaderConfig", v),
        Condition::Path(v) => both("path-pattern", "PathPatternConfig", v),
        Condition::Header { name, values } => {
            let config = map([("HttpHeaderName", name.as_str().into()), ("Values", list(values))]);
            new("http-header", "HttpHeaderConfig", config)
        }
        Condition::Method(v) => {
            new("http-request-method", "HttpRequestMethodConfig", map([("Values", list(v))]))
        }
        Condition::Source(v) => new("source-ip", "SourceIpConfig", map([("Values", list(v))])),
        Condition::Query(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| {
                map([("Key", key.clone().into()), ("Value", value.as_str().into())])
            });
            new(
                "query-string",
                "QueryStringConfig",
                map([("Values", Value::List(pairs.collect()))]),
            )
        }
    }
}
