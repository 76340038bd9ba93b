/* Numbers as eight octets, the highest first, so that keys sort as numbers do. */
#ifndef CHANCERY_LEDGER_BE_H
#define CHANCERY_LEDGER_BE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void be64_put(uint8_t to[8], uint64_t v)
{
    uint64_t b = htobe64(v);
    memcpy(to, &b, 8);
}

static inline uint64_t be64_get(const uint8_t from[8])
{
    uint64_t b;
    memcpy(&b, from, 8);
    return be64toh(b);
}

#endif
