//! The level a row says: by what its markings stand for and its collection may hold, now.

use csv_publish::Outcome;
use serde_json::json;
use shared::tlp::Tlp;
use tests::client::Client;
use tests::collection::CollectionSpec;
use tests::feeds::{feed, publish, publish_by, read, reader};
use tests::fixtures::{Object, SECOND, THIRD, envelope, fresh_id, indicator, tlp_marking};
use tests::keys::KeySpec;
use tests::patience::until;
use tests::world::World;

async fn define(w: &World, marking: &Object) {
    let operator = w.http.with_key(w.admin_key());
    let body = envelope(std::slice::from_ref(marking));
    let _ = operator.post("/api/v1/objects").body("application/json", body).await.expect(200);
}

async fn forget(w: &World, marking: &Object) {
    let operator = w.http.with_key(w.admin_key());
    let _ = operator.delete(&format!("/api/v1/objects/{}", marking.id())).await.expect(200);
}

async fn red_reader(w: &World) -> Client {
    let key = KeySpec::of("acme").with([shared::access::Scope::ReadCsv]);
    let key = w.key(KeySpec { clearance: Tlp::Red, ..key }).await;
    w.http.with_key(&key.text)
}

fn is_whole(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Published(new) if new.whole)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_nobody_wrote_follows_its_marking() {
    let w = World::http().await;
    // Definitions do not enter it themselves.
    let c = w.collection(CollectionSpec::labelled("listed").ceiling(Tlp::Red)).await;
    let marking = tlp_marking("green");
    let marked = indicator().labelled("listed").set("object_marking_refs", json!([marking.id()]));
    w.rebuilt(&c).await;
    w.send(&[marked.clone(), indicator().labelled("listed")]).await;
    w.at_rest().await;
    let f = feed(&w, &c, json!({"columns": ["id", "tlp"], "formats": ["csv", "splunk"]})).await;
    publish(&w, &f).await;
    let client = red_reader(&w).await;
    let services = w.another_instance();
    let row = async |level: &str| {
        let csv = read(&client, &f, "csv").await.text();
        assert!(csv.contains(&format!("\"{}\",\"{level}\"\r\n", marked.id())), "{level}: {csv}");
    };
    row("red").await;
    // Nothing new, in a feed with such a marking: half a unit more, and nothing written.
    let cheap = async || {
        w.at_rest().await;
        publish(&w, &f).await;
        let before = services.store().units();
        assert_eq!(publish_by(&services, &f).await.unwrap(), Outcome::Unchanged);
        let units = services.store().units() - before;
        assert!(units.read <= 4.0 && units.write == 0.0, "{units:?}");
    };
    cheap().await;
    define(&w, &marking).await;
    assert!(is_whole(&publish_by(&services, &f).await.unwrap()), "it arrived");
    row("green").await;
    cheap().await;
    // Its definition goes, and comes again with another level.
    forget(&w, &marking).await;
    until("the definition is gone", async || {
        is_whole(&publish_by(&services, &f).await.unwrap()).then_some(())
    })
    .await;
    row("red").await;
    for level in ["clear", "amber"] {
        let created = if level == "clear" { SECOND } else { THIRD };
        let again = marking.clone().set("definition", json!({"tlp": level}));
        define(&w, &again.set("name", format!("TLP:{level}")).set("created", created)).await;
        assert!(is_whole(&publish_by(&services, &f).await.unwrap()), "it is {level} now");
        row(level).await;
        cheap().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_ceiling_makes_the_files_anew() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything().ceiling(Tlp::Red)).await;
    let unknown = fresh_id("marking-definition");
    // What an ordinary log would not hold: the rows are by the words of the operator alone.
    let of_a_tenant = indicator().set("object_marking_refs", json!([unknown]));
    w.rebuilt(&c).await;
    w.append_packed(&c, std::slice::from_ref(&of_a_tenant), 1).await;
    let f = feed(&w, &c, json!({"columns": ["id", "tlp"]})).await;
    publish(&w, &f).await;
    let client = red_reader(&w).await;
    let says = async |level: Tlp| {
        let csv = read(&client, &f, "csv").await.text();
        let (name, row) = (level.name(), format!("\"{}\",\"{level}\"\r\n", of_a_tenant.id()));
        assert!(csv.contains(&row), "{csv}");
        assert!(csv.contains(&format!("# tlp: TLP:{}\r\n", name.to_uppercase())), "{csv}");
    };
    says(Tlp::Red).await;
    for level in [Tlp::Amber, Tlp::Red] {
        let spec = CollectionSpec { title: c.spec.title.clone(), ..c.spec.clone() }.ceiling(level);
        w.change_to(&c, &spec).await;
        w.rebuilt(&c).await;
        let outcome = publish(&w, &f).await;
        assert!(is_whole(&outcome), "{level}: {outcome:?}");
        says(level).await;
        assert_eq!(publish(&w, &f).await, Outcome::Unchanged, "{level}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_level_is_never_lowered_to_the_ceiling() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    w.rebuilt(&c).await;
    // As where the ceiling was raised just after it was read.
    let red = indicator().marked(Tlp::Red);
    w.append_packed(&c, std::slice::from_ref(&red), 1).await;
    let f = feed(&w, &c, json!({"columns": ["id", "tlp"]})).await;
    publish(&w, &f).await;
    let path = tests::feeds::path(&f, "csv");
    let _ = reader(&w, "acme").await.get(&path).await.expect(403);
    let csv = read(&red_reader(&w).await, &f, "csv").await.text();
    assert!(csv.contains(&format!("\"{}\",\"red\"\r\n", red.id())), "{csv}");
    assert!(csv.contains("# tlp: TLP:RED\r\n"), "{csv}");
}
