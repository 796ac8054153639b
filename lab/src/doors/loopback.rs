//! The door on a socket of this machine, for programs that speak AWS or HTTP: the AWS CLI, boto3,
//! Docker, curl.

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

use super::Running;
use super::running::{Letter, NoReply};
use crate::world::World;

/// The largest request taken: a layer of an image in one piece.
const BODY_LIMIT: usize = 1 << 30;

/// A socket of 127.0.0.1 that leads to a world, bound but not yet serving: its address is known
/// before the world needs to tell it.
pub struct Loopback {
    listener: TcpListener,
    address: SocketAddr,
}

impl Loopback {
    /// Binds `port` of 127.0.0.1, or any free port for 0. The error is the operating system's.
    pub async fn bind(port: u16) -> io::Result<Loopback> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Loopback { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells a world under which names it answers here, for the addresses that it hands out: ECR's
    /// registry at `127.0.0.1`, the GitHub Container Registry at `localhost`, both at this port.
    pub fn introduce(&self, world: &mut World) {
        world.ecr.endpoint = Some(format!("http://{}", self.address));
        world.ghcr.alias = Some(format!("localhost:{}", self.address.port()));
    }

    /// Carries requests to `world` until `shutdown` completes, then lets those under way finish.
    pub async fn serve(self, world: Running, shutdown: impl Future<Output = ()>) {
        let connections = GracefulShutdown::new();
        let (end, ended) = watch::channel(());
        tokio::pin!(shutdown);
        loop {
            let socket = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, _)) => socket,
                    // One connection that failed before it began; or no file descriptors left,
                    // which passes when others close.
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
                // Idle connections stay open: a client should not meet one that is just closing.
                .header_read_timeout(None)
                // A client that has sent its request and left still has sent it.
                .half_close(true)
                .serve_connection(TokioIo::new(socket), service);
            // A client that breaks off is its own affair.
            let connection = connections.watch(connection);
            tokio::spawn(async move { drop(connection.await) });
        }
        // What hangs would for ever.
        drop(end);
        connections.shutdown().await;
    }
}

/// Answers in a task of its own: Hyper drops the future of a connection that breaks, but a request once
/// sent arrives. An error closes the connection without an answer.
async fn deliver(
    world: Running,
    request: Request<Incoming>,
    mut ended: watch::Receiver<()>,
) -> io::Result<Response<Full<Bytes>>> {
    match tokio::spawn(answer(world, request)).await? {
        Ok(response) => Ok(response),
        Err(no_reply) => {
            if no_reply == NoReply::Hangs {
                // Ends with the sender of the channel, which never sends.
                let _ = ended.changed().await;
            }
            Err(io::Error::new(io::ErrorKind::ConnectionReset, no_reply))
        }
    }
}

async fn answer(
    world: Running,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, NoReply> {
    let (parts, body) = request.into_parts();
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => {
            let request = Request::from_parts(parts, body.to_bytes());
            let letter = Letter { sender: Arc::from("client"), request };
            // The socket takes time enough.
            let response = world.carry(&letter, Duration::ZERO, Duration::ZERO).await?;
            Ok(response.map(Full::new))
        }
        Err(error) => Ok(refusal(error.as_ref())),
    }
}

/// The answer to a body that could not be read whole.
fn refusal(error: &(dyn std::error::Error + 'static)) -> Response<Full<Bytes>> {
    let why = format!("The request body cannot be read: {error}");
    let mut response = Response::new(Full::from(why));
    *response.status_mut() = match error.is::<LengthLimitError>() {
        true => StatusCode::PAYLOAD_TOO_LARGE,
        false => StatusCode::BAD_REQUEST,
    };
    response
}
