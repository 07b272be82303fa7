//! taxii.md, Cost: what a page reads, as the tables charge it, whatever the size of the
//! collection, the depth and the way it was loaded; and what an object costs to write.

use shared::log::MAX_ENTRIES;
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::Object;
use tests::metered::Metered;
use tests::realistic::realistic_indicator;
use tests::taxii_reading::{Page, whole_manifest};
use tests::world::World;

/// How often each page is read. The median of what it cost counts: the first finds what an instance
/// remembers too old, now and then.
const READINGS: usize = 5;
/// Objects of a page, and what it may cost.
const PAGES: [(usize, f64); 2] = [(100, 12.0), (1000, 40.0)];
/// What passing over a thousand objects may cost.
const PASSED: f64 = 25.0;

type Query = Vec<(&'static str, String)>;

/// A collection and where its objects stand.
struct Loaded<'a> {
    taxii: Metered,
    collection: &'a Collection,
    /// `date_added` of every object, in order.
    dates: Vec<String>,
}

impl Loaded<'_> {
    /// Reads a page again and again; says what it held and what it cost.
    async fn page(&self, path: &str, query: &Query) -> (Page, f64) {
        let query: Vec<(&str, &str)> = query.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let (mut costs, mut pages) = (Vec::new(), Vec::new());
        for _ in 0..READINGS {
            let before = self.taxii.read_units();
            pages.push(Page::of(&self.taxii.client.get(path).queries(&query).await));
            costs.push(self.taxii.read_units() - before);
        }
        costs.sort_by(f64::total_cmp);
        assert!(costs[0] > 0.0, "{path} is metered");
        (pages.swap_remove(0), costs[READINGS / 2])
    }

    /// Fails the test unless a page holds `expected` objects and costs `bound` at the most.
    async fn costs(&self, path: &str, query: &Query, expected: usize, bound: f64) {
        let (page, units) = self.page(path, query).await;
        let what = format!("{path} {query:?} of {}", self.dates.len());
        assert_eq!(page.items.len(), expected, "{what}");
        assert!(units <= bound, "{what}: {units} units, at most {bound}");
        eprintln!("{units:7.1} of {bound:7.1}  {what}");
    }

    /// Holds pages from the beginning, the middle and near the end to their bounds, with the
    /// filters that return everything, and those that return nothing.
    async fn keeps_its_bounds(&self) {
        let (objects, manifest) = (self.collection.objects(), self.collection.manifest());
        let total = self.dates.len();
        let filters: [Query; 4] = [
            Vec::new(),
            vec![("match[version]", "all".into())],
            vec![("match[version]", "first".into())],
            vec![("match[type]", "indicator".into())],
        ];
        for (limit, bound) in PAGES {
            for filter in &filters {
                for depth in [0, total / 2, total - total / 10] {
                    let expected = limit.min(total - depth);
                    let mut query = filter.clone();
                    query.push(("limit", limit.to_string()));
                    if depth > 0 {
                        query.push(("added_after", self.dates[depth - 1].clone()));
                    }
                    self.costs(&objects, &query, expected, bound).await;
                    if depth > 0 {
                        let next = self.next_at(filter, depth).await;
                        let query = vec![("limit", limit.to_string()), ("next", next)];
                        self.costs(&objects, &query, expected, bound).await;
                    }
                }
            }
            for depth in [0, total / 2] {
                let mut query = vec![("limit", limit.to_string())];
                if depth > 0 {
                    query.push(("added_after", self.dates[depth - 1].clone()));
                }
                self.costs(&manifest, &query, limit.min(total - depth), bound).await;
            }
        }
        #[allow(clippy::cast_precision_loss)]
        let passed = PASSED * total as f64 / 1000.0;
        let nothing = vec![("match[type]", "malware".to_owned())];
        self.costs(&objects, &nothing, 0, passed).await;
    }

    /// The `next` of a page that ends right before the object at `depth`.
    async fn next_at(&self, filter: &Query, depth: usize) -> String {
        let mut query = filter.clone();
        query.push(("limit", "1".into()));
        if depth > 1 {
            query.push(("added_after", self.dates[depth - 2].clone()));
        }
        let (page, _) = self.page(&self.collection.objects(), &query).await;
        page.next.expect("there is more")
    }
}

