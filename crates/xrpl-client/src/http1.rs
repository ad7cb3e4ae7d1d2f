//! HTTP/1.1 over one connection (RFC 9112): a request, then its answer.
//!
//! Whoever asks writes and reads by itself: no other task has to be woken, and bytes are counted where
//! they leave, so that nothing leaves after somebody has said that nothing did. No request is sent
//! behind another one that is not answered yet: if the first breaks the connection, nobody could say
//! what became of the second.

use std::{io, sync::Arc};

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{connect::BoxedIo, health::Heard};

/// Largest answer taken, in bytes: a ledger of many thousand transactions fits.
const MAX_BODY: usize = 256 << 20;
/// Largest head of an answer, and of a chunk.
const MAX_HEAD: usize = 64 << 10;
/// Headers of an answer at most.
const MAX_HEADERS: usize = 64;

/// Room made for each read.
const READ: usize = 16 << 10;

/// A connection on which one request at a time is made.
pub(crate) struct Connection {
    io: BoxedIo,
    heard: Arc<Heard>,
    reader: Reader,
    /// Whether another request may follow.
    open: bool,
}

impl Connection {
    /// Speaks HTTP over this stream. What comes is noted in `heard`.
    pub(crate) fn new(io: BoxedIo, heard: Arc<Heard>) -> Self {
        Self { io, heard, reader: Reader::default(), open: true }
    }

    /// Sends a request and reads its answer. `sent` counts the bytes as they leave, so that it says
    /// how many did even where this is given up half-way; the connection is of no use then.
    ///
    /// # Errors
    /// The connection broke, or what came is no HTTP.
    pub(crate) async fn exchange(
        &mut self,
        request: &[u8],
        sent: &mut usize,
    ) -> io::Result<Answer> {
        self.open = false;
        while *sent < request.len() {
            match self.io.write(&request[*sent..]).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                n => *sent += n,
            }
        }
        self.io.flush().await?;
        loop {
            if let Some((answer, last)) = self.reader.next()? {
                self.open = !last;
                return Ok(answer);
            }
            self.reader.buffer.reserve(READ);
            if self.io.read_buf(&mut self.reader.buffer).await? == 0 {
                let ended = || io::Error::other("the connection ended before the answer");
                return self.reader.at_end().ok_or_else(ended);
            }
            self.heard.now();
        }
    }

    /// Whether another request may follow: the last one was answered, and the other side has neither
    /// closed the connection since nor said anything that nobody asked for.
    pub(crate) fn is_usable(&mut self) -> bool {
        self.open
            && self.reader.buffer.is_empty()
            && self.io.read_buf(&mut self.reader.buffer).now_or_never().is_none()
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The `Server` header.
    pub(crate) server: Option<Bytes>,
    pub(crate) body: Bytes,
}

#[derive(Debug)]
struct Head {
    status: u16,
    server: Option<Bytes>,
    /// No other answer follows on this connection.
    last: bool,
    length: Length,
}

/// How long the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunked,
    UntilEnd,
}

/// Where a body in chunks is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Chunk {
    /// Before a size.
    #[default]
    Size,
    /// So many bytes are missing, and the line's end.
    Data(usize),
    /// Behind the last chunk.
    Trailers,
}

/// Takes bytes as they come and gives answers.
#[derive(Debug, Default)]
struct Reader {
    buffer: BytesMut,
    head: Option<Head>,
    chunk: Chunk,
    /// What the chunks held so far.
    joined: BytesMut,
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no HTTP answer: {what}"))
}

impl Reader {
    /// The next answer that is whole, and whether it is the last one.
    ///
    /// # Errors
    /// What comes is no HTTP, or too much.
    fn next(&mut self) -> io::Result<Option<(Answer, bool)>> {
        let head = match self.head.take() {
            Some(head) => head,
            None => match self.read_head()? {
                Some(head) => head,
                None => return Ok(None),
            },
        };
        let body = match head.length {
            Length::Known(length) if length > MAX_BODY => return Err(bad("it is too long")),
            Length::Known(length) => {
                (self.buffer.len() >= length).then(|| self.buffer.split_to(length).freeze())
            }
            Length::Chunked => self.read_chunks()?,
            Length::UntilEnd if self.buffer.len() > MAX_BODY => {
                return Err(bad("it is too long"));
            }
            Length::UntilEnd => None,
        };
        match body {
            Some(body) => {
                let Head { status, server, last, .. } = head;
                Ok(Some((Answer { status, server, body }, last)))
            }
            None => {
                self.head = Some(head);
                Ok(None)
            }
        }
    }

    /// The answer that the end of the stream makes whole.
    fn at_end(&mut self) -> Option<Answer> {
        let head = self.head.take_if(|head| head.length == Length::UntilEnd)?;
        let body = self.buffer.split().freeze();
        Some(Answer { status: head.status, server: head.server, body })
    }

