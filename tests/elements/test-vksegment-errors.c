/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What vksegment says of models and settings that it cannot use, and where it finds models. */
#include "stripes.h"

#include "elements/settings.h"
#include "frame/color-net.h"
#include "frame/pipe.h"

#include <glib/gstdio.h>
#include <string.h>

/* The element must not start; its message must have `text`. */
static void
check_error (GstElement *element, GQuark domain, const char *text)
{
  GstBus *bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *hint = NULL;
  gst_object_ref_sink (element);
  gst_element_set_bus (element, bus);
  g_assert_cmpint (
      gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, &hint);
  g_test_message ("%s (%s)", error->message, hint);
  g_assert_true (error->domain == domain);
  /* To look into the model is advice for what is wrong with a model. */
  g_assert_true (
      strstr (hint, "vkseg inspect") == NULL || strstr (text, "unicorn") == NULL);
  /* Nor is another model what a palette or a .modelinfo file wants. */
  g_assert_null (strstr (hint, "set the model property"));
  g_assert_nonnull (strstr (error->message, text));
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

static char *
write_file (const char *name, const char *text)
{
  char *path = g_build_filename (stripes_dir, name, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void
test_missing_model (void)
{
  check_error (stripes_element ("model", "no-such-model", NULL), GST_RESOURCE_ERROR,
      "no-such-model");
  check_error (stripes_element ("model", "/no/such/file.onnx", NULL), GST_RESOURCE_ERROR,
      "/no/such/file");
}

static void
test_bad_model (void)
{
  g_autofree char *bad = write_file ("bad.onnx", "this is not a network");
  check_error (stripes_element ("model", bad, NULL), GST_STREAM_ERROR, "");
}

static void
test_bad_info (void)
{
  static const struct {
    const char *text, *says;
  } cases[] = {
    { "[vkseg]\ndecoder=magic\n", "argmax, index" },
    { "[vkseg]\nmean=1,2\n", "mean" },
    { "[vkseg]\nstd=0\n", "std" },
    { "[vkseg]\ninput=nobody\n", "picture" },
    { "[vkseg]\noutput=nobody\n", "scores" },
    { "[vkseg]\npalette=#12345\n", "#12345" },
    { "[vkseg]\nlabels-file=not-there.txt\n", "not-there.txt" },
    { "[vkseg]\nthreshold=2\n", "threshold" },
    { "[vkseg]\nbackground=everything\n", "background" },
    { "[vkseg]\nforeground=unicorn\n", "unicorn" },
    { "[vkseg]\ndecoder=yolo-seg\n", "yolo-seg" },
    { "[picture]\ndir=input\nranges=0,1;zero,1;0,1\n", "ranges" },
    { "no group here\n", "modelinfo" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *info = write_file ("bad.modelinfo", cases[i].text);
    GstElement *element = stripes_element ("model-info", info, NULL);
    check_error (element,
        g_str_has_prefix (cases[i].text, "no group") ? GST_RESOURCE_ERROR
                                                     : GST_STREAM_ERROR,
        cases[i].says);
  }
}

static void
test_bad_settings (void)
{
  check_error (
      stripes_element ("classes", "red,unicorn", NULL), GST_STREAM_ERROR, "unicorn");
  check_error (stripes_element ("palette", "/no/such/palette", NULL), GST_RESOURCE_ERROR,
      "/no/such/palette");
  check_error (
      stripes_element ("device", "no such device", NULL), GST_RESOURCE_ERROR, "device");
}

/* A wrong name while frames flow is a warning, and what was there stays. */
static void
test_wrong_class_while_playing (void)
{
  GstElement *element = stripes_element ("output", SEG_OUTPUT_LABELS, NULL);
  GstHarness *h = stripes_harness (element);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  stripes_caps (h, "RGB", 64, 48, "");
  stripes_process_labels (h);
  g_object_set (element, "classes", "unicorn", NULL);
  stripes_process_labels (h);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_unref (message);
  stripes_process_labels (h);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  stripes_finish (h);
}

/* By name, in a folder of VKSEG_MODEL_PATH, both ways; labels and palette from files. */
static void
test_lookup (void)
{
  g_autofree char *nested = g_build_filename (stripes_dir, "nested", NULL);
  g_autofree char *path = NULL,
                  *labels = write_file ("labels.txt", "nothing\nrouge\nvert\nbleu\n");
  g_mkdir (nested, 0700);
  path = color_net_write (nested, "nested", COLOR_NET_PLAIN, COLOR_NET_INFO);
  g_autofree char *search = g_strconcat ("/no/such/dir:", stripes_dir, NULL);
  g_setenv ("VKSEG_MODEL_PATH", search, TRUE);
  static const char *const names[] = { "nested", "flat" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GstElement *element = stripes_element ("model", names[i], "labels", labels, NULL);
    GstHarness *h = stripes_harness (element);
    stripes_caps (h, "RGB", 64, 48, "");
    gst_buffer_unref (stripes_process (h));
    g_assert_cmpfloat (stripes_area (element, "rouge"), >, 0.4);
    stripes_finish (h);
  }
  g_unsetenv ("VKSEG_MODEL_PATH");
}

/* Without any information, what the shapes say is right for this network. */
static void
test_no_info (void)
{
  g_autofree char *bare = color_net_write (stripes_dir, "bare", COLOR_NET_PLAIN, NULL);
  GstHarness *h = stripes_harness (
      stripes_element ("model", bare, "output", SEG_OUTPUT_LABELS, NULL));
  stripes_caps (h, "RGB", 161, 99, "");
  stripes_process_labels (h);
  stripes_finish (h);
}

int
main (int argc, char **argv)
{
  int status = 0;
  if (!stripes_begin (&argc, &argv, &status))
    return status;
  g_test_add_func ("/vksegment/missing-model", test_missing_model);
  g_test_add_func ("/vksegment/bad-model", test_bad_model);
  g_test_add_func ("/vksegment/bad-info", test_bad_info);
  g_test_add_func ("/vksegment/bad-settings", test_bad_settings);
  g_test_add_func (
      "/vksegment/wrong-class-while-playing", test_wrong_class_while_playing);
  g_test_add_func ("/vksegment/lookup", test_lookup);
  g_test_add_func ("/vksegment/no-info", test_no_info);
  return stripes_run ();
}
