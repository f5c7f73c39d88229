/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outputs of YOLO networks to instances on the device, against plain C. */
#include "frame/instances-host.h"
#include "vk/common.h"

#include <math.h>
#include <string.h>

static SegVk *vk;

typedef struct {
  guint n_boxes, n_classes, n_coefficients, mask_width, mask_height;
  guint frame_width, frame_height, net_width, net_height;
  SegFit fit;
  gboolean boxes_first; /* [1,N,V] and not [1,V,N] */
  gboolean values_last; /* [1,V,N] that lies as the device's channels-last */
  gboolean protos_nhwc, protos_padded;
  gboolean half, xyxy, normalized, objectness, hostile, equal_scores;
  float threshold, iou;
  guint max_instances, drop; /* drop: bits of classes that are not wanted */
} Case;

static const Case plain = {
  .n_boxes = 333,
  .n_classes = 3,
  .n_coefficients = 32,
  .mask_width = 24,
  .mask_height = 20,
  .frame_width = 161,
  .frame_height = 90,
  .net_width = 96,
  .net_height = 80,
  .fit = SEG_FIT_LETTERBOX,
  .threshold = 0.3f,
  .iou = 0.45f,
  .max_instances = 300,
};

static char *
case_text (const Case *c)
{
  return g_strdup_printf (
      "boxes %u classes %u coefficients %u mask %ux%u frame %ux%u net %ux%u fit %d first "
      "%d last %d nhwc %d padded %d half %d xyxy %d normalized %d objectness %d hostile "
      "%d equal %d threshold %g iou %g max %u drop %x",
      c->n_boxes, c->n_classes, c->n_coefficients, c->mask_width, c->mask_height,
      c->frame_width, c->frame_height, c->net_width, c->net_height, c->fit,
      c->boxes_first, c->values_last, c->protos_nhwc, c->protos_padded, c->half, c->xyxy,
      c->normalized, c->objectness, c->hostile, c->equal_scores, c->threshold, c->iou,
      c->max_instances, c->drop);
}

typedef struct {
  Case c;
  guint n_values;
  SegInstancePlan plan;
  SegGeometry g;
  SegParams params;
  SegInstanceLimits *limits;
  SegBufferView limits_view;
  SegBound detections, prototypes;
  SegBuffer *det_buffer, *proto_buffer, *work, *readback;
  SegInstanceMemory memory;
  float *values; /* [box][value], as the device reads them */
  float *protos; /* [y][x][coefficient] */
  SegInstance items[SEG_MAX_CANDIDATES];
  guint n;
  const guint8 *masks;
} Run;

static float
store (gpointer to, gsize at, float v, gboolean half)
{
  if (!half)
    return ((float *) to)[at] = v;
  ((guint16 *) to)[at] = seg_half_from_float (v);
  return seg_half_to_float (((guint16 *) to)[at]);
}

static void
bind (SegBound *b, SegBuffer **buffer, guint rank, const gint64 *dims,
    const guint32 *strides, guint n_elems, gboolean half)
{
  b->desc.dtype = SEG_DTYPE_F32;
  b->desc.rank = b->view.rank = rank;
  for (guint i = 0; i < rank; i++) {
    b->desc.dims[i] = dims[i];
    b->view.dims[i] = (guint32) dims[i];
    b->view.strides[i] = strides[i];
  }
  b->view.n_elems = (n_elems + 3) & ~3u;
  b->storage = half ? SEG_STORAGE_F16 : SEG_STORAGE_F32;
  b->n_bytes = b->view.n_elems * (half ? 2u : 4u);
  *buffer = b->buffer = test_buffer (vk, b->n_bytes, SEG_BUFFER_UPLOAD);
  memset (seg_buffer_map (*buffer), 0, b->n_bytes);
}

