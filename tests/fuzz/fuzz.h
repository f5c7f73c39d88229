/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls. Built with -Dfuzzing=true (clang) each fuzz-NAME.c is a fuzzer;
 * otherwise replay.c calls it for files and for mutations of them. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
