/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "graph/op.h"
#include "ops/tuning.h"
#include "vk/device-info.h"
#include "vk/shader.h"

G_BEGIN_DECLS

/* What operators' emit functions write and engine/ executes: a list of dispatches over memory
 * that has no address yet. Plain data; needs no device to be made or inspected. */

/* How elements lie in device memory. Floating-point values have the program's precision, but for
 * those that stay fp32 (SegValue.wide). */
typedef enum {
  SEG_STORAGE_F32,
  SEG_STORAGE_F16,
  SEG_STORAGE_I32,
  SEG_STORAGE_B8, /* uint8 and int8, four in a word; shaders see bits, the dtype has the sign */
} SegStorage;

gsize seg_storage_bytes (SegStorage storage); /* of an element */

/* A piece of device memory. */
typedef enum {
  SEG_REF_NONE,
  SEG_REF_VALUE,
  SEG_REF_BLOB,
  SEG_REF_TEMP,
  SEG_REF_COUNT,
} SegRefKind;
typedef struct {
  SegRefKind kind;
  guint id; /* graph value, blob, temporary or count */
} SegRef;

/* How a shader sees a piece of memory. Every view has 4 elements to a texel or an array entry.
 * TEXEL is samplerBuffer for F32 and F16 (the same SPIR-V reads both) and isamplerBuffer for
 * I32; IMAGE is imageBuffer, read only, F32 (rgba32f in the shader) or F16 (rgba16f); BITS is
 * usamplerBuffer, the elements' bits unconverted (for moving data: uvec4 of 32, of 16 or of 8
 * bits), which is what B8 is in either case. BUFFER is a storage buffer: vec4[], ivec4[] or
 * uvec4[] for 32-bit storage, uvec2[] (packHalf2x16) for F16, uint[] for B8. The binding number
 * is the position in the list. */
typedef enum {
  SEG_BIND_TEXEL,
  SEG_BIND_IMAGE,
  SEG_BIND_BITS,
  SEG_BIND_BUFFER_READ,
  SEG_BIND_BUFFER_WRITE,
  SEG_BIND_BUFFER_READ_WRITE,
} SegBindKind;

typedef struct {
  SegRef ref;
  SegBindKind kind;
} SegBinding;

/* How many rows of a value are live, for a shader to read (lib/rows.glsl): the integer at ref * num /
 * den, and at most `most`. For a value whose size is fixed: its first dimension. */
typedef struct {
  SegRef ref; /* I32, bound as TEXEL */
  guint32 num, den, most;
} SegRows;

/* Work for rows of which only some are live: `items` for a row, those of the first row first. */
typedef struct {
  SegRows rows; /* ref.kind SEG_REF_NONE: all is to be done always */
  guint32 items;
  guint32 first; /* items that others do, before this dispatch's own */
  guint32 per_group,
      times;  /* a group does so many items; and so many groups do the same ones */
  guint axis; /* of the groups: 1; or 0, and what is more goes on along 1 */
} SegLive;

#define SEG_MAX_SPEC     18
#define SEG_MAX_BINDINGS 12
#define SEG_MAX_PUSH     128 /* bytes: Vulkan's guaranteed minimum */

/* Fill in with designated initialisers; everything is copied. */
typedef struct {
  const SegShader *shader;
  guint32 spec[SEG_MAX_SPEC]; /* specialisation constants 0..n_spec-1; floats by bits */
  guint n_spec;
  SegBinding bindings[SEG_MAX_BINDINGS];
  guint n_bindings;
  guint32 push[SEG_MAX_PUSH / 4];
  guint n_push; /* in words */
  guint32 groups[3];
  SegLive live; /* which of them are needed */
} SegDispatch;

/* A value as memory: element (i0, i1, ...) is at offset + sum i * stride, in elements. */
typedef struct {
  guint rank;
  guint32 dims[SEG_MAX_RANK];
  guint32 strides[SEG_MAX_RANK];
  guint32 offset;
  guint32 pitch; /* CHANNELS_LAST: elements from one pixel to the next; ROWS: 0 */
  /* memory that the value spans when dense: ROWS rounded up to 4 elements, CHANNELS_LAST with its
   * padded channels */
  guint32 n_elems;
} SegView;

SegView seg_view (const SegValue *value);
/* Elements of the memory behind a value (its base's, if it has one). */
gsize seg_value_memory_elems (const SegValue *value);

/* --- what emit calls --------------------------------------------------------------------- */

const SegDeviceInfo *seg_program_device (const SegProgram *p);
SegStorage seg_program_precision (const SegProgram *p); /* F32 or F16 */
SegStorage seg_program_storage (const SegProgram *p, const SegValue *value);

/* A graph value. A constant is uploaded on first use, in its own layout (ROWS, or
 * CHANNELS_LAST if the layout pass said so). */
SegRef seg_program_value (SegProgram *p, const SegValue *value);
/* Weights that emit has packed: n floats, stored as `storage` (F32 or F16; padded with zeros
 * to 4 elements). The data is copied. */
SegRef seg_program_floats (SegProgram *p, const float *data, gsize n, SegStorage storage);
/* The same of n, a multiple of 4, which it frees. */
SegRef seg_program_take_floats (SegProgram *p, float *data, gsize n, SegStorage storage);
/* Weights that are packed as late as they are brought to the device, where they will lie: makes n floats, all of
 * them, from what a job says. From any thread, at any time before the graph is freed. */
typedef void (*SegFill) (gconstpointer job, float *to, gsize n);
/* n is a multiple of 4; the job's job_bytes are copied. */
SegRef seg_program_later (SegProgram *p, gsize n, SegStorage storage, SegFill fill,
    gconstpointer job, gsize job_bytes);
