//! Random histories, and readers that connect, drop and resume at random: replaying the events
//! gives the collection's state. `IOCAST_HISTORIES=<cases>` runs longer, `IOCAST_SEED=<n>` another
//! row of them.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError};
use tests::history::history;
use tests::lab::block_on;
use tests::stream_history;

/// Cases within some twenty seconds.
const CASES: u32 = 16;

fn config() -> Config {
    let asked = std::env::var("IOCAST_HISTORIES").ok().and_then(|text| text.parse().ok());
    let cases = asked.unwrap_or(CASES);
    let rng_seed = RngSeed::Fixed(tests::chance::seed(0));
    Config {
        cases,
        max_shrink_iters: std::env::var("IOCAST_SHRINK")
            .ok()
            .and_then(|s| s.parse().ok())
            .unwrap_or(400),
        rng_seed,
        ..Config::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn replaying_the_events_gives_the_collection(history in history()) {
        block_on(stream_history::run(&history)).map_err(TestCaseError::fail)?;
    }
}
