//! The files of an edition, written side by side from its records.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use shared::feed::{Banner, Feed, File, PublishedFile, Record, Renderer};
use shared::store::{Store, StoreError, Upload};

use crate::error::PublishError;
use crate::progress::Progress;
use crate::publish::STATE;
use crate::spool::Spool;

/// Bytes of a file gathered before they are handed on.
const PIECE: usize = 256 << 10;

/// Where the bytes of a file go.
trait Sink {
    /// Takes the bytes of `piece`, and leaves it empty.
    async fn push(&mut self, piece: &mut Vec<u8>) -> Result<(), StoreError>;
    /// Puts the file; returns how many bytes it has.
    async fn finish(self) -> Result<u64, StoreError>;
    /// Gives it up.
    async fn abandon(self);
}

impl Sink for Upload {
    async fn push(&mut self, piece: &mut Vec<u8>) -> Result<(), StoreError> {
        Upload::push(self, piece).await
    }

    async fn finish(self) -> Result<u64, StoreError> {
        Upload::finish(self).await
    }

    async fn abandon(self) {
        Upload::abandon(self).await;
    }
}

/// Writes the files of edition `id`, and its state. What was begun is taken back if that fails.
pub async fn write(
    store: &Store,
    feed: &Feed,
    id: &str,
    records: &Spool,
    banner: &Banner,
    progress: &Progress,
) -> Result<Vec<PublishedFile>, PublishError> {
    let output = |file: File| {
        let content_type = file.content_type(&feed.settings);
        let upload = store.upload_feed_file(feed.id, id, file.suffix(), content_type);
        Output::new(feed, file, upload)
    };
    let mut outputs: Vec<Output<Upload>> = File::of(&feed.settings).map(output).collect();
    if let Err(error) = fill(&mut outputs, records, banner, progress).await {
        abandon(outputs).await;
        return Err(error);
    }
    let files = finish(outputs, progress).await?;
    write_state(store, feed, id, records).await?;
    Ok(files)
}

async fn fill(
    outputs: &mut [Output<impl Sink>],
    records: &Spool,
    banner: &Banner,
    progress: &Progress,
) -> Result<(), PublishError> {
    for output in &mut *outputs {
        output.begin(banner)?;
    }
    for frame in records.frames()? {
        let record = frame?.record()?;
        for output in &mut *outputs {
            output.record(&record).await?;
        }
        progress.add_written();
    }
    for output in outputs {
        output.end().await?;
    }
    Ok(())
}

async fn finish(
    outputs: Vec<Output<impl Sink>>,
    progress: &Progress,
) -> Result<Vec<PublishedFile>, PublishError> {
    let mut files = Vec::with_capacity(outputs.len());
    let mut outputs = outputs.into_iter();
    while let Some(output) = outputs.next() {
        match output.finish().await {
            Ok(file) => {
                progress.add_bytes(file.bytes);
                files.push(file);
            }
            Err(error) => {
                abandon(outputs).await;
                return Err(error);
            }
        }
    }
    Ok(files)
}

async fn abandon(outputs: impl IntoIterator<Item = Output<impl Sink>>) {
    for output in outputs {
        output.upload.abandon().await;
    }
}

async fn write_state(
    store: &Store,
    feed: &Feed,
    id: &str,
    records: &Spool,
) -> Result<(), PublishError> {
    let mut upload = store.upload_feed_file(feed.id, id, STATE, "application/zstd");
    let mut file = records.raw()?;
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        if Read::by_ref(&mut file).take(PIECE as u64).read_to_end(&mut piece)? == 0 {
            break;
        }
        if let Err(error) = upload.push(&mut piece).await {
            upload.abandon().await;
            return Err(error.into());
        }
    }
    upload.finish().await?;
    Ok(())
}

struct Output<S> {
    file: File,
    renderer: Renderer,
    /// What was rendered and not handed on.
    rendered: Vec<u8>,
    packer: Option<GzEncoder<Vec<u8>>>,
    digest: Sha256,
    upload: S,
}

impl<S: Sink> Output<S> {
    fn new(feed: &Feed, file: File, upload: S) -> Self {
        let packs = file == File::CsvGz;
        Self {
            file,
            renderer: Renderer::new(file, feed),
            rendered: Vec::new(),
            packer: packs.then(|| GzEncoder::new(Vec::new(), Compression::default())),
            digest: Sha256::new(),
            upload,
        }
    }

