//! The frame of a peer's program, as ../../peer.h is for C and C++.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

static PART: AtomicI64 = AtomicI64::new(1);

/// n, or a small part of it where the run is only to show that the program works.
pub fn times(n: i64) -> i64 {
    (n / PART.load(Ordering::Relaxed)).max(1)
}

pub fn is_whole() -> bool {
    PART.load(Ordering::Relaxed) == 1
}

/// Does the work and returns the number of operations.
pub type Run = fn() -> i64;

/// Lists the rows, or runs one.
pub fn main(rows: &[(&str, Run)]) {
    let args: Vec<String> = std::env::args().collect();
    if let Some(part) = args.get(2) {
        PART.store(part.parse().unwrap(), Ordering::Relaxed);
    }
    for (name, run) in rows {
        if args.len() < 2 {
            println!("{name}");
        } else if args[1] == *name {
            let start = Instant::now();
            let n = run();
            println!("{:.2}", start.elapsed().as_nanos() as f64 / n as f64);
            return;
        }
    }
    if args.len() > 1 {
        std::process::exit(3);
    }
}
