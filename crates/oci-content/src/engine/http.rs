//! The part of HTTP/1.1 that reading from an engine needs: one `GET` on its own connection, and the answer as a stream.
//!
//! An answer is not trusted: heads, chunks and bodies have limits, and a body that ends early is an error, not an end
//! (RFC 9112).

use std::io::{self, BufRead, BufReader, Read};

use super::connect::Stream;

/// The most bytes of the head of an answer, of the line before a chunk, or of the trailer.
const MAX_HEAD: usize = 64 * 1024;
/// The most header fields of an answer.
const MAX_FIELDS: usize = 100;

/// An answer whose body has not been read yet.
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// The body.
    pub(super) body: Body,
}

/// Requests `path`, and returns the answer. `path` is sent unchanged.
pub(super) fn get(mut stream: Box<dyn Stream>, host: &str, path: &str) -> io::Result<Answer> {
    let version = env!("CARGO_PKG_VERSION");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: brokkr-publish/{version}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut reader = BufReader::with_capacity(256 * 1024, stream);
    loop {
        let head = head(&mut reader)?;
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        if !matches!(response.parse(&head), Ok(httparse::Status::Complete(_))) {
            return Err(invalid("the answer is not HTTP"));
        }
        let status = response.code.unwrap_or_default();
        // Interim answers come before the final one (RFC 9110, 15.2).
        if (100..200).contains(&status) {
            continue;
        }
        let rest = framing(status, response.headers)?;
        return Ok(Answer { status, body: Body { reader, rest } });
    }
}

/// Reads the bytes up to and including the empty line.
fn head(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let line = line(reader, MAX_HEAD.saturating_sub(head.len()))?;
        head.extend_from_slice(&line);
    }
    Ok(head)
}

/// Reads a line of at most `limit` bytes, including its end.
fn line(reader: &mut impl BufRead, limit: usize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.take(limit as u64).read_until(b'\n', &mut line)?;
    match line.last() {
        Some(b'\n') => Ok(line),
        _ if line.len() >= limit => Err(invalid("the head of the answer is too long")),
        _ => Err(early()),
    }
}

/// The framing of the body (RFC 9112, 6.3).
fn framing(status: u16, fields: &[httparse::Header<'_>]) -> io::Result<Rest> {
    let of = |name: &str| -> Vec<String> {
        let found = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        found.map(|field| String::from_utf8_lossy(field.value).trim().to_ascii_lowercase()).collect()
    };
    if status == 204 || status == 304 {
        return Ok(Rest::Length(0));
    }
    match of("transfer-encoding").as_slice() {
        [] => {}
        [one] if one == "chunked" => return Ok(Rest::Chunk { left: 0, first: true }),
        _ => return Err(invalid("the answer has an encoding that was not requested")),
    }
    match of("content-length").as_slice() {
        [] => Ok(Rest::Close),
        [first, others @ ..] if others.iter().all(|other| other == first) => {
            let digits = first.bytes().all(|byte| byte.is_ascii_digit());
            first
                .parse()
                .ok()
                .filter(|_| digits)
                .map(Rest::Length)
                .ok_or_else(|| invalid("the answer has no valid length"))
        }
        _ => Err(invalid("the answer has several lengths")),
    }
}

/// The body of an answer.
pub(super) struct Body {
    reader: BufReader<Box<dyn Stream>>,
    rest: Rest,
}

/// The part of a body that is still to be read.
enum Rest {
    /// This many bytes.
    Length(u64),
    /// This many bytes of a chunk, and more chunks.
    Chunk { left: u64, first: bool },
    /// All bytes until the connection ends.
    Close,
    /// Nothing.
    Nothing,
}

impl Body {
    /// Reads the line before a chunk, and returns the length of the chunk; 0 for the last.
    fn chunk(&mut self, first: bool) -> io::Result<u64> {
        if !first {
            let mut end = [0; 2];
            self.reader.read_exact(&mut end).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => early(),
                _ => error,
            })?;
            if end != *b"\r\n" {
                return Err(invalid("the answer is chunked, and a chunk has no end"));
            }
        }
        let line = line(&mut self.reader, MAX_HEAD)?;
        let text = String::from_utf8_lossy(&line);
        let digits = text.split(';').next().unwrap_or_default().trim();
        let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let length = u64::from_str_radix(digits, 16).ok().filter(|_| valid);
        length.ok_or_else(|| invalid("the answer is chunked, and a chunk has no length"))
    }

    /// Reads the fields after the last chunk.
    fn trailer(&mut self) -> io::Result<()> {
        let mut left = MAX_HEAD;
        loop {
            let line = line(&mut self.reader, left)?;
            left = left.saturating_sub(line.len());
            if line == b"\r\n" {
                return Ok(());
            }
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Rest::Chunk { left: 0, first } = self.rest {
            self.rest = match self.chunk(first)? {
                0 => {
                    self.trailer()?;
                    Rest::Nothing
                }
                left => Rest::Chunk { left, first: false },
            };
        }
        let left = match &mut self.rest {
            Rest::Nothing | Rest::Length(0) => return Ok(0),
            Rest::Close => return self.reader.read(buffer),
            Rest::Length(left) | Rest::Chunk { left, .. } => left,
        };
        let wanted = buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        let count = self.reader.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        if count == 0 {
            return Err(early());
        }
        *left = left.saturating_sub(count as u64);
        Ok(count)
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn early() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended in the middle of the answer")
}
