//! `cutover lab serve` as users start it: a process, and the lines that it prints. And an empty
//! account, served from this process.

#![allow(dead_code)] // each test binary uses only a part

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use cutover_lab::scenario::Scenario;
use cutover_lab::services::{github, sts};
use cutover_lab::transport::{Loopback, RunningWorld};
use cutover_lab::world::World;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::oneshot;

use super::venv;

/// A lab that is being served; dropping it ends it.
pub(crate) struct Lab {
    server: Server,
    /// The variables that the lab prints for AWS tools.
    environment: Vec<(String, String)>,
    /// The variables of the stand-in for GitHub's token endpoint.
    github: Vec<(String, String)>,
}

impl Lab {
    /// Serves on a free port; `speed` of the lab's seconds pass in one real second.
    pub(crate) fn serve(speed: u32) -> Lab {
        Lab::serve_with(speed, &[])
    }

    /// The same with more arguments.
    pub(crate) fn serve_with(speed: u32, arguments: &[&str]) -> Lab {
        let mut server = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(["lab", "serve", "--port", "0", "--seed", "1", "--speed", &speed.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(server.stdout.take().unwrap());
        let (mut environment, mut github) = (Vec::new(), Vec::new());
        while !github.iter().any(|(name, _)| name == "ACTIONS_ID_TOKEN_REQUEST_TOKEN") {
            let mut line = String::new();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "the lab ended: {environment:?}");
            match line.strip_prefix("export ").and_then(assignment) {
                Some(pair) if pair.0.starts_with("ACTIONS_") => github.push(pair),
                Some(pair) => environment.push(pair),
                None => {}
            }
        }
        Lab { server: Server::Process(server, stdout), environment, github }
    }

    /// Serves an empty account after `prepare` has changed it; `speed` of the lab's seconds pass in
    /// one real second.
    pub(crate) fn empty(speed: u32, prepare: impl FnOnce(&mut World) + Send + 'static) -> Lab {
        Lab::in_thread(speed, |now, _| {
            let mut world = World::new(1, now);
            prepare(&mut world);
            world
        })
    }

    /// Serves the default scenario so that [`Lab::world`] can look into it.
    pub(crate) fn visible(speed: u32) -> Lab {
        Lab::in_thread(speed, |now, port| {
            let dns_name = Some("127.0.0.1".to_owned());
            let scenario = Scenario { port, dns_name, ..Scenario::default() };
            World::from_scenario(&scenario, 1, now).unwrap()
        })
    }

    /// Serves the world that `build` makes at its time and for its port.
    fn in_thread(speed: u32, build: impl FnOnce(Timestamp, u16) -> World + Send + 'static) -> Lab {
        let (stop, stopped) = oneshot::channel();
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let transport = Loopback::bind(0).await.unwrap();
                let now = std::time::SystemTime::now().try_into().unwrap();
                let mut world = build(now, transport.address().port());
                transport.set_endpoints(&mut world);
                let region = world.region.clone();
                let running = RunningWorld::start(world, f64::from(speed));
                let url = format!("http://{}", transport.address());
                sender.send((url, region, running.clone())).unwrap();
                transport.serve(running, async { drop(stopped.await) }).await;
            });
        });
        let (url, region, running): (String, String, RunningWorld) = receiver.recv().unwrap();
        let environment = [
            ("AWS_ENDPOINT_URL", url.clone()),
            ("AWS_ACCESS_KEY_ID", sts::ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", sts::SECRET_KEY.to_owned()),
            ("AWS_REGION", region.clone()),
            ("AWS_DEFAULT_REGION", region),
            ("CUTOVER_LAB_SPEED", speed.to_string()),
        ];
        let github = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{url}{}", github::TOKEN_PATH)),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", github::REQUEST_TOKEN.to_owned()),
        ];
        let named = |(name, value): (&str, String)| (name.to_owned(), value);
        Lab {
            server: Server::Thread { running, stop: Some(stop), thread: Some(thread) },
            environment: environment.map(named).to_vec(),
            github: github.map(named).to_vec(),
        }
    }

    /// Reads or changes the world directly. Only for [`Lab::empty`] and [`Lab::visible`].
    pub(crate) fn world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        let Server::Thread { running, .. } = &self.server else {
            panic!("the lab runs in another process")
        };
        running.world(look)
    }

    /// Returns a command that sees this lab and nothing else of AWS or GitHub: neither this
    /// machine's configuration nor the workflow that these tests may run in.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["AWS_", "GITHUB_", "ACTIONS_", "CUTOVER_"].iter().any(|p| name.starts_with(p)) {
                command.env_remove(&*name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            command.env(name, "/dev/null");
        }
        // The machine's proxy can't reach the lab.
        for name in ["NO_PROXY", "no_proxy"] {
            command.env(name, "127.0.0.1");
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// Returns the lab's URL.
    pub(crate) fn url(&self) -> &str {
        let url = self.environment.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL");
        &url.unwrap().1
    }

    /// Returns the variables of the stand-in for GitHub's token endpoint.
    pub(crate) fn github(&self) -> &[(String, String)] {
        &self.github
    }

    /// Runs a Python script that has `client(service)` for boto3 clients of this lab; returns what
    /// it leaves in `result`. Call [`venv::program`] first to check that there is a Python.
    pub(crate) fn boto(&self, script: &str) -> Value {
        let prelude =
            "import base64, boto3, datetime, json, time\nclient = boto3.client\nresult = None\n";
        let python = self.command(venv::program("python").unwrap());
        venv::run_script(python, prelude, script)
    }
}

/// How the lab is served.
enum Server {
    /// `cutover lab serve`. Its standard output stays open: the lab may print more.
    Process(Child, #[allow(dead_code)] BufReader<ChildStdout>),
    Thread {
        running: RunningWorld,
        stop: Option<oneshot::Sender<()>>,
        thread: Option<JoinHandle<()>>,
    },
}

impl Drop for Lab {
    fn drop(&mut self) {
        match &mut self.server {
            Server::Process(child, _) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Server::Thread { stop, thread, .. } => {
                drop(stop.take());
                let _ = thread.take().map(JoinHandle::join);
            }
        }
    }
}

/// Parses `NAME=value` or `NAME='value'`.
fn assignment(text: &str) -> Option<(String, String)> {
    let (name, value) = text.trim().split_once('=')?;
    Some((name.to_owned(), value.trim_matches('\'').to_owned()))
}
