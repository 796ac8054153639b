//! What runs in an account already: the services that cutover could deploy, found without a line of configuration.
//!
//! [`read`] lists load balancers, rules, target groups and Auto Scaling groups once. [`choose`] is pure: it finds which
//! groups take turns behind the same rules, and which of these services is meant. [`look_closer`] reads what is worth reading of one service only:
//! its launch template and the image in the user data. A read that AWS refuses is a [`Gap`], never an absence.

mod account;
mod choose;
mod closer;
mod image;
mod name;
mod service;

pub use account::{Account, name_of, read};
pub use choose::choose;
pub use closer::{Launch, look_closer};
pub use image::{Image, Unpinnable, find_image};
pub use name::service_name;
pub use service::{Fleet, Member, Service};
