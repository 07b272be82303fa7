//! taxii.md, Writes: what a POST takes, refuses and adds.

use serde_json::{Value, json};
use shared::tlp::Tlp;
use tests::client::{Answer, TAXII};
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{Object, SECOND, envelope, indicator, indicators, malware};
use tests::keys::KeySpec;
use tests::taxii_reading::{Page, all_objects, ids};
use tests::world::World;

async fn post(w: &World, collection: &Collection, objects: &[Object]) -> Value {
    let request = w.writer().post(&collection.objects()).body(TAXII, envelope(objects));
    request.await.expect(202).json()
}

async fn complete(w: &World, status: Value) -> Value {
    let path = format!("/taxii2/intel/status/{}/", status["id"].as_str().unwrap());
    tests::patience::until("the status says complete", async || {
        let status = w.writer().get(&path).await.expect(200).json();
        (status["status"] == "complete").then_some(status)
    })
    .await
}

async fn posted_objects_are_read_back_untouched(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let objects = [indicator().set("x_custom", json!({"deep": [1, null, "é"]})), malware("One")];
    let status = post(w, &c, &objects).await;
    let status = complete(w, status).await;
    assert_eq!(status["success_count"], 2, "{status}");
    let read = all_objects(&w.reader(), &c).await;
    assert_eq!(read.len(), 2);
    assert!(objects.iter().all(|object| read.contains(&object.json())));
}

async fn who_sees_complete_and_reads_finds(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let mut usually = 0;
    for round in 0..12 {
        let objects = indicators(1 + round);
        let status = post(w, &c, &objects).await;
        usually += usize::from(status["status"] == "complete");
        if status["status"] != "complete" {
            complete(w, status).await;
        }
        for object in &objects {
            let _ = w.reader().get(&c.object(object.id())).await.expect(200);
        }
    }
    assert!(usually >= 6, "a POST waits, so that it usually answers complete: {usually} of 12");
}

async fn posting_a_newer_version_completes_when_that_version_is_readable(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let object = indicator();
    let status = post(w, &c, std::slice::from_ref(&object)).await;
    complete(w, status).await;
    let newer = object.at(SECOND).set("name", "newer");
    let status = post(w, &c, std::slice::from_ref(&newer)).await;
    complete(w, status).await;
    let page = Page::of(&w.reader().get(&c.object(newer.id())).await);
    assert_eq!(page.items, [newer.json()]);
}

async fn posting_adds_to_this_collection_beside_its_filter(w: &World) {
    let c = w.collection(CollectionSpec::labelled("chosen")).await;
    let chosen = indicator().labelled("chosen");
    w.load(&c, std::slice::from_ref(&chosen)).await;
    let posted = indicator();
    let status = post(w, &c, std::slice::from_ref(&posted)).await;
    complete(w, status).await;
    let newer = posted.clone().at(SECOND);
    w.load(&c, std::slice::from_ref(&newer)).await;
    w.quiet(&c, &indicator().labelled("chosen")).await;
    let held = ids(&all_objects(&w.reader(), &c).await);
    assert!(held.contains(&chosen.id().to_owned()));
    assert!(held.contains(&posted.id().to_owned()), "a later version stays too");
    let other = w.collection(CollectionSpec::labelled("other")).await;
    let answer = w.reader().get(&other.objects()).await.expect(200);
    assert_eq!(answer.text(), "{}");
}

async fn a_duplicate_is_a_success_and_not_entered_twice(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let object = indicator();
    let twice = [object.clone(), object.clone()];
    let status = post(w, &c, &twice).await;
    assert_eq!(status["failure_count"], 0, "{status}");
    let status = complete(w, status).await;
    assert_eq!(status["total_count"], 2, "{status}");
    let status = post(w, &c, &twice[..1]).await;
    let status = complete(w, status).await;
    assert_eq!((&status["success_count"], &status["failure_count"]), (&json!(1), &json!(0)));
    assert_eq!(all_objects(&w.reader(), &c).await.len(), 1);
}

