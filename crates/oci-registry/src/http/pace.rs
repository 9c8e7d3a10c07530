//! The pace of requests to one host: as fast as it answers, until it says that there are too many.
//!
//! Nothing waits before the first refusal, except at registries with a documented limit. A refusal (`429 Too Many Requests`) is about
//! the host and not about one request, so every request to the host waits for it. The number of requests that the host took in the
//! second before it shows the rate that it allows. From then on requests are spaced at a little less than that. The rate grows slowly
//! while it is near what the host was seen to allow, and faster while it is far below: additive increase, multiplicative decrease,
//! with the memory of CUBIC (RFC 9438). A registry that says how many requests are left in which time gets no more than that. If its
//! answers become very slow, that counts like a refusal, because more requests would only wait longer.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::known_limit::KnownLimit;
use super::request_budget::RequestBudget;

/// The part of the rate that a host showed to allow at which requests go on.
const BELOW: f64 = 0.96;
/// The part of a rate that remains at least after a refusal, and at most if the host refuses again at once.
const DECREASE: f64 = 0.75;
/// The growth of a rate in a second, near the rate that the host was seen to allow.
const SLOW_INCREASE: f64 = 0.0015;
/// The growth of a rate in a second, far below it.
const FAST_INCREASE: f64 = 0.25;
/// The part of the seen rate at which the growth becomes slow.
const NEAR: f64 = 0.95;
/// The least rate, in requests in a second.
const LEAST: f64 = 0.5;
/// The time over which requests are counted.
const WINDOW: Duration = Duration::from_secs(1);
/// The least time after a decrease in which the requests that the host took show its rate.
const SETTLED: Duration = Duration::from_millis(200);
/// The wait after a second refusal in a row, if the host asks for none. It doubles with each, up to 16 times as long.
const PAUSE: Duration = Duration::from_millis(250);
/// The most requests that are remembered. A host that takes more in a second needs no pace.
const REMEMBERED: usize = 10_000;
/// An answer is slow if it takes this many times as long as the fastest one.
const SLOWER: f64 = 8.0;
/// The least average time of slow answers.
const SLOW: Duration = Duration::from_secs(2);
/// The weight of the last answer in the average.
const LAST: f64 = 0.1;
/// The longest time for which all requests to a host wait because it asks for that. If it asks for more, each request decides alone.
const LONGEST_HOLD: Duration = Duration::from_secs(60);

/// The pace of the requests to one host, which all connections to it share.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<PaceState>);

#[derive(Debug, Default)]
struct PaceState {
    /// The requests in a second; `None` without a limit.
    rate: Option<f64>,
    /// The requests that may come at once after a pause.
    burst: f64,
    /// The rate that the host was last seen to allow.
    allowed: f64,
    /// The time at which the next request would be sent if there were no burst.
    next: Option<Instant>,
    /// The time until which nothing is sent.
    held_until: Option<Instant>,
    /// The requests of the last [`WINDOW`] that the host did not refuse.
    sent: VecDeque<Instant>,
    /// The time from which the present rate holds.
    decreased: Option<Instant>,
    /// The time up to which the rate has grown.
    grown: Option<Instant>,
    /// The number of decreases: those who wait for a turn of an earlier rate wait anew.
    decreases: u64,
    /// The number of refusals in a row.
    in_a_row: u32,
    /// Whether the rate follows from the number of requests that the host says are left.
    is_budgeted: bool,
    /// The time of the fastest answer, in seconds.
    fastest: Option<f64>,
    /// The average time of the last answers, in seconds.
    average: f64,
    /// The number of answers since the last decrease because of slow ones.
    answers: u32,
    /// Whether the last answers were slow. Until they are faster, the rate does not grow.
    is_slow: bool,
}

/// A request that may be sent now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn(Instant);

impl Pace {
    /// Starts with a documented limit, if there is one.
    pub(super) fn new(limit: Option<KnownLimit>) -> Self {
        let state = limit.map_or_else(PaceState::default, |limit| PaceState {
            rate: Some(limit.rate),
            burst: limit.burst,
            ..PaceState::default()
        });
        Self(Mutex::new(state))
    }

    /// Waits until the next request may be sent.
    pub(super) async fn turn(&self) -> Turn {
        loop {
            let (at, decreases) = {
                let mut state = self.state();
                let now = Instant::now();
                let at = state.reserve(now);
                if at <= now {
                    return state.send(now);
                }
                (at, state.decreases)
            };
            tokio::time::sleep_until(at).await;
            // The host may have refused others meanwhile.
            let mut state = self.state();
            let now = Instant::now();
            if state.decreases == decreases && state.held_until.is_none_or(|until| until <= now) {
                return state.send(now);
            }
        }
    }

    /// Notes that the host refused the request of `turn` because there are too many. `asked` is the wait that it asks for.
    pub(super) fn refused(&self, turn: Turn, asked: Option<Duration>) {
        self.state().refused(Instant::now(), turn, asked);
    }

    /// Sends nothing to the host for the time that it asks for, unless that is too long.
    pub(super) fn hold(&self, asked: Duration) {
        self.state().hold(Instant::now(), asked);
    }

