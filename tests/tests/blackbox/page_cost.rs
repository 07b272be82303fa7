//! taxii.md, Cost: a page's read units, whatever the size and the depth.

use local::measure::measure;
use tests::fixtures::indicators;
use tests::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_costs_what_it_returns_at_any_depth() {
    let report = measure(6_000).await.expect("the service is measured");
    assert!(report.within_bounds(), "{report}");
    assert!(report.write_units <= 3.0, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manifests_and_filters_without_hits_keep_their_bounds() {
    let w = World::http().await;
    let c = w.holding(&indicators(1_000)).await;
    w.rebuilt(&c).await;
    let taxii = w.metered("TaxiiFunction", &w.reader());
    // The first request reads the key, its plan and the definitions as well.
    let _ = taxii.client.get(&c.path("")).await.expect(200);
    let manifest = c.manifest();
    let objects = c.objects();
    for (path, query, bound) in
        [(&manifest, ("limit", "1000"), 40.0), (&objects, ("match[type]", "malware"), 25.0)]
    {
        let before = taxii.read_units();
        let _ = taxii.client.get(path).query(query.0, query.1).await.expect(200);
        let units = taxii.read_units() - before;
        assert!(units > 0.0 && units <= bound, "{path} {query:?}: {units}");
    }
}
