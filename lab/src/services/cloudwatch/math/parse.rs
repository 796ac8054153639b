//! The parser of metric math.

use std::collections::BTreeSet;

/// The deepest nesting, which protects the stack and is beyond any real expression. A chain of operators of
/// equal precedence is not deep: it is evaluated from its left end, and the API limits its length.
const DEEPEST: usize = 50;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::services::cloudwatch) enum Expression {
    /// A number.
    Number(f64),
    /// The identifier of a query, or a keyword of a function.
    Name(String),
    /// A quoted string.
    Text(String),
    /// `[m1, m2]`.
    Array(Vec<Expression>),
    /// `-m1`.
    Minus(Box<Expression>),
    /// `m1 / m2`.
    Operation(Operator, Box<Expression>, Box<Expression>),
    /// `SUM(METRICS())`.
    Call(String, Vec<Expression>),
}

impl Expression {
    /// Returns the identifiers that it refers to, including keywords of functions.
    pub(in crate::services::cloudwatch) fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        let mut left = vec![self];
        while let Some(part) = left.pop() {
            match part {
                Expression::Number(_) | Expression::Text(_) => {}
                Expression::Name(name) => {
                    names.insert(name.as_str());
                }
                Expression::Array(parts) | Expression::Call(_, parts) => left.extend(parts),
                Expression::Minus(inner) => left.push(inner),
                Expression::Operation(_, a, b) => left.extend([&**a, &**b]),
            }
        }
        names
    }
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::services::cloudwatch) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Over,
    Power,
}

impl Operator {
    /// Returns its function of two numbers: comparisons result in 1 for true and 0 for false; undefined
    /// results are `None`.
    pub(super) fn function(self) -> fn(f64, f64) -> Option<f64> {
        const fn truth(is: bool) -> Option<f64> {
            Some(if is { 1.0 } else { 0.0 })
        }
        match self {
            Operator::Or => |a, b| truth(a != 0.0 || b != 0.0),
            Operator::And => |a, b| truth(a != 0.0 && b != 0.0),
            Operator::Equal => |a, b| truth(a == b),
            Operator::Unequal => |a, b| truth(a != b),
            Operator::Less => |a, b| truth(a < b),
            Operator::LessOrEqual => |a, b| truth(a <= b),
            Operator::Greater => |a, b| truth(a > b),
            Operator::GreaterOrEqual => |a, b| truth(a >= b),
            Operator::Plus => |a, b| Some(a + b),
            Operator::Minus => |a, b| Some(a - b),
            Operator::Times => |a, b| Some(a * b),
            // A period in which the divisor is zero has no data point.
            Operator::Over => |a, b| (b != 0.0).then(|| a / b),
            Operator::Power => |a, b| Some(a.powf(b)).filter(|n| n.is_finite()),
        }
    }

    /// Returns its precedence.
    fn precedence(self) -> u8 {
        match self {
            Operator::Or => 1,
            Operator::And => 2,
            Operator::Equal | Operator::Unequal => 3,
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => 4,
            Operator::Plus | Operator::Minus => 5,
            Operator::Times | Operator::Over => 6,
            Operator::Power => 7,
        }
    }
}

/// The operators as written; longer ones precede their prefixes.
const OPERATORS: &[(&str, Operator)] = &[
    ("||", Operator::Or),
    ("&&", Operator::And),
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("+", Operator::Plus),
    ("-", Operator::Minus),
    ("*", Operator::Times),
    ("/", Operator::Over),
    ("^", Operator::Power),
];

/// Parses a whole expression.
pub(in crate::services::cloudwatch) fn parse(text: &str) -> Result<Expression, String> {
    let mut reader = Reader { rest: text, depth: 0 };
    let expression = reader.expression(0)?;
    match reader.skip().chars().next() {
        None => Ok(expression),
        Some(c) => Err(format!("unexpected '{c}'")),
    }
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Reader<'t> {
    /// Skips white space and returns the rest.
    fn skip(&mut self) -> &'t str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    fn take(&mut self, token: &str) -> bool {
        match self.skip().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn need(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            return Ok(());
        }
        Err(match self.skip().chars().next() {
            Some(c) => format!("expected '{token}' before '{c}'"),
            None => format!("expected '{token}' at the end"),
        })
    }

    fn operator(&mut self) -> Option<Operator> {
        let rest = self.skip();
        for word in [("AND", Operator::And), ("OR", Operator::Or)] {
            let after = rest.strip_prefix(word.0);
            if after.is_some_and(|r| !r.starts_with(|c: char| c.is_alphanumeric() || c == '_')) {
                return Some(word.1);
            }
        }
        OPERATORS.iter().find(|(written, _)| rest.starts_with(written)).map(|(_, o)| *o)
    }

    fn take_operator(&mut self, operator: Operator) {
        let written = OPERATORS.iter().filter(|(_, o)| *o == operator).map(|(written, _)| *written);
        let word = match operator {
            Operator::And => "AND",
            Operator::Or => "OR",
            _ => "\0",
        };
        let _ = written.chain([word]).any(|token| self.take(token));
    }

    /// Parses an expression whose operators bind more tightly than `least`.
    fn expression(&mut self, least: u8) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply".to_owned());
        }
        let mut left = self.operand()?;
        while let Some(operator) = self.operator().filter(|o| o.precedence() > least) {
            self.take_operator(operator);
            let right = self.expression(operator.precedence())?;
            left = Expression::Operation(operator, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expression, String> {
        let rest = self.skip();
        let Some(first) = rest.chars().next() else {
            return Err("unexpected end".to_owned());
        };
        match first {
            '(' => {
                self.rest = &rest[1..];
                let inner = self.expression(0)?;
                self.need(")")?;
                Ok(inner)
            }
            '[' => {
                self.rest = &rest[1..];
                Ok(Expression::Array(self.list("]")?))
            }
            '-' => {
                self.rest = &rest[1..];
                Ok(Expression::Minus(Box::new(self.expression(6)?)))
            }
            '"' | '\'' => {
                let (text, after) = rest[1..].split_once(first).ok_or("a quote is not closed")?;
                self.rest = after;
                Ok(Expression::Text(text.to_owned()))
            }
            '0'..='9' | '.' => {
                let end =
                    rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                let (digits, after) = rest.split_at(end);
                self.rest = after;
                let number = digits.parse().map_err(|_| format!("'{digits}' is not a number"))?;
                Ok(Expression::Number(number))
            }
            c if c.is_ascii_alphabetic() => {
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let end = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                self.rest = after;
                if !self.take("(") {
                    return Ok(Expression::Name(name.to_owned()));
                }
                Ok(Expression::Call(name.to_ascii_uppercase(), self.list(")")?))
            }
            c => Err(format!("unexpected '{c}'")),
        }
    }

    /// Parses comma-separated expressions up to and including `end`.
    fn list(&mut self, end: &str) -> Result<Vec<Expression>, String> {
        let mut items = Vec::new();
        if self.take(end) {
            return Ok(items);
        }
        loop {
            items.push(self.expression(0)?);
            if !self.take(",") {
                self.need(end)?;
                return Ok(items);
            }
        }
    }
}
