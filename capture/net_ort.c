// SPDX-License-Identifier: Apache-2.0
//
// A network on ONNX Runtime's C API. Input and output tensors are made once, in memory that is
// wiped on free (they hold faces and templates), and handed to every run; threads do not spin;
// nothing is reported to anybody; external data files are refused, since no digest covers them.
//
// Debian's ONNX Runtime and the libonnx it is linked with both register all operators, and say so
// in about a thousand lines on stderr when the first network is made; there is no switch for it. So
// stderr points to /dev/null while a network is made (programs do that at start); what goes wrong
// there comes back as a status.
//
// Thread: the environment is shared and made under pthread_once; a net belongs to one thread at a
// time.

#include "capture/net_ort.h"

#include <assert.h>
#include <fcntl.h>
#include <onnxruntime_c_api.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/image.h"
#include "firmware/base/mem.h"

#define OUTPUT_FLOATS_MAX (1u << 20)

static const OrtApi *ort; // NULL: the library is older than the header we were built with
static OrtEnv *env;	  // lives as long as the process: ONNX Runtime wants it so

struct tensor {
	float *data; // secret memory
	size_t count;
	OrtValue *value; // looks at `data`
	char name[EG_PACK_OUTPUT_NAME_MAX];
};

struct eg_net {
	struct eg_net_input shape;
	OrtSession *session;
	struct tensor input;
	struct tensor output[EG_PACK_OUTPUTS_MAX];
	size_t output_count;
	int source[3];	   // image channel that goes into the n-th plane
	float lut[3][256]; // pixel → tensor value, by plane
};

// Puts a failed status into err; frees it. 0 when there is none.
static int check(OrtStatus *status, struct eg_err *err)
{
	int code = EG_EFOREIGN;

	if (!status)
		return 0;
	switch (ort->GetErrorCode(status)) {
	case ORT_INVALID_PROTOBUF:
	case ORT_INVALID_GRAPH:
	case ORT_NO_MODEL:
		code = EG_EINVAL;
		break;
	case ORT_NOT_IMPLEMENTED:
		code = EG_EUNSUPPORTED;
		break;
	default:
		break;
	}
	(void)eg_err_set(err, code, "ONNX Runtime: %s", ort->GetErrorMessage(status));
	ort->ReleaseStatus(status);
	return code;
}

static void ORT_API_CALL swallow(void *user, OrtLoggingLevel level, const char *category,
				 const char *id, const char *place, const char *message)
{
	(void)user, (void)level, (void)category, (void)id, (void)place, (void)message;
}

static void make_env(void)
{
	OrtStatus *status;

	ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);
	if (!ort)
		return;
	status = ort->CreateEnvWithCustomLogger(swallow, NULL, ORT_LOGGING_LEVEL_FATAL, "egress",
						&env);
	if (!status)
		status = ort->DisableTelemetryEvents(env);
	if (status) {
		ort->ReleaseStatus(status);
		env = NULL;
	}
}

// CreateSessionFromArray without its chatter.
static OrtStatus *create_session(struct eg_bytes onnx, const OrtSessionOptions *options,
				 OrtSession **ret_session)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	OrtStatus *status;
	int kept, null;

	(void)pthread_mutex_lock(&one_at_a_time);
	(void)fflush(stderr);
	kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (kept >= 0 && null >= 0)
		(void)dup2(null, STDERR_FILENO);
	status = ort->CreateSessionFromArray(env, onnx.data, onnx.size, options, ret_session);
	if (kept >= 0 && null >= 0)
		(void)dup2(kept, STDERR_FILENO);
	if (kept >= 0)
		(void)close(kept);
	if (null >= 0)
		(void)close(null);
	(void)pthread_mutex_unlock(&one_at_a_time);
	return status;
}

static int open_session(struct eg_bytes onnx, int threads, OrtSession **ret_session,
			struct eg_err *err)
{
	static const char *const entries[][2] = {
		{"session.intra_op.allow_spinning", "0"},
		{"session.inter_op.allow_spinning", "0"},
		{"session.set_denormal_as_zero", "1"},
		{"session.model_external_initializers_file_folder_path", "/dev/null"},
	};
	OrtSessionOptions *options = NULL;
	int r;

	r = check(ort->CreateSessionOptions(&options), err);
	if (r != 0)
		return r;
	r = check(ort->SetIntraOpNumThreads(options, threads), err);
	if (r == 0)
		r = check(ort->SetInterOpNumThreads(options, 1), err);
	if (r == 0)
		r = check(ort->SetSessionExecutionMode(options, ORT_SEQUENTIAL), err);
	if (r == 0)
		r = check(ort->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL), err);
	for (size_t i = 0; r == 0 && i < sizeof(entries) / sizeof(entries[0]); i++)
		r = check(ort->AddSessionConfigEntry(options, entries[i][0], entries[i][1]), err);
	if (r == 0)
		r = check(create_session(onnx, options, ret_session), err);
	ort->ReleaseSessionOptions(options);
	return r;
}

