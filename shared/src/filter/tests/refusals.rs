use super::*;

fn refusal(written: Value) -> String {
    compiled(written).unwrap_err().to_string()
}

#[test]
fn a_bad_key_or_operator_is_named_with_the_right_ones() {
    let keys = "entity_type, label, marking, author, confidence, score, pattern_type, \
                indicator_type, ioc_type, ioc_value, kill_chain_phase, mitre_attack, revoked, \
                created, modified, valid_until, id, name, relationship_type, source, target or \
                owner";
    for (key, operator, values, expected) in [
        ("lable", "eq", &["x"][..], &*format!("unknown key \"lable\": use {keys}")),
        (
            "label",
            "like",
            &["x"],
            "unknown operator \"like\": with `label` use eq, not_eq, contains, not_contains, \
             starts_with, ends_with, nil or not_nil",
        ),
        (
            "objectLabel",
            "gt",
            &["x"],
            "`gt` does not apply to `label`: use eq, not_eq, contains, not_contains, \
             starts_with, ends_with, nil or not_nil",
        ),
        ("revoked", "nil", &[], "`nil` does not apply to `revoked`: use eq or not_eq"),
        ("name", "eq", &[], "`eq` on `name` needs at least one value; for an absent one use nil"),
        ("name", "nil", &["x"], "`nil` on `name` takes no values"),
    ] {
        assert_eq!(refusal(one(key, operator, values)), expected);
    }
}

#[test]
fn a_bad_value_is_named_with_what_is_right() {
    for (key, operator, values, expected) in [
        (
            "name",
            "eq",
            &[" "][..],
            "\" \" is no value of `name`: use a value that is not empty, or the operator nil",
        ),
        (
            "confidence",
            "gte",
            &["101"],
            "\"101\" is no value of `confidence`: use a whole number from 0 to 100, or low, \
             medium or high",
        ),
        ("score", "gte", &["1.5"], "\"1.5\" is no value of `score`: use a whole number"),
        (
            "modified",
            "gt",
            &["yesterday"],
            "\"yesterday\" is no value of `modified`: use a time such as 2026-05-15T08:30:00Z, \
             or a date such as 2026-05-15",
        ),
        (
            "marking",
            "eq",
            &["TLP:PURPLE"],
            "\"TLP:PURPLE\" is no value of `marking`: use TLP:CLEAR, TLP:GREEN, TLP:AMBER, \
             TLP:AMBER+STRICT, TLP:RED or the id of a marking-definition",
        ),
        (
            "author",
            "eq",
            &["Nobody"],
            "no identity is named \"Nobody\": use the id of an identity, or load the identity \
             first",
        ),
        (
            "author",
            "eq",
            &[MALWARE],
            "\"malware--2c1d5e4f-8a7b-4c6d-9e0f-112233445566\" is no value of `author`: use the \
             id or the name of an identity",
        ),
        (
            "ioc_type",
            "eq",
            &["ip"],
            "\"ip\" is no value of `ioc_type`: use ipv4, ipv6, domain, url, md5, sha1, sha256, \
             sha512, email, cve or mitre_attack",
        ),
        (
            "mitre_attack",
            "eq",
            &["TA0001"],
            "\"TA0001\" is no value of `mitre_attack`: use the id of a technique such as T1059 \
             or T1059.001",
        ),
        ("revoked", "eq", &["yes"], "\"yes\" is no value of `revoked`: use true or false"),
        (
            "id",
            "eq",
            &["malware"],
            "\"malware\" is no value of `id`: use the id of an object, such as \
             malware--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69",
        ),
        (
            "objectLabel",
            "eq",
            &["label--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69"],
            "\"label--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69\" is no value of `label`: use the \
             text of a label; objects do not carry the ids of labels",
        ),
        (
            "owner",
            "not_eq",
            &["any"],
            "\"any\" is no value of `owner`: use operator or the id of a tenant",
        ),
    ] {
        assert_eq!(refusal(one(key, operator, values)), expected);
    }
}

#[test]
fn a_type_that_cannot_be_is_refused_with_those_that_can() {
    for (key, value) in [("entity_type", "Indicatr"), ("source", "Mal ware"), ("toTypes", "a")] {
        let said = refusal(one(key, "eq", &[value]));
        assert!(said.starts_with(&format!("{value:?} is no value of ")), "{said}");
        for name in ["attack-pattern", "ipv4-addr", "relationship", "StixFile", "Container"] {
            assert!(said.contains(name), "{said}");
        }
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let nested = |depth: usize| {
        (1..depth).fold(json!({}), |inner, _| json!({"mode": "or", "filterGroups": [inner]}))
    };
    assert!(compiled(nested(8)).is_ok());
    assert_eq!(refusal(nested(9)), "groups are nested more than 8 deep");

    let condition = json!({"key": "label", "values": ["x"]});
    let many = |count: usize| json!({"filters": vec![condition.clone(); count]});
    assert!(compiled(many(499)).is_ok());
    assert_eq!(refusal(many(500)), "a filter has at most 500 conditions and groups");
    assert_eq!(
        refusal(json!({"filterGroups": vec![json!({}); 500]})),
        "a filter has at most 500 conditions and groups"
    );
    assert_eq!(
        refusal(one("label", "eq", &["x"; 501])),
        "a filter has at most 500 values in all its conditions"
    );

    let long = "é".repeat(1025);
    assert!(compiled(one("name", "eq", &[&long[..2048]])).is_ok());
    assert_eq!(
        refusal(one("name", "eq", &[&long])),
        format!("a value of `name` is longer than 2048 bytes: {:?}…", "é".repeat(80))
    );
}

#[test]
fn what_is_no_filter_is_refused_when_read() {
    for (written, said) in [
        (json!({"modes": "and"}), "unknown field `modes`"),
        (json!({"mode": "xor"}), "unknown variant `xor`, expected `and` or `or`"),
        (json!({"filters": [{"values": ["x"]}]}), "missing field `key`"),
        (json!({"filters": [{"key": "a", "id": "b"}]}), "unknown field `id`"),
        (json!({"filters": [{"key": []}]}), "`key` is a text, or an array with one text"),
        (json!({"filters": [{"key": ["a", "b"]}]}), "`key` is a text, or an array with one text"),
        (json!({"filters": [{"key": "a", "values": [1]}]}), "expected a string"),
    ] {
        let error = serde_json::from_value::<FilterGroup>(written).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_filter_is_shown_as_it_was_written() {
    for written in [
        json!({"filters": [], "filterGroups": []}),
        json!({
            "mode": "or",
            "filters": [
                {"key": ["objectLabel"], "values": [" Detection "], "operator": "eq", "mode": "or"},
                {"key": "revoked", "values": ["FALSE"]}
            ],
            "filterGroups": [{"mode": "and", "filters": [], "filterGroups": []}]
        }),
    ] {
        let group: FilterGroup = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&group).unwrap(), written);
    }
}
