/* Private to the room: the last step of making a struct cert_san. */
#ifndef CHANCERY_CERT_SAN_SETTLE_H
#define CHANCERY_CERT_SAN_SETTLE_H

#include "cert/san.h"

/* A checked DNS name to lower case, wildcard seen. */
void cert_san_settle(struct cert_san *san, struct arena *arena);

#endif