    fn begin(&mut self, banner: &Banner) -> Result<(), PublishError> {
        self.renderer.begin(banner, &mut self.rendered);
        self.pack()
    }

    async fn record(&mut self, record: &Record) -> Result<(), PublishError> {
        for ioc in &record.iocs {
            self.renderer.row(record, ioc, &mut self.rendered);
            // Never all rows of a record at once: each repeats what the record says.
            if self.rendered.len() >= PIECE {
                self.hand_on().await?;
            }
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), PublishError> {
        self.renderer.end(&mut self.rendered);
        self.pack()?;
        if let Some(packer) = &mut self.packer {
            packer.try_finish()?;
        }
        self.hand_on().await
    }

    fn pack(&mut self) -> Result<(), PublishError> {
        if let Some(packer) = &mut self.packer {
            packer.write_all(&self.rendered)?;
            self.rendered.clear();
        }
        Ok(())
    }

    async fn hand_on(&mut self) -> Result<(), PublishError> {
        self.pack()?;
        let piece = match &mut self.packer {
            Some(packer) => packer.get_mut(),
            None => &mut self.rendered,
        };
        self.digest.update(&piece);
        self.upload.push(piece).await?;
        Ok(())
    }

    async fn finish(self) -> Result<PublishedFile, PublishError> {
        let sha256 = format!("{:x}", self.digest.finalize());
        let rows = self.renderer.rows();
        let bytes = self.upload.finish().await?;
        Ok(PublishedFile { file: self.file, bytes, rows, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;
    use shared::feed::{Cell, Ioc};
    use shared::stix::IocType;

    use super::*;

    fn feed() -> Feed {
        let id = uuid::Uuid::from_u128(7);
        serde_json::from_value(json!({
            "id": id, "revision": 1, "collection": id,
            "settings": {"name": "n", "collection": "c", "columns": ["value", "description"]},
        }))
        .unwrap()
    }

    fn record(iocs: usize, description: usize) -> Record {
        let ioc =
            |number| Ioc { kind: Some(IocType::Domain), value: format!("{number}.example.com") };
        Record {
            date: 0,
            id: "indicator--00000000-0000-4000-8000-000000000000".to_owned(),
            position: 0,
            until: None,
            rows: u32::try_from(iocs).unwrap(),
            skip: None,
            cells: vec![Cell::IocValue, Cell::Text("d".repeat(description))],
            iocs: (0..iocs).map(ioc).collect(),
            facts: None,
        }
    }

    fn fails() -> StoreError {
        StoreError::Unavailable("the bucket is full".to_owned())
    }

    /// A bucket that takes so many pieces, and remembers the largest.
    #[derive(Default)]
    struct Full {
        takes: usize,
        largest: usize,
        abandoned: Arc<AtomicUsize>,
    }

    impl Sink for Full {
        async fn push(&mut self, piece: &mut Vec<u8>) -> Result<(), StoreError> {
            self.largest = self.largest.max(piece.len());
            piece.clear();
            self.takes = self.takes.checked_sub(1).ok_or_else(fails)?;
            Ok(())
        }

        async fn finish(self) -> Result<u64, StoreError> {
            if self.takes > 0 { Ok(0) } else { Err(fails()) }
        }

        async fn abandon(self) {
            self.abandoned.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn the_rows_of_one_record_are_handed_on_as_they_are_rendered() {
        let record = record(10_000, 100_000);
        for file in [File::Csv, File::Json, File::CsvGz] {
            // A gigabyte, were it rendered to its end.
            let takes = 20;
            let mut output = Output::new(&feed(), file, Full { takes, ..Full::default() });
            assert!(output.record(&record).await.is_err());
            assert!(output.upload.largest < PIECE + 101_000, "{file:?} {}", output.upload.largest);
            assert!(output.rendered.capacity() < 4 * PIECE, "{file:?}");
            assert!(output.renderer.rows() < 200, "{file:?}");
        }
    }

    #[tokio::test]
    async fn when_one_file_cannot_be_put_the_others_are_given_up() {
        let abandoned = Arc::new(AtomicUsize::new(0));
        let outputs = [1, 0, 1, 1].map(|takes| {
            let sink = Full { takes, largest: 0, abandoned: Arc::clone(&abandoned) };
            Output::new(&feed(), File::Csv, sink)
        });
        assert!(finish(outputs.into(), &Progress::default()).await.is_err());
        assert_eq!(abandoned.load(Ordering::Relaxed), 2);
    }
}
