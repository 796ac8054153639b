//! The inputs of a step, and the command line that they translate to.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};

use crate::cli::step_settings::{StepSettings, flag, nearest, one_of, value, variable_of};
use crate::cli::{CommonArgs, DEFAULT_CONFIG_PATH, Format};

/// The commands that a step may run; the first is the default.
pub(super) const COMMANDS: [&str; 7] =
    ["deploy", "push", "build", "plan", "verify", "rollback", "status"];

/// What an input translates to on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputKind {
    /// An option with a value.
    Value,
    /// An option that is repeated for each line.
    Lines,
    /// An option without a value; the input is `true` or `false`.
    Flag,
    /// Not an option: read by the step itself.
    Step,
    /// Not an option: read by the launcher.
    Launcher,
}

/// An input of the action.
#[derive(Debug)]
pub(super) struct Input {
    /// The input's name, which is also the option's, if it is one.
    pub(super) name: &'static str,
    pub(super) kind: InputKind,
    /// The commands that it applies to.
    pub(super) commands: &'static [&'static str],
}

/// All inputs of `action.yml`, in its order.
pub(super) const INPUTS: [Input; 19] = [
    Input { name: "command", kind: InputKind::Step, commands: &COMMANDS },
    Input { name: "config", kind: InputKind::Value, commands: &COMMANDS },
    Input { name: "role", kind: InputKind::Value, commands: &COMMANDS },
    Input { name: "image", kind: InputKind::Value, commands: &["deploy", "plan"] },
    Input { name: "force", kind: InputKind::Flag, commands: &["deploy"] },
    Input { name: "no-cache", kind: InputKind::Flag, commands: &["deploy", "push", "build"] },
    Input { name: "compression", kind: InputKind::Value, commands: &["deploy", "push"] },
    Input { name: "from", kind: InputKind::Value, commands: &["push"] },
    Input { name: "to", kind: InputKind::Lines, commands: &["push"] },
    Input { name: "tag", kind: InputKind::Lines, commands: &["push", "build"] },
    // The job's environment applies to every command.
    Input { name: "environment", kind: InputKind::Step, commands: &COMMANDS },
    Input { name: "environment-url", kind: InputKind::Step, commands: &COMMANDS },
    Input { name: "comment", kind: InputKind::Step, commands: ROLLOUT_COMMANDS },
    Input { name: "on-cancel", kind: InputKind::Step, commands: ROLLOUT_COMMANDS },
    Input { name: "github-token", kind: InputKind::Step, commands: &COMMANDS },
    Input { name: "job-id", kind: InputKind::Step, commands: &COMMANDS },
    Input { name: "version", kind: InputKind::Launcher, commands: &COMMANDS },
    Input { name: "mirror", kind: InputKind::Launcher, commands: &COMMANDS },
    Input { name: "binary", kind: InputKind::Launcher, commands: &COMMANDS },
];

/// The commands that carry out a rollout.
pub(super) const ROLLOUT_COMMANDS: &[&str] = &["deploy", "rollback"];

/// A step's inputs, checked for form and consistency.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) command: &'static str,
    /// The inputs that are set, with their values.
    given: Vec<(&'static Input, String)>,
    pub(super) settings: StepSettings,
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
                (name, InputKind::Flag) => !flag(name, &text)?,
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
        Ok(Inputs { command, given, settings: StepSettings::parse(variable)? })
    }

    /// Returns the command line that the inputs translate to.
    ///
    /// # Errors
    /// A message, if an input has more values than its option accepts.
    pub(super) fn arguments(&self) -> Result<Vec<OsString>, String> {
        let mut arguments = vec!["cutover".to_owned(), self.command.to_owned()];
        arguments.push("--format=actions".to_owned());
        for (input, text) in &self.given {
            let name = input.name;
            match input.kind {
                // With `=`, so that a value that starts with a dash is not taken for an option.
                InputKind::Value => arguments.push(format!("--{name}={text}")),
                InputKind::Flag => arguments.push(format!("--{name}")),
                InputKind::Lines => {
                    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                    arguments.extend(lines.map(|line| format!("--{name}={line}")));
                }
                InputKind::Step | InputKind::Launcher => {}
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

    /// Returns the options of every command.
    pub(super) fn common(&self) -> CommonArgs {
        CommonArgs {
            config: self.value("config").unwrap_or(DEFAULT_CONFIG_PATH).into(),
            role: self.value("role").map(str::to_owned),
            format: Format::Actions,
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        let given = self.given.iter().find(|(input, _)| input.name == name);
        given.map(|(_, value)| value.as_str())
    }
}

/// Refuses misspelled inputs. The runner only warns about them, but a rollout must not start without a setting
/// that was meant. A variable that resembles no input belongs to another program.
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

/// Returns an error of the command line with inputs instead of options.
pub(super) fn as_input_error(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    // For example `--to <REPOSITORY>`.
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
    fn inputs_translate_to_a_command_line() {
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
    fn a_variable_that_resembles_no_input_is_ignored() {
        assert_eq!(
            arguments(&[("method", "ibus"), ("dir", "/srv")]),
            ["deploy", "--format=actions"]
        );
    }

    #[test]
    fn the_environment_applies_to_every_command() {
        for command in COMMANDS {
            let given = [("command", command), ("environment", "production")];
            assert_eq!(arguments(&given), [command, "--format=actions"]);
        }
    }

    #[test]
    fn a_wrong_input_is_named_with_a_hint() {
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
        let message = as_input_error(&error);
        assert!(
            message.starts_with("input `compression`: `lzma` must be one of gzip, zstd"),
            "{message}"
        );
    }

    /// Every option that makes sense in CI is an input, and every input that is an option exists.
    #[test]
    fn inputs_match_the_options() {
        let cli = Cli::command();
        for command in COMMANDS {
            let verb = cli.find_subcommand(command).unwrap();
            let mut options: Vec<&str> =
                verb.get_arguments().filter_map(clap::Arg::get_long).collect();
            options.retain(|option| !["format", "help"].contains(option));
            let mut inputs: Vec<&str> = INPUTS
                .iter()
                .filter(|input| !matches!(input.kind, InputKind::Step | InputKind::Launcher))
                .filter(|input| input.commands.contains(&command))
                .map(|input| input.name)
                .collect();
            options.sort_unstable();
            inputs.sort_unstable();
            assert_eq!(options, inputs, "of `{command}`");
        }
    }

    #[test]
    fn inputs_match_action_yml() {
        let metadata: serde_json::Value =
            serde_saphyr::from_str(include_str!("../../../action.yml")).unwrap();
        let described: Vec<&str> =
            metadata["inputs"].as_object().unwrap().keys().map(String::as_str).collect();
        let known: Vec<&str> = INPUTS.iter().map(|input| input.name).collect();
        assert_eq!(described, known);
    }
}
