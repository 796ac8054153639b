//! Connects cutover to an in-process lab.

use cutover_lab::services::sts;
use cutover_lab::transport::InProcess;
use tokio::sync::watch;
use tower::Service as _;

use cutover_aws::{CredentialSource, Settings};
use cutover_config::Config;
use cutover_net::{Body, Clock, Net, Transport};

/// Returns a network whose requests go to the lab, with the lab's clock.
pub fn net(transport: &InProcess) -> Net {
    counting(transport, &watch::Sender::default())
}

/// The same; `sent` counts the requests that have been sent.
pub(super) fn counting(transport: &InProcess, sent: &watch::Sender<u64>) -> Net {
    let clock = Clock::virtual_from(transport.now());
    let (transport, sent) = (transport.clone(), sent.clone());
    let service = tower::service_fn(move |request: http::Request<Body>| {
        sent.send_modify(|count| *count += 1);
        transport.clone().call(request)
    });
    Net { transport: Transport::from_service(service), clock }
}

/// Returns settings with the lab's own access key, in the account of `config`. Nothing is read from
/// the environment.
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
