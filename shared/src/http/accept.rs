//! The `Accept` header as RFC 9110, section 12.5.1 reads it.

use mediatype::{MediaType, MediaTypeList, ReadParams};

/// A parsed `Accept` header; a missing one accepts everything.
#[derive(Clone, Debug)]
pub struct Accept(Option<Vec<MediaRange>>);

/// One member of an `Accept` header.
#[derive(Clone, Debug)]
pub struct MediaRange {
    /// `type/subtype`, `type/*` or `*/*`, in lower case.
    pub essence: String,
    /// The `version` parameter, unquoted.
    pub version: Option<String>,
    /// The weight in thousandths.
    pub quality: u16,
}

impl Accept {
    /// Reads a header's value. Members that are no media range are passed over.
    #[must_use]
    pub fn parse(header: Option<&str>) -> Self {
        let Some(header) = header.map(str::trim).filter(|header| !header.is_empty()) else {
            return Self(None);
        };
        Self(Some(MediaTypeList::new(header).filter_map(Result::ok).map(|r| range(&r)).collect()))
    }

    /// The quality with which `essence` (of `version`, where it has versions) is accepted, in
    /// thousandths; 0 is not at all. The most specific range that matches decides.
    #[must_use]
    pub fn quality(&self, essence: &str, version: Option<&str>) -> u16 {
        let Some(ranges) = &self.0 else { return 1000 };
        let best = ranges
            .iter()
            .filter_map(|range| range.specificity(essence, version).map(|how| (how, range.quality)))
            .max();
        best.map_or(0, |(_, quality)| quality)
    }
}

fn range(media: &MediaType<'_>) -> MediaRange {
    let parameter = |wanted: &str| {
        let mut found =
            media.params().filter(|(name, _)| name.as_str().eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.unquoted_str().trim().to_owned())
    };
    MediaRange {
        essence: media.essence().to_string().to_ascii_lowercase(),
        version: parameter("version"),
        quality: parameter("q").map_or(1000, |text| thousandths(&text)),
    }
}

/// A weight that is no number between 0 and 1 counts as 1: the client did name the type.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn thousandths(text: &str) -> u16 {
    match text.parse::<f32>() {
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1000.0).round() as u16,
        _ => 1000,
    }
}

impl MediaRange {
    /// Reads a single media type, such as a `Content-Type`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        MediaType::parse(text.trim()).ok().map(|media| range(&media))
    }

    /// How specifically the range names the type; `None` when it does not.
    fn specificity(&self, essence: &str, version: Option<&str>) -> Option<u8> {
        if self.essence == "*/*" {
            return Some(0);
        }
        if let Some(main) = self.essence.strip_suffix("/*") {
            return (essence.split('/').next() == Some(main)).then_some(1);
        }
        if self.essence != essence {
            return None;
        }
        match (&self.version, version) {
            (None, _) => Some(2),
            (Some(asked), Some(ours)) if asked == ours => Some(3),
            (Some(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAXII: &str = "application/taxii+json";

    fn accepts(header: &str) -> bool {
        Accept::parse(Some(header)).quality(TAXII, Some("2.1")) > 0
    }

    #[test]
    fn reads_what_clients_send() {
        for good in [
            "application/taxii+json;version=2.1",
            "application/taxii+json; version=2.1",
            "application/taxii+json ; Version=\"2.1\"",
            "APPLICATION/TAXII+JSON",
            "*/*",
            "application/*;q=0.1",
            "application/vnd.oasis.taxii+json; version=2.0, application/taxii+json;version=2.1",
            "application/taxii+json;version=2.1;charset=utf-8",
            "text/html, */*;q=0.8",
            "",
        ] {
            assert!(accepts(good), "{good}");
        }
        for bad in [
            "application/vnd.oasis.taxii+json; version=2.0",
            "application/taxii+json;version=2.0",
            "application/taxii+json;version=2.1;q=0",
            "text/html",
            "*/*;q=0",
        ] {
            assert!(!accepts(bad), "{bad}");
        }
    }
}
