//! The door on a socket of this machine, for programs that speak AWS or HTTP: the AWS CLI, boto3,
//! Docker, curl.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use super::Running;

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
            let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(
                TokioIo::new(socket),
                service_fn(move |r| answer(world.clone(), r)),
            );
            // A client that breaks off is its own affair.
            let connection = connections.watch(connection);
            tokio::spawn(async move { drop(connection.await) });
        }
        connections.shutdown().await;
    }
}

async fn answer(
    world: Running,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Ok(refusal(&format!("The request body cannot be read: {error}"))),
    };
    // Nothing waits between here and the world, so a request that came in whole takes effect.
    Ok(world.handle(&Request::from_parts(parts, body)).map(Full::new))
}

fn refusal(why: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(why.to_owned()));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}
