//! Evaluates expressions: operators and functions.

use super::parse::Expression;
use super::series::{self, Frame, Operand, Series};

/// What an expression can refer to.
pub(in crate::services::cloudwatch) trait Scope {
    /// Returns the value of the query with this identifier; none if there is no such query.
    fn value(&self, id: &str) -> Option<Operand>;

    /// Returns the series of all queries for metrics, not expressions.
    fn metrics(&self) -> Vec<Series>;

    /// Returns the periods of a filled series.
    fn frame(&self) -> Frame;
}

/// Evaluates an expression; the error says what is wrong with it.
pub(in crate::services::cloudwatch) fn eval(
    expression: &Expression,
    names: &dyn Scope,
) -> Result<Operand, String> {
    match expression {
        Expression::Number(number) => Ok(Operand::Scalar(*number)),
        // Keywords that only functions understand, such as REPEAT, don't get here.
        Expression::Name(id) => {
            names.value(id).ok_or_else(|| format!("no query has the identifier '{id}'"))
        }
        Expression::Text(_) => Err("a string is only allowed within METRICS()".to_owned()),
        Expression::Array(items) => {
            let mut all = Vec::new();
            for item in items {
                all.extend(eval(item, names)?.into_array()?);
            }
            Ok(Operand::Array(all))
        }
        Expression::Minus(inner) => {
            series::combine(Operand::Scalar(0.0), eval(inner, names)?, |a, b| Some(a - b))
        }
        Expression::Operation(..) => {
            // Evaluates a chain of operators from its left end iteratively, since it may be long.
            let (mut row, mut left) = (Vec::new(), expression);
            while let Expression::Operation(operator, before, right) = left {
                row.push((operator, right));
                left = before;
            }
            let mut value = eval(left, names)?;
            for (operator, right) in row.into_iter().rev() {
                value = series::combine(value, eval(right, names)?, operator.function())?;
            }
            Ok(value)
        }
        Expression::Call(name, arguments) => call(name, arguments, names),
    }
}

/// Evaluates a function. Functions that the lab doesn't support are refused by name.
fn call(name: &str, arguments: &[Expression], names: &dyn Scope) -> Result<Operand, String> {
    match (name, arguments) {
        ("METRICS", []) => Ok(Operand::Array(names.metrics())),
        ("SUM", [of]) => across(eval(of, names)?, |values| values.iter().sum()),
        ("AVG", [of]) => {
            across(eval(of, names)?, |values| values.iter().sum::<f64>() / values.len() as f64)
        }
        ("MIN", [of]) => across(eval(of, names)?, |v| v.iter().copied().fold(f64::MAX, f64::min)),
        ("MAX", [of]) => across(eval(of, names)?, |v| v.iter().copied().fold(f64::MIN, f64::max)),
        ("ABS", [of]) => each(eval(of, names)?, f64::abs),
        ("CEIL", [of]) => each(eval(of, names)?, f64::ceil),
        ("FLOOR", [of]) => each(eval(of, names)?, f64::floor),
        ("FILL", [of, with]) => fill(eval(of, names)?, with, names),
        ("IF", [condition, yes]) => choose(condition, yes, None, names),
        ("IF", [condition, yes, no]) => choose(condition, yes, Some(no), names),
        ("PERIOD", [_]) => Ok(Operand::Scalar(names.frame().period as f64)),
        ("TIME_SERIES", [of]) => match eval(of, names)? {
            Operand::Scalar(value) => {
                Ok(Operand::Series(names.frame().periods().map(|at| (at, value)).collect()))
            }
            _ => Err("TIME_SERIES requires a number".to_owned()),
        },
        ("DATAPOINT_COUNT", [of]) => match eval(of, names)? {
            Operand::Series(series) => Ok(Operand::Scalar(series.len() as f64)),
            _ => Err("DATAPOINT_COUNT requires one time series".to_owned()),
        },
        ("RATE", [of]) => steps(eval(of, names)?, |rise, seconds| rise / seconds),
        ("DIFF", [of]) => steps(eval(of, names)?, |rise, _| rise),
        ("RUNNING_SUM", [of]) => match eval(of, names)? {
            Operand::Series(series) => {
                let mut sum = 0.0;
                let summed = series.into_iter().map(|(at, value)| {
                    sum += value;
                    (at, sum)
                });
                Ok(Operand::Series(summed.collect()))
            }
            _ => Err("RUNNING_SUM requires one time series".to_owned()),
        },
        _ if KNOWN.contains(&name) => {
            Err(format!("{name} does not accept these {} arguments", arguments.len()))
        }
        _ => Err(format!("the function {name} is not supported")),
    }
}

const KNOWN: &[&str] = &[
    "METRICS",
    "SUM",
    "AVG",
    "MIN",
    "MAX",
    "ABS",
    "CEIL",
    "FLOOR",
    "FILL",
    "IF",
    "PERIOD",
    "TIME_SERIES",
    "DATAPOINT_COUNT",
    "RATE",
    "DIFF",
    "RUNNING_SUM",
];

