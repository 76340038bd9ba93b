/* Tag and length alone, for SEQUENCEs whose content goes elsewhere. Private to the room. */
#ifndef CHANCERY_CERT_SEAL_HEAD_H
#define CHANCERY_CERT_SEAL_HEAD_H

#include <stddef.h>
#include <stdint.h>

enum { SEAL_HEAD_MAX = 6 };

/* Writes the header of a SEQUENCE of n octets (below 4 GiB), gives its length. */
size_t seal_head(uint8_t to[SEAL_HEAD_MAX], size_t n);

#endif
