//! Metric math: arithmetic on time series in GetMetricData and in alarms (user guide, "Using metric math").
//! The lab has the functions that alarms on load balancers use; the others are refused by name.

mod functions;
mod parse;
mod series;
#[cfg(test)]
mod tests;

pub(super) use parse::{Expression, parse};
pub(super) use series::{Frame, Operand, Series};

/// What an expression can refer to.
pub(super) trait Scope {
    /// Returns the value of the query with this identifier; none if there is no such query.
    fn value(&self, id: &str) -> Option<Operand>;

    /// Returns the series of all queries for metrics, not expressions.
    fn metrics(&self) -> Vec<Series>;

    /// Returns the periods of a filled series.
    fn frame(&self) -> Frame;
}

/// Evaluates an expression; the error says what is wrong with it.
pub(super) fn eval(expression: &Expression, names: &dyn Scope) -> Result<Operand, String> {
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
        Expression::Call(name, arguments) => functions::call(name, arguments, names),
    }
}
