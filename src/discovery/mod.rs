//! Finds the services in an account that cutover could deploy, without configuration.
//!
//! [`read`] lists load balancers, rules, target groups and Auto Scaling groups once. [`choose_services`] is pure: it
//! determines which groups belong together and which services match. [`read_launch`] reads the details of one
//! service: its launch template and the image in the user data. A denied read is a [`Gap`](crate::iam::Gap) and
//! not taken for an absent resource.

mod account;
mod choose;
mod image;
mod launch;
mod name;
mod service;

pub use account::{Account, name_of, read};
pub use choose::choose_services;
pub use image::{Image, Unpinnable, find_image};
pub use launch::{Launch, read_launch};
pub use name::service_name;
pub use service::{Fleet, GroupWithTarget, Service};
