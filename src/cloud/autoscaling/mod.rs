//! Auto Scaling: groups, instance refreshes and scheduled actions.

mod groups;
mod refreshes;
mod scheduled;
mod template;
