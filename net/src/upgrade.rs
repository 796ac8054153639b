//! Upgrades an HTTP request to a raw connection over TLS with a client certificate, as a container engine's
//! session needs it.

use std::fs;
use std::path::Path;

use http::{Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

use super::BoxError;

/// Sends the upgrade `request` and returns the connection. `certificates` is a folder in Docker's layout:
/// `ca.pem` has the CAs that are trusted in addition to the system's, `cert.pem` and `key.pem` are the
/// client's.
///
/// # Errors
/// Fails if a file is missing or invalid, nobody answers, or the server does not switch protocols.
pub async fn upgrade(
    request: Request<()>,
    certificates: &Path,
) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static, BoxError> {
    let read = |name: &str| {
        let path = certificates.join(name);
        fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let authorities = reqwest::Certificate::from_pem_bundle(&read("ca.pem")?)?;
    let own = reqwest::Identity::from_pem(&[read("cert.pem")?, read("key.pem")?].concat())?;
    let client = reqwest::Client::builder()
        .http1_only()
        .no_proxy()
        .tls_certs_merge(authorities)
        .identity(own)
        .build()?;
    let response = client.execute(request.map(|()| reqwest::Body::default()).try_into()?).await?;
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => Ok(response.upgrade().await?),
        status => Err(format!("the engine answered {status}").into()),
    }
}
