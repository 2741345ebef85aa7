/* regex - a small backtracking matcher over generated log lines: recursion over characters. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool match_here(const char *pattern, const char *text);

/* One element: '.', '\d', '\w', '[abc]' or a character. How long it is in the pattern. */
static size_t element_size(const char *pattern)
{
    if (*pattern == '[')
        return (size_t)(strchr(pattern, ']') - pattern) + 1;
    return *pattern == '\\' ? 2 : 1;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool match_one(const char *pattern, char c)
{
    if (c == 0)
        return false;
    switch (*pattern) {
    case '.': return true;
    case '\\':
        if (pattern[1] == 'd')
            return c >= '0' && c <= '9';
        return pattern[1] == 'w' ? is_word(c) : pattern[1] == c;
    case '[':
        for (const char *p = pattern + 1; *p != ']'; p++)
            if (*p == c)
                return true;
        return false;
    default: return *pattern == c;
    }
}

static bool match_many(const char *element, const char *rest, const char *text, size_t least)
{
    size_t n = 0;

    while (match_one(element, text[n]))
        n++;
    for (;; n--) {
        if (n < least)
            return false;
        if (match_here(rest, text + n))
            return true;
        if (n == 0)
            return false;
    }
}

static bool match_here(const char *pattern, const char *text)
{
    size_t size;

    if (*pattern == 0)
        return true;
    if (*pattern == '$' && pattern[1] == 0)
        return *text == 0;
    size = element_size(pattern);
    switch (pattern[size]) {
    case '*': return match_many(pattern, pattern + size + 1, text, 0);
    case '+': return match_many(pattern, pattern + size + 1, text, 1);
    case '?':
        if (match_one(pattern, *text) && match_here(pattern + size + 1, text + 1))
            return true;
        return match_here(pattern + size + 1, text);
    default: return match_one(pattern, *text) && match_here(pattern + size, text + 1);
    }
}

static bool search(const char *pattern, const char *text)
{
    if (*pattern == '^')
        return match_here(pattern + 1, text);
    do {
        if (match_here(pattern, text))
            return true;
    } while (*text++);
    return false;
}

int main(int argc, char **argv)
{
    static const char *const patterns[] = {"error: \\w+ \\d+$", "^\\d+-\\d+-\\d+ .*GET",
                                           "[aeiou]+[xyz]?q", "(\\w+)@\\w+\\.\\w+",
                                           ".*.*status=5\\d\\d"};
    enum { PATTERNS = sizeof patterns / sizeof *patterns };
    int lines = argc > 1 ? atoi(argv[1]) : 10000;
    long found[PATTERNS] = {0};
    uint32_t dice = 3;
    char line[160];

    for (int i = 0; i < lines; i++) {
        dice = dice * 1664525 + 1013904223;
        snprintf(line, sizeof line, "2026-%02u-%02u %s /path/%u/file.html user=(u%u)@host.org %s%u",
                 dice >> 8 & 15, dice >> 12 & 31, dice >> 31 ? "GET" : "PUT", dice >> 20,
                 dice >> 18 & 255, dice >> 30 & 1 ? "status=" : "error: code ", dice >> 9 & 1023);
        for (int p = 0; p < PATTERNS; p++)
            found[p] += search(patterns[p], line);
    }
    printf("regex %d:", lines);
    for (int p = 0; p < PATTERNS; p++)
        printf(" %ld", found[p]);
    printf("\n");
    return 0;
}
