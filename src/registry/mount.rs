//! A blob from one repository to another of the same registry, without its bytes travelling.

use http::{Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::{Digest, Repository};

use super::RegistryError;
use super::client::Registry;

/// What came of a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mount {
    /// The blob is there.
    Granted,
    /// It isn't. Where the registry gave one, this is a place to upload to.
    NotGranted(Option<String>),
}

impl Registry {
    /// Asks that `repository` have the blob that `from`, of the same registry, has. A registry that
    /// does not mount says so by beginning an upload (distribution specification), and one that
    /// doesn't know the blob, or us, by any refusal: the caller then brings the bytes, and what is
    /// really wrong will be told there.
    ///
    /// # Errors
    /// Where the registry doesn't answer, or has mounted something else.
    pub(super) async fn mount_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        from: &Repository,
    ) -> Result<Mount, RegistryError> {
        let attempted = format!("mount {} of {from} in {repository}", digest.short());
        let from = utf8_percent_encode(from.path(), NON_ALPHANUMERIC);
        let path = format!("blobs/uploads/?mount={digest}&from={from}");
        let call = self.call(Method::POST, repository, &path, attempted);
        let response = match self.ask(&call).await {
            Ok(response) => response,
            Err(RegistryError::Refused { status, .. }) if status < 500 => {
                return Ok(Mount::NotGranted(None));
            }
            Err(error) => return Err(error),
        };
        Ok(match response.status() {
            StatusCode::CREATED => {
                self.same_digest(&call, &response, digest)?;
                Mount::Granted
            }
            StatusCode::ACCEPTED => Mount::NotGranted(self.place(&response)),
            _ => Mount::NotGranted(None),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::{BodyExt as _, Full};
    use jiff::Timestamp;
    use tower::service_fn;

    use super::*;
    use crate::net::{Body, Clock, Net, Transport};
    use crate::registry::{Blob, Credentials, Endpoint, Image, Layer, There};

    /// Of a registry whose only blob is in `base`; it answers a mount with this status.
    async fn asked(mount: u16) -> Vec<String> {
        let log = Arc::new(Mutex::new(Vec::new()));
        let shared = log.clone();
        let service = service_fn(move |request: Request<Body>| {
            let shared = shared.clone();
            async move {
                let (head, body) = request.into_parts();
                let sent = body.collect().await.map(|all| all.to_bytes()).unwrap_or_default();
                let path = head.uri.path().replace("/v2/", "");
                let path = path.split("sha256:").next().unwrap();
                let mounts = head.uri.query().is_some_and(|query| query.contains("from=base"));
                let sign = if mounts { "?" } else { "" };
                let line = format!("{} {path}{sign} {}", head.method, sent.len());
                shared.lock().unwrap().push(line);
                let (status, body) = match head.method.as_str() {
                    "GET" => (200, "layer"),
                    "POST" if mounts => (mount, ""),
                    "POST" | "PATCH" => (202, ""),
                    "PUT" => (201, ""),
                    _ => (404, ""),
                };
                let answer = Response::builder().status(status).header("location", "/v2/news/up/1");
                Ok::<_, Infallible>(
                    answer.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap(),
                )
            }
        });
        let clock = Clock::virtual_from(Timestamp::UNIX_EPOCH);
        let net = Net { transport: Transport::from_service(service), clock };
        let endpoint = Endpoint::of_host("ghcr.io").unwrap();
        let registry = Registry::new(net, endpoint, Credentials::Anonymous);
        let layer = Layer::There(There {
            media_type: "application/vnd.oci.image.layer.v1.tar+gzip".to_owned(),
            digest: Digest::of(b"layer"),
            size: 5,
            annotations: Default::default(),
            repository: "ghcr.io/base".parse().unwrap(),
        });
        let config = Blob::new("application/vnd.oci.image.config.v1+json", "{}");
        let manifest = Blob::new("application/vnd.oci.image.manifest.v1+json", "manifest");
        let image = Image { manifest, config, layers: vec![layer], index: None };
        registry.push(&image, &"ghcr.io/news".parse().unwrap(), &[]).await.unwrap();
        let log = std::mem::take(&mut *log.lock().unwrap());
        // Reading and writing run beside each other.
        log[2..log.len() - 4].to_vec()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_mounted_is_copied_to_the_place_that_was_given() {
        assert_eq!(asked(201).await, ["POST news/blobs/uploads/? 0"]);
        let mut begun = asked(202).await;
        begun.sort();
        let copied = ["GET base/blobs/ 0", "PATCH news/up/1 5", "POST news/blobs/uploads/? 0"];
        assert_eq!(begun[..3], copied, "{begun:?}");
        let mut refused = asked(404).await;
        refused.sort();
        assert_eq!(refused.len(), begun.len() + 1, "a place was asked for: {refused:?}");
    }
}
