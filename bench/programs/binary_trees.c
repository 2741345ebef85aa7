/* binary_trees - many small blocks from malloc, and recursion over them. */
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *left;
    struct node *right;
};

static struct node *grow(int depth)
{
    struct node *n = malloc(sizeof *n);

    if (!n)
        exit(1);
    n->left = depth > 0 ? grow(depth - 1) : NULL;
    n->right = depth > 0 ? grow(depth - 1) : NULL;
    return n;
}

static int count(const struct node *n)
{
    return n->left ? 1 + count(n->left) + count(n->right) : 1;
}

static void fell(struct node *n)
{
    if (n->left) {
        fell(n->left);
        fell(n->right);
    }
    free(n);
}

int main(int argc, char **argv)
{
    int deepest = argc > 1 ? atoi(argv[1]) : 10;
    struct node *lasting = grow(deepest);
    long total = 0;

    for (int depth = 4; depth <= deepest; depth += 4) {
        long trees = 1L << (deepest - depth + 4);

        for (long i = 0; i < trees; i++) {
            struct node *n = grow(depth);

            total += count(n);
            fell(n);
        }
    }
    printf("binary_trees %d: %ld nodes, %d in the lasting tree\n", deepest, total, count(lasting));
    fell(lasting);
    return 0;
}
