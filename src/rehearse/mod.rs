//! The demo: the only folder that sees both engine and lab.
