//! tokio: tasks that await. With one worker its current-thread runtime, which is the faster one.

use peers::times;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{mpsc, Mutex};
use tokio::task::{yield_now, JoinSet};

fn block_on<T>(work: impl Future<Output = T> + Send + 'static) -> T
where
    T: Send + 'static,
{
    let one = std::env::var("TOKIO_WORKER_THREADS").map_or(false, |n| n == "1");
    if one {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(work)
    } else {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        // As a task: the thread that blocks is not one of the workers.
        runtime.block_on(async { tokio::spawn(work).await.unwrap() })
    }
}

async fn yielder(n: i64) {
    for _ in 0..n {
        yield_now().await;
    }
}

fn run_yield() -> i64 {
    let n = times(1000000);
    block_on(async move {
        let (a, b) = (tokio::spawn(yielder(n)), tokio::spawn(yielder(n)));
        a.await.unwrap();
        b.await.unwrap();
    });
    2 * n
}

async fn through(n: i64, room: usize) {
    let (to, mut from) = mpsc::channel(room);
    tokio::spawn(async move {
        for i in 0..n {
            to.send(i).await.unwrap();
        }
    });
    let mut sum = 0;
    while let Some(v) = from.recv().await {
        sum += v;
    }
    assert_eq!(sum, n * (n - 1) / 2);
}

fn run_buffered1() -> i64 {
    let n = times(1000000);
    block_on(through(n, 1));
    n
}

fn run_buffered10() -> i64 {
    let n = times(2000000);
    block_on(through(n, 10));
    n
}

fn run_buffered128() -> i64 {
    let n = times(4000000);
    block_on(through(n, 128));
    n
}

fn run_spawn_finish() -> i64 {
    let rounds = times(1000);
    block_on(async move {
        for _ in 0..rounds {
            let mut all = JoinSet::new();
            for _ in 0..1000 {
                all.spawn(async {});
            }
            while all.join_next().await.is_some() {}
        }
    });
    1000 * rounds
}

fn run_spawn_join() -> i64 {
    let n = times(500000);
    block_on(async move {
        for _ in 0..n {
            tokio::spawn(async {}).await.unwrap();
        }
    });
    n
}

fn sky(up: mpsc::Sender<i64>, number: i64, size: i64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if size == 1 {
            up.send(number).await.unwrap();
            return;
        }
        let (to, mut from) = mpsc::channel(10);
        for i in 0..10 {
            tokio::spawn(sky(to.clone(), number + i * (size / 10), size / 10));
        }
        let mut sum = 0;
        for _ in 0..10 {
            sum += from.recv().await.unwrap();
        }
        up.send(sum).await.unwrap();
    })
}

fn run_skynet() -> i64 {
    let leaves = times(1000000);
    let sum = block_on(async move {
        let (to, mut from) = mpsc::channel(1);
        tokio::spawn(sky(to, 0, leaves));
        from.recv().await.unwrap()
    });
    assert_eq!(sum, leaves * (leaves - 1) / 2);
    leaves
}

fn mutex_by(tasks: i64, n: i64) -> i64 {
    block_on(async move {
        let guarded = Arc::new(Mutex::new(0));
        let mut all = JoinSet::new();
        for _ in 0..tasks {
            let guarded = guarded.clone();
            all.spawn(async move {
                for _ in 0..n {
                    *guarded.lock().await += 1;
                }
            });
        }
        while all.join_next().await.is_some() {}
        assert_eq!(*guarded.lock().await, tasks * n);
    });
    tasks * n
}

fn run_mutex_uncontended() -> i64 {
    mutex_by(1, times(10000000))
}

fn run_mutex_contended() -> i64 {
    mutex_by(2, times(5000000))
}

fn main() {
    peers::main(&[
        ("yield", run_yield),
        ("buffered1", run_buffered1),
        ("buffered10", run_buffered10),
        ("buffered128", run_buffered128),
        ("spawn_finish", run_spawn_finish),
        ("spawn_join", run_spawn_join),
        ("skynet", run_skynet),
        ("mutex_uncontended", run_mutex_uncontended),
        ("mutex_contended", run_mutex_contended),
    ]);
}
