//! Expressions over a few minutes of data.

use jiff::Timestamp;

use super::*;

/// `a` is 1, 2, 4 in three of four minutes; `b` is 10 in the first two.
struct Few;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

fn series(values: &[(i64, f64)]) -> Series {
    values.iter().map(|(minute, value)| (at(*minute), *value)).collect()
}

impl Scope for Few {
    fn value(&self, id: &str) -> Option<Operand> {
        let found = match id {
            "a" => series(&[(0, 1.0), (1, 2.0), (3, 4.0)]),
            "b" => series(&[(0, 10.0), (1, 10.0)]),
            "none" => Series::new(),
            _ => return None,
        };
        Some(Operand::Series(found))
    }

    fn metrics(&self) -> Vec<Series> {
        ["a", "b"].iter().filter_map(|id| self.value(id)?.into_array().ok()?.pop()).collect()
    }

    fn frame(&self) -> Frame {
        Frame { start: at(0), end: at(4), period: 60 }
    }
}

fn evaluate(text: &str, names: &dyn Scope) -> Result<Operand, String> {
    eval(&parse(text)?, names)
}

fn is(text: &str, values: &[(i64, f64)]) {
    assert_eq!(evaluate(text, &Few), Ok(Operand::Series(series(values))), "{text}");
}

#[test]
fn arithmetic_has_the_usual_order() {
    is("a + b * 2", &[(0, 21.0), (1, 22.0)]);
    is("100*(a/b)", &[(0, 10.0), (1, 20.0)]);
    is("-a ^ 2 + 1", &[(0, 0.0), (1, -3.0), (3, -15.0)]);
    is("10 - a - 1", &[(0, 8.0), (1, 7.0), (3, 5.0)]);
    is("b / (a - 1)", &[(1, 10.0)]);
    is("a > 1 AND b == 10", &[(0, 0.0), (1, 1.0)]);
    is(&format!("a{}", " + 1".repeat(500)), &[(0, 501.0), (1, 502.0), (3, 504.0)]);
}

#[test]
fn missing_periods_are_filled() {
    is("FILL(a, 0)", &[(0, 1.0), (1, 2.0), (2, 0.0), (3, 4.0)]);
    is("FILL(a, REPEAT)", &[(0, 1.0), (1, 2.0), (2, 2.0), (3, 4.0)]);
    is("FILL(a, LINEAR)", &[(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0)]);
    is("FILL(none, 7)", &[(0, 7.0), (1, 7.0), (2, 7.0), (3, 7.0)]);
}

#[test]
fn several_series_are_reduced_to_one() {
    is("SUM(METRICS())", &[(0, 11.0), (1, 12.0), (3, 4.0)]);
    is("MAX([a, b])", &[(0, 10.0), (1, 10.0), (3, 4.0)]);
    is("a * AVG(b)", &[(0, 10.0), (1, 20.0), (3, 40.0)]);
    is("IF(a > 1, a, 0)", &[(0, 0.0), (1, 2.0), (3, 4.0)]);
    is("IF(a > 1, b)", &[(1, 10.0)]);
    is("DIFF(a)", &[(1, 1.0), (3, 2.0)]);
}

#[test]
fn errors_name_what_cannot_be_parsed() {
    for (text, part) in [
        ("", "unexpected end"),
        ("a +", "unexpected end"),
        ("c + 1", "'c'"),
        ("ANOMALY_DETECTION_BAND(a)", "ANOMALY_DETECTION_BAND"),
        ("SEARCH('x', 'Sum', 60)", "SEARCH"),
        ("(a", "')'"),
        ("a ? b", "'?'"),
        ("FILL(a)", "FILL"),
        (&"(".repeat(500), "deeply"),
        ("é", "é"),
    ] {
        let error = evaluate(text, &Few).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}
