/*
 * The rows of one index, gathered, sorted and put in order: what is put in order costs a page once and not
 * once a row. An item is the key's tail and the value, of fixed lengths. One thread.
 */
#ifndef CHANCERY_TESTS_BENCH_FILL_PILE_H
#define CHANCERY_TESTS_BENCH_FILL_PILE_H

#include "core.h"

struct pile {
    enum table table;
    struct key prefix;
    size_t key_bytes, value_bytes; /* of an item */
    uint8_t *items;
    size_t n, cap;
};

struct pile pile_new(enum table table, struct key prefix, size_t key_bytes, size_t value_bytes);
uint8_t *pile_add(struct pile *p); /* to be written by the caller before the next */
/* Sorts, puts all and frees; commits every so many. Ends the program where the store fails. */
void pile_put(struct pile *p, struct ledger *l);

#endif
