//! Reading exactly the bytes that a descriptor describes.

use std::io::{self, Read};

use super::error::counted;
use super::{BlobReader, SourceError};
use oci_registry::{Descriptor, Digester, RawManifest};

/// A reader that passes bytes on while it computes their digest.
///
/// It never yields all bytes of wrong content: the digest is compared before the last piece is returned, so
/// that a caller who stops at the declared size is protected too. More bytes than declared, fewer bytes, or a wrong
/// digest are an [`io::Error`] of kind `InvalidData` that carries a [`SourceError`]. After an error, every read fails.
pub struct VerifyingReader<R> {
    inner: R,
    expected: Descriptor,
    place: String,
    digester: Option<Digester>,
    seen: u64,
    failed: Option<String>,
}

impl<R: Read + Send + 'static> VerifyingReader<R> {
    /// A reader of `expected` from `inner`; `place` is its place, for people.
    pub fn boxed(inner: R, expected: &Descriptor, place: String) -> BlobReader {
        let digester = Some(expected.digest.digester());
        Box::new(Self { inner, expected: expected.clone(), place, digester, seen: 0, failed: None })
    }
}

impl<R> VerifyingReader<R> {
    fn fail<T>(&mut self, reason: String) -> io::Result<T> {
        self.failed = Some(reason.clone());
        let (place, expected) = (self.place.clone(), self.expected.digest.clone());
        Err(io::Error::new(io::ErrorKind::InvalidData, SourceError::Digest { place, expected, reason }))
    }

    /// Compares the digest, once.
    fn compare(&mut self) -> io::Result<()> {
        let Some(digester) = self.digester.take() else { return Ok(()) };
        let found = digester.finish();
        if found == self.expected.digest { Ok(()) } else { self.fail(format!("its bytes are `{found}`")) }
    }
}

impl<R: Read> Read for VerifyingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(reason) = self.failed.clone() {
            return self.fail(reason);
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        let declared = self.expected.size;
        if count == 0 {
            if self.seen < declared {
                return self.fail(format!("it ends after {} of {}", self.seen, counted(declared, "byte")));
            }
            self.compare()?;
            return Ok(0);
        }
        self.seen = self.seen.saturating_add(count as u64);
        if self.seen > declared {
            return self.fail(format!("it is larger than the {} declared", counted(declared, "byte")));
        }
        if let Some(digester) = &mut self.digester {
            digester.update(buffer.get(..count).unwrap_or_default());
        }
        if self.seen == declared {
            self.compare()?;
        }
        Ok(count)
    }
}

/// A reader of a manifest that is in memory, verified against `described` like any other.
pub fn manifest_reader(manifest: &RawManifest, described: &Descriptor) -> BlobReader {
    let bytes = io::Cursor::new(manifest.bytes().to_vec());
    VerifyingReader::boxed(bytes, described, format!("manifest `{}`", manifest.digest()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use oci_registry::Digest;

    /// Yields at most `piece` bytes at a time.
    struct Pieces(io::Cursor<Vec<u8>>, usize);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.1);
            self.0.read(&mut buffer[..length])
        }
    }

    fn read(bytes: &[u8], digest: Digest, size: u64, piece: usize) -> (Vec<u8>, io::Result<usize>) {
        let descriptor = Descriptor::new("x", digest, size);
        let pieces = Pieces(io::Cursor::new(bytes.to_vec()), piece);
        let mut reader = VerifyingReader::boxed(pieces, &descriptor, "here".to_owned());
        let mut out = Vec::new();
        let result = reader.read_to_end(&mut out);
        if result.is_err() {
            assert!(reader.read(&mut [0; 8]).is_err(), "a failed reader stays failed");
        }
        (out, result)
    }

    proptest! {
        #[test]
        fn yields_exactly_what_is_described(bytes in proptest::collection::vec(any::<u8>(), 0..300), piece in 1_usize..50) {
            let (out, result) = read(&bytes, Digest::of(&bytes), bytes.len() as u64, piece);
            prop_assert_eq!(result.expect("verified"), bytes.len());
            prop_assert_eq!(out, bytes);
        }

        #[test]
        fn never_yields_all_of_anything_else(
            bytes in proptest::collection::vec(any::<u8>(), 0..300), piece in 1_usize..50,
            other in proptest::collection::vec(any::<u8>(), 0..300), size in 0_u64..400,
        ) {
            prop_assume!(bytes != other || size != bytes.len() as u64);
            let (out, result) = read(&bytes, Digest::of(&other), size, piece);
            let error = result.expect_err("refused");
            prop_assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            prop_assert!(error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<SourceError>));
            prop_assert!(bytes.is_empty() || (out.len() as u64) < size.max(1) || bytes.len() as u64 > size);
        }
    }
}
