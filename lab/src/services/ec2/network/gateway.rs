//! An internet gateway as data.

/// An internet gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InternetGateway {
    /// The VPC that it is attached to, if any.
    pub vpc: Option<String>,
}
