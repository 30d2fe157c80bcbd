/* What divided work is made of, for all contenders in C and C++: the parts that one thread does,
 * and how the results are checked. */
#ifndef SERIAL_H
#define SERIAL_H

#include <stdint.h>
#include <stdlib.h>

#define SERIAL static inline __attribute__((unused))

/* ---- binary trees ---- */

struct node {
    struct node *left, *right;
};

SERIAL long count_and_free(struct node *node)
{
    if (!node)
        return 0;
    long nodes = 1 + count_and_free(node->left) + count_and_free(node->right);
    free(node);
    return nodes;
}

/* ---- quicksort ---- */

enum { SERIAL_SORT = 2048 };

SERIAL long divide(int *a, long n)
{
    int pivot = a[(n - 1) / 2]; /* not the last one: both parts are then smaller than the whole */
    long i = 0, j = n - 1;
    for (;;) {
        while (a[i] < pivot)
            i++;
        while (a[j] > pivot)
            j--;
        if (i >= j)
            return j + 1;
        int swapped = a[i];
        a[i++] = a[j];
        a[j--] = swapped;
    }
}

SERIAL void sort_serially(int *a, long n)
{
    if (n > 1) {
        long middle = divide(a, n);
        sort_serially(a, middle);
        sort_serially(a + middle, n - middle);
    }
}

SERIAL int *unsorted(long n)
{
    int *a = (int *)malloc((size_t)n * sizeof *a);
    uint64_t x = 1;
    for (long i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1;
        a[i] = (int)(x >> 33);
    }
    return a;
}

SERIAL int is_sorted_then_freed(int *a, long n)
{
    int sorted = 1;
    for (long i = 1; i < n; i++)
        sorted &= a[i - 1] <= a[i];
    free(a);
    return sorted;
}

/* ---- matrices ---- */

enum { SIDE = 256, ROWS_AT_ONCE = 8 };

static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

SERIAL void fill_matrices(void)
{
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            a[i][j] = i == j ? 2 : 0;
            b[i][j] = i * SIDE + j;
        }
    }
}

SERIAL void multiply_rows(int from, int to)
{
    for (int i = from; i < to; i++) {
        for (int j = 0; j < SIDE; j++)
            c[i][j] = 0;
        for (int k = 0; k < SIDE; k++) {
            for (int j = 0; j < SIDE; j++)
                c[i][j] += a[i][k] * b[k][j];
        }
    }
}

SERIAL int is_product(void)
{
    return c[3][5] == 2 * (3 * SIDE + 5);
}

/* ---- queens ---- */

enum { MOST_QUEENS = 12, SPAWNED_ROWS = 4 };

/* The columns and the two diagonals that are taken, seen from this row, as bits. */
SERIAL long queens(int size, int row, unsigned columns, unsigned left, unsigned right)
{
    if (row == size)
        return 1;
    long sum = 0;
    unsigned free_columns = ((1u << size) - 1) & ~(columns | left | right);
    while (free_columns) {
        unsigned queen = free_columns & -free_columns;
        free_columns -= queen;
        sum += queens(size, row + 1, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
    return sum;
}

#endif
