//! Where the bytes of blobs are stored: ECR redirects readers to S3, GHCR to Azure's storage, each to a signed
//! URL that expires soon. Neither accepts a request that carries other credentials as well.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{ACCEPT_RANGES, AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::Sha256;

use crate::services::ghcr;
use crate::services::message::{authority, query_parameter, set_header};
use crate::services::registry::RegistryKind;
use crate::world::{World, later};

/// The prefix of the paths under which the loopback transport serves both storages, since it can't use their
/// host names.
pub(crate) const PREFIX: &str = "/_lab/storage/";

/// The host that GHCR redirects to.
const GHCR: &str = "pkg-containers.githubusercontent.com";

const KEY: &[u8] = b"the lab's own key for addresses; it protects nothing";

/// Returns whether a host is one of the two storages.
pub(crate) fn is_storage_host(host: &str) -> bool {
    host == GHCR || host.contains("-starport-layer-bucket.s3.")
}

/// Returns a presigned S3 URL for a blob of ECR, which GetDownloadUrlForLayer returns, too. The bucket's name is
/// documented (user guide, "Amazon ECR interface VPC endpoints").
pub(crate) fn ecr_download_url(world: &World, digest: &str) -> String {
    let region = &world.region;
    let base = match &world.ecr.endpoint {
        Some(endpoint) => format!("{endpoint}{PREFIX}s3"),
        None => format!("https://prod-{region}-starport-layer-bucket.s3.{region}.amazonaws.com"),
    };
    let ends = later(world.now, world.params.ecr_redirect);
    let date = world.now.strftime("%Y%m%dT%H%M%SZ");
    let seconds = world.params.ecr_redirect.as_secs();
    let signature = signature(RegistryKind::Ecr, digest, ends);
    format!(
        "{base}/{}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={date}&X-Amz-Expires={seconds}\
         &X-Amz-SignedHeaders=host&X-Amz-Signature={signature}",
        digest.replace(':', "/")
    )
}

/// Returns a URL for a blob of GHCR, in the form of an Azure shared access signature.
pub(super) fn ghcr_download_url(world: &World, digest: &str) -> String {
    let base = match ghcr::alias(world) {
        Some(_) => format!("{}{PREFIX}ghcr1/blobs", ghcr::base(world)),
        None => format!("https://{GHCR}/ghcr1/blobs"),
    };
    let ends = later(world.now, world.params.ghcr_redirect);
    let until = ends.strftime("%Y-%m-%dT%H%%3A%M%%3A%SZ");
    let signature = signature(RegistryKind::Ghcr, digest, ends);
    format!("{base}/{digest}?se={until}&sig={signature}&sp=r&spr=https&sr=b&sv=2019-12-12")
}

/// Answers a request to one of the storages.
pub fn serve(world: &World, request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path();
    let is_ghcr = authority(request) == GHCR || path.contains("/ghcr1/blobs/");
    let host = if is_ghcr { RegistryKind::Ghcr } else { RegistryKind::Ecr };
    // S3's path ends in `sha256/<hex>`, Azure's in `sha256:<hex>`.
    let digest = match path.rsplit_once("sha256").map(|(_, rest)| rest) {
        Some(rest) => format!("sha256:{}", rest.trim_start_matches([':', '/'])),
        None => String::new(),
    };
    match check(world, request, host, &digest) {
        Ok(bytes) => ranged(request, bytes),
        Err(refused) => error_response(&refused),
    }
}

