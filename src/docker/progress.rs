//! What happens in a build, as people know it.

use std::fmt;

use crate::model::Size;

/// Something happened. `step` is counted from 1, in the order in which steps begin; it displays as one
/// line.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// So much of the folder has been sent.
    Sending {
        /// Bytes of its archive.
        bytes: u64,
    },
    /// The folder was sent.
    Sent {
        /// How many files.
        files: u64,
        /// Their size in bytes.
        bytes: u64,
    },
    /// A step began.
    Began {
        /// Which.
        step: usize,
        /// What it is, such as `[2/4] RUN make`.
        name: String,
    },
    /// A step wrote a line.
    Line {
        /// Which.
        step: usize,
        /// Since it began.
        seconds: f64,
        /// Without its end.
        text: String,
    },
    /// What a step pulls, all of it together.
    Transfer {
        /// Which.
        step: usize,
        /// Bytes that are there.
        current: u64,
        /// Bytes that it will be, as far as is known by now.
        total: u64,
    },
    /// A part of a step is done, such as `exporting layers`.
    Part {
        /// Which.
        step: usize,
        /// What it was.
        name: String,
        /// How long it took.
        seconds: f64,
    },
    /// A step is done.
    Done {
        /// Which.
        step: usize,
        /// How long it took.
        seconds: f64,
    },
    /// A step was done before, and nothing that it depends on has changed.
    Cached {
        /// Which.
        step: usize,
    },
    /// A step was ended because another failed.
    Cancelled {
        /// Which.
        step: usize,
    },
    /// A step failed.
    Failed {
        /// Which.
        step: usize,
        /// What the engine says.
        cause: String,
    },
    /// The engine advises.
    Warning(String),
    /// A line of an engine that tells no steps: Podman.
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
            Progress::Cancelled { step } => write!(f, "#{step} CANCELED"),
            Progress::Failed { step, cause } => write!(f, "#{step} ERROR: {cause}"),
            Progress::Warning(text) => write!(f, "warning: {text}"),
            Progress::Text(text) => f.write_str(text),
        }
    }
}