// The only shape of an input or output, as the model states it: float, every side known.
static int tensor_shape(OrtTypeInfo *info, int64_t dims[4], size_t *ret_rank, size_t *ret_count,
			struct eg_err *err)
{
	const OrtTensorTypeAndShapeInfo *shape = NULL;
	ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
	size_t rank = 0, count = 1;
	int r = check(ort->CastTypeInfoToTensorInfo(info, &shape), err);

	if (r == 0 && !shape)
		r = eg_err_set(err, EG_EINVAL, "an input or output is no tensor");
	if (r == 0)
		r = check(ort->GetTensorElementType(shape, &type), err);
	if (r == 0)
		r = check(ort->GetDimensionsCount(shape, &rank), err);
	if (r == 0 && (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || rank < 1 || rank > 4))
		r = eg_err_set(err, EG_EINVAL,
			       "an input or output is no float tensor of rank 1 to 4");
	if (r == 0)
		r = check(ort->GetDimensions(shape, dims, rank), err);
	for (size_t i = 0; r == 0 && i < rank; i++) {
		if (i == 0 && dims[0] < 0)
			dims[0] = 1; // a free batch size: we take one
		if (dims[i] < 1 || (uint64_t)dims[i] > OUTPUT_FLOATS_MAX / count)
			r = eg_err_set(err, EG_EINVAL,
				       "an input or output has no fixed or no sensible size");
		else
			count *= (size_t)dims[i];
	}
	if (r == 0) {
		*ret_rank = rank;
		*ret_count = count;
	}
	return r;
}

static int make_tensor(struct tensor *t, const int64_t *dims, size_t rank, size_t count,
		       struct eg_err *err)
{
	OrtMemoryInfo *memory = NULL;
	int r;

	t->data = eg_secret_alloc(count * sizeof(float));
	if (!t->data)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	t->count = count;
	r = check(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory), err);
	if (r == 0)
		r = check(ort->CreateTensorWithDataAsOrtValue(
				  memory, t->data, count * sizeof(float), dims, rank,
				  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &t->value),
			  err);
	ort->ReleaseMemoryInfo(memory);
	return r;
}

// Copies a name that ONNX Runtime has allocated.
static int keep_name(char *from, char *name, struct eg_err *err)
{
	OrtAllocator *allocator = NULL;
	size_t n = strlen(from);
	int r = check(ort->GetAllocatorWithDefaultOptions(&allocator), err);

	if (r != 0)
		return r;
	if (n < EG_PACK_OUTPUT_NAME_MAX)
		memcpy(name, from, n + 1);
	else
		r = eg_err_set(err, EG_EINVAL, "a name inside the model is over-long");
	if (check(ort->AllocatorFree(allocator, from), err) != 0)
		return EG_EFOREIGN;
	return r;
}

static int bind_input(struct eg_net *net, struct eg_err *err)
{
	OrtAllocator *allocator = NULL;
	OrtTypeInfo *info = NULL;
	char *name = NULL;
	int64_t dims[4] = {0};
	size_t rank = 0, count = 0, inputs = 0;
	int r;

	r = check(ort->GetAllocatorWithDefaultOptions(&allocator), err);
	if (r == 0)
		r = check(ort->SessionGetInputCount(net->session, &inputs), err);
	if (r == 0 && inputs != 1)
		r = eg_err_set(err, EG_EINVAL, "the model has %zu inputs instead of one", inputs);
	if (r == 0)
		r = check(ort->SessionGetInputName(net->session, 0, allocator, &name), err);
	if (r == 0)
		r = keep_name(name, net->input.name, err);
	if (r == 0)
		r = check(ort->SessionGetInputTypeInfo(net->session, 0, &info), err);
	if (r == 0)
		r = tensor_shape(info, dims, &rank, &count, err);
	if (info)
		ort->ReleaseTypeInfo(info);
	if (r != 0)
		return r;
	if (rank != 4 || dims[0] != 1 || dims[1] != net->shape.channels ||
	    dims[2] != net->shape.height || dims[3] != net->shape.width)
		return eg_err_set(
			err, EG_EINVAL,
			"the model's input is not the 1 × %d × %d × %d that pack.json says",
			net->shape.channels, net->shape.height, net->shape.width);
	return make_tensor(&net->input, dims, rank, count, err);
}

