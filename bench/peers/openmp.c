/* OpenMP's tasks. */
#include "../serial.h"
#include "peer.h"

/* Runs the block that follows in one thread of a team: its tasks are for all of them. */
#define TEAM _Pragma("omp parallel") _Pragma("omp single")

static long fib_of(int n)
{
    long left, right;
    if (n < 2)
        return 1;
#pragma omp task shared(left)
    left = fib_of(n - 1);
    right = fib_of(n - 2);
#pragma omp taskwait
    return left + right + 1; /* counts the calls */
}

static long run_fib(void)
{
    long calls;
    TEAM calls = fib_of(is_whole() ? 25 : 10);
    return calls;
}

static struct node *tree(int depth)
{
    struct node *node = calloc(1, sizeof *node);
    if (depth > 0) {
#pragma omp task
        node->left = tree(depth - 1);
        node->right = tree(depth - 1);
#pragma omp taskwait
    }
    return node;
}

static long run_binary_trees(void)
{
    int depth = is_whole() ? 17 : 7;
    struct node *root;
    TEAM root = tree(depth);
    long nodes = count_and_free(root);
    check(nodes == (2 << depth) - 1);
    return nodes;
}

static void sort(int *numbers, long n)
{
    if (n <= SERIAL_SORT) {
        sort_serially(numbers, n);
        return;
    }
    long middle = divide(numbers, n);
#pragma omp task
    sort(numbers, middle);
    sort(numbers + middle, n - middle);
#pragma omp taskwait
}

static long run_quicksort(void)
{
    long n = times(4000000);
    stop_clock();
    int *numbers = unsorted(n);
    start_clock();
    TEAM sort(numbers, n);
    stop_clock();
    check(is_sorted_then_freed(numbers, n));
    start_clock();
    return n;
}

static long run_matrix(void)
{
    long n = times(10);
    fill_matrices();
    for (long i = 0; i < n; i++) {
#pragma omp parallel for schedule(dynamic)
        for (int row = 0; row < SIDE; row += ROWS_AT_ONCE)
            multiply_rows(row, row + ROWS_AT_ONCE);
    }
    check(is_product());
    return n;
}

static long place(int size, int row, unsigned columns, unsigned left, unsigned right)
{
    if (row == SPAWNED_ROWS)
        return queens(size, row, columns, left, right);
    long solutions[MOST_QUEENS] = { 0 }, sum = 0;
    unsigned free_columns = ((1u << size) - 1) & ~(columns | left | right);
    for (int i = 0; free_columns; i++) {
        unsigned queen = free_columns & -free_columns;
        free_columns -= queen;
#pragma omp task shared(solutions)
        solutions[i] =
            place(size, row + 1, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
#pragma omp taskwait
    for (int i = 0; i < size; i++)
        sum += solutions[i];
    return sum;
}

static long run_nqueens(void)
{
    int size = is_whole() ? 11 : 6;
    long n = times(10);
    for (long i = 0; i < n; i++) {
        long solutions;
        TEAM solutions = place(size, 0, 0, 0, 0);
        check(solutions == (is_whole() ? 2680 : 4));
    }
    return n;
}

static void nothing(void)
{
    __asm__ volatile("");
}

static long run_spawn_finish(void)
{
    long rounds = times(1000);
    TEAM for (long i = 0; i < rounds; i++)
    {
        for (int j = 0; j < 1000; j++) {
#pragma omp task
            nothing();
        }
#pragma omp taskwait
    }
    return 1000 * rounds;
}

static const struct peer_row rows[] = {
    { "spawn_finish", run_spawn_finish },
    { "fib", run_fib },
    { "binary_trees", run_binary_trees },
    { "quicksort", run_quicksort },
    { "matrix", run_matrix },
    { "nqueens", run_nqueens },
};
PEER_MAIN(rows)
