//! A route table as data.

use std::collections::BTreeMap;

/// The target of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteTarget {
    /// Within the VPC.
    Local,
    /// An internet gateway.
    Gateway(String),
    /// A target that the lab doesn't simulate: the member that names it, and its id.
    Other(&'static str, String),
}

/// A route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    /// The id of its VPC.
    pub vpc: String,
    /// The id of its main association, if it is the VPC's main route table.
    pub main: Option<String>,
    /// The ids of its subnets by association id.
    pub subnets: BTreeMap<String, String>,
    /// Its routes by destination, except the local one.
    pub routes: BTreeMap<String, RouteTarget>,
}
