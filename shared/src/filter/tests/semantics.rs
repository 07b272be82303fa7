use super::*;

/// Asks the indicator, the relationship and the sighting of the fixtures.
fn table(facets: &Facets, rows: &[(&str, &str, &[&str], bool)]) {
    for (key, operator, values, expected) in rows {
        let found = matches(one(key, operator, values), facets);
        assert_eq!(found, *expected, "{key} {operator} {values:?}");
    }
}

#[test]
fn an_empty_group_matches_everything() {
    for written in [
        json!({}),
        json!({"mode": "or"}),
        json!({"mode": "or", "filters": [], "filterGroups": [{"mode": "or"}, {}]}),
    ] {
        assert!(matches(written, &bare(MALWARE)));
    }
}

#[test]
fn texts_compare_trimmed_and_in_lower_case() {
    table(
        &indicator(),
        &[
            ("name", "eq", &["evil strasse: ÄRGER"], true),
            ("name", "eq", &["evil straße: ärger"], false),
            ("name", "not_eq", &[" EVIL strasse: ärger "], false),
            ("name", "starts_with", &["EVIL"], true),
            ("name", "starts_with", &["evil strasse: ärger and more"], false),
            ("name", "ends_with", &["ÄRGER "], true),
            ("name", "ends_with", &["evil"], false),
            ("name", "contains", &["Strasse"], true),
            ("name", "not_contains", &["strasse"], false),
            ("name", "not_contains", &["benign"], true),
            ("name", "nil", &[], false),
            ("name", "not_nil", &[], true),
            ("pattern_type", "eq", &["STIX"], true),
            ("indicator_type", "eq", &["Malicious-Activity"], true),
            ("indicator_types", "eq", &["benign"], false),
            ("ioc_value", "eq", &["login.example.com"], true),
            ("ioc_value", "ends_with", &[".EXAMPLE.COM"], true),
            ("ioc_value", "starts_with", &["198.51.100."], false),
            ("label", "eq", &["detection"], true),
            ("objectLabel", "contains", &["kit"], true),
        ],
    );
}

#[test]
fn values_are_joined_by_the_mode() {
    let facets = indicator();
    let ask = |operator: &str, mode: Option<&str>, values: [&str; 2]| {
        let mut written = one("label", operator, &values);
        if let Some(mode) = mode {
            written["filters"][0]["mode"] = json!(mode);
        }
        matches(written, &facets)
    };
    let (both, half, none) =
        (["detection", "Phishing Kit"], ["detection", "spam"], ["spam", "benign"]);
    for (operator, mode, expected) in [
        ("eq", None, [true, true, false]),
        ("eq", Some("or"), [true, true, false]),
        ("eq", Some("and"), [true, false, false]),
        ("not_eq", None, [false, false, true]),
        ("not_eq", Some("and"), [false, false, true]),
        ("not_eq", Some("or"), [false, true, true]),
        ("not_contains", None, [false, false, true]),
        ("not_contains", Some("or"), [false, true, true]),
    ] {
        let found = [both, half, none].map(|values| ask(operator, mode, values));
        assert_eq!(found, expected, "{operator} {mode:?}");
    }
}

#[test]
fn groups_are_joined_by_their_mode() {
    let yes = json!({"key": "label", "values": ["detection"]});
    let no = json!({"key": "label", "values": ["spam"]});
    for (written, expected) in [
        (json!({"filters": [yes, no]}), false),
        (json!({"mode": "or", "filters": [yes, no]}), true),
        (json!({"filters": [yes], "filterGroups": [{"mode": "or", "filters": [no, yes]}]}), true),
        (json!({"filters": [yes], "filterGroups": [{"filters": [no]}]}), false),
        (json!({"mode": "or", "filters": [no], "filterGroups": [{"filters": [yes]}]}), true),
    ] {
        assert_eq!(matches(written.clone(), &indicator()), expected, "{written}");
    }
}

