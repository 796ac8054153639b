//! The inputs of a step, and the command line that they stand for.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};

use crate::cli::settings::{Settings, flag, nearest, one_of, value, variable_of};
use crate::cli::{CONFIGURATION, Common, Format};

/// The commands that a step may run; the first is the default.
pub(super) const COMMANDS: [&str; 7] =
    ["deploy", "push", "build", "plan", "verify", "rollback", "status"];

/// What an input stands for on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An option with a value.
    Value,
    /// An option that comes once for each line.
    Lines,
    /// An option without a value: `true` or `false`.
    Flag,
    /// No option: read by the step itself.
    Step,
    /// Read by the launcher.
    Launcher,
}

/// An input.
#[derive(Debug)]
pub(super) struct Input {
    /// Its name; where it is an option, that of the option.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The commands that it applies to.
    pub(super) commands: &'static [&'static str],
}

/// All inputs of `action.yml`, in its order.
pub(super) const INPUTS: [Input; 19] = [
    Input { name: "command", kind: Kind::Step, commands: &COMMANDS },
    Input { name: "config", kind: Kind::Value, commands: &COMMANDS },
    Input { name: "role", kind: Kind::Value, commands: &COMMANDS },
    Input { name: "image", kind: Kind::Value, commands: &["deploy", "plan"] },
    Input { name: "force", kind: Kind::Flag, commands: &["deploy"] },
    Input { name: "no-cache", kind: Kind::Flag, commands: &["deploy", "push", "build"] },
    Input { name: "compression", kind: Kind::Value, commands: &["deploy", "push"] },
    Input { name: "from", kind: Kind::Value, commands: &["push"] },
    Input { name: "to", kind: Kind::Lines, commands: &["push"] },
    Input { name: "tag", kind: Kind::Lines, commands: &["push", "build"] },
    // What the job deploys to is true of every command.
    Input { name: "environment", kind: Kind::Step, commands: &COMMANDS },
    Input { name: "environment-url", kind: Kind::Step, commands: &COMMANDS },
    Input { name: "comment", kind: Kind::Step, commands: ROLLOUTS },
    Input { name: "on-cancel", kind: Kind::Step, commands: ROLLOUTS },
    Input { name: "github-token", kind: Kind::Step, commands: &COMMANDS },
    Input { name: "job-id", kind: Kind::Step, commands: &COMMANDS },
    Input { name: "version", kind: Kind::Launcher, commands: &COMMANDS },
    Input { name: "mirror", kind: Kind::Launcher, commands: &COMMANDS },
    Input { name: "binary", kind: Kind::Launcher, commands: &COMMANDS },
];

/// The commands that change the fleet.
pub(super) const ROLLOUTS: &[&str] = &["deploy", "rollback"];

/// A step's inputs, known to be well-formed and to fit together.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) command: &'static str,
    /// Those that are given, with their values.
    given: Vec<(&'static Input, String)>,
    pub(super) settings: Settings,
}

