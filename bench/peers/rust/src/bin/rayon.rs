//! rayon: divided work.

use peers::is_whole;
use rayon::prelude::*;

fn fib_of(n: i32) -> i64 {
    if n < 2 {
        return 1;
    }
    let (left, right) = rayon::join(|| fib_of(n - 1), || fib_of(n - 2));
    left + right + 1 // counts the calls
}

fn run_fib() -> i64 {
    let n = if is_whole() { 25 } else { 10 };
    rayon::scope(|_| fib_of(n))
}

struct Node {
    left: Option<Box<Node>>,
    right: Option<Box<Node>>,
}

fn tree(depth: i32) -> Option<Box<Node>> {
    let (left, right) = if depth > 0 {
        rayon::join(|| tree(depth - 1), || tree(depth - 1))
    } else {
        (None, None)
    };
    Some(Box::new(Node { left, right }))
}

fn count_and_free(node: Option<Box<Node>>) -> i64 {
    node.map_or(0, |n| 1 + count_and_free(n.left) + count_and_free(n.right))
}

fn run_binary_trees() -> i64 {
    let depth = if is_whole() { 17 } else { 7 };
    let nodes = count_and_free(rayon::scope(|_| tree(depth)));
    assert_eq!(nodes, (2 << depth) - 1);
    nodes
}

const SIDE: usize = 256;
const ROWS_AT_ONCE: usize = 8;
type Matrix = Vec<[f64; SIDE]>;

fn multiply_rows(a: &Matrix, b: &Matrix, from: usize, rows: &mut [[f64; SIDE]]) {
    for (i, row) in rows.iter_mut().enumerate() {
        *row = [0.0; SIDE];
        for k in 0..SIDE {
            let factor = a[from + i][k];
            for (cell, value) in row.iter_mut().zip(&b[k]) {
                *cell += factor * value;
            }
        }
    }
}

fn run_matrix() -> i64 {
    let n = peers::times(10);
    let mut a: Matrix = vec![[0.0; SIDE]; SIDE];
    let mut b = a.clone();
    let mut c = a.clone();
    for i in 0..SIDE {
        a[i][i] = 2.0;
        for j in 0..SIDE {
            b[i][j] = (i * SIDE + j) as f64;
        }
    }
    for _ in 0..n {
        c.par_chunks_mut(ROWS_AT_ONCE)
            .enumerate()
            .for_each(|(i, rows)| multiply_rows(&a, &b, i * ROWS_AT_ONCE, rows));
    }
    assert_eq!(c[3][5], 2.0 * (3 * SIDE + 5) as f64);
    n
}

const SPAWNED_ROWS: u32 = 4;

/// The columns and the two diagonals that are taken, seen from this row, as bits.
fn queens(size: u32, row: u32, columns: u32, left: u32, right: u32) -> i64 {
    if row == size {
        return 1;
    }
    let mut sum = 0;
    let mut free = ((1 << size) - 1) & !(columns | left | right);
    while free != 0 {
        let queen = free & free.wrapping_neg();
        free -= queen;
        sum += queens(
            size,
            row + 1,
            columns | queen,
            (left | queen) << 1,
            (right | queen) >> 1,
        );
    }
    sum
}

fn place(size: u32, row: u32, columns: u32, left: u32, right: u32) -> i64 {
    if row == SPAWNED_ROWS {
        return queens(size, row, columns, left, right);
    }
    let free = ((1 << size) - 1) & !(columns | left | right);
    (0..size)
        .into_par_iter()
        .with_max_len(1)
        .map(|column| 1 << column)
        .filter(|queen| free & queen != 0)
        .map(|queen| {
            place(
                size,
                row + 1,
                columns | queen,
                (left | queen) << 1,
                (right | queen) >> 1,
            )
        })
        .sum()
}

fn run_nqueens() -> i64 {
    let (size, solutions) = if is_whole() { (11, 2680) } else { (6, 4) };
    let n = peers::times(10);
    for _ in 0..n {
        assert_eq!(place(size, 0, 0, 0, 0), solutions);
    }
    n
}

fn main() {
    peers::main(&[
        ("fib", run_fib),
        ("binary_trees", run_binary_trees),
        ("matrix", run_matrix),
        ("nqueens", run_nqueens),
    ]);
}
