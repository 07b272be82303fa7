//! The indicator of a plain IOC that was found right.

use chrono::TimeDelta;
use shared::ioc::{
    Ioc, IocError, IocRecord, MergeError, indicator_id, limits, merge_into, new_indicator, pattern,
};
use shared::pattern::Pattern;
use shared::stix::{IocValue, StixObject};
use shared::time::Timestamp;

use super::sample;

const OWNER: &str = "tenant-a";

/// The IOC is within bounds and in its normal form; its indicator is an object that names it.
pub(super) fn made(ioc: &Ioc) {
    bounded(ioc);
    let again = IocRecord {
        kind: ioc.kind().name().to_owned(),
        value: ioc.value().to_owned(),
        ..IocRecord::default()
    };
    let again = again.check().expect("the normal form of a value is a value");
    assert_eq!((again.kind(), again.value()), (ioc.kind(), ioc.value()), "normalised twice");

    let named = vec![IocValue { kind: ioc.kind(), value: ioc.value().to_owned() }];
    let text = pattern(ioc.kind(), ioc.value());
    let parsed = text.parse::<Pattern>().expect("a pattern of ours");
    assert_eq!((parsed.iocs(), parsed.to_string()), (named.clone(), text));

    let Some(json) = stored(ioc) else { return };
    let facets = object(&json).facets;
    assert_eq!(facets.id, indicator_id(OWNER, ioc.kind(), ioc.value()));
    assert_eq!(facets.iocs, named);
    assert_eq!((facets.labels.as_slice(), facets.confidence), (ioc.tags(), ioc.confidence()));
    assert_eq!(facets.techniques, ioc.techniques());
    assert_eq!(facets.revoked, ioc.revoked() == Some(true));
    assert_eq!(facets.valid_until.as_ref().map(Timestamp::at), ioc.valid_until());
    let from = ioc.first_seen().unwrap_or_else(sample::now);
    assert_eq!(facets.valid_from.as_ref().map(Timestamp::at), Some(from));
    assert!(facets.valid_until.is_none_or(|until| until.at() > from), "over before it begins");

    let later = sample::now() + TimeDelta::hours(1);
    assert_eq!(merge_into(&json, ioc, later), Ok(None), "merging {json} with itself");
}

/// A further report of the same value: it adds what it says, once, and touches nothing else.
pub(super) fn merged(first: &Ioc, second: &Ioc) {
    if (first.kind(), first.value()) != (second.kind(), second.value()) {
        return;
    }
    let Some(json) = stored(first) else { return };
    let later = sample::now() + TimeDelta::hours(1);
    let merged = match merge_into(&json, second, later) {
        Ok(merged) => merged.unwrap_or_else(|| json.clone()),
        Err(MergeError::Ioc(IocError::EndsBeforeStart { .. })) => return,
        Err(error) => panic!("{error}: {json} with {second:?}"),
    };
    let (before, after) = (object(&json).facets, object(&merged).facets);
    assert_eq!((&after.id, &after.iocs), (&before.id, &before.iocs));
    assert_eq!((&after.created, &after.name), (&before.created, &before.name));
    assert_eq!(after.version > before.version, merged != json);
    assert!(after.confidence >= before.confidence && after.confidence >= second.confidence());
    assert!(after.valid_from <= before.valid_from);
    let labels = first.tags().iter().chain(second.tags());
    assert!(labels.clone().all(|tag| after.labels.contains(tag)), "a tag lost in {merged}");
    assert!(after.labels.len() <= labels.count());
    let mut techniques = first.techniques().iter().chain(second.techniques());
    assert!(techniques.all(|id| after.techniques.contains(id)), "a technique lost in {merged}");
    assert_eq!(after.revoked, second.revoked().unwrap_or(before.revoked));

    let again = merge_into(&merged, second, later + TimeDelta::hours(1));
    assert_eq!(again, Ok(None), "merging {merged} with {second:?} again");
}

fn bounded(ioc: &Ioc) {
    let plain = |text: &str| !text.is_empty() && text.trim() == text;
    assert!(plain(ioc.value()) && ioc.value().len() <= limits::VALUE_BYTES, "{ioc:?}");
    assert!(!ioc.value().chars().any(char::is_control), "{ioc:?}");
    assert!(ioc.tags().len() <= limits::TAGS && ioc.tags().iter().all(|tag| plain(tag)));
    assert!(ioc.tags().iter().all(|tag| tag.chars().count() <= limits::TAG_CHARS), "{ioc:?}");
    // A `mitre_attack` IOC names itself beside those it lists.
    assert!(ioc.techniques().len() <= limits::TECHNIQUES + 1, "{ioc:?}");
    assert!(ioc.source().is_none_or(plain), "{ioc:?}");
    assert!(ioc.source().is_none_or(|source| source.chars().count() <= limits::SOURCE_CHARS));
    assert!(ioc.description().is_none_or(plain), "{ioc:?}");
    assert!(ioc.description().is_none_or(|text| text.len() <= limits::DESCRIPTION_BYTES));
    assert!(ioc.confidence().is_none_or(|confidence| confidence <= 100), "{ioc:?}");
}

/// The new indicator; none of an IOC that is over already.
fn stored(ioc: &Ioc) -> Option<String> {
    match new_indicator(ioc, OWNER, sample::now()) {
        Ok(json) => Some(json),
        Err(IocError::EndsBeforeStart { .. }) => {
            assert!(ioc.first_seen().is_none(), "{ioc:?} was found right");
            assert!(ioc.valid_until().is_some_and(|until| until <= sample::now()));
            None
        }
        Err(error) => panic!("{error}: {ioc:?}"),
    }
}

/// An indicator of ours, which nobody may refuse.
fn object(json: &str) -> StixObject {
    match StixObject::parse(json.as_bytes(), sample::now()) {
        Ok(object) => {
            assert_eq!(object.json, json);
            object
        }
        Err(rejection) => panic!("{rejection}: {json}"),
    }
}
