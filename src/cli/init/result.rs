//! The result of `init`, for people and programs.

use serde_json::{Value, json};

use crate::scaffold::File;

/// The longest command, in bytes, that is followed by its explanation on the same line.
const SHORT: usize = 40;

/// What `init` found and the files that it generated.
#[derive(Default)]
pub(super) struct InitResult {
    /// The service that was found, in one line; empty with `--from-scratch`.
    pub(super) title: String,
    /// What was found, as short names and values.
    pub(super) found: Vec<(&'static str, String)>,
    /// The same for programs: the members of the JSON object.
    pub(super) facts: serde_json::Map<String, Value>,
    /// The files to write.
    pub(super) files: Vec<File>,
    /// What could not be determined, in sentences.
    pub(super) notes: Vec<String>,
    /// The commands to run next, each with what it does.
    pub(super) next: Vec<(String, &'static str)>,
    /// False if AWS denied a read.
    pub(super) complete: bool,
}

impl InitResult {
    /// Returns the text for people, after the files were written.
    pub(super) fn text(&self) -> String {
        let title = (!self.title.is_empty()).then(|| format!("found    {}", self.title));
        let mut lines: Vec<String> = title.into_iter().collect();
        lines.extend(self.found.iter().map(|(key, value)| format!("  {key:<13}{value}")));
        let files = self.files.iter().map(|file| file.path.clone());
        let open = self.notes.iter().map(|open| format!("- {open}"));
        for (key, part) in
            [("wrote", files.collect::<Vec<_>>()), ("note", open.collect()), ("next", self.next())]
        {
            if !part.is_empty() && !lines.is_empty() {
                lines.push(String::new());
            }
            for (n, line) in part.iter().enumerate() {
                lines.push(format!("{:<9}{line}", if n == 0 { key } else { "" }));
            }
        }
        lines.join("\n")
    }

    /// Returns the next commands, each followed by what it does, or below it if one of them is long.
    fn next(&self) -> Vec<String> {
        let width = self.next.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
        let line = |(command, why): &(String, &str)| match width <= SHORT {
            true => vec![format!("{command:<width$}  # {why}")],
            false => vec![format!("# {why}"), command.clone()],
        };
        self.next.iter().flat_map(line).collect()
    }

    /// Returns the files' texts, one after another, each below its path.
    pub(super) fn printed(&self) -> String {
        let files = self.files.iter().map(|file| format!("# {}\n{}", file.path, file.text));
        let open = self.notes.iter().map(|open| format!("# Note: {open}\n"));
        files.chain(open).collect::<Vec<_>>().join("\n")
    }

    /// Returns the JSON object, with the files' texts if they were not written.
    pub(super) fn json(&self, with_text: bool) -> Value {
        let file = |file: &File| match with_text {
            true => json!({ "path": file.path, "text": file.text }),
            false => json!({ "path": file.path }),
        };
        let mut object = self.facts.clone();
        object.insert("files".to_owned(), self.files.iter().map(file).collect());
        object.insert("notes".to_owned(), self.notes.clone().into());
        object.insert("complete".to_owned(), self.complete.into());
        Value::Object(object)
    }
}
