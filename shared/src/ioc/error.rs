//! Why an IOC is refused. Every message names the member, shows what came, cut short, and says
//! what would be right.

use thiserror::Error;

use crate::stix::{IocType, IocTypeError};
use crate::tlp::TlpError;

/// Why one IOC, or (see [`IocError::ends_body`]) the body it stands in, is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IocError {
    /// The text is no JSON object.
    #[error("not one JSON object such as {{\"type\":\"ipv4\",\"value\":\"192.0.2.1\"}}: {0}")]
    Json(String),
    /// The body is no JSON array.
    #[error("the body is not a JSON array of objects: {0}")]
    JsonArray(String),
    /// The bytes are not UTF-8.
    #[error("not UTF-8 text; send UTF-8")]
    NotUtf8,
    /// A line or CSV record above the bound.
    #[error("longer than {limit} bytes, which one IOC may have at most")]
    RecordTooLong {
        /// The bound in bytes.
        limit: usize,
    },
    /// A quoted CSV cell that nothing ends.
    #[error(
        "a quoted cell opens in this line and is never closed; write a quote in a cell as \"\""
    )]
    UnclosedQuote,
    /// The CSV body has no usable header row.
    #[error(
        "the first CSV row must be a header naming at least `type` and `value`, each column once: {0}"
    )]
    Header(String),
    /// More cells than columns.
    #[error("{cells} cells under a header of {columns}; quote a cell that holds a comma")]
    ExtraCells {
        /// Cells in the row.
        cells: usize,
        /// Columns in the header.
        columns: usize,
    },
    /// A member that must be there is not.
    #[error("`{0}` is missing; an IOC has at least `type` and `value`")]
    Missing(&'static str),
    /// A member of the wrong JSON kind.
    #[error("`{member}` is {found}; it must be {wanted}")]
    WrongKind {
        /// The member.
        member: &'static str,
        /// What came.
        found: &'static str,
        /// What would be right.
        wanted: &'static str,
    },
    /// No IOC type of this name.
    #[error("`type`: {0}")]
    Type(#[from] IocTypeError),
    /// The value is none of its type.
    #[error("`value` {shown:?} is no {kind}: {fault}")]
    Value {
        /// The type asked for.
        kind: IocType,
        /// The value, cut short.
        shown: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A text above its bound.
    #[error("`{member}` {shown:?} is longer than {limit}")]
    TooLong {
        /// The member.
        member: &'static str,
        /// The text, cut short.
        shown: String,
        /// The bound with its unit.
        limit: &'static str,
    },
    /// A list above its bound.
    #[error("`{member}` has {count} entries; at most {limit} are allowed")]
    TooMany {
        /// The member.
        member: &'static str,
        /// How many came.
        count: usize,
        /// The bound.
        limit: usize,
    },
    /// A control character inside a text.
    #[error("`{member}` {shown:?} holds a control character; remove it")]
    Control {
        /// The member.
        member: &'static str,
        /// The text, cut short.
        shown: String,
    },
    /// No confidence.
    #[error("`confidence` {0:?} must be high, medium, low or a whole number from 0 to 100")]
    Confidence(String),
    /// No time.
    #[error(
        "`{member}` {shown:?} must be a time such as 2026-05-15T08:30:00Z or a date such as 2026-05-15"
    )]
    Time {
        /// The member.
        member: &'static str,
        /// The text, cut short.
        shown: String,
    },
    /// No TLP level.
    #[error("`tlp`: {0}")]
    Tlp(#[from] TlpError),
    /// No truth value.
    #[error("`revoked` {0:?} must be true or false")]
    Revoked(String),
    /// No ATT&CK technique.
    #[error("`mitre` {shown:?} is no technique: {fault}")]
    Technique {
        /// The text, cut short.
        shown: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// It would end before it begins.
    #[error("`valid_until` {until} must be after the time it is valid from, {from}")]
    EndsBeforeStart {
        /// `valid_until`, normalised.
        until: String,
        /// `first_seen`, or the present time where that is absent.
        from: String,
    },
}

impl IocError {
    /// Whether it spoils the whole body, not only one IOC: nothing after it is read.
    #[must_use]
    pub const fn ends_body(&self) -> bool {
        matches!(self, Self::Header(_) | Self::JsonArray(_))
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Fault {
    /// Not four decimal numbers.
    #[error("write four decimal numbers such as 192.0.2.1, without leading zeros or port")]
    Ipv4,
    /// Not an IPv6 address.
    #[error("write an address such as 2001:db8::1, without port")]
    Ipv6,
    /// An IPv6 address with a zone.
    #[error(
        "an address with a zone (`%eth0`) means something on one machine only; leave the zone out"
    )]
    Zone,
    /// The part after `/` is no prefix length.
    #[error("the prefix length after `/` must be a whole number from 1 to the address's bits")]
    Prefix,
    /// An address where a name should be.
    #[error("it is an IP address; use type ipv4 or ipv6")]
    IsAddress,
    /// A URL where a name should be.
    #[error("it is a URL or has a path or port; use type url, or give the name alone")]
    IsUrl,
    /// An e-mail address where a name should be.
    #[error("it is an e-mail address; use type email")]
    IsEmail,
    /// A wildcard name.
    #[error(
        "a wildcard has no exact value to match; give the name below `*.` or each name in full"
    )]
    Wildcard,
    /// A name without a dot.
    #[error("a single label is no domain name; give the full name such as host.example.com")]
    SingleLabel,
    /// An empty label.
    #[error("two dots in a row or a dot at the beginning")]
    EmptyLabel,
    /// A label or name too long for DNS.
    #[error("a label has at most 63 characters and a name 253 (in its xn-- form)")]
    NameTooLong,
    /// Characters no domain name has.
    #[error(
        "a domain name has letters, digits, `-`, `_` and dots, or is a valid international name"
    )]
    BadName,
    /// The last label is a number.
    #[error("the last label of a domain name is never all digits")]
    NumericTop,
    /// A URL without `scheme://`.
    #[error(
        "a URL begins with a scheme such as https://; without one it is not known what is meant"
    )]
    NoScheme,
    /// A URL without a host.
    #[error("a URL needs a host after `://`")]
    NoHost,
    /// Not a URL.
    #[error("its host or port cannot be read; write it such as https://example.com:8443/path")]
    BadUrl,
    /// Not hexadecimal of the right length.
    #[error("write {0} hexadecimal digits")]
    Hash(usize),
    /// Not `local@domain`.
    #[error("write local@domain, such as user@example.com")]
    Email,
    /// Not a CVE id.
    #[error("write CVE-, a year and four or more digits, such as CVE-2026-0001")]
    Cve,
    /// Not a technique id.
    #[error(
        "write a technique such as T1059 or T1059.001 (tactics, groups and software are no techniques)"
    )]
    Technique,
}

/// The beginning of a text, enough to find it again.
pub(super) fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(80).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
