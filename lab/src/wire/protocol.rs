//! The protocol of one request: how to read it, and how to write its answer.

use std::borrow::Cow;
use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};

use super::{ApiError, ApiResult, Fault, Service, Value, cbor, json, query, xml};

/// More than any compressed request body of these services unpacks to.
const UNPACKED_LIMIT: u64 = 64 << 20;

/// How a request is written, and so how its answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// A form in, XML out.
    Query,
    /// The same in EC2's own dialect.
    Ec2,
    /// JSON with the operation in `X-Amz-Target`; holds the answer's content type.
    Json(&'static str),
    /// Smithy RPC v2 in CBOR, the operation in the path.
    Cbor,
}

impl Protocol {
    /// The protocol of a request to `service`. Every service understands what its SDKs send.
    pub(super) fn of(service: Service, request: &Request<Bytes>) -> Protocol {
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

    /// The operation and its input.
    pub(super) fn read(self, request: &Request<Bytes>) -> ApiResult<(String, Value)> {
        let body = unpacked(request)?;
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

    /// The answer that holds `result`.
    pub(super) fn answer(
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

    /// The answer that refuses.
    pub(super) fn refuse(
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
            // Services that once spoke query keep their old codes here (Smithy, awsQueryCompatible).
            let fault = match error.fault {
                Fault::Sender => "Sender",
                Fault::Receiver => "Receiver",
            };
            put(&mut response, "x-amzn-query-error", &format!("{};{fault}", error.code));
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
                put(&mut response, "smithy-protocol", "rpc-v2-cbor");
                "application/cbor"
            }
        };
        put(&mut response, CONTENT_TYPE.as_str(), content_type);
        put(&mut response, "x-amzn-requestid", request_id);
        response
    }
}

/// The operation in a path of Smithy's RPC v2, `/service/<service>/operation/<operation>`.
pub(super) fn rpc_operation(path: &str) -> Option<&str> {
    path.strip_prefix("/service/")?.split_once("/operation/").map(|(_, operation)| operation)
}

/// The text of a header, empty if it is absent or not text.
pub(super) fn header<'r>(request: &'r Request<Bytes>, name: &str) -> &'r str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Sets a header; a value that HTTP forbids is left out.
pub(super) fn put(response: &mut Response<Bytes>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The body, unpacked: SDKs compress large CloudWatch requests.
fn unpacked(request: &Request<Bytes>) -> ApiResult<Cow<'_, [u8]>> {
    if !header(request, CONTENT_ENCODING.as_str()).eq_ignore_ascii_case("gzip") {
        return Ok(Cow::Borrowed(request.body()));
    }
    let mut plain = Vec::new();
    let mut decoder = MultiGzDecoder::new(request.body().as_ref()).take(UNPACKED_LIMIT);
    match decoder.read_to_end(&mut plain) {
        Ok(_) => Ok(Cow::Owned(plain)),
        Err(error) => Err(ApiError::sender(
            "SerializationException",
            format!("The request body says gzip and is not: {error}"),
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
    fn a_body_that_only_says_gzip_is_refused() {
        let request = Request::post("/").header("Content-Encoding", "gzip").body(Bytes::from("no"));
        let refused = Protocol::Query.read(&request.unwrap()).unwrap_err();
        assert_eq!(refused.code, "SerializationException");
    }
}