static int output_index(struct eg_net *net, const char *want, size_t *ret_index, struct eg_err *err)
{
	OrtAllocator *allocator = NULL;
	size_t outputs = 0;
	int r = check(ort->GetAllocatorWithDefaultOptions(&allocator), err);

	if (r == 0)
		r = check(ort->SessionGetOutputCount(net->session, &outputs), err);
	for (size_t i = 0; r == 0 && i < outputs; i++) {
		char *name = NULL;
		char kept[EG_PACK_OUTPUT_NAME_MAX];

		r = check(ort->SessionGetOutputName(net->session, i, allocator, &name), err);
		if (r == 0)
			r = keep_name(name, kept, err);
		if (r == 0 && strcmp(kept, want) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	return r ? r
		 : eg_err_set(err, EG_EINVAL, "the model has no output '%s' that pack.json names",
			      want);
}

static int bind_output(struct eg_net *net, size_t k, size_t want_count, struct eg_err *err)
{
	struct tensor *t = &net->output[k];
	OrtTypeInfo *info = NULL;
	int64_t dims[4] = {0};
	size_t rank = 0, count = 0, index = 0;
	int r;

	r = output_index(net, t->name, &index, err);
	if (r == 0)
		r = check(ort->SessionGetOutputTypeInfo(net->session, index, &info), err);
	if (r == 0)
		r = tensor_shape(info, dims, &rank, &count, err);
	if (info)
		ort->ReleaseTypeInfo(info);
	if (r != 0)
		return r;
	if (want_count && count != want_count)
		return eg_err_set(err, EG_EINVAL,
				  "the model's output '%s' has %zu numbers instead of %zu", t->name,
				  count, want_count);
	return make_tensor(t, dims, rank, count, err);
}

static void make_luts(struct eg_net *net, const struct eg_model_spec *spec)
{
	for (int plane = 0; plane < net->shape.channels; plane++) {
		net->source[plane] = spec->order == EG_ORDER_RGB ? 2 - plane : plane;
		for (int p = 0; p < 256; p++)
			net->lut[plane][p] = ((float)p - spec->mean[plane]) * spec->scale[plane];
	}
}

int eg_net_new(struct eg_bytes onnx, enum eg_model_role role, const struct eg_model_spec *spec,
	       int threads, struct eg_net **ret_net, struct eg_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const enum eg_output_meaning *meaning;
	struct eg_net *net;
	size_t outputs;
	int r;

	assert(threads >= 1);
	(void)pthread_once(&once, make_env);
	if (!ort || !env)
		return eg_err_set(err, EG_EFOREIGN, "ONNX Runtime does not start");
	net = eg_calloc(1, sizeof(*net));
	if (!net)
		return eg_err_set(err, EG_ENOMEM, "out of memory");
	net->shape = spec->input;
	make_luts(net, spec);
	meaning = eg_role_outputs(role, &outputs);
	r = open_session(onnx, threads, &net->session, err);
	if (r == 0)
		r = bind_input(net, err);
	for (size_t i = 0; r == 0 && i < outputs; i++) {
		memcpy(net->output[i].name, spec->output_name[i], EG_PACK_OUTPUT_NAME_MAX);
		r = bind_output(net, i, eg_output_size(meaning[i]), err);
		net->output_count = i + 1;
	}
	if (r != 0) {
		eg_net_free(net);
		return r;
	}
	*ret_net = net;
	return 0;
}

static void tensor_done(struct tensor *t)
{
	if (t->value)
		ort->ReleaseValue(t->value);
	eg_secret_free(t->data, t->count * sizeof(float));
}

void eg_net_free(struct eg_net *net)
{
	if (!net)
		return;
	tensor_done(&net->input);
	for (size_t i = 0; i < EG_PACK_OUTPUTS_MAX; i++)
		tensor_done(&net->output[i]);
	if (net->session)
		ort->ReleaseSession(net->session);
	free(net);
}

struct eg_net_input eg_net_input(const struct eg_net *net)
{
	return net->shape;
}

int eg_net_feed(struct eg_net *net, const struct eg_image *image, struct eg_err *err)
{
	const int width = net->shape.width, height = net->shape.height;
	const size_t plane_size = (size_t)width * (size_t)height;

	if (image->width != width || image->height != height ||
	    image->channels != net->shape.channels)
		return eg_err_set(err, EG_EINVAL,
				  "an image of %d × %d × %d was given where the model takes "
				  "%d × %d × %d",
				  image->width, image->height, image->channels, width, height,
				  net->shape.channels);
	for (int plane = 0; plane < net->shape.channels; plane++) {
		const float *lut = net->lut[plane];
		float *to = net->input.data + (size_t)plane * plane_size;

		for (int y = 0; y < height; y++) {
			const uint8_t *from =
				image->data + (ptrdiff_t)y * image->stride + net->source[plane];

			for (int x = 0; x < width; x++)
				*to++ = lut[from[x * image->channels]];
		}
	}
	return 0;
}

int eg_net_run(struct eg_net *net, struct eg_err *err)
{
	const char *names[EG_PACK_OUTPUTS_MAX], *input = net->input.name;
	OrtValue *values[EG_PACK_OUTPUTS_MAX];

	for (size_t i = 0; i < net->output_count; i++) {
		names[i] = net->output[i].name;
		values[i] = net->output[i].value;
	}
	return check(ort->Run(net->session, NULL, &input,
			      (const OrtValue *const *)&net->input.value, 1, names,
			      net->output_count, values),
		     err);
}

const float *eg_net_output(const struct eg_net *net, size_t index, size_t *ret_count)
{
	assert(index < net->output_count);
	if (ret_count)
		*ret_count = net->output[index].count;
	return net->output[index].data;
}
