//! What `init` found and wrote, for people and programs.

use serde_json::{Value, json};

use super::chosen::described;
use crate::discovery::{Fleet, Launch, Service};
use crate::model::{Colour, RuleId};
use crate::scaffold::File;

/// What was found and made of it.
pub(super) struct Summary {
    /// The service's name.
    pub(super) name: String,
    pub(super) service: Service,
    pub(super) launch: Option<Launch>,
    pub(super) files: Vec<File>,
    /// What was not found out, in sentences.
    pub(super) unknown: Vec<String>,
    /// False where AWS did not let us read something.
    pub(super) complete: bool,
}

impl Summary {
    /// For a person who has the files now.
    pub(super) fn text(&self, variable: &dyn Fn(&str) -> Option<String>) -> String {
        let mut lines = vec![format!("found    {}: {}", self.name, described(&self.service))];
        lines.extend(self.found().into_iter().map(|(key, value)| format!("  {key:<13}{value}")));
        lines.push(String::new());
        for (n, file) in self.files.iter().enumerate() {
            lines.push(format!("{:<9}{}", if n == 0 { "wrote" } else { "" }, file.path));
        }
        if !self.unknown.is_empty() {
            lines.push(String::new());
            for (n, open) in self.unknown.iter().enumerate() {
                let key = if n == 0 { "open" } else { "" };
                lines.push(format!("{key:<9}- {open}"));
            }
        }
        lines.push(String::new());
        for (n, step) in self.next(variable).iter().enumerate() {
            lines.push(format!("{:<9}{step}", if n == 0 { "next" } else { "" }));
        }
        lines.join("\n")
    }

    /// The files alone, one after another, each under its name.
    pub(super) fn printed(&self) -> String {
        let files = self.files.iter().map(|file| format!("# {}\n{}", file.path, file.text));
        let open = self.unknown.iter().map(|open| format!("# Open: {open}\n"));
        files.chain(open).collect::<Vec<_>>().join("\n")
    }

    /// One object; with the files' texts where they were not written.
    pub(super) fn json(&self, with_text: bool) -> Value {
        let file = |file: &File| match with_text {
            true => json!({ "path": file.path, "text": file.text }),
            false => json!({ "path": file.path }),
        };
        let (strategy, groups) = match &self.service.fleet {
            Fleet::Pair { .. } => ("canary", self.service.groups()),
            Fleet::Single(_) => ("rolling", self.service.groups()),
        };
        json!({
            "service": self.name,
            "strategy": strategy,
            "groups": groups.iter().map(|group| &group.name).collect::<Vec<_>>(),
            "launch_template": self.launch.as_ref().map(|launch| &launch.template.name),
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
            "open": self.unknown,
            "complete": self.complete,
        })
    }

    fn found(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if let Fleet::Pair { sides, live } = &self.service.fleet {
            for (key, colour) in [("blue", Colour::Blue), ("green", Colour::Green)] {
                let group = &sides[colour].group;
                let role = match live {
                    Some(live) if *live == colour => ", live",
                    Some(_) => ", idle",
                    None => "",
                };
                let desired = group.capacity.desired;
                found.push((key, format!("{}{role}, {desired} instances", group.name)));
            }
        }
        for rule in &self.service.rules {
            let what = match (&rule.id, rule.priority) {
                (RuleId::Rule(_), Some(priority)) => {
                    let places = [&rule.matches.hosts, &rule.matches.paths];
                    let places: Vec<&str> =
                        places.into_iter().flatten().map(String::as_str).collect();
                    format!("priority {priority} {}", places.join(" "))
                }
                _ => "default action".to_owned(),
            };
            found.push(("rule", what.trim_end().to_owned()));
        }
        if let Some((_, (name, value))) = &self.service.test {
            found.push(("test rule", format!("{name}: {value}")));
        }
        if let Some(Launch { image: Some(Ok(image)), .. }) = &self.launch {
            found.push(("image", image.repository.to_string()));
        }
        found
    }

    fn next(&self, variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
        let adopts = self.unknown.iter().any(|open| open.contains("`cutover adopt`"));
        let mut steps = Vec::new();
        if adopts {
            steps.push("cutover adopt    # pins what runs; no instance is replaced");
        }
        steps.push("cutover verify   # does everything fit together?");
        steps.push("cutover plan     # what a deployment would do");
        steps.push("cutover deploy   # builds, pushes and rolls out");
        if variable("GITHUB_ACTIONS").is_none() {
            steps.push(
                "cutover iam      # the role for the workflow, and the commands that create it",
            );
        }
        steps.into_iter().map(str::to_owned).collect()
    }
}
