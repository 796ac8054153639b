//! Metric math: arithmetic on time series in GetMetricData and in alarms (user guide, "Using metric math").
//! The lab has the functions that alarms on load balancers use; the others are refused by name.

mod eval;
mod parse;
mod series;
#[cfg(test)]
mod tests;

pub(super) use eval::{Scope, eval};
pub(super) use parse::{Expression, parse};
pub(super) use series::{Frame, Operand, Series};
