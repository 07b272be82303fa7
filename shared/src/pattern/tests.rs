//! What parses, what does not, and where the error points.

use super::{MAX_BYTES, MAX_DEPTH, Pattern, Problem, escape};

fn parse(text: &str) -> Pattern {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn offset_of_error(text: &str) -> usize {
    text.parse::<Pattern>().expect_err(text).offset()
}

/// What `text` parses to, written canonically.
fn canonical(text: &str) -> String {
    parse(text).to_string()
}

#[test]
fn the_canonical_spelling_of_what_is_accepted() {
    for (text, expected) in [
        ("[file:size==+5]", "[file:size = 5]"),
        ("[file:size <> -0]", "[file:size != 0]"),
        ("[file:size>=.5]", "[file:size >= 0.5]"),
        ("[file:size NOT<-12.50]", "[file:size NOT < -12.5]"),
        ("[domain-name:value='a.example']", "[domain-name:value = 'a.example']"),
        ("[app:id = 'x']", "[app:id = 'x']"),
        ("[x_a:_b = true AND NOT EXISTS x_a:c]", "[x_a:_b = true AND NOT EXISTS x_a:c]"),
        (
            "[file:hashes.'SHA-256' IN('aa' ,h'00fF',b'AAA=',t'2026-02-30T08:30:60Z',1,1.0,false)]",
            "[file:hashes.'SHA-256' IN ('aa', h'00fF', b'AAA=', t'2026-02-30T08:30:60Z', 1, 1.0, false)]",
        ),
        ("[a:b IN ( )]", "[a:b IN ()]"),
        ("[a:b LIKE'%'OR(a:c MATCHES'^x$')]", "[a:b LIKE '%' OR a:c MATCHES '^x$']"),
        (
            "[file:extensions.'windows-pebinary-ext'.sections[ * ][0].entropy > 7]",
            "[file:extensions.'windows-pebinary-ext'.sections[*][0].entropy > 7]",
        ),
        ("[a:'b'.'c d'.'IN'.'' = '']", "[a:b.'c d'.'IN'.'' = '']"),
        (r"[a:b = 'C:\\x \'y\' — ü']", r"[a:b = 'C:\\x \'y\' — ü']"),
        (
            "[a:b ISSUBSET '192.0.2.0/24' AND a:c ISSUPERSET '']",
            "[a:b ISSUBSET '192.0.2.0/24' AND a:c ISSUPERSET '']",
        ),
        ("/* a */[a:b=1]//c\n\u{a0}OR\r// d\n[a:b=2]/**/", "[a:b = 1] OR [a:b = 2]"),
        ("[a:b=1]WITHIN 5SECONDS", "[a:b = 1] WITHIN 5 SECONDS"),
        (
            "[a:b=1]START t'2026-01-01T00:00:00Z'STOP t'2026-01-02T00:00:00.5Z'REPEATS 2 TIMES WITHIN .5 SECONDS",
            "[a:b = 1] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.5Z' REPEATS 2 TIMES WITHIN 0.5 SECONDS",
        ),
        ("(([a:b=1]))", "[a:b = 1]"),
        (
            "([a:b=1]) WITHIN 1 SECONDS WITHIN 2 SECONDS",
            "([a:b = 1] WITHIN 1 SECONDS) WITHIN 2 SECONDS",
        ),
    ] {
        assert_eq!(canonical(text), expected);
        assert_eq!(canonical(expected), expected);
    }
}

#[test]
fn and_binds_tighter_than_or_and_or_than_followedby() {
    let bare = "[a:b=1] FOLLOWEDBY [a:b=2] OR [a:b=3] AND [a:b=4] FOLLOWEDBY [a:b=5]";
    let grouped = "[a:b=1] FOLLOWEDBY ([a:b=2] OR ([a:b=3] AND [a:b=4])) FOLLOWEDBY [a:b=5]";
    assert_eq!(parse(bare), parse(grouped));
    assert_ne!(parse("([a:b=1] OR [a:b=2]) AND [a:b=3]"), parse("[a:b=1] OR [a:b=2] AND [a:b=3]"));
    assert_eq!(parse("[a:b=1 OR a:c=2 AND a:d=3]"), parse("[a:b=1 OR (a:c=2 AND a:d=3)]"));
    assert_ne!(parse("[a:b=1 OR a:c=2 AND a:d=3]"), parse("[(a:b=1 OR a:c=2) AND a:d=3]"));
    let qualified = "[a:b=1] AND [a:b=2] WITHIN 5 SECONDS";
    assert_eq!(parse(qualified), parse("[a:b=1] AND ([a:b=2] WITHIN 5 SECONDS)"));
    assert_ne!(parse(qualified), parse("([a:b=1] AND [a:b=2]) WITHIN 5 SECONDS"));
}

#[test]
fn what_is_no_pattern_and_where() {
    for (text, offset) in [
        ("", 0),
        ("   ", 3),
        ("file:size = 1280", 0),
        ("[]", 1),
        ("[file:size = ]", 13),
        ("[file:size = 1", 14),
        ("[file.size = 1280]", 5),
        ("[file:hashes.SHA-256 = 'aa']", 13),
        ("[file:IN = 1]", 6),
        ("[file:name = name]", 13),
        ("[file:name = \"name\"]", 13),
        ("[file:name = 'name]", 13),
        (r"[file:name = 'C:\Windows']", 16),
        ("[file:name MATCHES /x/]", 19),
        ("[file:name LIKE 5]", 16),
        ("[file:size > true]", 13),
        ("[file:size =? 5]", 12),
        ("[file:size = 007]", 13),
        ("[file:size = 5.]", 14),
        ("[file:size = - 5]", 13),
        ("[file:size = 9223372036854775808]", 13),
        ("[NOT file:size = 5]", 5),
        ("[file:size IN (1,)]", 17),
        ("[file:size IN 1]", 14),
        ("[file:a[1.5] = 1]", 8),
        ("[file:a[] = 1]", 8),
        ("[file:a = h'abc']", 10),
        ("[file:a = b'====']", 10),
        ("[file:a = b'']", 10),
        ("[file:a = t'2026-13-01T00:00:00Z']", 10),
        ("[file:a = t'2026-01-01T00:00:00.Z']", 10),
        ("[file:a = t'2026-01-01T00:00:00']", 10),
        ("[3a:b = 1]", 1),
        ("[a:b = 1] within 2 SECONDS", 10),
        ("[a:b = 1] WITHIN -5 SECONDS", 17),
        ("[a:b = 1] WITHIN 5 HOURS", 19),
        ("[a:b = 1] REPEATS 1.5 TIMES", 18),
        ("[a:b = 1] START '2026-01-01T00:00:00Z'", 16),
        ("[a:b = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS", 27),
        ("[a:b = 1] [a:b = 2]", 10),
        ("([a:b = 1]", 10),
        ("[a:b = 1] /* x", 10),
        ("[a:b = 1] AND", 13),
        ("[ü:b = 1]", 1),
    ] {
        assert_eq!(offset_of_error(text), offset, "{text}");
    }
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    let error = "[a:b = 'ü'] OR\n[ü".parse::<Pattern>().unwrap_err();
    assert_eq!((error.offset(), error.line(), error.column()), (17, 2, 2));
    let error = "[file:hashes.SHA-256 = 'aa']".parse::<Pattern>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "at line 1, column 14 (byte 13): expected a property name (one with a hyphen and a \
         reserved word stand in quotes, as in hashes.'SHA-256'), found `SHA-256`"
    );
}

