//! Layers and archives with one token, and the search of them.

use std::io::Write;

use testkit::raw_tar::end;

use super::made::github_token;
use crate::{BlobError, BlobFacts, BlobReport, Rules};

pub(super) fn secret() -> Vec<u8> {
    format!("first line\ntoken: {}\n", github_token("q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6")).into_bytes()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

pub(super) fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("compressed")
}

pub(super) fn search(bytes: &[u8]) -> Result<BlobReport, BlobError> {
    let facts = BlobFacts { name: None, is_layer: true };
    Rules::standard().search_blob(bytes, facts, &|_| true)
}

/// Returns the files and lines in which the token was found.
pub(super) fn places(searched: &BlobReport) -> Vec<(Option<&str>, Option<u64>)> {
    let matches = searched.matches.iter().filter(|it| it.found.rule == "github-token");
    matches.map(|it| (it.path.as_deref(), it.found.line)).collect()
}

pub(super) fn tar(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), end()].concat()
}

/// Returns a zip archive. Each file is a name, its contents, whether they are compressed, and whether the sizes follow the data.
pub(super) fn zipped(files: &[(&str, &[u8], bool, bool)]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, contents, compressed, behind) in files {
        let stored = if *compressed {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(contents).expect("compressed");
            encoder.finish().expect("compressed")
        } else {
            contents.to_vec()
        };
        let sizes =
            [u32::try_from(stored.len()).expect("small"), u32::try_from(contents.len()).expect("small")];
        let said = if *behind { [0, 0] } else { sizes };
        archive.extend_from_slice(b"PK\x03\x04\x14\x00");
        archive.extend_from_slice(&(if *behind { 8_u16 } else { 0 }).to_le_bytes());
        archive.extend_from_slice(&(if *compressed { 8_u16 } else { 0 }).to_le_bytes());
        archive.extend_from_slice(&[0; 8]);
        archive.extend(said.iter().flat_map(|size| size.to_le_bytes()));
        archive.extend_from_slice(&u16::try_from(name.len()).expect("short").to_le_bytes());
        archive.extend_from_slice(&[0; 2]);
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(&stored);
        if *behind {
            archive.extend_from_slice(b"PK\x07\x08\x00\x00\x00\x00");
            archive.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
        }
    }
    archive.extend_from_slice(b"PK\x05\x06");
    archive.resize(archive.len() + 18, 0);
    archive
}
