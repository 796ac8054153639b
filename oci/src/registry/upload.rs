//! Uploads content that is still being written: one request follows the spool, as engines do it. Chunks would
//! have to be at least 5 MiB for ECR and at most 4 MiB for GHCR.

use http::header::{CONTENT_TYPE, RANGE};
use http::{HeaderValue, Method, StatusCode};

use cutover_rollout::model::{Digest, Repository};

use super::blobs::BINARY;
use super::client::{ATTEMPTS, Call, Exchange, Payload, Registry};
use super::{RegistryError, Spool, SpoolState};

/// An interrupted upload: where it goes, and how much of it the registry has.
struct PartialUpload {
    place: String,
    has: u64,
}

/// How far an attempt got.
#[derive(Debug, Default)]
struct UploadProgress {
    /// The URL of the upload session.
    place: Option<String>,
    /// The digest, once everything is sent and the registry has been asked to verify it.
    ended: Option<Digest>,
    /// Whether the registry asked for credentials in the middle; they are now in place.
    logged_in: bool,
}

impl Registry {
    /// Uploads everything that is or will be in `spool`; returns its digest. An interrupted upload resumes
    /// where the registry says that it stopped, or starts over.
    ///
    /// # Errors
    /// Fails if the registry rejects the content or reports another digest for it, or the spool fails.
    pub async fn upload_spool(
        &self,
        repository: &Repository,
        spool: &Spool,
        what: &str,
    ) -> Result<Digest, RegistryError> {
        let attempted = format!("upload {what} to {repository}");
        let mut waits = cutover_net::delays(ATTEMPTS, what.len() as u64);
        let mut broken = None;
        loop {
            let mut reached = UploadProgress::default();
            let resumed = broken.is_some();
            let error = match self
                .upload_from(repository, spool, &attempted, broken.take(), &mut reached)
                .await
            {
                Err(error) if error.is_transient() || reached.logged_in => error,
                // The registry had more, or less, than it said.
                Err(error) if resumed && error.is_invalid_request() => {
                    reached = UploadProgress::default();
                    error
                }
                answer => return answer,
            };
            let Some(wait) = waits.next() else { return Err(error) };
            self.wait(&error, wait).await;
            if let Some(place) = reached.place {
                broken = self.partial_upload(repository, place, &attempted).await;
            } else if let Some(digest) = reached.ended
                && self.has_blob(repository, &digest).await.unwrap_or(false)
            {
                // Only the response was lost.
                return Ok(digest);
            }
        }
    }

