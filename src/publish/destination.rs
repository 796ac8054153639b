//! From a repository's name to a registry that lets us in.

use http::Request;

use super::Logins;
use crate::cloud::{Cloud, CloudError};
use crate::model::{EcrRegistry, Repository};
use crate::net::{self, Net, TransportError};
use crate::registry::login::{self, LoginError};
use crate::registry::{Credentials, Endpoint, InvalidEndpoint, Registry, Renewal};

/// GitHub's registry.
pub(super) const GHCR: &str = "ghcr.io";

/// A repository, and its registry as us.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The repository.
    pub repository: Repository,
    /// Where it is.
    pub registry: Registry,
}

/// Why a registry cannot be gone to.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// AWS gives no login for ECR.
    #[error("cannot log in to {host}: {source}. To do: {}", .source.hint())]
    Cloud {
        /// The registry.
        host: String,
        /// What came back.
        #[source]
        source: Box<CloudError>,
    },
    /// There is no login for a registry that takes nobody without.
    #[error("there is no login for {host}. {remedy}")]
    NoLogin {
        /// The registry.
        host: String,
        /// How to log in.
        remedy: String,
    },
    /// What `docker login` left cannot be used.
    #[error("there is no login for {host}: {source}")]
    Login {
        /// The registry.
        host: String,
        /// What is wrong.
        #[source]
        source: LoginError,
    },
    /// The name is no host.
    #[error(transparent)]
    Host(#[from] InvalidEndpoint),
}

/// Finds out where `repository` is, and who we are there: ECR by AWS's credentials, GHCR by GitHub's
/// token, all others (and these without) by what `docker login` left, or as nobody.
///
/// # Errors
/// Where a login is needed and there is none. Whether the registry takes it, it tells when it is used.
pub async fn connect(
    net: &Net,
    cloud: Option<&Cloud>,
    repository: &Repository,
    logins: &Logins,
) -> Result<Destination, DestinationError> {
    let found = connect_to_read(net, cloud, repository, logins).await?;
    match needed(repository).filter(|_| found.registry.is_nobodys()) {
        Some(remedy) => {
            Err(DestinationError::NoLogin { host: repository.registry().to_owned(), remedy })
        }
        None => Ok(found),
    }
}

/// The same for what everybody may be allowed to: without a login we are nobody there.
///
/// # Errors
/// Where a login cannot be read, or AWS gives none.
pub async fn connect_to_read(
    net: &Net,
    cloud: Option<&Cloud>,
    repository: &Repository,
    logins: &Logins,
) -> Result<Destination, DestinationError> {
    let host = repository.registry();
    let registry = match (repository.ecr(), cloud) {
        (Some(ecr), Some(cloud)) => by_cloud(net, cloud, host, ecr).await?,
        _ => {
            let known = match logins.github().filter(|_| host == GHCR) {
                Some(token) => Some(token.clone()),
                None => found(logins, host).await?,
            };
            let endpoint = endpoint(net, host).await?;
            match known {
                Some(known) => Registry::new(net.clone(), endpoint, known)
                    .renewed_by(by_login(logins.clone(), host.to_owned())),
                None => Registry::new(net.clone(), endpoint, Credentials::Anonymous),
            }
        }
    };
    Ok(Destination { repository: repository.clone(), registry })
}

/// ECR's registry with a token of its Region. A token is the caller's and opens every registry that
/// lets the caller in, other accounts' too (API reference, GetAuthorizationToken).
async fn by_cloud(
    net: &Net,
    cloud: &Cloud,
    host: &str,
    ecr: EcrRegistry<'_>,
) -> Result<Registry, DestinationError> {
    let failed = |source: CloudError| DestinationError::Cloud {
        host: host.to_owned(),
        source: Box::new(source),
    };
    let login = cloud.login_in(ecr.region).await.map_err(failed)?;
    // A lab on this machine stands in for ECR's hosts, and says so.
    let endpoint = match login.endpoint.parse::<Endpoint>() {
        Ok(endpoint) if endpoint.is_near() => endpoint,
        _ => Endpoint::of_host(host)?,
    };
    let credentials = Credentials::Basic { user: login.user, password: login.password };
    let (cloud, region) = (cloud.clone(), ecr.region.to_owned());
    let renewal = Renewal::new(move || {
        let (cloud, region) = (cloud.clone(), region.clone());
        async move {
            let login = cloud.login_in(&region).await;
            let login = login.map_err(|error| format!("{error}. To do: {}", error.hint()))?;
            Ok(Credentials::Basic { user: login.user, password: login.password })
        }
    });
    Ok(Registry::new(net.clone(), endpoint, credentials).renewed_by(renewal))
}

async fn found(logins: &Logins, host: &str) -> Result<Option<Credentials>, DestinationError> {
    let failed = |source| DestinationError::Login { host: host.to_owned(), source };
    login::find(logins.files(), host).await.map_err(failed)
}

/// What helpers give may end, and they know when.
fn by_login(logins: Logins, host: String) -> Renewal {
    Renewal::new(move || {
        let (logins, host) = (logins.clone(), host.clone());
        async move {
            let known = match logins.github().filter(|_| host == GHCR) {
                Some(token) => Some(token.clone()),
                None => login::find(logins.files(), &host).await.map_err(|e| e.to_string())?,
            };
            Ok(known.unwrap_or(Credentials::Anonymous))
        }
    })
}

