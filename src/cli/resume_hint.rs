//! Hints as the user has to type them: they name `cutover deploy` and `cutover rollback`, and a run with
//! another configuration file, a role or an image is resumed only with the same options.

use super::CommonArgs;
use crate::iam::shell_word;
use cutover_rollout::model::Outcome;

/// The options of this run that a resuming command needs.
pub(super) struct ResumeHint<'a> {
    pub(super) common: &'a CommonArgs,
    pub(super) image: Option<&'a str>,
}

impl ResumeHint<'_> {
    /// Returns the outcome with this run's options added to the commands in its hint.
    pub(super) fn with_options(&self, outcome: Outcome) -> Outcome {
        let hint = outcome.hint.as_deref().map(|hint| self.add_options(hint));
        Outcome { hint, ..outcome }
    }

    fn add_options(&self, hint: &str) -> String {
        let mut options = String::new();
        if self.common.config.as_os_str() != super::DEFAULT_CONFIG_PATH {
            options = format!(" --config {}", shell_word(&self.common.config.to_string_lossy()));
        }
        if let Some(role) = &self.common.role {
            options.push_str(&format!(" --role {}", shell_word(role)));
        }
        let image = self.image.map(|image| format!(" --image {}", shell_word(image)));
        let image = image.unwrap_or_default();
        ["rollback", "status", "verify"]
            .iter()
            .fold(hint.to_owned(), |hint, verb| {
                hint.replace(&format!("`cutover {verb}`"), &format!("`cutover {verb}{options}`"))
            })
            .replace("`cutover deploy`", &format!("`cutover deploy{options}{image}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;

    const HINT: &str = "`cutover deploy` resumes the rollout, `cutover rollback` rolls it back";

    #[test]
    fn a_hint_repeats_the_options_of_the_run() {
        let mut common =
            CommonArgs { config: "cutover.yaml".into(), role: None, format: Format::Human };
        let hint = |common: &CommonArgs, image| ResumeHint { common, image }.add_options(HINT);
        assert_eq!(hint(&common, None), HINT);
        common.config = "my shop/cutover.yaml".into();
        let exactly = "`cutover deploy --config 'my shop/cutover.yaml' --image r.io/web@sha256:00` resumes \
                       the rollout, `cutover rollback --config 'my shop/cutover.yaml'` rolls it back";
        assert_eq!(hint(&common, Some("r.io/web@sha256:00")), exactly);
    }
}
