/* The table of lanes and the order of their turns. No state of its own. Any thread. */
#include "signer_lane.h"

static const struct signer_lane_row rows[SIGNER_LANES] = {
#define LANE(name, text, weight, bound, what) {text, weight, bound},
#include "lanes.def"
#undef LANE
};

const struct signer_lane_row *signer_lane_row(enum signer_lane lane)
{
    return &rows[lane];
}

/* Each that waits earns its weight; the richest is served and pays what all have earned. */
enum signer_lane signer_lane_next(struct signer_lane_turns *turns, const bool waits[SIGNER_LANES])
{
    int best = SIGNER_LANES, earned = 0;

    for (int lane = 0; lane < SIGNER_LANES; lane++) {
        if (!waits[lane]) {
            turns->credit[lane] = 0;
            continue;
        }
        turns->credit[lane] += rows[lane].weight;
        earned += rows[lane].weight;
        if (best == SIGNER_LANES || turns->credit[lane] > turns->credit[best])
            best = lane;
    }
    if (best < SIGNER_LANES)
        turns->credit[best] -= earned;
    return (enum signer_lane)best;
}
