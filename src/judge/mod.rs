//! Is the new side worse? Counts in, verdict out. Pure.
