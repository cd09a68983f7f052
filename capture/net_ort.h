// SPDX-License-Identifier: Apache-2.0
//
// Making and freeing networks; the rest of struct eg_net is in pack.h. Inside capture/ only:
// everybody else gets nets from a pack. net_ort.c is the only file that includes ONNX Runtime.
//
// Thread: a net is used by one thread at a time.

#ifndef EG_NET_ORT_H
#define EG_NET_ORT_H

#include "capture/pack_spec.h"

// A network out of the bytes of an ONNX file (copied: they may be freed afterwards). Checks that
// inputs and outputs are what `spec` says, else EG_EINVAL. `threads` ≥ 1 work on one run. The first
// call in a process sets up ONNX Runtime; stderr is shut for that moment (see net_ort.c).
int eg_net_new(struct eg_bytes onnx, enum eg_model_role role, const struct eg_model_spec *spec,
	       int threads, struct eg_net **ret_net, struct eg_err *err) EG_CHECKED;
void eg_net_free(struct eg_net *net); // takes NULL; wipes input and outputs

#endif
