//! BuildKit's session: a second connection during a build, on which the engine is the client. It requests
//! secrets, talks to SSH agents and fetches logins (moby, `POST /session`).
//!
//! bollard opens no session for a build that reports progress.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bollard_buildkit_proto::health::health_check_response::ServingStatus;
use bollard_buildkit_proto::health::health_server::{Health, HealthServer};
use bollard_buildkit_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::{Secrets, SecretsServer};
use bollard_buildkit_proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use bollard_buildkit_proto::moby::filesync::v1::auth_server::{Auth, AuthServer};
use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse,
    GetTokenAuthorityRequest, GetTokenAuthorityResponse, VerifyTokenAuthorityRequest,
    VerifyTokenAuthorityResponse,
};
use bollard_buildkit_proto::moby::sshforward::v1::ssh_server::{Ssh, SshServer};
use bollard_buildkit_proto::moby::sshforward::v1::{
    BytesMessage, CheckAgentRequest, CheckAgentResponse,
};
use bytes::Bytes;
use futures_util::Stream;
use http::header::HOST;
use http::{HeaderValue, StatusCode, Uri};
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::DockerHost;
use super::host::Duplex;
use cutover_net::BoxError;

/// Returns user and password for a registry's host; `None` if there is no login.
pub type Login = Arc<
    dyn Fn(String) -> Pin<Box<dyn Future<Output = Option<(String, String)>> + Send>> + Send + Sync,
>;

/// The host of Docker Hub's registry.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// The methods that the engine may call.
const METHODS: [&str; 4] = [
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.sshforward.v1.SSH/CheckAgent",
    "/moby.sshforward.v1.SSH/ForwardAgent",
    "/moby.filesync.v1.Auth/Credentials",
];

/// What a build may request, and what it has requested without success.
#[derive(Clone, Default)]
pub(super) struct SessionProviders {
    pub(super) secrets: BTreeMap<String, Vec<u8>>,
    /// Sockets of SSH agents by ID.
    pub(super) agents: BTreeMap<String, PathBuf>,
    pub(super) login: Option<Login>,
    pub(super) missed: Arc<Mutex<BTreeSet<MissingProvider>>>,
}

/// Something that was requested but is not configured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MissingProvider {
    Secret(String),
    Agent(String),
}

impl SessionProviders {
    fn miss(&self, what: MissingProvider) {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
    }

    /// Returns what has been requested without success so far.
    pub(super) fn missed(&self) -> Vec<MissingProvider> {
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed.iter().cloned().collect()
    }
}

/// An open session. It lasts while [`Session::serve`] is awaited.
pub(super) struct Session {
    /// The ID by which a build finds it.
    pub(super) id: String,
    connection: Box<dyn Duplex>,
}

/// Opens a session with the engine.
pub(super) async fn open(way: &DockerHost) -> Result<Session, BoxError> {
    let id = id();
    let (scheme, host) = match way {
        DockerHost::Tls { address, .. } => ("https", address.as_str()),
        DockerHost::Unix(_) | DockerHost::Tcp(_) | DockerHost::Ssh(_) => ("http", "docker"),
    };
    let mut request = http::Request::post(format!("{scheme}://{host}/session"))
        .header("Connection", "Upgrade")
        .header("Upgrade", "h2c")
        .header("X-Docker-Expose-Session-Uuid", &id)
        .header("X-Docker-Expose-Session-Name", "cutover");
    for method in METHODS {
        request = request.header("X-Docker-Expose-Session-Grpc-Method", method);
    }
    let request = request.body(())?;
    let connection: Box<dyn Duplex> = match way {
        DockerHost::Tls { certificates, .. } => {
            Box::new(cutover_net::upgrade(request, certificates).await?)
        }
        DockerHost::Unix(_) | DockerHost::Tcp(_) | DockerHost::Ssh(_) => {
            upgrade(request, way.dial().await?).await?
        }
    };
    Ok(Session { id, connection })
}

