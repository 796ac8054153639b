//! What is said in answer to one real request: by the simulated program, or by the load balancer itself.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};

use super::program::Program;
use crate::services::registry;
use crate::world::World;

/// Where a site's files are in its image's layers.
const SITE: &str = "srv/www";

/// What the simulated program answers. The text of nginx's pages is the lab's own.
pub(super) fn run(
    world: &World,
    program: &Program,
    instance: &str,
    zone: &str,
    request: &Request<Bytes>,
    failing: bool,
) -> Response<Bytes> {
    let path = request.uri().path();
    if let Some(pages) = &program.pages {
        return match pages.contains(path) {
            _ if failing => text(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error\n"),
            true => text(StatusCode::OK, &format!("nginx on {instance}\n")),
            false => text(StatusCode::NOT_FOUND, "Not Found\n"),
        };
    }
    match path {
        "/healthz" if program.healthy => text(StatusCode::OK, "ok\n"),
        "/healthz" => text(StatusCode::SERVICE_UNAVAILABLE, "unhealthy\n"),
        _ if failing => text(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error\n"),
        "/version" => {
            let facts = serde_json::json!({
                "version": program.version,
                "digest": program.digest,
                "instance": instance,
                "zone": zone,
                "image": program.image,
            });
            let mut response = Response::new(Bytes::from(format!("{facts}\n")));
            set(response.headers_mut(), "content-type", "application/json");
            response
        }
        _ => {
            let (name, file) = page_of(world, program, path);
            match file {
                Some(bytes) => {
                    let mut response = Response::new(bytes);
                    set(response.headers_mut(), "content-type", media_type(&name));
                    response
                }
                None => text(StatusCode::NOT_FOUND, "Not Found\n"),
            }
        }
    }
}

/// The status that a health check of `path` gets: what simulated users ask for, `/`, is always there, and
/// other paths as for real requests. A program whose every answer is an error fails any check but that
/// of `/healthz`; one that errs now and then passes (chance is for users).
pub(crate) fn health(world: &World, program: &Program, path: &str) -> u16 {
    let path = path.split('?').next().unwrap_or_default();
    if !program.healthy {
        return 503;
    }
    if let Some(pages) = &program.pages {
        return if pages.contains(path) { 200 } else { 404 };
    }
    match path {
        "/healthz" => 200,
        _ if program.error_rate >= 1.0 => 500,
        "/" | "/version" => 200,
        _ if page_of(world, program, path).1.is_some() => 200,
        _ => 404,
    }
}

/// The file of a path in the site's image, with its name.
fn page_of(world: &World, program: &Program, path: &str) -> (String, Option<Bytes>) {
    let name = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    let digest = program.digest.as_deref().unwrap_or_default();
    let file = registry::file(&world.registry, digest, &format!("{SITE}{name}"));
    (name, file)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

pub(super) fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The load balancer's own error page.
pub(super) fn page(status: u16) -> Response<Bytes> {
    let status = code(status);
    let mut response = text(
        status,
        &format!(
            "<html>\n<head><title>{status}</title></head>\n<body>\n<center><h1>{status}</h1></center>\n</body>\n</html>\n"
        ),
    );
    let headers = response.headers_mut();
    set(headers, "content-type", "text/html");
    set(headers, "server", "awselb/2.0");
    response
}

pub(super) fn text(status: StatusCode, body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() = status;
    set(response.headers_mut(), "content-type", "text/plain; charset=utf-8");
    response
}

/// Sets a header; a value that no header can hold is left out.
pub(super) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = http::HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
