//! Finds a repository's registry and logs in.

use http::Request;

use super::Logins;
use cutover_aws::{Aws, AwsError};
use cutover_net::{Net, TransportError};
use cutover_oci::registry::login::{self, LoginError};
use cutover_oci::registry::{Credentials, Endpoint, InvalidEndpoint, Registry, Renewal};
use cutover_rollout::model::{EcrRegistry, Failure, Repository};

/// GitHub's container registry.
pub(super) const GHCR: &str = "ghcr.io";

/// A repository, and its registry with our credentials.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The repository.
    pub repository: Repository,
    /// Its registry.
    pub registry: Registry,
}

/// Why a registry cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// AWS returns no login for ECR.
    #[error("cannot log in to {host}: {source}")]
    Cloud {
        /// The registry.
        host: String,
        /// The error.
        #[source]
        source: Box<AwsError>,
    },
    /// There is no login for a registry that requires one.
    #[error("there is no login for {host}. {remedy}")]
    NoLogin {
        /// The registry.
        host: String,
        /// How to log in.
        remedy: String,
    },
    /// A stored login cannot be read.
    #[error("the login for {host} cannot be read: {source}")]
    Login {
        /// The registry.
        host: String,
        /// What is wrong.
        #[source]
        source: LoginError,
    },
    /// The name is not a host.
    #[error(transparent)]
    Host(#[from] InvalidEndpoint),
}

impl From<&DestinationError> for Failure {
    fn from(error: &DestinationError) -> Failure {
        let failure = Failure::failed(error.to_string());
        match error {
            DestinationError::Cloud { source, .. } => failure.hint(source.hint()),
            DestinationError::NoLogin { .. }
            | DestinationError::Login { .. }
            | DestinationError::Host(_) => failure,
        }
    }
}

impl From<DestinationError> for Failure {
    fn from(error: DestinationError) -> Failure {
        Failure::from(&error)
    }
}

/// How registries are reached: the network, the account and the logins.
#[derive(Debug, Clone, Copy)]
pub struct RegistryAccess<'a> {
    /// The network and the clock.
    pub net: &'a Net,
    /// The account; `None` if nothing is in ECR.
    pub cloud: Option<&'a Aws>,
    /// Logins to other registries.
    pub logins: &'a Logins,
}

impl RegistryAccess<'_> {
    /// Finds the registry of `repository` and our credentials for it: AWS's for ECR, GitHub's token for GHCR, and
    /// for all others (and for these without them) the login that `docker login` has stored, or none.
    ///
    /// # Errors
    /// Fails if a login is required and there is none. Whether the registry accepts it shows only when it is
    /// used.
    pub async fn connect(&self, repository: &Repository) -> Result<Destination, DestinationError> {
        let found = self.connect_to_read(repository).await?;
        match needed(repository).filter(|_| found.registry.is_anonymous()) {
            Some(remedy) => {
                Err(DestinationError::NoLogin { host: repository.registry().to_owned(), remedy })
            }
            None => Ok(found),
        }
    }

    /// Does the same for reading, which may be public: without a login, access is anonymous.
    ///
    /// # Errors
    /// Fails if a login cannot be read, or AWS returns none.
    pub async fn connect_to_read(
        &self,
        repository: &Repository,
    ) -> Result<Destination, DestinationError> {
        let RegistryAccess { net, cloud, logins } = *self;
        let host = repository.registry();
        let registry = match (repository.ecr(), cloud) {
            (Some(ecr), Some(cloud)) => ecr_registry(net, cloud, host, ecr).await?,
            _ => {
                let known = match logins.github().filter(|_| host == GHCR) {
                    Some(token) => Some(token.clone()),
                    None => found(logins, host).await?,
                };
                let endpoint = endpoint(net, host).await?;
                match known {
                    Some(known) => Registry::new(net.clone(), endpoint, known)
                        .with_renewal(by_login(logins.clone(), host.to_owned())),
                    None => Registry::new(net.clone(), endpoint, Credentials::Anonymous),
                }
            }
        };
        Ok(Destination { repository: repository.clone(), registry })
    }
}

