//! Multi-part user data. Plain parts are rewritten as text. References in encoded parts cannot be
//! rewritten and must not be silently missed.

use mailparse::{MailHeaderMap as _, ParsedMail};

use crate::model::Repository;

use super::{PinError, reference, user_data};

/// Refuses MIME user data that mentions `repository` in an encoded part.
pub(super) fn refuse_hidden(bytes: &[u8], repository: &Repository) -> Result<(), PinError> {
    if !announces_mime(bytes) {
        return Ok(());
    }
    let mail = mailparse::parse_mail(bytes).map_err(|error| PinError::Mime(error.to_string()))?;
    for (index, part) in mail.parts().filter(|part| part.subparts.is_empty()).enumerate() {
        refuse_hidden_part(index + 1, part, repository)?;
    }
    Ok(())
}

fn refuse_hidden_part(
    number: usize,
    part: &ParsedMail<'_>,
    repository: &Repository,
) -> Result<(), PinError> {
    let encoding = part
        .get_headers()
        .get_first_value("Content-Transfer-Encoding")
        .map_or_else(|| "7bit".to_owned(), |value| value.trim().to_ascii_lowercase());
    if matches!(encoding.as_str(), "7bit" | "8bit" | "binary") {
        return Ok(());
    }
    let hidden = |holds: String| PinError::HiddenInMime { part: number, encoding, holds };
    match part.get_body_raw() {
        Err(error) => Err(hidden(format!("cannot be decoded ({error})"))),
        Ok(body) if user_data::is_gzip(&body) => Err(hidden("is compressed with gzip".to_owned())),
        Ok(body) if reference::mentions(&body, repository) => {
            Err(hidden(format!("mentions `{repository}`")))
        }
        Ok(_) => Ok(()),
    }
}

/// Returns true if cloud-init would parse this as MIME: it begins with a header.
fn announces_mime(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    ["content-type:", "mime-version:"].iter().any(|header| {
        start.get(..header.len()).is_some_and(|s| s.eq_ignore_ascii_case(header.as_bytes()))
    })
}