async fn one_bad_object_is_a_failure_and_the_rest_succeed(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let good = indicators(3);
    let bad = indicator().set("pattern", "[this does not parse");
    let objects = [good[0].clone(), bad.clone(), good[1].clone(), good[2].clone()];
    let status = post(w, &c, &objects).await;
    let status = complete(w, status).await;
    assert_eq!(status["total_count"], 4, "{status}");
    assert_eq!(status["success_count"], 3, "{status}");
    assert_eq!(status["failure_count"], 1, "{status}");
    assert_eq!(status["failures"][0]["id"], bad.id(), "{status}");
    assert!(status["failures"][0]["message"].as_str().is_some_and(|m| m.contains("pattern")));
    assert_eq!(all_objects(&w.reader(), &c).await.len(), 3);
}

async fn an_object_above_the_ceiling_or_the_clearance_is_a_failure(w: &World) {
    let low = w.collection(CollectionSpec::everything().ceiling(Tlp::Green)).await;
    let high = w.collection(CollectionSpec::everything().ceiling(Tlp::Red)).await;
    let cleared = w.client(KeySpec::of("acme").cleared(Tlp::Red)).await;
    let green = indicator().marked(Tlp::Green);
    let red = indicator().marked(Tlp::Red);
    let both = envelope(&[green.clone(), red.clone()]);
    let above_ceiling = cleared.post(&low.objects()).body(TAXII, both.clone()).await;
    let amber_key = w.writer().post(&high.objects()).body(TAXII, both).await;
    for (collection, answer) in [(&low, above_ceiling), (&high, amber_key)] {
        let status = answer.expect(202).json();
        assert_eq!(status["failure_count"], 1, "{status}");
        assert_eq!(status["failures"][0]["id"], red.id(), "{status}");
        let reason = status["failures"][0]["message"].as_str().unwrap();
        assert!(!reason.is_empty());
        complete(w, status).await;
        let held = ids(&all_objects(&cleared, collection).await);
        assert_eq!(held, [green.id()]);
    }
}

async fn what_is_no_envelope_is_422_and_what_is_no_json_400(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let post = async |body: &str| -> Answer {
        w.writer().post(&c.objects()).body(TAXII, body.to_owned()).await
    };
    for body in ["5", "\"text\"", "null", "true", r#"{"objects": {}}"#, r#"{"objects": "x"}"#] {
        assert_eq!(post(body).await.status, 422, "{body}");
    }
    for body in ["", "{", r#"{"objects": [}"#, r#"{"objects": []} x"#, "\u{feff}{", "{'a': 1}"] {
        assert_eq!(post(body).await.status, 400, "{body:?}");
    }
    let not_text = w.writer().post(&c.objects()).body(TAXII, &b"{\"objects\":[\"\xff\"]}"[..]);
    assert_eq!(not_text.await.status, 400);
}

async fn a_body_above_what_is_advertised_is_413(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let root = w.writer().get("/taxii2/intel/").await.expect(200).json();
    let limit = usize::try_from(root["max_content_length"].as_u64().unwrap()).unwrap();
    let body = envelope(&[indicator()]);
    let fits = format!("{body}{}", " ".repeat(limit - body.len()));
    let status = w.writer().post(&c.objects()).body(TAXII, fits.clone()).await.expect(202).json();
    assert_eq!(status["success_count"], 1, "{status}");
    let answer = w.writer().post(&c.objects()).body(TAXII, format!("{fits} ")).await.expect(413);
    assert_eq!(answer.json()["http_status"], "413");
}

over_both_transports!(
    posted_objects_are_read_back_untouched,
    who_sees_complete_and_reads_finds,
    posting_a_newer_version_completes_when_that_version_is_readable,
    posting_adds_to_this_collection_beside_its_filter,
    a_duplicate_is_a_success_and_not_entered_twice,
    one_bad_object_is_a_failure_and_the_rest_succeed,
    an_object_above_the_ceiling_or_the_clearance_is_a_failure,
    what_is_no_envelope_is_422_and_what_is_no_json_400,
    a_body_above_what_is_advertised_is_413,
);
