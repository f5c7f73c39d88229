/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/instances.h"

#include "shaders.h"

#include <string.h>

/* Uniform block `Instances` of shaders/lib/instances.glsl. */
typedef struct {
  gint32 shape[4], view[4], mask[4], proto[4];
  float to_net[4], to_frame[4], from_mask[4], frame[4];
} Block;

/* shaders/lib/records.glsl */
typedef struct {
  guint32 class_id;
  float score;
  guint32 mask_offset, mask_stride;
  float box[4];
  guint32 mask_width, mask_height, number, origin;
  float rect[4];
} Record;
#define HEADER_BYTES 64

#define OVERLAP_WORDS (SEG_MAX_CANDIDATES / 32)

static gsize
mask_stride (const SegInstancePlan *plan)
{
  return (plan->mask_width + 3u) & ~3u;
}

gsize
seg_instance_records_bytes (guint max_instances)
{
  return HEADER_BYTES + max_instances * sizeof (Record);
}

void
seg_instance_sizes (SegInstanceMemory *memory, const SegInstancePlan *plan)
{
  memory->keys.n_bytes = (plan->n_boxes + 3u) / 4 * 16;
  memory->candidates.n_bytes = 16 + SEG_MAX_CANDIDATES * 8;
  memory->boxes.n_bytes = memory->sorted.n_bytes = SEG_MAX_CANDIDATES * 16;
  memory->overlaps.n_bytes = SEG_MAX_CANDIDATES * OVERLAP_WORDS * 4;
  memory->records.n_bytes = seg_instance_records_bytes (plan->max_instances);
  gsize slot = mask_stride (plan) * plan->mask_height;
  memory->masks.n_bytes = MAX (16, (slot * plan->max_instances + 15) & ~(gsize) 15);
}

static void
fill_block (Block *b, const SegInstancePlan *plan, const SegGeometry *g,
    const SegBound *detections, const SegBound *prototypes)
{
  const SegView *d = &detections->view;
  *b = (Block){
    .shape = { (gint32) plan->n_boxes, (gint32) plan->n_classes,
        (gint32) plan->n_coefficients, plan->objectness },
    .view = { (gint32) d->offset, (gint32) d->strides[plan->box_axis],
        (gint32) d->strides[plan->value_axis], plan->xyxy },
    .to_net = { plan->normalized ? (float) g->net_width : 1.0f,
        plan->normalized ? (float) g->net_height : 1.0f, (float) g->net_width,
        (float) g->net_height },
    .to_frame = { (float) (1.0 / g->scale_x), (float) (1.0 / g->scale_y),
        (float) (-g->shift_x / g->scale_x), (float) (-g->shift_y / g->scale_y) },
    .frame = { (float) g->frame_width, (float) g->frame_height },
  };
  if (prototypes == NULL)
    return;
  const SegView *p = &prototypes->view;
  gsize stride = mask_stride (plan);
  gint32 mask[4] = { (gint32) plan->mask_width, (gint32) plan->mask_height,
    (gint32) stride, (gint32) (stride * plan->mask_height) };
  gint32 proto[4] = { (gint32) p->offset, (gint32) p->strides[plan->width_axis],
    (gint32) p->strides[plan->height_axis], (gint32) p->strides[plan->channel_axis] };
  memcpy (b->mask, mask, sizeof mask);
  memcpy (b->proto, proto, sizeof proto);
  b->from_mask[0] = (float) ((double) g->net_width / plan->mask_width / g->scale_x);
  b->from_mask[1] = (float) ((double) g->net_height / plan->mask_height / g->scale_y);
  b->from_mask[2] = b->to_frame[2];
  b->from_mask[3] = b->to_frame[3];
}

typedef struct {
  SegCmd *cmd;
  const SegInstancePlan *plan;
  const SegInstanceMemory *memory;
  SegBufferView block, limits, detections, prototypes;
  const Block *values;
} Recorder;

static gboolean
dispatch (Recorder *r, const SegShader *shader, const guint32 *spec,
    const SegBufferView *views, guint n_views, guint64 n_invocations, GError **error)
{
  SegVkDispatch d = {
    .shader = shader,
    .spec = spec,
    .n_spec = spec != NULL,
    .views = views,
    .n_views = n_views,
    .label = shader->name,
  };
  seg_groups_linear (n_invocations, d.groups);
  return seg_cmd_dispatch (r->cmd, &d, error);
}

