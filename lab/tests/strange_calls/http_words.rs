//! The parts of requests to hosts that are not AWS APIs.

/// The host of ECR's registry.
pub(crate) const HOST_OF_ECR: &str = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com";

/// Hosts that are not AWS APIs.
pub(crate) const HTTP_HOSTS: &[&str] = &[
    HOST_OF_ECR,
    "ghcr.io",
    "api.github.com",
    "pkg-containers.githubusercontent.com",
    "prod-ap-northeast-2-starport-layer-bucket.s3.ap-northeast-2.amazonaws.com",
    "token.actions.githubusercontent.com",
];

/// Their paths, and malformed ones. `LOCATION` stands for the `Location` of the last response.
pub(crate) const HTTP_PATHS: &[&str] = &[
    "LOCATION",
    "/v2/",
    "/v2/news/blobs/uploads/",
    "/v2/acme/news/blobs/uploads/",
    "/v2/news/manifests/v1",
    "/v2/acme/news/manifests/v1",
    "/v2/acme/news/manifests/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "/v2/news/tags/list",
    "/v2/news/referrers/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "/v2/acme/news/blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "/v2/blobs/blobs/blobs",
    "/v2//manifests/",
    "/v2/%00/manifests/%ff",
    "/v2/Acme/News/manifests/v1",
    "/token",
    "/repos/acme/news",
    "/repos/acme/news/deployments",
    "/repos/acme/news/deployments/1",
    "/repos/acme/news/deployments/1/statuses",
    "/repos/acme/news/deployments/99999999999999999999",
    "/repos/acme/news/commits/main/pulls",
    "/repos/acme/news/commits/a/b/pulls",
    "/repos/acme/news/commits/pulls",
    "/repos/acme/news/issues/7/comments",
    "/repos/acme/news/issues/-7/comments",
    "/repos/acme/news/issues/comments/1",
    "/repos/acme/news/issues/comments/comments",
    "/repos/acme/news/actions/runs/1000/attempts/1/jobs",
    "/repos/acme/news/actions/runs/99999999999999999999/attempts/0/jobs",
    "/orgs/acme/packages/container/news",
    "/orgs/acme/packages/container/news/versions",
    "/orgs/acme/packages/container/%2F/versions/-1",
    "/rate_limit",
    "/ghcr1/blobs/sha256:",
    "/sha256/",
    "/.well-known/jwks",
];

/// Query strings, most of them for uploads.
pub(crate) const HTTP_QUERIES: &[&str] = &[
    "",
    "?digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "?digest=sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "?digest=md5:0",
    "?mount=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855&from=news",
    "?n=0",
    "?n=-1&last=%ff",
    "?per_page=0&page=18446744073709551615",
    "?per_page=1&since=%ff&since=9999-99-99T99:99:99Z",
    "?scope=repository:acme/news:pull,push&service=ghcr.io",
    "?scope=repository::&scope=x&scope=%20%20",
    "?X-Amz-Date=x&X-Amz-Expires=18446744073709551615&X-Amz-Signature=",
    "?X-Amz-Date=99991231T235959Z&X-Amz-Expires=18446744073709551615",
    "?se=9999-12-31T23:59:59Z&sig=0",
];

/// A header in addition to those that every request has.
pub(crate) const HTTP_HEADERS: &[(&str, &str)] = &[
    ("Content-Type", "application/vnd.oci.image.manifest.v1+json"),
    ("Content-Type", "application/vnd.oci.image.index.v1+json"),
    ("Content-Type", "text/plain; charset=\"x"),
    ("Content-Range", "0-2"),
    ("Content-Range", "bytes 3-1"),
    ("Content-Range", "18446744073709551615-0"),
    ("Range", "bytes=0-"),
    ("Range", "bytes=18446744073709551615-18446744073709551615"),
    ("Accept", "*/*"),
];

/// Small and unusual bodies.
pub(crate) const HTTP_BODIES: &[&str] = &[
    "",
    "foo",
    "{}",
    "[]",
    "{\"schemaVersion\":2,\"config\":{},\"layers\":{}}",
    "{\"schemaVersion\":2,\"manifests\":[]}",
    "{\"schemaVersion\":2,\"manifests\":[],\"subject\":1}",
    "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:\
     e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"},\"layers\":[],\"annotations\":7}",
    "{\"ref\":\"main\",\"required_contexts\":[]}",
    "{\"ref\":1,\"payload\":[[[]]]}",
    "{\"state\":\"success\"}",
    "{\"body\":\"what happened\"}",
    "{\"body\":[7]}",
    "{\"state\":\"success\",\"environment\":\"\",\"log_url\":\"https://\"}",
];
