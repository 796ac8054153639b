//! The door on a socket of this machine, for programs that speak AWS or HTTP: the AWS CLI, boto3,
//! Docker, curl.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::task::JoinError;

use super::Running;
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
        tokio::pin!(shutdown);
        loop {
            let socket = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, _)) => socket,
                    // One connection that failed before it began; or no file descriptors left,
                    // which passes when others close.
                    Err(_) => {
                        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                        continue;
                    }
                },
                () = &mut shutdown => break,
            };
            let _ = socket.set_nodelay(true);
            let world = world.clone();
            let service = service_fn(move |request| deliver(world.clone(), request));
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
        connections.shutdown().await;
    }
}

/// Answers in a task of its own: Hyper drops the future of a connection that breaks, but a request once
/// sent arrives.
async fn deliver(
    world: Running,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, JoinError> {
    tokio::spawn(answer(world, request)).await
}

async fn answer(world: Running, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => world.handle(&Request::from_parts(parts, body.to_bytes())).map(Full::new),
        Err(error) => refusal(error.as_ref()),
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
