//! The inputs of a GitHub Actions step: how one is read, and those that are no options of a command.

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
                "input `environment-url`: `{url}` is no web address: begin it with https://"
            ));
        }
        Ok(Settings {
            environment: value(variable, "environment"),
            environment_url,
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
        _ => Err(format!("input `{input}`: `{text}` is neither true nor false")),
    }
}

pub(super) fn one_of<'o>(input: &str, text: &str, options: &[&'o str]) -> Result<&'o str, String> {
    options.iter().copied().find(|option| *option == text).ok_or_else(|| {
        let all = options.join(", ");
        match nearest(text, options) {
            Some(near) => {
                format!("input `{input}`: `{text}` is unknown: did you mean `{near}`? ({all})")
            }
            None => format!("input `{input}`: `{text}` is unknown: write one of {all}"),
        }
    })
}

/// The option that was probably meant.
pub(super) fn nearest<'o>(text: &str, options: &[&'o str]) -> Option<&'o str> {
    let scored = options.iter().map(|option| (strsim::jaro_winkler(text, option), *option));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(score, _)| *score > 0.8).map(|(_, option)| option)
}