/// Returns ECR's registry with a token of its Region. A token has the caller's permissions and is valid for
/// every registry that lets the caller in, including other accounts' (API reference, GetAuthorizationToken).
async fn ecr_registry(
    net: &Net,
    cloud: &Aws,
    host: &str,
    ecr: EcrRegistry<'_>,
) -> Result<Registry, DestinationError> {
    let failed = |source: AwsError| DestinationError::Cloud {
        host: host.to_owned(),
        source: Box::new(source),
    };
    let login = cloud.login_in(ecr.region).await.map_err(failed)?;
    // A lab on this machine stands in for ECR's hosts, and returns its own endpoint.
    let endpoint = match login.endpoint.parse::<Endpoint>() {
        Ok(endpoint) if endpoint.is_loopback() => endpoint,
        _ => Endpoint::of_host(host)?,
    };
    let credentials = Credentials::Basic { user: login.user, password: login.password };
    let (cloud, region) = (cloud.clone(), ecr.region.to_owned());
    let renewal = Renewal::new(move || {
        let (cloud, region) = (cloud.clone(), region.clone());
        async move {
            let login = cloud.login_in(&region).await;
            let login = login.map_err(|error| format!("{error}; {}", error.hint()))?;
            Ok(Credentials::Basic { user: login.user, password: login.password })
        }
    });
    Ok(Registry::new(net.clone(), endpoint, credentials).with_renewal(renewal))
}

async fn found(logins: &Logins, host: &str) -> Result<Option<Credentials>, DestinationError> {
    let failed = |source| DestinationError::Login { host: host.to_owned(), source };
    login::find(logins.files(), host).await.map_err(failed)
}

/// Returns a renewal that reads the login again: credentials from helpers may expire, and helpers know when.
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

/// Returns how to log in to a registry that requires it for pushing.
fn needed(repository: &Repository) -> Option<String> {
    let host = repository.registry();
    match repository.ecr() {
        Some(ecr) => Some(format!(
            "Provide AWS credentials, or log in: aws ecr get-login-password --region {} | docker login \
             --username AWS --password-stdin {host}",
            ecr.region
        )),
        None if host == GHCR => Some(
            "In a workflow, add `permissions: packages: write` to the job and `GITHUB_TOKEN: ${{ \
             github.token }}` to the step's `env`; elsewhere, `docker login ghcr.io` with a token that \
             has `write:packages`"
                .to_owned(),
        ),
        None => None,
    }
}

/// Attempts to find out whether a registry on this machine uses TLS.
const PROBES: usize = 3;

/// Returns the endpoint of `host`. A registry on this machine may run without TLS, as engines allow: it is
/// probed, with some time to start up.
async fn endpoint(net: &Net, host: &str) -> Result<Endpoint, InvalidEndpoint> {
    let endpoint = Endpoint::of_host(host)?;
    if !endpoint.is_loopback() {
        return Ok(endpoint);
    }
    for wait in cutover_net::delays(PROBES, 0).map(Some).chain([None]) {
        let Ok(request) = Request::get(format!("{endpoint}/v2/")).body(cutover_net::empty()) else {
            break;
        };
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
    use cutover_net::{Body, Clock, Transport};

    /// Returns a registry that asks for credentials, and what it was sent.
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
                .body(cutover_net::full(""));
            async move { Ok::<_, Infallible>(answer.unwrap()) }
        });
        let clock = Clock::virtual_from(Timestamp::UNIX_EPOCH);
        (Net { transport: Transport::from_service(service), clock }, shown)
    }

    async fn shown(repository: &str, logins: &Logins) -> String {
        let (net, shown) = asking();
        let repository = repository.parse().unwrap();
        let destination =
            RegistryAccess { net: &net, cloud: None, logins }.connect(&repository).await.unwrap();
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
        let access = RegistryAccess { net: &net, cloud: None, logins: &Logins::default() };
        for (repository, remedies) in [
            ("ghcr.io/acme/web", ["permissions: packages: write", "docker login ghcr.io"]),
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web",
                ["aws ecr get-login-password --region eu-west-1", "AWS credentials"],
            ),
        ] {
            let connected = access.connect(&repository.parse().unwrap()).await;
            let reported = connected.unwrap_err().to_string();
            assert!(remedies.iter().all(|remedy| reported.contains(remedy)), "{reported}");
        }
    }
}