/// Reduces several series to one, period by period, over those that have a value; reduces one series to a
/// number.
fn across(of: Operand, gather: fn(&[f64]) -> f64) -> Result<Operand, String> {
    match of {
        Operand::Series(series) if series.is_empty() => Ok(Operand::Series(Series::new())),
        Operand::Series(series) => {
            let values: Vec<f64> = series.into_values().collect();
            Ok(Operand::Scalar(gather(&values)))
        }
        Operand::Array(all) => {
            let mut periods: std::collections::BTreeMap<_, Vec<f64>> = Default::default();
            for (at, value) in all.into_iter().flatten() {
                periods.entry(at).or_default().push(value);
            }
            let gathered = periods.into_iter().map(|(at, values)| (at, gather(&values)));
            Ok(Operand::Series(gathered.collect()))
        }
        Operand::Scalar(_) => Err("a time series is required, not a number".to_owned()),
    }
}

fn each(of: Operand, function: fn(f64) -> f64) -> Result<Operand, String> {
    let all = |series: Series| -> Series {
        series.into_iter().map(|(at, value)| (at, function(value))).collect()
    };
    Ok(match of {
        Operand::Scalar(value) => Operand::Scalar(function(value)),
        Operand::Series(series) => Operand::Series(all(series)),
        Operand::Array(several) => Operand::Array(several.into_iter().map(all).collect()),
    })
}

/// Computes the differences between consecutive values.
fn steps(of: Operand, step: fn(f64, f64) -> f64) -> Result<Operand, String> {
    let Operand::Series(series) = of else {
        return Err("one time series is required".to_owned());
    };
    let pairs = series.iter().zip(series.iter().skip(1));
    let steps = pairs.map(|((before, from), (at, to))| {
        let seconds = at.duration_since(*before).as_secs_f64();
        (*at, step(to - from, seconds))
    });
    Ok(Operand::Series(steps.collect()))
}

/// FILL: gives every period without a value a number, the previous value (`REPEAT`), or one interpolated
/// between its neighbors (`LINEAR`). A metric without any values is filled with a number, too (a guess).
fn fill(of: Operand, with: &Expression, names: &dyn Scope) -> Result<Operand, String> {
    let frame = names.frame();
    let keyword = match with {
        Expression::Name(name) => name.to_ascii_uppercase(),
        _ => String::new(),
    };
    let other = match keyword.as_str() {
        "REPEAT" | "LINEAR" => None,
        _ => Some(eval(with, names)?),
    };
    let fill_one = |series: Series| -> Result<Series, String> {
        let mut filled = series.clone();
        for at in frame.periods().filter(|at| !series.contains_key(at)) {
            let before = series.range(..at).next_back();
            let after = series.range(at..).next();
            let value = match (&other, before, after) {
                (Some(Operand::Scalar(value)), ..) => Some(*value),
                (Some(Operand::Series(other)), ..) => other.get(&at).copied(),
                (Some(Operand::Array(_)), ..) => {
                    return Err("FILL requires a number or one time series to fill with".to_owned());
                }
                (None, Some((_, value)), _) if keyword == "REPEAT" => Some(*value),
                (None, Some((from, low)), Some((to, high))) if keyword == "LINEAR" => {
                    let whole = to.duration_since(*from).as_secs_f64();
                    let part = at.duration_since(*from).as_secs_f64();
                    Some(low + (high - low) * part / whole)
                }
                (None, ..) => None,
            };
            filled.extend(value.map(|value| (at, value)));
        }
        Ok(filled)
    };
    match of {
        Operand::Series(series) => fill_one(series).map(Operand::Series),
        Operand::Array(all) => {
            all.into_iter().map(fill_one).collect::<Result<_, _>>().map(Operand::Array)
        }
        Operand::Scalar(_) => Err("a time series is required, not a number".to_owned()),
    }
}

/// IF: takes the first value where the condition isn't zero, otherwise the second, or nothing if there is
/// none.
fn choose(
    condition: &Expression,
    yes: &Expression,
    no: Option<&Expression>,
    names: &dyn Scope,
) -> Result<Operand, String> {
    let (yes, no) = (eval(yes, names)?, no.map(|no| eval(no, names)).transpose()?);
    let at_time = |operand: &Operand, at| match operand {
        Operand::Scalar(value) => Ok(Some(*value)),
        Operand::Series(series) => Ok(series.get(&at).copied()),
        Operand::Array(_) => Err("IF requires numbers or single time series".to_owned()),
    };
    match eval(condition, names)? {
        Operand::Scalar(condition) => match (condition != 0.0, no) {
            (true, _) => Ok(yes),
            (false, Some(no)) => Ok(no),
            (false, None) => Ok(Operand::Series(Series::new())),
        },
        Operand::Series(condition) => {
            let mut chosen = Series::new();
            for (at, condition) in condition {
                let value = if condition != 0.0 {
                    at_time(&yes, at)?
                } else {
                    no.as_ref().map_or(Ok(None), |no| at_time(no, at))?
                };
                chosen.extend(value.map(|value| (at, value)));
            }
            Ok(Operand::Series(chosen))
        }
        Operand::Array(_) => Err("IF requires one condition".to_owned()),
    }
}
