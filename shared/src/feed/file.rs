//! The files a feed is published as.

use serde::{Deserialize, Serialize};

use super::definition::{FeedSettings, Format};
use crate::stix::IocType;

/// One published file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum File {
    /// `.csv`
    Csv,
    /// `.csv.gz`
    CsvGz,
    /// `.txt`
    Txt,
    /// `.json`
    Json,
    /// `.splunk.ip.csv` and so on
    Splunk(SplunkKind),
    /// `.sentinel.csv`
    Sentinel,
}

/// A kind of local intelligence of Splunk Enterprise Security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SplunkKind {
    /// `local_ip_intel`
    Ip,
    /// `local_domain_intel`
    Domain,
    /// `local_http_intel`
    Http,
    /// `local_file_intel`
    File,
    /// `local_email_intel`
    Email,
}

impl SplunkKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Ip, Self::Domain, Self::Http, Self::File, Self::Email];

    /// The kind that takes IOCs of this type, if any does.
    #[must_use]
    pub const fn of(kind: IocType) -> Option<Self> {
        match kind {
            IocType::Ipv4 | IocType::Ipv6 => Some(Self::Ip),
            IocType::Domain => Some(Self::Domain),
            IocType::Url => Some(Self::Http),
            IocType::Md5 | IocType::Sha1 | IocType::Sha256 | IocType::Sha512 => Some(Self::File),
            IocType::Email => Some(Self::Email),
            IocType::Cve | IocType::MitreAttack => None,
        }
    }
}

impl File {
    /// Every file a feed may have.
    pub const ALL: [Self; 10] = [
        Self::Csv,
        Self::CsvGz,
        Self::Txt,
        Self::Json,
        Self::Splunk(SplunkKind::Ip),
        Self::Splunk(SplunkKind::Domain),
        Self::Splunk(SplunkKind::Http),
        Self::Splunk(SplunkKind::File),
        Self::Splunk(SplunkKind::Email),
        Self::Sentinel,
    ];

    /// The files of a feed.
    pub fn of(settings: &FeedSettings) -> impl Iterator<Item = Self> + '_ {
        Self::ALL.into_iter().filter(|file| settings.formats.contains(&file.format()))
    }

    /// The form it belongs to.
    #[must_use]
    pub const fn format(self) -> Format {
        match self {
            Self::Csv => Format::Csv,
            Self::CsvGz => Format::CsvGz,
            Self::Txt => Format::Txt,
            Self::Json => Format::Json,
            Self::Splunk(_) => Format::Splunk,
            Self::Sentinel => Format::Sentinel,
        }
    }

    /// What follows the feed's name and a dot, such as `csv.gz`.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::CsvGz => "csv.gz",
            Self::Txt => "txt",
            Self::Json => "json",
            Self::Splunk(SplunkKind::Ip) => "splunk.ip.csv",
            Self::Splunk(SplunkKind::Domain) => "splunk.domain.csv",
            Self::Splunk(SplunkKind::Http) => "splunk.http.csv",
            Self::Splunk(SplunkKind::File) => "splunk.file.csv",
            Self::Splunk(SplunkKind::Email) => "splunk.email.csv",
            Self::Sentinel => "sentinel.csv",
        }
    }

    /// The file with this suffix.
    #[must_use]
    pub fn with_suffix(suffix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.suffix() == suffix)
    }

    /// Its media type (CSV: RFC 4180, section 3), for a feed with these settings.
    #[must_use]
    pub const fn content_type(self, settings: &FeedSettings) -> &'static str {
        match self {
            Self::Csv if !settings.include_header => "text/csv; charset=utf-8; header=absent",
            Self::Csv | Self::Splunk(_) | Self::Sentinel => {
                "text/csv; charset=utf-8; header=present"
            }
            Self::CsvGz => "application/gzip",
            Self::Txt => "text/plain; charset=utf-8",
            Self::Json => "application/x-ndjson",
        }
    }
}

impl TryFrom<String> for File {
    type Error = String;

    fn try_from(suffix: String) -> Result<Self, String> {
        Self::with_suffix(&suffix).ok_or_else(|| format!("{suffix:?} is no file of a feed"))
    }
}

impl From<File> for String {
    fn from(file: File) -> Self {
        file.suffix().to_owned()
    }
}