#[test]
fn types_are_named_as_stix_or_opencti_does() {
    table(
        &indicator(),
        &[
            ("entity_type", "eq", &["Indicator"], true),
            ("entity_type", "eq", &["indicator"], true),
            ("entity_type", "not_eq", &["Malware", "Report"], true),
            ("entity_type", "eq", &["Stix-Domain-Object"], true),
            ("entity_type", "eq", &["stix-core-object"], true),
            ("entity_type", "eq", &["Stix-Cyber-Observable"], false),
        ],
    );
    for (object_type, name) in [
        ("file", "StixFile"),
        ("ipv4-addr", "IPv4-Addr"),
        ("attack-pattern", "Attack-Pattern"),
        ("threat-actor", "Threat-Actor-Individual"),
        ("identity", "Sector"),
        ("location", "Administrative-Area"),
        ("course-of-action", "Course-Of-Action"),
        ("relationship", "stix-core-relationship"),
        ("sighting", "stix-sighting-relationship"),
        ("report", "Container"),
        ("hostname", "Stix-Cyber-Observable"),
        ("x-mitre-data-source", "Data-Source"),
        ("x-acme-thing", "x-acme-thing"),
    ] {
        let id = format!("{object_type}--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69");
        assert!(matches(one("entity_type", "eq", &[name]), &bare(&id)), "{name}");
    }
}

#[test]
fn a_marking_is_a_level_or_an_id() {
    table(
        &indicator(),
        &[
            ("marking", "eq", &["TLP:GREEN"], true),
            ("marking", "eq", &["green"], true),
            ("marking", "not_eq", &["TLP:RED", "tlp:amber+strict"], true),
            ("objectMarking", "eq", &[GREEN_1], true),
            ("marking", "eq", &[Tlp::Green.marking_id()], true),
            ("marking", "eq", &[Tlp::Red.marking_id()], false),
            ("marking", "nil", &[], false),
        ],
    );
    // The level is the one given with the object, wherever it comes from.
    assert!(matches(one("marking", "eq", &["green"]), &bare(MALWARE)));
    assert!(matches(one("marking", "nil", &[]), &bare(MALWARE)));
}

#[test]
fn numbers_and_bands_are_ordered() {
    table(
        &indicator(),
        &[
            ("confidence", "eq", &["70"], true),
            ("confidence", "gt", &["70"], false),
            ("confidence", "gte", &[" 70 "], true),
            ("confidence", "lt", &["71"], true),
            ("confidence", "lte", &["69"], false),
            ("confidence", "eq", &["High"], true),
            ("confidence", "gt", &["medium"], true),
            ("confidence", "lte", &["medium"], false),
            ("confidence", "not_eq", &["low", "medium"], true),
            ("score", "gte", &["80"], true),
            ("x_opencti_score", "lt", &["-5"], false),
            ("score", "nil", &[], false),
        ],
    );
    table(
        &bare(MALWARE),
        &[
            ("confidence", "lt", &["100"], false),
            ("confidence", "not_eq", &["70"], true),
            ("confidence", "nil", &[], true),
        ],
    );
}

#[test]
fn times_are_instants_or_whole_days() {
    table(
        &indicator(),
        &[
            ("modified", "eq", &["2026-05-15T10:30:00+02:00"], true),
            ("modified", "gt", &["2026-05-15T08:30:00Z"], false),
            ("modified", "gt", &["2026-05-15T08:29:59.999999999Z"], true),
            ("modified", "lte", &["2026-05-15T08:30:00Z"], true),
            ("modified", "eq", &["2026-05-15"], true),
            ("modified", "gt", &["2026-05-15"], false),
            ("modified", "gt", &["2026-05-14"], true),
            ("modified", "gte", &["2026-05-15"], true),
            ("modified", "lt", &["2026-05-15"], false),
            ("modified", "lte", &["2026-05-15"], true),
            ("created", "not_eq", &["2026-05-15"], true),
            ("valid_until", "gte", &["2026-06-16"], false),
            ("valid_until", "nil", &[], false),
        ],
    );
    table(&bare(MALWARE), &[("modified", "lt", &["2027-01-01"], false)]);
}

