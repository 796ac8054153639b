//! The inputs of a GitHub Actions step: how they are read, and those that are not options of a command.

use cutover_rollout::model::Outcome;

/// What happens to a rollout that a canceled job leaves unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum OnCancel {
    /// Traffic stays as it is; the next run resumes.
    #[default]
    Leave,
    /// The post step rolls it back.
    RollBack,
}

/// A step's settings besides the command and its options.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct StepSettings {
    /// The GitHub environment whose deployment is updated.
    pub(super) environment: Option<String>,
    /// The URL that the deployment links to.
    pub(super) environment_url: Option<String>,
    /// Whether a comment is added to the pull request.
    pub(super) comment: bool,
    pub(super) on_cancel: OnCancel,
    /// The ID of the job, by which its deployment is found.
    pub(super) job_id: Option<String>,
}

impl StepSettings {
    /// Returns the settings, or the defaults if one is malformed, which `cutover action` refuses.
    pub(super) fn read(variable: &dyn Fn(&str) -> Option<String>) -> StepSettings {
        StepSettings::parse(variable).unwrap_or_default()
    }

    /// Returns the settings.
    ///
    /// # Errors
    /// A message that names the input, what is wrong with it, and what to write.
    pub(super) fn parse(variable: &dyn Fn(&str) -> Option<String>) -> Result<StepSettings, String> {
        let environment_url = value(variable, "environment-url");
        if let Some(url) = &environment_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            return Err(format!(
                "input `environment-url`: `{url}` is not a URL; start it with https://"
            ));
        }
        Ok(StepSettings {
            environment: value(variable, "environment"),
            environment_url,
            job_id: value(variable, "job-id"),
            comment: match value(variable, "comment") {
                Some(text) => flag("comment", &text)?,
                None => false,
            },
            on_cancel: match value(variable, "on-cancel") {
                None => OnCancel::Leave,
                Some(text) => match one_of("on-cancel", &text, &["leave", "roll-back"])? {
                    "roll-back" => OnCancel::RollBack,
                    _ => OnCancel::Leave,
                },
            },
        })
    }
}

/// Returns the environment variable of an input (actions/toolkit, `getInput`).
pub(super) fn variable_of(input: &str) -> String {
    format!("INPUT_{}", input.replace(' ', "_").to_uppercase())
}

/// Returns an input's value without surrounding blanks; `None` if it is empty.
pub(super) fn value(variable: &dyn Fn(&str) -> Option<String>, input: &str) -> Option<String> {
    let text = variable(&variable_of(input))?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Returns a boolean as YAML writes it (toolkit, `getBooleanInput`).
pub(super) fn flag(input: &str, text: &str) -> Result<bool, String> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err(format!("input `{input}`: `{text}` must be true or false")),
    }
}

pub(super) fn one_of<'o>(input: &str, text: &str, options: &[&'o str]) -> Result<&'o str, String> {
    options.iter().copied().find(|option| *option == text).ok_or_else(|| {
        let all = options.join(", ");
        match nearest(text, options) {
            Some(near) => {
                format!("input `{input}`: `{text}` is unknown: did you mean `{near}`? ({all})")
            }
            None => format!("input `{input}`: `{text}` must be one of {all}"),
        }
    })
}

/// Returns the option that was probably meant.
pub(super) fn nearest<'o>(text: &str, options: &[&'o str]) -> Option<&'o str> {
    let scored = options.iter().map(|option| (strsim::jaro_winkler(text, option), *option));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(score, _)| *score > 0.8).map(|(_, option)| option)
}

/// Returns the outcome with inputs instead of options in its message and hint, if the step has inputs.
pub(super) fn reword_for_inputs(
    outcome: Outcome,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Outcome {
    if variable(&variable_of("command")).is_none() {
        return outcome;
    }
    let reword = |text: &str| {
        // The hints of `config`.
        let named = ["name it", "name the file", "name a file"]
            .map(|words| format!("{words} with `--config`"));
        let text = named
            .iter()
            .fold(text.to_owned(), |text, words| text.replace(words, "set the input `config`"));
        let text = text.replace(
            "run cutover in the directory of the file, or",
            "check out the repository first (actions/checkout), or",
        );
        match text.strip_prefix("--").and_then(|text| text.split_once(':')) {
            Some((option, rest)) => format!("input `{option}`:{rest}"),
            None => text,
        }
    };
    Outcome {
        message: reword(&outcome.message),
        hint: outcome.hint.as_deref().map(reword),
        ..outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_rollout::model::Status;

    #[test]
    fn messages_name_inputs_in_a_step_and_options_in_a_terminal() {
        let message = |text: &str, command: Option<&str>| {
            let variable = |_: &str| command.map(str::to_owned);
            reword_for_inputs(Outcome::new(Status::Refused, text), &variable).message
        };
        let image = "--image: `web:1` has no digest";
        assert_eq!(message(image, Some("deploy")), "input `image`: `web:1` has no digest");
        assert_eq!(message(image, None), image);
        let config = "= run cutover in the directory of the file, or name the file with `--config`";
        assert_eq!(
            message(config, Some("deploy")),
            "= check out the repository first (actions/checkout), or set the input `config`"
        );
    }
}
