//! Paging of listings (GitHub docs, "Using pagination in the REST API").

use bytes::Bytes;
use http::header::LINK;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value as Json, json};

use super::caller::is_own_server;
use super::response::json_response;
use crate::services::message::{authority, query_parameter};

/// The page size without `per_page` (REST API, "per_page").
const SIZE: usize = 30;

/// The largest `per_page` (ibid.).
const LARGEST: usize = 100;

/// Returns one page of `all` as an array.
pub(super) fn page(request: &Request<Bytes>, all: &[Json]) -> Response<Bytes> {
    let (entries, link) = cut(request, all);
    linked(json_response(StatusCode::OK, &json!(entries)), link)
}

/// Returns one page of `all` as a member `key`, with the total count as `total_count`.
pub(super) fn counted_page(request: &Request<Bytes>, key: &str, all: &[Json]) -> Response<Bytes> {
    let (entries, link) = cut(request, all);
    let body = json!({ "total_count": all.len(), key: entries });
    linked(json_response(StatusCode::OK, &body), link)
}

/// Returns the entries of the requested page, and the links to other pages.
fn cut<'a>(request: &Request<Bytes>, all: &'a [Json]) -> (Vec<&'a Json>, String) {
    let number =
        |name: &str| query_parameter(request, name).and_then(|text| text.parse::<usize>().ok());
    let size = number("per_page").unwrap_or(SIZE).clamp(1, LARGEST);
    let page = number("page").unwrap_or(1).max(1);
    let entries = all.iter().skip((page - 1).saturating_mul(size)).take(size).collect();
    let last = all.len().div_ceil(size).max(1);
    let link = |page: usize, rel: &str| format!("<{}>; rel=\"{rel}\"", address(request, page));
    let mut links = Vec::new();
    if page > 1 {
        links.extend([link(page - 1, "prev"), link(1, "first")]);
    }
    if page < last {
        links.extend([link(page + 1, "next"), link(last, "last")]);
    }
    (entries, links.join(", "))
}

/// Returns the URL of another page; a client follows it unchanged. GitHub's has the repository's id in place
/// of its name; the lab keeps the name.
fn address(request: &Request<Bytes>, page: usize) -> String {
    let server = match is_own_server(request) {
        true => format!("http://{}", authority(request)),
        false => "https://api.github.com".to_owned(),
    };
    let query = request.uri().query().unwrap_or_default();
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "page");
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query.extend_pairs(kept).append_pair("page", &page.to_string()).finish();
    format!("{server}{}?{query}", request.uri().path())
}

fn linked(mut response: Response<Bytes>, links: String) -> Response<Bytes> {
    if let Ok(links) = HeaderValue::try_from(links)
        && !links.is_empty()
    {
        response.headers_mut().insert(LINK, links);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(uri: &str, all: usize) -> String {
        let request = Request::get(uri).header("Host", "127.0.0.1:4566").body(Bytes::new());
        let all = vec![json!(1); all];
        let page = page(&request.unwrap(), &all);
        page.headers().get(LINK).map_or(String::new(), |link| link.to_str().unwrap().to_owned())
    }

    #[test]
    fn links_lead_to_the_same_server_and_keep_the_filters() {
        assert_eq!(
            links("https://api.github.com/repos/a/b/deployments?environment=a%26b&per_page=2", 3),
            "<https://api.github.com/repos/a/b/deployments?environment=a%26b&per_page=2&page=2>; \
             rel=\"next\", \
             <https://api.github.com/repos/a/b/deployments?environment=a%26b&per_page=2&page=2>; \
             rel=\"last\""
        );
        let own = links("/api/v3/repos/a/b/deployments?page=2", 31);
        let first = "<http://127.0.0.1:4566/api/v3/repos/a/b/deployments?page=1>";
        assert_eq!(own, format!("{first}; rel=\"prev\", {first}; rel=\"first\""));
        assert_eq!(links("/api/v3/repos/a/b/deployments", 30), "");
    }
}
