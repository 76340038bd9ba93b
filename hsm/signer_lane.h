/*
 * The lanes to the token (lanes.def) and whose turn it is: smooth weighted round robin, so that in any
 * stretch of signatures each waiting lane has its share and the shares interleave. Pure.
 */
#ifndef CHANCERY_HSM_SIGNER_LANE_H
#define CHANCERY_HSM_SIGNER_LANE_H

#include <stdbool.h>
#include <stddef.h>

enum signer_lane {
#define LANE(name, text, weight, bound, what) SIGNER_##name,
#include "lanes.def"
#undef LANE
    SIGNER_LANES
};

struct signer_lane_row {
    const char *name;
    int weight;
    size_t bound;
};
const struct signer_lane_row *signer_lane_row(enum signer_lane lane);

/* What the turns so far have left each lane with; zero at the start. */
struct signer_lane_turns {
    int credit[SIGNER_LANES];
};

/* The next lane to serve of those that have work waiting; SIGNER_LANES where none has. A lane that is empty
 * keeps nothing up its sleeve. */
enum signer_lane signer_lane_next(struct signer_lane_turns *turns, const bool waits[SIGNER_LANES]);

#endif
