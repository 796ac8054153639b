//! Turns BuildKit's messages about its graph into steps as users know them. Pure: all times come from the
//! engine.

use std::collections::BTreeMap;

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexStatus};

use super::Progress;

/// Last lines of a step that are kept in case it fails.
const REMEMBERED: usize = 20;

/// Shortest interval between two reports of a transfer, in seconds.
const TRANSFER_EVERY: f64 = 1.0;

/// The steps of a build so far.
#[derive(Debug, Default)]
pub(super) struct Steps {
    known: BTreeMap<String, Step>,
    begun: usize,
    /// The first step that failed itself.
    failed: Option<String>,
    /// For an engine that does not report steps: the last one that it named, and its output.
    named: Option<FailedStep>,
}

#[derive(Debug, Default)]
struct Step {
    name: String,
    /// `None` until it has been reported.
    number: Option<usize>,
    began: f64,
    over: bool,
    /// Its output since the last line break.
    unfinished: Vec<u8>,
    log: Vec<String>,
    transfers: BTreeMap<String, (u64, u64)>,
    told_of_transfers: f64,
    cause: String,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FailedStep {
    pub(super) name: String,
    pub(super) cause: String,
    pub(super) log: Vec<String>,
}

impl Steps {
    /// Processes a message of BuildKit's and returns the progress to report.
    pub(super) fn learn(&mut self, status: &StatusResponse) -> Vec<Progress> {
        let mut reported = Vec::new();
        // A step's last lines arrive with its end, which is reported after them.
        for vertex in &status.vertexes {
            self.begin(vertex, &mut reported);
        }
        for part in &status.statuses {
            self.part(part, &mut reported);
        }
        for log in &status.logs {
            self.log(log, &mut reported);
        }
        for warning in &status.warnings {
            reported.push(Progress::Warning(String::from_utf8_lossy(&warning.short).into_owned()));
        }
        for vertex in &status.vertexes {
            self.end(vertex, &mut reported);
        }
        reported
    }

    /// Processes a line from an engine that does not report steps.
    pub(super) fn hear(&mut self, line: &str) -> Progress {
        if let Some((place, name)) = line.strip_prefix("STEP ").and_then(|l| l.split_once(": ")) {
            let name = format!("[{place}] {name}");
            self.named = Some(FailedStep { name, cause: String::new(), log: Vec::new() });
        } else if let Some(step) = &mut self.named
            // The layer that the step produced.
            && !line.starts_with("--> ")
        {
            remember(&mut step.log, line);
        }
        Progress::Text(line.to_owned())
    }

    /// Returns the step that made the build fail. Its cause is empty if only the build's is known.
    pub(super) fn failed(&self) -> Option<FailedStep> {
        if self.named.is_some() {
            return self.named.clone();
        }
        let Step { name, cause, log, .. } = self.known.get(self.failed.as_ref()?)?;
        Some(FailedStep { name: name.clone(), cause: cause.clone(), log: log.clone() })
    }

    fn begin(&mut self, vertex: &Vertex, reported: &mut Vec<Progress>) {
        let step = self.known.entry(vertex.digest.clone()).or_default();
        step.name.clone_from(&vertex.name);
        let Some(began) = &vertex.started else {
            if vertex.cached || !vertex.error.is_empty() {
                step.number(&mut self.begun, reported);
            }
            return;
        };
        // The engine repeats messages: a step that has ended begins again only if the message has no end.
        step.over &= vertex.completed.is_some() || vertex.cached;
        if !step.over {
            step.began = seconds(began);
        }
        step.number(&mut self.begun, reported);
    }

    fn end(&mut self, vertex: &Vertex, reported: &mut Vec<Progress>) {
        let Some(step) = self.known.get_mut(&vertex.digest) else { return };
        let canceled = vertex.error.contains("context canceled");
        let ended = vertex.completed.as_ref();
        if step.over || (ended.is_none() && !vertex.cached && vertex.error.is_empty()) {
            return;
        }
        let number = step.number(&mut self.begun, reported);
        step.over = true;
        step.line_ends(seconds_of(ended, step.began) - step.began, reported);
        reported.push(if canceled {
            Progress::Canceled { step: number }
        } else if !vertex.error.is_empty() {
            step.cause.clone_from(&vertex.error);
            self.failed.get_or_insert_with(|| vertex.digest.clone());
            Progress::Failed { step: number, cause: vertex.error.clone() }
        } else if vertex.cached {
            Progress::Cached { step: number }
        } else {
            Progress::Done { step: number, seconds: seconds_of(ended, step.began) - step.began }
        });
    }

