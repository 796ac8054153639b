//! Checks what is printed for CloudFormation and Terraform with independent tools.

use std::fs;
use std::path::Path;

use crate::support::lab::Lab;
use crate::support::venv;

/// Asserts that cfn-lint reports nothing about a template, not even a warning.
pub(crate) fn cloudformation(lab: &Lab, folder: &Path, template: &str) {
    let Some(lint) = venv::program("cfn-lint") else { return };
    let file = folder.join("template.yaml");
    fs::write(&file, template).unwrap();
    let mut command = lab.command(lint);
    command.arg("--non-zero-exit-code").arg("informational").arg(&file);
    let output = command.output().unwrap();
    let found = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{found}\n{template}");
}

/// Parses a file with python-hcl2; returns the blocks it finds, as type and labels.
pub(crate) fn terraform(lab: &Lab, text: &str) -> Option<Vec<String>> {
    let python = venv::program("python")?;
    let literal = serde_json::to_string(text).unwrap();
    let prelude = "import hcl2, json\nresult = None\n";
    let script = format!(
        "read = hcl2.loads({literal})\n\
         bare = lambda label: label.strip('\"')\n\
         result = [f'{{kind}} {{bare(one)}}' for kind in ('data', 'resource', 'output') for block in read.get(kind, []) \
         for one in block]\n"
    );
    let found = venv::run_script(lab.command(python), prelude, &script);
    let found = found.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
    Some(found.collect())
}
