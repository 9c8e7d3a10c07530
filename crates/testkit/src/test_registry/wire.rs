//! Connections that a handler can cut, and the steps for each request: log, script, credentials, content.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::serve::{IncomingStream, Listener};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::{Fault, Logged, SharedTestRegistry};

/// A listener whose connections can be cut.
pub(super) struct Cuttable(TcpListener);

impl Cuttable {
    pub(super) async fn bind() -> Self {
        Self(TcpListener::bind(("127.0.0.1", 0)).await.expect("a port"))
    }

    pub(super) fn address(&self) -> String {
        self.0.local_addr().expect("an address").to_string()
    }
}

impl Listener for Cuttable {
    type Io = Wire;
    type Addr = Knife;

    async fn accept(&mut self) -> (Wire, Knife) {
        loop {
            if let Ok((stream, _)) = self.0.accept().await {
                let knife = Knife::default();
                return (Wire { stream, knife: knife.clone() }, knife);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Knife> {
        Ok(Knife::default())
    }
}

/// Cuts a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Knife(Arc<AtomicBool>);

impl Knife {
    fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Cuttable>> for Knife {
    fn connect_info(stream: IncomingStream<'_, Cuttable>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A connection.
pub(super) struct Wire {
    stream: TcpStream,
    knife: Knife,
}

impl Wire {
    fn check(&self) -> io::Result<()> {
        if !self.knife.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        // As a result, closing the connection resets it.
        let _ = self.stream.set_zero_linger();
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Answers requests until the runtime ends.
pub(super) fn serve(listener: Cuttable, shared: Arc<SharedTestRegistry>) {
    let door = listener.address();
    let app = axum::Router::new().fallback(handle).with_state((shared, door));
    tokio::spawn(async move {
        let service = app.into_make_service_with_connect_info::<Knife>();
        axum::serve(listener, service).await.expect("a server");
    });
}

async fn handle(
    State((shared, door)): State<(Arc<SharedTestRegistry>, String)>,
    ConnectInfo(knife): ConnectInfo<Knife>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let logged = Logged {
        door,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
    };
    shared.log.lock().expect("a lock").push(logged.clone());
    let gate = shared.gate.lock().expect("a lock").clone();
    if let Some(gate) = gate {
        gate(&logged).await;
    }
    let most = shared.options.quirks.most_in_a_second;
    if most.is_some_and(|most| !shared.rate.lock().expect("a lock").takes(most)) {
        let _ = read_some(&shared, &Logged { method: String::new(), ..logged }, body, u64::MAX).await;
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        return answer;
    }
    match shared.fault(&logged) {
        None => shared.answer(&logged, body).await,
        Some(Fault::Answer(status, headers, bytes)) => {
            let _ = read_some(&shared, &Logged { method: String::new(), ..logged }, body, u64::MAX).await;
            let mut answer = Response::new(Body::from(bytes));
            *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
            for (name, value) in headers {
                answer
                    .headers_mut()
                    .append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
            }
            answer
        }
        Some(Fault::Early(status)) => {
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            answer
        }
        Some(Fault::Reset { after }) => {
            let _ = read_some(&shared, &logged, body, after).await;
            knife.cut();
            Response::new(Body::empty())
        }
        Some(Fault::Stall { after }) => {
            let _open = read_some(&shared, &logged, body, after).await;
            std::future::pending().await
        }
        Some(Fault::Lost) => {
            shared.answer(&logged, body).await;
            knife.cut();
            Response::new(Body::empty())
        }
        Some(Fault::Headers(headers)) => {
            let mut answer = shared.answer(&logged, body).await;
            for (name, value) in headers {
                answer.headers_mut().remove(name);
                if !value.is_empty() {
                    let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header");
                    answer.headers_mut().insert(name, value);
                }
            }
            answer
        }
        Some(Fault::Cut { after }) => {
            let broken = stream::once(async { Err(io::Error::other("cut")) });
            begun(shared.answer(&logged, body).await, after, broken).await
        }
        Some(Fault::Silence { after }) => {
            begun(shared.answer(&logged, body).await, after, stream::pending()).await
        }
        Some(Fault::Endless) => {
            let piece = Bytes::from(vec![b' '; 65_536]);
            Response::new(Body::from_stream(stream::repeat_with(move || Ok::<_, io::Error>(piece.clone()))))
        }
        Some(Fault::Trickle { every }) => {
            let byte = move |()| async move {
                tokio::time::sleep(every).await;
                Some((Ok::<_, io::Error>(Bytes::from_static(b" ")), ()))
            };
            Response::new(Body::from_stream(stream::unfold((), byte)))
        }
    }
}

/// `answer` with only the first bytes of its body, followed by the effect of `rest`.
async fn begun(
    answer: Response<Body>,
    after: usize,
    rest: impl futures_util::Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Response<Body> {
    let (head, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    // This gives the flushed bytes a chance to arrive before the connection is cut.
    let pause = stream::once(async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        Ok(Bytes::new())
    });
    let first = stream::once(async move { Ok(bytes.slice(..after.min(bytes.len()))) });
    Response::from_parts(head, Body::from_stream(first.chain(pause).chain(rest)))
}

/// Reads this number of bytes of a body, and stores them if they belong to a chunk. Returns the rest of the body.
async fn read_some(
    shared: &SharedTestRegistry,
    request: &Logged,
    body: Body,
    after: u64,
) -> axum::body::BodyDataStream {
    let mut body = body.into_data_stream();
    let mut left = after;
    while left > 0 {
        let Some(Ok(piece)) = body.next().await else { break };
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        left -= taken as u64;
        if request.method == "PATCH" {
            shared
                .content
                .lock()
                .expect("a lock")
                .keep(&request.path, piece.get(..taken).unwrap_or_default());
        }
    }
    body
}
