//! A moto server: an independent AWS implementation.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use super::venv;

/// The ID of moto's only account.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The server that tests share while any of them runs: starting one takes seconds.
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// A Region of a running server: a test doesn't see resources of other tests' Regions.
pub(crate) struct Moto {
    server: Arc<Server>,
    /// The Region's name.
    pub(crate) region: &'static str,
}

impl Moto {
    /// Returns a Region of the shared server. `None` if moto is not installed.
    pub(crate) fn start(region: &'static str) -> Option<Moto> {
        let program = venv::program("moto_server")?;
        let mut shared = SHARED.lock().unwrap();
        if let Some(server) = shared.upgrade() {
            return Some(Moto { server, region });
        }
        let moto = Moto { server: Arc::new(Server::start(&program)), region };
        *shared = Arc::downgrade(&moto.server);
        // Moto loads a service when it is first called, which can take longer than the timeout of a
        // change.
        moto.boto(
            "client('sts').get_caller_identity(); client('ecr').describe_repositories()
client('ec2').describe_launch_templates(); client('elbv2').describe_load_balancers()
client('autoscaling').describe_auto_scaling_groups(); client('ssm').describe_parameters()",
        );
        Some(moto)
    }

    /// Returns the server's URL.
    pub(crate) fn endpoint(&self) -> &str {
        &self.server.endpoint
    }

    /// Runs a Python script that has `client(service)` for boto3 clients of this Region; returns
    /// what it leaves in `result`. That way resources are created and read back by code independent
    /// of cutover.
    pub(crate) fn boto(&self, script: &str) -> serde_json::Value {
        let prelude = format!(
            "import boto3, json\n\
             region = '{}'\n\
             def client(service):\n\
             \x20   return boto3.client(service, region_name=region, endpoint_url='{}',\n\
             \x20       aws_access_key_id='test', aws_secret_access_key='test')\n\
             result = None\n",
            self.region, self.server.endpoint
        );
        venv::run_script(Command::new(venv::program("python").unwrap()), &prelude, script)
    }
}

/// A running server; dropping it ends it.
struct Server {
    process: Child,
    endpoint: String,
}

impl Server {
    /// Starts a server on a free port and waits until it listens.
    fn start(program: &std::path::Path) -> Server {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { process, endpoint: format!("http://{address}") };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "moto_server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
