//! Builds requests as an AWS client would, for operators, who have no client.

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value as Json;

use crate::services::sts;

/// Builds the request for `call` (`autoscaling:SetDesiredCapacity`), signed with the lab's own key. For
/// an unknown service, the request will be refused.
pub(crate) fn request(region: &str, call: &str, input: &Json) -> Request<Bytes> {
    let (service, operation) = call.split_once(':').unwrap_or((call, ""));
    let scope = format!("{}/20260101/{region}/{service}/aws4_request", sts::ACCESS_KEY);
    let mut request = Request::new(body(service, operation, input));
    *request.method_mut() = http::Method::POST;
    if let Ok(uri) = format!("https://{service}.{region}.amazonaws.com/").parse() {
        *request.uri_mut() = uri;
    }
    let content_type = match target(service) {
        Some(_) => "application/x-amz-json-1.1",
        None => "application/x-www-form-urlencoded; charset=utf-8",
    };
    let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    if let Ok(signed) = signed.parse() {
        headers.insert(AUTHORIZATION, signed);
    }
    if let Some(Ok(target)) = target(service).map(|prefix| format!("{prefix}.{operation}").parse())
    {
        headers.insert("x-amz-target", target);
    }
    request
}

/// Returns the prefix of `X-Amz-Target` (API models) for services that speak JSON.
fn target(service: &str) -> Option<&'static str> {
    match service {
        "ssm" => Some("AmazonSSM"),
        "ecr" => Some("AmazonEC2ContainerRegistry_V20150921"),
        "monitoring" => Some("GraniteServiceVersion20100801"),
        _ => None,
    }
}

/// Returns the version of a query API (API models).
fn version(service: &str) -> &'static str {
    match service {
        "sts" => "2011-06-15",
        "iam" => "2010-05-08",
        "ec2" => "2016-11-15",
        "elasticloadbalancing" => "2015-12-01",
        _ => "2011-01-01",
    }
}

fn body(service: &str, operation: &str, input: &Json) -> Bytes {
    if target(service).is_some() {
        return match input {
            Json::Null => Bytes::from_static(b"{}"),
            input => Bytes::from(input.to_string()),
        };
    }
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", operation).append_pair("Version", version(service));
    // EC2's lists have no segment of their own.
    let step = if service == "ec2" { "" } else { ".member" };
    flatten(&mut form, "", input, step);
    Bytes::from(form.finish())
}

/// Writes a tree as the flat names of the query protocols: `Filters.member.1.Name`.
fn flatten(form: &mut Serializer<'_, String>, name: &str, value: &Json, step: &str) {
    match value {
        Json::Null => {}
        Json::Object(members) => {
            for (member, value) in members {
                let dot = if name.is_empty() { "" } else { "." };
                flatten(form, &format!("{name}{dot}{member}"), value, step);
            }
        }
        Json::Array(items) if items.is_empty() => {
            form.append_pair(name, "");
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(form, &format!("{name}{step}.{}", index + 1), item, step);
            }
        }
        Json::String(text) => {
            form.append_pair(name, text);
        }
        scalar => {
            form.append_pair(name, &scalar.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn trees_become_flat_names() {
        let input = json!({ "A": { "B": [{ "C": 1 }, { "C": true }] }, "N": [] });
        let body = |service| String::from_utf8(body(service, "Op", &input).to_vec()).unwrap();
        assert_eq!(
            body("autoscaling"),
            "Action=Op&Version=2011-01-01&A.B.member.1.C=1&A.B.member.2.C=true&N="
        );
        assert_eq!(body("ec2"), "Action=Op&Version=2016-11-15&A.B.1.C=1&A.B.2.C=true&N=");
        assert_eq!(body("ssm"), r#"{"A":{"B":[{"C":1},{"C":true}]},"N":[]}"#);
    }
}
