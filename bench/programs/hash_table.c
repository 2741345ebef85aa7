/* hash_table - open addressing with strings as keys: hashing, comparing, cache misses. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    const char *key;
    uint32_t hash;
    uint32_t count;
};

struct table {
    struct entry *entries;
    size_t capacity; /* a power of two */
    size_t used;
};

static uint32_t hash_of(const char *s)
{
    uint32_t h = 2166136261u;

    for (; *s; s++)
        h = (h ^ (uint8_t)*s) * 16777619;
    return h;
}

static struct entry *find(const struct table *t, const char *key, uint32_t hash)
{
    size_t i = hash & (t->capacity - 1);

    while (t->entries[i].key && (t->entries[i].hash != hash || strcmp(t->entries[i].key, key) != 0))
        i = (i + 1) & (t->capacity - 1);
    return &t->entries[i];
}

static void resize(struct table *t, size_t capacity)
{
    struct table bigger = {.capacity = capacity};

    bigger.entries = calloc(capacity, sizeof *bigger.entries);
    if (!bigger.entries)
        exit(1);
    for (size_t i = 0; i < t->capacity; i++)
        if (t->entries[i].key)
            *find(&bigger, t->entries[i].key, t->entries[i].hash) = t->entries[i];
    bigger.used = t->used;
    free(t->entries);
    *t = bigger;
}

static void count_word(struct table *t, const char *word)
{
    uint32_t hash = hash_of(word);
    struct entry *e = find(t, word, hash);

    if (!e->key) {
        size_t size = strlen(word) + 1;
        char *copy = malloc(size);

        if (!copy)
            exit(1);
        memcpy(copy, word, size);
        *e = (struct entry){.key = copy, .hash = hash};
        t->used++;
    }
    e->count++;
    if (t->used * 3 > t->capacity * 2)
        resize(t, t->capacity * 2);
}

static void make_word(char *word, uint32_t dice)
{
    static const char *const part[] = {"ter", "na", "flo", "mi", "ska", "ru", "den", "po"};
    int parts = 2 + (int)(dice >> 30);

    *word = 0;
    for (int i = 0; i < parts; i++) {
        size_t length = strlen(word);

        strcpy(word + length, part[dice >> (3 * i + 6) & 7]);
    }
    word += strlen(word);
    *word++ = (char)('a' + dice % 26);
    *word++ = (char)('a' + dice / 26 % 26);
    *word = 0;
}

int main(int argc, char **argv)
{
    long words = argc > 1 ? atol(argv[1]) : 100000;
    struct table t = {0};
    uint32_t dice = 1, most = 0, sum = 0;
    char word[64];

    resize(&t, 16);
    for (long i = 0; i < words; i++) {
        dice = dice * 1664525 + 1013904223;
        make_word(word, dice);
        count_word(&t, word);
    }
    for (size_t i = 0; i < t.capacity; i++) {
        sum += t.entries[i].hash * t.entries[i].count;
        if (t.entries[i].count > most)
            most = t.entries[i].count;
        free((void *)t.entries[i].key);
    }
    printf("hash_table %ld: %zu words, most often %u, sum %08x\n", words, t.used, most, sum);
    free(t.entries);
    return 0;
}
