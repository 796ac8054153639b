//! A moto server of one's own: an AWS that we did not write.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::venv;

/// What moto calls the account of everyone.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The Region of all tests.
pub(crate) const REGION: &str = "eu-central-1";

/// A running server; it ends with this value.
pub(crate) struct Moto {
    server: Child,
    /// Where it listens.
    pub(crate) endpoint: String,
}

impl Moto {
    /// Starts a server on a free port and waits until it listens. `None` where there is none to
    /// start.
    pub(crate) fn start() -> Option<Moto> {
        let program = venv::program("moto_server")?;
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let server = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Moto { server, endpoint: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "moto_server does not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(moto)
    }

    /// Runs a Python script that has `client(service)` for boto3 clients of this server, and gives
    /// what it leaves in `result`. So the world is made, and read back, by another hand than ours.
    pub(crate) fn boto(&self, script: &str) -> serde_json::Value {
        let prelude = format!(
            "import boto3, json\n\
             def client(service):\n\
             \x20   return boto3.client(service, region_name='{REGION}', endpoint_url='{}',\n\
             \x20       aws_access_key_id='test', aws_secret_access_key='test')\n\
             result = None\n",
            self.endpoint
        );
        let postlude = "\nprint(json.dumps(result, default=str))\n";
        let mut python = Command::new(venv::program("python").unwrap())
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = python.stdin.take().unwrap();
        stdin.write_all(format!("{prelude}{script}{postlude}").as_bytes()).unwrap();
        drop(stdin);
        let output = python.wait_with_output().unwrap();
        assert!(output.status.success(), "the script failed");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
