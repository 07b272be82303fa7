//! Part d: the most memory the service and `iocast load` take for one large bundle, above what
//! they take idle.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use local::engines::clients;
use local::engines::s3::Access;
use serde::Serialize;
use serde_json::Value;

use crate::follower::Follower;
use crate::indicator::Series;
use crate::process::{LOOK_EVERY, Memory, Service, load};
use crate::scale::Scale;

/// How long the bundle may take.
const PATIENCE: Duration = Duration::from_mins(10);
const MIB: f64 = 1024.0;

/// The memory of one process for one bundle, in MiB.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// How the bundle came in, and whose memory it is.
    pub what: &'static str,
    /// Size of the bundle, in MB.
    pub bundle_mb: f64,
    /// Objects in it.
    pub objects: usize,
    /// Resident when idle.
    pub idle_mib: f64,
    /// The most that was resident (`VmHWM`).
    pub peak_mib: f64,
    /// The peak above idle.
    pub above_idle_mib: f64,
    /// The same of what is the process' own, not pages of files.
    pub anonymous_above_idle_mib: f64,
    /// Seconds until the last object was visible.
    pub seconds: f64,
}

/// Brings a bundle in by the S3 drop, and by `iocast load`, each into a service of its own.
pub async fn measure(iocast: &Path, scale: &Scale) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = Bundle::write(folder.path(), "bundle.json", scale.bundle_bytes);
    let small = Bundle::write(folder.path(), "small.json", 1);

    let dropped = start(iocast, folder.path(), "dropped").await;
    let idle = dropped.memory();
    let begun = Instant::now();
    let peak = watched(&dropped, drop_and_wait(&dropped, &bundle)).await;
    let by_drop = bundle.row("S3 drop: the service", idle, peak, begun.elapsed());
    drop(dropped);

    let loaded = start(iocast, folder.path(), "loaded").await;
    let before = loaded.memory();
    let begun = Instant::now();
    let mut loading = Memory::default();
    let peak = watched(&loaded, async {
        loading = load(iocast, &loaded, &bundle.file).await;
        see(&loaded, bundle.objects).await;
    })
    .await;
    let served = bundle.row("load: the service", before, peak, begun.elapsed());
    // A `load` with next to nothing to do is what stands in for an idle one.
    let idle = load(iocast, &loaded, &small.file).await;
    let idle = Memory { resident: idle.peak, ..idle };
    let fed = bundle.row("load: `iocast load`", idle, loading, begun.elapsed());
    vec![by_drop, served, fed]
}

async fn start(iocast: &Path, folder: &Path, name: &str) -> Service {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).expect("a folder");
    Service::start(iocast, &folder).await
}

/// The most memory the service takes until `work` is done.
async fn watched(service: &Service, work: impl Future<Output = ()>) -> Memory {
    tokio::pin!(work);
    let mut memory = Memory::default();
    loop {
        memory = memory.highest(service.memory());
        tokio::select! {
            () = &mut work => return memory.highest(service.memory()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Puts the bundle into the bucket and waits until its last object is visible.
async fn drop_and_wait(service: &Service, bundle: &Bundle) {
    let address = service.ready("s3_endpoint").trim_start_matches("http://").parse();
    let address = address.expect("an address");
    let access = Access { address, secret: service.ready("aws_secret_access_key").to_owned() };
    let client = clients::s3(&access, &clients::http());
    let body = ByteStream::from_path(&bundle.file).await.expect("the bundle is readable");
    let put = |key: &str, body| {
        client.put_object().bucket(service.ready("bucket")).key(key).body(body).send()
    };
    put("inbox/bundle.json", body).await.expect("the bundle is put");
    let begun = Instant::now();
    let result = loop {
        let get = client.get_object().bucket(service.ready("bucket"));
        if let Ok(found) = get.key("inbox/bundle.json.result.json").send().await {
            break found.body.collect().await.expect("a result").into_bytes();
        }
        assert!(begun.elapsed() < PATIENCE, "the drop has no result");
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    let result: Value = serde_json::from_slice(&result).expect("the result is JSON");
    assert_eq!(result["created"], bundle.objects, "{result}");
    see(service, bundle.objects).await;
}

/// Reads the collection that takes everything until all objects came.
async fn see(service: &Service, objects: usize) {
    let (base_url, key) = (service.ready("base_url"), service.ready("reader_key"));
    let mut follower = Follower::new(base_url, key, service.ready("demo_collection")).await;
    follower.see(objects).await;
}

struct Bundle {
    file: PathBuf,
    bytes: usize,
    objects: usize,
}

impl Bundle {
    /// A bundle of at least this many bytes.
    fn write(folder: &Path, name: &str, least: usize) -> Self {
        let file = folder.join(name);
        let mut out = std::io::BufWriter::new(std::fs::File::create(&file).expect("a file"));
        let series = Series(if least > 1 { 50 } else { 51 });
        let begin =
            br#"{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":["#;
        out.write_all(begin).expect("written");
        let (mut bytes, mut objects) = (begin.len(), 0);
        while bytes < least || objects == 0 {
            let between = if objects > 0 { "," } else { "" };
            let text = format!("{between}{}", series.indicator(objects).json);
            out.write_all(text.as_bytes()).expect("written");
            bytes += text.len();
            objects += 1;
        }
        out.write_all(b"]}").and_then(|()| out.flush()).expect("written");
        Self { file, bytes: bytes + 2, objects }
    }

    #[allow(clippy::cast_precision_loss)]
    fn row(&self, what: &'static str, idle: Memory, peak: Memory, took: Duration) -> Row {
        let mib = |kib: u64| kib as f64 / MIB;
        let above = |high: u64, low: u64| mib(high.saturating_sub(low));
        Row {
            what,
            bundle_mb: self.bytes as f64 / 1e6,
            objects: self.objects,
            idle_mib: mib(idle.resident),
            peak_mib: mib(peak.peak),
            above_idle_mib: above(peak.peak, idle.resident),
            anonymous_above_idle_mib: above(peak.anonymous, idle.anonymous),
            seconds: took.as_secs_f64(),
        }
    }
}