    /// Notes how long the host took to answer the request of `turn`, and how many requests it says are left.
    pub(super) fn answered(&self, turn: Turn, budget: Option<RequestBudget>) {
        let now = Instant::now();
        let mut state = self.state();
        state.answered(now, turn);
        if let Some(budget) = budget {
            state.follow(now, budget);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, PaceState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PaceState {
    /// Returns the time at which another request may be sent, and reserves it.
    fn reserve(&mut self, now: Instant) -> Instant {
        self.grow(now);
        let earliest = self.held_until.map_or(now, |until| until.max(now));
        let Some(rate) = self.rate else { return earliest };
        let gap = Duration::from_secs_f64(1.0 / rate.max(LEAST));
        // After a pause, `next` is in the past by at most the burst.
        let floor = earliest.checked_sub(gap.mul_f64(self.burst)).unwrap_or(earliest);
        let next = self.next.map_or(floor, |next| next.max(floor));
        self.next = Some(next + gap);
        next.max(earliest)
    }

    fn send(&mut self, now: Instant) -> Turn {
        while self.sent.len() >= REMEMBERED
            || self.sent.front().is_some_and(|at| now.duration_since(*at) > WINDOW)
        {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
        Turn(now)
    }

    fn hold(&mut self, now: Instant, asked: Duration) {
        if asked <= LONGEST_HOLD {
            self.held_until = Some(self.held_until.map_or(now + asked, |until| until.max(now + asked)));
        }
    }

    fn refused(&mut self, now: Instant, turn: Turn, asked: Option<Duration>) {
        if let Ok(position) = self.sent.binary_search(&turn.0) {
            self.sent.remove(position);
        }
        if let Some(asked) = asked {
            self.hold(now, asked);
        }
        // Requests that were sent before the last decrease say nothing about the rate since.
        if self.decreased.is_some_and(|decreased| turn.0 <= decreased) {
            return;
        }
        let seconds = self.decreased.map_or(WINDOW, |decreased| WINDOW.min(turn.0 - decreased)).as_secs_f64();
        let taken = self.sent.iter().filter(|at| (turn.0 - **at).as_secs_f64() < seconds && **at <= turn.0);
        #[allow(clippy::cast_precision_loss, reason = "at most 10,000")]
        let allowed = taken.count() as f64 / seconds.max(SETTLED.as_secs_f64());
        let rate = match self.rate {
            Some(rate) if self.decreased.is_some() && seconds < SETTLED.as_secs_f64() => {
                self.in_a_row += 1;
                if asked.is_none() {
                    self.hold(now, PAUSE * (1 << self.in_a_row.min(4)));
                }
                rate * DECREASE
            }
            present => {
                self.in_a_row = 0;
                let rate = match present {
                    // Few requests were sent, so they do not show what the host allows.
                    Some(rate) if allowed < rate * DECREASE => return self.slow_down(now, rate * DECREASE),
                    Some(rate) => allowed.min(rate) * BELOW,
                    None => allowed * BELOW,
                };
                self.allowed = rate;
                rate
            }
        };
        self.slow_down(now, rate);
    }

    /// Goes on at `rate`, after the present wait.
    fn slow_down(&mut self, now: Instant, rate: f64) {
        let rate = rate.max(LEAST);
        let from = self.held_until.map_or(now, |until| until.max(now));
        (self.rate, self.burst) = (Some(rate), 0.0);
        (self.decreased, self.grown) = (Some(from), Some(from));
        self.next = Some(from + Duration::from_secs_f64(1.0 / rate));
        self.decreases += 1;
    }

    /// Goes on at the rate at which the requests that are left last until there are new ones. A host far below its limit is not slowed
    /// down, and a wait that is too long is left to its refusals.
    fn follow(&mut self, now: Instant, budget: RequestBudget) {
        if budget.until > LONGEST_HOLD || budget.until.is_zero() {
            return;
        }
        if budget.left == 0 {
            return self.hold(now, budget.until);
        }
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let rate = budget.left as f64 / budget.until.as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "at most 10,000")]
        let present = self.rate.unwrap_or(self.sent.len() as f64);
        if self.is_budgeted {
            // The next window may allow more.
            (self.rate, self.grown) = (Some(rate.max(LEAST)), None);
        } else if present > rate {
            self.is_budgeted = true;
            self.slow_down(now, rate);
            self.grown = None;
        }
    }

    /// Notes the time of an answer. If the last ones are very slow, that counts like a refusal.
    fn answered(&mut self, now: Instant, turn: Turn) {
        let seconds = now.duration_since(turn.0).as_secs_f64();
        let fastest = self.fastest.map_or(seconds, |fastest| fastest.min(seconds));
        self.fastest = Some(fastest);
        self.average = if self.answers == 0 { seconds } else { self.average * (1.0 - LAST) + seconds * LAST };
        self.answers += 1;
        self.is_slow = self.average > SLOW.as_secs_f64() && self.average > fastest * SLOWER;
        if self.is_slow && f64::from(self.answers) > 2.0 / LAST {
            self.answers = 0;
            // The requests of the last second, because the rate may be far above what is sent.
            #[allow(clippy::cast_precision_loss, reason = "at most 10,000")]
            let sent = (self.sent.len() as f64).max(1.0);
            let present = self.rate.map_or(sent, |rate| rate.min(sent));
            self.allowed = self.allowed.max(present);
            self.slow_down(now, present * DECREASE);
        }
    }

    /// Lets the rate grow by the time without a refusal. A documented limit does not grow.
    fn grow(&mut self, now: Instant) {
        let (Some(rate), Some(grown)) = (self.rate, self.grown) else { return };
        if self.is_slow {
            self.grown = Some(grown.max(now));
            return;
        }
        let increase = if rate < self.allowed * NEAR { FAST_INCREASE } else { SLOW_INCREASE };
        self.rate = Some(rate * (1.0 + increase * now.duration_since(grown).as_secs_f64()));
        self.grown = Some(grown.max(now));
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