    fn read_head(&mut self) -> io::Result<Option<Head>> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut answer = httparse::Response::new(&mut headers);
            let size = match answer.parse(&self.buffer) {
                Ok(httparse::Status::Complete(size)) => size,
                Ok(httparse::Status::Partial) if self.buffer.len() > MAX_HEAD => {
                    return Err(bad("its head is too long"));
                }
                Ok(httparse::Status::Partial) => return Ok(None),
                Err(error) => return Err(bad(&error.to_string())),
            };
            // Both are there where the parser has come to the end.
            let status = answer.code.unwrap_or_default();
            if status == 101 {
                return Err(bad("it switches to another protocol"));
            }
            if (100..200).contains(&status) {
                self.buffer.advance(size);
                continue;
            }
            let head = head_of(status, answer.version == Some(0), answer.headers)?;
            self.buffer.advance(size);
            return Ok(Some(head));
        }
    }

    fn read_chunks(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match self.chunk {
                Chunk::Size => {
                    let (at, size) = match httparse::parse_chunk_size(&self.buffer) {
                        Ok(httparse::Status::Complete(found)) => found,
                        Ok(httparse::Status::Partial) if self.buffer.len() > MAX_HEAD => {
                            return Err(bad("a chunk has no size"));
                        }
                        Ok(httparse::Status::Partial) => return Ok(None),
                        Err(_) => return Err(bad("a chunk has no size")),
                    };
                    let size = usize::try_from(size).unwrap_or(usize::MAX);
                    if size > MAX_BODY - self.joined.len() {
                        return Err(bad("it is too long"));
                    }
                    self.buffer.advance(at);
                    self.chunk = if size == 0 { Chunk::Trailers } else { Chunk::Data(size) };
                }
                Chunk::Data(size) => {
                    if self.buffer.len() < size + 2 {
                        return Ok(None);
                    }
                    self.joined.extend_from_slice(&self.buffer[..size]);
                    if &self.buffer[size..size + 2] != b"\r\n" {
                        return Err(bad("a chunk has another size than said"));
                    }
                    self.buffer.advance(size + 2);
                    self.chunk = Chunk::Size;
                }
                Chunk::Trailers => {
                    let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n") else {
                        return match self.buffer.len() > MAX_HEAD {
                            true => Err(bad("its trailers are too long")),
                            false => Ok(None),
                        };
                    };
                    self.buffer.advance(end + 2);
                    if end == 0 {
                        self.chunk = Chunk::Size;
                        return Ok(Some(self.joined.split().freeze()));
                    }
                }
            }
        }
    }
}

fn head_of(status: u16, old: bool, headers: &[httparse::Header<'_>]) -> io::Result<Head> {
    let has = |value: &[u8], token: &str| {
        let tokens = value.split(|byte| *byte == b',');
        tokens.into_iter().any(|one| one.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    };
    let (mut server, mut length, mut chunked) = (None, None, None);
    let (mut close, mut keep) = (false, false);
    for header in headers {
        let value = header.value;
        if header.name.eq_ignore_ascii_case("content-length") {
            let text = std::str::from_utf8(value).ok();
            let said: usize = text
                .and_then(|text| text.trim().parse().ok())
                .ok_or_else(|| bad("its Content-Length is no number"))?;
            if length.is_some_and(|length| length != said) {
                return Err(bad("it has two lengths"));
            }
            length = Some(said);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
            chunked = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        } else if header.name.eq_ignore_ascii_case("connection") {
            close |= has(value, "close");
            keep |= has(value, "keep-alive");
        } else if header.name.eq_ignore_ascii_case("server") {
            server = Some(Bytes::copy_from_slice(value));
        }
    }
    let length = match (status, chunked, length) {
        (204 | 304, _, _) => Length::Known(0),
        (_, Some(true), _) => Length::Chunked,
        (_, None, Some(length)) => Length::Known(length),
        _ => Length::UntilEnd,
    };
    let last = close || (old && !keep) || length == Length::UntilEnd;
    Ok(Head { status, server, last, length })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(pieces: &[&[u8]]) -> io::Result<Vec<(u16, String, bool)>> {
        let (mut reader, mut answers) = (Reader::default(), Vec::new());
        for piece in pieces {
            reader.buffer.extend_from_slice(piece);
            while let Some((answer, last)) = reader.next()? {
                let body = String::from_utf8(answer.body.to_vec()).unwrap();
                answers.push((answer.status, body, last));
            }
        }
        if let Some(answer) = reader.at_end() {
            let body = String::from_utf8(answer.body.to_vec()).unwrap();
            answers.push((answer.status, body, true));
        }
        Ok(answers)
    }

    const MANY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: xrpld-json-rpc/x\r\n\r\n\
        firstHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n\
        HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n\
        3\r\nsec\r\n3;x=y\r\nond\r\n0\r\nTrailer: t\r\n\r\n\
        HTTP/1.1 204 Empty\r\n\r\nHTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\
        Content-Length: 3\r\n\r\noldHTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end";

    fn expected() -> Vec<(u16, String, bool)> {
        [
            (200, "first", false),
            (503, "", false),
            (200, "second", false),
            (204, "", false),
            (200, "old", false),
            (200, "until the end", true),
        ]
        .map(|(status, body, last)| (status, body.to_owned(), last))
        .into()
    }

    #[test]
    fn bodies_of_every_length_and_form_one_behind_the_other() {
        assert_eq!(all(&[MANY]).unwrap(), expected());
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for text in [
            "garbage\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n",
        ] {
            assert!(all(&[text.as_bytes()]).is_err(), "{text:?}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(MAX_HEAD));
        assert!(all(&[endless.as_bytes()]).is_err());
    }

    #[test]
    fn half_an_answer_is_none() {
        let half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
        assert!(all(&[half]).unwrap().is_empty());
    }

    proptest! {
        /// Wherever the network cuts.
        #[test]
        fn cuts_make_no_difference(cuts in prop::collection::vec(0..MANY.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&MANY[from..cut]);
                from = cut;
            }
            pieces.push(&MANY[from..]);
            prop_assert_eq!(all(&pieces).unwrap(), expected());
        }

        /// Whatever comes, it ends.
        #[test]
        fn anything_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let head: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = all(&[&bytes]);
            let _ = all(&[head, &bytes]);
        }
    }
}
