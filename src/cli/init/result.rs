//! What `init` found and made, for people and programs.

use serde_json::{Value, json};

use crate::scaffold::File;

/// The longest command that its explanation stands behind.
const SHORT: usize = 40;

/// What was found and made of it.
#[derive(Default)]
pub(super) struct Made {
    /// What was found, in a line; empty where nothing had to be.
    pub(super) title: String,
    /// What was found, under short names.
    pub(super) found: Vec<(&'static str, String)>,
    /// The same for programs: members of one object.
    pub(super) facts: serde_json::Map<String, Value>,
    /// What is to be written.
    pub(super) files: Vec<File>,
    /// What was not found out, in sentences.
    pub(super) open: Vec<String>,
    /// Commands to run next, each with what it is for.
    pub(super) next: Vec<(String, &'static str)>,
    /// False where AWS did not let us read something.
    pub(super) complete: bool,
}

impl Made {
    /// For a person who has the files now.
    pub(super) fn text(&self) -> String {
        let title = (!self.title.is_empty()).then(|| format!("found    {}", self.title));
        let mut lines: Vec<String> = title.into_iter().collect();
        lines.extend(self.found.iter().map(|(key, value)| format!("  {key:<13}{value}")));
        let files = self.files.iter().map(|file| file.path.clone());
        let open = self.open.iter().map(|open| format!("- {open}"));
        for (key, part) in
            [("wrote", files.collect::<Vec<_>>()), ("open", open.collect()), ("next", self.next())]
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

    /// The next commands: on one line with what each is for, or under it where one of them is long.
    fn next(&self) -> Vec<String> {
        let width = self.next.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
        let line = |(command, why): &(String, &str)| match width <= SHORT {
            true => vec![format!("{command:<width$}  # {why}")],
            false => vec![format!("# {why}"), command.clone()],
        };
        self.next.iter().flat_map(line).collect()
    }

    /// The files alone, one after another, each under its name.
    pub(super) fn printed(&self) -> String {
        let files = self.files.iter().map(|file| format!("# {}\n{}", file.path, file.text));
        let open = self.open.iter().map(|open| format!("# Open: {open}\n"));
        files.chain(open).collect::<Vec<_>>().join("\n")
    }

    /// One object; with the files' texts where they were not written.
    pub(super) fn json(&self, with_text: bool) -> Value {
        let file = |file: &File| match with_text {
            true => json!({ "path": file.path, "text": file.text }),
            false => json!({ "path": file.path }),
        };
        let mut object = self.facts.clone();
        object.insert("files".to_owned(), self.files.iter().map(file).collect());
        object.insert("open".to_owned(), self.open.clone().into());
        object.insert("complete".to_owned(), self.complete.into());
        Value::Object(object)
    }
}
