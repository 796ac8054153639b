//! The way into a lab in this process.

use cutover_lab::doors::InProcess;
use cutover_lab::services::sts;
use tokio::sync::watch;
use tower::Service as _;

use crate::cloud::{CredentialSource, Settings};
use crate::config::Config;
use crate::net::{Body, Clock, Net, Transport};

/// A way out that leads into the lab, and a clock that goes with its own.
pub fn net(door: &InProcess) -> Net {
    counting(door, &watch::Sender::default())
}

/// The same; `sent` shows how many requests have been sent.
pub(super) fn counting(door: &InProcess, sent: &watch::Sender<u64>) -> Net {
    let clock = Clock::virtual_from(door.now());
    let (door, sent) = (door.clone(), sent.clone());
    let service = tower::service_fn(move |request: http::Request<Body>| {
        sent.send_modify(|count| *count += 1);
        door.clone().call(request)
    });
    Net { transport: Transport::from_service(service), clock }
}

/// The lab's own key, in the account of `config`. Nothing of the environment is looked at.
pub fn settings(config: &Config) -> Settings {
    Settings {
        region: Some(config.region.clone()),
        account: config.account.clone(),
        role: None,
        service: config.service.clone(),
        credentials: CredentialSource::Static {
            key: sts::ACCESS_KEY.to_owned(),
            secret: sts::SECRET_KEY.to_owned(),
            token: None,
        },
        endpoint: None,
    }
}