#[test]
fn depth_and_length_are_bounded() {
    let observations =
        |depth| format!("{}[a:b=1]{}", "(".repeat(depth), ")".repeat(depth)).parse::<Pattern>();
    assert!(observations(MAX_DEPTH).is_ok());
    let error = observations(MAX_DEPTH + 1).unwrap_err();
    assert_eq!((error.offset(), error.problem()), (MAX_DEPTH, &Problem::TooDeep));
    let comparisons = format!("[{}", "(".repeat(100_000)).parse::<Pattern>();
    assert_eq!(comparisons.unwrap_err().problem(), &Problem::TooDeep);

    let wide = vec!["[a:b=1] WITHIN 5 SECONDS"; 10_000].join(" AND ");
    assert!(wide.parse::<Pattern>().is_ok());
    let qualified = format!("([a:b=1]){}", " WITHIN 5 SECONDS".repeat(20_000));
    assert!(qualified.parse::<Pattern>().is_ok());
    let long = format!("[a:b = '{}']", "ü".repeat(MAX_BYTES));
    assert!(matches!(long.parse::<Pattern>().unwrap_err().problem(), Problem::TooLong(_)));
}

#[test]
fn an_escaped_value_parses_to_itself() {
    assert_eq!(escape(r"C:\it's"), r"C:\\it\'s");
    let value = r"https://example.com/\'\\''";
    let iocs = parse(&format!("[url:value = '{}']", escape(value))).iocs();
    assert_eq!(iocs.first().map(|ioc| ioc.value.as_str()), Some(value));
}
