//! A connection to a lab that can be cut: connections stay open, and nothing passes any more.

#![allow(dead_code)] // each test binary uses only a part

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::lab::Lab;

/// The state of a connection.
#[derive(Default)]
struct State {
    cut: AtomicBool,
    /// How many reads from the program were lost since the connection was cut.
    lost: AtomicUsize,
}

/// A proxy in front of a lab.
pub(crate) struct CuttableProxy {
    url: String,
    state: Arc<State>,
}

impl CuttableProxy {
    pub(crate) fn to(lab: &Lab) -> CuttableProxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let lab = lab.url().trim_start_matches("http://").to_owned();
        let state = Arc::new(State::default());
        let shared = state.clone();
        // The threads end with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&lab) else { return };
                let (from_client, to_server) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                let there = shared.clone();
                thread::spawn(move || carry(from_client, to_server, &there, true));
                let back = shared.clone();
                thread::spawn(move || carry(server, client, &back, false));
            }
        });
        CuttableProxy { url, state }
    }

    /// Returns the variables that send a program through this proxy.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        vec![("AWS_ENDPOINT_URL".to_owned(), self.url.clone())]
    }

    /// Lets nothing pass from now on.
    pub(crate) fn cut(&self) {
        self.state.cut.store(true, Ordering::SeqCst);
    }

    /// Waits until a request has been lost since the last call.
    pub(crate) fn wait_for_lost_request(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.state.lost.swap(0, Ordering::SeqCst) == 0 {
            assert!(Instant::now() < end, "nothing was sent");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, state: &State, there: bool) {
    let mut piece = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if state.cut.load(Ordering::SeqCst) {
            if there {
                state.lost.fetch_add(1, Ordering::SeqCst);
            }
            continue;
        }
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
