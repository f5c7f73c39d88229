/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "engine/session.h"

G_BEGIN_DECLS

/* The vkseg command line. A subcommand is a file that ends with its ToolCommand; main.c lists
 * them. What was asked for goes to stdout, everything else to stderr. */

enum {
  TOOL_OK = 0,
  TOOL_REFUSED = 1, /* a model, input or device, or output that cannot be written: the
                     * reasons are on stderr, a line each */
  TOOL_USAGE = 2,
};

typedef struct {
  const char *name;
  const char *arguments; /* "MODEL", or "" */
  const char *summary;   /* for the list of subcommands */
  const char *details;   /* more for --help */
  int (*run) (
      int argc, char **argv); /* argv[0] is the subcommand; returns the exit status */
} ToolCommand;

extern const ToolCommand tool_devices, tool_inspect, tool_run, tool_bench;

/* Prints each line of a message to stderr. Returns TOOL_REFUSED, so that one can return it. */
int tool_refuse (const char *message);
/* Wrong usage: says so, and where to read more. Returns TOOL_USAGE. */
int tool_wrong_usage (const ToolCommand *command, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

/* Options that subcommands share. Zero it before, clear it after. */
typedef struct {
  char *model;
  char *device;
  char *precision_name;
  SegPrecision precision;
  char **inputs; /* "NAME=FILE.npy" */
  char **shapes; /* "NAME=1,3,224,224" */
  gboolean json;
  int tune_ms;
} ToolOptions;

void tool_options_clear (ToolOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolOptions, tool_options_clear)

/* Which of the shared options a subcommand has. */
typedef enum {
  TOOL_OPTION_DEVICE = 1 << 0, /* and --precision */
  TOOL_OPTION_INPUT = 1 << 1,
  TOOL_OPTION_SHAPE = 1 << 2,
  TOOL_OPTION_JSON = 1 << 3,
  TOOL_OPTION_MODEL = 1 << 4, /* the MODEL argument */
  TOOL_OPTION_TUNE = 1 << 5,
} ToolOptionFlags;

/* Parses argv. own: further options, or NULL. FALSE with *status when there is nothing more to
 * do (wrong usage). */
gboolean tool_parse (const ToolCommand *command, ToolOptions *options,
    ToolOptionFlags flags, const GOptionEntry *own, int argc, char **argv, int *status);

/* A model's inputs as the command line gives them. */
typedef struct {
  guint n;             /* inputs of the model */
  SegTensor **tensors; /* NULL where none was given */
  SegInputShape *shapes;
  guint n_shapes;
} ToolInputs;

/* Reads the files of --input and the dimensions of --shape. All problems (unknown names,
 * unreadable files, wrong types and shapes, and with `need_all` inputs without a file) are
 * reported in one message, a line each. */
gboolean tool_inputs_read (ToolInputs *inputs, const SegModel *model,
    const ToolOptions *options, gboolean need_all, GError **error);
void tool_inputs_clear (ToolInputs *inputs);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolInputs, tool_inputs_clear)

/* "float32[1,3,height,width]": free dimensions by name, or ?. Newly allocated. */
char *tool_value_to_string (const SegModelValue *value);

/* options->model, a file or a name: see seg_model_find. */
SegModel *tool_load_model (const ToolOptions *options, GError **error);
SegVk *tool_open_device (const ToolOptions *options, GError **error);

G_END_DECLS
