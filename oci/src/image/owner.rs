//! Owner and mode of the files in an image.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A user and a group by number: names are defined inside the image, and layers are assembled without reading
/// the base image's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Owner {
    /// User ID.
    pub uid: u32,
    /// Group ID.
    pub gid: u32,
}

/// A file's permissions, as in `0644`, including the set-user-ID, set-group-ID and sticky bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mode(u32);

/// The error for a text that is not an owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a numeric owner, and names are known only inside the image: use `uid` or `uid:gid`"
)]
pub struct InvalidOwner(String);

/// The error for a text that is not a mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a mode: use three or four octal digits")]
pub struct InvalidMode(String);

impl FromStr for Owner {
    type Err = InvalidOwner;
    /// Parses `uid[:gid]`; the group defaults to the user's number, as with `COPY --chown`.
    fn from_str(text: &str) -> Result<Owner, InvalidOwner> {
        let number = |digits: &str| {
            let plain = digits.bytes().all(|b| b.is_ascii_digit());
            // To chown, all bits set means "leave unchanged".
            let number = digits.parse::<u32>().ok().filter(|number| plain && *number < u32::MAX);
            number.ok_or_else(|| InvalidOwner(text.to_owned()))
        };
        let (uid, gid) = text.split_once(':').unwrap_or((text, text));
        Ok(Owner { uid: number(uid)?, gid: number(gid)? })
    }
}

impl FromStr for Mode {
    type Err = InvalidMode;
    /// Parses three or four octal digits.
    fn from_str(text: &str) -> Result<Mode, InvalidMode> {
        let octal = text.bytes().all(|b| matches!(b, b'0'..=b'7'));
        let bits = u32::from_str_radix(text, 8).ok();
        let bits = bits.filter(|_| octal && matches!(text.len(), 3 | 4));
        bits.map(Mode).ok_or_else(|| InvalidMode(text.to_owned()))
    }
}

impl Mode {
    /// Returns the mode of a file.
    pub(super) fn file(self) -> u32 {
        self.0
    }

    /// Returns the mode of a folder: whoever may read it may search it.
    pub(super) fn folder(self) -> u32 {
        self.0 | (self.0 & 0o444) >> 2
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_numbers() {
        let owner = |text: &str| text.parse::<Owner>().map(|owner| owner.to_string());
        assert_eq!(owner("1000").unwrap(), "1000:1000");
        assert_eq!(owner("65532:0").unwrap(), "65532:0");
        for bad in ["", "www-data", "1000:", ":1000", "+1", "-1", "4294967295", "1:2:3"] {
            assert!(owner(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn modes_are_octal() {
        let mode = |text: &str| text.parse::<Mode>();
        assert_eq!(mode("0640").unwrap().file(), 0o640);
        assert_eq!(mode("640").unwrap().folder(), 0o750);
        assert_eq!(mode("4755").unwrap().to_string(), "4755");
        for bad in ["", "0", "0o644", "0888", "rw-r--r--", "10644", "+644"] {
            assert!(mode(bad).is_err(), "{bad}");
        }
    }
}
