//! access.md, TLP clearance: which level an object has, and which collections it may enter.

use serde_json::json;
use shared::tlp::Tlp;
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{Object, SECOND, identity, indicator, malware, tlp_marking};
use tests::keys::KeySpec;
use tests::taxii_reading::{all_objects, ids};
use tests::world::World;

/// One collection of everything per level, and a key that reads them all.
struct Levels {
    world: World,
    collections: Vec<(Tlp, Collection)>,
    reader: tests::client::Client,
}

impl Levels {
    async fn start() -> Self {
        let world = World::http().await;
        let mut collections = Vec::new();
        for level in Tlp::ALL {
            let spec = CollectionSpec::everything().ceiling(level);
            collections.push((level, world.collection(spec).await));
        }
        let reader = world.client(KeySpec::of("acme").cleared(Tlp::Red)).await;
        Self { world, collections, reader }
    }

    /// Sends an object as a key cleared for TLP:RED.
    async fn send(&self, object: &Object) {
        let request = self.reader.post("/api/v1/objects");
        let body = tests::fixtures::envelope(std::slice::from_ref(object));
        let answer = request.body("application/json", body).await.expect(200).json();
        assert_eq!(answer["rejected"], 0, "{answer}");
    }

    /// The lowest ceiling under which a collection holds the object; it has to be in all above.
    async fn level_of(&self, object: &Object) -> Tlp {
        self.world.at_rest().await;
        let mut holding = Vec::new();
        for (level, collection) in &self.collections {
            let held = ids(&all_objects(&self.reader, collection).await);
            if held.iter().any(|id| id == object.id()) {
                holding.push(*level);
            }
        }
        let lowest = *holding.first().expect("red holds everything");
        let above: Vec<Tlp> = Tlp::ALL.into_iter().filter(|level| *level >= lowest).collect();
        assert_eq!(holding, above, "a ceiling holds what a lower one holds");
        lowest
    }

    async fn assert_level(&self, object: &Object, level: Tlp) {
        self.send(object).await;
        assert_eq!(self.level_of(object).await, level, "{:?}", object.json());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markings_of_tlp_2_and_tlp_1_give_the_level() {
    let levels = Levels::start().await;
    for level in Tlp::ALL {
        levels.assert_level(&indicator().marked(level), level).await;
    }
    let tlp_1 = [
        ("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::Clear),
        ("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::Green),
        ("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", Tlp::Amber),
        ("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::Red),
    ];
    for (id, level) in tlp_1 {
        let object = indicator().set("object_marking_refs", json!([id]));
        levels.assert_level(&object, level).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_highest_marking_counts_granular_ones_included() {
    let levels = Levels::start().await;
    let (clear, red) = (Tlp::Clear.marking_id(), Tlp::Red.marking_id());
    let two = indicator().set("object_marking_refs", json!([clear, red]));
    levels.assert_level(&two, Tlp::Red).await;
    let granular = indicator().marked(Tlp::Clear).set(
        "granular_markings",
        json!([{"marking_ref": Tlp::AmberStrict.marking_id(), "selectors": ["name"]}]),
    );
    levels.assert_level(&granular, Tlp::AmberStrict).await;
    let marked_and_confident = indicator().marked(Tlp::Red).set("confidence", 90);
    levels.assert_level(&marked_and_confident, Tlp::Red).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_marking_the_confidence_gives_the_level() {
    let levels = Levels::start().await;
    for (confidence, level) in [
        (0, Tlp::Clear),
        (29, Tlp::Clear),
        (30, Tlp::Amber),
        (69, Tlp::Amber),
        (70, Tlp::Green),
        (100, Tlp::Green),
    ] {
        levels.assert_level(&indicator().set("confidence", confidence), level).await;
    }
    levels.assert_level(&indicator(), Tlp::Amber).await;
    levels.assert_level(&malware("Unmarked"), Tlp::Amber).await;
    levels.assert_level(&identity("Example Org"), Tlp::Clear).await;
    levels.assert_level(&identity("Secret Org").marked(Tlp::Red), Tlp::Red).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marking_nobody_knows_is_red_until_its_definition_arrives() {
    let levels = Levels::start().await;
    let marking = tlp_marking("green");
    let object = indicator().set("object_marking_refs", json!([marking.id()]));
    levels.assert_level(&object, Tlp::Red).await;
    levels.assert_level(&marking, Tlp::Clear).await;
    tests::patience::until("the definition re-projects what names it", async || {
        (levels.level_of(&object).await == Tlp::Green).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statement_markings_carry_no_level() {
    let levels = Levels::start().await;
    let statement = tlp_marking("unused")
        .set("definition_type", "statement")
        .set("definition", json!({"statement": "Copyright Example"}))
        .without("name");
    levels.assert_level(&statement, Tlp::Clear).await;
    let object =
        indicator().set("confidence", 80).set("object_marking_refs", json!([statement.id()]));
    levels.assert_level(&object, Tlp::Green).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_whose_level_rises_leaves_the_lower_collections() {
    let levels = Levels::start().await;
    let object = indicator().marked(Tlp::Clear);
    levels.assert_level(&object, Tlp::Clear).await;
    let raised = object.at(SECOND).marked(Tlp::AmberStrict);
    levels.assert_level(&raised, Tlp::AmberStrict).await;
    let (_, clear) = &levels.collections[0];
    let _ = levels.reader.get(&clear.object(raised.id())).await.expect(404);
    let _ = levels.reader.get(&clear.versions(raised.id())).await.expect(404);
    assert_eq!(levels.world.http.base_url(), levels.reader.base_url());
}
