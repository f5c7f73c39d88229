/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A Vulkan layer that counts calls and makes one fail. The test process opens
 * the layer's library itself to reach these; it sets the fault while no other thread calls. A lost
 * device goes on with what was submitted, also by the call that lost it, as a real one may until a wait
 * returns, and no more is. */
typedef struct {
  int countdown; /* calls that may fail (all of a list, or those named) before the one that does;
                  * -1: none fails */
  int result;         /* VkResult */
  const char *name;   /* NULL: any; else only calls of this function */
  const char *failed; /* set by the layer: the function that failed; NULL: none yet */
} TestFault;

TestFault *test_fault (void);

/* Calls of a function so far, of those that may fail; -1 for one that is not among them. */
long test_calls (const char *name);
