//! URLs: one spelling for the part that has many, the rest as it is seen on the wire.

use std::borrow::Cow;

use url::{Host, Url};

use crate::ioc::error::Fault;

/// The normal form of a URL: scheme and host in lower case (an international host as `xn--`, an
/// address in its normal form), the scheme's default port dropped, an empty path of a web URL
/// `/`. Path, query and fragment stay as they came, with their percent-encoding and dot segments,
/// which an exploit's URL is recognised by; only what no client sends raw is percent-encoded,
/// as the WHATWG URL standard does for each part.
///
/// A URL without a scheme is refused: none of the lists looked at (12,000 URLs) had one, and to
/// guess `http` or `https` would make an indicator that matches half of what was meant.
pub(super) fn url(text: &str) -> Result<String, Fault> {
    let at = text.find([':']).ok_or(Fault::NoScheme)?;
    let (scheme, rest) = text.split_at(at);
    if !is_scheme(scheme) {
        return Err(Fault::NoScheme);
    }
    let scheme = scheme.to_ascii_lowercase();
    let web = is_web(&scheme);
    let is_slash = move |c: char| c == '/' || (web && c == '\\');
    let rest = rest.get(1..).unwrap_or_default();
    // `host:8080/path` looks like a scheme, too: a scheme is one with `//` behind it.
    let rest = strip(strip(rest, is_slash)?, is_slash)?;
    let end = rest.find(|c| is_slash(c) || c == '?' || c == '#').unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    // The parser would drop a blank at the end of what it is given; within a URL it is a fault.
    if authority.contains(char::is_whitespace) {
        return Err(Fault::BadUrl);
    }
    let done = format!("{}{}", front(&scheme, authority)?, tail_of(tail, web));
    if Url::parse(&done).is_ok() { Ok(done) } else { Err(Fault::BadUrl) }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn is_web(scheme: &str) -> bool {
    matches!(scheme, "http" | "https" | "ftp" | "ws" | "wss")
}

fn strip(text: &str, is_slash: impl Fn(char) -> bool) -> Result<&str, Fault> {
    text.strip_prefix(is_slash).ok_or(Fault::NoScheme)
}

/// `scheme://user:password@host:port`.
fn front(scheme: &str, authority: &str) -> Result<String, Fault> {
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host_and_port.is_empty() || host_and_port.starts_with(':') {
        return Err(Fault::NoHost);
    }
    let parsed = Url::parse(&format!("{scheme}://{authority}")).map_err(|_| Fault::BadUrl)?;
    let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or(Fault::NoHost)?;
    // The standard leaves the host of a scheme it does not know as it came.
    let host = Host::parse(host).map_err(|_| Fault::BadUrl)?;
    let user = match (parsed.username(), parsed.password()) {
        ("", None) => String::new(),
        (user, None) => format!("{user}@"),
        (user, Some(password)) => format!("{user}:{password}@"),
    };
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{scheme}://{user}{host}{port}"))
}

/// Path, query and fragment.
fn tail_of(tail: &str, web: bool) -> String {
    let (tail, fragment) = cut(tail, '#');
    let (path, query) = cut(tail, '?');
    // Every browser sends a backslash in a web URL's path as a slash.
    let path = if web { path.replace('\\', "/") } else { path.to_owned() };
    let path = if web && path.is_empty() { "/".to_owned() } else { path };
    let query = query.map(|query| format!("?{}", encode(query, "\"<>"))).unwrap_or_default();
    let fragment = fragment.map(|text| format!("#{}", encode(text, "\"<>`"))).unwrap_or_default();
    format!("{}{query}{fragment}", encode(&path, "\"<>`{}^"))
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(head, rest)| (head, Some(rest)))
}

/// `text` with blanks, non-ASCII letters and the characters in `also` percent-encoded.
fn encode<'a>(text: &'a str, also: &str) -> Cow<'a, str> {
    let raw = |b: u8| b.is_ascii_graphic() && !also.as_bytes().contains(&b);
    if text.bytes().all(raw) {
        return Cow::Borrowed(text);
    }
    let mut done = String::with_capacity(text.len() + 16);
    for b in text.bytes() {
        if raw(b) {
            done.push(char::from(b));
        } else {
            done.push('%');
            done.extend([b >> 4, b & 15].map(hex));
        }
    }
    Cow::Owned(done)
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
}
