//! Policy documents (IAM user guide, "IAM JSON policy elements reference").

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

/// A policy with statements that allow something. Serializes to IAM's JSON document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The statements, with distinct Sids.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// The Sid: letters and digits.
    pub sid: String,
    /// The ARN of the OIDC provider whose tokens are accepted; only in a trust policy.
    pub federated: Option<String>,
    /// The actions, sorted.
    pub actions: Vec<String>,
    /// ARNs, or `*`; empty in a trust policy.
    pub resources: Vec<String>,
    /// The conditions, which must all be true.
    pub conditions: Vec<Condition>,
}

/// A condition: the value of the key matches one of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `StringEquals`, `ArnLike` …
    pub operator: &'static str,
    /// The condition key.
    pub key: String,
    /// The values, at least one.
    pub values: Vec<String>,
}

impl Policy {
    /// Returns the document on one line.
    pub fn compact(&self) -> String {
        // Serializing strings and lists into memory cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the document, indented.
    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Returns the document as a JSON value.
    pub fn document(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Returns every allowed action, sorted, without duplicates.
    pub fn actions(&self) -> Vec<&str> {
        let actions = self.statements.iter().flat_map(|statement| &statement.actions);
        let mut actions: Vec<&str> = actions.map(String::as_str).collect();
        actions.sort_unstable();
        actions.dedup();
        actions
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut document = to.serialize_map(Some(2))?;
        document.serialize_entry("Version", "2012-10-17")?;
        document.serialize_entry("Statement", &self.statements)?;
        document.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut statement = to.serialize_map(None)?;
        statement.serialize_entry("Sid", &self.sid)?;
        statement.serialize_entry("Effect", "Allow")?;
        if let Some(federated) = &self.federated {
            statement.serialize_entry("Principal", &BTreeMap::from([("Federated", federated)]))?;
        }
        statement.serialize_entry("Action", &OneOrMany(&self.actions))?;
        if !self.resources.is_empty() {
            statement.serialize_entry("Resource", &OneOrMany(&self.resources))?;
        }
        if !self.conditions.is_empty() {
            let mut operators: BTreeMap<&str, BTreeMap<&str, OneOrMany<'_>>> = BTreeMap::new();
            for Condition { operator, key, values } in &self.conditions {
                operators.entry(operator).or_default().insert(key, OneOrMany(values));
            }
            statement.serialize_entry("Condition", &operators)?;
        }
        statement.end()
    }
}

/// Serializes a list of one as a string, which IAM accepts.
struct OneOrMany<'a>(&'a [String]);

impl Serialize for OneOrMany<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if let [one] = self.0 {
            return to.serialize_str(one);
        }
        let mut all = to.serialize_seq(Some(self.0.len()))?;
        self.0.iter().try_for_each(|one| all.serialize_element(one))?;
        all.end()
    }
}
