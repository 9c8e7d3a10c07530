//! Requests against simulated limits, on a clock that does not wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::http::known_limit::KnownLimit;

/// The ways in which registries count requests.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// A bucket of so many tokens, filled at a rate (nginx `limit_req` with `nodelay`, GHCR).
    Bucket { rate: f64, size: f64 },
    /// So many in each second of the clock.
    Window { most: u32 },
    /// So many in any second.
    Sliding { most: usize },
}

struct Server {
    limit: Limit,
    retry_after: Option<Duration>,
    state: Mutex<(f64, Instant, VecDeque<Instant>)>,
}

impl Server {
    fn takes(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap();
        let (count, since, log) = &mut *state;
        match self.limit {
            Limit::Bucket { rate, size } => {
                *count = (*count + now.duration_since(*since).as_secs_f64() * rate).min(size);
                *since = now;
                let takes = *count >= 1.0;
                *count -= if takes { 1.0 } else { 0.0 };
                takes
            }
            Limit::Window { most } => {
                if now.duration_since(*since) >= Duration::from_secs(1) {
                    (*count, *since) = (0.0, now);
                }
                *count += 1.0;
                *count <= f64::from(most)
            }
            Limit::Sliding { most } => {
                log.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
                let takes = log.len() < most;
                if takes {
                    log.push_back(now);
                }
                takes
            }
        }
    }
}

/// Sends `requests`, 32 at a time, each answered after 20 ms, each again after a refusal. Returns the seconds and the refusals.
async fn run(limit: Limit, retry_after: Option<Duration>, requests: usize) -> (f64, usize) {
    let size = if let Limit::Bucket { size, .. } = limit { size } else { 0.0 };
    let state = Mutex::new((size, Instant::now(), VecDeque::new()));
    let server = Arc::new(Server { limit, retry_after, state });
    let (pace, left, refusals) =
        (Arc::new(Pace::default()), Arc::new(AtomicUsize::new(requests)), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let workers = (0..32).map(|_| {
        let (server, pace, left, refusals) = (server.clone(), pace.clone(), left.clone(), refusals.clone());
        tokio::spawn(async move {
            while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                loop {
                    let turn = pace.turn().await;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    let takes = server.takes();
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    if takes {
                        break;
                    }
                    refusals.fetch_add(1, Ordering::SeqCst);
                    pace.refused(turn, server.retry_after);
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    (started.elapsed().as_secs_f64(), refusals.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_used_and_rarely_exceeded() {
    let second = Some(Duration::from_secs(1));
    for (limit, retry_after, rate, burst) in [
        (Limit::Bucket { rate: 30.0, size: 30.0 }, second, 30.0, 30.0),
        (Limit::Bucket { rate: 30.0, size: 30.0 }, None, 30.0, 30.0),
        (Limit::Bucket { rate: 30.0, size: 1.0 }, None, 30.0, 0.0),
        (Limit::Bucket { rate: 30.0, size: 300.0 }, Some(Duration::from_millis(10)), 30.0, 300.0),
        (Limit::Bucket { rate: 10.0, size: 10.0 }, second, 10.0, 10.0),
        (Limit::Bucket { rate: 100.0, size: 100.0 }, second, 100.0, 100.0),
        (Limit::Window { most: 30 }, second, 30.0, 0.0),
        (Limit::Window { most: 30 }, None, 30.0, 0.0),
        (Limit::Sliding { most: 30 }, second, 30.0, 0.0),
        (Limit::Sliding { most: 30 }, None, 30.0, 0.0),
    ] {
        let requests = 1700;
        let (seconds, refusals) = run(limit, retry_after, requests).await;
        #[allow(clippy::cast_precision_loss)]
        let (least, share) =
            ((requests as f64 - burst) / rate, refusals as f64 / (requests + refusals) as f64);
        assert!(seconds <= least * 1.15, "{limit:?} {retry_after:?}: {seconds} s for {least} s");
        assert!(
            share <= if burst > 100.0 { 0.035 } else { 0.03 },
            "{limit:?} {retry_after:?}: {refusals} of {requests}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_refusal_nothing_waits() {
    let (seconds, refusals) = run(Limit::Bucket { rate: 1e6, size: 1e6 }, None, 3200).await;
    assert!(refusals == 0 && (seconds - 2.0).abs() < 0.1, "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_documented_limit_is_kept_from_the_start() {
    let pace = Pace::new(Some(KnownLimit { rate: 10.0, burst: 20.0 }));
    let started = Instant::now();
    for _ in 0..120 {
        pace.turn().await;
    }
    let seconds = started.elapsed().as_secs_f64();
    assert!((9.5..=10.5).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_holds_nobody_else() {
    let pace = Pace::default();
    let turn = pace.turn().await;
    let started = Instant::now();
    pace.refused(turn, Some(Duration::from_secs(3600)));
    pace.turn().await;
    assert!(started.elapsed() < Duration::from_secs(10));
    pace.refused(Turn(Instant::now() + Duration::from_millis(1)), Some(Duration::from_secs(5)));
    pace.turn().await;
    assert!(started.elapsed() >= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_says_how_many_requests_are_left_gets_no_more() {
    // 60 requests in each window of 10 seconds, counted from the first.
    let pace = Pace::default();
    let started = Instant::now();
    let (mut window, mut used, mut refused) = (0, 0_u64, 0);
    for _ in 0..300 {
        let turn = pace.turn().await;
        let elapsed = started.elapsed().as_secs();
        if elapsed / 10 != window {
            (window, used) = (elapsed / 10, 0);
        }
        if used >= 60 {
            refused += 1;
        }
        used += 1;
        let until = Duration::from_secs(10 - elapsed % 10);
        tokio::time::sleep(Duration::from_millis(5)).await;
        pace.answered(turn, Some(RequestBudget { left: 60_u64.saturating_sub(used), until }));
    }
    assert_eq!(refused, 0);
    // 50 s are needed; the host says the end of a window in whole seconds, which costs up to one in each.
    assert!(started.elapsed() <= Duration::from_secs(50).mul_f64(1.15), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn slow_answers_slow_requests_down() {
    let pace = Pace::default();
    for _ in 0..100 {
        let turn = pace.turn().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        pace.answered(turn, None);
    }
    assert_eq!(pace.state().rate, None, "fast answers limit nothing");
    for _ in 0..60 {
        let turn = pace.turn().await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        pace.answered(turn, None);
    }
    assert!(pace.state().rate.is_some_and(|rate| rate <= 1.0), "{:?}", pace.state().rate);
}
