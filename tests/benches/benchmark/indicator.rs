//! Indicators of our own making, of the size real ones have (some 1,000 bytes), with names and
//! addresses kept for documentation.

use uuid::Uuid;

/// One indicator.
#[derive(Debug, Clone)]
pub struct Indicator {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The object.
    pub json: String,
}

/// A series of indicators; the same number stands for different objects in different series, so
/// that filled logs, rounds of ingest and bundles share none.
#[derive(Debug, Clone, Copy)]
pub struct Series(pub u64);

impl Series {
    /// Indicator `number` of the series: always the same one, no two alike.
    pub fn indicator(self, number: usize) -> Indicator {
        let seed = (self.0 << 40) | number as u64;
        let (one, two, three) = (scrambled(seed, 1), scrambled(seed, 2), scrambled(seed, 3));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&one.to_be_bytes());
        bytes[8..].copy_from_slice(&two.to_be_bytes());
        let id = format!("indicator--{}", uuid::Builder::from_random_bytes(bytes).into_uuid());
        let author = Uuid::from_u128(u128::from(three % 7) + 1);
        let version = format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            1 + three % 9,
            1 + (three >> 8) % 28,
            (three >> 16) % 24,
            (three >> 24) % 60,
            (three >> 32) % 60,
            (three >> 40) % 1000
        );
        let name = format!("{:012x}.example.{}", two >> 16, ["com", "net", "org"][number % 3]);
        let (campaign, address, confidence) = (one % 41, two % 254 + 1, 30 + three % 70);
        let report = one >> 32;
        let json = format!(
            r#"{{"type":"indicator","spec_version":"2.1","id":"{id}","created_by_ref":"identity--{author}","created":"{version}","modified":"{version}","name":"{name}","description":"Command and control of campaign {campaign}: the name resolved to 198.51.100.{address} when it was seen, and the certificate is shared with other names of this list.","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = '{name}']","pattern_type":"stix","pattern_version":"2.1","valid_from":"{version}","confidence":{confidence},"labels":["phishing","campaign-{campaign}"],"kill_chain_phases":[{{"kill_chain_name":"mitre-attack","phase_name":"command-and-control"}}],"external_references":[{{"source_name":"list {}","url":"https://lists.example.org/report/{report:08x}"}}],"object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}}"#,
            number % 5
        );
        Indicator { id, version, json }
    }

    /// A bundle of the indicators numbered `from` and on.
    pub fn bundle(self, from: usize, count: usize) -> String {
        let objects: Vec<String> =
            (from..from + count).map(|number| self.indicator(number).json).collect();
        let id = Uuid::from_u128(u128::from(scrambled(from as u64, self.0)));
        format!(r#"{{"type":"bundle","id":"bundle--{id}","objects":[{}]}}"#, objects.join(","))
    }
}

/// Numbers nobody can guess, and always the same (splitmix64).
fn scrambled(seed: u64, salt: u64) -> u64 {
    let mut z = seed.wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