fn realistic(numbers: std::ops::Range<usize>) -> Vec<Object> {
    numbers.map(realistic_indicator).collect()
}

/// A collection whose log was filled past ingest.
async fn packed<'a>(
    world: &World,
    collection: &'a Collection,
    objects: usize,
    per_commit: usize,
) -> Loaded<'a> {
    let dates = world.append_packed(collection, &realistic(0..objects), per_commit).await;
    Loaded { taxii: world.metered("TaxiiFunction", &world.reader()), collection, dates }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_a_thousand_loaded_in_bulk_keep_their_bounds() {
    let world = World::http().await;
    let objects = realistic(0..1_000);
    let collection = world.holding(&objects).await;
    world.rebuilt(&collection).await;
    let listed = whole_manifest(&world.reader(), &collection).await;
    let dates = listed.iter().map(|e| e["date_added"].as_str().unwrap().to_owned()).collect();
    let loaded = Loaded {
        taxii: world.metered("TaxiiFunction", &world.reader()),
        collection: &collection,
        dates,
    };
    loaded.keeps_its_bounds().await;
    // One read for each that is named, and a constant.
    let named: Vec<&str> = objects.iter().step_by(10).map(Object::id).collect();
    let query = vec![("match[id]", named.join(",")), ("limit", "1000".to_owned())];
    loaded.costs(&collection.objects(), &query, 100, 104.0).await;
    world.later(chrono::TimeDelta::minutes(5));
    loaded.keeps_its_bounds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_fifty_thousand_cost_what_those_of_a_thousand_do() {
    let world = World::http().await;
    let collection = world.collection(CollectionSpec::everything()).await;
    world.rebuilt(&collection).await;
    let loaded = packed(&world, &collection, 50_000, MAX_ENTRIES).await;
    loaded.keeps_its_bounds().await;
    world.later(chrono::TimeDelta::minutes(5));
    loaded.keeps_its_bounds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_a_thousand_loaded_one_by_one_cost_the_same_after_compaction() {
    let world = World::http().await;
    let collection = world.collection(CollectionSpec::everything()).await;
    world.rebuilt(&collection).await;
    let loaded = packed(&world, &collection, 1_000, 1).await;
    let query = vec![("limit", "1000".to_owned())];
    let (_, before) = loaded.page(&collection.objects(), &query).await;
    assert!(before > 40.0, "{before}: there is something to gain");
    for hours in 1..3 {
        let compacted = world.compact(chrono::TimeDelta::hours(hours)).await.unwrap();
        assert!(compacted.failures.is_empty(), "{compacted:?}");
    }
    loaded.keeps_its_bounds().await;
    world.later(chrono::TimeDelta::hours(3));
    loaded.keeps_its_bounds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_object_in_five_collections_costs_three_write_units_at_the_most() {
    const OBJECTS: usize = 1_500;
    let world = World::http().await;
    let mut collections = Vec::new();
    for _ in 0..5 {
        collections.push(world.collection(CollectionSpec::everything()).await);
    }
    for collection in &collections {
        world.rebuilt(collection).await;
    }
    world.at_rest().await;
    let objects = realistic(0..OBJECTS);
    let before = world.write_units();
    for part in objects.chunks(250) {
        world.send(part).await;
    }
    world.at_rest().await;
    #[allow(clippy::cast_precision_loss)]
    let units = (world.write_units() - before) / OBJECTS as f64;
    for collection in &collections {
        assert_eq!(whole_manifest(&world.reader(), collection).await.len(), OBJECTS);
    }
    eprintln!("{units:.2} write units an object");
    assert!(units > 1.0 && units <= 3.0, "{units} write units an object");
}
