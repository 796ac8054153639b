//! How to go on, as it has to be typed: advice names `cutover deploy` and `cutover rollback`, and a
//! run that was given other than the default configuration, or an image, goes on only with the same.

use super::Common;
use crate::iam::shell_word;
use crate::model::Outcome;

/// What the verb was given.
pub(super) struct Again<'a> {
    pub(super) common: &'a Common,
    pub(super) image: Option<&'a str>,
}

impl Again<'_> {
    /// The same outcome, its advice with the options of this run.
    pub(super) fn exactly(&self, outcome: Outcome) -> Outcome {
        let hint = outcome.hint.as_deref().map(|hint| self.spelled_out(hint));
        Outcome { hint, ..outcome }
    }

    fn spelled_out(&self, hint: &str) -> String {
        let mut options = String::new();
        if self.common.config.as_os_str() != super::CONFIGURATION {
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

    const HINT: &str = "`cutover deploy` goes on from here, `cutover rollback` takes it back";

    #[test]
    fn advice_repeats_what_the_run_was_given() {
        let mut common =
            Common { config: "cutover.yaml".into(), role: None, format: Format::Human };
        let hint = |common: &Common, image| Again { common, image }.spelled_out(HINT);
        assert_eq!(hint(&common, None), HINT);
        common.config = "my shop/cutover.yaml".into();
        let exactly = "`cutover deploy --config 'my shop/cutover.yaml' --image r.io/web@sha256:00` goes \
                       on from here, `cutover rollback --config 'my shop/cutover.yaml'` takes it back";
        assert_eq!(hint(&common, Some("r.io/web@sha256:00")), exactly);
    }
}
