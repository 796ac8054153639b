//! The files by which a GitHub Actions step passes data to its runner: outputs, state, the job summary.

use std::fs::OpenOptions;
use std::io::{self, Write as _};

use super::environment::variable;

/// Appends to the step's outputs.
pub(super) fn set_outputs(outputs: &[(&'static str, String)]) -> io::Result<()> {
    append("GITHUB_OUTPUT", &assignments(outputs)?)
}

/// Saves a value for the post step, which reads it as `STATE_…`.
pub(super) fn save_state(name: &'static str, value: &str) -> io::Result<()> {
    append("GITHUB_STATE", &assignments(&[(name, value.to_owned())])?)
}

/// Appends Markdown to the job summary.
pub(super) fn summarize(markdown: &str) -> io::Result<()> {
    append("GITHUB_STEP_SUMMARY", &format!("{}\n", markdown.trim_end()))
}

/// Appends to the file that a variable names. Does nothing outside of a runner, where it is not set.
fn append(variable_name: &'static str, text: &str) -> io::Result<()> {
    let Some(path) = variable(variable_name) else { return Ok(()) };
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{variable_name}: {error}"));
    let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(named)?;
    file.write_all(text.as_bytes()).map_err(named)
}

/// Returns `name<<delimiter`, the value, and the delimiter for each pair. The delimiter is random, so that no
/// value can contain it and set another name.
fn assignments(pairs: &[(&'static str, String)]) -> io::Result<String> {
    let mut text = String::new();
    for (name, value) in pairs {
        let delimiter = loop {
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(io::Error::other)?;
            let delimiter = format!("cutover_{:032x}", u128::from_le_bytes(random));
            if !value.contains(&delimiter) {
                break delimiter;
            }
        };
        text.push_str(&format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_set_another_output() {
        let value = "a\nother<<x\n1\nx\n".to_owned();
        let text = assignments(&[("one", value.clone()), ("two", String::new())]).unwrap();
        let mut lines = text.lines();
        let delimiter = lines.next().unwrap().strip_prefix("one<<").unwrap().to_owned();
        let read: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        assert_eq!(read.join("\n"), value);
        let second = lines.next().unwrap().strip_prefix("two<<").unwrap();
        assert_ne!(second, delimiter);
        assert_eq!((lines.next(), lines.next()), (Some(""), Some(second)));
    }
}