/// Sends the upgrade `request` and returns the connection.
async fn upgrade(
    mut request: http::Request<()>,
    stream: Box<dyn Duplex>,
) -> Result<Box<dyn Duplex>, BoxError> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());
    // On a direct connection, the URI has only the path, and a header has the host.
    *request.uri_mut() = Uri::from_static("/session");
    request.headers_mut().insert(HOST, HeaderValue::from_static("docker"));
    let response = sender.send_request(request.map(|()| Empty::<Bytes>::new())).await?;
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => {
            Ok(Box::new(TokioIo::new(hyper::upgrade::on(response).await?)))
        }
        status => Err(format!("the engine answered {status}").into()),
    }
}

impl Session {
    /// Serves the engine until it closes the connection. Dropping the future closes it, too.
    pub(super) async fn serve(self, stock: SessionProviders) -> Result<(), String> {
        let services = Routes::new(HealthServer::new(Alive))
            .add_service(SecretsServer::new(stock.clone()))
            .add_service(SshServer::new(stock.clone()))
            .add_service(AuthServer::new(stock));
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(self.connection), TowerToHyperService::new(services))
            .await
            .map_err(|error| error.to_string())
    }
}

/// Returns an ID that no other session of the engine has.
fn id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// Answers health checks: the engine ends a session that does not.
struct Alive;

type Watch = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[async_trait]
impl Health for Alive {
    async fn check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("list"))
    }

    type WatchStream = Watch;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Watch>, Status> {
        Err(Status::unimplemented("watch"))
    }
}

#[async_trait]
impl Secrets for SessionProviders {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        match self.secrets.get(id) {
            Some(data) => Ok(Response::new(GetSecretResponse { data: data.clone() })),
            None => {
                self.miss(MissingProvider::Secret(id.clone()));
                // With this code, a mount that is not `required` is skipped.
                Err(Status::not_found(format!("secret {id} not found")))
            }
        }
    }
}

impl SessionProviders {
    fn agent(&self, id: &str) -> Result<&PathBuf, Status> {
        let id = if id.is_empty() { "default" } else { id };
        self.agents.get(id).ok_or_else(|| {
            self.miss(MissingProvider::Agent(id.to_owned()));
            Status::not_found(format!("SSH agent {id} not found"))
        })
    }
}

type Heard = Pin<Box<dyn Stream<Item = Result<BytesMessage, Status>> + Send>>;

