//! An engine's record of the archive that a layer was (`tar-split.json.gz`): its headers and padding
//! verbatim, and the positions of the files' content. Together with the files, it restores the archive byte
//! for byte.

use std::io::{self, BufRead, BufReader, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// A piece of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// Verbatim bytes.
    Segment(Vec<u8>),
    /// The content of a file.
    File {
        /// Its path in the layer, as bytes: not every name is UTF-8.
        path: Vec<u8>,
        /// Number of bytes of content.
        size: u64,
    },
}

/// The entries, one JSON object per line, in the archive's order.
pub(super) struct TarSplit<R> {
    lines: io::Lines<BufReader<R>>,
}

/// An entry as stored (vbatts/tar-split, `storage.Entry`).
#[derive(Deserialize)]
struct RawEntry {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    name: Option<String>,
    /// Set if the name is not UTF-8.
    #[serde(default)]
    name_raw: Option<String>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    payload: Option<String>,
}

impl<R: Read> TarSplit<R> {
    /// Reads from the decompressed file.
    pub(super) fn new(unpacked: R) -> TarSplit<R> {
        TarSplit { lines: BufReader::new(unpacked).lines() }
    }
}

impl<R: Read> Iterator for TarSplit<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        loop {
            let line = match self.lines.next()? {
                Ok(line) => line,
                Err(error) => return Some(Err(error)),
            };
            match read(&line) {
                // A file without content needs no entry.
                Ok(Entry::File { size: 0, .. }) => {}
                entry => return Some(entry),
            }
        }
    }
}

fn read(line: &str) -> io::Result<Entry> {
    const FILE: u8 = 1;
    const SEGMENT: u8 = 2;
    let stored: RawEntry = serde_json::from_str(line).map_err(io::Error::other)?;
    let bytes = |text: &str| STANDARD.decode(text).map_err(io::Error::other);
    match stored.kind {
        FILE => {
            let path = match (&stored.name_raw, &stored.name) {
                (Some(raw), _) => bytes(raw)?,
                (None, Some(name)) => name.clone().into_bytes(),
                (None, None) => return Err(io::Error::other("a file has no name")),
            };
            Ok(Entry::File { path, size: stored.size })
        }
        SEGMENT => Ok(Entry::Segment(bytes(stored.payload.as_deref().unwrap_or_default())?)),
        other => Err(io::Error::other(format!("an entry has the unknown type {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_in_their_order() {
        let text = concat!(
            r#"{"type":2,"payload":"aGVhZA==","position":0}"#,
            "\n",
            r#"{"type":1,"name":"etc/passwd","size":3,"payload":"AAAAAAAAAAA=","position":1}"#,
            "\n",
            r#"{"type":1,"name":"etc/empty","payload":null,"position":2}"#,
            "\n",
            r#"{"type":1,"name_raw":"/2E=","size":1,"position":3}"#,
            "\n",
        );
        let entries: Vec<Entry> = TarSplit::new(text.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(
            entries,
            [
                Entry::Segment(b"head".to_vec()),
                Entry::File { path: b"etc/passwd".to_vec(), size: 3 },
                Entry::File { path: vec![0xff, b'a'], size: 1 },
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_no_end() {
        for bad in ["{", r#"{"type":3}"#, r#"{"type":1,"size":1}"#, r#"{"type":2,"payload":"?"}"#] {
            assert!(TarSplit::new(bad.as_bytes()).next().unwrap().is_err(), "{bad}");
        }
    }
}