    fn part(&mut self, part: &VertexStatus, reported: &mut Vec<Progress>) {
        let Some(step) = self.known.get_mut(&part.vertex) else { return };
        let (current, total) = (part.current.max(0) as u64, part.total.max(0) as u64);
        let began = seconds_of(part.started.as_ref(), step.began);
        let now = seconds_of(part.timestamp.as_ref(), began);
        if total == 0 && current == 0 {
            if let Some(ended) = &part.completed {
                let name = if part.name.is_empty() { &part.id } else { &part.name };
                let (name, seconds) = (name.clone(), seconds(ended) - began);
                let number = step.number(&mut self.begun, reported);
                reported.push(Progress::Part { step: number, name, seconds });
            }
            return;
        }
        let known = step.transfers.entry(part.id.clone()).or_default();
        *known = (current, total.max(current).max(known.1));
        let sum = step.transfers.values().fold((0, 0), |(c, t), (cc, tt)| (c + cc, t + tt));
        let all = sum.0 == sum.1 && part.completed.is_some();
        if all || now - step.told_of_transfers >= TRANSFER_EVERY {
            step.told_of_transfers = now;
            let number = step.number(&mut self.begun, reported);
            reported.push(Progress::Transfer { step: number, current: sum.0, total: sum.1 });
        }
    }

    fn log(&mut self, log: &VertexLog, reported: &mut Vec<Progress>) {
        let Some(step) = self.known.get_mut(&log.vertex) else { return };
        step.number(&mut self.begun, reported);
        let since = seconds_of(log.timestamp.as_ref(), step.began) - step.began;
        let mut rest = log.msg.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            step.unfinished.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            step.line(since, reported);
        }
        step.unfinished.extend_from_slice(rest);
    }
}

impl Step {
    /// Returns its number. A step without one gets the next one and is reported.
    fn number(&mut self, begun: &mut usize, reported: &mut Vec<Progress>) -> usize {
        *self.number.get_or_insert_with(|| {
            *begun += 1;
            reported.push(Progress::Began { step: *begun, name: self.name.clone() });
            *begun
        })
    }

    fn line_ends(&mut self, since: f64, reported: &mut Vec<Progress>) {
        if !self.unfinished.is_empty() {
            self.line(since, reported);
        }
    }

    fn line(&mut self, seconds: f64, reported: &mut Vec<Progress>) {
        let bytes = std::mem::take(&mut self.unfinished);
        let text = String::from_utf8_lossy(&bytes);
        // Skip what a progress bar has overwritten.
        let text = text.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().to_owned();
        remember(&mut self.log, &text);
        if let Some(step) = self.number {
            reported.push(Progress::Line { step, seconds, text });
        }
    }
}

fn remember(log: &mut Vec<String>, line: &str) {
    if log.len() == REMEMBERED {
        log.remove(0);
    }
    log.push(line.to_owned());
}

fn seconds(time: &Timestamp) -> f64 {
    time.seconds as f64 + f64::from(time.nanos) / 1e9
}

