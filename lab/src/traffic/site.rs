//! Responses to one real request, of the simulated program or of the load balancer itself.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};

use super::program::Program;
use crate::services::registry;
use crate::world::World;

/// The folder of a site's files in its image's layers.
const SITE: &str = "srv/www";

/// Returns the simulated program's response. The text of nginx's pages is the lab's own.
pub(super) fn respond(
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
            set_header(response.headers_mut(), "content-type", "application/json");
            response
        }
        _ => {
            let (name, file) = file_at(world, program, path);
            match file {
                Some(bytes) => {
                    let mut response = Response::new(bytes);
                    set_header(response.headers_mut(), "content-type", media_type(&name));
                    response
                }
                None => text(StatusCode::NOT_FOUND, "Not Found\n"),
            }
        }
    }
}

/// Returns the status that a health check of `path` gets: `/`, which simulated users request, always
/// exists, and other paths are as for real requests. A program that answers every request with an error
/// fails every check except that of `/healthz`; one that fails now and then passes (randomness is for
/// users).
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
        _ if file_at(world, program, path).1.is_some() => 200,
        _ => 404,
    }
}

/// Returns the file at a path in the site's image, with its name.
fn file_at(world: &World, program: &Program, path: &str) -> (String, Option<Bytes>) {
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

/// Returns the load balancer's own error page.
pub(super) fn error_page(status: u16) -> Response<Bytes> {
    let status = code(status);
    let mut response = text(
        status,
        &format!(
            "<html>\n<head><title>{status}</title></head>\n<body>\n<center><h1>{status}</h1></center>\n</body>\n</html>\n"
        ),
    );
    let headers = response.headers_mut();
    set_header(headers, "content-type", "text/html");
    set_header(headers, "server", "awselb/2.0");
    response
}

pub(super) fn text(status: StatusCode, body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() = status;
    set_header(response.headers_mut(), "content-type", "text/plain; charset=utf-8");
    response
}

/// Sets a header; skips a value that no header can hold.
pub(super) fn set_header(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = http::HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
