/* A generation as the front's rooms want it: the same issuers, told to ca, ocsp and crl. Private to daemon.
 */
#ifndef CHANCERY_DAEMON_FRONT_SETUP_H
#define CHANCERY_DAEMON_FRONT_SETUP_H

#include "ca.h"
#include "crl.h"
#include "enroll.h"
#include "ocsp.h"
#include "setup.h"

struct front_setup {
    struct ca_setup ca;
    struct enroll_config enroll;
    const struct crl_issuer *crl;
    const struct ocsp_issuer *ocsp;
    size_t n, ocsp_n; /* issuers; those that have a responder here */
};

/* Lives in the setup's arena and borrows from it. */
const struct front_setup *front_setup_of(const struct setup *s);

#endif
