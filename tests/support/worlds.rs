//! Accounts that others built: a lab that starts empty, and a world of `tests/worlds` in it.

#![allow(dead_code)] // each test binary uses only a part

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::lab::Lab;
use super::venv;

/// How many of the lab's seconds pass in one real second.
const SPEED: u32 = 120;

/// How long each user waits between two requests.
const PAUSE: Duration = Duration::from_millis(20);

/// A world that has been built, with users of each service. Dropping it ends both.
pub(crate) struct World {
    name: &'static str,
    pub(crate) lab: Lab,
    pub(crate) built: Built,
    _users: Vec<User>,
}

/// What was built.
#[derive(Debug, Deserialize)]
pub(crate) struct Built {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) services: Vec<Service>,
}

/// One service, as `tests/worlds/service.py` reports it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Service {
    pub(crate) service: String,
    pub(crate) groups: Vec<Group>,
    /// The Auto Scaling group that serves the users.
    pub(crate) live: String,
    /// The image that runs, by digest.
    pub(crate) v1: String,
    /// An image that has been pushed and does not run, by digest.
    pub(crate) v2: String,
    pub(crate) load_balancer: String,
    /// What users request: a host, with the port if it is not the first listener's, and a path.
    pub(crate) host: String,
    pub(crate) path: String,
    /// The header and its value by which requests reach the idle group.
    pub(crate) test: Option<(String, String)>,
    /// How many tasks changed anything, if the world can be built again.
    pub(crate) changed: Option<u64>,
}

/// An Auto Scaling group and its target group.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Group {
    pub(crate) group: String,
    pub(crate) target_group: String,
}

impl Group {
    fn of_one_name(name: &str) -> Group {
        Group { group: name.to_owned(), target_group: name.to_owned() }
    }
}

impl World {
    /// Builds a world by its name. `None` without boto3.
    pub(crate) fn build(name: &'static str) -> Option<World> {
        venv::program("python")?;
        let lab = Lab::serve_with(SPEED, &["--fleet", "none"]);
        let built = built(&lab, name);
        let users = built.services.iter().map(|service| User::of(&lab, service)).collect();
        Some(World { name, lab, built, _users: users })
    }

    /// Returns the lab's own default world, by the name of its fleet, with an image v2 in its
    /// repository.
    pub(crate) fn of_the_lab(fleet: &'static str) -> Option<World> {
        venv::program("python")?;
        let lab = Lab::serve_with(SPEED, &["--fleet", fleet]);
        let groups = match fleet {
            "one-group" => &["news"][..],
            _ => &["news-blue", "news-green"],
        };
        let images = python(&lab, "push.py", "news");
        let service = Service {
            service: "news".to_owned(),
            groups: groups.iter().map(|name| Group::of_one_name(name)).collect(),
            live: groups[0].to_owned(),
            v1: images["v1"].as_str().unwrap().to_owned(),
            v2: images["v2"].as_str().unwrap().to_owned(),
            load_balancer: "news".to_owned(),
            host: "127.0.0.1".to_owned(),
            path: "/".to_owned(),
            test: None,
            changed: None,
        };
        let services = vec![service];
        let (account, region) = ("123456789012".to_owned(), "ap-northeast-2".to_owned());
        let built = Built { account, region, services };
        Some(World { name: fleet, lab, built, _users: Vec::new() })
    }

    /// Builds the same world once more in the same lab.
    pub(crate) fn build_again(&self) -> Built {
        built(&self.lab, self.name)
    }

    /// Returns the only service.
    pub(crate) fn service(&self) -> &Service {
        let [service] = &self.built.services[..] else { panic!("{:?}", self.built.services) };
        service
    }
}

fn built(lab: &Lab, name: &str) -> Built {
    serde_json::from_value(python(lab, "__main__.py", name)).unwrap()
}

/// Runs a script of `tests/worlds` and returns what it prints.
fn python(lab: &Lab, script: &str, argument: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/worlds").join(script);
    let output = lab
        .command(venv::program("python").unwrap())
        .arg("-B")
        .arg(script)
        .arg(argument)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{argument} was not built:\n{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A user who requests the same page repeatedly.
struct User {
    gone: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl User {
    fn of(lab: &Lab, service: &Service) -> User {
        let address = lab.url().trim_start_matches("http://").to_owned();
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            service.path, service.host
        );
        let gone = Arc::new(AtomicBool::new(false));
        let left = gone.clone();
        let thread = thread::spawn(move || {
            while !left.load(Ordering::Relaxed) {
                // Users ignore a lab that ends.
                if let Ok(mut lab) = TcpStream::connect(&address)
                    && lab.write_all(request.as_bytes()).is_ok()
                {
                    let _ = lab.read_to_end(&mut Vec::new());
                }
                thread::sleep(PAUSE);
            }
        });
        User { gone, thread: Some(thread) }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
