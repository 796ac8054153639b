//! Identifies the operation of a request without parsing all of it.

use bytes::Bytes;
use http::{Method, Request};

use super::route::Route;
use crate::services::github;
use crate::wire::{Operation, header, rpc_operation};

impl Operation {
    /// Returns what a request asks for. The operation is empty if it cannot be read.
    pub fn of(request: &Request<Bytes>) -> Operation {
        let (service, operation) = match Route::of(request) {
            Route::Signed(scope) => (scope.service.signing_name(), operation(request)),
            Route::Unsigned(service) => (service.signing_name(), operation(request)),
            Route::Registry => ("registry", with_method(request, registry_resource(request))),
            Route::RegistryToken => ("registry", with_method(request, "Token")),
            Route::Storage => ("storage", with_method(request, "Blob")),
            Route::GithubToken => ("github", with_method(request, "Token")),
            Route::GithubIssuer => ("github", with_method(request, "Issuer")),
            Route::Github => ("github", with_method(request, github::resource_kind(request))),
            Route::Site => ("site", with_method(request, "Page")),
            Route::Health => ("lab", with_method(request, "Health")),
            Route::UnknownService(_) => ("other", operation(request)),
        };
        Operation { service, operation }
    }
}

/// Returns the operation of an AWS call: from the path (CBOR), a header (JSON), or the form (query).
fn operation(request: &Request<Bytes>) -> String {
    if let Some(operation) = rpc_operation(request.uri().path()) {
        return operation.to_owned();
    }
    if let Some((_, operation)) = header(request, "x-amz-target").rsplit_once('.') {
        return operation.to_owned();
    }
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let mut fields = form_urlencoded::parse(request.body()).chain(form_urlencoded::parse(query));
    let action = fields.find(|(name, _)| name == "Action");
    action.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn with_method(request: &Request<Bytes>, what: &str) -> String {
    let method = match *request.method() {
        Method::GET => "Get",
        Method::HEAD => "Head",
        Method::PUT => "Put",
        Method::POST => "Post",
        Method::PATCH => "Patch",
        Method::DELETE => "Delete",
        _ => "Other",
    };
    format!("{method}{what}")
}

/// Returns the part of the distribution API that a path is in.
fn registry_resource(request: &Request<Bytes>) -> &'static str {
    let path = request.uri().path();
    let parts = [
        ("/blobs/upload", "Upload"),
        ("/blobs/", "Blob"),
        ("/manifests/", "Manifest"),
        ("/tags/", "Tags"),
        ("/referrers/", "Referrers"),
    ];
    parts.into_iter().find(|(word, _)| path.contains(word)).map_or("Base", |(_, part)| part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(request: http::request::Builder, body: &'static str) -> (String, String) {
        let asked = Operation::of(&request.body(Bytes::from(body)).unwrap());
        (asked.service.to_owned(), asked.operation)
    }

    #[test]
    fn every_kind_of_request_has_a_name() {
        let signed = |service: &str| {
            let scope = format!("Credential=AKIA1/20261122/ap-northeast-2/{service}/aws4_request");
            Request::post("/").header("Authorization", format!("AWS4-HMAC-SHA256 {scope}"))
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let query = asked(signed("elasticloadbalancing"), "Version=1&Action=ModifyRule");
        assert_eq!(query, pair("elasticloadbalancing", "ModifyRule"));
        let json = signed("ssm").header("X-Amz-Target", "AmazonSSM.PutParameter");
        assert_eq!(asked(json, "{}"), pair("ssm", "PutParameter"));
        let path = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
        assert_eq!(asked(Request::post(path), ""), pair("monitoring", "GetMetricData"));
        let upload = Request::patch("/v2/news/blobs/uploads/1");
        assert_eq!(asked(upload, ""), pair("registry", "PatchUpload"));
        assert_eq!(asked(Request::get("/"), ""), pair("site", "GetPage"));
    }
}
