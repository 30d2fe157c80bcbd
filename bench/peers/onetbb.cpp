/* oneTBB's task groups. It takes as many threads as the process has CPUs. */
#include "../serial.h"
#include "peer.h"
#include <tbb/parallel_for.h>
#include <tbb/task_group.h>

static long fib_of(int n)
{
    if (n < 2)
        return 1;
    long left, right;
    tbb::task_group group;
    group.run([&left, n] { left = fib_of(n - 1); });
    right = fib_of(n - 2);
    group.wait();
    return left + right + 1; // counts the calls
}

static long run_fib()
{
    return fib_of(is_whole() ? 25 : 10);
}

static node *tree(int depth)
{
    node *n = static_cast<node *>(calloc(1, sizeof *n));
    if (depth > 0) {
        tbb::task_group group;
        group.run([n, depth] { n->left = tree(depth - 1); });
        n->right = tree(depth - 1);
        group.wait();
    }
    return n;
}

static long run_binary_trees()
{
    int depth = is_whole() ? 17 : 7;
    long nodes = count_and_free(tree(depth));
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
    tbb::task_group group;
    group.run([=] { sort(numbers, middle); });
    sort(numbers + middle, n - middle);
    group.wait();
}

static long run_quicksort()
{
    long n = times(4000000);
    stop_clock();
    int *numbers = unsorted(n);
    start_clock();
    sort(numbers, n);
    stop_clock();
    check(is_sorted_then_freed(numbers, n));
    start_clock();
    return n;
}

static long run_matrix()
{
    long n = times(10);
    fill_matrices();
    for (long i = 0; i < n; i++)
        tbb::parallel_for(
            tbb::blocked_range<int>(0, SIDE, ROWS_AT_ONCE),
            [](const tbb::blocked_range<int> &rows) { multiply_rows(rows.begin(), rows.end()); });
    check(is_product());
    return n;
}

static long place(int size, int row, unsigned columns, unsigned left, unsigned right)
{
    if (row == SPAWNED_ROWS)
        return queens(size, row, columns, left, right);
    long solutions[MOST_QUEENS] = {}, sum = 0;
    unsigned free_columns = ((1u << size) - 1) & ~(columns | left | right);
    tbb::task_group group;
    for (int i = 0; free_columns; i++) {
        unsigned queen = free_columns & -free_columns;
        free_columns -= queen;
        group.run([=, &solutions] {
            solutions[i] =
                place(size, row + 1, columns | queen, (left | queen) << 1, (right | queen) >> 1);
        });
    }
    group.wait();
    for (int i = 0; i < size; i++)
        sum += solutions[i];
    return sum;
}

static long run_nqueens()
{
    int size = is_whole() ? 11 : 6;
    long n = times(10);
    for (long i = 0; i < n; i++)
        check(place(size, 0, 0, 0, 0) == (is_whole() ? 2680 : 4));
    return n;
}

static long run_spawn_finish()
{
    long rounds = times(1000);
    for (long i = 0; i < rounds; i++) {
        tbb::task_group group;
        for (int j = 0; j < 1000; j++)
            group.run([] {});
        group.wait();
    }
    return 1000 * rounds;
}

static const peer_row rows[] = {
    { "spawn_finish", run_spawn_finish },
    { "fib", run_fib },
    { "binary_trees", run_binary_trees },
    { "quicksort", run_quicksort },
    { "matrix", run_matrix },
    { "nqueens", run_nqueens },
};
PEER_MAIN(rows)
