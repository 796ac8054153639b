//! The protocol of a request: how to read it, and how to write its response.

use std::borrow::Cow;
use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};

use super::{cbor, json, query, xml};
use crate::wire::call::Service;
use crate::wire::error::{ApiError, ApiResult, Fault};
use crate::wire::value::Value;

/// The maximum decompressed size of a request body: more than any request of these services needs.
const MAX_DECOMPRESSED_SIZE: u64 = 64 << 20;

/// How a request is encoded, and so how its response must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A form in, XML out.
    Query,
    /// The same in EC2's dialect.
    Ec2,
    /// JSON with the operation in `X-Amz-Target`. Holds the content type of the response.
    Json(&'static str),
    /// Smithy RPC v2 CBOR, with the operation in the path.
    Cbor,
}

impl Protocol {
    /// Returns the protocol of a request to `service`. Every service understands what its SDKs send.
    pub(crate) fn of(service: Service, request: &Request<Bytes>) -> Protocol {
        if rpc_operation(request.uri().path()).is_some() {
            Protocol::Cbor
        } else if request.headers().contains_key("x-amz-target")
            || matches!(service, Service::Ssm | Service::Ecr)
        {
            let newer =
                header(request, CONTENT_TYPE.as_str()).starts_with("application/x-amz-json-1.0");
            Protocol::Json(if newer {
                "application/x-amz-json-1.0"
            } else {
                "application/x-amz-json-1.1"
            })
        } else if service == Service::Ec2 {
            Protocol::Ec2
        } else {
            Protocol::Query
        }
    }

    /// Returns the operation and its input.
    pub(crate) fn read(self, request: &Request<Bytes>) -> ApiResult<(String, Value)> {
        let body = decompressed_body(request)?;
        match self {
            Protocol::Query | Protocol::Ec2 => {
                query::read(&body, request.uri().query().unwrap_or_default())
            }
            Protocol::Json(_) => {
                let target = header(request, "x-amz-target");
                let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
                Ok((operation, json::read(&body)?))
            }
            Protocol::Cbor => {
                let operation = rpc_operation(request.uri().path()).unwrap_or_default().to_owned();
                Ok((operation, cbor::read(&body)?))
            }
        }
    }

    /// Writes the response that holds `result`.
    pub(crate) fn answer(
        self,
        service: Service,
        operation: &str,
        result: &Value,
        request_id: &str,
    ) -> Response<Bytes> {
        let body = match self {
            Protocol::Query => xml::query(service, operation, result, request_id).into(),
            Protocol::Ec2 => xml::ec2(operation, result, request_id).into(),
            Protocol::Json(_) => json::write(result).into(),
            Protocol::Cbor => cbor::write(result).into(),
        };
        self.response(StatusCode::OK, body, request_id)
    }

    /// Writes the error response.
    pub(crate) fn refuse(
        self,
        service: Service,
        error: &ApiError,
        request_id: &str,
    ) -> Response<Bytes> {
        let body = match self {
            Protocol::Query => xml::query_error(service, error, request_id).into(),
            Protocol::Ec2 => xml::ec2_error(error, request_id).into(),
            Protocol::Json(_) => json::error(error).into(),
            Protocol::Cbor => cbor::error(error).into(),
        };
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = self.response(status, body, request_id);
        if service == Service::Cloudwatch {
            // Services that used the query protocol before keep its codes here (Smithy,
            // awsQueryCompatible).
            let fault = match error.fault {
                Fault::Sender => "Sender",
                Fault::Receiver => "Receiver",
            };
            set_header(&mut response, "x-amzn-query-error", &format!("{};{fault}", error.code));
        }
        response
    }

    fn response(self, status: StatusCode, body: Bytes, request_id: &str) -> Response<Bytes> {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let content_type = match self {
            Protocol::Query | Protocol::Ec2 => "text/xml;charset=UTF-8",
            Protocol::Json(content_type) => content_type,
            Protocol::Cbor => {
                set_header(&mut response, "smithy-protocol", "rpc-v2-cbor");
                "application/cbor"
            }
        };
        set_header(&mut response, CONTENT_TYPE.as_str(), content_type);
        set_header(&mut response, "x-amzn-requestid", request_id);
        response
    }
}

/// Returns the operation in a path of Smithy RPC v2, `/service/<service>/operation/<operation>`.
pub(crate) fn rpc_operation(path: &str) -> Option<&str> {
    path.strip_prefix("/service/")?.split_once("/operation/").map(|(_, operation)| operation)
}

/// Returns the text of a header; empty if it is absent or not text.
pub(crate) fn header<'r>(request: &'r Request<Bytes>, name: &str) -> &'r str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Sets a header; skips a value that HTTP forbids.
pub(crate) fn set_header(response: &mut Response<Bytes>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Returns the decompressed body: SDKs compress large CloudWatch requests.
fn decompressed_body(request: &Request<Bytes>) -> ApiResult<Cow<'_, [u8]>> {
    if !header(request, CONTENT_ENCODING.as_str()).eq_ignore_ascii_case("gzip") {
        return Ok(Cow::Borrowed(request.body()));
    }
    let mut plain = Vec::new();
    let mut decoder = MultiGzDecoder::new(request.body().as_ref()).take(MAX_DECOMPRESSED_SIZE);
    match decoder.read_to_end(&mut plain) {
        Ok(_) => Ok(Cow::Owned(plain)),
        Err(error) => Err(ApiError::sender(
            "SerializationException",
            format!("The request body is not valid gzip: {error}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn the_same_call_in_every_protocol_of_cloudwatch() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(b"\xa1\x64Name\x61x").unwrap();
        let path = "/service/GraniteServiceVersion20100801/operation/Op";
        let compressed = Request::post(path).header("Content-Encoding", "gzip");
        let json = Request::post("/")
            .header("Content-Type", "application/x-amz-json-1.0")
            .header("X-Amz-Target", "GraniteServiceVersion20100801.Op");
        for (request, body, protocol) in [
            (compressed, gzip.finish().unwrap(), Protocol::Cbor),
            (json, br#"{"Name":"x"}"#.to_vec(), Protocol::Json("application/x-amz-json-1.0")),
            (Request::post("/"), b"Action=Op&Name=x".to_vec(), Protocol::Query),
        ] {
            let request = request.body(Bytes::from(body)).unwrap();
            assert_eq!(Protocol::of(Service::Cloudwatch, &request), protocol);
            let (operation, input) = protocol.read(&request).unwrap();
            assert_eq!((operation.as_str(), input.str("Name")), ("Op", Some("x")));
        }
    }

    #[test]
    fn a_body_that_is_not_gzip_is_refused() {
        let request = Request::post("/").header("Content-Encoding", "gzip").body(Bytes::from("no"));
        let refused = Protocol::Query.read(&request.unwrap()).unwrap_err();
        assert_eq!(refused.code, "SerializationException");
    }
}
