//! Smithy RPC v2 CBOR, the protocol that newer SDKs use for CloudWatch.

use std::borrow::Cow;
use std::convert::Infallible;

use jiff::Timestamp;
use minicbor::data::{Tag, Type};
use minicbor::encode::Error as EncodeError;
use minicbor::{Decoder, Encoder};

use super::value::MAX_DEPTH;
use crate::wire::error::{ApiError, ApiResult};
use crate::wire::value::{Value, map};

/// CBOR's tag for Unix time (RFC 8949, 3.4.2).
const EPOCH: u64 = 1;

/// Parses the input structure of a CBOR body; an empty body is an empty structure.
pub(super) fn read(body: &[u8]) -> ApiResult<Value> {
    if body.is_empty() {
        return Ok(Value::Map(Vec::new()));
    }
    match decode(&mut Decoder::new(body), 0) {
        Ok(input @ Value::Map(_)) => Ok(input),
        Ok(_) => Err(ApiError::sender("SerializationException", "Start of structure expected")),
        Err(error) => Err(ApiError::sender("SerializationException", error.to_string())),
    }
}

/// Writes the result structure as a CBOR body; no result is an empty structure.
pub(super) fn write(result: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    let written = match result {
        Value::Null => encoder.map(0).map(drop),
        result => encode(&mut encoder, result),
    };
    match written {
        Ok(()) => encoder.into_writer(),
        // Writing to memory cannot fail, but the error type does not say so.
        Err(_) => Vec::new(),
    }
}

/// Writes an error as a CBOR body.
pub(super) fn error(error: &ApiError) -> Vec<u8> {
    write(&map([
        ("__type", error.code.as_str().into()),
        ("message", error.message.as_str().into()),
    ]))
}

fn decode(from: &mut Decoder<'_>, depth: usize) -> Result<Value, minicbor::decode::Error> {
    if depth > MAX_DEPTH {
        return Err(minicbor::decode::Error::message("nested too deeply"));
    }
    Ok(match from.datatype()? {
        Type::Null => from.null().map(|()| Value::Null)?,
        Type::Undefined => from.undefined().map(|()| Value::Null)?,
        Type::Bool => Value::Bool(from.bool()?),
        Type::F16 => Value::Float(f64::from(from.f16()?)),
        Type::F32 => Value::Float(f64::from(from.f32()?)),
        Type::F64 => Value::Float(from.f64()?),
        Type::Bytes | Type::BytesIndef => {
            let mut bytes = Vec::new();
            for part in from.bytes_iter()? {
                bytes.extend_from_slice(part?);
            }
            Value::Blob(bytes)
        }
        Type::String | Type::StringIndef => Value::Str(text(from)?),
        Type::Array | Type::ArrayIndef => {
            let length = from.array()?;
            let mut items = Vec::new();
            while more(from, length, items.len())? {
                items.push(decode(from, depth + 1)?);
            }
            Value::List(items)
        }
        Type::Map | Type::MapIndef => {
            let length = from.map()?;
            let mut members = Vec::new();
            while more(from, length, members.len())? {
                let name = text(from)?;
                members.push((Cow::Owned(name), decode(from, depth + 1)?));
            }
            Value::Map(members)
        }
        Type::Tag => {
            let tag = from.tag()?.as_u64();
            match decode(from, depth + 1)? {
                Value::Int(seconds) if tag == EPOCH => time(Timestamp::from_second(seconds))?,
                Value::Float(seconds) if tag == EPOCH => {
                    time(Timestamp::from_millisecond((seconds * 1000.0).round() as i64))?
                }
                other => other,
            }
        }
        _ => Value::Int(from.i64()?),
    })
}

/// Returns whether another element of a list or structure follows; consumes the end of one without a
/// length.
fn more(
    from: &mut Decoder<'_>,
    length: Option<u64>,
    read: usize,
) -> Result<bool, minicbor::decode::Error> {
    match length {
        Some(length) => Ok((read as u64) < length),
        None if from.datatype()? == Type::Break => from.skip().map(|()| false),
        None => Ok(true),
    }
}

fn text(from: &mut Decoder<'_>) -> Result<String, minicbor::decode::Error> {
    from.str_iter()?.collect()
}

fn time(at: Result<Timestamp, jiff::Error>) -> Result<Value, minicbor::decode::Error> {
    at.map(Value::Time).map_err(|_| minicbor::decode::Error::message("timestamp out of range"))
}

fn encode(to: &mut Encoder<Vec<u8>>, value: &Value) -> Result<(), EncodeError<Infallible>> {
    match value {
        Value::Null => to.null()?.ok(),
        Value::Bool(b) => to.bool(*b)?.ok(),
        Value::Int(n) => to.i64(*n)?.ok(),
        Value::Float(f) => to.f64(*f)?.ok(),
        Value::Str(s) => to.str(s)?.ok(),
        Value::Blob(bytes) => to.bytes(bytes)?.ok(),
        Value::Time(at) => to.tag(Tag::new(EPOCH))?.f64(at.as_millisecond() as f64 / 1000.0)?.ok(),
        Value::List(items) => {
            to.array(items.len() as u64)?;
            items.iter().try_for_each(|each| encode(to, each))
        }
        Value::Map(members) => {
            let present = || members.iter().filter(|(_, value)| !value.is_null());
            to.map(present().count() as u64)?;
            present().try_for_each(|(name, value)| {
                to.str(name)?;
                encode(to, value)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let value = map([
            ("Names", Value::List(vec!["a".into(), "b".into()])),
            ("Sum", 2.5.into()),
            ("N", (-3i64).into()),
            ("At", Timestamp::from_millisecond(1_500).unwrap().into()),
            ("Raw", Value::Blob(vec![0, 255])),
            ("Nested", map([("Yes", true.into())])),
        ]);
        assert_eq!(read(&write(&value)).unwrap(), value);
        assert_eq!(read(&write(&Value::Null)).unwrap(), Value::Map(vec![]));
    }

    #[test]
    fn unsized_and_half_precision_forms_are_read() {
        // {_ "a": [_ 1, f16 1.5], "t": 1(1000)}
        let bytes = b"\xbf\x61a\x9f\x01\xf9\x3e\x00\xff\x61t\xc1\x19\x03\xe8\xff";
        let value = read(bytes).unwrap();
        assert_eq!(value.list("a"), [Value::Int(1), Value::Float(1.5)]);
        assert_eq!(value.time("t"), Some(Timestamp::from_second(1000).unwrap()));
    }

    #[test]
    fn invalid_or_too_deep_input_is_refused() {
        assert_eq!(read(b"\xa1").unwrap_err().code, "SerializationException");
        assert_eq!(read(&[0x81; 4096]).unwrap_err().code, "SerializationException");
    }
}