/// How to log in to a registry that nobody pushes to without.
fn needed(repository: &Repository) -> Option<String> {
    let host = repository.registry();
    match repository.ecr() {
        Some(ecr) => Some(format!(
            "Give AWS credentials, or log in: aws ecr get-login-password --region {} | docker login \
             --username AWS --password-stdin {host}",
            ecr.region
        )),
        None if host == GHCR => Some(
            "In a workflow, add `permissions: packages: write` to the job and `GITHUB_TOKEN: ${{ \
             github.token }}` to the step's `env`; by hand, `docker login ghcr.io` with a token that \
             has `write:packages`"
                .to_owned(),
        ),
        None => None,
    }
}

/// How often a registry on this machine is asked whether it goes without TLS.
const PROBES: usize = 3;

/// Where the registry of `host` answers. One on this machine may go without TLS, as the engines let it:
/// it is tried, and given a moment to come up.
async fn endpoint(net: &Net, host: &str) -> Result<Endpoint, InvalidEndpoint> {
    let endpoint = Endpoint::of_host(host)?;
    if !endpoint.is_near() {
        return Ok(endpoint);
    }
    for wait in net::delays(PROBES, 0).map(Some).chain([None]) {
        let Ok(request) = Request::get(format!("{endpoint}/v2/")).body(net::empty()) else { break };
        match (net.transport.send(request).await, wait) {
            (Err(TransportError::PlainText { .. }), _) => return format!("http://{host}").parse(),
            (Err(TransportError::Connect { .. }), Some(wait)) => net.clock.sleep(wait).await,
            _ => break,
        }
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::fs;
    use std::sync::{Arc, Mutex};

    use http::Response;
    use jiff::Timestamp;
    use tower::service_fn;

    use super::*;
    use crate::net::{Body, Clock, Transport};

    /// A registry that asks who one is, and what it was shown.
    fn asking() -> (Net, Arc<Mutex<Vec<String>>>) {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let log = shown.clone();
        let service = service_fn(move |request: Request<Body>| {
            let header = request.headers().get("authorization");
            let header = header.map_or("-", |value| value.to_str().unwrap()).to_owned();
            let status = if header == "-" { 401 } else { 404 };
            log.lock().unwrap().push(header);
            let answer = Response::builder()
                .status(status)
                .header("www-authenticate", "Basic realm=\"x\"")
                .body(net::full(""));
            async move { Ok::<_, Infallible>(answer.unwrap()) }
        });
        let clock = Clock::virtual_from(Timestamp::UNIX_EPOCH);
        (Net { transport: Transport::from_service(service), clock }, shown)
    }

    async fn shown(repository: &str, logins: &Logins) -> String {
        let (net, shown) = asking();
        let repository = repository.parse().unwrap();
        let destination = connect(&net, None, &repository, logins).await.unwrap();
        let _ = destination.registry.manifest_digest(&repository, "x").await;
        shown.lock().unwrap().last().unwrap().clone()
    }

    #[tokio::test]
    async fn githubs_token_is_for_ghcr_alone_and_logins_are_for_their_hosts() {
        let folder = tempfile::tempdir().unwrap();
        let auths = r#"{"auths":{"registry.example":{"username":"bob","password":"pw"},"ghcr.io":{"username":"ann","password":"pat"}}}"#;
        fs::write(folder.path().join("config.json"), auths).unwrap();
        let docker = folder.path().display().to_string();
        let workflow = |name: &str| match name {
            "GITHUB_TOKEN" => Some("t0ken".to_owned()),
            "GITHUB_ACTOR" => Some("octo".to_owned()),
            "DOCKER_CONFIG" => Some(docker.clone()),
            _ => None,
        };
        let by_hand = |name: &str| workflow(name).filter(|_| name == "DOCKER_CONFIG");
        let (workflow, by_hand) = (Logins::of(workflow), Logins::of(by_hand));
        assert_eq!(shown("ghcr.io/acme/web", &workflow).await, "Basic b2N0bzp0MGtlbg==");
        assert_eq!(shown("ghcr.io/acme/web", &by_hand).await, "Basic YW5uOnBhdA==");
        assert_eq!(shown("registry.example/web", &workflow).await, "Basic Ym9iOnB3");
        assert_eq!(shown("other.example/web", &workflow).await, "-");
        assert!(!format!("{workflow:?}").contains("t0ken"));
    }

    #[tokio::test]
    async fn who_has_no_login_is_told_how_to_get_one() {
        let (net, _) = asking();
        let logins = Logins::default();
        for (repository, remedies) in [
            ("ghcr.io/acme/web", ["permissions: packages: write", "docker login ghcr.io"]),
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web",
                ["aws ecr get-login-password --region eu-west-1", "AWS credentials"],
            ),
        ] {
            let connected = connect(&net, None, &repository.parse().unwrap(), &logins).await;
            let told = connected.unwrap_err().to_string();
            assert!(remedies.iter().all(|remedy| told.contains(remedy)), "{told}");
        }
    }
}