struct StorageError {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

fn check<'w>(
    world: &'w World,
    request: &Request<Bytes>,
    host: RegistryKind,
    digest: &str,
) -> Result<&'w Bytes, StorageError> {
    let refuse = |status, code, message| StorageError { status, code, message };
    let (bad, forbidden) = (StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN);
    // Clients repeat their credentials when a redirect stays on the same host, which happens only in the lab.
    let within = request.uri().path().starts_with(PREFIX);
    let shows_more = request.headers().contains_key(AUTHORIZATION) && !within;
    let ends = match host {
        RegistryKind::Ecr => s3_expiry(request),
        RegistryKind::Ghcr => query_parameter(request, "se").and_then(|until| until.parse().ok()),
    };
    let shown =
        query_parameter(request, if host == RegistryKind::Ecr { "X-Amz-Signature" } else { "sig" });
    let signed = ends.is_some_and(|ends| shown == Some(signature(host, digest, ends)));
    let over = ends.is_none_or(|ends: Timestamp| ends <= world.now);
    let found = match host {
        RegistryKind::Ecr => &world.registry.ecr,
        RegistryKind::Ghcr => &world.registry.ghcr,
    };
    match host {
        // As S3 does: a single authentication mechanism, GET only, not expired.
        RegistryKind::Ecr if shows_more => Err(refuse(
            bad,
            "InvalidArgument",
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
             string parameter or the Authorization header should be specified",
        )),
        RegistryKind::Ecr if !signed || *request.method() != Method::GET => Err(refuse(
            forbidden,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your \
             key and signing method.",
        )),
        RegistryKind::Ecr if over => Err(refuse(forbidden, "AccessDenied", "Request has expired")),
        // As Azure documents its errors.
        RegistryKind::Ghcr if shows_more => Err(refuse(
            bad,
            "InvalidAuthenticationInfo",
            "Authentication information is not given in the correct format. Check the value of \
             Authorization header.",
        )),
        RegistryKind::Ghcr if !signed || over => Err(refuse(
            forbidden,
            "AuthenticationFailed",
            "Server failed to authenticate the request. Make sure the value of Authorization header is \
             formed correctly including the signature.",
        )),
        _ => found.bytes(digest).ok_or_else(|| {
            refuse(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
        }),
    }
}

/// Returns when a presigned S3 URL expires.
fn s3_expiry(request: &Request<Bytes>) -> Option<Timestamp> {
    let date =
        DateTime::strptime("%Y%m%dT%H%M%SZ", query_parameter(request, "X-Amz-Date")?).ok()?;
    let seconds: u64 = query_parameter(request, "X-Amz-Expires")?.parse().ok()?;
    let date = TimeZone::UTC.to_timestamp(date).ok()?;
    Some(later(date, std::time::Duration::from_secs(seconds)))
}

/// Returns the bytes, or the range of them that was requested (RFC 9110; one range, others are ignored).
fn ranged(request: &Request<Bytes>, bytes: &Bytes) -> Response<Bytes> {
    let range = request.headers().get(RANGE).and_then(|value| value.to_str().ok());
    let range = range.and_then(|range| range.strip_prefix("bytes="));
    let range = range.and_then(|range| range.split_once('-'));
    let first = range.and_then(|(first, _)| first.parse::<usize>().ok());
    let mut response = match (range, first) {
        (Some((_, last)), Some(first)) if first < bytes.len() => {
            let end = last.parse::<usize>().unwrap_or(usize::MAX).min(bytes.len() - 1);
            let end = end.max(first);
            let mut response = Response::new(bytes.slice(first..=end));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("bytes {first}-{end}/{}", bytes.len());
            set_header(&mut response, CONTENT_RANGE, &range);
            response
        }
        (Some(_), Some(_)) => {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set_header(&mut response, CONTENT_RANGE, &format!("bytes */{}", bytes.len()));
            response
        }
        _ => Response::new(bytes.clone()),
    };
    set_header(&mut response, CONTENT_TYPE, "application/octet-stream");
    set_header(&mut response, ACCEPT_RANGES, "bytes");
    response
}

fn error_response(refused: &StorageError) -> Response<Bytes> {
    let StorageError { status, code, message } = refused;
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = Response::new(Bytes::from(xml));
    *response.status_mut() = *status;
    set_header(&mut response, CONTENT_TYPE, "application/xml");
    response
}

/// Signs a URL, which is valid for this blob until it `ends`.
fn signature(host: RegistryKind, digest: &str, ends: Timestamp) -> String {
    let text = format!("{host:?} {digest} {}", ends.as_second());
    match Hmac::<Sha256>::new_from_slice(KEY) {
        Ok(mac) => {
            let mark = mac.chain_update(text).finalize().into_bytes();
            mark.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        // HMAC accepts keys of any length.
        Err(_) => String::new(),
    }
}