#[async_trait]
impl Ssh for SessionProviders {
    async fn check_agent(
        &self,
        request: Request<CheckAgentRequest>,
    ) -> Result<Response<CheckAgentResponse>, Status> {
        self.agent(&request.get_ref().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    type ForwardAgentStream = Heard;

    /// Forwards bytes in both directions.
    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Heard>, Status> {
        let id = request.metadata().get("buildkit.ssh.id").and_then(|id| id.to_str().ok());
        let socket = self.agent(id.unwrap_or_default())?;
        let agent = UnixStream::connect(socket).await.map_err(|error| {
            Status::unavailable(format!("SSH agent at {}: {error}", socket.display()))
        })?;
        let (mut from_agent, mut to_agent) = agent.into_split();
        let mut asked = request.into_inner();
        tokio::spawn(async move {
            while let Some(Ok(message)) = asked.next().await {
                if to_agent.write_all(&message.data).await.is_err() {
                    break;
                }
            }
            // The agent sees the end of the input when the writer is dropped here.
        });
        let (sender, heard) = mpsc::channel(8);
        tokio::spawn(async move {
            let mut buffer = vec![0; 32 * 1024];
            while let Ok(read @ 1..) = from_agent.read(&mut buffer).await {
                let message = BytesMessage { data: buffer[..read].to_vec() };
                if sender.send(Ok(message)).await.is_err() {
                    break;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(heard))))
    }
}

#[async_trait]
impl Auth for SessionProviders {
    /// Returns an empty login if there is none: the engine then pulls anonymously.
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let host = request.into_inner().host;
        let host = if host == DOCKER_HUB { "docker.io".to_owned() } else { host };
        let found = match &self.login {
            Some(login) => login(host).await,
            None => None,
        };
        let (username, secret) = found.unwrap_or_default();
        Ok(Response::new(CredentialsResponse { username, secret }))
    }

    async fn fetch_token(
        &self,
        _: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }
}

#[cfg(test)]
mod tests {
    use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_client::SecretsClient;
    use bollard_buildkit_proto::moby::filesync::v1::auth_client::AuthClient;
    use bollard_buildkit_proto::moby::sshforward::v1::ssh_client::SshClient;
    use tokio::net::UnixListener;
    use tonic::Code;
    use tonic::transport::{Channel, Endpoint};
    use tower::service_fn;

    use super::*;

    /// Returns the engine's end of a session with these providers.
    async fn engine(stock: SessionProviders) -> Channel {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let session = Session { id: id(), connection: Box::new(ours) };
        tokio::spawn(session.serve(stock));
        let mut theirs = Some(TokioIo::new(theirs));
        let once = service_fn(move |_| {
            let taken = theirs.take().ok_or_else(|| std::io::Error::other("twice"));
            async move { taken }
        });
        Endpoint::from_static("http://session").connect_with_connector(once).await.unwrap()
    }

    #[tokio::test]
    async fn secrets_by_their_ids_and_what_was_missed() {
        let secrets = [("npm".to_owned(), b"s3cret".to_vec())].into();
        let stock = SessionProviders { secrets, ..SessionProviders::default() };
        let mut client = SecretsClient::new(engine(stock.clone()).await);
        let mut ask = async |id: &str| {
            let (id, annotations) = (id.to_owned(), Default::default());
            client.get_secret(GetSecretRequest { id, annotations }).await
        };
        assert_eq!(ask("npm").await.unwrap().into_inner().data, b"s3cret");
        assert_eq!(ask("pip").await.unwrap_err().code(), Code::NotFound);
        assert_eq!(stock.missed(), [MissingProvider::Secret("pip".to_owned())]);
    }

    #[tokio::test]
    async fn bytes_to_an_agent_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let agent = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            stream.read_to_end(&mut asked).await.unwrap();
            asked.reverse();
            stream.write_all(&asked).await.unwrap();
        });
        let agents = [("default".to_owned(), socket)].into();
        let mut client = SshClient::new(
            engine(SessionProviders { agents, ..SessionProviders::default() }).await,
        );
        let check = CheckAgentRequest { id: String::new() };
        client.check_agent(check).await.unwrap();
        let asked = tokio_stream::iter(
            ["who is", " there"].map(|text| BytesMessage { data: text.as_bytes().to_vec() }),
        );
        let mut heard = client.forward_agent(asked).await.unwrap().into_inner();
        let mut bytes = Vec::new();
        while let Some(message) = heard.message().await.unwrap() {
            bytes.extend(message.data);
        }
        assert_eq!(bytes, b"ereht si ohw");
        agent.await.unwrap();
        let other = CheckAgentRequest { id: "other".to_owned() };
        assert_eq!(client.check_agent(other).await.unwrap_err().code(), Code::NotFound);
    }

    #[tokio::test]
    async fn logins_by_the_registrys_host() {
        let login: Login = Arc::new(|host| {
            Box::pin(async move { (host == "docker.io").then(|| (host, "pw".to_owned())) })
        });
        let stock = SessionProviders { login: Some(login), ..SessionProviders::default() };
        let mut client = AuthClient::new(engine(stock).await);
        let mut ask = async |host: &str| {
            let answer = client.credentials(CredentialsRequest { host: host.to_owned() }).await;
            let CredentialsResponse { username, secret } = answer.unwrap().into_inner();
            (username, secret)
        };
        assert_eq!(ask(DOCKER_HUB).await, ("docker.io".to_owned(), "pw".to_owned()));
        assert_eq!(ask("ghcr.io").await, (String::new(), String::new()));
    }
}
