//! A connection that begins as a request and goes on as something else, as a container engine's session
//! does, by TLS with a certificate of our own.

use std::fs;
use std::path::Path;

use http::{Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

use super::BoxError;

/// Sends `request`, which asks for an upgrade, and hands over the connection. `certificates` is a folder
/// as Docker keeps them: `ca.pem` says who may answer, besides those whom the system trusts, and
/// `cert.pem` and `key.pem` who we are.
///
/// # Errors
/// Where a file is missing or no certificate, nobody answers, or the answer is another.
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
        status => Err(format!("the answer was {status}").into()),
    }
}
