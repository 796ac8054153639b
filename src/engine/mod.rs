//! The loop: observe, decide, act, record, sleep.
