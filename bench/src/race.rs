//! Times contestants in turn, so that a neighbour's noise falls on all of them.

use std::time::{Duration, Instant};

use crate::allocations;
use crate::report::Report;

/// How long one contestant runs before the next has its turn.
const TURN: Duration = Duration::from_millis(4);
/// How often each contestant has its turn.
const TURNS: usize = 60;

/// One way to do the work of a case.
pub struct Contestant<'a> {
    who: &'static str,
    work: Box<dyn FnMut() + 'a>,
    /// How many bytes one call writes, where that is part of the result.
    bytes: Option<usize>,
}

impl Contestant<'_> {
    /// Reports also that one call of the work writes so many bytes.
    pub fn writing(mut self, bytes: usize) -> Self {
        self.bytes = Some(bytes);
        self
    }

    /// The name it races under.
    pub fn who(&self) -> &'static str {
        self.who
    }
}

/// A contestant: `who` is `manywire` for ours and the crate's name for a peer; `work` does the case once.
pub fn contestant<'a>(who: &'static str, work: impl FnMut() + 'a) -> Contestant<'a> {
    Contestant {
        who,
        work: Box::new(work),
        bytes: None,
    }
}

/// Races the contestants of one case and reports nanoseconds and allocations per item, the 10th percentile of the turns.
/// `items` is how many items one call of `work` handles.
pub fn race(report: &mut Report, case: &str, items: u64, contestants: &mut [Contestant<'_>]) {
    if !report.wants(case) {
        return;
    }
    let calls: Vec<u64> = contestants.iter_mut().map(calibrate).collect();
    let mut turns = vec![Vec::with_capacity(TURNS); contestants.len()];
    for _ in 0..TURNS {
        for ((contestant, &calls), turns) in contestants.iter_mut().zip(&calls).zip(&mut turns) {
            turns.push(time(contestant, calls).as_nanos() as f64 / (calls * items) as f64);
        }
    }
    for (contestant, turns) in contestants.iter_mut().zip(&mut turns) {
        turns.sort_by(f64::total_cmp);
        let nanoseconds = turns[TURNS / 10];
        let asked = allocations::during(|| (contestant.work)()) as f64 / items as f64;
        let mut figures = vec![("ns", nanoseconds), ("allocations", asked)];
        figures.extend(
            contestant
                .bytes
                .map(|bytes| ("bytes", bytes as f64 / items as f64)),
        );
        report.figures(case, contestant.who, figures);
    }
}

/// How many calls fill a turn.
fn calibrate(contestant: &mut Contestant<'_>) -> u64 {
    let mut calls = 1;
    loop {
        let took = time(contestant, calls);
        if took >= TURN / 2 {
            return (calls as f64 * TURN.as_secs_f64() / took.as_secs_f64()).max(1.0) as u64;
        }
        calls *= 2;
    }
}

fn time(contestant: &mut Contestant<'_>, calls: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        (contestant.work)();
    }
    start.elapsed()
}
