//! The JSON Schema of `cutover.yaml`.

use schemars::generate::SchemaSettings;

use super::document::Document;

/// Returns the JSON Schema of the file, for editors: the content of `cutover.schema.json`.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<Document>().to_value()
}
