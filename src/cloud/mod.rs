//! The edge to AWS: one file a service. SDK types and SDK times stay inside.
