//! Time series and their combination.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::world::later;

/// Values by the start of their period.
pub(crate) type Series = BTreeMap<Timestamp, f64>;

/// The value of an expression or of a part of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// One number.
    Scalar(f64),
    /// One time series.
    Series(Series),
    /// Several time series.
    Array(Vec<Series>),
}

impl Operand {
    /// Converts it to several time series.
    pub(super) fn into_array(self) -> Result<Vec<Series>, String> {
        match self {
            Operand::Scalar(_) => Err("a time series is required, not a number".to_owned()),
            Operand::Series(series) => Ok(vec![series]),
            Operand::Array(all) => Ok(all),
        }
    }
}

/// The periods of a request whose data have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The start of the first period.
    pub(crate) start: Timestamp,
    /// The end of the last period.
    pub(crate) end: Timestamp,
    /// Their length in seconds.
    pub(crate) period: i64,
}

impl Frame {
    /// Returns the starts of all periods.
    pub(crate) fn periods(self) -> impl Iterator<Item = Timestamp> {
        let length = Duration::from_secs(self.period.max(1).unsigned_abs());
        std::iter::successors(Some(self.start), move |at| Some(later(*at, length)))
            .take_while(move |at| *at < self.end)
    }
}

/// Combines two operands: a number with each value, series by their common periods, arrays element by
/// element.
pub(super) fn combine(
    left: Operand,
    right: Operand,
    function: fn(f64, f64) -> Option<f64>,
) -> Result<Operand, String> {
    let both = |a: &Series, b: &Series| -> Series {
        let common = a.iter().filter_map(|(at, x)| Some((*at, *x, *b.get(at)?)));
        common.filter_map(|(at, x, y)| Some((at, function(x, y)?))).collect()
    };
    let each = |series: &Series, function: &dyn Fn(f64) -> Option<f64>| -> Series {
        series.iter().filter_map(|(at, value)| Some((*at, function(*value)?))).collect()
    };
    Ok(match (left, right) {
        (Operand::Scalar(a), Operand::Scalar(b)) => {
            Operand::Scalar(function(a, b).ok_or("a number is divided by zero")?)
        }
        (Operand::Series(a), Operand::Scalar(b)) => Operand::Series(each(&a, &|x| function(x, b))),
        (Operand::Scalar(a), Operand::Series(b)) => Operand::Series(each(&b, &|y| function(a, y))),
        (Operand::Series(a), Operand::Series(b)) => Operand::Series(both(&a, &b)),
        (Operand::Array(all), Operand::Scalar(b)) => {
            Operand::Array(all.iter().map(|a| each(a, &|x| function(x, b))).collect())
        }
        (Operand::Scalar(a), Operand::Array(all)) => {
            Operand::Array(all.iter().map(|b| each(b, &|y| function(a, y))).collect())
        }
        (Operand::Array(all), Operand::Series(b)) => {
            Operand::Array(all.iter().map(|a| both(a, &b)).collect())
        }
        (Operand::Series(a), Operand::Array(all)) => {
            Operand::Array(all.iter().map(|b| both(&a, b)).collect())
        }
        (Operand::Array(a), Operand::Array(b)) if a.len() == b.len() => {
            Operand::Array(a.iter().zip(&b).map(|(a, b)| both(a, b)).collect())
        }
        (Operand::Array(_), Operand::Array(_)) => {
            return Err("two arrays of different lengths cannot be combined".to_owned());
        }
    })
}
