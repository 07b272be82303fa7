use proptest::prelude::*;

use super::*;

fn ok(kind: IocType, pairs: &[(&str, &str)]) {
    for (text, wanted) in pairs {
        assert_eq!(normalise(kind, text).as_deref(), Ok(*wanted), "{text}");
        assert_eq!(normalise(kind, wanted).as_deref(), Ok(*wanted), "{text} again");
    }
}

fn bad(kind: IocType, pairs: &[(&str, Fault)]) {
    for (text, wanted) in pairs {
        assert_eq!(normalise(kind, text), Err(*wanted), "{text}");
    }
}

#[test]
fn ipv4() {
    ok(
        IocType::Ipv4,
        &[
            ("192.0.2.1", "192.0.2.1"),
            ("192[.]0[.]2[.]1", "192.0.2.1"),
            ("192.0.2.1/32", "192.0.2.1"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("198.51.100.7/31", "198.51.100.6/31"),
        ],
    );
    bad(
        IocType::Ipv4,
        &[
            ("", Fault::Ipv4),
            ("192.0.2", Fault::Ipv4),
            ("192.0.2.256", Fault::Ipv4),
            ("192.0.02.1", Fault::Ipv4),
            ("192.0.2.1:80", Fault::Ipv4),
            ("2001:db8::1", Fault::Ipv4),
            ("192.0.2.1/33", Fault::Prefix),
            ("192.0.2.1/0", Fault::Prefix),
            ("192.0.2.1/+8", Fault::Prefix),
            ("192.0.2.1/", Fault::Prefix),
            ("192.0.2.0/255.255.255.0", Fault::Prefix),
        ],
    );
}

#[test]
fn ipv6() {
    ok(
        IocType::Ipv6,
        &[
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001[:]db8[:][:]1", "2001:db8::1"),
            ("2001:db8::1/128", "2001:db8::1"),
            ("2001:db8:ffff::1/32", "2001:db8::/32"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ],
    );
    bad(
        IocType::Ipv6,
        &[
            ("fe80::1%eth0", Fault::Zone),
            ("192.0.2.1", Fault::Ipv6),
            ("[2001:db8::1]:443", Fault::Ipv6),
            ("2001:db8::1/129", Fault::Prefix),
        ],
    );
}

#[test]
fn domains() {
    ok(
        IocType::Domain,
        &[
            ("Example.COM.", "example.com"),
            ("www[.]example(dot)com", "www.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER。example", "xn--bcher-kva.example"),
            ("a_b.example.com", "a_b.example.com"),
            ("r3---sn.-x-.example.com", "r3---sn.-x-.example.com"),
            ("1.2.example", "1.2.example"),
        ],
    );
    let long = format!("{}.example.com", "a".repeat(64));
    let longer = format!("{}example.com", "abcdefg.".repeat(31));
    bad(
        IocType::Domain,
        &[
            ("", Fault::EmptyLabel),
            ("localhost", Fault::SingleLabel),
            ("*.example.com", Fault::Wildcard),
            ("192.0.2.1", Fault::IsAddress),
            ("１92.0.2.1", Fault::IsAddress),
            ("2001:db8::1", Fault::IsAddress),
            ("192.0.2.1.5", Fault::NumericTop),
            ("example.com:8080", Fault::IsUrl),
            ("hxxp://example[.]com", Fault::IsUrl),
            ("example.com/path", Fault::IsUrl),
            ("user@example.com", Fault::IsEmail),
            ("a..example.com", Fault::EmptyLabel),
            (".example.com", Fault::EmptyLabel),
            ("exa mple.com", Fault::BadName),
            ("example,com.org", Fault::BadName),
            ("xn--a.example.com", Fault::BadName),
            (&long, Fault::NameTooLong),
            (&longer, Fault::NameTooLong),
        ],
    );
}

#[test]
fn urls() {
    ok(
        IocType::Url,
        &[
            ("HTTP://Example.COM", "http://example.com/"),
            ("https://example.com:443/A/%7ex?q=%41#F", "https://example.com/A/%7ex?q=%41#F"),
            ("http://example.com:8080?x", "http://example.com:8080/?x"),
            ("http://example.com/a/../.%2e/b", "http://example.com/a/../.%2e/b"),
            ("hxxps://example[.]com/x", "https://example.com/x"),
            ("http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]/"),
            ("http://bücher.example/ü d", "http://xn--bcher-kva.example/%C3%BC%20d"),
            ("http://example.com/a[0]|b?c={d}^", "http://example.com/a[0]|b?c={d}^"),
            ("http://example.com/{a}'\\b", "http://example.com/%7Ba%7D'/b"),
            ("http:\\\\example.com\\a", "http://example.com/a"),
            ("ftp://User:p%40ss@example.com/f", "ftp://User:p%40ss@example.com/f"),
            ("tcp://Example.COM:4444", "tcp://example.com:4444"),
            ("http://0xc0000201/", "http://192.0.2.1/"),
            ("http://a_b.example.com/%zz", "http://a_b.example.com/%zz"),
        ],
    );
    bad(
        IocType::Url,
        &[
            ("", Fault::NoScheme),
            ("example.com/path", Fault::NoScheme),
            ("example.com:8080/path", Fault::NoScheme),
            ("//example.com/path", Fault::NoScheme),
            ("/path", Fault::NoScheme),
            ("mailto:user@example.com", Fault::NoScheme),
            ("http:example.com", Fault::NoScheme),
            ("http:///path", Fault::NoHost),
            ("http://", Fault::NoHost),
            ("http://:80/", Fault::NoHost),
            ("http://user@/", Fault::NoHost),
            ("http://example.com:99999/", Fault::BadUrl),
            ("http://exa mple.com/", Fault::BadUrl),
            ("http://[2001:db8::1/", Fault::BadUrl),
        ],
    );
}

#[test]
fn fixed_forms() {
    ok(IocType::Md5, &[(&"Ab".repeat(16), &"ab".repeat(16))]);
    bad(IocType::Md5, &[(&"ab".repeat(20), Fault::Hash(32)), (&"xy".repeat(16), Fault::Hash(32))]);
    ok(IocType::Sha1, &[(&"AB".repeat(20), &"ab".repeat(20))]);
    ok(IocType::Sha256, &[(&"AB".repeat(32), &"ab".repeat(32))]);
    ok(IocType::Sha512, &[(&"AB".repeat(64), &"ab".repeat(64))]);
    ok(IocType::Cve, &[("cve-2026-0001", "CVE-2026-0001"), ("CVE-2026-123456", "CVE-2026-123456")]);
    for text in ["CVE-2026-001", "CVE-26-0001", "2026-0001", "CVE-2026-00a1", "CVE20260001", ""] {
        bad(IocType::Cve, &[(text, Fault::Cve)]);
    }
    ok(IocType::MitreAttack, &[("t1059", "T1059"), ("T1059.001", "T1059.001")]);
    for text in ["TA0001", "T105", "T1059.1", "T1059.", "S0001", "T1059.0011", ""] {
        bad(IocType::MitreAttack, &[(text, Fault::Technique)]);
    }
}

#[test]
fn emails() {
    ok(
        IocType::Email,
        &[
            ("User.Name+tag@Example.COM", "User.Name+tag@example.com"),
            ("user[at]example[dot]com", "user@example.com"),
            ("\"a b\"@example.com", "\"a b\"@example.com"),
            ("üser@bücher.example", "üser@xn--bcher-kva.example"),
        ],
    );
    bad(
        IocType::Email,
        &[
            ("example.com", Fault::Email),
            ("@example.com", Fault::Email),
            ("a b@example.com", Fault::Email),
            ("mailto:user@example.com", Fault::Email),
            ("\"a\"b\"@example.com", Fault::Email),
            ("user@localhost", Fault::SingleLabel),
        ],
    );
}

proptest! {
    #[test]
    fn any_text_is_safe_and_a_normal_form_is_stable(text in any_value()) {
        for kind in IocType::ALL {
            if let Ok(value) = normalise(kind, &text) {
                prop_assert_eq!(normalise(kind, &value), Ok(value.clone()), "{} {}", kind, text);
            }
        }
    }

    #[test]
    fn a_network_holds_its_address(bits: u32, prefix in 1..=32u32) {
        let text = format!("{}/{prefix}", std::net::Ipv4Addr::from_bits(bits));
        let value = normalise(IocType::Ipv4, &text).unwrap();
        let base: std::net::Ipv4Addr = value.split('/').next().unwrap().parse().unwrap();
        prop_assert_eq!(base.to_bits() >> (32 - prefix), bits >> (32 - prefix));
        prop_assert_eq!(base.to_bits() & (!0u32).checked_shr(prefix).unwrap_or(0), 0);
    }
}

/// Texts near what is right: pieces of addresses, names and URLs in any order.
fn any_value() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => Just(String::from(".")),
        2 => "[a-zA-Z0-9_-]{1,12}",
        1 => "[0-9]{1,4}",
        1 => "\\PC{0,4}",
        2 => prop::sample::select(vec![
            "http://", "hxxps[:]//", "tcp://", "[.]", "(dot)", "[at]", "@", ":", "::", "/", "?", "#",
            "%41", "%", "\\", "[", "]", "[2001:db8::1]", "192.0.2.1", "example.com", "bücher", "xn--",
            "CVE-2026-", "T1059", "*", " ", "ß", "\u{200d}", "。", "[dot[dot]]", "[[.]]",
        ]).prop_map(String::from),
    ];
    prop_oneof![
        prop::collection::vec(piece.clone(), 0..10).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(piece, 0..8)
            .prop_map(|pieces| format!("http://example.com{}", pieces.concat())),
    ]
}

#[test]
fn a_blank_after_the_host_is_a_fault() {
    assert!(super::url::url("https://www.example.com /libs/x").is_err());
}
