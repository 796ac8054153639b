//! Validation of scaling policies (API model and user guide).

use super::super::errors::invalid;
use super::super::group::Group;
use super::policy::PolicyType;
use crate::wire::{ApiResult, Value, map};

/// The most adjustments of a step policy (quota).
const STEPS: usize = 20;

/// The predefined metrics of target tracking (API model).
const PREDEFINED: [&str; 5] = [
    "ASGAverageCPUUtilization",
    "ASGAverageCPUUtilizationHighResolution",
    "ASGAverageNetworkIn",
    "ASGAverageNetworkOut",
    "ALBRequestCountPerTarget",
];

/// Validates a request and returns the kind of policy that it puts.
pub(super) fn check(group: &Group, input: &Value) -> ApiResult<PolicyType> {
    let kind = match input.str("PolicyType") {
        None => PolicyType::Simple,
        Some(text) => PolicyType::NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| invalid(format!("Unknown policy type: {text}")))?,
    };
    match kind {
        PolicyType::Simple => simple(input)?,
        PolicyType::Step => steps(input)?,
        PolicyType::Tracking => tracking(group, input.get("TargetTrackingConfiguration"))?,
        PolicyType::Predictive => {
            if input.get("PredictiveScalingConfiguration").is_null() {
                return Err(invalid(
                    "PredictiveScalingConfiguration is required for policy type PredictiveScaling",
                ));
            }
        }
    }
    Ok(kind)
}

/// Reads a floating-point number, native or as text.
pub(super) fn float(input: &Value, key: &str) -> Option<f64> {
    match input.get(key) {
        Value::Float(f) => Some(*f),
        Value::Int(n) => Some(*n as f64),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

/// Returns a `TargetTrackingConfiguration` as a response has it: numbers as numbers, DisableScaleIn always
/// present.
pub(super) fn tracking_with_defaults(settings: &Value) -> Value {
    let given = settings.get("TargetTrackingConfiguration");
    if given.is_null() {
        return Value::Null;
    }
    map([
        ("PredefinedMetricSpecification", given.get("PredefinedMetricSpecification").clone()),
        ("CustomizedMetricSpecification", given.get("CustomizedMetricSpecification").clone()),
        ("TargetValue", float(given, "TargetValue").into()),
        ("DisableScaleIn", given.bool("DisableScaleIn").unwrap_or(false).into()),
    ])
}

fn adjustment_type(input: &Value) -> ApiResult<()> {
    match input.str("AdjustmentType") {
        Some("ChangeInCapacity" | "ExactCapacity" | "PercentChangeInCapacity") => Ok(()),
        Some(other) => Err(invalid(format!("Unknown adjustment type: {other}"))),
        None => Err(invalid("AdjustmentType is required for this policy type")),
    }
}

fn simple(input: &Value) -> ApiResult<()> {
    adjustment_type(input)?;
    let needs = |yes: bool, message: &str| if yes { Ok(()) } else { Err(invalid(message)) };
    needs(
        input.int("ScalingAdjustment").is_some(),
        "ScalingAdjustment is required for policy type SimpleScaling",
    )?;
    needs(
        input.list("StepAdjustments").is_empty(),
        "StepAdjustments can only be specified for policy type StepScaling",
    )
}

/// Checks steps: they must neither overlap nor leave gaps, and only the outermost bounds may be open (API
/// model).
fn steps(input: &Value) -> ApiResult<()> {
    adjustment_type(input)?;
    let steps = input.list("StepAdjustments");
    if steps.is_empty() || steps.len() > STEPS {
        return Err(invalid(format!(
            "Between 1 and {STEPS} step adjustments are required for policy type StepScaling"
        )));
    }
    if input.int("Cooldown").is_some() {
        return Err(invalid("Cooldown cannot be specified for policy type StepScaling"));
    }
    let mut bounds = Vec::new();
    for step in steps {
        if step.int("ScalingAdjustment").is_none() {
            return Err(invalid("ScalingAdjustment is required for a step adjustment"));
        }
        let low = float(step, "MetricIntervalLowerBound").unwrap_or(f64::NEG_INFINITY);
        let high = float(step, "MetricIntervalUpperBound").unwrap_or(f64::INFINITY);
        if low >= high {
            return Err(invalid(
                "StepAdjustment intervals must have a lower bound below the upper one",
            ));
        }
        bounds.push((low, high));
    }
    bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    for pair in bounds.windows(2) {
        if pair[0].1 > pair[1].0 {
            return Err(invalid("StepAdjustment intervals can't overlap"));
        }
        if pair[0].1 < pair[1].0 {
            return Err(invalid("StepAdjustment intervals can't have gaps between them"));
        }
    }
    Ok(())
}

fn tracking(group: &Group, given: &Value) -> ApiResult<()> {
    if given.is_null() {
        return Err(invalid(
            "TargetTrackingConfiguration is required for policy type TargetTrackingScaling",
        ));
    }
    match float(given, "TargetValue") {
        Some(target) if target > 0.0 => {}
        _ => return Err(invalid("TargetValue must be a number greater than 0")),
    }
    let predefined = given.get("PredefinedMetricSpecification");
    let customized = given.get("CustomizedMetricSpecification");
    if predefined.is_null() == customized.is_null() {
        return Err(invalid(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification is required",
        ));
    }
    if predefined.is_null() {
        return Ok(());
    }
    let name = predefined.str("PredefinedMetricType").unwrap_or_default();
    if !PREDEFINED.contains(&name) {
        return Err(invalid(format!("Unknown predefined metric type: {name}")));
    }
    let label = predefined.str("ResourceLabel");
    match (name == "ALBRequestCountPerTarget", label) {
        (false, Some(_)) => Err(invalid(
            "Resource label is only supported for the predefined metric type ALBRequestCountPerTarget",
        )),
        (false, None) => Ok(()),
        (true, None) => Err(invalid(
            "Resource label is required for the predefined metric type ALBRequestCountPerTarget",
        )),
        (true, Some(label)) => match split(label) {
            Some((_, group_part)) if attached(group, &group_part) => Ok(()),
            Some(_) => Err(invalid(format!(
                "The target group of the resource label {label} is not attached to the Auto Scaling group"
            ))),
            None => Err(invalid(format!(
                "The resource label {label} is not of the form app/<name>/<id>/targetgroup/<name>/<id>"
            ))),
        },
    }
}

/// Splits a resource label into its two dimensions: load balancer and target group.
pub(super) fn split(label: &str) -> Option<(String, String)> {
    let (balancer, group) = label.split_once("/targetgroup/")?;
    let whole = balancer.starts_with("app/")
        && balancer.split('/').count() == 3
        && group.split('/').count() == 2;
    whole.then(|| (balancer.to_owned(), format!("targetgroup/{group}")))
}

fn attached(group: &Group, dimension: &str) -> bool {
    group.target_groups.iter().any(|arn| arn.ends_with(&format!(":{dimension}")))
}
