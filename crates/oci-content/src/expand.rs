//! Archives that are compressed as a whole: decompressed once, to a temporary file, within a limit.

use std::io::{self, Read, Write};

use super::SourceError;
use super::compression::{Compression, Expansion};
use super::positioned::{PositionedFile, Section};
use super::temporary::TemporaryFolder;
use std::sync::Arc;

/// The limits on the expansion of an archive. Images compress to a third, file systems with large holes to a fiftieth.
pub(super) const EXPANSION: Expansion = Expansion { floor: 1 << 30, ratio: 100, ceiling: 256 << 30 };

/// `file` itself, or its decompressed contents if it is compressed.
pub(super) fn expanded(
    file: Arc<PositionedFile>,
    expansion: Expansion,
    folder: &TemporaryFolder,
) -> Result<Arc<PositionedFile>, SourceError> {
    let (path, length) = (file.path().to_owned(), file.length());
    let place = format!("archive `{}`", path.display());
    let Some(compression) = Compression::of(&file, 0, length)? else { return Ok(file) };
    let section = Section::new(file, 0, length);
    let decoder = compression.decoder(section).map_err(|error| SourceError::io(&place, error))?;
    let Some(mut decoder) = decoder else {
        return Err(SourceError::Unsupported {
            reason: format!("{place} is compressed with {}, which is not supported", compression.name()),
            help: format!("decompress it first: `{}`", compression.program()),
        });
    };
    let mut output = folder.file()?;
    let limit = expansion.limit(length);
    let mut written = 0_u64;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = match decoder.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(SourceError::malformed(place, error.to_string())),
        };
        written = written.saturating_add(count as u64);
        if written > limit {
            return Err(SourceError::Unsupported {
                reason: format!(
                    "{place} has {length} bytes and expands to more than {limit}, which no archive of images does"
                ),
                help: format!("if you trust it, decompress it first: `{}`", compression.program()),
            });
        }
        output.write_all(buffer.get(..count).unwrap_or_default()).map_err(|error| folder.failed(error))?;
    }
    drop(decoder);
    PositionedFile::of(output, path).map(Arc::new).map_err(|error| folder.failed(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_that_expands_too_far_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.tar.gz");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![0; 1_000_000]).expect("compressed");
        std::fs::write(&path, gzip.finish().expect("compressed")).expect("written");
        let surroundings = crate::Surroundings::local(folder.path());
        let temporary = surroundings.temporary_folder();
        let expand = |floor| {
            let file = PositionedFile::open(path.clone()).expect("opened");
            expanded(Arc::new(file), Expansion { floor, ratio: 10, ceiling: u64::MAX }, &temporary)
        };
        assert_eq!(expand(1_000_000).expect("expanded").length(), 1_000_000);
        let Err(error) = expand(999_999) else { panic!("a bomb was accepted") };
        assert!(error.to_string().contains("expands to more than 999999"), "{error}");
    }
}
