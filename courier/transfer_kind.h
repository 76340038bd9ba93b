/* What the kinds of transfers share: one libcurl handle in the multi of all. Private to transfer*.c. */
#ifndef CHANCERY_COURIER_TRANSFER_KIND_H
#define CHANCERY_COURIER_TRANSFER_KIND_H

#include <curl/curl.h>

#include "transfer.h"

struct transfer {
    struct transfers *all;
    struct transfer *next;
    CURL *easy;
    void (*end)(struct transfer *x, CURLcode code); /* over; cuts x */
    void (*release)(struct transfer *x);            /* frees what it is the first member of */
};

/* A handle with what all transfers have: http and https alone, no proxy. */
void transfer_init(struct transfer *x, struct transfers *t);
MUST_USE struct err *transfer_start(struct transfer *x);

#endif
