//! Decides which part of the lab a request is for. All parts share one address, as they do behind
//! `AWS_ENDPOINT_URL`.

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};

use crate::services::message::authority;
use crate::services::storage::{self, is_storage_host};
use crate::services::{ghcr, github};
use crate::wire::{Service, header, rpc_operation};

/// The destination of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route<'r> {
    /// A signed call to an AWS API.
    Signed(Scope<'r>),
    /// A signed call to a service that the lab does not have.
    UnknownService(&'r str),
    /// An unsigned call to an AWS API. The service is inferred from its form, and may be wrong.
    Unsigned(Service),
    /// The OCI distribution API.
    Registry,
    /// The storage of the registries' blobs.
    Storage,
    /// The token service of the GitHub Container Registry.
    RegistryToken,
    /// GitHub's token endpoint.
    GithubToken,
    /// GitHub as an OIDC issuer: its metadata and keys.
    GithubIssuer,
    /// GitHub's REST API.
    Github,
    /// The lab's own health check.
    Health,
    /// Anything else: a user's request to the load balancer.
    Site,
}

/// The credential scope of a Signature Version 4: `<access key>/<date>/<region>/<service>/aws4_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope<'r> {
    /// The access key ID.
    pub(super) access_key: &'r str,
    /// The Region that the caller signed for.
    pub(super) region: &'r str,
    /// The service that the caller signed for.
    pub(super) service: Service,
}

impl<'r> Route<'r> {
    /// Returns the route of a request.
    pub(super) fn of(request: &'r Request<Bytes>) -> Route<'r> {
        let path = request.uri().path();
        if let Some((access_key, region, name)) =
            credential_scope(header(request, AUTHORIZATION.as_str()))
        {
            return match service_signed_as(name) {
                Some(service) => Route::Signed(Scope { access_key, region, service }),
                None => Route::UnknownService(name),
            };
        }
        let host = authority(request);
        if host.contains(".elb.") {
            // Load balancers have their own hostnames, where no API answers.
            return Route::Site;
        }
        if is_storage_host(host) || path.starts_with(storage::PREFIX) {
            return Route::Storage;
        }
        match path {
            "/_lab/health" => Route::Health,
            "/_lab/github/token" => Route::GithubToken,
            _ if github::is_issuer(request) => Route::GithubIssuer,
            _ if github::is_api(request) => Route::Github,
            "/token" if ghcr::is_token_request(request) => Route::RegistryToken,
            "/v2" => Route::Registry,
            _ if path.starts_with("/v2/") => Route::Registry,
            _ => unsigned_service(request).map_or(Route::Site, Route::Unsigned),
        }
    }
}

fn credential_scope(authorization: &str) -> Option<(&str, &str, &str)> {
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
    let credential = rest.split([',', ' ']).find_map(|part| part.strip_prefix("Credential="))?;
    let mut steps = credential.rsplit('/').skip(1);
    let (service, region, _date) = (steps.next()?, steps.next()?, steps.next()?);
    let access_key = steps.next()?;
    Some((access_key, region, service))
}

/// Returns the service with a signing name (API models, `signingName` or `endpointPrefix`).
fn service_signed_as(name: &str) -> Option<Service> {
    Some(match name {
        "sts" => Service::Sts,
        "iam" => Service::Iam,
        "ssm" => Service::Ssm,
        "ecr" => Service::Ecr,
        "ec2" => Service::Ec2,
        "autoscaling" => Service::Autoscaling,
        "elasticloadbalancing" => Service::Elbv2,
        "monitoring" => Service::Cloudwatch,
        _ => return None,
    })
}

/// Returns the service of an API call without a signature. Only STS answers some of those; the others
/// refuse them in the protocol of the request.
fn unsigned_service(request: &Request<Bytes>) -> Option<Service> {
    let target = header(request, "x-amz-target");
    if target.starts_with("AmazonSSM.") {
        return Some(Service::Ssm);
    }
    if target.starts_with("AmazonEC2ContainerRegistry_V20150921.") {
        return Some(Service::Ecr);
    }
    if target.starts_with("GraniteServiceVersion20100801.")
        || rpc_operation(request.uri().path()).is_some()
    {
        return Some(Service::Cloudwatch);
    }
    let is_form =
        header(request, CONTENT_TYPE.as_str()).starts_with("application/x-www-form-urlencoded");
    let names_action = |form: &[u8]| form_urlencoded::parse(form).any(|(name, _)| name == "Action");
    (is_form && request.uri().path() == "/" && names_action(request.body())).then_some(Service::Sts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(service: &str) -> Request<Bytes> {
        Request::post("/")
            .header(
                "Authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIA1/20261122/ap-northeast-2/{service}/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature=00"
                ),
            )
            .body(Bytes::new())
            .unwrap()
    }

    #[test]
    fn a_signature_names_the_service() {
        let scope =
            Scope { access_key: "AKIA1", region: "ap-northeast-2", service: Service::Elbv2 };
        assert_eq!(Route::of(&signed("elasticloadbalancing")), Route::Signed(scope));
        assert_eq!(Route::of(&signed("s3")), Route::UnknownService("s3"));
    }

    #[test]
    fn unsigned_requests_are_routed_by_form_path_and_host() {
        let form = Request::post("/")
            .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(Bytes::from("Action=AssumeRoleWithWebIdentity"))
            .unwrap();
        assert_eq!(Route::of(&form), Route::Unsigned(Service::Sts));
        let get = |uri: &str| Request::get(uri).body(Bytes::new()).unwrap();
        assert_eq!(Route::of(&get("/v2/")), Route::Registry);
        assert_eq!(Route::of(&get("/_lab/github/token?audience=x")), Route::GithubToken);
        assert_eq!(Route::of(&get("/version")), Route::Site);
        for (uri, expected) in [
            ("https://ghcr.io/token?scope=x", Route::RegistryToken),
            ("http://localhost:4566/token?service=ghcr.io&scope=x", Route::RegistryToken),
            ("https://api.github.com/repos/a/b", Route::Github),
            ("http://127.0.0.1:4566/api/v3/repos/a/b", Route::Github),
            ("http://127.0.0.1:4566/token", Route::Site),
            ("https://pkg-containers.githubusercontent.com/ghcr1/blobs/x", Route::Storage),
        ] {
            assert_eq!(Route::of(&get(uri)), expected, "{uri}");
        }
        assert_eq!(
            Route::of(&get("http://news-1.ap-northeast-2.elb.amazonaws.com/v2/")),
            Route::Site
        );
    }
}
