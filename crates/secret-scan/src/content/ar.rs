//! The files of an archive of `ar` (`man 5 deb`, ar(5)): a package of Debian, which holds tar archives, or a static library.

use std::io::{BufRead as _, Read as _};

use super::blob_search::{BlobSearch, WalkError};
use super::bounded_reader::BoundedReader;

const MAGIC: u64 = 8;
const HEADER: usize = 60;

/// Searches every file of the archive named `of`. Archives in it are opened to `depth` levels.
pub(super) fn walk(
    search: &mut BlobSearch<'_>,
    input: &mut BoundedReader<'_>,
    of: Option<&str>,
    depth: u8,
) -> Result<(), WalkError> {
    input.skip(MAGIC)?;
    loop {
        let head = input.peek(HEADER)?;
        if head.is_empty() {
            return Ok(());
        }
        let damaged = || WalkError::Malformed("the header of a file is damaged".to_owned());
        let header = head.get(..HEADER).filter(|it| it.ends_with(b"`\n")).ok_or_else(damaged)?;
        let text = |from: usize, to: usize| {
            String::from_utf8_lossy(header.get(from..to).unwrap_or_default()).trim().to_owned()
        };
        let name = text(0, 16).trim_end_matches('/').to_owned();
        let mut size: u64 = text(48, 58).parse().map_err(|_| damaged())?;
        input.consume(HEADER);
        let padding = size % 2;
        // In the form of BSD the name follows the header.
        let name = match name.strip_prefix("#1/").and_then(|it| it.parse::<u64>().ok()) {
            Some(length) if length <= size && length <= 4096 => {
                let mut long = Vec::new();
                (&mut *input).take(length).read_to_end(&mut long)?;
                size -= length;
                String::from_utf8_lossy(&long).trim_end_matches('\0').to_owned()
            }
            _ => name,
        };
        let path = of.map_or_else(|| name.clone(), |archive| format!("{archive}!/{name}"));
        search.name(&path);
        if size > 0 {
            search.file(input, size, &path, depth)?;
        }
        input.skip(padding)?;
    }
}