    async fn upload_from(
        &self,
        repository: &Repository,
        spool: &Spool,
        attempted: &str,
        broken: Option<PartialUpload>,
        reached: &mut UploadProgress,
    ) -> Result<Digest, RegistryError> {
        let PartialUpload { place, has } = match broken {
            Some(broken) => broken,
            None => {
                PartialUpload { place: self.start_upload(repository, attempted).await?, has: 0 }
            }
        };
        reached.place = Some(place.clone());
        let patch = Call {
            repository,
            pull_scope: None,
            method: Method::PATCH,
            url: place.clone(),
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static(BINARY))],
            body: Payload::Spool(spool.clone(), has),
            attempted: attempted.to_owned(),
        };
        let sent = match self.exchange(&patch).await {
            Ok(Exchange::Answered(response)) => Self::unless_transient(&patch, response),
            // Only the registry knows how much it received before it asked.
            Ok(Exchange::LoggedIn(refused)) => {
                reached.logged_in = true;
                Err(refused)
            }
            Err(error) => Err(error),
        };
        if let SpoolState::Failed(why) = spool.state() {
            return Err(RegistryError::Content(why));
        }
        let response = sent?;
        // ECR answers 201.
        if !matches!(
            response.status(),
            StatusCode::ACCEPTED | StatusCode::CREATED | StatusCode::NO_CONTENT
        ) {
            return Err(RegistryError::refused(attempted, repository, &response));
        }
        let place = self.upload_url(&response).unwrap_or(place);
        let (size, digest) = spool.wait_for_end().await.map_err(RegistryError::Content)?;
        *reached = UploadProgress { ended: Some(digest.clone()), ..UploadProgress::default() };
        let sent = Payload::Sent(size);
        self.finish_upload(repository, &place, &digest, sent, attempted.to_owned()).await?;
        Ok(digest)
    }

    /// Returns how much of an interrupted upload the registry has; `None` if it does not know or cannot be
    /// trusted: ECR reports less than it has, and bytes that are sent twice are stored twice.
    async fn partial_upload(
        &self,
        repository: &Repository,
        place: String,
        attempted: &str,
    ) -> Option<PartialUpload> {
        if repository.ecr().is_some() {
            return None;
        }
        let status = Call {
            repository,
            pull_scope: None,
            method: Method::GET,
            url: place.clone(),
            headers: Vec::new(),
            body: Payload::nothing(),
            attempted: attempted.to_owned(),
        };
        let response = self.send_with_logins(&status).await.ok()?;
        let range = response.headers().get(RANGE)?.to_str().ok()?.trim_start_matches("bytes=");
        let last: u64 = range.strip_prefix("0-")?.parse().ok()?;
        // An empty upload is reported as `0-0`, like one byte.
        let has = if last == 0 { return None } else { last + 1 };
        let known = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::ACCEPTED);
        known.then(|| PartialUpload { place: self.upload_url(&response).unwrap_or(place), has })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::{BodyExt as _, Full};
    use jiff::Timestamp;
    use tower::service_fn;

    use super::*;
    use crate::registry::{Credentials, Endpoint, Renewal, SpoolWriter};
    use cutover_net::{Body, Clock, Net, Transport};

    /// A registry with one upload session.
    #[derive(Default)]
    struct State {
        session: Vec<u8>,
        blob: Option<(String, Vec<u8>)>,
        log: Vec<String>,
        /// After this many bytes, a PATCH is answered with this status; the bytes are kept.
        breaks: Vec<(usize, u16)>,
        /// Whether it reports another digest than it has stored.
        lies: bool,
        /// Whether it stores the content but answers 502.
        loses: bool,
        /// The `Authorization` of each request that has one.
        shown: Vec<String>,
    }

    async fn answer(state: Arc<Mutex<State>>, request: Request<Body>) -> Response<Full<Bytes>> {
        let (head, mut body) = request.into_parts();
        state.lock().unwrap().log.push(head.method.to_string());
        if let Some(shown) = head.headers.get("authorization") {
            state.lock().unwrap().shown.push(shown.to_str().unwrap().to_owned());
        }
        let broken =
            (head.method == Method::PATCH).then(|| state.lock().unwrap().breaks.pop()).flatten();
        let mut came = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { break };
            came.extend_from_slice(frame.data_ref().unwrap());
            if broken.is_some_and(|(after, _)| came.len() >= after) {
                break;
            }
        }
        let mut state = state.lock().unwrap();
        let place = Response::builder().header("location", "/v2/news/blobs/uploads/7");
        let (status, answer) = match (head.method.as_str(), broken) {
            ("POST", _) => {
                state.session.clear();
                (202, place)
            }
            ("PATCH", Some((after, status))) => {
                state.session.extend_from_slice(&came[..after]);
                let place = place.header("www-authenticate", "Basic realm=\"x\"");
                (status, place)
            }
            ("PATCH", None) => {
                state.session.extend_from_slice(&came);
                (202, place)
            }
            ("GET", _) => {
                let last = state.session.len().saturating_sub(1);
                (204, place.header("range", format!("0-{last}")))
            }
            ("PUT", _) => {
                let asked = head.uri.query().unwrap().trim_start_matches("digest=").to_owned();
                let digest = Digest::of(&state.session);
                let stored = if state.lies { Digest::of(b"other") } else { digest.clone() };
                let right = asked == digest.as_str();
                if right {
                    state.blob = Some((asked, state.session.clone()));
                }
                let place = place.header("docker-content-digest", stored.as_str());
                let taken = if state.loses { 502 } else { 201 };
                (if right { taken } else { 400 }, place)
            }
            ("HEAD", _) => (if state.blob.is_some() { 200 } else { 404 }, place),
            _ => (405, place),
        };
        answer.status(status).body(Full::default()).unwrap()
    }

    fn registry(state: &Arc<Mutex<State>>, host: &str) -> (Registry, Repository) {
        let state = state.clone();
        let service = service_fn(move |request| {
            let state = state.clone();
            async move { Ok::<_, std::convert::Infallible>(answer(state, request).await) }
        });
        let clock = Clock::virtual_from(Timestamp::UNIX_EPOCH);
        let net = Net { transport: Transport::from_service(service), clock };
        let registry = Registry::new(net, Endpoint::of_host(host).unwrap(), Credentials::Anonymous);
        (registry, format!("{host}/news").parse().unwrap())
    }

    const GHCR: &str = "ghcr.io";
    const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    /// Returns content of several pieces, all different.
    fn content() -> Vec<u8> {
        (0..700_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
    }

    fn write(mut writer: SpoolWriter, content: &[u8]) -> Digest {
        writer.write_all(content).unwrap();
        let digest = Digest::of(content);
        writer.finish(digest.clone());
        digest
    }

    async fn uploaded(state: State, host: &str) -> (Result<Digest, RegistryError>, State) {
        let state = Arc::new(Mutex::new(state));
        let (registry, repository) = registry(&state, host);
        let (writer, spool) = Spool::create().unwrap();
        let digest = write(writer, &content());
        let sent = registry.upload_spool(&repository, &spool, "a layer").await;
        if let Ok(sent) = &sent {
            assert_eq!(*sent, digest);
        }
        let state = std::mem::take(&mut *state.lock().unwrap());
        (sent, state)
    }

    #[tokio::test]
    async fn it_is_sent_while_it_is_written() {
        let state = Arc::new(Mutex::new(State::default()));
        let (registry, repository) = registry(&state, GHCR);
        let (mut writer, spool) = Spool::create().unwrap();
        writer.write_all(b"begun, ").unwrap();
        let sending = registry.upload_spool(&repository, &spool, "a layer");
        let (sent, ()) = tokio::join!(sending, async {
            while state.lock().unwrap().log.last().map(String::as_str) != Some("PATCH") {
                tokio::task::yield_now().await;
            }
            writer.write_all(b"and done").unwrap();
            writer.finish(Digest::of(b"begun, and done"));
        });
        assert_eq!(sent.unwrap(), Digest::of(b"begun, and done"));
        assert_eq!(state.lock().unwrap().log, ["POST", "PATCH", "PUT"]);
    }

    #[tokio::test]
    async fn an_interrupted_upload_resumes_where_it_stopped() {
        let (sent, state) =
            uploaded(State { breaks: vec![(900_000, 503)], ..State::default() }, GHCR).await;
        sent.unwrap();
        assert_eq!(state.log, ["POST", "PATCH", "GET", "PATCH", "PUT"]);
        assert!(state.blob.unwrap().1 == content());
    }

    /// ECR reports less than it has.
    #[tokio::test]
    async fn ecr_is_sent_all_of_it_again() {
        let (sent, state) =
            uploaded(State { breaks: vec![(900_000, 503)], ..State::default() }, ECR).await;
        sent.unwrap();
        assert_eq!(state.log, ["POST", "PATCH", "POST", "PATCH", "PUT"]);
        assert!(state.blob.unwrap().1 == content());
    }

    /// After a new login, the upload resumes where it stopped: nothing is stored twice.
    #[tokio::test]
    async fn a_login_that_expires_during_an_upload_is_renewed() {
        let state = State { breaks: vec![(900_000, 401)], ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let (registry, repository) = registry(&state, GHCR);
        let asked = Arc::new(Mutex::new(0));
        let count = asked.clone();
        let registry = registry.with_renewal(Renewal::new(move || {
            *count.lock().unwrap() += 1;
            std::future::ready(Ok(Credentials::Basic {
                user: "AWS".to_owned(),
                password: "new".to_owned(),
            }))
        }));
        let (writer, spool) = Spool::create().unwrap();
        let digest = write(writer, &content());
        let sent = registry.upload_spool(&repository, &spool, "a layer").await.unwrap();
        assert_eq!((sent, *asked.lock().unwrap()), (digest, 1));
        let state = state.lock().unwrap();
        assert_eq!(state.log, ["POST", "PATCH", "GET", "PATCH", "PUT"]);
        assert!(state.blob.as_ref().unwrap().1 == content());
        assert_eq!(state.shown.last().unwrap(), "Basic QVdTOm5ldw==");
    }

    /// Without other credentials, the upload fails at once.
    #[tokio::test]
    async fn a_login_that_ends_for_good_is_no_reason_to_go_on() {
        let state = State { breaks: vec![(900_000, 401)], ..State::default() };
        let (sent, state) = uploaded(state, GHCR).await;
        let reported = sent.unwrap_err().to_string();
        assert!(reported.contains("packages: write"), "{reported}");
        assert_eq!(state.log, ["POST", "PATCH"]);
    }

    #[tokio::test]
    async fn a_lost_response_to_the_last_request_is_checked() {
        let (sent, state) = uploaded(State { loses: true, ..State::default() }, GHCR).await;
        sent.unwrap();
        assert_eq!(state.log, ["POST", "PATCH", "PUT", "HEAD"]);
    }

    #[tokio::test]
    async fn a_registry_that_stores_other_content_is_an_error() {
        let (sent, _) = uploaded(State { lies: true, ..State::default() }, GHCR).await;
        assert!(matches!(sent, Err(RegistryError::Digest { .. })), "{sent:?}");
    }

    #[tokio::test]
    async fn a_layer_that_fails_is_never_ended() {
        let state = Arc::new(Mutex::new(State::default()));
        let (registry, repository) = registry(&state, GHCR);
        let (mut writer, spool) = Spool::create().unwrap();
        writer.write_all(b"half").unwrap();
        writer.fail("the engine has gone");
        let sent = registry.upload_spool(&repository, &spool, "a layer").await;
        assert!(sent.unwrap_err().to_string().contains("the engine has gone"));
        assert!(!state.lock().unwrap().log.contains(&"PUT".to_owned()));
    }
}
