//! The progress of a build, as users know it.

use std::fmt;

use cutover_rollout::model::Size;

/// A progress event, which displays as one line. `step` is counted from 1, in the order in which steps begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Part of the context has been sent.
    Sending {
        /// Bytes of the archive so far.
        bytes: u64,
    },
    /// The context has been sent.
    Sent {
        /// Number of files.
        files: u64,
        /// Their size in bytes.
        bytes: u64,
    },
    /// A step began.
    Began {
        /// The step.
        step: usize,
        /// Its name, such as `[2/4] RUN make`.
        name: String,
    },
    /// A step wrote a line.
    Line {
        /// The step.
        step: usize,
        /// Seconds since the step began.
        seconds: f64,
        /// The line without its terminator.
        text: String,
    },
    /// Progress of everything that a step pulls.
    Transfer {
        /// The step.
        step: usize,
        /// Bytes received.
        current: u64,
        /// Bytes in total, as far as known.
        total: u64,
    },
    /// A part of a step, such as `exporting layers`, is done.
    Part {
        /// The step.
        step: usize,
        /// Its name.
        name: String,
        /// Duration in seconds.
        seconds: f64,
    },
    /// A step is done.
    Done {
        /// The step.
        step: usize,
        /// Duration in seconds.
        seconds: f64,
    },
    /// A step is cached: nothing that it depends on has changed.
    Cached {
        /// The step.
        step: usize,
    },
    /// A step was canceled because another one failed.
    Canceled {
        /// The step.
        step: usize,
    },
    /// A step failed.
    Failed {
        /// The step.
        step: usize,
        /// The engine's message.
        cause: String,
    },
    /// A warning from the engine.
    Warning(String),
    /// A line from an engine that does not report steps: Podman.
    Text(String),
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::Sending { bytes } => write!(f, "context: {} so far", Size(*bytes)),
            Progress::Sent { files, bytes } => {
                write!(f, "context: {files} files, {}", Size(*bytes))
            }
            Progress::Began { step, name } => write!(f, "#{step} {name}"),
            Progress::Line { step, seconds, text } => write!(f, "#{step} {seconds:.3} {text}"),
            Progress::Transfer { step, current, total } => {
                write!(f, "#{step} {} / {}", Size(*current), Size(*total))
            }
            Progress::Part { step, name, seconds } => write!(f, "#{step} {name} {seconds:.1}s"),
            Progress::Done { step, seconds } => write!(f, "#{step} DONE {seconds:.1}s"),
            Progress::Cached { step } => write!(f, "#{step} CACHED"),
            Progress::Canceled { step } => write!(f, "#{step} CANCELED"),
            Progress::Failed { step, cause } => write!(f, "#{step} ERROR: {cause}"),
            Progress::Warning(text) => write!(f, "warning: {text}"),
            Progress::Text(text) => f.write_str(text),
        }
    }
}
