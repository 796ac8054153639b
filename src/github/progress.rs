//! Reports the progress of a run as statuses of the GitHub deployment.

use tokio::sync::mpsc::UnboundedReceiver;

use super::deployment::Deployment;
use super::{GitHub, GitHubError, Update};

/// Adds a status for each update until the channel closes. Of several pending updates, only the newest is sent.
/// Returns the reason if statuses are missing.
pub async fn report_progress(
    github: GitHub,
    mut updates: UnboundedReceiver<Update>,
) -> Option<String> {
    let mut deployment = JobDeployment::Unasked;
    let mut missing = None;
    while let Some(mut update) = updates.recv().await {
        while let Ok(newer) = updates.try_recv() {
            update = Update { begun: update.begun || newer.begun, ..newer };
        }
        match add(&github, &mut deployment, &update).await {
            Ok(()) => {}
            // Continue only after transient errors.
            Err(error) if error.is_transient() => missing = Some(error),
            Err(error) => return Some(format!("GitHub deployment: {error}")),
        }
    }
    missing.map(|error| format!("a status of the GitHub deployment: {error}"))
}

/// What is known about the job's deployment.
enum JobDeployment {
    Unasked,
    /// There is none; it is created when the rollout begins.
    None,
    Some(Deployment),
}

async fn add(
    github: &GitHub,
    known: &mut JobDeployment,
    update: &Update,
) -> Result<(), GitHubError> {
    if let JobDeployment::Unasked = known {
        *known = github.deployment().await?.map_or(JobDeployment::None, JobDeployment::Some);
    }
    if let JobDeployment::None = known
        && update.begun
        && let Some(created) = github.create_deployment().await?
    {
        *known = JobDeployment::Some(created);
    }
    match known {
        JobDeployment::Some(deployment) => github.add_status(deployment, update).await,
        JobDeployment::Unasked | JobDeployment::None => Ok(()),
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
    use cutover_net::{Body, Clock, Net, Transport, full};

    /// A GitHub that always rejects one of the statuses.
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
    async fn a_lost_status_does_not_stop_later_ones() {
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
        let following = tokio::spawn(report_progress(github, receiver));
        for description in ["canary, rollout 1", "blue 50%, green 50%", "succeeded"] {
            let description = description.to_owned();
            sender.send(Update { state: State::InProgress, description, begun: true }).unwrap();
            // Separated in time, so that none is skipped for a newer one.
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        }
        drop(sender);
        let missing = following.await.unwrap().unwrap();
        assert!(missing.starts_with("a status of the GitHub deployment: "), "{missing}");
        assert_eq!(*taken.lock().unwrap(), ["canary, rollout 1", "succeeded"]);
    }
}