impl Inputs {
    /// Reads the inputs among the environment's `names`.
    ///
    /// # Errors
    /// A message that names the input, what is wrong with it, and what to write.
    pub(super) fn read(
        names: impl Iterator<Item = String>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Inputs, String> {
        check_names(names)?;
        let command = match value(variable, "command") {
            None => COMMANDS[0],
            Some(text) => one_of("command", &text, &COMMANDS)?,
        };
        let mut given = Vec::new();
        for input in &INPUTS {
            let Some(text) = value(variable, input.name) else { continue };
            let is_default = match (input.name, input.kind) {
                ("on-cancel", _) => text == "leave",
                ("config", _) => false,
                (name, Kind::Flag) => !flag(name, &text)?,
                ("comment", _) => !flag("comment", &text)?,
                _ => false,
            };
            if is_default {
                continue;
            }
            if !input.commands.contains(&command) {
                return Err(format!(
                    "input `{}` applies only to {}, not to `command: {command}`; remove it",
                    input.name,
                    input.commands.join(", ")
                ));
            }
            given.push((input, text));
        }
        Ok(Inputs { command, given, settings: Settings::checked(variable)? })
    }

    /// The command line that they stand for.
    ///
    /// # Errors
    /// A message where an input has more values than its option takes.
    pub(super) fn arguments(&self) -> Result<Vec<OsString>, String> {
        let mut arguments = vec!["cutover".to_owned(), self.command.to_owned()];
        arguments.push("--format=actions".to_owned());
        for (input, text) in &self.given {
            let name = input.name;
            match input.kind {
                // With `=`, so that a value is one whatever it begins with.
                Kind::Value => arguments.push(format!("--{name}={text}")),
                Kind::Flag => arguments.push(format!("--{name}")),
                Kind::Lines => {
                    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                    arguments.extend(lines.map(|line| format!("--{name}={line}")));
                }
                Kind::Step | Kind::Launcher => {}
            }
        }
        let tags = arguments.iter().filter(|argument| argument.starts_with("--tag=")).count();
        if self.command == "build" && tags > 1 {
            return Err("input `tag`: `command: build` takes one tag: write one line, or use \
                        `command: push`"
                .to_owned());
        }
        Ok(arguments.into_iter().map(OsString::from).collect())
    }

    /// What every command takes.
    pub(super) fn common(&self) -> Common {
        Common {
            config: self.value("config").unwrap_or(CONFIGURATION).into(),
            role: self.value("role").map(str::to_owned),
            format: Format::Actions,
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        let given = self.given.iter().find(|(input, _)| input.name == name);
        given.map(|(_, value)| value.as_str())
    }
}

/// A misspelled input is only a warning to the runner; a rollout must not begin without what it asks for.
/// What resembles no input is somebody else's variable.
fn check_names(names: impl Iterator<Item = String>) -> Result<(), String> {
    let known: Vec<String> = INPUTS.iter().map(|input| variable_of(input.name)).collect();
    let all: Vec<&str> = INPUTS.iter().map(|input| input.name).collect();
    for name in names.filter(|name| name.starts_with("INPUT_") && !known.contains(name)) {
        let input = name["INPUT_".len()..].to_lowercase();
        if let Some(near) = nearest(&input, &all) {
            return Err(format!("unknown input `{input}`; did you mean `{near}`?"));
        }
    }
    Ok(())
}

/// An error of the command line, in words of inputs.
pub(super) fn spelled_as_input(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    // As in `--to <REPOSITORY>`.
    let option = context(ContextKind::InvalidArg).unwrap_or_default();
    let input = option.trim_start_matches("--").split([' ', '=']).next().unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let why = std::error::Error::source(error).map(ToString::to_string);
    match (context(ContextKind::ValidValue), why) {
        (Some(valid), _) => format!("input `{input}`: `{value}` must be one of {valid}"),
        (None, Some(why)) => format!("input `{input}`: `{value}`: {why}"),
        (None, None) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn read(given: &[(&str, &str)]) -> Result<Inputs, String> {
        let given: BTreeMap<String, String> =
            given.iter().map(|(name, value)| (variable_of(name), (*value).to_owned())).collect();
        Inputs::read(given.keys().cloned(), &|name| given.get(name).cloned())
    }

    fn arguments(given: &[(&str, &str)]) -> Vec<String> {
        let arguments = read(given).unwrap().arguments().unwrap();
        arguments.into_iter().map(|argument| argument.into_string().unwrap()).skip(1).collect()
    }

    #[test]
    fn inputs_are_a_command_line() {
        assert_eq!(arguments(&[]), ["deploy", "--format=actions"]);
        let defaults = [("force", "false"), ("on-cancel", "leave"), ("config", "cutover.yaml")];
        assert_eq!(arguments(&defaults), ["deploy", "--format=actions", "--config=cutover.yaml"]);
        let push = [
            ("command", "push"),
            ("to", "a.io/b\n\n  c.io/d\n"),
            ("no-cache", "True"),
            ("from", "-x"),
        ];
        assert_eq!(
            arguments(&push),
            ["push", "--format=actions", "--no-cache", "--from=-x", "--to=a.io/b", "--to=c.io/d"]
        );
    }

    #[test]
    fn variables_that_resemble_no_input_are_somebody_elses() {
        assert_eq!(
            arguments(&[("method", "ibus"), ("dir", "/srv")]),
            ["deploy", "--format=actions"]
        );
    }

    #[test]
    fn what_the_job_deploys_to_is_given_with_every_command() {
        for command in COMMANDS {
            let given = [("command", command), ("environment", "production")];
            assert_eq!(arguments(&given), [command, "--format=actions"]);
        }
    }

    #[test]
    fn a_wrong_input_is_named_with_its_remedy() {
        let refused = |given: &[(&str, &str)]| {
            read(given).and_then(|inputs| inputs.arguments().map(|_| ())).unwrap_err()
        };
        for (given, expected) in [
            (
                &[("command", "deplyo")][..],
                "input `command`: `deplyo` is unknown: did you mean `deploy`?",
            ),
            (&[("command", "x"), ("force", "true")], "input `command`: `x` must be one of deploy,"),
            (&[("on-cancle", "roll-back")], "unknown input `on-cancle`; did you mean `on-cancel`?"),
            (
                &[("on-cancel", "rollback")],
                "input `on-cancel`: `rollback` is unknown: did you mean `roll-back`?",
            ),
            (&[("force", "yes")], "input `force`: `yes` must be true or false"),
            (
                &[("command", "push"), ("image", "x")],
                "input `image` applies only to deploy, plan, not to `command: push`; remove it",
            ),
            (
                &[("command", "verify"), ("on-cancel", "roll-back")],
                "input `on-cancel` applies only to deploy, rollback",
            ),
            (
                &[("command", "build"), ("tag", "a\nb")],
                "input `tag`: `command: build` takes one tag",
            ),
            (
                &[("environment-url", "javascript:x")],
                "input `environment-url`: `javascript:x` is not a URL",
            ),
        ] {
            let message = refused(given);
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn an_option_that_refuses_a_value_is_named_as_an_input() {
        let arguments = read(&[("compression", "lzma")]).unwrap().arguments().unwrap();
        let error = <Cli as clap::Parser>::try_parse_from(arguments).unwrap_err();
        let message = spelled_as_input(&error);
        assert!(
            message.starts_with("input `compression`: `lzma` must be one of gzip, zstd"),
            "{message}"
        );
    }

    /// Whatever makes sense in CI is an input, and no input is an option that is not there.
    #[test]
    fn inputs_and_options_are_in_step() {
        let cli = Cli::command();
        for command in COMMANDS {
            let verb = cli.find_subcommand(command).unwrap();
            let mut options: Vec<&str> =
                verb.get_arguments().filter_map(clap::Arg::get_long).collect();
            options.retain(|option| !["format", "help"].contains(option));
            let mut inputs: Vec<&str> = INPUTS
                .iter()
                .filter(|input| !matches!(input.kind, Kind::Step | Kind::Launcher))
                .filter(|input| input.commands.contains(&command))
                .map(|input| input.name)
                .collect();
            options.sort_unstable();
            inputs.sort_unstable();
            assert_eq!(options, inputs, "of `{command}`");
        }
    }

    #[test]
    fn inputs_and_the_metadata_of_the_action_are_in_step() {
        let metadata: serde_json::Value =
            serde_saphyr::from_str(include_str!("../../../action.yml")).unwrap();
        let described: Vec<&str> =
            metadata["inputs"].as_object().unwrap().keys().map(String::as_str).collect();
        let known: Vec<&str> = INPUTS.iter().map(|input| input.name).collect();
        assert_eq!(described, known);
    }
}
