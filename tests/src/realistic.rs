//! Indicators as plain IOCs make them, with names and addresses kept for documentation.

use chrono::{DateTime, TimeDelta, Utc};
use shared::ioc::{IocRecord, new_indicator};

use crate::chance::Chance;
use crate::fixtures::Object;

const TAGS: [&str; 12] = [
    "amberfox",
    "blueheron",
    "coldriver",
    "drycreek",
    "earlyfrost",
    "farharbour",
    "greenlantern",
    "highmeadow",
    "irongate",
    "latesummer",
    "northwind",
    "oldmill",
];
const TECHNIQUES: [&str; 4] = ["T1566", "T1071", "T1105", "T1486"];
const SOURCES: [&str; 4] = ["first/list", "second/list", "third/list", "fourth/list"];

/// The indicator that IOC `number` makes: always the same one, no two alike.
pub fn realistic_indicator(number: usize) -> Object {
    let mut chance = Chance::of(number as u64);
    let (kind, value) = value(&mut chance);
    let record = IocRecord {
        kind: kind.to_owned(),
        value,
        confidence: Some(["high", "medium", "low"][chance.below(3)].to_owned()),
        tags: vec![TAGS[chance.below(TAGS.len())].to_owned()],
        mitre: vec![TECHNIQUES[chance.below(TECHNIQUES.len())].to_owned()],
        source: Some(SOURCES[chance.below(SOURCES.len())].to_owned()),
        ..IocRecord::default()
    };
    // A list is sent in parts: what comes in one shares its moment.
    let moment = DateTime::<Utc>::from_timestamp(1_770_000_000, 0).unwrap()
        + TimeDelta::milliseconds(137 * i64::try_from(number / 250).unwrap());
    let json = new_indicator(&record.check().unwrap(), "operator", moment).unwrap();
    Object::of(serde_json::from_str(&json).unwrap())
}

fn value(chance: &mut Chance) -> (&'static str, String) {
    let top = ["com", "net", "org"][chance.below(3)];
    let host = format!("{:013x}.example.{top}", chance.number() >> 12);
    match chance.below(4) {
        0 => ("domain", host),
        1 => ("url", format!("http://{host}/{:x}/index.html", chance.number() >> 24)),
        2 => ("sha256", (0..4).map(|_| format!("{:016x}", chance.number())).collect()),
        _ => {
            let (group, host) = (chance.below(65_536), chance.below(65_536));
            ("ipv6", format!("2001:db8:{group:x}::{host:x}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_as_large_as_real_ones_and_no_two_are_alike() {
        let sizes: Vec<usize> =
            (0..1000).map(|n| realistic_indicator(n).json().to_string().len()).collect();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((750..=1024).contains(&mean), "{mean} bytes");
        let ids: std::collections::HashSet<String> =
            (0..1000).map(|n| realistic_indicator(n).id().to_owned()).collect();
        assert_eq!(ids.len(), sizes.len());
    }
}
