//! Metric math: the arithmetic of time series in GetMetricData and in alarms (user guide, "Using metric
//! math"). Of its functions the lab has those that alarms on load balancers use; the others are refused
//! by name.

mod functions;
mod parse;
mod series;
#[cfg(test)]
mod tests;

pub(super) use parse::{Expression, parse};
pub(super) use series::{Frame, Operand, Series};

/// What an expression needs to know of the queries beside it.
pub(super) trait Names {
    /// The value of the query with this identifier; none if there is none.
    fn value(&self, id: &str) -> Option<Operand>;

    /// All queries that are metrics and not expressions.
    fn metrics(&self) -> Vec<Series>;

    /// The periods that a filled series has.
    fn frame(&self) -> Frame;
}

/// The value of an expression, or what is the matter with it.
pub(super) fn run(expression: &Expression, names: &dyn Names) -> Result<Operand, String> {
    match expression {
        Expression::Number(number) => Ok(Operand::Scalar(*number)),
        // Keywords that only functions understand, such as REPEAT, never get here.
        Expression::Name(id) => {
            names.value(id).ok_or_else(|| format!("the identifier '{id}' is not that of a query"))
        }
        Expression::Text(_) => Err("a text is only allowed within METRICS()".to_owned()),
        Expression::Array(items) => {
            let mut all = Vec::new();
            for item in items {
                all.extend(run(item, names)?.into_array()?);
            }
            Ok(Operand::Array(all))
        }
        Expression::Minus(inner) => {
            series::combine(Operand::Scalar(0.0), run(inner, names)?, |a, b| Some(a - b))
        }
        Expression::Operation(..) => {
            // From the left end of the row, which may be long, on.
            let (mut row, mut left) = (Vec::new(), expression);
            while let Expression::Operation(operator, before, right) = left {
                row.push((operator, right));
                left = before;
            }
            let mut value = run(left, names)?;
            for (operator, right) in row.into_iter().rev() {
                value = series::combine(value, run(right, names)?, operator.function())?;
            }
            Ok(value)
        }
        Expression::Call(name, arguments) => functions::call(name, arguments, names),
    }
}
