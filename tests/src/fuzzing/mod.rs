//! What each fuzz target does with one input: it feeds the parsers that meet what comes from
//! outside, and holds what they answer against what they promise. A broken promise panics.
//!
//! libFuzzer calls these from `fuzz/`, which takes this folder in as a module of its own so that
//! it need not build the embedded engines; the tests of this crate call them with the seeds in
//! `fuzz/corpus_seeds` and with inputs made from those.

mod bundle;
mod chunks;
mod cursor;
mod drop;
mod filter;
mod indicator;
mod iocs;
mod notification_filter;
mod pattern;
mod query;
mod sample;

pub use bundle::bundle;
pub use cursor::cursor;
pub use drop::drop;
pub use filter::filter;
pub use iocs::iocs;
pub use notification_filter::notification_filter;
pub use pattern::pattern;
pub use query::query;

/// A target: takes any bytes and panics when a promise is broken.
pub type Target = fn(&[u8]);

/// Every target, with the name its seeds, dictionary and libFuzzer binary have.
pub const TARGETS: [(&str, Target); 8] = [
    ("pattern", pattern),
    ("filter", filter),
    ("cursor", cursor),
    ("query", query),
    ("notification_filter", notification_filter),
    ("bundle", bundle),
    ("iocs", iocs),
    ("drop", drop),
];

/// The longest a message about a refused input may be, in bytes: it quotes the input cut short.
const MESSAGE_BYTES: usize = 4096;

/// Holds that a refusal says something, and does not carry the input back whole.
fn check_message(message: &str) {
    assert!(!message.is_empty(), "a refusal without a reason");
    assert!(message.len() <= MESSAGE_BYTES, "a reason of {} bytes: {message}", message.len());
}
