//! Following a run: each change of its state becomes a status of the deployment.

use tokio::sync::mpsc::UnboundedReceiver;

use super::deployment::Deployment;
use super::{GitHub, GitHubError, Update};

/// Adds a status for each update until there are no more. Of updates that come while one is being sent, only
/// the newest is sent. Returns why statuses are missing, if some are.
pub async fn follow(github: GitHub, mut updates: UnboundedReceiver<Update>) -> Option<String> {
    let mut deployment = Known::Unasked;
    let mut missing = None;
    while let Some(mut update) = updates.recv().await {
        while let Ok(newer) = updates.try_recv() {
            update = Update { begun: update.begun || newer.begun, ..newer };
        }
        match add(&github, &mut deployment, &update).await {
            Ok(()) => {}
            // Only what may pass by itself is worth another try.
            Err(error) if error.is_transient() => missing = Some(error),
            Err(error) => return Some(format!("GitHub deployment: {error}")),
        }
    }
    missing.map(|error| format!("a status of the GitHub deployment: {error}"))
}

/// What is known of the job's deployment.
enum Known {
    Unasked,
    /// There was none before the rollout began.
    None,
    Some(Deployment),
}

async fn add(github: &GitHub, known: &mut Known, update: &Update) -> Result<(), GitHubError> {
    if let Known::Unasked = known {
        *known = github.deployment().await?.map_or(Known::None, Known::Some);
    }
    if let Known::None = known
        && update.begun
        && let Some(created) = github.deploy().await?
    {
        *known = Known::Some(created);
    }
    match known {
        Known::Some(deployment) => github.report(deployment, update).await,
        Known::Unasked | Known::None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use http::{Method, Request, Response};
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::github::{Job, State};
    use crate::net::{Body, Clock, Net, Transport, full};

    /// GitHub, which fails to take one of the statuses however often it is sent.
    fn net(taken: &Arc<Mutex<Vec<String>>>) -> Net {
        let taken = taken.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let taken = taken.clone();
            async move {
                let is_post = request.method() == Method::POST;
                let path = request.uri().path().to_owned();
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                let description = body["description"].as_str().unwrap_or_default().to_owned();
                let (status, answer) = match (is_post, path.ends_with("/statuses")) {
                    (true, true) if description.contains("50%") => (500, json!({ "message": "?" })),
                    (true, true) => {
                        taken.lock().unwrap().push(description);
                        (201, json!({ "id": 1 }))
                    }
                    (true, false) => (201, json!({ "id": 7 })),
                    (false, _) => (200, json!([])),
                };
                let response = Response::builder().status(status).body(full(answer.to_string()));
                Ok::<_, Infallible>(response.unwrap())
            }
        });
        let clock = Clock::virtual_from("2026-01-02T03:04:05Z".parse().unwrap());
        Net { transport: Transport::from_service(service), clock }
    }

    #[tokio::test(start_paused = true)]
    async fn one_status_that_is_lost_ends_no_further_one() {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let job = Job {
            repository: "acme/web".to_owned(),
            commit: "5b1d2c0".to_owned(),
            run: "7".to_owned(),
            run_url: "https://github.com/acme/web/actions/runs/7".to_owned(),
            id: None,
            service: "web".to_owned(),
            environment: Some("production".to_owned()),
            environment_url: None,
            pull_request: None,
        };
        let github = GitHub::new(&net(&taken), "https://github.test", "s3cret", job).unwrap();
        let (sender, receiver) = unbounded_channel();
        let following = tokio::spawn(follow(github, receiver));
        for description in ["canary, rollout 1", "blue 50%, green 50%", "succeeded"] {
            let description = description.to_owned();
            sender.send(Update { state: State::InProgress, description, begun: true }).unwrap();
            // Apart, so that none is passed over for a newer one.
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        }
        drop(sender);
        let missing = following.await.unwrap().unwrap();
        assert!(missing.starts_with("a status of the GitHub deployment: "), "{missing}");
        assert_eq!(*taken.lock().unwrap(), ["canary, rollout 1", "succeeded"]);
    }
}
