/* Its argument, then its input; exit code 7. */
#include <stdio.h>

int main(int argc, char **argv)
{
    int c;

    if (argc > 1)
        puts(argv[1]);
    while ((c = getchar()) != EOF)
        putchar(c);
    return 7;
}
