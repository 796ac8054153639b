//! What to do next: decide(). Pure: no clock, no I/O, no randomness.
