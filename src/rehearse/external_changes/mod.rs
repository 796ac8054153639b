//! External changes: an operator with the console, Terraform, a scaling policy, in mid-rollout.
//! Each row of docs/external-changes.md is a test here: what is reported, how it ends, and the state at
//! the end.

mod capacity;
mod instances;
mod ledger;
mod refresh;
mod template;
mod weights;

const BLUE: &str = "news-blue";
const GREEN: &str = "news-green";
