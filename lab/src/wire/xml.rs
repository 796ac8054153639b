//! Writes the responses of the two query protocols.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use super::value;
use crate::wire::call::Service;
use crate::wire::error::{ApiError, Fault};
use crate::wire::value::Value;

/// Writes a response of the query protocol: a result element within a response element. No result is an
/// empty element: operations whose result has no members need it, the others may have it (seen with
/// botocore).
pub(super) fn query(service: Service, operation: &str, result: &Value, request_id: &str) -> String {
    let mut xml = Xml::default();
    xml.within_root(&format!("{operation}Response"), namespace(service), |xml| {
        xml.within(&format!("{operation}Result"), |xml| xml.members(result, "member"));
        xml.within("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    });
    xml.finish()
}

/// Writes a response of the ec2 protocol: the request ID and the members of the result.
pub(super) fn ec2(operation: &str, result: &Value, request_id: &str) -> String {
    let mut xml = Xml::default();
    xml.within_root(&format!("{operation}Response"), namespace(Service::Ec2), |xml| {
        xml.text("requestId", request_id);
        xml.members(result, "item");
    });
    xml.finish()
}

/// Writes an error of the query protocol.
pub(super) fn query_error(service: Service, error: &ApiError, request_id: &str) -> String {
    let mut xml = Xml::default();
    xml.within_root("ErrorResponse", namespace(service), |xml| {
        xml.within("Error", |xml| {
            let fault = match error.fault {
                Fault::Sender => "Sender",
                Fault::Receiver => "Receiver",
            };
            xml.text("Type", fault);
            xml.text("Code", &error.code);
            xml.text("Message", &error.message);
        });
        xml.text("RequestId", request_id);
    });
    xml.finish()
}

/// Writes an error of the ec2 protocol.
pub(super) fn ec2_error(error: &ApiError, request_id: &str) -> String {
    let mut xml = Xml::default();
    xml.within("Response", |xml| {
        xml.within("Errors", |xml| {
            xml.within("Error", |xml| {
                xml.text("Code", &error.code);
                xml.text("Message", &error.message);
            });
        });
        xml.text("RequestID", request_id);
    });
    xml.finish()
}

/// Returns a service's XML namespace (API models, `xmlNamespace`).
fn namespace(service: Service) -> &'static str {
    match service {
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
        Service::Autoscaling => "http://autoscaling.amazonaws.com/doc/2011-01-01/",
        Service::Elbv2 => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
        Service::Cloudwatch => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        // These two never write XML.
        Service::Ssm => "http://ssm.amazonaws.com/doc/2014-11-06/",
        Service::Ecr => "http://ecr.amazonaws.com/doc/2015-09-21/",
    }
}

/// A document being written. Writing to memory cannot fail, so the writer's results are ignored.
struct Xml(Writer<Vec<u8>>);

impl Default for Xml {
    fn default() -> Xml {
        Xml(Writer::new(Vec::new()))
    }
}

impl Xml {
    fn within_root(&mut self, name: &str, namespace: &str, inner: impl FnOnce(&mut Xml)) {
        self.event(Event::Start(BytesStart::new(name).with_attributes([("xmlns", namespace)])));
        inner(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn within(&mut self, name: &str, inner: impl FnOnce(&mut Xml)) {
        self.event(Event::Start(BytesStart::new(name)));
        inner(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn text(&mut self, name: &str, text: &str) {
        // XML cannot represent most control characters, not even escaped.
        let writable = |c: char| c >= ' ' || matches!(c, '\t' | '\n' | '\r');
        let text: String = text.chars().filter(|&c| writable(c)).collect();
        self.within(name, |xml| xml.event(Event::Text(BytesText::new(&text))));
    }

    fn value(&mut self, name: &str, value: &Value, item: &str) {
        match value {
            Value::Null => {}
            Value::List(items) => self.within(name, |xml| {
                items.iter().for_each(|each| xml.value(item, each, item));
            }),
            Value::Map(_) => self.within(name, |xml| xml.members(value, item)),
            scalar => self.text(name, &value::text(scalar)),
        }
    }

    fn members(&mut self, structure: &Value, item: &str) {
        if let Value::Map(members) = structure {
            members.iter().for_each(|(name, value)| self.value(name, value, item));
        }
    }

    fn event(&mut self, event: Event<'_>) {
        let _ = self.0.write_event(event);
    }

    fn finish(self) -> String {
        let body = self.0.into_inner();
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", String::from_utf8_lossy(&body))
    }
}

#[cfg(test)]
mod tests {
    use super::super::map;
    use super::*;

    #[test]
    fn a_query_answer() {
        let result = map([
            ("Names", Value::List(vec!["a<b".into(), "c".into()])),
            ("Empty", Value::List(vec![])),
            ("Absent", Value::Null),
            ("At", jiff::Timestamp::from_millisecond(1_500).unwrap().into()),
        ]);
        assert_eq!(
            query(Service::Sts, "Op", &result, "id-1"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <OpResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><OpResult>\
             <Names><member>a&lt;b</member><member>c</member></Names><Empty></Empty>\
             <At>1970-01-01T00:00:01.500Z</At></OpResult>\
             <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></OpResponse>\n"
        );
        let nothing = query(Service::Sts, "Op", &Value::Null, "id-2");
        assert!(nothing.contains("<OpResult></OpResult><ResponseMetadata>"), "{nothing}");
    }

    #[test]
    fn an_ec2_answer_and_the_errors() {
        let result = map([("set", Value::List(vec![map([("n", 3i64.into())])]))]);
        assert!(
            ec2("Op", &result, "r")
                .contains("<requestId>r</requestId><set><item><n>3</n></item></set></OpResponse>")
        );
        let error = ApiError::sender("Bad", "it & that");
        assert!(ec2_error(&error, "r").contains(
            "<Response><Errors><Error><Code>Bad</Code><Message>it &amp; that</Message></Error>\
             </Errors><RequestID>r</RequestID></Response>"
        ));
        assert!(query_error(Service::Sts, &error, "r").contains(
            "<Error><Type>Sender</Type><Code>Bad</Code><Message>it &amp; that</Message></Error>\
             <RequestId>r</RequestId></ErrorResponse>"
        ));
    }
}
