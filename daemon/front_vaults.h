/* The front's vaults: a client for each, all of one house. The loop's thread. */
#ifndef CHANCERY_DAEMON_FRONT_VAULTS_H
#define CHANCERY_DAEMON_FRONT_VAULTS_H

#include "base/loop.h"
#include "hsm_house.h"
#include "setup.h"

struct front_vaults;

struct front_vaults_events {
    void (*ready)(void *arg, struct hsm *vault); /* it has attached */
    void (*lost)(void *arg, struct hsm *vault);
    void *arg;
};

/* Lives as long as the process. */
struct front_vaults *front_vaults_new(struct loop *l, const struct setup *s,
                                      const struct front_vaults_events *events);
struct hsm *front_vaults_first(const struct front_vaults *v);
/* Which issuers there are now, and whose keys are where. */
void front_vaults_set(struct front_vaults *v, const struct setup *s);
/* A fresh channel to the vault with this index; takes fd. */
void front_vaults_attach(struct front_vaults *v, unsigned index, int fd);
/* Of what the vaults say of their tokens the first thing that is not well, in words for everybody. */
MUST_USE struct err *front_vaults_ready(const struct front_vaults *v);

#endif
