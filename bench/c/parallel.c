/* Work that is divided in two again and again: the new goroutine takes one half, its parent the
 * other, and waits. */
#include "bench.h"
#include "../serial.h"

static void fib_of(int n, long *result, go_waitgroup *up)
{
    if (n < 2) {
        *result = 1;
    } else {
        long left, right;
        go_waitgroup wg = { 0 };
        go_waitgroup_add(&wg, 1);
        go(fib_of, n - 1, &left, &wg);
        fib_of(n - 2, &right, NULL);
        go_waitgroup_wait(&wg);
        *result = left + right + 1; /* counts the calls */
    }
    if (up)
        go_waitgroup_done(up);
}

static long fib(void)
{
    long calls;
    fib_of(times(1000) > 1 ? 25 : 10, &calls, NULL);
    return calls;
}

static void tree(int depth, struct node **result, go_waitgroup *up)
{
    struct node *node = calloc(1, sizeof *node);
    if (depth > 0) {
        go_waitgroup wg = { 0 };
        go_waitgroup_add(&wg, 1);
        go(tree, depth - 1, &node->left, &wg);
        tree(depth - 1, &node->right, NULL);
        go_waitgroup_wait(&wg);
    }
    *result = node;
    if (up)
        go_waitgroup_done(up);
}

static long binary_trees(void)
{
    int depth = times(1000) > 1 ? 17 : 7;
    struct node *root;
    tree(depth, &root, NULL);
    long nodes = count_and_free(root);
    check(nodes == (2 << depth) - 1);
    return nodes;
}

static void sort(int *a, long n, go_waitgroup *up)
{
    if (n > SERIAL_SORT) {
        long middle = divide(a, n);
        go_waitgroup wg = { 0 };
        go_waitgroup_add(&wg, 1);
        go(sort, a, middle, &wg);
        sort(a + middle, n - middle, NULL);
        go_waitgroup_wait(&wg);
    } else {
        sort_serially(a, n);
    }
    if (up)
        go_waitgroup_done(up);
}

static long quicksort(void)
{
    long n = times(4000000);
    stop_clock();
    int *a = unsorted(n);
    start_clock();
    sort(a, n, NULL);
    stop_clock();
    check(is_sorted_then_freed(a, n));
    start_clock();
    return n;
}

static void multiply(int from, int to, go_waitgroup *up)
{
    if (to - from > ROWS_AT_ONCE) {
        int middle = (from + to) / 2;
        go_waitgroup wg = { 0 };
        go_waitgroup_add(&wg, 1);
        go(multiply, from, middle, &wg);
        multiply(middle, to, NULL);
        go_waitgroup_wait(&wg);
    } else {
        multiply_rows(from, to);
    }
    if (up)
        go_waitgroup_done(up);
}

static long matrix(void)
{
    long n = times(10);
    fill_matrices();
    for (long i = 0; i < n; i++)
        multiply(0, SIDE, NULL);
    check(is_product());
    return n;
}

static void place(int size, int row, unsigned columns, unsigned left, unsigned right, long *result,
                  go_waitgroup *up)
{
    if (row == SPAWNED_ROWS) {
        *result = queens(size, row, columns, left, right);
    } else {
        long solutions[MOST_QUEENS] = { 0 }, sum = 0;
        unsigned free_columns = ((1u << size) - 1) & ~(columns | left | right);
        go_waitgroup wg = { 0 };
        for (int i = 0; free_columns; i++) {
            unsigned queen = free_columns & -free_columns;
            free_columns -= queen;
            go_waitgroup_add(&wg, 1);
            go(place, size, row + 1, columns | queen, (left | queen) << 1, (right | queen) >> 1,
               &solutions[i], &wg);
        }
        go_waitgroup_wait(&wg);
        for (int i = 0; i < size; i++)
            sum += solutions[i];
        *result = sum;
    }
    if (up)
        go_waitgroup_done(up);
}

static long nqueens(void)
{
    int size = times(1000) > 1 ? 11 : 6;
    long n = times(10);
    for (long i = 0; i < n; i++) {
        long solutions;
        place(size, 0, 0, 0, 0, &solutions, NULL);
        check(solutions == (size == 11 ? 2680 : 4));
    }
    return n;
}

static const struct row rows[] = {
    { "fib", "Fibonacci's numbers, a goroutine for each second call: one call", fib },
    { "binary_trees", "build a tree, a goroutine for each second node: one node", binary_trees },
    { "quicksort", "sort four million numbers, parts over 2,048 in goroutines: one number",
      quicksort },
    { "matrix", "multiply two matrices of 256 by 256, 8 rows a goroutine", matrix },
    { "nqueens", "place 11 queens in all ways, the first four rows' in goroutines", nqueens },
    { 0 },
};
const struct table parallel_table = { "Divided work", rows };
