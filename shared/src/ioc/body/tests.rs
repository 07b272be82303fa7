use proptest::prelude::*;

use super::*;

fn shape(found: &[Numbered]) -> Vec<(usize, Result<&str, &IocError>)> {
    found.iter().map(|(at, item)| (*at, item.as_ref().map(|ioc| ioc.value.as_str()))).collect()
}

fn pieces<T>(body: &[u8], size: usize, mut push: impl FnMut(&[u8]) -> Vec<T>) -> Vec<T> {
    body.chunks(size.max(1)).flat_map(&mut push).collect()
}

#[test]
fn ndjson_goes_on_after_a_bad_line() {
    let body = b"\xef\xbb\xbf{\"type\":\"ipv4\",\"value\":\"192.0.2.1\"}\r\n\n  \n{oops\n\xff\n{\"type\":\"ipv4\",\"value\":\"192.0.2.2\"}";
    let found = ndjson(body);
    assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 4, 5, 6]);
    assert!(found[0].1.is_ok() && found[3].1.is_ok());
    assert!(matches!(found[1].1, Err(IocError::Json(_))));
    assert_eq!(found[2].1, Err(IocError::NotUtf8));
}

#[test]
fn ndjson_passes_over_a_line_too_long() {
    let mut body = vec![b'x'; MAX_RECORD_BYTES * 3];
    body.extend_from_slice(b"\n{\"type\":\"ipv4\",\"value\":\"192.0.2.2\"}\n");
    let mut reader = IocLines::new();
    let found = pieces(&body, 1000, |piece| {
        let found = reader.push(piece);
        assert!(reader.held() <= MAX_RECORD_BYTES);
        found
    });
    assert_eq!(found[0], (1, Err(IocError::RecordTooLong { limit: MAX_RECORD_BYTES })));
    assert_eq!((found.len(), found[1].0, found[1].1.is_ok()), (2, 2, true));
}

#[test]
fn a_json_array_is_whole_or_nothing_but_its_items_stand_alone() {
    let found = json_array(
        b"\xef\xbb\xbf[1, {\"type\":\"ipv4\",\"value\":\"192.0.2.1\"}, [], {\"value\":2}]",
    );
    let found = found.unwrap();
    let numbers: Vec<_> = found.iter().map(|(at, item)| (*at, item.is_ok())).collect();
    assert_eq!(numbers, [(1, false), (2, true), (3, false), (4, false)]);
    for bad in ["", "{}", "[1,", "[1] 2", "[\"\u{0}\"]"] {
        assert!(json_array(bad.as_bytes()).unwrap_err().ends_body(), "{bad}");
    }
    assert_eq!(json_array(b" [] "), Ok(Vec::new()));
}

#[test]
fn csv_has_quotes_comments_and_blank_lines() {
    let body = "\u{feff}# a list\r\n\r\ntype,Value,description\r\nipv4,192.0.2.1,\"two\r\nlines, \
                \"\"quoted\"\"\"\r\n# no\n,,\nipv4\ndomain,example.com";
    let found = csv(body.as_bytes());
    assert_eq!(
        shape(&found),
        [(4, Ok("192.0.2.1")), (8, Err(&IocError::Missing("value"))), (9, Ok("example.com"))]
    );
    let description = found[0].1.as_ref().unwrap().description.as_deref();
    assert_eq!(description, Some("two\r\nlines, \"quoted\""));
}

#[test]
fn csv_without_a_header_is_one_error() {
    for body in
        ["", "# nothing\n", "ipv4,192.0.2.1\nipv4,192.0.2.2\n", "\"type,value\nx,y\n", "\u{0}"]
    {
        let found = csv(body.as_bytes());
        assert_eq!(found.len(), 1, "{body}");
        assert!(found[0].1.as_ref().is_err_and(IocError::ends_body), "{body}");
    }
}

#[test]
fn a_quote_left_open_costs_its_own_line() {
    let rows = |count: usize| "ipv4,192.0.2.1,x\n".repeat(count);
    for count in [1, 3, 8000] {
        let body =
            format!("type,value,description\n{}ipv4,192.0.2.2,\"oops\n{}", rows(2), rows(count));
        let found = csv(body.as_bytes());
        assert_eq!(found.len(), 3 + count);
        assert_eq!(found[2], (4, Err(IocError::UnclosedQuote)));
        assert!(
            found
                .iter()
                .enumerate()
                .all(|(at, (line, item))| *line == at + 2 && (at == 2 || item.is_ok()))
        );
    }
}

#[test]
fn lines_of_odd_quotes_are_read_in_time() {
    let body = format!("type,value\n{}", "\"x\"y\",z,\"\n".repeat(400_000));
    assert!(csv(body.as_bytes()).len() > 100_000);
}

#[test]
fn csv_passes_over_a_line_too_long() {
    let long = "x".repeat(MAX_RECORD_BYTES * 2);
    let body = format!("type,value\nipv4,{long}\nipv4,\"{long}\nipv4,192.0.2.1\nipv4,\"{long}\"\n");
    let too_long = IocError::RecordTooLong { limit: MAX_RECORD_BYTES };
    assert_eq!(
        shape(&csv(body.as_bytes())),
        [(2, Err(&too_long)), (3, Err(&too_long)), (4, Ok("192.0.2.1")), (5, Err(&too_long))]
    );
}

proptest! {
    #[test]
    fn ndjson_does_not_depend_on_pieces(body in "[{}\":a-c\n\r ]{0,200}", size in 1..40usize) {
        let mut reader = IocLines::new();
        let mut found = pieces(body.as_bytes(), size, |piece| reader.push(piece));
        found.extend(reader.finish());
        prop_assert_eq!(found, ndjson(body.as_bytes()));
    }

    #[test]
    fn csv_does_not_depend_on_pieces(body in "[\",#a\n]{0,200}", long: bool, size in 1..5000usize) {
        // Repeated, so that rows reach the bound.
        let body = format!("type,value\n{}", body.repeat(if long { 900 } else { 1 }));
        let mut reader = CsvRecords::new();
        let mut found = pieces(body.as_bytes(), size, |piece| reader.push(piece));
        found.extend(reader.finish());
        prop_assert_eq!(found, csv(body.as_bytes()));
    }

    #[test]
    fn any_bytes_are_safe(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (ndjson(&body), csv(&body));
        let _ = json_array(&body);
    }

    /// What the `csv` crate writes is read as it was.
    #[test]
    fn csv_reads_what_others_write(
        rows in prop::collection::vec(("[a-cé\"][\", \n#a-cé]{0,8}x", "[\",;\n#a-c]{0,8}", "[\"\n,é]{0,5}[.]"), 1..8)
    ) {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(["type", "value", "description"]).unwrap();
        for (kind, value, description) in &rows {
            writer.write_record([kind, &format!("{value}."), description]).unwrap();
        }
        let body = writer.into_inner().unwrap();
        let found: Vec<_> = csv(&body).into_iter().map(|(_, item)| item.unwrap()).collect();
        prop_assert_eq!(found.len(), rows.len());
        for (record, (kind, value, description)) in found.iter().zip(&rows) {
            prop_assert_eq!(&record.kind, kind);
            prop_assert_eq!(&record.value, &format!("{value}."));
            prop_assert_eq!(record.description.as_ref(), Some(description));
        }
    }
}
