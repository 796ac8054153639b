//! The transport over a loopback socket, for programs that speak AWS's protocols or HTTP: the AWS CLI,
//! boto3, Docker, curl.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::running::{Envelope, NoResponse};
use crate::transport::running::RunningWorld;
use crate::world::World;

/// The maximum size of a request body: an image layer in one piece.
const BODY_LIMIT: usize = 1 << 30;

/// A socket on 127.0.0.1 that leads to a world. It is bound before it serves, so that the world can hand
/// out its address.
pub struct Loopback {
    listener: TcpListener,
    address: SocketAddr,
}

impl Loopback {
    /// Binds `port` on 127.0.0.1, or any free port for 0. The error is the operating system's.
    pub async fn bind(port: u16) -> io::Result<Loopback> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Loopback { listener, address })
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the names that a world hands out for this socket: ECR's registry at `127.0.0.1` and the
    /// GitHub Container Registry at `localhost`, both on this port.
    pub fn set_endpoints(&self, world: &mut World) {
        world.ecr.endpoint = Some(format!("http://{}", self.address));
        world.ghcr.alias = Some(format!("localhost:{}", self.address.port()));
    }

    /// Carries requests to `world` until `shutdown` completes, then lets those in flight finish.
    pub async fn serve(self, world: RunningWorld, shutdown: impl Future<Output = ()>) {
        let connections = GracefulShutdown::new();
        let (end, ended) = watch::channel(());
        tokio::pin!(shutdown);
        loop {
            let socket = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, _)) => socket,
                    // Either one connection failed before it began, or no file descriptors are left,
                    // which passes when other connections close.
                    Err(_) => {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        continue;
                    }
                },
                () = &mut shutdown => break,
            };
            let _ = socket.set_nodelay(true);
            let (world, ended) = (world.clone(), ended.clone());
            let service = service_fn(move |request| deliver(world.clone(), request, ended.clone()));
            let connection = http1::Builder::new()
                // Idle connections stay open, so that no client meets one that is just closing.
                .header_read_timeout(None)
                // A request is complete even if its client has closed its half of the connection.
                .half_close(true)
                .serve_connection(TokioIo::new(socket), service);
            // A client that disconnects is not an error.
            let connection = connections.watch(connection);
            tokio::spawn(async move { drop(connection.await) });
        }
        // Requests that hang would otherwise do so forever.
        drop(end);
        connections.shutdown().await;
    }
}

/// Answers in a separate task: Hyper drops the future of a broken connection, but a request once sent
/// arrives. An error closes the connection without a response.
async fn deliver(
    world: RunningWorld,
    request: Request<Incoming>,
    mut ended: watch::Receiver<()>,
) -> io::Result<Response<Full<Bytes>>> {
    match tokio::spawn(answer(world, request)).await? {
        Ok(response) => Ok(response),
        Err(no_reply) => {
            if no_reply == NoResponse::Hangs {
                // Returns when the sender is dropped; it never sends.
                let _ = ended.changed().await;
            }
            Err(io::Error::new(io::ErrorKind::ConnectionReset, no_reply))
        }
    }
}

async fn answer(
    world: RunningWorld,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, NoResponse> {
    let (parts, body) = request.into_parts();
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => {
            let request = Request::from_parts(parts, body.to_bytes());
            let letter = Envelope { sender: Arc::from("client"), request };
            // The socket itself takes long enough.
            let response = world.exchange(&letter, Duration::ZERO, Duration::ZERO).await?;
            Ok(response.map(Full::new))
        }
        Err(error) => Ok(refusal(error.as_ref())),
    }
}

/// Returns the response to a body that could not be read completely.
fn refusal(error: &(dyn std::error::Error + 'static)) -> Response<Full<Bytes>> {
    let why = format!("The request body cannot be read: {error}");
    let mut response = Response::new(Full::from(why));
    *response.status_mut() = match error.is::<LengthLimitError>() {
        true => StatusCode::PAYLOAD_TOO_LARGE,
        false => StatusCode::BAD_REQUEST,
    };
    response
}
