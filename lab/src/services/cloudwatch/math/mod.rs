//! Metric math: the arithmetic of time series in GetMetricData and in alarms (user guide, "Using metric
//! math"). Of its functions the lab has those that alarms on load balancers use; the others are refused
//! by name.

mod functions;
mod parse;
mod series;
#[cfg(test)]
mod tests;

pub(super) use series::{Frame, Operand, Series};

use parse::Expression;

/// What an expression needs to know of the queries beside it.
pub(super) trait Names {
    /// The value of the query with this identifier; none if there is none.
    fn value(&self, id: &str) -> Option<Result<Operand, String>>;

    /// All queries that are metrics and not expressions.
    fn metrics(&self) -> Vec<Series>;

    /// The periods that a filled series has.
    fn frame(&self) -> Frame;
}

/// The value of an expression, or what is the matter with it.
pub(super) fn evaluate(text: &str, names: &dyn Names) -> Result<Operand, String> {
    run(&parse::parse(text)?, names)
}

fn run(expression: &Expression, names: &dyn Names) -> Result<Operand, String> {
    match expression {
        Expression::Number(number) => Ok(Operand::Scalar(*number)),
        // Keywords that only functions understand, such as REPEAT, never get here.
        Expression::Name(id) => names
            .value(id)
            .unwrap_or_else(|| Err(format!("the identifier '{id}' is not that of a query"))),
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
        Expression::Operation(operator, left, right) => {
            let (left, right) = (run(left, names)?, run(right, names)?);
            series::combine(left, right, operator.function())
        }
        Expression::Call(name, arguments) => functions::call(name, arguments, names),
    }
}