SegRef seg_program_ints (SegProgram *p, const gint32 *data, gsize n);
SegRef seg_program_bytes (SegProgram *p, const guint8 *data, gsize n);
/* Memory that lives from this node's first dispatch to its last; contents undefined. */
SegRef seg_program_temp (SegProgram *p, gsize n_elems, SegStorage storage);
/* Bytes that the node's temporaries may take without the arena growing beyond the tensors: as many
 * as are alive elsewhere but not now, and a little. For algorithms that have a choice. */
gsize seg_program_temp_budget (const SegProgram *p);

/* How many neighbouring texels of four elements a kernel should store at a time: 2, where storing is
 * dear, for the variants with WIDE of shaders/lib/store.glsl; or 1. Their offsets have to be even. */
guint seg_program_store_texels (const SegProgram *p, SegStorage storage);
SegRows seg_program_rows (SegProgram *p, const SegValue *value);
SegRows seg_program_fixed_rows (SegProgram *p, guint32 n);
/* n_items of work of the node that is being emitted, in the order of v's rows, for a dispatch to say how
 * many do a group: v, its output or an input, has rows of which some are live and that is known by
 * now; else all is to be done. */
SegLive seg_program_live (SegProgram *p, const SegValue *v, guint64 n_items);
/* With n_each items for each of those; per_group of them in a group. */
SegLive seg_live_times (SegLive live, guint32 n_each, guint32 per_group);
/* Where a node that counts (SegOp.counts) writes how many rows of an output are live: one integer,
 * the first of four. */
SegRef seg_program_count (SegProgram *p, const SegValue *value);

/* Appends a dispatch for the node that is being emitted. Group counts past the device's limit,
 * or a memory piece past its storage range, fail with SEG_ERROR_MEMORY. */
gboolean seg_program_dispatch (
    SegProgram *p, const SegDispatch *dispatch, GError **error);

/* --- what engine/ reads --------------------------------------------------------------------- */

typedef struct {
  SegDispatch dispatch;  /* when host is NULL */
  const SegNode *node;   /* whose step this is */
  gboolean host;         /* TRUE: run node's eval on the host */
  SegRef groups;         /* not NONE: the device finds how many groups there are here, */
  guint nth_groups;      /* at the n-th four integers */
  gboolean makes_groups; /* it is the dispatch that writes them */
} SegStep;

/* The groups of all dispatches that are for live rows of one count, which a dispatch before the first of
 * them makes. */
typedef struct {
  SegRef count, table, groups;
  guint step;
  GArray *entries; /* as shaders/rows_groups.comp reads them */
} SegLiveGroups;

typedef struct {
  gpointer data; /* as stored on the device; NULL: fill makes it */
  gsize n_bytes;
  SegStorage storage;
  SegFill fill;
  gpointer job; /* owned */
} SegBlob;

/* Its n_bytes, to memory that is aligned for them. Thread-safe. */
void seg_blob_write (const SegBlob *blob, gpointer to);

typedef struct {
  gsize n_elems;
  SegStorage storage;
  guint first, last; /* steps */
} SegTemp;

struct _SegProgram {
  const SegGraph *graph; /* borrowed; outlives the program */
  SegDeviceInfo device;
  SegStorage precision;
  SegTuning *tuning;     /* borrowed; NULL: kernels are chosen unmeasured */
  GArray *steps;         /* SegStep */
  GArray *blobs;         /* SegBlob */
  GArray *temps;         /* SegTemp */
  GPtrArray *counts;     /* const SegValue *: whose rows each count is of */
  GArray *lives;         /* SegLiveGroups */
  GHashTable *constants; /* SegValue * -> blob id + 1 */
  const SegNode *node;   /* being emitted */
  guint n_node;          /* its number */
  gboolean alone;        /* the node is all that there is: nobody counts its rows */
  gsize *alive_bytes;    /* of tensors, while each node runs */
  gsize most_alive_bytes;
};

/* Bytes of memory behind a reference, and how its elements are stored. */
gsize seg_program_ref_bytes (const SegProgram *p, SegRef ref);
/* seg_texel_room of it, to set apart: views cover seg_view_room. */
gsize seg_program_ref_room (const SegProgram *p, SegRef ref);
SegStorage seg_program_ref_storage (const SegProgram *p, SegRef ref);

#define SEG_COUNT_BYTES 16 /* of a count */
/* The count of a value's rows, -1: nobody asked for it. */
int seg_program_find_count (const SegProgram *p, const SegValue *value);

/* live.c. For a step that is about to be appended: it and those like it get groups. */
gboolean seg_live_add (SegProgram *p, SegStep *step, GError **error);
/* When all have been appended. */
void seg_live_finish (SegProgram *p);
void seg_live_clear (gpointer groups);

/* budget.c: fills in alive_bytes and most_alive_bytes. */
void seg_program_measure (SegProgram *p);

/* Emits all nodes of a graph made with SEG_GRAPH_LAYOUT. tuning is used while it does; NULL: none. */
SegProgram *seg_program_new (const SegGraph *graph, const SegDeviceInfo *device,
    SegStorage precision, SegTuning *tuning, GError **error);
/* Node n_node alone, as that one would. */
SegProgram *seg_program_new_node (const SegGraph *graph, const SegDeviceInfo *device,
    SegStorage precision, SegTuning *tuning, guint n_node, GError **error);
/* Without a graph, for what emits into it itself and uses no graph value. */
SegProgram *seg_program_empty (const SegDeviceInfo *device, SegStorage precision);
void seg_program_free (SegProgram *program); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegProgram, seg_program_free)

G_END_DECLS
