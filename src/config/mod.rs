//! cutover.yaml: schema, resolution, errors that point at line and column.
