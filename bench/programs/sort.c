/* sort - merge sort of records by a comparison function: moves, branches, calls by pointer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
    uint32_t key;
    uint32_t number;
};

typedef int (*compare_fn)(const struct record *a, const struct record *b);

static int by_key(const struct record *a, const struct record *b)
{
    return (a->key > b->key) - (a->key < b->key);
}

static int by_low_bits(const struct record *a, const struct record *b)
{
    uint32_t x = a->key & 0xffff, y = b->key & 0xffff;

    return (x > y) - (x < y);
}

static void insertion_sort(struct record *r, size_t n, compare_fn compare)
{
    for (size_t i = 1; i < n; i++) {
        struct record moving = r[i];
        size_t k = i;

        for (; k > 0 && compare(&r[k - 1], &moving) > 0; k--)
            r[k] = r[k - 1];
        r[k] = moving;
    }
}

static void merge_sort(struct record *r, struct record *spare, size_t n, compare_fn compare)
{
    size_t half = n / 2, left = 0, right = half, out = 0;

    if (n <= 12) {
        insertion_sort(r, n, compare);
        return;
    }
    merge_sort(r, spare, half, compare);
    merge_sort(r + half, spare, n - half, compare);
    memcpy(spare, r, half * sizeof *r);
    while (left < half && right < n) {
        if (compare(&spare[left], &r[right]) <= 0)
            r[out++] = spare[left++];
        else
            r[out++] = r[right++];
    }
    while (left < half)
        r[out++] = spare[left++];
}

static uint32_t checksum(const struct record *r, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = sum * 16777619 ^ r[i].number;
    return sum;
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? (size_t)atol(argv[1]) : 10000;
    struct record *r = malloc(n * sizeof *r);
    struct record *spare = malloc(n * sizeof *spare);
    uint32_t dice = 12345, by_all, by_low;

    if (!r || !spare)
        return 1;
    for (size_t i = 0; i < n; i++) {
        dice = dice * 1664525 + 1013904223;
        r[i] = (struct record){.key = dice ^ dice >> 15, .number = (uint32_t)i};
    }
    merge_sort(r, spare, n, by_key);
    by_all = checksum(r, n);
    merge_sort(r, spare, n, by_low_bits);
    by_low = checksum(r, n);
    printf("sort %zu: %08x %08x\n", n, by_all, by_low);
    free(r);
    free(spare);
    return 0;
}
