/* A file of requests, whole and ready to be sent: each is its length (32 bits, this machine's order) and its
 * octets. Made ahead, so that the load generator does nothing but send and receive. */
#ifndef CHANCERY_TESTS_BENCH_ASK_FILE_H
#define CHANCERY_TESTS_BENCH_ASK_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ask {
    const uint8_t *p;
    size_t n;
};

/* Writing. Ends the program where it fails. The file is 0600: it may hold a bearer token. */
FILE *ask_file_create(const char *path);
void ask_file_put(FILE *f, const void *head, size_t head_n, const void *body, size_t body_n);
void ask_file_close(FILE *f);

/* Reading: all of it, mapped, for the life of the program. */
size_t ask_file_open(const char *path, const struct ask **ret);

#endif
