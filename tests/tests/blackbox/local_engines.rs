//! Other programs and users of the machine do not reach the engines of a local service.

use std::os::unix::fs::PermissionsExt;

use local::engines::s3::Access;
use tests::service::{Inbox, Service};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_service_and_its_bucket_have_a_port() {
    let service = Service::start(&["--in-memory"]).await;
    let http = service.ready.base_url.rsplit(':').next().unwrap().parse().unwrap();
    let mut expected = [http, service.ready.s3.address.port()];
    expected.sort_unstable();
    assert_eq!(service.ports(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inbox_takes_nothing_from_who_does_not_know_the_secret() {
    let service = Service::start(&["--in-memory"]).await;
    let other = Service::start(&["--in-memory"]).await;
    for guess in ["iocast-local", "", other.ready.s3.secret.as_str()] {
        let access = Access { secret: guess.to_owned(), ..service.ready.s3.clone() };
        let put = Inbox::of(access, &service.ready.bucket).put("inbox/a.json", "[]").await;
        let refused = put.expect_err(guess);
        assert!(refused.contains("SignatureDoesNotMatch"), "{refused}");
    }
    service.inbox().put("inbox/a.json", "[]").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_and_the_socket_are_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _service = Service::start(&["--data".as_ref(), data.as_os_str()]).await;
    let mode = |name: &str| {
        let path = if name.is_empty() { data.clone() } else { data.join(name) };
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    for file in ["bucket-secret", "dynamodb.sock", "keys.json"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}
