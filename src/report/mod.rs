//! One event stream, several renderings.