#[test]
fn the_choices() {
    table(
        &indicator(),
        &[
            ("author", "eq", &[AUTHOR], true),
            ("author", "eq", &["example cert"], true),
            ("createdBy", "not_eq", &["Example CERT"], false),
            ("author", "eq", &[SENSOR], false),
            ("author", "nil", &[], false),
            ("ioc_type", "eq", &["domain"], true),
            ("ioc_type", "eq", &["SHA256", "url"], false),
            ("kill_chain_phase", "eq", &["initial-access"], true),
            ("killChainPhases", "eq", &["mitre-attack/initial-access"], true),
            ("kill_chain_phase", "eq", &["MITRE-ATTACK:Initial-Access"], true),
            ("kill_chain_phase", "eq", &["lockheed/initial-access"], false),
            ("mitre_attack", "eq", &["T1566.002"], true),
            ("mitre_attack", "eq", &["t1566"], true),
            ("mitre_attack", "eq", &["T1566.001"], false),
            ("mitre_attack", "eq", &["T1059.001"], false),
            ("revoked", "eq", &["FALSE"], true),
            ("revoked", "not_eq", &["false"], false),
            ("id", "eq", &[INDICATOR], true),
            ("id", "not_eq", &[MALWARE], true),
            ("owner", "eq", &["Operator"], true),
            ("owner", "eq", &["tenant-a"], false),
            ("owner", "not_eq", &["tenant-a"], true),
        ],
    );
}

#[test]
fn an_author_name_of_several_identities_is_one_value() {
    let mut written = one("author", "eq", &["Example CERT"]);
    written["filters"][0]["mode"] = json!("and");
    assert!(matches(written, &indicator()));
}

#[test]
fn the_ends_of_relationships_and_sightings() {
    table(
        &relationship(),
        &[
            ("relationship_type", "eq", &["Indicates"], true),
            ("source", "eq", &["Indicator"], true),
            ("source", "eq", &[INDICATOR], true),
            ("fromId", "eq", &[INDICATOR], true),
            ("fromTypes", "eq", &["Malware"], false),
            ("target", "eq", &["malware"], true),
            ("toTypes", "eq", &["Malware"], true),
            ("target", "nil", &[], false),
        ],
    );
    table(
        &sighting(),
        &[
            ("relationship_type", "eq", &["sighting"], true),
            ("source", "eq", &["Organization"], true),
            ("target", "eq", &[INDICATOR], true),
            ("fromId", "eq", &[INDICATOR], true),
            ("toTypes", "eq", &["Organization"], true),
        ],
    );
    table(&indicator(), &[("source", "nil", &[], true), ("relationship_type", "nil", &[], true)]);
}

#[test]
fn any_owner_opens_a_filter_only_when_every_way_goes_through_it() {
    let any = json!({"key": "owner", "values": ["any"]});
    let label = json!({"key": "label", "values": ["detection"]});
    for (written, expected) in [
        (json!({}), false),
        (json!({"filters": [label]}), false),
        (json!({"filters": [any]}), true),
        (json!({"filters": [label, any]}), true),
        (json!({"mode": "or", "filters": [label, any]}), false),
        (json!({"mode": "or", "filters": [any]}), true),
        (json!({"filters": [label], "filterGroups": [{"filters": [any]}]}), true),
        (json!({"filters": [{"key": "owner", "values": ["tenant-a"]}]}), false),
    ] {
        assert_eq!(compiled(written.clone()).unwrap().owner_any(), expected, "{written}");
    }
    let facets = indicator();
    let of_tenant = Subject { facets: &facets, level: Tlp::Green, owner: "tenant-a" };
    assert!(compiled(json!({"filters": [any]})).unwrap().matches(&of_tenant));
    assert!(compiled(one("owner", "eq", &["tenant-a"])).unwrap().matches(&of_tenant));
    assert!(!compiled(one("owner", "eq", &["TENANT-A"])).unwrap().matches(&of_tenant));
}

#[test]
fn author_names_are_told_for_look_up() {
    let group: FilterGroup = serde_json::from_value(json!({
        "filters": [{"key": ["createdBy"], "values": ["Example CERT", AUTHOR, " example cert "]}],
        "filterGroups": [
            {"filters": [{"key": "author", "operator": "nil"}]},
            {"filters": [{"key": "author", "values": ["Other"]}, {"key": "name", "values": ["x"]}]}
        ]
    }))
    .unwrap();
    assert_eq!(Filter::author_names(&group), ["Example CERT", "Other"]);
}
