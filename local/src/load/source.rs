//! A file's bytes, whatever it is compressed with, told by how it begins and not by its name.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use super::Progress;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
const CHUNK: usize = 128 * 1024;

/// Opens a file for reading what is in it; what is read from the disk counts as progress.
pub(super) fn open(file: &Path, progress: &Arc<Progress>) -> io::Result<Box<dyn Read + Send>> {
    let counting = Counting { file: File::open(file)?, progress: progress.clone() };
    let (head, rest) = peek(BufReader::with_capacity(CHUNK, counting), 4)?;
    let plain: Box<dyn Read + Send> = if head.starts_with(&GZIP) {
        Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(chain(head, rest))))
    } else if head.starts_with(&ZSTD) {
        Box::new(zstd::stream::read::Decoder::new(chain(head, rest))?)
    } else {
        Box::new(chain(head, rest))
    };
    let (head, rest) = peek(plain, BYTE_ORDER_MARK.len())?;
    let head = head.strip_prefix(&BYTE_ORDER_MARK).map(<[u8]>::to_vec).unwrap_or(head);
    Ok(Box::new(chain(head, rest)))
}

/// Reads up to `length` bytes; fewer only at the end.
pub(super) fn peek<R: Read>(mut reader: R, length: usize) -> io::Result<(Vec<u8>, R)> {
    let mut head = Vec::with_capacity(length);
    reader.by_ref().take(length as u64).read_to_end(&mut head)?;
    Ok((head, reader))
}

/// What was peeked, then the rest.
pub(super) fn chain<R: Read>(head: Vec<u8>, rest: R) -> io::Chain<io::Cursor<Vec<u8>>, R> {
    io::Cursor::new(head).chain(rest)
}

struct Counting {
    file: File,
    progress: Arc<Progress>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.progress.add_read(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read_back(bytes: &[u8]) -> (Vec<u8>, u64) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, bytes).unwrap();
        let progress = Arc::new(Progress::default());
        let mut text = Vec::new();
        open(&file, &progress).unwrap().read_to_end(&mut text).unwrap();
        (text, progress.read())
    }

    #[test]
    fn the_beginning_tells_the_compression() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"\xef\xbb\xbfabc").unwrap();
        let gzip = gzip.finish().unwrap();

        for bytes in [b"abc".to_vec(), b"\xef\xbb\xbfabc".to_vec(), gzip, zstd_of(b"abc")] {
            let (text, read) = read_back(&bytes);
            assert_eq!(text, b"abc");
            assert_eq!(read, bytes.len() as u64);
        }
        assert_eq!(read_back(b"").0, b"");
        assert_eq!(read_back(b"a").0, b"a");
    }

    fn zstd_of(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 1).unwrap()
    }
}
