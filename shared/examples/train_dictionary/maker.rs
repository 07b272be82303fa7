//! Chance from a fixed seed, and the values made by it.

use std::fmt::Write;

use chrono::{DateTime, Utc};

use crate::frame::{quoted, written};
use crate::words::{NAMES, OBJECTS, SUBJECTS, TAGS, TECHNIQUES, VERBS};

/// Makes objects; the same ones in every run.
pub(crate) struct Maker {
    state: u64,
}

impl Maker {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A value of an IOC type, for documentation only.
    pub(crate) fn value(&mut self, kind: &str) -> String {
        let number = self.below(256);
        let tag = self.pick(&TAGS).to_lowercase();
        let top = self.pick(&["example.com", "example.org", "example.net"]);
        match kind {
            "ipv4" => format!("{}.{number}", self.pick(&["192.0.2", "198.51.100", "203.0.113"])),
            "ipv6" => format!("2001:db8:{number:x}::{:x}", 1 + self.below(4096)),
            "domain" => format!("{tag}{number}.{top}"),
            "url" => {
                let scheme = self.pick(&["http", "https", "http"]);
                let file = self.pick(&["index.php", "gate.php", "login.html", "a.exe", ""]);
                format!("{scheme}://{tag}.{top}/{file}")
            }
            "md5" => self.hex(32),
            "sha1" => self.hex(40),
            "sha256" => self.hex(64),
            "sha512" => self.hex(128),
            "email" => format!("{tag}{number}@{top}"),
            "cve" => format!("CVE-{}-{:04}", 2017 + self.below(10), self.below(50_000)),
            _ => self.pick(&TECHNIQUES).into(),
        }
    }

    pub(crate) fn sentence(&mut self) -> String {
        let first = self.pick(&SUBJECTS);
        let verb = self.pick(&VERBS);
        let object = self.pick(&OBJECTS);
        let name = self.pick(&NAMES);
        format!("{first} {verb} {object} {name}.")
    }

    pub(crate) fn tags(&mut self) -> Vec<&'static str> {
        (0..=self.below(3)).map(|_| self.pick(&TAGS)).collect()
    }

    pub(crate) fn instant(&mut self) -> DateTime<Utc> {
        let micros = self.next() % 400_000_000_000_000;
        DateTime::from_timestamp_micros(1_600_000_000_000_000 + micros.cast_signed())
            .unwrap_or_default()
    }

    pub(crate) fn time(&mut self) -> String {
        let at = self.instant();
        written(at, if self.chance(70) { 3 } else { 6 })
    }

    /// A quoted id of a type.
    pub(crate) fn id(&mut self, kind: &str) -> String {
        quoted(&format!("{kind}--{}", self.uuid()))
    }

    pub(crate) fn uuid(&mut self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(
            (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes(),
        )
        .into_uuid()
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            let _ = write!(text, "{:016x}", self.next());
        }
        text.truncate(digits);
        text
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % bound
    }

    /// `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
