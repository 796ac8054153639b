//! The JSON protocols 1.0 and 1.1.

use std::borrow::Cow;

use serde_json::Map;

use crate::wire::error::{ApiError, ApiResult};
use crate::wire::value::Value;

/// Parses the input structure of a JSON body; an empty body is an empty structure.
pub(super) fn read(body: &[u8]) -> ApiResult<Value> {
    if body.is_empty() {
        return Ok(Value::Map(Vec::new()));
    }
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(json @ serde_json::Value::Object(_)) => Ok(from_json(json)),
        Ok(_) => Err(ApiError::sender("SerializationException", "Start of structure expected")),
        Err(error) => Err(ApiError::sender("SerializationException", error.to_string())),
    }
}

/// Writes the result structure as a JSON body; no result is an empty structure.
pub(super) fn write(result: &Value) -> Vec<u8> {
    match result {
        Value::Null => b"{}".to_vec(),
        result => result.to_json().to_string().into_bytes(),
    }
}

/// Writes an error as a JSON body. AWS's services differ in the case of `message`; SDKs accept both.
pub(super) fn error(error: &ApiError) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("__type".to_owned(), error.code.as_str().into());
    body.insert("message".to_owned(), error.message.as_str().into());
    if let Some(serde_json::Value::Object(members)) = error.members.as_deref() {
        body.extend(members.clone());
    }
    serde_json::Value::Object(body).to_string().into_bytes()
}

fn from_json(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(b),
        serde_json::Value::Number(n) => {
            n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap_or_default()), Value::Int)
        }
        serde_json::Value::String(s) => Value::Str(s),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(members) => Value::Map(
            members.into_iter().map(|(name, v)| (Cow::Owned(name), from_json(v))).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::map;
    use super::*;

    #[test]
    fn values_survive_a_round_trip() {
        let input =
            read(br#"{"Name":"/a","Overwrite":false,"Max":3,"Tags":[{"Key":"k"}]}"#).unwrap();
        assert_eq!(input.str("Name"), Some("/a"));
        assert_eq!(input.bool("Overwrite"), Some(false));
        assert_eq!(input.list("Tags")[0].str("Key"), Some("k"));

        let at = jiff::Timestamp::from_millisecond(1_500).unwrap();
        let result = map([("At", at.into()), ("No", Value::Null), ("B", Value::Blob(vec![1, 2]))]);
        assert_eq!(write(&result), br#"{"At":1.5,"B":"AQI="}"#);
        assert_eq!(write(&Value::Null), b"{}");
    }

    #[test]
    fn a_body_that_is_not_a_structure_is_refused() {
        assert_eq!(read(b"[]").unwrap_err().code, "SerializationException");
        assert_eq!(read(b"{").unwrap_err().code, "SerializationException");
        assert_eq!(read(b"").unwrap(), Value::Map(vec![]));
    }
}
