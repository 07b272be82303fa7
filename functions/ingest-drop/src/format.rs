//! What a file holds, by its name: `.json`, `.ndjson` or `.csv`, each optionally `.gz` or `.zst`.

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use tokio::io::{AsyncBufRead, AsyncRead};

/// What the file's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// A bundle, an envelope or an array, of STIX objects or of IOCs.
    Json,
    /// An IOC a line.
    Ndjson,
    /// IOCs with a header.
    Csv,
}

/// How the text is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Plain,
    Gzip,
    Zstd,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The text.
    pub text: Text,
    coding: Coding,
}

impl Format {
    /// What the file called `key` holds; `None` when the name does not say.
    #[must_use]
    pub fn of(key: &str) -> Option<Self> {
        let name = key.to_ascii_lowercase();
        let (name, coding) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
            (Some(name), _) => (name, Coding::Gzip),
            (None, Some(name)) => (name, Coding::Zstd),
            (None, None) => (name.as_str(), Coding::Plain),
        };
        let text = match name.rsplit_once('.')?.1 {
            "json" => Text::Json,
            "ndjson" | "jsonl" => Text::Ndjson,
            "csv" => Text::Csv,
            _ => return None,
        };
        Some(Self { text, coding })
    }

    /// The text of a file's bytes, expanded as it is read. Files of several members, as they come
    /// from concatenation, are read to their end.
    #[must_use]
    pub fn reader<'a>(
        self,
        bytes: impl AsyncBufRead + Unpin + Send + 'a,
    ) -> Box<dyn AsyncRead + Unpin + Send + 'a> {
        match self.coding {
            Coding::Plain => Box::new(bytes),
            Coding::Gzip => {
                let mut decoder = GzipDecoder::new(bytes);
                decoder.multiple_members(true);
                Box::new(decoder)
            }
            Coding::Zstd => {
                let mut decoder = ZstdDecoder::new(bytes);
                decoder.multiple_members(true);
                Box::new(decoder)
            }
        }
    }
}

/// What is said of a file whose name does not tell its format.
#[must_use]
pub fn unknown() -> String {
    "the name must end in .json, .ndjson or .csv, each optionally followed by .gz or .zst".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_format() {
        let of = |key| Format::of(key).map(|format| (format.text, format.coding));
        assert_eq!(of("inbox/a.json"), Some((Text::Json, Coding::Plain)));
        assert_eq!(of("inbox/a.NDJSON.gz"), Some((Text::Ndjson, Coding::Gzip)));
        assert_eq!(of("inbox/a.b.csv.zst"), Some((Text::Csv, Coding::Zstd)));
        assert_eq!(of("inbox/a.xml"), None);
        assert_eq!(of("inbox/json"), None);
    }
}
