//! A protocol-independent value: services read their input from it and write their output as it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Number};

use crate::wire::error::{ApiError, ApiResult};

/// The maximum nesting depth of an input, in forms and in CBOR (JSON's parser has its own limit). No
/// input of these services is as deep; it protects the stack.
pub(super) const MAX_DEPTH: usize = 64;

/// A tree of AWS values. The query protocols deliver every scalar as [`Value::Str`]; the typed
/// getters therefore parse strings as well as accept the native form.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Absent; members that hold it are left out of the response.
    Null,
    /// A boolean.
    Bool(bool),
    /// Any integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Str(String),
    /// Bytes: base64 in XML and JSON, a byte string in CBOR.
    Blob(Vec<u8>),
    /// A timestamp: ISO 8601 in XML, Unix seconds in JSON and CBOR.
    Time(Timestamp),
    /// A list: `<member>` or `<item>` elements in XML.
    List(Vec<Value>),
    /// A structure; its members are written in this order.
    Map(Vec<(Cow<'static, str>, Value)>),
}

/// Builds a [`Value::Map`] from members.
pub fn map<const N: usize>(members: [(&'static str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(k, v)| (Cow::Borrowed(k), v)).collect())
}

impl Value {
    /// Adds a member to a structure. Has no effect on any other value.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Value {
        if let Value::Map(members) = &mut self {
            members.push((Cow::Borrowed(key), value.into()));
        }
        self
    }

    /// Returns the member `key` of a structure, or [`Value::Null`] if there is none.
    pub fn get(&self, key: &str) -> &Value {
        match self {
            Value::Map(members) => {
                members.iter().find(|(k, _)| k == key).map_or(&Value::Null, |(_, v)| v)
            }
            _ => &Value::Null,
        }
    }

    /// Returns whether this is an absent member.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Returns the member `key` as text.
    pub fn str(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    /// Returns the member `key` as text, or the validation error that AWS returns for a missing
    /// parameter.
    pub fn need_str(&self, key: &str) -> ApiResult<&str> {
        self.str(key).ok_or_else(|| {
            ApiError::sender("ValidationError", format!("The parameter {key} is required"))
        })
    }

    /// Returns the member `key` as an integer, whether native or text.
    pub fn int(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            Value::Int(n) => Some(*n),
            Value::Float(f) => Some(*f as i64),
            Value::Str(s) => s.parse().ok(),
            _ => None,
        }
    }

    /// Returns the member `key` as a boolean, whether native or text.
    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Value::Bool(b) => Some(*b),
            Value::Str(s) => s.parse().ok(),
            _ => None,
        }
    }

    /// Returns the member `key` as a timestamp: from ISO 8601 text or Unix seconds.
    pub fn time(&self, key: &str) -> Option<Timestamp> {
        match self.get(key) {
            Value::Time(t) => Some(*t),
            Value::Str(s) => s.parse().ok(),
            Value::Int(n) => Timestamp::from_second(*n).ok(),
            Value::Float(f) => Timestamp::from_millisecond((*f * 1000.0) as i64).ok(),
            _ => None,
        }
    }

    /// Returns the elements of the list member `key`; empty if it is absent.
    pub fn list(&self, key: &str) -> &[Value] {
        match self.get(key) {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Returns the list member `key` as strings; elements that are not text are left out.
    pub fn strings(&self, key: &str) -> Vec<String> {
        self.list(key).iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    }

    /// Returns the same without duplicates, in the order of their first occurrence: for members that are
    /// sets.
    pub fn unique_strings(&self, key: &str) -> Vec<String> {
        let mut seen = BTreeSet::new();
        self.strings(key).into_iter().filter(|text| seen.insert(text.clone())).collect()
    }

    /// Returns the member `key` as bytes: from a byte string, or from the base64 of JSON and forms.
    pub fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        match self.get(key) {
            Value::Blob(bytes) => Some(bytes.clone()),
            Value::Str(s) => STANDARD.decode(s).ok(),
            _ => None,
        }
    }

    /// Converts a value to JSON: blobs to base64, timestamps to Unix seconds.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Int(n) => (*n).into(),
            Value::Float(f) => number(*f),
            Value::Str(s) => s.as_str().into(),
            Value::Blob(bytes) => STANDARD.encode(bytes).into(),
            Value::Time(at) => number(at.as_millisecond() as f64 / 1000.0),
            Value::List(items) => items.iter().map(Value::to_json).collect(),
            Value::Map(members) => members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.to_string(), value.to_json()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// Returns this value as text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }
}

/// Returns a scalar as XML writes it; empty for a list or a structure.
pub(super) fn text(scalar: &Value) -> String {
    match scalar {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Str(s) => s.clone(),
        Value::Blob(bytes) => STANDARD.encode(bytes),
        Value::Time(at) => format!("{at:.3}"),
        Value::Null | Value::List(_) | Value::Map(_) => String::new(),
    }
}

fn number(f: f64) -> serde_json::Value {
    Number::from_f64(f).map_or(serde_json::Value::Null, serde_json::Value::Number)
}

impl From<&str> for Value {
    fn from(s: &str) -> Value {
        Value::Str(s.to_owned())
    }
}
impl From<&String> for Value {
    fn from(s: &String) -> Value {
        Value::Str(s.clone())
    }
}
impl From<String> for Value {
    fn from(s: String) -> Value {
        Value::Str(s)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}
impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Int(n)
    }
}
impl From<u32> for Value {
    fn from(n: u32) -> Value {
        Value::Int(i64::from(n))
    }
}
impl From<f64> for Value {
    fn from(f: f64) -> Value {
        Value::Float(f)
    }
}
impl From<Timestamp> for Value {
    fn from(t: Timestamp) -> Value {
        Value::Time(t)
    }
}
impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::List(items)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