static void
bind_outputs (Run *r)
{
  const Case *c = &r->c;
  guint32 n = c->n_boxes, v = r->n_values, pitch = (v + 7) & ~7u;
  gint64 det_dims[3] = { 1, c->boxes_first ? n : v, c->boxes_first ? v : n };
  guint32 rows[3] = { n * v, (guint32) det_dims[2], 1 },
          last[3] = { n * pitch, 1, pitch };
  bind (&r->detections, &r->det_buffer, 3, det_dims, c->values_last ? last : rows,
      n * (c->values_last ? pitch : v), c->half);
  if (c->n_coefficients == 0)
    return;
  guint32 w = c->mask_width, h = c->mask_height, m = c->n_coefficients;
  guint32 p = c->protos_padded ? (m + 7) & ~7u : m;
  gint64 nhwc[4] = { 1, h, w, m }, nchw[4] = { 1, m, h, w };
  guint32 as_nhwc[4] = { h * w * p, w * p, p, 1 },
          as_last[4] = { h * w * p, 1, w * p, p },
          as_nchw[4] = { h * w * m, h * w, w, 1 };
  bind (&r->prototypes, &r->proto_buffer, 4, c->protos_nhwc ? nhwc : nchw,
      c->protos_nhwc     ? as_nhwc
      : c->protos_padded ? as_last
                         : as_nchw,
      h * w * p, c->half);
}

static float
random_value (const Case *c, GRand *rand, guint value)
{
  double size = value % 2 ? c->net_height : c->net_width;
  if (value < 4) {
    double v = value < 2 ? g_rand_double_range (rand, -0.1, 1.1)
                         : g_rand_double_range (rand, 0.02, 0.5);
    if (c->xyxy && value >= 2)
      v += 0.5;
    return (float) (c->normalized ? v : v * size);
  }
  if (value < 4u + c->objectness)
    return (float) g_rand_double (rand);
  if (value < 4 + c->objectness + c->n_classes)
    return c->equal_scores ? 0.75f : (float) pow (g_rand_double (rand), 4.0);
  return (float) g_rand_double_range (rand, -1, 1);
}

/* What no network should give. */
static float
make_hostile (GRand *rand, float v)
{
  static const float bad[] = { NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 0.0f, -1.0f,
    1e9f };
  return g_rand_int_range (rand, 0, 16) == 0
             ? bad[g_rand_int_range (rand, 0, G_N_ELEMENTS (bad))]
             : v;
}

static void
fill_outputs (Run *r)
{
  const Case *c = &r->c;
  g_autoptr (GRand) rand = g_rand_new_with_seed (c->n_boxes * 31 + c->n_classes);
  const SegView *d = &r->detections.view, *p = &r->prototypes.view;
  guint box_axis = c->boxes_first ? 1 : 2;
  r->values = g_new (float, c->n_boxes * r->n_values);
  for (guint i = 0; i < c->n_boxes; i++)
    for (guint k = 0; k < r->n_values; k++) {
      float v = random_value (c, rand, k);
      v = c->hostile ? make_hostile (rand, v) : v;
      r->values[i * r->n_values + k] = store (seg_buffer_map (r->det_buffer),
          (gsize) i * d->strides[box_axis] + (gsize) k * d->strides[3 - box_axis], v,
          c->half);
    }
  guint m = c->n_coefficients, ca = c->protos_nhwc ? 3 : 1, ya = c->protos_nhwc ? 1 : 2;
  r->protos = g_new (float, c->mask_width * c->mask_height * MAX (m, 1));
  for (guint y = 0; m > 0 && y < c->mask_height; y++)
    for (guint x = 0; x < c->mask_width; x++)
      for (guint k = 0; k < m; k++)
        r->protos[(y * c->mask_width + x) * m + k] =
            store (seg_buffer_map (r->proto_buffer),
                (gsize) y * p->strides[ya] + (gsize) x * p->strides[ya + 1]
                    + (gsize) k * p->strides[ca],
                (float) g_rand_double_range (rand, -1, 1), c->half);
}

