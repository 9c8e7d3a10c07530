//! Less patience for a host that has not answered yet: its name may be wrong, or a firewall may drop what is sent to it.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// Whether a host has answered. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Reached(Arc<AtomicBool>);

impl Reached {
    /// Notes that the host has answered.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Limits the time to connect as long as the host has not answered: name resolution, TCP and TLS together.
#[derive(Debug, Clone)]
pub(super) struct FirstConnect<S = ()> {
    connector: S,
    reached: Reached,
    limit: Duration,
}

impl FirstConnect {
    /// Returns a layer that allows `limit` for each attempt until the host is `reached`.
    pub(super) fn new(reached: &Reached, limit: Duration) -> Self {
        Self { connector: (), reached: reached.clone(), limit }
    }
}

impl<S> Layer<S> for FirstConnect {
    type Service = FirstConnect<S>;

    fn layer(&self, connector: S) -> FirstConnect<S> {
        FirstConnect { connector, reached: self.reached.clone(), limit: self.limit }
    }
}

impl<S, R> Service<R> for FirstConnect<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.connector.call(request);
        let limit = if self.reached.get() { Duration::MAX } else { self.limit };
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(connected) => connected.map_err(Into::into),
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connector that never connects.
    #[derive(Clone)]
    struct Never;

    impl Service<()> for Never {
        type Response = ();
        type Error = BoxError;
        type Future = std::future::Pending<Result<(), BoxError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, (): ()) -> Self::Future {
            std::future::pending()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_host_that_has_not_answered_is_given_up_early() {
        let reached = Reached::default();
        let mut connector = FirstConnect::new(&reached, Duration::from_secs(2)).layer(Never);
        let error = connector.call(()).await.expect_err("no connection");
        let error = error.downcast_ref::<io::Error>().expect("an error of the system");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        reached.set();
        let waited = tokio::time::timeout(Duration::from_secs(60), connector.call(())).await;
        assert!(waited.is_err(), "the client itself limits the time from now on");
    }
}
