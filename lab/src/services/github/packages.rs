//! Container packages and their versions (REST API, "Packages"). The API only reads their visibility; a user
//! changes it on the package's page.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value as Json, json};

use super::caller::Caller;
use super::paging::page;
use super::response::{ApiResponse, json_response, not_found, refuse, time, user};
use super::tokens::Level;
use crate::services::ghcr::package::{Package, Visibility};
use crate::services::registry::store::Image;
use crate::world::World;

/// Answers a request below `/orgs/{org}/packages/container` or `/users/{user}/packages/container`.
pub(super) fn serve(
    world: &mut World,
    request: &Request<Bytes>,
    caller: Caller<'_>,
    owner: &str,
    rest: &[&str],
) -> ApiResponse {
    let [name, rest @ ..] = rest else { return Err(not_found()) };
    let full = format!("{}/{name}", owner.to_ascii_lowercase());
    let package = world.ghcr.packages.get(&full).ok_or_else(not_found)?;
    let open = package.visibility == Visibility::Public;
    caller.needs(|token| token.packages, Level::Read, open)?;
    match (request.method(), rest) {
        (&Method::GET, []) => {
            Ok(json_response(StatusCode::OK, &described(world, owner, name, &full, package)))
        }
        (&Method::GET, ["versions"]) => {
            let all: Vec<Json> = versions(world, &full)
                .map(|(id, digest, image)| version(world, (owner, name, &full), id, digest, image))
                .collect();
            Ok(page(request, &all))
        }
        (&Method::GET, ["versions", id]) => {
            let mut all = versions(world, &full);
            let found = all.find(|(number, ..)| number.to_string() == *id).ok_or_else(not_found)?;
            let (id, digest, image) = found;
            let body = version(world, (owner, name, &full), id, digest, image);
            Ok(json_response(StatusCode::OK, &body))
        }
        (&Method::DELETE, ["versions", id]) => delete(world, caller, &full, id),
        _ => Err(not_found()),
    }
}

/// Returns the versions of a package: its images with their ids, newest first.
fn versions<'w>(
    world: &'w World,
    full: &str,
) -> impl Iterator<Item = (u64, &'w String, &'w Image)> {
    let images = world.registry.ghcr.repositories.get(full).map(|repository| &repository.images);
    let mut images: Vec<_> = images.into_iter().flatten().collect();
    images.sort_by_key(|(digest, image)| (std::cmp::Reverse(image.pushed), (*digest).clone()));
    images.into_iter().map(|(digest, image)| (number(digest), digest, image))
}

/// Derives a version's id from its digest, so that it is stable.
fn number(digest: &str) -> u64 {
    u64::from_str_radix(digest.trim_start_matches("sha256:").get(..8).unwrap_or_default(), 16)
        .unwrap_or_default()
}

/// Deletes a version. The last one can only be deleted with the whole package, which a user does by hand.
fn delete(world: &mut World, caller: Caller<'_>, full: &str, id: &str) -> ApiResponse {
    caller.needs(|token| token.packages, Level::Write, false)?;
    let all: Vec<(u64, String)> =
        versions(world, full).map(|(number, digest, _)| (number, digest.clone())).collect();
    let found = all.iter().find(|(number, _)| number.to_string() == id);
    let (_, digest) = found.ok_or_else(not_found)?;
    if all.len() == 1 {
        return Err(refuse(
            StatusCode::BAD_REQUEST,
            "You cannot delete the last version of a package. You must delete the package instead.",
        ));
    }
    if let Some(repository) = world.registry.ghcr.repositories.get_mut(full) {
        repository.remove(digest);
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

fn package_url(owner: &str, name: &str) -> String {
    let name = name.replace('/', "%2F");
    format!("https://api.github.com/orgs/{owner}/packages/container/{name}")
}

fn described(world: &World, owner: &str, name: &str, full: &str, package: &Package) -> Json {
    let repository = package.repositories.first().map(|linked| {
        json!({ "id": world.github.repository_id, "full_name": linked, "private": world.github.private })
    });
    let mut body = json!({
        "id": package.id,
        "name": name,
        "package_type": "container",
        "owner": user(owner),
        "version_count": versions(world, full).count(),
        "visibility": package.visibility.name(),
        "url": package_url(owner, name),
        "created_at": time(package.created),
        "updated_at": time(package.updated),
        "html_url": format!("https://github.com/orgs/{owner}/packages/container/package/{name}"),
    });
    if let Some(repository) = repository {
        body["repository"] = repository;
    }
    body
}

fn version(
    world: &World,
    (owner, name, full): (&str, &str, &str),
    id: u64,
    digest: &str,
    image: &Image,
) -> Json {
    let repository = world.registry.ghcr.repositories.get(full);
    let tags: Vec<&str> =
        repository.map(|found| found.tags_of(digest).collect()).unwrap_or_default();
    let page = format!("https://github.com/orgs/{owner}/packages/container/package/{name}");
    let at = image.pushed.map(time);
    json!({
        "id": id,
        "name": digest,
        "url": format!("{}/versions/{id}", package_url(owner, name)),
        "package_html_url": page,
        "created_at": at,
        "updated_at": at,
        "html_url": format!("https://github.com/orgs/{owner}/packages/container/{name}/{id}"),
        "metadata": { "package_type": "container", "container": { "tags": tags } },
    })
}