static void
make_plan (Run *r)
{
  const Case *c = &r->c;
  GError *error = NULL;
  SegModelInfo info = { .boxes_xyxy = c->xyxy,
    .boxes_normalized = c->normalized,
    .objectness = c->objectness,
    .channel_axis = c->protos_nhwc ? 3 : 1,
    .max_detections = c->max_instances,
    .labels = g_ptr_array_new () };
  g_ptr_array_set_size (info.labels, (gint) c->n_classes);
  seg_instance_plan_init (&r->plan, &info, &r->detections.desc,
      c->n_coefficients > 0 ? &r->prototypes.desc : NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (r->plan.n_classes, ==, c->n_classes);
  g_assert_cmpuint (r->plan.n_boxes, ==, c->n_boxes);
  g_assert_cmpuint (r->plan.n_coefficients, ==, c->n_coefficients);
  r->plan.n_workers = 128;
  g_ptr_array_unref (info.labels);
}

static void
put (SegPiece *piece, SegBuffer *buffer, gsize *used, gsize align)
{
  piece->buffer = buffer;
  piece->offset = *used = (*used + align - 1) & ~(align - 1);
  *used += (piece->n_bytes + 15) & ~15ul;
}

static void
run (Run *r, const Case *c)
{
  GError *error = NULL;
  gsize align = MAX (16, seg_vk_info (vk)->buffer_align), used = 0, read = 0;
  memset (r, 0, sizeof *r);
  r->c = *c;
  r->n_values = 4 + (guint) c->objectness + c->n_classes + c->n_coefficients;
  seg_geometry_init (
      &r->g, c->fit, c->frame_width, c->frame_height, c->net_width, c->net_height);
  bind_outputs (r);
  fill_outputs (r);
  make_plan (r);
  g_assert_true (seg_params_init (&r->params, vk, &error));
  r->limits = seg_params_add (
      &r->params, sizeof *r->limits, SEG_VIEW_UNIFORM, &r->limits_view, &error);
  memset (r->limits->keep, 0xff, sizeof r->limits->keep);
  r->limits->keep[0] = ~c->drop;
  r->limits->threshold = c->threshold;
  r->limits->iou_threshold = c->iou;
  r->limits->max_instances = (gint32) r->plan.max_instances;

  SegInstanceMemory *m = &r->memory;
  seg_instance_sizes (m, &r->plan);
  SegPiece *device[] = { &m->keys, &m->candidates, &m->boxes, &m->sorted, &m->overlaps };
  SegPiece *host[] = { &m->records, &m->masks };
  for (guint i = 0; i < G_N_ELEMENTS (device); i++)
    put (device[i], NULL, &used, align);
  for (guint i = 0; i < G_N_ELEMENTS (host); i++)
    put (host[i], NULL, &read, align);
  r->work = test_buffer (vk, used, SEG_BUFFER_DEVICE);
  r->readback = test_buffer (vk, read, SEG_BUFFER_READBACK);
  for (guint i = 0; i < G_N_ELEMENTS (device); i++)
    device[i]->buffer = r->work;
  for (guint i = 0; i < G_N_ELEMENTS (host); i++)
    host[i]->buffer = r->readback;
  memset (seg_buffer_map (r->readback), 0xaa, read);

  SegCmd *cmd = test_cmd (vk, FALSE);
  g_assert_true (seg_instances_record (cmd, &r->params, &r->plan, &r->g, &r->detections,
      c->n_coefficients > 0 ? &r->prototypes : NULL, m, &r->limits_view, &error));
  test_run (cmd);
  const guint8 *data = seg_buffer_map (r->readback);
  r->masks = data + m->masks.offset;
  r->n = seg_instances_read (data + m->records.offset, r->items, SEG_MAX_CANDIDATES);
  g_autofree guint8 *first = g_memdup2 (data, read);
  g_assert_true (seg_cmd_submit (cmd, &error));
  g_assert_true (seg_cmd_wait (cmd, &error));
  g_assert_cmpmem (first, read, data, read); /* the same each time */
  seg_cmd_free (&cmd);
}

static void
run_clear (Run *r)
{
  seg_params_clear (&r->params);
  seg_buffer_free (&r->det_buffer);
  seg_buffer_free (&r->proto_buffer);
  seg_buffer_free (&r->work);
  seg_buffer_free (&r->readback);
  g_free (r->values);
  g_free (r->protos);
}

/* --- reference ------------------------------------------------------------------------------------- */

static SegCandidate
reference_box (const Run *r, guint i)
{
  const Case *c = &r->c;
  const float *v = r->values + (gsize) i * r->n_values;
  const float *scores = v + 4 + c->objectness;
  float unit_x = c->normalized ? (float) c->net_width : 1.0f;
  float unit_y = c->normalized ? (float) c->net_height : 1.0f;
  SegCandidate s = { .number = i, .score = 0.0f };
  for (guint k = 0; k < c->n_classes; k++)
    if (scores[k] > s.score && (c->drop >> k & 1) == 0) {
      s.score = scores[k];
      s.class_id = k;
    }
  if (c->objectness)
    s.score *= v[4];
  float a[4] = { v[0] * unit_x, v[1] * unit_y, v[2] * unit_x, v[3] * unit_y };
  float from_middle[4] = { a[0] - 0.5f * a[2], a[1] - 0.5f * a[3], a[0] + 0.5f * a[2],
    a[1] + 0.5f * a[3] };
  memcpy (s.box, c->xyxy ? a : from_middle, sizeof a);
  return s;
}

/* What a mask of too large numbers is, depends on the order in which they are added. */
static gboolean
is_tame (const Run *r, const SegCandidate *s)
{
  const Case *c = &r->c;
  const float *coefficients =
      r->values + (gsize) s->number * r->n_values + 4 + c->objectness + c->n_classes;
  gboolean tame = TRUE;
  for (guint k = 0; k < c->n_coefficients; k++)
    tame = tame && fabsf (coefficients[k]) < 1e4f;
  return tame;
}

static double
reference_mask (const Run *r, const SegCandidate *s, guint x, guint y)
{
  const Case *c = &r->c;
  const float *coefficients =
      r->values + (gsize) s->number * r->n_values + 4 + c->objectness + c->n_classes;
  double logit = 0.0;
  for (guint k = 0; k < c->n_coefficients; k++)
    logit += (double) coefficients[k]
             * r->protos[(y * c->mask_width + x) * c->n_coefficients + k];
  return 1.0 / (1.0 + exp (-logit));
}

/* The mask's rectangle, read back as pixels of the prototypes, and what is in it. */
static void
check_mask (const Run *r, const SegCandidate *want, const SegInstance *got)
{
  const Case *c = &r->c;
  double px = (double) c->net_width / c->mask_width,
         py = (double) c->net_height / c->mask_height;
  double x0 = (got->mask_x * r->g.scale_x + r->g.shift_x) / px;
  double y0 = (got->mask_y * r->g.scale_y + r->g.shift_y) / py;
  g_assert_cmpfloat (fabs (x0 - round (x0)), <, 1e-3);
  g_assert_cmpfloat (fabs (y0 - round (y0)), <, 1e-3);
  g_assert_cmpfloat (fabs (got->mask_w * r->g.scale_x / px - got->mask_width), <, 1e-3);
  g_assert_cmpfloat (fabs (got->mask_h * r->g.scale_y / py - got->mask_height), <, 1e-3);
  g_assert_cmpuint ((guint) round (x0) + got->mask_width, <=, c->mask_width);
  g_assert_cmpuint ((guint) round (y0) + got->mask_height, <=, c->mask_height);
  for (guint y = 0; y < got->mask_height; y++)
    for (guint x = 0; x < got->mask_width; x++) {
      gsize at = got->mask_offset + (gsize) y * got->mask_stride + x;
      g_assert_cmpuint (at, <, r->memory.masks.n_bytes);
      double p = reference_mask (r, want, (guint) round (x0) + x, (guint) round (y0) + y);
      if (is_tame (r, want))
        g_assert_cmpfloat (fabs (r->masks[at] - p * 255.0), <=, 1.0);
    }
  /* All that interpolation at the box's edges needs is there, unless the prototypes end. */
  double left = (got->x * r->g.scale_x + r->g.shift_x) / px - x0;
  double right = ((got->x + got->width) * r->g.scale_x + r->g.shift_x) / px - x0;
  g_assert_true (left >= 0.5 - 1e-3 || round (x0) == 0);
  g_assert_true (right <= got->mask_width - 0.5 + 1e-3
                 || (guint) round (x0) + got->mask_width == c->mask_width);
}

static void
check (const Case *c)
{
  Run *r = g_new (Run, 1);
  g_autofree char *text = case_text (c);
  g_test_message ("%s", text);
  run (r, c);
  g_autofree SegCandidate *want = g_new (SegCandidate, c->n_boxes);
  for (guint i = 0; i < c->n_boxes; i++)
    want[i] = reference_box (r, i);
  guint n = seg_candidates_select (want, c->n_boxes, r->limits, &r->g);
  g_test_message ("%u instances, %u expected", r->n, n);
  for (guint i = 0; i < MIN (n, r->n); i++) {
    SegInstance box;
    const SegInstance *got = &r->items[i];
    g_assert_true (seg_box_to_frame (&r->g, want[i].box, &box));
    g_assert_cmpuint (got->class_id, ==, want[i].class_id);
    g_assert_cmpfloat (fabs (got->score - MIN (want[i].score, 1.0f)), <, 1e-6);
    g_assert_cmpfloat (fabs (got->x - box.x), <, 1e-3);
    g_assert_cmpfloat (fabs (got->y - box.y), <, 1e-3);
    g_assert_cmpfloat (fabs (got->width - box.width), <, 2e-3);
    g_assert_cmpfloat (fabs (got->height - box.height), <, 2e-3);
    if (c->n_coefficients > 0)
      check_mask (r, &want[i], got);
    else
      g_assert_cmpuint (got->mask_width, ==, 0);
  }
  g_assert_cmpuint (r->n, ==, n);
  if (c->n_boxes > 5 && c->threshold < 0.9f)
    g_assert_cmpuint (n, >, 0);
  run_clear (r);
  g_free (r);
}

/* --- cases ------------------------------------------------------------------------------------------- */

static void
test_layouts (void)
{
  for (guint i = 0; i < 32; i++) {
    Case c = plain;
    c.boxes_first = i & 1;
    c.values_last = !c.boxes_first && i & 2;
    c.protos_nhwc = (i & 4) != 0;
    c.protos_padded = (i & 8) != 0;
    c.half = (i & 16) != 0;
    c.n_boxes = i % 3 ? 333 : 332;
    c.n_coefficients = i % 5 ? 32 : 13;
    check (&c);
  }
}

static void
test_boxes (void)
{
  for (guint i = 0; i < 24; i++) {
    Case c = plain;
    c.xyxy = i & 1;
    c.normalized = (i & 2) != 0;
    c.objectness = (i & 4) != 0;
    c.fit = (SegFit) (i / 8);
    c.drop = i % 3 ? 0 : 0x15;
    c.n_coefficients = i % 2 ? 0 : 8;
    if (c.n_coefficients == 0)
      c.mask_width = c.mask_height = 1;
    check (&c);
  }
}

static void
test_geometry (void)
{
  static const guint sizes[][6] = { { 97, 301, 96, 80, 24, 20 },
    { 301, 97, 80, 96, 20, 24 }, { 33, 31, 320, 320, 80, 80 },
    { 1921, 1079, 64, 32, 17, 9 }, { 1, 1, 32, 32, 8, 8 } };
  for (guint i = 0; i < G_N_ELEMENTS (sizes) * 3; i++) {
    const guint *s = sizes[i / 3];
    Case c = plain;
    c.frame_width = s[0];
    c.frame_height = s[1];
    c.net_width = s[2];
    c.net_height = s[3];
    c.mask_width = s[4];
    c.mask_height = s[5];
    c.fit = (SegFit) (i % 3);
    check (&c);
  }
}

/* More candidates than there is room for: the best ones; of equals the first. */
static void
test_many (void)
{
  static const guint sizes[] = { 12, 1024, 1025, 5000, 40001 };
  for (guint i = 0; i < G_N_ELEMENTS (sizes) * 2; i++) {
    Case c = plain;
    c.n_boxes = sizes[i / 2];
    c.n_classes = 3;
    c.n_coefficients = 4;
    c.equal_scores = i & 1;
    c.threshold = 0.0f;
    c.iou = 0.9f;
    c.max_instances = 1024;
    check (&c);
  }
}

static void
test_hostile (void)
{
  for (guint i = 0; i < 12; i++) {
    Case c = plain;
    c.hostile = TRUE;
    c.n_boxes = 100 + 137 * i;
    c.half = i & 1;
    c.objectness = (i & 2) != 0;
    c.xyxy = (i & 4) != 0;
    c.threshold = i % 3 ? 0.2f : 0.0f;
    check (&c);
  }
}

/* A million boxes, all of them likely. */
static void
test_million (void)
{
  Case c = plain;
  c.n_boxes = 1000001;
  c.n_classes = 1;
  c.n_coefficients = 0;
  c.mask_width = c.mask_height = 1;
  c.threshold = 0.0f;
  check (&c);
}

static void
test_thresholds (void)
{
  static const float values[] = { 0.0f, 0.5f, 1.0f };
  for (guint i = 0; i < 9; i++) {
    Case c = plain;
    c.threshold = values[i / 3];
    c.iou = values[i % 3];
    c.max_instances = 1 + 40 * (i % 3);
    check (&c);
  }
}

static void
test_plan_refused (void)
{
  static const SegDesc detections[] = { { SEG_DTYPE_F32, 2, { 1, 84 } },
    { SEG_DTYPE_I64, 3, { 1, 84, 100 } }, { SEG_DTYPE_F32, 3, { 2, 84, 100 } },
    { SEG_DTYPE_F32, 3, { 1, 84, 0 } }, { SEG_DTYPE_F32, 3, { 1, 12, 100 } },
    { SEG_DTYPE_F32, 3, { 1, 84, (gint64) 1 << 40 } } };
  static const SegDesc protos = { SEG_DTYPE_F32, 4, { 1, 32, 8, 8 } };
  SegModelInfo info = { .channel_axis = 1, .labels = g_ptr_array_new () };
  for (guint i = 0; i < G_N_ELEMENTS (detections); i++) {
    g_autoptr (GError) error = NULL;
    SegInstancePlan plan;
    g_assert_false (
        seg_instance_plan_init (&plan, &info, &detections[i], &protos, &error));
    g_assert_error (error, SEG_ERROR, SEG_ERROR_UNSUPPORTED);
  }
  g_ptr_array_unref (info.labels);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/instances/plan-refused", test_plan_refused);
  vk = test_device (NULL);
  if (vk != NULL) {
    g_test_add_func ("/instances/layouts", test_layouts);
    g_test_add_func ("/instances/boxes", test_boxes);
    g_test_add_func ("/instances/geometry", test_geometry);
    g_test_add_func ("/instances/thresholds", test_thresholds);
    g_test_add_func ("/instances/many", test_many);
    g_test_add_func ("/instances/hostile", test_hostile);
    g_test_add_func ("/instances/million", test_million);
  }
  int status = g_test_run ();
  seg_vk_unref (vk);
  return status;
}
