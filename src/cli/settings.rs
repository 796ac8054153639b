//! The inputs of a GitHub Actions step: how one is read, and those that are no options of a command.

use crate::model::Outcome;

/// What to do with a rollout that a canceled job leaves unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum OnCancel {
    /// Traffic stays as it is; the next run resumes.
    #[default]
    Leave,
    /// The step's `post` rolls it back.
    RollBack,
}

/// What a step asks for besides the command and its options.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Settings {
    /// The environment whose deployment is updated.
    pub(super) environment: Option<String>,
    /// The address shown with it.
    pub(super) environment_url: Option<String>,
    /// Whether the pull request gets a comment.
    pub(super) comment: bool,
    pub(super) on_cancel: OnCancel,
    /// The id of the job, by which its deployment is known.
    pub(super) job_id: Option<String>,
}

impl Settings {
    /// What is asked for; what is malformed counts as not asked for. `cutover action` refuses it.
    pub(super) fn read(variable: &dyn Fn(&str) -> Option<String>) -> Settings {
        Settings::checked(variable).unwrap_or_default()
    }

    /// The same.
    ///
    /// # Errors
    /// A message that names the input, what is wrong with it, and what to write.
    pub(super) fn checked(variable: &dyn Fn(&str) -> Option<String>) -> Result<Settings, String> {
        let environment_url = value(variable, "environment-url");
        if let Some(url) = &environment_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            return Err(format!(
                "input `environment-url`: `{url}` is not a URL; start it with https://"
            ));
        }
        Ok(Settings {
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

/// The variable of an input (actions/toolkit, `getInput`).
pub(super) fn variable_of(input: &str) -> String {
    format!("INPUT_{}", input.replace(' ', "_").to_uppercase())
}

/// An input's value without blanks around it; `None` where it is empty.
pub(super) fn value(variable: &dyn Fn(&str) -> Option<String>, input: &str) -> Option<String> {
    let text = variable(&variable_of(input))?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// `true` or `false` as YAML writes them (toolkit, `getBooleanInput`).
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

/// The option that was probably meant.
pub(super) fn nearest<'o>(text: &str, options: &[&'o str]) -> Option<&'o str> {
    let scored = options.iter().map(|option| (strsim::jaro_winkler(text, option), *option));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(score, _)| *score > 0.8).map(|(_, option)| option)
}

/// The same outcome in words of inputs, where the step has some: its message may name an option.
pub(super) fn in_words_of_inputs(
    outcome: Outcome,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Outcome {
    if variable(&variable_of("command")).is_none() {
        return outcome;
    }
    let reword = |text: &str| {
        let text = text.replace("name it with `--config`", "set the input `config`");
        let text = text.replace(
            "run cutover in the folder that holds it, or",
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
    use crate::model::Ending;

    #[test]
    fn a_step_reads_of_inputs_and_a_terminal_of_options() {
        let message = |text: &str, command: Option<&str>| {
            let variable = |_: &str| command.map(str::to_owned);
            in_words_of_inputs(Outcome::new(Ending::Refused, text), &variable).message
        };
        let image = "--image: `web:1` has no digest";
        assert_eq!(message(image, Some("deploy")), "input `image`: `web:1` has no digest");
        assert_eq!(message(image, None), image);
        let config = "= run cutover in the folder that holds it, or name it with `--config`";
        assert_eq!(
            message(config, Some("deploy")),
            "= check out the repository first (actions/checkout), or set the input `config`"
        );
    }
}
