/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/names.h"

#include <string.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif

static guint64
rotate (guint64 v, guint bits)
{
  return v << bits | v >> (64 - bits);
}

static void
mix (guint64 v[4])
{
  v[0] += v[1];
  v[1] = rotate (v[1], 13) ^ v[0];
  v[0] = rotate (v[0], 32);
  v[2] += v[3];
  v[3] = rotate (v[3], 16) ^ v[2];
  v[0] += v[3];
  v[3] = rotate (v[3], 21) ^ v[0];
  v[2] += v[1];
  v[1] = rotate (v[1], 17) ^ v[2];
  v[2] = rotate (v[2], 32);
}

/* The kernel hands each process 16 random bytes. Elsewhere the key is public, which still
 * leaves the attacker to find collisions by trial. */
static void
get_key (guint64 key[2])
{
#ifdef __linux__
  const void *random = (const void *) getauxval (AT_RANDOM);

  if (random) {
    memcpy (key, random, 16);
    return;
  }
#endif
  key[0] = 0x243f6a8885a308d3;
  key[1] = 0x13198a2e03707344;
}

guint
seg_name_hash (gconstpointer name)
{
  const char *s = name;
  gsize n = strlen (s), i;
  guint64 key[2], v[4], word;

  get_key (key);
  v[0] = key[0] ^ 0x736f6d6570736575;
  v[1] = key[1] ^ 0x646f72616e646f6d;
  v[2] = key[0] ^ 0x6c7967656e657261;
  v[3] = key[1] ^ 0x7465646279746573;
  for (i = 0; i + 8 <= n; i += 8) {
    memcpy (&word, s + i, 8);
    v[3] ^= word;
    mix (v);
    v[0] ^= word;
  }
  word = (guint64) n << 56;
  memcpy (&word, s + i, n - i); /* little endian: the low bytes */
  v[3] ^= word;
  mix (v);
  v[0] ^= word;
  v[2] ^= 0xff;
  for (i = 0; i < 3; i++)
    mix (v);
  word = v[0] ^ v[1] ^ v[2] ^ v[3];
  return (guint) (word ^ word >> 32);
}
