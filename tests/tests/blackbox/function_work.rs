//! The work that functions' binaries are timed with is work: each of them does it.

use std::sync::Arc;

use futures::stream::{self, StreamExt};
use tests::function::Function;
use tests::lab::block_on;
use tests::real_work;

#[test]
fn every_binary_does_what_it_is_timed_with() {
    block_on(async {
        let works = real_work::all();
        let deployed = std::fs::read_dir(tests::binaries::workspace().join("functions")).unwrap();
        assert_eq!(works.len(), deployed.count(), "each function has its work");
        let done = stream::iter(&works).map(|work| async move {
            let mut begun = work.begin().await;
            let function = Function::start(work.function, &begun.environment()).await;
            let function = Arc::new(function);
            for _ in 0..3 {
                begun.turn(&function).await;
            }
            begun.end().await;
        });
        done.buffer_unordered(4).collect::<Vec<()>>().await;
    });
}
