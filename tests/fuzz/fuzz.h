/* What the harnesses share. A harness judges by properties (what is read is written again the same), so a
 * wrong answer aborts as a crash does. */
#ifndef CHANCERY_TESTS_FUZZ_H
#define CHANCERY_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/err.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