static gboolean
record_candidates (Recorder *r, GError **error)
{
  const SegInstanceMemory *m = r->memory;
  const gint32 *v = r->values->view;
  guint32 by_four = v[1] == 1 && v[0] % 4 == 0 && v[2] % 4 == 0;
  SegBufferView scores[4] = { r->detections, r->block, r->limits,
    seg_piece_view (&m->keys, SEG_VIEW_STORAGE_WRITE) };
  SegBufferView select[4] = { r->block, r->limits,
    seg_piece_view (&m->keys, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&m->candidates, SEG_VIEW_STORAGE_WRITE) };
  SegBufferView sort[6] = { r->detections, r->block, r->limits,
    seg_piece_view (&m->candidates, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&m->boxes, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&m->sorted, SEG_VIEW_STORAGE_WRITE) };
  return dispatch (r, &seg_shader_instance_scores, &by_four, scores, 4,
             (r->plan->n_boxes + 3) / 4, error)
         && dispatch (r, &seg_shader_instance_select, NULL, select, 4, 1, error)
         && dispatch (
             r, &seg_shader_instance_sort, NULL, sort, 6, SEG_MAX_CANDIDATES, error);
}

static gboolean
record_suppression (Recorder *r, GError **error)
{
  const SegInstanceMemory *m = r->memory;
  SegBufferView views[7] = { r->block, r->limits,
    seg_piece_view (&m->candidates, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&m->boxes, SEG_VIEW_TEXEL_F32X4),
    seg_piece_view (&m->sorted, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&m->overlaps, SEG_VIEW_STORAGE_WRITE),
    seg_piece_view (&m->records, SEG_VIEW_STORAGE_WRITE) };
  if (!dispatch (r, &seg_shader_instance_overlap, NULL, views, 6,
          SEG_MAX_CANDIDATES * OVERLAP_WORDS, error))
    return FALSE;
  views[5].kind = SEG_VIEW_STORAGE_READ;
  return dispatch (r, &seg_shader_instance_keep, NULL, views, 7, 1, error);
}

static gboolean
record_masks (Recorder *r, GError **error)
{
  const SegInstanceMemory *m = r->memory;
  const gint32 *p = r->values->proto;
  guint32 by_four = p[3] == 1 && p[0] % 4 == 0 && p[1] % 4 == 0 && p[2] % 4 == 0;
  SegBufferView views[6] = { r->detections, r->block, r->limits, r->prototypes,
    seg_piece_view (&m->records, SEG_VIEW_TEXEL_U32X4),
    seg_piece_view (&m->masks, SEG_VIEW_STORAGE_WRITE) };
  return dispatch (
      r, &seg_shader_instance_masks, &by_four, views, 6, r->plan->n_workers, error);
}

static gboolean
view_of (SegBufferView *view, const SegBound *output, GError **error)
{
  if (output->storage == SEG_STORAGE_I32 || output->storage == SEG_STORAGE_B8) {
    g_set_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED,
        "detections and prototypes are floating point, not integers");
    return FALSE;
  }
  *view = (SegBufferView){ output->buffer, output->offset, output->n_bytes,
    output->storage == SEG_STORAGE_F16 ? SEG_VIEW_TEXEL_F16X4 : SEG_VIEW_TEXEL_F32X4 };
  return TRUE;
}

gboolean
seg_instances_record (SegCmd *cmd, SegParams *params, const SegInstancePlan *plan,
    const SegGeometry *geometry, const SegBound *detections, const SegBound *prototypes,
    const SegInstanceMemory *memory, const SegBufferView *limits, GError **error)
{
  Recorder r = { .cmd = cmd, .plan = plan, .memory = memory, .limits = *limits };
  Block *block =
      seg_params_add (params, sizeof *block, SEG_VIEW_UNIFORM, &r.block, error);
  if (block == NULL || !view_of (&r.detections, detections, error)
      || (prototypes != NULL && !view_of (&r.prototypes, prototypes, error)))
    return FALSE;
  fill_block (block, plan, geometry, detections, prototypes);
  r.values = block;
  return record_candidates (&r, error) && record_suppression (&r, error)
         && (prototypes == NULL || record_masks (&r, error));
}

guint
seg_instances_read (const guint8 *records, SegInstance *items, guint max)
{
  guint32 n;
  memcpy (&n, records, sizeof n);
  n = MIN (n, max);
  for (guint i = 0; i < n; i++) {
    Record r;
    memcpy (&r, records + HEADER_BYTES + i * sizeof r, sizeof r);
    items[i] = (SegInstance){ r.class_id, r.score, r.box[0], r.box[1],
      r.box[2] - r.box[0], r.box[3] - r.box[1], r.mask_width, r.mask_height, r.rect[0],
      r.rect[1], r.rect[2], r.rect[3], r.mask_offset, r.mask_stride };
  }
  return n;
}

void
seg_instances_write (guint8 *records, const SegInstance *items, guint n)
{
  guint32 header[HEADER_BYTES / 4] = { n };
  memcpy (records, header, sizeof header);
  for (guint i = 0; i < n; i++) {
    const SegInstance *s = &items[i];
    Record r = { s->class_id, s->score, (guint32) s->mask_offset, s->mask_stride,
      { s->x, s->y, s->x + s->width, s->y + s->height }, s->mask_width, s->mask_height, i,
      0, { s->mask_x, s->mask_y, s->mask_w, s->mask_h } };
    memcpy (records + HEADER_BYTES + i * sizeof r, &r, sizeof r);
  }
}
