//! Other hands: a person with a console, Terraform, a scaling policy, in mid-rollout. Each row of
//! docs/other-hands.md is a story here: what is told, how it ends, and what is there at the end.

mod capacity;
mod instances;
mod ledger;
mod refresh;
mod template;
mod weights;

const BLUE: &str = "news-blue";
const GREEN: &str = "news-green";
