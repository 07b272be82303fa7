//! Takes back the ways in which people make an indicator unclickable.

/// What stands for what. None of them can occur in an address literal such as `[2001:db8::1]`.
const DISGUISES: [(&str, &str); 14] = [
    ("[://]", "://"),
    ("[:]", ":"),
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("{dot}", "."),
    ("[@]", "@"),
    ("(@)", "@"),
    ("{@}", "@"),
    ("[at]", "@"),
    ("(at)", "@"),
    ("{at}", "@"),
];

/// Refangs an address, a name or an e-mail address, none of which can hold a disguise itself.
pub(super) fn text(text: &str) -> String {
    DISGUISES.into_iter().fold(text.to_owned(), |text, (from, to)| replace(&text, from, to))
}

/// Refangs a URL. What follows the host may hold `[.]` or `(at)` in its own right, so there a
/// disguise is taken back only if the scheme or the host wears the same one.
pub(super) fn url(url: &str) -> String {
    let begin = after_scheme(url);
    let end = url[begin..].find(['/', '\\', '?', '#']).map_or(url.len(), |at| begin + at);
    let (front, rest) = url.split_at(end);
    let mut rest = rest.to_owned();
    for (from, to) in DISGUISES {
        if find(front, from).is_some() {
            rest = replace(&rest, from, to);
        }
    }
    scheme(&format!("{}{rest}", text(front)))
}

/// Where the host of a possibly defanged URL begins; 0 if it has no scheme.
fn after_scheme(url: &str) -> usize {
    let marks = ["[://]", "[:]//", ":[//]", "://", "[:]\\\\", ":\\\\"];
    marks
        .into_iter()
        .filter_map(|mark| url.find(mark).map(|at| (at, at + mark.len())))
        .min()
        .map_or(0, |(_, end)| end)
}

/// `hxxp`, `hXXps`, `h**p` as what they mean.
fn scheme(url: &str) -> String {
    let url = url.replacen(":[//]", "://", usize::from(after_scheme(url) > 0));
    for (from, to) in [("hxxp", "http"), ("h**p", "http"), ("fxp", "ftp")] {
        let named = url.get(..from.len()).is_some_and(|head| head.eq_ignore_ascii_case(from));
        let rest = url.get(from.len()..).unwrap_or_default();
        if named && (rest.starts_with(':') || rest.starts_with("s:") || rest.starts_with("S:")) {
            return format!("{to}{rest}");
        }
    }
    url
}

/// Where `token` begins, in any letter case.
fn find(text: &str, token: &str) -> Option<usize> {
    text.as_bytes()
        .windows(token.len())
        .position(|window| window.eq_ignore_ascii_case(token.as_bytes()))
}

fn replace(text: &str, from: &str, to: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    // A token is ASCII, so the cut is always between characters.
    while let Some((head, tail)) = find(rest, from).and_then(|at| rest.split_at_checked(at)) {
        done.push_str(head);
        done.push_str(to);
        rest = tail.get(from.len()..).unwrap_or_default();
    }
    done + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_addresses() {
        for (from, to) in [
            ("example[.]com", "example.com"),
            ("www[dot]example(DOT)com", "www.example.com"),
            ("192[.]0(.)2{.}1", "192.0.2.1"),
            ("user[@]example[.]com", "user@example.com"),
            ("user[at]example[dot]com", "user@example.com"),
            ("2001[:]db8[:][:]1", "2001:db8::1"),
        ] {
            assert_eq!(text(from), to);
        }
    }

    #[test]
    fn urls() {
        for (from, to) in [
            ("hxxp://example[.]com/a.b", "http://example.com/a.b"),
            ("hXXps[:]//example[.]com[:]8443/", "https://example.com:8443/"),
            ("h**p://example.com/", "http://example.com/"),
            ("hxxps[://]example[.]com/index[.]html", "https://example.com/index.html"),
            ("hxxp:[//]example.com", "http://example.com"),
            ("http://example.com/[.]x(at)y", "http://example.com/[.]x(at)y"),
            ("http://example[.]com/x(at)y", "http://example.com/x(at)y"),
            ("http://[2001:db8::1]/[:]", "http://[2001:db8::1]/[:]"),
            ("hxxp://[2001:db8::1]:80/", "http://[2001:db8::1]:80/"),
            ("hxxpoint://example.com/", "hxxpoint://example.com/"),
        ] {
            assert_eq!(url(from), to);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_safe(any in "\\PC*") {
            text(&any);
            url(&any);
        }

        #[test]
        fn a_clean_url_is_left_alone(path in "[a-zA-Z0-9._~()@:\\[\\]/-]{0,40}") {
            let clean = format!("http://[2001:db8::1]:8080/{path}");
            prop_assert_eq!(url(&clean), clean);
        }
    }
}
