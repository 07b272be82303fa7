//! Random histories on an instance-by-instance system, compared with a naive model: a store that
//! is whole whatever happens to it, in whatever order. `IOCAST_HISTORIES=<cases>` runs longer,
//! `IOCAST_SEED=<n>` another row of them.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError};
use tests::history::{history, run};
use tests::lab::block_on;
use tests::worse_days::{Faults, Proxy};

/// Cases within about a minute.
const CASES: u32 = 40;

fn config(cases: u32) -> Config {
    let asked = std::env::var("IOCAST_HISTORIES").ok().and_then(|text| text.parse().ok());
    let cases = asked.unwrap_or(cases);
    // A smaller history that fails is soon found, or not at all: much is a matter of timing.
    let rng_seed = RngSeed::Fixed(tests::chance::seed(0));
    Config { cases, max_shrink_iters: 400, rng_seed, ..Config::with_cases(cases) }
}

proptest! {
    #![proptest_config(config(CASES))]

    #[test]
    fn the_store_is_what_the_model_says(history in history()) {
        let done = block_on(run(&history, |_| None, false));
        done.map_err(TestCaseError::fail)?;
    }
}

proptest! {
    #![proptest_config(config(CASES / 6))]

    #[test]
    fn and_so_it_is_on_worse_days(history in history(), seed in any::<u64>()) {
        let done = block_on(async {
            let mut proxy = None;
            let between = |engine| {
                let started = proxy.insert(Proxy::start(engine));
                started.set(Faults::moderate(seed));
                Some(started.address())
            };
            run(&history, between, true).await
        });
        done.map_err(TestCaseError::fail)?;
    }
}
