//! taxii.md, Cost: a page's read units, whatever the size and the depth.

use local::measure::measure;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_costs_what_it_returns_at_any_depth() {
    let report = measure(6_000).await.expect("the service is measured");
    assert!(report.within_bounds(), "{report}");
    assert!(report.write_units <= 3.0, "{report}");
}