fn seconds_of(time: Option<&Timestamp>, otherwise: f64) -> f64 {
    time.map_or(otherwise, seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tenths: i64) -> Option<Timestamp> {
        let nanos = i32::try_from(tenths % 10 * 100_000_000).unwrap();
        Some(Timestamp { seconds: 1_000_000 + tenths / 10, nanos })
    }

    fn vertex(name: &str, began: Option<i64>, ended: Option<i64>) -> Vertex {
        let (started, completed) = (began.and_then(at), ended.and_then(at));
        let (digest, name) = (format!("id of {name}"), name.to_owned());
        Vertex { digest, name, started, completed, ..Vertex::default() }
    }

    fn log(name: &str, tenths: i64, text: &str) -> VertexLog {
        let (vertex, msg) = (format!("id of {name}"), text.as_bytes().to_vec());
        VertexLog { vertex, timestamp: at(tenths), stream: 1, msg }
    }

    fn part(name: &str, id: &str, tenths: i64, current: i64, total: i64) -> VertexStatus {
        let completed = (current == total).then(|| at(tenths)).flatten();
        let (vertex, id) = (format!("id of {name}"), id.to_owned());
        let started = at(0);
        let timestamp = at(tenths);
        VertexStatus {
            id,
            vertex,
            current,
            total,
            timestamp,
            started,
            completed,
            ..Default::default()
        }
    }

    fn lines(steps: &mut Steps, status: &StatusResponse) -> Vec<String> {
        steps.learn(status).iter().map(ToString::to_string).collect()
    }

    fn vertexes(vertexes: Vec<Vertex>) -> StatusResponse {
        StatusResponse { vertexes, ..StatusResponse::default() }
    }

    #[test]
    fn steps_as_people_know_them() {
        let mut steps = Steps::default();
        let (copy, run) = ("[2/3] COPY a /", "[3/3] RUN make");
        let plan = vec![vertex(copy, None, None), vertex(run, None, None)];
        assert_eq!(lines(&mut steps, &vertexes(plan)), [""; 0]);
        let mut cached = vertex(copy, Some(0), Some(0));
        cached.cached = true;
        let reported = lines(&mut steps, &vertexes(vec![cached]));
        assert_eq!(reported, ["#1 [2/3] COPY a /", "#1 CACHED"]);
        let reported = lines(&mut steps, &vertexes(vec![vertex(run, Some(1), None)]));
        assert_eq!(reported, ["#2 [3/3] RUN make"]);
        let logs = vec![log(run, 2, "one\ntw"), log(run, 4, "o\r\n 9%\r99%\nthr")];
        let reported = lines(&mut steps, &StatusResponse { logs, ..StatusResponse::default() });
        assert_eq!(reported, ["#2 0.100 one", "#2 0.300 two", "#2 0.300 99%"]);
        let reported = lines(&mut steps, &vertexes(vec![vertex(run, Some(1), Some(31))]));
        assert_eq!(reported, ["#2 3.000 thr", "#2 DONE 3.0s"]);
        // The engine repeats messages.
        let again = vec![vertex(copy, None, None), vertex(run, Some(40), Some(40))];
        assert_eq!(lines(&mut steps, &vertexes(again)), [""; 0]);
        assert_eq!(steps.failed(), None);
    }

    #[test]
    fn an_engine_that_tells_no_steps() {
        let mut steps = Steps::default();
        for line in ["STEP 1/2: FROM scratch", "--> 1234", "STEP 2/2: RUN make", "oh no"] {
            assert_eq!(steps.hear(line).to_string(), line);
        }
        let failed = steps.failed().unwrap();
        assert_eq!(
            (failed.name.as_str(), failed.log),
            ("[2/2] RUN make", vec!["oh no".to_owned()])
        );
    }

    #[test]
    fn the_first_that_failed_by_itself_is_to_blame() {
        let mut steps = Steps::default();
        let mut canceled = vertex("[a 2/2] RUN sleep 9", Some(0), Some(5));
        canceled.error = "context canceled".to_owned();
        let mut failed = vertex("[b 2/2] RUN false", Some(0), Some(5));
        failed.error = "exit code: 1".to_owned();
        let status = StatusResponse {
            vertexes: vec![canceled, failed],
            logs: vec![log("[b 2/2] RUN false", 1, "oh no\n")],
            ..StatusResponse::default()
        };
        let reported = lines(&mut steps, &status);
        let expected =
            ["#1 [a 2/2] RUN sleep 9", "#2 [b 2/2] RUN false", "#2 0.100 oh no", "#1 CANCELED"];
        assert_eq!(reported[..4], expected);
        assert_eq!(reported[4], "#2 ERROR: exit code: 1");
        let blamed = steps.failed().unwrap();
        assert_eq!((blamed.name.as_str(), blamed.log.len()), ("[b 2/2] RUN false", 1));
    }

    #[test]
    fn transfers_are_summed_up() {
        let mut steps = Steps::default();
        let from = "[1/2] FROM docker.io/library/alpine";
        steps.learn(&vertexes(vec![vertex(from, Some(0), None)]));
        let mut reported = Vec::new();
        for tenths in 1..=20 {
            let statuses = vec![
                part(from, "sha256:a", tenths, tenths * 100_000, 2_000_000),
                part(from, "sha256:b", tenths, 500, 500),
            ];
            reported.extend(lines(&mut steps, &StatusResponse { statuses, ..Default::default() }));
        }
        assert_eq!(reported.last().unwrap(), "#1 2.0 MB / 2.0 MB");
        assert!(reported.len() <= 5, "{reported:?}");
        let exporting = vec![part("none", "x", 1, 0, 0), part(from, "exporting layers", 3, 0, 0)];
        let reported =
            lines(&mut steps, &StatusResponse { statuses: exporting, ..Default::default() });
        assert_eq!(reported, ["#1 exporting layers 0.3s"]);
    }
}
